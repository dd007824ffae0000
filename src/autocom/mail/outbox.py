"""The outbox: rows of the local log, read and written back by those who send and those who keep.

The log is the only truth: nothing is remembered between two looks at it. A row that cannot be read
(of a newer version, or damaged) is left for a person to see. Must not know routes or recordings.
"""

from __future__ import annotations

from typing import Protocol

import structlog

from autocom.calls.ports import Log
from autocom.core.letters import LETTER, Letter, letters

log = structlog.get_logger()


class Outbox(Log, Protocol):
    """The local log, as far as the outbox goes."""


def readable(outbox: Outbox, told: set[str]) -> list[Letter]:
    """Every letter, oldest first. What cannot be read is logged once: `told` remembers."""
    found, broken = letters(outbox.rows(LETTER))
    for key in broken:
        if key not in told:
            told.add(key)
            log.error("letter unreadable", key=key)
    return found
