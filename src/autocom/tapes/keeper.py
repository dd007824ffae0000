"""Takes recordings out of Asterisk's store, encrypts them, and erases them when their time is over.

A recording's row says how far it has come: written by Asterisk in clear, ended, kept under a key. Fetch, encrypt,
erase there, note: whichever of these a crash comes behind, the next look goes on from it; at the start a file without
a row is looked for too. Erasing leaves evidence without a voice (`forgotten`). Must not know a conversation. Invariant:
nothing here raises into the calls, and what cannot be kept now is tried again, never dropped.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Collection, Iterable
from dataclasses import replace
from functools import partial

import structlog

from autocom.calls.containment import contained
from autocom.calls.ports import Clock, Gone, Log, Telephone, TelephoneDown
from autocom.core.journal import Entry, Json
from autocom.core.letters import wav_seconds, wav_whole
from autocom.core.naming import call_of_tape
from autocom.core.tapes import ALL, KEPT, TAPE, Tape, row_of, tapes
from autocom.news import FIRST, IDLE, until
from autocom.shelf import Aside
from autocom.tapes.keys import KeyFault
from autocom.tapes.vault import Vault

log = structlog.get_logger()

SOON = 0.5
"""Seconds after which a recording is looked at again that Asterisk is still writing."""
STRAYS = 30 * 86400.0
"""Seconds for which a recording is kept that nothing is known of."""


class TapeKeeper:
    """One for each exchange; `run` it in a task group. `open_calls`: the ids of the calls there are."""

    def __init__(
        self,
        journal: Log,
        clock: Clock,
        telephone: Telephone,
        vault: Vault,
        open_calls: Callable[[], Collection[str]],
        aside: Aside = asyncio.to_thread,
    ) -> None:
        self._log, self._clock, self._telephone, self._vault = journal, clock, telephone, vault
        self._open_calls, self._aside = open_calls, aside
        self._news = asyncio.Event()
        self._told: set[str] = set()
        self._looking = asyncio.Lock()
        # read once: there are thousands, and nobody else writes these rows
        self._kept: dict[str, Tape] | None = None
        self._adopted = False

    async def run(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._listen())
            tasks.create_task(self._keep())

    async def _listen(self) -> None:
        async for entry in self._log.follow():
            if entry.kind == "recording_ended":
                self._news.set()

    async def _keep(self) -> None:
        with contained("vault crashed", lambda _: None):
            await self._aside(self._vault.tidy)
        pause = FIRST
        while True:
            self._news.clear()
            wake = self._clock.now() + IDLE
            with contained("vault crashed", lambda _: None):
                try:
                    if await self.look():
                        wake = self._clock.now() + SOON
                    pause = FIRST
                except (TelephoneDown, OSError, KeyFault) as away:
                    log.error("recordings not kept yet, tried again", why=str(away), retry_s=pause)
                    wake, pause = self._clock.now() + pause, min(pause * 2, IDLE)
            await until(self._clock, wake, self._news)

    async def last_look(self, within: float) -> None:
        """Before the service ends: what has ended is not left in clear until the next start. At most so many
        seconds; what cannot be done is the next start's."""
        try:
            async with asyncio.timeout(within):
                while await self.look():
                    await self._clock.until(self._clock.now() + SOON)
        except (TimeoutError, TelephoneDown, OSError, KeyFault) as away:
            log.warning("recordings not kept before the end", why=str(away))

    async def look(self) -> bool:
        """Bring every recording as far as it can be; whether one is still being written. TelephoneDown, OSError,
        KeyFault: what could not be done, after everything else was."""
        async with self._looking:
            return await self._look()

    async def _look(self) -> bool:
        if self._kept is None:
            self._kept = {tape.recording: tape for tape in self._readable(KEPT)}
        failed: list[TelephoneDown | OSError | KeyFault] = []
        try:
            await self._adopt()
        except (TelephoneDown, OSError) as away:
            failed.append(away)
        soon = False
        for tape in self._readable(TAPE):
            if tape.ended is None and tape.call in self._open_calls():
                continue
            try:
                soon |= await self._fetch(tape)
            except (TelephoneDown, OSError, KeyFault) as away:
                failed.append(away)
        failed += await self._erase_due(self._kept)
        failed += await self._rewrap(self._kept)
        if failed:
            raise failed[-1]
        return soon

    def _readable(self, prefix: str) -> Iterable[Tape]:
        found, broken = tapes(self._log.rows(prefix))
        for key in broken:
            if key not in self._told:
                self._told.add(key)
                log.error("row of a recording unreadable", key=key)
        return found

    async def _adopt(self) -> None:
        """A recording without a row (the local log was lost) is somebody's voice all the same. Once."""
        if self._adopted:
            return
        here = await self._telephone.stored_recordings()
        left = await self._aside(self._vault.all)
        known, now = self._log.rows(ALL), self._clock.now()
        for name in {*here, *left}:
            call = call_of_tape(name)
            if call is None or TAPE + name in known or KEPT + name in known:
                continue
            at = left.get(name)
            since = now if at is None else at
            stray = Tape(
                name, call, "", "", since, STRAYS, ended=since, erase_at=since + STRAYS, kept=at is not None
            )
            log.warning("recording without a row", recording=name)
            self._save(stray)
        self._adopted = True

    def _save(self, tape: Tape) -> None:
        self._log.save((), floor=row_of(tape))
        if tape.kept and self._kept is not None:
            self._kept[tape.recording] = tape

    async def _fetch(self, tape: Tape) -> bool:
        """Encrypt what was recorded; whether Asterisk is still writing it."""
        name = tape.recording
        ended = self._clock.now() if tape.ended is None else tape.ended
        erase_at = ended + tape.keep_for if tape.erase_at is None else tape.erase_at
        seconds = tape.seconds
        if await self._aside(partial(self._vault.has, name)):
            key = await self._aside(partial(self._vault.rewrap, name))  # the last process came as far as this
        else:
            if await self._telephone.recording_runs(name):
                await self._telephone.stop_recording(name)
                return True
            try:
                wav = await self._telephone.recorded(name)
            except Gone:
                wav = b""
            seconds = round(wav_seconds(wav), 1)
            if seconds <= 0.0:
                await self._lost(tape)
                return False
            wav = wav_whole(wav)  # under the same name: an hour of sound is not held twice
            key = await self._aside(partial(self._vault.put, name, wav))
        await self._telephone.erase_recording(name)
        self._save(replace(tape, ended=ended, erase_at=erase_at, seconds=seconds, kept=True, key=key))
        return False

    async def _lost(self, tape: Tape) -> None:
        """Nothing was written: all of it was a pause, or the disk was full, or the file is gone."""
        fields: dict[str, Json] = {"recording": tape.recording, "client": tape.client, "of": tape.call}
        entry = Entry(self._clock.now(), "recording_lost", None, fields)
        self._log.save([entry], floor={TAPE + tape.recording: None})
        await self._telephone.erase_recording(tape.recording)

    async def _erase_due(self, kept: dict[str, Tape]) -> list[OSError]:
        """Erase those whose time is over, and write down how many; what could not be erased."""
        now, gone, failed = self._clock.now(), Counter[str](), list[OSError]()
        for name, tape in list(kept.items()):
            if tape.erase_at is None or tape.erase_at > now:
                continue
            try:
                await self._aside(partial(self._vault.erase, name))
            except OSError as error:
                failed.append(error)
                continue
            self._log.save((), floor={KEPT + name: None})
            del kept[name]
            gone[tape.client] += 1
        if gone:
            entries = [
                Entry(now, "forgotten", None, {"client": client, "recordings": n})
                for client, n in gone.items()
            ]
            self._log.save(entries)
        return failed

    async def _rewrap(self, kept: dict[str, Tape]) -> list[OSError]:
        """Put what is under an old key under the newest; what could not be. A key that is lost is no reason to hurry:
        it is said once, and new recordings do not wait for it."""
        failed: list[OSError] = []
        try:
            newest = await self._aside(self._vault.newest) if kept else ""
        except OSError as error:
            return [error]
        except KeyFault as fault:
            self._say_once(str(fault))
            return []
        for name, tape in list(kept.items()):
            if tape.key == newest:
                continue
            try:
                if await self._aside(partial(self._vault.has, name)):
                    self._save(replace(tape, key=await self._aside(partial(self._vault.rewrap, name))))
            except OSError as error:
                failed.append(error)
            except KeyFault as fault:
                self._say_once(str(fault))
        return failed

    def _say_once(self, why: str) -> None:
        if why not in self._told:
            self._told.add(why)
            log.error("recordings stay under their old key", why=why)
