"""Strict reading of YAML: text in, a tree of strings with positions out.

Telephone data and YAML do not like each other: `+33…` is a number, `08:00` was 480, `no` was
false. So every scalar stays the text the admin wrote, and what YAML 1.1 would have read as
something else is refused with advice. Anchors, aliases, merge keys, tags, duplicate keys, deep
nesting and big files are refused too: none is needed here and each hides something. Must not
know what the keys mean. Invariant: a tree is returned only where there was no fault; a fault
never hides a later one of the same file, except after a syntax error. The story goes on in
`document`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)
from ruamel.yaml.reader import ReaderError

from autocom.config.wording import told

if TYPE_CHECKING:
    from collections.abc import Callable

    from ruamel.yaml.events import Event, NodeEvent

MAX_BYTES: Final = 256 * 1024
MAX_DEPTH: Final = 32
MAX_COMPLAINTS: Final = 100  # of one file; nobody reads more, and a hostile file would make 80,000


@dataclass(frozen=True, slots=True)
class Scalar:
    """A text. `quoted` is True for every style but plain."""

    value: str
    quoted: bool
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Sequence:
    """A list."""

    items: tuple[Node, ...]
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Mapping:
    """Keys and values in the order of the file; keys are unique."""

    entries: tuple[tuple[Scalar, Node], ...]
    line: int
    column: int


Node = Scalar | Sequence | Mapping


@dataclass(frozen=True, slots=True)
class Complaint:
    """A fault of a file whose name is not known here."""

    line: int
    column: int
    message: str


@dataclass(frozen=True, slots=True)
class Parsed:
    """Either a tree, or what is wrong."""

    root: Node | None
    complaints: tuple[Complaint, ...]


_YAML_1_1_BOOLEAN = re.compile(r"(?i:y|n|yes|no|on|off)$")
_SEXAGESIMAL = re.compile(r"[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?$")
_DATE = re.compile(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt ].*)?$")
_PLUS_NUMBER = re.compile(r"\+[0-9][0-9 ._()-]*$")
_ZERO_NUMBER = re.compile(r"0[0-9][0-9_ .()-]*$")
_UNDERSCORED = re.compile(r"[0-9]+(?:_[0-9]+)+$")
_TYPOGRAPHIC: Final = "“”„‟‘’‚‛"
_NO_BREAK: Final = re.compile("[\u00a0\u202f\u2007]")
_NULL = ("", "~", "null", "Null", "NULL")


def trap(value: str) -> str | None:
    """What a YAML 1.1 program would have made of this unquoted text, with advice; None where nothing odd."""
    if value in _NULL:
        return told(
            'nothing stands here: write "" for an empty text, [] for an empty list, {{}} for an empty mapping'
        )
    if _NO_BREAK.match(value.removeprefix("-")):
        return told("a no-break space stands here, which is no space to YAML: type an ordinary one")
    if value[0] in _TYPOGRAPHIC:
        return told("typographic quotes are part of the text to YAML: write straight ones, \" or '")
    if _YAML_1_1_BOOLEAN.match(value):
        return told(
            'unquoted `{value}` is a truth value to YAML: put it in quotes ("{value}"), or '
            "write true or false",
            value=value,
        )
    if _SEXAGESIMAL.match(value):
        return told(
            'unquoted `{value}` is a base-60 number to YAML: put it in quotes ("{value}")', value=value
        )
    if _DATE.match(value):
        return told('unquoted `{value}` is a date to YAML: put it in quotes ("{value}")', value=value)
    if _PLUS_NUMBER.match(value) or _ZERO_NUMBER.match(value) or _UNDERSCORED.match(value):
        return told(
            "unquoted `{value}` is a number to YAML and loses its + or its zeros: put it in "
            'quotes ("{value}")',
            value=value,
        )
    return None


@lru_cache(maxsize=8192)
def parse(content: bytes) -> Parsed:
    """The tree of one file's bytes. Cached by content: a reload parses only the files that changed."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        return Parsed(None, (_not_utf8(content, error),))
    builder = _Builder()
    reader = YAML(typ="safe", pure=True)
    try:
        for event in reader.parse(text):
            if not builder.take(event):
                break
    except MarkedYAMLError as error:
        builder.complain_of_syntax(error, text)
    except ReaderError as error:
        builder.complaints.append(_bad_character(text, error))
    if builder.root is None and not builder.complaints:
        return Parsed(None, (Complaint(1, 1, told("the file is empty")),))
    return Parsed(None if builder.complaints else builder.root, tuple(builder.complaints))


