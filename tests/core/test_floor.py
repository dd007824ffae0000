"""The floor's rules as scripts: a fact with its time, then the decisions it must lead to."""

from __future__ import annotations

from dataclasses import replace

import pytest

from autocom.core import floor as rules
from autocom.core.floor_words import (
    CallerJoined,
    CallerLeft,
    FloorFact,
    GiveUp,
    Joined,
    LeaseFailed,
    LegAnswered,
    LegEnded,
    LegRang,
    LoggedIn,
    LoggedOut,
    Outcome,
    PausedBy,
    PhoneSeen,
    PhoneUsed,
    Resumed,
    Ring,
    Staffed,
    StopRinging,
    Take,
    TalkEnded,
    Tell,
    TimePassed,
)
from autocom.core.model import Breather, Ringing, Team, Widening
from autocom.core.posts import Floor, Staff, Waiter
from autocom.core.telephony import Cause

STAFF = Staff(
    levels={"lea": {"medical": 1}, "ines": {"medical": 2}, "zoe": {"general": 1}},
    teams={"medical": Team("medical", (Widening(20.0, "general"),)), "general": Team("general")},
    wrap_up={"lilas": (5.0, 20.0)},
)


class Script:
    """A floor driven by hand."""

    def __init__(self, staff: Staff = STAFF, at_work: tuple[str, ...] = ()) -> None:
        self.floor = Floor(staff)
        self.last: Outcome | None = None
        self.at(0, Staffed(staff))
        for who in at_work:
            self.at(0, PhoneSeen(who, True))
            self.at(0, LoggedIn(who))

    def at(self, now: float, fact: FloorFact) -> list[object]:
        self.last = rules.apply(self.floor, fact, now)
        self.floor = self.last.floor
        return list(self.last.decisions)

    def state(self, who: str) -> str:
        return self.floor.posts[who].state


def caller(call: str = "c1", **changes: object) -> CallerJoined:
    base = Waiter(call, "lilas", "medical", joined=0.0, ring_for=12.0)
    return CallerJoined(replace(base, **changes))  # type: ignore[arg-type]


def rings(decisions: list[object]) -> list[str]:
    return [d.secretary for d in decisions if isinstance(d, Ring)]


def test_a_caller_and_a_free_secretary_are_matched_as_soon_as_both_exist() -> None:
    script = Script(at_work=("lea",))
    assert script.at(1, caller(joined=1.0)) == [Ring("c1", "lea", 1, "ring-c1-1-lea", 13.0)]
    assert script.state("lea") == "ringing"


def test_a_secretary_who_logs_in_is_rung_for_the_caller_who_waits() -> None:
    script = Script()
    assert script.at(1, caller(joined=1.0)) == []
    assert script.at(2, PhoneSeen("lea", True)) == []
    assert rings(script.at(3, LoggedIn("lea"))) == ["lea"]


def test_the_best_level_is_rung_first_even_if_another_has_been_idle_longer() -> None:
    script = Script(at_work=("ines", "lea"))
    assert rings(script.at(1, caller())) == ["lea"]


def test_within_a_level_the_longest_idle_is_rung_first() -> None:
    staff = replace(STAFF, levels={"a": {"medical": 1}, "b": {"medical": 1}}, wrap_up={})
    script = Script(staff, ("a", "b"))
    assert rings(script.at(1, caller("c1"))) == ["a"]
    script.at(2, LegAnswered("ring-c1-1-a"))
    script.at(2, Joined("c1"))
    script.at(9, TalkEnded("c1", "a"))
    assert rings(script.at(10, caller("c2"))) == ["b"]


@pytest.mark.parametrize(
    ("ring", "first"), [(Ringing.FEWEST_CALLS, "b"), (Ringing.ROUND_ROBIN, "b"), (Ringing.LONGEST_IDLE, "a")]
)
def test_the_queue_says_whose_turn_it_is(ring: Ringing, first: str) -> None:
    staff = replace(STAFF, levels={"a": {"medical": 1}, "b": {"medical": 1}}, wrap_up={})
    script = Script(staff, ("a",))
    script.at(1, caller("c1", ring=ring))
    script.at(2, LegAnswered("ring-c1-1-a"))
    script.at(2, Joined("c1"))
    script.at(3, TalkEnded("c1", "a"))
    script.at(4, PhoneSeen("b", True))
    script.at(4, LoggedIn("b"))
    # b came to the floor at 0 but has never had a call; make her the one who has been idle less
    script.floor = replace(
        script.floor, posts={**script.floor.posts, "b": replace(script.floor.posts["b"], idle_since=4.0)}
    )
    assert rings(script.at(5, caller("c2", ring=ring, joined=5.0))) == [first]


