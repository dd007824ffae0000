"""The numbering plan of the bureau's country.

France is written by hand in `core.numbers`, since its overseas departments and its fiction
ranges are unknown to number libraries; every other country comes from the metadata of
`phonenumbers`. Must not know files. Invariant: lengths are those a number *can* have, never
"assigned": a number that a library calls invalid still rings. The story goes on in `shape`.
"""

from __future__ import annotations

import re

import phonenumbers
from phonenumbers.phonemetadata import PhoneMetadata

from autocom.core.numbers import FRANCE, NumberingPlan, normalise

_PREFIX_PUNCTUATION = re.compile(r"[\s.\-()/]+")


def countries() -> frozenset[str]:
    """Two-letter codes that a plan exists for."""
    return frozenset(phonenumbers.SUPPORTED_REGIONS)


def plan_of(country: str) -> NumberingPlan:
    """How numbers are written in that country; KeyError where the code is unknown."""
    if country == "FR":
        return FRANCE
    if country not in phonenumbers.SUPPORTED_REGIONS:
        raise KeyError(country)
    found = PhoneMetadata.metadata_for_region(country)
    if found is None or found.general_desc is None:
        raise KeyError(country)
    international = found.preferred_international_prefix or found.international_prefix or ""
    # some countries list several carriers' prefixes as an expression; 00 is then the usual one
    digits = "".join(c for c in international if c.isdigit()) if "[" not in international else "00"
    if "(" in international or "|" in international:
        digits = "00"
    return NumberingPlan(
        country=country,
        country_code=str(found.country_code),
        trunk_prefix=found.national_prefix or "",
        international_prefix=digits,
        national_lengths=tuple(length for length in found.general_desc.possible_length if length > 0),
    )


def normalise_prefix(text: str, plan: NumberingPlan) -> str | None:
    """`0162*`, `+33 162*` or `0033162*` as `+33162*`; None where it is no prefix of numbers."""
    if not text.endswith("*"):
        return None
    raw = _PREFIX_PUNCTUATION.sub("", text[:-1])
    plus = raw.startswith("+")
    digits = raw[1:] if plus else raw
    if not digits.isascii() or not digits.isdigit():
        return None
    if plus:
        return f"+{digits}*"
    if plan.international_prefix and digits.startswith(plan.international_prefix):
        rest = digits[len(plan.international_prefix) :]
        return f"+{rest}*" if rest else None
    if plan.trunk_prefix and digits.startswith(plan.trunk_prefix):
        # a whole number tells which country code a national prefix belongs to (overseas: +262, not +33)
        missing = max(plan.national_lengths) + len(plan.trunk_prefix) - len(digits)
        whole = normalise(digits + "0" * missing, plan) if missing >= 0 else None
        return f"{whole[: len(whole) - missing]}*" if whole else None
    return f"+{digits}*" if digits.startswith(plan.country_code) else None
