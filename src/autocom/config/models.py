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
    """`outgoing`."""

    number: Number
    verified: Yes = False


class Retention(Strict):
    """`retention`."""

    calls: SomeTime | None = None
    recordings: SomeTime | None = None


class Vip(Strict):
    """`vip`: callers who wait less."""

    callers: Annotated[list[Line], OneOrMany()] = Field(min_length=1)
    advance: SomeTime = 60.0


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
    lists: dict[Id, list[ListEntry]] = Field(default_factory=dict)
    rules: list[Rule] | None = Field(default=None, min_length=1)
    wrap_up: WrapUp = WrapUp()
    outgoing: Outgoing | None = None
    retention: Retention = Retention()
    recording: Literal["never", "on_demand", "always"] = "never"

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


class Team(Strict):
    """One of `teams`."""

    widen: list[Widen] = Field(default_factory=list)


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


class Bureau(Strict):
    """The whole of bureau.yaml."""

    bureau: House
    trunks: list[Trunk] = Field(default_factory=list)
    secretaries: list[Secretary] = Field(default_factory=list)
    teams: dict[Id, Team] = Field(default_factory=dict)
    lists: dict[Id, list[ListEntry]] = Field(default_factory=dict)
    blocked: Annotated[list[Line], OneOrMany()] = Field(default_factory=list)
    rosters: dict[Id, Roster] = Field(default_factory=dict)
    defaults: ClientDefaults = ClientDefaults()
