"""Frozen values to JSON and back, so that a stage written before a crash is read equal after it.

Works from the type hints of the dataclasses it is given and those they reach: `{"_": "Client", …}`.
Must not know what the values mean, nor where the JSON is kept; must not build any class that was not
named to it, since what it reads may be damaged. Invariants: `load(hint, dump(value)) == value`, also by
way of JSON text; a field that a newer version wrote is ignored, one that an older version did not know
takes its default; anything else that does not fit raises `Undecodable`, never another error. How each kind of
value is written and read is `coders`.
"""

from __future__ import annotations

import types
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import fields, is_dataclass
from enum import Enum
from operator import attrgetter
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints, overload

from autocom.core import coders
from autocom.core.coders import Decode, Encode, Undecodable
from autocom.core.journal import Json

__all__ = ["Codec", "Undecodable"]

T = TypeVar("T")


class Codec:
    """Dumps and loads the dataclasses in `classes` and every dataclass their fields name.

    Build one and keep it: what it learns of a class is computed once. Of the classes in `kept` (large
    values that live long and are dumped often, as a client in every stage of his calls) each value is
    written only once: that part of what `dump` returns is shared and must not be changed. TypeError for a
    field whose type has no form in JSON, or for two different classes of one name."""

    def __init__(self, classes: Iterable[type], kept: Iterable[type] = ()) -> None:
        self._kept = frozenset(kept)
        self._classes: dict[str, type] = {}
        self._encoders: dict[type, Encode] = {}
        self._decoders: dict[type, Decode] = {}
        self._coders: dict[object, tuple[Encode | None, Decode]] = {}
        for cls in classes:
            self._learn(cls)

    def dump(self, value: object, hint: object = None) -> Json:
        """`value` as plain JSON values. `hint` is needed only for values that are no dataclass (a tuple,
        a mapping …). TypeError for a class that was not registered."""
        if value is None:
            return None
        if hint is None:
            try:
                encode: Encode | None = self._encoders[type(value)]
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

    @overload
    def rows(
        self, hint: type[T], prefix: str | tuple[str, ...], rows: Mapping[str, Json]
    ) -> tuple[list[T], list[str]]: ...
    @overload
    def rows(
        self, hint: object, prefix: str | tuple[str, ...], rows: Mapping[str, Json]
    ) -> tuple[list[Any], list[str]]: ...

    def rows(
        self, hint: Any, prefix: str | tuple[str, ...], rows: Mapping[str, Json]
    ) -> tuple[list[Any], list[str]]:
        """The values among rows whose keys begin so, and the keys of those that cannot be read (of a newer version,
        or damaged): they are left for a person to see."""
        found: list[Any] = []
        broken: list[str] = []
        for key, row in rows.items():
            if key.startswith(prefix):
                try:
                    found.append(self.load(hint, row))
                except Undecodable:
                    broken.append(key)
        return found, broken

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
        encoded: list[tuple[str, Encode]] = []
        decoded: list[tuple[str, Decode, bool]] = []
        encoder = coders.dataclass_encoder(cls.__name__, [each.name for each in stored], encoded)
        self._encoders[cls] = coders.written_once(encoder) if cls in self._kept else encoder
        self._decoders[cls] = coders.dataclass_decoder(cls, decoded)
        for each in stored:
            try:
                encode, decode = self._coder(hints[each.name])
            except TypeError as error:
                raise TypeError(f"{cls.__name__}.{each.name}: {error}") from error
            if encode is not None:
                encoded.append((each.name, encode))
            decoded.append((each.name, decode, coders.has_no_default(each)))

    def _coder(self, hint: object) -> tuple[Encode | None, Decode]:
        """How to write and read a value of this type; no encoder where JSON has the value as it is."""
        try:
            known = self._coders.get(hint)
        except TypeError:  # an unhashable hint, as Literal of a list
            return self._built(hint)
        if known is None:
            known = self._coders[hint] = self._built(hint)
        return known

    def _built(self, hint: Any) -> tuple[Encode | None, Decode]:
        if hint in coders.SCALARS:
            return coders.SCALARS[hint]
        origin, arguments = get_origin(hint), get_args(hint)
        if origin is Annotated:
            return self._coder(arguments[0])
        if origin is Literal:
            return None, coders.one_of(arguments)
        if origin in (Union, types.UnionType):
            return self._union(arguments)
        if origin is not None and isinstance(origin, type):
            return self._collection(hint, origin, arguments)
        if isinstance(hint, type) and issubclass(hint, Enum):
            return attrgetter("value"), coders.of_enum(hint, {member.value: member for member in hint})
        if isinstance(hint, type) and is_dataclass(hint):
            self._learn(hint)
            return self._encoders[hint], self._decoders[hint]
        raise TypeError(f"{hint} has no form in JSON")

    # --- collections -------------------------------------------------------------------------

    def _collection(self, hint: object, origin: type, arguments: tuple[Any, ...]) -> tuple[Encode, Decode]:
        if issubclass(origin, Mapping):
            return self._mapping(*arguments)
        if issubclass(origin, tuple) and not (len(arguments) == 2 and arguments[1] is Ellipsis):
            return self._row(arguments)
        encode, decode = self._coder(arguments[0])
        many = coders.many(encode)
        if issubclass(origin, tuple):
            return many, coders.collector(tuple, decode)
        if issubclass(origin, AbstractSet):
            made: type = set if issubclass(origin, set) else frozenset
            # equal sets give equal JSON, whatever order they iterate in
            return (lambda values: sorted(many(values), key=repr)), coders.collector(made, decode)
        if issubclass(origin, Sequence):
            return many, coders.collector(list if issubclass(origin, list) else tuple, decode)
        raise TypeError(f"{hint} has no form in JSON")

    def _row(self, arguments: tuple[Any, ...]) -> tuple[Encode, Decode]:
        """A tuple of known length."""
        pairs = [self._coder(each) for each in arguments]
        encoders = [encode or coders.same for encode, _ in pairs]
        decoders = [decode for _, decode in pairs]

        def write(values: Any) -> Any:
            return [encode(value) for encode, value in zip(encoders, values, strict=True)]

        def read(json: Any) -> Any:
            values = coders.expect(list, json)
            if len(values) != len(decoders):
                raise Undecodable(f"{len(decoders)} values expected, {len(values)} found")
            return tuple(decode(value) for decode, value in zip(decoders, values, strict=True))

        return write, read

    def _mapping(self, key: Any, value: Any) -> tuple[Encode, Decode]:
        encode_key, decode_key = coders.key_coder(key)
        encode, decode = self._coder(value)

        def write(mapping: Any) -> Any:
            keys = map(encode_key, mapping) if encode_key else mapping
            values = map(encode, mapping.values()) if encode else mapping.values()
            return dict(zip(keys, values, strict=True))

        def read(json: Any) -> Any:
            return {decode_key(k): decode(v) for k, v in coders.expect(dict, json).items()}

        return write, read

    # --- unions ------------------------------------------------------------------------------

    def _union(self, arguments: tuple[Any, ...]) -> tuple[Encode | None, Decode]:
        origins = {get_origin(each) for each in arguments}
        if dict in origins and list in origins:
            return None, coders.same  # `Json` itself: already what it should become
        members = [each for each in arguments if each is not type(None)]
        optional = len(members) < len(arguments)
        if len(members) == 1:
            encode, decode = self._coder(members[0])
            if optional:
                return encode and coders.or_none(encode), coders.or_none(decode)
            return encode, decode
        return self._choice(members, optional=optional)

    def _choice(self, members: list[Any], *, optional: bool) -> tuple[Encode, Decode]:
        """Several types: dataclasses and all that JSON cannot tell apart carry their name."""
        native = tuple(each for each in members if each in coders.NATIVE)
        writers: dict[type, Encode] = dict.fromkeys(native, coders.same)
        readers: dict[str, Decode] = {}
        for member in members:
            if member in native:
                continue
            encode, decode = self._coder(member)
            kind: type = get_origin(member) or member
            name = kind.__name__
            if name in readers:
                raise TypeError(f"a union cannot tell two kinds of {name} apart")
            tagged = is_dataclass(kind)
            writers[kind] = encode or coders.same if tagged else coders.wrap(name, encode or coders.same)
            readers[name] = decode if tagged else coders.unwrap(decode)
        return coders.choice_writer(writers, optional=optional), coders.choice_reader(
            readers, native, optional=optional
        )
