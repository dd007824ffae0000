"""Which messages callers left, from the journal: `autocom voicemail`.

The journal knows of every one, also of those whose recording is erased by now; whether the sound is
still here is told by the state folder, which this must not know.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from autocom.core.journal import Json
from autocom.journal.tables import calls, events


async def left(engine: AsyncEngine, *, client: str | None = None, limit: int = 50) -> list[dict[str, Json]]:
    """Messages, newest first: `id` (the recording), `call`, `client`, `caller` (None: withheld), `at`
    (UTC epoch seconds), `seconds` (None: not measured), `heard_at` (None: nobody listened to it yet) and
    `heard_by`."""
    fields = events.c.fields
    question = (
        sa.select(
            fields["recording"].astext.label("id"),
            events.c.call,
            calls.c.client,
            calls.c.caller,
            events.c.at,
            fields["seconds"].astext.label("seconds"),
        )
        .select_from(events.outerjoin(calls, calls.c.id == events.c.call))
        .where(events.c.kind == "voicemail_ended", fields["ok"].astext == "true")
        .order_by(events.c.at.desc(), events.c.seq.desc())
        .limit(limit)
    )
    if client is not None:
        question = question.where(calls.c.client == client)
    async with engine.connect() as connection:
        rows = (await connection.execute(question)).mappings().all()
        heard = await _heard(connection, [row["id"] for row in rows])
    return [
        {
            "id": row["id"],
            "call": row["call"],
            "client": row["client"],
            "caller": row["caller"],
            "at": row["at"].timestamp(),
            "seconds": None if row["seconds"] is None else float(row["seconds"]),
            "heard_at": heard.get(row["id"], (None, None))[0],
            "heard_by": heard.get(row["id"], (None, None))[1],
        }
        for row in rows
    ]


async def _heard(connection: AsyncConnection, recordings: list[str]) -> dict[str, tuple[float, str | None]]:
    """When and by whom each of these was said to be heard, where the last word on it is that it was."""
    fields = events.c.fields
    question = (
        sa.select(events.c.at, fields["recording"].astext, fields["heard"].astext, fields["by"].astext)
        .where(events.c.kind == "voicemail_heard", fields["recording"].astext.in_(recordings))
        .order_by(events.c.at, events.c.seq)
    )
    found: dict[str, tuple[float, str | None]] = {}
    for at, recording, heard, by in (await connection.execute(question)).all():
        if heard == "true":
            found[recording] = at.timestamp(), by
        else:
            found.pop(recording, None)
    return found
