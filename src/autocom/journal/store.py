"""Stores a batch of facts in PostgreSQL, with all that follows from them, in one transaction.

The caller owns the transaction. A fact that is there already changes nothing; every call that
the batch touches is computed anew from all its facts by `core.record`, so that rows and facts
never disagree. Must not know when and how often this is tried (`shipper`).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from autocom.core.record import project, segments
from autocom.journal.rows import (
    Row,
    call_row,
    client_row,
    entry_of,
    event_row,
    mended,
    segment_rows,
    state_row,
    version_row,
)
from autocom.journal.tables import calls, clients, config_versions, events, secretary_states
from autocom.journal.tables import segments as segments_table
from autocom.journal.written import Fact


async def store(connection: AsyncConnection, node: str, facts: Sequence[Fact]) -> None:
    """Store these facts, as of machine `node`, in the connection's transaction.

    Raises what PostgreSQL says, ValueError for an instant of no calendar."""
    rows = [event_row(fact.log, fact.seq, node, fact.entry) for fact in facts]
    # one at a time per node: a predecessor that was frozen and goes on may be in the middle of a batch
    lock = sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(node, 0))
    await connection.execute(sa.select(lock))
    await _many(connection, _ONCE[events.name], rows)
    await _single_facts(connection, rows)
    await _calls(connection, node, sorted({row["call"] for row in rows if row["call"]}))


async def _single_facts(connection: AsyncConnection, rows: Sequence[Row]) -> None:
    of_kind: dict[str, list[Row]] = {"secretary_state": [], "configuration": [], "identified": []}
    for row in rows:
        if row["kind"] in of_kind:
            of_kind[row["kind"]].append(row)
    states = [found for row in of_kind["secretary_state"] if (found := state_row(row))]
    await _many(connection, _ONCE[secretary_states.name], states)
    versions = [found for row in of_kind["configuration"] if (found := version_row(row))]
    await _many(connection, _ONCE[config_versions.name], versions)
    seen = [found for row in of_kind["identified"] if (found := client_row(row))]
    # in one order everywhere: two nodes that see the same clients never wait crosswise
    await _many(connection, _CLIENT_SEEN, sorted(seen, key=lambda row: str(row["id"])))


async def _calls(connection: AsyncConnection, node: str, touched: Sequence[str]) -> None:
    if not touched:
        return
    facts = events.c
    question = (
        sa.select(facts.call, facts.at, facts.kind, facts.fields, facts.log, facts.seq)
        .where(facts.call.in_(touched))
        # as they were written: the wall clock may have been set back between two runs
        .order_by(facts.call, facts.node, facts.seq, facts.at)
    )
    found = (await connection.execute(question)).mappings().all()
    rows: list[Row] = []
    parts: list[Row] = []
    for call, group in groupby(found, key=lambda row: str(row["call"])):
        entries = mended((row["log"], row["seq"], entry_of(dict(row))) for row in group)
        rows.append(call_row(project(call, entries), node))
        parts += segment_rows(call, segments(entries), node)
    await _many(connection, _CALL, rows)
    await connection.execute(sa.delete(segments_table).where(segments_table.c.call.in_(touched)))
    await _many(connection, sa.insert(segments_table), parts)


async def _many(connection: AsyncConnection, statement: sa.Insert, rows: list[Row]) -> None:
    if rows:
        await connection.execute(statement, rows)


def _call_again() -> sa.Insert:
    statement = insert(calls)
    changed = {c.name: statement.excluded[c.name] for c in calls.c if c.name != "id"}
    return statement.on_conflict_do_update(index_elements=["id"], set_=changed)


def _client_seen() -> sa.Insert:
    statement = insert(clients)
    new = statement.excluded
    return statement.on_conflict_do_update(
        index_elements=["id"],
        set_={
            "name": sa.func.coalesce(new.name, clients.c.name),
            "first_seen": sa.func.least(clients.c.first_seen, new.first_seen),
            "last_seen": sa.func.greatest(clients.c.last_seen, new.last_seen),
        },
    )


_ONCE = {
    table.name: insert(table).on_conflict_do_nothing()
    for table in (events, secretary_states, config_versions)
}
_CALL = _call_again()
_CLIENT_SEEN = _client_seen()
