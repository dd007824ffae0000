"""One way out and all that is to go by it: one thing at a time, again with growing pauses, given up in the end.

Mails and texts go so. What became of a thing is saved before the next one goes, so a restart finds exactly what is
still to do. Between the other side's "taken" and that save lies an instant in which a crash means a second try,
under the same key where the other side knows keys: no sender can close it. Invariant: a thing that fails, whyever,
holds up no other for ever. Must not know what goes, nor how it is sent.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Generic, Protocol, TypeVar

import structlog

from autocom.calls.containment import contained
from autocom.calls.ports import Clock
from autocom.news import FIRST, IDLE, until

log = structlog.get_logger()

MOST = 300.0
"""The longest pause after a failure."""

_SHOWN = 200


class Unreachable(Exception):  # noqa: N818 - says what is the case
    """Nobody took it, whoever it was for: no answer, a wrong password, an unwilling server. All wait."""


class Later(Exception):  # noqa: N818
    """This recipient cannot have it now; others may."""


class Refused(Exception):  # noqa: N818
    """This recipient will never have it."""


class Going(Protocol):
    """What goes. `at`: when it was decided on; `due`: not tried before, after `tries` failures."""

    @property
    def id(self) -> str:
        """Its name."""
        ...

    @property
    def at(self) -> float:
        """UTC epoch seconds, as `due`."""
        ...

    @property
    def due(self) -> float:
        """Not before."""
        ...

    @property
    def tries(self) -> int:
        """How often it failed."""
        ...


T = TypeVar("T", bound=Going)


class Lane(ABC, Generic[T]):
    """`name`: the way, `what` goes by it (both for the log); `patience`: seconds after which a thing is given up.
    Set `news` when something came."""

    def __init__(self, name: str, what: str, clock: Clock, news: asyncio.Event, patience: float) -> None:
        self._name, self._what, self._clock = name, what, clock
        self.news, self._patience = news, patience
        self._away = False

    @abstractmethod
    def _open(self) -> Sequence[T]:
        """What is to go, behind the others what failed more often: what makes a server hang up must not hold up
        the rest."""

    @abstractmethod
    async def _send(self, going: T) -> None:
        """Hand it over and save that. Raises Unreachable, Later or Refused."""

    @abstractmethod
    def _put_off(self, going: T, why: str, pause: float) -> None:
        """Save that it was not taken, and is tried again after so many seconds."""

    @abstractmethod
    def _give_up(self, going: T, why: str) -> None:
        """Save that nobody tries any more."""

    async def run(self) -> None:
        """Until cancelled."""
        pause = FIRST
        while True:
            self.news.clear()
            wake = self._clock.now() + IDLE
            with contained("lane crashed", lambda _: None, way=self._name):
                if not await self._round():
                    # what comes meanwhile waits too: nobody is there to take it
                    await self._clock.until(self._clock.now() + pause)
                    pause = min(pause * 2, MOST)
                    continue
                pause = FIRST
                now = self._clock.now()
                wake = min([wake, *(going.due for going in self._open() if going.due > now)])
            await until(self._clock, wake, self.news)

    async def _round(self) -> bool:
        """Everything that is due. False where the way out itself does not work: then the others wait."""
        for going in self._open():
            if going.due > self._clock.now():
                continue
            if not await self._deliver(going):
                return False
            if self._away:
                self._away = False
                log.warning("goes out again", what=self._what, way=self._name)
        return True

    async def _deliver(self, going: T) -> bool:
        """False where the way out does not work, whoever it were for."""
        with contained("sending crashed", lambda error: self._give_up(going, error), id=going.id):
            try:
                await self._send(going)
            except Refused as refused:
                self._give_up(going, str(refused))
            except Later as later:
                self._again(going, str(later), min(MOST, FIRST * 2**going.tries))
            except Unreachable as away:
                if not self._away:
                    self._away = True
                    log.warning("does not go out, waits", what=self._what, way=self._name, why=str(away))
                self._again(going, str(away), 0.0)
                return False
        return True

    def _again(self, going: T, why: str, pause: float) -> None:
        if self._clock.now() - going.at >= self._patience:
            self._give_up(going, why)
        else:
            self._put_off(going, why, pause)


def plain(why: object) -> str:
    """What the other side said, as one short printable line: it is a stranger's text."""
    return "".join(c if c.isprintable() else " " for c in str(why))[:_SHOWN].strip()
