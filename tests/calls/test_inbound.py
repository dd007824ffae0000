"""The story of an incoming call, in virtual time: what the caller hears, who rings, what is written."""

from __future__ import annotations

import itertools
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime

import pytest

from autocom.core.model import (
    Answer,
    Closure,
    Enqueue,
    Forward,
    Hangup,
    HangupKind,
    Menu,
    Mode,
    Play,
    Ringback,
    Rule,
    When,
)
from autocom.core.telephony import Cause
from tests.support.exchange_in_memory import CALM, CLOSED, WELCOME, Bench, client, configuration, heard
from tests.support.fake_telephone import Habit
from tests.support.virtual import EPOCH, run

Scenario = Callable[[Bench], Awaitable[None]]


def play(scenario: Scenario, *clients: object, staff: dict[str, dict[str, int]] | None = None) -> Bench:
    """Run a scenario on a bench whose secretaries are at work; the exchange must still be alive after it."""

    async def whole() -> Bench:
        bench = Bench(configuration(*clients, **(staff or {})))  # type: ignore[arg-type]
        bench.start()
        await bench.pass_time(0.01)
        await scenario(bench)
        assert bench.failure() is None
        await bench.kill()
        return bench

    return run(whole())


def test_a_caller_hears_the_message_then_music_then_the_secretary() -> None:
    async def scenario(bench: Bench) -> None:
        bench.telephone.habits["lea"] = Habit(answers=6.0)
        await bench.at_work("lea")
        bench.telephone.call_in("chan-1", "0199001001")
        await bench.pass_time(20)
        bench.telephone.caller_hangs_up("chan-1")
        await bench.pass_time(1)

    bench = play(scenario)
    assert heard(bench) == ["welcome", "silence", "music:music-calm", "silence", "bridge:talk-c1-1", "end"]
    gaps = bench.telephone.past["chan-1"].heard
    assert all(b[0] - a[0] < 0.5 for a, b in itertools.pairwise(gaps) if a[1] == "silence")
    record = bench.record()
    assert (record.outcome, record.secretary, record.client, record.caller) == (
        "served",
        "lea",
        "lilas",
        "+33639980101",
    )
    assert record.wait_ms == pytest.approx(6000, abs=100)
    assert record.talk_ms == pytest.approx(14000, abs=100)
    assert [s.kind for s in bench.segments()] == ["message", "waiting", "ringing", "talk"]
    assert bench.state("lea") == "free"
    assert not bench.telephone.channels
    assert not bench.telephone.bridges
    assert not bench.journal.calls


def test_phones_ring_while_the_message_plays_and_the_answer_cuts_it() -> None:
    async def scenario(bench: Bench) -> None:
        bench.telephone.habits["lea"] = Habit(answers=1.0)
        await bench.at_work("lea")
        bench.telephone.call_in("chan-1", "0199001001")
        await bench.pass_time(1.2)
        assert bench.state("lea") == "talking"
        leg = bench.telephone.leg_of("lea")
        assert leg is not None
        bench.telephone.phone_hangs_up(leg.id)
        await bench.pass_time(1)

    bench = play(scenario)
    assert heard(bench) == ["welcome", "silence", "bridge:talk-c1-1", "silence", "end"]
    assert bench.record().talk_ms == pytest.approx(180, abs=50)
    ended = [e for e in bench.of("c1") if e.kind == "message_ended"]
    assert [e.fields["complete"] for e in ended] == [False]


def test_a_message_that_must_be_heard_is_heard_to_its_end_before_the_two_are_joined() -> None:
    async def scenario(bench: Bench) -> None:
        bench.telephone.habits["lea"] = Habit(answers=1.0)
        await bench.at_work("lea")
        bench.telephone.call_in("chan-1", "0199001001")
        await bench.pass_time(3.9)
        assert not bench.telephone.joined
        assert bench.state("lea") == "talking"
        assert heard(bench, "ring-c1-1-lea") == ["in-progress"]
        await bench.pass_time(0.3)
        assert bench.telephone.joined == [("chan-1", "ring-c1-1-lea")]

    steps = (Play(WELCOME, Mode.ANSWERED, must_hear=True), Enqueue("medical", CALM))
    bench = play(scenario, client("lilas", "+33199001001", *steps))
    assert bench.telephone.channels["chan-1"].answered_at == pytest.approx(EPOCH + 0.03, abs=0.05)


