"""Whether a waiting caller would wait too long: the queue's `max_expected_wait`, asked live.

Only an estimate that was measured counts, with somebody at work for him; never for a VIP, for who was put
back to the head, nor once a phone rings for him. Must not lead him out: `waiting` does. The estimate is
`core.estimate`'s, the same that he is told.
"""

from __future__ import annotations

from autocom.calls.house import House
from autocom.calls.line import Line
from autocom.core.estimate import Outlook
from autocom.core.stages import Waiting

LOOK_AGAIN = 15.0
"""Seconds between two looks at the estimate, where nobody came or went in between."""


def too_long(house: House, line: Line, stage: Waiting) -> Outlook | None:
    """What is expected for him, where that is longer than his queue allows."""
    limit, place = stage.queue.max_expected_wait, house.place(line.id)
    if limit is None or place is None:
        return None
    if place.head or place.advance > 0 or place.ringing or place.held is not None:
        return None
    seen = house.outlook(line.id, line.now())
    if seen is None or not seen.sure or seen.wait is None or seen.wait <= limit:
        return None
    return seen
