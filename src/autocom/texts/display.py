"""Shows what came to those who are at work for the client, and tells them what became of it.

A text that nobody is there for waits until somebody is. A phone's own answer is not heard (Asterisk says
"accepted" before it has sent anything), so "shown" is said to Asterisk, and a crash between that and our note
of it shows a text twice rather than never. Must not know whose a text is. Invariant: only phones of
secretaries of the client's reach are told; a phone that is away holds up no other.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace

import structlog

from autocom.calls.containment import contained
from autocom.calls.ports import Gone, Messenger, ShownText, TelephoneDown
from autocom.core.posts import Post
from autocom.core.texting import SHOWABLE, audience
from autocom.core.texts import Incoming, Outgoing, Text
from autocom.news import IDLE, until
from autocom.texts import words
from autocom.texts.ledger import Ledger
from autocom.texts.reception import Reception

log = structlog.get_logger()

AGAIN = 2.0
"""Seconds after which a telephone that was away is tried again."""


class Display:
    """`posts`: the floor's, as they are now. Set `news` when somebody came or went."""

    def __init__(
        self,
        ledger: Ledger,
        reception: Reception,
        messenger: Messenger,
        posts: Callable[[], Mapping[str, Post]],
    ) -> None:
        self._ledger, self._reception, self._messenger, self._posts = ledger, reception, messenger, posts
        self.news = ledger.news()

    async def run(self) -> None:
        """Until cancelled."""
        clock = self._ledger.clock
        while True:
            self.news.clear()
            wake = clock.now() + IDLE
            try:
                for text in self._ledger.busy():
                    await self._look_at(text)
            except TelephoneDown as down:
                log.info("texts not shown, tried again", why=str(down))
                wake = clock.now() + AGAIN
                self.news.clear()
            await until(clock, wake, self.news)

    async def _look_at(self, text: Text) -> None:
        """What is to be said about it. Raises TelephoneDown; a text that crashes holds up no other."""
        down: TelephoneDown | None = None
        with contained("showing a text crashed", lambda _: None, text=text.id):
            try:
                await self._tell_of(text)
            except TelephoneDown as error:
                down = error
        if down is not None:
            raise down

    async def _tell_of(self, text: Text) -> None:
        match text:
            case Incoming(shown=()) if self._ledger.clock.now() - text.at < SHOWABLE:
                await self._show(text)
            case Incoming(answered=str(), told=False):
                await self._tell_answered(text)
            case Outgoing(state="failed", told=False, secretary=str(who)):
                await self._say(who, words.failed(text, self._language, self._ledger.plan))
                self._told(text)
            case _:
                pass

    @property
    def _language(self) -> str:
        return self._ledger.configuration().bureau.language

    async def _show(self, text: Incoming) -> None:
        configuration = self._ledger.configuration()
        # a client that is gone from the configuration: whoever serves unknown numbers
        client = configuration.clients.get(text.client)
        if client is None:
            client = configuration.clients[configuration.bureau.unknown_client]
        pieces = words.shown(text, client, self._language, self._ledger.plan)
        reached = [
            name
            for name in audience(configuration, client, self._posts())
            if all([await self._say(name, piece) for piece in pieces])
        ]
        self._reception.shown(text.id, reached)

    async def _tell_answered(self, text: Incoming) -> None:
        configuration = self._ledger.configuration()
        client = configuration.clients.get(text.client)
        who = configuration.secretaries.get(text.answered or "")
        said = words.said(
            self._language,
            "answered",
            reference=text.reference,
            client=client.display if client else text.client,
            name=who.name if who else text.answered,
        )
        for name in text.shown:
            if name != text.answered:
                await self._say(name, ShownText(words.SERVICE, words.SERVICE, said))
        self._told(text)

    def _told(self, text: Incoming | Outgoing) -> None:
        known = self._ledger.incoming(text.id) or self._ledger.outgoing(text.id)
        if known is not None:
            self._ledger.put([replace(known, told=True)])

    async def _say(self, secretary: str, text: ShownText) -> bool:
        """Whether Asterisk took it for her phone."""
        try:
            await self._messenger.show_text(secretary, text)
        except (Gone, ValueError):
            return False
        await asyncio.sleep(0)
        return True
