"""The floor's laws under any order of facts: repeated, late, about strangers, at any time.

Each example is a random history of a small bureau; after every fact the laws are asserted, the floor is
compared with what the outside world (rung and stopped legs) would look like, and each match with the plain
one. `make properties` runs twenty times as many examples.
"""

from __future__ import annotations

from dataclasses import replace

import hypothesis.strategies as st
from hypothesis import given, settings

from autocom.core import floor as rules
from autocom.core import ranking
from autocom.core.codec import Codec
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
    PickedUp,
    Resumed,
    Ring,
    Settled,
    Staffed,
    StopRinging,
    Take,
    TalkEnded,
    Tell,
    TimePassed,
    TookOver,
)
from autocom.core.model import Breather, Quota, Ringing, Team, Widening
from autocom.core.posts import Floor, Idle, InTalk, Offered, Post, Staff, Waiter, WrapUp
from tests.core.plain_matcher import most_served, plainly

EXAMPLES = 20_000 if settings.get_current_profile_name() == "properties" else 1_000
HISTORIES = settings(max_examples=EXAMPLES, deadline=None)
SHORTER = settings(max_examples=EXAMPLES // 10, deadline=None)

WHO = ["ana", "bea", "cleo", "dora", "eva"]
CALLS = [f"c{n}" for n in range(6)]
STAFF = Staff(
    levels={
        "ana": {"a": 1},
        "bea": {"a": 2, "b": 1},
        "cleo": {"b": 1},
        "dora": {"b": 2},
        "eva": {"a": 1, "b": 2},
    },
    teams={"a": Team("a", (Widening(10.0, "b"),)), "b": Team("b")},
    wrap_up={"quick": (0.0, 0.0), "slow": (2.0, 8.0)},
    auto_login=frozenset({"dora"}),
    languages={"ana": ("fr",), "bea": ("fr", "de"), "cleo": ("de",), "dora": ("fr", "de"), "eva": ("fr",)},
    countries={"ana": "FR", "bea": "FR", "cleo": "DE", "dora": "FR", "eva": "MA"},
    breather=Breather(1, 15.0),
    quotas={"break": Quota(longest=20.0, a_day=30.0, times=2)},
    zone="Europe/Paris",
)
CONFIGURATIONS = [
    STAFF,
    # ana left the bureau, eva another team
    replace(STAFF, levels={n: {"b": 2} if n == "eva" else t for n, t in STAFF.levels.items() if n != "ana"}),
    # nobody widens, nobody is of team a any more, and no rests
    replace(
        STAFF,
        levels={name: {"b": 1} for name in WHO},
        teams={"b": Team("b")},
        breather=None,
        quotas={},
        pause_after=1,
    ),
    # other languages and sites; a wrap-up whose minimum is longer than its maximum
    replace(
        STAFF,
        teams={"a": Team("a"), "b": Team("b", (Widening(5.0, "a"),))},
        wrap_up={"quick": (3.0, 0.0), "slow": (4.0, 2.0)},
        languages=dict.fromkeys(WHO, ("de",)),
        countries={},
    ),
]
CODEC = Codec([Post, Waiter])

waiters = st.builds(
    Waiter,
    call=st.sampled_from(CALLS),
    client=st.sampled_from(["quick", "slow"]),
    team=st.sampled_from(["a", "b"]),
    joined=st.sampled_from([0.0, 0.0, -12.5]),  # a returning caller's waiting time counts
    priority=st.integers(0, 100),
    target=st.sampled_from([10.0, 20.0, 60.0]),
    ring_for=st.sampled_from([5.0, 12.0]),
    ring=st.sampled_from(list(Ringing)),
    max_wait_at=st.sampled_from([None, 30.0, 60.0]),
    nobody_from=st.sampled_from([None, 0.0, 4.0]),
    advance=st.sampled_from([0.0, 0.0, 60.0]),
    languages=st.sampled_from([(), (), ("fr",), ("de", "fr"), ("de",)]),
    countries=st.sampled_from([(), (), ("FR",), ("FR", "DE")]),
    prefer=st.sampled_from([(), (), ("ana",), ("bea", "cleo"), ("nobody",)]),
    prefer_until=st.sampled_from([3.0, 15.0]),
    known=st.sampled_from([None, None, "bea", "eva"]),
    nobody_paused=st.sampled_from([False, False, True]),
)
who = st.sampled_from(WHO)
deeds = st.one_of(
    st.tuples(st.just("join"), waiters),
    st.tuples(st.just("leave"), st.sampled_from(CALLS)),
    st.tuples(st.sampled_from(["rang", "answered", "ended", "ended busy"]), st.integers(0, 30)),
    st.tuples(
        st.sampled_from(["joined", "joined late", "talk ended", "vanished", "crashed"]), st.integers(0, 30)
    ),
    st.tuples(st.just("seen"), who, st.booleans()),
    st.tuples(st.just("used"), who, st.booleans()),
    st.tuples(st.sampled_from(["in", "out", "pause", "resume"]), who),
    st.tuples(st.just("time"), st.floats(0.1, 20.0)),
    st.tuples(st.just("served"), st.integers(0, 30)),
    # several come while Asterisk's events are away: matched in one decision
    st.tuples(st.just("burst"), st.lists(waiters, min_size=2, max_size=6)),
    st.tuples(st.just("configured"), st.sampled_from(CONFIGURATIONS)),
    # she sends him on; he comes back to her, somebody else takes him, or he is taken care of elsewhere
    st.tuples(st.just("sent on"), st.integers(0, 30), st.sampled_from([3.0, 30.0])),
    st.tuples(st.sampled_from(["returns", "settled"]), st.integers(0, 30)),
    st.tuples(st.sampled_from(["took over", "picked up"]), st.integers(0, 30), who),
)
steps = st.one_of(
    deeds,
    deeds,
    deeds,
    # Asterisk's events are away: nothing is concluded, nobody rung
    st.tuples(st.just("blind"), st.lists(deeds, min_size=1, max_size=6)),
    # the process died; the floor is made of what was saved
    st.tuples(st.just("restart")),
)
histories = st.tuples(st.sets(who), st.lists(steps, min_size=6, max_size=40))


def rung(outcome: Outcome) -> list[tuple[str, str]]:
    return [(d.call, d.secretary) for d in outcome.decisions if isinstance(d, Ring)]


class World:
    """The floor and the legs that its decisions made."""

    def __init__(self, at_work: set[str]) -> None:
        self.now = 0.0
        self.floor = Floor(STAFF)
        self.legs: dict[str, str] = {}  # leg -> secretary, as long as it was not stopped
        self.taken: dict[str, str] = {}  # call -> leg, until joined or failed
        self.talks: dict[str, tuple[str, str]] = {}  # call -> secretary, leg
        self.failed: dict[str, str] = {}  # call -> the secretary whose leg failed before they were joined
        self.sent: dict[str, str] = {}  # call -> the secretary who sent him on
        self.attempts: dict[str, int] = {}
        self.dialled = 0
        self.ever: list[str] = []
        self.seeing, self.staff = True, STAFF
        self.apply(Staffed(STAFF))
        for name in sorted(at_work):
            self.apply(PhoneSeen(name, reachable=True))
            self.apply(LoggedIn(name))

    def apply(self, fact: FloorFact) -> None:
        before = self.floor
        posts, waiting = dict(before.posts), dict(before.waiters)
        outcome = rules.apply(before, fact, self.now, seeing=self.seeing)
        assert (dict(before.posts), dict(before.waiters)) == (posts, waiting), "an older floor changed"
        if self.seeing:
            self.matches_plainly(before, fact, outcome)
        self.floor = outcome.floor
        for decision in outcome.decisions:
            match decision:
                case Ring(call, secretary, attempt, leg, until):
                    self.attempts[call] = max(attempt, self.attempts.get(call, 0))
                    assert self.seeing, "rung while nobody hears the phones"
                    assert leg not in self.ever, "a leg's name was used twice"
                    assert until > self.now
                    assert call in self.floor.waiters
                    self.ever.append(leg)
                    self.legs[leg] = secretary
                case StopRinging(leg):
                    self.legs.pop(leg, None)
                case Take(call, _, leg, attempt):
                    self.attempts[call] = max(attempt, self.attempts.get(call, 0))
                    assert call not in self.taken, "two secretaries took one caller"
                    assert call not in self.talks, "a caller in conversation was taken again"
                    self.taken[call] = leg
                case LeaseFailed(call, leg):
                    self.failed[call] = self.taken.pop(call).rpartition("-")[2]
                case GiveUp(call):
                    assert call not in self.floor.waiters
                case Tell(secretary, "no_answer_pause"):
                    assert self.floor.posts[secretary].pause is not None
                case Tell(secretary, what):
                    assert (what, secretary in self.floor.posts) == ("caller_gone", True)
        if not self.seeing:
            return
        self.laws()
        again = rules.apply(self.floor, TimePassed(), self.now)
        assert not again.decisions, "the same instant decided twice"
        self.told_twice(fact)

    def told_twice(self, fact: FloorFact) -> None:
        """The same fact once more, at once: nothing is another."""
        if isinstance(fact, CallerJoined) and fact.waiter.call not in self.floor.waiters:
            return  # sent away at once: his story does not join again
        again = rules.apply(self.floor, fact, self.now)
        assert again.floor.posts == self.floor.posts
        assert again.floor.waiters == self.floor.waiters
        assert again.entries == ()
        # whoever joins again hears again that he was taken; a phone nobody knows is told to stop again
        assert all(isinstance(d, Take | StopRinging) for d in again.decisions)

    def matches_plainly(self, before: Floor, fact: FloorFact, outcome: Outcome) -> None:
        """What was matched from heads and heaps is what a look at everybody would have matched."""
        taken_in = Floor(before.staff, dict(before.posts), dict(before.waiters), dict(before.empty_since))
        taken_in = rules.apply(taken_in, fact, self.now, seeing=False).floor
        taken_in = Floor(taken_in.staff, taken_in.posts, taken_in.waiters, taken_in.empty_since)
        due = rules.next_deadline(taken_in, self.now)
        if (due is not None and due <= self.now) or any(isinstance(d, GiveUp) for d in outcome.decisions):
            return  # deadlines come first: what is matched after them is not the state we know
        expected, whole = plainly(taken_in, self.now)
        if whole:
            assert rung(outcome) == expected
            return
        waits = [w for w in taken_in.waiters.values() if w.held is None and not w.ringing]
        got = {call for call, _ in rung(outcome)}
        # who has a phone already may lose another one that plainly was his
        could = {call for call, _ in expected} & {w.call for w in waits}
        assert got >= could, "an exchange took the only phone of somebody"
        if all(w.ring is Ringing.ALL for w in waits):
            served = got & {w.call for w in waits}
            assert len(served) == most_served(taken_in, self.now), "not everybody got a phone who could"

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
        self.nobody_is_only_resting()
        self.nobody_is_known()
        self.who_returns_is_hers()
        for leg, secretary in self.legs.items():
            rings = floor.posts[secretary].engaged
            assert isinstance(rings, Offered | InTalk), "a phone rings for nobody"
            assert rings.leg == leg, "two calls ring at one phone"
        deadline = rules.next_deadline(floor, now)
        assert deadline is None or deadline > now
        values = Floor(floor.staff, dict(floor.posts), dict(floor.waiters), dict(floor.empty_since))
        assert values == floor
        assert rules.next_deadline(values, now) == deadline, "the board remembers another deadline"

    def nobody_is_only_resting(self) -> None:
        """A caller who waits is not kept waiting by a breather while nobody else is at work for him."""
        for waiter in self.floor.waiters.values():
            if waiter.held or waiter.ringing:
                continue
            hers = [
                post
                for post in self.floor.posts.values()
                if post.present and ranking.rank(waiter, post, self.floor, self.now) is not None
            ]
            resting = [p for p in hers if p.pause is not None and p.pause.reason == "breather"]
            assert not resting or any(p.pause is None for p in hers)

    def who_returns_is_hers(self) -> None:
        """As long as a caller is kept for her to whom he returns, no other phone rings for him."""
        for waiter in self.floor.waiters.values():
            only = ranking.preferred(waiter, self.floor, self.now)
            if waiter.back_to is not None and only == (waiter.back_to,):
                assert set(waiter.ringing) <= {waiter.back_to}

    def nobody_is_known(self) -> None:
        """Whether anybody is at work for those who wait; who takes his way out then has taken it."""
        empty = self.floor.empty_since
        for waiter in self.floor.waiters.values():
            assert (ranking.lack(waiter) in empty) is not ranking.staffed(waiter, self.floor)
            at = ranking.nobody_at(waiter, empty.get(ranking.lack(waiter)))
            assert at is None or waiter.held or at > self.now, "a deadline was missed"

    def overdue(self) -> list[str]:
        """Everything that should have ended by now."""
        floor, now = self.floor, self.now
        longest = quota.longest if (quota := floor.staff.quotas.get("break")) else None
        calls = [w.call for w in floor.waiters.values() if not w.held and (w.max_wait_at or now + 1) <= now]
        rests = [
            post.secretary
            for post in floor.posts.values()
            if isinstance(post.engaged, Idle)
            and post.pause is not None
            and (
                (post.pause.until or now + 1) <= now
                or (
                    (longest and post.pause.reason == "break" and now - post.pause.since > longest)
                    and not post.pause.over
                )
            )
        ]
        return calls + rests

    def step(self, step: tuple[object, ...]) -> None:
        match step:
            case ("join", Waiter() as waiter):
                fact = self.joining(waiter)
                if fact is not None:
                    self.apply(fact)
            case ("leave", str() as call):
                self.taken.pop(call, None)
                self.sent.pop(call, None)
                talk = self.talks.pop(call, None)
                if talk is not None:
                    self.legs.pop(talk[1], None)
                    self.apply(TalkEnded(call, talk[0]))
                self.apply(CallerLeft(call, hung_up=True))
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
                    self.apply(Joined(call, held))
            case ("joined late", int() as n):
                # her leg's end overtook the answer to what joined the two; then the call is over
                call = CALLS[n % len(CALLS)]
                if call in self.floor.waiters and call in self.failed:
                    self.taken.pop(call, None)
                    secretary = self.failed.pop(call)
                    self.apply(Joined(call, secretary))
                    self.apply(TalkEnded(call, secretary))
                    self.apply(CallerLeft(call))
                    assert all(post.call != call for post in self.floor.posts.values())
            case ("talk ended", int() as n):
                call = CALLS[n % len(CALLS)]
                if call in self.talks:
                    secretary, leg = self.talks.pop(call)
                    self.legs.pop(leg, None)
                    self.apply(TalkEnded(call, secretary))
            case ("crashed", int() as n):
                # his story ended without a word about the conversation
                call = CALLS[n % len(CALLS)]
                if call in self.talks:
                    secretary, leg = self.talks.pop(call)
                    self.apply(CallerLeft(call))
                    assert leg not in self.legs
                    assert not isinstance(self.floor.posts[secretary].engaged, InTalk)
            case ("vanished", int() as n):
                call = CALLS[n % len(CALLS)]
                if call in self.talks:
                    secretary, leg = self.talks.pop(call)
                    self.legs.pop(leg, None)
                    self.apply(LegEnded(leg, 44))
                    attempts = self.attempts.get(call, 0)
                    self.apply(
                        CallerJoined(Waiter(call, "quick", "a", self.now, attempts=attempts, head=True))
                    )
                    assert not isinstance(self.floor.posts[secretary].engaged, InTalk)
            case ("served", int() as n):
                ringing = [p for p in self.floor.posts.values() if isinstance(p.engaged, Offered)]
                if ringing:
                    self.serve(ringing[n % len(ringing)].secretary)
            case ("burst", list() as several):
                self.burst(several)
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
            case ("configured", Staff() as staff):
                self.staff = staff
                self.apply(Staffed(staff))
            case ("blind", list() as several):
                self.seeing = False
                for each in several:
                    self.step(each)
                self.seeing = True
                self.apply(TimePassed())
            case ("restart",):
                self.restart()
            case _:
                self.handed_on(step)

    def handed_on(self, step: tuple[object, ...]) -> None:
        """Callers who change secretaries."""
        match step:
            case ("sent on", int() as n, float() as seconds):
                call = CALLS[n % len(CALLS)]
                if call in self.talks:
                    secretary, leg = self.talks.pop(call)
                    self.legs.pop(leg, None)
                    self.sent[call] = secretary
                    self.apply(TalkEnded(call, secretary, self.now + seconds))
            case ("returns", int() as n):
                call = CALLS[n % len(CALLS)]
                if call in self.sent:
                    back = self.sent.pop(call)
                    attempts = self.attempts.get(call, 0)
                    waiter = Waiter(call, "quick", "a", self.now, attempts=attempts, head=True, back_to=back)
                    self.apply(CallerJoined(waiter))
            case ("settled", int() as n):
                call = CALLS[n % len(CALLS)]
                if self.sent.pop(call, None) is not None:
                    self.apply(Settled(call))
                    assert not any(self.keeps(post, call) for post in self.floor.posts.values())
            case ("took over", int() as n, str() as name):
                call, post = CALLS[n % len(CALLS)], self.floor.posts.get(name)
                if call in self.sent and post is not None and not isinstance(post.engaged, InTalk):
                    del self.sent[call]
                    leg = self.dials(name)
                    self.talks[call] = (name, leg)
                    self.apply(TookOver(name, call, leg, self.attempts.get(call, 0) + 1, "slow"))
                    assert not any(self.keeps(post, call) for post in self.floor.posts.values())
            case ("picked up", int() as n, str() as name):
                call = CALLS[n % len(CALLS)]
                waiter, post = self.floor.waiters.get(call), self.floor.posts.get(name)
                free = post is not None and not isinstance(post.engaged, InTalk)
                there = free and waiter is not None and waiter.ringing
                leg = self.dials(name)
                self.apply(PickedUp(name, leg, call))
                assert (self.taken.get(call) == leg) is bool(there), "who rings is picked up, and nobody else"

    @staticmethod
    def keeps(post: Post, call: str) -> bool:
        return (
            isinstance(post.engaged, WrapUp) and post.engaged.call == call and post.engaged.kept is not None
        )

    def dials(self, name: str) -> str:
        self.dialled += 1
        return f"phone-{self.dialled}-{name}"

    def serve(self, name: str) -> None:
        """Her phone, if it rings, is picked up; they talk a second."""
        post = self.floor.posts[name]
        if isinstance(post.engaged, Offered):
            call = post.engaged.call
            self.apply(LegAnswered(post.engaged.leg))
            leg = self.taken.pop(call)
            self.talks[call] = (name, leg)
            self.apply(Joined(call))
            self.pass_time(1.0)
            if self.talks.pop(call, None) is not None:
                self.legs.pop(leg, None)
                self.apply(TalkEnded(call, name))

    def joining(self, waiter: Waiter) -> CallerJoined | None:
        call = waiter.call
        self.failed.pop(call, None)
        self.sent.pop(call, None)
        if call in self.talks or call in self.taken:
            return None  # a story joins only while it waits
        late = None if waiter.max_wait_at is None else self.now + waiter.max_wait_at
        nobody = None if waiter.nobody_from is None else self.now + waiter.nobody_from
        return CallerJoined(
            replace(
                waiter,
                joined=self.now + waiter.joined,
                entered=self.now,
                max_wait_at=late,
                nobody_from=nobody,
                attempts=self.attempts.get(call, 0),
                prefer_until=self.now + waiter.prefer_until,
            )
        )

    def burst(self, several: list[Waiter]) -> None:
        for waiter in several:
            fact = self.joining(waiter)
            if fact is not None:
                outcome = rules.apply(self.floor, fact, self.now, seeing=False)
                assert all(isinstance(decision, Take) for decision in outcome.decisions)
                self.floor = outcome.floor
        self.apply(TimePassed())

    def restart(self) -> None:
        """What was saved, read again, is the same floor; only since when nobody is at work is forgotten."""
        posts = {name: CODEC.load(Post, CODEC.dump(post)) for name, post in self.floor.posts.items()}
        waiting = {call: CODEC.load(Waiter, CODEC.dump(each)) for call, each in self.floor.waiters.items()}
        assert (posts, waiting) == (dict(self.floor.posts), dict(self.floor.waiters))
        self.floor = Floor(Staff({}, {}), posts, waiting)
        self.apply(Staffed(self.staff))

    def pass_time(self, seconds: float) -> None:
        """As the dispatcher does: wake at each deadline on the way."""
        end = self.now + seconds
        if not self.seeing:
            self.now = end
            return
        while (deadline := rules.next_deadline(self.floor, self.now)) is not None and deadline <= end:
            assert deadline > self.now, "a deadline that does not pass would spin for ever"
            self.now = deadline
            self.apply(TimePassed())
            assert not self.overdue(), "a deadline was not kept"
        self.now = end
        self.apply(TimePassed())


@HISTORIES
@given(histories)
def test_no_history_breaks_a_law(history: tuple[set[str], list[tuple[object, ...]]]) -> None:
    world = World(history[0])
    for step in history[1]:
        world.step(step)


@SHORTER
@given(histories, st.data())
def test_a_fact_told_twice_changes_nothing_the_second_time(
    history: tuple[set[str], list[tuple[object, ...]]], data: st.DataObject
) -> None:
    world = World(history[0])
    for step in history[1]:
        world.step(step)
    name = data.draw(st.sampled_from(sorted(world.floor.posts)))
    for fact in (
        PhoneSeen(name, reachable=world.floor.posts[name].registered),
        LegEnded("ring-c0-99-ana"),
        LegRang("ring-c0-99-ana"),
        CallerLeft("c99"),
        Joined("c99"),
        TalkEnded("c99", name),
        TalkEnded("c99", name, world.now + 10.0),
        Settled("c99"),
        TimePassed(),
    ):
        outcome = rules.apply(world.floor, fact, world.now)
        assert outcome.decisions == ()
        assert outcome.floor.waiters == world.floor.waiters
        assert outcome.floor.posts == world.floor.posts


@SHORTER
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
