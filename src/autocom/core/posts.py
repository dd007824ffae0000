"""Who is at work and who waits: the values that the floor is made of.

A `Post` is a secretary's place: what her phone says (registered, in a call of her own), what
she said (logged in, paused), and what we gave her to do (her engagement). A `Waiter` is a
caller in the queue. Invariant: a post is engaged with at most one call, and a call that is
`held` by a secretary is rung nowhere else. The rules that change them are in `floor.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from autocom.core.model import Breather, Quota, Ringing, Team


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
    """After a call. Not offered anything before `earliest`; ends by itself at `until`.

    `kept`: she sent the caller on, and he may come back to her: without him it would end at that instant, and
    `until` is when nobody may bring him back any more."""

    call: str
    since: float
    earliest: float
    until: float
    kept: float | None = None


Engagement = Idle | Offered | InTalk | WrapUp


@dataclass(frozen=True, slots=True)
class Pause:
    """Why she takes no calls: break, lunch, training, other; or, set by us, no_answer, vanished, breather.

    `until`: a breather ends by itself. `over`: which limits of its quota it has exceeded; each is told once."""

    reason: str
    since: float
    until: float | None = None
    over: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Tally:
    """Her pauses of one reason on one day (ISO date in the bureau's zone): how many, and the seconds of
    those that are over. `over` as in `Pause`, for the limits that count by day."""

    day: str
    times: int = 0
    seconds: float = 0.0
    over: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Post:
    """A secretary's place. `rest_until`: nothing is offered before that instant (her phone just
    refused or did not answer, and asking again at once would only ring in circles). `idle_since`:
    since when she has had no call. `misses`: offers in a row she did not answer. `streak`: conversations
    in a row without a rest between them. `pauses`: today's, by reason. `seen`: when her phone last registered from a new
    address, or was found again."""

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
    streak: int = 0
    pauses: Mapping[str, Tally] = field(default_factory=dict)
    seen: float = 0.0

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

    @property
    def over_quota(self) -> tuple[str, ...]:
        """Which limits of its reason's quota her pause has exceeded: longest, a_day, times."""
        if self.pause is None:
            return ()
        tally = self.pauses.get(self.pause.reason)
        return (*self.pause.over, *(tally.over if tally is not None else ()))

    def free(self, now: float) -> bool:
        """May be offered a call at this instant."""
        return self.state == "free" and self.rest_until <= now


@dataclass(frozen=True, slots=True)
class Waiter:
    """A caller in the queue. He keeps `joined` (and so his place) whatever happens to offers.

    `max_wait_at`: when he gives up by rule. `nobody_from`: from then on an empty floor sends him
    to his way out (None: he waits whatever happens). `tried`: how often each secretary let him
    ring. `held`: the secretary who picked up, until the two are joined or her leg fails.
    `entered`: when he joined this queue, where `joined` counts what he waited before (None: `joined`).
    `advance`: seconds, as `priority` (a VIP). `head`: before everybody who is not (her phone vanished in
    their conversation). `languages`: she must speak one of them; `countries`: her site must be in one of
    them (empty: any). `prefer`: only they are asked until `prefer_until`, those of them who are in reach and
    at work. `known`: the secretary he talked to the last time, asked first if she is free when he joins.
    `nobody_paused`: a floor on which all are paused is empty to him. `dropped`: he is at the head because
    the secretary was gone as soon as they were joined. `back_to`: she sent him on and nobody took him: where
    she alone is in `prefer`, she is asked whatever her teams are."""

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
    entered: float | None = None
    advance: float = 0.0
    head: bool = False
    languages: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()
    prefer: tuple[str, ...] = ()
    prefer_until: float = 0.0
    known: str | None = None
    nobody_paused: bool = False
    dropped: bool = False
    back_to: str | None = None

    @property
    def returns(self) -> bool:
        """Whether he is kept for the secretary who sent him on, for as long as `prefer_until` says."""
        return self.back_to is not None and self.prefer == (self.back_to,)

    @property
    def start(self) -> float:
        """The instant from which he counts as waiting: his joining, put back by his advance."""
        return self.joined - self.priority - self.advance


@dataclass(frozen=True, slots=True)
class Staff:
    """What the floor knows of the configuration: levels by secretary and team, how teams widen,
    how long each client's wrap-up lasts (min, max seconds), what each secretary speaks and in which
    country she sits (a secretary who is missing there speaks nothing and sits nowhere that counts)."""

    levels: Mapping[str, Mapping[str, int]]
    teams: Mapping[str, Team]
    wrap_up: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    auto_login: frozenset[str] = frozenset()
    pause_after: int = 3
    languages: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    countries: Mapping[str, str] = field(default_factory=dict)
    breather: Breather | None = None
    quotas: Mapping[str, Quota] = field(default_factory=dict)
    zone: str = "UTC"


@dataclass(frozen=True, slots=True)
class Floor:
    """Everything that is decided over: posts by secretary, waiters by call, in order of arrival.

    `empty_since`: since when nobody is at work for those who wait, by `ranking.lack`. `board` belongs to
    `floor.apply`: what it computed of these values, in an order in which it finds them fast."""

    staff: Staff
    posts: Mapping[str, Post] = field(default_factory=dict)
    waiters: Mapping[str, Waiter] = field(default_factory=dict)
    empty_since: Mapping[str, float] = field(default_factory=dict)
    board: object = field(default=None, compare=False, repr=False)
