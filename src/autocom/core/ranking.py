"""Which caller first, which secretary first, and who may take whom: pure words over the floor's values.

Caller order: who was put back to the head, then waiting time plus advance (the client's priority, a VIP's
seconds) in proportion to the client's target; ties by the earlier start, arrival, id. Secretary order: those
who let this caller ring least often first, then his own team before the teams it widens to, then the best
level, then who speaks more of the client's languages, then the queue's `ring` rule.
These are the definitions, each over all posts or waiters; `board` finds the same without looking at all of
them, and `tests/core/test_floor_properties.py` holds the two against each other.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from autocom.core.model import Ringing
from autocom.core.pauses import BREATHER
from autocom.core.posts import Floor, Post, Staff, Waiter

AWAKE = "/awake"
NOBODY_GRACE = 5.0
"""Seconds a team must be without staff before callers who already wait are sent away."""

Order = tuple[bool, float, float, float, str]
Place = tuple[int, int, int]

NEAREST: Place = (0, 0, 0)
"""The place of a secretary to whom a caller returns."""


def score(waiter: Waiter, now: float) -> float:
    """How urgent this caller is; 1.0 is a caller without advance who waited his whole target."""
    return (now - waiter.start) / max(waiter.target, 0.001)


def order(waiter: Waiter, now: float) -> Order:
    """His place among callers; smaller is earlier."""
    return (not waiter.head, -score(waiter, now), waiter.start, waiter.joined, waiter.call)


def callers(waiters: Iterable[Waiter], now: float) -> list[Waiter]:
    """Waiting callers, the most urgent first."""
    return sorted(waiters, key=lambda w: order(w, now))


# --- who may take him ------------------------------------------------------------------------


def reached(waiter: Waiter, staff: Staff, now: float) -> Iterator[str]:
    """The teams this caller reaches now: his own, then those it widened to, in order."""
    yield waiter.team
    team = staff.teams.get(waiter.team)
    for step in team.widen if team else ():
        if now >= waiter.joined + step.after:
            yield step.to


def reachable(waiter: Waiter, staff: Staff) -> tuple[str, ...]:
    """Every team he may reach at some time, his own first."""
    team = staff.teams.get(waiter.team)
    return (waiter.team, *(step.to for step in team.widen)) if team else (waiter.team,)


def unfit(secretary: str, languages: tuple[str, ...], countries: tuple[str, ...], staff: Staff) -> str | None:
    """Why she may never take callers who ask for these: `language` or `country`; None where she may."""
    if languages and not spoken(secretary, languages, staff):
        return "language"
    if countries and staff.countries.get(secretary) not in countries:
        return "country"
    return None


def spoken(secretary: str, languages: tuple[str, ...], staff: Staff) -> int:
    """How many of these languages she speaks."""
    return sum(language in staff.languages.get(secretary, ()) for language in languages)


def placed(
    secretary: str, teams: Iterable[str], languages: tuple[str, ...], countries: tuple[str, ...], staff: Staff
) -> Place | None:
    """Her lasting place for callers who reach `teams` in this order: how far the team is, her level there,
    and minus how many of the languages she speaks. None where she may not take them."""
    levels = staff.levels.get(secretary, {})
    for distance, team in enumerate(teams):
        if team in levels:
            if unfit(secretary, languages, countries, staff) is not None:
                return None
            return distance, levels[team], -spoken(secretary, languages, staff)
    return None


def preferred(waiter: Waiter, floor: Floor, now: float) -> tuple[str, ...]:
    """The only ones who are asked for him now; empty: everybody in reach. Who is preferred but not at work,
    or in no team that he may ever reach, does not hold him back."""
    if not waiter.prefer or now >= waiter.prefer_until:
        return ()
    if waiter.returns:
        hers = floor.posts.get(waiter.prefer[0])
        known = hers is not None and hers.present and hers.secretary in floor.staff.levels
        return waiter.prefer if known else ()
    teams = reachable(waiter, floor.staff)
    return tuple(
        name
        for name in waiter.prefer
        if (post := floor.posts.get(name)) is not None
        and post.present
        and placed(name, teams, waiter.languages, waiter.countries, floor.staff) is not None
    )


def turn(ring: Ringing, post: Post) -> float:
    """What the queue's `ring` rule goes by; smaller is earlier."""
    match ring:
        case Ringing.LONGEST_IDLE | Ringing.ALL:
            return post.idle_since
        case Ringing.FEWEST_CALLS:
            return post.calls
        case Ringing.ROUND_ROBIN:
            return post.last_offer


def rank(waiter: Waiter, post: Post, floor: Floor, now: float) -> tuple[float, ...] | None:
    """Her place in the order for this caller (smaller is earlier), None where she may not take him now."""
    only = preferred(waiter, floor, now)
    if only and post.secretary not in only:
        return None
    if only and waiter.returns:
        return (waiter.tried.get(post.secretary, 0), *NEAREST, turn(waiter.ring, post), post.idle_since)
    teams = reachable(waiter, floor.staff) if only else reached(waiter, floor.staff, now)
    place = placed(post.secretary, teams, waiter.languages, waiter.countries, floor.staff)
    if place is None:
        return None
    tried = waiter.tried.get(post.secretary, 0)
    return (tried, *place, turn(waiter.ring, post), post.idle_since)


def candidates(waiter: Waiter, floor: Floor, now: float) -> list[tuple[tuple[float, ...], Post]]:
    """Free secretaries who may take this caller now, best first."""
    found = []
    for post in floor.posts.values():
        if post.free(now):
            place = rank(waiter, post, floor, now)
            if place is not None:
                found.append((place, post))
    found.sort(key=lambda pair: (pair[0], pair[1].secretary))
    return found


# --- nobody ----------------------------------------------------------------------------------


def need(team: str, languages: tuple[str, ...], countries: tuple[str, ...]) -> str:
    """What decides who may ever take a caller, as one word: callers of equal need have the same staff."""
    return "/".join((team, ",".join(languages), ",".join(countries))) if languages or countries else team


def lack(waiter: Waiter) -> str:
    """What an empty floor is to him, as one word: his need, and whether who is paused counts as away."""
    word = need(waiter.team, waiter.languages, waiter.countries)
    return word + AWAKE if waiter.nobody_paused else word


def awake(post: Post) -> bool:
    """At work and not paused. A breather is no pause: it ends for who waits for nobody else."""
    return post.present and (post.pause is None or post.pause.reason == BREATHER)


def staffed(waiter: Waiter, floor: Floor) -> bool:
    """Whether anybody who could ever take this caller is registered and logged in; not paused, where that
    counts as away to him."""
    teams = reachable(waiter, floor.staff)
    return any(
        (awake(post) if waiter.nobody_paused else post.present)
        and placed(post.secretary, teams, waiter.languages, waiter.countries, floor.staff) is not None
        for post in floor.posts.values()
    )


def nobody_at(waiter: Waiter, since: float | None) -> float | None:
    """When an empty floor sends this caller to his way out, nobody being at work `since` then (None:
    somebody is); None where he waits on."""
    if since is None or waiter.nobody_from is None:
        return None
    entered = waiter.joined if waiter.entered is None else waiter.entered
    # whoever was already waiting gets a grace: a softphone that re-registers is not an empty floor
    return max(waiter.nobody_from, since + NOBODY_GRACE if since > entered else since)
