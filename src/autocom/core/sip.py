"""SIP headers that name people and lines: addresses, lists of them, and who forwarded the call.

Reads what operators really send, so it is tolerant: every text gives an answer, never an error, in
time linear in its length. Must not know what a number means (`numbers`), whose it is (`ingress`) or
where the header came from. Invariant: nothing that leaves here for a screen or a log contains
control, bidirectional or invisible characters, and no text is longer than `SHOWN`.
Grammar: RFC 3261 (addresses), RFC 5806 (Diversion), RFC 7044 (History-Info), RFC 4458 (`cause`).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import unquote

from autocom.core.model import ForwardReason

LONGEST = 8_192  # characters of one header that are looked at
MOST = 32  # entries of all Diversion or History-Info lines together; a real call has one to four
SHOWN = 80  # characters of a text that people see
_MOST_PARAMS = 64

_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*+"', re.DOTALL)
_ANGLED = re.compile(r"<[^<>]*+>")
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_SCHEME = re.compile(r"\s*(sips?|tel):", re.IGNORECASE)
_PORT = re.compile(r":\d{1,5}$")
_INDEX = re.compile(r"\d{1,6}(?:\.\d{1,6}){0,31}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Uri:
    """A `sip:`, `sips:` or `tel:` URI, or a bare text read as one (`scheme` is then empty).

    `user` has its escapes resolved and carries neither password nor parameters; for `tel:` it is the
    number. `host` is lower case without port. Parameter and header names are lower case."""

    scheme: str = ""
    user: str = ""
    host: str = ""
    params: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Address:
    """A name-addr: the display name (cleaned), the URI, and the header's own parameters."""

    display: str = ""
    uri: Uri = field(default_factory=Uri)
    params: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Diverted:
    """One line that sent the call on. `number_text` is as written (cleaned, not normalised); `counter`
    how often that line was passed; `private` where it asked not to be shown."""

    number_text: str
    reason: ForwardReason = ForwardReason.UNKNOWN
    counter: int = 1
    private: bool = False
    source: Literal["diversion", "history-info"] = "diversion"


def clean(text: str, limit: int = SHOWN) -> str:
    """`text` as it may be shown: no control, format (bidi, zero width), surrogate, private-use or
    unassigned characters; runs of white space are one space; at most `limit` characters."""
    shown: list[str] = []
    for character in text[:LONGEST]:
        if character.isspace():
            if shown and shown[-1] != " ":
                shown.append(" ")
        elif not unicodedata.category(character).startswith("C"):
            shown.append(character)
        if len(shown) >= limit:
            break
    return "".join(shown).strip()


def split_list(text: str, separator: str = ",") -> tuple[str, ...]:
    """The elements between top-level separators, stripped, empty ones left out.

    Quoted strings and `<…>` are kept whole. A quote or bracket that never closes is an ordinary
    character, so one broken element does not swallow its neighbours."""
    text = text[:LONGEST]
    special = re.compile(f'["<{re.escape(separator)}]')
    parts: list[str] = []
    start = at = 0
    quotes_close = True
    while (found := special.search(text, at)) is not None:
        at = found.end()
        character = found.group()
        if character == separator:
            parts.append(text[start : at - 1])
            start = at
        elif character == "<":
            angled = _ANGLED.match(text, at - 1)
            at = angled.end() if angled else at
        elif quotes_close:
            quoted = _QUOTED.match(text, at - 1)
            # once a quote finds no end, no later one does: not asking again keeps this linear
            quotes_close = quoted is not None
            at = quoted.end() if quoted else at
    parts.append(text[start:])
    return tuple(stripped for part in parts if (stripped := part.strip()))


def parse_address(text: str) -> Address:
    """The name-addr or addr-spec in `text`; parts that are not there are empty.

    Without brackets the parameters are the header's, not the URI's (RFC 3261, section 20)."""
    text = text[:LONGEST]
    display, inside, after = _take_apart(text)
    if inside is None:
        address, _, rest = text.partition(";")
        if "@" in rest and "@" not in address:
            address, rest = text, ""  # ';' was part of the user: sip:+33…;npdi@operator
        return Address("", parse_uri(address), _params(rest))
    return Address(clean(display), parse_uri(inside), _params(after))


