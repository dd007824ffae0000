"""Who is on call in a roster at an instant.

A roster's shifts are asked in their order and the first that holds decides, so an exception stands
before the rule. What counts is the bureau's wall clock; a shift that crosses midnight belongs to the
day on which it begins, so Friday's night is still Friday's at five on Saturday. Must not know whom a
call is for, nor ring anybody (`autocom.calls.reaching` does). Gaps and overlaps are found when the
files are read (`autocom.config.roster_build`). Invariant: no clock is read here.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from autocom.core.hours import covers, local
from autocom.core.model import Contact, Roster, Shift, TimeRange

_DAY = timedelta(days=1)
_WHOLE_DAY = TimeRange(time(0), time(0))


def on_duty(roster: Roster, at: float, zone: str) -> tuple[Contact, ...]:
    """Who is on call at the instant `at` (UTC epoch seconds), in the order in which they are rung; empty
    in a gap. `zone` is the bureau's."""
    now = local(zone, at)
    return next((shift.order for shift in roster.shifts if _holds(shift, now)), ())


def _holds(shift: Shift, now: datetime) -> bool:
    span = shift.span or _WHOLE_DAY
    today = now.date()
    return any(_on(shift, day) and covers(span, day, now) for day in (today, today - _DAY))


def _on(shift: Shift, day: date) -> bool:
    """Whether the shift begins on that day."""
    if shift.days and day.isoweekday() not in shift.days:
        return False
    return shift.dates is None or shift.dates[0] <= day <= shift.dates[1]
