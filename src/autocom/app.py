"""Builds the exchange and runs it: first what a ring needs, then everything else.

`up` starts what is missing (PostgreSQL, Asterisk), `serve` uses what runs elsewhere; both then run the same parts in one
task group. Callers may be waiting while we start, so the order is: log, configuration, Asterisk, calls; only then the
rest is even imported (`surroundings`): PostgreSQL, doors, alerts. What stands here must therefore not import SQLAlchemy,
web routes or YAML; `tests/test_start.py` holds that. A killed process leaves Asterisk, PostgreSQL and every call
running for the next one.
"""

from __future__ import annotations

import asyncio
import gc
import os
import secrets
import signal
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import IO, TYPE_CHECKING, NoReturn

import structlog

from autocom import handover, rescuing, same_clock, systemd
from autocom.advice import HttpAdvice
from autocom.asterisk.ami import Ami
from autocom.asterisk.clock import SteadyClock
from autocom.asterisk.conf.text import Unwritable
from autocom.asterisk.private import AsteriskFailed
from autocom.asterisk.telephone import AsteriskTelephone
from autocom.calls.dispatcher import Dispatcher
from autocom.calls.outside import Ports
from autocom.calls.ports import Clock
from autocom.calls.switchboard import Switchboard
from autocom.config import AudioShelf, Loaded, SayCommand, kept, plan_of, stock_folder
from autocom.core.codec import Codec
from autocom.core.journal import Entry, Json
from autocom.core.model import Client, Configuration
from autocom.core.posts import Post, Waiter
from autocom.core.story import Story
from autocom.exchange import CannotApply, RunningExchange
from autocom.foundations import CannotServe, Ground, Told, certified, check_adoptable, lay
from autocom.journal.log import LocalLog
from autocom.leaving import Leaving, tell_systemd
from autocom.news import heard
from autocom.parts import Parts
from autocom.pulse import Pulse
from autocom.rescue.diary import Diary
from autocom.rescuing import Beside
from autocom.settings import Settings
from autocom.shared_journal import SharedJournal
from autocom.source import ConfigurationSource
from autocom.started import Started
from autocom.state import StateBusy, lock, say_stopping
from autocom.steadfast import steadfast
from autocom.versions import Versions

if TYPE_CHECKING:
    from autocom.surroundings import Surroundings

log = structlog.get_logger()

BASE32 = "0123456789abcdefghijklmnopqrstuv"
CODEC_ROOTS = (Story, Post, Waiter)
CALLS_FIRST = 5.0
"""Seconds that everything else waits for the calls of the last process to be taken over."""
LOOKED_AT = 0.1
"""Seconds that the lock is asked for again: `autocom doctor` may hold it for an instant, to see whether anybody does."""
LET_GO_WITHIN = 2.0
"""Seconds that a hand-over waits for everything to end: the next process waits for the lock, and callers ring."""
LOADING = 0.001
"""Seconds (usual: 0.005) that the calls' loop waits for the interpreter while the rest is loaded in a thread."""


