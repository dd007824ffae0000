"""`calls.ports.Telephone` over the real Asterisk: commands by ARI, facts from ARI and AMI.

`run` keeps the event socket and feeds one queue; `facts` reads it. On every (re)connect it opens
the socket, buffers, asks what Asterisk holds, says `TelephoneBack`, and only then lets the
buffered events through: nothing that happened meanwhile is lost, though it may be told twice. It
knows channels, never callers' places or secretaries' states. `Gone` is made here and nowhere
else. Invariant: one brain: once another process took our application, `Replaced` ends everything.
"""

from __future__ import annotations

import asyncio
import math
import re
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager, suppress

import structlog

from autocom.asterisk.ami import Ami
from autocom.asterisk.ari import generated as ari
from autocom.asterisk.ari import outbound
from autocom.asterisk.ari.client import UNWANTED, AriClient, Backoff, EventStream, Refused, events
from autocom.asterisk.ari.headers import call_entered
from autocom.asterisk.ari.translate import (
    LEG,
    Claim,
    Confirm,
    Enter,
    Outcome,
    Translator,
    in_application,
    seen,
)
from autocom.calls.ports import Clock, Gone, Outbound, TelephoneDown
from autocom.core.telephony import Cause, Fact, TelephoneBack, TelephoneLost

log = structlog.get_logger()

OLDEST = (22, 10, 1)  # StasisBroadcast, and two security fixes of ARI
CANARY_EVERY = 2.0
CANARY_MISSES = 2
WATCH_EVERY = 3.0
LEG_END_GRACE = 0.25

_GONE = frozenset({404, 409, 412, 422})


class Replaced(Exception):  # noqa: N818 - an event's name in ARI
    """Another process connected as our application: we are deaf for ever and must stop acting."""


class TooOld(Exception):  # noqa: N818 - reads as what it says
    """This Asterisk lacks what callers rely on."""


