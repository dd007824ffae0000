"""Hands every text over to PostgreSQL, and lets go of the rows that nothing can come of any more.

While PostgreSQL is away the rows stay in the local log, and everything else goes on. What a client no longer
wants kept is dropped here too, stored or not. Must not know SQL. Invariant: a row goes only once the text is
stored as it is, or its time is over; an attachment only once no text has it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Protocol

import structlog

from autocom.calls.containment import contained
from autocom.core.journal import Json
from autocom.core.texts import Incoming, Text
from autocom.news import FIRST, IDLE, until
from autocom.shelf import Aside
from autocom.texts.ledger import Ledger
from autocom.texts.shelf import AttachmentShelf

log = structlog.get_logger()

COMPANY = 0.3
"""Seconds that a change waits for those that follow it at once."""

SWEEP_EVERY = 3600.0
YOUNG = 86400.0
"""Seconds for which an attachment is kept that no text has (yet)."""


class Library(Protocol):
    """PostgreSQL, as far as texts go. Nothing here raises because it is away."""

    async def store(self, text: Text) -> bool:
        """Whether it has the text as it is now."""
        ...

    async def listed(self, client: str | None, limit: int) -> list[dict[str, Json]]:
        """The newest texts; empty where it is away."""
        ...

    async def found(self, wanted: str) -> list[dict[str, Json]]:
        """The texts with this id or reference; empty where it is away."""
        ...

    async def attachments(self) -> set[str] | None:
        """The names of every attachment that a text has; None where it is away."""
        ...

    def told(self, text: Text) -> dict[str, Json]:
        """A text that is under way in the same words."""
        ...


class Archive:
    """One for each exchange; `run` it in a task group."""

    def __init__(
        self,
        ledger: Ledger,
        library: Library,
        shelf: AttachmentShelf,
        aside: Aside = asyncio.to_thread,
    ) -> None:
        self._ledger, self._library, self._shelf, self._aside = ledger, library, shelf, aside
        self._news = ledger.news()
        self._away = False

    async def run(self) -> None:
        """Until cancelled."""
        clock = self._ledger.clock
        looked, swept, pause = -IDLE, clock.now(), FIRST
        while True:
            self._news.clear()
            with contained("archiving texts crashed", lambda _: None):
                # of those that rest, the time may be over
                at, ledger = clock.now(), self._ledger
                thorough = at - looked >= IDLE
                stored = await self._round(ledger.all() if thorough else ledger.busy())
                if stored != (not self._away):
                    self._away = not stored
                    log.warning("texts are archived again" if stored else "texts not archived, they wait")
                if not stored:
                    await clock.until(clock.now() + pause)
                    pause = min(2 * pause, IDLE)
                    continue
                pause = FIRST
                looked = at if thorough else looked
                if clock.now() - swept >= SWEEP_EVERY:
                    swept = clock.now()
                    await self._sweep()
            await until(clock, clock.now() + IDLE, self._news)
            await clock.until(clock.now() + COMPANY)

    async def _round(self, texts: Sequence[Text]) -> bool:
        now = self._ledger.clock.now()
        for text in texts:
            if now >= text.forget_at:
                self._ledger.forget(text)
                continue
            if not text.kept and not await self._library.store(text):
                return False
            self._ledger.archived(text)
        return True

    async def _sweep(self) -> None:
        wanted = await self._library.attachments()
        if wanted is None:
            return
        for text in self._ledger.all():
            if isinstance(text, Incoming):
                wanted |= {each.digest for each in text.attachments}
        before = self._ledger.clock.now() - YOUNG
        gone = await self._aside(lambda: self._shelf.sweep(wanted, before))
        if gone:
            log.info("attachments erased, no text has them any more", count=gone)
