"""How long things last: talking, patience, picking up. Distributions that are drawn from by lot.

`Survival` is the patience of callers as a journal shows it: who was answered had *at least* that much
patience, so the curve is Kaplan and Meier's (1958), not the mean of those who hung up. Must not know
what the times are used for. Invariant: every drawing takes exactly one number from the source of
chance, so that two runs with other parameters stay in step.
"""

from __future__ import annotations

import bisect
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from random import Random
from statistics import NormalDist
from typing import Protocol

_NORMAL = NormalDist()
_LATE = 1.0 - 1e-12


class Times(Protocol):
    """A time in seconds that is drawn by lot."""

    @property
    def mean(self) -> float:
        """The mean of what is drawn."""

    def draw(self, chance: Random) -> float:
        """One time."""


@dataclass(frozen=True, slots=True)
class Fixed:
    """Always the same."""

    mean: float

    def draw(self, chance: Random) -> float:
        """The value; one number is taken all the same."""
        chance.random()
        return self.mean


@dataclass(frozen=True, slots=True)
class Exponential:
    """Without memory: the assumption of Erlang's formulas."""

    mean: float

    def draw(self, chance: Random) -> float:
        """By inversion."""
        return -self.mean * math.log1p(-chance.random())


@dataclass(frozen=True, slots=True)
class Lognormal:
    """What conversations look like. `spread` is the standard deviation in parts of the mean."""

    mean: float
    spread: float = 0.86

    def draw(self, chance: Random) -> float:
        """By inversion."""
        if self.mean <= 0:
            chance.random()
            return 0.0
        variance = math.log1p(self.spread**2)
        where = _NORMAL.inv_cdf(min(max(chance.random(), 1e-12), _LATE))
        return self.mean * math.exp(where * math.sqrt(variance) - variance / 2)


@dataclass(frozen=True, slots=True)
class Observed:
    """One of the times that were measured, each as likely as the others; ascending, never empty."""

    values: tuple[float, ...]

    @classmethod
    def of(cls, values: Iterable[float]) -> Observed:
        """In order. ValueError where there is none."""
        found = tuple(sorted(values))
        if not found:
            raise ValueError("nothing was observed")
        return cls(found)

    @property
    def mean(self) -> float:
        """Of the measurements."""
        return math.fsum(self.values) / len(self.values)

    def draw(self, chance: Random) -> float:
        """One of them."""
        return self.values[int(chance.random() * len(self.values))]


@dataclass(frozen=True, slots=True)
class Survival:
    """`times` ascending, `left[i]`: share of callers still there after `times[i]`. Beyond the last one
    nobody was seen giving up; from there on they go at the mean rate, 1 / `mean`."""

    times: tuple[float, ...]
    left: tuple[float, ...]
    mean: float

    def draw(self, chance: Random) -> float:
        """One caller's patience."""
        return self.draw_beyond(0.0, chance)

    def draw_beyond(self, waited: float, chance: Random) -> float:
        """The patience of a caller who is known to have waited that long."""
        place = bisect.bisect_right(self.times, waited)
        there = self.left[place - 1] if place else 1.0
        lot = 1.0 - chance.random()
        if there <= 0.0:  # nobody was seen waiting that long
            return waited - self.mean * math.log(lot)
        wanted = there * lot
        # `left` descends: the first time at which no more than `wanted` are left
        found = bisect.bisect_left(self.left, -wanted, lo=place, key=lambda share: -share)
        if found < len(self.times):
            return self.times[found]
        last = max(waited, self.times[-1] if self.times else 0.0)
        least = self.left[-1] if self.left else 1.0
        return last - self.mean * math.log(wanted / min(there, least))


def survival(waits: Sequence[tuple[float, bool]], otherwise: float) -> Survival:
    """Patience from waits and whether each ended by hanging up. The mean is that of an exponential law with
    the same events in the same time; `otherwise` where nobody hung up."""
    given_up = sum(gave_up for _, gave_up in waits)
    mean = math.fsum(wait for wait, _ in waits) / given_up if given_up else otherwise
    times: list[float] = []
    left: list[float] = []
    share, at_risk = 1.0, len(waits)
    # who gave up at an instant goes before who was answered at the same one
    for wait, gave_up in sorted(waits, key=lambda seen: (seen[0], not seen[1])):
        if gave_up:
            share *= 1.0 - 1.0 / at_risk
            if times and times[-1] == wait:
                left[-1] = share
            else:
                times.append(wait)
                left.append(share)
        at_risk -= 1
    return Survival(tuple(times), tuple(left), max(mean, 0.001))