def too_big(size: int) -> Complaint | None:
    """Said before the file is read."""
    if size <= MAX_BYTES:
        return None
    return Complaint(
        1,
        1,
        told(
            "the file has {size} KB; at most {most} KB are read",
            size=size // 1024,
            most=MAX_BYTES // 1024,
        ),
    )


# what the reader of YAML says, and the same for people who write it once a month
_PLAIN: Final = (
    ("\\t", told("a tab stands here: indent with spaces")),
    ("tab", told("a tab stands here: indent with spaces")),
    (
        "mapping values are not allowed",
        told("a `: ` inside an unquoted text, or a wrong indentation: put the text in quotes"),
    ),
    ("expected ':'", told("a key without `: ` and a value")),
    ("unexpected end of stream", told("a quote that is never closed (end of stream)")),
    ("unknown escape character", told("a `\\` in double quotes: write it twice, or use single quotes")),
    ("sequence entries are not allowed", told("a `- ` where no list can begin: put it on a line of its own")),
    ("cannot start any token", told("a text that begins like this needs quotes")),
    (
        "expected <block end>",
        told("a wrong indentation, or a quote inside quotes: this belongs to nothing above it"),
    ),
)


def _no_break_near(text: str, line: int) -> tuple[int, int] | None:
    """Line and column of a no-break space where YAML needs a space: at a line's begin, or behind `:` or `-`."""
    lines = text.splitlines()
    for number in (line, line - 1):
        if not 0 < number <= len(lines):
            continue
        for found in _NO_BREAK.finditer(lines[number - 1]):
            before = lines[number - 1][: found.start()]
            if not before.strip() or before[-1] in ":-":
                return number, found.start() + 1
    return None


def _plain_words(problem: str) -> str:
    plain = next((words for needle, words in _PLAIN if needle in problem), None)
    if plain is not None:
        return plain
    if "expected ',' or" in problem:
        return told("a bracket that is never closed, or a missing `,`: {problem}", problem=problem)
    return told("this is not YAML: {problem}", problem=problem)


def _not_utf8(content: bytes, error: UnicodeDecodeError) -> Complaint:
    # "utf-8-sig" counts `start` after a byte order mark
    content = content.removeprefix(b"\xef\xbb\xbf")
    before = content[: error.start]
    line_start = before.rfind(b"\n") + 1
    column = len(before[line_start:].decode("utf-8")) + 1
    message = told("byte 0x{byte:02x} is not UTF-8: save the file in UTF-8", byte=content[error.start])
    return Complaint(before.count(b"\n") + 1, column, message)


def _bad_character(text: str, error: ReaderError) -> Complaint:
    before = text[: error.position]
    column = len(before) - (before.rfind("\n") + 1) + 1
    code = error.character if isinstance(error.character, int) else ord(error.character)
    return Complaint(
        before.count("\n") + 1,
        column,
        told("control character U+{code:04X} is not allowed in YAML", code=code),
    )


@dataclass(slots=True)
class _Open:
    """A list or mapping whose end has not come yet."""

    line: int
    column: int
    keys: dict[str, Scalar] | None  # None: a list
    nodes: list[Node]
    pending: Scalar | None = None
    entries: list[tuple[Scalar, Node]] | None = None


