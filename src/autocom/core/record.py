"""A call's row and its timed segments, computed from its entries.

`project` and `segments` are total: entries may be missing (a crash), doubled (written again by
the process that adopted the call) or slightly out of order, and the answer is still a record
that the database accepts. The first of two equal facts counts; nothing is invented except an
arrival (the earliest entry) and, where the last word of the writer is missing, the outcome.
Must not know where entries are stored. Invariant: the same entries give the same record, today
and in a year. The entries are written by `autocom.calls`; `autocom.journal.shipper` stores the
rows.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from autocom.core.journal import CallRecord, Entry, Segment

SERVED = "served"
ABANDONED = "abandoned"
FAILED = "failed"

OUTCOMES: tuple[str, ...] = (
    SERVED,
    ABANDONED,
    "closed",
    "forwarded",
    "voicemail",
    "rejected",
    "full",
    "timeout",
    "nobody",
    "fallback",
    FAILED,
)
"""The contract's words for how a call ended (section 4)."""

DIRECTIONS: tuple[str, ...] = ("in", "out", "internal")
"""Who began a call: somebody outside; a secretary, to somebody outside; a secretary, to a colleague or a room."""

DURING_MESSAGE = "during_message"
DURING_MUSIC = "during_music"
WHILE_RINGING = "while_ringing"
SHORT = "short"

ABANDON_CAUSES: tuple[str, ...] = (DURING_MESSAGE, DURING_MUSIC, WHILE_RINGING, SHORT)
"""The contract's words for when a caller gave up."""

SEGMENT_KINDS: tuple[str, ...] = (
    "message",
    "waiting",
    "ringing",
    "talk",
    "hold",
    "patch",
    "conference",
    "wrap_up",
)

SHORT_SECONDS = 5.0
NO_ROOM = "no_room"
"""The cause where Asterisk itself took no call more."""
_WAYS_OUT = ("timeout", "nobody", "full")
_HERS = ("ringing", "talk", "hold", "conference", "wrap_up")  # of a secretary; the others are the caller's
# what his time with others is cut into, one at a time
_CONVERSATION = ("talk", "hold", "conference", "patch")
_SPOKEN = frozenset({"talk", "conference", "patch"})
_STARTS = {
    "message_started": "message",
    "queued": "waiting",
    "ringing": "ringing",
    "forward_ringing": "ringing",
    "wrap_up_started": "wrap_up",
}
_ENDS = {
    "message_ended": "message",
    "dequeued": "waiting",
    "offer_ended": "ringing",
    "forward_ended": "ringing",
    "patch_ended": "patch",
    "wrap_up_ended": "wrap_up",
}


def abandon_cause(entries: Iterable[Entry], at: float) -> str:
    """When the caller gave up, who hung up at `at` (UTC epoch seconds) without having talked.

    `short` under five seconds after the arrival, whatever he heard. Else what he heard decides: a
    message that was still playing is `during_message`, even while a phone rang, since a caller
    cannot hear that; on music it is `while_ringing` if somebody's phone rang at that moment, else
    `during_music`. Entries at `at` or later are consequences of the hang-up and do not count."""
    before = [e for e in _in_order(entries) if e.at < at]
    arrived = _arrival(before)
    if arrived is None or at - arrived < SHORT_SECONDS:
        return SHORT
    timeline = _timeline(before)
    playing = {kind for kind, _ in timeline.running}
    if "message" in playing:
        return DURING_MESSAGE
    return WHILE_RINGING if "ringing" in playing else DURING_MUSIC


def segments(entries: Iterable[Entry]) -> tuple[Segment, ...]:
    """The timed parts of one call, by start. What still runs has no end; the end of the call ends
    everything but the secretary's wrap-up, which comes after it."""
    timeline = _timeline(_in_order(entries))
    running = [Segment(kind, start, None, who) for (kind, who), start in timeline.running.items()]
    order = {kind: n for n, kind in enumerate(SEGMENT_KINDS)}
    return tuple(
        sorted((*timeline.over, *running), key=lambda s: (s.start, order[s.kind], s.secretary or ""))
    )


