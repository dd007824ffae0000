"""A file of the configuration: its tree, its places, and its values with `${ENV}` filled in.

Everything after the YAML reader asks here where something stands: a path of keys and indexes,
as pydantic names it in its errors, becomes file, line and column. Must not know what the keys
mean. Invariant: a path that cannot be followed to its end gives the deepest place it reaches,
so a fault always has a place. The story goes on in `shape`.
"""

from __future__ import annotations

import re
import stat
from collections.abc import Mapping as AbstractMapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from autocom.config.faults import Place, reason
from autocom.config.wording import told
from autocom.config.yaml import Mapping, Node, Scalar, Sequence, parse, too_big

if TYPE_CHECKING:
    from pathlib import Path

    from autocom.config.faults import Fault

Plain = str | list["Plain"] | dict[str, "Plain"]
Route = tuple[str | int, ...]

_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)(:-((?:[^}])*))?\}")


@dataclass(frozen=True, slots=True)
class Document:
    """One file that was read. `file` is its name as the admin typed it."""

    file: str
    root: Node

    def at(self, route: Route) -> Place:
        """Where the value at `route` stands."""
        node = self.root
        place = Place(self.file, node.line, node.column)
        for step in route:
            found = _child(node, step)
            if found is None:
                break
            node = found[1]
            place = Place(self.file, node.line, node.column)
        return place

    def key_at(self, route: Route) -> Place:
        """Where the key that ends `route` stands (of a list's item: the item)."""
        node = self.root
        place = Place(self.file, node.line, node.column)
        for step in route:
            found = _child(node, step)
            if found is None:
                break
            key, node = found
            place = Place(self.file, key.line, key.column)
        return place

    def has(self, key: str) -> bool:
        """Whether the file's top level has this key."""
        return _child(self.root, key) is not None


def read(path: Path, file: str) -> tuple[bytes, Document | None, list[Fault]]:
    """The bytes of a file, and its document, or its faults. A file over the size limit is not read."""
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode) and not stat.S_ISDIR(found.st_mode):
            # reading a pipe would wait for ever for somebody to write into it
            return b"", None, [Place(file).fault(told("is no file: a pipe or a device cannot be read"))]
        complaint = too_big(found.st_size)
        # one byte more than allowed: the file may grow between the two looks
        content = b"" if complaint else path.read_bytes()
    except OSError as error:
        return b"", None, [Place(file).fault(told("cannot be read: {why}", why=reason(error)))]
    complaint = complaint or too_big(len(content))
    if complaint:
        return b"", None, [Place(file, complaint.line, complaint.column).fault(complaint.message)]
    parsed = parse(content)
    faults = [Place(file, c.line, c.column).fault(c.message) for c in parsed.complaints]
    return content, Document(file, parsed.root) if parsed.root is not None else None, faults


def plain(
    document: Document, environment: AbstractMapping[str, str]
) -> tuple[Plain, list[Fault], dict[str, str]]:
    """The tree as strings, lists and dicts with every `${ENV}` expanded; the faults of that; and the
    variables that were used with their values, except where the key is a password."""
    faults: list[Fault] = []
    used: dict[str, str] = {}

    def expand(node: Scalar, *, secret: bool) -> str:
        if "${" not in node.value:
            return node.value

        def fill(match: re.Match[str]) -> str:
            name, has_default, default = match.group(1), match.group(2) is not None, match.group(3) or ""
            value = environment.get(name)
            # as in a shell, `:-` also stands in for a variable that is set but empty
            if (value is None or (value == "" and has_default)) and not has_default:
                place = Place(document.file, node.line, node.column)
                faults.append(
                    place.fault(told("environment variable {name} is not set and has no default", name=name))
                )
                return ""
            value = value or default
            if not secret:
                used[name] = value
            return value

        text = _VARIABLE.sub(fill, node.value)
        if "${" in _VARIABLE.sub("", node.value):
            place = Place(document.file, node.line, node.column)
            faults.append(
                place.fault(told("`${{` without a name and `}}`: write ${{NAME}} or ${{NAME:-default}}"))
            )
        return text

    def convert(node: Node, *, secret: bool = False) -> Plain:
        match node:
            case Scalar():
                return expand(node, secret=secret)
            case Sequence(items=items):
                return [convert(item) for item in items]
            case Mapping(entries=entries):
                return {key.value: convert(value, secret=key.value == "password") for key, value in entries}

    return convert(document.root), faults, used


def _child(node: Node, step: str | int) -> tuple[Node, Node] | None:
    if isinstance(node, Mapping):
        return next(((key, value) for key, value in node.entries if key.value == step), None)
    if isinstance(node, Sequence) and isinstance(step, int) and 0 <= step < len(node.items):
        return node.items[step], node.items[step]
    return None
