"""What the dialplan needs to serve every client's callers by itself for two weeks, as one text.

JSON, a line each: first the head (numbers, trunks, numbering plan, whom the bureau blocks, rosters), then one line a
client with the rules that the clock lets hold, from instant to instant, and their steps as plain operations
(`standby_steps`). Whatever only a call can tell (caller, line forwarded from, number called, whether anybody is
there) stays a condition, which `dialplan/standby_route.py` asks by the rules of `routing`. Pure: the instant is
given; must not know files nor Asterisk. A line is made in pieces of well under a millisecond (`Pieces`): who makes
hundreds of them lets calls go on in between. Invariant: for every instant inside, and any caller, the rule found is the
one that `routing.choose` would find with nobody waiting.
"""

from __future__ import annotations

import heapq
import json
import math
from collections.abc import Generator, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta

from autocom.core import hours as opening
from autocom.core.ingress import NumberBook
from autocom.core.journal import Json
from autocom.core.model import Client, Configuration, Roster, Rule, When
from autocom.core.numbers import FRANCE, NumberingPlan
from autocom.core.oncall import on_duty
from autocom.core.overrides import Override, of_hours, of_team
from autocom.core.presentation import MASKED
from autocom.core.reach import in_reach
from autocom.core.routing import Choice, Circumstances, by_clock, choose, flatten, moments, steps_of
from autocom.core.standby_steps import Around, dialled_without_us, operations

VERSION = 1
DAY = 86_400.0
AHEAD = 14 * DAY
"""How far ahead is written."""
MOST_CHANGES = 400
"""Of one client's rules; later ones are left to a newer text."""
NO_LIMIT = 9_999
MOST_ON_CALL = 5
"""Who is on call is rung one after the other; so many of them."""

Pieces = Generator[None, None, str]
"""A line in the making: it yields after every piece, and returns the line."""


@dataclass(frozen=True, slots=True)
class Told:
    """One client's line, and what it was made of: as long as these are equal it need not be made again, for a day."""

    client: Client
    overrides: tuple[Override, ...]
    at: float
    line: str


def foretell(
    configuration: Configuration,
    at: float,
    plan: NumberingPlan = FRANCE,
    overrides: tuple[Override, ...] = (),
) -> Iterator[str]:
    """Every line, from `at` (UTC epoch seconds) on, in one go."""
    around = Around.of(configuration, plan)
    yield whole(head(around, at))
    for client in configuration.clients.values():
        said = tuple(each for each in overrides if each.client == client.id)
        yield whole(line(client, around, at, said))


def whole(pieces: Pieces) -> str:
    """The line, in one go."""
    while True:
        try:
            next(pieces)
        except StopIteration as made:
            return str(made.value)


def _line(row: dict[str, Json]) -> str:
    return json.dumps(row, ensure_ascii=True)


# --- the head --------------------------------------------------------------------------------


def head(around: Around, at: float) -> Pieces:
    """The first line, from `at` on."""
    configuration, plan, bureau = around.configuration, around.plan, around.bureau
    rosters: dict[str, Json] = {}
    for roster in configuration.rosters.values():
        rosters[roster.id] = yield from _roster(roster, around, at)
    book = NumberBook.of(configuration)
    yield
    return _line(
        {
            "standby": VERSION,
            "made_at": at,
            "version": configuration.version,
            "clients": len(configuration.clients),
            "plan": {
                "code": plan.country_code,
                "trunk": plan.trunk_prefix,
                "abroad": plan.international_prefix,
                "lengths": list(plan.national_lengths),
                "overseas": dict(plan.overseas),
                "fiction": list(plan.fiction),
            },
            "masked": MASKED.get(bureau.language, MASKED["fr"]),
            "number": bureau.number,
            "unknown": book.unknown_client,
            "plain": {did: list(clients) for did, clients in book.plain.items()},
            "forwarded": {f"{did} {line}": client for (did, line), client in book.forwarded.items()},
            "sharers": {did: list(clients) for did, clients in book.sharers.items()},
            "owners": list(book.owners),
            "trunks": {
                trunk.id: {
                    "did_in": trunk.did_in,
                    "out": trunk.host is not None,
                    "room": _room(trunk.max_calls),
                }
                for trunk in configuration.trunks.values()
            },
            "blocked": _blocked(around),
            "rosters": rosters,
        }
    )


def _room(max_calls: int | None) -> int:
    """Channels of a trunk that calls of the dialplan may fill: some stay free for callers."""
    return NO_LIMIT if max_calls is None else max_calls - max(1, math.ceil(max_calls / 10))


def _blocked(around: Around) -> Json:
    """The rule before those of every client: it may name thousands of numbers, and so stands here once."""
    rule, house = around.configuration.blocked, around.configuration.clients.get(around.bureau.unknown_client)
    if rule is None or house is None:
        return None
    program: list[Json] = []
    program += operations(flatten(rule, house), house, around)
    return {"name": rule.name, "condition": _condition(rule.when) or {}, "program": program}


