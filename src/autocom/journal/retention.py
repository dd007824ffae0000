"""Forgetting calls whose client no longer wants them kept (`retention: {calls: 90d}`).

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
from autocom.journal.tables import calls, events

AT_ONCE = 500
"""Calls that are removed in one transaction."""


async def forget_calls(
    engine: AsyncEngine, kept: Mapping[str, float], otherwise: float, now: float
) -> dict[str, int]:
    """Remove the calls that ended longer ago than their client's `kept` seconds; `otherwise` for clients that
    are configured no more. How many of each client were removed; raises what the database raises."""
    async with engine.connect() as connection:
        known = (await connection.execute(sa.select(calls.c.client).distinct())).scalars().all()
    gone: dict[str, int] = {}
    for client in known:
        before = now - kept.get(client or "", otherwise)
        while removed := await _some(engine, client, before):
            gone[client or ""] = gone.get(client or "", 0) + removed
    return gone


async def _some(engine: AsyncEngine, client: str | None, before: float) -> int:
    mine = calls.c.client.is_(None) if client is None else calls.c.client == client
    old = sa.select(calls.c.id).where(mine, calls.c.ended_at < instant(before)).limit(AT_ONCE)
    async with engine.begin() as connection:
        found = (await connection.execute(old)).scalars().all()
        if found:
            await connection.execute(sa.delete(events).where(events.c.call.in_(found)))
            await connection.execute(sa.delete(calls).where(calls.c.id.in_(found)))
    return len(found)
