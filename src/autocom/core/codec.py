"""Frozen values to JSON and back, so that a stage written before a crash is read equal after it.

Works from the type hints of the dataclasses it is given and those they reach: `{"_": "Client", …}`.
Must not know what the values mean, nor where the JSON is kept; must not build any class that was not
named to it, since what it reads may be damaged. Invariants: `load(hint, dump(value)) == value`, also by
way of JSON text; a field that a newer version wrote is ignored, one that an older version did not know
takes its default; anything else that does not fit raises `Undecodable`, never another error.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import MISSING, Field, fields, is_dataclass
from datetime import date, datetime, time
from enum import Enum
from operator import attrgetter
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints, overload

from autocom.core.journal import Json

T = TypeVar("T")

TAG = "_"
_MOST_KEPT = 2_000
_VALUE = "is"  # what a tagged value that is no dataclass holds, inside a union

_Encode = Callable[[Any], Any]
_Decode = Callable[[Any], Any]


class Undecodable(ValueError):  # noqa: N818 - says what the JSON is
    """The JSON does not fit the type asked for: damaged, or written by a version that is too new."""


class Codec:
    """Dumps and loads the dataclasses in `classes` and every dataclass their fields name.

    Build one and keep it: what it learns of a class is computed once. Of the classes in `kept` (large
    values that live long and are dumped often, as a client in every stage of his calls) each value is
    written only once: that part of what `dump` returns is shared and must not be changed. TypeError for a field whose type has
    no form in JSON, or for two different classes of one name."""

    def __init__(self, classes: Iterable[type], kept: Iterable[type] = ()) -> None:
        self._kept = frozenset(kept)
        self._classes: dict[str, type] = {}
        self._encoders: dict[type, _Encode] = {}
        self._decoders: dict[type, _Decode] = {}
        self._coders: dict[object, tuple[_Encode | None, _Decode]] = {}
        for cls in classes:
            self._learn(cls)

    def dump(self, value: object, hint: object = None) -> Json:
        """`value` as plain JSON values. `hint` is needed only for values that are no dataclass (a tuple,
        a mapping …). TypeError for a class that was not registered."""
        if value is None:
            return None
        if hint is None:
            try:
                encode: _Encode | None = self._encoders[type(value)]
            except KeyError:
                raise TypeError(f"{type(value).__name__} is not registered, and no hint is given") from None
        else:
            encode = self._coder(hint)[0]
        plain: Any = value
        encoded: Json = encode(plain) if encode else plain
        return encoded

    @overload
    def load(self, hint: type[T], json: Json) -> T: ...
    @overload
    def load(self, hint: object, json: Json) -> Any: ...

    def load(self, hint: Any, json: Json) -> Any:
        """The value that `dump` wrote; `hint` is its class, or any type, also a union such as `Step`.

        Raises `Undecodable` where the JSON does not fit it."""
        try:
            return self._coder(hint)[1](json)
        except RecursionError as error:
            raise Undecodable("nested too deeply") from error

    # --- one class ---------------------------------------------------------------------------

    def _learn(self, cls: type) -> None:
        if self._classes.get(cls.__name__) is cls:
            return
        if cls.__name__ in self._classes:
            raise TypeError(f"two classes are called {cls.__name__}")
        if not is_dataclass(cls):
            raise TypeError(f"{cls.__name__} is no dataclass")
        self._classes[cls.__name__] = cls
        hints = get_type_hints(cls)
        stored = [each for each in fields(cls) if each.init]
        # first a way in, so that a class whose fields name itself (a step within a step) finds one
        encoded: list[tuple[str, _Encode]] = []
        decoded: list[tuple[str, _Decode, bool]] = []
        encoder = _dataclass_encoder(cls.__name__, [each.name for each in stored], encoded)
        self._encoders[cls] = _written_once(encoder) if cls in self._kept else encoder
        self._decoders[cls] = _dataclass_decoder(cls, decoded)
        for each in stored:
            try:
                encode, decode = self._coder(hints[each.name])
            except TypeError as error:
                raise TypeError(f"{cls.__name__}.{each.name}: {error}") from error
            if encode is not None:
                encoded.append((each.name, encode))
            decoded.append((each.name, decode, _required(each)))

    def _coder(self, hint: object) -> tuple[_Encode | None, _Decode]:
        """How to write and read a value of this type; no encoder where JSON has the value as it is."""
        try:
            known = self._coders.get(hint)
        except TypeError:  # an unhashable hint, as Literal of a list
            return self._built(hint)
        if known is None:
            known = self._coders[hint] = self._built(hint)
        return known

    def _built(self, hint: Any) -> tuple[_Encode | None, _Decode]:
        if hint in _SCALARS:
            return _SCALARS[hint]
        origin, arguments = get_origin(hint), get_args(hint)
        if origin is Annotated:
            return self._coder(arguments[0])
        if origin is Literal:
            return None, _one_of(arguments)
        if origin in (Union, types.UnionType):
            return self._union(arguments)
        if origin is not None and isinstance(origin, type):
            return self._collection(hint, origin, arguments)
        if isinstance(hint, type) and issubclass(hint, Enum):
            return attrgetter("value"), _member(hint, {member.value: member for member in hint})
        if isinstance(hint, type) and is_dataclass(hint):
            self._learn(hint)
            return self._encoders[hint], self._decoders[hint]
        raise TypeError(f"{hint} has no form in JSON")

    # --- collections -------------------------------------------------------------------------

    def _collection(self, hint: object, origin: type, arguments: tuple[Any, ...]) -> tuple[_Encode, _Decode]:
        if issubclass(origin, Mapping):
            return self._mapping(*arguments)
        if issubclass(origin, tuple) and not (len(arguments) == 2 and arguments[1] is Ellipsis):
            return self._row(arguments)
        encode, decode = self._coder(arguments[0])
        many = _many(encode)
        if issubclass(origin, tuple):
            return many, _collector(tuple, decode)
        if issubclass(origin, AbstractSet):
            made: type = set if issubclass(origin, set) else frozenset
            # equal sets give equal JSON, whatever order they iterate in
            return (lambda values: sorted(many(values), key=repr)), _collector(made, decode)
        if issubclass(origin, Sequence):
            return many, _collector(list if issubclass(origin, list) else tuple, decode)
        raise TypeError(f"{hint} has no form in JSON")

    def _row(self, arguments: tuple[Any, ...]) -> tuple[_Encode, _Decode]:
        """A tuple of known length."""
        coders = [self._coder(each) for each in arguments]
        encoders = [encode or _same for encode, _ in coders]
        decoders = [decode for _, decode in coders]

        def write(values: Any) -> Any:
            return [encode(value) for encode, value in zip(encoders, values, strict=True)]

        def read(json: Any) -> Any:
            values = _expect(list, json)
            if len(values) != len(decoders):
                raise Undecodable(f"{len(decoders)} values expected, {len(values)} found")
            return tuple(decode(value) for decode, value in zip(decoders, values, strict=True))

        return write, read

    def _mapping(self, key: Any, value: Any) -> tuple[_Encode, _Decode]:
        encode_key, decode_key = _key_coder(key)
        encode, decode = self._coder(value)

        def write(mapping: Any) -> Any:
            keys = map(encode_key, mapping) if encode_key else mapping
            values = map(encode, mapping.values()) if encode else mapping.values()
            return dict(zip(keys, values, strict=True))

        def read(json: Any) -> Any:
            return {decode_key(k): decode(v) for k, v in _expect(dict, json).items()}

        return write, read

    # --- unions ------------------------------------------------------------------------------

    def _union(self, arguments: tuple[Any, ...]) -> tuple[_Encode | None, _Decode]:
        origins = {get_origin(each) for each in arguments}
        if dict in origins and list in origins:
            return None, _same  # `Json` itself: already what it should become
        members = [each for each in arguments if each is not type(None)]
        optional = len(members) < len(arguments)
        if len(members) == 1:
            encode, decode = self._coder(members[0])
            if optional:
                return encode and _or_none(encode), _or_none(decode)
            return encode, decode
        return self._choice(members, optional=optional)

    def _choice(self, members: list[Any], *, optional: bool) -> tuple[_Encode, _Decode]:
        """Several types: dataclasses and all that JSON cannot tell apart carry their name."""
        native = tuple(each for each in members if each in _NATIVE)
        writers: dict[type, _Encode] = dict.fromkeys(native, _same)
        readers: dict[str, _Decode] = {}
        for member in members:
            if member in native:
                continue
            encode, decode = self._coder(member)
            kind: type = get_origin(member) or member
            name = kind.__name__
            if name in readers:
                raise TypeError(f"a union cannot tell two kinds of {name} apart")
            tagged = is_dataclass(kind)
            writers[kind] = encode or _same if tagged else _wrap(name, encode or _same)
            readers[name] = decode if tagged else _unwrap(decode)
        return _choice_writer(writers, optional=optional), _choice_reader(readers, native, optional=optional)


# --- dataclasses -----------------------------------------------------------------------------


def _dataclass_encoder(name: str, stored: list[str], coded: list[tuple[str, _Encode]]) -> _Encode:
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


def _written_once(encode: _Encode) -> _Encode:
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


def _dataclass_decoder(cls: type, coded: list[tuple[str, _Decode, bool]]) -> _Decode:
    def read(json: Any) -> Any:
        found = _expect(dict, json)
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


def _required(each: Field[Any]) -> bool:
    return each.default is MISSING and each.default_factory is MISSING


# --- scalars ---------------------------------------------------------------------------------


def _same(value: Any) -> Any:
    return value


def _expect(kind: type, json: Any) -> Any:
    if type(json) is not kind:
        raise Undecodable(f"{kind.__name__} expected, {type(json).__name__} found")
    return json


def _exactly(kind: type) -> _Decode:
    return lambda json: _expect(kind, json)


def _write_float(value: Any) -> Any:
    # JSON has no infinity, and PostgreSQL's jsonb refuses Python's spelling of it
    return value if value - value == 0 else repr(float(value))


def _read_float(json: Any) -> Any:
    if type(json) is float or type(json) is int:
        return json
    if json in ("inf", "-inf", "nan"):
        return float(json)
    raise Undecodable(f"float expected, {type(json).__name__} found")


def _iso(read: Callable[[str], Any]) -> _Decode:
    def decode(json: Any) -> Any:
        try:
            return read(_expect(str, json))
        except ValueError as error:
            raise Undecodable(str(error)) from error

    return decode


def _one_of(values: tuple[Any, ...]) -> _Decode:
    def read(json: Any) -> Any:
        if json not in values:
            raise Undecodable(f"one of {values} expected")
        return json

    return read


def _member(cls: type[Enum], members: Mapping[Any, Enum]) -> _Decode:
    def read(json: Any) -> Any:
        try:
            return members[json]
        except (KeyError, TypeError) as error:
            raise Undecodable(f"no {cls.__name__} is {json!r}") from error

    return read


# --- parts of collections and unions ---------------------------------------------------------


def _or_none(code: _Encode) -> _Encode:
    return lambda value: None if value is None else code(value)


def _many(encode: _Encode | None) -> _Encode:
    if encode is None:
        return list
    return lambda values: list(map(encode, values))


def _collector(made: type, decode: _Decode) -> _Decode:
    def read(json: Any) -> Any:
        try:
            return made([decode(value) for value in _expect(list, json)])
        except TypeError as error:  # an unhashable element of a set
            raise Undecodable(str(error)) from error

    return read


def _wrap(name: str, encode: _Encode) -> _Encode:
    return lambda value: {TAG: name, _VALUE: encode(value)}


def _unwrap(decode: _Decode) -> _Decode:
    return lambda json: decode(json.get(_VALUE))


def _choice_writer(writers: Mapping[type, _Encode], *, optional: bool) -> _Encode:
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


def _choice_reader(readers: Mapping[str, _Decode], native: tuple[type, ...], *, optional: bool) -> _Decode:
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


def _key_coder(hint: Any) -> tuple[_Encode | None, _Decode]:
    """JSON's keys are text: numbers, dates and words of an Enum become text and come back."""
    if hint is str:
        return None, _exactly(str)
    if hint is int:
        return str, _iso(int)
    if hint in (date, datetime, time):
        return _SCALARS[hint]
    if isinstance(hint, type) and issubclass(hint, Enum):
        return (lambda key: str(key.value)), _member(hint, {str(member.value): member for member in hint})
    raise TypeError(f"{hint} cannot be a key in JSON")


_NATIVE = (bool, int, float, str)
_SCALARS: Mapping[Any, tuple[_Encode | None, _Decode]] = {
    str: (None, _exactly(str)),
    int: (None, _exactly(int)),
    bool: (None, _exactly(bool)),
    type(None): (None, _exactly(type(None))),
    float: (_write_float, _read_float),
    object: (None, _same),
    Any: (None, _same),
    date: (date.isoformat, _iso(date.fromisoformat)),
    datetime: (datetime.isoformat, _iso(datetime.fromisoformat)),
    time: (time.isoformat, _iso(time.fromisoformat)),
}
