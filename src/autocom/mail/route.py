"""What a way out is asked for: to send one thing to one recipient. It knows nothing of the outbox.

Invariant: `send` returns only when the other side has said that it took it; what happens after that answer (a
goodbye that fails) is no failure, since the thing would be sent twice. What else it answers is in `autocom.lane`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from autocom.core.letters import Letter


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
