"""The rules of a client: conditions, and the steps for the calls that meet them.

The first rule whose conditions hold decides; that is `core.routing`. Must not know clients. Invariant:
lists of numbers are written out, so a rule is judged with nothing but itself, the call and the time.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import Enum

from autocom.core.model.steps import Step
from autocom.core.model.times import TimeRange

NO_CALLER = "nobody"
"""The entry of `When.caller` that equals no number: what lists without entries come to."""


BLOCKED = "blocked"
"""The name of the bureau's own rule, asked before those of every client."""


class ForwardReason(Enum):
    """Why the client's line sent the call to us (the YAML's `forward_reason` words)."""

    UNCONDITIONAL = "unconditional"
    NO_ANSWER = "no-answer"
    BUSY = "busy"
    UNAVAILABLE = "unavailable"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Listed:
    """An entry of a list of numbers, in the same form as one of `caller`. `until`: the instant from which it
    does not count any more (None: for ever), `last` the same as the admin wrote it."""

    entry: str
    list: str
    reason: str = ""
    until: float | None = None
    last: str = ""


@dataclass(frozen=True, slots=True)
class When:
    """The conditions of a rule; None or empty means "not asked". All that are asked must hold.

    `caller` entries are E.164 numbers, prefixes ending in `*` (already E.164) or `anonymous`; list
    names are expanded by the configuration: what counts for ever stands in `caller` (never empty where
    callers are asked for), and an entry of a list that has an end or a reason in `listed`.
    `days` are ISO weekdays, `dates` inclusive pairs."""

    caller: tuple[str, ...] = ()
    open: bool | None = None
    absence: bool | None = None
    forward_reason: tuple[ForwardReason, ...] = ()
    did: tuple[str, ...] = ()
    days: tuple[int, ...] = ()
    dates: tuple[tuple[date, date], ...] = ()
    time: tuple[TimeRange, ...] = ()
    waiting_over: int | None = None
    nobody: bool | None = None
    listed: tuple[Listed, ...] = ()


@dataclass(frozen=True, slots=True)
class Rule:
    """The first rule of a client whose conditions hold decides; `line` is its line in the YAML file."""

    name: str
    when: When | None
    do: tuple[Step, ...]
    line: int = 0
