"""Time for the stories: UTC that never jumps.

The wall clock is read once; from then on the monotonic clock counts. NTP stepping the wall
clock (or a suspended laptop) then moves no deadline and makes no duration negative. What goes by a
calendar (opening hours) adds `ahead`, which `same_clock.watch` keeps. Invariant: two readings of `now`
never go backwards within one process.
"""

from __future__ import annotations

import asyncio
import time


class SteadyClock:
    """`calls.ports.Clock` of the real world. `offset`: seconds from the machine's start to 1970, negative, as another
    clock of the same machine has it; None: by the wall clock."""

    def __init__(self, offset: float | None = None) -> None:
        self.offset = time.time() - time.monotonic() if offset is None else offset
        self.ahead = 0.0
        """Seconds by which the wall clock has jumped ahead of this one, as was noticed."""

    def now(self) -> float:
        """UTC epoch seconds."""
        return self.offset + time.monotonic()

    def wall(self) -> float:
        """What calendars go by, UTC epoch seconds: follows the wall clock's jumps."""
        return self.now() + self.ahead

    def skew(self) -> float:
        """Seconds by which the wall clock is ahead of this one."""
        return time.time() - self.now()

    async def until(self, instant: float) -> None:
        """Return at `instant`, never before; a past one still lets other tasks run once."""
        await asyncio.sleep(0)
        while (left := instant - self.now()) > 0:  # noqa: ASYNC110 - time is all that is waited for
            await asyncio.sleep(left)
