"""Journal entries as lines for a terminal: the live story of a call, and `autocom call ID`.

One line a fact: the time, what happened, its particulars. Must not decide anything; a kind it does
not know is shown as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from autocom.core.journal import Json


def iso(instant: float) -> str:
    """UTC with milliseconds, as everywhere outside."""
    return datetime.fromtimestamp(instant, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


WORDS = {
    "arrived": "call arrives",
    "identified": "identified",
    "rule": "rule",
    "rule_changed": "another rule",
    "answered": "answered",
    "message_started": "message starts",
    "message_ended": "message ends",
    "music_started": "music",
    "queued": "queued",
    "offered": "offered to",
    "ringing": "rings at",
    "offer_ended": "offer ends",
    "bridged": "talks with",
    "talk_ended": "talk ends",
    "wrap_up_started": "wrap-up of",
    "wrap_up_ended": "wrap-up ends",
    "dequeued": "leaves the queue",
    "announced": "is told",
    "callback_promised": "promised a call",
    "callback_started": "is called back by",
    "callback_ended": "call back ends",
    "forward_started": "is put through to",
    "forward_ringing": "it rings outside",
    "forward_answered": "picked up outside",
    "forward_accepted": "takes the call",
    "forward_ended": "outside turn ends",
    "patched": "joined with",
    "patch_ended": "outside call ends",
    "voicemail_started": "recording starts",
    "voicemail_ended": "recording ends",
    "mail_queued": "to be sent",
    "mail_sent": "sent",
    "mail_failed": "not sent",
    "quality": "sound quality",
    "adopted": "adopted after a restart",
    "ended": "ends",
    "secretary_state": "secretary",
    "configuration": "configuration",
    "service": "service",
}
QUIET = {"call", "at", "kind", "content", "leg", "channel"}


def line(at: float, kind: str, fields: Mapping[str, Json], zone: ZoneInfo) -> str:
    """`08:00:01.234  offered to        lea (score 2.5, level 1)`."""
    moment = datetime.fromtimestamp(at, zone).strftime("%H:%M:%S.%f")[:-3]
    return f"{moment}  {WORDS.get(kind, kind):<18} {particulars(kind, fields)}".rstrip()


def particulars(kind: str, fields: Mapping[str, Json]) -> str:
    """The fields that a person wants to see."""
    who = fields.get("secretary")
    match kind:
        case "identified":
            caller = fields.get("caller") or ("withheld" if fields.get("anonymous") else "unknown")
            line_ = fields.get("forwarded_from")
            via = f", forwarded from {line_} ({fields.get('forward_reason')})" if line_ else ""
            listed = fields.get("flags")
            flags = f" [{', '.join(map(str, listed))}]" if isinstance(listed, list) and listed else ""
            return f"{fields.get('client')}: {fields.get('did')} called by {caller}{via}{flags}"
        case "rule" | "rule_changed":
            return str(fields.get("rule")) + _because(fields.get("why"))
        case "offered":
            why = fields.get("why")
            reasons = ", ".join(f"{k} {v}" for k, v in why.items()) if isinstance(why, dict) else ""
            return f"{who} ({reasons})"
        case "offer_ended":
            return f"{who}: {fields.get('result')}"
        case "forward_started" | "patched":
            turn = f" (round {fields['round']} of {fields['roster']})" if fields.get("roster") else ""
            return f"{fields.get('name') or ''} {fields.get('number')}{turn}".lstrip()
        case "secretary_state":
            reason = f" ({fields['reason']})" if fields.get("reason") else ""
            return f"{who} is {fields.get('state')}{reason}"
        case "ended":
            return f"{fields.get('outcome')}" + (f" ({fields['cause']})" if fields.get("cause") else "")
    shown = [
        f"{k} {v}"
        for k, v in fields.items()
        if k not in QUIET and k != "secretary" and v not in (None, [], "")
    ]
    return " ".join(filter(None, [str(who) if who else "", ", ".join(shown)]))


def _because(tried: Json) -> str:
    """The list that made the rule hold, where one did."""
    rows = tried if isinstance(tried, list) else []
    told = [row["because"] for row in rows if isinstance(row, dict) and row.get("because")]
    return f" because {told[-1]}" if told else ""
