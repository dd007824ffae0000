"""What a way out answers: taken, or why not, and whether trying again may help.

A route sends one thing to one recipient and knows nothing of the outbox. Invariant: `send` returns
only when the other side has said that it took it; what happens after that answer (a goodbye that
fails) is no failure, since the thing would be sent twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from autocom.core.letters import Letter

_SHOWN = 200


class Unreachable(Exception):  # noqa: N818 - says what is the case
    """Nobody took it, whoever it was for: no answer, a wrong password, an unwilling server. All wait."""


class Later(Exception):  # noqa: N818
    """This recipient cannot have it now; others may."""


class Refused(Exception):  # noqa: N818
    """This recipient will never have it."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """A letter with its words. `audio`: the recording that goes with it."""

    letter: Letter
    subject: str
    body: str
    audio: Path | None = None


class Route(Protocol):
    """One way out."""

    async def send(self, parcel: Parcel) -> None:
        """Returns once it was taken; raises Unreachable, Later or Refused."""
        ...


def plain(why: object) -> str:
    """What the other side said, as one short printable line: it is a stranger's text."""
    return "".join(c if c.isprintable() else " " for c in str(why))[:_SHOWN].strip()
