"""An event loop whose clock jumps: seconds of waiting cost nothing, and every run is the same.

`run(coroutine)` runs it on such a loop; `VirtualClock` is the `Clock` port over it. When nothing is
scheduled and nothing is ready the loop would wait for ever, so it raises instead of hanging a test.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from typing import TypeVar

T = TypeVar("T")

EPOCH = 1_790_000_000.0
"""Where virtual time starts, UTC epoch seconds (2026-09-21 14:13:20 UTC, a Monday)."""


class _Jumping(selectors.SelectSelector):
    def __init__(self) -> None:
        super().__init__()
        self.elapsed = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise RuntimeError("everything waits for something that nothing will bring")
        self.elapsed += max(0.0, timeout)
        return super().select(0)


class VirtualLoop(asyncio.SelectorEventLoop):
    """Time passes only by jumping to the next deadline."""

    def __init__(self) -> None:
        self._jumping = _Jumping()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.elapsed


def run(coroutine: Coroutine[object, object, T]) -> T:
    """Run to the end in virtual time."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(coroutine)


class VirtualClock:
    """The `Clock` port on a virtual loop."""

    def now(self) -> float:
        return EPOCH + asyncio.get_running_loop().time()

    async def until(self, instant: float) -> None:
        await asyncio.sleep(max(0.0, instant - self.now()))
