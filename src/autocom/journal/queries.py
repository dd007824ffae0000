"""Reads the journal for people and programs: `autocom calls`, `autocom call ID`, reports.

Answers are plain dictionaries in the contract's words (section 4), ready for JSON: instants are
ISO 8601 in UTC with milliseconds and `Z`. Must not know how rows come into PostgreSQL. What is
here is as fresh as the shipper is; a caller who needs the last moment flushes it first.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from autocom.core.journal import Entry, Json
from autocom.journal.rows import entry_of, instant, mended
from autocom.journal.tables import calls as calls_table
from autocom.journal.tables import events as events_table
from autocom.journal.tables import secretary_states
from autocom.journal.tables import segments as segments_table

_MOST_NAMED = 5

# the contract's keys in the contract's order, then ours
CALL_KEYS = (
    "id", "client", "did", "caller", "anonymous", "forwarded_from", "forward_reason", "rule", "config_version",
    "arrived_at", "answered_at", "queued_at", "bridged_at", "ended_at", "secretary", "outcome", "cause",
    "wait_ms", "talk_ms", "offers", "trunk", "flags", "node", "direction", "result",
)  # fmt: skip


class AmbiguousId(LookupError):  # noqa: N818 - the user's half of an id, not a fault of ours
    """The beginning of an id that several calls share; the text names some of them."""


async def calls(
    engine: AsyncEngine,
    *,
    client: str | None = None,
    since: float | None = None,
    until: float | None = None,
    limit: int | None = 50,
    direction: str | None = None,
) -> list[dict[str, Json]]:
    """Calls, newest first: of one client, arrived at or after `since` and before `until` (UTC epoch
    seconds), of one `direction` (in, out, internal), at most `limit` of them (None: all)."""
    question = sa.select(*(calls_table.c[key] for key in CALL_KEYS))
    if client is not None:
        question = question.where(calls_table.c.client == client)
    if direction is not None:
        question = question.where(calls_table.c.direction == direction)
    if since is not None:
        question = question.where(calls_table.c.arrived_at >= instant(since))
    if until is not None:
        question = question.where(calls_table.c.arrived_at < instant(until))
    question = question.order_by(calls_table.c.arrived_at.desc(), calls_table.c.id.desc()).limit(limit)
    async with engine.connect() as connection:
        return [_plain(dict(row)) for row in (await connection.execute(question)).mappings()]


async def call(engine: AsyncEngine, id_or_prefix: str) -> dict[str, Json] | None:
    """One call with its `events` and `segments`, by its id or the beginning of it; None where there
    is none. An event's fields stand beside its `at` and `kind`. Raises AmbiguousId."""
    async with engine.connect() as connection:
        row = await _find(connection, id_or_prefix)
        if row is None:
            return None
        found = _plain(row)
        found["events"] = [_event(e) for e in await _events(connection, row["id"])]
        found["segments"] = [_plain(s) for s in await _segments(connection, row["id"])]
        return found


async def states(
    engine: AsyncEngine, *, since: float, secretary: str | None = None
) -> list[tuple[float, str, str, str | None]]:
    """What secretaries were from `since` (UTC epoch seconds) on, and the state each was in then, oldest
    first: instant, secretary, state, reason."""
    columns = secretary_states.c
    told = (columns.at, columns.secretary, columns.state, columns.reason)
    later = sa.select(*told).where(columns.at >= instant(since))
    before = sa.select(*told).ext(distinct_on(columns.secretary)).where(columns.at < instant(since))
    if secretary is not None:
        later, before = (one.where(columns.secretary == secretary) for one in (later, before))
    before = before.order_by(columns.secretary, columns.at.desc(), columns.log.desc(), columns.seq.desc())
    later = later.order_by(columns.at, columns.log, columns.seq)
    async with engine.connect() as connection:
        rows = [*(await connection.execute(before)), *(await connection.execute(later))]
    return [(row.at.timestamp(), row.secretary, row.state, row.reason) for row in rows]


async def _find(connection: AsyncConnection, prefix: str) -> Mapping[str, Any] | None:
    ids = calls_table.c.id
    question = (
        sa.select(*(calls_table.c[key] for key in CALL_KEYS))
        .where(ids.startswith(prefix, autoescape=True))
        .order_by(ids)
        .limit(_MOST_NAMED + 1)
    )
    # in order of ids the exact one comes first
    rows = (await connection.execute(question)).mappings().all() if prefix else []
    if len(rows) > 1 and rows[0]["id"] != prefix:
        names = ", ".join(row["id"] for row in rows[:_MOST_NAMED])
        raise AmbiguousId(f"{prefix}: {names}{', …' if len(rows) > _MOST_NAMED else ''}")
    return dict(rows[0]) if rows else None


async def _events(connection: AsyncConnection, call_id: str) -> list[Entry]:
    columns = events_table.c
    question = (
        sa.select(columns.at, columns.kind, columns.fields, columns.call, columns.log, columns.seq)
        .where(columns.call == call_id)
        .order_by(columns.node, columns.seq, columns.at)
    )
    rows = (await connection.execute(question)).mappings()
    return mended((row["log"], row["seq"], entry_of(dict(row))) for row in rows)


async def _segments(connection: AsyncConnection, call_id: str) -> list[Mapping[str, Any]]:
    columns = segments_table.c
    question = (
        sa.select(columns.kind, columns.start, columns.end, columns.secretary)
        .where(columns.call == call_id)
        .order_by(columns.position)
    )
    return [dict(row) for row in (await connection.execute(question)).mappings()]


def _event(entry: Entry) -> dict[str, Json]:
    return {"at": _iso(instant(entry.at)), "kind": entry.kind} | {
        key: value for key, value in entry.fields.items() if key not in {"at", "kind"}
    }


def _plain(row: Mapping[str, Any]) -> dict[str, Json]:
    return {key: _iso(value) if isinstance(value, datetime) else value for key, value in row.items()}


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
