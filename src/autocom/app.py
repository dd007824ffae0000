"""Builds every part and runs them together: the one place that knows all rooms.

`up` starts what is missing (PostgreSQL, Asterisk), `serve` uses what runs elsewhere; both then run
the same parts in one task group. Order of a start: configuration, log, then PostgreSQL and Asterisk
side by side, then doors (HTTP, FastAGI), then calls. PostgreSQL is never waited for: calls go on
without it. A killed process leaves Asterisk, PostgreSQL and every call running for the next one.
"""

from __future__ import annotations

import asyncio
import gc
import os
import secrets
import signal
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial

import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine
from watchfiles import awatch

from autocom import fallback, post_room, rescuing, same_clock, standby, systemd, tape_room
from autocom.advice import HttpAdvice
from autocom.asterisk.agi import AgiServer, feature_route
from autocom.asterisk.ami import Ami
from autocom.asterisk.conf.text import Unwritable
from autocom.asterisk.private import AsteriskFailed
from autocom.asterisk.telephone import AsteriskTelephone
from autocom.banning import Banning, banning
from autocom.calls.dispatcher import Dispatcher
from autocom.calls.lamps import Lamps
from autocom.calls.line import Ports
from autocom.calls.ports import Clock
from autocom.calls.switchboard import Switchboard
from autocom.config import AudioShelf, Loaded, SayCommand, plan_of, stock_folder
from autocom.core.codec import Codec
from autocom.core.journal import Entry
from autocom.core.model import Bureau, Client, Configuration
from autocom.core.posts import Post, Waiter
from autocom.core.story import Story
from autocom.doors import open_doors
from autocom.exchange import CannotApply, ConfigurationSource, RunningExchange, SharedJournal
from autocom.forgetting import forget_in_time
from autocom.foundations import CannotServe, Ground, Told, certified, lay
from autocom.journal.database import make_engine
from autocom.journal.log import LocalLog
from autocom.journal.postgres import PrivatePostgres
from autocom.journal.shipper import Shipper
from autocom.keepers import DoorsMoved, keep_asterisk, keep_postgres
from autocom.news import heard
from autocom.papers import Papers
from autocom.pulse import Pulse
from autocom.reach import reach
from autocom.rescue.diary import Diary
from autocom.rescuing import Beside
from autocom.room_left import RoomLeft
from autocom.settings import Settings
from autocom.state import Card, lock, write_card
from autocom.tapes.keeper import TapeKeeper
from autocom.telling import Telling
from autocom.text_room import Texts
from autocom.versions import Versions
from autocom.watching import watch

log = structlog.get_logger()

BASE32 = "0123456789abcdefghijklmnopqrstuv"
CODEC_ROOTS = (Story, Post, Waiter)
CALLS_FIRST = 5.0
"""Seconds that the journal's database waits for the calls of the last process to be taken over."""
LAST_TAPES = 3.0
"""Seconds at the end of the service in which recordings are encrypted."""


