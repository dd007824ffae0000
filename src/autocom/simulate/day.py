"""One day of the bureau on a virtual clock: callers, phones and secretaries around the real floor.

Every decision is `core.floor.apply`'s and `calls.house`'s, as in production; here are only what the
world does in return: a phone is picked up or not, a conversation ends, a caller loses patience.
Events stand in a heap by instant; the floor's own deadlines are one more of them. What is not told
here (`journey` has it): the steps of a rule. Invariant: nothing reads a clock or an unseeded source
of chance, so the same callers and seed give the same day.
"""

from __future__ import annotations

import heapq
import itertools
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from random import Random

from autocom.calls.house import House
from autocom.calls.opening import decided, staff_of
from autocom.core import floor as rules
from autocom.core.estimate import outlook
from autocom.core.floor_words import (
    CallerJoined,
    CallerLeft,
    FloorFact,
    GiveUp,
    Joined,
    LeaseFailed,
    LegAnswered,
    LegRang,
    LoggedIn,
    LoggedOut,
    Outcome,
    PausedBy,
    PhoneSeen,
    Resumed,
    Ring,
    Staffed,
    StopRinging,
    Take,
    TalkEnded,
    TimePassed,
)
from autocom.core.journal import Entry
from autocom.core.model import ON_ANSWER_AT_MOST, Configuration
from autocom.core.numbers import FRANCE
from autocom.core.offers import NO_SIGN
from autocom.core.pace import Pace
from autocom.core.posts import Floor, Staff, WrapUp
from autocom.core.stages import Following, Leaving, Talking, Waiting
from autocom.core.story import Story, outcome_of_hang_up, waiter
from autocom.core.telephony import CallEntered, RawHeaders
from autocom.simulate.arrivals import Arrival
from autocom.simulate.course import Course, Passed, Watch
from autocom.simulate.journey import End, Pass, Steps, Wait, next_move, way_out
from autocom.simulate.presence import Habits, Presence

_RANG_AFTER = 0.2  # seconds from the INVITE to a phone's 180
_TIMER = 0.001
"""A deadline is acted on that much later, as a real timer is."""
_HEADERS = RawHeaders("")


@dataclass(slots=True)
class _Guest:
    """A caller who is in the house. `busy_until`: until when he hears what must be heard."""

    arrival: Arrival
    story: Story
    team: str | None = None
    offers: int = 0
    taken: Take | None = None
    joined_at: float | None = None
    hears_until: float = 0.0
    must_hear_until: float = 0.0
    foretold: float | None = None  # the instant at which he was to expect somebody


