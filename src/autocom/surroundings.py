"""Everything that calls do not wait for: the journal's database, doors, mail, texts, alerts, keepers, watches.

`app` takes the calls over first and then loads this module, in a thread, since its imports take longer than all that a
ring needs. What runs here hears every journal entry since the process began (`SharedJournal` keeps the early ones); what
is begun anew hears those from then on, and catches up by itself.
Invariant: nothing here is needed to ring a phone; what fails, by the machine or by a bug, is begun anew (`steadfast`), and
only what keeps a start from being complete ends the exchange.
"""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import AsyncExitStack
from functools import partial

from sqlalchemy.ext.asyncio import AsyncEngine
from watchfiles import awatch

from autocom import archive, fallback, post_room, rescuing, same_clock, standby, tape_room
from autocom.asterisk.agi import AgiServer, feature_route
from autocom.banning import Banning, banning
from autocom.calls.lamps import Lamps
from autocom.doors import open_doors
from autocom.forgetting import forget_in_time
from autocom.foundations import CannotServe
from autocom.journal.database import make_engine
from autocom.journal.postgres import PrivatePostgres
from autocom.journal.shipper import Shipper
from autocom.keepers import DoorsMoved, catch_up, keep_asterisk, keep_postgres
from autocom.papers import Papers
from autocom.parts import Parts
from autocom.reach import reach
from autocom.room_left import RoomLeft
from autocom.state import Card, write_card
from autocom.steadfast import steadfast
from autocom.tapes.keeper import TapeKeeper
from autocom.telling import Telling
from autocom.text_room import Texts
from autocom.watching import watch

CARD_WITHIN = 1.0
"""Seconds that "ready" waits for the card, by which commands find us: a full disk has none for a while."""
LAST_TAPES = 3.0
"""Seconds at the end of the service in which recordings are encrypted."""


