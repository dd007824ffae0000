"""A past day as the journal tells it: its calls, how phones were picked up, who was at work.

For those who want to know what would have been, `autocom simulate` first of all. Instants are UTC epoch
seconds, times are seconds. Must not know what becomes of it. Only calls from outside that have ended count, and fax
machines do not.
"""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from autocom.journal.rows import instant
from autocom.journal.tables import calls as calls_table
from autocom.journal.tables import events as events_table
from autocom.journal.tables import secretary_states as states_table
from autocom.journal.tables import segments as segments_table


@dataclass(frozen=True, slots=True)
class PastCall:
    """One call. `queued`: it waited for a secretary; `wait` and `talk` as `wait_ms` and `talk_ms`."""

    id: str
    at: float
    client: str
    did: str | None
    caller: str | None
    anonymous: bool
    forwarded_from: str | None
    forward_reason: str | None
    outcome: str
    queued: bool
    wait: float
    talk: float


@dataclass(frozen=True, slots=True)
class PastState:
    """A secretary's state from `at` on."""

    at: float
    secretary: str
    state: str
    reason: str | None


@dataclass(frozen=True, slots=True)
class PastDay:
    """`pick_ups`: seconds of ringing of offers that were answered; `missed`: how many offers were let ring;
    `wrap_ups`: seconds of work after conversations. `states` begins with what held at the day's start."""

    calls: tuple[PastCall, ...]
    pick_ups: tuple[float, ...]
    missed: int
    wrap_ups: tuple[float, ...]
    states: tuple[PastState, ...]


async def day(engine: AsyncEngine, start: float, end: float) -> PastDay:
    """What happened from `start` to `end`."""
    async with engine.connect() as connection:
        pick_ups, missed = await _offers(connection, start, end)
        return PastDay(
            await _calls(connection, start, end),
            pick_ups,
            missed,
            await _wrap_ups(connection, start, end),
            (*await _states_at(connection, start), *await _states(connection, start, end)),
        )


async def _calls(connection: AsyncConnection, start: float, end: float) -> tuple[PastCall, ...]:
    columns = calls_table.c
    question = (
        sa.select(calls_table)
        .where(columns.arrived_at >= instant(start), columns.arrived_at < instant(end))
        .where(columns.ended_at.is_not(None), columns.client.is_not(None), columns.direction == "in")
        .order_by(columns.arrived_at, columns.id)
    )
    return tuple(
        PastCall(
            id=row["id"],
            at=row["arrived_at"].timestamp(),
            client=row["client"],
            did=row["did"],
            caller=row["caller"],
            anonymous=row["anonymous"],
            forwarded_from=row["forwarded_from"],
            forward_reason=row["forward_reason"],
            outcome=row["outcome"],
            queued=row["queued_at"] is not None,
            wait=(row["wait_ms"] or 0) / 1000,
            talk=row["talk_ms"] / 1000,
        )
        for row in (await connection.execute(question)).mappings()
        if "fax" not in row["flags"]
    )


async def _offers(connection: AsyncConnection, start: float, end: float) -> tuple[tuple[float, ...], int]:
    columns = events_table.c
    question = (
        sa.select(columns.at, columns.kind, columns.fields)
        .where(columns.at >= instant(start), columns.at < instant(end))
        .where(columns.kind.in_(("offered", "offer_ended")))
        .order_by(columns.at, columns.log, columns.seq)
    )
    rang: dict[str, float] = {}
    pick_ups: list[float] = []
    missed = 0
    for row in (await connection.execute(question)).mappings():
        leg, at = str(row["fields"].get("leg")), row["at"].timestamp()
        if row["kind"] == "offered":
            rang.setdefault(leg, at)
        elif (since := rang.pop(leg, None)) is not None:
            if row["fields"].get("result") == "answered":
                pick_ups.append(at - since)
            missed += row["fields"].get("result") == "no_answer"
    return tuple(pick_ups), missed


async def _wrap_ups(connection: AsyncConnection, start: float, end: float) -> tuple[float, ...]:
    columns = segments_table.c
    question = (
        sa.select(columns.start, columns.end)
        .where(columns.kind == "wrap_up", columns.end.is_not(None))
        .where(columns.start >= instant(start), columns.start < instant(end))
    )
    rows = (await connection.execute(question)).mappings()
    return tuple((row["end"] - row["start"]).total_seconds() for row in rows)


async def _states(connection: AsyncConnection, start: float, end: float) -> list[PastState]:
    columns = states_table.c
    question = (
        sa.select(columns.at, columns.secretary, columns.state, columns.reason)
        .where(columns.at >= instant(start), columns.at < instant(end))
        .order_by(columns.at, columns.log, columns.seq)
    )
    return [
        PastState(row["at"].timestamp(), row["secretary"], row["state"], row["reason"])
        for row in (await connection.execute(question)).mappings()
    ]


async def _states_at(connection: AsyncConnection, start: float) -> list[PastState]:
    """Each secretary's last state before the day."""
    columns = states_table.c
    question = (
        sa.select(columns.secretary, columns.state, columns.reason)
        .where(columns.at < instant(start))
        .order_by(columns.secretary, columns.at.desc(), columns.log.desc(), columns.seq.desc())
        .ext(distinct_on(columns.secretary))
    )
    return [
        PastState(start, row["secretary"], row["state"], row["reason"])
        for row in (await connection.execute(question)).mappings()
    ]
