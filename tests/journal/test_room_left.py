from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from autocom import room_left
from autocom.core.journal import Entry
from autocom.journal.log import LocalLog
from autocom.journal.log_file import written_ahead
from autocom.journal.shipper import Shipper
from autocom.room_left import Descriptors, Disk, RoomLeft
from tests.support.shipping import shipping


class Minutes:
    """A clock that a test turns."""

    def __init__(self) -> None:
        self.at = 1_790_000_000.0

    def now(self) -> float:
        return self.at

    async def until(self, instant: float) -> None:
        self.at = max(self.at, instant)


def told(log: LocalLog) -> list[tuple[str, str, bool]]:
    return [
        (e.fields["fault"], e.fields["where"], e.fields["over"])
        for _, e in log.read(0, 10_000)
        if e.kind == "fault"
    ]


def room(log: LocalLog, engine, clock: Minutes) -> RoomLeft:
    return RoomLeft(log, Shipper(log, engine), log, clock)


async def test_postgresql_away_is_a_fault_after_seconds_and_facts_that_wait_a_minute_are_another(log, engine):
    clock = Minutes()
    async with shipping(log, engine) as shipper:
        log.save([Entry(1.0, "arrived", "c1")])
        assert await shipper.flush(10)
        looked = RoomLeft(log, shipper, log, clock)
        await looked.look()
        assert told(log) == []
    away = room(log, engine, clock)
    for seconds in (0, 3, 3, 50, 5, 5):
        clock.at += seconds
        await away.look()
        log.save([Entry(clock.at, "queued", "c1")])
    assert told(log) == [("database_down", "", False), ("journal_lag", "", False)]
    assert 60 <= away.behind() < 70
    async with shipping(log, engine) as shipper:
        assert await shipper.flush(10)
        away._shipper = shipper
        await away.look()
    assert told(log)[2:] == [("database_down", "", True), ("journal_lag", "", True)]


async def test_a_disk_that_refuses_the_log_is_a_fault_until_it_takes_everything_again(log, engine):
    clock = Minutes()
    looked = room(log, engine, clock)
    with closing(sqlite3.connect(log.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        log.save([Entry(1.0, "arrived", "c1")])
        await looked.look()
        assert log.held == 2, "the call's fact, and the word of the fault"
        other.execute("ROLLBACK")
    await looked.look()
    assert told(log) == [("disk_low", "journal.sqlite", False), ("disk_low", "journal.sqlite", True)]
    assert log.held == 0


async def test_a_log_near_its_budget_is_a_fault_until_postgresql_has_taken_it(engine, tmp_path: Path):
    log = LocalLog(tmp_path / "log.sqlite", size=400_000, keep_shipped=0)
    looked = room(log, engine, Minutes())
    n = 0
    while log.room.used < 370_000:
        log.save([Entry(1.0 + n, "arrived", f"c{n}", {"x": "x" * 500})])
        n += 1
        log.look()
    await looked.look()
    assert told(log) == [("disk_low", "journal.sqlite", False)]
    log.shipped(log.last - 10)
    await looked.look()
    assert (
        told(log)
        == [("disk_low", "journal.sqlite", False), ("disk_low", "journal.sqlite", True)][-len(told(log)) :]
    )
    assert told(log)[-1] == ("disk_low", "journal.sqlite", True)
    log.close()


async def test_a_disk_is_low_by_its_share_and_by_what_is_left_and_well_again_further_down(
    log, engine, monkeypatch
):
    looked = room(log, engine, Minutes())
    found = []
    for size, free in ((10**11, 10**10 - 1), (10**10, 10**9), (10**10, 12 * 10**8), (10**10, 2 * 10**9)):
        disk = Disk(size, free)
        monkeypatch.setattr(room_left, "disk_of", lambda _, disk=disk: disk)
        await looked.look()
        found.append(told(log))
    # nine tenths of a large disk leave enough
    low, well = ("disk_low", "disk", False), ("disk_low", "disk", True)
    assert found == [[], [low], [low], [low, well]]


async def test_the_write_ahead_log_does_not_grow_without_end_while_postgresql_is_away(log, engine):
    looked = room(log, engine, Minutes())
    largest = 0
    for n in range(60):
        for _ in range(200):
            log.save([Entry(1.0, "arrived", "c1", {"n": n, "x": "x" * 1000})])
        await looked.look()
        largest = max(largest, written_ahead(log.path))
    assert largest < 10_000_000
    assert log.path.stat().st_size > 12_000_000


async def test_where_there_is_no_disk_to_ask_nothing_is_said_and_nothing_ends(log, engine):
    looked = room(log, engine, Minutes())
    log.path.parent.rename(log.path.parent.with_name("gone"))
    await looked.look()
    assert looked.disk is None


async def test_descriptors_that_run_out_are_a_fault_before_they_have_and_until_there_are_enough(
    log, engine, monkeypatch
):
    looked = room(log, engine, Minutes())
    for taken, limit in (
        (100, 1024),
        (921, 1024),
        (922, 1024),
        (880, 1024),
        (1024, 1024),
        (100, 1024),
        (170, 200),
    ):
        monkeypatch.setattr(
            room_left, "descriptors", lambda taken=taken, limit=limit: Descriptors(taken, limit)
        )
        await looked.look()
    low, well = ("descriptors_low", "", False), ("descriptors_low", "", True)
    assert [each for each in told(log) if each[0] == "descriptors_low"] == [low, well, low]


def test_what_is_open_is_counted_and_where_it_cannot_be_everything_counts_as_taken(monkeypatch, tmp_path):
    before = room_left.descriptors()
    with (tmp_path / "one").open("w"), (tmp_path / "two").open("w"):
        assert room_left.descriptors().open == before.open + 2
    monkeypatch.setattr(room_left, "_OPEN", tmp_path / "nowhere")
    assert room_left.descriptors().used == 1.0
