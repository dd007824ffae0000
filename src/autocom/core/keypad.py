"""Keys that somebody presses on the line, as words: what is wanted, and with whom.

`press` takes one digit and returns what is typed so far and, where a code is complete, its word. One grammar
for all places (a conversation, a room), each with its own `Keys`: a star begins anew, `#` ends a destination,
an unfinished code changes nothing and is forgotten after a pause. Pure and total: any digit may come at any
instant. What the words mean is `core.orders` and `core.rooms`. Must not know destinations, nor the codes
dialled from idle (`core.codes`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

TIME_OUT = 5.0
"""Seconds between two keys after which what was typed is forgotten."""
LONGER = 1.5
"""Seconds until a code that could be longer (`*8`, `*80`) counts as it is."""
LONGEST = 24
"""Digits of a destination that are kept."""


@dataclass(frozen=True, slots=True)
class Keys:
    """What the first key behind the star means in one place: a whole code (`at_once`); the beginning of one
    with a destination and `#` (`with_target`), or with one digit more (`with_digit`); one code as it is,
    another one with a 0 behind it (`or_zero`)."""

    at_once: Mapping[str, str]
    with_target: Mapping[str, str]
    with_digit: Mapping[str, str] = field(default_factory=dict)
    or_zero: Mapping[str, tuple[str, str]] = field(default_factory=dict)


CONVERSATION = Keys(
    at_once={"0": "drop", "3": "join", "4": "leave", "5": "hold_or_resume", "6": "park"},
    with_target={"1": "consult", "2": "transfer", "9": "patch"},
    with_digit={"7": "mark"},
    or_zero={"8": ("record", "record_stop")},
)
ROOM = Keys(
    at_once={"0": "end", "1": "mute", "2": "unmute", "4": "lock", "5": "unlock", "6": "myself"},
    with_target={"3": "invite"},
)


@dataclass(frozen=True, slots=True)
class Pressed:
    """A complete code: a word of its place's `Keys`, with the destination's or the result's digits."""

    word: str
    digits: str = ""


@dataclass(frozen=True, slots=True)
class Keypad:
    """What was typed of a code, empty between codes, and when."""

    keys: Keys = CONVERSATION
    typed: str = ""
    at: float = 0.0

    @property
    def until(self) -> float | None:
        """When `settle` must be asked, where this may be a whole code already."""
        return self.at + LONGER if self.as_it_is else None

    @property
    def as_it_is(self) -> tuple[Pressed, ...]:
        """The code that this is if nothing more comes."""
        words = self.keys.or_zero.get(self.typed[1:])
        return () if words is None else (Pressed(words[0]),)


def press(keypad: Keypad, digit: str, now: float) -> tuple[Keypad, tuple[Pressed, ...]]:
    """One key more, at `now` (epoch seconds)."""
    keypad, before = settle(keypad, now)
    cleared = Keypad(keypad.keys)
    if digit == "*":
        return Keypad(keypad.keys, "*", now), (*before, *keypad.as_it_is)
    if not keypad.typed:
        return cleared, before
    if digit == "#":
        return cleared, (*before, *_ended(keypad))
    if digit not in "0123456789" or len(digit) != 1:
        return cleared, before  # A to D: no phone has them
    kept, found = _longer(keypad, digit)
    return Keypad(keypad.keys, kept, now) if kept else cleared, (*before, *found)


def settle(keypad: Keypad, now: float) -> tuple[Keypad, tuple[Pressed, ...]]:
    """What has become of it by `now`: a code that could have been longer counts, any other is forgotten."""
    if keypad.until is not None and now >= keypad.until:
        return Keypad(keypad.keys), keypad.as_it_is
    if keypad.typed and now - keypad.at > TIME_OUT:
        return Keypad(keypad.keys), ()
    return keypad, ()


def _longer(keypad: Keypad, digit: str) -> tuple[str, tuple[Pressed, ...]]:
    """What is typed with this digit, and the code that it completes."""
    keys, key = keypad.keys, keypad.typed[1:2]
    if not key:
        if digit in keys.at_once:
            return "", (Pressed(keys.at_once[digit]),)
        begun = digit in keys.with_target or digit in keys.with_digit or digit in keys.or_zero
        return "*" + digit if begun else "", ()
    if key in keys.with_digit:
        return "", (Pressed(keys.with_digit[key], digit),)
    if key in keys.or_zero:
        return "", (Pressed(keys.or_zero[key][digit == "0"]),)
    # too long for any number: what comes more is not kept, and the code leads to nobody
    return (keypad.typed + digit)[: LONGEST + 3], ()


def _ended(keypad: Keypad) -> tuple[Pressed, ...]:
    """What `#` makes of it: the end of a destination, or of a code that could be longer; nothing of any
    other."""
    word, digits = keypad.keys.with_target.get(keypad.typed[1:2]), keypad.typed[2:]
    if word is None:
        return keypad.as_it_is
    return (Pressed(word, digits),) if 0 < len(digits) <= LONGEST else ()
