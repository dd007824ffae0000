"""What came of the simulated days: service level, waits, abandonment, occupancy, by client, team, half hour.

Computed from the callers and the secretaries' states alone, as reports compute them from the journal.
The words: a call *wanted a secretary* unless a rule dismissed it (closed, rejected) or sent it elsewhere
at once; the service level counts, of those, who talked with somebody within the client's target of
calling; the speed of answer and its percentiles are of those who did talk. Must not know how the days
came about. Invariant: all shares are between 0 and 1, and no figure stands without its number of calls.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from autocom.core.model import Configuration
from autocom.simulate.calendar import HALF_HOUR, Day
from autocom.simulate.confidence import NOTHING, Estimate, mean, quantile, ratio
from autocom.simulate.course import Course, Passed, Stint

BUSY = frozenset({"ringing", "talking", "wrap_up"})
_THERE = BUSY | {"free"}
_LOST = frozenset({"abandoned", "timeout", "nobody", "full"})
_USUAL_TARGET = 20.0

K = TypeVar("K", str, int)


@dataclass(frozen=True, slots=True)
class Sheet:
    """The figures of one group of calls. `calls`: a day, `wanted`: of those, who wanted a secretary; `longest`
    of all days together; `own`: share of conversations with a secretary of the caller's own team.
    `misjudged`: by how many seconds, either way, the expected wait was wrong for those who had to wait."""

    calls: float
    wanted: float
    outcomes: Mapping[str, float]
    service_level: Estimate
    asa: Estimate
    p90: Estimate
    p95: Estimate
    longest: float | None
    abandons: Estimate
    offers: Estimate
    own: Estimate
    misjudged: Estimate


@dataclass(frozen=True, slots=True)
class Work:
    """Secretaries' time. `present`: how many on average. `talk`, `ring`, `wrap_up`: seconds for each
    conversation. `spread`: the busiest one's occupancy less the idlest one's."""

    occupancy: Estimate
    present: float
    talk: float
    ring: float
    wrap_up: float
    spread: Estimate = NOTHING

    @property
    def handling(self) -> float:
        """Seconds of a secretary that one conversation takes."""
        return self.talk + self.ring + self.wrap_up


@dataclass(frozen=True, slots=True)
class Sheets:
    """The callers' side of several days: of all, by client, by team, by half hour."""

    total: Sheet
    clients: Mapping[str, Sheet]
    teams: Mapping[str, Sheet]
    slots: Mapping[int, Sheet]


@dataclass(frozen=True, slots=True)
class Figures:
    """Of several simulated days of one configuration. `target`: mean of the callers' targets."""

    day: Day
    seeds: int
    sheets: Sheets
    work: Work
    slot_work: Mapping[int, Work]
    team_work: Mapping[str, Work]
    occupancy: Mapping[str, float]
    target: float
    facts: int

    @property
    def total(self) -> Sheet:
        """Of all calls."""
        return self.sheets.total

    @property
    def clients(self) -> Mapping[str, Sheet]:
        """By client, in alphabetical order."""
        return self.sheets.clients

    @property
    def teams(self) -> Mapping[str, Sheet]:
        """By the team that callers waited for."""
        return self.sheets.teams

    @property
    def slots(self) -> Mapping[int, Sheet]:
        """By the half hour in which calls came, those without calls left out."""
        return self.sheets.slots


def wanted(passed: Passed) -> bool:
    """Whether this caller was a secretary's to take."""
    return passed.team is not None or passed.outcome in _LOST


def sheets(courses: Sequence[Course], configuration: Configuration, day: Day) -> Sheets:
    """The callers' side of these days, each simulated with a seed of its own."""
    targets = _targets(configuration)
    days = [course.calls for course in courses]

    def by(key: Callable[[Passed], K | None]) -> dict[K, Sheet]:
        groups = _grouped(days, key)
        return {name: _sheet(groups[name], targets) for name in sorted(groups)}

    return Sheets(
        _sheet(days, targets), by(lambda p: p.client), by(lambda p: p.team), by(lambda p: day.slot(p.at))
    )


def figures(courses: Sequence[Course], configuration: Configuration, day: Day) -> Figures:
    """Everything of these days, each simulated with a seed of its own."""
    targets, found = _targets(configuration), sheets(courses, configuration, day)
    sums = [_Sums(course.stints, day) for course in courses]
    talks = [passed for course in courses for passed in course.calls if passed.outcome == "served"]
    wants = [targets.get(p.client, _USUAL_TARGET) for course in courses for p in course.calls if wanted(p)]
    levels = {s.id: s.teams for s in configuration.secretaries.values()}
    by_slot = Counter(day.slot(passed.at) for passed in talks)
    everybody = sorted({who for each in sums for who in each.people})
    members = {team: {who for who in everybody if team in levels.get(who, {})} for team in found.teams}
    return Figures(
        day=day,
        seeds=len(courses),
        sheets=found,
        work=_work([each.of_people() for each in sums], len(talks), _open_seconds(sums), sums, everybody),
        slot_work={
            slot: _work([each.slots[slot] for each in sums], by_slot[slot], HALF_HOUR)
            for slot in range(day.slots)
        },
        team_work={
            team: _work(
                [each.of_people(who) for each in sums],
                sum(passed.secretary in who for passed in talks),
                _open_seconds(sums),
                sums,
                sorted(who),
            )
            for team, who in members.items()
        },
        occupancy={
            who: sum(each.busy(who) for each in sums) / there
            for who in everybody
            if (there := sum(each.there(who) for each in sums)) > 0
        },
        target=sum(wants) / len(wants) if wants else _USUAL_TARGET,
        facts=sum(course.facts for course in courses),
    )


