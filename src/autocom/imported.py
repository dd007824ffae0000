"""Calls that the dialplan served while we were away, brought into the journal as `fallback`.

The headers are read by the same rules as those of a live call, so the journal says whose call it
was. A file is forgotten only after its call is saved; one that is read twice after a crash is the
same call under the same id, since the id is derived from its channel.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import structlog

from autocom.asterisk import spool
from autocom.calls.ports import Journal
from autocom.core.ingress import NumberBook, identify
from autocom.core.journal import Entry, Json
from autocom.core.model import Configuration, Trunk
from autocom.core.numbers import NumberingPlan

log = structlog.get_logger()


def import_fallback(folder: Path, journal: Journal, configuration: Configuration, plan: NumberingPlan) -> int:
    """Write every call of the spool into the journal; how many there were."""
    book = NumberBook.of(configuration)
    calls = spool.read(folder)
    known = journal.stored().floor if calls else {}
    for found in calls:
        mark = f"fallback:{found.channel}"
        if mark in known:
            # its story crashed and gave it to the fallback: it has its record
            journal.save(floor={mark: None})
            spool.forget(folder, found)
            continue
        trunk = configuration.trunks.get(found.trunk or "") or Trunk(found.trunk or "unknown", ())
        identity = identify(found.headers, trunk, book, plan)
        call = (
            "cf" + hashlib.blake2s(f"{found.channel} {found.entered_at}".encode(), digest_size=8).hexdigest()
        )
        fields: dict[str, Json] = {
            "client": identity.client,
            "name": configuration.clients[identity.client].name,
            "did": identity.did,
            "caller": identity.caller,
            "anonymous": identity.anonymous,
            "forwarded_from": identity.forwarded_from,
            "forward_reason": identity.forward_reason.value if identity.forward_reason else None,
            "flags": list(identity.flags),
            "why": list(identity.why),
            "config_version": configuration.version,
        }
        entries = [
            Entry(found.entered_at, "arrived", call, {"trunk": found.trunk, "channel": found.channel}),
            Entry(found.entered_at, "identified", call, fields),
        ]
        if found.secretary is not None:
            started = max(found.entered_at, found.ended_at - found.talk_seconds)
            entries.append(Entry(started, "bridged", call, {"secretary": found.secretary}))
            entries.append(Entry(found.ended_at, "talk_ended", call, {"secretary": found.secretary}))
        entries.append(Entry(found.ended_at, "ended", call, {"outcome": "fallback"}))
        journal.save(entries)
        spool.forget(folder, found)
    if calls:
        log.warning("calls were served without us", calls=len(calls))
    return len(calls)
