"""How one kind of value is written as JSON and read again: functions that `codec` joins by type hints.

A writer takes a value that fits, a reader whatever stands there. Must not know which class wants what, nor
build any class but the one it was made for. Invariant: a reader raises `Undecodable`, never another error,
for JSON that does not fit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field
from datetime import date, datetime, time
from enum import Enum
from operator import attrgetter
from typing import Any

TAG = "_"
_MOST_KEPT = 2_000
_VALUE = "is"  # what a tagged value that is no dataclass holds, inside a union

Encode = Callable[[Any], Any]
Decode = Callable[[Any], Any]


class Undecodable(ValueError):  # noqa: N818 - says what the JSON is
    """The JSON does not fit the type asked for: damaged, or written by a version that is too new."""


# --- dataclasses -----------------------------------------------------------------------------


def dataclass_encoder(name: str, stored: list[str], coded: list[tuple[str, Encode]]) -> Encode:
    """A value with its class's name and the fields `stored`; `coded` (filled later) are those that need more
    than to be taken as they are."""
    if not stored:
        return lambda _value: {TAG: name}  # attrgetter gives no tuple for one attribute
    names = (TAG, *stored)
    # one call that fetches every attribute is a third faster than a loop of getattr; the class stands
    # where the tag will, so that a single field comes as a tuple as well
    fetch = attrgetter("__class__", *stored)

    def write(value: Any) -> Any:
        made: dict[str, Any] = dict(zip(names, fetch(value), strict=True))
        made[TAG] = name
        for field_name, encode in coded:
            made[field_name] = encode(made[field_name])
        return made

    return write


def written_once(encode: Encode) -> Encode:
    """Found by identity, since values with mappings have no hash; holding the value keeps its id its own."""
    written: dict[int, tuple[Any, Any]] = {}

    def write(value: Any) -> Any:
        found = written.get(id(value))
        if found is None:
            if len(written) >= _MOST_KEPT:
                written.clear()  # reloads have left old versions behind; the living are soon back
            found = written[id(value)] = (value, encode(value))
        return found[1]

    return write


def dataclass_decoder(cls: type, coded: list[tuple[str, Decode, bool]]) -> Decode:
    """The value, from its class's name and fields: name, reader, and whether it has to be there (filled
    later)."""

    def read(json: Any) -> Any:
        found = expect(dict, json)
        if found.get(TAG) != cls.__name__:
            raise Undecodable(f"{cls.__name__} expected, {found.get(TAG)!r} found")
        arguments = {}
        for name, decode, required in coded:
            if name in found:
                try:
                    arguments[name] = decode(found[name])
                except Undecodable as error:
                    raise Undecodable(f"{cls.__name__}.{name}: {error}") from error
            elif required:
                raise Undecodable(f"{cls.__name__}.{name} is missing")
        try:
            return cls(**arguments)
        except (TypeError, ValueError) as error:  # its own __post_init__ refuses
            raise Undecodable(f"{cls.__name__}: {error}") from error

    return read


def has_no_default(each: Field[Any]) -> bool:
    """Whether the field has no default."""
    return each.default is MISSING and each.default_factory is MISSING


# --- scalars ---------------------------------------------------------------------------------


def same(value: Any) -> Any:
    """As it is."""
    return value


def expect(kind: type, json: Any) -> Any:
    """The JSON, if it is of exactly this type."""
    if type(json) is not kind:
        raise Undecodable(f"{kind.__name__} expected, {type(json).__name__} found")
    return json


def _exactly(kind: type) -> Decode:
    return lambda json: expect(kind, json)


def _write_float(value: Any) -> Any:
    # JSON has no infinity, and PostgreSQL's jsonb refuses Python's spelling of it
    return value if value - value == 0 else repr(float(value))


def _read_float(json: Any) -> Any:
    if type(json) is float or type(json) is int:
        return json
    if json in ("inf", "-inf", "nan"):
        return float(json)
    raise Undecodable(f"float expected, {type(json).__name__} found")


def _iso(read: Callable[[str], Any]) -> Decode:
    def decode(json: Any) -> Any:
        try:
            return read(expect(str, json))
        except ValueError as error:
            raise Undecodable(str(error)) from error

    return decode


def one_of(values: tuple[Any, ...]) -> Decode:
    """One of these words."""

    def read(json: Any) -> Any:
        if json not in values:
            raise Undecodable(f"one of {values} expected")
        return json

    return read


def of_enum(cls: type[Enum], members: Mapping[Any, Enum]) -> Decode:
    """A member of an Enum, by what stands for it in the JSON."""

    def read(json: Any) -> Any:
        try:
            return members[json]
        except (KeyError, TypeError) as error:
            raise Undecodable(f"no {cls.__name__} is {json!r}") from error

    return read


# --- parts of collections and unions ---------------------------------------------------------


def or_none(code: Encode) -> Encode:
    """The same, or nothing."""
    return lambda value: None if value is None else code(value)


def many(encode: Encode | None) -> Encode:
    """A list of what this writes."""
    if encode is None:
        return list
    return lambda values: list(map(encode, values))


def collector(made: type, decode: Decode) -> Decode:
    """A collection of what this reads."""

    def read(json: Any) -> Any:
        try:
            return made([decode(value) for value in expect(list, json)])
        except TypeError as error:  # an unhashable element of a set
            raise Undecodable(str(error)) from error

    return read


def wrap(name: str, encode: Encode) -> Encode:
    """With the name of its type, where JSON alone cannot tell."""
    return lambda value: {TAG: name, _VALUE: encode(value)}


def unwrap(decode: Decode) -> Decode:
    """Without it."""
    return lambda json: decode(json.get(_VALUE))


def choice_writer(writers: Mapping[type, Encode], *, optional: bool) -> Encode:
    """Whichever of the types the value is."""

    def write(value: Any) -> Any:
        if value is None and optional:
            return None
        encode = writers.get(type(value))
        if encode is None:  # a member may be an abstract kind (Mapping): the first that fits is meant
            encode = next((each for kind, each in writers.items() if isinstance(value, kind)), None)
        if encode is None:
            raise TypeError(f"{type(value).__name__} is not in the union")
        return encode(value)

    return write


def choice_reader(readers: Mapping[str, Decode], native: tuple[type, ...], *, optional: bool) -> Decode:
    """By the name that it carries, or else one of the `native` ones."""

    def read(json: Any) -> Any:
        if json is None and optional:
            return None
        if isinstance(json, dict):
            name = json.get(TAG)
            decode = readers.get(name) if isinstance(name, str) else None
            if decode is None:
                raise Undecodable(f"no member of the union is called {name!r}")
            return decode(json)
        if type(json) in native or (type(json) is int and float in native):
            return json
        raise Undecodable(f"{type(json).__name__} is not in the union")

    return read


def key_coder(hint: Any) -> tuple[Encode | None, Decode]:
    """JSON's keys are text: numbers, dates and words of an Enum become text and come back."""
    if hint is str:
        return None, _exactly(str)
    if hint is int:
        return str, _iso(int)
    if hint in (date, datetime, time):
        return SCALARS[hint]
    if isinstance(hint, type) and issubclass(hint, Enum):
        return (lambda key: str(key.value)), of_enum(hint, {str(member.value): member for member in hint})
    raise TypeError(f"{hint} cannot be a key in JSON")


NATIVE = (bool, int, float, str)
SCALARS: Mapping[Any, tuple[Encode | None, Decode]] = {
    str: (None, _exactly(str)),
    int: (None, _exactly(int)),
    bool: (None, _exactly(bool)),
    type(None): (None, _exactly(type(None))),
    float: (_write_float, _read_float),
    object: (None, same),
    Any: (None, same),
    date: (date.isoformat, _iso(date.fromisoformat)),
    datetime: (datetime.isoformat, _iso(datetime.fromisoformat)),
    time: (time.isoformat, _iso(time.fromisoformat)),
}
