"""One provider and all that is to go by it: one text at a time, again with growing pauses, given up in the end.

What became of a part is saved before the next one goes, so a restart finds exactly what is still to do.
Between a provider's "taken" and that save lies an instant in which a crash means a second try, under the
same key where the provider knows keys: no sender can close it. Invariant: a text that fails, whyever,
holds up no other for ever. Must not know what is said, nor how it is sent.
"""

from __future__ import annotations

import asyncio

import structlog

from autocom.calls.containment import contained
from autocom.calls.ports import Clock
from autocom.core.texts import Outgoing
from autocom.texts.despatch import PATIENCE, Despatch
from autocom.texts.provider import Later, Provider, Refused, Unreachable

log = structlog.get_logger()

FIRST = 2.0
"""Seconds of the first pause after a failure; each further one is twice as long."""

MOST = 300.0
"""The longest pause after a failure."""

IDLE = 60.0
"""Seconds after which the lane looks though nobody said that something came."""


class Lane:
    """`name`: the provider's id. `news` is set when something changed."""

    def __init__(
        self, name: str, provider: Provider, despatch: Despatch, clock: Clock, news: asyncio.Event
    ) -> None:
        self._name, self._provider, self._despatch, self._clock = name, provider, despatch, clock
        self._news = news
        self._away = False

    async def run(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._provider.run())
            tasks.create_task(self._send())

    async def _send(self) -> None:
        pause = FIRST
        while True:
            self._news.clear()
            wake = self._clock.now() + IDLE
            with contained("text lane crashed", lambda _: None, provider=self._name):
                if not await self._round():
                    await self._clock.until(self._clock.now() + pause)
                    pause = min(pause * 2, MOST)
                    continue
                pause = FIRST
                now = self._clock.now()
                due = (text.due for text in self._despatch.queued(self._name))
                wake = min([wake, *(at for at in due if at > now)])
            await until(self._clock, wake, self._news)

    async def _round(self) -> bool:
        """Every text that is due. False where the provider itself does not answer: then the others wait."""
        for text in self._despatch.queued(self._name):
            if text.due > self._clock.now():
                continue
            if not await self._deliver(text):
                return False
            if self._away:
                self._away = False
                log.warning("texts go out again", provider=self._name)
        return True

    async def _deliver(self, text: Outgoing) -> bool:
        """False where nobody's text is taken."""
        with contained("text crashed", lambda error: self._despatch.give_up(text.id, error), text=text.id):
            try:
                whole = self._provider.whole
                for part in range(len(text.parts), 1 if whole else text.wanted):
                    name = await self._provider.send(text, part)
                    self._despatch.handed(text.id, name, whole=whole)
            except Refused as refused:
                self._despatch.give_up(text.id, str(refused))
            except Later as later:
                self._again(text, str(later), min(MOST, FIRST * 2**text.tries))
            except Unreachable as away:
                if not self._away:
                    self._away = True
                    log.warning("texts do not go out, they wait", provider=self._name, why=str(away))
                self._again(text, str(away), 0.0)
                return False
        return True

    def _again(self, text: Outgoing, why: str, pause: float) -> None:
        if self._clock.now() - text.at >= PATIENCE:
            self._despatch.give_up(text.id, why)
        else:
            self._despatch.again(text.id, why, pause)


async def until(clock: Clock, instant: float, news: asyncio.Event) -> None:
    """Wait for news, at most until the instant."""
    try:
        async with asyncio.timeout(max(0.0, instant - clock.now())):
            await news.wait()
    except TimeoutError:
        return
