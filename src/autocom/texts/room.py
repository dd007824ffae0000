"""Everything about texts of one exchange, run together: spool, lanes, display, archive.

`run` lives in the exchange's task group. Lanes follow the configuration: a provider that changed is begun
anew, the others go on. Must not know HTTP's server, SQL or Asterisk's files: they are given. What programs
and people ask of texts is in `office`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial

import structlog

from autocom.calls.containment import contained
from autocom.calls.ports import Clock, Messenger, TelephoneDown
from autocom.core.posts import Post
from autocom.core.texts import Spooled, TextProvider
from autocom.news import IDLE, heard
from autocom.shelf import Aside
from autocom.texts.archive import Archive, Library
from autocom.texts.counter import Counter
from autocom.texts.despatch import Despatch
from autocom.texts.display import Display
from autocom.texts.lane import Lane
from autocom.texts.ledger import Ledger
from autocom.texts.media import Media
from autocom.texts.provider import Provider, Receipt
from autocom.texts.reception import Reception
from autocom.texts.segments import Segments
from autocom.texts.shelf import AttachmentShelf
from autocom.texts.smpp import Inbox, Smpp
from autocom.texts.trunk import TrunkProvider
from autocom.texts.webhook import Webhook

log = structlog.get_logger()

LOOK_EVERY = 5.0
"""Seconds after which the spool is looked at though nobody said that something came."""


@dataclass(frozen=True, slots=True)
class Spool:
    """Where Asterisk's texts are: `read` them, `forget` one that is dealt with, `put_aside` one that cannot be. All
    block, shortly."""

    read: Callable[[], list[Spooled]]
    forget: Callable[[Spooled], None]
    put_aside: Callable[[Spooled], None]


def provided(provider: TextProvider, messenger: Messenger, inbox: Inbox, clock: Clock) -> Provider:
    """The provider of this kind."""
    if provider.kind == "webhook":
        return Webhook(provider)
    if provider.kind == "trunk":
        return TrunkProvider(provider, messenger)
    return Smpp(provider, inbox, clock)


@dataclass(slots=True)
class TextRoom:
    """One for each exchange. `came` is set when Asterisk wrote something down; `posts`: the floor's, as they are;
    `provide` makes the providers, `aside` does what blocks."""

    ledger: Ledger
    messenger: Messenger
    posts: Callable[[], Mapping[str, Post]]
    spool: Spool
    library: Library
    shelf: AttachmentShelf
    provide: Callable[[TextProvider, Messenger, Inbox, Clock], Provider] = provided
    aside: Aside = asyncio.to_thread
    came: asyncio.Event = field(default_factory=asyncio.Event)
    reception: Reception = field(init=False)
    despatch: Despatch = field(init=False)
    display: Display = field(init=False)
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.reception, self.despatch = Reception(self.ledger), Despatch(self.ledger)
        self.display = Display(self.ledger, self.reception, self.messenger, self.posts)

    def configured(self) -> None:
        """Another configuration is in force."""
        self._changed.set()

    async def run(self) -> None:
        """Until cancelled."""
        segments = Segments(self.ledger, self.reception)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._take_spooled())
            tasks.create_task(self._lanes(segments))
            tasks.create_task(segments.run())
            tasks.create_task(self.display.run())
            tasks.create_task(Media(self.ledger, self.reception, self.shelf).run())
            tasks.create_task(Archive(self.ledger, self.library, self.shelf, self.aside).run())

    # --- what Asterisk wrote down ---

    async def _take_spooled(self) -> None:
        counter = Counter(self.ledger, self.reception, self.despatch, self.messenger)
        while True:
            self.came.clear()
            with contained("spool of texts crashed", lambda _: None):
                for text in await self.aside(self.spool.read):
                    await self._take(counter, text)
            await heard(self.came, LOOK_EVERY)

    async def _take(self, counter: Counter, text: Spooled) -> None:
        with contained("a spooled text crashed", partial(self._put_aside, text), name=text.name):
            try:
                await counter.take(text)
            except TelephoneDown as down:
                log.info("text waits for the telephone", name=text.name, why=str(down))
                return
            await self.aside(partial(self.spool.forget, text))

    def _put_aside(self, text: Spooled, _: str) -> None:
        """It would crash at every look: it is left for a person to see."""
        with contained("a spooled text cannot be put aside", lambda _: None, name=text.name):
            self.spool.put_aside(text)

    # --- providers ---

    async def _lanes(self, segments: Segments) -> None:
        running: dict[str, tuple[TextProvider, asyncio.Task[None]]] = {}
        async with asyncio.TaskGroup() as tasks:
            while True:
                self._changed.clear()
                wanted = self.ledger.configuration().texts.providers
                for name, (provider, task) in list(running.items()):
                    if wanted.get(name) != provider:
                        task.cancel()
                        del running[name]
                for name, provider in wanted.items():
                    if provider.sends and name not in running:
                        lane = Lane(
                            name,
                            self._provider(provider, segments),
                            self.despatch,
                            self.ledger.clock,
                            self.ledger.news(),
                        )
                        running[name] = (provider, tasks.create_task(lane.run()))
                self.despatch.reroute()
                await heard(self._changed, IDLE)

    def _provider(self, provider: TextProvider, segments: Segments) -> Provider:
        def receipt(found: Receipt) -> bool:
            return self.despatch.receipt(provider.id, found)

        inbox = Inbox(self.reception.received, segments.take, receipt)
        return self.provide(provider, self.messenger, inbox, self.ledger.clock)
