"""Which caller first, which secretary first: pure orderings over the floor's values.

Caller order: waiting time plus the client's priority (seconds of advance), in proportion to the
client's target; ties by arrival, then by id. Secretary order: those who let this caller ring
least often first, then his own team before the teams it widens to, then the best level, then
the queue's `ring` rule. `NOBODY_GRACE` keeps a registration that flaps from emptying the queue.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from autocom.core.model import Ringing
from autocom.core.posts import Floor, Post, Staff, Waiter

NOBODY_GRACE = 5.0
"""Seconds a team must be without staff before callers who already wait are sent away."""


def score(waiter: Waiter, now: float) -> float:
    """How urgent this caller is; 1.0 is a caller without advance who waited his whole target."""
    return (now - waiter.joined + waiter.priority) / max(waiter.target, 0.001)


def callers(waiters: Iterable[Waiter], now: float) -> list[Waiter]:
    """Waiting callers, the most urgent first."""
    return sorted(waiters, key=lambda w: (-score(w, now), w.joined, w.call))


def reached(waiter: Waiter, staff: Staff, now: float) -> Iterator[str]:
    """The teams this caller reaches now: his own, then those it widened to, in order."""
    yield waiter.team
    team = staff.teams.get(waiter.team)
    for step in team.widen if team else ():
        if now - waiter.joined >= step.after:
            yield step.to


def reachable(waiter: Waiter, staff: Staff) -> frozenset[str]:
    """Every team he may reach at some time."""
    team = staff.teams.get(waiter.team)
    return frozenset((waiter.team, *(step.to for step in team.widen))) if team else frozenset((waiter.team,))


def rank(waiter: Waiter, post: Post, staff: Staff, now: float) -> tuple[float, ...] | None:
    """Her place in the order for this caller (smaller is earlier), None where she may not take him."""
    levels = staff.levels.get(post.secretary, {})
    for distance, team in enumerate(reached(waiter, staff, now)):
        if team in levels:
            return (
                waiter.tried.get(post.secretary, 0),
                distance,
                levels[team],
                _turn(waiter.ring, post),
                post.idle_since,
            )
    return None


def _turn(ring: Ringing, post: Post) -> float:
    match ring:
        case Ringing.LONGEST_IDLE | Ringing.ALL:
            return post.idle_since
        case Ringing.FEWEST_CALLS:
            return post.calls
        case Ringing.ROUND_ROBIN:
            return post.last_offer


def candidates(waiter: Waiter, floor: Floor, now: float) -> list[tuple[tuple[float, ...], Post]]:
    """Free secretaries who may take this caller now, best first."""
    found = []
    for post in floor.posts.values():
        if post.free(now):
            place = rank(waiter, post, floor.staff, now)
            if place is not None:
                found.append((place, post))
    found.sort(key=lambda pair: (pair[0], pair[1].secretary))
    return found


def staffed(waiter: Waiter, floor: Floor) -> bool:
    """Whether anybody who could ever take this caller is registered and logged in."""
    teams = reachable(waiter, floor.staff)
    return any(
        post.present and not teams.isdisjoint(floor.staff.levels.get(post.secretary, {}))
        for post in floor.posts.values()
    )
