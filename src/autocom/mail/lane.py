"""One way out and all that is to go by it: one letter at a time, again with growing pauses, given up in the end.

A letter's row goes in the transaction that says what became of it, so a restart finds exactly what is
still to do. Between a server's "taken" and that transaction lies an instant in which a crash means a
second try, under the same Message-ID: no sender can close it. Invariant: a letter that fails, whyever,
holds up no other. Must not know what is said (`words`) nor how it is sent (`route`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace

import structlog

from autocom.calls.containment import contained
from autocom.calls.ports import Clock
from autocom.core.journal import Entry, Json
from autocom.core.letters import LETTER, MAIL, TEXT, VOICE, Letter, row_of
from autocom.mail.outbox import FIRST, IDLE, Outbox, readable, until
from autocom.mail.route import Later, Parcel, Refused, Route, Unreachable, plain
from autocom.mail.shelf import VoiceShelf
from autocom.mail.words import words

log = structlog.get_logger()

PATIENCE = 3 * 86400.0
"""Seconds after which a letter is given up."""

REMEMBERED = 7 * 86400.0
"""Seconds for which a letter that was given up is counted."""

MOST = 300.0
"""The longest pause after a failure."""

SETTINGS: Mapping[str, str] = {
    MAIL: "no mail server is set (AUTOCOM_SMTP_HOST)",
    TEXT: "no gateway for texts is set (AUTOCOM_SMS_URL)",
}


class Lane:
    """`name` is MAIL or TEXT; `route` None where the settings name none. Set `news` when something came."""

    def __init__(
        self, name: str, route: Route | None, outbox: Outbox, clock: Clock, shelf: VoiceShelf
    ) -> None:
        self._name, self._route, self._outbox = name, route, outbox
        self._clock, self._shelf = clock, shelf
        self.news = asyncio.Event()
        self._told: set[str] = set()
        self._away = False

    async def run(self) -> None:
        """Until cancelled."""
        pause = FIRST
        while True:
            self.news.clear()
            wake = self._clock.now() + IDLE
            with contained("lane crashed", lambda _: None, route=self._name):
                if not await self._round():
                    # a letter that comes meanwhile waits too: nobody is there to take it
                    await self._clock.until(self._clock.now() + pause)
                    pause = min(pause * 2, MOST)
                    continue
                pause = FIRST
                now = self._clock.now()
                wake = min([wake, *(letter.due for letter in self._open() if letter.due > now)])
            await until(self._clock, wake, self.news)

    async def _round(self) -> bool:
        """Every letter that is due. False where the way out itself does not work: then the others wait."""
        self._forget()
        mine = self._open()
        if self._route is None:
            self._no_route(mine)
            return True
        for letter in mine:
            if letter.due > self._clock.now() or not self._complete(letter):
                continue
            if not await self._deliver(letter, self._route):
                return False
            if self._away:
                self._away = False
                log.warning("mail goes out again", route=self._name)
        return True

    async def _deliver(self, letter: Letter, route: Route) -> bool:
        """False where the way out does not work, whoever it were for."""
        with contained("letter crashed", lambda error: self._give_up(letter, error), mail=letter.id):
            try:
                await route.send(self._parcel(letter))
            except Refused as refused:
                self._give_up(letter, str(refused))
            except Later as later:
                self._again(letter, str(later), pause=min(MOST, FIRST * 2**letter.tries))
            except Unreachable as away:
                if not self._away:
                    self._away = True
                    log.warning("mail does not go out, it waits", route=self._name, why=str(away))
                self._again(letter, str(away), pause=0.0)
                return False
            else:
                self._sent(letter)
        return True

    # --- what there is

    def _open(self) -> list[Letter]:
        """What this lane has to send; behind the others what failed more often, since a letter that makes
        a server hang up must not hold up the rest."""
        mine = [x for x in readable(self._outbox, self._told) if x.route == self._name]
        return sorted((x for x in mine if x.given_up is None), key=lambda letter: letter.tries)

    def _complete(self, letter: Letter) -> bool:
        """Whether its recording is here, or will never be."""
        recording = letter.recording
        return (
            recording is None
            or self._shelf.has(recording)
            or VOICE + recording not in self._outbox.rows(VOICE + recording)
        )

    def _parcel(self, letter: Letter) -> Parcel:
        recording = letter.recording
        audio = self._shelf.path(recording) if recording and self._shelf.has(recording) else None
        subject, body = words(letter, has_audio=audio is not None)
        return Parcel(letter, subject, body, audio)

    # --- what becomes of it

    def _sent(self, letter: Letter) -> None:
        fields: dict[str, Json] = {"mail": letter.id, "to": letter.to, "tries": letter.tries + 1}
        self._save(letter, None, Entry(self._clock.now(), "mail_sent", letter.call, fields))
        log.info("mail sent", mail=letter.id, tries=letter.tries + 1)

    def _again(self, letter: Letter, why: str, *, pause: float) -> None:
        now = self._clock.now()
        if now - letter.at >= PATIENCE:
            self._give_up(letter, why)
            return
        later = replace(letter, tries=letter.tries + 1, due=now + pause, error=plain(why))
        # the first failure is written down; the hundreds that may follow say nothing new
        entries = [] if letter.tries else [self._failed(letter, why, final=False)]
        self._save(letter, later, *entries)

    def _no_route(self, mine: Sequence[Letter]) -> None:
        """Mail waits for a server, which is set up once; a text without a gateway is a rule that cannot work."""
        why = SETTINGS[self._name]
        if mine and not self._away:
            self._away = True
            log.warning("letters cannot be sent", route=self._name, why=why, waiting=len(mine))
        for letter in mine:
            if self._name == TEXT or self._clock.now() - letter.at >= PATIENCE:
                self._give_up(letter, why)

    def _give_up(self, letter: Letter, why: str) -> None:
        log.error("mail given up", mail=letter.id, why=plain(why))
        lost = replace(letter, given_up=self._clock.now(), error=plain(why))
        self._save(letter, lost, self._failed(letter, why, final=True))

    def _forget(self) -> None:
        for letter in readable(self._outbox, self._told):
            lost = letter.given_up
            if letter.route == self._name and lost is not None and self._clock.now() - lost >= REMEMBERED:
                self._save(letter, None)

    def _failed(self, letter: Letter, why: str, *, final: bool) -> Entry:
        fields: dict[str, Json] = {"mail": letter.id, "to": letter.to, "error": plain(why), "final": final}
        return Entry(self._clock.now(), "mail_failed", letter.call, fields)

    def _save(self, letter: Letter, now: Letter | None, *entries: Entry) -> None:
        self._outbox.save(entries, floor={LETTER + letter.id: None} if now is None else row_of(now))
