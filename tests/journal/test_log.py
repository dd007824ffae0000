from __future__ import annotations

import sqlite3
import uuid
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from autocom.core.journal import Entry
from autocom.journal import log_file
from autocom.journal.log import LocalLog


def entries(*kinds: str) -> list[Entry]:
    return [Entry(1000.0 + n, kind, "c0abc", {"n": n}) for n, kind in enumerate(kinds)]


def reopened(log: LocalLog, **options: int) -> LocalLog:
    log.close()
    return LocalLog(log.path, **options)


def test_entries_come_back_in_the_order_of_writing(log):
    log.save(entries("arrived", "queued"))
    log.save(entries("ended"))

    assert [(seq, e.kind) for seq, e in log.read(0, 10)] == [(1, "arrived"), (2, "queued"), (3, "ended")]
    assert [seq for seq, _ in log.read(1, 1)] == [2]
    assert log.read(3, 10) == []


def test_an_entry_comes_back_as_it_was(log):
    entry = Entry(
        1764000000.123456, "identified", None, {"name": "Léa \ud800 \0", "list": [1, None, {"x": True}]}
    )
    log.save([entry])

    assert log.read(0, 1) == [(1, entry)]


def test_open_calls_and_the_floor_are_what_the_last_process_said(log):
    log.save(calls={"c1": {"stage": "waiting"}, "c2": {}}, floor={"lea": {"state": "free"}})
    log.save(calls={"c1": None, "c2": {"stage": "talking"}}, floor={"lea": {"state": "ringing"}})
    again = reopened(log)

    assert again.stored().calls == {"c2": {"stage": "talking"}}
    assert again.stored().floor == {"lea": {"state": "ringing"}}
    again.close()


def test_a_save_is_all_or_nothing(log):
    with pytest.raises(TypeError):
        log.save(entries("arrived"), calls={"c1": {"bad": object()}})  # type: ignore[dict-item]

    assert log.read(0, 10) == []
    assert log.stored().calls == {}


@pytest.mark.parametrize(
    "bad",
    [
        Entry(float("nan"), "arrived"),
        Entry(float("inf"), "arrived"),
        Entry(1.0, "\ud800"),
        Entry(1.0, "x", "\udfff"),
    ],
)
def test_an_entry_that_no_disk_can_take_is_refused_at_once_and_blocks_nothing(log, bad):
    with pytest.raises(ValueError):
        log.save([bad])
    log.save(entries("arrived"))

    assert log.held == 0
    assert [e.kind for _, e in log.read(0, 10)] == ["arrived"]


def test_the_cursor_and_the_numbers_survive_a_restart(log):
    log.save(entries("arrived", "queued", "ended"))
    log.shipped(2)
    again = reopened(log)

    assert (again.cursor, again.last, again.backlog()) == (2, 3, 1)
    again.save(entries("arrived"))
    assert again.last == 4
    again.close()


def test_numbers_go_on_after_everything_was_trimmed(tmp_path: Path):
    log = LocalLog(tmp_path / "log.sqlite", keep_shipped=0)
    log.save(entries("arrived", "queued"))
    log.shipped(2)
    again = reopened(log, keep_shipped=0)
    again.save(entries("ended"))

    assert [seq for seq, _ in again.read(0, 10)] == [3]
    again.close()


def test_shipped_entries_are_forgotten_but_for_the_last_few(tmp_path: Path):
    log = LocalLog(tmp_path / "log.sqlite", keep_shipped=2)
    log.save(entries("arrived", "queued", "bridged", "talk_ended", "ended"))
    log.shipped(4)

    assert [seq for seq, _ in log.read(0, 10)] == [3, 4, 5]
    log.close()


def test_every_opening_writes_under_an_identity_of_its_own(log):
    log.save(entries("arrived"))
    first = log.run
    again = reopened(log)
    again.save(entries("queued"))

    assert [(f.log, f.seq) for f in again.facts(0, 10)] == [(first, 1), (again.run, 2)]
    assert again.runs() == [(again.run, 2), (first, 1)]
    again.close()


def test_a_power_cut_that_takes_the_last_entries_cannot_give_their_identity_to_others(log, tmp_path: Path):
    log.save(entries("arrived"))
    log.close()
    before = log.path.read_bytes()
    lost = LocalLog(log.path)
    lost.save(entries("queued"))
    identity = {(f.log, f.seq) for f in lost.facts(1, 10)}
    lost.close()
    log.path.write_bytes(before)  # as the disk was before the last entry reached it

    after = LocalLog(log.path)
    after.save(entries("bridged"))
    assert [f.seq for f in after.facts(1, 10)] == [2]
    assert identity.isdisjoint({(f.log, f.seq) for f in after.facts(0, 10)})
    after.close()


