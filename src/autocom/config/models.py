"""`bureau.yaml` and `clients/*.yaml` as the admin writes them, key for key.

Only the shape of each file by itself. Must not know the other files: whether a team exists, a
number is taken or a rule can be reached is decided in `checks`. Invariant: an unknown key is a
fault; a client's key that `defaults` may hold is optional here and demanded after the merge.
The story goes on in `shape`, which turns refusals into places and words.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import AfterValidator, Field, GetJsonSchemaHandler, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from autocom.config.dialling_build import Part, Prefix
from autocom.config.scalars import (
    Calendar,
    Code,
    Count,
    Country,
    Date,
    Days,
    DidPlace,
    Digit,
    Display,
    Duration,
    Extension,
    FieldPath,
    HeaderName,
    Host,
    Id,
    LanguageTag,
    Level,
    Line,
    LineOrNothing,
    Link,
    Mail,
    Moment,
    Network,
    Number,
    OneOrMany,
    Password,
    Priority,
    Range,
    Repeat,
    Secret,
    Some,
    SomeTime,
    Until,
    Yes,
    Zone,
)
from autocom.config.steps import Prompt, Step, Strict, every_step
from autocom.config.wording import told

if TYPE_CHECKING:
    from autocom.config.document import Route

# --- clients/*.yaml --------------------------------------------------------------------------


class Line_(Strict):  # noqa: N801 - `Line` is a line of text here
    """One of `numbers`."""

    did: Number
    forwarded_from: Number | None = None


class Closure(Strict):
    """One of `closures` and `openings`."""

    from_: Moment = Field(alias="from")
    to: Moment
    name: LineOrNothing = ""


class Absence(Closure):
    """One of `absences`."""

    play: Prompt | None = None


class Dates(Strict):
    """Days of `when: {dates: …}`, both included."""

    from_: Date = Field(alias="from")
    to: Date


class When(Strict):
    """The conditions of a rule."""

    caller: Annotated[list[Line], OneOrMany()] | None = None
    hours: Literal["open", "closed"] | None = None
    absence: Yes | None = None
    forward_reason: (
        Annotated[list[Literal["unconditional", "no-answer", "busy", "unavailable", "unknown"]], OneOrMany()]
        | None
    ) = None
    did: Annotated[list[Number], OneOrMany()] | None = None
    days: Annotated[list[Days], OneOrMany()] | None = None
    dates: list[Dates] | None = None
    time: Annotated[list[Range], OneOrMany()] | None = None
    waiting_over: Count | None = None
    nobody: Yes | None = None


class Rule(Strict):
    """One of `rules`."""

    name: Line
    when: When | None = None
    do: list[Step] = Field(min_length=1)


class WrapUp(Strict):
    """`wrap_up`."""

    min: Duration = 0.0
    max: Duration = 0.0


class Outgoing(Strict):
    """`outgoing` of a client: whose number its calls show, and what may be dialled for it."""

    number: Number | None = None
    verified: Yes = False
    international: Annotated[list[Prefix], OneOrMany()] = Field(default_factory=list)
    at_once: Some | None = None
    per_hour: Some | None = None
    minutes_a_day: Some | None = None


class Retention(Strict):
    """`retention`."""

    calls: SomeTime | None = None
    recordings: SomeTime | None = None
    texts: SomeTime | None = None


class ClientTexts(Strict):
    """`texts` of a client: by which provider they go out."""

    provider: Id


class Vip(Strict):
    """`vip`: callers who wait less."""

    callers: Annotated[list[Line], OneOrMany()] = Field(min_length=1)
    advance: SomeTime = 60.0


class ClientContact(Strict):
    """One of `contacts`: whom secretaries may reach for this client, by his place in the list."""

    name: Line
    number: Number


class Returning(Strict):
    """`returning`: who calls again so soon gets his place back."""

    within: SomeTime = 600.0


class Fax(Strict):
    """`fax`: what becomes of fax machines."""

    detect: Yes = True
    do: list[Step] = Field(default_factory=list)


Reason = Literal["unconditional", "no-answer", "busy", "unavailable", "unknown"]


class Decision(Strict):
    """`decision`: a system of the client's that may name the rule for a call."""

    url: Link
    within: SomeTime = 0.8


class ListEntry(Strict):
    """One of a list's numbers: bare, or with the reason and the end of its being there."""

    number: Line
    reason: LineOrNothing = ""
    until: Until | None = None

    @model_validator(mode="before")
    @classmethod
    def _bare(cls, value: object) -> object:
        return {"number": value} if isinstance(value, str) else value

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """The bare text, or the mapping."""
        reference = handler(core)
        named = handler.resolve_ref_schema(reference)
        mapping = dict(named)
        named.clear()
        named["anyOf"] = [dict(mapping["properties"]["number"]), mapping]
        return reference


class ClientDefaults(Strict):
    """The client keys that `defaults` may hold."""

    display: Display | None = None
    profile: Literal["medical", "legal", "general"] = "general"
    phrase: LineOrNothing = ""
    phrases: dict[Reason, Line] = Field(default_factory=dict)
    card: Link | None = None
    timezone: Zone | None = None
    holidays: Calendar | None = None
    language: Literal["fr", "en"] | None = None
    languages: Annotated[list[LanguageTag], OneOrMany()] = Field(default_factory=list)
    countries: Annotated[list[Country], OneOrMany()] = Field(default_factory=list)
    hours: dict[Days, Annotated[list[Range], OneOrMany()]] | None = None
    closures: list[Closure] = Field(default_factory=list)
    openings: list[Closure] = Field(default_factory=list)
    absences: list[Absence] = Field(default_factory=list)
    priority: Priority = 50
    target: SomeTime = 20.0
    vip: Vip | None = None
    returning: Returning | None = None
    max_calls: Some | None = None
    on_full: list[Step] = Field(default_factory=list)
    early_limit: SomeTime = 25.0
    code: Code | None = None
    fax: Fax = Fax()
    decision: Decision | None = None
    hold_music: Line | None = None
    contacts: list[ClientContact] = Field(default_factory=list, max_length=99)
    lists: dict[Id, list[ListEntry]] = Field(default_factory=dict)
    rules: list[Rule] | None = Field(default=None, min_length=1)
    wrap_up: WrapUp = WrapUp()
    outgoing: Outgoing | None = None
    retention: Retention = Retention()
    texts: ClientTexts | None = None
    recording: Literal["never", "on_demand", "always"] = "never"
    recording_beep: SomeTime | None = None

    @cached_property
    def every_step(self) -> tuple[tuple[Step, Route], ...]:
        """Each step that a call of this client may come to, with the keys that lead there."""
        lists: list[tuple[list[Step], Route]]
        lists = [(rule.do, ("rules", index, "do")) for index, rule in enumerate(self.rules or ())]
        lists += [(self.on_full, ("on_full",)), (self.fax.do, ("fax", "do"))]
        return tuple(found for steps, route in lists for found in every_step(steps, route))


class Client(ClientDefaults):
    """One client, `defaults` already merged in."""

    id: Id
    name: Line
    numbers: list[Line_]
    hours: dict[Days, Annotated[list[Range], OneOrMany()]]
    rules: list[Rule] = Field(min_length=1)


# --- bureau.yaml -----------------------------------------------------------------------------


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
    defaults: ClientDefaults = ClientDefaults()
