"""A note for the next start that facts were in memory alone: the disk refused them, and then we were killed.

The note is written over itself in a file that was given its block while there was room, so a full disk takes it.
Nothing here raises: where even that is refused, the next start says nothing. Must not know what was refused.
"""

from __future__ import annotations

import contextlib
import json
import os
from dataclasses import dataclass
from pathlib import Path

_BLOCK = 128


@dataclass(frozen=True, slots=True)
class Unwritten:
    """What a process that died had in memory alone: how many entries, from when on (UTC epoch seconds)."""

    facts: int
    since: float


class Mark:
    """The file, beside the log. Opened while there is room, one hopes; else it does nothing."""

    def __init__(self, path: Path) -> None:
        self._file: int | None = None
        self.found: Unwritten | None = None
        with contextlib.suppress(OSError):
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            self.found = _read(os.pread(self._file, _BLOCK, 0))
            if self.found is None:
                self._write("")

    def set(self, facts: int, since: float) -> None:
        """So many entries are in memory alone, the oldest from then; 0: none any more."""
        self._write(json.dumps([facts, since]) if facts else "")

    def close(self) -> None:
        """Give the file back."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _write(self, text: str) -> None:
        if self._file is not None:
            with contextlib.suppress(OSError):
                os.pwrite(self._file, text.encode().ljust(_BLOCK), 0)


def _read(text: bytes) -> Unwritten | None:
    try:
        facts, since = json.loads(text)
        return Unwritten(int(facts), float(since))
    except (ValueError, TypeError):
        return None