def new_call_id() -> str:
    """`c` and 16 characters: 48 bits of milliseconds, 32 of chance. Sorts by time, unique across nodes."""
    number = (time.time_ns() // 1_000_000) << 32 | secrets.randbits(32)
    return "c" + "".join(BASE32[number >> shift & 31] for shift in range(75, -1, -5))


@dataclass(frozen=True, slots=True)
class Parts:
    """What runs."""

    exchange: RunningExchange
    switchboard: Switchboard
    shipper: Shipper
    telephone: AsteriskTelephone
    asterisk: Ground
    database: str


async def run(
    settings: Settings,
    *,
    private: bool,
    say: Callable[[str], None],
    when_ready: Callable[[Parts], Awaitable[None]] | None = None,
) -> None:
    """Serve until SIGTERM or SIGINT, then drain. `private`: start what is missing, and stop it at the end.

    Raises CannotServe, StateBusy, ConfigurationRefused and what the parts say when they cannot start."""
    told = Told(say)
    with lock(settings.state):
        async with AsyncExitStack() as stack:
            await _Building(settings, told, stack, private=private).serve(when_ready)


class _Building:
    """One process's parts, from the first to the last. The exit stack owns what must be stopped."""

    def __init__(self, settings: Settings, told: Told, stack: AsyncExitStack, *, private: bool) -> None:
        self.settings, self.told, self.stack, self.private = settings, told, stack, private
        self.local = LocalLog(settings.state / "journal.sqlite")
        self.clock = same_clock.carried_on(self.local)
        stack.callback(self.local.close)
        self.papers = certified(settings, self.clock)
        self.stopping = asyncio.Event()
        self.at_once = asyncio.Event()
        self.rescuer, self.diary = Beside(settings.state), Diary(settings.state)
        self.pulse: Pulse | None = None
        self.tapes: TapeKeeper | None = None
        self.bans: Banning | None = None

    async def serve(self, when_ready: Callable[[Parts], Awaitable[None]] | None) -> None:
        self._catch_signals()
        source, loaded = await self._configuration()
        asterisk, database = await self._lay(loaded)
        doors = asterisk.doors
        engine = make_engine(database)
        self.stack.push_async_callback(engine.dispose)
        shipper = Shipper(self.local, engine)
        journal = SharedJournal(self.local)
        ami = Ami(doors.ami_host, doors.ami_port, doors.ami_user, doors.ami_password)
        telephone = AsteriskTelephone(
            doors.ari_url, doors.ari_user, doors.ari_password, ami=ami, clock=self.clock
        )
        switchboard = self._switchboard(telephone, journal, loaded.configuration.bureau.country)

        async def apply(configuration: Configuration) -> None:
            try:
                await asterisk.apply(configuration, ami)
            except (AsteriskFailed, Unwritable, OSError) as error:
                raise CannotApply(str(error)) from error

        exchange = RunningExchange(
            switchboard, journal, shipper, source, apply, Versions(self.settings.state)
        )
        exchange.prompts = loaded.media
        exchange.websocket, exchange.certificate = doors.websocket, self.papers.status

        def configuration() -> Configuration:
            return switchboard.configuration or loaded.configuration

        texts, self.bans = (
            self._texts(exchange, telephone, engine, configuration),
            banning(exchange, asterisk, ami),
        )
        parts = Parts(exchange, switchboard, shipper, telephone, asterisk, database)
        self._begin(parts)
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(_ship(database, shipper, switchboard.met))
                tasks.create_task(self._agi(exchange))
                phone = tasks.create_task(telephone.run())
                await self._http(exchange, database, loaded.configuration.bureau, texts)
                tasks.create_task(texts.run())
                tasks.create_task(self._post(exchange, telephone, texts))
                tasks.create_task(self._tapes(exchange, telephone))
                tasks.create_task(self._watch(exchange))
                tasks.create_task(self._keep(parts, configuration, engine))
                calls = tasks.create_task(switchboard.run(loaded.configuration))
                tasks.create_task(self._announce(parts, loaded, when_ready))
                await self.stopping.wait()
                await self._drain(parts)
                calls.cancel()
                phone.cancel()
                raise _Stopped
        except* _Stopped:
            pass
        journal.save([Entry(self.clock.now(), "service", None, {"event": "stopped", "detail": ""})])
        await _last_shipping(shipper)

    # --- foundations ---

    async def _lay(self, loaded: Loaded) -> tuple[Ground, str]:
        """Asterisk, and the URL of PostgreSQL; the rescuer is told, and ends with what we have started."""
        if self.private:
            self.stack.push_async_callback(self.rescuer.stop)
        asterisk, database = await lay(
            self.settings, loaded, self.papers, self.told, self.stack, private=self.private
        )
        rescuing.tell(self.settings.state, asterisk)
        return asterisk, database

    def _switchboard(self, telephone: AsteriskTelephone, journal: SharedJournal, country: str) -> Switchboard:
        """With every call that the last process left open."""
        codec = Codec(CODEC_ROOTS, kept=(Client,))
        dispatcher = Dispatcher(telephone, journal, self.clock, codec)
        advice = HttpAdvice()
        self.stack.push_async_callback(advice.close)
        ports = Ports(telephone, journal, self.clock, dispatcher.submit, codec, advice)
        switchboard = Switchboard(ports, dispatcher, plan_of(country), new_call_id)
        switchboard.restore(journal.stored())
        switchboard.lives.rescued, switchboard.lives.believed = self.diary.is_marked, self.diary.unmark
        return switchboard

    def _begin(self, parts: Parts) -> None:
        """Write down that we are here; beat from now on."""
        parts.exchange.note("started", f"pid {os.getpid()}")
        self.pulse = rescuing.beating(parts.exchange, parts.telephone, self.settings.state)
        self.stack.callback(self.pulse.stop)

    def _texts(
        self,
        exchange: RunningExchange,
        telephone: AsteriskTelephone,
        engine: AsyncEngine,
        configuration: Callable[[], Configuration],
    ) -> Texts:
        telephone.sip_host = reach(self.settings).host
        state, journal, board = self.settings.state, exchange.journal, exchange.switchboard
        texts = Texts(state, journal, self.clock, telephone, board, engine, configuration)
        exchange.texts = texts.figures
        return texts

    async def _configuration(self) -> tuple[ConfigurationSource, Loaded]:
        settings = self.settings
        shelf = AudioShelf(
            settings.state / "audio", settings.config / "sounds", stock_folder(), SayCommand(settings.say)
        )
        source = ConfigurationSource(settings.config, shelf, self.clock, settings.language)
        async with self.told.step(f"configuration {settings.config}"):
            return source, await source.read()

    # --- doors ---

    async def _http(self, exchange: RunningExchange, database: str, bureau: Bureau, texts: Texts) -> None:
        token, settings = secrets.token_urlsafe(24), self.settings
        assert self.bans is not None
        await open_doors(settings, exchange, token, self.papers, texts.office, self.stack, self.bans)
        card = Card(
            os.getpid(), f"http://{settings.http_bind}", token, database, bureau.timezone, bureau.language
        )
        write_card(settings.state, card)

    async def _post(self, exchange: RunningExchange, telephone: AsteriskTelephone, texts: Texts) -> None:
        """Mail and rules' texts go out, and recordings come in."""
        courier = post_room.courier(self.settings, exchange.journal, self.clock, telephone, texts.notes)
        exchange.mail = courier.figures
        await courier.run()

    async def _tapes(self, exchange: RunningExchange, telephone: AsteriskTelephone) -> None:
        """Recorded conversations are encrypted, and erased in time."""
        lines = exchange.switchboard.lines
        self.tapes = tape_room.keeper(self.settings, exchange.journal, self.clock, telephone, lambda: lines)
        await self.tapes.run()

    async def _agi(self, exchange: RunningExchange) -> None:
        bind = self.settings.agi_bind
        server = AgiServer(bind.host, bind.port, {"feature": feature_route(exchange.feature)})
        try:
            await server.run()
        except OSError as error:
            raise CannotServe(
                f"AUTOCOM_AGI_BIND: cannot listen on {bind}: {error.strerror or error}"
            ) from None

    async def _watch(self, exchange: RunningExchange) -> None:
        """Files that change are a reload, as if it had been asked for."""
        async for _ in awatch(self.settings.config, debounce=400, step=100, recursive=True):
            await exchange.reload("file change")

    async def _keep(
        self, parts: Parts, configuration: Callable[[], Configuration], engine: AsyncEngine
    ) -> None:
        """What was started here is started again when it dies; the fallback is told and listened to."""
        exchange, asterisk = parts.exchange, parts.asterisk
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(fallback.keep_told(exchange, parts.telephone))
                tasks.create_task(
                    standby.keep_written(
                        self.settings.state / "asterisk", configuration, parts.switchboard.plan, self.clock
                    )
                )
                tasks.create_task(rescuing.keep_gate_open(exchange, parts.telephone))
                tasks.create_task(rescuing.keep_read(self.diary, exchange))
                if self.private and asterisk.ours:
                    tasks.create_task(self.rescuer.keep())
                tasks.create_task(_renew(self.papers, parts))
                tasks.create_task(_lamps(parts, self.clock).run())
                if self.bans is not None:
                    tasks.create_task(self.bans.run())
                tasks.create_task(watch(exchange, parts.telephone))
                told = Telling(
                    exchange, parts.telephone, parts.shipper, self.local, parts.database, configuration
                )
                tasks.create_task(told.run())
                tasks.create_task(same_clock.watch(self.clock, exchange.note))
                tasks.create_task(RoomLeft(self.local, parts.shipper, exchange.journal, self.clock).run())
                tasks.create_task(self._import_late_calls(parts, configuration))
                tasks.create_task(forget_in_time(engine, exchange.journal, self.clock, configuration))
                if asterisk.server is not None:
                    tasks.create_task(
                        keep_asterisk(asterisk.server, configuration, self.clock, exchange.note)
                    )
                if asterisk.elsewhere is not None:
                    tasks.create_task(asterisk.elsewhere.keep_read(parts.telephone.ami))
                if self.settings.database_url is None:
                    tasks.create_task(keep_postgres(PrivatePostgres(self.settings.state), parts.database))
        except* DoorsMoved as moved:
            raise CannotServe(str(moved.exceptions[0])) from None

    async def _import_late_calls(self, parts: Parts, configuration: Callable[[], Configuration]) -> None:
        """Once it is known which calls go on: a story that crashed has left a mark for its own."""
        spooled = self.settings.state / "asterisk" / "fallback"
        await parts.switchboard.met.wait()
        board = parts.switchboard
        is_open = board.lives.by_channel.__contains__
        await fallback.keep_imported(spooled, parts.exchange.journal, configuration, board.plan, is_open)

    # --- ready, and the end ---

    async def _announce(
        self, parts: Parts, loaded: Loaded, when_ready: Callable[[Parts], Awaitable[None]] | None
    ) -> None:
        await parts.switchboard.met.wait()
        if parts.switchboard.configuration is loaded.configuration:  # else a reload was quicker
            await parts.exchange.adopt(loaded, "start")
        # what stands now stands for ever: a full collection of it would hold every call up for 90 ms
        gc.collect()
        gc.freeze()
        settings = self.settings
        self.told.say(
            f"ready  sip {settings.sip_bind}  http {settings.http_bind}  "
            f"{len(loaded.configuration.clients)} clients  {len(loaded.configuration.secretaries)} secretaries  "
            f"version {loaded.configuration.version}  state {settings.state}"
        )
        systemd.notify("READY=1")
        if when_ready is not None:
            await when_ready(parts)
        if self.pulse is not None:
            self.pulse.armed = True

    def _catch_signals(self) -> None:
        loop = asyncio.get_running_loop()

        def stop() -> None:
            if self.stopping.is_set():
                self.at_once.set()
            self.stopping.set()

        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop)

    async def _drain(self, parts: Parts) -> None:
        """Take no new calls, let the ones that talk end, for a while; a second signal ends the patience."""
        parts.exchange.draining = True
        parts.switchboard.draining = True
        parts.telephone.feed.taking_calls = False
        systemd.notify("STOPPING=1")
        deadline = self.clock.now() + self.settings.drain
        if parts.switchboard.busy:
            self.told.say(f"draining {parts.switchboard.busy} calls for at most {self.settings.drain:.0f} s")
        while parts.switchboard.busy and self.clock.now() < deadline and not self.at_once.is_set():
            await heard(self.at_once, 0.1)
        if parts.asterisk.ours:
            await parts.switchboard.hang_up_all()
        if self.tapes is not None:
            await self.tapes.last_look(LAST_TAPES)


