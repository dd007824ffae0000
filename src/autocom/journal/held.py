"""Steps that the disk refuses: they wait in memory, in their order, until it takes them.

A step is one `save`: entries, and what is known of calls and of the floor from then on. Memory is bounded: beyond
`most` entries the oldest step gives its entries up (they are counted), while what it said of calls and floor is
folded into what is written first, so that nothing that goes on is forgotten. Must not know SQLite, nor why the
disk refuses. Invariant: what `some` returns, written in its order, leads to the state of the last step.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from autocom.core.thinning import FINE

Row = tuple[float, str, str | None, str]
"""An entry ready for SQLite: at, kind, call, fields as JSON."""


@dataclass(slots=True)
class Step:
    """One `save`, ready for SQLite; None deletes a key."""

    entries: list[Row]
    calls: dict[str, str | None] = field(default_factory=dict)
    floor: dict[str, str | None] = field(default_factory=dict)

    def lighter(self) -> list[Row]:
        """Give up what is fine; the entries that were given up."""
        gone = [row for row in self.entries if row[1] in FINE]
        if gone:
            self.entries = [row for row in self.entries if row[1] not in FINE]
        return gone


@dataclass(slots=True)
class Lost:
    """Entries that are written nowhere: how many, and the instants of the first and the last (UTC epoch seconds)."""

    facts: int = 0
    since: float = 0.0
    until: float = 0.0

    def add(self, rows: list[Row]) -> None:
        """These as well."""
        if rows:
            # not as they were given up: new ones are left out while old ones are thinned out
            instants = [row[0] for row in rows] + ([self.since, self.until] if self.facts else [])
            self.since, self.until = min(instants), max(instants)
            self.facts += len(rows)


class Held:
    """The steps that wait, oldest first. `most`: entries that memory keeps; fine ones are given up from nine tenths
    on. `lost`: what was given up."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._steps: deque[Step] = deque()
        self._entries = 0
        self._folded = Step([])
        self.lost = Lost()

    def __len__(self) -> int:
        return len(self._steps)

    @property
    def entries(self) -> int:
        """How many entries wait."""
        return self._entries

    def add(self, step: Step) -> None:
        """Behind all others."""
        if self._entries >= self._most * 9 // 10:
            self.lost.add(step.lighter())
        self._steps.append(step)
        self._entries += len(step.entries)
        while self._entries > self._most and len(self._steps) > 1:
            oldest = self._steps.popleft()
            self._entries -= len(oldest.entries)
            self.lost.add(oldest.entries)
            self._folded.calls.update(oldest.calls)
            self._folded.floor.update(oldest.floor)

    def unwritten(self) -> tuple[int, float]:
        """How many entries would be lost with the process, and the instant of the oldest."""
        first = next((row[0] for step in self.some(1) for row in step.entries), self.lost.since)
        return self._entries + self.lost.facts, first

    def take_back(self) -> None:
        """The newest one was no step."""
        self._entries -= len(self._steps.pop().entries)

    def some(self, most: int) -> list[Step]:
        """The first steps, of together about `most` entries (one at least), to be written in one transaction."""
        found = [self._folded] if self._folded.calls or self._folded.floor else []
        entries = 0
        for step in self._steps:
            if entries and entries + len(step.entries) > most:
                break
            found.append(step)
            entries += len(step.entries)
        return found

    def written(self, steps: list[Step]) -> None:
        """What `some` returned is on disk."""
        for step in steps:
            if step is self._folded:
                self._folded = Step([])
            else:
                self._entries -= len(self._steps.popleft().entries)
