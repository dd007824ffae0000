"""Who is at work when, and how she picks up: shifts, breaks, habits, and secretaries more or fewer.

Must not know calls. A secretary of whom nothing is said works the house's usual day: from eight to
seven with an hour at noon, colleagues in turn. Intervals are UTC epoch seconds, end exclusive.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import time

from autocom.core.model import Configuration, Secretary
from autocom.simulate.calendar import Day
from autocom.simulate.chance import Lognormal, Times

Intervals = tuple[tuple[float, float], ...]

_USUAL = (time(8), time(19))
_NOONS = (time(12), time(12, 45), time(13, 30))
_NOON_LASTS = 3600.0
_CHANGE = re.compile(r"([+-])([1-9][0-9]{0,3})(?::([a-z0-9-]{1,32}))?")
_ID = "extra-{}"


class Impossible(ValueError):  # noqa: N818 - said to a person at a terminal
    """What was asked for cannot be simulated; the text says why."""


@dataclass(frozen=True, slots=True)
class Habits:
    """How secretaries behave. `pick_up`: seconds of ringing; `no_answer`: share of offers they let ring;
    `back_after`: when one who was paused for that comes back; `wrap_up`: seconds of work after a call, cut to
    what the client's configuration allows (None: all of it)."""

    pick_up: Times = field(default_factory=lambda: Lognormal(4.0, 0.5))
    no_answer: float = 0.0
    back_after: float = 120.0
    wrap_up: Times | None = None


@dataclass(frozen=True, slots=True)
class Shift:
    """One secretary's day: logged in during `works`, paused during `breaks`."""

    works: Intervals
    breaks: Intervals = ()

    def available(self, start: float, end: float) -> float:
        """Seconds between two instants in which she is there and takes calls."""
        there = sum(_shared(span, (start, end)) for span in self.works)
        away = sum(
            _shared((max(a[0], b[0]), min(a[1], b[1])), (start, end)) for a in self.works for b in self.breaks
        )
        return max(0.0, there - away)


Presence = Mapping[str, Shift]


def _shared(one: tuple[float, float], other: tuple[float, float]) -> float:
    return max(0.0, min(one[1], other[1]) - max(one[0], other[0]))


def usual(secretaries: Iterable[str], day: Day) -> dict[str, Shift]:
    """The house's usual day for these."""
    found = {}
    for number, who in enumerate(secretaries):
        noon = day.at(_NOONS[number % len(_NOONS)])
        found[who] = Shift(((day.at(_USUAL[0]), day.at(_USUAL[1])),), ((noon, noon + _NOON_LASTS),))
    return found


def staffed_otherwise(
    configuration: Configuration, presence: Presence, changes: Sequence[str]
) -> tuple[Configuration, Presence]:
    """The bureau with secretaries more or fewer: `+2:medical`, `-1:legal`, `+1` for the only team.

    One more is the double of the first who knows that team best, with the same shift; who goes is the last
    of those. Raises Impossible."""
    secretaries, shifts = dict(configuration.secretaries), dict(presence)
    for change in changes:
        sign, number, team = _change(change, configuration)
        for _ in range(number):
            members = _members(secretaries, team)
            if not members:
                raise Impossible(f"--secretaries {change}: nobody is (left) in team {team}")
            if sign == "+":
                model, name = members[0], _unused(secretaries)
                secretaries[name] = replace(model, id=name, name=f"{model.name} (+)", auto_login=False)
                if model.id in shifts:
                    shifts[name] = shifts[model.id]
            else:
                del secretaries[members[-1].id]
                shifts.pop(members[-1].id, None)
    return replace(configuration, secretaries=secretaries), shifts


def _change(change: str, configuration: Configuration) -> tuple[str, int, str]:
    found = _CHANGE.fullmatch(change)
    if found is None:
        raise Impossible(f"--secretaries {change}: write +2:medical or -1:medical")
    team = found[3]
    if team is None:
        if len(configuration.teams) != 1:
            raise Impossible(
                f"--secretaries {change}: say the team, as +2:{min(configuration.teams, default='team')}"
            )
        (team,) = configuration.teams
    if team not in configuration.teams:
        raise Impossible(f"--secretaries {change}: there is no team {team}: {', '.join(configuration.teams)}")
    return found[1], int(found[2]), team


def _members(secretaries: Mapping[str, Secretary], team: str) -> list[Secretary]:
    members = [s for s in secretaries.values() if team in s.teams]
    best = min((s.teams[team] for s in members), default=0)
    return [s for s in members if s.teams[team] == best]


def _unused(secretaries: Mapping[str, Secretary]) -> str:
    number = 1
    while _ID.format(number) in secretaries:
        number += 1
    return _ID.format(number)