def test_who_does_not_answer_in_her_turn_is_left_and_the_next_rings_at_once() -> None:
    script = Script(at_work=("lea", "ines"))
    script.at(0, caller())
    decisions = script.at(12.0, TimePassed())
    assert decisions[0] == StopRinging("ring-c1-1-lea", Cause.NO_ANSWER)
    assert rings(decisions) == ["ines"]
    assert script.floor.waiters["c1"].joined == 0.0


def test_three_misses_in_a_row_pause_her_and_say_why() -> None:
    script = Script(at_work=("lea",))
    script.at(0, caller())
    now = 0.0
    for attempt in range(1, 4):
        script.at(now, LegRang(f"ring-c1-{attempt}-lea"))
        script.at(now + 12.0, TimePassed())  # her turn ends
        now += 13.0
        script.at(now, TimePassed())  # and after a second's rest she is rung again
    assert script.state("lea") == "paused"
    assert script.floor.posts["lea"].pause.reason == "no_answer"
    assert rings(script.at(now + 1, Resumed("lea"))) == ["lea"]


def test_a_phone_that_never_rang_is_no_miss_of_hers() -> None:
    script = Script(replace(STAFF, pause_after=1), ("lea",))
    script.at(0, caller())
    script.at(12.0, TimePassed())  # the INVITE got no answer at all
    assert script.state("lea") == "free"
    assert rings(script.at(30.0, TimePassed())) == ["lea"]
    script.at(30.1, LegEnded("ring-c1-2-lea", 0))
    assert script.state("lea") == "free"
    assert script.floor.posts["lea"].misses == 0


def test_a_phone_that_gives_no_sign_costs_one_turn_in_half_a_minute_whoever_calls() -> None:
    script = Script(at_work=("lea", "ines"))
    assert rings(script.at(0, caller())) == ["lea"]
    assert rings(script.at(5, CallerLeft("c1"))) == []
    assert rings(script.at(6, caller("c2", joined=6.0))) == ["ines"], "Léa's said nothing in five seconds"
    assert rings(script.at(7, caller("c3", joined=7.0))) == []
    assert rings(script.at(29.9, TimePassed())) == []
    assert rings(script.at(30.0, TimePassed())) == ["lea"]


def test_a_phone_that_gave_no_sign_is_asked_again_as_soon_as_it_registers() -> None:
    script = Script(at_work=("lea",))
    script.at(0, caller())
    script.at(12.0, TimePassed())
    assert rings(script.at(13.0, PhoneSeen("lea", True))) == [], "known already"
    assert rings(script.at(14.0, PhoneSeen("lea", True, moved=True))) == []
    assert rings(script.at(17.0, TimePassed())) == ["lea"]


@pytest.mark.parametrize("sign", [LegRang("ring-c1-1-lea"), PhoneUsed("lea", True)])
def test_a_phone_that_gave_a_sign_is_soon_asked_again(sign: FloorFact) -> None:
    script = Script(at_work=("lea",))
    script.at(0, caller())
    script.at(4, sign)
    script.at(12.0, TimePassed())
    if isinstance(sign, PhoneUsed):
        script.at(12.5, PhoneUsed("lea", False))
    assert rings(script.at(13.0, TimePassed())) == ["lea"] or script.state("lea") == "ringing"


def test_a_phone_that_registers_elsewhere_in_her_turn_is_asked_again_after_it() -> None:
    script = Script(at_work=("lea",))
    script.at(0, caller())  # at an address that is dead
    assert script.at(5.0, PhoneSeen("lea", True, moved=True)) == []
    assert rings(script.at(12.0, TimePassed())) == []
    assert rings(script.at(13.0, TimePassed())) == ["lea"]


def test_a_call_of_her_own_shows_that_her_phone_is_there() -> None:
    script = Script(at_work=("lea",))
    script.at(0, caller())
    script.at(12.0, TimePassed())
    script.at(14.0, PhoneUsed("lea", True))
    assert rings(script.at(16.0, PhoneUsed("lea", False))) == []
    assert rings(script.at(17.0, TimePassed())) == ["lea"]


