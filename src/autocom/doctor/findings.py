"""What a check found: well, to be looked at, or broken; what was seen, and what to do about it.

Words come in both languages where they are made, so that what is said stands beside why it is said. Must not know
any check. Invariant: what is not well says what to do.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from autocom.doctor.patient import Patient

Level = Literal["ok", "warn", "bad"]


@dataclass(frozen=True, slots=True)
class Said:
    """One sentence, French and English."""

    french: str
    english: str

    def in_language(self, language: str) -> str:
        """French, unless it is English."""
        return self.english if language == "en" else self.french


@dataclass(frozen=True, slots=True)
class Finding:
    """`advice` is None only where all is well."""

    level: Level
    seen: Said
    advice: Said | None = None


Check = Callable[["Patient"], Awaitable[Finding | None]]
"""Looks at one thing; None: there is no such thing here."""


def say(french: str, english: str, **values: object) -> Said:
    """Both sentences, filled in."""
    return Said(french.format(**values), english.format(**values))


def same(text: str) -> Said:
    """What is the same in both: names and numbers."""
    return Said(text, text)


def ok(seen: Said) -> Finding:
    """All is well."""
    return Finding("ok", seen)


def warn(seen: Said, advice: Said) -> Finding:
    """It works, and may not for long, or not for everybody."""
    return Finding("warn", seen, advice)


def bad(seen: Said, advice: Said) -> Finding:
    """It does not work."""
    return Finding("bad", seen, advice)
