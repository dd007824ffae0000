"""A mapping that is never seen to change, though its newest version changes in place.

`succeed` makes the next version in the time of its changes, not of its size: the newest owns the real dict,
an older one keeps only what the next one changed (Baker's trick for arrays). Reading an older version is
right too, but makes it a copy of its own first. Invariant: what a version holds is the same for ever.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

V = TypeVar("V")


@dataclass(slots=True)
class _State(Generic[V]):
    """The dict of the newest version, or what the `following` one changed of it."""

    own: dict[str, V] | None
    following: _State[V] | None = None
    undo: dict[str, V | None] = field(default_factory=dict)


class Version(Mapping[str, V]):
    """One version. `own` becomes its property and must not be changed by others any more, except as
    `succeed` says."""

    __slots__ = ("_state",)

    def __init__(self, own: dict[str, V]) -> None:
        self._state = _State(own)

    def succeed(self, undo: dict[str, V | None]) -> Version[V]:
        """The next version: the dict has been changed in place already, `undo` says what stood there before
        (None: nothing)."""
        state = self._state
        if state.own is None:
            raise ValueError("this version was succeeded before")
        following = Version(state.own)
        state.own, state.following, state.undo = None, following._state, undo
        return following

    def _dict(self) -> dict[str, V]:
        state = self._state
        if state.own is None:
            later = [state]
            while (following := later[-1].following) is not None and following.own is None:
                later.append(following)
            assert following is not None
            assert following.own is not None
            copy = dict(following.own)
            for changed in reversed(later):
                for key, value in changed.undo.items():
                    if value is None:
                        copy.pop(key, None)
                    else:
                        copy[key] = value
            # not kept in the chain: versions before this one go on through what followed it
            state = self._state = _State(copy)
        return state.own or {}

    def __getitem__(self, key: str) -> V:
        return self._dict()[key]

    def __iter__(self) -> Iterator[str]:
        return iter(list(self._dict()))

    def __len__(self) -> int:
        return len(self._dict())

    def __contains__(self, key: object) -> bool:
        return key in self._dict()

    def __repr__(self) -> str:
        return f"Version({self._dict()!r})"
