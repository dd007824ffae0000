"""The life of an offer after it was made: it rang, was picked up, ran out, was refused or withdrawn.

Whatever ends it, the caller keeps his place. A phone that never rang (network, Asterisk) is no miss of
hers; misses in a row lead to a pause, and she and the supervisor are told. Must not decide who is next.
"""

from __future__ import annotations

from dataclasses import replace

from autocom.core.draft import Draft
from autocom.core.floor_words import LeaseFailed, PickedUp, StopRinging, Take, Tell
from autocom.core.journal import Json
from autocom.core.naming import leg_of
from autocom.core.pauses import NO_ANSWER, conversing
from autocom.core.posts import Idle, InTalk, Offered, Pause, Post, WrapUp
from autocom.core.telephony import Cause

PAUSED = "no_answer_pause"
"""What she and the supervisor are told of."""
CALLER_GONE = "caller_gone"
"""What she is told who picked up in the instant in which he hung up."""

REST_AFTER_NO_ANSWER = 1.0
REST_AFTER_REFUSAL = 3.0
"""Seconds a phone that did not answer, or refused, is left alone. Without it a phone on "do not
disturb" (486 at once) and a single waiting caller would ring in circles at the speed of SIP."""
NO_SIGN = 3.0
REST_WITHOUT_A_SIGN = 30.0
"""Seconds after which a phone that said nothing to its INVITE, not even that it rings, counts as unplugged; and for
how long, from that INVITE on, it is left alone then: until Asterisk has found out by itself (`qualify`, 23 s) each
caller would lose a whole turn to it. A phone that registers from elsewhere, is found again, or calls, ends it."""


def engaged_with(draft: Draft, leg: str) -> tuple[Post, Offered | InTalk] | None:
    """Whose phone this leg is, and what for; None where it is nobody's any more."""
    named = leg_of(leg)
    if named is None:  # a channel that she dialled herself, to take a caller who rang at a colleague's phone
        for hers in draft.posts.values():
            if isinstance(hers.engaged, InTalk) and hers.engaged.leg == leg:
                return hers, hers.engaged
        return None
    post = draft.posts.get(named.secretary)
    if post is not None and isinstance(post.engaged, Offered | InTalk) and post.engaged.leg == leg:
        return post, post.engaged
    return None


def rang(draft: Draft, leg: str) -> None:
    """Her phone says that it rings."""
    found = engaged_with(draft, leg)
    if found is None:
        return
    post, offer = found
    if isinstance(offer, Offered) and not offer.rang:
        draft.put(replace(post, engaged=replace(offer, rang=True)))
        draft.note("ringing", offer.call, secretary=post.secretary, leg=leg)


def answered(draft: Draft, leg: str) -> None:
    """She picked up: the caller is hers, and every other phone that rings for him stops."""
    found = engaged_with(draft, leg)
    if found is None:
        # answered after its turn ended, or a leg nobody remembers: the phone must not stay alone on the line
        draft.decisions.append(StopRinging(leg, Cause.ANSWERED_ELSEWHERE))
        return
    post, offer = found
    if isinstance(offer, InTalk):
        return
    waiter = draft.waiters.get(offer.call)
    if waiter is None:
        withdraw(draft, post, offer, "withdrawn", Cause.ANSWERED_ELSEWHERE)
        return
    end_offer(draft, post, offer, "answered")
    talk = InTalk(offer.call, leg, offer.attempt, waiter.client, draft.now)
    streak = conversing(post, draft.staff, offer.since)
    draft.put(
        replace(draft.posts[post.secretary], engaged=talk, misses=0, calls=post.calls + 1, streak=streak)
    )
    stop_others(draft, offer.call)
    draft.put(replace(draft.waiters[offer.call], held=post.secretary))
    draft.decisions.append(Take(offer.call, post.secretary, leg, offer.attempt))


def picked_up(draft: Draft, fact: PickedUp) -> None:
    """A colleague takes him on a channel of her own: the phones that ring for him stop. Where he is gone or
    taken, or she is in a call, nothing happens: who asked sees it and tells her."""
    post, waiter = draft.posts.get(fact.secretary), draft.waiters.get(fact.call)
    if post is not None and isinstance(post.engaged, InTalk) and post.engaged.leg == fact.leg:
        return  # told twice
    if post is None or waiter is None or not waiter.ringing or isinstance(post.engaged, InTalk):
        return
    of = waiter.ringing[0]
    if isinstance(post.engaged, Offered):
        withdraw(draft, post, post.engaged, "withdrawn", Cause.ANSWERED_ELSEWHERE)
    stop_others(draft, fact.call)
    post, waiter = draft.posts[fact.secretary], draft.waiters[fact.call]
    cut_short(draft, post)
    attempt = waiter.attempts + 1
    talk = InTalk(fact.call, fact.leg, attempt, waiter.client, draft.now)
    streak = conversing(post, draft.staff, draft.now)
    draft.put(replace(post, engaged=talk, misses=0, calls=post.calls + 1, streak=streak))
    draft.put(replace(waiter, held=fact.secretary, attempts=attempt))
    draft.note("picked_up", fact.call, secretary=fact.secretary, of=of)
    draft.decisions.append(Take(fact.call, fact.secretary, fact.leg, attempt))


def cut_short(draft: Draft, post: Post) -> None:
    """She talks again by her own doing: a wrap-up that ran is over."""
    if isinstance(post.engaged, WrapUp):
        draft.note("wrap_up_ended", post.engaged.call, secretary=post.secretary, by="call")


