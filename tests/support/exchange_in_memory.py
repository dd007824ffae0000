"""The stories over fakes in virtual time: a whole exchange without Asterisk, PostgreSQL or real seconds.

`Bench` owns what outlives the exchange (the telephone, the journal, the clock) and can start, kill and
start the exchange again on them.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence

from autocom.calls.dispatcher import Dispatcher
from autocom.calls.outside import Ports
from autocom.calls.ports import Advice, Stored
from autocom.calls.switchboard import Switchboard
from autocom.core.codec import Codec
from autocom.core.floor_words import LoggedIn
from autocom.core.journal import CallRecord, Entry, Json, Segment
from autocom.core.model import (
    Audio,
    Bureau,
    Client,
    Configuration,
    Enqueue,
    Hours,
    Line,
    Music,
    Play,
    Rule,
    Secretary,
    StockSounds,
    Team,
    Trunk,
)
from autocom.core.numbers import FRANCE
from autocom.core.posts import Post, Waiter
from autocom.core.record import project, segments
from autocom.core.story import Story
from tests.support.fake_telephone import FakeTelephone
from tests.support.virtual import VirtualClock

WELCOME = Audio("welcome", "welcome", 4.0)
CLOSED = Audio("closed", "closed", 3.0)
NOBODY = Audio("nobody", "nobody", 2.0)
IN_PROGRESS = Audio("message-in-progress", "in-progress", 60.0)
CALM = Music("calm", "music-calm")
ALWAYS = Hours("Europe/Paris", {})
CODEC = Codec((Story, Post, Waiter))


def client(name: str, did: str, *steps: object, **changes: object) -> Client:
    """A client with one rule."""
    do = steps or (Play(WELCOME), Enqueue("medical", CALM, ring_for=12.0))
    fields: dict[str, object] = {
        "id": name,
        "name": name.title(),
        "display": name.title(),
        "profile": "general",
        "lines": (Line(did),),
        "hours": ALWAYS,
        "rules": (Rule("open", None, do),),  # type: ignore[arg-type]
    }
    return Client(**{**fields, **changes})  # type: ignore[arg-type]


def configuration(*clients: Client, **secretaries: Mapping[str, int]) -> Configuration:
    """A bureau with these clients and these secretaries (id → levels by team)."""
    everybody = clients or (client("lilas", "+33199001001"),)
    staff = secretaries or {"lea": {"medical": 1}, "ines": {"medical": 2}}
    return Configuration(
        version="v1",
        bureau=Bureau("Test", "+33199001000", "FR", "Europe/Paris", "fr", everybody[0].id),
        trunks={"operator": Trunk("operator", ("127.0.0.1",))},
        secretaries={
            s: Secretary(s, s, str(200 + n), "x", teams) for n, (s, teams) in enumerate(staff.items())
        },
        teams={"medical": Team("medical")},
        clients={c.id: c for c in everybody},
        stock=StockSounds(NOBODY, CLOSED, NOBODY, NOBODY, Music("stock", "music-stock"), IN_PROGRESS),
    )


class MemoryJournal:
    """The `Journal` port in memory; `before` may kill the exchange ahead of a save."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.calls: dict[str, Json] = {}
        self.floor: dict[str, Json] = {}
        self.followers: list[asyncio.Queue[Entry]] = []

    def save(
        self,
        entries: Sequence[Entry] = (),
        *,
        calls: Mapping[str, Json] | None = None,
        floor: Mapping[str, Json] | None = None,
    ) -> None:
        self.entries.extend(entries)
        for follower in self.followers:
            for entry in entries:
                follower.put_nowait(entry)
        for table, rows in ((self.calls, calls or {}), (self.floor, floor or {})):
            for key, row in rows.items():
                if row is None:
                    table.pop(key, None)
                else:
                    table[key] = row

    def stored(self) -> Stored:
        return Stored(dict(self.calls), dict(self.floor))

    def rows(self, prefix: str) -> dict[str, Json]:
        return {key: row for key, row in self.floor.items() if key.startswith(prefix)}

    async def follow(self) -> AsyncIterator[Entry]:
        mine: asyncio.Queue[Entry] = asyncio.Queue()
        self.followers.append(mine)
        while True:
            yield await mine.get()


