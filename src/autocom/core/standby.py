"""What the dialplan needs to serve every client's callers by itself for two weeks, as one text.

JSON, a line each: first the head (numbers, trunks, numbering plan, rosters), then one line a client with the
rules that the clock lets hold, from instant to instant, and their steps as plain operations
(`standby_steps`). Whatever only a call can tell (caller, line forwarded from, number called, whether anybody is
there) stays a condition, which `dialplan/standby_route.py` asks by the rules of `routing`. Pure: the instant is
given; must not know files nor Asterisk. Invariants: for every instant inside, and any caller, the rule found is
the one that `routing.choose` would find with nobody waiting; the text is bounded (`MOST_BYTES`): rather fewer days than more.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta

from autocom.core import hours as opening
from autocom.core.dialling import own_numbers
from autocom.core.ingress import NumberBook
from autocom.core.journal import Json
from autocom.core.model import Client, Configuration, Roster, Rule, When
from autocom.core.numbers import FRANCE, NumberingPlan
from autocom.core.oncall import on_duty
from autocom.core.presentation import MASKED
from autocom.core.reach import in_reach
from autocom.core.routing import Choice, Circumstances, choose, next_change, steps_of
from autocom.core.standby_steps import dialled_without_us, operations

VERSION = 1
DAY = 86_400.0
DAYS = (14, 7, 3, 1)
"""How far ahead is written: the first that fits."""
MOST_BYTES = 8_000_000
MOST_CHANGES = 400
"""Of one client's rules; later ones are left to a newer text."""
NO_LIMIT = 9_999
MOST_ON_CALL = 5
"""Who is on call is rung one after the other; so many of them."""


@dataclass(frozen=True, slots=True)
class Foretold:
    """The text's lines, and the instant (UTC epoch seconds) up to which it may be believed."""

    lines: tuple[str, ...]
    until: float


def foretell(configuration: Configuration, at: float, plan: NumberingPlan = FRANCE) -> Foretold:
    """From `at` (UTC epoch seconds) on. Cost: clients times changes of a fortnight."""
    lines: tuple[str, ...] = ()
    until = at
    for days in DAYS:
        until = at + days * DAY
        lines = tuple(_lines(configuration, at, until, plan))
        if sum(map(len, lines)) <= MOST_BYTES:
            break
    return Foretold(lines, until)


def _lines(configuration: Configuration, at: float, until: float, plan: NumberingPlan) -> Iterator[str]:
    clients = [
        _Future(client, configuration, plan).row(at, until) for client in configuration.clients.values()
    ]
    yield _line(_head(configuration, at, until, plan) | {"clients": len(clients)})
    yield from map(_line, clients)


def _line(row: dict[str, Json]) -> str:
    return json.dumps(row, ensure_ascii=True)


# --- the head --------------------------------------------------------------------------------


def _head(configuration: Configuration, at: float, until: float, plan: NumberingPlan) -> dict[str, Json]:
    book = NumberBook.of(configuration)
    bureau = configuration.bureau
    return {
        "standby": VERSION,
        "made_at": at,
        "until": until,
        "version": configuration.version,
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
            trunk.id: {"did_in": trunk.did_in, "out": trunk.host is not None, "room": _room(trunk.max_calls)}
            for trunk in configuration.trunks.values()
        },
        "rosters": {
            roster.id: _roster(roster, configuration, at, until, plan)
            for roster in configuration.rosters.values()
        },
    }


def _room(max_calls: int | None) -> int:
    """Channels of a trunk that calls of the dialplan may fill: some stay free for callers."""
    return NO_LIMIT if max_calls is None else max_calls - max(1, math.ceil(max_calls / 10))


def _roster(
    roster: Roster, configuration: Configuration, at: float, until: float, plan: NumberingPlan
) -> dict[str, Json]:
    """Who is rung, from instant to instant. Posts of the house are not: their phones are the queues'."""
    own, zone = own_numbers(configuration), configuration.bureau.timezone

    def numbers(instant: float) -> list[Json]:
        order = (*on_duty(roster, instant, zone), *((roster.fallback,) if roster.fallback else ()))
        outside = [contact.number for contact in order if contact.post is None]
        return [each for each in outside if dialled_without_us(each, own, plan)][:MOST_ON_CALL]

    times: list[Json] = [[at, numbers(at)]]
    before = numbers(at)
    for instant in _shift_changes(roster, zone, at, until):
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
    moments = opening.instants(zone, at, days, lambda day: (datetime.combine(day, wall) for wall in walls))
    for instant in moments:
        if instant >= until:
            return
        yield instant


# --- one client ------------------------------------------------------------------------------


class _Future:
    """Collects what the rows of one client share: conditions and programs stand once, however often they hold."""

    def __init__(self, client: Client, configuration: Configuration, plan: NumberingPlan) -> None:
        self._client, self._configuration, self._plan = client, configuration, plan
        blocked = () if configuration.blocked is None else (configuration.blocked,)
        self._rules = (*blocked, *client.rules)
        self._clocked = tuple(replace(rule, when=_clock_only(rule.when)) for rule in self._rules)
        self._conditions: list[Json] = []
        self._programs: list[Json] = []
        self._states: list[Json] = []

    def row(self, at: float, until: float) -> dict[str, Json]:
        """The client's line."""
        times: list[Json] = []
        instant: float | None = at
        while instant is not None and instant < until:
            if len(times) >= MOST_CHANGES:
                until = instant
                break
            times.append([instant, _place(self._states, self._holding(instant))])
            instant = next_change(self._client, instant)
        client = self._client
        reach = in_reach(
            client, self._configuration.teams, self._configuration.secretaries, self._configuration.bureau
        )
        return {
            "client": client.id,
            "display": client.display,
            "phrase": client.phrase,
            "phrases": {reason.value: phrase for reason, phrase in client.phrases.items()},
            "card": client.card or "",
            "until": until,
            "reach": list[Json](sorted(reach)),
            "times": times,
            "states": self._states,
            "conditions": self._conditions,
            "programs": self._programs,
        }

    def _holding(self, at: float) -> list[Json]:
        """The rules that may take a call at this instant, first to last: name, condition (-1: none), program."""
        found: list[Json] = []
        for place, rule in enumerate(self._rules):
            client = replace(self._client, rules=(self._clocked[place], _SENTINEL))
            choice = choose(client, Circumstances(at))
            if choice.rule is _SENTINEL:
                continue
            condition = _condition(rule.when)
            found.append(
                [
                    rule.name,
                    -1 if condition is None else _place(self._conditions, condition),
                    _place(self._programs, self._program(rule, choice)),
                ]
            )
            if condition is None:
                break
        return found

    def _program(self, rule: Rule, choice: Choice) -> Json:
        steps = steps_of(replace(choice, rule=rule), self._client)
        written: list[Json] = []
        written += operations(steps, self._client, self._configuration, self._plan)
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
