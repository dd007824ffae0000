"""The journal with an ear: what is written also moves the bureau's pace (`core.pace`).

Wraps the `Journal` port and decides nothing. Invariant: an entry is saved before it counts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from autocom.calls.ports import Journal, Stored
from autocom.core.journal import Entry, Json
from autocom.core.pace import Pace


class Gauge:
    """A `Journal` over another one; `pace` is what its entries amount to since this process began. `beside`: rows
    of the floor to be saved in the same transaction as these entries."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self.pace = Pace()
        self.beside: Callable[[Sequence[Entry]], Mapping[str, Json]] = lambda _: {}

    def save(
        self,
        entries: Sequence[Entry] = (),
        *,
        calls: Mapping[str, Json] | None = None,
        floor: Mapping[str, Json] | None = None,
    ) -> None:
        """Save, then count."""
        rows = self.beside(entries)
        self._journal.save(entries, calls=calls, floor={**(floor or {}), **rows} if rows else floor)
        self.count(entries)

    def count(self, entries: Sequence[Entry]) -> None:
        """Take in entries that somebody else saved."""
        for entry in entries:
            self.pace = self.pace.after(entry)

    def stored(self) -> Stored:
        """What the last process knew."""
        return self._journal.stored()
