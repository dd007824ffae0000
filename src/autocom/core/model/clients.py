"""A client of the bureau: who pays, with its numbers, greeting, hours, rules and limits.

Everything that differs from one practice to the next is here. Must not know the calls it gets nor the
bureau that takes them. Invariant: what a client left out is the bureau's default, filled in by
`autocom.config`, so no reader asks twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from autocom.core.model.outgoing import Limits
from autocom.core.model.people import Contact
from autocom.core.model.rules import ForwardReason, Listed, Rule
from autocom.core.model.sounds import Music
from autocom.core.model.steps import Step
from autocom.core.model.times import Closure, Hours


@dataclass(frozen=True, slots=True)
class Line:
    """A number of a client: the DID, and the forwarded line where several clients share that DID."""

    did: str
    forwarded_from: str | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """A system of the client's that may name the rule for a call, asked by HTTP for at most `within` seconds."""

    url: str
    within: float = 0.8


@dataclass(frozen=True, slots=True)
class Client:
    """Who pays: a practice with its numbers, greeting, hours and rules."""

    id: str
    name: str
    display: str
    profile: str
    lines: tuple[Line, ...]
    hours: Hours
    rules: tuple[Rule, ...]
    phrase: str = ""
    card: str | None = None
    absences: tuple[Closure, ...] = ()
    language: str = "fr"
    priority: int = 50
    target: float = 20.0
    max_calls: int | None = None
    on_full: tuple[Step, ...] = ()
    early_limit: float = 25.0
    code: str | None = None
    wrap_up_min: float = 0.0
    wrap_up_max: float = 0.0
    outgoing_number: str | None = None
    outgoing_verified: bool = False
    outgoing_international: tuple[str, ...] = ()  # prefixes abroad that may be dialled for it, E.164
    outgoing_limits: Limits | None = None  # its own, else the bureau's for every client
    recording: str = "never"
    recording_beep: float | None = None  # seconds between two tones that say: this is recorded
    retention_calls: float = 90 * 86400.0
    retention_recordings: float = 30 * 86400.0
    retention_texts: float = 30 * 86400.0
    texts_by: str | None = None  # the provider by which its texts go out
    phrases: Mapping[ForwardReason, str] = field(default_factory=dict)
    languages: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()
    vip: tuple[str, ...] = ()
    vip_advance: float = 60.0
    returning_within: float = 0.0
    on_fax: tuple[Step, ...] = ()
    fax: bool = True
    decision: Decision | None = None
    hold_music: Music | None = None
    contacts: tuple[Contact, ...] = ()  # whom secretaries may consult, by their place: 1, 2, …
    vip_listed: tuple[Listed, ...] = ()  # those of `vip` with an end or a reason, as `When.listed`

    @property
    def discreet(self) -> bool:
        """Whether notices about its calls carry no content: health and legal privilege."""
        return self.profile in {"medical", "legal"}
