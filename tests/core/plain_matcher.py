"""The matcher as one would write it down: every caller, every secretary, each time. The oracle of `matching`.

Only `ranking`'s definitions and the floor's values; no board, no heaps, nothing remembered.
"""

from __future__ import annotations

from dataclasses import replace

from autocom.core import ranking
from autocom.core.model import Ringing
from autocom.core.posts import Floor, Idle, Offered, Post, Waiter

Pairs = list[tuple[str, str]]


def waiting(floor: Floor, now: float) -> list[Waiter]:
    """For whom no phone rings, most urgent first."""
    return ranking.callers((w for w in floor.waiters.values() if w.held is None and not w.ringing), now)


def end_breathers(floor: Floor, now: float) -> Floor:
    """Whoever is the only hope of a waiting caller is in a breather no longer."""

    def kind(waiter: Waiter) -> tuple[object, ...]:
        only = ranking.preferred(waiter, floor, now)
        teams = (
            ranking.reachable(waiter, floor.staff)
            if only
            else tuple(ranking.reached(waiter, floor.staff, now))
        )
        prefer = waiter.prefer if only else ()
        if only and waiter.returns:
            return (waiter.target, (), (), (), prefer, waiter.ring.value)
        return (waiter.target, teams, waiter.languages, waiter.countries, prefer, waiter.ring.value)

    for waiter in sorted(waiting(floor, now), key=kind):  # type: ignore[arg-type,return-value]
        at_work = [
            post
            for post in floor.posts.values()
            if post.present
            and (post.pause is None or post.pause.reason == "breather")
            and ranking.rank(waiter, post, floor, now) is not None
        ]
        if not at_work or any(post.pause is None for post in at_work):
            continue
        idle = [post for post in at_work if isinstance(post.engaged, Idle)]
        if idle:
            first = min(idle, key=lambda post: (post.pause.since if post.pause else 0.0, post.secretary))
            floor = replace(floor, posts={**floor.posts, first.secretary: replace(first, pause=None)})
    return floor


def offer(floor: Floor, waiter: Waiter, post: Post, now: float) -> Floor:
    """Her phone rings for him."""
    waiter = floor.waiters[waiter.call]
    engaged = Offered(waiter.call, f"leg of {post.secretary}", waiter.attempts + 1, now, now + 1.0)
    return replace(
        floor,
        posts={**floor.posts, post.secretary: replace(post, engaged=engaged, last_offer=now)},
        waiters={
            **floor.waiters,
            waiter.call: replace(
                waiter, attempts=waiter.attempts + 1, ringing=(*waiter.ringing, post.secretary)
            ),
        },
    )


def plainly(floor: Floor, now: float) -> tuple[Pairs, bool]:
    """Who is offered to whom, in order; and whether that is all there is to say: where a caller was left
    without a phone although others got several, phones may be exchanged."""
    floor = end_breathers(floor, now)
    pairs: Pairs = []
    left = False
    for waiter in waiting(floor, now):
        found = ranking.candidates(waiter, floor, now)
        if found:
            pairs.append((waiter.call, found[0][1].secretary))
            floor = offer(floor, waiter, found[0][1], now)
        else:
            left = True
    shared = any(floor.waiters[call].ring is Ringing.ALL for call, _ in pairs)
    everybody = [w for w in floor.waiters.values() if w.held is None and w.ringing and w.ring is Ringing.ALL]
    for waiter in ranking.callers(everybody, now):
        for _, post in ranking.candidates(waiter, floor, now):
            pairs.append((waiter.call, post.secretary))
            floor = offer(floor, waiter, post, now)
    return pairs, not (left and shared)


def most_served(floor: Floor, now: float) -> int:
    """How many of those who wait could have a phone of their own, at best (augmenting paths)."""
    floor = end_breathers(floor, now)
    given: dict[str, str] = {}

    def find(waiter: Waiter, seen: set[str]) -> bool:
        for _, post in ranking.candidates(waiter, floor, now):
            name = post.secretary
            if name not in seen:
                seen.add(name)
                if name not in given or find(floor.waiters[given[name]], seen):
                    given[name] = waiter.call
                    return True
        return False

    return sum(find(waiter, set()) for waiter in waiting(floor, now))