class Bench:
    """What outlives an exchange, and the exchange of the moment."""

    def __init__(self, configuration: Configuration) -> None:
        self.configuration = configuration
        self.clock = VirtualClock()
        self.telephone = FakeTelephone(
            self.clock, {"welcome": 4.0, "closed": 3.0, "nobody": 2.0, "in-progress": 60.0}
        )
        self.journal = MemoryJournal()
        self.switchboard: Switchboard | None = None
        self.advice: Advice | None = None
        self._task: asyncio.Task[None] | None = None
        self._ids = 0
        self.arrived: dict[str, float] = {}

    def start(self) -> None:
        """Start an exchange on what is there."""
        dispatcher = Dispatcher(self.telephone, self.journal, self.clock, CODEC)
        ports = Ports(self.telephone, self.journal, self.clock, dispatcher.submit, CODEC, self.advice)
        self.switchboard = Switchboard(ports, dispatcher, FRANCE, self._new_id)
        self.switchboard.restore(self.journal.stored())
        self._task = asyncio.ensure_future(self._serve())

    async def _serve(self) -> None:
        assert self.switchboard is not None
        await self.switchboard.run(self.configuration)

    def _new_id(self) -> str:
        self._ids += 1
        return f"c{self._ids}"

    async def kill(self) -> None:
        """As kill -9: whatever was not saved is forgotten; the telephone goes on without us."""
        self.telephone.lose_listener()
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def at_work(self, *secretaries: str) -> None:
        """Registered and logged in."""
        for who in secretaries:
            self.telephone.register(who)
        await self.pass_time(0.01)
        assert self.switchboard is not None
        for who in secretaries:
            self.switchboard.dispatcher.submit(LoggedIn(who))

    async def pass_time(self, seconds: float) -> None:
        """Let the world go on."""
        await asyncio.sleep(seconds)

    def over(self) -> bool:
        """Whether the exchange of the moment has ended."""
        return self._task is None or self._task.done()

    def world(self, at: float, channel: str, patience: float) -> asyncio.Task[None]:
        """A caller who dials at that time and hangs up after his patience, joined or not."""

        async def call() -> None:
            await asyncio.sleep(at)
            self.arrived[channel] = self.clock.now()
            self.telephone.call_in(channel, "0199001001")
            await asyncio.sleep(patience)
            self.telephone.caller_hangs_up(channel)

        return asyncio.ensure_future(call())

    def secretaries_hang_up_after(self, talk: float) -> asyncio.Task[None]:
        """Every joined secretary puts down after so many seconds of conversation."""

        async def watch() -> None:
            since: dict[str, float] = {}
            while True:
                await asyncio.sleep(0.1)
                for channel in list(self.telephone.channels.values()):
                    if channel.order is None or not channel.bridge:
                        continue
                    if self.clock.now() - since.setdefault(channel.id, self.clock.now()) >= talk:
                        self.telephone.phone_hangs_up(channel.id)

        return asyncio.ensure_future(watch())

    def failure(self) -> BaseException | None:
        """What ended the exchange, if it ended."""
        return self._task.exception() if self._task is not None and self._task.done() else None

    # --- what it left behind ---

    def of(self, call: str) -> list[Entry]:
        return [e for e in self.journal.entries if e.call == call]

    def record(self, call: str = "c1") -> CallRecord:
        return project(call, self.of(call))

    def segments(self, call: str = "c1") -> tuple[Segment, ...]:
        return segments(self.of(call))

    def kinds(self, call: str = "c1") -> list[str]:
        return [e.kind for e in self.of(call)]

    def state(self, who: str) -> str:
        assert self.switchboard is not None
        return self.switchboard.dispatcher.floor.posts[who].state


def heard(bench: Bench, channel: str = "chan-1") -> list[str]:
    """What was heard on a channel, in order."""
    found = bench.telephone.channels.get(channel) or bench.telephone.past[channel]
    return [what for _, what in found.heard]


def sounds(bench: Bench, channel: str = "chan-1") -> list[str]:
    """The same without the silences between."""
    return [what for what in heard(bench, channel) if what != "silence"]


def nothing_left(bench: Bench) -> None:
    """No channel, bridge or open call is left, nothing crashed, and the exchange runs."""
    assert bench.failure() is None, bench.failure()
    assert not bench.telephone.channels, list(bench.telephone.channels)
    assert not bench.telephone.bridges, bench.telephone.bridges
    assert not bench.journal.calls
    assert "crashed" not in {entry.kind for entry in bench.journal.entries}


async def over(bench: Bench) -> None:
    """Everybody hangs up, and a minute later there is nothing left."""
    for channel in list(bench.telephone.channels):
        bench.telephone.caller_hangs_up(channel)
    await bench.pass_time(60.0)
    nothing_left(bench)
