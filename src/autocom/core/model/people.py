"""The people: secretaries and their teams, leads who listen, and who is on call outside.

Must not know clients or calls: who is free at the moment is `core.posts`, who is on call now
`core.oncall`. Invariant: every id that is named here exists.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from autocom.core.model.times import TimeRange

MODES = ("listen", "whisper", "barge")
"""How a team lead may take part in a conversation: unheard, heard by the secretary, heard by everybody."""


@dataclass(frozen=True, slots=True)
class Contact:
    """One who can be rung for a caller: somebody outside, or (`post`) a secretary at her own phone, whose
    `number` is then her extension."""

    name: str
    number: str
    post: str | None = None


@dataclass(frozen=True, slots=True)
class Shift:
    """When these are on call, in their order: `days` are ISO weekdays (empty: every day), `span` local
    time of the bureau (None: the whole day; it may cross midnight), `dates` an inclusive pair."""

    order: tuple[Contact, ...]
    days: tuple[int, ...] = ()
    span: TimeRange | None = None
    dates: tuple[date, date] | None = None


@dataclass(frozen=True, slots=True)
class Roster:
    """Who is on call: `shifts`, the first that holds decides; each contact rings `ring_for` seconds, all
    of them up to `rounds` times with `pause` seconds between rounds, until one presses `accept`.
    `fallback`: who is rung last of all, without end of duty (the team lead)."""

    id: str
    shifts: tuple[Shift, ...]
    ring_for: float = 30.0
    rounds: int = 2
    pause: float = 0.0
    accept: str = "1"
    fallback: Contact | None = None


@dataclass(frozen=True, slots=True)
class Secretary:
    """Who answers (the field says agent). `teams` maps a team to her level there, 1 best. `whisper`: she
    hears the client's name before the caller is joined."""

    id: str
    name: str
    extension: str
    password: str = field(repr=False)
    teams: Mapping[str, int] = field(default_factory=dict)
    languages: tuple[str, ...] = ("fr",)
    country: str | None = None
    site: str | None = None
    auto_login: bool = False
    whisper: bool = False


@dataclass(frozen=True, slots=True)
class Widening:
    """After a caller waited `after` seconds, his team reaches `to` as well."""

    after: float
    to: str


@dataclass(frozen=True, slots=True)
class Supervision:
    """When and how a team may be listened to by its leads. `week` as in `Hours`, in the bureau's zone; `beep`: the
    secretary hears a soft tone as well; `confidential`: also calls of medical and legal clients."""

    week: Mapping[int, tuple[TimeRange, ...]]
    modes: tuple[str, ...] = MODES
    beep: bool = False
    confidential: bool = False


@dataclass(frozen=True, slots=True)
class Team:
    """A skill group. `extension`: what a secretary dials to send a caller to its queue. `leads`: the secretaries
    who lead it; they may hear its conversations within `supervision` (None: never)."""

    id: str
    widen: tuple[Widening, ...] = ()
    extension: str | None = None
    leads: tuple[str, ...] = ()
    supervision: Supervision | None = None
