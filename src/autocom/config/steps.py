"""The steps of a rule as the YAML writes them: a list of mappings with one key each.

Only the shape: types, units, allowed words. Must not know other rules, teams or files. Invariant:
a `Step` has exactly one of its keys, named by `kind`. The story goes on in `client` (who holds
steps) and `steps_build` (what becomes of them).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, GetJsonSchemaHandler, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from autocom.config.scalars import (
    Digit,
    Duration,
    Id,
    Line,
    Mail,
    MailOrNumber,
    Number,
    Repeat,
    SomeTime,
    SoundName,
    Speech,
    Yes,
)
from autocom.config.wording import told

if TYPE_CHECKING:
    from autocom.config.document import Route


class Strict(BaseModel):
    """Base of everything in the files: an unknown key is a fault."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=False)


class Prompt(Strict):
    """Something to hear: a file, or a text for the voice."""

    sound: SoundName | None = None
    say: Speech | None = None

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.sound is None) == (self.say is None):
            raise ValueError(told("needs either `sound` or `say`, and not both"))
        return self


class Play(Prompt):
    """`play`: a message."""

    mode: Literal["early", "answered"] = "early"
    must_hear: Yes = False
    repeat: Repeat = 1
    if_waiting: SomeTime | None = None


class Announce(Strict):
    """`announce` of a queue."""

    position: Yes = False
    wait: Yes = False
    every: SomeTime = 45.0
    first_after: SomeTime = 30.0
    play: Prompt | None = None


class Preferred(Strict):
    """`preferred` of a queue."""

    secretaries: list[Id] = Field(min_length=1)
    for_: SomeTime = Field(default=15.0, alias="for")


RINGBACK: Final = "ringback"
"""The word for `music` that means: let him hear ordinary ringing."""


class Queue(Strict):
    """`queue`: wait for a secretary."""

    team: Id
    music: SoundName | None = None
    ring_for: SomeTime = 12.0
    ring: Literal["longest_idle", "fewest_calls", "round_robin", "all"] = "longest_idle"
    announce: Announce | None = None
    max_wait: SomeTime | None = None
    on_timeout: list[Step] = Field(default_factory=list)
    on_full: list[Step] = Field(default_factory=list)
    on_nobody: list[Step] = Field(default_factory=list)
    on_closing: list[Step] = Field(default_factory=list)
    after_closing: Literal["leave", "serve"] = "leave"
    keys: dict[Digit, list[Step]] = Field(default_factory=dict)
    preferred: Preferred | None = None
    on_answer: Prompt | None = None
    nobody: Literal["logged_out", "paused"] = "logged_out"
    max_expected_wait: SomeTime | None = None
    on_long_wait: list[Step] = Field(default_factory=list)


class Callback(Strict):
    """`callback`: he hangs up and keeps his place."""

    tries: Repeat = 3
    retry_after: SomeTime = 300.0


class Menu(Strict):
    """`menu`: one digit decides."""

    play: Prompt
    keys: dict[Digit, list[Step]] = Field(min_length=1)
    wait: SomeTime = 6.0
    otherwise: list[Step] = Field(default_factory=list)
    tries: Repeat = 1


class Forward(Strict):
    """`forward`: to an outside number."""

    to: Number
    ring_for: SomeTime = 25.0
    present: Literal["client", "caller", "bureau"] = "client"
    accept: Digit | None = None


class OnCall(Strict):
    """`on_call`: whoever the roster names."""

    roster: Id


class Voicemail(Strict):
    """`voicemail`: record a message."""

    play: Prompt | None = None
    max: SomeTime = 120.0
    mail: list[Mail] = Field(default_factory=list)


class Message(Strict):
    """`message`: a text to a number or mail address."""

    to: MailOrNumber
    text: Line


Content = Play | Queue | Menu | Forward | OnCall | Voicemail | Message | Callback | float | bool | str


class Step(Strict):
    """One step: a mapping with one key, or the bare word `answer`."""

    model_config = ConfigDict(
        json_schema_extra={"minProperties": 1, "maxProperties": 1, "description": "one step: exactly one key"}
    )

    play: Play | None = None
    ringback: Duration | None = None
    answer: Yes | None = None
    queue: Queue | None = None
    menu: Menu | None = None
    forward: Forward | None = None
    on_call: OnCall | None = None
    voicemail: Voicemail | None = None
    message: Message | None = None
    callback: Callback | None = None
    hangup: Literal["normal", "busy", "reject", "congestion"] | None = None
    jump: Line | None = None

    @model_validator(mode="before")
    @classmethod
    def _one_key(cls, value: object) -> object:
        if value == "answer":
            return {"answer": "true"}
        if isinstance(value, str):
            message = told(
                "`{word}` alone is no step: write `- answer`, or a key with its value, as `- hangup: normal`",
                word=value,
            )
            raise ValueError(message)  # noqa: TRY004 - pydantic reports ValueError
        if isinstance(value, dict) and len(value) != 1:
            message = told(
                "a step has one key, this one has {count}: begin each step with its own `- `",
                count=len(value),
            )
            raise ValueError(message)
        return value

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """The bare word, or the mapping."""
        reference = handler(core)
        named = handler.resolve_ref_schema(reference)
        mapping = dict(named)
        named.clear()
        named["anyOf"] = [{"const": "answer"}, mapping]
        return reference

    @cached_property
    def kind(self) -> str:
        """The key."""
        return next(iter(self.model_fields_set))

    @property
    def content(self) -> Content:
        """The key's value; a text is that of `hangup` or `jump`, a number that of `ringback`."""
        content: Content = getattr(self, self.kind)
        return content


Queue.model_rebuild()
Menu.model_rebuild()


# the keys of a step that hold steps
_BRANCHES: Final = {
    "queue": ("on_timeout", "on_full", "on_nobody", "on_closing", "on_long_wait"),
    "menu": ("otherwise",),
}


def every_step(steps: Sequence[Step], route: Route) -> Iterator[tuple[Step, Route]]:
    """Each step at any depth with the route of its key."""
    for index, step in enumerate(steps):
        here = (*route, index, step.kind)
        yield step, here
        for branch, inner in branches(step):
            yield from every_step(inner, (*here, *branch))


def branches(step: Step) -> Iterator[tuple[tuple[str, ...], Sequence[Step]]]:
    """The lists of steps inside a step, with the keys that lead to them."""
    for name in _BRANCHES.get(step.kind, ()):
        yield (name,), getattr(step.content, name)
    keyed = step.menu or step.queue
    if keyed is not None:
        for digit, inner in keyed.keys.items():
            yield ("keys", digit), inner
