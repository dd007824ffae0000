"""Forgetting what a client no longer wants kept (`retention: {calls: 90d, texts: 30d}`).

A call is forgotten whole: its row, its segments and every fact about it go in one transaction, so
no number of a caller outlives the day. Facts of the house (who was logged in, which version was in
force) name no caller and stay. Must not know where the figures come from. Invariant: a call that
goes on is never touched, and what is removed in one step is small, so that nobody waits behind a lock.
"""

from __future__ import annotations

from collections.abc import Mapping

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from autocom.journal.rows import instant
from autocom.journal.tables import calls, events, texts

AT_ONCE = 500
"""Calls, or texts, that are removed in one transaction."""


async def forget_calls(
    engine: AsyncEngine, kept: Mapping[str, float], otherwise: float, now: float
) -> dict[str, int]:
    """Remove the calls that ended longer ago than their client's `kept` seconds; `otherwise` for clients that
    are configured no more. How many of each client were removed; raises what the database raises."""
    return await _forget(engine, calls, calls.c.ended_at, (events.c.call,), kept, otherwise, now)


async def forget_texts(
    engine: AsyncEngine, kept: Mapping[str, float], otherwise: float, now: float
) -> dict[str, int]:
    """The same of texts; `otherwise` also for the bureau's own."""
    return await _forget(engine, texts, texts.c.at, (), kept, otherwise, now)


async def _forget(
    engine: AsyncEngine,
    table: sa.Table,
    at: sa.Column[object],
    with_them: tuple[sa.Column[object], ...],
    kept: Mapping[str, float],
    otherwise: float,
    now: float,
) -> dict[str, int]:
    """`at`: from when on it counts (NULL: not yet). `with_them`: columns of other tables in which its id stands."""
    async with engine.connect() as connection:
        known = (await connection.execute(sa.select(table.c.client).distinct())).scalars().all()
    gone: dict[str, int] = {}
    for client in known:
        mine = table.c.client.is_(None) if client is None else table.c.client == client
        before = instant(now - kept.get(client or "", otherwise))
        old = sa.select(table.c.id).where(mine, at < before).limit(AT_ONCE)
        while removed := await _some(engine, old, (*with_them, table.c.id)):
            gone[client or ""] = gone.get(client or "", 0) + removed
    return gone


async def _some(
    engine: AsyncEngine, old: sa.Select[tuple[str]], columns: tuple[sa.Column[object], ...]
) -> int:
    async with engine.begin() as connection:
        found = (await connection.execute(old)).scalars().all()
        for column in columns if found else ():
            await connection.execute(sa.delete(column.table).where(column.in_(found)))
    return len(found)
