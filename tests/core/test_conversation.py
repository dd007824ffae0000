"""Who hears whom, from the stage alone; which orders fit; when she is reminded."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autocom.core.conversation import arrangement, is_conference, next_reminder, reminder, why_not
from autocom.core.model import Client, Configuration, Contact
from autocom.core.orders import (
    VERBS,
    Consult,
    Drop,
    Hold,
    Join,
    Leave,
    Mark,
    Order,
    Park,
    PutThrough,
    Record,
    Resume,
    SendTo,
    by_verb,
)
from autocom.core.stages import Held, Talking, Third
from autocom.core.targets import Colleague, Outside, ToRoom, ToTeam
from tests.support.exchange_in_memory import client, configuration

CALLER, HERS, THIRD = "chan-1", "ring-c1-1-lea", "out-c1-1"
ROUX = Contact("Dr Roux", "+33639981021")
PHONE, ORDER, ASIDE = Held(10.0, "phone"), Held(10.0, "order"), Held(10.0, "consult")
RINGS = Third(ROUX, THIRD, 50.0)
THERE = Third(ROUX, THIRD, 50.0, answered_at=20.0, inside=True)
PUT_ASIDE = Third(ROUX, THIRD, 50.0, answered_at=20.0)
ORDERS: tuple[Order, ...] = (
    Hold(),
    Resume(),
    Consult(Outside("+33639981021")),
    Consult(ToTeam("medical")),
    Consult(ToRoom("801")),
    Join(),
    Drop(),
    Leave(),
    SendTo(Colleague("ines")),
    PutThrough(Outside("+33639981021")),
    Park(),
    Record("start"),
    Mark("1"),
)


def talking(held: Held | None = None, third: Third | None = None) -> Talking:
    return Talking("lea", HERS, 1, None, joined_at=5.0, held=held, third=third)


@pytest.mark.parametrize(
    ("stage", "inside", "aside", "rings"),
    [
        (talking(), {HERS, CALLER}, set(), False),
        (talking(PHONE), {HERS, CALLER}, set(), False),
        (talking(ORDER), {HERS}, {CALLER}, False),
        (talking(ASIDE, RINGS), {HERS}, {CALLER}, True),
        (talking(ASIDE, THERE), {HERS, THIRD}, {CALLER}, False),
        (talking(None, PUT_ASIDE), {HERS, CALLER}, {THIRD}, False),
        (talking(None, THERE), {HERS, CALLER, THIRD}, set(), False),
    ],
)
def test_who_hears_whom(stage: Talking, inside: set[str], aside: set[str], rings: bool) -> None:
    found = arrangement(stage, CALLER)
    assert (set(found.inside), set(found.aside), found.rings) == (inside, aside, rings)
    assert is_conference(stage) == (len(inside) == 3)


stages = st.builds(
    talking,
    st.sampled_from([None, PHONE, ORDER, ASIDE]),
    st.sampled_from([None, RINGS, THERE, PUT_ASIDE]),
)


@given(stages)
def test_she_is_always_inside_and_nobody_is_in_two_places(stage: Talking) -> None:
    found = arrangement(stage, CALLER)
    assert HERS in found.inside
    assert not set(found.inside) & set(found.aside)
    assert CALLER in {*found.inside, *found.aside}
    there = stage.third is not None and stage.third.answered_at is not None
    assert (THIRD in {*found.inside, *found.aside}) == there


@given(stages, st.sampled_from(ORDERS))
def test_every_order_fits_or_is_refused_in_words(stage: Talking, order: Order) -> None:
    why = why_not(stage, order)
    assert why is None or len(why) > 10


@pytest.mark.parametrize(
    ("stage", "fits"),
    [
        (talking(), {"Hold", "Consult", "Park"}),
        (talking(PHONE), {"Consult", "Park"}),
        (talking(ORDER), {"Resume", "Consult", "Drop", "Park"}),
        (talking(ASIDE, RINGS), {"Resume", "Drop", "Leave"}),
        (talking(ASIDE, THERE), {"Resume", "Join", "Drop", "Leave"}),
        (talking(None, PUT_ASIDE), {"Hold", "Join", "Drop", "Leave"}),
        (talking(None, THERE), {"Hold", "Drop", "Leave"}),
    ],
)
def test_which_orders_fit(stage: Talking, fits: set[str]) -> None:
    always = {"SendTo", "PutThrough", "Record", "Mark"}
    found = {type(order).__name__ for order in ORDERS if why_not(stage, order) is None}
    assert found == fits | always


# --- reminders -------------------------------------------------------------------------------


@given(st.floats(0, 1e6), st.floats(1, 600), st.floats(0, 1e5))
def test_a_reminder_is_always_ahead_and_never_further_than_one_interval(
    since: float, every: float, waited: float
) -> None:
    now = since + waited
    at = next_reminder(Held(since, "order"), every, now)
    assert at is not None
    assert now < at <= now + every + 0.0011
    following = next_reminder(Held(since, "order"), every, at)
    assert following is not None
    assert following > at + every / 2, "once at a time"


def test_no_interval_is_no_reminder() -> None:
    assert next_reminder(PHONE, 0.0, 100.0) is None


def test_the_reminder_says_who_and_how_long() -> None:
    assert reminder("Cab. Lilas", ORDER, 70.0, "fr") == (
        "autocom : Cab. Lilas, en garde depuis 1 min. *5 pour le reprendre."
    )
    assert "1 min 30 s" in reminder("Cab. Lilas", ORDER, 100.0, "en")
    assert "45 s" in reminder("Cab. Lilas", ORDER, 55.0, "en")


# --- words to orders -------------------------------------------------------------------------


def house() -> tuple[Configuration, Client]:
    lilas = client("lilas", "+33199001001", contacts=(ROUX, Contact("", "+33639981022")))
    return configuration(lilas), lilas


@pytest.mark.parametrize(
    ("verb", "argument", "order"),
    [
        ("hold", "", Hold()),
        ("resume", "", Resume()),
        ("join", "", Join()),
        ("drop", "", Drop()),
        ("leave", "", Leave()),
        ("consult", "201", Consult(Colleague("ines"))),
        ("consult", "06 39 98 10 21", Consult(Outside("+33639981021"))),
        ("consult", "1", Consult(Outside("+33639981021", "Dr Roux"))),
        ("consult", "02", Consult(Outside("+33639981022"))),
        ("transfer", "200", SendTo(Colleague("lea"))),
        ("transfer", "801", SendTo(ToRoom("801"))),
        ("patch", "+33639981021", PutThrough(Outside("+33639981021"))),
        ("park", " two   words ", Park("two words")),
        ("record", "pause", Record("pause")),
        ("mark", "2", Mark("2")),
    ],
)
def test_each_verb_is_an_order(verb: str, argument: str, order: Order) -> None:
    configured, lilas = house()
    assert by_verb(verb, argument, configured, lilas) == order


@pytest.mark.parametrize(
    ("verb", "argument"),
    [
        ("consult", ""),
        ("consult", "3"),
        ("consult", "0"),
        ("consult", "7777"),
        ("record", "eat"),
        ("dance", ""),
    ],
)
def test_wrong_words_are_told(verb: str, argument: str) -> None:
    configured, lilas = house()
    with pytest.raises(ValueError, match=r".{10}"):
        by_verb(verb, argument, configured, lilas)


@given(st.text(max_size=40), st.sampled_from([v for v, what in VERBS.items() if what == "to"]))
def test_no_words_lead_to_anything_but_an_order_or_a_refusal(text: str, verb: str) -> None:
    configured, lilas = house()
    try:
        found = by_verb(verb, text, configured, lilas)
    except ValueError:
        return
    assert isinstance(found, Consult | SendTo | PutThrough)
