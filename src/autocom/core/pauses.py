"""Rests and pauses: when a breather is due, when a pause is over its quota, what is told of it once.

A breather is a pause that we set after so many conversations in a row; it ends by itself. A quota never ends
a pause (a break is not interrupted): exceeding it is written down. A pause asked for in a call counts from
the end of the call. Must not know who waits: whether she can be spared is the floor's question.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from autocom.core.hours import local
from autocom.core.journal import Entry, Json
from autocom.core.posts import Idle, Pause, Post, Staff, Tally

BREATHER = "breather"
NO_ANSWER = "no_answer"
VANISHED = "vanished"


@dataclass(frozen=True, slots=True)
class Accounted:
    """Her post with its pauses counted, and what is to be written down."""

    post: Post
    entries: tuple[Entry, ...] = ()


def in_effect(post: Post | None) -> Pause | None:
    """The pause she is in now; one that was asked for in a call waits for its end."""
    return post.pause if post is not None and isinstance(post.engaged, Idle) else None


def account(before: Post | None, after: Post, staff: Staff, now: float) -> Accounted:
    """Begin and end pauses: a change of her post, seen from what she may take of each reason."""
    old, new = in_effect(before), in_effect(after)
    same = old is not None and new is not None and (old.reason, old.since) == (new.reason, new.since)
    if old is new or same:
        return Accounted(after)
    entries: list[Entry] = []
    if old is not None and old.reason in staff.quotas:
        tally = after.pauses.get(old.reason)
        if tally is not None:
            spent = replace(tally, seconds=tally.seconds + max(0.0, now - old.since))
            after = replace(after, pauses={**after.pauses, old.reason: spent})
    if new is not None:
        # also one that was asked for in the call that ended now
        new = replace(new, since=now)
        after = replace(after, pause=new)
        quota = staff.quotas.get(new.reason)
        if quota is not None:
            day = local(staff.zone, now).date().isoformat()
            tally = after.pauses.get(new.reason)
            if tally is None or tally.day != day:
                tally = Tally(day)
            tally = replace(tally, times=tally.times + 1)
            if quota.times is not None and tally.times > quota.times and "times" not in tally.over:
                tally = replace(tally, over=(*tally.over, "times"))
                entries.append(_exceeded(after, new.reason, "times", quota.times, now))
            after = replace(after, pauses={**after.pauses, new.reason: tally})
    return Accounted(after, tuple(entries))


def pause_ends_at(post: Post, staff: Staff) -> float | None:
    """The next instant at which her pause ends by itself, or exceeds its quota."""
    pause = in_effect(post)
    if pause is None:
        return None
    limits = [at for _, at, _ in _limits(post, pause, staff)]
    return min(limits if pause.until is None else [*limits, pause.until], default=None)


def pass_time(post: Post, staff: Staff, now: float) -> Accounted:
    """What the time alone does to her pause."""
    pause = in_effect(post)
    if pause is None:
        return Accounted(post)
    if pause.until is not None and pause.until <= now:
        return Accounted(replace(post, pause=None, streak=0))
    entries: list[Entry] = []
    for limit, at, allowed in _limits(post, pause, staff):
        if at > now:
            continue
        if limit == "longest":
            pause = replace(pause, over=(*pause.over, limit))
            post = replace(post, pause=pause)
        else:
            tally = post.pauses[pause.reason]
            tally = replace(tally, over=(*tally.over, limit))
            post = replace(post, pauses={**post.pauses, pause.reason: tally})
        entries.append(_exceeded(post, pause.reason, limit, allowed, now))
    return Accounted(post, tuple(entries))


def _limits(post: Post, pause: Pause, staff: Staff) -> list[tuple[str, float, float]]:
    """Limits not yet told of: which, when it is exceeded, and its seconds."""
    quota, tally = staff.quotas.get(pause.reason), post.pauses.get(pause.reason)
    found = []
    if quota is not None and quota.longest is not None and "longest" not in pause.over:
        found.append(("longest", pause.since + quota.longest, quota.longest))
    if quota is not None and tally is not None and quota.a_day is not None and "a_day" not in tally.over:
        found.append(("a_day", pause.since + max(0.0, quota.a_day - tally.seconds), quota.a_day))
    return found


def _exceeded(post: Post, reason: str, limit: str, allowed: float, now: float) -> Entry:
    fields: dict[str, Json] = {
        "secretary": post.secretary,
        "reason": reason,
        "limit": limit,
        "allowed": allowed,
    }
    return Entry(now, "quota_exceeded", None, fields)


# --- breathers -------------------------------------------------------------------------------


def conversing(post: Post, staff: Staff, now: float) -> int:
    """How many conversations in a row the one that begins now makes: a rest in between starts anew."""
    if staff.breather is not None and now - post.idle_since >= staff.breather.rest:
        return 1
    return post.streak + 1


def needs_breather(post: Post, staff: Staff) -> bool:
    """Whether she has had her conversations and is not in a pause anyway."""
    return staff.breather is not None and post.streak >= staff.breather.calls and post.pause is None


def breathe(post: Post, staff: Staff, now: float) -> Post:
    """Let her breathe."""
    assert staff.breather is not None
    return replace(post, pause=Pause(BREATHER, now, now + staff.breather.rest))
