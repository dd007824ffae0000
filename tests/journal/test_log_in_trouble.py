"""The local log on a disk that is full, locked, gone or broken, and near the end of its budget.

The disk's refusals are real: a limit on the size of the process's files (EFBIG: "disk I/O error"), SQLite's own limit
on pages ("database or disk is full"), another process's lock, a file that is overwritten or removed under us.
"""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from autocom.core.journal import Entry
from autocom.core.thinning import FINE
from autocom.journal import budget, log_file
from autocom.journal import log as journal_log
from autocom.journal.held import Held, Lost, Step
from autocom.journal.log import LocalLog
from tests.support.shipping import shipping


def fact(n: int, kind: str = "arrived", size: int = 0) -> Entry:
    return Entry(1000.0 + n, kind, f"c{n}", {"n": n, "x": "x" * size})


def numbers(log: LocalLog) -> list[int]:
    return [e.fields["n"] for _, e in log.read(0, 10**6) if e.kind != "gap"]


def gaps(log: LocalLog) -> list[tuple[str, int]]:
    return [(e.fields["why"], e.fields["facts"]) for _, e in log.read(0, 10**6) if e.kind == "gap"]


@contextmanager
def full(log: LocalLog) -> Iterator[None]:
    """No page more than there are now."""
    room = log._db.execute("PRAGMA page_count").fetchone()[0]
    log._db.execute(f"PRAGMA max_page_count = {room}")
    yield
    log._db.execute("PRAGMA max_page_count = 1000000000")


def drained(log: LocalLog) -> None:
    while log.look():
        pass


# --- a disk that refuses ------------------------------------------------------------------------


def test_what_a_full_disk_refused_is_written_in_order_in_bites_once_there_is_room(log):
    with full(log), capture_logs() as said:
        for n in range(3000):
            log.save([fact(n, size=100)], calls={f"c{n}": {"n": n}}, floor={"last": n})
        held = log.held
        assert log.look() is False
    assert [line["event"] for line in said] == ["local_log_refuses"]
    assert log.stored().floor == {"last": 2999}
    with capture_logs() as said:
        assert log.look() is True, "one bite at a time: calls come in between"
        assert log.held < held
        drained(log)

    assert [line["event"] for line in said] == ["local_log_takes_again"]
    assert (log.held, log.refuses) == (0, None)
    assert numbers(log) == list(range(3000))
    assert gaps(log) == []
    log.close()
    assert LocalLog(log.path).stored().floor == {"last": 2999}


def test_saves_on_a_full_disk_cost_no_more_when_thousands_are_held(log):
    with full(log):
        log.save([fact(0, size=200_000)])
        began = time.monotonic()
        for n in range(20_000):
            log.save([fact(n)])
        took = time.monotonic() - began
    assert log.held == 20_001
    assert took < 5.0, "each of them tried to write all the others"


def test_memory_keeps_a_bounded_number_of_facts_and_the_state_of_every_call(tmp_path: Path):
    log = LocalLog(tmp_path / "log.sqlite", held=100)
    with full(log):
        log.save([fact(0, size=200_000)], calls={"c0": {"kept": True}})
        for n in range(1, 400):
            log.save([fact(n), fact(n, "ringing")], floor={"n": n})
        assert log.held < 110
    drained(log)

    assert numbers(log)[-1] == 399
    assert len(numbers(log)) <= 110
    assert gaps(log) == [("refused", 1 + 2 * 399 - len(numbers(log)))]
    log.close()
    again = LocalLog(tmp_path / "log.sqlite")
    assert again.stored().calls == {"c0": {"kept": True}}
    assert again.stored().floor == {"n": 399}
    again.close()


def test_who_saves_much_beside_a_gap_has_it_on_disk_all_the_same(log):
    log._held.add(journal_log._gap("full", Lost(3, 1.0, 2.0)))
    log.save([fact(n) for n in range(500)], calls={"c1": {"stage": "waiting"}})
    assert log.held == 0
    again = LocalLog(log.path)  # as after kill -9
    assert gaps(again) == [("full", 3)]
    assert numbers(again) == list(range(500))
    assert again.stored().calls == {"c1": {"stage": "waiting"}}
    again.close()