def test_a_call_in_early_media_is_answered_by_itself_at_its_limit_without_a_gap() -> None:
    async def scenario(bench: Bench) -> None:
        bench.telephone.call_in("chan-1", "0199001001")
        await bench.pass_time(24.9)
        assert not bench.telephone.channels["chan-1"].up
        await bench.pass_time(0.2)
        assert bench.telephone.channels["chan-1"].up

    bench = play(scenario)
    assert heard(bench) == ["welcome", "silence", "music:music-calm"]
    assert [e.fields["why"] for e in bench.of("c1") if e.kind == "answered"] == ["early_limit"]


def test_the_early_limit_inside_a_message_answers_and_goes_on_where_it_was() -> None:
    async def scenario(bench: Bench) -> None:
        bench.telephone.call_in("chan-1", "0199001001")
        await bench.pass_time(2.05)
        assert bench.telephone.channels["chan-1"].up
        await bench.pass_time(2.1)

    bench = play(scenario, client("lilas", "+33199001001", early_limit=2.0))
    assert heard(bench)[:4] == ["welcome", "silence", "welcome", "silence"]
    timeline = bench.telephone.channels["chan-1"].heard
    assert timeline[3][0] - timeline[0][0] == pytest.approx(4.0, abs=0.05)


def test_who_does_not_answer_is_followed_by_the_next_and_the_caller_hears_no_break() -> None:
    async def scenario(bench: Bench) -> None:
        bench.telephone.habits = {"lea": Habit(answers=None), "ines": Habit(answers=2.0)}
        await bench.at_work("lea", "ines")
        bench.telephone.call_in("chan-1", "0199001001")
        await bench.pass_time(15)
        assert bench.state("ines") == "talking"

    bench = play(scenario)
    assert bench.record().offers == 2
    assert heard(bench) == ["welcome", "silence", "music:music-calm", "silence", "bridge:talk-c1-2"]
    assert bench.telephone.past["ring-c1-1-lea"].ended_with == Cause.NO_ANSWER


@pytest.mark.parametrize(
    ("seconds", "habit", "cause"),
    [
        (3.0, None, "short"),
        (7.0, None, "during_music"),
        (7.0, Habit(answers=None), "while_ringing"),
    ],
)
def test_a_caller_who_gives_up_is_counted_by_what_he_heard(
    seconds: float, habit: Habit | None, cause: str
) -> None:
    async def scenario(bench: Bench) -> None:
        if habit is not None:
            bench.telephone.habits["lea"] = habit
            await bench.at_work("lea")
        bench.telephone.call_in("chan-1", "0199001001")
        await bench.pass_time(seconds)
        bench.telephone.caller_hangs_up("chan-1")
        await bench.pass_time(0.5)

    bench = play(scenario)
    assert (bench.record().outcome, bench.record().cause) == ("abandoned", cause)
    if habit is not None:
        assert bench.telephone.past["ring-c1-1-lea"].ended_with == Cause.NORMAL
        assert bench.state("lea") == "free"


def test_a_caller_who_hangs_up_in_the_message_after_five_seconds_was_lost_during_it() -> None:
    async def scenario(bench: Bench) -> None:
        bench.telephone.habits["lea"] = Habit(answers=None)
        await bench.at_work("lea")
        bench.telephone.call_in("chan-1", "0199001001")
        await bench.pass_time(6.0)
        bench.telephone.caller_hangs_up("chan-1")
        await bench.pass_time(0.5)

    twice = (Play(WELCOME, repeat=2), Enqueue("medical", CALM))
    bench = play(scenario, client("lilas", "+33199001001", *twice))
    assert bench.record().cause == "during_message"


