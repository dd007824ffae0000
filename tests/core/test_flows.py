"""When a side that sends nothing is called silent, and when it may only be saving packets."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autocom.core.flows import LEAST, STEADY, Side, heard, is_silent
from autocom.core.telephony import Flow


def side(*samples: tuple[float, int]) -> Side:
    """What is known after these samples of the counter, at these instants."""
    known: Side | None = None
    for at, received in samples:
        known = heard(known, Flow(received, 0), at)
    assert known is not None
    return known


@pytest.mark.parametrize(
    ("samples", "now", "silent"),
    [
        (((3.0, 0),), (7.0, 0), True),  # never a packet
        (((3.0, 0),), (6.0, 0), False),  # not yet long enough
        (((3.0, 0),), (7.0, 1), False),
        (((3.0, 150),), (7.0, 150), False),  # sent something: perhaps it only listens
        (((3.0, 150), (7.0, 350)), (22.0, 350), False),  # four seconds of talk prove no steadiness
        (((3.0, 150), (18.0, 900)), (33.0, 900), False),  # one interval may be chance
        (((3.0, 150), (18.0, 900), (33.0, 1650)), (48.0, 1650), True),  # sent without a pause, then nothing
        (
            ((3.0, 150), (18.0, 900), (33.0, 1650)),
            (40.0, 1650),
            False,
        ),  # for fewer seconds than a pause may last
        (
            ((3.0, 150), (18.0, 900), (33.0, 1650), (48.0, 1800)),
            (63.0, 1800),
            True,
        ),  # stopped within an interval
        (
            ((3.0, 150), (18.0, 640), (33.0, 1000)),
            (48.0, 1000),
            False,
        ),  # its packets pause: silence suppression
        (((3.0, 150), (18.0, 500), (33.0, 1250), (48.0, 2000)), (63.0, 2000), False),  # it did so once
        (((3.0, 100), (18.0, 600), (33.0, 1100)), (48.0, 1100), True),  # 30 ms packets
    ],
)
def test_a_side_is_silent_only_where_it_ought_to_send(
    samples: tuple[tuple[float, int], ...], now: tuple[float, int], silent: bool
) -> None:
    assert is_silent(side(*samples), Flow(now[1], 0), now[0]) is silent


def test_a_counter_that_begins_anew_forgets_what_was_before() -> None:
    again = heard(side((3.0, 150), (18.0, 900), (33.0, 1650)), Flow(5, 0), 35.0)
    assert not is_silent(again, Flow(5, 0), 60.0)


@given(st.lists(st.integers(1, 700), min_size=3, max_size=20), st.floats(STEADY, 100.0))
def test_who_pauses_in_every_interval_is_never_called_silent_for_stopping(
    packets: list[int], quiet: float
) -> None:
    """By chance one interval may look like a slower rate; not two alike, with what follows."""
    at, received, samples = 3.0, 10, [(3.0, 10)]
    for each in packets:
        at, received = at + 15.0, received + each
        samples.append((at, received))
    by_chance = any(abs(each / 15 - rate) <= rate * 0.04 for each in packets for rate in (25.0, 100 / 3))
    assert by_chance or not is_silent(side(*samples), Flow(received, 0), at + quiet)


def test_the_first_verdict_comes_within_eight_seconds_of_the_bridge() -> None:
    assert 3.0 + LEAST < 8.0
