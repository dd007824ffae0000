"""The exchange's beat: a file of one line that says which process lives, how often it has said so, and what it does.

Written by the exchange's own loop, so a frozen one falls silent; read by whoever wants to know. A reader counts time by
his own clock from the last change: two clocks are never compared. The line has always the same length and overwrites
itself in place, so that a full disk stops no beat. Must not know what is concluded from silence (`judge`).
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

NAME = "beat"
_LENGTH = 64

STARTING, SERVING, LOST, DRAINING = "starting", "serving", "lost", "draining"
WORDS = frozenset({STARTING, SERVING, LOST, DRAINING})
"""`lost`: it lives, and knows that it cannot reach Asterisk."""


@dataclass(frozen=True, slots=True)
class Beat:
    """One beat. `number` grows with each, from 1 for each process."""

    pid: int
    number: int
    word: str


class BeatFile:
    """The writer's side. Keeps the file open: nothing that happens to the folder later stops it."""

    def __init__(self, state: Path) -> None:
        self._file = os.open(state / NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._number = 0

    def say(self, word: str) -> None:
        """Beat. OSError where even the overwriting of a line fails."""
        self._number += 1
        line = f"{os.getpid()} {self._number} {word}".ljust(_LENGTH - 1) + "\n"
        os.pwrite(self._file, line.encode(), 0)

    def close(self) -> None:
        """No beat follows."""
        os.close(self._file)


def read(state: Path) -> Beat | None:
    """The last beat; None where there is none, or what stands there is none."""
    try:
        text = (state / NAME).read_bytes()[:_LENGTH].decode("ascii")
        pid, number, word = text.split()
        return Beat(int(pid), int(number), word) if word in WORDS else None
    except (OSError, ValueError):
        return None
