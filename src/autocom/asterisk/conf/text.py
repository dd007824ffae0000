"""Asterisk's configuration syntax: sections, options, and nothing else on a line.

The only place that turns values into lines, so that no name, password or path of the YAML can
start a comment, a section, an include or a second line. Must not know what the options mean.
Invariant: parsing what `section` wrote gives back exactly the pairs it was given, or it raised
`Unwritable`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

Option = tuple[str, str]

HEADER = "; Written by autocom from the bureau's configuration: changes made here are lost.\n"
_NAME = re.compile(r"[A-Za-z0-9_*][A-Za-z0-9_@.-]{0,78}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]")
# Asterisk cuts lines at 8191 bytes (config.c) and says so only in its log.
_LONGEST = 8000
# Characters that an application's argument list or the variable expander would read as syntax.
_SYNTAX = re.compile(r"[,&|$\"'\\;()\[\]{}^=<>`]")

# Where SIP is sent to: a name, an IPv4 address or an IPv6 one in brackets, with or without a port.
HOST = re.compile(r"[A-Za-z0-9.-]{1,253}(?::[0-9]{1,5})?|\[[0-9A-Fa-f:.]+\](?::[0-9]{1,5})?")


class Unwritable(ValueError):  # noqa: N818 - reads as what is wrong with the value
    """A value that Asterisk's syntax cannot hold; the message names it."""


def value(text: str, of: str) -> str:
    """`text` as it stands after `key = `; `of` names it in the error."""
    if _CONTROL.search(text):
        raise Unwritable(f"{of}: control characters cannot be written for Asterisk")
    if text != text.strip():
        raise Unwritable(f"{of}: Asterisk drops spaces at the ends")
    escaped = text.replace(";", r"\;")
    if len(escaped.encode()) > _LONGEST:
        raise Unwritable(f"{of}: longer than Asterisk reads")
    return escaped


def name(text: str, of: str) -> str:
    """A section or identifier: letters, digits, `_ - . @`, `*` in front; Unwritable otherwise."""
    if not _NAME.fullmatch(text):
        raise Unwritable(f"{of}: {text!r} cannot be a name in Asterisk (letters, digits, - _ only)")
    return text


def digits(text: str, of: str) -> str:
    """An extension or a code; Unwritable otherwise."""
    if not (text.isascii() and text.isdigit()):
        raise Unwritable(f"{of}: {text!r} must be digits")
    return text


def dialplan_word(text: str, of: str) -> str:
    """A value that the dialplan will expand inside an application's arguments: a path or an id."""
    found = _SYNTAX.search(text)
    if found:
        raise Unwritable(f"{of}: {found.group()!r} has a meaning in Asterisk's dialplan; use another path")
    return value(text, of)


def quoted(text: str) -> str:
    """A display name in double quotes, as caller ids are written."""
    inner = _CONTROL.sub(" ", text).replace("\\", "").replace('"', "").strip()
    return f'"{inner}"'


def section(
    title: str,
    options: Iterable[Option] = (),
    *,
    template: bool = False,
    base: str | None = None,
) -> str:
    """One `[title]` with its options, in the order given. `template`: others inherit from it by `base`."""
    marks = [mark for mark in ("!" if template else "", base or "") if mark]
    head = f"[{name(title, 'section')}]" + (f"({','.join(marks)})" if marks else "")
    lines = [f"{key} = {value(text, f'{title}: {key}')}".rstrip() for key, text in options]
    return "\n".join([head, *lines]) + "\n"
