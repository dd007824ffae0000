"""Which numbers may be dialled, in which disguise, and how many of them."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autocom.core.codes import CallFor, code
from autocom.core.dialling import (
    EMERGENCY,
    Use,
    alarms,
    forbidden,
    forgettable,
    is_emergency,
    midnight,
    never_dialled,
    over,
    unreadable,
    usage,
    written_numbers,
)
from autocom.core.model import (
    Configuration,
    Contact,
    Dialling,
    Enqueue,
    Forward,
    Limits,
    Menu,
    Roster,
    Shift,
)
from autocom.core.numbers import FRANCE
from autocom.core.targets import Colleague, Nobody, Outside, ToRoom, target
from tests.support.exchange_in_memory import WELCOME, client, configuration

PARIS = "Europe/Paris"
NOON = datetime(2026, 11, 23, 12, tzinfo=ZoneInfo(PARIS)).timestamp()
CELL, OTHER, LEAD = "+33639981021", "+33639981022", "+33639981029"


# --- emergency


@pytest.mark.parametrize(
    "dialled",
    [
        "15", "112", "3114", "116117", "0 15", "015", "00 15", "+3315", "003315", "0033015", "+33 (0)15", "33112",
        "+33112", "+33116000", "+352112", "00352112", "+49112", "#31#15", "*31#112", "3651112", "1 1 2",
    ],
)  # fmt: skip
def test_an_emergency_number_is_known_in_every_disguise(dialled: str) -> None:
    assert is_emergency(dialled)
    assert never_dialled(dialled)


@pytest.mark.parametrize(
    "number",
    ["+33199001000", "+33639981021", "+33115991234", "0112345678", "+4915112345678", "+33800123456", "201"],
)
def test_an_ordinary_number_that_holds_such_digits_is_no_emergency(number: str) -> None:
    assert not is_emergency(number)


@given(
    st.sampled_from(sorted(EMERGENCY)),
    st.sampled_from(["", "0", "00", "+33", "0033", "+330", "33", "#31#", "*31#", "3651"]),
)
def test_no_prefix_makes_one_dialable(number: str, prefix: str) -> None:
    assert is_emergency(prefix + number)
    found = target(prefix + number, configuration())
    assert isinstance(found, Nobody) or forbidden(getattr(found, "number", ""), Dialling()) == "emergency"


# --- what may be dialled


@pytest.mark.parametrize(
    ("number", "why"),
    [
        ("+33639981021", None),
        ("+33800123456", None),
        ("+33806123456", None),
        ("+33810123456", "premium"),
        ("+33826123456", "premium"),
        ("+33899123456", "premium"),
        ("+262692123456", None),
        ("+590690123456", None),
        ("+508412345", "international"),
        ("+687123456", "international"),
        ("+41221234567", "international"),
        ("+12125550100", "international"),
        ("+8816123456789", "satellite"),
        ("+870773123456", "satellite"),
        ("+88299123456", "satellite"),
        ("+979123456789", "satellite"),
    ],
)
def test_a_bureau_in_france_dials_france_and_its_overseas_departments(number: str, why: str | None) -> None:
    assert forbidden(number, Dialling()) == why


def test_other_countries_are_dialled_where_the_bureau_or_the_client_says_so() -> None:
    rules = Dialling(international=("+32",), premium_abroad=(("32", r"90\d{6}"), ("41", r"90[016]\d{6}")))
    swiss = client("lilas", "+33199001001", outgoing_international=("+4122",))
    assert forbidden("+3221234567", rules) is None
    assert forbidden("+3290123456", rules) == "premium"
    assert forbidden("+41221234567", rules) == "international"
    assert forbidden("+41221234567", rules, swiss) is None
    assert forbidden("+41901123456", rules, swiss) == "premium"
    assert forbidden("+41311234567", rules, swiss) == "international"
    assert forbidden("+33899123456", replace(rules, premium=True)) is None
    assert forbidden("+8816123456789", replace(rules, international=("+8",))) == "satellite"
    assert forbidden("+262692123456", replace(rules, overseas=False)) == "international"


@given(st.from_regex(r"\+[1-9][0-9]{5,14}", fullmatch=True))
def test_without_leave_nothing_outside_the_country_is_dialled(number: str) -> None:
    if forbidden(number, Dialling()) is None:
        assert number.startswith(("+33", "+262", "+590", "+594", "+596"))
        assert not re.match(r"\+338[1-9]", number)


@pytest.mark.parametrize(
    ("dialled", "why"),
    [
        ("3615", "premium"),
        ("118712", "premium"),
        ("1023", "premium"),
        ("+333615", "premium"),
        ("999999", "unknown"),
        ("abc", "unknown"),
        ("0123", "malformed"),
        ("+12", "malformed"),
        ("", "unknown"),
        ("*9", "unknown"),
    ],
)
def test_what_is_no_number_is_refused_with_the_reason(dialled: str, why: str) -> None:
    assert unreadable(dialled) == why


# --- what a phone dials


def test_what_a_phone_dials_leads_to_a_colleague_a_room_or_a_number() -> None:
    house = configuration()
    assert target("200", house) == Colleague("lea")
    assert target("801", house) == ToRoom("801")
    assert target("0639981021", house) == Outside(CELL)
    assert target("+33639981021", house) == Outside(CELL)
    assert target("0033639981021", house) == Outside(CELL)
    assert target("15", house) == Nobody("15", "emergency")
    assert target("201@evil", house) == Nobody("201@evil", "unknown")


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=400))
def test_whatever_is_dialled_only_plain_numbers_ever_come_out(dialled: str) -> None:
    found = target(dialled, configuration())
    if isinstance(found, Outside):
        assert re.fullmatch(r"\+[1-9][0-9]{5,14}", found.number)
    elif isinstance(found, Nobody):
        assert len(found.dialled) <= 48


@given(st.text(alphabet="0123456789*#+", max_size=40))
def test_whatever_digits_a_phone_sends_a_code_is_read_or_none(dialled: str) -> None:
    found = code(dialled)
    if isinstance(found, CallFor):
        assert dialled == f"*9{found.code}*{found.number}"
        wanted = target(found.number, configuration())
        assert not isinstance(wanted, Outside) or re.fullmatch(r"\+[1-9][0-9]{5,14}", wanted.number)


# --- numbers of the files


def test_numbers_that_the_admin_wrote_are_known_wherever_they_stand() -> None:
    steps = (
        Menu(WELCOME, {"1": (Forward(CELL),)}, otherwise=(Enqueue("medical", on_nobody=(Forward(OTHER),)),)),
    )
    roster = Roster("r", (Shift((Contact("A", LEAD),)),), fallback=Contact("B", "+3221234567"))
    house = replace(configuration(client("lilas", "+33199001001", *steps)), rosters={"r": roster})
    lilas = house.clients["lilas"]
    assert written_numbers(house, lilas) == {CELL, OTHER, LEAD, "+3221234567"}
    assert written_numbers(house, None) == {LEAD, "+3221234567"}


# --- how much


def uses(
    count: int, *, by: str = "lea", client: str = "", ago: float = 60.0, talked: float = 0.0
) -> list[Use]:
    begun = NOON - ago
    return [Use(by, client, begun, begun, begun + talked) for _ in range(count)]


def house(**limits: object) -> Configuration:
    made = configuration(client("lilas", "+33199001001"))
    rules = Dialling(per_secretary=Limits(2, 20, 3600.0), per_client=Limits(4, 60, 14400.0))
    return replace(made, bureau=replace(made.bureau, outgoing=replace(rules, **limits)))


def test_the_twenty_first_call_of_an_hour_is_refused_and_the_next_hour_begins_anew() -> None:
    assert not over(uses(19), house(), "lea", "", NOON)
    assert over(uses(20), house(), "lea", "", NOON)
    assert not over(uses(20), house(), "ines", "", NOON)
    assert not over(uses(20, ago=3600.0), house(), "lea", "", NOON)


def test_no_more_than_two_at_a_time() -> None:
    talking = [Use("lea", "", NOON - 10, NOON - 5), Use("lea", "", NOON - 3)]
    assert not over(talking[:1], house(), "lea", "", NOON)
    assert over(talking, house(), "lea", "", NOON)


def test_an_hour_of_conversation_on_one_day_is_enough_and_the_day_is_the_bureaus() -> None:
    assert over(uses(1, talked=3600.0, ago=2 * 3600.0), house(), "lea", "", NOON)
    assert not over(uses(1, talked=3599.0, ago=2 * 3600.0), house(), "lea", "", NOON)
    midnight = datetime(2026, 11, 23, tzinfo=ZoneInfo(PARIS)).timestamp()
    over_midnight = Use("lea", "", midnight - 7200, midnight - 7200, midnight + 600)
    assert usage([over_midnight], NOON, PARIS).today == 600.0
    assert not forgettable(over_midnight, NOON, midnight)
    assert forgettable(Use("lea", "", midnight - 7200, None, midnight - 7000), NOON, midnight)


def test_a_clients_limits_count_whoever_dials_and_may_be_its_own() -> None:
    many = [use for who in ("a", "b", "c", "d") for use in uses(15, by=who, client="lilas")]
    assert over(many, house(), "lea", "lilas", NOON)
    assert not over(many, house(), "lea", "", NOON)
    mine = replace(house().clients["lilas"], outgoing_limits=Limits(4, 100, 14400.0))
    assert not over(many, replace(house(), clients={"lilas": mine}), "lea", "lilas", NOON)


def test_at_half_of_a_limit_it_is_told_for_whom_and_how_much() -> None:
    ten = uses(10, client="lilas")
    told = alarms(ten, house(), ten[-1], NOON)
    assert [(a.secretary, a.client, a.what, a.used, a.limit) for a in told] == [
        ("lea", None, "per_hour", 10, 20)
    ]
    assert alarms(ten[:9], house(), ten[0], NOON) == []
    long = uses(1, talked=1800.0, ago=4000.0)
    assert [(a.what, a.used, a.limit) for a in alarms(long, house(), long[0], NOON)] == [
        ("minutes_a_day", 30, 60)
    ]


@given(
    st.lists(
        st.builds(
            lambda by, ago, talked, ended: Use(
                by, "lilas", NOON - ago, NOON - ago, NOON - ago + talked if ended else None
            ),
            st.sampled_from(["lea", "ines"]),
            st.floats(0, 200000),
            st.floats(0, 5000),
            st.booleans(),
        ),
        max_size=30,
    )
)
def test_nobody_is_ever_over_a_limit_by_forgetting_what_counts_for_nothing(found: list[Use]) -> None:
    kept = [use for use in found if not forgettable(use, NOON, midnight(NOON, PARIS))]
    for who in ("lea", "ines"):
        assert over(found, house(), who, "lilas", NOON) == over(kept, house(), who, "lilas", NOON)


def test_the_plan_of_another_country_has_emergency_numbers_too() -> None:
    swiss = replace(FRANCE, country="CH", country_code="41", overseas={}, fiction=())
    assert is_emergency("+41112", swiss)
    assert forbidden("+41221234567", Dialling(), None, swiss) is None
    assert forbidden("+33639981021", Dialling(), None, swiss) == "international"
