"""What calls do not wait for goes on whatever happens to it: begun again, after a pause, for as long as it takes.

The machine may refuse it something (a file, a descriptor, memory for a thread), or it may have a bug: neither may end the
exchange, and with it every call, again and again. Both are said: the log has the reason, `failed` gets a bug's name. Must
not know what the tasks do: each may be begun anew at any time, since the next process would do the same, and has to ask for
what it missed in the pause.
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
    """Until it returns; raises nothing but its own cancellation, whatever `begin` makes of that."""
    loop, pause = asyncio.get_running_loop(), PAUSE
    while True:
        began, returned = loop.time(), False
        with contained("a part failed", lambda why: failed(what, why.partition(":")[0]), task=what):
            returned = await _by_its_kind(what, begin)
        if returned:
            return
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise asyncio.CancelledError  # a group whose task fails while it is cancelled raises that instead
        pause = PAUSE if loop.time() - began >= WELL else pause
        await asyncio.sleep(pause)
        pause = min(2 * pause, LONGEST)


async def _by_its_kind(what: str, begin: Callable[[], Awaitable[None]]) -> bool:
    """Whether it returned by itself. A bug of one of its tasks is a bug of that kind, not a group."""
    try:
        return await _unless_refused(what, begin)
    except ExceptionGroup as bugs:
        raise _first(bugs) from bugs


async def _unless_refused(what: str, begin: Callable[[], Awaitable[None]]) -> bool:
    """Whether it returned by itself."""
    refused = False
    try:
        # a task of its own: before 3.13 a group that fails leaves the task it is in as if that had been cancelled
        await asyncio.gather(begin())
    except* OSError as errors:
        refused = True
        log.error("refused by the machine, begun again", task=what, why=str(_first(errors)))
    return not refused


def _first(group: ExceptionGroup[Exception]) -> Exception:
    error: Exception = group
    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    return error
