"""The side of a hand-over that lets go: announces it to the dialplan, starts the successor where it is asked to.

What `hand_over` has promised begins right after its answer has left: `app` then gives everything back and ends no call.
Must not know how a successor prepares itself (`handover`). Invariant: until `hand_over` has returned we serve on, and
two successors never get the same exchange.
"""

from __future__ import annotations

import asyncio
import os
import select
import subprocess
import sys
from collections.abc import Callable
from typing import Final

import structlog

from autocom.asterisk.telephone import AsteriskTelephone
from autocom.calls.ports import Gone, TelephoneDown
from autocom.core.orders import NotPossible
from autocom.handover import ANNOUNCED
from autocom.news import heard

log = structlog.get_logger()

OPTION: Final = "--take-over"
ANSWERED: Final = 0.05
"""Seconds for the answer to leave before the doors close."""
PREPARED_WITHIN: Final = 60.0


class Leaving:
    """Of one process. `wall`: what Asterisk's clock says too, UTC epoch seconds; `leave` ends the service without
    ending calls; `ready`: whether there is anything to hand over."""

    def __init__(
        self,
        telephone: AsteriskTelephone,
        wall: Callable[[], float],
        ready: Callable[[], bool],
        note: Callable[[str, str], None],
        leave: Callable[[], None],
    ) -> None:
        self._telephone, self._wall, self._ready = telephone, wall, ready
        self._note, self._leave = note, leave
        self._news = asyncio.Event()
        self._upgrading = False
        self._asked_by: int | None = None
        self.successor: int | None = None
        """The process that we let go for: set once that is promised, so that until then a stop is a stop."""

    async def hand_over(self, successor: int) -> None:
        """See `web.handover.Leaving`. Whoever asked may be dead by the time we read it: we may have stood still."""
        if self._asked_by is not None:
            raise NotPossible(f"process {self._asked_by} takes over already")
        if not self._ready():
            raise NotPossible("it takes no calls at this moment: it starts, stops, or has lost Asterisk")
        try:
            watch = os.pidfd_open(successor)
        except (OSError, OverflowError) as error:
            raise NotPossible(f"process {successor} is not there: {error}") from None
        self._asked_by = successor
        try:
            await self._announce(successor, watch)
        except BaseException:
            self._asked_by = None
            os.close(watch)
            raise
        self.successor = successor
        self._news.set()
        asyncio.get_running_loop().call_later(ANSWERED, self._go, successor, watch)

    async def _announce(self, successor: int, watch: int) -> None:
        """Raises NotPossible where Asterisk cannot be told, or we or the successor end meanwhile."""
        try:
            await self._telephone.announce_hand_over(self._wall() + ANNOUNCED)
        except (Gone, TelephoneDown) as error:
            raise NotPossible(f"Asterisk cannot be told: {error}") from None
        if has_ended(watch):
            raise NotPossible(f"process {successor} has ended")
        if not self._ready():
            raise NotPossible("it stops, or has lost Asterisk")

    def _go(self, successor: int, watch: int) -> None:
        """Its answer has left: let go, unless nobody is there to be let go for."""
        ended = has_ended(watch)
        os.close(watch)
        if ended:
            log.error("the successor has ended, serving on", successor=successor)
            self._asked_by = self.successor = None
            return
        self._leave()
        self._note("handed_over", f"to pid {successor}")
        log.info("handing over", successor=successor)

    async def upgrade(self) -> int:
        """See `web.handover.Leaving`. Of our own arguments, environment and output; a child of ours, so that whoever
        supervises us may go on with it."""
        if self._upgrading or self._asked_by is not None:
            raise NotPossible("a new process is being started already")
        self._upgrading = True
        arguments = [word for word in sys.argv if word not in (OPTION, "--demo")]
        try:
            # no pipes: it outlives us. And no asyncio, which kills the children that it knows when it forgets them
            child = subprocess.Popen([sys.executable, *arguments, OPTION], stdin=subprocess.DEVNULL)  # noqa: ASYNC220
            await self._asked_or_ended(child.pid)
        except OSError as error:
            raise NotPossible(f"it cannot be started: {error}") from None
        finally:
            self._upgrading = False
        if self.successor == child.pid:
            return child.pid
        code = child.poll()
        child.kill()
        await asyncio.to_thread(child.wait)
        if self.successor is not None:
            raise NotPossible(f"process {self.successor} takes over already")
        why = (
            f"ended with code {code}" if code is not None else f"was not ready within {PREPARED_WITHIN:.0f} s"
        )
        raise NotPossible(f"the new process {why}, the log says why; this one serves on")

    async def _asked_or_ended(self, pid: int) -> None:
        """Or its time is over."""
        loop, watch = asyncio.get_running_loop(), os.pidfd_open(pid)
        loop.add_reader(watch, self._news.set)
        try:
            await heard(self._news, PREPARED_WITHIN)
        finally:
            loop.remove_reader(watch)
            os.close(watch)
            self._news.clear()


def has_ended(watch: int) -> bool:
    """Whether the process of this descriptor (pidfd) has: also one that nobody has waited for yet."""
    asked = select.poll()
    asked.register(watch, select.POLLIN)
    return bool(asked.poll(0))


def tell_systemd(successor: int, notify: Callable[[str], None]) -> None:
    """Who is the unit's main process from now on."""
    if os.environ.get("NOTIFY_SOCKET"):
        notify(f"MAINPID={successor}")
