"""The floor's laws under any order of facts: repeated, late, about strangers, at any time.

Each example is a random history of a small bureau; after every fact the laws are asserted, and the
floor is compared with what the outside world (rung and stopped legs) would look like.
"""

from __future__ import annotations

from dataclasses import replace

import hypothesis.strategies as st
from hypothesis import given, settings

from autocom.core import floor as rules
from autocom.core import ranking
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
    PausedBy,
    PhoneSeen,
    PhoneUsed,
    Resumed,
    Ring,
    Staffed,
    StopRinging,
    Take,
    TalkEnded,
    TimePassed,
)
from autocom.core.model import Ringing, Team, Widening
from autocom.core.posts import Floor, Idle, InTalk, Offered, Staff, Waiter

WHO = ["ana", "bea", "cleo", "dora"]
CALLS = [f"c{n}" for n in range(6)]
STAFF = Staff(
    levels={"ana": {"a": 1}, "bea": {"a": 2, "b": 1}, "cleo": {"b": 1}, "dora": {"b": 2}},
    teams={"a": Team("a", (Widening(10.0, "b"),)), "b": Team("b")},
    wrap_up={"quick": (0.0, 0.0), "slow": (2.0, 8.0)},
    auto_login=frozenset({"dora"}),
)

waiters = st.builds(
    Waiter,
    call=st.sampled_from(CALLS),
    client=st.sampled_from(["quick", "slow"]),
    team=st.sampled_from(["a", "b"]),
    joined=st.just(0.0),
    priority=st.integers(0, 100),
    target=st.sampled_from([10.0, 20.0, 60.0]),
    ring_for=st.sampled_from([5.0, 12.0]),
    ring=st.sampled_from(list(Ringing)),
    max_wait_at=st.sampled_from([None, 30.0, 60.0]),
    nobody_from=st.sampled_from([None, 0.0, 4.0]),
)
who = st.sampled_from(WHO)
steps = st.one_of(
    st.tuples(st.just("join"), waiters),
    st.tuples(st.just("leave"), st.sampled_from(CALLS)),
    st.tuples(st.sampled_from(["rang", "answered", "ended", "ended busy"]), st.integers(0, 30)),
    st.tuples(st.sampled_from(["joined", "talk ended"]), st.integers(0, 30)),
    st.tuples(st.just("seen"), who, st.booleans()),
    st.tuples(st.just("used"), who, st.booleans()),
    st.tuples(st.sampled_from(["in", "out", "pause", "resume"]), who),
    st.tuples(st.just("time"), st.floats(0.1, 20.0)),
)


