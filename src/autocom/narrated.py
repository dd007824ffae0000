"""One fact of a call as one sentence, French or English.

Reads off the fields what happened and fills in the sentence of its kind (`narrative`). Must not know what came
before or after, nor why (`narration` tells the reasons). Invariant: every fact gives a line; one that a version
wrote with fewer fields is shown with its particulars (`timeline`) instead of words.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from autocom.core.naming import call_of_outside, leg_of
from autocom.narrative import EN, FR
from autocom.sentences import said
from autocom.timeline import particulars
from autocom.wordings import duration

Fields = Mapping[str, Any]

_OTHERWISE = {"answered": "answered by her", "vanished": "vanished phone", "rule": "another rule"}
"""Words of the journal that are also the name of a kind."""


@dataclass(frozen=True, slots=True)
class Words:
    """The words of one language."""

    table: Mapping[str, str]
    language: str

    @classmethod
    def of(cls, language: str) -> Words:
        """French, unless it is English."""
        return cls(EN if language == "en" else FR, language)

    def say(self, word: str, **values: object) -> str:
        """The sentence of this name, filled in."""
        return self.table[word].format(**values)

    def word(self, word: object) -> str:
        """A word of the journal as people say it."""
        found = self.table.get(_OTHERWISE.get(str(word), str(word)), str(word))
        return str(word) if "{" in found else found


def fact(words: Words, kind: str, fields: Fields) -> str:
    """What happened, in one line."""
    if kind not in words.table and kind not in _MADE:
        return f"{kind} {particulars(kind, fields)}".rstrip()
    try:
        return _MADE.get(kind, _plain)(words, fields, kind)
    except (KeyError, TypeError, ValueError):  # of a version that wrote less
        return f"{kind} {particulars(kind, fields)}".rstrip()


def _plain(words: Words, fields: Fields, kind: str) -> str:
    shown = {k: words.word(v) if k in ("by", "why", "result", "about") else v for k, v in fields.items()}
    return words.table[kind].format_map(shown)


def _arrived(words: Words, fields: Fields, kind: str) -> str:
    if fields.get("direction", "in") == "in":
        return words.say(kind, trunk=fields["trunk"])
    return words.say("arrived dialled", secretary=fields["secretary"])


def _identified(words: Words, fields: Fields, _: str) -> str:
    if fields.get("direction", "in") != "in":
        whose = fields.get("name") if fields.get("client") else words.table["the bureau"]
        whom = fields.get("caller") or words.table["a colleague"]
        return words.say("identified dialled", client=whose, caller=whom, did=fields.get("did") or "–")
    caller = fields.get("caller") or words.table["withheld" if fields.get("anonymous") else "unknown"]
    flags = f" [{', '.join(fields['flags'])}]" if fields.get("flags") else ""
    return words.say(
        "identified", client=fields.get("client"), did=fields.get("did"), caller=caller, flags=flags
    )


def _decided(words: Words, fields: Fields, _: str) -> str:
    seconds = duration(fields["ms"] / 1000)
    if fields["by"] == "webhook":
        return words.say("decided", rule=fields["rule"], seconds=seconds)
    error = fields.get("error")
    if error is None:
        return words.say("decided no", rule=fields["rule"], seconds=seconds)
    return words.say(
        "decided not", rule=fields["rule"], seconds=seconds, error=said(str(error), words.language)
    )


def _sound(words: Words, fields: Fields) -> str:
    """What is spoken, else the sound's name."""
    text = fields.get("text")
    return words.say("spoken", text=text) if text else str(fields["sound"])


def _message_started(words: Words, fields: Fields, _: str) -> str:
    return words.say("message_started", sound=_sound(words, fields))


def _message_ended(words: Words, fields: Fields, _: str) -> str:
    heard = duration(round((fields.get("heard_ms") or 0) / 1000, 1))
    cut = "" if fields.get("complete") else words.table["cut"]
    return words.say("message_ended", sound=_sound(words, fields), heard=heard, cut=cut)


def _returning(words: Words, fields: Fields, kind: str) -> str:
    own = "talked" if fields.get("talked") else "lost" if fields.get("lost") else None
    return words.say(kind if own is None else f"{kind} {own}")


def _queued(words: Words, fields: Fields, _: str) -> str:
    other = fields.get("instead_of")
    instead = words.say("instead", team=other) if other else ""
    return words.say("queued", team=fields["team"], priority=fields["priority"], instead=instead)


def _announced(words: Words, fields: Fields, _: str) -> str:
    """What he was told, and of what it was made."""
    named = [words.say("position", position=fields["position"])] if fields["position"] is not None else []
    if fields.get("wait_to") is not None:
        lower, upper = fields["wait_from"] or 0, fields["wait_to"]
        named.append(
            words.say("wait" if lower else "wait up to", lower=duration(lower), upper=duration(upper))
        )
    ahead = ""
    if fields.get("ahead") is not None:
        length = fields.get("estimate_ms")
        estimate = words.say("estimate", seconds=seconds(length)) if length is not None else ""
        ahead = words.say("ahead", ahead=fields["ahead"], staff=fields.get("staff"), estimate=estimate)
    return words.say("announced", said=", ".join(named) or words.table["quiet"], ahead=ahead)


