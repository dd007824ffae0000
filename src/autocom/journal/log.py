"""The local log: one SQLite file that takes every fact before it has an effect.

It keeps entries in the order of writing, each with a number; together with the uuid of the run
that wrote it (one opening of the file) that number is the identity of the fact everywhere. The
uuid is renewed at every opening because a power cut may take the last entries of a file, though
PostgreSQL has them already: the numbers come again, the identities must not. Beside the entries
stands what is known of open calls and of the floor: one transaction is one consistent step.
Must not know about PostgreSQL: `shipper` reads entries from here and moves the cursor.
Invariants: a `save` that returned survives kill -9 (WAL mode, synchronous=NORMAL; a power cut
may take the last moments, never the consistency); a full disk never raises into a call.
"""

from __future__ import annotations

import json
import math
import os
import sqlite3
import uuid
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import structlog

from autocom.calls.ports import Stored
from autocom.core.journal import Entry, Json
from autocom.journal.log_file import connect, open_log, transaction

_log = structlog.get_logger()

KEEP_SHIPPED = 2_000
"""How many shipped entries stay in the file: enough for a PostgreSQL that lost its last moments
(a failover to a standby that was behind), little enough that the file stays small."""

_HELD_LIMIT = 100_000
_INSERT = "INSERT INTO entries (run, at, kind, call, fields) VALUES (?, ?, ?, ?, ?)"


@dataclass(frozen=True, slots=True)
class Fact:
    """An entry with its identity: the uuid of the run that wrote it, and its number."""

    log: uuid.UUID
    seq: int
    entry: Entry


@dataclass(frozen=True, slots=True)
class _Step:
    """One `save`, ready for SQLite."""

    entries: list[tuple[float, str, str | None, str]]
    calls: list[tuple[str, str | None]]
    floor: list[tuple[str, str | None]]


