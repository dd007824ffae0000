"""Entries and records as rows of PostgreSQL, and back.

Pure conversions; must not know about connections. Invariant: whatever the stories wrote, the
rows made here are ones PostgreSQL can take: instants in milliseconds, no NUL and no lone
surrogate in any text, no NaN in any JSON. A caller's display name must never stop the journal.
"""

from __future__ import annotations

import math
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import asdict, replace
from datetime import UTC, datetime
from itertools import groupby, pairwise
from operator import attrgetter, itemgetter
from typing import Any

from autocom.core.journal import CallRecord, Entry, Json, Segment

Row = dict[str, Any]

_SET_BACK = 1.0  # seconds: less is the order in which two tasks spoke
_INSTANTS = ("arrived_at", "answered_at", "queued_at", "bridged_at", "ended_at")


def instant(at: float) -> datetime:
    """UTC, to the millisecond. ValueError where no calendar has it."""
    try:
        return datetime.fromtimestamp(round(at * 1000) / 1000, UTC)
    except (OverflowError, OSError) as error:
        raise ValueError(f"{at} is no instant: {error}") from None


def event_row(log: uuid.UUID, seq: int, node: str, entry: Entry) -> Row:
    """The row of a fact."""
    return {
        "log": log,
        "seq": seq,
        "node": node,
        "call": entry.call and text(entry.call),
        "at": instant(entry.at),
        "kind": text(entry.kind),
        "fields": clean(dict(entry.fields)),
    }


def entry_of(row: Mapping[str, Any]) -> Entry:
    """The fact of a row, with its instant as stored (milliseconds)."""
    return Entry(row["at"].timestamp(), row["kind"], row["call"], row["fields"])


def mended(facts: Iterable[tuple[uuid.UUID, int, Entry]]) -> list[Entry]:
    """The entries of one call, each with the run that wrote it and its number, by number: a run that begins before the
    one before it ended had a clock that was set back, so what it wrote is moved behind. Durations within a run
    are what they were; none is negative."""
    found: list[Entry] = []
    for _, run in groupby(_by_run(list(facts)), key=itemgetter(0)):
        # one clock, so its instants tell the order: a fact may be written after a later one, by milliseconds
        entries = sorted((entry for _, _, entry in run), key=attrgetter("at"))
        behind = found[-1].at - entries[0].at if found else 0.0
        if behind > _SET_BACK:
            entries = [replace(entry, at=entry.at + behind) for entry in entries]
        found += entries
    return found


def _by_run(facts: list[tuple[uuid.UUID, int, Entry]]) -> list[tuple[uuid.UUID, int, Entry]]:
    """One run after the other, where numbers came again after a power cut: the next run has those that the file lost, and
    PostgreSQL has both. A predecessor that was frozen and goes on shares the file, and the time, with its successor: there
    the numbers tell the order."""
    runs: dict[uuid.UUID, list[float]] = {}
    for log, _, entry in facts:
        runs.setdefault(log, []).append(entry.at)
    spans = sorted((min(instants), max(instants)) for instants in runs.values())
    shared = any(later[0] <= earlier[1] for earlier, later in pairwise(spans))
    if shared and len({seq for _, seq, _ in facts}) == len(facts):
        return facts
    places = {log: place for place, log in enumerate(runs)}
    return sorted(facts, key=lambda fact: places[fact[0]])


def call_row(record: CallRecord, node: str) -> Row:
    """The row of a call. A record without arrival has no entries and no row: ValueError."""
    if record.arrived_at is None:
        raise ValueError(f"call {record.id} has no entries")
    row = asdict(record) | {"node": node, "flags": list(record.flags)}
    for column in _INSTANTS:
        row[column] = None if row[column] is None else instant(row[column])
    return row


def segment_rows(call: str, parts: Iterable[Segment], node: str) -> list[Row]:
    """The rows of a call's segments, in their order."""
    return [
        {
            "call": call,
            "position": position,
            "node": node,
            "kind": part.kind,
            "start": instant(part.start),
            "end": None if part.end is None else instant(part.end),
            "secretary": part.secretary,
        }
        for position, part in enumerate(parts)
    ]


def state_row(event: Row) -> Row | None:
    """What a `secretary_state` event tells; None where it names no secretary or no state."""
    fields = event["fields"]
    secretary, state = _word(fields, "secretary"), _word(fields, "state")
    if secretary is None or state is None:
        return None
    row = {column: event[column] for column in ("log", "seq", "node", "at")}
    call = event["call"] or _word(fields, "call")
    return row | {"secretary": secretary, "state": state, "reason": _word(fields, "reason"), "call": call}


def version_row(event: Row) -> Row | None:
    """What a `configuration` event tells; None where it names no version. Without the files' own
    `content` its particulars stand in for it."""
    fields = event["fields"]
    version = _word(fields, "version")
    if version is None:
        return None
    return {
        "version": version,
        "node": event["node"],
        "author": _word(fields, "author"),
        "loaded_at": event["at"],
        "content": fields.get("content", fields),
    }


def client_row(event: Row) -> Row | None:
    """Which client an `identified` event saw, and under which name; None where it names none."""
    client = _word(event["fields"], "client")
    if client is None:
        return None
    name, at = _word(event["fields"], "name"), event["at"]
    return {"id": client, "name": name, "first_seen": at, "last_seen": at}


def _word(fields: Mapping[str, Any], key: str) -> str | None:
    value = fields.get(key)
    return value if isinstance(value, str) and value else None


def text(value: str) -> str:
    """`value` as PostgreSQL's UTF-8 takes it: what cannot be stored becomes U+FFFD."""
    # through UTF-16: a pair of surrogates is a character there, a lone one is not
    return value.replace("\0", "\ufffd").encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def clean(value: Json) -> Json:
    """`value` as PostgreSQL's jsonb takes it: texts as by `text`, NaN and infinities as null."""
    match value:
        case str():
            return text(value)
        case float():
            return value if math.isfinite(value) else None
        case list() | tuple():
            return [clean(item) for item in value]
        case dict():
            return {text(str(key)): clean(item) for key, item in value.items()}
        case _:
            return value
