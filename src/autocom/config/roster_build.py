"""Rosters as the core reads them, and whether somebody is always on call.

A roster is one `order`, or `shifts` of which the first that holds decides; gaps and overlaps are
looked for over a week of the bureau's local time. Must not know who uses a roster (`duty_checks`).
Invariant: a roster that passes has at least one shift with somebody in it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from autocom.config.scalars import weekdays
from autocom.config.week import WHOLE, minutes_of, runs, written
from autocom.config.wording import told
from autocom.core import model as core

if TYPE_CHECKING:
    from autocom.config import models
    from autocom.config.document import Document, Route
    from autocom.config.faults import Fault


def build_rosters(house: models.Bureau) -> Mapping[str, core.Roster]:
    """The core's rosters."""
    return {
        name: core.Roster(
            id=name,
            shifts=_shifts(roster),
            ring_for=roster.ring_for,
            rounds=roster.rounds,
            pause=roster.pause,
            accept=roster.accept,
            fallback=_contact(roster.fallback) if roster.fallback else None,
        )
        for name, roster in house.rosters.items()
    }


def check_rosters(house: models.Bureau, document: Document) -> Iterator[Fault]:
    """Rosters of which nobody can say who is on call."""
    for name, roster in house.rosters.items():
        route: Route = ("rosters", name)
        if (roster.order is None) == (roster.shifts is None):
            yield document.key_at(route).fault(told("needs either `order` or `shifts`, and not both"))
        for index, shift in enumerate(roster.shifts or ()):
            if shift.dates is not None and shift.dates.to < shift.dates.from_:
                place = document.at((*route, "shifts", index, "dates", "to"))
                yield place.fault(told("ends before it begins"))


def gap_of(roster: models.Roster) -> int:
    """The minutes of a week at which nobody is on call; shifts of certain dates fill none."""
    if roster.shifts is None:
        return 0
    covered = 0
    for shift in roster.shifts:
        if shift.dates is None:
            covered |= _minutes(shift)
    return WHOLE & ~covered


def gap_words(gap: int) -> str:
    """The first gap, and how many more there are."""
    found = list(runs(gap))
    start, end = found[0]
    if gap == WHOLE:
        return told("at any time of the week")
    if len(found) > 1 and start == 0 and found[-1][1] == WHOLE.bit_length():
        start = found.pop()[0]  # over Sunday midnight
    first = told("{start} to {end}", start=written(start), end=written(end))
    if len(found) == 1:
        return first
    return told("{first}, and {count} times more", first=first, count=len(found) - 1)


def overlap_notes(house: models.Bureau, document: Document) -> Iterator[Fault]:
    """Shifts that another one before them takes minutes from."""
    for name, roster in house.rosters.items():
        shifts = roster.shifts or ()
        for index, shift in enumerate(shifts):
            for other, earlier in enumerate(shifts[:index]):
                if _both_hold(earlier, shift):
                    line = document.at(("rosters", name, "shifts", other)).line
                    message = told("this shift overlaps the one in line {line}, which goes first", line=line)
                    yield document.at(("rosters", name, "shifts", index)).fault(message)
                    break


def _both_hold(one: models.Shift, other: models.Shift) -> bool:
    """Whether there is a minute of both. A dated shift before a weekly one replaces it on purpose."""
    if not _minutes(one) & _minutes(other):
        return False
    if one.dates is None or other.dates is None:
        return one.dates is None
    return one.dates.from_ <= other.dates.to and other.dates.from_ <= one.dates.to


def _minutes(shift: models.Shift) -> int:
    return minutes_of(_days(shift), shift.time or ())


def _days(shift: models.Shift) -> tuple[int, ...]:
    return tuple(sorted({day for word in shift.days or () for day in weekdays(word)}))


def _shifts(roster: models.Roster) -> tuple[core.Shift, ...]:
    if roster.order is not None:
        return (core.Shift(tuple(_contact(contact) for contact in roster.order)),)
    found: list[core.Shift] = []
    for shift in roster.shifts or ():
        order = tuple(_contact(contact) for contact in shift.order)
        dates = (shift.dates.from_, shift.dates.to) if shift.dates else None
        found += [core.Shift(order, _days(shift), span, dates) for span in shift.time or (None,)]
    return tuple(found)


def _contact(contact: models.Contact) -> core.Contact:
    return core.Contact(contact.name, contact.number)
