"""How full the local log's file is, and what is given up where there is no room: fine facts first.

Near its budget, or on a disk that is nearly full while PostgreSQL is far behind, fine facts (`core.thinning`) are not
written, and old ones are forgotten; at the budget no fact is written at all. What was given up is counted. Must not
know calls, nor who writes. Invariant: what is known of calls and of the floor is never given up.
"""

from __future__ import annotations

import sqlite3
import time
from dataclasses import dataclass, field

from autocom.core.thinning import FINE
from autocom.journal import log_file
from autocom.journal.held import Lost, Row, Step
from autocom.journal.log_file import transaction

SIZE = 1_000_000_000
"""Bytes that the file may hold: some two million facts, which is 150,000 calls or weeks without PostgreSQL."""

THIN_FROM = 0.9
ROOM_FOR_ALL, MUCH_BEHIND = 64_000_000, 10_000
"""Bytes free on the disk, below which fine facts are not written while so many facts are not in PostgreSQL."""

_MEASURE_EVERY = 200
_THIN_AT_ONCE = 2_000
_GAP_EVERY_S = 60.0


@dataclass(slots=True)
class Budget:
    """One per log. `size`: bytes that its file may hold; `used`: that hold something, as of the last measuring."""

    size: int = SIZE
    used: int = 0
    is_tight: bool = False  # fine facts are given up
    _lost: Lost = field(default_factory=Lost)
    _thinned_upto: int = 0
    _unmeasured: int = 0
    _told: float = field(default_factory=time.monotonic)  # when there was nothing left to tell

    def begin(self, db: sqlite3.Connection) -> None:
        """The file was opened."""
        found = db.execute("SELECT coalesce(min(seq), 1) - 1 FROM entries").fetchone()
        self._thinned_upto = int(found[0])
        self.measure(db, 0)

    def cut(self, step: Step) -> None:
        """Take out of a step what there is no room for."""
        if self.is_tight:
            self._lost.add(step.lighter())
        if self.used >= self.size:
            self._lost.add(step.entries)
            step.entries = []

    def wrote(self, db: sqlite3.Connection, entries: int, backlog: int) -> None:
        """So many entries more."""
        self._unmeasured += entries
        if self._unmeasured >= _MEASURE_EVERY:
            self.measure(db, backlog)

    def measure(self, db: sqlite3.Connection, backlog: int, free: int | None = None) -> None:
        """Look how much there is. `backlog`: facts not yet in PostgreSQL; `free`: bytes free on the disk."""
        self._unmeasured = 0
        self.used = log_file.used(db)
        # a disk that is nearly full is no reason as long as PostgreSQL takes everything: the file does not grow
        squeezed = free is not None and free < ROOM_FOR_ALL and backlog > MUCH_BEHIND
        self.is_tight = squeezed or self.used >= self.size * THIN_FROM

    def thin_out(self, db: sqlite3.Connection, shipped: int, last: int) -> None:
        """Forget the next old fine facts that are nowhere else: the room is for coarse ones. A few at a time, since calls
        wait meanwhile."""
        first = max(self._thinned_upto, shipped) + 1
        self._thinned_upto = min(first + _THIN_AT_ONCE, last)
        kinds = ",".join("?" * len(FINE))
        with transaction(db):
            gone: list[Row] = db.execute(
                f"DELETE FROM entries WHERE seq BETWEEN ? AND ? AND kind IN ({kinds}) RETURNING at, kind, call, fields",  # noqa: S608 - question marks
                (first, self._thinned_upto, *FINE),
            ).fetchall()
        self._lost.add(gone)

    def lost(self) -> Lost | None:
        """What was given up, once it is over or has lasted a while: to be written down now."""
        lost, now = self._lost, time.monotonic()
        if lost.facts and self.is_tight and now - self._told < _GAP_EVERY_S:
            return None
        self._told, self._lost = now, Lost()
        return lost if lost.facts else None
