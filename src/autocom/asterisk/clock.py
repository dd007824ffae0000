"""Time for the stories: UTC that never jumps.

The wall clock is read once; from then on the monotonic clock counts. NTP stepping the wall
clock (or a suspended laptop) then moves no deadline and makes no duration negative. Invariant:
two readings never go backwards within one process.
"""

from __future__ import annotations

import asyncio
import time


class SteadyClock:
    """`calls.ports.Clock` of the real world."""

    def __init__(self) -> None:
        self._offset = time.time() - time.monotonic()

    def now(self) -> float:
        """UTC epoch seconds."""
        return self._offset + time.monotonic()

    async def until(self, instant: float) -> None:
        """Return at `instant`, never before; a past one still lets other tasks run once."""
        await asyncio.sleep(0)
        while (left := instant - self.now()) > 0:  # noqa: ASYNC110 - time is all that is waited for
            await asyncio.sleep(left)