def test_a_closed_client_plays_his_message_answered_and_hangs_up() -> None:
    async def scenario(bench: Bench) -> None:
        await bench.at_work("lea")
        bench.telephone.call_in("chan-1", "0199001001")
        await bench.pass_time(5)

    closed = Rule("closed", When(open=False), (Play(CLOSED, Mode.ANSWERED), Hangup()))
    shut = client("lilas", "+33199001001", rules=(closed, Rule("open", None, (Enqueue("medical"),))))
    bench = play(scenario, shut)
    assert heard(bench) == ["closed", "silence", "end"]
    record = bench.record()
    assert (record.outcome, record.rule, record.offers) == ("closed", "closed", 0)


def test_the_wait_ends_by_rule_with_its_way_out() -> None:
    async def scenario(bench: Bench) -> None:
        bench.telephone.call_in("chan-1", "0199001001")
        await bench.pass_time(12)

    steps = (Enqueue("medical", CALM, max_wait=8.0, on_timeout=(Play(CLOSED), Hangup(HangupKind.BUSY))),)
    bench = play(scenario, client("lilas", "+33199001001", *steps))
    assert heard(bench) == ["music:music-calm", "closed", "silence", "end"]
    assert bench.record().outcome == "timeout"
    assert bench.telephone.past["chan-1"].ended_with == Cause.BUSY


def test_an_empty_floor_sends_the_caller_to_on_nobody_after_the_message() -> None:
    async def scenario(bench: Bench) -> None:
        bench.telephone.call_in("chan-1", "0199001001")
        await bench.pass_time(10)

    steps = (Play(WELCOME), Enqueue("medical", CALM, on_nobody=(Play(CLOSED), Hangup())))
    bench = play(scenario, client("lilas", "+33199001001", *steps))
    assert [w for w in heard(bench) if w != "silence"][:1] == ["welcome"]
    assert [w for w in heard(bench) if not w.startswith("music")] == [
        "welcome",
        "silence",
        "closed",
        "silence",
        "end",
    ]
    assert bench.record().outcome == "nobody"


def test_the_call_after_the_last_one_a_client_bought_takes_on_full() -> None:
    async def scenario(bench: Bench) -> None:
        for n in range(1, 4):
            bench.telephone.call_in(f"chan-{n}", "0199001001")
        bench.telephone.call_in("chan-4", "0199001002")
        await bench.pass_time(10)

    full = (Enqueue("medical", CALM, on_full=(Play(CLOSED), Hangup(HangupKind.BUSY))),)
    bench = play(
        scenario,
        client("lilas", "+33199001001", *full, max_calls=2),
        client("other", "+33199001002"),
    )
    assert bench.record("c3").outcome == "full"
    assert sorted(bench.telephone.channels) == ["chan-1", "chan-2", "chan-4"]


def test_a_secretary_whose_leg_fails_before_the_bridge_gives_the_caller_back_to_the_queue() -> None:
    async def scenario(bench: Bench) -> None:
        bench.telephone.habits = {"lea": Habit(answers=1.0), "ines": Habit(answers=None)}
        await bench.at_work("lea", "ines")
        bench.telephone.call_in("chan-1", "0199001001")
        await bench.pass_time(1.5)  # she picked up; the message must be heard first
        bench.telephone.phone_hangs_up("ring-c1-1-lea")
        await bench.pass_time(0.5)
        assert bench.state("ines") == "ringing"
        assert bench.switchboard is not None
        assert bench.switchboard.dispatcher.floor.waiters["c1"].joined == pytest.approx(EPOCH, abs=0.1)

    steps = (Play(WELCOME, Mode.ANSWERED, must_hear=True), Enqueue("medical", CALM))
    play(scenario, client("lilas", "+33199001001", *steps))


