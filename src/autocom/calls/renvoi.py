"""Forwards of the secretaries' phones, as they set them: kept.

One floor row `forward:<secretary>` each, so they survive restarts. Law: saved before anybody is told. What a
forward means is in `core.renvoi`; calls follow it in `diverting`.
"""

from __future__ import annotations

from collections.abc import Mapping

from autocom.calls.kept import read_back
from autocom.calls.ports import Clock, Journal
from autocom.core.codec import Codec
from autocom.core.journal import Entry, Json
from autocom.core.renvoi import Forwards

ROW = "forward:"
_NOTHING = Forwards()


class PostForwards:
    """Everybody's."""

    def __init__(self, journal: Journal, clock: Clock) -> None:
        self._journal, self._clock = journal, clock
        self._codec = Codec((Forwards,))
        self._by_post: dict[str, Forwards] = {}

    @property
    def all(self) -> Mapping[str, Forwards]:
        """By secretary; who is not there has set none."""
        return self._by_post

    def of(self, secretary: str) -> Forwards:
        """Hers."""
        return self._by_post.get(secretary, _NOTHING)

    def restore(self, rows: Mapping[str, Json]) -> None:
        """Take over what the last process saved."""
        self._by_post = read_back(self._codec, Forwards, ROW, rows)

    def set(self, secretary: str, when: str, to: str | None) -> None:
        """Set one, or end it. ValueError for an unknown kind."""
        changed = self.of(secretary).set(when, to)
        fields: dict[str, Json] = {"secretary": secretary, "forward": when, "to": to}
        row = None if changed == _NOTHING else self._codec.dump(changed)
        entry = Entry(self._clock.now(), "forward_set", None, fields)
        self._journal.save([entry], floor={f"{ROW}{secretary}": row})
        if changed == _NOTHING:
            self._by_post.pop(secretary, None)
        else:
            self._by_post[secretary] = changed
