"""How many secretaries each half hour needs, by Erlang C and A, beside how many are there.

One pool of all secretaries is assumed, and every half hour is taken for a long-lasting state: what
widening teams, `max_calls` or the message in the caller's ear change is what the simulation is for. The
secretary's time counts from the first ring, the caller's patience and target to the pick-up. Must
not know the dispatcher.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from autocom.core.erlang import Expected, impatient, needed
from autocom.simulate.calendar import HALF_HOUR
from autocom.simulate.figures import Figures, Sheet

GOAL = 0.8


@dataclass(frozen=True, slots=True)
class Need:
    """For one half hour, or one team in its busiest one. `patient`: needed by Erlang C, `impatient`: by
    Erlang A; `expected`: what Erlang A says of those who are there, None where nobody is."""

    calls: float
    present: float
    patient: int
    impatient: int
    expected: Expected | None


def needs(figures: Figures, patience: float, goal: float = GOAL) -> Mapping[int, Need]:
    """By half hour, where anybody called or worked."""
    found = {}
    for slot in range(figures.day.slots):
        sheet, work = figures.slots.get(slot), figures.slot_work[slot]
        if (sheet is None or sheet.wanted == 0) and work.present == 0:
            continue
        found[slot] = _need(sheet, work.present, figures, patience, goal)
    return found


def busiest(
    figures: Figures, slots: Mapping[str, Mapping[int, float]], patience: float, goal: float = GOAL
) -> Mapping[str, Need]:
    """For each team, as if it were alone, in its busiest half hour; `slots`: its calls by half hour."""
    found = {}
    for team, calls in slots.items():
        slot = max(calls, key=lambda n: calls[n], default=None)
        if slot is not None:
            work = figures.team_work[team]
            found[team] = _of(calls[slot], work.present, figures, patience, goal)
    return found


def _need(sheet: Sheet | None, present: float, figures: Figures, patience: float, goal: float) -> Need:
    return _of(sheet.wanted if sheet else 0.0, present, figures, patience, goal)


def _of(calls: float, present: float, figures: Figures, patience: float, goal: float) -> Need:
    rate = calls / HALF_HOUR
    handling = max(figures.work.handling, 1.0)
    target = max(0.0, figures.target - figures.work.ring)
    there = round(present)
    expected = impatient(rate, handling, patience, there, target) if there else None
    return Need(
        calls,
        present,
        needed(rate, handling, target, goal),
        needed(rate, handling, target, goal, patience if patience > 0 else math.inf),
        expected,
    )
