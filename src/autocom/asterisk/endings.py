"""Hang-ups that Asterisk was asked for, each until its channel is gone: when to ask again.

One timer for each channel, however often its end is asked for. Must not know who asks, nor what is said again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from autocom.core.telephony import Cause

ENDS_WITHIN = 2.0
"""Seconds within which a channel that was hung up is gone; Asterisk needs some milliseconds."""


class Endings:
    """Of one connection to Asterisk; `again` asks once more."""

    def __init__(self, again: Callable[[str, Cause], None]) -> None:
        self._again = again
        self._timers: dict[str, asyncio.TimerHandle] = {}

    def asked(self, channel: str, cause: Cause) -> None:
        """It should be gone soon; whether the request was answered does not matter."""
        self.over(channel)
        self._timers[channel] = asyncio.get_running_loop().call_later(ENDS_WITHIN, self._late, channel, cause)

    def over(self, channel: str) -> None:
        """It is gone."""
        timer = self._timers.pop(channel, None)
        if timer is not None:
            timer.cancel()

    def _late(self, channel: str, cause: Cause) -> None:
        del self._timers[channel]
        self._again(channel, cause)
