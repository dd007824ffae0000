"""Who is on call: the first shift that holds, by the bureau's clock on the wall."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autocom.core.model import Contact, Roster, Shift, TimeRange
from autocom.core.oncall import on_duty

PARIS = "Europe/Paris"
ANNE, BRUNO, CHLOE = (Contact(n, f"+3363998102{i}") for i, n in enumerate(("Anne", "Bruno", "Chloé")))
NIGHT = TimeRange(time(20), time(8))
WEEKDAYS = (1, 2, 3, 4, 5)


def names(*shifts: Shift, at: str) -> list[str]:
    instant = datetime.fromisoformat(at).replace(tzinfo=ZoneInfo(PARIS)).timestamp()
    return [contact.name for contact in on_duty(Roster("r", shifts), instant, PARIS)]


def test_a_plain_order_is_on_call_always() -> None:
    assert names(Shift((ANNE, BRUNO)), at="2026-11-22 03:00") == ["Anne", "Bruno"]


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("2026-11-20 19:59", []),  # Friday evening
        ("2026-11-20 20:00", ["Anne"]),
        ("2026-11-21 05:00", ["Anne"]),  # Saturday at five is still Friday's night
        ("2026-11-21 08:00", []),
        ("2026-11-21 20:00", []),  # Saturday has no night of its own
        ("2026-11-23 07:59", []),  # nor has Sunday
        ("2026-11-23 20:00", ["Anne"]),
    ],
)
def test_a_night_belongs_to_the_day_on_which_it_begins(at: str, expected: list[str]) -> None:
    assert names(Shift((ANNE,), WEEKDAYS, NIGHT), at=at) == expected


def test_the_first_shift_that_holds_decides() -> None:
    holidays = Shift((CHLOE,), dates=(date(2026, 12, 24), date(2026, 12, 26)))
    always = Shift((ANNE, BRUNO))
    assert names(holidays, always, at="2026-12-23 23:59") == ["Anne", "Bruno"]
    assert names(holidays, always, at="2026-12-24 00:00") == ["Chloé"]
    assert names(holidays, always, at="2026-12-26 23:59") == ["Chloé"]
    assert names(holidays, always, at="2026-12-27 00:00") == ["Anne", "Bruno"]


def test_the_last_night_of_a_dated_shift_runs_to_its_end() -> None:
    nights = Shift((ANNE,), span=NIGHT, dates=(date(2026, 12, 24), date(2026, 12, 24)))
    assert names(nights, at="2026-12-25 07:00") == ["Anne"]
    assert names(nights, at="2026-12-24 07:00") == []


@pytest.mark.parametrize(("at", "expected"), [(1_792_887_300.0, ["Anne"]), (1_792_890_900.0, ["Anne"])])
def test_the_hour_that_comes_twice_is_judged_alike_both_times(at: float, expected: list[str]) -> None:
    """02:15 on 25 October 2026, in summer time and in winter time."""
    roster = Roster("r", (Shift((ANNE,), span=TimeRange(time(2), time(3))),))
    assert [c.name for c in on_duty(roster, at, PARIS)] == expected


@given(
    start=st.times(), end=st.times(), days=st.sets(st.integers(1, 7)), minutes=st.integers(0, 60 * 24 * 400)
)
def test_a_shift_and_what_it_leaves_out_never_hold_at_once(
    start: time, end: time, days: set[int], minutes: int
) -> None:
    """Somebody by this shift, or else by the one behind it: never both, never neither."""
    roster = Roster("r", (Shift((ANNE,), tuple(days), TimeRange(start, end)), Shift((BRUNO,))))
    wall = datetime(2026, 1, 1) + timedelta(minutes=minutes)  # noqa: DTZ001 - the wall's clock
    at = wall.replace(tzinfo=ZoneInfo(PARIS)).timestamp()
    (who,) = on_duty(roster, at, PARIS)
    now = datetime.fromtimestamp(at, ZoneInfo(PARIS)).replace(tzinfo=None)
    length = (datetime.combine(now.date(), end) - datetime.combine(now.date(), start)) % timedelta(days=1)
    length = length or timedelta(days=1)
    begins = [datetime.combine(now.date() - timedelta(days=back), start) for back in (0, 1)]
    holds = any(b <= now < b + length and (not days or b.isoweekday() in days) for b in begins)
    assert who is (ANNE if holds else BRUNO)
