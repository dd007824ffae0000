"""Calls that the dialplan's fallback served while autocom was away, read back from disk.

Asterisk's host writes one JSON file per call (`dialplan/record_fallback.py`); here they become
values, with the headers in the same form as those of a live call. Must not know what becomes of
them. Invariant: a file is removed only by `forget`, after the reader has stored the call, so a
crash in between shows it again; the channel's id tells that it is the same call.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import structlog

from autocom.core.telephony import RawHeaders

log = structlog.get_logger()

_BIGGEST = 200_000
_LATEST = 4e9  # the year 2096; `nan` and `inf` are no instants either


@dataclass(frozen=True, slots=True)
class FallbackCall:
    """A call served without us. `entered_at` and `ended_at` are UTC epoch seconds (the first in whole
    seconds); `secretary` and `talk_seconds` only where somebody answered."""

    channel: str
    trunk: str | None
    headers: RawHeaders
    entered_at: float
    ended_at: float
    secretary: str | None
    talk_seconds: int


def read(spool: Path) -> list[FallbackCall]:
    """Every call found, oldest end first. A file that is none of ours is left and logged."""
    calls = []
    for path in sorted(spool.glob("*.json")):
        try:
            if path.stat().st_size > _BIGGEST:
                raise ValueError("too big")
            calls.append(_call(json.loads(path.read_text(encoding="utf-8"))))
        except FileNotFoundError:
            continue
        except (ValueError, KeyError, TypeError, OSError, RecursionError) as wrong:
            log.warning("fallback.unreadable", file=path.name, why=str(wrong))
    return sorted(calls, key=lambda call: call.ended_at)


def forget(spool: Path, call: FallbackCall) -> None:
    """Remove its file, once it is stored elsewhere."""
    (spool / f"{call.channel}.json").unlink(missing_ok=True)


def _call(record: dict[str, object]) -> FallbackCall:
    variables = record["variables"]
    if not isinstance(variables, dict):
        raise TypeError("variables")

    def text(name: str) -> str:
        return str(variables.get(f"AUTOCOM_{name}", ""))

    def lines(count: str, each: str) -> tuple[str, ...]:
        found = text(count)
        many = min(int(found), 8) if found.isascii() and found.isdigit() else 0
        return tuple(text(f"{each}_{n}") for n in range(1, many + 1))

    headers = RawHeaders(
        request_user=text("REQUEST_USER"),
        from_=text("FROM"),
        to=text("TO"),
        p_asserted_identity=text("PAI"),
        privacy=text("PRIVACY"),
        p_called_party_id=text("PCPI"),
        did_header=text("DID_VALUE"),
        diversion=lines("DIVERSIONS", "DIVERSION"),
        history_info=lines("HISTORIES", "HISTORY"),
        caller_number=str(record.get("caller_number", "")),
        caller_name=str(record.get("caller_name", "")),
    )
    answered = variables.get("DIALSTATUS") == "ANSWER"
    ended = float(str(record["ended_at"]))
    peer = str(variables.get("DIALEDPEERNAME", ""))  # PJSIP/lea-00000003
    entered = float(text("ENTERED") or ended)
    if not (0 <= entered < _LATEST and 0 <= ended < _LATEST):
        raise ValueError("an instant of no calendar")
    return FallbackCall(
        channel=str(record["channel"]),
        trunk=text("TRUNK") or None,
        headers=headers,
        entered_at=entered,
        ended_at=ended,
        secretary=_secretary(peer) if answered else None,
        talk_seconds=int(str(variables.get("ANSWEREDTIME") or 0)) if answered else 0,
    )


def _secretary(peer: str) -> str | None:
    endpoint = peer.removeprefix("PJSIP/").rsplit("-", 1)[0]
    return endpoint.split("@", 1)[0] or None
