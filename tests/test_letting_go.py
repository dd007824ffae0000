"""Once a hand-over is promised, nothing that goes wrong on the way out ends what has the calls in it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from autocom import app
from autocom.foundations import Told
from autocom.journal.log import LocalLog
from autocom.parts import Parts
from autocom.settings import Settings
from autocom.shared_journal import SharedJournal
from autocom.state import lock

Story = Callable[[], Awaitable[None]]


class Ended(BaseException):
    """The process is over."""


async def for_ever() -> None:
    await asyncio.Event().wait()


class Letting:
    """A process that has promised its exchange to another, without an Asterisk. `calls`: what its calls do;
    `opens_gate`: what opens the gate, where it is to be opened; `failed`: parts that had an error; `stopped`:
    what was ended with it; `exits`: each time it ended at once, and the error that it did so with."""

    def __init__(self, state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.state = state
        self.calls: Story = for_ever
        self.closing: Callable[[], None] = lambda: None
        self.opens_gate: Story | None = None
        self.failed: list[tuple[str, str]] = []
        self.stopped: list[str] = []
        self.exits: list[BaseException | None] = []
        monkeypatch.setattr(app, "_Start", self._start)
        monkeypatch.setattr(app, "_exit", self._exit)

    def _exit(self, error: BaseException | None = None) -> None:
        self.exits.append(error)
        raise Ended

    def _start(
        self, settings: Settings, told: Told, stack: AsyncExitStack, servers: AsyncExitStack, *, private: bool
    ) -> Any:
        made = _Process(settings, told, stack, servers, private=private)
        made.letting = self
        servers.callback(self.stopped.append, "asterisk")
        stack.callback(self.closing)
        return made

    async def run(self) -> None:
        with pytest.raises(Ended):
            await app.run(Settings(state=self.state), private=True, say=lambda _: None)
        assert self.exits
        assert self.stopped == []
        lock(self.state).close()
        entries = [entry for _, entry in LocalLog(self.state / "journal.sqlite").read(0, 10)]
        assert [entry.fields["event"] for entry in entries] == ["stopped"]


class _Process(app._Start):
    """Everything is there that is let go, and nothing that is taken up."""

    letting: Letting

    async def _parts(self) -> Parts:
        journal = SharedJournal(self.local)
        board = SimpleNamespace(connected=self.letting.opens_gate is not None)
        exchange = SimpleNamespace(journal=journal, follow=journal.follow, switchboard=board)
        return cast(
            "Parts",
            SimpleNamespace(
                exchange=exchange,
                telephone=SimpleNamespace(run=for_ever, open_gate=self.letting.opens_gate),
                switchboard=SimpleNamespace(run=lambda _: self.letting.calls()),
                loaded=SimpleNamespace(configuration=None),
                leaving=SimpleNamespace(successor=4711),
                failed=lambda what, kind: self.letting.failed.append((what, kind)),
            ),
        )

    def _begin(self, parts: Parts) -> None:
        asyncio.get_running_loop().call_later(0.01, self.stopping.set)

    async def _surround(self, parts: Parts, when_ready: Callable[[Parts], Awaitable[None]] | None) -> None:
        await for_ever()


@pytest.fixture
def letting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Letting:
    return Letting(tmp_path, monkeypatch)


async def test_everything_is_given_back_and_nothing_ended(letting: Letting) -> None:
    await letting.run()
    assert letting.exits == [None]


async def test_also_where_a_part_fails_while_it_ends(letting: Letting) -> None:
    async def calls() -> None:
        try:
            await for_ever()
        finally:
            raise ZeroDivisionError

    letting.calls = calls
    await letting.run()


async def test_also_where_a_part_fails_before_it_was_asked_to_end(letting: Letting) -> None:
    async def calls() -> None:
        raise ZeroDivisionError

    letting.calls = calls
    await letting.run()


async def test_also_where_something_cannot_be_closed(letting: Letting) -> None:
    def closing() -> None:
        raise ZeroDivisionError

    letting.closing = closing
    await letting.run()


async def test_also_where_something_does_not_end(letting: Letting, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app, "LET_GO_WITHIN", 0.05)
    going = asyncio.Event()

    async def calls() -> None:
        try:
            await for_ever()
        finally:
            await going.wait()

    letting.calls = calls
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda *_: None)
    loop.call_later(0.2, going.set)  # the test's process did not end with `_exit`
    await letting.run()
    assert len(letting.exits) == 2


async def test_an_error_in_what_opens_the_gate_ends_nothing(letting: Letting) -> None:
    async def opens_gate() -> None:
        raise ZeroDivisionError

    letting.opens_gate = opens_gate
    await letting.run()
    assert letting.failed == [("gate", "ZeroDivisionError")]
    assert letting.exits == [None]
