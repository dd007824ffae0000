"""Trees against models: what pydantic refuses becomes faults with places and plain words.

Also finds the keys of the contract that this version does not serve yet. Must not know the
relations between files (`checks`). Invariant: every refusal of pydantic becomes a fault, and
its place is the value's, or the key's where the key itself is wrong. The story goes on in
`build`.
"""

from __future__ import annotations

import re
import types
import typing
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from pydantic import BaseModel, ValidationError

from autocom.config.faults import Place, suggestion
from autocom.config.wording import told, words_of

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

    from autocom.config.document import Document, Plain, Route
    from autocom.config.faults import Fault
    from autocom.core.numbers import NumberingPlan


M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Sheet:
    """A client's file laid over the `defaults` of bureau.yaml: where each merged value really stands."""

    own: Document
    defaults: Document | None = None

    def at(self, route: Route) -> Place:
        """Of a value."""
        document, whole = self._owner(route)
        return document.at(whole)

    def key_at(self, route: Route) -> Place:
        """Of a key."""
        document, whole = self._owner(route)
        return document.key_at(whole)

    def _owner(self, route: Route) -> tuple[Document, Route]:
        if self.defaults is None or not route or self.own.has(str(route[0])):
            return self.own, route
        inherited = ("defaults", *route)
        # a key that is missing everywhere is missing in the client's file
        top = self.defaults.key_at(inherited[:2])
        if top == self.defaults.key_at(inherited[:1]):
            return self.own, route
        return self.defaults, inherited


def fit(model: type[M], value: Plain, sheet: Sheet, plan: NumberingPlan) -> tuple[M | None, list[Fault]]:
    """The value as that model, or the faults."""
    if not isinstance(value, dict):
        return None, [sheet.at(()).fault(told("the file must be a mapping: lines of `key: value`"))]
    try:
        return model.model_validate(value, context={"plan": plan}), []
    except ValidationError as error:
        return None, [_fault(detail, model, sheet) for detail in error.errors(include_url=False)]


def _fault(detail: ErrorDetails, model: type[BaseModel], sheet: Sheet) -> Fault:
    route = detail["loc"]
    kind = detail["type"]
    if route and route[-1] == "[key]":
        return sheet.key_at(route[:-1]).fault(_words(detail))
    if kind == "extra_forbidden":
        word = str(route[-1])
        return sheet.key_at(route).fault(
            told("unknown key `{word}`{near}", word=word, near=suggestion(word, keys_at(model, route[:-1])))
        )
    if kind == "missing":
        return sheet.key_at(route[:-1]).fault(told("key `{key}` is missing", key=route[-1]))
    return sheet.at(route).fault(_words(detail))


def _words(detail: ErrorDetails) -> str:
    match detail["type"]:
        case "value_error":
            return words_of(detail["ctx"]["error"])
        case "literal_error":
            words = re.findall(r"'([^']*)'", str(detail["ctx"]["expected"]))
            found = detail["input"]
            if not isinstance(found, str):
                return told("expected one of {words}", words=", ".join(words))
            return told(
                "`{found}` is not one of {words}{near}",
                found=found,
                words=", ".join(words),
                near=suggestion(found, words),
            )
        case "list_type":
            return told("expected a list: lines beginning with `- `, or [ … ]")
        case "dict_type" | "model_type" | "model_attributes_type":
            return told("expected a mapping: lines of `key: value`, or {{ … }}")
        case "too_short":
            return told("must not be empty")
        case _:
            return told("is not valid: {why}", why=detail["msg"])


def keys_at(model: type[BaseModel], route: Iterable[str | int]) -> tuple[str, ...]:
    """The keys that may stand at `route`: what a mistyped one is compared with."""
    found: set[object] = {model}
    for step in route:
        found = {inner for annotation in found for inner in _below(annotation, step)}
    return tuple(
        dict.fromkeys(
            field.alias or name
            for annotation in found
            for candidate in _models(annotation)
            for name, field in candidate.model_fields.items()
        )
    )


def _below(annotation: object, step: str | int) -> Iterator[object]:
    for candidate in _models(annotation):
        for name, field in candidate.model_fields.items():
            if step in (name, field.alias):
                yield field.annotation
    for alternative in _alternatives(annotation):
        arguments = typing.get_args(alternative)
        if typing.get_origin(alternative) in (list, dict) and arguments:
            yield arguments[-1]


def _models(annotation: object) -> Iterator[type[BaseModel]]:
    for alternative in _alternatives(annotation):
        if isinstance(alternative, type) and issubclass(alternative, BaseModel):
            yield alternative


def _alternatives(annotation: object) -> Iterator[object]:
    origin = typing.get_origin(annotation)
    if origin is typing.Annotated:
        yield from _alternatives(typing.get_args(annotation)[0])
    elif origin in (typing.Union, types.UnionType):
        for argument in typing.get_args(annotation):
            yield from _alternatives(argument)
    else:
        yield annotation
