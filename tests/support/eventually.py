"""Waiting for what must come."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from tests.support import PATIENCE


async def eventually(
    holds: Callable[[], object], what: str = "what must come", within: float = PATIENCE
) -> None:
    """Until it is so, asked every 20 ms; AssertionError where it is not within so many seconds."""
    try:
        async with asyncio.timeout(within):
            while not holds():
                await asyncio.sleep(0.02)
    except TimeoutError:
        raise AssertionError(f"not within {within} s: {what}") from None
