"""Who is offered to whom: every caller who can be rung for is, the most urgent first.

First each caller for whom no phone rings gets one: the free secretary whose turn it is. Then what is still
free is shared out among those whose queue rings all: each phone rings for the most urgent of them whom she
may take. With several such callers at once nobody takes phones that another needs: where one would get none
though there are enough, phones given in the same decision are exchanged along a chain. A newcomer for whom nobody is free is made
room for: of those whose queue rings all, one who has several phones gives one up (`make_room`), never his last.
A caller nobody free may serve stands in nobody's way: only heads of kinds that have somebody free compete.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace

from autocom.core import ranking
from autocom.core.board import Board
from autocom.core.draft import Draft
from autocom.core.floor_words import Ring
from autocom.core.journal import Json
from autocom.core.kinds import Reach
from autocom.core.model import Ringing
from autocom.core.naming import leg_id
from autocom.core.offers import is_silent, withdraw
from autocom.core.pauses import BREATHER
from autocom.core.posts import Idle, Offered, Post, Waiter, WrapUp
from autocom.core.telephony import Cause

BREATH = 0.1
"""Seconds between taking a ringing phone from one caller and offering it to another: a phone that gets an
INVITE while it still answers a CANCEL says busy."""
MOST_NAMES = 12
"""Secretaries named in the why of an offer."""


@dataclass(frozen=True, slots=True)
class _Pair:
    call: str
    attempt: int
    why: dict[str, Json]


class _Sharing:
    """One matching: pairs so far, by secretary, in the order in which they were made."""

    def __init__(self, draft: Draft) -> None:
        self.draft = draft
        self.pairs: dict[str, _Pair] = {}
        self.shares = False  # whether a caller whose queue rings all has a phone of this decision

    def pair(self, waiter: Waiter, post: Post, attempt: int | None = None) -> None:
        """Her phone is his from now on; `attempt` where he has had another one of this decision."""
        draft = self.draft
        reach = draft.board.reach_of(waiter.call)
        assert reach is not None
        why = _why(draft, reach, waiter, post)
        again = attempt is not None
        attempt = waiter.attempts + 1 if attempt is None else attempt
        leg = leg_id(waiter.call, attempt, post.secretary)
        engaged = Offered(waiter.call, leg, attempt, draft.now, draft.now + waiter.ring_for)
        draft.put(replace(post, engaged=engaged, last_offer=draft.now))
        draft.put(
            replace(
                waiter,
                attempts=waiter.attempts if again else attempt,
                ringing=(*waiter.ringing, post.secretary),
            )
        )
        self.pairs[post.secretary] = _Pair(waiter.call, attempt, why)
        self.shares = self.shares or waiter.ring is Ringing.ALL
        draft.refresh()

    def part(self, secretary: str) -> _Pair:
        """He gives her phone up for another one. She stays engaged: the next `pair` is hers."""
        old = self.pairs.pop(secretary)
        waiter = self.draft.waiters[old.call]
        ringing = tuple(name for name in waiter.ringing if name != secretary)
        self.draft.put(replace(waiter, ringing=ringing))
        return old

    def tell(self) -> None:
        """Write the offers down and ring."""
        draft = self.draft
        for secretary, pair in self.pairs.items():
            offer = draft.posts[secretary].engaged
            assert isinstance(offer, Offered)
            draft.note(
                "offered",
                pair.call,
                secretary=secretary,
                attempt=pair.attempt,
                leg=offer.leg,
                why=pair.why,
            )
            draft.decisions.append(Ring(pair.call, secretary, pair.attempt, offer.leg, offer.until))


def match(draft: Draft) -> None:
    """Offer every caller who can be offered."""
    board = draft.refresh()
    if not board.ready:
        return
    _end_breathers(draft)
    sharing = _Sharing(draft)
    while (waiter := _most_urgent(board, draft.now)) is not None:
        reach = board.reach_of(waiter.call)
        post = board.best(reach, waiter) if reach is not None else None
        assert post is not None
        sharing.pair(waiter, post)
    while sharing.shares and _exchange(sharing):
        pass
    while (waiter := _most_urgent(board, draft.now, rung=True)) is not None:
        reach = board.reach_of(waiter.call)
        assert reach is not None
        for post in board.all_free(reach, waiter):
            sharing.pair(draft.waiters[waiter.call], post)
    sharing.tell()
    board.ready.clear()


def make_room(draft: Draft, call: str) -> None:
    """A newcomer whom only phones could serve that ring for a caller of several: one of them is let go, of
    the caller who has most, and after `BREATH` it is offered to whoever is most urgent then. One that gave no sign
    of life helps neither, and is no phone that he has."""
    board = draft.refresh()
    newcomer, reach = draft.waiters.get(call), board.reach_of(call)
    if newcomer is None or reach is None or newcomer.held is not None or newcomer.ringing:
        return
    if board.best(reach, newcomer) is not None:
        return
    live = {
        name: post.engaged.call
        for name, post in draft.posts.items()
        if isinstance(post.engaged, Offered) and not is_silent(draft, post, post.engaged)
    }
    has = Counter(live.values())
    best: tuple[int, tuple[int, int, int], str] | None = None
    for name, place in reach.places.items():
        owner = draft.waiters.get(live.get(name, ""))
        if owner is None or owner.ring is not Ringing.ALL or has[owner.call] < 2:
            continue
        found = (-has[owner.call], place, name)
        best = found if best is None or found < best else best
    if best is not None:
        post = draft.posts[best[2]]
        assert isinstance(post.engaged, Offered)
        withdraw(draft, post, post.engaged, "withdrawn", Cause.ANSWERED_ELSEWHERE)
        draft.put(replace(draft.posts[best[2]], rest_until=draft.now + BREATH))
        draft.refresh()


def _most_urgent(board: Board, now: float, *, rung: bool = False) -> Waiter | None:
    """The first caller of all kinds that have somebody free; `rung`: of those for whom phones ring and more
    may."""
    best: Waiter | None = None
    place: ranking.Order | None = None
    for group in board.ready:
        if not (group.rung if rung else group.count):
            continue
        head = board.head(group, rung=rung)
        if head is None or not board.anybody_free(group.reach):
            continue
        order = ranking.order(head, now)
        if place is None or order < place:
            best, place = head, order
    return best


def _end_breathers(draft: Draft) -> None:
    """A caller for whom nobody else is at work ends a breather: the one that began first."""
    board = draft.board
    for group in sorted(board.ready, key=lambda group: group.name):
        reach = group.reach
        if not reach.waiting or not reach.active or board.has_others(reach):
            continue
        resting = [
            post
            for name in reach.active
            if (post := board.posts[name]).pause is not None
            and post.pause.reason == BREATHER
            and isinstance(post.engaged, Idle)
        ]
        if resting:
            first = min(resting, key=lambda post: (post.pause.since if post.pause else 0.0, post.secretary))
            draft.put(replace(first, pause=None))
            draft.refresh()


# --- exchanging ------------------------------------------------------------------------------


def _exchange(sharing: _Sharing) -> bool:
    """Find a phone for one caller who has none, by handing phones of this decision on along a chain whose
    last caller has another one free. Whether one was found."""
    draft, board = sharing.draft, sharing.draft.board
    for group in sorted(board.ready, key=lambda group: group.name):
        waiter = board.head(group) if group.count else None
        if waiter is None:
            continue
        chain = _chain(sharing, waiter.call, set())
        if chain is None:
            continue
        calls, names = chain
        attempts = {call: sharing.part(name).attempt for call, name in zip(calls[1:], names, strict=False)}
        for call, name in zip(calls, names, strict=True):
            sharing.pair(draft.waiters[call], draft.posts[name], attempts.get(call))
        return True
    return False


def _chain(sharing: _Sharing, call: str, seen: set[str]) -> tuple[list[str], list[str]] | None:
    """Callers and the phones they get: the first has none now, each phone but the last is the next
    caller's now, the last is free."""
    board = sharing.draft.board
    reach = board.reach_of(call)
    if reach is None:
        return None
    post = board.best(reach, board.waiters[call])
    if post is not None:
        return [call], [post.secretary]
    for name, pair in list(sharing.pairs.items()):
        if name in seen or name not in reach.places or board.waiters[pair.call].ring is not Ringing.ALL:
            continue
        seen.add(name)
        rest = _chain(sharing, pair.call, seen)
        if rest is not None:
            return [call, *rest[0]], [name, *rest[1]]
    return None


