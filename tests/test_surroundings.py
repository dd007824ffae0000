"""What fails beside the calls is begun again, and keeps no start from being complete."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from autocom import archive, surroundings
from autocom.journal.log import LocalLog
from autocom.parts import Parts
from autocom.settings import Settings
from autocom.shared_journal import SharedJournal
from autocom.state import Card, read_card
from autocom.surroundings import Surroundings
from tests.support import PATIENCE
from tests.support.virtual import VirtualClock

CARD = Card(1, "http://127.0.0.1:1", "token", None)


async def for_ever(*_: object) -> None:
    await asyncio.Event().wait()


class Bare(Surroundings):
    """Without doors, mail, texts and keepers."""

    async def _http(self, *_: Any) -> Card:
        return CARD

    def _texts(self, *_: Any) -> Any:
        return SimpleNamespace(run=for_ever)

    _agi = _keep = _post = _keep_tapes = _watch_files = for_ever  # type: ignore[assignment]


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bare:
    monkeypatch.setattr(surroundings, "banning", lambda *_: SimpleNamespace(run=for_ever))
    monkeypatch.setattr(archive, "ship", for_ever)
    monkeypatch.setattr(surroundings, "CARD_WITHIN", 0.05)
    monkeypatch.setattr("autocom.steadfast.PAUSE", 0.01)
    local = LocalLog(tmp_path / "journal.sqlite")
    parts = Parts(
        **(
            dict.fromkeys(Parts.__dataclass_fields__)
            | {
                "settings": Settings(
                    state=tmp_path / "state", database_url="postgresql+psycopg://nobody@127.0.0.1:1/none"
                ),
                "local": local,
                "clock": VirtualClock(),
                "exchange": SimpleNamespace(journal=SharedJournal(local), reload=for_ever),
            }
        )  # type: ignore[arg-type]
    )
    return Bare(parts, AsyncExitStack(), AsyncExitStack())


def failed(bare: Bare) -> list[tuple[object, object]]:
    """The parts that had an error of ours, and its kind."""
    entries = [entry for _, entry in bare.parts.local.read(0, 100) if entry.kind == "fault"]
    return [(entry.fields["where"], entry.fields["detail"]) for entry in entries]


async def nothing() -> None:
    return


async def until_ready(bare: Bare, then: Callable[[], Awaitable[object]] = nothing) -> None:
    """Run it until it is ready, and on until `then` is over."""
    ready = asyncio.Event()

    async def say_ready() -> None:
        ready.set()

    async def waited() -> None:
        await ready.wait()
        await then()

    running, waiting = asyncio.ensure_future(bare.run(say_ready)), asyncio.ensure_future(waited())
    await asyncio.wait([running, waiting], timeout=PATIENCE, return_when=asyncio.FIRST_COMPLETED)
    assert not running.done(), running
    assert waiting.done()
    running.cancel()
    await asyncio.wait([running])


async def test_commands_find_us_once_we_are_ready(bare: Bare) -> None:
    bare.parts.settings.state.mkdir()
    await until_ready(bare)
    assert read_card(bare.parts.settings.state) == CARD


async def test_a_card_that_cannot_be_written_is_waited_for_by_nobody_and_written_later(bare: Bare) -> None:
    state = bare.parts.settings.state
    state.write_text("a full disk has no room for this folder")

    async def there_is_room() -> None:
        state.unlink()
        state.mkdir()
        while not (state / "service.json").exists():
            await asyncio.sleep(0.01)

    await until_ready(bare, there_is_room)
    assert read_card(state) == CARD
    assert failed(bare) == []


async def test_an_error_in_the_way_to_the_database_ends_nothing(
    bare: Bare, monkeypatch: pytest.MonkeyPatch
) -> None:
    bare.parts.settings.state.mkdir()
    again = asyncio.Event()
    tries: list[None] = []

    async def ship(*_: object) -> None:
        tries.append(None)
        if len(tries) == 1:
            raise ZeroDivisionError
        again.set()
        await for_ever()

    monkeypatch.setattr(archive, "ship", ship)
    await until_ready(bare, again.wait)
    assert failed(bare) == [("journal", "ZeroDivisionError")]


async def test_files_that_changed_while_nobody_watched_them_are_a_reload(
    bare: Bare, monkeypatch: pytest.MonkeyPatch
) -> None:
    bare.parts.settings.state.mkdir()
    happened: list[str] = []
    over = asyncio.Event()

    async def reload(author: str) -> None:
        happened.append(author)

    async def watch() -> None:
        happened.append("watching")
        if len(happened) == 1:
            raise OSError(24, "inotify watch limit reached")
        over.set()
        await for_ever()

    monkeypatch.setattr(bare.parts.exchange, "reload", reload)
    monkeypatch.setattr(bare, "_watch_files", watch)
    await until_ready(bare, over.wait)
    assert happened == ["watching", "file change", "watching"]
