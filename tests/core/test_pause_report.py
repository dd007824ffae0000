"""Pauses are counted from states, by secretary and reason, and held against their quotas."""

from __future__ import annotations

import itertools
from datetime import datetime
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from autocom.core.model import Quota
from autocom.core.pause_report import PauseLine, Seen, Taken, pauses, report

ZONE = "Europe/Paris"


def at(text: str) -> float:
    return datetime.fromisoformat(f"2026-11-23T{text}").replace(tzinfo=ZoneInfo(ZONE)).timestamp()


def seen(text: str, state: str, reason: str | None = None, who: str = "lea") -> Seen:
    return Seen(at(text), who, state, reason)


def test_a_pause_lasts_until_she_takes_calls_again() -> None:
    states = [seen("09:00", "free"), seen("10:00", "paused", "break"), seen("10:12", "free")]
    assert pauses(states) == [Taken("lea", "break", at("10:00"), at("10:12"))]


def test_a_pause_asked_for_in_a_call_begins_after_it() -> None:
    states = [
        seen("10:00", "talking", "lunch"),
        seen("10:05", "wrap_up", "lunch"),
        seen("10:06", "paused", "lunch"),
        seen("10:36", "logged_out"),
    ]
    assert pauses(states) == [Taken("lea", "lunch", at("10:06"), at("10:36"))]


def test_her_phone_may_be_off_meanwhile_and_another_reason_is_another_pause() -> None:
    states = [
        seen("10:00", "paused", "break"),
        seen("10:01", "offline", "break"),
        seen("10:05", "paused", "break"),
        seen("10:10", "paused", "lunch"),
    ]
    assert pauses(states) == [
        Taken("lea", "break", at("10:00"), at("10:10")),
        Taken("lea", "lunch", at("10:10"), None),
    ]


def test_times_total_and_longest_are_told_by_secretary_and_reason_up_to_now() -> None:
    states = [
        seen("10:00", "paused", "break"),
        seen("10:10", "free"),
        seen("15:00", "paused", "break"),
        seen("15:20", "free"),
        seen("12:00", "paused", "lunch", "ines"),
    ]
    assert report(pauses(states), {}, ZONE, at("12:30")) == (
        PauseLine("ines", "lunch", 1, 1800.0, 1800.0),
        PauseLine("lea", "break", 2, 1800.0, 1200.0),
    )


def test_each_limit_of_a_quota_is_counted_by_pause_or_by_day() -> None:
    taken = [
        Taken("lea", "break", at("09:00"), at("09:16")),
        Taken("lea", "break", at("11:00"), at("11:20")),
        Taken("lea", "break", at("15:00"), at("15:10")),
        Taken("lea", "break", at("09:00") + 86400, at("09:05") + 86400),
    ]
    (line,) = report(taken, {"break": Quota(longest=900, a_day=2700, times=2)}, ZONE, at("18:00"))
    assert (line.over_longest, line.over_a_day, line.over_times, line.over) == (2, 1, 1, 4)


def test_a_pause_over_midnight_is_of_the_day_on_which_it_began() -> None:
    taken = [
        Taken("lea", "break", at("23:50"), at("23:50") + 1200),
        Taken("lea", "break", at("23:55") + 86400, None),
    ]
    (line,) = report(taken, {"break": Quota(times=1)}, ZONE, at("23:59") + 86400)
    assert line.over_times == 0


STATES = st.builds(
    Seen,
    st.integers(0, 50).map(float),
    st.sampled_from(["lea", "ines"]),
    st.sampled_from(["free", "paused", "offline", "talking", "ringing", "wrap_up", "logged_out"]),
    st.sampled_from([None, "break", "lunch"]),
)


@given(st.lists(STATES, max_size=30, unique_by=lambda s: (s.at, s.secretary)))
def test_pauses_of_one_secretary_never_overlap_and_doubled_states_change_nothing(states: list[Seen]) -> None:
    found = pauses(states)
    for who in ("lea", "ines"):
        hers = [p for p in found if p.secretary == who]
        for before, after in itertools.pairwise(hers):
            assert before.end is not None
            assert before.end <= after.start
    assert pauses([*states, *states]) == found
