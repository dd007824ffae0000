"""A caller is put through to somebody outside, or goes on: forwards and rosters, in virtual time."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from autocom.calls.ports import TelephoneDown
from autocom.core.journal import Json
from autocom.core.model import (
    Audio,
    Contact,
    Enqueue,
    Forward,
    Hangup,
    HangupKind,
    Mode,
    Music,
    OnCall,
    Play,
    Roster,
    Shift,
    Trunk,
)
from autocom.core.telephony import Cause
from tests.support.exchange_in_memory import CALM, CLOSED, Bench, client, configuration
from tests.support.fake_telephone import Habit
from tests.support.virtual import run

DID = "0199001001"
CELL, SECOND, LEAD = "+33639981021", "+33639981022", "+33639981029"
ASK = Audio("ask", "ask", 3.0)
SOFT = Music("soft", "music-soft")
TO_CELL = Forward(CELL, ring_for=20.0, wait_music=SOFT)
WITH_KEY = replace(TO_CELL, accept="1", ask=ASK)
LEA = {"medical": 1}
PLUMBERS = Roster(
    "plumbers",
    (Shift((Contact("First", CELL), Contact("Second", SECOND))),),
    ring_for=10.0,
    rounds=2,
    fallback=Contact("Lead", LEAD),
)
ROSTER = OnCall("plumbers", ASK, SOFT)


def bench(*steps: object, roster: Roster = PLUMBERS, trunk: Trunk | None = None, **changes: object) -> Bench:
    """A client with these steps, a trunk that calls can go out by, nobody outside who answers."""
    made = configuration(client("lilas", "+33199001001", *steps, **changes), lea=LEA)
    trunks = {"operator": trunk or Trunk("operator", ("127.0.0.1",), host="operator.test")}
    found = Bench(replace(made, trunks=trunks, rosters={roster.id: roster}))
    found.telephone.lengths["ask"] = ASK.seconds
    found.telephone.habits = {number: Habit(None) for number in (CELL, SECOND, LEAD)}
    found.start()
    return found


def turns(made: Bench, call: str = "c1") -> list[tuple[Json, Json]]:
    """Who was rung, and what became of it."""
    numbers = {e.fields["leg"]: e.fields["number"] for e in made.of(call) if e.kind == "forward_started"}
    return [
        (numbers[e.fields["leg"]], e.fields["result"]) for e in made.of(call) if e.kind == "forward_ended"
    ]


def silences(heard: list[tuple[float, str]]) -> float:
    """The longest time in which a channel heard nothing, between its first sound and its end."""
    gaps = [after - at for (at, what), (after, _) in itertools.pairwise(heard) if what == "silence"]
    return max(gaps, default=0.0)


def test_a_forwarded_caller_hears_music_unanswered_until_somebody_picks_up() -> None:
    async def story() -> None:
        made = bench(TO_CELL)
        made.telephone.habits[CELL] = Habit(6.0)
        await made.pass_time(0.01)
        caller = made.telephone.call_in("chan", DID)
        await made.pass_time(5.0)
        assert caller.heard[-1][1] == "music:music-soft"
        assert not caller.up
        await made.pass_time(3.0)
        assert made.telephone.joined == [("chan", "out-c1-1")]
        assert caller.up
        await made.pass_time(5.0)
        made.telephone.caller_hangs_up("chan")
        await made.pass_time(0.1)
        assert not made.telephone.channels
        assert not made.telephone.bridges
        assert silences(caller.heard) < 0.5
        record = made.record()
        assert (record.outcome, record.cause) == ("forwarded", None)
        assert 5900 < (record.wait_ms or 0) < 6200
        assert 6800 < record.talk_ms < 7200
        assert {s.kind for s in made.segments()} == {"ringing", "patch"}
        ended = next(e for e in made.of("c1") if e.kind == "patch_ended")
        assert ended.fields["by"] == "caller"

    run(story())


def test_the_called_side_hangs_up_and_the_call_is_over() -> None:
    async def story() -> None:
        made = bench(TO_CELL)
        made.telephone.habits[CELL] = Habit(1.0, talks=4.0)
        await made.pass_time(0.01)
        made.telephone.call_in("chan", DID)
        await made.pass_time(8.0)
        assert not made.telephone.channels
        assert not made.telephone.bridges
        assert made.record().outcome == "forwarded"
        ended = next(e for e in made.of("c1") if e.kind == "patch_ended")
        assert ended.fields["by"] == "outside"

    run(story())


def test_where_a_digit_is_asked_for_picking_up_is_not_enough() -> None:
    async def story() -> None:
        made = bench(WITH_KEY)
        made.telephone.habits[CELL] = Habit(2.0, presses=((1.0, "5"), (2.0, "1")))
        await made.pass_time(0.01)
        caller = made.telephone.call_in("chan", DID)
        await made.pass_time(3.5)
        assert not made.telephone.joined, "another digit joins nobody"
        assert not caller.up
        outside = made.telephone.channels["out-c1-1"]
        assert outside.heard[-1][1] == "ask"
        await made.pass_time(1.0)
        assert made.telephone.joined == [("chan", "out-c1-1")]
        assert made.kinds().index("forward_answered") < made.kinds().index("forward_accepted")
        made.telephone.caller_hangs_up("chan")
        await made.pass_time(0.1)
        assert made.record().outcome == "forwarded"

    run(story())


def test_a_voicemail_that_answers_does_not_swallow_the_caller() -> None:
    async def story() -> None:
        made = bench(ROSTER)
        made.telephone.habits[CELL] = Habit(2.0)
        made.telephone.habits[SECOND] = Habit(1.0, presses=((1.5, "1"),))
        await made.pass_time(0.01)
        caller = made.telephone.call_in("chan", DID)
        await made.pass_time(2.0 + 12.0)
        assert "out-c1-2" in made.telephone.channels, "the next one rings within twelve seconds"
        voicemail = made.telephone.past["out-c1-1"]
        assert [what for _, what in voicemail.heard].count("ask") >= 2, "it is asked again"
        await made.pass_time(3.0)
        assert made.telephone.joined == [("chan", "out-c1-2")]
        assert silences(caller.heard) < 0.5
        assert turns(made) == [(CELL, "not_accepted")]

    run(story())


def test_everybody_is_rung_in_order_in_rounds_and_the_team_lead_last() -> None:
    async def story() -> None:
        made = bench(ROSTER, roster=replace(PLUMBERS, rounds=4), early_limit=25.0)
        made.telephone.habits[LEAD] = Habit(3.0, presses=((2.0, "1"),))
        await made.pass_time(0.01)
        caller = made.telephone.call_in("chan", DID)
        await made.pass_time(120.0)
        assert turns(made) == [(CELL, "no_answer"), (SECOND, "no_answer")] * 4
        rounds = [e.fields["round"] for e in made.of("c1") if e.kind == "forward_started"]
        assert rounds == [1, 1, 2, 2, 3, 3, 4, 4, 5]
        assert made.telephone.joined == [("chan", "out-c1-9")]
        assert caller.answered_at is not None
        assert silences(caller.heard) < 0.5
        patched = next(e for e in made.of("c1") if e.kind == "patched")
        assert patched.fields["name"] == "Lead"

    run(story())


def test_phones_that_refuse_at_once_are_not_chased_round_after_round() -> None:
    async def story() -> None:
        made = bench(ROSTER)
        for number in (CELL, SECOND, LEAD):
            made.telephone.habits[number] = Habit(refuses=Cause.BUSY)
        await made.pass_time(0.01)
        made.telephone.call_in("chan", DID)
        await made.pass_time(60.0)
        assert turns(made) == [(CELL, "refused"), (SECOND, "refused")] * 2 + [(LEAD, "refused")]
        began = [e.at for e in made.of("c1") if e.kind == "forward_started" and e.fields["number"] == CELL]
        assert began[1] - began[0] == pytest.approx(15.0, abs=0.1)

    run(story())


def test_the_caller_is_told_at_every_new_round_that_somebody_still_tries() -> None:
    async def story() -> None:
        made = bench(ROSTER)
        trying = Audio("still-trying", "still-trying", 2.0)
        stock = replace(made.configuration.stock, still_trying=trying)
        made.telephone.lengths["still-trying"] = trying.seconds
        made.telephone.habits[LEAD] = Habit(1.0, presses=((0.5, "1"),))
        await made.pass_time(0.01)
        assert made.switchboard is not None
        made.switchboard.use(replace(made.configuration, stock=stock))
        caller = made.telephone.call_in("chan", DID)
        await made.pass_time(45.0)
        told = [at - caller.heard[0][0] for at, what in caller.heard if what == "still-trying"]
        assert told == pytest.approx([20.0, 40.0], abs=0.1)
        sounds = [what for _, what in caller.heard]
        after = sounds[sounds.index("still-trying") :]
        assert "music:music-soft" in after[:3]
        assert made.telephone.joined == [("chan", "out-c1-5")], "it does not hold up the join"
        assert silences(caller.heard) < 0.5

    run(story())


def test_between_two_rounds_there_is_the_pause_of_the_roster() -> None:
    async def story() -> None:
        made = bench(ROSTER, roster=replace(PLUMBERS, pause=30.0, fallback=None))
        await made.pass_time(0.01)
        caller = made.telephone.call_in("chan", DID)
        await made.pass_time(49.0)
        assert len(turns(made)) == 2
        assert not any(c.startswith("out-") for c in made.telephone.channels)
        assert caller.heard[-1][1] == "music:music-soft"
        await made.pass_time(2.0)
        assert "out-c1-3" in made.telephone.channels

    run(story())


@pytest.mark.parametrize(
    ("habit", "result"),
    [
        (Habit(refuses=Cause.BUSY), "refused"),
        (Habit(refuses=Cause.REJECTED), "refused"),
        (Habit(refuses=Cause.UNALLOCATED), "unreachable"),
        (Habit(refuses=Cause.NO_ANSWER), "no_answer"),
        (Habit(offline=True), "unreachable"),
        (Habit(None), "no_answer"),
        (Habit(1.0, talks=1.5), "not_accepted"),
    ],
)
def test_whoever_does_not_take_the_call_makes_it_the_next_ones_turn(habit: Habit, result: str) -> None:
    async def story() -> None:
        made = bench(ROSTER)
        made.telephone.habits[CELL] = habit
        made.telephone.habits[SECOND] = Habit(1.0, presses=((1.0, "1"),))
        await made.pass_time(0.01)
        made.telephone.call_in("chan", DID)
        await made.pass_time(15.0)
        assert turns(made) == [(CELL, result)]
        assert made.telephone.joined == [("chan", "out-c1-2")]

    run(story())


def test_a_forward_that_fails_goes_on_with_the_steps_behind_it() -> None:
    async def story() -> None:
        made = bench(TO_CELL, Play(CLOSED), Hangup(HangupKind.BUSY))
        await made.pass_time(0.01)
        caller = made.telephone.call_in("chan", DID)
        await made.pass_time(30.0)
        assert [what for _, what in caller.heard][-3:] == ["closed", "silence", "end"]
        assert caller.ended_with == Cause.BUSY
        assert made.record().outcome == "nobody"

    run(story())


def test_a_forward_that_fails_with_nothing_behind_it_says_so_and_hangs_up() -> None:
    async def story() -> None:
        made = bench(TO_CELL)
        await made.pass_time(0.01)
        caller = made.telephone.call_in("chan", DID)
        await made.pass_time(30.0)
        assert "nobody" in [what for _, what in caller.heard]
        assert caller.ended_with == Cause.NORMAL
        assert made.record().outcome == "nobody"

    run(story())


def test_a_forward_on_the_way_out_of_a_queue_keeps_the_way_out_where_nobody_takes_him() -> None:
    async def story() -> None:
        made = bench(Enqueue("medical", CALM, max_wait=5.0, on_timeout=(TO_CELL,)))
        await made.at_work("lea")
        made.telephone.habits["lea"] = Habit(None)
        made.telephone.call_in("chan", DID)
        await made.pass_time(40.0)
        assert turns(made) == [(CELL, "no_answer")]
        assert made.record().outcome == "timeout"

    run(story())


def test_a_caller_who_gives_up_while_somebody_is_rung_is_abandoned_and_the_phone_stops() -> None:
    async def story() -> None:
        made = bench(WITH_KEY)
        await made.pass_time(0.01)
        made.telephone.call_in("chan", DID)
        await made.pass_time(8.0)
        made.telephone.caller_hangs_up("chan")
        await made.pass_time(0.1)
        assert not made.telephone.channels
        assert turns(made) == [(CELL, "withdrawn")]
        record = made.record()
        assert (record.outcome, record.cause) == ("abandoned", "while_ringing")

    run(story())


def test_a_leg_that_fails_before_the_bridge_stands_is_the_next_ones_turn() -> None:
    async def story() -> None:
        made = bench(ROSTER)
        made.telephone.habits[CELL] = Habit(1.0, presses=((1.0, "1"),))
        made.telephone.habits[SECOND] = Habit(1.0, presses=((1.0, "1"),))

        def vanish(what: str) -> None:
            if what == "connect" and "out-c1-1" in made.telephone.channels:
                made.telephone.phone_hangs_up("out-c1-1")

        made.telephone.before = vanish
        await made.pass_time(0.01)
        caller = made.telephone.call_in("chan", DID)
        await made.pass_time(10.0)
        assert made.telephone.joined == [("chan", "out-c1-2")]
        assert silences(caller.heard) < 0.5
        assert set(made.telephone.bridges) == {"patch-c1-2"}

    run(story())


def test_a_caller_who_vanishes_at_the_moment_of_the_join_leaves_nothing_behind() -> None:
    async def story() -> None:
        made = bench(WITH_KEY)
        made.telephone.habits[CELL] = Habit(1.0, presses=((1.0, "1"),))
        made.telephone.before = lambda what: (
            made.telephone.caller_hangs_up("chan") if what == "connect" else None
        )
        await made.pass_time(0.01)
        made.telephone.call_in("chan", DID)
        await made.pass_time(10.0)
        assert not made.telephone.channels
        assert not made.telephone.bridges
        assert made.record().outcome == "abandoned"

    run(story())


def test_the_early_limit_answers_a_caller_who_hears_music_and_the_music_goes_on() -> None:
    async def story() -> None:
        made = bench(TO_CELL, early_limit=5.0)
        await made.pass_time(0.01)
        caller = made.telephone.call_in("chan", DID)
        await made.pass_time(8.0)
        assert caller.answered_at is not None
        assert caller.heard[-1][1] == "music:music-soft"
        assert caller.bridge is None

    run(story())


# --- a roster that has nobody --------------------------------------------------------------


def test_in_a_gap_of_the_roster_the_fallback_is_rung_at_once() -> None:
    async def story() -> None:
        made = bench(ROSTER, roster=replace(PLUMBERS, shifts=()))
        made.telephone.habits[LEAD] = Habit(1.0, presses=((1.0, "1"),))
        await made.pass_time(0.01)
        made.telephone.call_in("chan", DID)
        await made.pass_time(3.0)
        assert made.telephone.joined == [("chan", "out-c1-1")]

    run(story())


def test_in_a_gap_of_a_roster_without_fallback_the_caller_goes_on_at_once() -> None:
    async def story() -> None:
        made = bench(ROSTER, Play(CLOSED), roster=replace(PLUMBERS, shifts=(), fallback=None))
        await made.pass_time(0.01)
        caller = made.telephone.call_in("chan", DID)
        await made.pass_time(1.0)
        assert caller.heard[0][1] == "closed"
        assert not turns(made)

    run(story())


# --- what is never dialled -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "result"),
    [
        ("+33199001001", "loop"),  # our own
        ("+33199001000", "loop"),  # the bureau's
        ("+33639980101", "loop"),  # his own
        ("+33891123456", "barred"),
        ("+33116117", "barred"),
    ],
)
def test_own_premium_and_emergency_numbers_are_never_dialled(number: str, result: str) -> None:
    async def story() -> None:
        made = bench(replace(TO_CELL, to=number))
        await made.pass_time(0.01)
        made.telephone.call_in("chan", DID, "0639980101")
        await made.pass_time(5.0)
        assert turns(made) == [(number, result)]
        assert not made.telephone.past.keys() - {"chan"}

    run(story())


def test_a_line_that_sent_the_caller_here_is_not_dialled() -> None:
    async def story() -> None:
        made = bench(TO_CELL)
        await made.pass_time(0.01)
        made.telephone.call_in("chan", DID, diversion=("<sip:0639981021@telco.test>;reason=no-answer",))
        await made.pass_time(5.0)
        assert turns(made) == [(CELL, "loop")]

    run(story())


def test_a_number_that_sends_its_call_back_to_us_is_a_loop_and_the_next_one_is_rung() -> None:
    async def story() -> None:
        made = bench(ROSTER)
        made.telephone.habits[CELL] = Habit(returns_to=DID)
        made.telephone.habits[SECOND] = Habit(1.0, presses=((1.0, "1"),))
        await made.pass_time(0.01)
        made.telephone.call_in("chan", DID)
        await made.pass_time(5.0)
        assert turns(made) == [(CELL, "loop")]
        assert made.telephone.joined == [("chan", "out-c1-2")]
        back = made.telephone.past["back-out-c1-1"]
        assert back.ended_with == Cause.BUSY
        assert back.heard == [(back.heard[0][0], "end")], "it heard nothing of us"
        record = made.record("c2")
        assert record.outcome == "rejected"
        assert "loop" in record.flags

    run(story())


@pytest.mark.parametrize("withheld", [True, False])
def test_a_loop_is_known_by_its_caller_as_well(*, withheld: bool) -> None:
    async def story() -> None:
        made = bench(TO_CELL)
        await made.pass_time(0.01)
        made.telephone.call_in("chan", DID)
        await made.pass_time(1.0)
        asserted = {"p_asserted_identity": f"<sip:{CELL}@telco.test>", "privacy": "id"} if withheld else {}
        made.telephone.call_in("again", DID, "anonymous" if withheld else CELL, **asserted)
        await made.pass_time(0.2)
        assert made.telephone.past["again"].ended_with == Cause.BUSY
        assert turns(made) == [(CELL, "loop")]
        assert CELL not in str(made.of("c2")) or not withheld

    run(story())


def test_other_calls_come_in_while_somebody_outside_is_rung() -> None:
    async def story() -> None:
        made = bench(TO_CELL)
        await made.pass_time(0.01)
        made.telephone.call_in("chan", DID)
        await made.pass_time(1.0)
        other = made.telephone.call_in("other", DID, "0639980102")
        await made.pass_time(1.0)
        assert other.heard[-1][1] == "music:music-soft"

    run(story())


# --- channels and numbers -----------------------------------------------------------------


def test_outgoing_legs_leave_channels_for_callers() -> None:
    async def story() -> None:
        made = bench(TO_CELL, trunk=Trunk("operator", ("127.0.0.1",), host="operator.test", max_calls=5))
        await made.pass_time(0.01)
        for n in range(1, 4):
            made.telephone.call_in(f"chan-{n}", DID, f"063998010{n}")
            await made.pass_time(0.1)
        # two callers and their legs are four of five; the fifth stays free
        assert [c for c in made.telephone.channels if c.startswith("out-")] == ["out-c1-1", "out-c2-1"]
        assert turns(made, "c3") == [(CELL, "no_line")]

    run(story())


def test_a_roster_waits_for_a_free_channel_and_rings_then() -> None:
    async def story() -> None:
        made = bench(ROSTER, trunk=Trunk("operator", ("127.0.0.1",), host="operator.test", max_calls=3))
        await made.pass_time(0.01)
        made.telephone.call_in("first", DID, "0639980102")
        await made.pass_time(0.1)
        made.telephone.call_in("chan", DID)
        await made.pass_time(1.0)
        assert turns(made, "c2") == [(CELL, "no_line")]
        made.telephone.caller_hangs_up("first")
        await made.pass_time(5.0)
        assert "out-c2-2" in made.telephone.channels

    run(story())


def test_without_a_trunk_to_call_out_by_the_caller_goes_on() -> None:
    async def story() -> None:
        made = bench(TO_CELL, Play(CLOSED), trunk=Trunk("operator", ("127.0.0.1",)))
        await made.pass_time(0.01)
        caller = made.telephone.call_in("chan", DID)
        await made.pass_time(1.0)
        assert "closed" in [what for _, what in caller.heard]
        assert turns(made) == [(CELL, "no_line")]

    run(story())


@pytest.mark.parametrize(
    ("present", "verified", "caller", "shown"),
    [
        ("client", True, "0639980101", "+33261912010"),
        ("client", False, "0639980101", "+33199001000"),
        ("bureau", True, "0639980101", "+33199001000"),
        ("caller", True, "0639980101", "+33639980101"),
        ("caller", True, "anonymous", None),
        ("caller", True, "alice", "+33199001000"),
    ],
)
def test_whose_number_the_called_phone_shows(
    present: str, *, verified: bool, caller: str, shown: str | None
) -> None:
    async def story() -> None:
        made = bench(
            replace(TO_CELL, present=present), outgoing_number="+33261912010", outgoing_verified=verified
        )
        await made.pass_time(0.01)
        made.telephone.call_in("chan", DID, caller)
        await made.pass_time(1.0)
        order = made.telephone.channels["out-c1-1"].order
        assert order is not None
        assert (order.number, order.display) == (shown, "Lilas")
        assert order.endpoint == f"PJSIP/{CELL}@trunk-operator"
        assert not order.headers, "nothing of ours is told to the operator"

    run(story())


# --- gaps in the events ---------------------------------------------------------------------


def test_who_picked_up_while_nobody_listened_is_joined_afterwards() -> None:
    async def story() -> None:
        made = bench(TO_CELL)
        made.telephone.habits[CELL] = Habit(3.0)
        await made.pass_time(0.01)
        made.telephone.call_in("chan", DID)
        await made.pass_time(1.0)
        with made.telephone.deaf():
            await made.pass_time(30.0)
        await made.pass_time(0.2)
        assert made.telephone.joined == [("chan", "out-c1-1")]

    run(story())


def test_a_digit_that_got_lost_can_be_pressed_again() -> None:
    async def story() -> None:
        made = bench(WITH_KEY)
        made.telephone.habits[CELL] = Habit(1.0, presses=((3.0, "1"), (20.0, "1")))
        await made.pass_time(0.01)
        made.telephone.call_in("chan", DID)
        await made.pass_time(2.0)
        with made.telephone.deaf():
            await made.pass_time(17.0)
        await made.pass_time(0.5)
        # his time was over meanwhile: the telephone was deaf, so he is asked no more
        assert turns(made) == [(CELL, "not_accepted")]

    run(story())


def test_a_leg_that_got_lost_in_a_gap_is_rung_once_more() -> None:
    async def story() -> None:
        made = bench(TO_CELL)
        await made.pass_time(0.01)
        made.telephone.call_in("chan", DID)
        await made.pass_time(1.0)
        with made.telephone.deaf():
            made.telephone.phone_hangs_up("out-c1-1")
            made.telephone.habits[CELL] = Habit(2.0)
            await made.pass_time(1.0)
        await made.pass_time(3.0)
        assert made.telephone.joined == [("chan", "out-c1-2")]
        assert turns(made) == [(CELL, "withdrawn")]

    run(story())


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_ring_that_asterisk_did_not_answer_is_asked_for_again_by_the_same_id(when: str) -> None:
    async def story() -> None:
        made = bench(TO_CELL)
        made.telephone.habits[CELL] = Habit(4.0)
        down = iter([True])

        def fail(what: str) -> None:
            if what == "ring" and next(down, False):
                raise TelephoneDown("no answer")

        setattr(made.telephone, when, fail)
        await made.pass_time(0.01)
        caller = made.telephone.call_in("chan", DID)
        await made.pass_time(10.0)
        assert made.telephone.joined == [("chan", "out-c1-1")]
        assert silences(caller.heard) < 0.5

    run(story())


def test_a_hang_up_that_got_lost_does_not_leave_a_second_person_on_the_line() -> None:
    async def story() -> None:
        made = bench(ROSTER)
        made.telephone.habits[CELL] = Habit(11.0)
        down = iter([True])

        def fail(what: str) -> None:
            if what == "hang_up" and next(down, False):
                raise TelephoneDown("no answer")

        made.telephone.before = fail
        await made.pass_time(0.01)
        made.telephone.call_in("chan", DID)
        await made.pass_time(12.0)
        assert "out-c1-1" not in made.telephone.channels, "picked up after his turn: told so by a hang-up"
        assert "out-c1-2" in made.telephone.channels
        assert not made.telephone.joined

    run(story())


def test_an_answered_message_before_the_forward_is_heard_first() -> None:
    async def story() -> None:
        made = bench(Play(CLOSED, Mode.ANSWERED), TO_CELL)
        made.telephone.habits[CELL] = Habit(1.0)
        await made.pass_time(0.01)
        caller = made.telephone.call_in("chan", DID)
        await made.pass_time(6.0)
        heard = [what for _, what in caller.heard]
        assert heard[0] == "closed"
        assert heard[-1] == "bridge:patch-c1-1"
        assert caller.heard[1][0] - caller.heard[0][0] == pytest.approx(3.0, abs=0.1)

    run(story())
