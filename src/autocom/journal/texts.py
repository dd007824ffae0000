"""Texts in PostgreSQL: stored, listed and found; when they are forgotten is `retention`.

The content of a text and the numbers of people outside stand here and in no event of the journal. Must not
know how texts come and go: a row is the text as it was when it was stored last. Invariant: storing it again
changes nothing else, so whoever stores may repeat himself.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncEngine

from autocom.core.journal import Json
from autocom.core.texts import Incoming, Outgoing, Text
from autocom.journal.rows import Row, clean, instant
from autocom.journal.tables import texts as table


async def store(engine: AsyncEngine, text: Text, node: str = "main") -> None:
    """Bring its row up to date. Raises what the database raises."""
    row = _row(text) | {"node": node}
    statement = insert(table)
    changed = {column.name: statement.excluded[column.name] for column in table.c if column.name != "id"}
    async with engine.begin() as connection:
        await connection.execute(statement.on_conflict_do_update(index_elements=["id"], set_=changed), [row])


async def listed(engine: AsyncEngine, *, client: str | None = None, limit: int = 50) -> list[dict[str, Json]]:
    """The newest texts, of one client or of all."""
    question = sa.select(table)
    if client is not None:
        question = question.where(table.c.client == client)
    question = question.order_by(table.c.at.desc(), table.c.id.desc()).limit(limit)
    async with engine.connect() as connection:
        return [_told(dict(row)) for row in (await connection.execute(question)).mappings()]


async def found(engine: AsyncEngine, wanted: str) -> list[dict[str, Json]]:
    """The texts with this id or reference, newest first."""
    same = sa.or_(table.c.id == wanted, table.c.reference == wanted)
    question = sa.select(table).where(same).order_by(table.c.at.desc()).limit(10)
    async with engine.connect() as connection:
        return [_told(dict(row)) for row in (await connection.execute(question)).mappings()]


async def attachments(engine: AsyncEngine) -> set[str]:
    """The names of every attachment that a text has."""
    question = sa.select(table.c.attachments).where(sa.func.jsonb_array_length(table.c.attachments) > 0)
    async with engine.connect() as connection:
        return {each["digest"] for row in (await connection.execute(question)).scalars() for each in row}


def as_told(text: Text) -> dict[str, Json]:
    """A text that is under way in the words of `listed`."""
    return _told(_row(text))


def _row(text: Text) -> Row:
    common: Row = {
        "id": text.id,
        "reference": text.reference,
        "provider": text.provider,
        "client": text.client,
        "body": clean(text.body),
        "discreet": text.discreet,
        "at": instant(text.at),
        "sender": None,
        "secretary": None,
        "author": None,
        "answers": None,
        "failure": None,
        "flags": [],
        "attachments": [],
        "shown": [],
        "parts": 1,
    }
    match text:
        case Incoming():
            attached = [{"digest": a.digest, "type": a.type, "size": a.size} for a in text.attachments]
            return common | {
                "direction": "in",
                "number": text.did,
                "peer": text.peer,
                "sender": clean(text.sender) or None,
                "secretary": text.answered,
                "state": "answered" if text.answered else "shown" if text.shown else "received",
                "state_at": instant(text.at),
                "flags": list(text.flags),
                "failure": clean(_not_kept(text)) or None,
                "attachments": attached,
                "shown": list(text.shown),
            }
        case Outgoing():
            return common | {
                "direction": "out",
                "number": text.number,
                "peer": text.to,
                "secretary": text.secretary,
                "author": clean(text.author) or None,
                "answers": text.answers,
                "state": text.state,
                "state_at": instant(text.since),
                "failure": clean(text.error) or None,
                "parts": text.wanted,
            }


def _not_kept(text: Incoming) -> str:
    """Which attachments are missing, and why; empty where none is."""
    what = "1 attachment" if text.lost == 1 else f"{text.lost} attachments"
    return f"{what} not kept: {text.lost_why or '?'}" if text.lost else ""


def _told(row: Mapping[str, Any]) -> dict[str, Json]:
    told = {key: value for key, value in row.items() if key != "node"}
    for key in ("at", "state_at"):
        told[key] = row[key].isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return told
