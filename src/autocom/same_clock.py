"""The clock of the exchange, carried on by the next process where calls go on.

Within a process time never jumps (`asterisk.clock`). A new process would begin with whatever the wall clock says now:
set back by an hour meanwhile, a secretary would be in her wrap-up for an hour; set forward, every caller's waiting
would be over. So the offset of the wall clock is kept in the log, and as long as the machine has not been started
anew (its monotonic clock goes on) and calls are open, the next process counts on with it. With no call open, the
wall clock is right. `watch` notices when the two differ: what goes by a calendar, the opening hours above all, follows
the wall clock at once, deadlines and the journal's instants do not. Must not know what time is used for.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import structlog

from autocom.asterisk.clock import SteadyClock
from autocom.calls.ports import Rows, Stored
from autocom.core.journal import Json

log = structlog.get_logger()

ROW = "clock"
JUMP = 2.0
"""Seconds between our clock and the wall clock that are a jump; less is the daily work of NTP."""

LOOK_EVERY = 0.5
_BOOT = Path("/proc/sys/kernel/random/boot_id")


class Kept(Rows, Protocol):
    """The local log, with what the last process knew."""

    def stored(self) -> Stored:
        """See `calls.ports.Journal`."""
        ...


def carried_on(local: Kept, fresh: SteadyClock | None = None, boot: Path = _BOOT) -> SteadyClock:
    """The clock for this process, written down for the next one. `fresh`: one that was just set by the wall clock."""
    clock = fresh or SteadyClock()
    machine = _read(boot)
    row = local.rows(ROW).get(ROW)
    offset = row.get("offset") if isinstance(row, dict) and row.get("boot") == machine and machine else None
    if isinstance(offset, float) and abs(offset - clock.offset) > JUMP and local.stored().calls:
        log.warning("the wall clock jumped, calls go on by the old one", seconds=round(clock.offset - offset))
        clock = SteadyClock(offset)
        clock.ahead = clock.skew()
    kept: dict[str, Json] = {"boot": machine, "offset": clock.offset}
    local.save(floor={ROW: kept})
    return clock


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii").strip()
    except OSError:
        return ""


async def watch(
    clock: SteadyClock, note: Callable[[str, str], None], moved: Callable[[float], None] = lambda _: None
) -> None:
    """Until cancelled: follow the wall clock's jumps with `ahead`, and say so to whoever waits for an hour of the day
    (`moved`). The journal's instants stay those of our clock until a start without open calls."""
    said = 0.0
    while True:
        skew = clock.skew()
        if abs(skew - said) > JUMP:
            said = skew
            clock.ahead = skew if abs(skew) > JUMP else 0.0
            log.error("the wall clock jumped: calendars follow it, deadlines do not", seconds=round(skew))
            note("clock_jumped", f"{skew:+.0f} s")
            moved(clock.ahead)
        await clock.until(clock.now() + LOOK_EVERY)
