"""`bureau.yaml` and `clients/*.yaml` as the admin writes them, key for key.

Only the shape of each file by itself. Must not know the other files: whether a team exists, a
number is taken or a rule can be reached is decided in `checks`. Invariant: an unknown key is a
fault; a client's key that `defaults` may hold is optional here and demanded after the merge.
The story goes on in `shape`, which turns refusals into places and words.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import AfterValidator, Field

from autocom.config.alert_models import AlertRule, Alerts, AlertWebhook
from autocom.config.client_models import (
    Absence,
    Client,
    ClientContact,
    ClientDefaults,
    ClientTexts,
    Closure,
    Dates,
    Decision,
    Fax,
    Line_,
    ListEntry,
    Outgoing,
    Reason,
    Retention,
    Returning,
    Rule,
    Vip,
    When,
    WrapUp,
)
from autocom.config.dialling_build import Part, Prefix
from autocom.config.scalars import (
    Calendar,
    Count,
    Country,
    Days,
    DidPlace,
    Digit,
    Duration,
    Extension,
    FieldPath,
    HeaderName,
    Host,
    Id,
    LanguageTag,
    Level,
    Line,
    Link,
    Mail,
    Network,
    Number,
    OneOrMany,
    Password,
    Range,
    Repeat,
    Secret,
    Some,
    SomeTime,
    Yes,
    Zone,
)
from autocom.config.steps import Strict
from autocom.config.wording import told

if TYPE_CHECKING:
    from autocom.config.document import Route

__all__ = [
    "Absence",
    "AlertRule",
    "AlertWebhook",
    "Alerts",
    "Breather",
    "Bureau",
    "Client",
    "ClientContact",
    "ClientDefaults",
    "ClientDiallingLimits",
    "ClientTexts",
    "Closure",
    "Contact",
    "Dates",
    "Decision",
    "Dialling",
    "DiallingLimits",
    "Fax",
    "Forwarding",
    "House",
    "Line_",
    "ListEntry",
    "NoAnswer",
    "Outgoing",
    "Parking",
    "Pause",
    "Reason",
    "Retention",
    "Returning",
    "Roster",
    "Rule",
    "Secretary",
    "Shift",
    "Site",
    "Supervision",
    "Supervisor",
    "Team",
    "TextFields",
    "TextLimits",
    "TextProvider",
    "Texts",
    "Trunk",
    "Vip",
    "When",
    "Widen",
    "WrapUp",
]


class NoAnswer(Strict):
    """`no_answer`."""

    pause_after: Count = 3


class Pause(Strict):
    """A reason of `pauses`: how long at a time, how long and how often a day."""

    max: SomeTime | None = None
    per_day: SomeTime | None = None
    times: Some | None = None


class Breather(Strict):
    """`breather`: a rest after so many calls in a row."""

    after: Some
    for_: SomeTime = Field(alias="for")


class Supervisor(Strict):
    """`supervisor`: who is told of what needs somebody."""

    mail: Annotated[list[Mail], OneOrMany()] = Field(min_length=1)


class Parking(Strict):
    """`parking`."""

    return_after: SomeTime = 90.0


class Forwarding(Strict):
    """`forwarding`: of the secretaries' phones."""

    outside: Yes = False
    depth: Count = 3


class House(Strict):
    """`bureau`."""

    name: Line
    number: Number
    country: Country
    timezone: Zone
    language: Literal["fr", "en"]
    holidays: Calendar
    unknown_client: Id
    no_answer: NoAnswer = NoAnswer()
    pauses: dict[Literal["break", "lunch", "training", "other"], Pause] = Field(default_factory=dict)
    breather: Breather | None = None
    supervisor: Supervisor | None = None
    hold_reminder: Duration = 60.0
    parking: Parking = Parking()
    forwarding: Forwarding = Forwarding()


class Trunk(Strict):
    """One of `trunks`."""

    id: Id
    match: list[Network] = Field(min_length=1)
    did_in: DidPlace = "request_uri"
    host: Host | None = None
    max_calls: Some | None = None
    qualify: Yes = False


class Site(Strict):
    """`site` of a secretary."""

    country: Country
    name: Line


def _not_a_trunk(name: str) -> str:
    # Asterisk knows a trunk as trunk-<id>; one name space holds both
    if name.startswith("trunk-"):
        raise ValueError(told("an id of a secretary cannot begin with `trunk-`"))
    return name


class Secretary(Strict):
    """One of `secretaries`."""

    id: Annotated[Id, AfterValidator(_not_a_trunk)]
    name: Line
    extension: Extension
    password: Password
    teams: dict[Id, Level] = Field(default_factory=dict)
    languages: list[LanguageTag] = Field(default=["fr"], min_length=1)
    site: Site | None = None
    auto_login: Yes = False
    whisper: Yes = False