class _Builder:
    """Events to tree, without recursion: depth is bounded before memory is."""

    def __init__(self) -> None:
        self.root: Node | None = None
        self.complaints: list[Complaint] = []
        self._open: list[_Open] = []
        self._documents = 0

    def take(self, event: Event) -> bool:
        """Add one event; False where nothing after it is worth reading."""
        take: Callable[..., bool] | None = self._takers.get(type(event))
        go_on = True if take is None else take(self, event)
        return go_on and len(self.complaints) < MAX_COMPLAINTS

    def complain_of_syntax(self, error: MarkedYAMLError, text: str) -> None:
        """A scanner or parser error, in words for people who do not know YAML's grammar."""
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        problem = error.problem or error.context or ""
        if "end of stream" in problem or "stream end" in problem or "expected ':'" in problem:
            # where it was opened is of more use than where its end was missed
            context = error.context_mark
            if context and (context.line + 1, context.column + 1) != (line, column):
                line, column = context.line + 1, context.column + 1
            elif self._open:
                line, column = self._open[-1].line, self._open[-1].column
        no_break = _no_break_near(text, line)
        if no_break is not None:
            line, column = no_break
            words = told("a no-break space stands here, which is no space to YAML: type an ordinary one")
            self.complaints.append(Complaint(line, column, words))
            return
        self.complaints.append(Complaint(line, column, _plain_words(problem)))

    def _complain(self, event: Event, message: str) -> None:
        mark = event.start_mark
        self.complaints.append(Complaint(mark.line + 1, mark.column + 1, message))

    def _document(self, event: DocumentStartEvent) -> bool:
        self._documents += 1
        if event.version or event.tags:
            self._complain(event, told("YAML directives (%…) are not used here"))
        if self._documents > 1:
            self._complain(event, told("a second document (`---`) begins here: one file holds one"))
            return False
        return True

    def _alias(self, event: AliasEvent) -> bool:
        self._complain(event, told("aliases (*{anchor}) are refused: write it out", anchor=event.anchor))
        self._add(Scalar("-", True, event.start_mark.line + 1, event.start_mark.column + 1))
        return True

    def _check_node(self, event: NodeEvent) -> None:
        if event.anchor:
            self._complain(event, told("anchors (&{anchor}) are refused", anchor=event.anchor))
        tag = getattr(event, "tag", None)
        if tag:
            self._complain(event, told("tags ({tag}) are refused: remove it", tag=tag))

    def _scalar(self, event: ScalarEvent) -> bool:
        self._check_node(event)
        quoted = event.style is not None and event.style != ""
        mark = event.start_mark
        scalar = Scalar(event.value, quoted, mark.line + 1, mark.column + 1)
        if not quoted:
            is_key = bool(self._open) and self._open[-1].keys is not None and self._open[-1].pending is None
            if is_key and scalar.value == "<<":
                self._complain(event, told("merge keys (<<) are refused: write it out"))
            elif advice := trap(scalar.value):
                # YAML puts an empty value after the line's end: its key is the better place
                place = self._open[-1].pending if self._open and not scalar.value else None
                place = place or scalar
                self.complaints.append(Complaint(place.line, place.column, advice))
        self._add(scalar)
        return True

    def _begin(self, event: MappingStartEvent | SequenceStartEvent) -> bool:
        self._check_node(event)
        if len(self._open) >= MAX_DEPTH:
            self._complain(event, told("nested deeper than {most} levels", most=MAX_DEPTH))
            return False
        keys: dict[str, Scalar] | None = {} if isinstance(event, MappingStartEvent) else None
        mark = event.start_mark
        self._open.append(_Open(mark.line + 1, mark.column + 1, keys, [], entries=[]))
        return True

    def _end(self, event: Event) -> bool:
        del event
        done = self._open.pop()
        if done.entries is not None and done.keys is not None:
            self._add(Mapping(tuple(done.entries), done.line, done.column))
        else:
            self._add(Sequence(tuple(done.nodes), done.line, done.column))
        return True

    def _add(self, node: Node) -> None:
        if not self._open:
            self.root = node
            return
        top = self._open[-1]
        if top.keys is None or top.entries is None:
            top.nodes.append(node)
        elif top.pending is not None:
            top.entries.append((top.pending, node))
            top.pending = None
        else:
            top.pending = self._as_key(node, top.keys)

    def _as_key(self, node: Node, keys: dict[str, Scalar]) -> Scalar:
        if not isinstance(node, Scalar):
            self.complaints.append(Complaint(node.line, node.column, told("a key must be a plain word")))
            return Scalar("", True, node.line, node.column)
        if first := keys.get(node.value):
            message = told(
                "`{word}` stands twice; the first is in line {line}", word=node.value, line=first.line
            )
            self.complaints.append(Complaint(node.line, node.column, message))
        keys.setdefault(node.value, node)
        return node

    _takers: Final[dict[type[Event], Callable[..., bool]]] = {
        DocumentStartEvent: _document,
        AliasEvent: _alias,
        ScalarEvent: _scalar,
        MappingStartEvent: _begin,
        SequenceStartEvent: _begin,
        MappingEndEvent: _end,
        SequenceEndEvent: _end,
    }
