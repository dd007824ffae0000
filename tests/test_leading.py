"""What a team lead asks for, checked against the configuration in force before it holds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from autocom import leading
from autocom.calls.switchboard import Switchboard
from autocom.core.model import Team
from tests.support.exchange_in_memory import Bench, configuration
from tests.support.virtual import EPOCH, run


def with_board(ask: Callable[[Switchboard], Any]) -> tuple[Any, Bench]:
    """What `ask` returns of a switchboard that serves lilas with two teams."""

    async def whole() -> tuple[Any, Bench]:
        bench = Bench(replace(configuration(), teams={"medical": Team("medical"), "legal": Team("legal")}))
        bench.start()
        await bench.pass_time(0.01)
        assert bench.switchboard is not None
        answer = ask(bench.switchboard)
        await bench.pass_time(0.01)
        await bench.kill()
        return answer, bench

    return run(whole())


def wish(**changes: Any) -> dict[str, Any]:
    return {"client": "lilas", "override": "team", "team": "legal", "until": "2h", "author": "chef"} | changes


def test_what_is_asked_holds_and_is_written_down() -> None:
    def ask(board: Switchboard) -> Any:
        said = leading.set_override(board, wish(reason="pont\x1b[31m\n"))
        return said, leading.rows(board)

    (said, rows), bench = with_board(ask)
    assert rows == [said]
    assert (said["team"], said["author"], said["reason"]) == ("legal", "chef", "pont[31m")
    entry = next(e for e in bench.journal.entries if e.kind == "override_set")
    assert entry.fields["until"] == pytest.approx(EPOCH + 7200, abs=0.1)
    assert entry.fields["author"] == "chef"


@pytest.mark.parametrize(
    ("changes", "error", "said"),
    [
        ({"client": "lila"}, LookupError, "did you mean 'lilas'?"),
        ({"client": None}, LookupError, "there is no client ''"),
        ({"team": "lega"}, LookupError, "did you mean 'legal'?"),
        ({"team": None}, LookupError, "there is no team ''"),
        ({"override": "sleep"}, ValueError, "is not one of"),
        ({"until": "2020-01-01 10:00"}, ValueError, "in the past"),
        ({"until": None}, ValueError, "write 11:00"),
        ({"until": 5}, ValueError, "until: a text"),
        ({"reason": "x" * 201}, ValueError, "reason: a text"),
        ({"until": "8d"}, ValueError, "longer than 7 days"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_holds(
    changes: dict[str, Any], error: type[Exception], said: str
) -> None:
    def ask(board: Switchboard) -> Any:
        with pytest.raises(error, match=said.replace("?", r"\?")):
            leading.set_override(board, wish(**changes))
        return leading.rows(board)

    rows, bench = with_board(ask)
    assert rows == []
    assert not [key for key in bench.journal.floor if key.startswith("override:")]


def test_ending_says_how_many_there_were() -> None:
    def ask(board: Switchboard) -> Any:
        leading.set_override(board, wish())
        leading.set_override(board, wish(override="closed", team=None))
        leading.set_override(board, wish(override="open", team=None))
        first = leading.clear_overrides(board, "lilas", "chef")
        return first, leading.clear_overrides(board, "lilas", "chef")

    (first, second), bench = with_board(ask)
    assert (first["cleared"], second["cleared"]) == (2, 0)
    ended = [e.fields["by"] for e in bench.journal.entries if e.kind == "override_ended"]
    assert ended == ["replaced", "clear", "clear"]

    def unknown(board: Switchboard) -> Any:
        with pytest.raises(LookupError):
            leading.clear_overrides(board, "nobody", "chef")

    with_board(unknown)
