"""Telephone numbers: every spelling on the wire or in the YAML becomes one E.164 string.

`normalise` reads `+33…`, `0033…`, `33…`, national `0…`, with spaces, dots, dashes or
parentheses, and `sip:`/`sips:`/`tel:` URIs; `national` writes a number as people of the
country do. Validity is *possible length*, never "assigned": a caller's number is a label, not
a proof, and the fiction range 06 39 98 is invalid to number libraries. Must not know about
configuration files or SIP headers (see `ingress.py`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import unquote

LONGEST = 512  # characters; a URI with parameters stays far below

# French overseas departments keep national 0… numbers but have country codes of their own
# (Arcep numbering plan; reading them as +33 gives numbers that do not exist).
FRENCH_OVERSEAS: dict[str, str] = {
    "0590": "590", "0690": "590", "0691": "590",
    "0594": "594", "0694": "594",
    "0596": "596", "0696": "596", "0697": "596",
    "0262": "262", "0263": "262", "0269": "262", "0692": "262", "0693": "262", "0639": "262",
}  # fmt: skip
# … except that 06 39 98 is one of the six ranges reserved for fiction, which is metropolitan.
FRENCH_FICTION = ("019900", "026191", "035301", "046571", "053649", "063998")
# Blocks that are kept for automated platforms (Arcep): who calls from one is a machine or a call centre.
FRENCH_PLATFORMS = (
    "0162", "0163", "0270", "0271", "0377", "0378", "0424", "0425", "0568", "0569", "0948", "0949", "09475",
)  # fmt: skip

_PLATFORMS = tuple(f"+33{block[1:]}" for block in FRENCH_PLATFORMS)

_PUNCTUATION = re.compile(r"[\s.\-()/\u00a0\u202f\u2009\u2010-\u2015]+")
_URI = re.compile(r"^(?:sips?|tel):", re.IGNORECASE)
_E164 = re.compile(r"^\+[1-9][0-9]{5,14}$")


@dataclass(frozen=True, slots=True)
class NumberingPlan:
    """How numbers are written inside one country.

    `country_code` without plus; `trunk_prefix` is dropped when the country code is added;
    `overseas` maps a national prefix to another country code; `national_lengths` are the
    digits after the trunk prefix that a national number may have."""

    country: str
    country_code: str
    trunk_prefix: str = "0"
    international_prefix: str = "00"
    national_lengths: tuple[int, ...] = (9,)
    overseas: dict[str, str] = field(default_factory=dict)
    fiction: tuple[str, ...] = ()


FRANCE = NumberingPlan("FR", "33", overseas=FRENCH_OVERSEAS, fiction=FRENCH_FICTION)


def normalise(text: str, plan: NumberingPlan = FRANCE) -> str | None:
    """The E.164 form of `text`, or None where it is no telephone number (a name, `anonymous`,
    a short number such as 15 or 3114, letters, nothing)."""
    if len(text) > LONGEST:
        return None
    raw = _URI.sub("", text.strip())
    raw = raw.split("@", 1)[0].split(";", 1)[0]
    raw = _PUNCTUATION.sub("", unquote(raw))
    plus = raw.startswith("+")
    digits = raw[1:] if plus else raw
    # isdigit() alone admits other scripts' digits (an attacker's ٣); E.164 is ASCII
    if not digits.isascii() or not digits.isdigit():
        return None
    if plus:
        return _checked(digits, plan)
    if plan.international_prefix and digits.startswith(plan.international_prefix):
        return _checked(digits[len(plan.international_prefix) :], plan)
    if plan.trunk_prefix and digits.startswith(plan.trunk_prefix):
        return _from_national(digits, plan)
    if digits.startswith(plan.country_code):
        rest = digits[len(plan.country_code) :]
        if len(rest) in plan.national_lengths:
            return _checked(digits, plan)
    if not plan.trunk_prefix and len(digits) in plan.national_lengths:
        return "+" + plan.country_code + digits
    return None


def _from_national(digits: str, plan: NumberingPlan) -> str | None:
    significant = digits[len(plan.trunk_prefix) :]
    if len(significant) not in plan.national_lengths:
        return None
    return f"+{_code_of(digits, plan)}{significant}"


def _code_of(digits: str, plan: NumberingPlan) -> str:
    """The country code that a number in national form (with its trunk prefix) really has."""
    if digits.startswith(plan.fiction):
        return plan.country_code
    return next(
        (code for prefix, code in plan.overseas.items() if digits.startswith(prefix)), plan.country_code
    )


def _checked(digits: str, plan: NumberingPlan) -> str | None:
    # "+33 (0)1 99…" and 0033 0 1…: people write the trunk zero inside the international form
    code = plan.country_code
    if plan.trunk_prefix and digits.startswith(code + plan.trunk_prefix):
        rest = digits[len(code) + len(plan.trunk_prefix) :]
        if len(rest) in plan.national_lengths:
            digits = code + rest
    if digits.startswith(code):
        rest = digits[len(code) :]
        if len(rest) not in plan.national_lengths:
            return None
        # networks that put +33 before every national number make +33 692… of a number of La Réunion
        digits = _code_of(plan.trunk_prefix + rest, plan) + rest
    number = "+" + digits
    return number if _E164.match(number) else None


def is_platform(number: str) -> bool:
    """Whether this E.164 number lies in a block kept for automated platforms: a label, not a proof."""
    return number.startswith(_PLATFORMS)


def national(number: str, plan: NumberingPlan = FRANCE) -> str:
    """As people of the country write it: `01 99 00 10 01`; foreign numbers stay `+41…`."""
    codes = {plan.country_code, *plan.overseas.values()}
    for code in codes:
        rest = number[1 + len(code) :]
        if number.startswith("+" + code) and len(rest) in plan.national_lengths:
            digits = plan.trunk_prefix + rest
            if len(digits) % 2 == 0:
                return " ".join(digits[i : i + 2] for i in range(0, len(digits), 2))
            return digits
    return number
