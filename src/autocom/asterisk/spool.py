"""Calls that the dialplan's fallback served while autocom was away, or that nobody had, read back from disk.

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
    seconds); `secretary` or `number` (outside), and `talk_seconds`, only where somebody answered. `client`, `rule`,
    `message` (its name, when it began, when it was over) and `team` (when he began to wait): what the dialplan knew of
    him; None where it served him as one of the house. `left`: he hung up before autocom, or the fallback, had him, as
    far as Asterisk knows."""

    channel: str
    trunk: str | None
    headers: RawHeaders
    entered_at: float
    ended_at: float
    secretary: str | None
    talk_seconds: int
    number: str | None = None
    client: str | None = None
    rule: str | None = None
    message: tuple[str, float, float | None] | None = None
    team: str | None = None
    queued_at: float | None = None
    left: bool = False


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
    ended = float(str(record["ended_at"]))
    entered = float(text("ENTERED") or text("LEFT") or ended)
    said_at, said_end, queued = (_instant(text(name)) for name in ("SAID_AT", "SAID_END", "QUEUED"))
    if not (0 <= entered < _LATEST and 0 <= ended < _LATEST):
        raise ValueError("an instant of no calendar")
    who, outside, talk = _spoke(variables, text("NUMBER"), queued, ended)
    return FallbackCall(
        channel=str(record["channel"]),
        trunk=text("TRUNK") or None,
        headers=headers,
        entered_at=entered,
        ended_at=ended,
        secretary=who,
        talk_seconds=talk,
        number=outside,
        client=text("CLIENT") or None,
        rule=text("RULE") or None,
        message=(text("SAID"), said_at, said_end) if said_at is not None and text("SAID") else None,
        team=text("TEAM") or None if queued is not None else None,
        queued_at=queued,
        left=bool(text("LEFT")),
    )


def _instant(text: str) -> float | None:
    """Whole UTC epoch seconds; None where nothing stands there. ValueError for what is no instant."""
    found = int(text) if text else None
    if found is not None and not 0 <= found < _LATEST:
        raise ValueError("an instant of no calendar")
    return found


def _spoke(
    variables: dict[str, Any], number: str, queued: float | None, ended: float
) -> tuple[str | None, str | None, int]:
    """The secretary, or else the number outside, that he spoke to, and for how many seconds."""
    member = str(variables.get("MEMBERNAME", ""))
    answered = int(str(variables.get("ANSWEREDTIME") or 0))
    if member and queued is not None:
        hold = int(str(variables.get("QEHOLDTIME") or 0))
        return member, None, answered or max(0, round(ended - queued - hold))
    if variables.get("DIALSTATUS") != "ANSWER":
        return None, None, 0
    peer = str(variables.get("DIALEDPEERNAME", ""))  # PJSIP/lea-00000003
    endpoint = peer.removeprefix("PJSIP/").rsplit("-", 1)[0].split("@", 1)[0]
    if endpoint.startswith("trunk-"):
        return None, number or None, answered
    return endpoint or None, None, answered