def test_a_phone_that_moves_all_the_time_and_gives_no_sign_rings_once_in_a_turn() -> None:
    script = Script(at_work=("lea",))
    rung = len(rings(script.at(0, caller())))
    for second in range(1, 65):
        rung += len(rings(script.at(second, PhoneSeen("lea", True, moved=True))))
    assert rung == 5


def test_a_phone_that_comes_and_goes_is_not_rung_each_time_it_comes() -> None:
    script = Script(at_work=("lea",))
    script.at(0, caller())
    rung = 0
    for tenth in range(1, 100):  # ten seconds of it
        rung += len(rings(script.at(tenth / 10, PhoneSeen("lea", tenth % 2 == 0))))
    assert rung <= 3


def test_who_picks_up_as_he_hangs_up_is_free_at_once_and_told() -> None:
    script = Script(at_work=("lea",))
    script.at(0, caller())
    script.at(3, LegAnswered("ring-c1-1-lea"))
    decisions = script.at(3.01, CallerLeft("c1", hung_up=True))
    assert decisions == [StopRinging("ring-c1-1-lea", Cause.NORMAL), Tell("lea", "caller_gone")]
    assert script.state("lea") == "free"


def test_who_holds_a_caller_who_leaves_by_another_way_is_free_and_told_of_no_hang_up() -> None:
    script = Script(at_work=("lea",))
    script.at(0, caller())
    script.at(3, LegAnswered("ring-c1-1-lea"))
    assert script.at(3.01, CallerLeft("c1")) == [StopRinging("ring-c1-1-lea", Cause.NORMAL)]
    assert script.state("lea") == "free"


def test_a_leg_that_ends_before_the_bridge_is_written_down_with_its_cause() -> None:
    script = Script(at_work=("lea",))
    script.at(0, caller())
    script.at(3, LegAnswered("ring-c1-1-lea"))
    script.at(3.01, LegEnded("ring-c1-1-lea", 58, None))
    assert script.last is not None
    (entry,) = [e for e in script.last.entries if e.kind == "unjoined"]
    assert entry.fields == {"secretary": "lea", "leg": "ring-c1-1-lea", "cause": 58, "sip": None}


def test_while_events_are_away_nothing_is_concluded_from_silence_and_nobody_is_rung() -> None:
    script = Script(at_work=("lea", "ines"))
    script.at(0, caller())
    blind = rules.apply(script.floor, TimePassed(), 20.0, seeing=False)
    assert blind.decisions == ()
    assert blind.floor.posts["lea"].state == "ringing"
    joined = rules.apply(script.floor, caller("c2", joined=1.0), 20.0, seeing=False)
    assert joined.decisions == ()
    script.floor = joined.floor
    answered = script.at(21.0, LegAnswered("ring-c1-1-lea"))
    assert answered[0] == Take("c1", "lea", "ring-c1-1-lea", 1)


def test_a_join_lets_off_whoever_was_rung_after_a_lease_that_seemed_to_fail() -> None:
    script = Script(at_work=("lea", "ines"))
    script.at(0, caller())
    script.at(1, LegAnswered("ring-c1-1-lea"))
    script.at(1, LegEnded("ring-c1-1-lea", Cause.NORMAL))
    script.at(2.1, TimePassed())
    (secretary,) = script.floor.waiters["c1"].ringing
    ringing = f"ring-c1-2-{secretary}"
    assert script.at(2.2, Joined("c1")) == [StopRinging(ringing, Cause.ANSWERED_ELSEWHERE)]
    assert script.at(2.3, LegAnswered(ringing)) == [StopRinging(ringing, Cause.ANSWERED_ELSEWHERE)]
    assert script.state(secretary) == "free"


def test_who_is_removed_in_a_call_is_gone_after_it() -> None:
    script = Script(at_work=("lea",))
    script.at(0, caller(client="none"))
    script.at(1, LegAnswered("ring-c1-1-lea"))
    script.at(1, Joined("c1"))
    script.at(2, Staffed(replace(STAFF, levels={"ines": {"medical": 2}})))
    assert script.state("lea") == "talking"
    script.at(9, TalkEnded("c1", "lea"))
    assert "lea" not in script.floor.posts


