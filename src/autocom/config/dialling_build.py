"""`outgoing` of bureau.yaml and of clients: which numbers people may have dialled, as the core's values.

The metadata of `phonenumbers` says which codes are countries and which numbers of a country cost more; what the
core needs of it is worked out here, once, for the countries that may be dialled. Invariant: a prefix that
passes lies in one country, and is neither a satellite nor shared by all countries. The story goes on in
`core.dialling`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Annotated, Final

from phonenumbers import COUNTRY_CODE_TO_REGION_CODE
from phonenumbers.phonemetadata import PhoneMetadata
from pydantic import PlainValidator, WithJsonSchema

from autocom.config.wording import told
from autocom.core.dialling import SATELLITE
from autocom.core.model import Dialling, Limits

if TYPE_CHECKING:
    from autocom.config import models

_PREFIX: Final = re.compile(r"(?:\+|00)([1-9][0-9]{0,11})$")
_NOWHERE: Final = "001"  # phonenumbers' region of codes that no country has
_MINUTE: Final = 60.0


def _prefix(value: object) -> str:
    text = value if isinstance(value, str) else ""
    found = _PREFIX.match(re.sub(r"[\s.\-()]", "", text))
    if found is None:
        raise ValueError(told("expected the beginning of numbers abroad, as `+32` or `+41 22`"))
    prefix = f"+{found[1]}"
    code = country_code(prefix)
    if code is None or COUNTRY_CODE_TO_REGION_CODE[int(code)] == (_NOWHERE,) or prefix.startswith(SATELLITE):
        raise ValueError(told("{prefix} is no country: satellites are never dialled", prefix=prefix))
    return prefix


def _part(value: object) -> float:
    text = value if isinstance(value, str) else ""
    if not re.fullmatch(r"0?\.[0-9]{1,3}|1(?:\.0+)?", text) or float(text) <= 0:
        raise ValueError(told("expected a part of the limit: more than 0, at most 1, as `0.5`"))
    return float(text)


Prefix = Annotated[
    str, PlainValidator(_prefix), WithJsonSchema({"type": "string", "pattern": r"^(\+|00)[1-9][0-9 .()-]*$"})
]
Part = Annotated[
    float, PlainValidator(_part), WithJsonSchema({"type": "number", "exclusiveMinimum": 0, "maximum": 1})
]


def country_code(prefix: str) -> str | None:
    """The country code that numbers of this prefix (`+3247`) have; None where it is nobody's, or too short."""
    digits = prefix.removeprefix("+")
    known = (digits[:length] for length in (1, 2, 3))
    return next((code for code in known if code and int(code) in COUNTRY_CODE_TO_REGION_CODE), None)


def build_dialling(written: models.Bureau, clients: Iterable[models.Client]) -> Dialling:
    """The core's value; what costs more is worked out for every country that the bureau or a client may dial."""
    rules = written.outgoing
    abroad = {*rules.international}
    for client in clients:
        if client.outgoing is not None:
            abroad.update(client.outgoing.international)
    return Dialling(
        international=tuple(rules.international),
        overseas=rules.overseas,
        premium=rules.premium,
        premium_abroad=tuple(_costly(abroad, written.bureau.country)),
        per_secretary=_limits(rules.per_secretary),
        per_client=_limits(rules.per_client),
        alarm_at=rules.alarm_at,
    )


def client_limits(written: models.Client, house: Dialling) -> Limits | None:
    """The limits that a client's file gives it, the bureau's where it is silent; None: it gives none."""
    own, usual = written.outgoing, house.per_client
    if own is None or (own.at_once, own.per_hour, own.minutes_a_day) == (None, None, None):
        return None
    return Limits(
        own.at_once or usual.at_once,
        own.per_hour or usual.per_hour,
        usual.seconds_a_day if own.minutes_a_day is None else own.minutes_a_day * _MINUTE,
    )


def _limits(written: models.DiallingLimits) -> Limits:
    return Limits(written.at_once, written.per_hour, written.minutes_a_day * _MINUTE)


def _costly(prefixes: Iterable[str], country: str) -> Iterator[tuple[str, str]]:
    """Country code and expression of numbers that cost more, of each of these countries; France's own stand in the
    core."""
    codes = {code for prefix in prefixes if (code := country_code(prefix)) is not None}
    home = PhoneMetadata.metadata_for_region(country)
    if country != "FR" and home is not None:
        codes.add(str(home.country_code))
    for code in sorted(codes):
        for region in COUNTRY_CODE_TO_REGION_CODE[int(code)]:
            found = PhoneMetadata.metadata_for_region(region)
            if found is None:
                continue
            for kind in (found.premium_rate, found.shared_cost):
                if kind is not None and kind.national_number_pattern:
                    yield code, kind.national_number_pattern
