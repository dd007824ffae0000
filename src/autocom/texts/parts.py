"""How a text is cut into SMS: the alphabet it needs, and what fits into one.

GSM 03.38 takes 160 septets in one SMS and 153 in each of several; a single character outside it makes the
whole text UCS-2 (UTF-16), 70 units in one and 67 in each of several (3GPP TS 23.040, 9.2.3.24.1). Invariant:
neither an escape and its character nor the two halves of an emoji are ever parted, and the parts together
are the text. Must not know who sends them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from gsm0338 import Codec

_GSM = Codec()
_ESCAPE = b"\x1b"
_ONE, _EACH = 160, 153
_ONE_UCS2, _EACH_UCS2 = 140, 134


@dataclass(frozen=True, slots=True)
class Cut:
    """A text as SMS. `parts` are the user data without headers: unpacked septets, or big-endian UTF-16."""

    gsm: bool
    parts: tuple[bytes, ...]


def cut(text: str) -> Cut:
    """The parts of a text, at least one."""
    written = [_septets(character) for character in text]
    known = [septets for septets in written if septets is not None]
    if len(known) == len(written):
        return Cut(gsm=True, parts=_fitted(known, _ONE, _EACH))
    units = [character.encode("utf-16-be", "replace") for character in text]
    return Cut(gsm=False, parts=_fitted(units, _ONE_UCS2, _EACH_UCS2))


def joined(parts: Iterable[bytes], *, gsm: bool) -> str:
    """What parts of user data say; what cannot be read is a replacement character. A sender that cuts an emoji in
    two leaves a half (a lone surrogate) at the end: it is whole again once the parts are put together."""
    whole = b"".join(parts)
    if not gsm:
        return whole[: len(whole) & ~1].decode("utf-16-be", "surrogatepass")
    return str(_GSM.decode(whole, "replace")[0])


def _septets(character: str) -> bytes | None:
    try:
        septets = bytes(_GSM.encode(character)[0])
    except UnicodeError:
        return None
    return None if septets == _ESCAPE else septets  # alone it would swallow what follows


def _fitted(pieces: list[bytes], one: int, each: int) -> tuple[bytes, ...]:
    if sum(map(len, pieces)) <= one:
        return (b"".join(pieces),)
    parts: list[bytes] = []
    part = b""
    for piece in pieces:
        if len(part) + len(piece) > each:
            parts.append(part)
            part = b""
        part += piece
    return (*parts, part)
