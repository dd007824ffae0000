"""What a phone dialled, read from what Asterisk says of its channel."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autocom.asterisk.ami_facts import refused
from autocom.asterisk.ari.headers import dialled
from autocom.core.telephony import PhoneRefused


@pytest.mark.parametrize(
    ("extension", "read"),
    [
        ("201", "201"),
        ("*912*0639981021", "*912*0639981021"),
        ("+33 6 39 98 10 21", "+33639981021"),
        ("(06)39.98-10/21", "0639981021"),
        ("0639981021;phone-context=+33", "0639981021"),
        ("0639981021&PJSIP", ""),
        ("+33639981021,trunk", ""),
        ("${EXTEN}", ""),
        ("201@evil", ""),
        ("lea", ""),
        ("0" * 300, ""),
        ("", ""),
    ],
)
def test_punctuation_is_left_out_and_anything_else_makes_it_nothing(extension: str, read: str) -> None:
    assert dialled(extension) == read


@given(st.text(max_size=200))
def test_whatever_was_dialled_only_digits_and_signs_of_a_telephone_are_read(extension: str) -> None:
    assert set(dialled(extension)) <= set("0123456789*#+")


def test_an_emergency_number_that_the_dialplan_refused_is_a_fact() -> None:
    told = {
        "Event": "UserEvent",
        "UserEvent": "AutocomEmergencyRefused",
        "Secretary": "lea",
        "Dialled": "15",
    }
    assert refused(told) == PhoneRefused("lea", "15")
    assert refused({**told, "Secretary": "lea@web"}) == PhoneRefused("lea", "15")
    assert refused({**told, "Secretary": ""}) is None
    assert refused({**told, "UserEvent": "AutocomRefused"}) is None
    assert refused({"Event": "Hangup"}) is None
