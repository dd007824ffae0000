"""What a floor must not lose between the facts: gaps in what is heard, another configuration, crashed stories."""

from __future__ import annotations

from dataclasses import replace
from zoneinfo import ZoneInfoNotFoundError

import pytest

from autocom.core import floor as rules
from autocom.core.floor_words import (
    CallerJoined,
    CallerLeft,
    FloorFact,
    GiveUp,
    Joined,
    LegAnswered,
    LegEnded,
    LoggedIn,
    LoggedOut,
    Outcome,
    PausedBy,
    PhoneSeen,
    Ring,
    Staffed,
    StopRinging,
    Take,
    TalkEnded,
    TimePassed,
)
from autocom.core.model import Quota, Team, Widening
from autocom.core.posts import Floor, Idle, InTalk, Offered, Staff, Waiter
from autocom.core.telephony import Cause

STAFF = Staff({"lea": {"medical": 1}, "ines": {"medical": 2}}, {"medical": Team("medical")})


class Floors:
    """A floor driven by hand; `seeing`: whether Asterisk's events arrive."""

    def __init__(self, staff: Staff = STAFF, at_work: tuple[str, ...] = ("lea",)) -> None:
        self.floor, self.seeing = Floor(staff), True
        self.at(0, Staffed(staff))
        for who in at_work:
            self.at(0, PhoneSeen(who, reachable=True))
            self.at(0, LoggedIn(who))

    def at(self, now: float, fact: FloorFact) -> Outcome:
        outcome = rules.apply(self.floor, fact, now, seeing=self.seeing)
        self.floor = outcome.floor
        return outcome


def caller(call: str = "c1", **changes: object) -> CallerJoined:
    base = Waiter(call, "lilas", "medical", joined=0.0)
    return CallerJoined(replace(base, **changes))  # type: ignore[arg-type]


def given_up(outcome: Outcome) -> list[tuple[str, str]]:
    return [(d.call, d.why) for d in outcome.decisions if isinstance(d, GiveUp)]


def test_who_waited_before_a_gap_in_which_everybody_left_takes_his_way_out_although_another_joined_in_it():
    floors = Floors()
    floors.at(0, PausedBy("lea", "lunch"))
    floors.at(1, caller("old", joined=1.0, nobody_from=1.0))
    floors.seeing = False
    floors.at(2, LoggedOut("lea"))
    floors.at(3, caller("new", joined=3.0))
    floors.seeing = True
    assert given_up(floors.at(4, TimePassed())) == []
    at = rules.next_deadline(floors.floor, 4)
    assert at == 8.0  # the grace, from when it was first known that nobody is there
    assert given_up(floors.at(at, TimePassed())) == [("old", "nobody")]
    assert list(floors.floor.waiters) == ["new"]


def test_who_goes_to_another_queue_in_a_gap_is_judged_by_the_staff_of_that_one():
    staff = replace(STAFF, levels={"lea": {"medical": 1}, "ines": {"legal": 1}}, teams={})
    floors = Floors(staff)
    floors.at(0, PausedBy("lea", "lunch"))
    floors.at(0, caller(nobody_from=0.0))
    floors.seeing = False
    floors.at(1, CallerLeft("c1"))
    floors.at(1, caller(team="legal", joined=0.0, entered=1.0, nobody_from=1.0))
    floors.seeing = True
    assert given_up(floors.at(2, TimePassed())) == [("c1", "nobody")]


def test_kinds_of_callers_that_are_forgotten_in_a_gap_take_no_knowledge_of_an_empty_floor_with_them():
    for _ in range(4):  # the order in which kinds are looked at is by chance
        floors = Floors(at_work=())
        floors.seeing = False
        floors.at(0, caller("first", nobody_from=0.0))
        floors.at(0, CallerLeft("first"))
        for n in range(1100):
            floors.at(0, caller("odd", team="other", countries=(f"c{n}",)))
            floors.at(0, CallerLeft("odd"))
        floors.at(1, caller("last", joined=1.0, nobody_from=1.0))
        floors.seeing = True
        assert given_up(floors.at(2, TimePassed())) == [("last", "nobody")]


def test_whoever_picked_up_after_a_lease_that_only_seemed_to_fail_is_let_off_when_the_two_are_joined():
    floors = Floors(at_work=("lea", "ines"))
    floors.at(0, caller())
    floors.at(1, LegAnswered("ring-c1-1-lea"))
    # the end of her leg overtakes Asterisk's answer to the command that joined the two
    assert any(isinstance(d, Ring) for d in floors.at(2, LegEnded("ring-c1-1-lea")).decisions)
    floors.at(2.01, LegAnswered("ring-c1-2-ines"))
    decisions = floors.at(2.02, Joined("c1", "lea")).decisions
    assert decisions == (StopRinging("ring-c1-2-ines", Cause.ANSWERED_ELSEWHERE),)
    assert floors.floor.posts["ines"].state == "free"


def test_the_join_of_the_one_who_holds_him_lets_nobody_off():
    floors = Floors()
    floors.at(0, caller())
    floors.at(1, LegAnswered("ring-c1-1-lea"))
    assert floors.at(2, Joined("c1", "lea")).decisions == ()
    assert isinstance(floors.floor.posts["lea"].engaged, InTalk)