def project(call_id: str, entries: Iterable[Entry]) -> CallRecord:
    """The row of call `call_id`, from its entries in the order in which they were written.

    `wait_ms` runs from the arrival to the first bridge, with a secretary or else with somebody outside,
    or to the end where there was none; `talk_ms` counts finished conversations, those outside as well;
    `secretary` is the one who talked last, since a bridge that failed at once is no service; of a call that a
    secretary began it is she."""
    ordered = [e for e in _in_order(entries) if e.call in {call_id, None}]
    who = _last(ordered, "identified")
    arrival = _first(ordered, "arrived")
    arrived_at = _arrival(ordered)
    end = _first(ordered, "ended")
    bridged_at = _at(_first(ordered, "bridged") or _first(ordered, "patched"))
    outcome, cause = _outcome(ordered, end) if end else (None, None)
    waited_until = bridged_at if bridged_at is not None else _at(end)
    anonymous = who is not None and who.fields.get("anonymous") is True
    return CallRecord(
        id=call_id,
        client=_text(who, "client"),
        did=_text(who, "did"),
        caller=None if anonymous else _text(who, "caller"),
        anonymous=anonymous,
        forwarded_from=_text(who, "forwarded_from"),
        forward_reason=_text(who, "forward_reason"),
        rule=_text(_first(ordered, "decided") or _first(ordered, "rule"), "rule"),
        config_version=_text(who, "config_version"),
        arrived_at=arrived_at,
        answered_at=_at(_first(ordered, "answered")),
        queued_at=_at(_first(ordered, "queued")),
        bridged_at=bridged_at,
        ended_at=_at(end),
        secretary=_text(arrival, "secretary") or _text(_last(ordered, "bridged"), "secretary"),
        outcome=outcome,
        cause=cause,
        wait_ms=_milliseconds(arrived_at, waited_until),
        talk_ms=sum(_milliseconds(s.start, s.end) or 0 for s in _timeline(ordered).over if s.kind in _SPOKEN),
        offers=_offers(ordered),
        trunk=_text(arrival, "trunk"),
        direction=_direction(arrival),
        result=_text(_last(ordered, "result"), "result"),
        flags=_flags(ordered, who, missing_arrival=arrival is None and bool(ordered)),
    )


@dataclass(slots=True)
class _Timeline:
    """Segments that are over, and the start of those that run, by kind and secretary."""

    over: list[Segment] = field(default_factory=list)
    running: dict[tuple[str, str | None], float] = field(default_factory=dict)
    left: bool = False  # he hung up while she talked to somebody else: what comes is not his any more

    def turn(self, kind: str, at: float, who: str | None = None) -> None:
        """From now on his time with others is this; what it was until now ends at the same instant."""
        if self.left:
            return
        for running in [key for key in self.running if key[0] in _CONVERSATION and key != (kind, who)]:
            self.end(running[0], at, running[1])
        self.start(kind, at, who)

    def runs(self, *kinds: str) -> bool:
        """Whether a segment of one of these kinds does."""
        return any(kind in kinds for kind, _ in self.running)

    def start(self, kind: str, at: float, secretary: str | None = None) -> None:
        """Begin, unless it runs already (the fact was written twice)."""
        self.running.setdefault((kind, secretary), at)

    def end(self, kind: str, at: float, secretary: str | None = None) -> None:
        """End this secretary's, or without a secretary everybody's, segments of that kind."""
        for key in [k for k in self.running if k[0] == kind and secretary in {None, k[1]}]:
            start = self.running.pop(key)
            if start == at and kind in _CONVERSATION:
                continue  # it turned into something else in the instant it began
            self.over.append(Segment(kind, start, max(start, at), key[1]))


def _timeline(ordered: Iterable[Entry]) -> _Timeline:
    line = _Timeline()
    for entry in ordered:
        at, who = entry.at, _text(entry, "secretary")
        if entry.kind == "message_started" and line.running.get(("message", None), at) < at:
            line.end("message", at)  # one message at a time: the next one ends it
        if kind := _STARTS.get(entry.kind):
            line.start(kind, at, who if kind in _HERS else None)
        elif kind := _ENDS.get(entry.kind):
            line.end(kind, at, who if kind in _HERS else None)
        elif entry.kind == "ended":
            for kind in ("message", "waiting", "ringing", *_CONVERSATION):
                line.end(kind, at)
        else:
            _together(line, entry, at, who)
        if entry.kind == "forward_ended":
            line.end("patch", at)  # left with somebody who was gone before the two were joined
    return line


