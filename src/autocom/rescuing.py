"""The rescuer as the exchange sees it: told where Asterisk is, kept alive beside a private one, believed afterwards.

Beside `autocom up` it is a process in a session of its own, which a killed exchange leaves behind with Asterisk; the
next exchange finds it by its lock, and one of another version is replaced. Beside `autocom serve` it is a unit of its
own, and only told. What it did meanwhile becomes faults in the journal, and its marks say whose calls ended with the
fallback. Must not know how it decides (`rescue.judge`).
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import IO

import structlog

from autocom import faults
from autocom.asterisk.conf.base import RESCUE
from autocom.asterisk.telephone import AsteriskTelephone
from autocom.calls.ports import Gone, TelephoneDown
from autocom.exchange import RunningExchange
from autocom.foundations import Ground
from autocom.pulse import Health, Pulse, Stall, last_stall
from autocom.rescue import beat, card
from autocom.rescue.card import Card
from autocom.rescue.diary import FOLDER, Deed, Diary, untold

log = structlog.get_logger()

VERSION = version("autocom")
LOOK_EVERY = 1.0
READ_EVERY = 2.0
ENDS_WITHIN = 2.0
LARGEST_LOG = 1 << 20
TOLD = "rescue:told"
"""The row with the instant of the rescuer's last deed that is in the journal."""

BEGINNINGS = {
    "gate_closed": ("rescued", "new callers go to the dialplan's fallback"),
    "ari_hung": ("asterisk_hung", "new callers go to the dialplan's fallback"),
    "freed": ("rescued", "{count} phones that rang for nobody were freed"),
    "handed_over": ("rescued", "{count} waiting callers were handed to the dialplan's fallback"),
}


def tell(state: Path, ground: Ground) -> None:
    """Write down how the rescuer reaches this Asterisk: as a user of its own where that is configured by us."""
    doors = ground.doors
    own = ground.server.rescue_password if ground.server is not None else ""
    if ground.elsewhere is not None:
        own = ground.elsewhere.rescue_password
    told = Card(
        doors.ari_url,
        RESCUE if own else doors.ari_user,
        own or doors.ari_password,
        doors.ami_host,
        doors.ami_port,
        RESCUE if own else doors.ami_user,
        own or doors.ami_password,
    )
    try:
        card.write(state, told)
    except OSError as error:
        log.error("the rescuer is not told where Asterisk is", why=str(error))


class Beside:
    """The rescuer beside a private Asterisk, of one state folder."""

    def __init__(self, state: Path) -> None:
        self._state = state.resolve()
        self._child: asyncio.subprocess.Process | None = None

    async def keep(self) -> None:
        """Until cancelled: there is one, and it is of our version."""
        while True:
            found = card.running(self._state)
            if found is not None and found[1] != VERSION:
                log.info("a rescuer of another version is replaced", version=found[1])
                await self.stop()
            elif found is None:
                await self._begin()
            await asyncio.sleep(LOOK_EVERY)

    async def _begin(self) -> None:
        if self._child is not None and self._child.returncode is None:
            return  # it has not taken its lock yet
        if self._child is not None:
            log.warning("the rescuer ended, starting it again", code=self._child.returncode)
        try:
            with self._log() as output:
                self._child = await asyncio.create_subprocess_exec(
                    *(sys.executable, "-P", "-m", "autocom.rescue", "--beside", str(self._state), VERSION),
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    start_new_session=True,
                    cwd="/",
                    env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C.UTF-8"},
                )
        except OSError as error:
            log.error("the rescuer does not start", why=str(error))

    @contextmanager
    def _log(self) -> Iterator[IO[bytes]]:
        folder = self._state / FOLDER
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = folder / "rescuer.log"
        with suppress(FileNotFoundError):
            if path.stat().st_size > LARGEST_LOG:
                path.replace(path.with_suffix(".log.1"))
        with path.open("ab") as output:
            yield output

    async def stop(self) -> None:
        """End the one that runs, whoever started it. No error where none does."""
        found = card.running(self._state)
        pids = {found[0]} if found is not None else set()
        if self._child is not None and self._child.returncode is None:
            pids.add(self._child.pid)
        for pid in pids:
            for sign in (signal.SIGTERM, signal.SIGKILL):
                with suppress(ProcessLookupError):
                    os.kill(pid, sign)
                if await self._gone(pid):
                    break

    async def _gone(self, pid: int) -> bool:
        deadline = time.monotonic() + ENDS_WITHIN
        while time.monotonic() < deadline:
            if self._child is not None and self._child.pid == pid:
                if self._child.returncode is not None:
                    return True
            elif not _runs(pid):
                return True
            await asyncio.sleep(0.02)
        return False