class LocalLog:
    """The port `Journal` on a SQLite file. One thread (the loop's) uses it; it owns its connection.

    A file that SQLite cannot read is moved aside (`….corrupt-<time>`) and a new one begun, loudly:
    what was not shipped yet is in the moved file. While the disk refuses writes, steps are held in
    memory (`held`) and written with the next `save` that works."""

    def __init__(self, path: Path, *, keep_shipped: int = KEEP_SHIPPED) -> None:
        self.path = path
        self._keep = keep_shipped
        self._db = open_log(path)
        self.run = uuid.UUID(bytes=os.urandom(16), version=4)
        with transaction(self._db):
            self._db.execute("DELETE FROM runs WHERE run NOT IN (SELECT run FROM entries)")
            added = self._db.execute("INSERT INTO runs (id) VALUES (?)", (str(self.run),))
        self._run = cast("int", added.lastrowid)
        self._shipped = int(_one(self._db, "SELECT shipped FROM log"))
        # AUTOINCREMENT keeps the highest number ever given, also after its entry was trimmed
        self._last = int(
            _one(self._db, "SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'entries'")
        )
        self._held: deque[_Step] = deque(maxlen=_HELD_LIMIT)
        self._listeners: list[Callable[[], None]] = []

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
        self._held.append(_step(entries, calls, floor))
        try:
            self._write()
        except sqlite3.ProgrammingError:  # closed, or another thread: a bug, not the disk
            self._held.pop()
            raise
        except sqlite3.Error as error:
            if len(self._held) == 1:
                _log.critical("local_log_refuses", path=str(self.path), error=str(error))
            return
        for wake in self._listeners:
            wake()

    def stored(self) -> Stored:
        """Open calls and floor values, as the last process left them."""
        calls = {key: _loads(value) for key, value in self._db.execute("SELECT id, value FROM calls")}
        floor = {key: _loads(value) for key, value in self._db.execute("SELECT key, value FROM floor")}
        return Stored(calls=calls, floor=floor)

    def rows(self, prefix: str) -> dict[str, Json]:
        """The floor's values whose keys begin so, as of the last `save`, also where the disk refused it:
        who acts on a row and deletes it must never meet it again."""
        after = prefix[:-1] + chr(ord(prefix[-1]) + 1)
        found: dict[str, str | None] = dict(
            self._db.execute("SELECT key, value FROM floor WHERE key >= ? AND key < ?", (prefix, after))
        )
        for step in self._held:
            found.update((key, value) for key, value in step.floor if key.startswith(prefix))
        return {key: _loads(value) for key, value in found.items() if value is not None}

    def read(self, after: int, limit: int) -> list[tuple[int, Entry]]:
        """At most `limit` entries with numbers above `after`, in order."""
        return [(fact.seq, fact.entry) for fact in self.facts(after, limit)]

    def facts(self, after: int, limit: int) -> list[Fact]:
        """As `read`, with their identities."""
        rows = self._db.execute(
            "SELECT id, seq, at, kind, call, fields FROM entries JOIN runs USING (run) WHERE seq > ? ORDER BY seq LIMIT ?",
            (after, limit),
        )
        return [
            Fact(uuid.UUID(run), seq, Entry(at, kind, call, cast("dict[str, Json]", _loads(fields))))
            for run, seq, at, kind, call, fields in rows
        ]

    def runs(self) -> list[tuple[uuid.UUID, int]]:
        """The runs whose entries are still here, newest first, each with its last number."""
        rows = self._db.execute(
            "SELECT id, max(seq) FROM entries JOIN runs USING (run) GROUP BY run ORDER BY run DESC"
        )
        return [(uuid.UUID(run), int(last)) for run, last in rows]

    def shipped(self, upto: int) -> None:
        """Everything up to this number is in PostgreSQL. Moving back is allowed (it lost the rest);
        shipped entries beyond the last few are forgotten. Raises sqlite3.Error if the disk refuses."""
        with transaction(self._db):
            self._db.execute("UPDATE log SET shipped = ?", (upto,))
            self._db.execute("DELETE FROM entries WHERE seq <= ?", (upto - self._keep,))
        self._shipped = upto

    def refuse(self, seq: int, why: str) -> None:
        """Set an entry aside that PostgreSQL will never take, so that the others can pass; it stays
        in the file for a human. The cursor is not moved."""
        self._db.execute(
            "INSERT OR REPLACE INTO refused SELECT seq, at, kind, call, fields, ? FROM entries WHERE seq = ?",
            (why, seq),
        )

    def refused(self) -> list[tuple[int, str]]:
        """Numbers and reasons of the entries set aside."""
        return list(self._db.execute("SELECT seq, why FROM refused ORDER BY seq"))

    def on_saved(self, wake: Callable[[], None]) -> None:
        """Call `wake` after every save that reached the disk."""
        self._listeners.append(wake)

    @property
    def last(self) -> int:
        """The number of the newest entry; 0 before the first."""
        return self._last

    @property
    def cursor(self) -> int:
        """The number of the newest entry that is in PostgreSQL."""
        return self._shipped

    def backlog(self) -> int:
        """Entries not yet in PostgreSQL: the alarm value. Costs nothing."""
        return self._last - self._shipped

    @property
    def held(self) -> int:
        """Steps that wait in memory because the disk refuses them: 0 in health."""
        return len(self._held)

    def checkpoint(self) -> None:
        """Move the write-ahead log into the file (an fsync: run it in a thread, never on the loop).

        Opens its own connection: PASSIVE, so that no `save` ever waits for it."""
        with closing(connect(self.path)) as db:
            db.execute("PRAGMA wal_checkpoint(PASSIVE)")

    def close(self) -> None:
        """Give the file back. Saves after this raise."""
        self._db.close()

    def _write(self) -> None:
        last = self._last
        with transaction(self._db):
            for step in self._held:
                for row in step.entries:
                    added = self._db.execute(_INSERT, (self._run, *row))
                    last = cast("int", added.lastrowid)
                _put(self._db, "calls", "id", step.calls)
                _put(self._db, "floor", "key", step.floor)
        self._last = last
        if len(self._held) > 1:
            _log.warning("local_log_takes_again", path=str(self.path), steps=len(self._held))
        self._held.clear()


def _put(db: sqlite3.Connection, table: str, key: str, rows: list[tuple[str, str | None]]) -> None:
    for name, value in rows:
        if value is None:
            db.execute(f"DELETE FROM {table} WHERE {key} = ?", (name,))  # noqa: S608 - our own two names
        else:
            db.execute(f"INSERT OR REPLACE INTO {table} VALUES (?, ?)", (name, value))  # noqa: S608


def _one(db: sqlite3.Connection, question: str) -> str:
    return str(db.execute(question).fetchone()[0])


def _step(
    entries: Sequence[Entry], calls: Mapping[str, Json] | None, floor: Mapping[str, Json] | None
) -> _Step:
    for entry in entries:
        if not math.isfinite(entry.at):
            raise ValueError(f"{entry.kind}: {entry.at} is no instant")
    rows = [(float(e.at), _word(e.kind), e.call and _word(e.call), _dumps(dict(e.fields))) for e in entries]
    return _Step(rows, _rows(calls), _rows(floor))


def _rows(values: Mapping[str, Json] | None) -> list[tuple[str, str | None]]:
    return [(_word(key), None if value is None else _dumps(value)) for key, value in (values or {}).items()]


def _word(text: str) -> str:
    text.encode()  # SQLite takes valid UTF-8 only: fail now, not at every later save
    return text


def _dumps(value: Json) -> str:
    # ASCII escapes: a display name with a lone surrogate is no valid UTF-8, yet must be stored
    return json.dumps(value, separators=(",", ":"))


def _loads(text: str) -> Json:
    return cast("Json", json.loads(text))