def _roster(roster: Roster, around: Around, at: float) -> Generator[None, None, Json]:
    """Who is rung, from instant to instant. Posts of the house are not: their phones are the queues'."""
    zone = around.bureau.timezone

    def numbers(instant: float) -> list[Json]:
        order = (*on_duty(roster, instant, zone), *((roster.fallback,) if roster.fallback else ()))
        outside = [contact.number for contact in order if contact.post is None]
        return [each for each in outside if dialled_without_us(each, around.own, around.plan)][:MOST_ON_CALL]

    before = numbers(at)
    times: list[Json] = [[at, before]]
    for instant in _shift_changes(roster, zone, at, at + AHEAD):
        yield
        now = numbers(instant)
        if now != before:
            times.append([instant, now])
            before = now
    return {"accept": roster.accept, "ring_for": round(roster.ring_for), "times": times}


def _shift_changes(roster: Roster, zone: str, at: float, until: float) -> Iterator[float]:
    walls = {time(0)}
    for shift in roster.shifts:
        if shift.span is not None:
            walls |= {shift.span.start, shift.span.end}
    first, last = opening.local(zone, at).date(), opening.local(zone, until).date()
    days: set[date] = {first + timedelta(days=n) for n in range((last - first).days + 1)}
    changes = opening.instants(zone, at, days, lambda day: (datetime.combine(day, wall) for wall in walls))
    for instant in changes:
        if instant >= until:
            return
        yield instant


# --- one client ------------------------------------------------------------------------------


def line(client: Client, around: Around, at: float, overrides: tuple[Override, ...] = ()) -> Pieces:
    """One client's line, from `at` on. `overrides`: what a lead said of it, and until when."""
    future = _Future(client, around, overrides)
    until = at + AHEAD
    said = sorted(end for each in overrides for end in (each.since, each.until) if at < end < until)
    times: list[list[Json]] = []
    for instant in heapq.merge((at,), said, moments(client, at, until)):
        state = yield from future.state(instant)
        if times and times[-1][1] == state:
            continue
        if len(times) >= MOST_CHANGES:
            until = instant
            break
        times.append([instant, state])
    configuration = around.configuration
    reach = in_reach(client, configuration.teams, configuration.secretaries, configuration.bureau)
    return _line(
        {
            "client": client.id,
            "display": client.display,
            "phrase": client.phrase,
            "phrases": {reason.value: phrase for reason, phrase in client.phrases.items()},
            "card": client.card or "",
            "until": until,
            "reach": list[Json](sorted(reach)),
            "times": list[Json](times),
            "states": future.states,
            "conditions": future.conditions,
            "programs": future.programs,
        }
    )


class _Future:
    """Collects what the instants of one client share: conditions and programs stand once, however often they hold."""

    def __init__(self, client: Client, around: Around, overrides: tuple[Override, ...]) -> None:
        self._client, self._around, self._overrides = client, around, overrides
        self._clocked = tuple(replace(rule, when=_clock_only(rule.when)) for rule in client.rules)
        self._known: dict[object, int] = {}
        self.conditions: list[Json] = []
        self.programs: list[Json] = []
        self.states: list[Json] = []

    def state(self, at: float) -> Generator[None, None, int]:
        """The place in `states` of the rules that may take a call at this instant, first to last: name, condition
        (-1: none), program."""
        ruled, moved = of_hours(self._overrides, at), of_team(self._overrides, at)
        team = moved.team if moved is not None and moved.team in self._around.teams else None
        decided = (by_clock(self._client, at, ruled), team)
        yield
        if decided not in self._known:
            now = Circumstances(at, override=ruled)
            found: list[Json] = []
            for place, rule in enumerate(self._client.rules):
                client = replace(self._client, rules=(self._clocked[place], _SENTINEL))
                choice = choose(client, now)
                if choice.rule is _SENTINEL:
                    continue
                condition = _condition(rule.when)
                asked = -1 if condition is None else _place(self.conditions, condition)
                yield
                found.append([rule.name, asked, _place(self.programs, self._program(rule, choice, team))])
                yield
                if condition is None:
                    break
            self._known[decided] = _place(self.states, found)
        return self._known[decided]

    def _program(self, rule: Rule, choice: Choice, team: str | None) -> Json:
        steps = steps_of(replace(choice, rule=rule), self._client)
        written: list[Json] = []
        written += operations(steps, self._client, self._around, team)
        return written


_SENTINEL = Rule("", None, ())


def _clock_only(when: When | None) -> When | None:
    """The conditions that an instant decides, and those on load, which are asked as if nobody waited."""
    if when is None:
        return None
    return replace(when, caller=(), listed=(), did=(), forward_reason=(), nobody=None)


def _condition(when: When | None) -> dict[str, Json] | None:
    """What only a call can tell; None where nothing is asked."""
    if when is None:
        return None
    asked: dict[str, Json] = {}
    if when.caller:
        asked["caller"] = list(when.caller)
        asked["listed"] = [[each.entry, each.until] for each in when.listed]
    if when.forward_reason:
        asked["reason"] = [reason.value for reason in when.forward_reason]
    if when.did:
        asked["did"] = list(when.did)
    if when.nobody is not None:
        asked["nobody"] = when.nobody
    return asked or None


def _place(table: list[Json], row: Json) -> int:
    """Where the row stands; appended where it does not yet."""
    try:
        return table.index(row)
    except ValueError:
        table.append(row)
        return len(table) - 1
