"""Looks after what the journal stands on: the local log, its disk, and the way to PostgreSQL.

Once a second: what a disk refused is written again, the write-ahead log is moved into its file, the room of a long
outage is given back, and what is wrong is said once as a fault, and once when it is over (`database_down`,
`journal_lag`, `disk_low`, `descriptors_low`). All that may wait for a disk happens in a thread. Must not know calls. Invariant: nothing
here raises because of a disk or of PostgreSQL. Who runs it is `app`; what follows from a fault is `alerting`.
"""

from __future__ import annotations

import asyncio
import os
import resource
import sqlite3
from collections import deque
from dataclasses import dataclass
from pathlib import Path

import structlog

from autocom import faults
from autocom.calls.ports import Clock, Saving
from autocom.journal import log_file
from autocom.journal.log import LocalLog
from autocom.journal.shipper import Shipper

log = structlog.get_logger()

LOOK_EVERY = 1.0
AHEAD_LIMIT = 4_000_000
"""Bytes of the write-ahead log from which on it is moved into the file."""

SHRINK_EVERY = 60.0
AWAY_FOR = 5.0
"""Seconds without PostgreSQL that are a fault: its restart takes less."""

LAG = 60.0
LOW, WELL = 0.9, 0.85
"""Shares of a disk, or of the log's budget: a fault from the one on, over below the other."""

ENOUGH = 5_000_000_000
"""Bytes free that are enough, whatever their share of the disk."""

FEW = 32
"""Descriptors that are left at least, whatever their share: a burst of calls needs as many."""

_OPEN = Path("/proc/self/fd")
JOURNAL, DISK = "journal.sqlite", "disk"


@dataclass(frozen=True, slots=True)
class Disk:
    """The disk of the state folder, in bytes."""

    size: int
    free: int

    @property
    def used(self) -> float:
        """The share that is taken, as far as we are concerned."""
        return 1 - self.free / self.size if self.size else 0.0


@dataclass(frozen=True, slots=True)
class Descriptors:
    """How many files and connections this process has open, of how many that it may have."""

    open: int
    limit: int

    @property
    def used(self) -> float:
        """The share that is taken, or that is as near the limit: with `FEW` left it is `LOW`."""
        return max(self.open / self.limit, 1 - (self.limit - self.open) * (1 - LOW) / FEW)


def descriptors() -> Descriptors:
    """As it is now; all are taken where not even that can be read."""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    try:
        return Descriptors(len(list(_OPEN.iterdir())), limit)
    except OSError:
        return Descriptors(limit, limit)


def disk_of(folder: Path) -> Disk | None:
    """As it is now; None where nobody says."""
    try:
        found = os.statvfs(folder)
    except OSError:
        return None
    return Disk(found.f_blocks * found.f_frsize, found.f_bavail * found.f_frsize)


class RoomLeft:
    """One per log. `run` it in the loop that saves."""

    def __init__(self, local: LocalLog, shipper: Shipper, journal: Saving, clock: Clock) -> None:
        self._local, self._shipper, self._journal, self._clock = local, shipper, journal, clock
        self._told: set[tuple[str, str]] = set()
        self._away_since: float | None = None
        self._seen: deque[tuple[float, int]] = deque()  # which number was the newest at which instant
        self._shrink_at = clock.now() + SHRINK_EVERY
        self.disk: Disk | None = None

    def behind(self) -> float:
        """For how many seconds the oldest fact that is not in PostgreSQL has been in the log, as far as was seen."""
        while self._seen and self._seen[0][1] <= self._local.cursor:
            self._seen.popleft()
        return self._clock.now() - self._seen[0][0] if self._seen else 0.0

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self.look()
            await self._clock.until(self._clock.now() + LOOK_EVERY)

    async def look(self) -> None:
        """Do what is due, and say what is wrong."""
        shrinks = self._clock.now() >= self._shrink_at and self._local.backlog() <= 0
        if shrinks:
            self._shrink_at = self._clock.now() + SHRINK_EVERY
        self.disk = await asyncio.to_thread(self._upkeep, shrinks=shrinks)
        while self._local.look(None if self.disk is None else self.disk.free):  # noqa: ASYNC110 - nobody else ends it
            await asyncio.sleep(0)  # calls come first
        now = self._clock.now()
        if self._local.last > (self._seen[-1][1] if self._seen else self._local.cursor):
            self._seen.append((now, self._local.last))
        self._judge_database(now)
        self._judge_log()
        taken = descriptors()
        low = taken.used >= self._limit("", "descriptors_low")
        self._tell("descriptors_low", "", low, f"{taken.open} of {taken.limit}")
        if self.disk is not None:
            self._judge_disk(self.disk)

    def _upkeep(self, *, shrinks: bool) -> Disk | None:
        """What may wait for the disk."""
        try:
            # a full disk leaves a log that was moved into its file: it is written over
            if self._local.held or log_file.written_ahead(self._local.path) > AHEAD_LIMIT:
                log_file.checkpoint(self._local.path)
            if shrinks:
                log_file.shrink(self._local.path)
        except (sqlite3.Error, OSError) as error:
            log.warning("the local log cannot be looked after", why=str(error))
        return disk_of(self._local.path.parent)

    def _judge_database(self, now: float) -> None:
        if self._shipper.connected:
            self._away_since = None
        elif self._away_since is None:
            self._away_since = now
        away = self._away_since is not None and now - self._away_since >= AWAY_FOR
        waiting = self._local.backlog()
        self._tell("database_down", "", away, f"{waiting} facts wait in the local log")
        behind = self.behind()
        if ("journal_lag", "") in self._told:
            self._tell("journal_lag", "", behind > 0, f"{waiting} facts")
        else:
            self._tell("journal_lag", "", behind >= LAG, f"{waiting} facts, the oldest for {behind:.0f} s")

    def _judge_log(self) -> None:
        room = self._local.room
        share = room.used / room.size
        refuses = self._local.refuses
        if refuses is not None:
            detail = f"{refuses}: {self._local.held} steps are in memory alone"
        else:
            detail = f"{share:.0%} of its {room.size // 1_000_000} MB"
        self._tell("disk_low", JOURNAL, refuses is not None or share >= self._limit(JOURNAL), detail)

    def _judge_disk(self, disk: Disk) -> None:
        low = disk.used >= self._limit(DISK) and disk.free < ENOUGH
        self._tell("disk_low", DISK, low, f"{disk.used:.0%} taken, {disk.free // 1_000_000} MB free")

    def _limit(self, where: str, name: str = "disk_low") -> float:
        return WELL if (name, where) in self._told else LOW

    def _tell(self, name: str, where: str, is_wrong: bool, detail: str) -> None:  # noqa: FBT001 - a word's third
        key = (name, where)
        if is_wrong and key not in self._told:
            self._told.add(key)
            faults.note(self._journal, self._clock, name, where, detail)
        elif not is_wrong and key in self._told:
            self._told.discard(key)
            faults.note(self._journal, self._clock, name, where, detail, over=True)
