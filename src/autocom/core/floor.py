"""The floor: who waits, who is free, who rings whom. One pure function, `apply`.

Facts in the past tense go in (`CallerJoined`, `LegAnswered`, …); a new floor, decisions in the
imperative (`Ring`, `StopRinging`, `Take`, `GiveUp`) and journal entries come out. It knows
nothing of Asterisk, clocks or storage; `calls.dispatcher` saves the result and carries it out.
Invariants, held by `tests/core/test_floor_properties.py`: never two secretaries for one
caller, never two calls for one secretary, nobody free while a caller she may take is waiting,
a fact that arrives twice or late changes nothing. The orders are in `ranking.py`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import assert_never

from autocom.core import ranking
from autocom.core.floor_words import (
    CallerJoined,
    CallerLeft,
    Decision,
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
    TimePassed,
)
from autocom.core.journal import Entry, Json
from autocom.core.model import Ringing
from autocom.core.naming import leg_id, leg_of
from autocom.core.posts import Floor, Idle, InTalk, Offered, Pause, Post, Staff, Waiter, WrapUp
from autocom.core.telephony import Cause

REST_AFTER_NO_ANSWER = 1.0
REST_AFTER_REFUSAL = 3.0
"""Seconds a phone that did not answer, or refused, is left alone. Without it a phone on "do not
disturb" (486 at once) and a single waiting caller would ring in circles at the speed of SIP."""


def apply(floor: Floor, fact: FloorFact, now: float, *, seeing: bool = True) -> Outcome:
    """Decide. Deadlines that have passed are dealt with on every call, so `TimePassed` is only a wake-up.

    Not `seeing` (Asterisk's events are away): the fact is taken in, but nothing is concluded from silence
    and nobody is offered anything, since a phone may have been picked up that we do not hear of."""
    draft = _Draft(floor, now)
    draft.take_in(fact)
    draft.forget_the_removed()
    if not seeing:
        return draft.outcome(floor)
    draft.expire()
    draft.note_staffing()
    draft.match()
    return draft.outcome(floor)


def next_deadline(floor: Floor, now: float) -> float | None:
    """The instant at which `TimePassed` must be applied even if nothing happens."""
    return min(_deadlines(floor, now), default=None)


def _deadlines(floor: Floor, now: float) -> Iterable[float]:
    for post in floor.posts.values():
        match post.engaged:
            case Offered(until=until) | WrapUp(until=until):
                yield until
            case Idle() if post.rest_until > now and floor.waiters:
                yield post.rest_until
    for waiter in floor.waiters.values():
        if waiter.held is not None:
            continue
        if waiter.max_wait_at is not None:
            yield waiter.max_wait_at
        nobody_at = _nobody_at(waiter, floor)
        if nobody_at is not None:
            yield nobody_at
        team = floor.staff.teams.get(waiter.team)
        for step in team.widen if team else ():
            if waiter.joined + step.after > now:
                yield waiter.joined + step.after


def _nobody_at(waiter: Waiter, floor: Floor) -> float | None:
    """When an empty floor sends this caller to his way out; None while somebody is there."""
    since = floor.empty_since.get(waiter.team)
    if since is None or waiter.nobody_from is None:
        return None
    # whoever was already waiting gets a grace: a softphone that re-registers is not an empty floor
    return max(waiter.nobody_from, since + ranking.NOBODY_GRACE if since > waiter.joined else since)