def test_a_lock_of_somebody_else_holds_no_call_up_for_longer_than_a_moment(log):
    log.save([fact(1)])
    with closing(sqlite3.connect(log.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        began = time.monotonic()
        for n in range(2, 100):
            log.save([fact(n)])
        assert time.monotonic() - began < 1.0
        assert log.held == 98
        other.execute("ROLLBACK")
    drained(log)

    assert numbers(log) == list(range(1, 100))


def test_facts_go_on_to_postgresql_while_the_disk_does_not_even_take_the_cursor(log):
    for n in range(10):
        log.save([fact(n)])
    with closing(sqlite3.connect(log.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        log.shipped(7)
        assert (log.cursor, log.backlog()) == (7, 3)
        assert "locked" in str(log.refuses)
        other.execute("ROLLBACK")
    log.look()
    assert log.refuses is None
    log.close()
    again = LocalLog(log.path)
    assert again.cursor == 7
    again.close()


KILLED = """
import os, resource, signal, sys
from pathlib import Path
from autocom.core.journal import Entry
from autocom.journal.log import LocalLog

log = LocalLog(Path(sys.argv[1]))
log.save([Entry(1.0, "arrived", "c1", {"n": 1})], calls={"c1": {"stage": "waiting"}})
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, resource.RLIM_INFINITY))
n = 1
while not log.refuses:
    n += 1
    log.save([Entry(float(n), "queued", "c1", {"n": n, "x": "x" * 5000})])
for more in range(9):
    log.save([Entry(1000.0, "bridged", "c1", {"n": n + 1 + more})], calls={"c1": {"stage": "talking"}})
print(n, log.held, log.refuses, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_kill_while_facts_are_in_memory_alone_loses_those_and_says_so_at_the_next_start(tmp_path: Path):
    path = tmp_path / "log.sqlite"
    done = subprocess.run([sys.executable, "-c", KILLED, path], capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr
    first_refused, held, why = done.stdout.splitlines()[-1].split(maxsplit=2)
    assert why.strip() == "disk I/O error"
    with capture_logs() as said:
        log = LocalLog(path)

    assert [line["event"] for line in said] == ["local_log_lost"]
    assert numbers(log) == list(range(1, int(first_refused)))
    assert gaps(log) == [("killed", int(held))] == [("killed", 10)]
    assert log.stored().calls == {"c1": {"stage": "waiting"}}
    log.close()
    again = LocalLog(path)
    assert gaps(again) == [("killed", 10)], "told once"
    again.close()


# --- a file that breaks or goes ---------------------------------------------------------------


async def test_a_log_that_is_removed_under_us_is_begun_anew_with_all_that_is_known(log, engine, url):
    log.save([fact(1)], calls={"c1": {"stage": "waiting"}}, floor={"lea": {"state": "free"}})
    log.path.unlink()
    log.save([fact(2)], calls={"c2": {"stage": "talking"}})
    with capture_logs() as said:
        log.look()
    log.save([fact(3)], calls={"c2": {"stage": "wrap"}})

    assert [line["event"] for line in said] == ["local_log_gone", "local_log_corrupt"]
    assert numbers(log) == [3]
    assert log.last == 3, "its numbers go on"
    async with shipping(log, engine) as shipper:
        assert await shipper.flush(10)
    log.close()
    again = LocalLog(log.path)
    assert again.stored().calls == {"c1": {"stage": "waiting"}, "c2": {"stage": "wrap"}}
    assert again.stored().floor == {"lea": {"state": "free"}}
    again.close()


def test_a_log_that_breaks_under_us_is_set_aside_and_no_call_loses_its_stage(log):
    for n in range(2000):
        log.save([fact(n, size=300)], calls={f"c{n % 7}": {"n": n}})
    log_file.checkpoint(log.path)
    size = log.path.stat().st_size
    with log.path.open("r+b") as file:
        file.seek(4096)
        file.write(os.urandom(size - 4096))
    log._db.execute("PRAGMA shrink_memory")
    with capture_logs() as said:
        for n in range(2000, 2400):
            log.save([fact(n, size=300)], calls={f"c{n % 7}": {"n": n}})
        drained(log)
    log.save([fact(2400)], calls={"c6": {"n": 2400}})

    assert [line["event"] for line in said] == [
        "local_log_refuses",
        "local_log_corrupt",
        "local_log_takes_again",
    ]
    assert numbers(log)[-1] == 2400
    expected = {f"c{n % 7}": {"n": n} for n in range(2401)}
    assert log.stored().calls == expected
    log.close()
    again = LocalLog(log.path)
    assert again.stored().calls == expected
    again.close()


async def test_a_log_that_only_its_reader_finds_broken_is_set_aside_and_shipping_goes_on(log, engine):
    for n in range(2000):
        log.save([fact(n, size=300)], calls={"c1": {"n": n}})
    log_file.checkpoint(log.path)
    with log.path.open("r+b") as file:
        file.seek(log.path.stat().st_size // 2 // 4096 * 4096)
        file.write(os.urandom(4096))
    log._db.execute("PRAGMA shrink_memory")
    async with shipping(log, engine) as shipper:
        assert not await shipper.flush(0.5)
        assert shipper.lag()[0] > 0
        with capture_logs() as said:
            log.look()
        log.save([fact(2000)])
        assert await shipper.flush(10)

    assert [line["event"] for line in said] == ["local_log_corrupt"]
    assert numbers(log) == [2000]
    assert log.stored().calls == {"c1": {"n": 1999}}


def test_a_broken_log_whose_folder_refuses_to_let_it_go_is_tried_again(log, monkeypatch):
    log.save([fact(1)], calls={"c1": {"stage": "waiting"}})
    set_aside, tries = log_file.set_aside, iter([OSError("Read-only file system")])

    def refusing(path: Path, why: str) -> None:
        for refusal in tries:
            raise refusal
        set_aside(path, why)

    monkeypatch.setattr(log_file, "set_aside", refusing)
    log.path.write_bytes(b"no database" * 1000)
    log._refused(sqlite3.DatabaseError("file is not a database"))
    log.look()
    log.save([fact(2)])
    assert log.refuses == "Read-only file system"
    drained(log)

    assert (log.refuses, log.held) == (None, 0)
    assert numbers(log) == [2]
    assert log.stored().calls == {"c1": {"stage": "waiting"}}


@pytest.mark.parametrize("where", ["_create", "_put"])
def test_a_new_log_that_a_full_disk_refuses_is_tried_again_and_litters_nothing(log, monkeypatch, where):
    log.save([fact(1)], calls={"c1": {"stage": "waiting"}})
    room = log_file if where == "_create" else journal_log
    wanted, tries = getattr(room, where), iter([sqlite3.OperationalError("database or disk is full")] * 3)

    def refusing(*arguments: object) -> None:
        for refusal in tries:
            raise refusal
        wanted(*arguments)

    monkeypatch.setattr(room, where, refusing)
    log._refused(sqlite3.DatabaseError("database disk image is malformed"))
    with capture_logs() as said:
        for _ in range(3):
            log.look()
            log.save([fact(2)])
        assert log.refuses == "database or disk is full"
        drained(log)

    assert [line["event"] for line in said] == ["local_log_corrupt", "local_log_takes_again"]
    assert [path.name for path in log.path.parent.glob("*.corrupt-?")] == ["log.sqlite.corrupt-1"]
    assert numbers(log) == [2, 2, 2]
    log.close()
    again = LocalLog(log.path)
    assert again.stored().calls == {"c1": {"stage": "waiting"}}
    again.close()


def test_where_no_new_log_can_be_begun_either_every_save_is_held_until_one_can(log):
    log.save([fact(1)], calls={"c1": {"stage": "waiting"}})
    folder = log.path.parent
    moved = folder.with_name("moved")
    folder.rename(moved)
    for n in range(2, 5):
        log.save([fact(n)])
        log.look()
    assert log.refuses is not None
    folder.mkdir()
    drained(log)

    assert log.refuses is None
    assert numbers(log)[-1] == 4
    log.close()
    again = LocalLog(log.path)
    assert again.stored().calls == {"c1": {"stage": "waiting"}}
    again.close()


# --- a log that grows --------------------------------------------------------------------------


def filled(log: LocalLog, start: int, kinds: tuple[str, ...], most: int = 100_000) -> int:
    """Save facts until the file stops growing; the next number."""
    n, before = start, -1
    while log.room.used != before and n < start + most:
        before = log.room.used
        for _ in range(400):
            log.save([fact(n, kinds[n % len(kinds)], size=300)], calls={"c1": {"n": n}})
            n += 1
        log.look()
    return n


def test_a_log_without_postgresql_stays_within_its_budget_and_keeps_coarse_facts_longest(tmp_path: Path):
    budget = 2_000_000
    log = LocalLog(tmp_path / "log.sqlite", size=budget)
    n = filled(log, 0, ("arrived", "offered", "ringing", "ended"))
    for _ in range(70):
        n = filled(log, n, ("arrived", "offered", "ringing", "ended"), 800)
    kept = [e.kind for _, e in log.read(0, 10**6)]

    # measured every 200 facts
    assert log.room.used <= budget * 1.05
    assert log.path.stat().st_size <= budget * 1.1
    assert not FINE & set(kept), "the fine facts made room"
    assert numbers(log)[:2000] == [x for x in range(4100) if x % 4 in (0, 3)][:2000], (
        "no coarse fact before the end"
    )
    assert log.stored().calls == {"c1": {"n": n - 1}}, "what calls need is always written"
    log.shipped(log.last)
    log.look()
    log.save([fact(n, "ringing")])
    log.look()
    told = sum(facts for why, facts in gaps(log) if why == "full")
    assert "ringing" in [e.kind for _, e in log.read(log.cursor, 10)], (
        "with room again, everything is written"
    )
    assert told > 0
    log.close()


def test_a_disk_that_is_nearly_full_drops_fine_facts_only_while_postgresql_is_far_behind(log):
    log.look(free=1_000_000)
    log.save([fact(1, "ringing")])
    assert numbers(log) == [1]
    log._db.execute("UPDATE sqlite_sequence SET seq = 20000")
    log.save([fact(2)])
    log.look(free=1_000_000)
    log.save([fact(3, "ringing"), fact(4, "ended")])

    assert numbers(log) == [2, 4], "the old one as well"
    log.look(free=10**12)
    assert gaps(log) == []
    log.look(free=10**12)
    assert gaps(log) == [("full", 2)]


def test_the_gap_counts_what_is_nowhere_and_is_told_once_a_minute(log, monkeypatch):
    fine = min(FINE)
    for _ in range(22):
        log.save([fact(n, fine) for n in range(1000)])
    log.shipped(2_000)
    log.save([Entry(1.0, fine, None, {})])
    for _ in range(30):
        log.look(free=1_000_000)
        log.save([Entry(9000.0, fine, None, {})])
    log.look(free=1_000_000)
    assert gaps(log) == [], "not every second"
    monkeypatch.setattr(budget, "_GAP_EVERY_S", 0.0)
    log.look(free=1_000_000)
    monkeypatch.undo()
    for _ in range(3):
        log.look(free=1_000_000)
        log.save([Entry(9000.0, fine, None, {})])

    (gap,) = [e for _, e in log.read(0, 10**6) if e.kind == "gap"]
    assert gap.fields == {"why": "full", "facts": 20_001 + 30, "since": 1.0, "until": 9000.0}
    assert [seq for seq, _ in log.read(0, 10**6)][:2000] == list(range(1, 2001)), "PostgreSQL has those"


async def test_a_log_that_was_thinned_to_nothing_is_shipped_to_its_end(log, engine):
    for n in range(20):
        log.save([fact(n, "ringing")])
    log._db.execute("DELETE FROM entries")
    async with shipping(log, engine) as shipper:
        assert await shipper.flush(10)
    assert log.backlog() == 0


def test_the_write_ahead_log_is_written_over_once_it_is_in_the_file(log):
    for n in range(1500):
        log.save([fact(n, size=1000)])
        if n % 100 == 0:
            log_file.checkpoint(log.path)
    assert log_file.written_ahead(log.path) < 3_000_000


def test_the_room_of_a_long_outage_is_given_back_while_the_log_is_in_use(log):
    for n in range(9000):
        log.save([fact(n, size=8000)])
    log.shipped(8990)
    log_file.checkpoint(log.path)
    assert log.path.stat().st_size > 64_000_000
    assert log_file.shrink(log.path) is True
    log.save([fact(9000)], calls={"c1": {}})

    assert log.path.stat().st_size + log_file.written_ahead(log.path) < 40_000_000
    assert log_file.shrink(log.path) is False
    assert numbers(log)[-1] == 9000
    assert log.last == 9001


# --- memory -------------------------------------------------------------------------------------

steps = st.lists(
    st.tuples(
        st.lists(st.sampled_from(["arrived", "ringing", "ended"]), max_size=4),
        st.dictionaries(st.sampled_from("abc"), st.none() | st.integers(0, 9).map(str), max_size=2),
    ),
    max_size=60,
)


@given(steps, st.integers(1, 20), st.integers(1, 10))
def test_whatever_is_given_up_the_state_is_that_of_the_last_step_and_every_fact_is_counted(said, most, bite):
    held, state, facts = Held(most), {}, 0
    for kinds, calls in said:
        held.add(Step([(1.0, kind, None, "{}") for kind in kinds], dict(calls)))
        state.update(calls)
        facts += len(kinds)
    written, seen = {}, 0
    while some := held.some(bite):
        for step in some:
            written.update(step.calls)
            seen += len(step.entries)
        held.written(some)

    assert written == state
    assert seen + held.lost.facts == facts
    assert (len(held), held.entries) == (0, 0)
