"""When a client is open: ranges of the day, a week of them, and what interrupts it.

Values only; whether a client is open at an instant is decided in `core.hours`. Must not know clients
or rules. Invariant: local times are naive, in the zone of whoever owns them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time

from autocom.core.model.sounds import Audio


@dataclass(frozen=True, slots=True)
class TimeRange:
    """From `start` to `end` local time; `end <= start` crosses midnight; end 24:00 is `time(0)` with
    `start` earlier, i.e. also a crossing of zero length. Start inclusive, end exclusive."""

    start: time
    end: time


@dataclass(frozen=True, slots=True)
class Closure:
    """A dated interruption of the hours, or an absence with a message of its own.

    Local times in the client's zone, start inclusive, end exclusive."""

    start: datetime
    end: datetime
    name: str = ""
    play: Audio | None = None


@dataclass(frozen=True, slots=True)
class Hours:
    """When a client is open. `week` maps the ISO weekday (1 Monday … 7 Sunday) to its ranges; a
    missing or empty day is closed. `holidays` are closed days by date with their name."""

    zone: str
    week: Mapping[int, tuple[TimeRange, ...]]
    holidays: Mapping[date, str] = field(default_factory=dict)
    closures: tuple[Closure, ...] = ()
    openings: tuple[Closure, ...] = ()
