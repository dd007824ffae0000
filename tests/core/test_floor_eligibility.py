"""Who may take whom, in which order, and what the journal says of it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from autocom.core import floor as rules
from autocom.core.board import MOST_KINDS, Board
from autocom.core.floor_words import (
    CallerJoined,
    CallerLeft,
    Joined,
    LegAnswered,
    LegEnded,
    LegRang,
    LoggedIn,
    LoggedOut,
    PausedBy,
    PhoneSeen,
    Ring,
    Staffed,
    StopRinging,
    TalkEnded,
    TimePassed,
)
from autocom.core.journal import Entry
from autocom.core.model import Ringing, Team, Widening
from autocom.core.posts import Floor, Staff, Waiter
from autocom.core.telephony import Cause
from tests.core.test_floor import Script, caller, rings

TRIO = Staff(
    levels={"ana": {"medical": 1}, "bea": {"medical": 1}, "cleo": {"medical": 2}},
    teams={"medical": Team("medical")},
    languages={"ana": ("fr",), "bea": ("fr", "de"), "cleo": ("de", "fr", "en")},
    countries={"ana": "FR", "bea": "MA", "cleo": "FR"},
)


def offered(script: Script) -> Entry:
    assert script.last is not None
    return next(entry for entry in script.last.entries if entry.kind == "offered")


# --- languages and countries -----------------------------------------------------------------


def test_only_who_speaks_one_of_the_clients_languages_is_asked() -> None:
    script = Script(TRIO, ("ana", "bea", "cleo"))
    assert rings(script.at(1, caller(languages=("en",)))) == ["cleo"]
    script.at(2, LoggedOut("cleo"))
    assert rings(script.at(3, TimePassed())) == []


def test_who_speaks_more_of_them_comes_first_within_a_level_but_not_before_a_better_level() -> None:
    script = Script(TRIO, ("ana", "bea", "cleo"))
    assert rings(script.at(1, caller(languages=("de", "fr", "en")))) == ["bea"]


def test_a_client_may_say_in_which_countries_its_calls_are_answered() -> None:
    script = Script(TRIO, ("bea", "cleo"))
    assert rings(script.at(1, caller(countries=("FR",)))) == ["cleo"]
    others = offered(script).fields["why"]
    assert isinstance(others, dict)
    assert others["others"] == {"bea": "country"}


def test_an_empty_floor_is_empty_for_those_nobody_at_work_may_serve() -> None:
    script = Script(TRIO, ("ana",))
    script.at(1, caller("c1", joined=1.0, nobody_from=1.0, languages=("en",)))
    assert "c1" not in script.floor.waiters
    script.at(2, caller("c2", joined=2.0, nobody_from=2.0, countries=("MA",), client="none"))
    assert "c2" not in script.floor.waiters
    assert rings(script.at(3, caller("c3", joined=3.0, nobody_from=3.0))) == ["ana"]


def test_a6_secretaries_of_another_team_are_never_rung_and_the_limit_sends_him_on() -> None:
    staff = replace(TRIO, levels={"ana": {"legal": 1}}, teams={**TRIO.teams, "legal": Team("legal")})
    script = Script(staff, ("ana",))
    assert rings(script.at(0, caller(max_wait_at=30.0))) == []
    decisions = script.at(30.0, TimePassed())
    assert [type(d).__name__ for d in decisions] == ["GiveUp"]
    assert script.state("ana") == "free"


# --- preferred -------------------------------------------------------------------------------


def test_for_her_seconds_only_the_preferred_one_is_asked_and_then_everybody() -> None:
    script = Script(TRIO, ("ana", "cleo"))
    script.at(0, caller("cx", client="none"))  # ana is busy with another caller
    script.at(0, LegAnswered("ring-cx-1-ana"))
    script.at(0, Joined("cx"))
    assert rings(script.at(1, caller("c1", joined=1.0, prefer=("ana",), prefer_until=16.0))) == []
    assert rules.next_deadline(script.floor, 1) == 16.0
    assert rings(script.at(16.0, TimePassed())) == ["cleo"]


def test_the_preferred_one_gets_him_as_soon_as_she_is_free() -> None:
    script = Script(TRIO, ("ana", "cleo"))
    script.at(0, caller("cx", client="none"))
    script.at(0, LegAnswered("ring-cx-1-ana"))
    script.at(0, Joined("cx"))
    script.at(1, caller("c1", joined=1.0, prefer=("ana",), prefer_until=16.0))
    assert rings(script.at(9, TalkEnded("cx", "ana"))) == ["ana"]


def test_a_preferred_one_who_is_not_at_work_or_logs_out_does_not_hold_him_back() -> None:
    script = Script(TRIO, ("ana",))
    assert rings(script.at(1, caller("c1", joined=1.0, prefer=("bea",), prefer_until=16.0))) == ["ana"]
    script = Script(TRIO, ("ana", "bea"))
    script.at(0, PausedBy("bea", "break"))
    assert rings(script.at(1, caller("c1", joined=1.0, prefer=("bea",), prefer_until=16.0))) == []
    assert rings(script.at(2, LoggedOut("bea"))) == ["ana"]


def test_a_preferred_one_who_is_in_no_team_of_his_does_not_hold_him_back() -> None:
    staff = replace(TRIO, levels={**TRIO.levels, "dora": {"legal": 1}})
    script = Script(staff, ("ana", "dora"))
    assert rings(script.at(1, caller("c1", joined=1.0, prefer=("dora",), prefer_until=16.0))) == ["ana"]


def test_the_secretary_he_talked_to_is_asked_first_if_she_is_free_and_only_then() -> None:
    script = Script(TRIO, ("ana", "bea", "cleo"))
    assert rings(script.at(1, caller("c1", joined=1.0, known="cleo"))) == ["cleo"]
    assert rings(script.at(2, caller("c2", joined=2.0, known="cleo"))) == ["ana"]


# --- order of callers ------------------------------------------------------------------------


def one_free(*callers: Waiter, at: float) -> str:
    """Who is rung for when one secretary logs in."""
    script = Script(TRIO)
    for waiter in callers:
        script.at(at, CallerJoined(waiter))
    script.at(at, PhoneSeen("ana", reachable=True))
    found = [d.call for d in script.at(at, LoggedIn("ana")) if isinstance(d, Ring)]
    return found[0]


def plain(call: str, joined: float, **changes: object) -> Waiter:
    return replace(Waiter(call, "lilas", "medical", joined), **changes)  # type: ignore[arg-type]


def test_a_vip_is_ahead_by_his_seconds_and_not_by_more() -> None:
    assert one_free(plain("early", 0.0), plain("vip", 50.0, advance=60.0), at=60.0) == "vip"
    assert one_free(plain("early", 0.0), plain("vip", 61.0, advance=60.0), at=70.0) == "early"


def test_who_was_put_back_to_the_head_is_before_everybody() -> None:
    ahead = plain("ahead", 0.0, advance=600.0, priority=100, target=5.0)
    assert one_free(ahead, plain("back", 99.0, head=True, priority=0), at=100.0) == "back"


def test_a_returning_caller_counts_what_he_waited_before() -> None:
    assert one_free(plain("first", 10.0), plain("again", 5.0, entered=40.0), at=40.0) == "again"


@pytest.mark.parametrize(("target", "first"), [(60.0, "other"), (10.0, "c")])
def test_waiting_counts_in_proportion_to_the_clients_target(target: float, first: str) -> None:
    assert one_free(plain("c", 0.0, target=target), plain("other", 5.0, target=20.0), at=30.0) == first


def test_a_returning_callers_grace_on_an_empty_floor_counts_from_his_coming_back() -> None:
    script = Script(TRIO)
    script.at(100, caller("c1", joined=20.0, entered=100.0, nobody_from=104.0))
    assert "c1" in script.floor.waiters
    script.at(104.0, TimePassed())
    assert "c1" not in script.floor.waiters


# --- ring: all -------------------------------------------------------------------------------


def at_once(staff: Staff, at_work: tuple[str, ...], *callers: Waiter) -> list[tuple[str, str]]:
    """Who is rung for whom when all of these wait and the events come back."""
    floor = rules.apply(Floor(staff), Staffed(staff), 0.0).floor
    for name in at_work:
        floor = rules.apply(floor, PhoneSeen(name, reachable=True), 0.0).floor
        floor = rules.apply(floor, LoggedIn(name), 0.0).floor
    for waiter in callers:
        floor = rules.apply(floor, CallerJoined(waiter), 1.0, seeing=False).floor
    outcome = rules.apply(floor, TimePassed(), 1.0)
    return [(d.call, d.secretary) for d in outcome.decisions if isinstance(d, Ring)]


def everybody(call: str, joined: float, **changes: object) -> Waiter:
    return plain(call, joined, ring=Ringing.ALL, **changes)


def test_several_callers_who_ring_all_get_a_phone_each_and_the_most_urgent_gets_the_rest() -> None:
    pairs = at_once(TRIO, ("ana", "bea", "cleo"), everybody("c1", 0.1), everybody("c2", 0.2))
    assert pairs == [("c1", "ana"), ("c2", "bea"), ("c1", "cleo")]


def test_an_ordinary_caller_gets_a_phone_before_anybody_gets_two() -> None:
    pairs = at_once(TRIO, ("ana", "bea"), everybody("c1", 0.1), plain("c2", 0.2))
    assert pairs == [("c1", "ana"), ("c2", "bea")]


def test_nobody_is_left_without_a_phone_if_there_are_enough() -> None:
    first = everybody("c1", 0.1)  # anybody may serve him; his first choice would be ana
    only_ana = everybody("c2", 0.2, countries=("FR",), languages=("fr",))
    pairs = at_once(TRIO, ("ana", "bea"), first, only_ana)
    assert sorted(pairs) == [("c1", "bea"), ("c2", "ana")]


def test_the_last_ringing_phone_is_not_taken_from_its_caller_but_the_next_free_one_is_the_others() -> None:
    script = Script(TRIO, ("ana", "bea"))
    assert rings(script.at(0, caller("c1", ring=Ringing.ALL))) == ["ana", "bea"]
    # he has two: the newcomer gets one of them
    let_go = script.at(1, caller("c2", joined=1.0, ring=Ringing.ALL))
    assert let_go == [StopRinging("ring-c1-1-ana", Cause.ANSWERED_ELSEWHERE)]
    assert rings(script.at(1.2, TimePassed())) == ["ana"]
    # each has one: the next newcomer waits for somebody to be free
    assert script.at(1.5, caller("c3", joined=1.5, ring=Ringing.ALL)) == []
    script.at(2, PhoneSeen("cleo", reachable=True))
    decisions = script.at(2, LoggedIn("cleo"))
    assert [(d.call, d.secretary) for d in decisions if isinstance(d, Ring)] == [("c3", "cleo")]
    assert script.floor.waiters["c1"].ringing == ("bea",)


def test_a40_when_all_of_them_refuse_the_next_step_is_at_once_and_not_at_the_end_of_the_turn() -> None:
    staff = replace(TRIO, levels={"ana": {"medical": 1}, "bea": {"medical": 1}, "cleo": {"general": 1}})
    staff = replace(
        staff,
        teams={"medical": Team("medical", (Widening(0.0, "general"),)), "general": Team("general")},
        pause_after=0,
    )
    script = Script(staff, ("ana", "bea"))
    script.at(0, caller(ring=Ringing.ALL))
    assert script.at(0.5, LegEnded("ring-c1-1-ana", Cause.BUSY, 486)) == []
    assert script.at(0.6, LegEnded("ring-c1-2-bea", Cause.CONGESTION, 503)) == []
    assert script.floor.waiters["c1"].ringing == ()
    assert rings(script.at(3.5, TimePassed())) == ["ana"], "as soon as she has been left alone for a moment"


@pytest.mark.parametrize("winner", ["ana", "bea", "cleo"])
@pytest.mark.parametrize("bad", [Cause.BUSY, Cause.CONGESTION, Cause.NO_RESPONSE, Cause.UNALLOCATED])
def test_a40_a41_any_single_answer_wins_and_the_others_see_no_missed_call(winner: str, bad: Cause) -> None:
    script = Script(replace(TRIO, pause_after=0), ("ana", "bea", "cleo"))
    legs = {d.secretary: d.leg for d in script.at(0, caller(ring=Ringing.ALL)) if isinstance(d, Ring)}
    losers = [name for name in legs if name != winner]
    script.at(0.2, LegEnded(legs[losers[0]], bad))
    decisions = script.at(1, LegAnswered(legs[winner]))
    assert StopRinging(legs[losers[1]], Cause.ANSWERED_ELSEWHERE) in decisions
    assert script.state(winner) == "talking"


def test_b9_two_who_pick_up_in_the_same_instant_are_one_winner_and_one_who_is_let_off() -> None:
    script = Script(TRIO, ("ana", "bea"))
    script.at(0, caller(ring=Ringing.ALL))
    first = script.at(1, LegAnswered("ring-c1-2-bea"))
    second = script.at(1, LegAnswered("ring-c1-1-ana"))
    assert [type(d).__name__ for d in first] == ["StopRinging", "Take"]
    assert second == [StopRinging("ring-c1-1-ana", Cause.ANSWERED_ELSEWHERE)]
    assert (script.state("ana"), script.state("bea")) == ("free", "talking")


def test_b8_wrap_up_is_the_clients_to_the_instant_for_a_secretary_of_six_clients() -> None:
    staff = replace(TRIO, wrap_up={f"client{n}": (0.0, 4.0 + n) for n in range(6)})
    script = Script(staff, ("ana",))
    now = 0.0
    for n in range(6):
        script.at(now, caller(f"c{n}", client=f"client{n}", joined=now))
        script.at(now, LegAnswered(f"ring-c{n}-1-ana"))
        script.at(now, Joined(f"c{n}"))
        script.at(now + 1, TalkEnded(f"c{n}", "ana"))
        assert rules.next_deadline(script.floor, now + 1) == now + 5 + n
        script.at(now + 4.9 + n, TimePassed())
        assert script.state("ana") == "wrap_up"
        script.at(now + 5 + n, TimePassed())
        assert script.state("ana") == "free"
        now += 20
    assert script.floor.posts["ana"].calls == 6


# --- why -------------------------------------------------------------------------------------


def test_an_offer_says_why_she_and_why_not_the_others() -> None:
    staff = replace(
        TRIO,
        levels={**TRIO.levels, "dora": {"medical": 1}, "eva": {"medical": 1}, "fanny": {"medical": 1}},
        languages={**TRIO.languages, "dora": ("fr",), "eva": ("fr",), "fanny": ("nl",)},
        wrap_up={"slow": (10.0, 10.0)},
    )
    script = Script(staff, ("ana", "bea", "cleo", "dora", "eva", "fanny"))
    script.at(0, PausedBy("dora", "lunch"))
    script.at(0, caller("cx", client="slow"))
    script.at(0, LegAnswered("ring-cx-1-ana"))
    script.at(0, Joined("cx"))
    script.at(1, TalkEnded("cx", "ana"))
    script.at(1, caller("cy", joined=1.0, client="none"))
    script.at(5, caller("c1", joined=5.0, languages=("fr",), advance=30.0))
    why = offered(script).fields["why"]
    assert isinstance(why, dict)
    assert why["eligible"] == ["eva", "cleo"]
    assert why["others"] == {
        "cleo": "level",
        "ana": "wrap_up",
        "bea": "busy",
        "dora": "paused",
        "fanny": "language",
    }
    assert why["score"] == pytest.approx((0 + 50 + 30) / 20)
    assert (why["priority"], why["advance"], why["target"]) == (50, 30.0, 20.0)


def test_who_let_him_ring_before_is_named_as_tried() -> None:
    script = Script(TRIO, ("ana", "bea"))
    script.at(0, caller())
    script.at(0, LegRang("ring-c1-1-ana"))
    script.at(12.0, TimePassed())
    script.at(12.0, LegRang("ring-c1-2-bea"))
    script.at(24.0, TimePassed())
    why = offered(script).fields["why"]
    assert isinstance(why, dict)
    assert why["tried_before"] == 1
    assert why["others"] == {"bea": "resting"}


def test_of_a_large_bureau_only_a_dozen_are_named() -> None:
    names = [f"s{n:03}" for n in range(200)]
    script = Script(Staff({name: {"medical": 1} for name in names}, TRIO.teams), tuple(names))
    script.at(1, caller())
    why = offered(script).fields["why"]
    assert isinstance(why, dict)
    assert isinstance(why["eligible"], list)
    assert isinstance(why["others"], dict)
    assert len(why["eligible"]) <= 12
    assert len(why["others"]) <= 12


def test_kinds_of_callers_that_come_once_are_forgotten_and_the_rest_goes_on() -> None:
    script = Script(TRIO, ("ana",))
    script.at(1, caller("stays", joined=1.0, languages=("en",), client="none"))
    for n in range(MOST_KINDS):
        script.at(2, caller(f"c{n}", joined=2.0, languages=(f"l{n}",)))
        script.at(2, CallerLeft(f"c{n}"))
    board = script.floor.board
    assert isinstance(board, Board)
    assert len(board.reaches) < MOST_KINDS + 10
    script.at(3, PhoneSeen("cleo", reachable=True))
    assert rings(script.at(3, LoggedIn("cleo"))) == ["cleo"]
    assert rings(script.at(4, caller("c", joined=4.0))) == ["ana"]
