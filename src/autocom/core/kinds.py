"""Kinds of callers, and who may take each: what `board` files posts and callers under.

Callers of one kind (same teams in reach, languages, countries, preference, `ring`) of one target form a
`Group`: within it the order never changes, so only heads are compared. Each kind's `Reach` keeps who may take
it, who of those is at work, and the free ones, best first. Must not know when somebody comes or goes: `board`
says so. Invariant: `places` and `barred` follow from the configuration alone.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from autocom.core import ranking
from autocom.core.model import Ringing
from autocom.core.posts import Post, Staff


class Kind(NamedTuple):
    """What decides who may take a caller at this moment. `ring` is None for "at any time". Without `teams`:
    who is preferred, whatever her team (a caller returns to her)."""

    teams: tuple[str, ...]
    languages: tuple[str, ...]
    countries: tuple[str, ...]
    prefer: tuple[str, ...] = ()
    ring: Ringing | None = None


FreeEntry = tuple[ranking.Place, float, float, str, int]
"""Place, turn, idle since, her id, stamp."""
WaiterEntry = tuple[bool, float, float, str, int]
"""Not at the head, start, joined, his call, stamp."""


class Group:
    """Waiting callers of one kind and one target. `unrung`: no phone rings for them; `rung` (only where
    `ring` is all): some do, and more may. `count`: how many are filed in `unrung`."""

    __slots__ = ("count", "name", "reach", "rung", "unrung")

    def __init__(self, reach: Reach, target: float) -> None:
        self.reach, self.count = reach, 0
        kind = reach.kind
        self.name = (target, *kind[:4], kind.ring.value if kind.ring else "")
        self.unrung: list[WaiterEntry] = []
        self.rung: list[WaiterEntry] = []


class Reach:
    """Who may take callers of one kind: `places` in their lasting order, `barred` with the reason.
    `present`: those at work; `active`: those of them who are in no pause of their own. `free`: a heap.
    `members`: callers of this need, or with this preference; `wary`: those of them to whom who is paused is
    away. `waiting`: how many no phone rings for."""

    __slots__ = (
        "active", "barred", "free", "groups", "kind", "members", "places", "present", "waiting", "wary",
    )  # fmt: skip

    def __init__(self, kind: Kind, staff: Staff, teams: Mapping[str, Sequence[str]]) -> None:
        self.kind = kind
        found: dict[str, ranking.Place] = {}
        self.barred: dict[str, str] = {}
        if not kind.teams:
            found = {name: ranking.NEAREST for name in kind.prefer if name in staff.levels}
        for name in dict.fromkeys(itertools.chain(*(teams.get(team, ()) for team in kind.teams))):
            place = ranking.placed(name, kind.teams, kind.languages, kind.countries, staff)
            if place is None:
                self.barred[name] = ranking.unfit(name, kind.languages, kind.countries, staff) or "team"
            elif not kind.prefer or name in kind.prefer:
                found[name] = place
        self.places = dict(sorted(found.items(), key=lambda pair: (pair[1], pair[0])))
        self.present: set[str] = set()
        self.active: set[str] = set()
        self.free: list[FreeEntry] = []
        self.members: set[str] = set()
        self.wary: set[str] = set()
        self.groups: dict[float, Group] = {}
        self.waiting = 0

    def entry(self, post: Post, stamp: int) -> FreeEntry:
        """How a free post is filed here."""
        ring = self.kind.ring or Ringing.LONGEST_IDLE
        return (
            self.places[post.secretary],
            ranking.turn(ring, post),
            post.idle_since,
            post.secretary,
            stamp,
        )
