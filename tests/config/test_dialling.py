"""`outgoing` of bureau.yaml and of a client: which numbers people may have dialled."""

from __future__ import annotations

import re

import pytest

from autocom.config.dialling_build import country_code
from autocom.core.dialling import forbidden
from autocom.core.model import Dialling, Limits

from .conftest import BUREAU

WRITTEN = """\
outgoing:
  international: ["+32", "00352", "+41 22"]
  overseas: false
  premium: true
  per_secretary: {at_once: 3, per_hour: 30, minutes_a_day: 90}
  per_client: {per_hour: 100}
  alarm_at: 0.75
"""


def test_what_is_not_written_is_careful(desk):
    bureau = desk.load().configuration.bureau
    assert bureau.outgoing == Dialling()
    assert bureau.outgoing.per_secretary == Limits(2, 20, 3600.0)
    assert bureau.outgoing.per_client == Limits(4, 60, 14400.0)


def test_what_is_written_comes_to_the_core_with_what_costs_more_in_those_countries(desk):
    desk.write("bureau.yaml", BUREAU + WRITTEN)
    desk.client(
        code="12", outgoing='{number: "+33261912010", verified: true, international: ["+49"], per_hour: 5}'
    )
    configuration = desk.load().configuration
    rules, lilas = configuration.bureau.outgoing, configuration.clients["cab-lilas"]
    assert rules.international == ("+32", "+352", "+4122")
    assert (rules.overseas, rules.premium, rules.alarm_at) == (False, True, 0.75)
    assert rules.per_secretary == Limits(3, 30, 5400.0)
    assert rules.per_client == Limits(4, 100, 14400.0)
    assert {code for code, _ in rules.premium_abroad} == {"32", "352", "41", "49"}
    assert all(re.compile(pattern) for _, pattern in rules.premium_abroad)
    assert (lilas.code, lilas.outgoing_international, lilas.outgoing_limits) == (
        "12",
        ("+49",),
        Limits(4, 5, 14400.0),
    )
    assert forbidden("+3221234567", rules, lilas) is None
    assert forbidden("+33899123456", rules, lilas) is None
    assert forbidden("+262692123456", rules, lilas) == "international"


def test_premium_numbers_of_a_country_that_is_allowed_stay_barred(desk):
    desk.write("bureau.yaml", BUREAU + 'outgoing: {international: ["+32", "+49", "+41"]}\n')
    rules = desk.load().configuration.bureau.outgoing
    for number in ("+3290212345", "+499001234567", "+41901123456"):
        assert forbidden(number, rules) == "premium", number
    for number in ("+3222345678", "+4930123456", "+41221234567"):
        assert forbidden(number, rules) is None, number


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ('international: [§"32"]', "expected the beginning of numbers abroad"),
        ('international: [§"+"]', "expected the beginning of numbers abroad"),
        ('international: [§"+881"]', "satellites are never dialled"),
        ('international: [§"+800"]', "is no country"),
        ('international: [§"+999"]', "is no country"),
        ("alarm_at: §1.5", "expected a part of the limit"),
        ("alarm_at: §0", "expected a part of the limit"),
        ("per_secretary: {at_once: §0}", "out of range"),
        ("§unlimited: true", "unlimited"),
    ],
)
def test_what_cannot_be_is_refused_where_it_stands(desk, line, says):
    desk.write("bureau.yaml", BUREAU + f"outgoing: {{{line}}}\n")
    desk.refuses(says)


def test_a_number_is_needed_where_one_is_verified_and_not_where_only_limits_are_given(desk):
    desk.client(outgoing="{per_hour: 5}")
    assert desk.load().configuration.clients["cab-lilas"].outgoing_number is None
    desk.client(outgoing="{verified: §true}")
    desk.refuses("there is no `number` that could be verified")


@pytest.mark.parametrize(
    ("prefix", "code"), [("+32", "32"), ("+3247", "32"), ("+1", "1"), ("+352", "352"), ("+99", None)]
)
def test_the_country_of_a_prefix_is_known(prefix, code):
    assert country_code(prefix) == code
