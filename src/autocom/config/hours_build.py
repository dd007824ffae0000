"""Opening hours as the core reads them: weekdays, holidays, closures, openings, absences.

Must not decide whether a client is open at some moment (`core.hours`). Invariant: no two ranges
of the week overlap, not across midnight and not from Sunday to Monday, and every dated piece
ends after it begins. The story goes on in `client_build`.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from autocom.config.calendar import holidays_of
from autocom.config.scalars import weekdays
from autocom.config.wording import told
from autocom.core.model import Closure, Hours, TimeRange

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from autocom.config import models
    from autocom.config.document import Route
    from autocom.config.scene import Ear

_DAY = 24 * 60
_WEEK = 7 * _DAY


def build_hours(client: models.Client, ear: Ear) -> Hours:
    """The client's hours; faults go to the ear's sheet."""
    scene = ear.scene
    week = weekly(client.hours)
    _check_overlaps(client.hours, ear)
    return Hours(
        zone=client.timezone or scene.timezone,
        week=week,
        holidays=holidays_of(
            client.holidays or scene.holidays, scene.first_year, scene.last_year, scene.language
        ),
        closures=_dated(client.closures, ("closures",), ear),
        openings=_dated(client.openings, ("openings",), ear),
    )


def build_absences(client: models.Client, ear: Ear) -> tuple[Closure, ...]:
    """The client's absences with their messages."""
    dated = _dated(client.absences, ("absences",), ear)
    return tuple(
        Closure(
            closure.start,
            closure.end,
            closure.name,
            ear.prompt(written.play, ("absences", index, "play")) if written.play else None,
        )
        for index, (closure, written) in enumerate(zip(dated, client.absences, strict=True))
    )


def weekly(hours: Mapping[str, Sequence[TimeRange]]) -> Mapping[int, tuple[TimeRange, ...]]:
    """Weekdays to their ranges, as `Hours.week` has them."""
    week: dict[int, list[TimeRange]] = {}
    for days, ranges in hours.items():
        for day in weekdays(days):
            week.setdefault(day, []).extend(ranges)
    return {day: tuple(sorted(week[day], key=lambda piece: piece.start)) for day in sorted(week)}


def _check_overlaps(hours: Mapping[str, Sequence[TimeRange]], ear: Ear) -> None:
    pieces: list[tuple[int, int, Route]] = []
    for days, ranges in hours.items():
        for index, piece in enumerate(ranges):
            for day in weekdays(days):
                start = (day - 1) * _DAY + piece.start.hour * 60 + piece.start.minute
                length = (piece.end.hour - piece.start.hour) * 60 + piece.end.minute - piece.start.minute
                pieces.append(
                    (start, start + (length if length > 0 else length + _DAY), ("hours", days, index))
                )
    pieces.sort(key=lambda piece: piece[:2])
    if pieces:
        first = pieces[0]
        # Sunday night reaches into Monday morning
        pieces.append((first[0] + _WEEK, first[1] + _WEEK, first[2]))
    for one, other in pairwise(pieces):
        if other[0] < one[1]:
            place, earlier = ear.sheet.at(other[2]), ear.sheet.at(one[2])
            where = told(" in line {line}", line=earlier.line) if earlier.line != place.line else ""
            ear.faults.append(
                place.fault(told("this range overlaps another of the same day{where}", where=where))
            )


def _dated(written: Sequence[models.Closure], route: Route, ear: Ear) -> tuple[Closure, ...]:
    for index, closure in enumerate(written):
        if closure.to <= closure.from_:
            ear.faults.append(ear.sheet.at((*route, index, "to")).fault(told("ends before it begins")))
    return tuple(Closure(closure.from_, closure.to, closure.name) for closure in written)
