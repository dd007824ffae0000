"""Whether the last call of a phone is over, as its phone sees it, before it is rung again.

Asterisk hangs up in the channel's own thread, some milliseconds after it has answered the request. An INVITE sent at once
overtakes that CANCEL or BYE, and her phone has two calls: it rings into the old one, or says that it is busy.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

AT_MOST = 0.5
"""Seconds that are waited for the end of a call: then it is dialled all the same."""


@dataclass(slots=True)
class _Ending:
    endpoint: str
    over: asyncio.Event = field(default_factory=asyncio.Event)


class Quiet:
    """Of one connection to Asterisk: legs that are being ended now, whichever process dialled them."""

    def __init__(self) -> None:
        self._ending: dict[str, _Ending] = {}

    def ends(self, leg: str, endpoint: str) -> None:
        """It was, or will be in a moment, asked to be hung up; it is there still."""
        self._ending.setdefault(leg, _Ending(endpoint))

    def gone(self, leg: str) -> None:
        """It is over, and its phone was told before anything that is sent from now on."""
        ending = self._ending.pop(leg, None)
        if ending is not None:
            ending.over.set()

    async def at(self, endpoint: str) -> None:
        """Return when no leg there is being ended. One that takes too long ended while nobody heard of it."""
        for leg, ending in [found for found in self._ending.items() if found[1].endpoint == endpoint]:
            try:
                async with asyncio.timeout(AT_MOST):
                    await ending.over.wait()
            except TimeoutError:
                self.gone(leg)
