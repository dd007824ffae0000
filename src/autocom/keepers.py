"""Keeps the servers that we started alive: a private Asterisk or PostgreSQL that dies is started again.

Asterisk's callers are gone with it: the comparison after the reconnect ends their calls in the
journal and frees their secretaries, whose phones Asterisk still knows. PostgreSQL's absence costs
no call, the local log fills meanwhile. Never gives up; must not know what a call is. Cancel these
before the servers are stopped. Who runs them is `app`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog

from autocom.asterisk.conf.text import Unwritable
from autocom.asterisk.private import AsteriskFailed, PrivateAsterisk
from autocom.calls.ports import Clock
from autocom.core.model import Configuration
from autocom.journal.postgres import PostgresUnavailable, PrivatePostgres

log = structlog.get_logger()

FIRST_PAUSE, LONGEST_PAUSE = 0.2, 5.0
STEADY = 30.0
"""Seconds after which a restarted Asterisk counts as well again: its next death is met at once."""
OWED_AGAIN = 5.0
LOOK_EVERY = 1.0


class DoorsMoved(Exception):  # noqa: N818 - says what is the case
    """Another program took a port of our dead Asterisk: only a new start of autocom reaches the new one."""


async def keep_asterisk(
    server: PrivateAsterisk,
    configuration: Callable[[], Configuration],
    clock: Clock,
    tell: Callable[[str, str], None],
) -> None:
    """Until cancelled. `tell` gets an event's name and its detail. Raises DoorsMoved."""
    doors = server.doors
    pause = FIRST_PAUSE
    while True:
        since = clock.now()
        why = str(await server.died())
        if clock.now() - since > STEADY:
            pause = FIRST_PAUSE
        log.critical("asterisk died, its calls are lost, starting it again", why=why)
        tell("asterisk_died", why)
        while True:
            try:
                if await server.start(configuration()) != doors:
                    raise DoorsMoved("another program took a port of the dead Asterisk: start autocom again")
                break
            except (AsteriskFailed, Unwritable, OSError) as error:
                log.error("asterisk does not start", why=str(error), retry_s=pause)
                await asyncio.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE)
        tell("asterisk_restarted", "")


async def catch_up(server: PrivateAsterisk) -> None:
    """Return when an adopted Asterisk has been told what it could not be told at once, or something newer."""
    while (owed := server.owed) is not None:
        await asyncio.sleep(OWED_AGAIN)
        if server.owed is owed:
            try:
                await server.apply(owed)
            except (AsteriskFailed, OSError) as error:
                log.warning("asterisk does not follow its configuration yet", why=str(error))
                server.owed = owed


async def keep_postgres(server: PrivatePostgres, url: str) -> None:
    """Until cancelled. A frozen server is left alone: it may wake up, and killing it may cost more."""
    while True:
        await asyncio.sleep(LOOK_EVERY)
        if await asyncio.to_thread(server.running):
            continue
        log.error("PostgreSQL died, calls go on without it, starting it again")
        try:
            if await asyncio.to_thread(server.start) != url:
                log.error("PostgreSQL has another port now: the journal waits for the next start of autocom")
        except (PostgresUnavailable, OSError) as error:
            log.error("PostgreSQL does not start", why=str(error))