# --- why -------------------------------------------------------------------------------------


def _why(draft: Draft, reach: Reach, waiter: Waiter, post: Post) -> dict[str, Json]:
    """Why she: his score, her place, and why not the others (a dozen names at most)."""
    board, now = draft.board, draft.now
    free = [p for p in board.all_free(reach, waiter, MOST_NAMES) if p.secretary != post.secretary]
    distance, level, _ = reach.places[post.secretary]
    why: dict[str, Json] = {
        "score": round(ranking.score(waiter, now), 3),
        "waited_ms": round((now - waiter.joined) * 1000),
        "priority": waiter.priority,
        "target": waiter.target,
        "tried_before": waiter.tried.get(post.secretary, 0),
        "widened": distance,
        "level": level,
        "idle_ms": round((now - post.idle_since) * 1000),
        "eligible": [post.secretary, *(p.secretary for p in free[: MOST_NAMES - 1])],
        "others": _others(draft, reach, waiter, post, free),
    }
    if waiter.advance:
        why["advance"] = waiter.advance
    if waiter.head:
        why["head"] = True
    if reach.kind.prefer:
        why["preferred"] = True
    return why


def _others(draft: Draft, reach: Reach, waiter: Waiter, post: Post, free: list[Post]) -> dict[str, Json]:
    found: dict[str, Json] = {}
    hers = reach.places[post.secretary]
    for other in free:
        his = reach.places[other.secretary]
        if waiter.tried.get(other.secretary, 0) > waiter.tried.get(post.secretary, 0):
            found[other.secretary] = "tried"
        elif his != hers:
            word = "widened" if his[0] != hers[0] else "level" if his[1] != hers[1] else "language"
            found[other.secretary] = word
        else:
            found[other.secretary] = "turn"
    # of a large team, a look at the first ones must do
    for name, _ in zip(reach.places, range(4 * MOST_NAMES), strict=False):
        if len(found) >= MOST_NAMES:
            break
        colleague = draft.posts.get(name)
        if colleague is not None and colleague.present and name not in found and name != post.secretary:
            found[name] = _not_free(colleague, draft.now)
    for (name, barred), _ in zip(reach.barred.items(), range(4 * MOST_NAMES), strict=False):
        colleague = draft.posts.get(name)
        if len(found) < MOST_NAMES and colleague is not None and colleague.present:
            found[name] = barred
    return found


def _not_free(post: Post, now: float) -> str:
    if isinstance(post.engaged, WrapUp):
        return "wrap_up"
    if not isinstance(post.engaged, Idle) or post.own_call:
        return "busy"
    if post.pause is not None:
        return "resting" if post.pause.reason == BREATHER else "paused"
    return "resting" if post.rest_until > now else "turn"
