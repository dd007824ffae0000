"""What a team lead asks for, checked against the configuration in force before it holds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from autocom import leading
from autocom.calls.switchboard import Switchboard
from autocom.core.model import Closure, Hangup, Rule, Team, When
from autocom.core.overrides import Override
from tests.support.exchange_in_memory import Bench, client, configuration
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


def hours(*rules: Rule, kind: str, absences: tuple[Closure, ...] = ()) -> bool:
    """Whether an override of the hours goes unheard by these rules."""
    made = replace(
        client("lilas", "+33199001001", rules=(*rules, Rule("last", None, (Hangup(),)))), absences=absences
    )
    return leading.unheard(made, Override("lilas", kind, EPOCH + 60, "chef", EPOCH, None))


def test_an_override_of_the_hours_that_no_rule_asks_for_is_known_to_change_nothing() -> None:
    closed = Rule("closed", When(open=False), (Hangup(),))
    absent = Rule("absent", When(absence=True), (Hangup(),))
    assert hours(kind="closed")
    assert hours(kind="open")
    assert hours(absent, kind="closed")
    assert not hours(closed, kind="closed")
    assert not hours(Rule("opened", When(open=True), (Hangup(),)), kind="closed")
    days = (datetime(2026, 1, 1), datetime(2026, 12, 31))  # noqa: DTZ001 - a closure is on the client's wall
    assert not hours(absent, kind="open", absences=(Closure(*days),)), "it ends the absence"


def test_who_closes_a_client_without_a_closing_rule_is_told() -> None:
    said, _ = with_board(lambda board: leading.set_override(board, wish(override="closed", team=None)))
    assert said["unheard"] is True
    moved, _ = with_board(lambda board: leading.set_override(board, wish()))
    assert "unheard" not in moved