def _runs(pid: int) -> bool:
    try:
        return bool(Path(f"/proc/{pid}/cmdline").read_bytes())  # a zombie's is empty
    except OSError:
        return False


def beating(exchange: RunningExchange, telephone: AsteriskTelephone, state: Path) -> Pulse:
    """The pulse of this loop, which beats from now on. How the last process ended, where it ended itself for want of
    one, is written down first."""
    board, feed = exchange.switchboard, telephone.feed

    def note(detail: str) -> None:
        for over in (False, True):  # it is told when it is over
            faults.note(exchange.journal, board.ports.clock, "loop_blocked", "", detail, over)

    def doubt(stall: Stall) -> None:
        board.doubt()
        feed.doubt(str(stall))
        note(str(stall))

    def word() -> str:
        if exchange.draining:
            return beat.DRAINING
        return beat.STARTING if not board.met.is_set() else beat.SERVING if board.connected else beat.LOST

    def health() -> Health:
        return Health(feed.canary_age(), feed.unread_age())

    stall = last_stall(state)
    if stall is not None:
        note(f"ended itself at {stall}")
    pulse = Pulse(state, word, health, doubt)
    pulse.start()
    return pulse


async def keep_gate_open(exchange: RunningExchange, telephone: AsteriskTelephone) -> None:
    """Until cancelled: whenever the telephone is back and everything was compared, new callers are for us again,
    whoever closed the gate, and whether he still lives."""
    await _open_gate(exchange, telephone)  # begun again: it may have come back in the pause
    async for entry in exchange.follow():
        if entry.kind == "service" and entry.fields.get("event") == "telephone_back":
            await _open_gate(exchange, telephone)


async def _open_gate(exchange: RunningExchange, telephone: AsteriskTelephone) -> None:
    # behind a closed one every new caller would be the fallback's for ever
    while exchange.switchboard.connected and not await _opened(telephone):  # noqa: ASYNC110 - nothing tells it
        await asyncio.sleep(LOOK_EVERY)


async def _opened(telephone: AsteriskTelephone) -> bool:
    try:
        await telephone.open_gate()
    except (Gone, TelephoneDown) as error:
        log.warning("gate not opened", why=str(error))
        return False
    return True


async def keep_read(diary: Diary, exchange: RunningExchange) -> None:
    """Until cancelled: what the rescuer did becomes known, also of the time in which no exchange lived."""
    while True:
        deeds = await asyncio.to_thread(diary.read)
        for deed in untold(deeds, exchange.journal.rows(TOLD).get(TOLD)):
            _note(deed, exchange)
            # killed before they are forgotten, they are not told again
            exchange.journal.save(floor={TOLD: deed.at})
        if deeds:
            try:
                await asyncio.to_thread(diary.forget)
            except OSError as error:
                log.error("the rescuer's diary cannot be emptied, it is read no more", why=str(error))
                return
        await asyncio.sleep(READ_EVERY)


def _note(deed: Deed, exchange: RunningExchange) -> None:
    clock = exchange.switchboard.ports.clock
    at = datetime.fromtimestamp(deed.at, UTC).strftime("%H:%M:%S UTC")
    if deed.what == "gate_opened":
        for name in ("rescued", "asterisk_hung"):
            faults.note(exchange.journal, clock, name, "", f"{at}: {deed.why}", over=True)
    elif deed.what in BEGINNINGS:
        name, words = BEGINNINGS[deed.what]
        faults.note(exchange.journal, clock, name, "", f"{at}: {deed.why}; {words.format(count=deed.count)}")
