"""The journal's PostgreSQL: started here or running elsewhere, migrated, and shipped to.

Nothing here is waited for by a call: a start takes the calls over first, and this is loaded beside them (SQLAlchemy,
psycopg and Alembic are a third of all that has to be imported). Only the very first start of a private one must succeed:
until then there is no journal to do without. Must not know what stands in the journal.
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

import psycopg
import structlog
from sqlalchemy.exc import SQLAlchemyError

from autocom.foundations import Told
from autocom.journal.postgres import PostgresUnavailable, PrivatePostgres
from autocom.journal.shipper import Shipper
from autocom.settings import Settings

log = structlog.get_logger()

PATIENCE = 8.0
"""Seconds that the start waits for a PostgreSQL that has run before; `keepers` goes on starting it."""
RETRY_FIRST, RETRY_MOST = 0.2, 10.0
LAST_WITHIN = 2.0


async def lay(settings: Settings, told: Told, servers: AsyncExitStack) -> str:
    """The URL of PostgreSQL, which was started where none is set; `servers` stops it. Raises PostgresUnavailable,
    OSError."""
    if settings.database_url:
        return settings.database_url
    server = PrivatePostgres(settings.state)
    # before it starts: the rest may fail meanwhile, and a thread that starts a server cannot be cancelled
    servers.push_async_callback(asyncio.to_thread, server.stop)
    known = server.remembered()
    async with told.step("PostgreSQL"):
        try:
            # the first time there is no journal to do without; later calls need not wait for a long recovery
            async with asyncio.timeout(PATIENCE if known else None):
                return await asyncio.to_thread(server.start)
        except (PostgresUnavailable, OSError) as error:  # a full disk as well, and a TimeoutError
            if known is None:
                raise
            log.error("PostgreSQL does not start, calls go on without it", why=str(error) or "not ready yet")
            return known


class _CannotMigrate(Exception):  # noqa: N818 - says what is the case
    """A database of a newer version, or a step that is missing."""


def _migrate(url: str) -> None:
    """Alembic is loaded last of all."""
    from alembic.util import CommandError  # noqa: PLC0415

    from autocom.journal import migrate  # noqa: PLC0415

    try:
        migrate.upgrade(url)
    except CommandError as error:
        raise _CannotMigrate(str(error)) from error


async def ship(url: str, shipper: Shipper) -> None:
    """Until cancelled: migrate as soon as PostgreSQL is there, then copy the log to it."""
    pause = RETRY_FIRST
    while True:
        try:
            await asyncio.to_thread(_migrate, url)
        except (SQLAlchemyError, psycopg.Error, OSError, _CannotMigrate) as error:
            why = str(error).partition("\n")[0]
            log.error("database away, calls go on without it", why=why, retry_s=pause)
            await asyncio.sleep(pause)
            pause = min(pause * 2, RETRY_MOST)
        else:
            break
    await shipper.run()


async def ship_the_last(shipper: Shipper) -> None:
    """What was written in the last moment reaches PostgreSQL now, or at the next start."""
    async with asyncio.TaskGroup() as tasks:
        shipping = tasks.create_task(shipper.run())
        await shipper.flush(LAST_WITHIN)
        shipping.cancel()
