"""Commands that no story waits for: given to Asterisk until it has taken them.

A caller handed to the fallback, a leg whose conversation is over, what a comparison found to be nobody's:
whoever sent the command has moved on, and a command that is lost leaves somebody in silence. So it is
repeated until it is answered. Only for commands whose repetition changes nothing. Must not decide anything.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine

import structlog

from autocom.calls.ports import Clock, Fares, Gone, Telephone, TelephoneDown

log = structlog.get_logger()

RETRY = 1.0
"""Seconds after which a command that got no answer from Asterisk is given again."""

Command = Callable[[], Awaitable[None]]


class Errands:
    """`tasks`: the group they run in, set before the first one."""

    def __init__(self, telephone: Telephone, clock: Clock) -> None:
        self._telephone, self._clock = telephone, clock
        self.tasks: asyncio.TaskGroup | None = None

    def start(self, act: Coroutine[None, None, None]) -> None:
        """Run it beside everything else."""
        if self.tasks is None:
            raise RuntimeError("the switchboard acts before it runs")
        self.tasks.create_task(act)

    async def until_done(self, command: Command) -> None:
        """Give the command until it is carried out, or what it is about is gone."""
        while not await _answered(command):
            await self._clock.until(self._clock.now() + RETRY)

    async def surely(self, command: Command) -> None:
        """Give the command now; where it is not answered, again and again, while who asked goes on."""
        if not await _answered(command):
            self.start(self._later(command))

    async def _later(self, command: Command) -> None:
        await self._clock.until(self._clock.now() + RETRY)
        await self.until_done(command)

    def hang_up(self, channel: str) -> None:
        """End a channel that is nobody's."""
        self.start(self.until_done(lambda: self._telephone.hang_up(channel)))

    def text(self, secretary: str, text: str) -> None:
        """Show her a text on her phone, once; she may have none that shows texts, and nothing depends on it."""
        self.start(self._shown(secretary, text))

    async def _shown(self, secretary: str, text: str) -> None:
        try:
            await self._telephone.tell(secretary, text)
        except (Gone, TelephoneDown) as error:
            log.info("secretary not told", secretary=secretary, why=str(error))

    def disconnect(self, bridge: str) -> None:
        """Destroy a bridge that is nobody's."""
        self.start(self.until_done(lambda: self._telephone.disconnect(bridge)))

    def to_fallback(self, channel: str, client: str | None = None, *, heard: bool = False) -> None:
        """Give a caller to the dialplan's fallback, never to silence."""
        self.start(self.until_done(lambda: self._telephone.to_fallback(channel, client, heard=heard)))


def fared(telephone: Telephone, channel: str, *fares: Fares) -> Command:
    """Tell the phone that asked for a transfer how it fares, one word after the other: a phone that hears of the end
    first takes nothing more."""

    async def words() -> None:
        for each in fares:
            await telephone.transfer_fares(channel, each)

    return words


async def _answered(command: Command) -> bool:
    """Give the command once; False where Asterisk did not answer. What is gone needs no command."""
    try:
        await command()
    except Gone:
        return True
    except TelephoneDown as down:
        log.warning("command not answered", why=str(down))
        return False
    return True
