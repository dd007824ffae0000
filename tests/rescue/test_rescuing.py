"""What the exchange does with its rescuer: opens the gate whatever it takes, and believes each deed once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import pytest

from autocom import rescuing
from autocom.asterisk.clock import SteadyClock
from autocom.calls.gap import service_entry
from autocom.calls.ports import TelephoneDown
from autocom.core.journal import Entry
from autocom.journal.log import LocalLog
from autocom.rescue.diary import Deed, Diary


@dataclass
class Board:
    connected: bool = True
    ports: SimpleNamespace = field(default_factory=lambda: SimpleNamespace(clock=SteadyClock()))


@dataclass
class Exchange:
    """As much of one as is asked here."""

    switchboard: Board = field(default_factory=Board)
    journal: LocalLog | None = None

    async def follow(self) -> AsyncIterator[Entry]:
        yield service_entry(1.0, "telephone_back", "")


@dataclass
class Telephone:
    refuses: int
    board: Board | None = None
    tries: int = 0

    async def open_gate(self) -> None:
        self.tries += 1
        if self.tries <= self.refuses:
            if self.board is not None:
                self.board.connected = False
            raise TelephoneDown("no answer in time")


async def test_a_gate_that_does_not_open_at_once_is_opened_at_the_next_try(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rescuing, "LOOK_EVERY", 0.01)
    telephone = Telephone(refuses=2)
    await rescuing.keep_gate_open(Exchange(), telephone)
    assert telephone.tries == 3 + 1, "and again when the telephone is back"


async def test_a_telephone_that_is_lost_again_is_waited_for() -> None:
    exchange = Exchange()
    telephone = Telephone(refuses=9, board=exchange.switchboard)
    async with asyncio.timeout(5):
        await rescuing.keep_gate_open(exchange, telephone)
    assert telephone.tries == 1


async def test_a_deed_is_told_once_though_we_are_killed_before_it_is_forgotten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(Exception):  # noqa: N818
        pass

    def kill(_: Diary) -> None:
        raise Killed

    monkeypatch.setattr(Diary, "forget", kill)
    diary = Diary(tmp_path)
    diary.make()
    for at, what in enumerate(("gate_closed", "handed_over", "gate_opened")):
        diary.write(Deed(float(at), what, 1, "silent"))
    for _ in range(2):
        log = LocalLog(tmp_path / "log.sqlite")
        with pytest.raises(Killed):
            await rescuing.keep_read(diary, Exchange(journal=log))
        told = [(e.fields["fault"], e.fields["over"]) for _, e in log.read(0, 100) if e.kind == "fault"]
        log.close()
    assert told == [("rescued", False), ("rescued", False), ("rescued", True), ("asterisk_hung", True)]