class _Draft:
    """One decision in the making: copies of the floor's maps, changed in place, private to `apply`."""

    def __init__(self, floor: Floor, now: float) -> None:
        self.now = now
        self.staff = floor.staff
        self.posts = dict(floor.posts)
        self.waiters = dict(floor.waiters)
        self.empty_since = dict(floor.empty_since)
        self.decisions: list[Decision] = []
        self.entries: list[Entry] = []

    def outcome(self, before: Floor) -> Outcome:
        """The result, with an entry for each secretary whose visible state is another now."""
        for name, post in self.posts.items():
            old = before.posts.get(name)
            if old is post:
                continue
            if old is None or old.state != post.state or old.pause != post.pause or old.call != post.call:
                self.posts[name] = replace(post, since=self.now)
                fields: dict[str, Json] = {"secretary": name, "state": post.state, "call": post.call}
                if post.pause is not None:
                    fields["reason"] = post.pause.reason
                self.entries.append(Entry(self.now, "secretary_state", None, fields))
        floor = Floor(self.staff, self.posts, self.waiters, self.empty_since)
        return Outcome(floor, tuple(self.decisions), tuple(self.entries))

    # --- facts ---

    def take_in(self, fact: FloorFact) -> None:
        match fact:
            case Staffed(staff):
                self._restaff(staff)
            case CallerJoined(waiter):
                # a caller who joins again keeps his offers and tries
                self.waiters.setdefault(waiter.call, waiter)
                self._take_again(waiter.call)
                if not ranking.staffed(waiter, Floor(self.staff, self.posts)):
                    # it was empty before he came (his joining is older than this decision by some ms)
                    self.empty_since.setdefault(waiter.team, waiter.joined)
            case CallerLeft(call):
                self._drop(call, Cause.NORMAL)
            case LegRang(leg):
                self._leg_rang(leg)
            case LegAnswered(leg):
                self._leg_answered(leg)
            case LegEnded(leg, cause, sip):
                self._leg_ended(leg, cause, sip)
            case Joined(call):
                self._joined(call)
            case TalkEnded(call, secretary):
                self._talk_ended(call, secretary)
            case TimePassed():
                pass
            case _:
                self._about_a_post(fact)

    def _take_again(self, call: str) -> None:
        """A story that starts anew (crash, or Asterisk out of reach) must hear again that he was taken."""
        held = self.waiters[call].held
        post = self.posts.get(held) if held is not None else None
        if post is not None and isinstance(post.engaged, InTalk) and post.engaged.call == call:
            self.decisions.append(Take(call, post.secretary, post.engaged.leg, post.engaged.attempt))

    def _joined(self, call: str) -> None:
        """He talks. A lease that had failed meanwhile may have rung others: they are let off."""
        waiter = self.waiters.get(call)
        for secretary in waiter.ringing if waiter is not None else ():
            post = self.posts[secretary]
            if isinstance(post.engaged, Offered):
                self._withdraw(post, post.engaged, "withdrawn", Cause.ANSWERED_ELSEWHERE)
        self.waiters.pop(call, None)

    def forget_the_removed(self) -> None:
        """Who was removed from the configuration is gone as soon as she has no call."""
        if len(self.posts) > len(self.staff.levels):
            for name in [n for n in self.posts if n not in self.staff.levels]:
                if isinstance(self.posts[name].engaged, Idle):
                    del self.posts[name]

    def _about_a_post(self, fact: PhoneSeen | PhoneUsed | LoggedIn | LoggedOut | PausedBy | Resumed) -> None:
        post = self.posts.get(fact.secretary)
        if post is None:
            return
        match fact:
            case PhoneSeen(_, reachable):
                auto = reachable and not post.registered and post.secretary in self.staff.auto_login
                post = replace(post, registered=reachable, logged_in=post.logged_in or auto)
            case PhoneUsed(_, in_use):
                # back from a call of her own: she has been idle only since now
                idle = self.now if post.own_call and not in_use else post.idle_since
                post = replace(post, own_call=in_use, idle_since=idle)
            case LoggedIn():
                post = replace(
                    post, logged_in=True, misses=0, pause=None if not post.logged_in else post.pause
                )
            case LoggedOut():
                post = replace(post, logged_in=False, pause=None)
            case PausedBy(_, reason):
                post = replace(post, pause=Pause(reason, self.now))
            case Resumed():
                post = replace(post, pause=None, misses=0)
                if isinstance(post.engaged, WrapUp):
                    post = self._shorten(post, post.engaged)
            case _:
                assert_never(fact)
        self.posts[post.secretary] = post
        if isinstance(post.engaged, Offered):
            if not post.registered:
                # her phone is gone: ringing on until the end of her turn would cost the caller that time
                self._withdraw(post, post.engaged, "unreachable", Cause.NORMAL)
            elif not post.logged_in or post.pause is not None or post.own_call:
                self._withdraw(post, post.engaged, "withdrawn", Cause.NORMAL)

    def _restaff(self, staff: Staff) -> None:
        self.staff = staff
        for name in staff.levels:
            if name not in self.posts:
                self.posts[name] = Post(name, idle_since=self.now, since=self.now)

    # --- offers ---

    def _engaged_with(self, leg: str) -> tuple[Post, Offered | InTalk] | None:
        named = leg_of(leg)
        post = self.posts.get(named.secretary) if named else None
        if post is not None and isinstance(post.engaged, Offered | InTalk) and post.engaged.leg == leg:
            return post, post.engaged
        return None

    def _leg_rang(self, leg: str) -> None:
        found = self._engaged_with(leg)
        if found is None:
            return
        post, offer = found
        if isinstance(offer, Offered) and not offer.rang:
            self.posts[post.secretary] = replace(post, engaged=replace(offer, rang=True))
            self.entries.append(
                Entry(self.now, "ringing", offer.call, {"secretary": post.secretary, "leg": leg})
            )

    def _leg_answered(self, leg: str) -> None:
        found = self._engaged_with(leg)
        if found is None:
            # answered after its turn ended, or a leg nobody remembers: the phone must not stay alone on the line
            self.decisions.append(StopRinging(leg, Cause.ANSWERED_ELSEWHERE))
            return
        post, offer = found
        if isinstance(offer, InTalk):
            return
        waiter = self.waiters.get(offer.call)
        if waiter is None:
            self._withdraw(post, offer, "withdrawn", Cause.ANSWERED_ELSEWHERE)
            return
        self._end_offer(post, offer, "answered")
        talk = InTalk(offer.call, leg, offer.attempt, waiter.client, self.now)
        self.posts[post.secretary] = replace(
            self.posts[post.secretary], engaged=talk, misses=0, calls=post.calls + 1
        )
        for other in self.waiters[offer.call].ringing:
            loser = self.posts[other]
            if isinstance(loser.engaged, Offered):
                self._withdraw(loser, loser.engaged, "withdrawn", Cause.ANSWERED_ELSEWHERE)
        self.waiters[offer.call] = replace(self.waiters[offer.call], held=post.secretary)
        self.decisions.append(Take(offer.call, post.secretary, leg, offer.attempt))

    def _leg_ended(self, leg: str, cause: int, sip: int | None) -> None:
        found = self._engaged_with(leg)
        if found is None:
            return
        post, engaged = found
        if isinstance(engaged, InTalk):
            waiter = self.waiters.get(engaged.call)
            if waiter is None:
                return  # joined: the story hears of it and ends the talk
            # a bridge attempt is a lease: he has his old place with his old waiting time
            self.waiters[engaged.call] = replace(waiter, held=None)
            self.posts[post.secretary] = self._rested(post, REST_AFTER_NO_ANSWER)
            self.decisions.append(LeaseFailed(engaged.call, leg))
            return
        refused = cause in (Cause.BUSY, Cause.REJECTED, Cause.NORMAL)
        self._end_offer(post, engaged, "refused" if refused else "unreachable", cause, sip)
        self._missed(post.secretary, REST_AFTER_REFUSAL, counts=refused)

    def _withdraw(self, post: Post, offer: Offered, result: str, cause: Cause) -> None:
        """End an offer from our side; the secretary is idle again."""
        self._end_offer(post, offer, result)
        self.posts[post.secretary] = replace(self.posts[post.secretary], engaged=Idle())
        self.decisions.append(StopRinging(offer.leg, cause))

    def _end_offer(
        self, post: Post, offer: Offered, result: str, cause: int | None = None, sip: int | None = None
    ) -> None:
        fields: dict[str, Json] = {
            "secretary": post.secretary,
            "attempt": offer.attempt,
            "leg": offer.leg,
            "result": result,
        }
        if cause is not None:
            fields |= {"cause": cause, "sip": sip}
        self.entries.append(Entry(self.now, "offer_ended", offer.call, fields))
        waiter = self.waiters.get(offer.call)
        if waiter is not None:
            tried = waiter.tried
            if result in {"no_answer", "refused", "unreachable"}:
                tried = {**tried, post.secretary: tried.get(post.secretary, 0) + 1}
            ringing = tuple(s for s in waiter.ringing if s != post.secretary)
            self.waiters[offer.call] = replace(waiter, tried=tried, ringing=ringing)

    def _missed(self, secretary: str, rest: float, *, counts: bool) -> None:
        """She let it ring or refused: count it, and pause her after too many in a row. A phone that never
        rang (network, Asterisk) is not her doing and does not count."""
        post = self._rested(self.posts[secretary], rest)
        post = replace(post, misses=post.misses + counts)
        if self.staff.pause_after and post.misses >= self.staff.pause_after and post.pause is None:
            post = replace(post, pause=Pause("no_answer", self.now))
        self.posts[secretary] = post

    def _rested(self, post: Post, seconds: float) -> Post:
        return replace(post, engaged=Idle(), rest_until=self.now + seconds)

    # --- ends ---

    def _drop(self, call: str, cause: Cause) -> None:
        """The caller is no longer in the queue: end whatever rings for him."""
        waiter = self.waiters.get(call)
        if waiter is None:
            return
        for secretary in waiter.ringing:
            post = self.posts[secretary]
            if isinstance(post.engaged, Offered):
                self._withdraw(post, post.engaged, "withdrawn", cause)
        self.waiters.pop(call, None)
        if waiter.held is not None:
            held = self.posts.get(waiter.held)
            if held is not None and isinstance(held.engaged, InTalk) and held.engaged.call == call:
                # he left between her pick-up and the bridge: she talked to nobody, so no wrap-up
                self.posts[held.secretary] = replace(held, engaged=Idle(), idle_since=self.now)
                self.decisions.append(StopRinging(held.engaged.leg, Cause.NORMAL))

    def _talk_ended(self, call: str, secretary: str) -> None:
        post = self.posts.get(secretary)
        if post is None or not isinstance(post.engaged, InTalk) or post.engaged.call != call:
            return
        low, high = self.staff.wrap_up.get(post.engaged.client, (0.0, 0.0))
        post = replace(post, idle_since=self.now, engaged=Idle())
        if high > 0:
            post = replace(post, engaged=WrapUp(call, self.now, self.now + low, self.now + max(low, high)))
            self.entries.append(Entry(self.now, "wrap_up_started", call, {"secretary": secretary}))
        self.posts[secretary] = post

    def _shorten(self, post: Post, work: WrapUp) -> Post:
        """`*48` ends wrap-up, but not before the client's minimum."""
        if work.earliest > self.now:
            return replace(post, engaged=replace(work, until=work.earliest))
        return self._end_wrap_up(post, work, "secretary")

    def _end_wrap_up(self, post: Post, work: WrapUp, by: str) -> Post:
        self.entries.append(
            Entry(self.now, "wrap_up_ended", work.call, {"secretary": post.secretary, "by": by})
        )
        return replace(post, engaged=Idle(), idle_since=self.now)

    # --- time and matching ---

    def expire(self) -> None:
        """Deal with every deadline that has passed."""
        for name, post in list(self.posts.items()):
            match post.engaged:
                case Offered(until=until) as offer if until <= self.now:
                    self._end_offer(post, offer, "no_answer")
                    self.decisions.append(StopRinging(offer.leg, Cause.NO_ANSWER))
                    self._missed(name, REST_AFTER_NO_ANSWER, counts=offer.rang)
                case WrapUp(until=until) as work if until <= self.now:
                    self.posts[name] = self._end_wrap_up(post, work, "time")
                case _:
                    pass
        for call, waiter in list(self.waiters.items()):
            if waiter.held is None and waiter.max_wait_at is not None and waiter.max_wait_at <= self.now:
                self._give_up(call, "timeout")

    def _give_up(self, call: str, why: str) -> None:
        attempts = self.waiters[call].attempts
        self._drop(call, Cause.NO_ANSWER)
        self.entries.append(Entry(self.now, "dequeued", call, {"why": why}))
        self.decisions.append(GiveUp(call, why, attempts))

    def note_staffing(self) -> None:
        """Keep since when each waiting team has had no staff, and send callers away whose rule says so."""
        floor = Floor(self.staff, self.posts, self.waiters, self.empty_since)
        teams: dict[str, bool] = {}
        for waiter in self.waiters.values():
            if waiter.team not in teams:
                teams[waiter.team] = ranking.staffed(waiter, floor)
        for team, staffed in teams.items():
            if staffed:
                self.empty_since.pop(team, None)
            else:
                self.empty_since.setdefault(team, self.now)
        for team in [t for t in self.empty_since if t not in teams]:
            del self.empty_since[team]
        for call, waiter in list(self.waiters.items()):
            at = None if waiter.held else _nobody_at(waiter, floor)
            if at is not None and at <= self.now:
                self._give_up(call, "nobody")

    def match(self) -> None:
        """Offer every caller who can be offered: most urgent first, each to the best free secretary."""
        free = sum(post.free(self.now) for post in self.posts.values())
        if not free:
            return
        idle = [
            w for w in self.waiters.values() if w.held is None and (not w.ringing or w.ring is Ringing.ALL)
        ]
        for waiter in ranking.callers(idle, self.now):
            floor = Floor(self.staff, self.posts, self.waiters)
            found = ranking.candidates(waiter, floor, self.now)
            chosen = found if waiter.ring is Ringing.ALL else found[:1]
            for place, post in chosen:
                self._offer(waiter.call, post, place, [p.secretary for _, p in found])
                free -= 1
            if free <= 0:
                return

    def _offer(self, call: str, post: Post, place: tuple[float, ...], eligible: list[str]) -> None:
        waiter = self.waiters[call]
        attempt = waiter.attempts + 1
        leg = leg_id(call, attempt, post.secretary)
        until = self.now + waiter.ring_for
        self.posts[post.secretary] = replace(
            post, engaged=Offered(call, leg, attempt, self.now, until), last_offer=self.now
        )
        self.waiters[call] = replace(waiter, attempts=attempt, ringing=(*waiter.ringing, post.secretary))
        why: dict[str, Json] = {
            "score": round(ranking.score(waiter, self.now), 3),
            "waited_ms": round((self.now - waiter.joined) * 1000),
            "tried_before": int(place[0]),
            "widened": int(place[1]),
            "level": int(place[2]),
            "idle_ms": round((self.now - post.idle_since) * 1000),
            "eligible": list(eligible),
        }
        self.entries.append(
            Entry(
                self.now,
                "offered",
                call,
                {"secretary": post.secretary, "attempt": attempt, "leg": leg, "why": why},
            )
        )
        self.decisions.append(Ring(call, post.secretary, attempt, leg, until))
