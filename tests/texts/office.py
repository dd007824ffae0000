"""A room of texts in virtual time: fake phones, providers whose answers are the test's, a library in memory."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from autocom.calls.ports import Gone, ShownText, TelephoneDown
from autocom.core.journal import Entry, Json
from autocom.core.model import Client, Configuration, Enqueue, Line
from autocom.core.numbers import FRANCE
from autocom.core.posts import Post
from autocom.core.telephony import RawHeaders
from autocom.core.texts import Arrival, Incoming, Outgoing, Spooled, Text, Texting, TextProvider
from autocom.journal.texts import as_told
from autocom.texts.despatch import Despatch
from autocom.texts.ledger import Ledger
from autocom.texts.office import TextOffice
from autocom.texts.reception import Reception
from autocom.texts.room import Spool, TextRoom
from autocom.texts.shelf import AttachmentShelf
from tests.support.exchange_in_memory import MemoryJournal, client, configuration
from tests.support.virtual import VirtualClock

DID, LILAS_LINE, PATIENT = "+33199001001", "+33261912010", "+33639980101"


def bureau(*extra: Client, **changes: object) -> Configuration:
    """Lilas (general, team medical, her number verified), Keller (medical), and the reception for the unknown.
    Léa is of both teams, Inès of `medical`, Chloé of `other` alone."""
    lilas = client(
        "lilas",
        DID,
        Enqueue("medical"),
        outgoing_number=LILAS_LINE,
        outgoing_verified=True,
        code="12",
        display="Cab. Lilas",
    )
    keller = client("keller", "+33199001002", Enqueue("medical"), profile="medical", display="Cab. Keller")
    reception = client("accueil", "+33199001009", Enqueue("other"), display="Accueil")
    made = configuration(
        reception,
        lilas,
        keller,
        *extra,
        lea={"medical": 1, "other": 2},
        ines={"medical": 1},
        chloe={"other": 1},
    )
    providers = {"op": TextProvider("op", "webhook", url="http://127.0.0.1:1/", secret="hush-hush")}
    fields = {"texts": Texting(providers=providers), **changes}
    return replace(made, **fields)  # type: ignore[arg-type]


class Phones:
    """The port `Messenger`. `shown`: what each phone was told, in order; `away`: phones that are not there."""

    def __init__(self) -> None:
        self.shown: list[tuple[str, ShownText]] = []
        self.outside: list[tuple[str, str, str, str, str]] = []
        self.away: set[str] = set()
        self.down = False
        self.crash: set[str] = set()
        self.failure: Exception | None = None

    async def show_text(self, secretary: str, text: ShownText) -> None:
        await asyncio.sleep(0.01)
        if self.down:
            raise TelephoneDown("away")
        if secretary in self.away:
            raise Gone(secretary)
        if secretary in self.crash:
            raise ZeroDivisionError("a bug")
        self.shown.append((secretary, text))

    async def text_outside(self, trunk: str, host: str, number: str, sender: str, body: str) -> None:
        await asyncio.sleep(0.01)
        if self.failure is not None:
            raise self.failure
        self.outside.append((trunk, host, number, sender, body))

    def told(self, secretary: str) -> list[str]:
        return [text.body for who, text in self.shown if who == secretary]


class Gateway:
    """A provider whose answers are the test's. `taken`: text id and part; `keys`: distinct texts."""

    def __init__(self, *, whole: bool = True) -> None:
        self.whole = whole
        self.taken: list[tuple[str, int]] = []
        self.asked: list[str] = []
        self.texts: dict[str, Outgoing] = {}
        self.answer: Callable[[Outgoing], None] = lambda _: None
        self._names = itertools.count(1)

    async def run(self) -> None:
        """Nothing."""

    async def send(self, text: Outgoing, part: int) -> str:
        self.asked.append(text.id)
        await asyncio.sleep(0.05)
        self.answer(text)
        self.taken.append((text.id, part))
        self.texts[text.id] = text
        await asyncio.sleep(0.01)
        return f"m{next(self._names)}"


