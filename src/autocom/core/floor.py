"""The floor: who waits, who is free, who rings whom. One pure function, `apply`.

Facts in the past tense go in (`CallerJoined`, `LegAnswered`, …); a new floor, decisions in the
imperative (`Ring`, `StopRinging`, `Take`, `GiveUp`) and journal entries come out. It knows
nothing of Asterisk, clocks or storage; `calls.dispatcher` saves the result and carries it out.
Invariants, held by `tests/core/test_floor_properties.py`: never two secretaries for one
caller, never two calls for one secretary, nobody free while a caller she may take is waiting,
a fact that arrives twice or late changes nothing. The orders are in `ranking`, who is offered to
whom in `matching`, an offer's life in `offers`, rests and quotas in `pauses`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import assert_never

from autocom.core import offers, pauses, ranking, sent, unstaffed
from autocom.core.board import Board
from autocom.core.draft import Draft
from autocom.core.floor_words import (
    CallerJoined,
    CallerLeft,
    FloorFact,
    GiveUp,
    Joined,
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
    Settled,
    Staffed,
    StopRinging,
    Take,
    TalkEnded,
    Tell,
    TimePassed,
    TookOver,
)
from autocom.core.matching import make_room, match
from autocom.core.offers import REST_AFTER_NO_ANSWER, REST_AFTER_REFUSAL
from autocom.core.posts import Floor, Idle, InTalk, Offered, Pause, Post, Staff, Waiter, WrapUp
from autocom.core.telephony import Cause

__all__ = ["REST_AFTER_NO_ANSWER", "REST_AFTER_REFUSAL", "apply", "next_deadline"]

KNOWN_FOR = 5.0
"""Seconds for which the secretary he talked to the last time is the only one asked, if she is free."""


def apply(floor: Floor, fact: FloorFact, now: float, *, seeing: bool = True) -> Outcome:
    """Decide. Deadlines that have passed are dealt with on every call, so `TimePassed` is only a wake-up.

    Not `seeing` (Asterisk's events are away): the fact is taken in, but nothing is concluded from silence
    and nobody is offered anything, since a phone may have been picked up that we do not hear of.

    As a function it is pure. It is fast on the newest floor, whose board it takes over and hands on."""
    newcomer = _newcomer(floor, fact)
    draft = Draft(floor, now)
    done = False
    try:
        _take_in(draft, fact)
        if seeing:
            _expire(draft)
            match(draft)
            if newcomer is not None:
                make_room(draft, newcomer)
        _forget_the_removed(draft)
        outcome = draft.outcome()
        done = True
    finally:
        if not done:
            draft.undo()
    return outcome


def _newcomer(floor: Floor, fact: FloorFact) -> str | None:
    """The call that joins for the first time, asked before the draft changes what the floor shows."""
    return (
        fact.waiter.call if isinstance(fact, CallerJoined) and fact.waiter.call not in floor.waiters else None
    )


def next_deadline(floor: Floor, now: float) -> float | None:
    """The instant at which `TimePassed` must be applied even if nothing happens."""
    board = Board.of(floor)
    board.refresh(now)
    return board.next_alarm()


# --- facts -----------------------------------------------------------------------------------


def _take_in(draft: Draft, fact: FloorFact) -> None:
    match fact:
        case Staffed(staff):
            _restaff(draft, staff)
        case CallerJoined(waiter):
            _caller_joined(draft, waiter)
        case CallerLeft(call, cause, hung_up):
            _drop(draft, call, cause, hung_up=hung_up)
        case LegRang(leg):
            offers.rang(draft, leg)
        case LegAnswered(leg):
            offers.answered(draft, leg)
        case LegEnded(leg, cause, sip):
            offers.ended(draft, leg, cause, sip)
        case Joined() | TalkEnded() | TookOver() | PickedUp() | Settled():
            _about_a_talk(draft, fact)
        case TimePassed():
            pass
        case _:
            _about_a_post(draft, fact)


def _about_a_talk(draft: Draft, fact: Joined | TalkEnded | TookOver | PickedUp | Settled) -> None:
    match fact:
        case Joined(call, secretary):
            # he talks. A lease that had failed meanwhile may have rung others: they are let off
            offers.stop_others(draft, call)
            waited = draft.waiters.get(call)
            if waited is not None:
                draft.drop_waiter(call)
                if secretary is not None and waited.held != secretary:
                    _let_off(draft, waited, Cause.ANSWERED_ELSEWHERE)
        case TalkEnded(call, secretary, until, lost):
            _talk_ended(draft, call, secretary, until, lost=lost)
        case TookOver():
            sent.took_over(draft, fact)
            _settled(draft, fact.call)
        case PickedUp():
            offers.picked_up(draft, fact)
        case Settled(call):
            _settled(draft, call)
        case _:
            assert_never(fact)


def _caller_joined(draft: Draft, waiter: Waiter) -> None:
    known = draft.waiters.get(waiter.call)
    if known is not None:
        # a caller who joins again keeps his offers and tries; a story that starts anew (crash, or Asterisk
        # out of reach) must hear again that he was taken
        post = draft.posts.get(known.held) if known.held is not None else None
        if post is not None and isinstance(post.engaged, InTalk) and post.engaged.call == waiter.call:
            draft.decisions.append(Take(waiter.call, post.secretary, post.engaged.leg, post.engaged.attempt))
        return
    if waiter.head:
        # rare, and the one fact that says it: told apart, a crash in between would leave her talking for ever
        for post in list(draft.posts.values()):
            if isinstance(post.engaged, InTalk) and post.engaged.call == waiter.call:
                if waiter.dropped:
                    draft.put(offers.rested(draft, post, REST_AFTER_REFUSAL))
                elif waiter.back_to is None:
                    _vanished(draft, post)
    if waiter.back_to is not None:
        waiter = sent.returns(draft, waiter)
    hers = draft.posts.get(waiter.known or "")
    if hers is not None and hers.free(draft.now) and not waiter.prefer:
        waiter = replace(waiter, prefer=(hers.secretary,), prefer_until=draft.now + KNOWN_FOR)
    draft.refresh()  # he may have left another queue just now: what was filed of him there must be gone first
    draft.put(waiter)
    unstaffed.joined(draft, waiter)


def _restaff(draft: Draft, staff: Staff) -> None:
    for name in staff.levels:
        if name not in draft.posts:
            draft.put(Post(name, idle_since=draft.now, since=draft.now))
    draft.board.restaff(staff)


def _forget_the_removed(draft: Draft) -> None:
    """Who was removed from the configuration is gone as soon as she has no call."""
    for name in list(draft.board.removed):
        if name not in draft.posts or isinstance(draft.posts[name].engaged, Idle):
            draft.board.removed.discard(name)
            if name in draft.posts:
                draft.drop_post(name)


def _about_a_post(
    draft: Draft, fact: PhoneSeen | PhoneUsed | LoggedIn | LoggedOut | PausedBy | Resumed
) -> None:
    post = draft.posts.get(fact.secretary)
    if post is None:
        return
    post = _changed(draft, post, fact)
    draft.put(post)
    if isinstance(post.engaged, Offered):
        if not post.registered:
            # her phone is gone: ringing on until the end of her turn would cost the caller that time
            offers.withdraw(draft, post, post.engaged, "unreachable", Cause.NORMAL)
        elif not post.logged_in or post.pause is not None or post.own_call:
            offers.withdraw(draft, post, post.engaged, "withdrawn", Cause.NORMAL)


def _changed(
    draft: Draft, post: Post, fact: PhoneSeen | PhoneUsed | LoggedIn | LoggedOut | PausedBy | Resumed
) -> Post:
    match fact:
        case PhoneSeen(reachable=reachable):
            back = reachable and not post.registered
            auto = back and post.secretary in draft.staff.auto_login
            post = replace(post, registered=reachable, logged_in=post.logged_in or auto)
            if reachable and (back or fact.moved):
                post = replace(offers.alive(draft, post), seen=draft.now)
            if back and post.pause is not None and post.pause.reason == pauses.VANISHED:
                post = replace(post, pause=None)
        case PhoneUsed(_, in_use):
            # back from a call of her own: she has been idle only since now
            idle = draft.now if post.own_call and not in_use else post.idle_since
            post = replace(post, own_call=in_use, idle_since=idle)
            if in_use:
                post = offers.alive(draft, post)
        case LoggedIn():
            pause = None if not post.logged_in else post.pause
            # who was away has not been idle: else whoever comes back from lunch is asked first
            idle = post.idle_since if post.logged_in else draft.now
            post = replace(post, logged_in=True, misses=0, pause=pause, idle_since=idle)
        case LoggedOut():
            post = replace(post, logged_in=False, pause=None)
        case PausedBy(_, reason):
            if post.pause is None or post.pause.reason != reason:
                post = replace(post, pause=Pause(reason, draft.now))
        case Resumed():
            # her word counts as a rest: who says in her wrap-up that she is ready wants no breather after it
            rested = post.pause is not None or isinstance(post.engaged, WrapUp)
            streak = 0 if rested else post.streak
            idle = post.idle_since if post.pause is None else draft.now  # as above
            post = replace(post, pause=None, misses=0, streak=streak, idle_since=idle)
            if isinstance(post.engaged, WrapUp):
                post = _shorten(draft, post, post.engaged)
        case _:
            assert_never(fact)
    return post


# --- ends ------------------------------------------------------------------------------------


def _drop(draft: Draft, call: str, cause: Cause, *, hung_up: bool = False) -> None:
    """The caller is no longer in the queue: end whatever rings for him."""
    waiter = draft.waiters.get(call)
    if waiter is None:
        # his story may have crashed in the conversation: nobody else would ever say that it is over
        for post in list(draft.posts.values()):
            if isinstance(post.engaged, InTalk) and post.engaged.call == call:
                draft.decisions.append(StopRinging(post.engaged.leg, Cause.NORMAL))
                _talk_ended(draft, call, post.secretary)
        _settled(draft, call)
        return
    offers.stop_others(draft, call, cause)
    draft.drop_waiter(call)
    _let_off(draft, waiter, Cause.NORMAL, hung_up=hung_up)


def _let_off(draft: Draft, waiter: Waiter, cause: Cause, *, hung_up: bool = False) -> None:
    """Whoever picked up for him and was not joined: she talked to nobody, so no wrap-up."""
    held = draft.posts.get(waiter.held or "")
    if held is not None and isinstance(held.engaged, InTalk) and held.engaged.call == waiter.call:
        draft.put(replace(held, engaged=Idle(), idle_since=draft.now))
        draft.decisions.append(StopRinging(held.engaged.leg, cause))
        if hung_up:
            draft.decisions.append(Tell(held.secretary, offers.CALLER_GONE))


def _talk_ended(
    draft: Draft, call: str, secretary: str, until: float | None = None, *, lost: bool = False
) -> None:
    post = draft.posts.get(secretary)
    if post is None or not isinstance(post.engaged, InTalk) or post.engaged.call != call:
        return
    low, high = draft.staff.wrap_up.get(post.engaged.client, (0.0, 0.0))
    high = max(low, high)
    now = draft.now
    if until is not None and until > now:
        work = WrapUp(call, now, now + low, max(until, now + high), kept=now + high)
    elif high > 0 and not lost:
        work = WrapUp(call, now, now + low, now + high)
    else:
        draft.put(_at_ease(draft, post))
        return
    draft.put(replace(post, idle_since=now, engaged=work))
    draft.note("wrap_up_started", call, secretary=secretary)


def _settled(draft: Draft, call: str) -> None:
    """He whom she sent on is taken care of: her wrap-up is an ordinary one again."""
    for post in list(draft.posts.values()):
        work = post.engaged
        if not isinstance(work, WrapUp) or work.call != call or work.kept is None:
            continue
        if work.kept > draft.now:
            draft.put(replace(post, engaged=replace(work, until=work.kept, kept=None)))
        else:
            draft.put(_end_wrap_up(draft, post, work, "time"))


def _vanished(draft: Draft, post: Post) -> None:
    """Her softphone is gone in a conversation: nothing is offered to her until it registers anew, or she
    says that it is there."""
    draft.put(replace(post, engaged=Idle(), idle_since=draft.now, pause=Pause(pauses.VANISHED, draft.now)))


def _shorten(draft: Draft, post: Post, work: WrapUp) -> Post:
    """`*48` ends wrap-up, but not before the client's minimum."""
    if work.earliest > draft.now:
        # nor is she kept any longer for who may come back, or his being taken care of would undo her word
        return replace(post, engaged=replace(work, until=work.earliest, kept=None))
    return _end_wrap_up(draft, post, work, "secretary")


def _end_wrap_up(draft: Draft, post: Post, work: WrapUp, by: str) -> Post:
    draft.note("wrap_up_ended", work.call, secretary=post.secretary, by=by)
    return _at_ease(draft, post)


def _at_ease(draft: Draft, post: Post) -> Post:
    """Done with a call: idle, or in a breather where that is due and she can be spared."""
    post = replace(post, engaged=Idle(), idle_since=draft.now)
    if pauses.needs_breather(post, draft.staff) and not draft.refresh().cannot_be_spared(post.secretary):
        post = pauses.breathe(post, draft.staff, draft.now)
    return post


# --- time ------------------------------------------------------------------------------------


def _expire(draft: Draft) -> None:
    """Deal with every deadline that has passed, and with teams that are without staff."""
    board = draft.refresh()
    while True:
        unstaffed.note(draft, board)
        posts, calls = board.due(draft.now)
        if not posts and not calls:
            return
        for name in posts:
            if name in draft.posts:
                _post_due(draft, draft.posts[name])
        for call in calls:
            waiter = draft.waiters.get(call)
            if waiter is None or waiter.held is not None:
                continue
            if waiter.max_wait_at is not None and waiter.max_wait_at <= draft.now:
                _give_up(draft, waiter, "timeout")
                continue
            at = ranking.nobody_at(waiter, board.empty_since(waiter))
            if at is not None and at <= draft.now:
                _give_up(draft, waiter, "nobody")
        draft.refresh()


def _post_due(draft: Draft, post: Post) -> None:
    match post.engaged:
        case Offered(until=until) as offer if until <= draft.now:
            offers.ran_out(draft, post, offer)
        case WrapUp(until=until) as work if until <= draft.now:
            draft.put(_end_wrap_up(draft, post, work, "time"))
        case _:
            accounted = pauses.pass_time(post, draft.staff, draft.now)
            draft.entries.extend(accounted.entries)
            draft.put(accounted.post)


def _give_up(draft: Draft, waiter: Waiter, why: str) -> None:
    attempts = draft.waiters[waiter.call].attempts
    _drop(draft, waiter.call, Cause.NO_ANSWER)
    draft.note("dequeued", waiter.call, why=why)
    draft.decisions.append(GiveUp(waiter.call, why, attempts))