class World:
    """The floor and the legs that its decisions made."""

    def __init__(self) -> None:
        self.now = 0.0
        self.floor = Floor(STAFF)
        self.legs: dict[str, str] = {}  # leg -> secretary, as long as it was not stopped
        self.taken: dict[str, str] = {}  # call -> leg, until joined or failed
        self.talks: dict[str, tuple[str, str]] = {}  # call -> secretary, leg
        self.ever: list[str] = []
        self.calls: set[str] = set()
        self.apply(Staffed(STAFF))
        for name in ("ana", "bea"):
            self.apply(PhoneSeen(name, reachable=True))
            self.apply(LoggedIn(name))

    def apply(self, fact: FloorFact) -> None:
        outcome = rules.apply(self.floor, fact, self.now)
        self.floor = outcome.floor
        for decision in outcome.decisions:
            match decision:
                case Ring(call, secretary, _, leg, until):
                    assert leg not in self.ever, "a leg's name was used twice"
                    assert until > self.now
                    assert call in self.floor.waiters
                    self.ever.append(leg)
                    self.legs[leg] = secretary
                case StopRinging(leg):
                    self.legs.pop(leg, None)
                case Take(call, _, leg):
                    assert call not in self.taken, "two secretaries took one caller"
                    assert call not in self.talks, "a caller in conversation was taken again"
                    self.taken[call] = leg
                case LeaseFailed(call):
                    self.taken.pop(call)
                case GiveUp(call):
                    assert call not in self.floor.waiters
                    self.calls.discard(call)
        self.laws()
        again = rules.apply(self.floor, fact if isinstance(fact, TimePassed) else TimePassed(), self.now)
        assert not again.decisions, "the same instant decided twice"

    def leg(self, number: int) -> str:
        return self.ever[number % len(self.ever)] if self.ever else "ring-c0-1-ana"

    def laws(self) -> None:
        floor, now = self.floor, self.now
        engaged: dict[str, list[str]] = {}
        for post in floor.posts.values():
            match post.engaged:
                case Offered(call, leg, _, _, until):
                    assert self.legs.get(leg) == post.secretary, "an offer without a ringing leg"
                    assert post.secretary in floor.waiters[call].ringing
                    assert until > now, "a deadline was missed"
                case InTalk(call):
                    engaged.setdefault(call, []).append(post.secretary)
                case _:
                    pass
        assert all(len(secretaries) == 1 for secretaries in engaged.values()), (
            "two secretaries for one caller"
        )
        for waiter in floor.waiters.values():
            assert waiter.max_wait_at is None or waiter.held or waiter.max_wait_at > now
            assert not (waiter.held and waiter.ringing), "a phone rings for a caller who was taken"
            for secretary in waiter.ringing:
                post = floor.posts[secretary]
                assert isinstance(post.engaged, Offered)
                assert post.engaged.call == waiter.call
            if waiter.held is None and not waiter.ringing:
                assert not ranking.candidates(waiter, floor, now), (
                    "somebody is free while a caller she may take waits"
                )
        ringing = [
            leg for leg, secretary in self.legs.items() if isinstance(floor.posts[secretary].engaged, Offered)
        ]
        assert len(ringing) == len({self.legs[leg] for leg in ringing}), "two calls ring at one phone"
        deadline = rules.next_deadline(floor, now)
        assert (
            deadline is None
            or deadline > now
            or any(isinstance(p.engaged, Idle) for p in floor.posts.values())
        )

    def step(self, step: tuple[object, ...]) -> None:
        match step:
            case ("join", Waiter() as waiter):
                call = waiter.call
                if call in self.talks or call in self.taken:
                    return  # a story joins only while it waits
                attempts = sum(leg.startswith(f"ring-{call}-") for leg in self.ever)
                late = None if waiter.max_wait_at is None else self.now + waiter.max_wait_at
                nobody = None if waiter.nobody_from is None else self.now + waiter.nobody_from
                self.calls.add(call)
                self.apply(
                    CallerJoined(
                        replace(
                            waiter, joined=self.now, max_wait_at=late, nobody_from=nobody, attempts=attempts
                        )
                    )
                )
            case ("leave", str() as call):
                self.taken.pop(call, None)
                talk = self.talks.pop(call, None)
                if talk is not None:
                    self.apply(TalkEnded(call, talk[0]))
                self.apply(CallerLeft(call))
                assert call not in self.floor.waiters
            case ("rang", int() as n):
                self.apply(LegRang(self.leg(n)))
            case ("answered", int() as n):
                self.apply(LegAnswered(self.leg(n)))
            case (("ended" | "ended busy") as how, int() as n):
                leg = self.leg(n)
                self.legs.pop(leg, None)
                talk_of = next((c for c, (_, talking) in self.talks.items() if talking == leg), None)
                self.apply(LegEnded(leg, 17 if how == "ended busy" else 16))
                if talk_of is not None:
                    secretary, _ = self.talks.pop(talk_of)
                    self.apply(TalkEnded(talk_of, secretary))
            case ("joined", int() as n):
                call = CALLS[n % len(CALLS)]
                if call in self.taken:
                    leg = self.taken.pop(call)
                    held = self.floor.waiters[call].held
                    assert held is not None
                    self.talks[call] = (held, leg)
                    self.apply(Joined(call))
            case ("talk ended", int() as n):
                call = CALLS[n % len(CALLS)]
                if call in self.talks:
                    secretary, _ = self.talks.pop(call)
                    self.apply(TalkEnded(call, secretary))
            case ("seen", str() as name, bool() as on):
                self.apply(PhoneSeen(name, on))
            case ("used", str() as name, bool() as on):
                self.apply(PhoneUsed(name, on))
            case ("in", str() as name):
                self.apply(LoggedIn(name))
            case ("out", str() as name):
                self.apply(LoggedOut(name))
            case ("pause", str() as name):
                self.apply(PausedBy(name, "break"))
            case ("resume", str() as name):
                self.apply(Resumed(name))
            case ("time", float() as seconds):
                self.pass_time(seconds)

    def pass_time(self, seconds: float) -> None:
        """As the dispatcher does: wake at each deadline on the way."""
        end = self.now + seconds
        while (deadline := rules.next_deadline(self.floor, self.now)) is not None and deadline <= end:
            assert deadline > self.now, "a deadline that does not pass would spin for ever"
            self.now = deadline
            self.apply(TimePassed())
        self.now = end
        self.apply(TimePassed())


@settings(max_examples=400, deadline=None)
@given(st.lists(steps, max_size=60))
def test_no_history_breaks_a_law(history: list[tuple[object, ...]]) -> None:
    world = World()
    for step in history:
        world.step(step)


@settings(max_examples=200, deadline=None)
@given(st.lists(steps, max_size=40), st.data())
def test_a_fact_told_twice_changes_nothing_the_second_time(
    history: list[tuple[object, ...]], data: st.DataObject
) -> None:
    world = World()
    for step in history:
        world.step(step)
    name = data.draw(who)
    for fact in (
        PhoneSeen(name, reachable=world.floor.posts[name].registered),
        LegEnded("ring-c0-99-ana"),
        LegRang("ring-c0-99-ana"),
        CallerLeft("c99"),
        Joined("c99"),
        TalkEnded("c99", name),
        TimePassed(),
    ):
        outcome = rules.apply(world.floor, fact, world.now)
        assert outcome.decisions == ()
        assert outcome.floor.waiters == world.floor.waiters
        assert outcome.floor.posts == world.floor.posts


@settings(max_examples=200, deadline=None)
@given(st.permutations(range(5)), st.lists(st.floats(0.0, 30.0), min_size=5, max_size=5))
def test_within_equal_score_terms_the_first_who_came_is_rung_first(
    order: list[int], arrivals: list[float]
) -> None:
    floor = Floor(replace(STAFF, levels={"ana": {"a": 1}}))
    floor = rules.apply(floor, Staffed(floor.staff), 40.0).floor
    floor = rules.apply(floor, PhoneSeen("ana", True), 40.0).floor
    for n in order:
        floor = rules.apply(
            floor, CallerJoined(Waiter(f"c{n}", "quick", "a", joined=arrivals[n])), 40.0
        ).floor
    rung = []
    floor = rules.apply(floor, LoggedIn("ana"), 41.0).floor
    for n in range(5):
        post = floor.posts["ana"]
        assert isinstance(post.engaged, Offered)
        call = post.engaged.call
        rung.append(call)
        at = 42.0 + n
        floor = rules.apply(floor, LegAnswered(post.engaged.leg), at).floor
        floor = rules.apply(floor, Joined(call), at).floor
        floor = rules.apply(floor, TalkEnded(call, "ana"), at + 0.5).floor
    expected = sorted(range(5), key=lambda n: (arrivals[n], n))
    assert rung == [f"c{n}" for n in expected]
