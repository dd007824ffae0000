"""What an INVITE to a phone carries, as the channel variables that make Asterisk write it.

Tried on 22.10.1: From's display and user come from CONNECTEDLINE of the leg (with the option `i`,
or the phone gets an UPDATE), PJSIP quotes the display itself; `PJSIP_HEADER(add,…)` passes UTF-8,
commas and quotes through unchanged. Text from callers ends up here, so nothing that could start a
new header or break the encoding may leave this module.
"""

from __future__ import annotations

import re
import unicodedata

from autocom.calls.ports import Outbound

# An INVITE that needs IP fragments is lost by many routers; no phone shows this much anyway.
MAX_DISPLAY = 120
MAX_HEADER_BYTES = 600

_HEADER_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,62}")
_NOT_IN_USER = re.compile(r"[^0-9A-Za-z+*#._-]")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}")
E164 = re.compile(r"\+[1-9][0-9]{5,14}")

PHONE_TECHNOLOGY = "PJSIP"


def variables(leg: Outbound) -> dict[str, str]:
    """The variables of `channels/create`. ValueError where a header's name is none."""
    out = {
        "CONNECTEDLINE(name,i)": one_line(leg.display)[:MAX_DISPLAY],
        "CONNECTEDLINE(num,i)": user_part(leg.number),
    }
    if leg.phone:
        # else Asterisk carries a REFER out by itself, through the phone's context (22.3 and later)
        out["PJSIP_TRANSFER_HANDLING()"] = "ari-only"
    for name, value in leg.headers.items():
        if not _HEADER_NAME.fullmatch(name):
            raise ValueError(f"not a header name: {name!r}")
        out[f"PJSIP_HEADER(add,{name})"] = _clip(one_line(value), MAX_HEADER_BYTES)
    return out


def one_line(text: str) -> str:
    """Without control characters, line separators and broken surrogates; line ends become a space."""
    spaced = re.sub(r"[\r\n\t\u2028\u2029]+", " ", text)
    return "".join(c for c in spaced if unicodedata.category(c) not in ("Cc", "Cs")).strip()


def user_part(number: str | None) -> str:
    """The user of From; `anonymous` where there is none or nothing usable is left of it."""
    return _NOT_IN_USER.sub("", number or "")[:64] or "anonymous"


def phone(secretary: str, *, in_browser: bool = False) -> str:
    """The endpoint string of a secretary's phone; ValueError where the id could be a dial string."""
    if not _NAME.fullmatch(secretary):
        raise ValueError(f"not a secretary's id: {secretary!r}")
    return f"{PHONE_TECHNOLOGY}/{secretary}{'@web' if in_browser else ''}"


def outside(number: str, trunk: str) -> str:
    """The endpoint string of an outside number; ValueError where either is malformed."""
    if not E164.fullmatch(number) or not _NAME.fullmatch(trunk):
        raise ValueError("not an E.164 number, or not a trunk's id")
    return f"{PHONE_TECHNOLOGY}/{number}@trunk-{trunk}"


def _clip(text: str, size: int) -> str:
    return text.encode("utf-8")[:size].decode("utf-8", "ignore")