def test_a_phone_that_refuses_is_not_asked_again_in_circles() -> None:
    script = Script(replace(STAFF, pause_after=0), ("lea",))
    script.at(0, caller())
    assert rings(script.at(0.01, LegEnded("ring-c1-1-lea", Cause.BUSY, 486))) == []
    assert script.at(1.0, TimePassed()) == []
    assert rings(script.at(3.01, TimePassed())) == ["lea"]


def test_a_newcomer_gets_one_of_the_phones_that_ring_for_somebody_who_has_several() -> None:
    script = Script(at_work=("lea", "ines"))
    assert sorted(rings(script.at(0, caller(ring=Ringing.ALL)))) == ["ines", "lea"]
    (let_go,) = script.at(1.0, caller("c2", joined=1.0, ring=Ringing.ALL))
    assert let_go == StopRinging("ring-c1-1-lea", Cause.ANSWERED_ELSEWHERE)
    assert script.at(1.0, caller("c2", joined=1.0, ring=Ringing.ALL)) == [], "told twice"
    assert rules.next_deadline(script.floor, 1.0) == pytest.approx(1.1)
    assert rings(script.at(1.1, TimePassed())) == ["lea"]
    assert script.floor.waiters["c1"].ringing == ("ines",)
    assert script.floor.waiters["c2"].ringing == ("lea",)
    assert script.floor.posts["lea"].misses == 0
    # nobody has more than one phone now
    assert script.at(2.0, caller("c3", joined=2.0, ring=Ringing.ALL)) == []


def test_a_newcomer_gets_no_phone_that_gave_no_sign_nor_the_only_other_one() -> None:
    script = Script(at_work=("lea", "ines"))
    assert sorted(rings(script.at(0, caller(ring=Ringing.ALL)))) == ["ines", "lea"]
    script.at(0.2, LegRang("ring-c1-2-ines"))
    assert script.at(5.0, caller("c2", joined=5.0, ring=Ringing.ALL)) == [], "Léa's is unplugged"
    assert script.at(5.2, TimePassed()) == []
    assert script.floor.waiters["c1"].ringing == ("lea", "ines")


def test_a_newcomer_gets_one_of_several_phones_that_ring_and_not_the_silent_one() -> None:
    staff = replace(STAFF, levels={**STAFF.levels, "zoe": {"medical": 3}})
    script = Script(staff, ("lea", "ines", "zoe"))
    assert sorted(rings(script.at(0, caller(ring=Ringing.ALL)))) == ["ines", "lea", "zoe"]
    script.at(0.2, LegRang("ring-c1-2-ines"))
    script.at(0.2, LegRang("ring-c1-3-zoe"))
    (let_go,) = script.at(5.0, caller("c2", joined=5.0, ring=Ringing.ALL))
    assert let_go == StopRinging("ring-c1-2-ines", Cause.ANSWERED_ELSEWHERE)
    assert rings(script.at(5.1, TimePassed())) == ["ines"]


def test_a_newcomer_takes_no_phone_from_a_queue_that_rings_one_at_a_time() -> None:
    script = Script(at_work=("lea",))
    assert rings(script.at(0, caller())) == ["lea"]
    assert script.at(1.0, caller("c2", joined=1.0, ring=Ringing.ALL)) == []
    assert script.floor.waiters["c1"].ringing == ("lea",)


def test_the_first_to_pick_up_takes_the_caller_and_the_others_see_no_missed_call() -> None:
    script = Script(at_work=("lea", "ines"))
    assert sorted(rings(script.at(0, caller(ring=Ringing.ALL)))) == ["ines", "lea"]
    decisions = script.at(2, LegAnswered("ring-c1-2-ines"))
    assert Take("c1", "ines", "ring-c1-2-ines", 2) in decisions
    assert StopRinging("ring-c1-1-lea", Cause.ANSWERED_ELSEWHERE) in decisions
    late = script.at(2.01, LegAnswered("ring-c1-1-lea"))
    assert late == [StopRinging("ring-c1-1-lea", Cause.ANSWERED_ELSEWHERE)]


def test_a_caller_who_gives_up_leaves_a_missed_call() -> None:
    script = Script(at_work=("lea",))
    script.at(0, caller())
    assert script.at(3, CallerLeft("c1")) == [StopRinging("ring-c1-1-lea", Cause.NORMAL)]
    assert script.state("lea") == "free"


