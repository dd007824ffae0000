"""The words and units of the YAML files: durations, times, names, numbers, yes and no.

Each type reads the text an admin wrote and says in one sentence what to write instead. Must not
know where the text stood, nor other keys. Invariant: nothing passes that could be more than it
says (ids and sound names cannot leave their folder, texts hold no control characters). The
story goes on in `models`.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Annotated, Any, Final
from zoneinfo import ZoneInfo, available_timezones

from pydantic import BeforeValidator, PlainValidator, ValidationInfo, WithJsonSchema

from autocom.config.calendar import UnknownCalendar, check_calendar
from autocom.config.faults import suggestion
from autocom.config.numbering import countries
from autocom.config.wording import told, words_of
from autocom.core.model import TimeRange
from autocom.core.numbers import FRANCE, NumberingPlan, normalise

if TYPE_CHECKING:
    from pydantic import GetJsonSchemaHandler
    from pydantic.json_schema import JsonSchemaValue
    from pydantic_core import CoreSchema

DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_UNITS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_DURATION = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h|d)$")
_ID = re.compile(r"[a-z0-9-]{1,32}$")
_SOUND = re.compile(r"[a-z0-9_-]+(?:/[a-z0-9_-]+)*$")
_TIME = re.compile(r"([01][0-9]|2[0-4]):([0-5][0-9])$")
# C0, C1, and the marks that turn the direction of text and so forge what a screen shows
_UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_UNSAFE_IN_SPEECH = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_MAIL = re.compile(r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+$")
_EMERGENCY: Final = frozenset(
    ("15", "17", "18", "112", "114", "115", "119", "191", "196", "197", "116000", "116117", "3114")
)
_HOST = re.compile(r"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9a-fA-F:]+\])(?::[0-9]{1,5})?$")
_DID_IN = re.compile(r"(?:request_uri|to|p_called_party_id|header:[A-Za-z][A-Za-z0-9-]{0,63})$")


def _text(value: object) -> str:
    if not isinstance(value, str):
        found = told("a list") if isinstance(value, list) else told("a mapping")
        raise ValueError(told("expected one value, found {found}", found=found))  # noqa: TRY004 - pydantic reports ValueError
    return value


def _scalar(read: Callable[[str], Any], schema: dict[str, Any]) -> tuple[PlainValidator, WithJsonSchema]:
    """Annotations of a type that is read from one text by `read`, which raises ValueError."""
    return PlainValidator(lambda value: read(_text(value))), WithJsonSchema(schema)


def duration(text: str) -> float:
    """Seconds. ValueError says how to write it."""
    match = _DURATION.match(text)
    if not match:
        raise ValueError(
            told(
                "`{text}` is no duration: write a number with ms, s, m, h or d, as 800ms, 20s, 5m, 2h, 90d",
                text=text,
            )
        )
    return float(match.group(1)) * _UNITS[match.group(2)]


def _some_time(text: str) -> float:
    seconds = duration(text)
    if seconds <= 0:
        raise ValueError(told("must be longer than nothing"))
    return seconds


def _yes_or_no(text: str) -> bool:
    if text not in ("true", "false"):
        raise ValueError(told("`{text}` is neither true nor false", text=text))
    return text == "true"


def _whole(least: int, most: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not re.fullmatch(r"-?[0-9]{1,9}", text):
            raise ValueError(told("`{text}` is not a whole number", text=text))
        if not least <= int(text) <= most:
            raise ValueError(
                told("{text} is out of range: {least} to {most}", text=text, least=least, most=most)
            )
        return int(text)

    return read


def _ident(text: str) -> str:
    if not _ID.match(text):
        raise ValueError(told("`{text}` is no id: 1 to 32 of a-z, 0-9 and -", text=text))
    return text


def _sound(text: str) -> str:
    if len(text) > 64 or not _SOUND.match(text):
        raise ValueError(
            told(
                "`{text}` is no sound name: a-z, 0-9, _ and -, sub-folders as a/b, without suffix, "
                "at most 64",
                text=text,
            )
        )
    return text


def _line(most: int, least: int = 1) -> Callable[[str], str]:
    def read(text: str) -> str:
        if least and not text.strip():
            raise ValueError(told("must not be empty"))
        if _UNSAFE.search(text):
            raise ValueError(told("must be one line without control characters"))
        if len(text) > most:
            raise ValueError(
                told("has {count} characters, at most {most} are allowed", count=len(text), most=most)
            )
        return text

    return read


def _speech(text: str) -> str:
    if not text.strip():
        raise ValueError(told("there is nothing to say"))
    if len(text) > 2000:
        raise ValueError(
            told("has {count} characters, at most {most} are allowed", count=len(text), most=2000)
        )
    if _UNSAFE_IN_SPEECH.search(text):
        raise ValueError(told("must not hold control characters"))
    return " ".join(text.split())


def clock_time(text: str) -> time:
    """`08:30`; `24:00` is the end of a day and comes back as 00:00."""
    match = _TIME.match(text)
    if not match or (match.group(1) == "24" and match.group(2) != "00"):
        raise ValueError(told("`{text}` is no time of day: write it as 08:30, in quotes", text=text))
    return time(int(match.group(1)) % 24, int(match.group(2)))


def time_range(text: str) -> TimeRange:
    """`08:00-12:30`; an end before the start is after midnight; `00:00-24:00` is the whole day."""
    start, dash, end = text.partition("-")
    if not dash:
        raise ValueError(told('`{text}` is no range of times: write it as "08:00-12:30"', text=text))
    if start == "24:00":
        raise ValueError(told("a range cannot start at 24:00: write 00:00 under the next day"))
    read = TimeRange(clock_time(start), clock_time(end))
    if start == end:
        raise ValueError(told('`{text}` is empty: write "00:00-24:00" for a whole day', text=text))
    return read


def weekdays(text: str) -> tuple[int, ...]:
    """ISO weekdays (1 Monday … 7 Sunday) of `mon`, `mon-fri`, `sat-mon` or `every-day`."""
    if text == "every-day":
        return (1, 2, 3, 4, 5, 6, 7)
    first, dash, last = text.partition("-")
    for word in (first, last) if dash else (first,):
        if word not in DAYS:
            raise ValueError(
                told(
                    "`{text}` is no day{near} (mon … sun, mon-fri, every-day)",
                    text=text,
                    near=suggestion(text, (*DAYS, "every-day")),
                )
            )
    begin = DAYS.index(first)
    length = (DAYS.index(last) - begin) % 7 if dash else 0
    return tuple((begin + offset) % 7 + 1 for offset in range(length + 1))


def _days(text: str) -> str:
    weekdays(text)
    return text


def _date(text: str) -> date:
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        raise ValueError(told('`{text}` is no date: write it as "2026-12-24"', text=text))
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError(told("{text} is not in the calendar", text=text)) from None


_TO_THE_SECOND: Final = re.compile(r"[0-2][0-9]:[0-5][0-9]:[0-5][0-9]")


def moment(text: str) -> datetime:
    """`2026-12-24 12:00` (or `12:00:30`), or `2026-12-24` for its beginning; `24:00` is the beginning of the
    next day."""
    day, space, clock = text.partition(" ")
    try:
        if _TO_THE_SECOND.fullmatch(clock):
            return datetime.combine(_date(day), time.fromisoformat(clock))
        found = datetime.combine(_date(day), clock_time(clock) if space else time(0))
        return found + timedelta(days=1) if clock == "24:00" else found
    except ValueError as error:
        if "calendar" in str(error):
            raise
        raise ValueError(
            told('`{text}` is no moment: write it as "2026-12-24 12:00" or "2026-12-24"', text=text)
        ) from None


def _until(text: str) -> str:
    moment(text)
    return text


def _zone(text: str) -> str:
    try:
        ZoneInfo(text)
    except (KeyError, ValueError, OSError):  # a folder such as "Europe" is an OSError
        raise ValueError(
            told("`{text}` is no time zone{near}", text=text, near=suggestion(text, available_timezones()))
        ) from None
    return text


def _country(text: str) -> str:
    if text not in countries():
        raise ValueError(told("`{text}` is no country: two capital letters, as FR", text=text))
    return text


def _calendar(text: str) -> str:
    try:
        check_calendar(text)
    except UnknownCalendar as error:
        raise ValueError(words_of(error)) from None
    return text


def _number(value: object, info: ValidationInfo) -> str:
    plan = info.context.get("plan", FRANCE) if isinstance(info.context, dict) else FRANCE
    text = _text(value)
    return number(text, plan)


def number(text: str, plan: NumberingPlan) -> str:
    """E.164, or ValueError."""
    digits = re.sub(r"^(?:\+|00)33|[\s.\-()]", "", text)
    if digits in _EMERGENCY:
        raise ValueError(
            told("`{text}` is an emergency number: callers dial it themselves, autocom never does", text=text)
        )
    found = normalise(text, plan) if not re.search(r"[@;:]", text) else None
    if found is None:
        raise ValueError(
            told(
                "`{text}` is no telephone number of {country} or in the form +33…",
                text=text,
                country=plan.country,
            )
        )
    return found


def _network(text: str) -> str:
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise ValueError(
            told("`{text}` is no address or network: write 192.0.2.10 or 192.0.2.0/24", text=text)
        ) from None
    if network.prefixlen == 0:
        raise ValueError(
            told("`{text}` is the whole world: anybody could place calls as this operator", text=text)
        )
    return str(network.network_address) if network.num_addresses == 1 else str(network)


def _matching(pattern: re.Pattern[str], wanted: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if not pattern.match(text):
            raise ValueError(told("`{text}` is not {wanted}", text=text, wanted=wanted))
        return text

    return read


def _secret(text: str) -> str:
    if not re.fullmatch(r"[!-~]{6,256}", text):
        # it is not said again: faults are printed, logged and mailed
        raise ValueError(told("a secret has 6 to 256 visible ASCII characters and no space"))
    return text


def _mail_or_number(value: object, info: ValidationInfo) -> str:
    text = _text(value)
    return text if _MAIL.match(text) else _number(text, info)


def _wrap(value: object) -> object:
    return [value] if isinstance(value, str) else value


class OneOrMany:
    """Annotation: a single text stands for a list of one."""

    def __get_pydantic_core_schema__(
        self, source: object, handler: Callable[[Any], CoreSchema]
    ) -> CoreSchema:
        """The list's own schema behind the wrapping."""
        return BeforeValidator(_wrap).__get_pydantic_core_schema__(source, handler)  # type: ignore[arg-type]

    def __get_pydantic_json_schema__(
        self, core: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Either form."""
        many = handler(core)
        return {"anyOf": [many["items"], many]}


_DURATION_SCHEMA = {"type": "string", "pattern": "^[0-9]+(\\.[0-9]+)?(ms|s|m|h|d)$"}
_NUMBER_SCHEMA = {"type": "string", "pattern": "^\\+?[0-9][0-9 .()/-]*$"}
_DIGITS_SCHEMA = {"type": ["string", "integer"]}


def _whole_schema(least: int, most: int) -> dict[str, Any]:
    return {"type": "integer", "minimum": least, "maximum": most}


Duration = Annotated[float, *_scalar(duration, _DURATION_SCHEMA)]
SomeTime = Annotated[float, *_scalar(_some_time, _DURATION_SCHEMA)]
Yes = Annotated[bool, *_scalar(_yes_or_no, {"type": "boolean"})]
Id = Annotated[str, *_scalar(_ident, {"type": "string", "pattern": "^[a-z0-9-]{1,32}$"})]
SoundName = Annotated[
    str, *_scalar(_sound, {"type": "string", "pattern": "^[a-z0-9_-]+(/[a-z0-9_-]+)*$", "maxLength": 64})
]
Line = Annotated[str, *_scalar(_line(200), {"type": "string", "minLength": 1, "maxLength": 200})]
LineOrNothing = Annotated[str, *_scalar(_line(200, 0), {"type": "string", "maxLength": 200})]
Display = Annotated[str, *_scalar(_line(20), {"type": "string", "minLength": 1, "maxLength": 20})]
Speech = Annotated[str, *_scalar(_speech, {"type": "string", "minLength": 1, "maxLength": 2000})]
Range = Annotated[
    TimeRange,
    *_scalar(time_range, {"type": "string", "pattern": "^[0-2][0-9]:[0-5][0-9]-[0-2][0-9]:[0-5][0-9]$"}),
]
_DAYS_PATTERN = "^(every-day|(mon|tue|wed|thu|fri|sat|sun)(-(mon|tue|wed|thu|fri|sat|sun))?)$"
Days = Annotated[str, *_scalar(_days, {"type": "string", "pattern": _DAYS_PATTERN})]
Date = Annotated[date, *_scalar(_date, {"type": "string", "format": "date"})]
_MOMENT_SCHEMA = {
    "type": "string",
    "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}( [0-2][0-9]:[0-5][0-9](:[0-5][0-9])?)?$",
}
Moment = Annotated[datetime, *_scalar(moment, _MOMENT_SCHEMA)]
Until = Annotated[str, *_scalar(_until, _MOMENT_SCHEMA)]
Zone = Annotated[str, *_scalar(_zone, {"type": "string"})]
Country = Annotated[str, *_scalar(_country, {"type": "string", "pattern": "^[A-Z]{2}$"})]
Calendar = Annotated[
    str, *_scalar(_calendar, {"type": "string", "pattern": "^(none|[A-Z]{2}(-[A-Za-z0-9]{1,3})?)$"})
]
Number = Annotated[str, PlainValidator(_number), WithJsonSchema(_NUMBER_SCHEMA)]
Network = Annotated[str, *_scalar(_network, {"type": "string"})]
Host = Annotated[
    str, *_scalar(_matching(_HOST, told("a host name, with :port or without")), {"type": "string"})
]
DidPlace = Annotated[
    str,
    *_scalar(
        _matching(_DID_IN, told("request_uri, to, p_called_party_id or header:X-Name")), {"type": "string"}
    ),
]
Mail = Annotated[
    str, *_scalar(_matching(_MAIL, told("a mail address")), {"type": "string", "format": "email"})
]
MailOrNumber = Annotated[str, PlainValidator(_mail_or_number), WithJsonSchema({"type": "string"})]
Extension = Annotated[str, *_scalar(_matching(re.compile(r"(?!8[0-9]{2}$)[1-9][0-9]{1,4}$"), told("an extension: 2 to 5 digits, not beginning with 0, not 8NN (conference rooms)")), _DIGITS_SCHEMA)]  # fmt: skip
Code = Annotated[
    str, *_scalar(_matching(re.compile(r"[0-9]{1,4}$"), told("a code: 1 to 4 digits")), _DIGITS_SCHEMA)
]
Digit = Annotated[
    str,
    *_scalar(_matching(re.compile(r"[0-9*#]$"), told("one key of a telephone: 0-9, * or #")), _DIGITS_SCHEMA),
]
LanguageTag = Annotated[str, *_scalar(_matching(re.compile(r"[a-z]{2}$"), told("a language: two small letters, as fr")), {"type": "string", "pattern": "^[a-z]{2}$"})]  # fmt: skip
Password = Annotated[str, *_scalar(_matching(re.compile(r"[!-:<-~]{6,64}$"), told("a password: 6 to 64 visible ASCII characters, no space, no ;")), {"type": "string", "minLength": 6, "maxLength": 64})]  # fmt: skip
Link = Annotated[str, *_scalar(_matching(re.compile(r"https?://[!#-;=?-\[\]_a-~]{1,480}$"), told("a web address: http:// or https://, no spaces")), {"type": "string", "format": "uri"})]  # fmt: skip
Secret = Annotated[str, *_scalar(_secret, {"type": "string", "minLength": 6, "maxLength": 256})]
HeaderName = Annotated[str, *_scalar(_matching(re.compile(r"[A-Za-z][A-Za-z0-9-]{0,63}$"), told("the name of a header, as X-Signature")), {"type": "string", "pattern": "^[A-Za-z][A-Za-z0-9-]{0,63}$"})]  # fmt: skip
FieldPath = Annotated[str, *_scalar(_matching(re.compile(r"[A-Za-z0-9_-]{1,40}(?:\.[A-Za-z0-9_-]{1,40}){0,3}$"), told("the name of a field, as messageId or data.id")), {"type": "string"})]  # fmt: skip
Priority = Annotated[int, *_scalar(_whole(0, 100), _whole_schema(0, 100))]
Count = Annotated[int, *_scalar(_whole(0, 100000), _whole_schema(0, 100000))]
Some = Annotated[int, *_scalar(_whole(1, 100000), _whole_schema(1, 100000))]
Level = Annotated[int, *_scalar(_whole(1, 3), _whole_schema(1, 3))]
Repeat = Annotated[int, *_scalar(_whole(1, 10), _whole_schema(1, 10))]
