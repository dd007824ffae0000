"""Who is at work and who waits: the values that the floor is made of.

A `Post` is a secretary's place: what her phone says (registered, in a call of her own), what
she said (logged in, paused), and what we gave her to do (her engagement). A `Waiter` is a
caller in the queue. Invariant: a post is engaged with at most one call, and a call that is
`held` by a secretary is rung nowhere else. The rules that change them are in `floor.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from autocom.core.model import Ringing, Team


@dataclass(frozen=True, slots=True)
class Idle:
    """Nothing to do for us."""


@dataclass(frozen=True, slots=True)
class Offered:
    """Her phone is made to ring. `until`: when her turn ends. `rang`: her phone said so."""

    call: str
    leg: str
    attempt: int
    since: float
    until: float
    rang: bool = False


@dataclass(frozen=True, slots=True)
class InTalk:
    """She picked up (the bridge may still be a few milliseconds away)."""

    call: str
    leg: str
    attempt: int
    client: str
    since: float


@dataclass(frozen=True, slots=True)
class WrapUp:
    """After a call. Not offered anything before `earliest`; ends by itself at `until`."""

    call: str
    since: float
    earliest: float
    until: float


Engagement = Idle | Offered | InTalk | WrapUp


@dataclass(frozen=True, slots=True)
class Pause:
    """Why she takes no calls: break, lunch, training, other, or no_answer (set by us)."""

    reason: str
    since: float


@dataclass(frozen=True, slots=True)
class Post:
    """A secretary's place. `rest_until`: nothing is offered before that instant (her phone just
    refused or did not answer, and asking again at once would only ring in circles). `idle_since`:
    since when she has had no call. `misses`: offers in a row she did not answer."""

    secretary: str
    registered: bool = False
    logged_in: bool = False
    pause: Pause | None = None
    engaged: Engagement = Idle()
    own_call: bool = False
    idle_since: float = 0.0
    rest_until: float = 0.0
    misses: int = 0
    calls: int = 0
    last_offer: float = 0.0
    since: float = 0.0

    @property
    def call(self) -> str | None:
        """The call she is engaged with, None where idle."""
        return None if isinstance(self.engaged, Idle) else self.engaged.call

    @property
    def present(self) -> bool:
        """Registered and logged in: she counts as staff, paused or busy as she may be."""
        return self.registered and self.logged_in

    @property
    def state(self) -> str:
        """The contract's word: offline, logged_out, free, ringing, talking, wrap_up, paused."""
        match self.engaged:
            case Offered():
                return "ringing"
            case InTalk():
                return "talking"
            case WrapUp():
                return "wrap_up"
            case Idle():
                pass
        if not self.registered:
            return "offline"
        if not self.logged_in:
            return "logged_out"
        if self.pause is not None:
            return "paused"
        return "talking" if self.own_call else "free"

    def free(self, now: float) -> bool:
        """May be offered a call at this instant."""
        return self.state == "free" and self.rest_until <= now


@dataclass(frozen=True, slots=True)
class Waiter:
    """A caller in the queue. He keeps `joined` (and so his place) whatever happens to offers.

    `max_wait_at`: when he gives up by rule. `nobody_from`: from then on an empty floor sends him
    to his way out (None: he waits whatever happens). `tried`: how often each secretary let him
    ring. `held`: the secretary who picked up, until the two are joined or her leg fails."""

    call: str
    client: str
    team: str
    joined: float
    priority: int = 50
    target: float = 20.0
    ring_for: float = 12.0
    ring: Ringing = Ringing.LONGEST_IDLE
    max_wait_at: float | None = None
    nobody_from: float | None = None
    attempts: int = 0
    tried: Mapping[str, int] = field(default_factory=dict)
    ringing: tuple[str, ...] = ()
    held: str | None = None


@dataclass(frozen=True, slots=True)
class Staff:
    """What the floor knows of the configuration: levels by secretary and team, how teams widen,
    how long each client's wrap-up lasts (min, max seconds)."""

    levels: Mapping[str, Mapping[str, int]]
    teams: Mapping[str, Team]
    wrap_up: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    auto_login: frozenset[str] = frozenset()
    pause_after: int = 3


@dataclass(frozen=True, slots=True)
class Floor:
    """Everything that is decided over: posts by secretary, waiters by call, in order of arrival."""

    staff: Staff
    posts: Mapping[str, Post] = field(default_factory=dict)
    waiters: Mapping[str, Waiter] = field(default_factory=dict)
    empty_since: Mapping[str, float] = field(default_factory=dict)
