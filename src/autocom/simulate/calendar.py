"""The simulated day: its instants, its half hours, and what the clock on the bureau's wall shows.

A day of the bureau's zone has 23 to 25 hours; half hours are counted in real seconds from its
midnight, so that no call falls between two of them when the clocks change. Must not know calls.
"""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

HALF_HOUR = 1800.0


@dataclass(frozen=True, slots=True)
class Day:
    """`start` and `end`: UTC epoch seconds of its two midnights; `slots`: how many half hours it has."""

    date: dt.date
    zone: str
    start: float
    end: float
    slots: int

    @classmethod
    def of(cls, day: dt.date, zone: str) -> Day:
        """That day where the bureau is."""
        there = ZoneInfo(zone)
        after = day + timedelta(days=1)
        start = datetime.combine(day, time(), there).timestamp()
        end = datetime.combine(after, time(), there).timestamp()
        return cls(day, zone, start, end, math.ceil((end - start) / HALF_HOUR))

    def slot(self, at: float) -> int:
        """The half hour of an instant; what is before or after the day belongs to its first or last one."""
        return min(max(int((at - self.start) // HALF_HOUR), 0), self.slots - 1)

    def begins(self, slot: int) -> float:
        """When a half hour starts."""
        return self.start + slot * HALF_HOUR

    def label(self, slot: int) -> str:
        """What the wall clock shows then."""
        return f"{datetime.fromtimestamp(self.begins(slot), ZoneInfo(self.zone)):%H:%M}"

    def at(self, moment: time, *, ends: bool = False) -> float:
        """The instant of a wall time on this day; midnight as an end is the end of the day."""
        if ends and moment == time():
            return self.end
        return datetime.combine(self.date, moment, ZoneInfo(self.zone)).timestamp()
