"""Builds the room of texts and ties it to its neighbours: the journal, PostgreSQL, Asterisk's spool, the API.

The one place that knows all of them; decides nothing about texts. PostgreSQL away is an answer here, never an
error. The story goes on in `texts.room`.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import structlog
from sqlalchemy.exc import DataError, IntegrityError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine
from watchfiles import awatch

from autocom.asterisk import text_spool
from autocom.calls.containment import contained
from autocom.calls.ports import Clock, Messenger
from autocom.calls.switchboard import Switchboard
from autocom.core.journal import Json
from autocom.core.model import Configuration
from autocom.core.posts import Post
from autocom.core.texting import Wish
from autocom.core.texts import Outgoing, Text, outgoing_id
from autocom.journal import texts as stored
from autocom.journal.shipper import PATIENCE_S
from autocom.lane import Refused
from autocom.mail.route import Parcel
from autocom.shared_journal import SharedJournal
from autocom.texts.despatch import Despatch
from autocom.texts.ledger import Ledger
from autocom.texts.office import WHY, TextOffice
from autocom.texts.room import Spool, TextRoom
from autocom.texts.shelf import AttachmentShelf

log = structlog.get_logger()

ANEW = 5.0
"""Seconds after which a part that crashed is begun anew."""


def attachment_shelf(state: Path) -> AttachmentShelf:
    """Where the attachments of a state folder are."""
    return AttachmentShelf(state / "attachments")


def spool_folder(state: Path) -> Path:
    """Where Asterisk writes texts down."""
    return state / "asterisk" / "texts"


class PostgresLibrary:
    """See `texts.archive.Library`. An answer that takes longer than `patience` seconds is none: a frozen server answers
    nothing, not even its own statement_timeout."""

    def __init__(self, engine: AsyncEngine, patience: float = PATIENCE_S) -> None:
        self._engine, self._patience = engine, patience
        self._away = False

    async def store(self, text: Text) -> bool:
        """See `Library`."""
        async with self._asked():
            try:
                await stored.store(self._engine, text)
            except (DataError, IntegrityError) as error:
                # said of this text, not of the database: the others must pass
                log.error("a text is refused by PostgreSQL", text=text.id, why=type(error).__name__)
            self._away = False
            return True
        return False

    async def listed(self, client: str | None, limit: int) -> list[dict[str, Json]]:
        """See `Library`."""
        async with self._asked():
            return await stored.listed(self._engine, client=client, limit=limit)
        return []

    async def found(self, wanted: str) -> list[dict[str, Json]]:
        """See `Library`."""
        async with self._asked():
            return await stored.found(self._engine, wanted)
        return []

    async def attachments(self) -> set[str] | None:
        """See `Library`."""
        async with self._asked():
            return await stored.attachments(self._engine)
        return None

    def told(self, text: Text) -> dict[str, Json]:
        """See `Library`."""
        return stored.as_told(text)

    @asynccontextmanager
    async def _asked(self) -> AsyncIterator[None]:
        """What is asked in the block; where PostgreSQL is away, the block ends here."""
        try:
            async with asyncio.timeout(self._patience):
                yield
        except (SQLAlchemyError, OSError) as error:
            if not self._away:
                self._away = True
                # its kind only: the words quote the row
                log.warning("texts cannot be stored or read now", why=type(error).__name__)


class NoteRoute:
    """The mail room's way of texts: a rule's `message` to a number becomes a text like any other. See `mail.route`."""

    def __init__(self, despatch: Despatch) -> None:
        self._despatch = despatch

    async def send(self, parcel: Parcel) -> None:
        """Taken once it is saved: from there on it is the room of texts that tries again."""
        letter = parcel.letter
        wish = Wish(
            outgoing_id("rule", letter.id), letter.client, letter.to, parcel.body, author="rule", written=True
        )
        made = self._despatch.send(wish)
        if not isinstance(made, Outgoing):
            raise Refused(WHY[made])


class Texts:
    """The room, its office, and the tasks that feed it."""

    def __init__(
        self,
        state: Path,
        journal: SharedJournal,
        clock: Clock,
        messenger: Messenger,
        switchboard: Switchboard,
        engine: AsyncEngine,
        configuration: Callable[[], Configuration],
    ) -> None:
        self._journal, self._folder = journal, spool_folder(state)

        def posts() -> Mapping[str, Post]:
            return switchboard.dispatcher.floor.posts

        ledger = Ledger(journal, clock, switchboard.plan, configuration)
        self.room = TextRoom(
            ledger=ledger,
            messenger=messenger,
            posts=posts,
            spool=Spool(
                partial(text_spool.read, self._folder),
                partial(text_spool.forget, self._folder),
                partial(text_spool.put_aside, self._folder),
            ),
            library=PostgresLibrary(engine),
            shelf=attachment_shelf(state),
        )
        self.notes = NoteRoute(self.room.despatch)
        self.office = TextOffice(self.room, lambda: secrets.token_hex(16))

    def figures(self) -> dict[str, Json]:
        """For the status."""
        return self.room.ledger.figures()

    async def run(self) -> None:
        """Until cancelled. What crashes is begun anew: no text may end the exchange, and with it every call."""
        async with asyncio.TaskGroup() as tasks:
            for part in (self.room.run, self._listen, self._watch):
                tasks.create_task(self._kept_up(part))

    async def _kept_up(self, part: Callable[[], Awaitable[None]]) -> None:
        clock = self.room.ledger.clock
        while True:
            with contained("texts crashed, begun anew", lambda _: None, part=part.__qualname__):
                await part()
            await clock.until(clock.now() + ANEW)

    async def _listen(self) -> None:
        """Somebody came to work, or another configuration is in force."""
        async for entry in self._journal.follow():
            if entry.kind == "secretary_state":
                self.room.display.news.set()
            elif entry.kind == "configuration":
                self.room.configured()
                self.room.display.news.set()

    async def _watch(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        async for _ in awatch(self._folder, debounce=50, step=20, recursive=False):
            self.room.came.set()