class Bureau:
    """The bureau of a configuration on the virtual clock `now`; `run` is its one day. `foretelling`: note
    what waiting callers could be told, and how wrong it was."""

    def __init__(
        self,
        configuration: Configuration,
        presence: Presence,
        habits: Habits,
        seed: int,
        *,
        foretelling: bool = False,
    ) -> None:
        self.now = 0.0
        self._configuration, self._habits = configuration, habits
        self._presence = {who: shift for who, shift in presence.items() if who in configuration.secretaries}
        self._chance = Random(f"{seed} phones")  # noqa: S311 - a lottery, no secret
        self._floor = Floor(Staff({}, {}))
        self._house = House(FRANCE, lambda: self._floor, self._stories)
        self._house.use(configuration)
        self._guests: dict[str, _Guest] = {}
        self._ringing: set[str] = set()
        self._heap: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = itertools.count()
        self._inbox: deque[FloorFact] = deque()
        self._alarm: float | None = None
        self._watch = Watch()
        self._passed: list[Passed] = []
        self._facts = 0
        self._deciding = False
        self._pace: Pace | None = Pace() if foretelling else None

    def _stories(self) -> Iterable[Story]:
        return (guest.story for guest in self._guests.values())

    def run(self, arrivals: Sequence[Arrival], start: float) -> Course:
        """From `start` until the last caller has gone; `arrivals` in the order of their instants."""
        self.now = start
        self._submit(Staffed(staff_of(self._configuration)))
        self._open(start)
        calls = enumerate(arrivals)
        coming = next(calls, None)
        while coming is not None or self._guests:
            if coming is not None and (not self._heap or coming[1].at <= self._heap[0][0]):
                number, arrival = coming
                self.now = max(arrival.at, start)
                self._arrive(number, arrival)
                coming = next(calls, None)
                continue
            if not self._heap:
                raise RuntimeError("a caller waits for something that nothing will bring")
            self.now, _, act = heapq.heappop(self._heap)
            act()
        return Course(tuple(self._passed), self._watch.close(self.now), self._facts)

    def _later(self, at: float, act: Callable[[], None]) -> None:
        heapq.heappush(self._heap, (max(at, self.now), next(self._numbers), act))

    # --- secretaries ---

    def _open(self, start: float) -> None:
        for who, shift in self._presence.items():
            self._submit(PhoneSeen(who, reachable=True))
            for begins, ends in shift.works:
                if ends > start:
                    self._later(max(begins, start), partial(self._staff_changes, LoggedIn(who)))
                    self._later(ends, partial(self._staff_changes, LoggedOut(who)))
            for begins, ends in shift.breaks:
                if ends > start:
                    self._later(max(begins, start), partial(self._submit, PausedBy(who, "lunch")))
                    self._later(ends, partial(self._submit, Resumed(who)))

    def _staff_changes(self, fact: FloorFact) -> None:
        """Who is at work is a condition of rules: whoever waits has them read again."""
        self._submit(fact)
        for call in [c for c, g in self._guests.items() if isinstance(g.story.stage, Waiting)]:
            self._review(call)

    def _states(self, outcome: Outcome) -> None:
        for entry in outcome.entries:
            self._note(entry)
            if entry.kind != "secretary_state":
                continue
            who, state = str(entry.fields["secretary"]), str(entry.fields["state"])
            self._watch.note(who, state, self.now)
            if state == "paused" and entry.fields.get("reason") == "no_answer":
                self._later(self.now + self._habits.back_after, partial(self._submit, Resumed(who)))

    def _rings(self, ring: Ring) -> None:
        self._ringing.add(ring.leg)
        self._guests[ring.call].offers += 1
        habits, chance = self._habits, self._chance
        lets_it_ring = chance.random() < habits.no_answer
        picked = self.now + habits.pick_up.draw(chance)
        misses = lets_it_ring or picked >= ring.until
        if misses or picked >= self.now + NO_SIGN:
            # misses count only for phones that said they rang, and one that says nothing for long is left out
            self._later(self.now + _RANG_AFTER, partial(self._submit, LegRang(ring.leg)))
        if not misses:
            self._later(picked, partial(self._picks_up, ring.leg))

    def _picks_up(self, leg: str) -> None:
        if leg in self._ringing:
            self._ringing.discard(leg)
            self._submit(LegAnswered(leg))

    def _wraps_up(self, who: str) -> None:
        """She ends her wrap-up early, where her habit is shorter than what the client allows."""
        post = self._floor.posts[who]
        if self._habits.wrap_up is None or not isinstance(post.engaged, WrapUp):
            return
        done = self.now + self._habits.wrap_up.draw(self._chance)
        if done < post.engaged.until:
            self._later(done, partial(self._done, who, post.engaged))

    def _done(self, who: str, work: WrapUp) -> None:
        post = self._floor.posts[who]
        if post.engaged == work and post.pause is None:
            self._submit(Resumed(who))

    # --- what could be announced ---

    def _note(self, entry: Entry) -> None:
        """Keep the pace that announcements are made from, as the exchange does from its journal."""
        if self._pace is not None:
            self._pace = self._pace.after(entry)

    def _foretell(self, call: str, guest: _Guest) -> None:
        """When he who has to wait should expect somebody."""
        place = self._floor.waiters.get(call)
        if self._pace is None or place is None or place.ringing or place.held is not None:
            return
        seen = outlook(place, self._floor, self._pace, self.now)
        if seen is not None and seen.wait is not None:
            guest.foretold = self.now + seen.wait

    # --- the floor ---

    def _submit(self, fact: FloorFact) -> None:
        """Decide, as the dispatcher does: one fact after the other, decisions carried out in between."""
        self._inbox.append(fact)
        if self._deciding:
            return
        self._deciding = True
        while self._inbox:
            outcome = rules.apply(self._floor, self._inbox.popleft(), self.now)
            self._floor = outcome.floor
            self._facts += 1
            self._states(outcome)
            for decision in outcome.decisions:
                match decision:
                    case Ring():
                        self._rings(decision)
                    case StopRinging(leg):
                        self._ringing.discard(leg)
                    case Take():
                        self._takes(decision)
                    case GiveUp():
                        self._sent_away(decision)
                    case LeaseFailed(call):
                        self._guests[call].taken = None
        self._deciding = False
        deadline = rules.next_deadline(self._floor, self.now)
        if deadline is not None and (self._alarm is None or deadline < self._alarm):
            self._alarm = deadline
            self._later(deadline + _TIMER, partial(self._wake, deadline))

    def _wake(self, deadline: float) -> None:
        if self._alarm == deadline:
            self._alarm = None
            self._submit(TimePassed())

    # --- callers ---

    def _arrive(self, number: int, arrival: Arrival) -> None:
        house, call_id = self._house, f"c{number}"
        client = self._configuration.clients.get(arrival.client)
        if client is None:
            client = self._configuration.clients[self._configuration.bureau.unknown_client]
        waiting = house.waiting(client)
        choice = house.choice(client, arrival.identity, self.now, waiting)
        fact = CallEntered(call_id, self.now, None, _HEADERS)
        call = decided(call_id, fact, arrival.identity, client, choice, house.version, waiting)
        steps = way_out(choice, client)
        self._guests[call_id] = _Guest(arrival, Story(call, Following(steps)))
        self._later(arrival.at + arrival.patience, partial(self._hangs_up, call_id))
        self._go_on(call_id, steps)

    def _go_on(self, call: str, steps: Steps) -> None:
        """The next of the steps."""
        guest = self._guests.get(call)
        if guest is None:
            return
        guest.story = replace(guest.story, stage=Following(steps))
        match next_move(self._house, guest.story, steps, self.now):
            case End(outcome):
                self._ends(call, outcome)
            case Pass(seconds, rest):
                self._later(self.now + seconds, partial(self._go_on, call, rest))
            case Wait() as wait:
                self._joins_queue(call, guest, wait)

    def _joins_queue(self, call: str, guest: _Guest, wait: Wait) -> None:
        stage = wait.stage
        guest.story = replace(guest.story, stage=stage, waiting_since=stage.joined)
        guest.team = guest.team or stage.reaches
        guest.hears_until = self.now + wait.hears
        guest.must_hear_until = self.now + wait.must_hear
        self._later_review(call, guest.story)
        self._note(Entry(self.now, "queued", call))
        self._submit(CallerJoined(waiter(guest.story, stage)))
        self._foretell(call, guest)

    def _later_review(self, call: str, story: Story) -> None:
        at = self._house.next_review(story, self.now)
        if at is not None:
            self._later(at, partial(self._review, call))

    def _review(self, call: str) -> None:
        """His client closes, or somebody's coming or going makes another rule hold."""
        guest = self._guests.get(call)
        if guest is None or guest.taken is not None or not isinstance(guest.story.stage, Waiting):
            return
        found = self._house.review(guest.story, guest.story.stage.queue, self.now)
        if found is None:
            self._later_review(call, guest.story)
            return
        attempts = self._house.offers(call)
        guest.story = replace(
            guest.story,
            way_out=found.way_out,
            rule=found.choice.rule.name,
            attempts=attempts,
            stage=found.stage,
        )
        self._note(Entry(self.now, "dequeued", call))
        self._submit(CallerLeft(call))
        self._go_on(call, found.stage.steps)

    def _sent_away(self, out: GiveUp) -> None:
        guest = self._guests[out.call]
        stage = guest.story.stage
        if not isinstance(stage, Waiting):
            return
        steps = stage.queue.on_nobody if out.why == "nobody" else stage.queue.on_timeout
        guest.story = replace(guest.story, way_out=out.why, attempts=out.attempts, stage=Following(steps))
        self._later(max(self.now, guest.hears_until), partial(self._go_on, out.call, steps))

    def _takes(self, take: Take) -> None:
        guest = self._guests[take.call]
        guest.taken = take
        stage = guest.story.stage
        greeting = stage.queue.on_answer if isinstance(stage, Waiting) else None
        greets = 0.0 if greeting is None else min(greeting.seconds, ON_ANSWER_AT_MOST)
        # out of this decision, so that its other facts are taken in first
        self._later(max(self.now, guest.must_hear_until) + greets, partial(self._talks, take))

    def _talks(self, take: Take) -> None:
        guest = self._guests.get(take.call)
        if guest is None or guest.taken is not take or not isinstance(guest.story.stage, Waiting):
            return
        guest.joined_at = self.now
        stage = Talking(take.secretary, take.leg, take.attempt, guest.story.stage, self.now)
        guest.story = replace(guest.story, stage=stage)
        self._note(Entry(self.now, "bridged", take.call, {"secretary": take.secretary}))
        self._submit(Joined(take.call, take.secretary))
        self._later(self.now + guest.arrival.talk, partial(self._parts, take))

    def _parts(self, take: Take) -> None:
        self._note(Entry(self.now, "talk_ended", take.call, {"secretary": take.secretary}))
        self._ends(take.call, "served", take.secretary)
        self._submit(TalkEnded(take.call, take.secretary))
        self._wraps_up(take.secretary)

    def _hangs_up(self, call: str) -> None:
        guest = self._guests.get(call)
        if guest is None or guest.joined_at is not None:
            return
        self._ends(call, outcome_of_hang_up(guest.story))
        self._submit(CallerLeft(call))

    def _ends(self, call: str, outcome: str, secretary: str | None = None) -> None:
        guest = self._guests.pop(call)
        guest.story = replace(guest.story, stage=Leaving(outcome))
        self._note(Entry(self.now, "ended", call, {"outcome": outcome}))
        until = self.now if guest.joined_at is None else guest.joined_at
        levels = self._floor.staff.levels.get(secretary, {}) if secretary else {}
        passed = Passed(
            at=guest.arrival.at,
            client=guest.story.call.client.id,
            outcome=outcome,
            team=guest.team,
            wait=until - guest.arrival.at,
            talk=0.0 if guest.joined_at is None else self.now - guest.joined_at,
            offers=guest.offers,
            secretary=secretary,
            own=guest.team in levels,
            misjudged=None if guest.foretold is None or guest.joined_at is None else until - guest.foretold,
        )
        self._passed.append(passed)


def simulate(
    configuration: Configuration,
    arrivals: Sequence[Arrival],
    presence: Presence,
    habits: Habits,
    *,
    start: float,
    seed: int = 0,
    foretelling: bool = False,
) -> Course:
    """One day from `start`, with these callers. Their number is the only limit on its length."""
    return Bureau(configuration, presence, habits, seed, foretelling=foretelling).run(arrivals, start)