@pytest.mark.parametrize("damage", ["not a database" * 1000, "zeroed pages"])
def test_a_corrupt_file_is_moved_aside_loudly_and_a_new_one_begun(log, damage):
    log.save(entries(*["arrived"] * 500))
    log.close()
    if damage == "zeroed pages":
        content = bytearray(log.path.read_bytes())
        content[4096 : 4096 * 6] = bytes(4096 * 5)
        log.path.write_bytes(content)
    else:
        log.path.write_text(damage)
    broken = log.path.read_bytes()

    with capture_logs() as said:
        fresh = LocalLog(log.path)
    fresh.save(entries("arrived"))

    assert fresh.last > 500, "its numbers come after those of the broken one, whatever they were"
    assert (fresh.backlog(), len(fresh.read(0, 10))) == (1, 1)
    assert [(line["event"], line["log_level"]) for line in said] == [("local_log_corrupt", "critical")]
    assert Path(said[0]["moved_to"]).read_bytes() == broken
    fresh.close()


def test_two_corrupt_files_in_a_row_are_both_kept(log):
    log.close()
    for content in ("first" * 300, "second" * 300):
        log.path.write_text(content)
        LocalLog(log.path).close()

    kept = sorted(p.read_text()[:5] for p in log.path.parent.glob("log.sqlite.corrupt-*"))
    assert kept == ["first", "secon"]


def test_a_log_of_a_newer_version_is_left_alone(log):
    log.close()
    with sqlite3.connect(log.path) as db:
        db.execute("PRAGMA user_version = 99")
    db.close()

    with pytest.raises(ValueError, match="another version"):
        LocalLog(log.path)
    assert not list(log.path.parent.glob("*.corrupt-*"))


def test_a_full_disk_never_raises_into_a_call_and_what_was_held_is_written_when_there_is_room(log):
    # SQLite's own limit on the size of the file gives the very error of a full disk
    room = log._db.execute("PRAGMA page_count").fetchone()[0]
    log._db.execute(f"PRAGMA max_page_count = {room}")
    with capture_logs() as said:
        log.save([Entry(1.0, "arrived", "c1", {"long": "x" * 40_000})], calls={"c1": {"stage": "waiting"}})
        log.save([Entry(2.0, "queued", "c1", {"long": "x" * 40_000})], calls={"c1": {"stage": "talking"}})
    assert log.held == 2
    assert log.backlog() == 0
    assert [line["event"] for line in said] == ["local_log_refuses"]

    log._db.execute("PRAGMA max_page_count = 1000000")
    log.save(entries("ended"))
    log.look()

    assert log.held == 0
    assert [e.kind for _, e in log.read(0, 10)] == ["arrived", "queued", "ended"]
    assert log.stored().calls == {"c1": {"stage": "talking"}}


def test_rows_of_a_prefix_are_those_of_the_last_save_also_where_the_disk_refused_it(log):
    log.save(floor={"mail:1": {"n": 1}, "mail:2": {"n": 2}, "mailbox": {}, "post:lea": {}})
    assert log.rows("mail:") == {"mail:1": {"n": 1}, "mail:2": {"n": 2}}
    room = log._db.execute("PRAGMA page_count").fetchone()[0]
    log._db.execute(f"PRAGMA max_page_count = {room}")
    log.save(
        [Entry(1.0, "mail_sent", None, {"long": "x" * 40_000})], floor={"mail:1": None, "mail:3": {"n": 3}}
    )

    assert log.held == 1
    assert log.rows("mail:") == {"mail:2": {"n": 2}, "mail:3": {"n": 3}}


def test_listeners_hear_of_every_save_that_reached_the_disk(log):
    heard: list[int] = []
    log.on_saved(lambda: heard.append(log.last))
    log.save(entries("arrived"))
    log._db.execute("PRAGMA max_page_count = 1")
    log.save([Entry(1.0, "queued", "c1", {"long": "x" * 100_000})])

    assert heard == [1]


def test_saving_to_a_closed_log_is_an_error(log):
    log.close()

    with pytest.raises(sqlite3.ProgrammingError):
        log.save(entries("arrived"))


def test_an_entry_set_aside_stays_for_a_human_with_its_reason(log):
    log.save(entries("arrived", "queued"))
    log.refuse(2, "DataError: no")
    log.shipped(2)

    assert log.refused() == [(2, "DataError: no")]


def test_a_checkpoint_moves_the_entries_into_the_file_while_the_log_is_in_use(log):
    log.save(entries(*["arrived"] * 2000))
    before = log.path.stat().st_size
    log_file.checkpoint(log.path)
    log.save(entries("ended"))

    assert log.path.stat().st_size > before
    assert log.last == 2001


def test_the_file_is_the_owners_alone(log):
    assert log.path.stat().st_mode & 0o077 == 0


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(), json_values, max_size=4))
def test_whatever_json_a_fact_carries_comes_back(tmp_path_factory, fields):
    log = LocalLog(tmp_path_factory.mktemp("any") / f"{uuid.uuid4().hex}.sqlite")
    log.save([Entry(1.0, "step", "c1", fields)], floor={"x": fields})

    assert log.read(0, 1)[0][1].fields == fields
    assert log.stored().floor == {"x": fields}
    log.close()
