"""What calls do not wait for goes on whatever happens to it: begun again, after a pause, for as long as it takes.

The machine may refuse it something (a file, a descriptor, memory for a thread), or it may have a bug: neither may end the
exchange, and with it every call, again and again. Both are said: the log has the reason, `failed` gets a bug's name. Must
not know what the tasks do: each may be begun anew at any time, since the next process would do the same.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from autocom.calls.containment import contained

log = structlog.get_logger()

PAUSE, LONGEST = 1.0, 30.0
"""Seconds before it is begun again: twice as many each time."""
WELL = 60.0
"""Seconds of work after which a task counts as well again."""

Failed = Callable[[str, str], None]
"""Gets a task's name, and the kind of an error that nobody below expected (its words may hold a caller's number)."""


async def steadfast(what: str, begin: Callable[[], Awaitable[None]], failed: Failed) -> None:
    """Until it returns; raises nothing."""
    loop, pause = asyncio.get_running_loop(), PAUSE
    while True:
        began, returned = loop.time(), False
        with contained("a part failed", lambda why: failed(what, why.partition(":")[0]), task=what):
            returned = await _unless_refused(what, begin)
        if returned:
            return
        pause = PAUSE if loop.time() - began >= WELL else pause
        await asyncio.sleep(pause)
        pause = min(2 * pause, LONGEST)


async def _unless_refused(what: str, begin: Callable[[], Awaitable[None]]) -> bool:
    """Whether it returned by itself."""
    refused = False
    try:
        await begin()
    except* OSError as errors:
        refused = True
        log.error("refused by the machine, begun again", task=what, why=_first(errors))
    return not refused


def _first(group: BaseExceptionGroup[OSError]) -> str:
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return str(error)
