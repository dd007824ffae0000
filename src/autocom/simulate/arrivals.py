"""Who calls, when, how long he would wait and how long he would talk: a day's callers, drawn by lot.

`Profile` holds each client's load by half hour and the laws his callers follow; `draw` makes one
day of it. A client's callers come from a source of chance of their own, so that another client more,
or another secretary, changes nothing about them: two configurations are compared on the same
callers. Must not know who answers. The callers of a real day come from `history`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from random import Random

from autocom.core import hours
from autocom.core.ingress import Identity
from autocom.core.model import Client, Configuration
from autocom.simulate.calendar import HALF_HOUR, Day
from autocom.simulate.chance import Exponential, Lognormal, Times

HANDLING = 110.0
PATIENCE = 90.0
TALK_AT_LEAST = 10.0
WHEN_CLOSED = 0.1
"""Callers who dial a practice that is closed: one for ten who would call at that hour if it were open."""

# a practice's day, weight by half hour from midnight: the morning's peak, a dip at noon, a flat afternoon
SHAPE: tuple[float, ...] = (
    *(0.0,) * 14,                      # 00:00
    0.5, 1, 6, 9, 10, 10, 9, 8, 7, 6,  # 07:00
    4, 2, 2, 4, 7, 8, 7, 7, 6, 6,      # 12:00
    5, 4, 3, 2, 1, 0.5,                # 17:00
    *(0.0,) * 8,                       # 20:00
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Arrival:
    """One caller. `patience`: how long after `at` he hangs up if nobody talks with him."""

    at: float
    client: str
    talk: float
    patience: float
    identity: Identity


@dataclass(frozen=True, slots=True)
class Load:
    """One client's callers: how many to expect in each half hour, and the laws of their times."""

    calls: tuple[float, ...]
    talk: Times
    patience: Times
    identity: Identity


@dataclass(frozen=True, slots=True)
class Profile:
    """All clients' callers of a day. `variation`: standard deviation of the whole day's volume from day to
    day in parts of its mean, beyond what chance does anyway."""

    loads: Mapping[str, Load]
    variation: float = 0.0

    @property
    def calls(self) -> float:
        """Expected of the whole day."""
        return sum(sum(load.calls) for load in self.loads.values())


def draw(profile: Profile, day: Day, seed: int) -> tuple[Arrival, ...]:
    """One day's callers in the order in which they call. The same seed is the same day."""
    factor = _volume(profile.variation, seed)
    found: list[Arrival] = []
    for client, load in profile.loads.items():
        chance = Random(f"{seed} {client}")  # noqa: S311 - a lottery, no secret
        for slot, expected in enumerate(load.calls):
            found.extend(_callers(client, load, day.begins(slot), expected * factor, chance))
    found.sort(key=lambda arrival: (arrival.at, arrival.client))
    return tuple(found)


def _volume(variation: float, seed: int) -> float:
    if variation <= 0:
        return 1.0
    shape = variation**-2
    return Random(f"{seed} volume").gammavariate(shape, 1.0 / shape)  # noqa: S311


def _callers(client: str, load: Load, start: float, expected: float, chance: Random) -> Iterable[Arrival]:
    if expected <= 0:
        return
    between = Exponential(HALF_HOUR / expected)
    at = start + between.draw(chance)
    while at < start + HALF_HOUR:
        yield Arrival(at, client, load.talk.draw(chance), load.patience.draw(chance), load.identity)
        at += between.draw(chance)


def identity_of(client: Client) -> Identity:
    """A caller of this client of whom nothing else is known: his first number, forwarded by nobody."""
    line = client.lines[0] if client.lines else None
    did = line.did if line else None
    return Identity(
        client.id,
        did,
        did or "",
        None,
        "",
        anonymous=False,
        forwarded_from=line.forwarded_from if line else None,
    )


def spread(client: Client, day: Day, calls: float, shape: tuple[float, ...] = SHAPE) -> tuple[float, ...]:
    """So many calls over the half hours of a day: by the shape, few of them while the client is closed."""
    weights = []
    for slot in range(day.slots):
        middle = day.begins(slot) + HALF_HOUR / 2
        there = hours.status(client.hours, client.absences, middle).open
        hour, minute = day.label(slot).split(":")
        weight = shape[min(2 * int(hour) + int(minute) // 30, len(shape) - 1)]
        weights.append(weight if there else weight * WHEN_CLOSED)
    whole = sum(weights)
    return tuple(calls * weight / whole if whole else 0.0 for weight in weights)


def talk_of(client: Client, handling: float) -> Times:
    """The conversation in a handling time that includes the client's wrap-up."""
    return Lognormal(max(handling - client.wrap_up_max, TALK_AT_LEAST))


def synthetic(
    configuration: Configuration,
    day: Day,
    calls: float,
    *,
    handling: float = HANDLING,
    patience: float = PATIENCE,
) -> Profile:
    """A plausible day of `calls` calls, the same number for each client."""
    share = calls / max(1, len(configuration.clients))
    loads = {
        client.id: Load(
            spread(client, day, share), talk_of(client, handling), Exponential(patience), identity_of(client)
        )
        for client in configuration.clients.values()
    }
    return Profile(loads)


def scaled(profile: Profile, calls: float) -> Profile:
    """The same day with another number of calls in all."""
    factor = calls / profile.calls if profile.calls else 0.0
    loads = {
        name: replace(load, calls=tuple(each * factor for each in load.calls))
        for name, load in profile.loads.items()
    }
    return replace(profile, loads=loads)
