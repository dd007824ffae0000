"""Calls that the dialplan's fallback served while autocom was away, read back from disk.

Asterisk's host writes one JSON file per call (`dialplan/record_fallback.py`) into a `spool_folder`; here they
become values, with the headers in the same form as those of a live call. Must not know what becomes of
them. Invariant: a call that is shown again after a crash is known by its channel's id.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autocom.asterisk import spool_folder
from autocom.core.telephony import RawHeaders

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
    """Every call found, oldest end first."""
    return sorted(spool_folder.read(spool, _call), key=lambda call: call.ended_at)


def forget(spool: Path, call: FallbackCall) -> None:
    """Remove its file, once it is stored elsewhere."""
    spool_folder.forget(spool, call.channel)


def _call(_: str, record: dict[str, Any]) -> FallbackCall:
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
