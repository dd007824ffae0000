"""What a secretary dials from idle beside numbers: every star code, as a value.

One table, in which no code means two things. Those that begin a call come with her channel (`calls.dialled`);
those that only change something and are confirmed by a sentence come over FastAGI (`exchange`): the dialplan
tells them apart. Keys pressed on the line are `core.keypad`. Pure text to values; `None` is no code of ours.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CallFor:
    """`*9CODE*NUMBER`: call this number for the client whose short code that is (contract, section 5)."""

    code: str
    number: str


@dataclass(frozen=True, slots=True)
class PickUp:
    """`*8`: take the call that rings at a colleague's phone; `*8201`: at this extension's."""

    extension: str = ""


@dataclass(frozen=True, slots=True)
class TakeBack:
    """`*51` to `*59`: take the caller who is parked there."""

    slot: str


@dataclass(frozen=True, slots=True)
class Listen:
    """`*3201`: hear the conversation of that extension, as its team lead."""

    extension: str


@dataclass(frozen=True, slots=True)
class NextOnList:
    """`*49CODE`: call the next one on the list of the client whose short code that is."""

    code: str


@dataclass(frozen=True, slots=True)
class Says:
    """`*45` log in, `*46` log out, `*47N` pause with reason N, `*48` resume: the words of `core.features`.
    `reason` None: she dialled none."""

    verb: str
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Marks:
    """`*7N`: what came of her last call, by its digit (`core.results`)."""

    result: str


@dataclass(frozen=True, slots=True)
class SetForward:
    """`*21*N`, `*67*N`, `*61*N`, as operators have them: which of her forwards (`core.renvoi`), and where to.
    Without N (`to` None) it ends."""

    when: str
    to: str | None


Code = CallFor | PickUp | TakeBack | Listen | NextOnList | Says | Marks | SetForward

_SAYS = {"5": "login", "6": "logout", "8": "resume"}
_FORWARDS = {"21": "always", "67": "busy", "61": "no_answer"}
_CODES: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], Code]], ...] = (
    (re.compile(r"\*9([0-9]{1,6})\*([+0-9][0-9*#]*)"), lambda m: CallFor(m[1], m[2])),
    (re.compile(r"\*8([0-9]{0,6})"), lambda m: PickUp(m[1])),
    (re.compile(r"\*5([1-9])"), lambda m: TakeBack(m[1])),
    (re.compile(r"\*3([0-9]{2,6})"), lambda m: Listen(m[1])),
    (re.compile(r"\*49([0-9]{1,6})"), lambda m: NextOnList(m[1])),
    (re.compile(r"\*4([568])"), lambda m: Says(_SAYS[m[1]])),
    (re.compile(r"\*47([1-4])?"), lambda m: Says("pause", m[1])),
    (re.compile(r"\*7([0-9])"), lambda m: Marks(m[1])),
    (re.compile(r"\*(21|67|61)(?:\*([+0-9]{1,20}))?"), lambda m: SetForward(_FORWARDS[m[1]], m[2])),
)


def code(dialled: str) -> Code | None:
    """The code, None where it is none."""
    found = ((pattern.fullmatch(dialled), make) for pattern, make in _CODES)
    return next((make(match) for match, make in found if match), None)
