"""The journal with an ear: what is written also moves the bureau's pace (`core.pace`).

Wraps the `Journal` port and decides nothing. Invariant: an entry is saved before it counts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from autocom.calls.ports import Journal, Stored
from autocom.core.journal import Entry, Json
from autocom.core.pace import Pace


class Gauge:
    """A `Journal` over another one; `pace` is what its entries amount to since this process began."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self.pace = Pace()

    def save(
        self,
        entries: Sequence[Entry] = (),
        *,
        calls: Mapping[str, Json] | None = None,
        floor: Mapping[str, Json] | None = None,
    ) -> None:
        """Save, then count."""
        self._journal.save(entries, calls=calls, floor=floor)
        self.count(entries)

    def count(self, entries: Sequence[Entry]) -> None:
        """Take in entries that somebody else saved."""
        for entry in entries:
            self.pace = self.pace.after(entry)

    def stored(self) -> Stored:
        """What the last process knew."""
        return self._journal.stored()
