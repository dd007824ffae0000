"""The bureau as a whole: its own settings, its operators, and one version of everything.

`Configuration` is what a reload replaces, as a whole or not at all. Must not know files. Invariant:
equal files give equal versions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from autocom.core.alerts import Alerting
from autocom.core.model.clients import Client
from autocom.core.model.outgoing import Dialling
from autocom.core.model.people import Roster, Secretary, Team
from autocom.core.model.rules import Rule
from autocom.core.model.sounds import Music, StockSounds
from autocom.core.texts import Texting


@dataclass(frozen=True, slots=True)
class Trunk:
    """An operator. `did_in` says where its calls carry the DID: request_uri, to,
    p_called_party_id or header:X-Name. `qualify`: whether it is asked again and again (OPTIONS) if it is there; else it
    is dialled whatever it would say."""

    id: str
    match: tuple[str, ...]
    did_in: str = "request_uri"
    host: str | None = None
    max_calls: int | None = None
    qualify: bool = False


@dataclass(frozen=True, slots=True)
class Quota:
    """How long and how often a day a pause of one reason may be; None: no limit. Seconds and times."""

    longest: float | None = None
    a_day: float | None = None
    times: int | None = None


@dataclass(frozen=True, slots=True)
class Breather:
    """After `calls` conversations without a rest of `rest` seconds between them, so long a rest."""

    calls: int
    rest: float


@dataclass(frozen=True, slots=True)
class Bureau:
    """The answering service itself."""

    name: str
    number: str
    country: str
    timezone: str
    language: str
    unknown_client: str
    pause_after: int = 3
    quotas: Mapping[str, Quota] = field(default_factory=dict)
    breather: Breather | None = None
    supervisor: tuple[str, ...] = ()  # mail addresses that are told of what needs somebody
    hold_reminder: float = 60.0  # seconds on hold after which she is reminded, again and again; 0: never
    outgoing: Dialling = field(default_factory=Dialling)
    parking_return: float = 90.0  # seconds after which who was parked returns to the one who parked him
    forwarding_outside: bool = False  # whether a secretary may forward her phone to a number outside
    forwarding_depth: int = 3  # phones that may send one call on
    alerts: Alerting = field(default_factory=Alerting)  # who is told of what is wrong with the exchange


@dataclass(frozen=True, slots=True)
class Configuration:
    """One version of everything. `version` is derived from the content, so equal files are equal versions."""

    version: str
    bureau: Bureau
    trunks: Mapping[str, Trunk]
    secretaries: Mapping[str, Secretary]
    teams: Mapping[str, Team]
    clients: Mapping[str, Client]
    stock: StockSounds
    music: Mapping[str, Music] = field(default_factory=dict)
    rosters: Mapping[str, Roster] = field(default_factory=dict)
    blocked: Rule | None = None  # asked before the rules of every client
    texts: Texting = field(default_factory=Texting)
