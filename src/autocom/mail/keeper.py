"""Fetches what was recorded into the state folder, and erases it when its time is over.

A recording's row says whether it is still in Asterisk's store or on the shelf. Fetch, write, erase
there, note: whichever of these a crash comes behind, the next look goes on from it. Invariant: no
sound is erased while a letter waits to take it along. Must not know what is mailed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import structlog

from autocom.calls.containment import contained
from autocom.calls.ports import Clock, Gone, Telephone, TelephoneDown
from autocom.core.letters import VOICE, Voice, row_of, voices, wav_seconds, wav_whole
from autocom.core.naming import call_of_recording
from autocom.lane import plain
from autocom.mail.outbox import Outbox, readable
from autocom.mail.shelf import VoiceShelf
from autocom.news import FIRST, IDLE, until
from autocom.shelf import Aside

log = structlog.get_logger()

STRAYS = 30 * 86400.0
"""Seconds for which a recording is kept that nothing is known of."""


class Keeper:
    """`arrived` is called when a recording is here, or known to be lost. Set `news` when one was made."""

    def __init__(
        self,
        outbox: Outbox,
        clock: Clock,
        telephone: Telephone,
        shelf: VoiceShelf,
        arrived: Callable[[], None],
        aside: Aside,
    ) -> None:
        self._outbox, self._clock, self._telephone, self._shelf = outbox, clock, telephone, shelf
        self._arrived, self._aside = arrived, aside
        self.news = asyncio.Event()
        self._told: set[str] = set()

    async def run(self) -> None:
        """Until cancelled."""
        with contained("shelf crashed", lambda _: None):
            await self._aside(self._shelf.tidy)
            await self._adopt()
        pause = FIRST
        while True:
            self.news.clear()
            wake = self._clock.now() + IDLE
            with contained("shelf crashed", lambda _: None):
                try:
                    for voice in voices(self._outbox.rows(VOICE))[0]:
                        await (self._look_at(voice) if voice.kept else self._fetch(voice))
                    pause = FIRST
                except (TelephoneDown, OSError) as away:
                    log.warning("recording not fetched, tried again", why=plain(away))
                    wake, pause = self._clock.now() + pause, min(pause * 2, IDLE)
            await until(self._clock, wake, self.news)

    async def _adopt(self) -> None:
        """A recording without a row (the local log was lost and begun anew) is somebody's voice all the same:
        it is erased after the time that holds where nobody says another."""
        known = self._outbox.rows(VOICE)
        for name, at in (await self._aside(self._shelf.all)).items():
            if VOICE + name not in known:
                stray = Voice(name, call_of_recording(name) or "", "", at, at + STRAYS, kept=True)
                self._outbox.save((), floor=row_of(stray))

    async def _fetch(self, voice: Voice) -> None:
        name = voice.recording
        if not self._shelf.has(name):  # else the last process died before it wrote that down
            try:
                wav = await self._telephone.recorded(name)
            except Gone:
                wav = b""
            if wav_seconds(wav) <= 0.0:
                log.error("recording lost", recording=name)
                self._outbox.save((), floor={VOICE + name: None})
                self._arrived()
                return
            await self._aside(partial(self._shelf.put, name, wav_whole(wav)))
        await self._telephone.erase_recording(name)
        # as it is by now: somebody may have listened to it meanwhile
        voice = next((v for v in voices(self._outbox.rows(VOICE + name))[0] if v.recording == name), voice)
        self._outbox.save((), floor=row_of(replace(voice, kept=True)))
        self._arrived()

    async def _look_at(self, voice: Voice) -> None:
        """Erase it once its time is over and no letter waits for it."""
        if voice.erase_at > self._clock.now():
            return
        waiting = readable(self._outbox, self._told)
        if voice.recording not in {letter.recording for letter in waiting if letter.given_up is None}:
            await self._aside(partial(self._shelf.erase, voice.recording))
            self._outbox.save((), floor={VOICE + voice.recording: None})
            log.info("recording erased, its time is over", recording=voice.recording)
