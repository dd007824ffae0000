"""The local log: one SQLite file that takes every fact before it has an effect.

It keeps entries in the order of writing, each with a number; together with the uuid of the run
that wrote it (one opening of the file) that number is the identity of the fact everywhere. The
uuid is renewed at every opening because a power cut may take the last entries of a file, though
PostgreSQL has them already: the numbers come again, the identities must not. Beside the entries
stands what is known of open calls and of the floor: one transaction is one consistent step.
Must not know about PostgreSQL: `shipper` reads entries from here and moves the cursor.
Invariants: a `save` that returned survives kill -9 (WAL mode, synchronous=NORMAL; a power cut
may take the last moments, never the consistency); no disk ever raises into a call (`held`); the
file stays within its budget (`budget`), and what was not written for that is counted (`gap`).
"""

from __future__ import annotations

import json
import math
import os
import sqlite3
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import cast

import structlog

from autocom.calls.ports import Stored
from autocom.core.journal import Entry, Json
from autocom.journal import log_file
from autocom.journal.budget import SIZE, Budget
from autocom.journal.held import Held, Lost, Step
from autocom.journal.log_file import open_log, transaction
from autocom.journal.mark import Mark
from autocom.journal.written import Written, loads

_log = structlog.get_logger()

KEEP_SHIPPED = 2_000
"""How many shipped entries stay in the file: enough for a PostgreSQL that lost its last moments
(a failover to a standby that was behind), little enough that the file stays small."""

HELD_MOST = 100_000
"""Entries that memory keeps while the disk refuses them: some 50 MB."""

_AT_ONCE = 500  # entries in one transaction of those that waited: 5 ms of the loop
_AGAIN_S = 1.0
_INSERT = "INSERT INTO entries (run, at, kind, call, fields) VALUES (?, ?, ?, ?, ?)"


