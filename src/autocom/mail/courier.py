"""Empties the outbox: what was decided on is sent once, and what was recorded is kept.

Whoever decides saves a letter's row with his decision; from there on it is this room's, also across
restarts. A lane for each route, so that a dead server holds up its own kind only, and a keeper for
recordings, which letters wait for. Invariant: nothing here raises into the calls. The story goes on
in `lane` and `keeper`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from autocom.calls.ports import Clock, Telephone
from autocom.core.journal import Json
from autocom.core.letters import LETTER, MAIL, TEXT, letters, waiting
from autocom.mail.keeper import Keeper
from autocom.mail.lane import Lane
from autocom.mail.outbox import Outbox
from autocom.mail.route import Route
from autocom.mail.shelf import VoiceShelf
from autocom.shelf import Aside

EVENTS = frozenset({"mail_queued", "voicemail_ended"})
"""Entries that say that something came."""


class Courier:
    """One for each exchange; `run` it in a task group. `routes` by name, those that are set up."""

    def __init__(
        self,
        outbox: Outbox,
        clock: Clock,
        telephone: Telephone,
        shelf: VoiceShelf,
        routes: Mapping[str, Route],
        aside: Aside = asyncio.to_thread,
    ) -> None:
        self._outbox = outbox
        self._lanes = [Lane(name, routes.get(name), outbox, clock, shelf) for name in (MAIL, TEXT)]
        self._keeper = Keeper(outbox, clock, telephone, shelf, self._recording_arrived, aside)

    async def run(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._listen())
            tasks.create_task(self._keeper.run())
            for lane in self._lanes:
                tasks.create_task(lane.run())

    def figures(self) -> dict[str, Json]:
        """For the status: letters that wait, and letters given up in the last week."""
        return {**waiting(letters(self._outbox.rows(LETTER))[0])}

    async def _listen(self) -> None:
        async for entry in self._outbox.follow():
            if entry.kind in EVENTS:
                self._keeper.news.set()
                self._recording_arrived()

    def _recording_arrived(self) -> None:
        for lane in self._lanes:
            lane.news.set()
