"""What pauses were taken, from the states that secretaries were in.

A pause lasts from the state that names its reason to the next one that does not, her phone off meanwhile or
not; the call that she finished first is none of it. It belongs to the day on which it began, in the bureau's
zone, and is held against the quota of its reason. Must not know where the states are stored. Invariant: the
same states give the same report, whatever is asked in which order. `core.pauses` counts the same as it happens.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from autocom.core.hours import local
from autocom.core.model import Quota

_AT_WORK = frozenset({"ringing", "talking", "wrap_up"})


@dataclass(frozen=True, slots=True)
class Seen:
    """A secretary was in this state from `at` (UTC epoch seconds) on."""

    at: float
    secretary: str
    state: str
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Taken:
    """One pause; `end` is None where she is still in it."""

    secretary: str
    reason: str
    start: float
    end: float | None


@dataclass(frozen=True, slots=True)
class PauseLine:
    """The pauses of one secretary for one reason. Seconds. `over_longest`: pauses longer than the quota
    allows one to be; `over_a_day`, `over_times`: days on which they were too long together, or too many."""

    secretary: str
    reason: str
    times: int
    total: float
    longest: float
    over_longest: int = 0
    over_a_day: int = 0
    over_times: int = 0

    @property
    def over(self) -> int:
        """How often any limit was exceeded."""
        return self.over_longest + self.over_a_day + self.over_times


def pauses(states: Iterable[Seen]) -> list[Taken]:
    """Every pause, by start; of `states` in any order, doubled ones counted once."""
    running: dict[str, Taken] = {}
    found: list[Taken] = []
    for seen in sorted(states, key=lambda s: s.at):
        reason = None if seen.state in _AT_WORK else seen.reason
        now = running.get(seen.secretary)
        if now is not None and now.reason != reason:
            found.append(Taken(now.secretary, now.reason, now.start, seen.at))
            del running[seen.secretary]
        if reason is not None:
            running.setdefault(seen.secretary, Taken(seen.secretary, reason, seen.at, None))
    return sorted([*found, *running.values()], key=lambda p: (p.start, p.secretary))


def report(
    taken: Iterable[Taken], quotas: Mapping[str, Quota], zone: str, now: float
) -> tuple[PauseLine, ...]:
    """By secretary, then reason. A pause that goes on is counted up to `now`."""
    groups: dict[tuple[str, str], list[tuple[str, float]]] = defaultdict(list)
    for pause in taken:
        end = now if pause.end is None else pause.end
        day = local(zone, pause.start).date().isoformat()
        groups[pause.secretary, pause.reason].append((day, max(0.0, end - pause.start)))
    return tuple(
        _line(secretary, reason, found, quotas.get(reason, Quota()))
        for (secretary, reason), found in sorted(groups.items())
    )


def _line(secretary: str, reason: str, found: list[tuple[str, float]], quota: Quota) -> PauseLine:
    lengths = [seconds for _, seconds in found]
    days: dict[str, list[float]] = defaultdict(list)
    for day, seconds in found:
        days[day].append(seconds)
    return PauseLine(
        secretary,
        reason,
        times=len(lengths),
        total=sum(lengths),
        longest=max(lengths),
        over_longest=_beyond(lengths, quota.longest),
        over_a_day=_beyond([sum(each) for each in days.values()], quota.a_day),
        over_times=_beyond([len(each) for each in days.values()], quota.times),
    )


def _beyond(values: Iterable[float], limit: float | None) -> int:
    return 0 if limit is None else sum(value > limit for value in values)
