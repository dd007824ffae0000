"""`autocom call ID`: what happened to a call and why, as lines in French or English.

Every fact with its time; below those that were decisions, the reasons as they were written at that moment:
the rules that did not hold, the score, who else could have been asked and why she was not, how the wait was
spent. Must not decide or guess anything: what is not in the journal is not told. The sentence
of each fact is `narrated`'s, its words are `narrative`'s.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from autocom.narrated import Words, fact, seconds
from autocom.sentences import said
from autocom.wordings import duration

Fields = Mapping[str, Any]

_INDENT = " " * 14
_HERS = ("ringing", "talk", "wrap_up")


def told(call: Fields, language: str, zone: ZoneInfo) -> Iterator[str]:
    """The call as `queries.call` returns it, line by line."""
    words = Words.of(language)
    story = _Story(words)
    outside = any(event["kind"] == "forward_started" for event in call["events"])
    for event in call["events"]:
        at = datetime.fromisoformat(event["at"]).astimezone(zone)
        yield f"{at:%H:%M:%S}.{at.microsecond // 1000:03}  {fact(words, event['kind'], _exact(event, outside=outside))}"
        for reason in story.reasons(event["kind"], event):
            yield f"{_INDENT}{reason}"
    yield from story.wait(call)


def _exact(event: Fields, *, outside: bool) -> Fields:
    """`nobody` is two things: nobody was at work, or nobody outside took the call."""
    if outside and event.get("outcome") == "nobody":
        return {**event, "outcome": "nobody took him"}
    return event


class _Story:
    """The reasons in one language."""

    def __init__(self, words: Words) -> None:
        self.words, self.language, self.say = words.table, words.language, words.say
        self.word = words.word

    # --- why

    def reasons(self, kind: str, fields: Fields) -> Iterator[str]:
        """Why it happened, as far as it was a decision."""
        match kind:
            case "identified":
                yield from (said(sentence, self.language) for sentence in fields.get("why") or ())
                if fields.get("config_version"):
                    yield self.say("version", version=fields["config_version"])
            case "rule" | "rule_changed":
                if fields.get("hours"):
                    yield said(fields["hours"], self.language)
                yield from self._rules(fields)
            case "offered" if isinstance(fields.get("why"), dict):
                yield from self._she(fields["secretary"], fields["why"])

    def _rules(self, fields: Fields) -> Iterator[str]:
        for tried in fields.get("why") or ():
            if tried.get("matched"):
                yield self.words["first"]
                if tried.get("because"):
                    yield self.say("because", why=said(str(tried["because"]), self.language))
            else:
                failed = said(str(tried.get("failed")), self.language)
                yield self.say("not", rule=tried.get("rule"), failed=failed)

    def _she(self, secretary: str, why: Fields) -> Iterator[str]:
        """His score, her place, and the others; also as older versions wrote it."""
        waited = seconds(why.get("waited_ms"))
        if "target" in why:
            ahead = (why.get("priority") or 0) + (why.get("advance") or 0)
            plus = self.say("plus", seconds=duration(ahead)) if ahead else ""
            target = duration(why["target"])
            yield self.say("score", score=why.get("score"), waited=waited, priority=plus, target=target)
        else:
            yield self.say("score only", score=why.get("score"), waited=waited)
        tried = why.get("tried_before")
        yield self.say(
            "she",
            level=why.get("level"),
            widened=self.words["widened"] if why.get("widened") else "",
            idle=seconds(why.get("idle_ms")),
            tried=self.say("tried", n=tried) if tried else "",
            preferred=self.words["preferred"] if why.get("preferred") else "",
            head=self.words["head"] if why.get("head") else "",
        )
        others = why.get("others")
        if isinstance(others, dict) and others:
            named = ", ".join(f"{name} ({self._reason(word)})" for name, word in others.items())
            yield self.say("others", names=named)
        elif also := [name for name in why.get("eligible") or () if name != secretary]:
            yield self.say("also", names=", ".join(also))

    def _reason(self, word: object) -> str:
        known = {"tried": "no_answer", "widened": "widened"}.get(str(word), str(word))
        return self.word(known).strip()

    # --- how the wait was spent

    def wait(self, call: Fields) -> Iterator[str]:
        """The parts of the call before the conversation, or all of them where there was none."""
        if call.get("wait_ms") is None:
            return
        yield self.say("spent", seconds=seconds(call["wait_ms"]))
        for segment in call["segments"]:
            start, end = segment["start"], segment["end"]
            length = self.words["until now"]
            if end is not None:
                gone = datetime.fromisoformat(end) - datetime.fromisoformat(start)
                length = seconds(gone.total_seconds() * 1000)
            who = f" {segment['secretary']}" if segment["kind"] in _HERS and segment.get("secretary") else ""
            kind = {"ringing": "sonnerie" if self.language != "en" else "ringing"}.get(segment["kind"])
            yield "  " + self.say("segment", kind=kind or self.word(segment["kind"]), seconds=length, who=who)
