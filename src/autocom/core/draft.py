"""One decision in the making: the floor's maps changed in place, and taken back where it fails.

`put` and `drop` are the only ways to change a post or a waiter; they remember what stood there, keep the
board told, and count pauses. `outcome` makes the new floor. Must hold no rule of who rings whom.
Invariant: until `outcome`, and after `undo`, the floor that was given is as it was.
"""

from __future__ import annotations

from dataclasses import replace

from autocom.core import pauses
from autocom.core.board import Board
from autocom.core.floor_words import Decision, Outcome
from autocom.core.journal import Entry, Json
from autocom.core.posts import Floor, Post, Staff, Waiter


class Draft:
    """Private to `floor.apply`."""

    def __init__(self, floor: Floor, now: float) -> None:
        self.now = now
        self.floor = floor
        self.board = Board.of(floor)
        self.decisions: list[Decision] = []
        self.entries: list[Entry] = []
        self._posts_before: dict[str, Post | None] = {}
        self._waiters_before: dict[str, Waiter | None] = {}
        self._empty_before = dict(self.board.empty)

    @property
    def staff(self) -> Staff:
        """The configuration's."""
        return self.board.staff

    @property
    def posts(self) -> dict[str, Post]:
        """To be read; changed by `put`."""
        return self.board.posts

    @property
    def waiters(self) -> dict[str, Waiter]:
        """To be read; changed by `put`."""
        return self.board.waiters

    # --- changing ---

    def put(self, value: Post | Waiter) -> None:
        """This is how she, or he, is now."""
        if isinstance(value, Waiter):
            before = self.waiters.get(value.call)
            if before is not value:
                self._waiters_before.setdefault(value.call, before)
                self.waiters[value.call] = value
                self.board.touched_waiters.add(value.call)
            return
        old = self.posts.get(value.secretary)
        if old is value:
            return
        accounted = pauses.account(old, value, self.staff, self.now)
        self.entries.extend(accounted.entries)
        self._posts_before.setdefault(value.secretary, old)
        self.posts[value.secretary] = accounted.post
        self.board.touched_posts.add(value.secretary)

    def drop_waiter(self, call: str) -> None:
        """He is no longer in the queue."""
        self._waiters_before.setdefault(call, self.waiters.pop(call))
        self.board.touched_waiters.add(call)

    def drop_post(self, secretary: str) -> None:
        """She is no longer of the bureau."""
        self._posts_before.setdefault(secretary, self.posts.pop(secretary))
        self.board.touched_posts.add(secretary)

    def note(self, kind: str, call: str | None, /, **fields: Json) -> None:
        """Write something down."""
        self.entries.append(Entry(self.now, kind, call, fields))

    def refresh(self) -> Board:
        """The board as it is after all changes so far."""
        self.board.refresh(self.now)
        return self.board

    # --- ending ---

    def outcome(self) -> Outcome:
        """The result, with an entry for each secretary whose visible state is another now."""
        for name, before in self._posts_before.items():
            post = self.posts.get(name)
            if post is None or (before is not None and _visible(before) == _visible(post)):
                continue
            self.posts[name] = replace(post, since=self.now)
            fields: dict[str, Json] = {"secretary": name, "state": post.state, "call": post.call}
            if post.pause is not None:
                fields["reason"] = post.pause.reason
            self.entries.append(Entry(self.now, "secretary_state", None, fields))
        return Outcome(
            self._new_floor(),
            tuple(self.decisions),
            tuple(self.entries),
            posts=tuple(self._posts_before),
            waiters=tuple(self._waiters_before),
        )

    def _new_floor(self) -> Floor:
        board = self.board
        if self._posts_before:
            board.posts_version = board.posts_version.succeed(self._posts_before)
        if self._waiters_before:
            board.waiters_version = board.waiters_version.succeed(self._waiters_before)
        if board.empty != self._empty_before:
            board.empty_version = dict(board.empty)
        if (
            self.floor.posts is board.posts_version
            and self.floor.waiters is board.waiters_version
            and self.floor.empty_since is board.empty_version
            and self.floor.staff is board.staff
        ):
            return self.floor
        return Floor(board.staff, board.posts_version, board.waiters_version, board.empty_version, board)

    def undo(self) -> None:
        """As if nothing had been decided."""
        board = self.board
        for name, post in self._posts_before.items():
            if post is None:
                board.posts.pop(name, None)
            else:
                board.posts[name] = post
        for call, waiter in self._waiters_before.items():
            if waiter is None:
                board.waiters.pop(call, None)
            else:
                board.waiters[call] = waiter
        board.broken = True


def _visible(post: Post) -> tuple[object, ...]:
    pause = post.pause
    return post.state, post.call, pause and (pause.reason, pause.since)
