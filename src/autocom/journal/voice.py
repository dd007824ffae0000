"""Which messages callers left, from the journal: `autocom voicemail`.

The journal knows of every one, also of those whose recording is erased by now; whether the sound is
still here is told by the state folder, which this must not know.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from autocom.core.journal import Json
from autocom.journal.tables import calls, events


async def left(engine: AsyncEngine, *, client: str | None = None, limit: int = 50) -> list[dict[str, Json]]:
    """Messages, newest first: `id` (the recording), `call`, `client`, `caller` (None: withheld), `at`
    (UTC epoch seconds), `seconds` (None: not measured)."""
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
    return [
        {
            "id": row["id"],
            "call": row["call"],
            "client": row["client"],
            "caller": row["caller"],
            "at": row["at"].timestamp(),
            "seconds": None if row["seconds"] is None else float(row["seconds"]),
        }
        for row in rows
    ]
