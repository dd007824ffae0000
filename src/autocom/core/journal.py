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
    "rule": "rule, open, hours, why (each earlier rule and the condition it failed, and the list that made it hold)",
    "decided": "rule, by (webhook, default), ms, error",
    "answered": "why",
    "message_started": "sound, text (what is spoken, where it was made from a text), mode, must_hear, seconds",
    "message_ended": "sound, text, heard_ms, complete",
    "music_started": "music",
    "ringback_started": "",
    "queued": "team, priority, max_wait, instead_of (the queue's own team, where an override names another)",
    "offered": "secretary, attempt, leg, why (score and who else was eligible)",
    "ringing": "secretary, leg",
    "offer_ended": "secretary, attempt, leg, result (answered, no_answer, refused, unreachable, withdrawn), cause, sip",
    "bridged": "secretary, leg",
    "talk_ended": "secretary, by (caller, secretary, service, vanished)",
    "dropped": "secretary, leg, ms: she was gone as soon as they were joined; he waits again, at the head",
    "vanished": "secretary, leg, cause: her phone was gone in the conversation; he waits again, at the head",
    "whispered": "secretary, leg, sound: she was told whose caller he is",
    "returning": "waited_ms, left_ms_ago, cut, secretary: he has his place again",
    "wrap_up_started": "secretary",
    "wrap_up_ended": "secretary, by",
    "dequeued": "why (timeout, nobody, full, closed, rule, key, fax, left, long_wait), digit, estimate_ms, position, staff",
    "rule_changed": "rule, open, hours, why: the rules were read again while he waited",
    "queued_elsewhere": "team, before: an override sent him to another team, or its end back",
    "announced": "position, wait_from, wait_to, estimate_ms, ahead, staff: what he was told, and of what it was made",
    "callback_refused": "why (withheld, promised, no_trunk, barred, loop, nobody, closed)",
    "callback_promised": "tries, retry_after, closes: he hung up and keeps his place",
    "callback_started": "secretary, leg, attempt: she is there, he is rung",
    "callback_ended": "leg, result (answered, refused, no_answer, unreachable, no_line, barred, loop, secretary_left, lost, closed, called_again, given_up), cause",
    "forward_started": "name, number, leg, round, roster, present",
    "forward_ringing": "leg",
    "forward_answered": "leg",
    "forward_accepted": "leg, digit",
    "forward_ended": "leg, result (no_answer, refused, unreachable, not_accepted, loop, no_line, barred, withdrawn), cause",
    "patched": "name, number, leg",
    "patch_ended": "leg, by (caller, outside, service)",
    "voicemail_started": "recording",
    "voicemail_ended": "recording, seconds, ok",
    "mail_queued": "mail, to, about",
    "mail_sent": "mail, to, tries",
    "mail_failed": "mail, to, error, final",
    "fax_heard": "",
    "step": "step, result: a step of the rule that is none of the above",
    "quality": "leg, sent, received, lost_percent, jitter_ms, round_trip_ms",
    "adopted": "stage",
    "crashed": "error, channel",
    "ended": "outcome",
    "secretary_state": "secretary, state, reason, call",
    "quota_exceeded": "secretary, reason, limit (longest, a_day, times), allowed: seconds or times, told once",
    "alert": "alert (no_answer_pause), secretary, misses: something the supervisor should know",
    "configuration": "version, author, clients, secretaries",
    "override_set": "client, override (team, open, closed), team, until, author, reason",
    "override_ended": "client, override, by (expiry, clear, replaced), author",
    "forgotten": "client, calls (how many, by `retention`)",
    "service": "event (started, stopped, telephone_lost, telephone_back, asterisk_died, asterisk_restarted, configuration_refused), detail",
}
