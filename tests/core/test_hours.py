"""Open or closed, judged by the clock on the practice's wall, in every zone and on every odd night."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autocom.core.hours import local, next_change, status
from autocom.core.model import Closure, Hours, TimeRange

PARIS = "Europe/Paris"


def spans(*texts: str) -> tuple[TimeRange, ...]:
    """Ranges as the YAML writes them."""
    pairs = (text.replace("24:00", "00:00").split("-") for text in texts)
    return tuple(TimeRange(time.fromisoformat(start), time.fromisoformat(end)) for start, end in pairs)


def week(days: range, *texts: str) -> dict[int, tuple[TimeRange, ...]]:
    return dict.fromkeys(days, spans(*texts))


def closure(start: str, end: str, name: str = "") -> Closure:
    return Closure(datetime.fromisoformat(start), datetime.fromisoformat(end), name)


def at(text: str, zone: str = PARIS, fold: int = 0) -> float:
    """The instant at which the clock of `zone` shows this."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold).timestamp()


WEEKDAYS, EVERY_DAY = range(1, 6), range(1, 8)
LILAS = Hours(PARIS, week(WEEKDAYS, "08:00-12:30", "13:30-19:00") | week(range(6, 7), "08:00-12:00"))
ALWAYS = Hours(PARIS, week(EVERY_DAY, "00:00-24:00"))
NIGHT = Hours(PARIS, week(EVERY_DAY, "20:00-08:00"))
NEVER = Hours(PARIS, {})


def is_open(hours: Hours, text: str, fold: int = 0) -> bool:
    return status(hours, (), at(text, hours.zone, fold)).open


# --- the ordinary week -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("2026-11-23 07:59:59", False),  # a Monday
        ("2026-11-23 08:00", True),
        ("2026-11-23 12:29:59", True),
        ("2026-11-23 12:30", False),
        ("2026-11-23 13:30", True),
        ("2026-11-23 19:00", False),
        ("2026-11-28 11:59", True),  # Saturday, a half day
        ("2026-11-28 12:00", False),
        ("2026-11-29 10:00", False),  # Sunday
    ],
)
def test_a_range_holds_from_its_start_to_just_before_its_end(moment, expected):
    assert is_open(LILAS, moment) is expected


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("2026-11-27 19:59", False),
        ("2026-11-27 20:00", True),
        ("2026-11-27 23:59:59", True),
        ("2026-11-28 00:00", True),
        ("2026-11-28 07:59", True),
        ("2026-11-28 08:00", False),
    ],
)
def test_a_range_may_cross_midnight(moment, expected):
    friday = Hours(PARIS, {5: spans("20:00-08:00")})
    assert is_open(friday, moment) is expected
    assert not is_open(friday, "2026-11-27 07:00")


def test_open_at_all_times_has_no_gap_at_midnight():
    for moment in ("2026-11-23 00:00", "2026-11-23 23:59:59.999", "2026-11-24 00:00"):
        assert is_open(ALWAYS, moment)
    assert next_change(ALWAYS, (), at("2026-11-23 10:00")) is None
    assert next_change(NEVER, (), at("2026-11-23 10:00")) is None


# --- holidays, closures, openings, absences --------------------------------------------------

GOOD_FRIDAY = {date(2027, 3, 26): "Vendredi saint"}


def test_s10_good_friday_closes_in_alsace_moselle_alone():
    vauban = replace(LILAS, holidays=GOOD_FRIDAY)
    moment = at("2027-03-26 10:00")
    assert (status(vauban, (), moment).open, status(LILAS, (), moment).open) == (False, True)
    assert status(vauban, (), moment).why == "closed: holiday Vendredi saint"
    assert status(LILAS, (), moment).why == "open: Friday 08:00-12:30"


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("2026-12-24 23:00", True),
        ("2026-12-25 07:59", True),  # the night that began on the 24th
        ("2026-12-25 08:00", False),
        ("2026-12-25 21:00", False),  # the night of the holiday does not take place …
        ("2026-12-26 03:00", False),  # … to its end
        ("2026-12-26 20:00", True),
    ],
)
def test_a_night_belongs_to_the_day_on_which_it_starts(moment, expected):
    assert is_open(replace(NIGHT, holidays={date(2026, 12, 25): "Noël"}), moment) is expected


