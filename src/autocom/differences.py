"""`autocom diff`: what lies between two configurations, in sentences for the people who answer for it.

Compares values, not files, so a file that was only tidied up makes no sentence. Per client: numbers, hours,
dated closures and absences, rules with their steps at any depth, and every other key. Must not know where
the two came from. Passwords are never shown. Invariant: equal configurations give no sentence, and two that
differ in anything but sounds' content and a version's name give at least one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from difflib import SequenceMatcher
from enum import Enum
from typing import Any

from autocom.core.model import (
    Client,
    Closure,
    Configuration,
    Contact,
    Hours,
    Rule,
    Secretary,
    Shift,
    Step,
    TimeRange,
    Widening,
)
from autocom.speech import counted
from autocom.wordings import WEEKDAYS, callers, clock, conditions, duration, ranges, tree

_FR = {
    "changed": "{what} : {new} au lieu de {old}",
    "now": "{what} : {new} (nouveau)",
    "gone": "{what} : plus de {old}",
    "new": "nouveau",
    "removed": "supprimé",
    "secret": "{what} : changé",
    "nothing": "rien",
    "yes": "oui",
    "no": "non",
    "day": "le {day}",
    "days": "du {first} au {last}",
    "closes": "{days} : ferme désormais à {new} au lieu de {old}",
    "opens": "{days} : ouvre désormais à {new} au lieu de {old}",
    "hours": "{days} : désormais {new} au lieu de {old}",
    "opened": "{days} : désormais ouvert {new}, fermé jusque-là",
    "closed": "{days} : désormais fermé, au lieu de {old}",
    "rule": "règle {name}",
    "rule new": "règle {name} : nouvelle ({when})",
    "rule gone": "règle {name} : supprimée",
    "order": "ordre des règles : {new} au lieu de {old}",
    "when": "{rule}, conditions",
    "number": "numéro",
    "forwarded": "{did} renvoyé par {line}",
    "closure": "fermeture",
    "opening": "ouverture exceptionnelle",
    "absence": "absence",
    "span": "{name}du {start} au {end}",
    "message": ", message {text}",
    "holidays": "jours fériés",
    "joins": "rejoint l'équipe {team} au niveau {level}",
    "leaves": "quitte l'équipe {team}",
    "level": "équipe {team} : niveau {new} au lieu de {old}",
    "title": "de la version {old} à la version {new} : {count}",
    "same": "de la version {old} à la version {new} : rien ne change dans ce qui est décidé",
    "bureau": "bureau",
    "trunk": "ligne opérateur {id}",
    "secretary": "secrétaire {id}",
    "team": "équipe {id}",
    "roster": "astreinte {id}",
    "client": "client {id}",
}
_EN = {
    "changed": "{what}: {new} instead of {old}",
    "now": "{what}: {new} (new)",
    "gone": "{what}: no longer {old}",
    "new": "new",
    "removed": "removed",
    "secret": "{what}: changed",
    "nothing": "nothing",
    "yes": "yes",
    "no": "no",
    "day": "{day}",
    "days": "{first} to {last}",
    "closes": "{days} now closes at {new} instead of {old}",
    "opens": "{days} now opens at {new} instead of {old}",
    "hours": "{days} now {new} instead of {old}",
    "opened": "{days} now open {new}, closed until now",
    "closed": "{days} now closed, instead of {old}",
    "rule": "rule {name}",
    "rule new": "rule {name}: new ({when})",
    "rule gone": "rule {name}: removed",
    "order": "order of the rules: {new} instead of {old}",
    "when": "{rule}, conditions",
    "number": "number",
    "forwarded": "{did} forwarded by {line}",
    "closure": "closure",
    "opening": "exceptional opening",
    "absence": "absence",
    "span": "{name}from {start} to {end}",
    "message": ", message {text}",
    "holidays": "holidays",
    "joins": "joins team {team} at level {level}",
    "leaves": "leaves team {team}",
    "level": "team {team}: level {new} instead of {old}",
    "title": "from version {old} to version {new}: {count}",
    "same": "from version {old} to version {new}: nothing changes in what is decided",
    "bureau": "bureau",
    "trunk": "trunk {id}",
    "secretary": "secretary {id}",
    "team": "team {id}",
    "roster": "roster {id}",
    "client": "client {id}",
}
# how a field of the model is called in the YAML, where that is another word
_WORDS = {
    "wrap_up_min": "wrap_up.min",
    "wrap_up_max": "wrap_up.max",
    "outgoing_number": "outgoing.number",
    "outgoing_verified": "outgoing.verified",
    "retention_calls": "retention.calls",
    "retention_recordings": "retention.recordings",
    "vip_advance": "vip.advance",
    "returning_within": "returning.within",
    "fax": "fax.detect",
    "pause_after": "no_answer.pause_after",
    "quotas": "pauses",
    "calls": "after",
    "rest": "for",
    "longest": "max",
    "a_day": "per_day",
}
_SECONDS = frozenset(
    {
        "target", "early_limit", "wrap_up_min", "wrap_up_max", "retention_calls", "retention_recordings",
        "vip_advance", "returning_within", "ring_for", "pause", "rest", "longest", "a_day",
    }
)  # fmt: skip
_MOST_HOLIDAYS = 6


@dataclass(frozen=True, slots=True)
class Difference:
    """One sentence, and what it is about (`client cab-lilas`)."""

    where: str
    text: str


def differences(old: Configuration, new: Configuration, language: str) -> tuple[Difference, ...]:
    """Everything that is another in `new`, by what it is about; sentences in `language` (fr or en)."""
    return tuple(_Comparison(_EN if language == "en" else _FR, language).whole(old, new))


def in_words(old: str, new: str, found: Sequence[Difference], language: str) -> Iterator[str]:
    """For a terminal; `old` and `new` name the versions."""
    words = _EN if language == "en" else _FR
    yield words["title" if found else "same"].format(
        old=old, new=new, count=counted(len(found), "difference", language)
    )
    where = ""
    for one in found:
        if one.where != where:
            where = one.where
            yield where
        yield f"  {one.text}"


class _Comparison:
    """The sentences in one language."""

    def __init__(self, words: Mapping[str, str], language: str) -> None:
        self.words, self.language = words, language

    def say(self, word: str, **values: object) -> str:
        return self.words[word].format(**values)

    def whole(self, old: Configuration, new: Configuration) -> Iterator[Difference]:
        for text in self.values(old.bureau, new.bureau):
            yield Difference(self.words["bureau"], text)
        yield from (Difference(self.words["bureau"], text) for text in self.blocked(old.blocked, new.blocked))
        yield from self.named("trunk", old.trunks, new.trunks, self.values)
        yield from self.named("secretary", old.secretaries, new.secretaries, self.secretary)
        yield from self.named("team", old.teams, new.teams, self.values)
        yield from self.named("roster", old.rosters, new.rosters, self.values)
        yield from self.named("client", old.clients, new.clients, self.client)

    def blocked(self, old: Rule | None, new: Rule | None) -> Iterator[str]:
        """Whom the bureau refuses for every client."""
        before, after = (conditions(rule.when, self.language) if rule else "" for rule in (old, new))
        if before != after:
            yield self.changed("blocked", before, after)

    def named(
        self,
        what: str,
        old: Mapping[str, Any],
        new: Mapping[str, Any],
        compare: Callable[[Any, Any], Iterable[str]],
    ) -> Iterator[Difference]:
        """Those that came, went, and changed."""
        for name in sorted(old.keys() | new.keys()):
            where = self.say(what, id=name)
            if name not in new:
                yield Difference(where, self.words["removed"])
            elif name not in old:
                yield Difference(where, self.words["new"])
            elif old[name] != new[name]:
                for text in compare(old[name], new[name]):
                    yield Difference(where, text)

    # --- values in general

    def values(self, old: Any, new: Any, leave_out: frozenset[str] = frozenset()) -> Iterator[str]:
        """A sentence for each field that is another."""
        for field in fields(old):
            before, after = getattr(old, field.name), getattr(new, field.name)
            if before == after or field.name in leave_out:
                continue
            yield self.changed(
                _WORDS.get(field.name, field.name),
                self.shown(before, field.name),
                self.shown(after, field.name),
            )

    def changed(self, what: str, old: str, new: str) -> str:
        if not old or not new:
            return self.say("now" if new else "gone", what=what, old=old, new=new)
        return self.say("changed", what=what, old=old, new=new)

    def shown(self, value: Any, field: str = "") -> str:  # noqa: PLR0911 - a line for each kind of value
        """A value as an admin would write it; empty for nothing."""
        match value:
            case None | "" | ():
                return ""
            case bool():
                return self.words["yes" if value else "no"]
            case int() | float() if field in _SECONDS:
                return duration(value)
            case Enum():
                return str(value.value)
            case Contact(name, number):
                return f"{name} {number}"
            case Widening(after, to):
                return f"{to} +{duration(after)}"
            case Shift():
                return self._shift(value)
            case Mapping():
                shown = {self.shown(key): self.shown(each) for key, each in value.items()}
                return ", ".join(f"{key}: {each}" for key, each in shown.items())
            case tuple() | list() | frozenset() | set():
                return ", ".join(self.shown(each) for each in value)
            case _ if hasattr(value, "__dataclass_fields__"):
                inside = {
                    _WORDS.get(f.name, f.name): self.shown(getattr(value, f.name), f.name)
                    for f in fields(value)
                }
                return " ".join(f"{key} {text}" for key, text in inside.items() if text)
            case _:
                return str(value)

    def _shift(self, shift: Shift) -> str:
        days = WEEKDAYS["en" if self.language == "en" else "fr"]
        when = [", ".join(days[day - 1] for day in shift.days)]
        when += [ranges((shift.span,))] if shift.span else []
        when += [f"{shift.dates[0]} … {shift.dates[1]}"] if shift.dates else []
        return f"{self.shown(shift.order)} ({' '.join(filter(None, when))})".removesuffix(" ()")

    # --- secretaries

    def secretary(self, old: Secretary, new: Secretary) -> Iterator[str]:
        yield from self.values(old, new, frozenset({"teams", "password"}))
        if old.password != new.password:
            yield self.say("secret", what="password")
        for team in sorted(old.teams.keys() | new.teams.keys()):
            before, after = old.teams.get(team), new.teams.get(team)
            if after is None:
                yield self.say("leaves", team=team)
            elif before is None:
                yield self.say("joins", team=team, level=after)
            elif before != after:
                yield self.say("level", team=team, old=before, new=after)

    # --- clients

    def client(self, old: Client, new: Client) -> Iterator[str]:
        own = frozenset({"lines", "hours", "absences", "rules", "on_full", "on_fax", "vip", "vip_listed"})
        yield from self.values(old, new, own)
        before, after = (callers(each.vip, each.vip_listed, self.language) for each in (old, new))
        if before != after:
            yield self.changed("vip.callers", before, after)
        yield from self.listed("number", map(self._line, old.lines), map(self._line, new.lines))
        yield from self.hours(old.hours, new.hours)
        yield from self.listed("absence", map(self._span, old.absences), map(self._span, new.absences))
        yield from self.rules(old.rules, new.rules)
        yield from self.steps("on_full", old.on_full, new.on_full)
        yield from self.steps("fax", old.on_fax, new.on_fax)

    def _line(self, line: Any) -> str:
        if line.forwarded_from is None:
            return str(line.did)
        return self.say("forwarded", did=line.did, line=line.forwarded_from)

    def _span(self, closure: Closure) -> str:
        name = f"{closure.name} " if closure.name else ""
        play = closure.play
        text = self.say("message", text=f"« {play.text} »" if play.text else play.name) if play else ""
        span = self.say(
            "span", name=name, start=f"{closure.start:%Y-%m-%d %H:%M}", end=f"{closure.end:%Y-%m-%d %H:%M}"
        )
        return span + text

    def listed(self, what: str, old: Iterable[str], new: Iterable[str]) -> Iterator[str]:
        """What came and went of a list whose order means nothing."""
        before, after = list(old), list(new)
        for one in before:
            if one not in after:
                yield self.changed(self.words[what], one, "")
        for one in after:
            if one not in before:
                yield self.changed(self.words[what], "", one)

    def hours(self, old: Hours, new: Hours) -> Iterator[str]:
        if old.zone != new.zone:
            yield self.changed("timezone", old.zone, new.zone)
        week = [(old.week.get(day, ()), new.week.get(day, ())) for day in range(1, 8)]
        day = 0
        while day < len(week):
            last = day
            while last + 1 < len(week) and week[last + 1] == week[day]:
                last += 1
            if week[day][0] != week[day][1]:
                yield self._day(day, last, *week[day])
            day = last + 1
        yield from self.listed("closure", map(self._span, old.closures), map(self._span, new.closures))
        yield from self.listed("opening", map(self._span, old.openings), map(self._span, new.openings))
        yield from self._holidays(old, new)

    def _day(self, first: int, last: int, old: Sequence[TimeRange], new: Sequence[TimeRange]) -> str:
        names = WEEKDAYS["en" if self.language == "en" else "fr"]
        word = "day" if first == last else "days"
        days = self.say(word, day=names[first], first=names[first], last=names[last])
        if not old:
            return self.say("opened", days=days, new=ranges(new))
        if not new:
            return self.say("closed", days=days, old=ranges(old))
        if old[:-1] == new[:-1] and old[-1].start == new[-1].start:
            return self.say("closes", days=days, old=clock(old[-1]), new=clock(new[-1]))
        if old[1:] == new[1:] and old[0].end == new[0].end:
            return self.say("opens", days=days, old=f"{old[0].start:%H:%M}", new=f"{new[0].start:%H:%M}")
        return self.say("hours", days=days, old=ranges(old), new=ranges(new))

    def _holidays(self, old: Hours, new: Hours) -> Iterator[str]:
        gone = sorted({name for day, name in old.holidays.items() if day not in new.holidays})
        come = sorted({name for day, name in new.holidays.items() if day not in old.holidays})
        for names, is_new in ((gone, False), (come, True)):
            if names:
                text = ", ".join(names[:_MOST_HOLIDAYS]) + ("…" if len(names) > _MOST_HOLIDAYS else "")
                yield self.changed(self.words["holidays"], "" if is_new else text, text if is_new else "")

    # --- rules

    def rules(self, old: Sequence[Rule], new: Sequence[Rule]) -> Iterator[str]:
        before, after = {rule.name: rule for rule in old}, {rule.name: rule for rule in new}
        for name in before:
            if name not in after:
                yield self.say("rule gone", name=name)
        stayed = [name for name in before if name in after]
        order = [name for name in after if name in before]
        if stayed != order:
            yield self.say("order", old=", ".join(stayed), new=", ".join(order))
        for name, rule in after.items():
            title = self.say("rule", name=name)
            if name not in before:
                yield self.say("rule new", name=name, when=conditions(rule.when, self.language))
                yield from self.steps(title, (), rule.do)
                continue
            earlier = before[name]
            if earlier.when != rule.when:
                then, now = (conditions(each.when, self.language) for each in (earlier, rule))
                yield self.changed(self.say("when", rule=title), then, now)
            yield from self.steps(title, earlier.do, rule.do)

    def steps(self, title: str, old: Sequence[Step], new: Sequence[Step]) -> Iterator[str]:
        """Line by line of the written-out steps: what is new, what is gone, what stands instead."""
        before, after = list(tree(old, self.language)), list(tree(new, self.language))
        matcher = SequenceMatcher(None, before, after, autojunk=False)
        for kind, i1, i2, j1, j2 in matcher.get_opcodes():
            if kind == "equal":
                continue
            gone, come = before[i1:i2], after[j1:j2]
            paired = min(len(gone), len(come))
            for then, now in zip(gone, come, strict=False):
                yield self.changed(title, then.strip(), now.strip())
            for line in gone[paired:]:
                yield self.changed(title, line.strip(), "")
            for line in come[paired:]:
                yield self.changed(title, "", line.strip())