class LocalLog(Written):
    """The port `Journal` on a SQLite file. One thread (the loop's) uses it; it owns its connection.

    A file that SQLite cannot read is moved aside (`….corrupt-<n>`) and a new one begun, loudly: what was not
    shipped yet is in the moved file. While the disk refuses writes, steps are held in memory (`held`) and
    written when it takes them again. `look` wants to be called every second or so."""

    def __init__(
        self, path: Path, *, keep_shipped: int = KEEP_SHIPPED, size: int = SIZE, held: int = HELD_MOST
    ) -> None:
        self.path, self.room = path, Budget(size)
        self._keep = keep_shipped
        self._db = open_log(path, time.time_ns() // 1_000_000)
        self._mark = Mark(path.with_name(f"{path.name}-held"))
        self._held = Held(held)
        self.refuses: str | None = None  # what the disk says, while it does
        self._again = 0.0  # when a save tries it next, by the monotonic clock
        self._broken = ""
        self._listeners: list[Callable[[], None]] = []
        self._shipped = int(_one(self._db, "SELECT shipped FROM log"))
        self._calls: dict[str, str] = dict(self._db.execute("SELECT id, value FROM calls"))
        self._floor: dict[str, str] = dict(self._db.execute("SELECT key, value FROM floor"))
        self._begin_run()
        if (lost := self._mark.found) is not None:
            _log.critical("local_log_lost", facts=lost.facts, since=lost.since)
            self._held.add(_gap("killed", Lost(lost.facts, lost.since, lost.since)))
        self._try()
        if self.refuses is None:
            self._mark.set(0, 0.0)

    def _begin_run(self) -> None:
        self.run = uuid.UUID(bytes=os.urandom(16), version=4)
        self._run: int | None = None
        self._inode = _inode(self.path)
        # AUTOINCREMENT keeps the highest number ever given, also after its entry was trimmed
        self._last = int(
            _one(self._db, "SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'entries'")
        )
        self.room.begin(self._db)
        # from here on the loop waits for nobody: what a lock keeps out is held
        self._db.execute(f"PRAGMA busy_timeout={log_file.BUSY_MS}")

    def save(
        self,
        entries: Sequence[Entry] = (),
        *,
        calls: Mapping[str, Json] | None = None,
        floor: Mapping[str, Json] | None = None,
    ) -> None:
        """One transaction: append `entries`, set calls and floor values (None deletes the key).

        Never raises because of the disk: see `held`. Raises TypeError or ValueError, and saves nothing, for a
        value that is no JSON or no instant: it would stand in the way of every later step."""
        step = _step(entries, calls, floor)
        self.room.cut(step)
        self._held.add(step)
        if self.refuses is None or time.monotonic() >= self._again:
            try:
                self._try()
            except sqlite3.ProgrammingError:  # closed, or another thread: a bug, not the disk
                self._held.take_back()
                raise
        if self.refuses is not None:
            self._mark.set(*self._held.unwritten())
        _apply(self._calls, step.calls)
        _apply(self._floor, step.floor)

    def stored(self) -> Stored:
        """Open calls and floor values, as the last process left them."""
        calls = {key: loads(value) for key, value in self._calls.items()}
        return Stored(calls=calls, floor={key: loads(value) for key, value in self._floor.items()})

    def rows(self, prefix: str) -> dict[str, Json]:
        """The floor's values whose keys begin so, as of the last `save`, also where the disk refused it:
        who acts on a row and deletes it must never meet it again."""
        return {key: loads(value) for key, value in self._floor.items() if key.startswith(prefix)}

    def shipped(self, upto: int) -> None:
        """Everything up to this number is in PostgreSQL. Moving back is allowed (it lost the rest); shipped
        entries beyond the last few are forgotten. Where the disk refuses to note it, PostgreSQL is asked at the
        next start."""
        self._shipped = upto
        try:
            with transaction(self._db):
                self._db.execute("UPDATE log SET shipped = ?", (upto,))
                self._db.execute("DELETE FROM entries WHERE seq <= ?", (upto - self._keep,))
        except sqlite3.ProgrammingError:
            raise
        except sqlite3.Error as error:
            self._refused(error)

    def on_saved(self, wake: Callable[[], None]) -> None:
        """Call `wake` after every save that reached the disk."""
        self._listeners.append(wake)

    @property
    def held(self) -> int:
        """Steps that wait in memory because the disk refuses them: 0 in health."""
        return len(self._held)

    def look(self, free: int | None = None) -> bool:
        """Do what is due: write what was held, begin anew where the file is broken or gone, measure, thin out a log
        that is nearly full. `free`: bytes free on its disk. Whether there is more to do at once."""
        try:
            if self._broken or _inode(self.path) != self._inode:
                self._begin_anew()
            self._try()
            self.room.measure(self._db, self.backlog(), free)
            if self.room.is_tight and self.refuses is None:
                self.room.thin_out(self._db, self._shipped, self._last)
        except sqlite3.ProgrammingError:
            raise
        except (sqlite3.Error, OSError) as error:
            self._refused(error)
        if (lost := self.room.lost()) is not None:
            self._held.add(_gap("full", lost))
        return len(self._held) > 0 and self._again == 0.0

    def close(self) -> None:
        """Give the file back. Saves after this raise."""
        self._mark.close()
        self._db.close()

    # --- writing ---

    def _try(self) -> None:
        """Write what is held, the oldest first, as much as one transaction should hold: nobody waits for all of it."""
        steps = self._held.some(_AT_ONCE)
        if not steps and self.refuses is None:
            return
        try:
            self._write(steps)
        except sqlite3.ProgrammingError:
            raise
        except sqlite3.Error as error:
            self._refused(error)
            return
        self._held.written(steps)
        self._again = 0.0
        if self.refuses is not None and not self._held:
            self._takes_again()
        elif self._held and self.refuses is None:
            self._try()  # a gap that came before it: whoever saves in health has it on disk when he goes on
        for wake in self._listeners:
            wake()

    def _takes_again(self) -> None:
        _log.warning("local_log_takes_again", path=str(self.path))
        self.refuses = None
        self._mark.set(0, 0.0)
        if self._held.lost.facts:
            lost, self._held.lost = self._held.lost, Lost()
            self._held.add(_gap("refused", lost))
            self._try()

    def _write(self, steps: list[Step]) -> None:
        last, added = self._last, 0
        with transaction(self._db):
            if self.refuses is not None:  # it may have refused that as well
                self._db.execute("UPDATE log SET shipped = ?", (self._shipped,))
            if self._run is None:
                self._db.execute("DELETE FROM runs WHERE run NOT IN (SELECT run FROM entries)")
                run = self._db.execute("INSERT INTO runs (id) VALUES (?)", (str(self.run),)).lastrowid
            else:
                run = self._run
            for step in steps:
                for row in step.entries:
                    last = cast("int", self._db.execute(_INSERT, (run, *row)).lastrowid)
                added += len(step.entries)
                _put(self._db, "calls", "id", step.calls)
                _put(self._db, "floor", "key", step.floor)
        self._last, self._run = last, run
        self.room.wrote(self._db, added, self.backlog())

    def _refused(self, error: Exception) -> None:
        self._again = time.monotonic() + _AGAIN_S
        if type(error) is sqlite3.DatabaseError:  # neither full nor locked: the file itself
            self._broken = str(error)
        if self.refuses is None:
            _log.critical("local_log_refuses", path=str(self.path), error=str(error))
        self.refuses = str(error)

    def _begin_anew(self) -> None:
        """The file is broken, or not there any more: go on in a new one, with all that is known of calls and floor.
        What fails here is tried again at the next look: `_broken` says so until the end."""
        if not self._broken:
            self._broken = "it is gone"
            _log.critical("local_log_gone", path=str(self.path))
        self._db.close()
        self._db = log_file.nowhere()  # where no new one can be begun either, every save is held
        log_file.set_aside(self.path, self._broken)
        with log_file.renewed(self.path, self._last) as db, transaction(db):
            _put(db, "calls", "id", self._calls)
            _put(db, "floor", "key", self._floor)
        self._db = db
        self._begin_run()
        self._shipped, self._broken = self._last, ""


def _gap(why: str, lost: Lost) -> Step:
    fields: dict[str, Json] = {"why": why, "facts": lost.facts, "since": lost.since, "until": lost.until}
    return _step([Entry(lost.until, "gap", None, fields)], None, None)


def _inode(path: Path) -> int | None:
    try:
        return path.stat().st_ino
    except OSError:
        return None


def _apply(known: dict[str, str], said: Mapping[str, str | None]) -> None:
    for key, value in said.items():
        if value is None:
            known.pop(key, None)
        else:
            known[key] = value


def _put(db: sqlite3.Connection, table: str, key: str, rows: Mapping[str, str | None]) -> None:
    for name, value in rows.items():
        if value is None:
            db.execute(f"DELETE FROM {table} WHERE {key} = ?", (name,))  # noqa: S608 - our own two names
        else:
            db.execute(f"INSERT OR REPLACE INTO {table} VALUES (?, ?)", (name, value))  # noqa: S608


def _one(db: sqlite3.Connection, question: str) -> str:
    return str(db.execute(question).fetchone()[0])


def _step(
    entries: Sequence[Entry], calls: Mapping[str, Json] | None, floor: Mapping[str, Json] | None
) -> Step:
    for entry in entries:
        if not math.isfinite(entry.at):
            raise ValueError(f"{entry.kind}: {entry.at} is no instant")
    rows = [(float(e.at), _word(e.kind), e.call and _word(e.call), _dumps(dict(e.fields))) for e in entries]
    return Step(rows, _rows(calls), _rows(floor))


def _rows(values: Mapping[str, Json] | None) -> dict[str, str | None]:
    return {_word(key): None if value is None else _dumps(value) for key, value in (values or {}).items()}


def _word(text: str) -> str:
    text.encode()  # SQLite takes valid UTF-8 only: fail now, not at every later save
    return text


def _dumps(value: Json) -> str:
    # ASCII escapes: a display name with a lone surrogate is no valid UTF-8, yet must be stored
    return json.dumps(value, separators=(",", ":"))