def test_a_lease_that_fails_gives_the_caller_his_old_place_back() -> None:
    script = Script(at_work=("lea", "ines"))
    script.at(0, caller("c1"))
    script.at(0, caller("c2", joined=0.5))
    script.at(1, LegAnswered("ring-c1-1-lea"))
    decisions = script.at(1.1, LegEnded("ring-c1-1-lea", Cause.NORMAL))
    assert decisions == [LeaseFailed("c1", "ring-c1-1-lea")]
    assert script.floor.waiters["c1"].joined == 0.0
    assert rings(script.at(2.2, TimePassed())) == ["lea"]


def test_wrap_up_ends_by_itself_or_by_her_word_but_not_before_its_minimum() -> None:
    script = Script(at_work=("lea",))
    script.at(0, caller())
    script.at(1, LegAnswered("ring-c1-1-lea"))
    script.at(1, Joined("c1"))
    script.at(10, TalkEnded("c1", "lea"))
    assert script.state("lea") == "wrap_up"
    script.at(12, Resumed("lea"))
    assert script.state("lea") == "wrap_up"
    assert rules.next_deadline(script.floor, 12) == 15.0
    script.at(15, TimePassed())
    assert script.state("lea") == "free"


def test_a_pause_asked_for_in_a_call_begins_after_it() -> None:
    script = Script(at_work=("lea",))
    script.at(0, caller(client="none"))
    script.at(1, LegAnswered("ring-c1-1-lea"))
    script.at(1, Joined("c1"))
    script.at(2, PausedBy("lea", "lunch"))
    assert script.state("lea") == "talking"
    script.at(9, TalkEnded("c1", "lea"))
    assert script.state("lea") == "paused"


def test_logging_out_while_ringing_passes_the_caller_on() -> None:
    script = Script(at_work=("lea", "ines"))
    script.at(0, caller())
    decisions = script.at(1, LoggedOut("lea"))
    assert StopRinging("ring-c1-1-lea", Cause.NORMAL) in decisions
    assert rings(decisions) == ["ines"]


def test_a_phone_that_vanishes_while_it_rings_passes_the_caller_on_at_once() -> None:
    script = Script(at_work=("lea", "ines"))
    script.at(0, caller())
    decisions = script.at(1, PhoneSeen("lea", False))
    assert StopRinging("ring-c1-1-lea", Cause.NORMAL) in decisions
    assert rings(decisions) == ["ines"]
    assert script.state("lea") == "offline"


def test_a_secretary_in_a_call_of_her_own_is_not_rung() -> None:
    script = Script(at_work=("lea",))
    script.at(0, PhoneUsed("lea", True))
    assert script.state("lea") == "talking"
    assert script.at(1, caller()) == []
    assert rings(script.at(5, PhoneUsed("lea", False))) == ["lea"]


def test_a_team_reaches_further_with_time() -> None:
    script = Script(at_work=("zoe",))
    assert script.at(0, caller()) == []
    assert rules.next_deadline(script.floor, 0) == 20.0
    assert rings(script.at(20.0, TimePassed())) == ["zoe"]


def test_max_wait_sends_the_caller_out_and_stops_the_phone() -> None:
    script = Script(at_work=("lea",))
    script.at(0, caller(max_wait_at=10.0))
    decisions = script.at(10.0, TimePassed())
    assert GiveUp("c1", "timeout", 1) in decisions
    assert StopRinging("ring-c1-1-lea", Cause.NO_ANSWER) in decisions


def test_an_empty_floor_sends_a_newcomer_away_after_his_message_and_others_after_a_grace() -> None:
    script = Script()
    assert script.at(0, caller(nobody_from=4.0)) == []
    assert script.at(4.0, TimePassed()) == [GiveUp("c1", "nobody", 0)]
    script.at(5, PhoneSeen("lea", True))
    script.at(5, LoggedIn("lea"))
    script.at(5, PhoneUsed("lea", True))
    script.at(6, caller("c2", joined=6.0, nobody_from=6.0))
    # her phone re-registers: gone for a second
    assert script.at(10, PhoneSeen("lea", False)) == []
    assert script.at(11, PhoneSeen("lea", True)) == []
    assert script.at(12, PhoneSeen("lea", False)) == []
    assert script.at(17.0, TimePassed()) == [GiveUp("c2", "nobody", 0)]


