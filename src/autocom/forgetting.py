"""Keeps what `retention` promises: every hour, the calls and texts whose time is over are forgotten.

Evidence stays without a caller in it: one entry `forgotten` for each client, with how many. PostgreSQL
away means later, never never. Must not know how rows are removed (`journal.retention`). Who runs it is `app`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING

import structlog
from sqlalchemy.exc import SQLAlchemyError

from autocom.core.journal import Entry
from autocom.journal import retention

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

    from autocom.calls.ports import Clock, Journal
    from autocom.core.model import Configuration

log = structlog.get_logger()

PATIENCE = 120.0
"""Seconds that one round may take; what is left is forgotten in the next."""

FIRST_AFTER = 60.0
EVERY = 3600.0
NO_LONGER_CONFIGURED = 365 * 86400.0
"""Seconds for which calls of clients that are gone from the configuration are kept."""

TEXTS_OF_NOBODY = 30 * 86400.0
"""Seconds for which texts of no client that is configured are kept: the bureau's own, and of clients that went."""


async def forget_in_time(
    engine: AsyncEngine, journal: Journal, clock: Clock, configuration: Callable[[], Configuration]
) -> None:
    """Until cancelled."""
    due = clock.now() + FIRST_AFTER
    while True:
        await clock.until(due)
        await forget_once(engine, journal, clock.now(), configuration())
        await forget_texts(engine, journal, clock.now(), configuration())
        due = clock.now() + EVERY


async def forget_once(
    engine: AsyncEngine, journal: Journal, now: float, configuration: Configuration
) -> None:
    """One round; what the database refuses is tried again in the next."""
    kept = {client.id: client.retention_calls for client in configuration.clients.values()}
    await _forget("calls", retention.forget_calls(engine, kept, NO_LONGER_CONFIGURED, now), journal, now)


async def forget_texts(
    engine: AsyncEngine, journal: Journal, now: float, configuration: Configuration
) -> None:
    """The same of texts, by `retention: {texts: …}`; the bureau's own as those of a client that is gone."""
    kept = {client.id: client.retention_texts for client in configuration.clients.values()}
    await _forget("texts", retention.forget_texts(engine, kept, TEXTS_OF_NOBODY, now), journal, now)


async def _forget(what: str, removal: Awaitable[Mapping[str, int]], journal: Journal, now: float) -> None:
    try:
        async with asyncio.timeout(PATIENCE):  # a frozen server keeps the connection, which others need
            gone = await removal
    except (SQLAlchemyError, OSError) as error:
        why = str(error).partition("\n")[0] or type(error).__name__
        log.warning("not forgotten yet", what=what, why=why, retry_s=EVERY)
        return
    if gone:
        journal.save(
            [Entry(now, "forgotten", None, {"client": client, what: n}) for client, n in gone.items()]
        )
