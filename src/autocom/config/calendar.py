"""Public holidays by the code the YAML names: `FR`, `FR-57`, `FR-974`, `BE`, `none`.

The `holidays` package computes them; this module closes its two traps: a subdivision it does
not know can come back silently as the plain country (`GES`), and Alsace is known only as a
whole (`6AE`), not as Bas-Rhin 67 and Haut-Rhin 68. Must not know clients. Invariant: an unknown
code is refused, never answered with the wrong days. The story goes on in `build`.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import holidays
from holidays.registry import COUNTRIES

from autocom.config.faults import suggestion
from autocom.config.wording import told

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

_CODE = re.compile(r"([A-Z]{2})(?:-([A-Za-z0-9]{1,3}))?$")
# The right of Alsace-Moselle holds in three departments; the package names two of them as one.
_FRENCH_DEPARTMENTS: Final = {"67": "6AE", "68": "6AE"}


class UnknownCalendar(ValueError):  # noqa: N818 - said to the admin as it is
    """The code names no calendar."""


def check_calendar(code: str) -> None:
    """Raise UnknownCalendar where the code names nothing."""
    if code != "none":
        _parts(code)


@lru_cache(maxsize=256)
def holidays_of(code: str, first_year: int, last_year: int, language: str) -> Mapping[date, str]:
    """Every public holiday of those years (both included) with its name."""
    if code == "none":
        return {}
    country, subdivision = _parts(code)
    known = holidays.country_holidays(country)
    language = next((tag for tag in known.supported_languages or () if tag.split("_")[0] == language), "")
    found = holidays.country_holidays(
        country, subdiv=subdivision, years=range(first_year, last_year + 1), language=language or None
    )
    return dict(sorted(found.items()))


@lru_cache(maxsize=256)
def _parts(code: str) -> tuple[str, str | None]:
    match = _CODE.match(code)
    if not match:
        raise UnknownCalendar(
            told(
                "`{code}` is no calendar: write a country as FR, or a part of it as FR-57, or none", code=code
            )
        )
    country, subdivision = match.groups()
    if country not in _countries():
        raise UnknownCalendar(
            told(
                "`{code}`: no public holidays are known of {country}{near}",
                code=code,
                country=country,
                near=suggestion(country, _countries()),
            )
        )
    if subdivision is None:
        return country, None
    if country == "FR":
        subdivision = _FRENCH_DEPARTMENTS.get(subdivision, subdivision)
    known = holidays.country_holidays(country)
    aliases: Mapping[str, str] = getattr(known, "subdivisions_aliases", {})
    if subdivision in known.subdivisions:
        return country, subdivision
    if subdivision in aliases:
        return country, aliases[subdivision]
    if country == "FR":
        raise UnknownCalendar(
            told(
                "`{code}` has no public holidays of its own: write FR, or FR-57, FR-67, FR-68 "
                "(Alsace-Moselle), FR-971 to FR-976 (overseas)",
                code=code,
            )
        )
    raise UnknownCalendar(
        told(
            "`{code}`: {country} has no part {subdivision}{near}",
            code=code,
            country=country,
            subdivision=subdivision,
            near=suggestion(subdivision, known.subdivisions),
        )
    )


@lru_cache(maxsize=1)
def _countries() -> frozenset[str]:
    return frozenset(entry[1] for entry in COUNTRIES.values())