def test_two_callers_and_one_secretary_are_served_in_order() -> None:
    async def scenario(bench: Bench) -> None:
        await bench.at_work("lea")
        bench.telephone.call_in("chan-1", "0199001001")
        await bench.pass_time(0.1)
        bench.telephone.call_in("chan-2", "0199001001")
        await bench.pass_time(5)
        bench.telephone.caller_hangs_up("chan-1")
        await bench.pass_time(5)

    bench = play(scenario)
    assert bench.telephone.joined == [("chan-1", "ring-c1-1-lea"), ("chan-2", "ring-c2-1-lea")]


def test_an_unknown_number_is_served_by_the_general_client_and_flagged() -> None:
    async def scenario(bench: Bench) -> None:
        bench.telephone.call_in("chan-1", "0199001077")
        await bench.pass_time(1)

    bench = play(scenario)
    assert bench.record().client == "lilas"
    assert "unknown_did" in bench.record().flags


def test_a_withheld_number_is_neither_shown_nor_stored() -> None:
    async def scenario(bench: Bench) -> None:
        await bench.at_work("lea")
        bench.telephone.call_in(
            "chan-1",
            "0199001001",
            caller="anonymous",
            privacy="id",
            p_asserted_identity="<sip:+33639980199@telco.test>",
        )
        await bench.pass_time(0.5)
        leg = bench.telephone.leg_of("lea")
        assert leg is not None
        assert leg.order is not None
        assert leg.order.number is None
        assert leg.order.display == "Lilas · Masqué"

    bench = play(scenario)
    assert bench.record().anonymous
    assert "639980199" not in repr(bench.journal.entries) + repr(bench.journal.calls)


def test_the_phone_is_told_everything_before_it_is_picked_up() -> None:
    async def scenario(bench: Bench) -> None:
        await bench.at_work("lea")
        bench.telephone.call_in("chan-1", "0199001001")
        await bench.pass_time(0.5)
        leg = bench.telephone.leg_of("lea")
        assert leg is not None
        assert leg.order is not None
        assert leg.order.display == "Cab. Lilas · 06 39 98 01 01"
        assert leg.order.number == "+33639980101"
        assert leg.order.headers["X-Autocom-Client"] == "lilas"
        assert leg.order.headers["X-Autocom-Phrase"] == '"Bonjour."'
        assert leg.order.headers["Call-Info"] == "<https://agenda.example/lilas>;purpose=info"

    play(
        scenario,
        client(
            "lilas",
            "+33199001001",
            display="Cab. Lilas",
            phrase="Bonjour.",
            card="https://agenda.example/lilas",
        ),
    )


def test_steps_run_in_order_and_a_rule_without_a_queue_ends_the_call() -> None:
    async def scenario(bench: Bench) -> None:
        bench.telephone.call_in("chan-1", "0199001001")
        await bench.pass_time(12)

    steps = (Ringback(5.0), Answer(), Play(WELCOME), Hangup(HangupKind.BUSY))
    bench = play(scenario, client("lilas", "+33199001001", *steps))
    assert heard(bench) == ["ringing", "silence", "welcome", "silence", "end"]
    assert bench.record().outcome == "rejected"


def test_a_step_that_cannot_be_carried_out_ends_in_the_houses_message_never_in_silence() -> None:
    async def scenario(bench: Bench) -> None:
        bench.telephone.call_in("chan-1", "0199001001")
        await bench.pass_time(8)

    bench = play(scenario, client("lilas", "+33199001001", Forward("+33639981011")))
    assert heard(bench) == ["nobody", "silence", "end"]


MENU = Menu(
    WELCOME,
    {"1": (Enqueue("medical", CALM),), "2": (Menu(CLOSED, {"9": (Hangup(HangupKind.BUSY),)}),)},
    wait=3.0,
    otherwise=(Play(CLOSED), Hangup()),
)


