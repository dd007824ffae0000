"""By which trunk a call goes out, and which incoming call is one of our own that came back."""

from __future__ import annotations

from dataclasses import replace

import pytest

from autocom.calls.outgoing import channels_used, free_trunk, looped, reserve
from autocom.core.dialling import never_dialled
from autocom.core.model import Configuration, Contact, Trunk
from autocom.core.stages import Following, Patched, Reaching
from autocom.core.story import Story
from autocom.core.telephony import RawHeaders
from tests.core.test_presentation import CALL
from tests.support.exchange_in_memory import configuration

CELL = "+33639981021"
REACHING = Reaching((Contact("Anne", CELL),), (), leg="out-c1-1", trunk="one")
DIALLING = Story(replace(CALL, trunk="one"), REACHING)
WAITS = Story(replace(CALL, trunk="one"), Following(()))


def trunks(*found: Trunk) -> Configuration:
    return replace(configuration(), trunks={trunk.id: trunk for trunk in found})


def trunk(name: str, max_calls: int | None = None, host: str | None = "operator.test") -> Trunk:
    return Trunk(name, ("127.0.0.1",), host=host, max_calls=max_calls)


@pytest.mark.parametrize(("bought", "kept"), [(1, 1), (9, 1), (10, 1), (11, 2), (30, 3), (100, 10)])
def test_a_tenth_of_the_channels_and_at_least_one_stays_for_callers(bought: int, kept: int) -> None:
    assert reserve(bought) == kept


def test_callers_and_outside_legs_count_each_on_their_trunk() -> None:
    patched = replace(DIALLING, stage=Patched(REACHING.contacts[0], "out-c1-1", REACHING))
    elsewhere = replace(DIALLING, stage=replace(REACHING, trunk="two"))
    between = replace(DIALLING, stage=replace(REACHING, leg=None))
    stories = [WAITS, DIALLING, patched, elsewhere, between]
    assert channels_used("one", stories) == 7
    assert channels_used("two", stories) == 1


def test_the_trunk_that_the_caller_came_by_is_first_and_the_others_in_their_order() -> None:
    three = trunks(trunk("one"), trunk("two"), trunk("three"))
    assert [found.id for found in (free_trunk(three, [], "two"), free_trunk(three, [])) if found] == [
        "two",
        "one",
    ]


def test_a_trunk_without_host_or_without_room_is_passed_over() -> None:
    found = free_trunk(trunks(trunk("deaf", host=None), trunk("one", 3), trunk("two", 3)), [DIALLING], "one")
    assert found is not None
    assert found.id == "two"
    assert free_trunk(trunks(trunk("one", 3)), [DIALLING]) is None
    assert free_trunk(trunks(trunk("one", 3)), [WAITS]) is not None


@pytest.mark.parametrize(
    ("number", "result"),
    [
        ("+3315", True),
        ("+33112", True),
        ("+33116000", True),
        ("+33899123456", True),
        ("+33811123456", True),
        ("+33800123456", False),
        ("+33639981021", False),
        ("+33199001000", False),
        ("+41221234567", False),
    ],
)
def test_emergency_and_premium_numbers_are_barred(number: str, *, result: bool) -> None:
    assert never_dialled(number) is result


@pytest.mark.parametrize(
    "headers",
    [
        RawHeaders("0199001002", from_="<sip:0639981021@telco.test>"),
        RawHeaders("0199001002", from_='"X" <sip:+33639981021@telco.test;user=phone>'),
        RawHeaders("0199001002", from_="<sip:anonymous@x>", p_asserted_identity="<tel:+33639981021>"),
        RawHeaders(
            "0199001002",
            from_="<sip:0639980101@telco.test>",
            diversion=("<sip:0199001077@x>, <sip:0033639981021@x>;reason=no-answer",),
        ),
        RawHeaders(
            "0199001002",
            from_="<sip:0639980101@telco.test>",
            history_info=("<sip:+33639981021@x>;index=1, <sip:+33199001002@x>;index=1.1",),
        ),
        RawHeaders("0199001002", caller_number="0639981021"),
    ],
)
def test_a_call_that_names_the_number_being_dialled_is_that_call_come_back(headers: RawHeaders) -> None:
    assert looped(headers, [WAITS, DIALLING]) is DIALLING
    assert looped(headers, [WAITS, replace(DIALLING, stage=replace(REACHING, leg=None))]) is None


def test_a_stranger_is_no_loop() -> None:
    stranger = RawHeaders(
        "0199001002",
        from_="<sip:0639980101@telco.test>",
        diversion=("<sip:0261912010@telco.test>;reason=busy",),
    )
    assert looped(stranger, [DIALLING]) is None