def _outside(words: Words, fields: Fields, kind: str) -> str:
    return words.say(kind, name=fields.get("name") or fields["number"])


def _recorded(words: Words, fields: Fields, kind: str) -> str:
    length = fields.get("seconds")
    return words.table[f"{kind} ?"] if length is None else words.say(kind, seconds=length)


def _fault(words: Words, fields: Fields, _: str) -> str:
    """Of a call there is one: a side from which no sound comes."""
    return words.say(str(fields["detail"]), secretary=fields["where"])


def _mail_failed(words: Words, fields: Fields, kind: str) -> str:
    sentence = f"{kind} for good" if fields["final"] else kind
    return words.say(sentence, to=fields["to"], error=fields["error"])


def _listed(words: Words, fields: Fields, kind: str) -> str:
    result = fields.get("result")
    if result is None:
        return words.say(f"{kind} again", tries=fields["tries"])
    return words.say(kind, result=words.word(result))


def _result(words: Words, fields: Fields, kind: str) -> str:
    return words.say(kind, secretary=fields["secretary"], result=words.word(fields["result"]))


def _held(words: Words, fields: Fields, kind: str) -> str:
    return words.say(f"{kind} {fields['by']}" if f"{kind} {fields['by']}" in words.table else kind, **fields)


def _consult_started(words: Words, fields: Fields, kind: str) -> str:
    return words.say(kind, secretary=fields["secretary"], name=fields.get("name") or fields["number"])


def _consult_ended(words: Words, fields: Fields, kind: str) -> str:
    own = f"{kind} {fields['result']}"
    if own in words.table:
        return words.say(own, secretary=fields["secretary"])
    return words.say(kind, result=words.word(fields["result"]))


def _transferred(words: Words, fields: Fields, kind: str) -> str:
    own = f"{kind} {fields.get('way')}"
    return words.say(own if own in words.table else kind, secretary=fields["secretary"], to=fields["to"])


def _transfer_failed(words: Words, fields: Fields, kind: str) -> str:
    sentence = f"{kind} stays" if fields.get("stays") else kind
    return words.say(sentence, secretary=fields["secretary"], to=fields["to"], why=words.word(fields["why"]))


def _parked(words: Words, fields: Fields, kind: str) -> str:
    note = words.say("noted", note=fields["note"]) if fields.get("note") else ""
    return words.say(kind, slot=fields["slot"], secretary=fields["secretary"], note=note)


def _unparked(words: Words, fields: Fields, kind: str) -> str:
    return words.say(kind if fields["by"] else f"{kind} back", slot=fields["slot"], by=fields["by"])


def _switched(words: Words, fields: Fields, kind: str) -> str:
    """Of a room: muted or not, locked or not."""
    on = fields[kind.removeprefix("room_")]
    return words.say(kind if on else f"{kind} not", room=fields["room"], by=words.word(fields["by"]))


def _forwarded_post(words: Words, fields: Fields, kind: str) -> str:
    forward = words.word(fields["forward"])
    return words.say(kind, secretary=fields["secretary"], forward=forward, to=fields["to"])


def _step(words: Words, fields: Fields, kind: str) -> str:
    result = str(fields["result"])
    pressed = result.removeprefix("digit ")
    shown = words.say("pressed", digit=pressed) if pressed != result else words.word(result)
    return words.say(kind, step=words.word(fields["step"]), result=shown)


def _quality(words: Words, fields: Fields, kind: str) -> str:
    leg = str(fields["leg"])
    hers = leg_of(leg)
    who = hers.secretary if hers else words.word("outside" if call_of_outside(leg) else "caller")
    lost, jitter, trip = (fields.get(key) for key in ("lost_percent", "jitter_ms", "round_trip_ms"))
    return words.say(
        kind,
        who=who,
        lost="?" if lost is None else f"{lost:g} %",
        jitter="?" if jitter is None else f"{jitter:g} ms",
        trip="?" if trip is None else f"{trip:g} ms",
    )


def _ended(words: Words, fields: Fields, _: str) -> str:
    cause = f" ({words.word(fields['cause'])})" if fields.get("cause") else ""
    return words.say("ended", outcome=words.word(fields["outcome"])) + cause


def seconds(milliseconds: object) -> str:
    """`3.0 s`."""
    return f"{milliseconds / 1000:.1f} s" if isinstance(milliseconds, int | float) else "?"


_MADE: Mapping[str, Callable[[Words, Fields, str], str]] = {
    "arrived": _arrived,
    "identified": _identified,
    "decided": _decided,
    "message_started": _message_started,
    "held": _held,
    "consult_started": _consult_started,
    "consult_ended": _consult_ended,
    "transferred": _transferred,
    "transfer_failed": _transfer_failed,
    "message_ended": _message_ended,
    "returning": _returning,
    "queued": _queued,
    "announced": _announced,
    "forward_started": _outside,
    "patched": _outside,
    "voicemail_ended": _recorded,
    "mail_failed": _mail_failed,
    "parked": _parked,
    "unparked": _unparked,
    "room_muted": _switched,
    "room_locked": _switched,
    "forwarded_post": _forwarded_post,
    "list_called": _listed,
    "result": _result,
    "step": _step,
    "quality": _quality,
    "fault": _fault,
    "ended": _ended,
}
