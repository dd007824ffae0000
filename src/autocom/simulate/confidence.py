"""Estimates with their 95 % confidence, from independent parts: several seeds, or batches of one long day.

A share or a mean is the ratio of two sums over all parts (a half hour without calls in one of them must
not weigh as much as a busy one); its error is that of the linearised ratio (Cochran, Sampling Techniques,
chapter 6), with Student's factor for few parts. Must not know what is estimated.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeVar

T = TypeVar("T")

# two-sided 95 % points of Student's law for 1 … 30 degrees of freedom
_STUDENT = (
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131,
    2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
)  # fmt: skip
_LEAST_FOR_QUANTILE = 20


@dataclass(frozen=True, slots=True)
class Estimate:
    """`value` None: nothing to estimate it from. `error`: half the width of the 95 % interval, None where
    there are too few parts to say."""

    value: float | None
    error: float | None = None

    def covers(self, truth: float) -> bool:
        """Whether the interval holds that value."""
        if self.value is None or self.error is None:
            return False
        return abs(self.value - truth) <= self.error


NOTHING = Estimate(None)


def student(parts: int) -> float:
    """The factor for the mean of so many parts."""
    freedom = parts - 1
    return _STUDENT[freedom - 1] if freedom <= len(_STUDENT) else 1.96 + 2.5 / freedom


def ratio(parts: Sequence[tuple[float, float]]) -> Estimate:
    """Σ of the first over Σ of the second."""
    above, below = math.fsum(x for x, _ in parts), math.fsum(n for _, n in parts)
    if below == 0:
        return Estimate(None)
    value = above / below
    if len(parts) < 2:
        return Estimate(value)
    scatter = math.fsum((x - value * n) ** 2 for x, n in parts) / (len(parts) - 1)
    error = student(len(parts)) * math.sqrt(scatter / len(parts)) / (below / len(parts))
    return Estimate(value, error)


def mean(parts: Sequence[float]) -> Estimate:
    """Of one value a part."""
    return ratio([(value, 1.0) for value in parts])


def quantile(parts: Sequence[Sequence[float]], share: float) -> Estimate:
    """Of all values together; its error from the parts' own quantiles, where each part has enough values."""
    everything = sorted(value for part in parts for value in part)
    if not everything:
        return Estimate(None)
    value = _quantile(everything, share)
    if len(parts) < 2 or min(len(part) for part in parts) < _LEAST_FOR_QUANTILE:
        return Estimate(value)
    return Estimate(value, mean([_quantile(sorted(part), share) for part in parts]).error)


def _quantile(ascending: Sequence[float], share: float) -> float:
    return ascending[min(len(ascending) - 1, math.ceil(share * len(ascending)) - 1)]


def batches(values: Sequence[T], number: int, *, warm_up: float = 0.0) -> list[Sequence[T]]:
    """One long run cut into parts of equal length, after the share `warm_up` of it. Parts must be long against
    the time the queue remembers, or their differences understate the error."""
    kept = values[int(len(values) * warm_up) :]
    edges = [round(n * len(kept) / number) for n in range(number + 1)]
    return [kept[a:b] for a, b in pairwise(edges)]


def ratio_of(
    parts: Sequence[Sequence[T]], above: Callable[[T], float], below: Callable[[T], float]
) -> Estimate:
    """`ratio` of two sums over the members of each part."""
    return ratio([(math.fsum(map(above, part)), math.fsum(map(below, part))) for part in parts])
