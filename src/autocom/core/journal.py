"""What is written down: entries, the record of a call, and its segments.

An `Entry` is a fact that happened once. Everything else that a report shows (the call's row,
its segments, its outcome) is *computed* from entries by `record` and `segments`, so it can be
recomputed at any time and two readers never disagree. Must not know where entries are stored.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One fact. `at`: UTC epoch seconds. `call` is None for facts of the house (a secretary's
    state, a new configuration). `kind` is a word of `KINDS`; `fields` are its particulars."""

    at: float
    kind: str
    call: str | None = None
    fields: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CallRecord:
    """The row a call leaves behind (contract, section 4). Instants are UTC epoch seconds."""

    id: str
    client: str | None = None
    did: str | None = None
    caller: str | None = None
    anonymous: bool = False
    forwarded_from: str | None = None
    forward_reason: str | None = None
    rule: str | None = None
    config_version: str | None = None
    arrived_at: float | None = None
    answered_at: float | None = None
    queued_at: float | None = None
    bridged_at: float | None = None
    ended_at: float | None = None
    secretary: str | None = None
    outcome: str | None = None
    cause: str | None = None
    wait_ms: int | None = None
    talk_ms: int = 0
    offers: int = 0
    trunk: str | None = None
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Segment:
    """One timed part of a call: message, waiting, ringing, talk, hold, patch, conference, wrap_up."""

    kind: str
    start: float
    end: float | None
    secretary: str | None = None


# Every kind of entry, with its fields. Writers use no other word; `record` and `segments` read these.
KINDS: dict[str, str] = {
    "arrived": "trunk, channel",
    "identified": "client, did, caller, anonymous, forwarded_from, forward_reason, diversions, flags, why, config_version",
    "rule": "rule, why (each earlier rule and the condition it failed)",
    "answered": "why",
    "message_started": "sound, mode, must_hear, seconds",
    "message_ended": "sound, heard_ms, complete",
    "music_started": "music",
    "ringback_started": "",
    "queued": "team, priority, max_wait",
    "offered": "secretary, attempt, leg, why (score and who else was eligible)",
    "ringing": "secretary, leg",
    "offer_ended": "secretary, attempt, leg, result (answered, no_answer, refused, unreachable, withdrawn), cause, sip",
    "bridged": "secretary, leg",
    "talk_ended": "secretary, by (caller, secretary, service)",
    "wrap_up_started": "secretary",
    "wrap_up_ended": "secretary, by",
    "dequeued": "why (timeout, nobody, full, left)",
    "step": "step, result: a step of the rule that is none of the above",
    "quality": "leg, sent, received, lost_percent, jitter_ms, round_trip_ms",
    "adopted": "stage",
    "crashed": "error, channel",
    "ended": "outcome",
    "secretary_state": "secretary, state, reason, call",
    "configuration": "version, author, clients, secretaries",
    "service": "event (started, stopped, telephone_lost, telephone_back, asterisk_died, asterisk_restarted, configuration_refused), detail",
}