def test_a_floor_on_which_all_are_paused_is_empty_only_to_whom_that_is_so() -> None:
    script = Script(at_work=("lea", "ines"))
    script.at(0, PausedBy("lea", "break"))
    script.at(0, PausedBy("ines", "lunch"))
    assert script.at(1, caller("c1", joined=1.0, nobody_from=1.0, nobody_paused=True)) == [
        GiveUp("c1", "nobody", 0)
    ]
    assert script.at(2, caller("c2", joined=2.0, nobody_from=2.0)) == []
    assert "c2" in script.floor.waiters


def test_the_last_one_who_pauses_leaves_the_same_grace_as_the_last_one_who_logs_out() -> None:
    script = Script(at_work=("lea", "ines"))
    for who in ("lea", "ines"):
        script.at(0, PhoneUsed(who, True))
    script.at(1, caller(joined=1.0, nobody_from=1.0, nobody_paused=True))
    script.at(10, PausedBy("lea", "break"))
    script.at(11, PausedBy("ines", "break"))
    assert rules.next_deadline(script.floor, 11) == 16.0
    script.at(15, Resumed("ines"))
    assert script.at(17, TimePassed()) == []
    script.at(20, PausedBy("ines", "break"))
    assert script.at(25, TimePassed()) == [GiveUp("c1", "nobody", 0)]


def test_who_takes_a_breath_is_not_away() -> None:
    staff = replace(STAFF, levels={"lea": {"medical": 1}}, breather=Breather(1, 60.0), wrap_up={})
    script = Script(staff, at_work=("lea",))
    script.at(0, caller("c0"))
    script.at(1, LegAnswered("ring-c0-1-lea"))
    script.at(1, Joined("c0", "lea"))
    script.at(30, TalkEnded("c0", "lea"))
    assert script.floor.posts["lea"].state == "paused"
    assert rings(script.at(31, caller("c1", joined=31.0, nobody_from=31.0, nobody_paused=True))) == ["lea"]


def test_the_grace_is_not_for_a_caller_who_joined_an_empty_floor_a_moment_before_the_decision() -> None:
    script = Script()
    assert script.at(0.003, caller(nobody_from=4.0)) == []
    assert script.at(4.0, TimePassed()) == [GiveUp("c1", "nobody", 0)]


def test_an_empty_team_whose_wider_team_is_staffed_is_not_nobody() -> None:
    script = Script(at_work=("zoe",))
    assert script.at(0, caller(nobody_from=0.0)) == []
    assert "c1" in script.floor.waiters


def test_priority_is_seconds_of_advance_in_proportion_to_the_target() -> None:
    script = Script()
    script.at(0, caller("slow", joined=0.0, priority=50, target=60.0))
    script.at(1, caller("quick", joined=1.0, priority=50, target=20.0))
    script.at(2, PhoneSeen("lea", True))
    assert [d.call for d in script.at(2, LoggedIn("lea")) if isinstance(d, Ring)] == ["quick"]


def test_no_caller_behind_one_nobody_free_may_serve_has_to_wait_for_him() -> None:
    script = Script(at_work=("zoe",))
    script.at(0, caller("medical"))
    assert rings(script.at(1, caller("general", team="general", joined=1.0))) == ["zoe"]


def test_auto_login_makes_registration_enough() -> None:
    script = Script(replace(STAFF, auto_login=frozenset({"lea"})))
    script.at(0, PhoneSeen("lea", True))
    assert script.state("lea") == "free"
    script.at(1, LoggedOut("lea"))
    assert script.state("lea") == "logged_out"


def test_the_phone_that_says_it_rings_is_noted_once() -> None:
    script = Script(at_work=("lea",))
    script.at(0, caller())
    script.at(0.1, LegRang("ring-c1-1-lea"))
    assert [e.kind for e in script.last.entries] == ["ringing"]
    script.at(0.2, LegRang("ring-c1-1-lea"))
    assert script.last.entries == ()


def test_every_state_has_the_contracts_word() -> None:
    script = Script()
    assert script.state("lea") == "offline"
    script.at(0, PhoneSeen("lea", True))
    assert script.state("lea") == "logged_out"
    script.at(0, LoggedIn("lea"))
    assert script.state("lea") == "free"
    script.at(0, PausedBy("lea", "break"))
    assert script.state("lea") == "paused"
