"""Keeps the lamps of the softphones true: what `core.presence` says is sent to Asterisk, as differences.

Nothing waits for a lamp. Whoever moves the floor only rings a bell; a moment later the follower looks at
the floor as it is then, so that a storm of facts is one look. Invariants: a name is sent at most every
`LEAST` seconds, its last state always; after a gap or a start everything is sent anew, for the Asterisk at
the other end may be another one. Must not decide anything about calls. Who runs it is `app`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

import structlog

from autocom.calls.containment import contained
from autocom.calls.dispatcher import Dispatcher
from autocom.calls.ports import Clock, Followed, Telephone, TelephoneDown
from autocom.core import presence
from autocom.core.letters import VOICE, voices
from autocom.core.model import Configuration
from autocom.core.presence import NO_MESSAGES, Box, Lamp, Panel

log = structlog.get_logger()

LEAST = 0.5
"""Seconds between two states of one name."""

SETTLE = 0.03
"""Seconds after a fact before the floor is looked at: what follows from it (a ring, an answer) goes first."""

SLOWLY = 1.0
"""Seconds between two empty boxes of which it is not known what Asterisk holds: each count goes to every phone
whose lamp it is part of, and hundreds of them at a start would be a flood."""

RETRY = 1.0
"""Seconds of the first pause where Asterisk does not answer; each further one is twice as long."""

COUNT_AGAIN = 30.0
"""Seconds after which messages are counted anew though nobody said that one came: their time may be over."""

COUNTED = frozenset({"voicemail_ended", "voicemail_heard"})
"""Entries after which there are more messages, or fewer new ones."""


class Lamps:
    """One for each exchange; `run` it in a task group. `configuration`: the one in force."""

    def __init__(
        self,
        telephone: Telephone,
        clock: Clock,
        dispatcher: Dispatcher,
        left: Followed,
        configuration: Callable[[], Configuration | None],
    ) -> None:
        self._telephone, self._clock, self._dispatcher = telephone, clock, dispatcher
        self._left, self._configuration = left, configuration
        self._news = asyncio.Event()
        self._panel: tuple[Configuration, Panel] | None = None
        self._boxes: dict[str, Box] = {}
        self._counted_at: float | None = None
        # what Asterisk was told last: lamps by their name, boxes by "@" and the client
        self._told: dict[str, Lamp | Box] = {}
        self._sent_at: dict[str, float] = {}
        self._slow_at, self._not_before, self._pause = 0.0, 0.0, RETRY
        dispatcher.moved = self.look

    def look(self) -> None:
        """Something may have changed; costs nothing. With Asterisk's events away: all must be told again."""
        if not self._dispatcher.seeing:
            self._told, self._not_before, self._pause = {}, 0.0, RETRY
        self._news.set()

    async def run(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._listen())
            tasks.create_task(self._follow())

    async def _listen(self) -> None:
        async for entry in self._left.follow():
            if entry.kind in COUNTED:
                self._counted_at = None
                self._news.set()

    async def _follow(self) -> None:
        while True:
            self._news.clear()
            wake: float | None = self._clock.now() + RETRY
            with contained("lamps crashed", lambda _: None):
                wake = await self._tell()
            await self._until(wake)
            await self._clock.until(self._clock.now() + SETTLE)

    async def _until(self, wake: float | None) -> None:
        try:
            async with asyncio.timeout(None if wake is None else max(0.0, wake - self._clock.now())):
                await self._news.wait()
        except TimeoutError:
            return

    # --- what is to be shown

    async def _tell(self) -> float | None:
        """Send every difference that is due; when to look again although nothing happens."""
        configuration = self._configuration()
        if configuration is None or not self._dispatcher.seeing:
            return None  # the bell rings when it is there
        # of the same instant: what becomes late while this is sent is not to be missed
        now = self._clock.now()
        if now < self._not_before:
            return self._not_before
        wanted, change = self._wanted(configuration, now), presence.next_change(self._dispatcher.floor, now)
        try:
            due = await self._send(wanted)
        except TelephoneDown as down:
            log.info("lamps not told, tried again", why=str(down), retry_s=self._pause)
            self._not_before = self._clock.now() + self._pause
            self._pause = min(self._pause * 2, COUNT_AGAIN)
            return self._not_before
        self._pause = RETRY
        return min(each for each in (due, change, now + COUNT_AGAIN) if each is not None)

    def _wanted(self, configuration: Configuration, now: float) -> dict[str, Lamp | Box]:
        if self._panel is None or self._panel[0] is not configuration:
            if self._panel is not None:
                self._boxes_anew(now)
            self._panel = configuration, presence.panel_of(configuration)
        panel = self._panel[1]
        if self._counted_at is None or self._counted_at + COUNT_AGAIN <= now:
            self._counted_at = now
            self._boxes = presence.count(voices(self._left.rows(VOICE))[0])
        shown = presence.lamps(panel, self._dispatcher.floor, self._boxes, now)
        boxes = {f"@{client}": self._boxes.get(client, NO_MESSAGES) for client in panel.boxed}
        return {**shown, **boxes}

    def _boxes_anew(self, now: float) -> None:
        """Asterisk reads its new configuration at this moment, and a count told meanwhile reaches no phone (22.10)."""
        for name in [name for name in self._told if name.startswith("@")]:
            del self._told[name]
            self._sent_at[name] = now

    async def _send(self, wanted: Mapping[str, Lamp | Box]) -> float | None:
        """When the first of those may be sent that have to wait. Raises TelephoneDown."""
        told, due = self._told, None
        gone = [name for name in told if name not in wanted]
        for name in (*wanted, *gone):
            value = wanted.get(name)
            if told.get(name) == value:
                continue
            now = self._clock.now()
            slow = name not in told and value == NO_MESSAGES
            earliest = max(self._sent_at.get(name, 0.0) + LEAST, self._slow_at if slow else 0.0)
            if earliest > now:
                due = earliest if due is None else min(due, earliest)
                continue
            self._sent_at[name] = now
            if slow:
                self._slow_at = now + SLOWLY
            await self._show(name, value)
            # `told` is of before a gap where there was one meanwhile: then this counts for nothing
            if value is None:
                del told[name], self._sent_at[name]
            else:
                told[name] = value
        return due

    async def _show(self, name: str, value: Lamp | Box | None) -> None:
        match value:
            case Box(new, old):
                await self._telephone.show_mailbox(name.removeprefix("@"), new, old)
            case None if name.startswith("@"):
                await self._telephone.show_mailbox(name.removeprefix("@"), 0, 0)
            case Lamp() | None:
                await self._telephone.show_state(name, value)