class Widen(Strict):
    """One of a team's `widen`."""

    after: Duration
    to: Id


class Supervision(Strict):
    """`supervision` of a team: when, and how, its leads may listen."""

    hours: dict[Days, Annotated[list[Range], OneOrMany()]] = Field(min_length=1)
    modes: Annotated[list[Literal["listen", "whisper", "barge"]], OneOrMany()] = Field(
        default=["listen", "whisper", "barge"], min_length=1
    )
    notice: Literal["message", "beep"] = "message"
    confidential: Yes = False


class Team(Strict):
    """One of `teams`."""

    widen: list[Widen] = Field(default_factory=list)
    extension: Extension | None = None
    leads: Annotated[list[Id], OneOrMany()] = Field(default_factory=list)
    supervision: Supervision | None = None


class Contact(Strict):
    """One who is on call."""

    name: Line
    number: Number


class Shift(Strict):
    """One of a roster's `shifts`: `order` is on call on these days, at these times."""

    days: Annotated[list[Days], OneOrMany()] | None = None
    time: Annotated[list[Range], OneOrMany()] | None = None
    dates: Dates | None = None
    order: list[Contact] = Field(min_length=1)


class Roster(Strict):
    """One of `rosters`: who is called, in which order, how often."""

    order: list[Contact] | None = Field(default=None, min_length=1)
    shifts: list[Shift] | None = Field(default=None, min_length=1)
    ring_for: SomeTime = 30.0
    rounds: Repeat = 2
    pause: Duration = 0.0
    accept: Digit = "1"
    fallback: Contact | None = None

    def contacts(self) -> Iterator[tuple[Contact, Route]]:
        """Everybody who may be rung, with the keys that lead there."""
        for index, contact in enumerate(self.order or ()):
            yield contact, ("order", index)
        for number, shift in enumerate(self.shifts or ()):
            for index, contact in enumerate(shift.order):
                yield contact, ("shifts", number, "order", index)
        if self.fallback is not None:
            yield self.fallback, ("fallback",)


class TextFields(Strict):
    """`fields` of a webhook: what the provider calls ours, `a.b` for one inside another."""

    id: FieldPath | None = None
    from_: FieldPath | None = Field(default=None, alias="from")
    to: FieldPath | None = None
    text: FieldPath | None = None
    media: FieldPath | None = None
    message: FieldPath | None = None
    status: FieldPath | None = None
    error: FieldPath | None = None


class TextProvider(Strict):
    """One of `texts.providers`."""

    id: Id
    kind: Literal["webhook", "smpp", "trunk"]
    url: Link | None = None
    token: Secret | None = None
    secret: Secret | None = None
    signature: HeaderName | None = None
    inbound_token: Secret | None = None
    fields: TextFields | None = None
    media_hosts: list[Host] = Field(default_factory=list)
    host: Host | None = None
    tls: Yes = False
    user: Line | None = None
    password: Secret | None = None
    trunk: Id | None = None


class TextLimits(Strict):
    """`limits` of `texts`: how many in any hour."""

    per_client: Some = 60
    per_secretary: Some = 60


class Texts(Strict):
    """`texts`: SMS and MMS."""

    providers: list[TextProvider] = Field(default_factory=list)
    limits: TextLimits = TextLimits()


class DiallingLimits(Strict):
    """`per_secretary` of `outgoing`."""

    at_once: Some = 2
    per_hour: Some = 20
    minutes_a_day: Some = 60


class ClientDiallingLimits(DiallingLimits):
    """`per_client` of `outgoing`."""

    at_once: Some = 4
    per_hour: Some = 60
    minutes_a_day: Some = 240


class Dialling(Strict):
    """`outgoing` of bureau.yaml: which numbers outside people may have dialled, and how many."""

    international: Annotated[list[Prefix], OneOrMany()] = Field(default_factory=list)
    overseas: Yes = True
    premium: Yes = False
    per_secretary: DiallingLimits = DiallingLimits()
    per_client: ClientDiallingLimits = ClientDiallingLimits()
    alarm_at: Part = 0.5


class Bureau(Strict):
    """The whole of bureau.yaml."""

    bureau: House
    trunks: list[Trunk] = Field(default_factory=list)
    secretaries: list[Secretary] = Field(default_factory=list)
    teams: dict[Id, Team] = Field(default_factory=dict)
    lists: dict[Id, list[ListEntry]] = Field(default_factory=dict)
    blocked: Annotated[list[Line], OneOrMany()] = Field(default_factory=list)
    rosters: dict[Id, Roster] = Field(default_factory=dict)
    texts: Texts = Texts()
    outgoing: Dialling = Dialling()
    alerts: Alerts = Alerts()
    defaults: ClientDefaults = ClientDefaults()
