"""How many secretaries a load of calls needs, in closed form: Erlang B, C and A.

Pure arithmetic over Poisson arrivals, exponential handling times and, for Erlang A, exponential
patience; `autocom simulate` puts these figures beside what the real dispatcher does. Must not
know clients, shifts or clocks. Times are seconds, rates are per second. Invariant: every figure
stays finite and exact to about nine digits up to some thousand secretaries, because chances are
summed as logarithms and nothing is ever a difference of large numbers. (The one library on PyPI
that has both models draws three unrelated packages in and was not kept up.)
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

_NEGLIGIBLE = -46.0  # natural logarithm of 1e-20: what is smaller does not show in any figure
_MOST_SECRETARIES = 100_000


@dataclass(frozen=True, slots=True)
class Expected:
    """What is to be expected in the long run. `waits`: share of callers who find nobody free. `abandons`:
    share who hang up. `asa`: mean wait of all callers, infinite where the queue grows for ever.
    `service_level`: share of all callers answered within the target. `queue`: mean number waiting."""

    waits: float
    abandons: float
    asa: float
    service_level: float
    occupancy: float
    queue: float


def erlang_b(load: float, servers: int) -> float:
    """Share of calls lost where nobody may wait. `load` in erlangs: arrivals per second times seconds each.

    By the recursion in the number of servers, which only ever multiplies and adds positive numbers."""
    _refuse(load >= 0 and servers >= 0)
    blocked = 1.0
    for busy in range(1, servers + 1):
        blocked = load * blocked / (busy + load * blocked)
    return blocked


def erlang_c(load: float, servers: int) -> float:
    """Share of calls that wait where everybody does so for ever; 1 where the load is too much."""
    if servers == 0 or load >= servers:
        _refuse(load >= 0 and servers >= 0)
        return 1.0 if load > 0 else 0.0
    blocked, occupancy = erlang_b(load, servers), load / servers
    return blocked / (1.0 - occupancy + occupancy * blocked)


def patient(rate: float, handling: float, servers: int, target: float) -> Expected:
    """Erlang C: M/M/n, nobody hangs up. Overstates the waiting of people who do."""
    _refuse(rate >= 0 and handling > 0 and servers >= 0 and target >= 0)
    load = rate * handling
    if load == 0:
        return Expected(0.0, 0.0, 0.0, 1.0 if servers else 0.0, 0.0, 0.0)
    if load >= servers:
        return Expected(1.0, 0.0, math.inf, 0.0, 1.0, math.inf)
    waits = erlang_c(load, servers)
    asa = waits * handling / (servers - load)
    within = 1.0 - waits * math.exp(-(servers - load) * target / handling)
    return Expected(waits, 0.0, asa, within, load / servers, rate * asa)


def impatient(rate: float, handling: float, patience: float, servers: int, target: float) -> Expected:
    """Erlang A: M/M/n+M, callers hang up after an exponential time with mean `patience`.

    A birth and death chain: with k calls present they leave at rate min(k,n)μ + (k−n)⁺θ. Whoever
    finds j waiting ahead is served after a sum V of j+1 exponential times with rates nμ+iθ, i=0…j.
    With c = nμ/θ, e^(−θV) is a product of independent U^(1/(c+i)) and therefore Beta(c, j+1), so
    that P(V≤t, still there) = c/(c+j+1) · P(Beta(c+1, j+1) ≥ e^(−θt)): a sum of positive terms.
    (Model: Palm 1957; Garnett, Mandelbaum and Reiman, M&SOM 4, 2002.)"""
    _refuse(rate >= 0 and handling > 0 and servers >= 0 and target >= 0 and patience > 0)
    if math.isinf(patience) or rate == 0:
        return patient(rate, handling, servers, target)
    chain = _Chain(rate, handling, patience, servers)
    queue = sum(ahead * chance for ahead, chance in enumerate(chain.full))
    waits = sum(chain.full)
    busy = chain.mean_busy
    served = (1.0 - waits) + sum(
        chance * share * within
        for chance, share, within in zip(chain.full, chain.shares(), chain.in_time(target), strict=False)
    )
    return Expected(
        waits=waits,
        abandons=queue / (patience * rate),
        asa=queue / rate,
        service_level=served if servers else 0.0,
        occupancy=busy / servers if servers else 0.0,
        queue=queue,
    )


def needed(rate: float, handling: float, target: float, goal: float = 0.8, patience: float = math.inf) -> int:
    """The fewest secretaries with whom at least `goal` (a share below 1) of all callers is answered within
    `target` seconds: Erlang A, or C where patience is infinite. The service level grows with their number."""
    _refuse(0 <= goal < 1)
    if rate == 0:
        return 0

    def enough(servers: int) -> bool:
        return impatient(rate, handling, patience, servers, target).service_level >= goal

    high = max(1, math.ceil(rate * handling))
    while not enough(high):
        high *= 2
        if high > _MOST_SECRETARIES:
            raise ValueError("no number of secretaries reaches that goal")
    low = 0
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


class _Chain:
    """The chances of Erlang A's states. `full[j]`: everybody busy and j waiting."""

    def __init__(self, rate: float, handling: float, patience: float, servers: int) -> None:
        self._c = servers * patience / handling
        self._patience = patience
        # relative to the empty floor, as logarithms: with 2,000 busy the numbers themselves overflow
        below, at = [], 0.0
        for busy in range(servers):
            below.append(at)
            at += math.log(rate * handling / (busy + 1))
        above = list(_tail(at, rate, servers / handling, 1.0 / patience))
        most = max([*below, *above])
        total = sum(math.exp(w - most) for w in below) + sum(math.exp(w - most) for w in above)
        self.full = [math.exp(w - most) / total for w in above]
        idle = sum((servers - busy) * math.exp(w - most) for busy, w in enumerate(below)) / total
        self.mean_busy = servers - idle

    def shares(self) -> Iterator[float]:
        """Who finds j ahead: the chance that he is served at all."""
        for ahead in range(len(self.full)):
            yield self._c / (self._c + ahead + 1)

    def in_time(self, target: float) -> Iterator[float]:
        """Who finds j ahead and is served: the chance that it was within `target`.

        P(Beta(a, j+1) ≥ x) is one less a negative binomial's sum, x^a Σ_{i≤j} Γ(a+i)/(Γ(a) i!) (1−x)^i."""
        a, elapsed = self._c + 1.0, target / self._patience
        gone = -math.expm1(-elapsed)
        later = 0.0
        for ahead in range(len(self.full)):
            if gone > 0:
                term = math.lgamma(a + ahead) - math.lgamma(a) - math.lgamma(ahead + 1)
                later += math.exp(term - a * elapsed + ahead * math.log(gone))
            else:
                later = 1.0
            yield max(0.0, 1.0 - later)


def _tail(at: float, rate: float, served: float, impatience: float) -> Iterator[float]:
    """Logarithmic weights of 0, 1, 2 … waiting, until what follows is negligible."""
    most, waiting = at, 0
    while at > most + _NEGLIGIBLE or rate > served + waiting * impatience:
        yield at
        waiting += 1
        at += math.log(rate / (served + waiting * impatience))
        most = max(most, at)


def _refuse(sound: bool) -> None:  # noqa: FBT001
    if not sound:
        raise ValueError("loads, times and numbers of secretaries are not negative, and a call takes time")
