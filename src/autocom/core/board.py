"""The floor's values in an order in which a decision finds what it needs without looking at all of them.

Callers and posts are filed under what decides who may take whom (`kinds`); deadlines are in one heap.
Everything here can be computed from posts and waiters alone, and is, where a floor is not the newest; the
rules are in `ranking` and `floor`. Cost of a fact: its changes times the kinds they concern times log n; a
widening, a secretary who comes or goes and a deadline touch only what they are about. Heaps are pruned
lazily: an entry counts only as long as the stamp it was filed under.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from heapq import heapify, heappop, heappush
from typing import NamedTuple

from autocom.core import ranking
from autocom.core.alarms import Alarms
from autocom.core.kinds import FreeEntry, Group, Kind, Reach, WaiterEntry
from autocom.core.model import Ringing
from autocom.core.pauses import pause_ends_at
from autocom.core.posts import Floor, Idle, Offered, Post, Staff, Waiter, WrapUp
from autocom.core.versions import Version

MOST_KINDS = 1024
"""Kinds of callers remembered beyond those that wait now."""


class _Filed(NamedTuple):
    """Where a caller stands. `need` and `preferring` hold him as a member."""

    stamp: int
    group: Group | None
    rung: bool
    key: tuple[bool, float, float, str]
    need: Reach
    preferring: Reach | None


class Board:
    """Owned by the newest floor. Change `posts` and `waiters` in place, say so in `touched_*`, then
    `refresh`."""

    def __init__(self, floor: Floor) -> None:
        self.posts: dict[str, Post] = dict(floor.posts)
        self.waiters: dict[str, Waiter] = dict(floor.waiters)
        self.empty: dict[str, float] = dict(floor.empty_since)
        self.posts_version = Version(self.posts)
        self.waiters_version = Version(self.waiters)
        self.empty_version = floor.empty_since
        self.broken = False
        self._stamps = itertools.count()
        self.restaff(floor.staff)

    @staticmethod
    def of(floor: Floor) -> Board:
        """The floor's own where it is the newest, else one made of its values (O(n log n))."""
        board = floor.board
        if (
            isinstance(board, Board)
            and not board.broken
            and board.posts_version is floor.posts
            and board.waiters_version is floor.waiters
            and board.empty_version is floor.empty_since
            and board.staff is floor.staff
        ):
            return board
        return Board(floor)

    def restaff(self, staff: Staff) -> None:
        """Another configuration: everything is filed anew."""
        self.staff = staff
        self.teams: dict[str, list[str]] = {}
        for name, levels in staff.levels.items():
            for team in levels:
                self.teams.setdefault(team, []).append(name)
        self.reaches: dict[Kind, Reach] = {}
        self.reaches_of: dict[str, list[Reach]] = {name: [] for name in self.posts}
        self.free: dict[str, tuple[int, tuple[float, float, float]]] = {}
        self.present: set[str] = set()
        self.active: set[str] = set()
        self.filed: dict[str, _Filed] = {}
        self.hers, self.his = Alarms(), Alarms()
        self.ready: set[Group] = set()
        self.touched_posts: set[str] = set(self.posts)
        self.touched_waiters: set[str] = set(self.waiters)
        self.touched_needs: set[Reach] = set()
        self.removed: set[str] = {name for name in self.posts if name not in staff.levels}

    # --- filing ---

    def refresh(self, now: float) -> None:
        """File what was touched."""
        if len(self.reaches) > MOST_KINDS:
            self._forget_kinds()
        for name in self.touched_posts:
            self._file_post(name, now)
        self.touched_posts.clear()
        # a post's presence may have touched callers
        for call in sorted(self.touched_waiters):
            self._file_waiter(call, now)
        self.touched_waiters.clear()

    def _file_post(self, name: str, now: float) -> None:
        post = self.posts.get(name)
        self.hers.set(name, None if post is None else _post_deadline(post, self.staff, now))
        present = post is not None and post.present
        if present != (name in self.present):
            (self.present.add if present else self.present.discard)(name)
            for reach in self.reaches_of.get(name, ()):
                self._presence(reach, name, present=present)
        active = post is not None and ranking.awake(post)
        if active != (name in self.active):
            (self.active.add if active else self.active.discard)(name)
            for reach in self.reaches_of.get(name, ()):
                before = bool(reach.active)
                (reach.active.add if active else reach.active.discard)(name)
                self.ready.update(reach.groups.values())
                if reach.wary and before != bool(reach.active):
                    self.touched_needs.add(reach)
        if post is None or not post.free(now):
            self.free.pop(name, None)
            return
        state = (post.idle_since, post.calls, post.last_offer)
        filed = self.free.get(name)
        if filed is not None and filed[1] == state:
            return
        stamp = next(self._stamps)
        self.free[name] = stamp, state
        for reach in self.reaches_of.get(name, ()):
            if reach.kind.ring is not None:
                self._push_free(reach, post, stamp)

    def _push_free(self, reach: Reach, post: Post, stamp: int) -> None:
        if len(reach.free) > 2 * len(reach.places) + 8:
            reach.free = [entry for entry in reach.free if self._is_free(entry)]
            heapify(reach.free)
        heappush(reach.free, reach.entry(post, stamp))
        self.ready.update(reach.groups.values())

    def _is_free(self, entry: FreeEntry) -> bool:
        filed = self.free.get(entry[3])
        return filed is not None and filed[0] == entry[4]

    def _presence(self, reach: Reach, name: str, *, present: bool) -> None:
        before = bool(reach.present)
        (reach.present.add if present else reach.present.discard)(name)
        self.ready.update(reach.groups.values())
        if before != bool(reach.present):
            if reach.kind.ring is None:
                self.touched_needs.add(reach)
            elif reach.kind.prefer:
                # who waited for them is held back no longer, or from now on
                self.touched_waiters.update(reach.members)

    def _file_waiter(self, call: str, now: float) -> None:
        waiter, filed = self.waiters.get(call), self.filed.get(call)
        if waiter is None:
            self.his.set(call, None)
            if filed is not None:
                self._unfile(call, filed)
                filed.need.members.discard(call)
                filed.need.wary.discard(call)
                self.touched_needs.add(filed.need)
                if filed.preferring is not None:
                    filed.preferring.members.discard(call)
                del self.filed[call]
            return
        need = filed.need if filed is not None else self._need(waiter)
        preferring, reach = self._kind_of(waiter, now)
        rung = bool(waiter.ringing)
        out = waiter.held is not None or (rung and waiter.ring is not Ringing.ALL)
        group = None if out else self._group(reach, waiter.target)
        key = (not waiter.head, waiter.start, waiter.joined, call)
        if filed is None:
            need.members.add(call)
            if waiter.nobody_paused:
                need.wary.add(call)
            self.touched_needs.add(need)
        if filed is None or (filed.group, filed.rung, filed.key) != (group, rung, key):
            if filed is not None:
                self._unfile(call, filed)
            stamp = next(self._stamps)
            if group is not None:
                self._push_waiter(group, (*key, stamp), rung=rung)
        else:
            stamp = filed.stamp
        if filed is not None and filed.preferring is not preferring and filed.preferring is not None:
            filed.preferring.members.discard(call)
        if preferring is not None:
            preferring.members.add(call)
        self.filed[call] = _Filed(stamp, group, rung, key, need, preferring)
        self.his.set(call, self._waiter_deadline(waiter, now))

    def _unfile(self, call: str, filed: _Filed) -> None:
        if filed.group is not None and not filed.rung:
            filed.group.count -= 1
            filed.group.reach.waiting -= 1
        # its entry in the heap dies with its stamp
        self.filed[call] = filed._replace(stamp=-1)

    def _push_waiter(self, group: Group, entry: WaiterEntry, *, rung: bool) -> None:
        heap = group.rung if rung else group.unrung
        if len(heap) > 2 * len(self.waiters) + 8:
            heap[:] = [old for old in heap if self._stands(old)]
            heapify(heap)
        heappush(heap, entry)
        if not rung:
            group.count += 1
            group.reach.waiting += 1
        self.ready.add(group)

    def _stands(self, entry: WaiterEntry) -> bool:
        filed = self.filed.get(entry[3])
        return filed is not None and filed.stamp == entry[4]

    # --- kinds ---

    def _need(self, waiter: Waiter) -> Reach:
        teams = ranking.reachable(waiter, self.staff)
        return self._reach(Kind(teams, waiter.languages, waiter.countries))

    def _kind_of(self, waiter: Waiter, now: float) -> tuple[Reach | None, Reach]:
        """The reach of his preference while that lasts, and the one he is filed under."""
        preferring = None
        if waiter.prefer and now < waiter.prefer_until:
            teams = ranking.reachable(waiter, self.staff)
            kind = Kind(teams, waiter.languages, waiter.countries, waiter.prefer, waiter.ring)
            preferring = self._reach(Kind((), (), (), waiter.prefer, waiter.ring) if waiter.returns else kind)
            if preferring.present:
                return preferring, preferring
        teams = tuple(ranking.reached(waiter, self.staff, now))
        return preferring, self._reach(Kind(teams, waiter.languages, waiter.countries, ring=waiter.ring))

    def _reach(self, kind: Kind) -> Reach:
        reach = self.reaches.get(kind)
        if reach is None:
            reach = self.reaches[kind] = Reach(kind, self.staff, self.teams)
            for name in reach.places:
                self.reaches_of.setdefault(name, []).append(reach)
                if name in self.present:
                    reach.present.add(name)
                if name in self.active:
                    reach.active.add(name)
                if kind.ring is not None and name in self.free:
                    heappush(reach.free, reach.entry(self.posts[name], self.free[name][0]))
        return reach

    def _forget_kinds(self) -> None:
        """Those nobody is of. They come back when somebody is."""
        used = set(self.touched_needs)  # else one made anew would be told what became of the old one
        for filed in self.filed.values():
            used.add(filed.need)
            used.update(r for r in (filed.preferring, filed.group.reach if filed.group else None) if r)
        self.reaches = {kind: reach for kind, reach in self.reaches.items() if reach in used}
        for name, reaches in self.reaches_of.items():
            self.reaches_of[name] = [reach for reach in reaches if reach in used]

    def _group(self, reach: Reach, target: float) -> Group:
        group = reach.groups.get(target)
        if group is None:
            group = reach.groups[target] = Group(reach, target)
        return group

    # --- asking ---

    def head(self, group: Group, *, rung: bool = False) -> Waiter | None:
        """The most urgent of the group."""
        heap = group.rung if rung else group.unrung
        while heap:
            if self._stands(heap[0]):
                return self.waiters[heap[0][3]]
            heappop(heap)
        return None

    def anybody_free(self, reach: Reach) -> bool:
        """Whether a phone may be rung for this kind."""
        while reach.free:
            if self._is_free(reach.free[0]):
                return True
            heappop(reach.free)
        return False

    def best(self, reach: Reach, waiter: Waiter) -> Post | None:
        """The free secretary whose turn it is for this caller: those who let him ring least come first."""
        passed: list[FreeEntry] = []
        chosen: FreeEntry | None = None
        while self.anybody_free(reach):
            entry = reach.free[0]
            if not waiter.tried.get(entry[3]):
                chosen = entry
                break
            passed.append(heappop(reach.free))
        if chosen is None and passed:
            chosen = min(passed, key=lambda entry: (waiter.tried[entry[3]], entry))
        for entry in passed:
            heappush(reach.free, entry)
        return None if chosen is None else self.posts[chosen[3]]

    def all_free(self, reach: Reach, waiter: Waiter, most: int | None = None) -> list[Post]:
        """Free secretaries for this caller, best first; of a long list perhaps not the best `most`."""
        entries: Iterable[FreeEntry] = reach.free if most is None else reach.free[: 2 * most]
        found = {entry[3]: entry for entry in entries if self._is_free(entry)}
        by_rank = sorted(found.values(), key=lambda entry: (waiter.tried.get(entry[3], 0), entry))
        return [self.posts[entry[3]] for entry in by_rank[:most]]

    def reach_of(self, call: str) -> Reach | None:
        """The kind a caller is of now; None where nobody may be rung for him."""
        filed = self.filed.get(call)
        return filed.group.reach if filed is not None and filed.group is not None else None

    def cannot_be_spared(self, secretary: str) -> bool:
        """Whether somebody waits for whom nobody else is at work, but for those who take a breath."""
        return any(
            reach.waiting and not self.has_others(reach, secretary)
            for reach in self.reaches_of.get(secretary, ())
        )

    def has_others(self, reach: Reach, secretary: str | None = None) -> bool:
        """Whether anybody but her is at work for this kind, and neither in a pause nor in a breather."""
        return any(name != secretary and self.posts[name].pause is None for name in reach.active)

    def empty_since(self, waiter: Waiter) -> float | None:
        """Since when nobody has been at work for him."""
        return self.empty.get(ranking.lack(waiter))

    # --- time ---

    def next_alarm(self) -> float | None:
        """The next instant at which something is due."""
        return min((at for at in (self.hers.next(), self.his.next()) if at is not None), default=None)

    def due(self, now: float) -> tuple[list[str], list[str]]:
        """Posts and callers whose instant has come; all of them count as touched."""
        posts, calls = self.hers.due(now), self.his.due(now)
        self.touched_posts.update(posts)
        self.touched_waiters.update(calls)
        return posts, calls

    def _waiter_deadline(self, waiter: Waiter, now: float) -> float | None:
        if waiter.held is not None:
            return None
        team = self.staff.teams.get(waiter.team)
        steps = [waiter.joined + step.after for step in team.widen] if team else []
        later = [at for at in steps if at > now]
        if waiter.prefer and waiter.prefer_until > now:
            later.append(waiter.prefer_until)
        nobody = ranking.nobody_at(waiter, self.empty_since(waiter))
        return min((at for at in (*later, waiter.max_wait_at, nobody) if at is not None), default=None)


def _post_deadline(post: Post, staff: Staff, now: float) -> float | None:
    """When time alone changes something about her."""
    match post.engaged:
        case Offered(until=until) | WrapUp(until=until):
            return until
        case Idle():
            later = [post.rest_until] if post.rest_until > now else []
            ends = pause_ends_at(post, staff)
            return min(later if ends is None else [*later, ends], default=None)
        case _:
            return None
