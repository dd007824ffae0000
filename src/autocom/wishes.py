"""What people and programs write into a wish: texts of a length, without what no page or phone could show, and names.

Read before anything is decided. Must not know what is wished. Invariant: what comes back is printable and trimmed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches

from autocom.core.journal import Json


def text_of(wish: Mapping[str, Json], key: str, longest: int) -> str:
    """This text, empty where there is none; ValueError where it is no text, or longer than `longest` letters."""
    value = wish.get(key)
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > longest:
        raise ValueError(f"{key}: a text of at most {longest} letters is expected")
    return "".join(letter for letter in value if letter.isprintable()).strip()


def known(name: str, names: Iterable[str], what: str) -> str:
    """The name; LookupError, with the nearest of the others, where it is none of these."""
    listed = sorted(names)
    if name in listed:
        return name
    near = get_close_matches(name, listed, n=1, cutoff=0.6)
    hint = f": did you mean {near[0]!r}?" if near else ""
    raise LookupError(f"there is no {what} {name!r}{hint}")
