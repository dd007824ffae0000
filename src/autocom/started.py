"""How long a start takes, part by part, from the exec of the process on: what is measured is what callers wait.

Written to the log once the calls are taken over; `bench/start.py` reads it there. Must not know what the parts do.
"""

from __future__ import annotations

import os
import time
from pathlib import Path


class Started:
    """`seconds`: since the exec, by what was reached then; `imported` when this is made."""

    def __init__(self) -> None:
        self._before = age() - time.monotonic()
        self.seconds: dict[str, float] = {}
        self.reached("imported")

    def reached(self, what: str) -> None:
        """Now."""
        self.seconds[what] = round(self._before + time.monotonic(), 3)


def age() -> float:
    """Seconds since this process was started by the kernel, to 1/100; exec does not begin anew."""
    started = int(Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19])
    return time.clock_gettime(time.CLOCK_BOOTTIME) - started / os.sysconf("SC_CLK_TCK")