def new_call_id() -> str:
    """`c` and 16 characters: 48 bits of milliseconds, 32 of chance. Sorts by time, unique across nodes."""
    number = (time.time_ns() // 1_000_000) << 32 | secrets.randbits(32)
    return "c" + "".join(BASE32[number >> shift & 31] for shift in range(75, -1, -5))


async def run(
    settings: Settings,
    *,
    private: bool,
    say: Callable[[str], None],
    when_ready: Callable[[Parts], Awaitable[None]] | None = None,
    take_over: bool = False,
) -> None:
    """Serve until SIGTERM or SIGINT, then drain. `private`: start what is missing, and stop it at the end. `take_over`:
    from the process that serves on this state folder, without ending its calls.

    Raises CannotServe, StateBusy, ConfigurationRefused and what the parts say when they cannot start."""
    if not private and not settings.database_url:
        raise CannotServe(
            "AUTOCOM_DATABASE_URL is not set: `autocom serve` needs a PostgreSQL that runs elsewhere"
        )
    told = Told(say)
    predecessor = await _relieve(settings, told, private=private) if take_over else None
    with await _locked(settings.state, handover.LOCK_WITHIN if predecessor else 0.0) as held:
        start: _Start | None = None
        try:
            async with AsyncExitStack() as servers, AsyncExitStack() as stack:
                start = _Start(settings, told, stack, servers, private=private)
                start.held, start.predecessor = held, predecessor
                await start.serve(when_ready)
        finally:
            if start is not None and start.left:
                _exit(sys.exception())


def _exit(error: BaseException | None = None) -> NoReturn:
    """End this process, and no child: asyncio kills those that it knows when they are forgotten (3.11), and Asterisk
    is one of them."""
    if error is not None:
        log.error("an error while letting go, the calls are the next process's all the same", exc_info=error)
    with suppress(OSError, ValueError):
        sys.stdout.flush()
    os._exit(0)


async def _relieve(settings: Settings, told: Told, *, private: bool) -> handover.Predecessor | None:
    """Prepare all that can go wrong while the old process serves, and ask it to let go. Raises what a start raises."""
    clock = SteadyClock()
    papers = certified(settings, clock)
    loaded = await _source(settings, clock).first()
    handover.check_log(settings)
    await check_adoptable(settings, loaded, papers.sip if papers else None, private=private)
    import_module("autocom.surroundings")
    async with told.step("taking over"):
        return await handover.relieve(settings)


async def _locked(state: Path, within: float) -> IO[str]:
    """The lock of the state folder, which somebody may be about to give back. Raises StateBusy."""
    deadline = time.monotonic() + max(within, LOOKED_AT)
    while True:
        try:
            return lock(state)
        except StateBusy:
            if time.monotonic() >= deadline:
                raise
        await asyncio.sleep(0.005)


def _source(settings: Settings, clock: Clock) -> ConfigurationSource:
    shelf = AudioShelf(
        settings.state / "audio", settings.config / "sounds", stock_folder(), SayCommand(settings.say)
    )
    memory = settings.state / kept.NAME
    return ConfigurationSource(settings.config, shelf, clock, settings.language, memory)


class _Start:
    """One process, from its first part to its last. `stack` closes what is ours, `servers` stops what was started."""

    def __init__(
        self, settings: Settings, told: Told, stack: AsyncExitStack, servers: AsyncExitStack, *, private: bool
    ) -> None:
        self.settings, self.told, self.private = settings, told, private
        self.stack, self.servers = stack, servers
        self.marks = Started()
        self.local = LocalLog(settings.state / "journal.sqlite")
        self.clock = same_clock.carried_on(self.local)
        stack.callback(self.local.close)
        self.papers = certified(settings, self.clock)
        self.marks.reached("log")
        self.stopping = asyncio.Event()
        self.at_once = asyncio.Event()
        self.pulse: Pulse | None = None
        self.surroundings: Surroundings | None = None
        self.adopted = self.ready = self.left = False
        self.held: IO[str] | None = None  # the lock
        self.predecessor: handover.Predecessor | None = None

    async def serve(self, when_ready: Callable[[Parts], Awaitable[None]] | None) -> None:
        """Until it is told to stop."""
        self._catch_signals()
        try:
            parts = await self._parts()
            await self._run(parts, when_ready)
        except BaseException:
            if self.adopted and not self.ready:
                # what we found has callers in it: the next start, with what is wrong mended, takes them over
                self.servers.pop_all()
            raise

    async def _run(self, parts: Parts, when_ready: Callable[[Parts], Awaitable[None]] | None) -> None:
        self._begin(parts)
        try:
            async with asyncio.TaskGroup() as tasks:
                phone = tasks.create_task(parts.telephone.run())
                calls = tasks.create_task(parts.switchboard.run(parts.loaded.configuration))
                gate = partial(rescuing.keep_gate_open, parts.exchange, parts.telephone)
                tasks.create_task(steadfast("gate", gate, parts.failed))
                around = tasks.create_task(self._surround(parts, when_ready))
                await self.stopping.wait()
                if parts.leaving.successor is None:
                    await self._drain(parts)
                else:
                    asyncio.get_running_loop().call_later(LET_GO_WITHIN, self._leave, parts)
                for task in (calls, phone, around):
                    task.cancel()
                raise _Stopped
        except* _Stopped:
            pass
        finally:
            if parts.leaving.successor is not None:
                self._let_go(parts, parts.leaving.successor)
        if not self.left:
            self._say_stopped(parts)
            if self.surroundings is not None:
                await self.surroundings.ship_the_last()

    # --- what a ring needs ---

    async def _parts(self) -> Parts:
        source, loaded = await self._configuration()
        self.marks.reached("configuration")
        rescuer, diary = Beside(self.settings.state), Diary(self.settings.state)
        if self.private:
            self.servers.push_async_callback(rescuer.stop)
        tls = self.papers.sip if self.papers is not None else None
        ground = await lay(self.settings, loaded, tls, self.told, self.servers, private=self.private)
        self.adopted = ground.server is not None and ground.server.adopted
        self.marks.reached("asterisk")
        rescuing.tell(self.settings.state, ground)
        doors, journal = ground.doors, SharedJournal(self.local)
        ami = Ami(doors.ami_host, doors.ami_port, doors.ami_user, doors.ami_password)
        telephone = AsteriskTelephone(
            doors.ari_url, doors.ari_user, doors.ari_password, ami=ami, clock=self.clock
        )
        switchboard = self._switchboard(telephone, journal, loaded.configuration.bureau.country)
        switchboard.lives.rescued, switchboard.lives.believed = diary.is_marked, diary.unmark
        exchange = RunningExchange(
            switchboard, journal, source, _applying(ground, ami), Versions(self.settings.state)
        )
        exchange.prompts, exchange.websocket = loaded.media, doors.websocket
        if self.papers is not None:
            exchange.certificate = self.papers.status
        return Parts(
            settings=self.settings,
            private=self.private,
            told=self.told,
            clock=self.clock,
            local=self.local,
            papers=self.papers,
            ground=ground,
            ami=ami,
            telephone=telephone,
            switchboard=switchboard,
            exchange=exchange,
            loaded=loaded,
            rescuer=rescuer,
            diary=diary,
            leaving=Leaving(telephone, _wall_clock, exchange.ready, exchange.note, self.stopping.set),
            predecessor=self.predecessor,
        )

    async def _configuration(self) -> tuple[ConfigurationSource, Loaded]:
        source = _source(self.settings, self.clock)
        async with self.told.step(f"configuration {self.settings.config}"):
            return source, await source.first()

    def _switchboard(self, telephone: AsteriskTelephone, journal: SharedJournal, country: str) -> Switchboard:
        """With every call that the last process left open."""
        codec = Codec(CODEC_ROOTS, kept=(Client,))
        dispatcher = Dispatcher(telephone, journal, self.clock, codec)
        advice = HttpAdvice()
        self.stack.push_async_callback(advice.close)
        ports = Ports(telephone, journal, self.clock, dispatcher.submit, codec, advice)
        switchboard = Switchboard(ports, dispatcher, plan_of(country), new_call_id)
        switchboard.restore(journal.stored())
        switchboard.wall_clock(self.clock.ahead)
        return switchboard

    def _begin(self, parts: Parts) -> None:
        """Write down that we are here; beat from now on."""
        parts.exchange.note("started", f"pid {os.getpid()}")
        self.pulse = rescuing.beating(parts.exchange, parts.telephone, self.settings.state)
        self.stack.callback(self.pulse.stop)

    # --- and the rest ---

    async def _surround(self, parts: Parts, when_ready: Callable[[Parts], Awaitable[None]] | None) -> None:
        """Load and run everything else, once the calls are taken over."""
        await heard(parts.switchboard.met, CALLS_FIRST)
        if parts.switchboard.met.is_set():
            self.marks.reached("calls")
            log.info("calls_taken_over", **self.marks.seconds)
        usual = sys.getswitchinterval()
        sys.setswitchinterval(LOADING)
        try:
            module = await asyncio.to_thread(import_module, "autocom.surroundings")
        finally:
            sys.setswitchinterval(usual)
            # off since the first import: most of what that made lives for ever, and was looked through ten times
            gc.enable()
        surroundings = self.surroundings = module.Surroundings(parts, self.stack, self.servers)
        await surroundings.run(lambda: self._announce(parts, when_ready))

    async def _announce(self, parts: Parts, when_ready: Callable[[Parts], Awaitable[None]] | None) -> None:
        await parts.switchboard.met.wait()
        loaded, settings = parts.loaded, self.settings
        if parts.switchboard.configuration is loaded.configuration:  # else a reload was quicker
            await parts.exchange.adopt(loaded, "start")
        parts.exchange.journal.begun()
        # what stands now stands for ever: a full collection of it would hold every call up for 90 ms
        gc.collect()
        gc.freeze()
        self.told.say(
            f"ready  sip {settings.sip_bind}  http {settings.http_bind}  "
            f"{len(loaded.configuration.clients)} clients  {len(loaded.configuration.secretaries)} secretaries  "
            f"version {loaded.configuration.version}  state {settings.state}"
        )
        self.ready = True
        systemd.notify("READY=1")
        if when_ready is not None:
            await when_ready(parts)
        if self.pulse is not None:
            self.pulse.armed = True

    # --- the end ---

    def _say_stopped(self, parts: Parts) -> None:
        fields: dict[str, Json] = {"event": "stopped", "detail": ""}
        parts.exchange.journal.save([Entry(self.clock.now(), "service", None, fields)])

    def _let_go(self, parts: Parts, successor: int) -> None:
        """Nothing acts any more: give all of it to the process that waits for it, before we close the rest, and whatever
        went wrong meanwhile."""
        self.left = True
        self.servers.pop_all()  # they stay, with every call in them
        tell_systemd(successor, systemd.notify)
        self._say_stopped(parts)
        self.local.close()
        if self.held is not None:
            self.held.close()

    def _leave(self, parts: Parts) -> None:
        """Something does not end, and the next process waits."""
        if not self.left and parts.leaving.successor is not None:
            log.error("not everything ended, letting go all the same", within_s=LET_GO_WITHIN)
            self._let_go(parts, parts.leaving.successor)
        _exit()

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
        if self.held is not None:
            say_stopping(self.held)
        deadline = self.clock.now() + self.settings.drain
        if parts.switchboard.busy:
            self.told.say(f"draining {parts.switchboard.busy} calls for at most {self.settings.drain:.0f} s")
        while parts.switchboard.busy and self.clock.now() < deadline and not self.at_once.is_set():
            await heard(self.at_once, 0.1)
        if parts.ground.ours:
            await parts.switchboard.hang_up_all()
        if self.surroundings is not None:
            await self.surroundings.finish()


class _Stopped(Exception):  # noqa: N818
    """The way out of the task group after a drain."""


def _wall_clock() -> float:
    return time.time()  # Asterisk's own: what is said to it is compared with that


def _applying(ground: Ground, ami: Ami) -> Callable[[Configuration], Awaitable[None]]:
    async def apply(configuration: Configuration) -> None:
        try:
            await ground.apply(configuration, ami)
        except (AsteriskFailed, Unwritable, OSError) as error:
            raise CannotApply(str(error)) from error

    return apply
