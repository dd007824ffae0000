"""Whether the last call of a phone is over, as its phone sees it, before it is rung again.

Asterisk hangs up in the channel's own thread, some milliseconds after it has answered the request. An INVITE sent at once
overtakes that CANCEL or BYE, and her phone has two calls: it rings into the old one, or says that it is busy.
"""

from __future__ import annotations

import asyncio

AT_MOST = 0.5
"""Seconds that are waited for the end of a call: then it is dialled all the same."""


class Quiet:
    """Of one connection to Asterisk; calls of other processes are not known to it."""

    def __init__(self) -> None:
        self._endpoints: dict[str, str] = {}
        self._ending: dict[str, asyncio.Event] = {}

    def begins(self, leg: str, endpoint: str) -> None:
        """This leg is dialled there."""
        self._endpoints[leg] = endpoint

    def ends(self, leg: str) -> None:
        """It was, or will be in a moment, asked to be hung up."""
        if leg in self._endpoints:
            self._ending.setdefault(leg, asyncio.Event())

    def gone(self, leg: str) -> None:
        """It is over, and its phone was told before anything that is sent from now on."""
        self._endpoints.pop(leg, None)
        over = self._ending.pop(leg, None)
        if over is not None:
            over.set()

    async def at(self, endpoint: str) -> None:
        """Return when no leg there is being ended. One that takes too long ended while nobody heard of it."""
        for leg, over in [found for found in self._ending.items() if self._endpoints[found[0]] == endpoint]:
            try:
                async with asyncio.timeout(AT_MOST):
                    await over.wait()
            except TimeoutError:
                self.gone(leg)