class _Stopped(Exception):  # noqa: N818
    """The way out of the task group after a drain."""


class _CannotMigrate(Exception):  # noqa: N818 - says what is the case
    """A database of a newer version, or a step that is missing."""


def _migrate(url: str) -> None:
    """Alembic is a quarter of all that a start has to import: whoever waits on the line does not wait for it."""
    from alembic.util import CommandError  # noqa: PLC0415

    from autocom.journal import migrate  # noqa: PLC0415

    try:
        migrate.upgrade(url)
    except CommandError as error:
        raise _CannotMigrate(str(error)) from error


async def _ship(url: str, shipper: Shipper, met: asyncio.Event) -> None:
    """Migrate as soon as PostgreSQL is there and the calls are taken over, then copy the log to it."""
    pause = 0.2
    await heard(met, CALLS_FIRST)
    while True:
        try:
            await asyncio.to_thread(_migrate, url)
        except (SQLAlchemyError, OSError, _CannotMigrate) as error:
            log.error("database away, calls go on without it", why=str(error).splitlines()[0], retry_s=pause)
            await asyncio.sleep(pause)
            pause = min(pause * 2, 10.0)
        else:
            break
    await shipper.run()


def _lamps(parts: Parts, clock: Clock) -> Lamps:
    board = parts.switchboard
    return Lamps(
        parts.telephone, clock, board.dispatcher, parts.exchange.journal, lambda: board.configuration
    )


async def _renew(papers: Papers, parts: Parts) -> None:
    """The certificate, for ever, and whenever a reload is asked for."""
    reload = partial(parts.asterisk.read_certificate, parts.telephone.ami)
    parts.exchange.renew = partial(papers.look, reload)
    await papers.watch(parts.exchange.renew)


async def _last_shipping(shipper: Shipper) -> None:
    """What was written in the last moment reaches PostgreSQL now, or at the next start."""
    async with asyncio.TaskGroup() as tasks:
        shipping = tasks.create_task(shipper.run())
        await shipper.flush(2.0)
        shipping.cancel()
