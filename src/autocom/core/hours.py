"""When a client is open: weekly hours, holidays, closures, openings and absences, in the client's zone.

Decides from an instant alone; must not know rules (`routing`), calls or a clock. What counts is what the
clock on the practice's wall shows. So an hour that comes twice in October is judged alike both times,
and a boundary inside the hour that is left out in March takes effect when the clock jumps over it.
A range belongs to the day on which it starts: the night that begins before a holiday runs to its end in
the morning of the holiday, and the night that would begin on the holiday does not take place.
From strongest to weakest: absence, opening, closure, holiday, week. An absence closes, as a closure does.
Invariant: no arithmetic on aware datetimes of one zone (Python ignores DST there); instants or naive only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from autocom.core.model import Closure, Hours, TimeRange

_DAY = timedelta(days=1)
_MIDNIGHT = time(0)
_NEVER = date.max - 30 * _DAY  # an end written as 9999-12-31 means "until further notice"
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


@dataclass(frozen=True, slots=True)
class HoursStatus:
    """Whether a client is open, the sentence that says why, and the absence in force, if one is."""

    open: bool
    why: str
    absence: Closure | None = None


def local(zone: str, at: float) -> datetime:
    """What the clock on the wall shows in `zone` at the instant `at`: naive, without fold."""
    return datetime.fromtimestamp(at, ZoneInfo(zone)).replace(tzinfo=None, fold=0)


def status(hours: Hours, absences: Sequence[Closure], at: float) -> HoursStatus:
    """The state at an instant (UTC epoch seconds). `zone` must be known to the machine (configuration checks)."""
    now = local(hours.zone, at)
    if (absence := _in_force(absences, now)) is not None:
        return HoursStatus(False, _named("closed: absence", absence), absence)
    if (opening := _in_force(hours.openings, now)) is not None:
        return HoursStatus(True, _named("open: exceptional opening", opening))
    if (closure := _in_force(hours.closures, now)) is not None:
        return HoursStatus(False, _named("closed: closure", closure))
    for day in (now.date(), now.date() - _DAY):
        if day in hours.holidays:
            continue
        for span in hours.week.get(day.isoweekday(), ()):
            if covers(span, day, now):
                return HoursStatus(True, f"open: {WEEKDAYS[day.weekday()]} {_written(span)}")
    today = now.date()
    if today in hours.holidays:
        return HoursStatus(False, f"closed: holiday {hours.holidays[today]}".rstrip())
    return HoursStatus(False, f"closed: outside the hours of {WEEKDAYS[today.weekday()]}")


def next_change(hours: Hours, absences: Sequence[Closure], at: float) -> float | None:
    """The first instant after `at` at which `open` or the absence differs; None where none is in sight.

    Complete: the weekly pattern repeats itself, so only the days around now and around every dated
    exception need to be looked at."""
    before = _state(hours, absences, at)
    exceptions = (*absences, *hours.openings, *hours.closures)
    dated = {moment.date() for closure in exceptions for moment in (closure.start, closure.end)}
    if hours.week:  # else a holiday closes what is closed
        dated.update(hours.holidays)
    moments = instants(hours.zone, at, dated, lambda day: boundaries(hours, exceptions, day))
    return next((moment for moment in moments if _state(hours, absences, moment) != before), None)


def instants(
    zone: str, at: float, dated: set[date], walls: Callable[[date], Iterable[datetime]]
) -> Iterator[float]:
    """Every instant after `at` (UTC epoch seconds), in order, at which something weekly or dated may change:
    the wall times that `walls` names for a day, and the changes of the clock. Days that are neither
    within a week from `at` nor within a week of a `dated` day are left out."""
    rules = ZoneInfo(zone)
    for day in _days(local(zone, at).date(), dated):
        found: set[float] = set()
        for boundary in walls(day):
            # both passes of an hour that comes twice; elsewhere the two are the same
            found.update(boundary.replace(tzinfo=rules, fold=fold).timestamp() for fold in (0, 1))
        found.update(_clock_change(rules, day))
        yield from sorted(instant for instant in found if instant > at)


def covers(span: TimeRange, day: date, now: datetime) -> bool:
    """Whether `now` (naive local) is in the range that starts on `day`, perhaps ending on the next one."""
    start = datetime.combine(day, span.start)
    end = datetime.combine(day, span.end)
    if span.end <= span.start:
        end += _DAY
    return start <= now < end


def _state(hours: Hours, absences: Sequence[Closure], at: float) -> tuple[bool, Closure | None]:
    found = status(hours, absences, at)
    return found.open, found.absence


def _in_force(closures: Sequence[Closure], now: datetime) -> Closure | None:
    return next((closure for closure in closures if closure.start <= now < closure.end), None)


def _named(what: str, closure: Closure) -> str:
    until = f"until {closure.end:%Y-%m-%d %H:%M}"
    return f"{what} {closure.name} {until}" if closure.name else f"{what} {until}"


def _written(span: TimeRange) -> str:
    end = "24:00" if span.end == _MIDNIGHT else f"{span.end:%H:%M}"
    return f"{span.start:%H:%M}-{end}"


def _days(first: date, dated: set[date]) -> Iterator[date]:
    """The days that can hold the next change, in order: eight from `first` and after each dated day."""
    day = first - _DAY
    for start in (first, *sorted(other for other in dated if first < other < _NEVER)):
        day = max(day, start - _DAY)
        while day <= start + 8 * _DAY:
            yield day
            day += _DAY


def boundaries(hours: Hours, exceptions: Sequence[Closure], day: date) -> Iterator[datetime]:
    """The wall times on `day` at which the state may differ from just before. `exceptions`: absences, openings,
    closures."""
    yield datetime.combine(day, _MIDNIGHT)
    for weekday in (day.isoweekday(), (day - _DAY).isoweekday()):
        for span in hours.week.get(weekday, ()):
            yield datetime.combine(day, span.start)
            yield datetime.combine(day, span.end)
    for closure in exceptions:
        for moment in (closure.start, closure.end):
            if moment.date() == day:
                yield moment


def _clock_change(zone: ZoneInfo, day: date) -> tuple[float, ...]:
    """The instant in `day` at which the clock is put forward or back, to the second."""
    early = datetime.combine(day, _MIDNIGHT, zone).timestamp()
    late = datetime.combine(day + _DAY, _MIDNIGHT, zone).timestamp()
    before = datetime.fromtimestamp(early, zone).utcoffset()
    if before == datetime.fromtimestamp(late, zone).utcoffset():
        return ()
    while late - early > 1:
        middle = (early + late) // 2
        if datetime.fromtimestamp(middle, zone).utcoffset() == before:
            early = middle
        else:
            late = middle
    return (late,)
