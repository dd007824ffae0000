"""The minutes of a week as one number: which of them a shift, a rule or the hours hold.

Bit 0 is Monday 00:00, bit 10079 Sunday 23:59, local time. Sets of minutes are joined by `|`, cut by
`&`. Must not know time zones or dates. Invariant: a range that crosses Sunday midnight comes back
in on Monday. Used by the checks of rosters and rules.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Final

from autocom.config.scalars import DAYS
from autocom.core.model import TimeRange

DAY: Final = 24 * 60
MINUTES: Final = 7 * DAY
WHOLE: Final = (1 << MINUTES) - 1


def minutes_of(days: Iterable[int], spans: Iterable[TimeRange]) -> int:
    """The minutes of those ISO weekdays (none: all) in those ranges (none: the whole day); a night belongs
    to the day on which it starts."""
    return _minutes_of(tuple(days), tuple(spans))


@lru_cache(maxsize=1024)
def _minutes_of(days: tuple[int, ...], spans: tuple[TimeRange, ...]) -> int:
    ranges = [_range(span) for span in spans] or [(0, DAY)]
    found = 0
    for day in days or range(1, 8):
        for start, length in ranges:
            found |= ((1 << length) - 1) << ((day - 1) * DAY + start)
    return (found & WHOLE) | (found >> MINUTES)


def runs(minutes: int) -> Iterator[tuple[int, int]]:
    """Each unbroken stretch as first minute and the minute after its last."""
    at = 0
    while rest := minutes >> at:
        start = at + ((rest & -rest).bit_length() - 1)
        ones = ~(minutes >> start)
        at = start + ((ones & -ones).bit_length() - 1)
        yield start, at


def written(minute: int) -> str:
    """`mon 08:00`."""
    day, rest = divmod(minute % MINUTES, DAY)
    return f"{DAYS[day]} {rest // 60:02}:{rest % 60:02}"


def _range(span: TimeRange) -> tuple[int, int]:
    start = span.start.hour * 60 + span.start.minute
    length = span.end.hour * 60 + span.end.minute - start
    return start, length if length > 0 else length + DAY
