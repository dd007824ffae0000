"""What is wrong with the admins' files, each with its exact place.

A fault is a value, never a log line: the reader collects all of them, of all files, and the
command or the reload decides what to do. Must not know what the files mean. Invariant: lines
and columns count from 1, columns in characters, as editors do. The story goes on in `load`.
"""

from __future__ import annotations

import errno
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import TYPE_CHECKING

from autocom.config.wording import told, translated

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One thing to mend. `file` is written as the admin typed the folder."""

    file: str
    line: int
    column: int
    message: str

    def __str__(self) -> str:
        """As compilers print it, so that editors jump to it."""
        return f"{self.file}:{self.line}:{self.column}: {self.message}"

    def in_language(self, language: str) -> Fault:
        """The same fault, said in `fr` or `en`."""
        return replace(self, message=translated(self.message, language))


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands."""

    file: str
    line: int = 1
    column: int = 1

    def fault(self, message: str) -> Fault:
        """A fault at this place."""
        return Fault(self.file, self.line, self.column, message)


class ConfigurationRefused(Exception):  # noqa: N818 - the word of the contract
    """The configuration as a whole is refused; `faults` holds every reason, sorted by place."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        """Sort, and drop what would be said twice."""
        self.faults: tuple[Fault, ...] = tuple(sorted(set(faults)))
        super().__init__("\n".join(str(fault) for fault in self.faults))


def reason(error: OSError) -> str:
    """Why the system refused, in words that can be translated where it is one of the usual reasons."""
    match error.errno:
        case errno.ENOENT:
            return told("No such file or directory")
        case errno.EISDIR:
            return told("Is a directory")
        case errno.EACCES | errno.EPERM:
            return told("Permission denied")
        case errno.ENOSPC:
            return told("No space left on device")
        case _:
            return error.strerror or str(error)


def suggestion(word: str, known: Iterable[str]) -> str:
    """`: did you mean …?` where a known word is near, else nothing."""
    near = get_close_matches(word, list(known), n=1, cutoff=0.6)
    return told(": did you mean `{word}`?", word=near[0]) if near else ""


def doubles(words: Iterable[tuple[str, Place]], what: str) -> Iterator[Fault]:
    """A fault for each word that stood before; `what` the words name."""
    seen: dict[str, int] = {}
    for word, place in words:
        if word in seen:
            yield place.fault(
                told(
                    "{what} `{word}` stands twice; the first is in line {line}",
                    what=what,
                    word=word,
                    line=seen[word],
                )
            )
        seen.setdefault(word, place.line)
