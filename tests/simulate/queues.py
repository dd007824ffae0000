"""Bureaus that are textbook queues: the real floor between Poisson callers and exponential everything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from random import Random

from autocom.core.ingress import Identity
from autocom.core.model import (
    Audio,
    Bureau,
    Client,
    Configuration,
    Enqueue,
    Hours,
    Line,
    Music,
    Rule,
    Secretary,
    Step,
    StockSounds,
    Team,
)
from autocom.simulate.arrivals import Arrival
from autocom.simulate.calendar import Day
from autocom.simulate.chance import Exponential, Fixed, Times
from autocom.simulate.course import Course, Passed
from autocom.simulate.day import simulate
from autocom.simulate.presence import Habits, Shift

DAY = Day.of(date(2026, 11, 23), "Europe/Paris")
AT_ONCE = Habits(pick_up=Fixed(0.0))
FOR_EVER = 1e12
HANDLING = 110.0


@dataclass(frozen=True)
class Kind:
    """Callers of one client: so many a second, who wait for a team."""

    rate: float
    team: str = "medical"
    talk: Times = field(default_factory=lambda: Exponential(HANDLING))
    patience: Times = field(default_factory=lambda: Fixed(FOR_EVER))
    target: float = 20.0


def client(name: str, *steps: Step, number: int = 0, **changes: object) -> Client:
    """A client of whom every call does these steps, at any hour."""
    fields: dict[str, object] = {
        "id": name,
        "name": name.title(),
        "display": name.title(),
        "profile": "general",
        "lines": (Line(f"+331990010{number:02d}"),),
        "hours": Hours("Europe/Paris", {}),
        "rules": (Rule("open", None, steps),),
    }
    return Client(**{**fields, **changes})  # type: ignore[arg-type]


def house(
    clients: Sequence[Client], secretaries: Mapping[str, Mapping[str, int]], *teams: Team
) -> Configuration:
    """A bureau with these clients and secretaries; a team that is not described does not widen."""
    silence = Audio("silence", "silence", 0.0)
    named = {team: Team(team) for levels in secretaries.values() for team in levels}
    return Configuration(
        version="v1",
        bureau=Bureau("Essai", "+33199001000", "FR", "Europe/Paris", "fr", clients[0].id),
        trunks={},
        secretaries={who: Secretary(who, who, "201", "x", levels) for who, levels in secretaries.items()},
        teams=named | {team.id: team for team in teams},
        clients={made.id: made for made in clients},
        stock=StockSounds(silence, silence, silence, silence, Music("stock", "stock")),
    )


def bureau(
    kinds: Mapping[str, Kind], secretaries: Mapping[str, Mapping[str, int]], **changes: object
) -> Configuration:
    """A house that takes everybody's call into the queue of his team at once."""
    made = [
        client(name, Enqueue(kind.team, ring_for=600.0), number=number, target=kind.target, **changes)
        for number, (name, kind) in enumerate(kinds.items())
    ]
    return house(made, secretaries)


def callers(kinds: Mapping[str, Kind], number: int, seed: int) -> tuple[Arrival, ...]:
    """So many of all kinds together, in order."""
    found: list[Arrival] = []
    rate = sum(kind.rate for kind in kinds.values())
    for name, kind in kinds.items():
        chance, at = Random(f"{seed} {name}"), DAY.start
        identity = Identity(name, None, "", None, "", anonymous=False)
        for _ in range(round(number * kind.rate / rate)):
            at += Exponential(1.0 / kind.rate).draw(chance)
            found.append(Arrival(at, name, kind.talk.draw(chance), kind.patience.draw(chance), identity))
    return tuple(sorted(found, key=lambda arrival: arrival.at))


def pool(servers: int, team: str = "medical") -> dict[str, dict[str, int]]:
    """So many secretaries of one team, all alike."""
    return {f"s{n}": {team: 1} for n in range(servers)}


def run(
    kinds: Mapping[str, Kind],
    secretaries: Mapping[str, Mapping[str, int]],
    number: int,
    seed: int = 1,
    habits: Habits = AT_ONCE,
    **changes: object,
) -> Course:
    """A long day of that house."""
    presence = {who: Shift(((DAY.start, FOR_EVER),)) for who in secretaries}
    made = bureau(kinds, secretaries, **changes)
    return simulate(made, callers(kinds, number, seed), presence, habits, start=DAY.start, seed=seed)


def in_order(course: Course) -> Sequence[Passed]:
    """The callers as they called: batches of neighbours are batches of time."""
    return sorted(course.calls, key=lambda passed: passed.at)


def in_time(passed: Passed, target: float = 20.0) -> bool:
    """Whether he was answered within the target."""
    return passed.outcome == "served" and passed.wait <= target
