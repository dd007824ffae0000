"""Which rule takes a call, why the ones before it did not, and what its jumps come to."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autocom.core.model import (
    Answer,
    Audio,
    Client,
    Closure,
    Enqueue,
    ForwardReason,
    Hangup,
    HangupKind,
    Hours,
    Jump,
    Line,
    Menu,
    Play,
    Ringback,
    Rule,
    Step,
    TimeRange,
    When,
)
from autocom.core.routing import MOST_STEPS, Circumstances, choose, ending_outcome, flatten

PROMPT = Audio("menu", "menu", 2.0)
BUSY, REJECT, NORMAL = (Hangup(kind) for kind in (HangupKind.BUSY, HangupKind.REJECT, HangupKind.NORMAL))
DAY = TimeRange(time(8), time(19))
NIGHT = TimeRange(time(22), time(6))


def client(*rules: Rule, **more) -> Client:
    hours = Hours("Europe/Paris", dict.fromkeys(range(1, 6), (DAY,)))
    return Client("lilas", "Lilas", "Lilas", "medical", (Line("+33199001001"),), hours, rules, **more)


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Europe/Paris")).timestamp()


MONDAY_TEN, MONDAY_NIGHT = at("2026-11-23 10:00"), at("2026-11-23 21:00")


def holds(when: When, moment: float = MONDAY_TEN, absences: tuple[Closure, ...] = (), **more) -> bool:
    chosen = choose(
        client(Rule("asked", when, ()), Rule("last", None, ()), absences=absences),
        Circumstances(moment, **more),
    )
    assert chosen.trail[0].matched is (chosen.trail[0].failed is None)
    return chosen.rule.name == "asked"


# --- choosing --------------------------------------------------------------------------------


def test_the_first_rule_that_holds_decides_and_the_trail_says_why_the_others_did_not():
    rules = (
        Rule("nuisance", When(caller=("+33199006666",)), (BUSY,)),
        Rule("closed", When(open=False), (NORMAL,)),
        Rule("open", None, ()),
        Rule("never asked", None, ()),
    )
    choice = choose(client(*rules), Circumstances(MONDAY_TEN, caller="+33639980101"))
    assert choice.rule.name == "open"
    assert [(trial.rule, trial.matched, trial.failed) for trial in choice.trail] == [
        ("nuisance", False, "caller: is not among them"),
        ("closed", False, "hours: open: Monday 08:00-19:00"),
        ("open", True, None),
    ]
    assert (choice.open, choice.absence) == (True, None)
    closed = choose(client(*rules), Circumstances(MONDAY_NIGHT, caller="+33199006666"))
    assert (closed.rule.name, closed.open) == ("nuisance", False)
    assert choose(client(*rules), Circumstances(MONDAY_NIGHT)).rule.name == "closed"


def test_the_trail_never_holds_the_callers_number():
    choice = choose(
        client(Rule("vip", When(caller=("+33261912099",)), ()), Rule("last", None, ())),
        Circumstances(MONDAY_TEN, caller="+33639980101"),
    )
    assert "39980101" not in repr(choice.trail)


def test_a_client_whose_last_rule_has_conditions_is_refused():
    with pytest.raises(ValueError, match="lilas"):
        choose(client(Rule("closed", When(open=False), ())), Circumstances(MONDAY_TEN))


@pytest.mark.parametrize(
    ("entries", "caller", "anonymous", "expected"),
    [
        (("+33639980101",), "+33639980101", False, True),
        (("+33639980101",), "+336399801012", False, False),
        (("+33261912099", "+33639980101"), "+33639980101", False, True),
        (("+33162*",), "+33162001234", False, True),  # S8: a block of automated callers
        (("+33162*",), "+33163001234", False, False),
        (("+33162*",), None, False, False),
        (("+33162*",), None, True, False),
        (("anonymous",), None, True, True),
        (("+33639980101", "+33*"), "+33639980101", True, False),
        (("anonymous",), "+33639980101", False, False),
        (("anonymous",), None, False, False),  # a caller without a number hides nothing
        (("+33162*", "anonymous"), None, True, True),
    ],
)
def test_callers_are_matched_by_number_prefix_or_anonymity(entries, caller, anonymous, expected):
    assert holds(When(caller=entries), caller=caller, anonymous=anonymous) is expected


ABSENCE = Closure(datetime.fromisoformat("2026-11-23 09:00"), datetime.fromisoformat("2026-11-23 11:00"))


@pytest.mark.parametrize(
    ("when", "circumstances", "expected"),
    [
        (When(), {}, True),
        (When(open=True), {}, True),
        (When(open=False), {}, False),
        (When(open=False), {"moment": MONDAY_NIGHT}, True),
        (When(open=False), {"absences": (ABSENCE,)}, True),
        (When(absence=True), {"absences": (ABSENCE,)}, True),
        (When(absence=True), {}, False),
        (When(absence=False), {}, True),
        (When(absence=False), {"absences": (ABSENCE,)}, False),
        (When(forward_reason=(ForwardReason.BUSY,)), {"forward_reason": ForwardReason.BUSY}, True),
        (When(forward_reason=(ForwardReason.BUSY,)), {"forward_reason": ForwardReason.UNKNOWN}, False),
        (When(forward_reason=(ForwardReason.UNKNOWN,)), {}, False),  # not forwarded is not `unknown`
        (When(did=("+33199001001",)), {"did": "+33199001001"}, True),
        (When(did=("+33199001001",)), {"did": "+33199001002"}, False),
        (When(did=("+33199001001",)), {}, False),
        (When(waiting_over=2), {"waiting": 2}, False),
        (When(waiting_over=2), {"waiting": 3}, True),
        (When(waiting_over=0), {"waiting": 0}, False),
        (When(nobody=True), {"nobody": True}, True),
        (When(nobody=True), {}, False),
        (When(nobody=False), {"nobody": True}, False),
        (When(open=True, waiting_over=2), {"waiting": 1}, False),
    ],
)
def test_each_condition_holds_when_it_should(when, circumstances, expected):
    assert holds(when, **circumstances) is expected


@pytest.mark.parametrize(
    ("when", "moment", "expected"),
    [
        (When(days=(1, 2)), "2026-11-23 10:00", True),
        (When(days=(2,)), "2026-11-23 10:00", False),
        (When(dates=((date(2026, 11, 20), date(2026, 11, 23)),)), "2026-11-23 23:59", True),
        (When(dates=((date(2026, 11, 20), date(2026, 11, 22)),)), "2026-11-23 00:00", False),
        (When(time=(DAY,)), "2026-11-23 08:00", True),
        (When(time=(DAY,)), "2026-11-23 19:00", False),
        (When(time=(NIGHT,)), "2026-11-23 23:00", True),
        (When(time=(NIGHT,)), "2026-11-23 05:59", True),
        (When(time=(NIGHT,)), "2026-11-23 12:00", False),
        # the night of Friday the 27th is that night to its end on Saturday, and not the one before
        (When(days=(5,), time=(NIGHT,)), "2026-11-28 05:00", True),
        (When(days=(5,), time=(NIGHT,)), "2026-11-27 05:00", False),
        (When(dates=((date(2026, 11, 27),) * 2,), time=(NIGHT,)), "2026-11-28 05:00", True),
        (When(dates=((date(2026, 11, 27),) * 2,), time=(NIGHT,)), "2026-11-27 05:00", False),
        # 22:00-06:00 of the 26th and 04:00-05:00 of the 27th both hold; the day must fit one of them
        (When(days=(5,), time=(NIGHT, TimeRange(time(4), time(5)))), "2026-11-27 04:30", True),
        (
            When(days=(5,), dates=((date(2026, 11, 26),) * 2,), time=(NIGHT, TimeRange(time(4), time(5)))),
            "2026-11-27 04:30",
            False,
        ),
    ],
)
def test_days_dates_and_times_are_those_of_the_clients_clock(when, moment, expected):
    assert holds(when, at(moment)) is expected


def test_days_are_those_of_the_clients_zone():
    reunion = Hours("Indian/Reunion", {})
    asked = client(Rule("tuesday", When(days=(2,)), ()), Rule("last", None, ()))
    evening = Circumstances(at("2026-11-23 22:00"))  # 01:00 on Tuesday there
    assert choose(asked, evening).rule.name == "last"
    assert choose(replace(asked, hours=reunion), evening).rule.name == "tuesday"


# --- jumps -----------------------------------------------------------------------------------


def test_a_jump_is_replaced_by_the_steps_it_leads_to_and_does_not_come_back():
    rules = (
        Rule("a", When(open=False), (Answer(), Jump("b"), Ringback(1.0))),
        Rule("b", None, (Ringback(2.0), Jump("c"))),
        Rule("c", None, (BUSY,)),
    )
    assert flatten(rules[0], client(*rules)) == (Answer(), Ringback(2.0), BUSY)


def test_jumps_inside_menus_and_queues_are_written_out_as_well():
    inner = Menu(PROMPT, {"1": (Jump("end"),)}, otherwise=(Jump("end"),))
    queue = Enqueue("general", on_timeout=(inner,), on_full=(Jump("end"),), on_nobody=(Jump("end"),))
    rules = (Rule("a", None, (queue,)), Rule("end", None, (BUSY,)))
    (flat,) = flatten(rules[0], client(*rules))
    assert flat == replace(
        queue,
        on_timeout=(replace(inner, keys={"1": (BUSY,)}, otherwise=(BUSY,)),),
        on_full=(BUSY,),
        on_nobody=(BUSY,),
    )


def test_a_menu_that_offers_itself_again_ends_after_a_few_rounds():
    rules = (Rule("menu", None, (Menu(PROMPT, {"1": (BUSY,)}, otherwise=(Jump("menu"),)),)),)
    steps, rounds = flatten(rules[0], client(*rules)), 0
    while isinstance(steps[0], Menu):
        rounds += 1
        steps = steps[0].otherwise
    assert (rounds, steps) == (3, (NORMAL,))


def count(steps: tuple[Step, ...]) -> int:
    return sum(
        1
        + sum(
            count(value) if isinstance(value, tuple) else sum(map(count, value.values()))
            for value in (getattr(step, each.name) for each in fields(step))
            if value
            and (isinstance(value, dict) or (isinstance(value, tuple) and hasattr(value[0], "__slots__")))
        )
        for step in steps
    )


def test_jumps_that_fan_out_without_end_stay_bounded():
    names = [str(digit) for digit in range(10)]
    everywhere = {name: (Jump(name),) for name in names}
    rules = tuple(Rule(name, None, (Menu(PROMPT, everywhere),)) for name in names)
    assert 100 < count(flatten(rules[0], client(*rules))) < 12 * MOST_STEPS


def test_a_loop_of_bare_jumps_ends_with_a_hang_up():
    rules = (Rule("a", None, (Jump("b"),)), Rule("b", None, (Jump("a"),)))
    assert flatten(rules[0], client(*rules)) == (NORMAL,)


def test_a_jump_to_a_rule_that_is_not_there_is_an_error():
    rule = Rule("a", None, (Jump("b"),))
    with pytest.raises(ValueError, match="jumps to b"):
        flatten(rule, client(rule))


@given(
    st.lists(st.sampled_from([Answer(), BUSY, Ringback(1.0), Jump("0"), Jump("1"), Jump("2")]), max_size=5).map(tuple),
    st.lists(st.sampled_from([Answer(), Jump("0"), Jump("2")]), max_size=3).map(tuple),
)  # fmt: skip
def test_no_jump_is_ever_left(first, second):
    rules = (Rule("0", None, first), Rule("1", None, second), Rule("2", None, (Play(PROMPT),)))
    for rule in rules:
        assert not any(isinstance(step, Jump) for step in flatten(rule, client(*rules)))


# --- outcomes --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("when", "step", "outcome"),
    [
        (When(open=False), NORMAL, "closed"),
        (When(open=False), None, "closed"),
        (When(absence=True), NORMAL, "closed"),
        (When(open=False), BUSY, "closed"),
        (When(caller=("anonymous",)), BUSY, "rejected"),
        (When(caller=("anonymous",)), NORMAL, "rejected"),
        (When(caller=("anonymous",)), None, "rejected"),
        (When(caller=("anonymous",), open=False), NORMAL, "closed"),
        (When(caller=("anonymous",), open=False), REJECT, "rejected"),
        (When(nobody=True), NORMAL, "nobody"),
        (When(waiting_over=3), BUSY, "full"),
        (When(time=(NIGHT,)), NORMAL, "closed"),
        (When(days=(7,)), None, "closed"),
        (When(open=True), BUSY, "rejected"),
        (None, REJECT, "rejected"),
    ],
)
def test_a_dismissal_is_named_after_the_condition_that_led_to_it(when, step, outcome):
    assert ending_outcome(Rule("r", when, ()), step) == outcome