class Surroundings:
    """Of one process. `run` it in the loop that the calls are in."""

    def __init__(self, parts: Parts, stack: AsyncExitStack, servers: AsyncExitStack) -> None:
        """`stack` closes what is opened here, `servers` stops what is started."""
        self.parts, self._stack, self._servers = parts, stack, servers
        self._shipper: Shipper | None = None
        self._tapes: TapeKeeper | None = None

    async def run(self, ready: Callable[[], Coroutine[None, None, None]]) -> None:
        """Until cancelled; `ready` is run beside once every door is open. Raises CannotServe and what the parts say
        when they cannot start."""
        parts, exchange = self.parts, self.parts.exchange
        if parts.predecessor is not None:
            await parts.predecessor.gone()
        database = await archive.lay(parts.settings, parts.told, self._servers)
        engine = make_engine(database)
        self._stack.push_async_callback(engine.dispose)
        exchange.shipper = shipper = self._shipper = Shipper(parts.local, engine)
        texts = self._texts(engine)
        bans = banning(exchange, parts.ground, parts.ami)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(steadfast("journal", partial(archive.ship, database, shipper), parts.failed))
            tasks.create_task(self._agi())
            card = await self._http(database, texts, bans)
            keep_card = partial(asyncio.to_thread, write_card, parts.settings.state, card)
            found = tasks.create_task(steadfast("card", keep_card, parts.failed))
            for what, begin in (
                ("texts", texts.run),
                ("post", lambda: self._post(texts)),
                ("recordings", self._keep_tapes),
                ("configuration", _again(self._watch_files, partial(exchange.reload, "file change"))),
                ("bans", bans.run),
            ):
                tasks.create_task(steadfast(what, begin, parts.failed))
            tasks.create_task(self._keep(shipper, engine, database))
            await asyncio.wait([found], timeout=CARD_WITHIN)
            tasks.create_task(ready())

    async def finish(self) -> None:
        """At the end of the service: what was recorded is encrypted."""
        if self._tapes is not None:
            await self._tapes.last_look(LAST_TAPES)

    async def ship_the_last(self) -> None:
        """After everything else has ended: what was written last reaches PostgreSQL."""
        if self._shipper is not None:
            await archive.ship_the_last(self._shipper)

    # --- doors ---

    async def _http(self, database: str, texts: Texts, bans: Banning) -> Card:
        """Open the doors; how commands find them."""
        parts, token = self.parts, secrets.token_urlsafe(24)
        settings, bureau = parts.settings, parts.configuration().bureau
        await open_doors(
            settings, parts.exchange, token, parts.papers, texts.office, self._stack, bans, parts.leaving
        )
        return Card(
            os.getpid(), f"http://{settings.http_bind}", token, database, bureau.timezone, bureau.language
        )

    async def _agi(self) -> None:
        bind = self.parts.settings.agi_bind
        server = AgiServer(bind.host, bind.port, {"feature": feature_route(self.parts.exchange.feature)})
        try:
            await server.run()
        except OSError as error:
            raise CannotServe(
                f"AUTOCOM_AGI_BIND: cannot listen on {bind}: {error.strerror or error}"
            ) from None

    def _texts(self, engine: AsyncEngine) -> Texts:
        parts, exchange = self.parts, self.parts.exchange
        parts.telephone.sip_host = reach(parts.settings).host
        texts = Texts(
            parts.settings.state,
            exchange.journal,
            parts.clock,
            parts.telephone,
            parts.switchboard,
            engine,
            parts.configuration,
        )
        exchange.texts = texts.figures
        return texts

    async def _post(self, texts: Texts) -> None:
        """Mail and rules' texts go out, and recordings come in."""
        parts, exchange = self.parts, self.parts.exchange
        courier = post_room.courier(
            parts.settings, exchange.journal, parts.clock, parts.telephone, texts.notes
        )
        exchange.mail = courier.figures
        await courier.run()

    async def _keep_tapes(self) -> None:
        """Recorded conversations are encrypted, and erased in time."""
        parts, lines = self.parts, self.parts.switchboard.lines
        self._tapes = tape_room.keeper(
            parts.settings, parts.exchange.journal, parts.clock, parts.telephone, lambda: lines
        )
        await self._tapes.run()

    async def _watch_files(self) -> None:
        """Files that change are a reload, as if it had been asked for."""
        async for _ in awatch(self.parts.settings.config, debounce=400, step=100, recursive=True):
            await self.parts.exchange.reload("file change")

    # --- keeping ---

    async def _keep(self, shipper: Shipper, engine: AsyncEngine, database: str) -> None:
        """What was started here is started again when it dies; the fallback is told and listened to."""
        parts, exchange, board = self.parts, self.parts.exchange, self.parts.switchboard
        room = RoomLeft(parts.local, shipper, exchange.journal, parts.clock)
        told = Telling(
            exchange, parts.telephone, shipper, parts.local, database, parts.configuration, room.behind
        )
        folder = parts.settings.state / "asterisk"

        def standing() -> Coroutine[None, None, None]:
            return standby.keep_written(
                folder, parts.configuration, board.overrides.all, board.plan, parts.clock.wall
            )

        keepers: list[tuple[str, Callable[[], Awaitable[None]]]] = [
            (
                "told",
                _again(
                    partial(fallback.keep_told, exchange, parts.telephone),
                    lambda: fallback.tell_all(exchange, parts.telephone, {}),
                ),
            ),
            ("standby", standing),
            ("rescued", lambda: rescuing.keep_read(parts.diary, exchange)),
            ("lamps", _lamps(parts).run),
            ("watch", lambda: watch(exchange, parts.telephone)),
            ("alerts", told.run),
            ("clock", lambda: same_clock.watch(parts.clock, exchange.note, board.wall_clock)),
            ("room", room.run),
            ("fallback", self._import_late_calls),
            ("retention", lambda: forget_in_time(engine, exchange.journal, parts.clock, parts.configuration)),
            *self._servers_kept(database),
        ]
        if parts.private and parts.ground.ours:
            keepers.append(("rescuer", parts.rescuer.keep))
        if parts.papers is not None:
            keepers.append(("certificate", partial(_renew, parts.papers, parts)))
        try:
            async with asyncio.TaskGroup() as tasks:
                for what, begin in keepers:
                    tasks.create_task(steadfast(what, begin, parts.failed))
                if parts.ground.server is not None:
                    note = parts.exchange.note
                    tasks.create_task(
                        keep_asterisk(parts.ground.server, parts.configuration, parts.clock, note)
                    )
        except* DoorsMoved as moved:
            raise CannotServe(str(moved.exceptions[0])) from None

    def _servers_kept(self, database: str) -> Iterator[tuple[str, Callable[[], Awaitable[None]]]]:
        parts, ground = self.parts, self.parts.ground
        if ground.elsewhere is not None:
            yield "asterisk", partial(ground.elsewhere.keep_read, parts.ami)
        if ground.server is not None:
            yield "asterisk", partial(catch_up, ground.server)
        if parts.settings.database_url is None:
            yield "postgresql", lambda: keep_postgres(PrivatePostgres(parts.settings.state), database)

    async def _import_late_calls(self) -> None:
        """Once it is known which calls go on: a story that crashed has left a mark for its own."""
        parts, board = self.parts, self.parts.switchboard
        spooled = parts.settings.state / "asterisk" / "fallback"
        await board.met.wait()
        is_open = board.lives.by_channel.__contains__
        await fallback.keep_imported(
            spooled, parts.exchange.journal, parts.configuration, board.plan, is_open
        )


def _again(
    begin: Callable[[], Awaitable[None]], catch_up: Callable[[], Awaitable[object]]
) -> Callable[[], Awaitable[None]]:
    """`begin`, which hears only what comes from then on: ahead of every beginning but the first, what came in the pause is
    caught up with."""
    before = False

    async def begun() -> None:
        nonlocal before
        if before:
            await catch_up()
        before = True
        await begin()

    return begun


def _lamps(parts: Parts) -> Lamps:
    board = parts.switchboard
    return Lamps(
        parts.telephone, parts.clock, board.dispatcher, parts.exchange.journal, lambda: board.configuration
    )


async def _renew(papers: Papers, parts: Parts) -> None:
    """The certificate, for ever, and whenever a reload is asked for."""
    reload = partial(parts.ground.read_certificate, parts.ami)
    parts.exchange.renew = partial(papers.look, reload)
    await papers.watch(parts.exchange.renew)
