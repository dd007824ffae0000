"""Bans as the exchange keeps them: saved before they are in force, told, kept over restarts, lifted in time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from autocom import banning
from autocom.asterisk.private import AsteriskFailed
from autocom.banning import Banning
from autocom.core.bans import FAILURES, FIRST, Login
from autocom.journal.log import LocalLog
from autocom.shared_journal import SharedJournal
from tests.support import PATIENCE

STRANGER = "192.0.2.66"


@dataclass
class Hands:
    """A clock that is set, and an Asterisk that is told."""

    at: float = 1_790_000_000.0
    fails: int = 0
    trunks: list[str] = field(default_factory=lambda: ["198.51.100.0/24"])
    told: list[list[str]] = field(default_factory=list)
    anew: list[bool] = field(default_factory=list)

    def now(self) -> float:
        return self.at

    async def until(self, instant: float) -> None:
        raise AssertionError(f"nobody waits for {instant}")

    async def deny(self, sources: Sequence[str], anew: bool) -> None:
        self.anew += [anew]
        if self.fails:
            self.fails -= 1
            raise AsteriskFailed("no")
        if not self.told or self.told[-1] != list(sources):
            self.told.append(list(sources))


@pytest.fixture
def hands(monkeypatch: pytest.MonkeyPatch) -> Hands:
    monkeypatch.setattr(banning, "GATHER", 0.01)
    monkeypatch.setattr(banning, "AGAIN", 0.01)
    return Hands()


@pytest.fixture
def journal(tmp_path: Path) -> SharedJournal:
    return SharedJournal(LocalLog(tmp_path / "log.sqlite"))


def bans_of(journal: SharedJournal, hands: Hands) -> Banning:
    return Banning(journal, hands, hands.deny, lambda: hands.trunks)


def fail(bans: Banning, address: str = STRANGER, times: int = FAILURES) -> None:
    for _ in range(times):
        bans.hear(Login(address, right=False))


def faults(journal: SharedJournal) -> list[tuple[object, object]]:
    """Where, and whether it is over."""
    log: LocalLog = journal._log
    return [(e.fields["where"], e.fields["over"]) for _, e in log.read(0, 100) if e.kind == "fault"]


@asynccontextmanager
async def running(bans: Banning) -> AsyncIterator[None]:
    async with asyncio.TaskGroup() as tasks:
        run = tasks.create_task(bans.run())
        yield
        run.cancel()


async def until(hands: Hands, *told: str) -> None:
    async with asyncio.timeout(PATIENCE):
        while not hands.told or hands.told[-1] != list(told):
            await asyncio.sleep(0.005)


async def test_who_guesses_is_handed_over_and_journalled_once(journal: SharedJournal, hands: Hands) -> None:
    bans = bans_of(journal, hands)
    async with running(bans):
        await until(hands)
        fail(bans, times=3 * FAILURES)
        await until(hands, STRANGER)
    assert faults(journal) == [(STRANGER, False)]
    assert [row["address"] for row in bans.rows() if isinstance(row, dict)] == [STRANGER]


async def test_a_ban_is_kept_over_a_restart_and_told_to_asterisk_again(
    journal: SharedJournal, hands: Hands
) -> None:
    fail(bans_of(journal, hands))  # and the process dies before Asterisk was told
    again = bans_of(journal, hands)
    async with running(again):
        await until(hands, STRANGER)
    assert faults(journal) == [(STRANGER, False)]
    assert hands.anew == [True]  # whether the dead process had it read is not known


async def test_an_asterisk_that_does_not_take_it_is_asked_again(journal: SharedJournal, hands: Hands) -> None:
    hands.fails = 3
    bans = bans_of(journal, hands)
    fail(bans)
    async with running(bans):
        await until(hands, STRANGER)
    assert hands.anew == [True] * 4


async def test_it_ends_by_time_and_by_command_and_both_are_told(journal: SharedJournal, hands: Hands) -> None:
    bans = bans_of(journal, hands)
    fail(bans)
    fail(bans, "192.0.2.67")
    async with running(bans):
        await until(hands, STRANGER, "192.0.2.67")
        assert bans.clear("192.0.2.67", "chef") == {"address": "192.0.2.67", "cleared": True}
        await until(hands, STRANGER)
    hands.at += FIRST + 1
    late = bans_of(journal, hands)
    assert late.rows() == []
    bans._news.set()
    async with running(bans):
        await until(hands)
    assert faults(journal) == [
        (STRANGER, False), ("192.0.2.67", False), ("192.0.2.67", True), (STRANGER, True),
    ]  # fmt: skip


def test_only_what_is_banned_is_cleared(journal: SharedJournal, hands: Hands) -> None:
    bans = bans_of(journal, hands)
    with pytest.raises(LookupError):
        bans.clear(STRANGER, "chef")
    for text in ("", "x", "../x", "192.0.2.66/8", "192.0.2.66\n"):
        with pytest.raises(ValueError, match="no address"):
            bans.clear(text, "chef")
    fail(bans, "2001:db8::/64")
    assert bans.clear("2001:db8::/64", "chef")["cleared"]


async def test_a_phone_that_proved_itself_is_remembered_over_restarts_and_written_down_once_a_day(
    journal: SharedJournal, hands: Hands
) -> None:
    bans = bans_of(journal, hands)
    for _ in range(20):
        bans.hear(Login(STRANGER, right=True))
    assert len(journal.rows("ban-known/")) == 1
    again = bans_of(journal, hands)
    fail(again, times=5 * FAILURES)
    assert again.rows() == []


async def test_a_network_that_becomes_a_trunks_is_let_in(journal: SharedJournal, hands: Hands) -> None:
    bans = bans_of(journal, hands)
    fail(bans)
    async with running(bans):
        await until(hands, STRANGER)
        hands.trunks.append("192.0.2.0/24")
        bans._news.set()
        await until(hands)


async def test_who_is_let_in_again_is_so_though_asterisk_does_not_take_it_at_once(
    journal: SharedJournal, hands: Hands
) -> None:
    bans = bans_of(journal, hands)
    fail(bans)
    async with running(bans):
        await until(hands, STRANGER)
        hands.fails = 1
        bans.clear(STRANGER, "chef")
        await until(hands)
    # the file says so already by then, and it has to be read all the same
    assert hands.anew[-2:] == [False, True]


def test_after_a_restart_the_oldest_are_still_the_oldest(
    journal: SharedJournal, hands: Hands, tmp_path: Path
) -> None:
    addresses = ["192.0.2.9", "192.0.2.7", "192.0.2.8"]
    bans = bans_of(journal, hands)
    for address in addresses:
        hands.at += 1
        fail(bans, address)
    for n, address in enumerate(("203.0.113.9", "203.0.113.7")):
        hands.at += n
        bans.hear(Login(address, right=True))
    journal._log.close()
    again = bans_of(SharedJournal(LocalLog(tmp_path / "log.sqlite")), hands)
    assert [row["address"] for row in again.rows() if isinstance(row, dict)] == addresses
    assert list(again.watch.known) == ["203.0.113.9", "203.0.113.7"]


async def test_a_ban_that_ended_while_nobody_was_there_is_told_to_be_over_once(
    journal: SharedJournal, hands: Hands
) -> None:
    fail(bans_of(journal, hands))
    hands.at += FIRST + 1
    for _ in range(2):
        async with running(bans_of(journal, hands)):
            await until(hands)
        hands.told.clear()
    assert faults(journal) == [(STRANGER, False), (STRANGER, True)]


async def test_a_ban_that_makes_room_for_a_newer_one_is_over_and_leaves_nothing_behind(
    journal: SharedJournal, hands: Hands, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("autocom.core.bans.MOST", 1)
    bans = bans_of(journal, hands)
    fail(bans)
    fail(bans, "192.0.2.67")
    async with running(bans):
        await until(hands, "192.0.2.67")
    assert faults(journal) == [(STRANGER, False), ("192.0.2.67", False), (STRANGER, True)]
    assert set(journal.rows(banning.TOLD)) == {f"{banning.TOLD}192.0.2.67"}
