"""What stands in the local log, for whoever carries it on: facts in their order, each with its identity.

`log` writes; this only reads, but for facts that are set aside because PostgreSQL will never take them. Must not
know how or when they are carried on (`shipper`).
"""

from __future__ import annotations

import json
import sqlite3
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import structlog

from autocom.core.journal import Entry, Json

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Fact:
    """An entry with its identity: the uuid of the run that wrote it, and its number."""

    log: uuid.UUID
    seq: int
    entry: Entry


class Written:
    """The reading half of `log.LocalLog`, on its connection."""

    _db: sqlite3.Connection
    _last: int
    _shipped: int
    _broken: str  # what SQLite says, where it cannot read its file

    @property
    def last(self) -> int:
        """The number of the newest entry; 0 before the first."""
        return self._last

    @property
    def cursor(self) -> int:
        """The number of the newest entry that is in PostgreSQL."""
        return self._shipped

    def backlog(self) -> int:
        """Numbers not yet in PostgreSQL: the alarm value. Costs nothing."""
        return self._last - self._shipped

    def read(self, after: int, limit: int) -> list[tuple[int, Entry]]:
        """At most `limit` entries with numbers above `after`, in order."""
        return [(fact.seq, fact.entry) for fact in self.facts(after, limit)]

    def facts(self, after: int, limit: int) -> list[Fact]:
        """As `read`, with their identities. A damaged row is set aside, and those behind it are returned.

        Raises sqlite3.Error; where it is the file that cannot be read, the next `look` begins a new one."""
        question = "SELECT id, seq, at, kind, call, fields FROM entries JOIN runs USING (run) WHERE seq > ? ORDER BY seq LIMIT ?"
        while rows := self._ask(question, after, limit):
            found = [fact for row in rows if (fact := self._fact(*row)) is not None]
            if found:
                return found
            after = rows[-1][1]
        return []

    def _fact(self, run: str, seq: int, at: float, kind: str, call: str | None, fields: str) -> Fact | None:
        try:
            return Fact(uuid.UUID(run), seq, Entry(at, kind, call, cast("dict[str, Json]", loads(fields))))
        except ValueError as error:
            if self.refuse(seq, str(error)):
                _log.error("journal_fact_refused", seq=seq, kind=kind, why=str(error))
            return None

    def _ask(self, question: str, *values: object) -> Sequence[Any]:
        try:
            return self._db.execute(question, values).fetchall()
        except sqlite3.DatabaseError as error:
            if type(error) is sqlite3.DatabaseError:  # neither full nor locked: the file itself
                self._broken = str(error)
            raise

    def runs(self) -> list[tuple[uuid.UUID, int]]:
        """The runs whose entries are still here, newest first, each with its last number."""
        rows = self._ask(
            "SELECT id, max(seq) FROM entries JOIN runs USING (run) GROUP BY run ORDER BY run DESC"
        )
        return [(uuid.UUID(run), int(last)) for run, last in rows]

    def refuse(self, seq: int, why: str) -> bool:
        """Set an entry aside that PostgreSQL will never take, so that the others can pass; it stays
        in the file for a human. The cursor is not moved. False where it was set aside before."""
        done = self._db.execute(
            "INSERT OR IGNORE INTO refused SELECT seq, at, kind, call, fields, ? FROM entries WHERE seq = ?",
            (why, seq),
        )
        return done.rowcount > 0

    def refused(self) -> list[tuple[int, str]]:
        """Numbers and reasons of the entries set aside."""
        return list(self._db.execute("SELECT seq, why FROM refused ORDER BY seq"))


def loads(text: str) -> Json:
    """What `log` wrote as JSON."""
    return cast("Json", json.loads(text))