def parse_uri(text: str) -> Uri:
    """The parts of a URI without brackets; a text without scheme is read as `sip:` would be."""
    found = _SCHEME.match(text)
    scheme = found.group(1).lower() if found else ""
    rest = (text[found.end() :] if found else text).strip()
    if scheme == "tel":
        number, _, params = rest.partition(";")
        return Uri(scheme, unquote(number).strip(), "", _params(params))
    user, at, host = rest.partition("@")
    if not at:
        # sip:192.0.2.1 has no user; a bare `0199001001` is nothing but one
        user, host = ("", rest) if scheme else (rest, "")
    host, _, headers = host.partition("?")
    host, _, params = host.partition(";")
    user = user.partition(";")[0].partition(":")[0]
    return Uri(
        scheme,
        unquote(user).strip(),
        _PORT.sub("", host.strip().lower()),
        _params(params),
        _params(headers, "&"),
    )


def diversions(lines: Sequence[str]) -> tuple[Diverted, ...]:
    """Who diverted, from the `Diversion` lines in wire order; the result is oldest first.

    RFC 5806: each diverting proxy puts its entry on top, so the last one is the number first called."""
    entries = [entry for line in lines for entry in split_list(line)]
    return tuple(_diversion(parse_address(entry)) for entry in reversed(entries[-MOST:]))


def history(lines: Sequence[str]) -> tuple[Diverted, ...]:
    """Every target of the `History-Info` lines, oldest first: by `index`, or as they came where one of
    them has none.

    The last target usually is the number that was called here: it diverted nothing, and only the
    reader knows its own numbers, so it is not left out. Why a target was left stands in its own
    embedded `Reason` (RFC 7044) or as `cause` in the URI of the target that follows it (RFC 4458)."""
    entries = [parse_address(text) for text in [text for line in lines for text in split_list(line)][:MOST]]
    if all(_index(entry) for entry in entries):
        entries.sort(key=_index)
    left = [_embedded_reason(entry) for entry in entries]
    for place, following in enumerate(entries[1:]):
        cause = following.uri.params.get("cause") or following.params.get("cause", "")
        if left[place] is ForwardReason.UNKNOWN and cause:
            left[place] = _SIP_CAUSES.get(cause.strip(), ForwardReason.UNKNOWN)
    return tuple(
        Diverted(
            clean(entry.uri.user),
            reason,
            private=is_anonymous(entry.uri) or "history" in _words(entry.uri.headers.get("privacy", "")),
            source="history-info",
        )
        for entry, reason in zip(entries, left, strict=True)
    )


def is_anonymous(uri: Uri) -> bool:
    """Whether the URI says that somebody does not want to be known (RFC 3323, and what networks send)."""
    return uri.user.casefold() in ANONYMOUS_USERS or uri.host.endswith("anonymous.invalid")


def privacy_words(header: str) -> frozenset[str]:
    """The priv-values of a `Privacy` header (RFC 3323: separated by `;`; commas are met as well)."""
    return _words(header[:LONGEST])


ANONYMOUS_USERS = frozenset({"anonymous", "restricted", "unavailable", "private", "withheld", "anonyme"})