def test_a_story_that_crashed_in_a_conversation_leaves_no_secretary_talking_for_ever():
    floors = Floors()
    floors.at(0, caller())
    floors.at(1, LegAnswered("ring-c1-1-lea"))
    floors.at(1, Joined("c1", "lea"))
    assert floors.at(9, CallerLeft("c1")).decisions == (StopRinging("ring-c1-1-lea", Cause.NORMAL),)
    assert floors.floor.posts["lea"].state == "free"
    assert floors.at(9, TalkEnded("c1", "lea")).entries == ()


def test_a_wrap_up_with_a_minimum_only_lasts_so_long():
    floors = Floors(replace(STAFF, wrap_up={"lilas": (5.0, 0.0)}))
    floors.at(0, caller())
    floors.at(1, LegAnswered("ring-c1-1-lea"))
    floors.at(1, Joined("c1", "lea"))
    floors.at(10, TalkEnded("c1", "lea"))
    assert floors.floor.posts["lea"].state == "wrap_up"
    assert rules.next_deadline(floors.floor, 10) == 15.0


def test_who_is_removed_while_her_phone_rings_for_a_caller_who_is_sent_away_is_gone_in_the_same_instant():
    floors = Floors()
    floors.at(0, caller(nobody_from=0.0))
    assert isinstance(floors.floor.posts["lea"].engaged, Offered)
    outcome = floors.at(6, Staffed(replace(STAFF, levels={"ines": {"medical": 1}})))
    assert given_up(floors.at(11, TimePassed())) == [("c1", "nobody")]
    assert given_up(outcome) == []
    assert list(floors.floor.posts) == ["ines"]


def test_offers_that_ring_when_teams_change_go_on_and_nobody_is_rung_by_the_old_teams_afterwards():
    staff = Staff(
        {"lea": {"medical": 1}, "ines": {"legal": 1}},
        {"medical": Team("medical", (Widening(20.0, "legal"),)), "legal": Team("legal")},
    )
    floors = Floors(staff, at_work=("lea", "ines"))
    floors.at(0, caller())
    floors.at(1, caller("c2", joined=1.0))
    swapped = replace(
        staff,
        levels={"lea": {"legal": 1}, "ines": {"medical": 1}},
        teams={"medical": Team("medical"), "legal": Team("legal")},
    )
    rung = [d for d in floors.at(2, Staffed(swapped)).decisions if isinstance(d, Ring)]
    assert [(d.call, d.secretary) for d in rung] == [("c2", "ines")]
    assert [d.call for d in floors.at(3, LegAnswered("ring-c1-1-lea")).decisions if isinstance(d, Take)] == [
        "c1"
    ]


def test_a_decision_that_fails_half_way_leaves_the_floor_it_was_made_on_as_it_was():
    staff = replace(STAFF, quotas={"break": Quota(times=1)}, zone="Nowhere/At-All")
    floors = Floors(staff)
    floors.at(0, caller())
    before, posts, waiters = floors.floor, dict(floors.floor.posts), dict(floors.floor.waiters)
    with pytest.raises(ZoneInfoNotFoundError):
        rules.apply(floors.floor, PausedBy("lea", "break"), 1)  # her offer is withdrawn before
    assert (dict(before.posts), dict(before.waiters)) == (posts, waiters)
    outcome = floors.at(2, LegAnswered("ring-c1-1-lea"))
    assert outcome.decisions == (Take("c1", "lea", "ring-c1-1-lea", 1),)
    assert isinstance(before.posts["lea"].engaged, Offered)
    assert rules.next_deadline(before, 2) == 12.0


def test_two_futures_of_one_floor_know_nothing_of_each_other():
    floors = Floors(at_work=("lea", "ines"))
    start = floors.floor
    one = rules.apply(start, caller("one"), 1)
    other = rules.apply(start, caller("other"), 1)
    again = rules.apply(one.floor, caller("again"), 2)
    assert [list(f.waiters) for f in (start, one.floor, other.floor, again.floor)] == [
        [],
        ["one"],
        ["other"],
        ["one", "again"],
    ]
    assert isinstance(other.floor.posts["ines"].engaged, Idle)
    assert isinstance(again.floor.posts["ines"].engaged, Offered)


def test_why_an_offer_was_made_is_told_in_a_dozen_names_however_large_the_bureau():
    levels = {f"s{n:03}": {"medical": 1 + n % 3} for n in range(300)}
    floors = Floors(Staff(levels, {"medical": Team("medical")}), at_work=tuple(levels))
    for n in range(40):
        outcome = floors.at(1 + n, caller(f"c{n}", joined=1.0 + n))
        for why in (entry.fields["why"] for entry in outcome.entries if entry.kind == "offered"):
            assert isinstance(why, dict)
            assert 1 <= len(why["eligible"]) <= 12  # type: ignore[arg-type]
            assert len(why["others"]) <= 12  # type: ignore[arg-type]
    assert sum(isinstance(post.engaged, Offered) for post in floors.floor.posts.values()) >= 12