def _together(line: _Timeline, entry: Entry, at: float, who: str | None) -> None:
    """Who hears whom from here on. What comes late, of a conversation that is over, begins nothing."""
    match entry.kind:
        case "bridged" | "patched" | "room_joined":
            for kind in ("message", "waiting"):
                line.end(kind, at)
            line.end("ringing", at, who if entry.kind == "bridged" else None)
            line.turn(
                {"bridged": "talk", "patched": "patch"}.get(entry.kind, "conference"), at, _whose(entry)
            )
        case "held" | "parked" if entry.kind == "parked" or line.runs("talk", "conference"):
            line.turn("hold", at, who)
        case "conference_started" if line.runs("talk", "hold"):
            line.turn("conference", at, who)
        case "resumed" if line.runs("hold"):
            line.turn("talk", at, who)
        case "conference_ended" | "turned" if line.runs("talk" if entry.kind == "turned" else "conference"):
            line.turn("talk", at, who)
        case "consult_ended" if entry.fields.get("result") == "left":
            # she left the two together: they are joined some milliseconds later
            post = _text(entry, "post")
            line.turn("patch" if post is None else "talk", at, post)
        case "talk_ended" | "room_left" | "returned" | "unparked":
            for kind in ("talk", "hold", "conference"):
                line.end(kind, at, None if entry.kind in {"returned", "unparked"} else who)
        case "caller_left":
            for kind in _CONVERSATION:
                line.end(kind, at)
            line.left = True
        case _:
            pass


def _whose(entry: Entry) -> str | None:
    return None if entry.kind == "patched" else _text(entry, "secretary")


def _direction(arrival: Entry | None) -> str:
    word = _text(arrival, "direction")
    return word if word in DIRECTIONS else "in"


def _outcome(ordered: list[Entry], end: Entry) -> tuple[str, str | None]:
    word, cause = _text(end, "outcome"), _text(end, "cause")
    if word is None:
        word = _likely_outcome(ordered)
    elif word not in OUTCOMES:
        return FAILED, word
    if word == ABANDONED and cause not in ABANDON_CAUSES:
        cause = abandon_cause(ordered, end.at)
    return word, cause


def _likely_outcome(ordered: list[Entry]) -> str:
    if _first(ordered, "bridged"):
        return SERVED
    if _first(ordered, "patched"):
        return "forwarded"
    way_out = _text(_last(ordered, "dequeued"), "why")
    if way_out == "long_wait":
        return "timeout"
    if way_out in _WAYS_OUT:
        return way_out
    return FAILED if _first(ordered, "crashed") else ABANDONED


def _offers(ordered: list[Entry]) -> int:
    # a process that adopts a call may write its running offer again: the leg's id tells
    seen = {
        (_text(e, "leg"), _text(e, "secretary"), str(e.fields.get("attempt")))
        for e in ordered
        if e.kind == "offered"
    }
    return len(seen)


def _flags(ordered: list[Entry], who: Entry | None, *, missing_arrival: bool) -> tuple[str, ...]:
    listed = who.fields.get("flags") if who else None
    flags = tuple(f for f in listed if isinstance(f, str)) if isinstance(listed, (list, tuple)) else ()
    if _first(ordered, "fax_heard"):
        flags += ("fax",)
    return (*flags, "no_arrival") if missing_arrival else flags


def _in_order(entries: Iterable[Entry]) -> list[Entry]:
    return sorted(entries, key=lambda e: e.at)  # stable: equal instants keep the writer's order


def _arrival(ordered: list[Entry]) -> float | None:
    arrived = _first(ordered, "arrived")
    return arrived.at if arrived else (ordered[0].at if ordered else None)


def _first(ordered: Iterable[Entry], kind: str) -> Entry | None:
    return next((e for e in ordered if e.kind == kind), None)


def _last(ordered: list[Entry], kind: str) -> Entry | None:
    return _first(reversed(ordered), kind)


def _at(entry: Entry | None) -> float | None:
    return entry.at if entry else None


def _text(entry: Entry | None, key: str) -> str | None:
    value = entry.fields.get(key) if entry else None
    return value if isinstance(value, str) and value else None


def _milliseconds(start: float | None, end: float | None) -> int | None:
    if start is None or end is None:
        return None
    # of instants as they are stored: so sums are exact to the millisecond
    return max(0, round(end * 1000) - round(start * 1000))