def test_a_closure_cuts_whatever_runs_and_ends_by_itself():
    hours = replace(NIGHT, closures=(closure("2026-12-24 12:00", "2026-12-27 00:00", "Noël"),))
    assert is_open(hours, "2026-12-24 07:00")
    assert not is_open(hours, "2026-12-25 03:00")
    assert not is_open(hours, "2026-12-26 23:59")
    assert is_open(hours, "2026-12-27 00:00")
    why = status(hours, (), at("2026-12-25 03:00")).why
    assert why == "closed: closure Noël until 2026-12-27 00:00"


def test_an_opening_is_stronger_than_closure_and_holiday():
    hours = replace(
        LILAS,
        holidays={date(2026, 12, 25): "Noël"},
        closures=(closure("2026-12-24 12:00", "2026-12-27 00:00"),),
        openings=(closure("2026-12-25 09:00", "2026-12-25 11:00", "garde"),),
    )
    assert [is_open(hours, f"2026-12-25 {hour}") for hour in ("08:59", "09:00", "11:00")] == [
        False,
        True,
        False,
    ]


def test_an_absence_is_stronger_than_everything_and_is_named():
    hours = replace(LILAS, openings=(closure("2026-11-23 00:00", "2026-11-24 00:00"),))
    away = closure("2026-11-23 10:00", "2026-11-23 11:00", "visite")
    before, during, after = (
        status(hours, (away,), at(f"2026-11-23 {hour}")) for hour in ("09:59", "10:00", "11:00")
    )
    assert (before.open, before.absence) == (True, None)
    assert (during.open, during.absence) == (False, away)
    assert (after.open, after.absence) == (True, None)


# --- summer time and zones -------------------------------------------------------------------


def test_s11_the_hour_that_comes_twice_is_judged_alike_both_times():
    hours = Hours(PARIS, week(EVERY_DAY, "02:15-02:45"))
    first, second = at("2026-10-25 02:30"), at("2026-10-25 02:30", fold=1)
    assert second - first == 3600
    assert status(hours, (), first).open
    assert status(hours, (), second).open
    assert not is_open(hours, "2026-10-25 02:50")
    assert not is_open(hours, "2026-10-25 02:10", fold=1)


def test_the_hour_that_comes_twice_opens_and_closes_twice():
    hours = Hours(PARIS, week(EVERY_DAY, "02:15-02:45"))
    moments = [at("2026-10-25 00:00")]
    while len(moments) < 5:
        moments.append(next_change(hours, (), moments[-1]))
    assert moments[1:] == [
        at("2026-10-25 02:15"),
        at("2026-10-25 02:45"),
        at("2026-10-25 02:15", fold=1),
        at("2026-10-25 02:45", fold=1),
    ]


def test_when_the_clock_is_put_back_into_a_range_it_is_open_again():
    hours = Hours(PARIS, week(EVERY_DAY, "01:00-02:30"))
    closed = at("2026-10-25 02:30")
    assert next_change(hours, (), closed) == at("2026-10-25 02:00", fold=1)
    assert next_change(hours, (), closed + 1800) == at("2026-10-25 02:30", fold=1)


@pytest.mark.parametrize(
    ("span", "open_before", "open_after"),
    [("02:30-05:00", False, True), ("01:00-02:30", True, False), ("02:10-02:50", False, False)],
)
def test_a_boundary_in_the_hour_left_out_takes_effect_when_the_clock_jumps(span, open_before, open_after):
    hours = Hours(PARIS, week(EVERY_DAY, span))
    jump = at("2026-03-29 03:00")
    assert jump - at("2026-03-29 01:00") == 3600
    assert status(hours, (), jump - 1).open is open_before
    assert status(hours, (), jump).open is open_after
    if open_before is not open_after:
        assert next_change(hours, (), at("2026-03-29 01:30")) == jump


@pytest.mark.parametrize(
    ("day", "length"),
    [("2026-03-29", 23), ("2026-10-25", 25), ("2027-03-28", 23), ("2027-10-31", 25), ("2026-11-22", 24)],
)
def test_a_day_open_all_day_is_as_long_as_the_day(day, length):
    date_of = date.fromisoformat(day)
    hours = replace(NEVER, openings=(closure(f"{day} 00:00", f"{date_of + timedelta(days=1)} 00:00"),))
    opens = next_change(hours, (), at(f"{day} 00:00") - 1)
    closes = next_change(hours, (), opens)
    assert closes - opens == length * 3600


@pytest.mark.parametrize("day", ["2026-03-28", "2026-10-24"])
def test_a_night_over_the_change_of_the_clock_ends_at_the_time_on_the_wall(day):
    following = date.fromisoformat(day) + timedelta(days=1)
    assert next_change(NIGHT, (), at(f"{day} 21:00")) == at(f"{following} 08:00")


