"""A whole study: several days of one bureau, perhaps beside another one, and the report of them.

`Plan` is what to simulate; `study` simulates it, seed by seed, and says after each how far it is. Must
not read files or print.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from autocom.core.model import Configuration
from autocom.simulate.arrivals import Arrival
from autocom.simulate.calendar import Day
from autocom.simulate.compare import changes
from autocom.simulate.course import Course
from autocom.simulate.day import simulate
from autocom.simulate.figures import figures, wanted
from autocom.simulate.presence import Habits, Presence
from autocom.simulate.report import Report
from autocom.simulate.staffing import busiest, needs


@dataclass(frozen=True, slots=True)
class House:
    """One bureau: what is configured, and who is at work when."""

    configuration: Configuration
    presence: Presence


@dataclass(frozen=True, slots=True)
class Plan:
    """`callers` of a seed are the same for both houses. `before` None: nothing is compared. `patience`: the
    callers' mean, for Erlang A."""

    day: Day
    house: House
    callers: Callable[[int], Sequence[Arrival]]
    habits: Habits
    patience: float
    seeds: int = 10
    goal: float = 0.8
    before: House | None = None

    @property
    def steps(self) -> int:
        """How many days are simulated."""
        return self.seeds * (2 if self.before else 1)


def study(plan: Plan, tell: Callable[[], None] = lambda: None) -> Report:
    """Simulate; `tell` is called after each day."""
    after: list[Course] = []
    before: list[Course] = []
    for seed in range(1, plan.seeds + 1):
        arrivals = plan.callers(seed)
        for house, courses in ((plan.before, before), (plan.house, after)):
            if house is not None:
                courses.append(_day(plan, house, arrivals, seed))
                tell()
    found = figures(after, plan.house.configuration, plan.day)
    compared = (
        changes((plan.before.configuration, before), (plan.house.configuration, after), plan.day)
        if plan.before
        else ()
    )
    return Report(
        figures=found,
        needs=needs(found, plan.patience, plan.goal),
        team_needs=busiest(found, _by_team(after, plan.day), plan.patience, plan.goal),
        patience=plan.patience,
        goal=plan.goal,
        changes=compared,
    )


def _day(plan: Plan, house: House, arrivals: Sequence[Arrival], seed: int) -> Course:
    return simulate(
        house.configuration,
        arrivals,
        house.presence,
        plan.habits,
        start=plan.day.start,
        seed=seed,
        foretelling=True,
    )


def _by_team(courses: Sequence[Course], day: Day) -> Mapping[str, Mapping[int, float]]:
    """Calls of each team by half hour, of a mean day."""
    found: dict[str, dict[int, float]] = defaultdict(lambda: defaultdict(float))
    for course in courses:
        for passed in course.calls:
            if passed.team is not None and wanted(passed):
                found[passed.team][day.slot(passed.at)] += 1.0 / len(courses)
    return found
