"""How everybody waits who looks again and again at what there is: for a word that something came, or for an instant.

Whoever looks clears his event first, looks, and then waits here, so that nothing which comes while he looks is
missed. Must not know what is looked at.
"""

from __future__ import annotations

import asyncio

from autocom.calls.ports import Clock

FIRST = 2.0
"""Seconds of the first pause after a failure; each further one is twice as long."""

IDLE = 60.0
"""Seconds after which one looks though nobody said that something came."""


async def until(clock: Clock, instant: float, news: asyncio.Event) -> None:
    """Wait for news, at most until the instant."""
    await heard(news, instant - clock.now())


async def heard(news: asyncio.Event, within: float) -> None:
    """Wait for news, at most so many seconds."""
    try:
        async with asyncio.timeout(max(0.0, within)):
            await news.wait()
    except TimeoutError:
        return