def test_s12_a_practice_on_reunion_opens_by_its_own_clock():
    filaos = Hours("Indian/Reunion", week(EVERY_DAY, "06:00-20:00"))
    moment = at("2026-11-22 06:30")
    assert local(filaos.zone, moment) == datetime.fromisoformat("2026-11-22 09:30")
    assert status(filaos, (), moment).open
    assert not status(filaos, (), at("2026-11-22 17:00")).open
    # no summer time there: by the Paris clock the opening moves
    assert next_change(filaos, (), at("2026-07-01 00:00")) == at("2026-07-01 04:00")
    assert next_change(filaos, (), at("2026-11-22 00:00")) == at("2026-11-22 03:00")


def test_a_zone_that_changes_its_clock_by_half_an_hour_is_no_exception():
    hours = Hours("Australia/Lord_Howe", week(EVERY_DAY, "02:15-03:00"))
    # 4 October 2026: 02:00 becomes 02:30
    assert next_change(hours, (), at("2026-10-04 01:00", hours.zone)) == at("2026-10-04 02:30", hours.zone)


def test_a_clock_put_back_over_midnight_leads_into_the_day_before():
    # Newfoundland, 7 November 2010: 00:01 became 23:01 of the 6th
    hours = Hours("America/St_Johns", {6: spans("23:30-23:45")})
    moment = at("2010-11-07 00:00:30", hours.zone)
    assert next_change(hours, (), moment) == at("2010-11-06 23:30", hours.zone, fold=1)


# --- the next change -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("moment", "change"),
    [
        ("2026-11-23 07:00", "2026-11-23 08:00"),
        ("2026-11-23 08:00", "2026-11-23 12:30"),
        ("2026-11-28 12:00", "2026-11-30 08:00"),
        ("2026-11-24 12:30", "2026-11-24 13:30"),
    ],
)
def test_the_next_change_of_an_ordinary_week(moment, change):
    assert next_change(LILAS, (), at(moment)) == at(change)


def test_the_next_change_may_be_years_away():
    hours = replace(ALWAYS, holidays={date(2029, 5, 1): "Fête du Travail", date(2020, 5, 1): "past"})
    assert next_change(hours, (), at("2026-11-23 10:00")) == at("2029-05-01 00:00")
    assert next_change(hours, (), at("2029-05-01 00:00")) == at("2029-05-02 00:00")
    assert next_change(hours, (), at("2029-05-02 00:00")) is None


def test_a_long_closure_ends_with_the_first_range_after_it():
    hours = replace(LILAS, closures=(closure("2026-12-01 00:00", "2027-02-05 20:00"),))
    assert next_change(hours, (), at("2026-12-01 00:00")) == at("2027-02-06 08:00")


def test_a_closure_until_further_notice_never_changes():
    hours = replace(LILAS, closures=(closure("2026-12-01 00:00", "9999-12-31 23:59"),))
    assert next_change(hours, (), at("2026-12-01 00:00")) is None


def test_the_absence_alone_changing_is_a_change():
    away = closure("2026-11-29 10:00", "2026-11-29 11:00")
    assert next_change(LILAS, (away,), at("2026-11-29 09:00")) == at("2026-11-29 10:00")
    assert next_change(LILAS, (away,), at("2026-11-29 10:00")) == at("2026-11-29 11:00")


minutes = st.integers(0, 95).map(lambda quarter: time(quarter // 4, quarter % 4 * 15))
some_hours = st.builds(
    Hours,
    st.sampled_from([PARIS, "Indian/Reunion", "America/Toronto", "Asia/Tokyo"]),
    st.dictionaries(
        st.integers(1, 7), st.lists(st.builds(TimeRange, minutes, minutes), max_size=3).map(tuple)
    ),
    st.dictionaries(st.dates(date(2026, 10, 20), date(2026, 11, 5)), st.just("férié"), max_size=2),
)


@settings(max_examples=60, deadline=None)
@given(some_hours, st.integers(int(at("2026-10-22 00:00")) // 900, int(at("2026-11-03 00:00")) // 900))
def test_nothing_changes_before_the_next_change_and_something_does_then(hours, quarter):
    start = quarter * 900.0
    before = status(hours, (), start).open
    change = next_change(hours, (), start)
    horizon = start + 4 * 86400 if change is None else min(change, start + 4 * 86400)
    moment = start
    while moment < horizon:
        assert status(hours, (), moment).open is before
        moment += 900
    if change is not None:
        assert change > start
        assert status(hours, (), change).open is not before
        assert status(hours, (), change - 0.001).open is before
