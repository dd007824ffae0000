"""What a secretary dials from idle beside numbers: the star codes that begin a call, as values.

Codes that only change something and are confirmed by a sentence (`*45` and its like) are `core.features`; keys
pressed in a conversation are `core.keypad`. Pure text to values; `None` is no code of ours.
"""

from __future__ import annotations

import re
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


Code = CallFor | PickUp | TakeBack | Listen | NextOnList

_CODES = (
    (re.compile(r"\*9([0-9]{1,6})\*([+0-9][0-9*#]*)\Z"), lambda m: CallFor(m[1], m[2])),
    (re.compile(r"\*8([0-9]{0,6})\Z"), lambda m: PickUp(m[1])),
    (re.compile(r"\*5([1-9])\Z"), lambda m: TakeBack(m[1])),
    (re.compile(r"\*3([0-9]{2,6})\Z"), lambda m: Listen(m[1])),
    (re.compile(r"\*49([0-9]{1,6})\Z"), lambda m: NextOnList(m[1])),
)


def code(dialled: str) -> Code | None:
    """The code, None where it is none."""
    for pattern, make in _CODES:
        found = pattern.match(dialled)
        if found:
            return make(found)
    return None