def test_a_digit_pressed_during_the_prompt_is_taken_at_once() -> None:
    async def scenario(bench: Bench) -> None:
        await bench.at_work("lea")
        bench.telephone.call_in("chan-1", "0199001001")
        await bench.pass_time(1.0)
        assert bench.telephone.channels["chan-1"].up, "a menu needs an answered call"
        bench.telephone.presses("chan-1", "1")
        await bench.pass_time(0.2)
        assert bench.state("lea") == "ringing"

    bench = play(scenario, client("lilas", "+33199001001", MENU))
    assert heard(bench)[:3] == ["welcome", "silence", "music:music-calm"]


@pytest.mark.parametrize("digit", ["7", None], ids=["wrong digit", "no digit"])
def test_a_wrong_or_missing_digit_is_otherwise(digit: str | None) -> None:
    async def scenario(bench: Bench) -> None:
        bench.telephone.call_in("chan-1", "0199001001")
        await bench.pass_time(1.0)
        if digit:
            bench.telephone.presses("chan-1", digit)
        else:
            await bench.pass_time(5.9)
            assert heard(bench) == ["welcome", "silence"], "it waits three seconds after the prompt"
        await bench.pass_time(5.0)

    bench = play(scenario, client("lilas", "+33199001001", MENU))
    assert heard(bench) == ["welcome", "silence", "closed", "silence", "end"]


@pytest.mark.parametrize(("digits", "rang"), [("7", False), ("71", True), ("77", False)])
def test_a_menu_may_ask_again(digits: str, *, rang: bool) -> None:
    async def scenario(bench: Bench) -> None:
        await bench.at_work("lea")
        bench.telephone.call_in("chan-1", "0199001001")
        for digit in digits:
            await bench.pass_time(1.0)
            bench.telephone.presses("chan-1", digit)
        await bench.pass_time(0.5)
        assert (bench.state("lea") == "ringing") is rang
        if len(digits) == 1:
            assert heard(bench) == ["welcome", "silence", "welcome"], "he is asked again at once"
        await bench.pass_time(20)

    bench = play(scenario, client("lilas", "+33199001001", replace(MENU, tries=2)))
    steps = [e.fields["result"] for e in bench.of("c1") if e.kind == "step"]
    assert (
        steps == {"7": ["digit 7", "no digit"], "71": ["digit 7", "digit 1"], "77": ["digit 7"] * 2}[digits]
    )


def test_menus_may_be_nested_and_only_the_first_digit_counts_for_each() -> None:
    async def scenario(bench: Bench) -> None:
        bench.telephone.call_in("chan-1", "0199001001")
        await bench.pass_time(1.0)
        bench.telephone.presses("chan-1", "2")
        await bench.pass_time(1.0)
        bench.telephone.presses("chan-1", "9")
        await bench.pass_time(1.0)

    bench = play(scenario, client("lilas", "+33199001001", MENU))
    assert bench.telephone.past["chan-1"].ended_with == Cause.BUSY
    assert [e.fields["result"] for e in bench.of("c1") if e.kind == "step"] == ["digit 2", "digit 9"]


def test_a_story_that_crashes_gives_its_caller_to_the_fallback_and_touches_no_other() -> None:
    async def scenario(bench: Bench) -> None:
        def once(what: str) -> None:
            if what == "play":
                bench.telephone.before = lambda _: None
                raise ZeroDivisionError("a bug")

        bench.telephone.before = once
        bench.telephone.call_in("chan-1", "0199001001")
        bench.telephone.call_in("chan-2", "0199001002")
        await bench.pass_time(2)
        assert heard(bench, "chan-1") == ["fallback"]
        assert bench.telephone.handed_back == [("chan-1", "lilas", False)], "he has not heard his message"
        assert heard(bench, "chan-2") == ["welcome"]

    bench = play(scenario, client("lilas", "+33199001001"), client("other", "+33199001002"))
    assert bench.record("c1").outcome == "fallback"
    assert "crashed" in bench.kinds("c1")


