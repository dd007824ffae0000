"""What a provider is asked for: to send one part of one text. It knows nothing of the others.

Invariant: `send` returns only when the other side has said that it took the part; what happens after that answer
is no failure. What else it answers is in `autocom.lane`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from autocom.core.texts import Outgoing


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
