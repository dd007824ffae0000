"""`clients/*.yaml` as the admin writes them, key for key.

Only the shape of one file by itself; what `defaults` may hold is optional here and demanded after the merge. Must
not know the other files nor the bureau's (`models`). Invariant: an unknown key is a fault. Where the story goes
on: `models`, then `shape`.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, GetJsonSchemaHandler, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from autocom.config.dialling_build import Prefix
from autocom.config.scalars import (
    Calendar,
    Code,
    Count,
    Country,
    Date,
    Days,
    Display,
    Duration,
    Id,
    LanguageTag,
    Line,
    LineOrNothing,
    Link,
    Moment,
    Number,
    OneOrMany,
    Priority,
    Range,
    Some,
    SomeTime,
    Until,
    Yes,
    Zone,
)
from autocom.config.steps import Prompt, Step, Strict, every_step

if TYPE_CHECKING:
    from autocom.config.document import Route


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
