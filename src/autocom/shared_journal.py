"""The journal as everybody here shares it: saved first, then told to whoever follows; and how far PostgreSQL is.

While we start, calls are taken over before everybody listens: who follows then hears what was saved from the beginning
on. Must not know what an entry means. Invariant: a follower hears every entry once, in the order of saving.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Protocol

from autocom.calls.ports import Stored
from autocom.core.journal import Entry, Json
from autocom.journal.log import LocalLog


class SharedJournal:
    """The local log, with an ear for followers: what is saved is also told, in order."""

    def __init__(self, log_: LocalLog) -> None:
        self._log = log_
        self._followers: set[asyncio.Queue[Entry]] = set()
        self._early: list[Entry] | None = []
        self._begun_at = log_.last

    def save(
        self,
        entries: Sequence[Entry] = (),
        *,
        calls: Mapping[str, Json] | None = None,
        floor: Mapping[str, Json] | None = None,
    ) -> None:
        """Save, then tell."""
        self._log.save(entries, calls=calls, floor=floor)
        if self._early is not None:
            self._early += entries
        for follower in self._followers:
            for entry in entries:
                follower.put_nowait(entry)

    def stored(self) -> Stored:
        """What the last process knew."""
        return self._log.stored()

    def rows(self, prefix: str) -> Mapping[str, Json]:
        """The floor's rows whose keys begin so, as they are now."""
        return self._log.rows(prefix)

    def begun(self) -> None:
        """Everybody listens who has to know what happened from the beginning on."""
        self._early = None

    @property
    def unheard(self) -> int:
        """The number of the newest entry that somebody who begins to follow now does not hear."""
        return self._log.last if self._early is None else self._begun_at

    async def follow(self) -> AsyncIterator[Entry]:
        """Entries from now on; while we start, from the beginning on: calls are taken over before everybody listens."""
        mine: asyncio.Queue[Entry] = asyncio.Queue()
        for entry in self._early or ():
            mine.put_nowait(entry)
        self._followers.add(mine)
        try:
            while True:
                yield await mine.get()
        finally:
            self._followers.discard(mine)


class Shipping(Protocol):
    """The journal's way to PostgreSQL, as far as the exchange speaks of it."""

    @property
    def connected(self) -> bool:
        """Whether the last attempt reached PostgreSQL."""
        ...

    def lag(self) -> tuple[int, float | None]:
        """How many facts are not there yet, and the instant of the oldest."""
        ...

    async def flush(self, within: float) -> bool:
        """Wait until all is there; False if it is not after so many seconds."""
        ...


class NotShipping:
    """At the start callers come first: nothing is shipped yet."""

    connected = False

    def lag(self) -> tuple[int, float | None]:
        """Not looked at."""
        return 0, None

    async def flush(self, within: float) -> bool:  # noqa: ARG002 - a protocol
        """Nothing goes there yet."""
        return False
