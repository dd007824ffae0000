"""The letters that go by one route, mail or text: with their words and their recordings, out of the outbox.

A letter's row goes in the transaction that says what became of it. How a lane tries, waits and gives up is
`autocom.lane`. Must not know what is said (`words`) nor how it is sent (`route`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace

import structlog

from autocom import lane
from autocom.calls.ports import Clock
from autocom.core.journal import Entry, Json
from autocom.core.letters import LETTER, MAIL, TEXT, VOICE, Letter, row_of
from autocom.lane import plain
from autocom.mail.outbox import Outbox, readable
from autocom.mail.route import Parcel, Route
from autocom.mail.shelf import VoiceShelf
from autocom.mail.words import words

log = structlog.get_logger()

PATIENCE = 3 * 86400.0
"""Seconds after which a letter is given up."""

REMEMBERED = 7 * 86400.0
"""Seconds for which a letter that was given up is counted."""

SETTINGS: Mapping[str, str] = {
    MAIL: "no mail server is set (AUTOCOM_SMTP_HOST)",
    TEXT: "no gateway for texts is set (AUTOCOM_SMS_URL)",
}


class Lane(lane.Lane[Letter]):
    """`name` is MAIL or TEXT; `route` None where the settings name none."""

    def __init__(
        self, name: str, route: Route | None, outbox: Outbox, clock: Clock, shelf: VoiceShelf
    ) -> None:
        super().__init__(name, "letters", clock, asyncio.Event(), PATIENCE)
        self._route, self._outbox, self._shelf = route, outbox, shelf
        self._told: set[str] = set()

    async def _round(self) -> bool:
        self._forget()
        if self._route is None:
            self._no_route(self._open())
            return True
        return await super()._round()

    # --- what there is

    def _open(self) -> Sequence[Letter]:
        mine = [x for x in readable(self._outbox, self._told) if x.route == self._name]
        ready = [x for x in mine if x.given_up is None and (self._route is None or self._complete(x))]
        return sorted(ready, key=lambda letter: letter.tries)

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

    async def _send(self, going: Letter) -> None:
        assert self._route is not None
        await self._route.send(self._parcel(going))
        fields: dict[str, Json] = {"mail": going.id, "to": going.to, "tries": going.tries + 1}
        self._save(going, None, Entry(self._clock.now(), "mail_sent", going.call, fields))
        log.info("mail sent", mail=going.id, tries=going.tries + 1)

    def _put_off(self, going: Letter, why: str, pause: float) -> None:
        due = self._clock.now() + pause
        later = replace(going, tries=going.tries + 1, due=due, error=plain(why))
        # the first failure is written down; the hundreds that may follow say nothing new
        entries = [] if going.tries else [self._failed(going, why, final=False)]
        self._save(going, later, *entries)

    def _give_up(self, going: Letter, why: str) -> None:
        log.error("mail given up", mail=going.id, why=plain(why))
        lost = replace(going, given_up=self._clock.now(), error=plain(why))
        self._save(going, lost, self._failed(going, why, final=True))

    def _no_route(self, mine: Sequence[Letter]) -> None:
        """Mail waits for a server, which is set up once; a text without a gateway is a rule that cannot work."""
        why = SETTINGS[self._name]
        if mine and not self._away:
            self._away = True
            log.warning("letters cannot be sent", way=self._name, why=why, waiting=len(mine))
        for letter in mine:
            if self._name == TEXT or self._clock.now() - letter.at >= PATIENCE:
                self._give_up(letter, why)

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