def stop_others(draft: Draft, call: str, cause: Cause = Cause.ANSWERED_ELSEWHERE) -> None:
    """End whatever rings for him."""
    waiter = draft.waiters.get(call)
    for secretary in waiter.ringing if waiter is not None else ():
        loser = draft.posts[secretary]
        if isinstance(loser.engaged, Offered):
            withdraw(draft, loser, loser.engaged, "withdrawn", cause)


def ended(draft: Draft, leg: str, cause: int, sip: int | None) -> None:
    """Her leg is gone: refused or failed; or, where she had picked up, a lease that failed."""
    found = engaged_with(draft, leg)
    if found is None:
        return
    post, engaged = found
    if isinstance(engaged, InTalk):
        waiter = draft.waiters.get(engaged.call)
        if waiter is None:
            return  # joined: the story hears of it and ends the talk
        # a bridge attempt is a lease: he has his old place with his old waiting time
        draft.put(replace(waiter, held=None))
        draft.put(rested(draft, post, REST_AFTER_NO_ANSWER))
        draft.note("unjoined", engaged.call, secretary=post.secretary, leg=leg, cause=cause, sip=sip)
        draft.decisions.append(LeaseFailed(engaged.call, leg))
        return
    # 480 comes from a phone that is there and will not ring: "do not disturb" of many softphones
    refused = cause in (Cause.BUSY, Cause.REJECTED, Cause.NORMAL) or sip == 480
    end_offer(draft, post, engaged, "refused" if refused else "unreachable", cause, sip)
    _missed(draft, post.secretary, REST_AFTER_REFUSAL, counts=refused)


def ran_out(draft: Draft, post: Post, offer: Offered) -> None:
    """Her turn is over."""
    end_offer(draft, post, offer, "no_answer")
    draft.decisions.append(StopRinging(offer.leg, Cause.NO_ANSWER))
    _missed(draft, post.secretary, REST_AFTER_NO_ANSWER, counts=offer.rang)
    draft.put(_unplugged(draft, draft.posts[post.secretary], offer))


def withdraw(draft: Draft, post: Post, offer: Offered, result: str, cause: Cause) -> None:
    """End an offer from our side; the secretary is idle again."""
    end_offer(draft, post, offer, result)
    post = replace(draft.posts[post.secretary], engaged=Idle())
    if result == "unreachable":  # it comes and goes: not an offer each time it comes
        post = rested(draft, post, REST_AFTER_REFUSAL)
    draft.put(_unplugged(draft, post, offer))
    draft.decisions.append(StopRinging(offer.leg, cause))


def end_offer(
    draft: Draft, post: Post, offer: Offered, result: str, cause: int | None = None, sip: int | None = None
) -> None:
    """Write it down; he knows who let him ring."""
    fields: dict[str, Json] = {
        "secretary": post.secretary,
        "attempt": offer.attempt,
        "leg": offer.leg,
        "result": result,
    }
    if cause is not None:
        fields |= {"cause": cause, "sip": sip}
    draft.note("offer_ended", offer.call, **fields)
    waiter = draft.waiters.get(offer.call)
    if waiter is not None:
        tried = waiter.tried
        if result in {"no_answer", "refused", "unreachable"}:
            tried = {**tried, post.secretary: tried.get(post.secretary, 0) + 1}
        ringing = tuple(s for s in waiter.ringing if s != post.secretary)
        until = waiter.prefer_until
        if result != "answered" and waiter.returns and waiter.back_to == post.secretary:
            until = min(until, draft.now)  # she had her turn: whoever is free is asked
        draft.put(replace(waiter, tried=tried, ringing=ringing, prefer_until=until))


def rested(draft: Draft, post: Post, seconds: float) -> Post:
    """Idle, and left alone for a moment."""
    return replace(post, engaged=Idle(), rest_until=draft.now + seconds)


def alive(draft: Draft, post: Post) -> Post:
    """Her phone gave a sign of life: it rests for a moment at most, and not at once, since it may come and go."""
    return replace(post, rest_until=min(post.rest_until, draft.now + REST_AFTER_REFUSAL))


def is_silent(draft: Draft, post: Post, offer: Offered) -> bool:
    """Whether her phone had time for a sign of life and gave none; what she does with it is one, and so is that it
    registered elsewhere since: that it did not ring says nothing of where it is now."""
    known = offer.rang or post.own_call or post.seen > offer.since
    return not known and draft.now - offer.since >= NO_SIGN


def _unplugged(draft: Draft, post: Post, offer: Offered) -> Post:
    """Left alone for longer where it is silent."""
    if not is_silent(draft, post, offer):
        return post
    return replace(post, rest_until=max(post.rest_until, offer.since + REST_WITHOUT_A_SIGN))


def _missed(draft: Draft, secretary: str, rest: float, *, counts: bool) -> None:
    """She let it ring or refused: count it, and pause her after too many in a row. A phone that never
    rang is not her doing and does not count."""
    post = rested(draft, draft.posts[secretary], rest)
    post = replace(post, misses=post.misses + counts)
    limit = draft.staff.pause_after
    if limit and post.misses >= limit and post.pause is None:
        post = replace(post, pause=Pause(NO_ANSWER, draft.now))
        draft.decisions.append(Tell(secretary, PAUSED, post.misses))
        draft.note("alert", None, alert=PAUSED, secretary=secretary, misses=post.misses)
    draft.put(post)