async def at_once(what: Callable[[], object]) -> object:
    """Threads know no virtual time."""
    return what()


class Shelves:
    """The port `Library`: PostgreSQL in memory. `down`: it is away."""

    def __init__(self) -> None:
        self.rows: dict[str, dict[str, Json]] = {}
        self.down = False

    async def store(self, text: Text) -> bool:
        await asyncio.sleep(0.01)
        if not self.down:
            self.rows[text.id] = as_told(text)
        return not self.down

    async def listed(self, client: str | None, limit: int) -> list[dict[str, Json]]:
        return [] if self.down else [r for r in self.rows.values() if client in (None, r["client"])][-limit:]

    async def found(self, wanted: str) -> list[dict[str, Json]]:
        rows = [] if self.down else list(self.rows.values())
        return [row for row in rows if wanted in (row["id"], row["reference"])]

    async def attachments(self) -> set[str] | None:
        return None if self.down else set()

    def told(self, text: Text) -> dict[str, Json]:
        return as_told(text)


class House:
    """What outlives a room, and the room of the moment."""

    def __init__(self, folder: Path, made: Configuration | None = None) -> None:
        self.configuration = made or bureau()
        self.clock = VirtualClock()
        self.journal = MemoryJournal()
        self.phones = Phones()
        self.gateway = Gateway()
        self.library = Shelves()
        self.folder = folder
        self.posts: dict[str, Post] = {}
        self.spooled: list[Spooled] = []
        self.put_aside: list[Spooled] = []
        self._task: asyncio.Task[None] | None = None
        self._names = itertools.count(1)
        self.room: TextRoom
        self.office: TextOffice

    def start(self) -> None:
        """A room on what is there; its providers are the gateway."""
        ledger = Ledger(self.journal, self.clock, FRANCE, lambda: self.configuration)
        self.room = TextRoom(
            ledger,
            self.phones,
            lambda: self.posts,
            Spool(lambda: list(self.spooled), self.spooled.remove, self._aside),
            self.library,
            AttachmentShelf(self.folder / "attachments"),
            lambda *_: self.gateway,
            at_once,
        )
        self.office = TextOffice(self.room, lambda: f"key-{next(self._names)}")
        self._task = asyncio.ensure_future(self.room.run())

    @property
    def ledger(self) -> Ledger:
        return self.room.ledger

    @property
    def reception(self) -> Reception:
        return self.room.reception

    @property
    def despatch(self) -> Despatch:
        return self.room.despatch

    def _aside(self, text: Spooled) -> None:
        self.spooled.remove(text)
        self.put_aside.append(text)

    async def kill(self) -> None:
        """As kill -9."""
        assert self._task is not None
        assert not self._task.done(), self._task
        self._task.cancel()
        await asyncio.wait([self._task])

    def at_work(self, *names: str) -> None:
        for name in names:
            self.posts[name] = Post(name, registered=True, logged_in=True)
        self.room.display.news.set()

    def text_in(
        self, body: str = "Bonjour", *, did: str = DID, sender: str = PATIENT, **fields: object
    ) -> Incoming | None:
        arrival = Arrival("op", did, sender, body, **{"message": f"m{next(self._names)}", **fields})  # type: ignore[arg-type]
        return self.reception.received(arrival)

    def writes(self, who: str, to: str, body: str, *, complete: bool = True) -> None:
        """She writes from her softphone."""
        name = f"{next(self._names):020d}"
        self.spooled.append(
            Spooled(name, who, RawHeaders(request_user=to), "127.0.0.1:5060", body, complete=complete)
        )
        self.room.came.set()

    def entries(self, kind: str) -> list[Entry]:
        return [entry for entry in self.journal.entries if entry.kind == kind]

    def everything_written(self) -> str:
        """Every entry of the journal, as one text: nothing private may stand in it."""
        return repr(self.journal.entries)


def lines(*dids: str) -> tuple[Line, ...]:
    return tuple(Line(did) for did in dids)
