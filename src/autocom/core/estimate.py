"""What a waiting caller can honestly be told: his position, and about how long it will take.

Position: callers whom one of *his* secretaries could take before him, plus one. Wait: the queue-length
estimate corrected for those who will give up, over the secretaries at work who may take him:
1/nμ + 1/(nμ+θ) + … , one term for each caller ahead and one for him. Where the callers ahead have other
secretaries than he (a pool of many skills) it counts them as if all stood in his way; what the same
secretaries began lately caps it. Must not know sounds' files or calls: `calls.company` says it.
Invariant (a property in the tests): what one caller is told never grows.
"""

from __future__ import annotations

from dataclasses import dataclass

from autocom.core import ranking
from autocom.core.model import Announcements, Audio, Phrases
from autocom.core.pace import Pace
from autocom.core.posts import Floor, Waiter

LEAST_TOLD = 30.0
"""Seconds: under that a wait is not told, it would be over before it is said."""

SURE_AFTER = 10.0
"""Conversations since the start (older ones fade) before a caller may be turned away by an estimate."""

LONGEST = 86400.0
"""The upper bound that stands for "longer than the last range"."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """Where he stands. `staff`: secretaries at work (not paused) who may take him; `wait`: seconds from now,
    None where there are none. `sure`: measured on calls of this day, not on what is assumed before the first."""

    position: int
    staff: int
    wait: float | None
    sure: bool = False


@dataclass(frozen=True, slots=True)
class Telling:
    """What is said, in order, and what it means: `position`, `wait` as (lower, upper) seconds of its range;
    None: not told."""

    sounds: tuple[Audio, ...] = ()
    position: int | None = None
    wait: tuple[float, float] | None = None


def outlook(waiter: Waiter, floor: Floor, pace: Pace, now: float) -> Outlook | None:
    """How he stands now; None while nobody who could take him is at work."""
    pools: dict[str, frozenset[str]] = {}  # callers of equal need have the same secretaries
    mine = _pool(waiter, floor, pools)
    if not mine:
        return None
    my_place = ranking.order(waiter, now)
    ahead, mixed = 0, False
    for other in floor.waiters.values():
        if other.call == waiter.call or other.held is not None or ranking.order(other, now) > my_place:
            continue
        theirs = _pool(other, floor, pools)
        if not theirs.isdisjoint(mine):
            ahead += 1
            mixed = mixed or theirs != mine
    working = [name for name in mine if floor.posts[name].pause is None]
    if not working:
        return Outlook(ahead + 1, 0, None)
    wait = _wait(ahead, working, pace, now, capped=mixed)
    return Outlook(ahead + 1, len(working), wait, pace.calls >= SURE_AFTER)


def _wait(ahead: int, working: list[str], pace: Pace, now: float, *, capped: bool) -> float:
    rate, leaving = len(working) / pace.handling, 1 / pace.patience
    expected = sum(1 / (rate + place * leaving) for place in range(ahead + 1))
    gap = pace.gap(working, now) if capped else None
    return expected if gap is None else min(expected, (ahead + 1) * gap)


def _pool(waiter: Waiter, floor: Floor, known: dict[str, frozenset[str]]) -> frozenset[str]:
    """Secretaries at work who may take him, now or once his team has widened."""
    need = ranking.need(waiter.team, waiter.languages, waiter.countries)
    if need not in known:
        teams = ranking.reachable(waiter, floor.staff)
        known[need] = frozenset(
            name
            for name, post in floor.posts.items()
            if post.present
            and ranking.placed(name, teams, waiter.languages, waiter.countries, floor.staff) is not None
        )
    return known[need]


def telling(
    asked: Announcements,
    seen: Outlook | None,
    phrases: Phrases,
    told_position: int | None = None,
    told_wait: float | None = None,
) -> Telling:
    """What to say now to a caller who was told this before. A position or a wait that grew is not told."""
    sounds: list[Audio] = []
    position: int | None = None
    wait: tuple[float, float] | None = None
    if seen is not None and asked.position and (told_position is None or seen.position <= told_position):
        sentence = _sentence(seen.position, phrases)
        if sentence is not None:
            position = seen.position
            sounds.append(sentence)
    if seen is not None and asked.wait and seen.wait is not None:
        found = _range(seen.wait, phrases)
        if found is not None and (told_wait is None or found[1] <= told_wait):
            wait = found[:2]
            sounds.append(found[2])
    if asked.play is not None:
        sounds.append(asked.play)
    return Telling(tuple(sounds), position, wait)


def _sentence(position: int, phrases: Phrases) -> Audio | None:
    places = phrases.positions
    return places[position - 1] if position <= len(places) else phrases.beyond


def _range(seconds: float, phrases: Phrases) -> tuple[float, float, Audio] | None:
    """The range that this wait lies in: its bounds, and its sentence. None: too short to be told."""
    if seconds < LEAST_TOLD:
        return None
    lower = 0.0
    for upper, sentence in phrases.waits:
        if seconds < upper:
            return lower, upper, sentence
        lower = upper
    return (lower, LONGEST, phrases.longer) if phrases.longer is not None else None
