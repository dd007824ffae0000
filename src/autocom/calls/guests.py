"""The callers of a while ago, kept over a restart: asked at the door, told at the end of each call.

What is remembered and for how long is decided in `core.returning`; here it is kept in the floor's rows. A place
is given back once. Must not be asked about callers without a number: there is no such guest.
"""

from __future__ import annotations

from collections.abc import Mapping

from autocom.calls.kept import read_back
from autocom.calls.ports import Journal
from autocom.core.codec import Codec
from autocom.core.ingress import Identity
from autocom.core.journal import Json
from autocom.core.model import Client
from autocom.core.returning import Visit, guest, known_again, visit_of
from autocom.core.story import Story

ROW = "returning:"


class Guests:
    """Visits by guest, the oldest first."""

    def __init__(self, journal: Journal) -> None:
        self._journal, self._codec = journal, Codec((Visit,))
        self._visits: dict[str, Visit] = {}

    def restore(self, rows: Mapping[str, Json]) -> None:
        """What the last process knew."""
        found = read_back(self._codec, Visit, ROW, rows)
        self._visits = dict(sorted(found.items(), key=lambda pair: pair[1].left_at))

    def back(self, client: Client, identity: Identity, now: float) -> Visit | None:
        """His last visit, where he has his place again or knows somebody; it is forgotten by that."""
        name = guest(client, identity)
        visit = known_again(self._visits.pop(name, None), now) if name is not None else None
        if visit is not None:
            self._journal.save(floor={f"{ROW}{name}": None})
        return visit

    def cut_off(self, now: float) -> dict[tuple[str, str], Visit]:
        """By client and number: under whom Asterisk died, and who has not called again."""
        found: dict[tuple[str, str], Visit] = {}
        for name, visit in self._visits.items():
            if visit.since is not None and visit.until >= now:
                client, _, caller = name.partition(":")
                found[client, caller] = visit
        return found

    def left(self, story: Story, now: float, *, cut: bool) -> None:
        """A call is over. What counts no longer is forgotten on the way."""
        rows: dict[str, Json] = {}
        for old in list(self._visits):
            if self._visits[old].until >= now:
                break
            del self._visits[old]
            rows[f"{ROW}{old}"] = None
        name = guest(story.call.client, story.call.identity)
        visit = visit_of(story, now, cut=cut) if name is not None else None
        if name is not None and visit is not None:
            self._visits.pop(name, None)
            self._visits[name] = visit
            rows[f"{ROW}{name}"] = self._codec.dump(visit)
        if rows:
            self._journal.save(floor=rows)
