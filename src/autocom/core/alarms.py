"""One deadline each for many things, the earliest found at once.

Setting, moving and clearing one costs the time of a heap; an entry that was moved stays in the heap until it
comes up, or until there are more such than live ones. Must not know what the names stand for.
"""

from __future__ import annotations

from heapq import heapify, heappop, heappush


class Alarms:
    """Deadlines by name; instants in UTC epoch seconds."""

    __slots__ = ("_at", "_heap")

    def __init__(self) -> None:
        self._at: dict[str, float] = {}
        self._heap: list[tuple[float, str]] = []

    def set(self, name: str, at: float | None) -> None:
        """Its only deadline from now on; None: it has none."""
        if at is None:
            self._at.pop(name, None)
        elif self._at.get(name) != at:
            if len(self._heap) > 2 * len(self._at) + 64:
                self._heap = [(at, name) for name, at in self._at.items()]
                heapify(self._heap)
            self._at[name] = at
            heappush(self._heap, (at, name))

    def next(self) -> float | None:
        """The earliest."""
        heap = self._heap
        while heap:
            at, name = heap[0]
            if self._at.get(name) == at:
                return at
            heappop(heap)
        return None

    def due(self, now: float) -> list[str]:
        """Those whose instant has come, the earliest first; they have no deadline any more."""
        found = []
        while (at := self.next()) is not None and at <= now:
            _, name = heappop(self._heap)
            del self._at[name]
            found.append(name)
        return found