class AsteriskTelephone:
    """The telephone. Run `run` in a task for as long as the service lives; read `facts` once.

    `url` is ARI's base (`http://127.0.0.1:8088`). Without `ami` there are no facts about phones and
    no quality. While `taking_calls` is False new callers are left to other services or the fallback."""

    def __init__(
        self,
        url: str,
        user: str,
        password: str,
        *,
        clock: Clock,
        app: str = "autocom",
        ami: Ami | None = None,
    ) -> None:
        self.taking_calls = True
        self.up = False
        self._client = AriClient(url, user, password)
        self._ari = self._client.ari
        self._app = app
        self._ami = ami
        self._clock = clock
        self._state = Translator()
        self._facts: asyncio.Queue[Fact | Exception] = asyncio.Queue()
        self._music: dict[str, str] = {}
        self._in_stasis: dict[str, asyncio.Event] = {}
        self._started: dict[str, float] = {}  # playbacks
        self._first_back = asyncio.Event()
        self._tasks: asyncio.TaskGroup | None = None

    # --- facts

    async def run(self) -> None:
        """Serve until cancelled. Raises `Replaced` or `TooOld`; `facts` then raises the same."""
        try:
            async with self._client, asyncio.TaskGroup() as tasks:
                self._tasks = tasks
                tasks.create_task(self._client.warm())
                tasks.create_task(self._watch_playbacks())
                tasks.create_task(self._phone_facts())
                await self._stay_connected()
        except* (Replaced, TooOld) as group:
            error = group.exceptions[0]
            log.critical("telephone_stops", why=str(error))
            self._facts.put_nowait(error)
            raise error from None
        finally:
            self._tasks = None
            self.up = False

    async def facts(self) -> AsyncIterator[Fact]:
        """Every fact in order; the first is `TelephoneBack`. Raises what ended `run`."""
        while True:
            fact = await self._facts.get()
            if isinstance(fact, Exception):
                raise fact
            yield fact

    def _emit(self, fact: Fact) -> None:
        self._facts.put_nowait(fact)

    async def _phone_facts(self) -> None:
        await self._first_back.wait()
        if self._ami is not None:
            await self._ami.run(self._emit)

    async def _stay_connected(self) -> None:
        backoff = Backoff()
        while True:
            try:
                await self._one_connection(backoff)
            except* TelephoneDown as down:
                why = str(down.exceptions[0])
            if self.up:
                self.up = False
                log.warning("ari_lost", why=why)
                self._emit(TelephoneLost(why))
            else:
                log.info("ari_not_ready", why=why)
            await asyncio.sleep(backoff.next())

    async def _one_connection(self, backoff: Backoff) -> None:
        """From connect to loss; always ends with an exception."""
        await self._check_version()
        async with events(self._client, self._app) as stream, asyncio.TaskGroup() as tasks:
            tasks.create_task(stream.read())
            await self._catch_up()
            backoff.reset()
            tasks.create_task(self._canary())
            await self._translate(stream)

    async def _check_version(self) -> None:
        system = (await self._asked(self._ari.asterisk.get_info(only=["system"]))).system
        text = system.version if system else ""
        found = re.search(r"(\d+)\.(\d+)\.(\d+)", text)
        if found is None:
            log.warning("asterisk_version_unknown", version=text)
        elif tuple(int(part) for part in found.groups()) < OLDEST:
            raise TooOld(f"Asterisk {text} is older than {'.'.join(map(str, OLDEST))}")

    async def _catch_up(self) -> None:
        unwanted = {"disallowed": [{"type": kind} for kind in UNWANTED]}
        await self._asked(self._ari.applications.filter(self._app, filter=unwanted))
        channels, bridges, application = await asyncio.gather(
            self._asked(self._ari.channels.list()),
            self._asked(self._ari.bridges.list()),
            self._asked(self._ari.applications.get(self._app)),
        )
        ours = in_application(channels, application)
        self.up = True
        log.info("ari_connected", channels=len(channels), ours=len(ours), bridges=len(bridges))
        self._emit(TelephoneBack(seen(channels, bridges, ours)))
        self._first_back.set()
        self._act(self._state.resume(ours))
        # what ended in the gap was not told: the watch asks for each at once
        self._started = dict.fromkeys(self._started, -math.inf)

    async def _translate(self, stream: EventStream) -> None:
        async for message in stream:
            if isinstance(message, ari.ApplicationReplaced) and message.application == self._app:
                raise Replaced(f"another process serves {self._app!r} now")
            outcomes = self._state.on(message)
            if isinstance(message, ari.StasisStart) and message.channel.id in self._in_stasis:
                self._in_stasis[message.channel.id].set()
            self._act(outcomes)
        raise TelephoneDown(f"event socket {stream.why_closed}")

    def _act(self, outcomes: Sequence[Outcome]) -> None:
        for outcome in outcomes:
            match outcome:
                case Claim(channel=channel):
                    self._spawn(self._claim(channel))
                case Enter(channel=entering):
                    self._spawn(self._enter(entering))
                case Confirm(channel=channel):
                    self._spawn(self._confirm_end(channel))
                case fact:
                    self._emit(fact)

    def _spawn(self, work: Coroutine[object, object, None]) -> None:
        if self._tasks is None:
            work.close()
        else:
            self._tasks.create_task(work)

    async def _claim(self, channel: str) -> None:
        if not self.taking_calls:
            return
        try:
            await self._ari.events.claim_channel(channel, self._app)
        except (Refused, TelephoneDown) as error:
            # somebody else has him, or he left, or the dialplan's fallback serves him
            log.info("claim_failed", channel=channel, why=str(error))

    async def _enter(self, channel: ari.Channel) -> None:
        self._act(self._state.entered(await call_entered(self._ari, channel)))

    async def _confirm_end(self, channel: str) -> None:
        """A leg's ChannelDestroyed follows its StasisEnd at once, with the cause; only one that was taken
        away from us (AMI Redirect) goes without."""
        await asyncio.sleep(LEG_END_GRACE)
        self._act(self._state.gone(channel))

    async def _canary(self) -> None:
        """Asterisk's ping answers while ARI is deadlocked (22.10); asking for the application does not."""
        misses = 0
        while misses < CANARY_MISSES:
            await asyncio.sleep(CANARY_EVERY)
            try:
                async with asyncio.timeout(CANARY_EVERY):
                    await self._asked(self._ari.applications.get(self._app))
                misses = 0
            except (TelephoneDown, TimeoutError):
                misses += 1
        raise TelephoneDown("ARI does not answer")

    async def _watch_playbacks(self) -> None:
        """Some playbacks never report their end, and those of a gap are not told: ask for each."""
        while True:
            await asyncio.sleep(WATCH_EVERY)
            for playback, since in list(self._started.items()):
                if playback not in self._state.playbacks:
                    self._started.pop(playback, None)
                elif self.up and self._clock.now() - since >= WATCH_EVERY:
                    await self._watch(playback)

    async def _watch(self, playback: str) -> None:
        try:
            await self._ari.playbacks.get(playback)
        except Refused:
            self._act(self._state.playback_ended(playback))
        except TelephoneDown as down:
            log.info("playback_unknown", playback=playback, why=str(down))

    async def _asked[T](self, request: Coroutine[object, object, T]) -> T:
        raise AssertionError
