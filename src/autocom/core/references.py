"""References: a few letters by which a thing is asked for on the telephone; they say nothing about it.

Derived from the thing's id, so that it has the same one for ever. Pure. Invariant: no letter that is mistaken for a
digit when it is read out.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from typing import TypeVar

_ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"  # no 0 and O, no 1 and I

T = TypeVar("T")


def reference(of: str, letters: int = 4) -> str:
    """Of the thing with this id; at most 6 letters."""
    number = int.from_bytes(hashlib.sha256(of.encode("utf-8", "surrogatepass")).digest()[:4], "big")
    return "".join(_ALPHABET[number >> 5 * place & 31] for place in reversed(range(letters)))


def is_reference(word: str, letters: int = 4) -> bool:
    """Whether this could be one."""
    return len(word) == letters and all(letter in _ALPHABET for letter in word)


def asked_for(wanted: str, things: Iterable[T], id_of: Callable[[T], str], what: str, see: str) -> T:
    """The one thing with this id or this reference (of four letters). LookupError: there is none, which `see` would
    show, or several have that reference. `what`: how such a thing is called."""
    word = wanted.strip()
    here = list(things)
    found = [thing for thing in here if id_of(thing) == word]
    found = found or [thing for thing in here if reference(id_of(thing)) == word.upper()]
    if not found:
        raise LookupError(f"there is no {what} {word!r}, or its time is over: see `{see}`")
    if len(found) > 1:
        several = ", ".join(map(id_of, found))
        raise LookupError(f"several {what}s have the reference {word}: {several}")
    return found[0]
