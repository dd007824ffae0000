"""What a provider answers: taken, or why not, and whether trying again may help.

A provider sends one part of one text and knows nothing of the desk. Invariant: `send` returns only when the
other side has said that it took the part; what happens after that answer is no failure.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from autocom.core.texts import Outgoing

_SHOWN = 200


class Unreachable(Exception):  # noqa: N818 - says what is the case
    """Nobody took it, whoever it was for: no answer, a wrong password, an unwilling server. All wait."""


class Later(Exception):  # noqa: N818
    """This recipient cannot have it now; others may."""


class Refused(Exception):  # noqa: N818
    """This recipient will never have it."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a part that was handed over. `part`: as the provider calls it; `delivered` None: it is still
    under way."""

    part: str
    delivered: bool | None
    error: str = ""


class Provider(Protocol):
    """One way out."""

    @property
    def whole(self) -> bool:
        """Whether it takes a text as a whole, however long (HTTP), or each part (SMS) by itself."""
        ...

    async def send(self, text: Outgoing, part: int) -> str:
        """Hand over this part (from 0; `whole`: all of it). Returns what the provider calls it, empty where it
        does not say; raises Unreachable, Later or Refused."""
        ...

    async def run(self) -> None:
        """What it does beside sending, until cancelled; returns at once where that is nothing."""
        ...


def plain(why: object) -> str:
    """What the other side said, as one short printable line: it is a stranger's text."""
    return "".join(c if c.isprintable() else " " for c in str(why))[:_SHOWN].strip()
