from __future__ import annotations

from datetime import date

import pytest

from autocom.config.calendar import UnknownCalendar, check_calendar, holidays_of
from autocom.config.numbering import normalise_prefix, plan_of
from autocom.core.numbers import FRANCE, normalise


@pytest.mark.parametrize(
    ("code", "days"),
    [("FR", 11), ("FR-57", 13), ("FR-67", 13), ("FR-68", 13), ("FR-974", 12), ("BE", 12), ("none", 0)],
)
def test_a_year_has_its_public_holidays(code, days):
    assert len(holidays_of(code, 2027, 2027, "fr")) == days


@pytest.mark.parametrize("code", ["FR-57", "FR-67", "FR-68"])
def test_alsace_and_moselle_keep_good_friday_and_the_day_after_christmas(code):
    found = holidays_of(code, 2027, 2027, "fr")
    assert found[date(2027, 3, 26)] == "Vendredi saint"
    assert found[date(2027, 12, 26)] == "Saint-Étienne"


def test_the_rest_of_france_does_not():
    found = holidays_of("FR", 2027, 2027, "fr")
    assert date(2027, 3, 26) not in found
    assert date(2027, 12, 26) not in found


def test_la_reunion_remembers_the_end_of_slavery():
    assert date(2027, 12, 20) in holidays_of("FR-974", 2027, 2027, "fr")


@pytest.mark.parametrize(
    ("year", "good_friday", "easter_monday", "ascension", "whit_monday"),
    [
        (2026, (4, 3), (4, 6), (5, 14), (5, 25)),
        (2027, (3, 26), (3, 29), (5, 6), (5, 17)),
    ],
)
def test_the_feasts_that_move_fall_where_they_fall(year, good_friday, easter_monday, ascension, whit_monday):
    found = holidays_of("FR-57", year, year, "fr")
    for day in (good_friday, easter_monday, ascension, whit_monday):
        assert date(year, *day) in found


@pytest.mark.parametrize(
    "code", ["FR-GES", "FR-75", "FR-2A", "FR-Zone A", "XX", "fr", "FRA", "", "FR-", "BE-9"]
)
def test_a_calendar_that_is_not_known_is_refused_and_never_answered_wrongly(code):
    with pytest.raises(UnknownCalendar):
        check_calendar(code)
    with pytest.raises(UnknownCalendar):
        holidays_of(code, 2027, 2027, "fr")


def test_holidays_are_named_in_the_language_of_the_bureau_where_the_calendar_speaks_it():
    assert holidays_of("FR", 2027, 2027, "en")[date(2027, 12, 25)] == "Christmas Day"
    assert holidays_of("DE", 2027, 2027, "fr")[date(2027, 12, 25)]


@pytest.mark.parametrize(
    ("country", "written", "read"),
    [
        ("BE", "0470 12 34 56", "+32470123456"),
        ("CH", "044 668 18 00", "+41446681800"),
        ("LU", "26 12 34 56", "+35226123456"),
        ("IT", "06 1234 5678", "+390612345678"),
        ("ES", "910 12 34 56", "+34910123456"),
        ("DE", "0049 30 123456", "+4930123456"),
        ("FR", "0262 12 34 56", "+262262123456"),
    ],
)
def test_a_country_s_own_way_of_writing_is_read(country, written, read):
    assert normalise(written, plan_of(country)) == read


def test_a_country_that_does_not_exist_has_no_plan():
    with pytest.raises(KeyError):
        plan_of("XX")


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("0162*", "+33162*"),
        ("01 62*", "+33162*"),
        ("+33162*", "+33162*"),
        ("0033162*", "+33162*"),
        ("33162*", "+33162*"),
        ("0262*", "+262262*"),
        ("06 39 98*", "+3363998*"),
        ("+41*", "+41*"),
        ("+*", None),
        ("*", None),
        ("0*", None),
        ("abc*", None),
        ("0162", None),
        ("٣٣*", None),
    ],
)
def test_prefixes_are_brought_into_the_form_of_whole_numbers(written, read):
    assert normalise_prefix(written, FRANCE) == read