_DIVERSION_REASONS: Mapping[str, ForwardReason] = {
    "unconditional": ForwardReason.UNCONDITIONAL,
    "cfu": ForwardReason.UNCONDITIONAL,
    # decided beforehand by the line's owner, as an unconditional forward is
    "time-of-day": ForwardReason.UNCONDITIONAL,
    "follow-me": ForwardReason.UNCONDITIONAL,
    "do-not-disturb": ForwardReason.UNCONDITIONAL,
    "dnd": ForwardReason.UNCONDITIONAL,
    "away": ForwardReason.UNCONDITIONAL,
    "no-answer": ForwardReason.NO_ANSWER,
    "noanswer": ForwardReason.NO_ANSWER,
    "cfnr": ForwardReason.NO_ANSWER,
    "user-busy": ForwardReason.BUSY,
    "busy": ForwardReason.BUSY,
    "cfb": ForwardReason.BUSY,
    # somebody looked at the ringing phone and sent the call away
    "deflection": ForwardReason.BUSY,
    "unavailable": ForwardReason.UNAVAILABLE,
    "out-of-service": ForwardReason.UNAVAILABLE,
    "out_of_order": ForwardReason.UNAVAILABLE,
}
# RFC 4458 section 2.1, extended to what proxies put into an embedded Reason
_SIP_CAUSES: Mapping[str, ForwardReason] = {
    "302": ForwardReason.UNCONDITIONAL,
    "486": ForwardReason.BUSY,
    "600": ForwardReason.BUSY,
    "603": ForwardReason.BUSY,
    "408": ForwardReason.NO_ANSWER,
    "487": ForwardReason.NO_ANSWER,
    "480": ForwardReason.UNAVAILABLE,
    "503": ForwardReason.UNAVAILABLE,
}
_Q850_CAUSES: Mapping[str, ForwardReason] = {
    "17": ForwardReason.BUSY,
    "21": ForwardReason.BUSY,
    "18": ForwardReason.NO_ANSWER,
    "19": ForwardReason.NO_ANSWER,
    "20": ForwardReason.UNAVAILABLE,
    "27": ForwardReason.UNAVAILABLE,
}


def _take_apart(text: str) -> tuple[str, str | None, str]:
    """Display name, what stands in the first `<…>` outside quotes (None without one), and the rest."""
    leading = text.lstrip()
    display = ""
    if (quoted := _QUOTED.match(leading)) is not None:
        display = _ESCAPED.sub(r"\1", quoted.group()[1:-1])
        leading = leading[quoted.end() :]
    opening = leading.find("<")
    if opening < 0:
        return display, (leading if display else None), ""
    display = display or leading[:opening].strip().strip('"')
    closing = leading.find(">", opening)
    if closing < 0:
        return display, leading[opening + 1 :], ""
    return display, leading[opening + 1 : closing], leading[closing + 1 :]


def _params(text: str, separator: str = ";") -> dict[str, str]:
    """`name=value` pairs; quotes taken off, escapes resolved, the first of equal names wins."""
    found: dict[str, str] = {}
    for part in split_list(text, separator)[:_MOST_PARAMS] if text else ():
        name, _, value = part.partition("=")
        value = value.strip()
        if len(value) >= 2 and value[0] == value[-1] == '"':
            value = _ESCAPED.sub(r"\1", value[1:-1])
        found.setdefault(name.strip().lower(), unquote(value))
    return found


def _diversion(address: Address) -> Diverted:
    reason = address.params.get("reason", "").strip().lower()
    counter = address.params.get("counter", "")
    privacy = address.params.get("privacy", "off").strip().lower()
    return Diverted(
        clean(address.uri.user),
        _DIVERSION_REASONS.get(reason, ForwardReason.UNKNOWN),
        int(counter) if counter.isascii() and counter.isdigit() and len(counter) <= 4 else 1,
        # `name` hides the name alone; a word that we do not know is taken at its strictest
        privacy not in ("off", "none", "name", "") or is_anonymous(address.uri),
    )


def _embedded_reason(entry: Address) -> ForwardReason:
    """From `<sip:…?Reason=SIP%3Bcause%3D302>`, which may list several protocols."""
    for reason in split_list(entry.uri.headers.get("reason", "")):
        protocol, _, rest = reason.partition(";")
        causes = _Q850_CAUSES if protocol.strip().upper() == "Q.850" else _SIP_CAUSES
        known = causes.get(_params(rest).get("cause", "").strip())
        if known is not None:
            return known
    return ForwardReason.UNKNOWN


def _index(entry: Address) -> tuple[int, ...]:
    written = entry.params.get("index", "")
    return tuple(map(int, written.split("."))) if _INDEX.fullmatch(written) else ()


def _words(header: str) -> frozenset[str]:
    return frozenset(word for part in header.split(";") for word in part.replace(",", " ").lower().split())
