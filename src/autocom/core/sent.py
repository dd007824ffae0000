"""Callers who change secretaries: sent on by one, taken by another, back at the first.

A secretary who sent a caller on is kept for him (`posts.WrapUp.kept`) until he is taken care of. If he returns
he is asked for at her phone alone for a while, then at everybody's, before all other callers. Must not know how
he was sent on, nor decide who is next: that is `matching`.
"""

from __future__ import annotations

from dataclasses import replace

from autocom.core import offers
from autocom.core.draft import Draft
from autocom.core.floor_words import TookOver
from autocom.core.posts import Idle, InTalk, Offered, Waiter, WrapUp
from autocom.core.telephony import Cause

ALONE_FOR = 12.0
"""Seconds for which a caller who returns is offered to nobody but her who sent him on."""
HANGING_UP = 2.0
"""The same where her phone is still in the call from which she sent him on, or in another one."""


def took_over(draft: Draft, fact: TookOver) -> None:
    """She talks: whatever rang at her phone meanwhile rings elsewhere."""
    post = draft.posts.get(fact.secretary)
    if post is None or isinstance(post.engaged, InTalk):
        return
    if isinstance(post.engaged, Offered):
        offers.withdraw(draft, post, post.engaged, "withdrawn", Cause.NORMAL)
        post = draft.posts[fact.secretary]
    offers.cut_short(draft, post)
    draft.put(replace(post, engaged=InTalk(fact.call, fact.leg, fact.attempt, fact.client, draft.now)))


def returns(draft: Draft, waiter: Waiter) -> Waiter:
    """The caller as he joins: kept for her to whom he returns, if she can be asked. What she was given to do
    after his call is over."""
    post = draft.posts.get(waiter.back_to or "")
    if post is None:
        return waiter
    work = post.engaged
    if isinstance(work, InTalk | WrapUp) and work.call == waiter.call:
        if isinstance(work, WrapUp):
            draft.note("wrap_up_ended", waiter.call, secretary=post.secretary, by="return")
        post = replace(post, engaged=Idle(), idle_since=draft.now)
        draft.put(post)
    if not post.present or post.pause is not None or not isinstance(post.engaged, Idle):
        return waiter  # gone, or busy: whoever is free is asked
    until = draft.now + (HANGING_UP if post.own_call else ALONE_FOR)
    nobody = None if waiter.nobody_from is None else max(waiter.nobody_from, until)
    return replace(waiter, prefer=(post.secretary,), prefer_until=until, nobody_from=nobody)
