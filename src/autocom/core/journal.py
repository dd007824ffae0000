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
    direction: str = "in"  # out, internal: a secretary began it
    result: str | None = None  # what she said came of it, the last time she said so


@dataclass(frozen=True, slots=True)
class Segment:
    """One timed part of a call: message, waiting, ringing, talk, hold, patch, conference, wrap_up."""

    kind: str
    start: float
    end: float | None
    secretary: str | None = None


# Every kind of entry, with its fields. Writers use no other word; `record` and `segments` read these.
KINDS: dict[str, str] = {
    "arrived": "trunk, channel, direction (where not in), secretary (who began it)",
    "identified": "client, did, caller, anonymous, forwarded_from, forward_reason, diversions, flags, why, direction (where not in), config_version",
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
    "unjoined": "secretary, leg, cause, sip: she picked up, and her leg ended before the two were joined; he waits on",
    "bridged": "secretary, leg",
    "talk_ended": "secretary, by (caller, secretary, service, vanished, pbx)",
    "dropped": "secretary, leg, ms: she was gone as soon as they were joined; he waits again, at the head",
    "vanished": "secretary, leg, cause: her phone was gone in the conversation; he waits again, at the head",
    "whispered": "secretary, leg, sound: she was told whose caller he is",
    "returning": "waited_ms, left_ms_ago, cut, secretary, lost, talked: he has his place again",
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
    "forward_started": "name, number, leg, round, roster, present, by (the secretary who wants it)",
    "forward_ringing": "leg",
    "forward_answered": "leg",
    "forward_accepted": "leg, digit",
    "forward_ended": "leg, result (no_answer, refused, unreachable, not_accepted, loop, no_line, barred, limit, busy, withdrawn), cause",
    "patched": "name, number, leg",
    "patch_ended": "leg, by (caller, outside, service)",
    "voicemail_started": "recording",
    "voicemail_ended": "recording, seconds, ok",
    "voicemail_heard": "recording, client, heard (false: new again), by: the message lamps follow",
    "mail_queued": "mail, to, about",
    "mail_sent": "mail, to, tries",
    "mail_failed": "mail, to, error, final",
    "dialled": "secretary, dialled, direction (out, internal): a phone of the house began this call",
    "call_refused": "secretary, dialled, why (see docs): what she dialled, or wanted, may not be",
    "held": "secretary, by (phone, order, consult)",
    "resumed": "secretary, by",
    "consult_started": "secretary, name, number, post, leg, how: somebody is rung while the caller is on hold",
    "consult_answered": "secretary, leg",
    "consult_ended": "secretary, leg, result (no_answer, refused, unreachable, loop, dropped, left, joined: still ringing, gone), cause, post (a colleague left with him)",
    "conference_started": "secretary, leg: all three talk",
    "conference_ended": "secretary, leg, by (secretary, third, caller, vanished, service)",
    "turned": "secretary, of: a colleague who was called wants something of the call; it is hers from here on",
    "caller_left": "secretary: he hung up while she talked to somebody else; the two go on without him",
    "transferred": "secretary, to, way (blind, attended, patch, team, room), how (refer, code, api), call: the other call that it was joined with",
    "transfer_failed": "secretary, to, why, stays (it was refused before she was out of it; else he comes back to her)",
    "returned": "secretary, why: he is back at her, at the head",
    "parked": "secretary, slot, until, note, how",
    "unparked": "slot, by, leg; by null: his time was over",
    "picked_up": "secretary, of: she took the call that rang there",
    "room_joined": "room, secretary",
    "room_left": "room, secretary, by",
    "room_muted": "room, by, muted",
    "room_locked": "room, by, locked",
    "room_ended": "room, by",
    "supervision_started": "lead, secretary, mode, supervisor (the lead's own call)",
    "supervision_mode": "lead, secretary, mode",
    "supervision_ended": "lead, secretary, by (lead, conversation, rule, next)",
    "recording_started": "recording, secretary, by (order, always)",
    "recording_paused": "recording, secretary",
    "recording_resumed": "recording, secretary",
    "recording_ended": "recording, seconds, kept",
    "recording_refused": "secretary, why (not_agreed, secrecy, private, no_notice, failed)",
    "recording_played": "recording, client, of (the call), by: somebody fetched the sound",
    "recording_lost": "recording, client, of (the call): there was nothing to keep",
    "result": "secretary, result (appointment, message, put_through, information, wrong_number, sales, silent)",
    "list_filled": "client, people (less than 0: taken off), author: a client's call list",
    "list_called": "item, tries, result (of what `*7N` can say, reached, given_up; null: not answered): a call from a list is over",
    "forward_set": "secretary, forward (always, busy, no_answer), to; to null: ended",
    "forwarded_post": "secretary, forward, to: her phone is not rung, or no more",
    "fax_heard": "",
    "step": "step, result: a step of the rule that is none of the above",
    "quality": "leg, sent, received, lost_percent, jitter_ms, round_trip_ms",
    "adopted": "stage",
    "crashed": "error, channel",
    "pbx_lost": "stage: Asterisk died under this call; who calls again has the place he had",
    "rescued": "channel: the rescuer took him out of an exchange that was away, to the dialplan's fallback",
    "ended": "outcome, cause: no_room where Asterisk itself took no call more",
    "secretary_state": "secretary, state, reason, call",
    "quota_exceeded": "secretary, reason, limit (longest, a_day, times), allowed: seconds or times, told once",
    "text_received": "text, client, reference, provider, did, attachments, flags, why: no content, no number of people outside",
    "text_attachments": "text, types, refused, why: what came with it was kept or not",
    "text_shown": "text, secretaries: their phones were told of it",
    "text_read": "text, reference, reader, attachment (its number): somebody read its content, or that attachment",
    "text_queued": "text, client, secretary, author, reference, provider, number, parts, answers: it is to be sent",
    "text_sent": "text, provider, parts, tries: the provider took it",
    "text_delivered": "text, provider",
    "text_failed": "text, provider, error, final",
    "text_refused": "client, secretary, author, why (empty, too_long, no_number, emergency, premium, satellite, international, loop, no_provider, client_limit, secretary_limit, not_hers, unknown)",
    "text_internal": "secretary, to: a message between two softphones",
    "alert": "alert (no_answer_pause, outgoing_limit, or another of core.alerts), secretary or client, misses; what (per_hour, minutes_a_day), used, limit; of those that are told (raised, again, over): subject, severity, state, since, count, detail",
    "fault": "fault, where, detail, over: something is wrong with the exchange itself, or is right again",
    "gap": "why (killed, refused, full), facts (how many were not written), since, until: the local log had no room",
    "configuration": "version, author, clients, secretaries",
    "override_set": "client, override (team, open, closed), team, until, author, reason",
    "override_ended": "client, override, by (expiry, clear, replaced), author",
    "forgotten": "client, calls or recordings or texts (how many, by `retention`)",
    "service": "event (started, stopped, handed_over, telephone_lost, telephone_back, asterisk_died, asterisk_restarted, configuration_refused, clock_jumped), detail",
}