def _targets(configuration: Configuration) -> dict[str, float]:
    return {client.id: client.target for client in configuration.clients.values()}


def _grouped(
    days: Sequence[Sequence[Passed]], key: Callable[[Passed], K | None]
) -> dict[K, list[list[Passed]]]:
    groups: dict[K, list[list[Passed]]] = {}
    for number, calls in enumerate(days):
        for passed in calls:
            name = key(passed)
            if name is None:
                continue
            if name not in groups:
                groups[name] = [[] for _ in days]
            groups[name][number].append(passed)
    return groups


def _sheet(days: Sequence[Sequence[Passed]], targets: Mapping[str, float]) -> Sheet:
    of_hers = [[p for p in calls if wanted(p)] for calls in days]
    served = [[p for p in calls if p.outcome == "served"] for calls in of_hers]
    told = [[p for p in calls if p.misjudged is not None] for calls in served]
    waits = [[p.wait for p in calls] for calls in served]
    outcomes = Counter(p.outcome for calls in days for p in calls)

    def share(count: Callable[[Passed], float], of: Sequence[Sequence[Passed]]) -> Estimate:
        return ratio([(sum(map(count, calls)), len(calls)) for calls in of])

    def in_time(passed: Passed) -> bool:
        return passed.outcome == "served" and passed.wait <= targets.get(passed.client, _USUAL_TARGET)

    return Sheet(
        calls=sum(map(len, days)) / len(days),
        wanted=sum(map(len, of_hers)) / len(days),
        outcomes={word: number / len(days) for word, number in sorted(outcomes.items())},
        service_level=share(in_time, of_hers),
        asa=share(lambda p: p.wait, served),
        p90=quantile(waits, 0.9),
        p95=quantile(waits, 0.95),
        longest=max((p.wait for calls in of_hers for p in calls), default=None),
        abandons=share(lambda p: p.outcome == "abandoned", of_hers),
        offers=share(lambda p: p.offers, of_hers),
        own=share(lambda p: p.own, served),
        misjudged=share(lambda p: abs(p.misjudged or 0.0), told),
    )


States = Mapping[str, float]
"""Seconds by state."""


class _Sums:
    """One day's seconds by state: of each secretary, and of each half hour."""

    def __init__(self, stints: Iterable[Stint], day: Day) -> None:
        self.people: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
        self.slots: dict[int, dict[str, float]] = defaultdict(lambda: defaultdict(float))
        for stint in stints:
            if stint.state not in _THERE:
                continue
            self.people[stint.secretary][stint.state] += stint.end - stint.start
            for slot in range(day.slot(stint.start), day.slot(stint.end) + 1):
                # what is before or after the day is its first or last half hour's
                begins = stint.start if slot == 0 else max(stint.start, day.begins(slot))
                ends = stint.end if slot == day.slots - 1 else min(stint.end, day.begins(slot + 1))
                self.slots[slot][stint.state] += max(0.0, ends - begins)

    def of_people(self, who: Iterable[str] | None = None) -> States:
        """Of these together; of all."""
        found: dict[str, float] = defaultdict(float)
        for name in self.people if who is None else who:
            for state, seconds in self.people.get(name, {}).items():
                found[state] += seconds
        return found

    def busy(self, who: str) -> float:
        """Her seconds at work on a call."""
        return _sum(self.people.get(who, {}), BUSY)

    def there(self, who: str) -> float:
        """Her seconds at work or free for it."""
        return _sum(self.people.get(who, {}), _THERE)

    def spread(self, who: Iterable[str]) -> float:
        """The busiest one's occupancy less the idlest one's."""
        shares = [self.busy(name) / there for name in who if (there := self.there(name)) > 0]
        return max(shares) - min(shares) if shares else 0.0


def _sum(states: States, which: Iterable[str]) -> float:
    return sum(states.get(state, 0.0) for state in which)


def _open_seconds(sums: Sequence[_Sums]) -> float:
    """How long anybody is there at all, to the half hour."""
    return HALF_HOUR * len({slot for each in sums for slot in each.slots})


def _work(
    days: Sequence[States],
    conversations: int,
    length: float,
    sums: Sequence[_Sums] = (),
    who: Iterable[str] = (),
) -> Work:
    """`days`: each day's seconds by state, of a span of `length` seconds."""
    names = list(who)

    def for_each(state: str) -> float:
        return sum(day.get(state, 0.0) for day in days) / max(1, conversations)

    return Work(
        occupancy=ratio([(_sum(day, BUSY), _sum(day, _THERE)) for day in days]),
        present=sum(_sum(day, _THERE) for day in days) / len(days) / length if length else 0.0,
        talk=for_each("talking"),
        ring=for_each("ringing"),
        wrap_up=for_each("wrap_up"),
        spread=mean([each.spread(names) for each in sums]) if sums else NOTHING,
    )
