"""Keys that a secretary presses in a conversation, as words: what she wants done, and with whom.

`press` takes one digit and returns what is typed so far and, where a code is complete, what it asks. Pure and
total: any digit may come at any instant. An unfinished code changes nothing and is forgotten after a pause; a
star always begins anew. What the words mean for the call is `core.orders`, and `calls.conversing` carries it
out. Must not know destinations.
"""

from __future__ import annotations

from dataclasses import dataclass

TIME_OUT = 5.0
"""Seconds between two keys after which what was typed is forgotten."""
LONGER = 1.5
"""Seconds until a code that could be longer (`*8`, `*80`) counts as it is."""
LONGEST = 24
"""Digits of a destination that are kept."""

_AT_ONCE = {"0": "drop", "3": "join", "4": "leave", "5": "hold_or_resume", "6": "park"}
_WITH_TARGET = {"1": "consult", "2": "transfer", "9": "patch"}


@dataclass(frozen=True, slots=True)
class Pressed:
    """A complete code: `word` is consult, transfer, patch (with the destination's digits), mark (with the
    result's), drop, join, leave, hold_or_resume, park, record or record_stop."""

    word: str
    digits: str = ""


@dataclass(frozen=True, slots=True)
class Keypad:
    """What was typed of a code, empty between codes, and when."""

    typed: str = ""
    at: float = 0.0

    @property
    def until(self) -> float | None:
        """When `settle` must be asked, where this may be a whole code already."""
        return self.at + LONGER if self.typed == "*8" else None


def press(keypad: Keypad, digit: str, now: float) -> tuple[Keypad, tuple[Pressed, ...]]:
    """One key more, at `now` (epoch seconds)."""
    keypad, before = settle(keypad, now)
    typed = keypad.typed
    if digit == "*":
        # also after `*8`, whose second character could only have been 0
        done = (Pressed("record"),) if typed == "*8" else ()
        return Keypad("*", now), (*before, *done)
    if not typed:
        return Keypad(), before
    if digit == "#":
        return Keypad(), (*before, *_ended(typed))
    if digit not in "0123456789" or len(digit) != 1:
        return Keypad(), before  # A to D: no phone has them
    kept, found = _longer(typed, digit)
    return Keypad(kept, now if kept else 0.0), (*before, *found)


def settle(keypad: Keypad, now: float) -> tuple[Keypad, tuple[Pressed, ...]]:
    """What has become of it by `now`: a code that could have been longer counts, any other is forgotten."""
    if keypad.until is not None and now >= keypad.until:
        return Keypad(), (Pressed("record"),)
    if keypad.typed and now - keypad.at > TIME_OUT:
        return Keypad(), ()
    return keypad, ()


def _longer(typed: str, digit: str) -> tuple[str, tuple[Pressed, ...]]:
    """What is typed with this digit, and the code that it completes."""
    match typed[1:]:
        case "":
            word = _AT_ONCE.get(digit)
            return ("", (Pressed(word),)) if word is not None else ("*" + digit, ())
        case "7":
            return "", (Pressed("mark", digit),)
        case "8":
            return "", (Pressed("record_stop" if digit == "0" else "record"),)
        case _:
            # too long for any number: what comes more is not kept, and the code leads to nobody
            return (typed + digit)[: LONGEST + 3], ()


def _ended(typed: str) -> tuple[Pressed, ...]:
    """What `#` makes of it: the end of a destination, or of `*8`; nothing of any other beginning."""
    key, digits = typed[1:2], typed[2:]
    if key == "8":
        return (Pressed("record"),)
    word = _WITH_TARGET.get(key)
    return (Pressed(word, digits),) if word is not None and 0 < len(digits) <= LONGEST else ()
