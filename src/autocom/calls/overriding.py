"""The overrides that are in force: said, saved, ended in time, and told to callers who wait.

One list per client, a floor row `override:<client>` each, so they survive restarts. Whoever sets one
has checked that client and team exist (`exchange`). Law: saved before anybody is told. What an override
means is in `core.overrides` and `house`; who waits reads his rules again when it begins and ends.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace

from autocom.calls.kept import read_back
from autocom.calls.ports import Clock, Journal
from autocom.core.codec import Codec
from autocom.core.journal import Entry, Json
from autocom.core.overrides import Override, replaced_by

ROW = "override:"


class Overrides:
    """`tell` is called with a client's id whenever its overrides are others. `ahead`: see `house.House`; an override
    ends by the wall clock."""

    def __init__(self, journal: Journal, clock: Clock, tell: Callable[[str], None]) -> None:
        self._journal, self._clock, self._tell = journal, clock, tell
        self._codec = Codec((Override,))
        self._by_client: dict[str, tuple[Override, ...]] = {}
        self._changed = asyncio.Event()
        self.ahead = 0.0

    def of(self, client: str) -> tuple[Override, ...]:
        """This client's, also one that ended some milliseconds ago."""
        return self._by_client.get(client, ())

    def all(self) -> tuple[Override, ...]:
        """Everybody's, the one that ends first first."""
        every = (each for overrides in self._by_client.values() for each in overrides)
        return tuple(sorted(every, key=lambda each: (each.until, each.client, each.sort)))

    def restore(self, rows: Mapping[str, Json]) -> None:
        """Take over what the last process saved."""
        self._by_client |= read_back(self._codec, tuple[Override, ...], ROW, rows)

    def set(self, override: Override) -> None:
        """Put it in force, instead of one of the same sort."""
        before = self.of(override.client)
        gone = [each for each in before if each.sort == override.sort]
        entries = [self._ended(each, "replaced", override.author) for each in gone]
        fields: dict[str, Json] = {
            "client": override.client,
            "override": override.kind,
            "team": override.team,
            "until": override.until,
            "author": override.author,
            "reason": override.reason,
        }
        entries.append(Entry(self._clock.now(), "override_set", None, fields))
        self._save(override.client, replaced_by(before, override), entries)

    def clear(self, client: str, author: str) -> int:
        """End all of this client's; how many there were."""
        gone = self.of(client)
        if gone:
            self._save(client, (), [self._ended(each, "clear", author) for each in gone])
        return len(gone)

    def look(self) -> None:
        """The wall clock jumped: what was said before holds, also where that has become the future."""
        wall = self._clock.now() + self.ahead
        for client, overrides in self._by_client.items():
            self._by_client[client] = tuple(replace(each, since=min(each.since, wall)) for each in overrides)
        self._changed.set()

    async def run(self) -> None:
        """End each in time, for as long as the service lives."""
        while True:
            self._changed.clear()
            self._expire()
            until = min((each.until for each in self.all()), default=None)
            now = self._clock.now() + self.ahead
            try:
                async with asyncio.timeout(None if until is None else max(0.0, until - now)):
                    await self._changed.wait()
            except TimeoutError:
                continue

    def _expire(self) -> None:
        now = self._clock.now() + self.ahead
        for client, overrides in list(self._by_client.items()):
            over = [each for each in overrides if each.until <= now]
            if over:
                left = tuple(each for each in overrides if each.until > now)
                self._save(client, left, [self._ended(each, "expiry", each.author) for each in over])

    def _ended(self, override: Override, by: str, author: str) -> Entry:
        fields: dict[str, Json] = {
            "client": override.client,
            "override": override.kind,
            "by": by,
            "author": author,
        }
        return Entry(self._clock.now(), "override_ended", None, fields)

    def _save(self, client: str, overrides: tuple[Override, ...], entries: list[Entry]) -> None:
        rows: list[Json] = [self._codec.dump(each) for each in overrides]
        self._journal.save(entries, floor={f"{ROW}{client}": rows or None})
        if overrides:
            self._by_client[client] = overrides
        else:
            self._by_client.pop(client, None)
        self._changed.set()
        self._tell(client)
