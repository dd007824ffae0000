"""Where a secretary's phone sends her calls instead (renvoi): always, when she is busy, when she does not answer.

Pure: what she set, and where that leads. Only calls to her extension follow it, never what the queue offers.
Invariants: no phone comes twice in one chain, a chain is never longer than its limit, and whatever is set,
the answer comes. Whether an outside number may be dialled is decided elsewhere, each time it is dialled.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from autocom.core.targets import Colleague, Dialled, Nobody, Outside

WHENS = ("always", "busy", "no_answer")
"""In words; their codes stand in `core.codes`."""


@dataclass(frozen=True, slots=True)
class Forwards:
    """What one secretary set: an extension or an E.164 number by kind, None where she set none."""

    always: str | None = None
    busy: str | None = None
    no_answer: str | None = None

    def to(self, when: str) -> str | None:
        """Where her calls go then."""
        match when:
            case "always":
                return self.always
            case "busy":
                return self.busy
            case "no_answer":
                return self.no_answer
            case _:
                return None

    def set(self, when: str, to: str | None) -> Forwards:
        """With this one set, or ended."""
        match when:
            case "always":
                return replace(self, always=to)
            case "busy":
                return replace(self, busy=to)
            case "no_answer":
                return replace(self, no_answer=to)
            case _:
                raise ValueError(f"unknown forward {when!r}: use {', '.join(WHENS)}")


@dataclass(frozen=True, slots=True)
class Led:
    """Where a call goes instead of to her. `passed`: the phones that sent it on, in order. `why` it goes no
    further, where the last of them had set more: loop, limit, outside (not allowed), unknown (nobody's)."""

    target: Colleague | Outside
    passed: tuple[str, ...]
    why: str | None = None


def allowed(
    secretary: str, written: str, target_of: Callable[[str], Dialled], *, outside: bool
) -> str | None:
    """Why she may not forward her phone there: self, outside, or what its digits are instead; None where she may."""
    match target_of(written):
        case Colleague(colleague):
            return "self" if colleague == secretary else None
        case Outside():
            return None if outside else "outside"
        case Nobody(why=why):
            return why
        case _:
            return "unknown"


def led(
    secretary: str,
    when: str,
    forwards: Mapping[str, Forwards],
    target_of: Callable[[str], Dialled],
    *,
    passed: tuple[str, ...] = (),
    never: frozenset[str] = frozenset(),
    limit: int = 3,
    outside: bool = True,
) -> Led | None:
    """Where a call to her goes that finds her so, through everybody behind who forwards always; None: it
    stays with her. `passed`: who sent this call on before; `never`: who calls, and is not rung by herself."""

    def follow(who: str, when: str, passed: tuple[str, ...]) -> Colleague | Outside | str | None:
        """One link of the chain; a word says why it does not hold, None: she set none."""
        written = forwards.get(who, Forwards()).to(when)
        if written is None:
            return None
        if len(passed) >= limit:
            return "limit"
        target = target_of(written)
        match target:
            case Colleague(colleague):
                return "loop" if colleague in {who, *passed, *never} else target
            case Outside():
                return target if outside else "outside"
            case _:
                return "unknown"

    step = follow(secretary, when, passed)
    if isinstance(step, str) or step is None:
        return None
    passed = (*passed, secretary)
    while isinstance(step, Colleague):
        further = follow(step.secretary, "always", passed)
        if further is None or isinstance(further, str):
            return Led(step, passed, further)
        passed, step = (*passed, step.secretary), further
    return Led(step, passed)