def test_a_caller_whose_story_crashes_while_he_waits_is_handed_back_as_whose_he_is_and_not_greeted_anew() -> (
    None
):
    async def scenario(bench: Bench) -> None:
        def once(what: str) -> None:
            if what == "start_music":
                bench.telephone.before = lambda _: None
                raise ZeroDivisionError("a bug")

        bench.telephone.before = once
        bench.telephone.call_in("chan-1", "0199001001")
        await bench.pass_time(10)
        assert bench.telephone.handed_back == [("chan-1", "lilas", True)]

    play(scenario, client("lilas", "+33199001001"))


def test_a_call_that_cannot_even_be_opened_goes_to_the_fallback_too() -> None:
    async def scenario(bench: Bench) -> None:
        bench.telephone.call_in("chan-1", "0199001001")
        bench.telephone.call_in("chan-2", "0199001002")
        await bench.pass_time(2)
        assert heard(bench, "chan-1") == ["fallback"]
        assert heard(bench, "chan-2") == ["welcome"]

    ruleless = client("lilas", "+33199001001", rules=())
    play(scenario, ruleless, client("other", "+33199001002"))


def test_an_absence_takes_the_call_before_the_hours_are_asked() -> None:
    async def scenario(bench: Bench) -> None:
        bench.telephone.call_in("chan-1", "0199001001")
        await bench.pass_time(5)

    away = Closure(datetime(2026, 9, 1, 0, 0), datetime(2026, 10, 1, 0, 0), "Congés")  # noqa: DTZ001
    rules = (
        Rule("away", When(absence=True), (Play(CLOSED, Mode.ANSWERED), Hangup())),
        Rule("open", None, (Enqueue("medical"),)),
    )
    bench = play(scenario, client("lilas", "+33199001001", rules=rules, absences=(away,)))
    assert bench.record().outcome == "closed"
    assert heard(bench) == ["closed", "silence", "end"]


def test_an_absence_with_a_message_of_its_own_is_heard_instead_of_the_rules() -> None:
    async def scenario(bench: Bench) -> None:
        bench.telephone.call_in("chan-1", "0199001001")
        await bench.pass_time(6)

    away = Closure(datetime(2026, 9, 1, 0, 0), datetime(2026, 10, 1, 0, 0), "Congés", WELCOME)  # noqa: DTZ001
    rules = (
        Rule("closed", When(open=False), (Play(CLOSED, Mode.ANSWERED), Hangup())),
        Rule("open", None, (Enqueue("medical"),)),
    )
    bench = play(scenario, client("lilas", "+33199001001", rules=rules, absences=(away,)))
    assert heard(bench) == ["welcome", "silence", "end"]


def test_a_caller_who_overflows_to_another_queue_keeps_the_time_he_has_waited() -> None:
    async def scenario(bench: Bench) -> None:
        bench.telephone.call_in("chan-1", "0199001001")
        await bench.pass_time(3.0)
        bench.telephone.call_in("chan-2", "0199001002")
        await bench.pass_time(3.0)
        await bench.at_work("zoe")
        await bench.pass_time(4.0)
        assert bench.telephone.joined[0][0] == "chan-1"

    over = (Enqueue("medical", CALM, max_wait=5.0, on_timeout=(Enqueue("over", CALM),)),)
    play(
        scenario,
        client("lilas", "+33199001001", *over),
        client("other", "+33199001002", Enqueue("over", CALM)),
        staff={"lea": {"medical": 1}, "zoe": {"over": 1}},
    )


def test_on_full_may_stand_at_the_client() -> None:
    async def scenario(bench: Bench) -> None:
        for n in range(1, 3):
            bench.telephone.call_in(f"chan-{n}", "0199001001")
        await bench.pass_time(5)

    bench = play(
        scenario,
        client("lilas", "+33199001001", max_calls=1, on_full=(Play(CLOSED), Hangup(HangupKind.BUSY))),
    )
    assert heard(bench, "chan-2") == ["closed", "silence", "end"]
