"""The feed of facts: the event socket kept open, caught up after every gap, translated.

On every (re)connect the socket is opened and buffers, Asterisk is asked what it holds, that is told
as `TelephoneBack`, and only then the buffered events pass: nothing that happened meanwhile is
lost, though it may be told twice. Commands are `asterisk.telephone`'s; meaning is `translate`'s.
Invariant: one brain: once another process took our application, `Replaced` ends everything.
"""

from __future__ import annotations

import asyncio
import math
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager, suppress

import structlog

from autocom.asterisk.ari import generated as ari
from autocom.asterisk.ari.client import UNWANTED, AriClient, Backoff, EventStream, Refused, events
from autocom.asterisk.ari.headers import call_entered, fixed, phone_dialled
from autocom.asterisk.ari.translate import (
    Claim,
    Confirm,
    Enter,
    Failed,
    Outcome,
    Translator,
    epoch,
    in_application,
    seen,
)
from autocom.calls.ports import Clock, TelephoneDown
from autocom.core.telephony import Fact, TelephoneBack, TelephoneLost

log = structlog.get_logger()

Emit = Callable[[Fact], None]

OLDEST = (22, 10, 1)  # StasisBroadcast, and two security fixes of ARI
CANARY_EVERY = 2.0
CANARY_MISSES = 2
# while Asterisk is away callers are in the dialplan's care, and each knock costs one small request
KNOCK_WITHIN = 1.5
KNOCK_EVERY = 1.0
WATCH_EVERY = 3.0
END_GRACE = 0.25
BESIDE_WITHIN = 1.0
CLAIM_WITHIN = 1.0  # of dialplan/inbound.conf
ENTER_GRACE = 2.0  # a claimed caller's StasisStart follows within milliseconds, or he left


class Replaced(Exception):  # noqa: N818 - an event's name in ARI
    """Another process connected as our application: we are deaf for ever and must stop acting."""


class TooOld(Exception):  # noqa: N818 - reads as what it says
    """This Asterisk lacks what callers rely on."""


class Feed:
    """Facts of one application. `beside` runs next to the event socket and emits into the same queue (AMI); the first
    `TelephoneBack` waits a moment for `beside_met`. While `taking_calls` is False, callers that are offered are left to
    others or to the dialplan's fallback."""

    def __init__(
        self,
        client: AriClient,
        app: str,
        clock: Clock,
        beside: Callable[[Emit], Awaitable[None]] | None = None,
        beside_met: asyncio.Event | None = None,
    ) -> None:
        self.state = Translator()
        self.up = False
        self.taking_calls = True
        self._client = client
        self._ari = client.ari
        self._app = app
        self._clock = clock
        self._beside, self._beside_met = beside, beside_met
        self._facts: asyncio.Queue[Fact | Exception] = asyncio.Queue()
        self._expected: dict[str, asyncio.Event] = {}
        self._watched: dict[str, float] = {}
        # callers whose headers are being read while they are claimed
        self._headers: dict[str, asyncio.Task[dict[str, str]]] = {}
        self._met = False
        self._tasks: asyncio.TaskGroup | None = None
        self._stream: EventStream | None = None
        self._answered = math.inf  # when ARI last did (the loop's time)
        self._doubted = asyncio.Event()
        self._why = ""

    async def run(self) -> None:
        """Until cancelled; raises `Replaced` or `TooOld`, and so does `facts` then."""
        failure: Exception | None = None
        try:
            async with self._client, asyncio.TaskGroup() as tasks:
                self._tasks = tasks
                tasks.create_task(self._client.warm())
                tasks.create_task(self._watch_playbacks())
                tasks.create_task(self._run_beside())
                tasks.create_task(self._stay_connected())
        except* (Replaced, TooOld) as group:
            failure = _first(group)
        finally:
            self._tasks = None
            self.up = False
        if failure is not None:
            log.critical("telephone_stops", why=str(failure))
            self._facts.put_nowait(failure)
            raise failure

    async def facts(self) -> AsyncIterator[Fact]:
        """Every fact in order; before the first `TelephoneBack` there may be some of what runs beside."""
        while True:
            fact = await self._facts.get()
            if isinstance(fact, Exception):
                raise fact
            yield fact

    @contextmanager
    def expecting(self, channel: str) -> Iterator[asyncio.Event]:
        """The event is set when this channel has entered our application."""
        event = self._expected.setdefault(channel, asyncio.Event())
        try:
            yield event
        finally:
            self._expected.pop(channel, None)

    def spawn(self, work: Coroutine[object, object, None]) -> None:
        """Run beside; dropped where `run` does not, or is about to end."""
        try:
            if self._tasks is not None:
                self._tasks.create_task(work)
                return
        except RuntimeError as ending:
            log.info("not_begun", why=str(ending))
        work.close()

    def tell(self, fact: Fact) -> None:
        """A fact that was found by asking, in its place behind those that are known."""
        self._facts.put_nowait(fact)

    def doubt(self, why: str) -> None:
        """We stood still, and what we know may be over: as after a loss of the connection, Asterisk is asked what it
        holds before anything else is told."""
        self._why = why
        self._doubted.set()

    def canary_age(self) -> float:
        """Seconds since ARI last answered; 0 while the telephone is known to be lost."""
        return max(0.0, asyncio.get_running_loop().time() - self._answered) if self.up else 0.0

    def unread_age(self) -> float:
        """Seconds that the oldest event waits to be read."""
        since = self._stream.unread_since if self.up and self._stream is not None else None
        return 0.0 if since is None else asyncio.get_running_loop().time() - since

    def watch(self, playback: str, channel: str) -> None:
        """From now on the end of this playback is told, whatever becomes of its event."""
        self.state.playbacks[playback] = channel
        self._watched[playback] = self._clock.now()

    # --- the connection

    async def _run_beside(self) -> None:
        if self._beside is not None:
            await self._beside(self._facts.put_nowait)

    async def _stay_connected(self) -> None:
        backoff = Backoff(most=KNOCK_EVERY)
        while True:
            why = ""
            try:
                await self._one_connection(backoff)
            except* TelephoneDown as group:
                why = str(_first(group))
            me = asyncio.current_task()
            if me is not None and me.cancelling():
                # 3.11's TaskGroup swallows a cancellation that meets an error which is already ending it
                raise asyncio.CancelledError
            if self.up:
                self.up = False
                log.warning("ari_lost", why=why)
                self.spawn(self._client.renew())
                self._facts.put_nowait(TelephoneLost(why))
            else:
                log.info("ari_not_ready", why=why)
            await asyncio.sleep(backoff.after_failure())

    async def _one_connection(self, backoff: Backoff) -> None:
        """From connect to loss; ends with an exception."""
        try:
            with _for_us():
                async with asyncio.timeout(KNOCK_WITHIN):
                    begun = await self._check_version()
        except TimeoutError as late:
            raise TelephoneDown("no answer yet") from late
        self._doubted.clear()
        async with events(self._client, self._app) as stream, asyncio.TaskGroup() as tasks:
            self._stream = stream
            tasks.create_task(stream.read())
            tasks.create_task(self._be_doubted())
            with _for_us():
                await self._catch_up(begun)
            backoff.reset()
            tasks.create_task(self._canary())
            await self._translate(stream)

    async def _check_version(self) -> float:
        """Since when this Asterisk runs. Raises `TooOld`."""
        found_out = await self._ari.asterisk.get_info(only=["system", "status"])
        text = found_out.system.version if found_out.system else ""
        found = re.search(r"(\d+)\.(\d+)\.(\d+)", text)
        if found is None:
            log.warning("asterisk_version_unknown", version=text)
        elif tuple(int(part) for part in found.groups()) < OLDEST:
            raise TooOld(f"Asterisk {text} is older than {'.'.join(map(str, OLDEST))}")
        return epoch(found_out.status.startup_time) if found_out.status else 0.0

    async def _catch_up(self, begun: float) -> None:
        unwanted = {"disallowed": [{"type": kind} for kind in UNWANTED]}
        await self._ari.applications.filter(self._app, filter=unwanted)
        if self._beside_met is not None and not self._met:
            # who is served by the fallback talks to somebody: whose phone is in use is to be known before anyone is rung
            with suppress(TimeoutError):
                async with asyncio.timeout(BESIDE_WITHIN):
                    await self._beside_met.wait()
        channels, bridges, application = await asyncio.gather(
            self._ari.channels.list(), self._ari.bridges.list(), self._ari.applications.get(self._app)
        )
        ours = in_application(channels, application)
        self.up = True
        self._answered = asyncio.get_running_loop().time()
        log.info("ari_connected", channels=len(channels), ours=len(ours), bridges=len(bridges))
        self._facts.put_nowait(TelephoneBack(seen(channels, bridges, ours, begun)))
        self._act(self.state.resume(ours))
        # the end of a playback in the gap was not told: the watch asks for each
        self._watched = dict.fromkeys(self._watched, -math.inf)
        self._met = True

    async def _be_doubted(self) -> None:
        await self._doubted.wait()
        raise TelephoneDown(self._why)

    async def _canary(self) -> None:
        """Asterisk's ping answers while ARI is deadlocked (22.10); asking for the application does not."""
        misses = 0
        while misses < CANARY_MISSES:
            await asyncio.sleep(CANARY_EVERY)
            try:
                async with asyncio.timeout(CANARY_EVERY):
                    await self._ari.applications.get(self._app)
            except (Refused, TelephoneDown, TimeoutError):
                misses += 1
            else:
                misses = 0
                self._answered = asyncio.get_running_loop().time()
        raise TelephoneDown("ARI does not answer")

    # --- what events lead to

    async def _translate(self, stream: EventStream) -> None:
        async for message in stream:
            if isinstance(message, ari.ApplicationReplaced) and message.application == self._app:
                raise Replaced(f"another process serves {self._app!r} now")
            self._act(self.state.on(message))
            if isinstance(message, ari.StasisStart) and message.channel.id in self._expected:
                self._expected[message.channel.id].set()
        raise TelephoneDown(f"event socket {stream.why_closed}")

    def _act(self, outcomes: Sequence[Outcome]) -> None:
        for outcome in outcomes:
            match outcome:
                case Claim(channel=channel, phone=phone):
                    self.spawn(self._claim(channel, phone=phone))
                case Enter(channel=entering, phone=True):
                    self.spawn(self._phone_enters(entering))
                case Enter(channel=entering):
                    self.spawn(self._enter(entering))
                case Confirm(channel=channel):
                    self.spawn(self._confirm_end(channel))
                case Failed(playback=playback):
                    self.spawn(self._tell_failure(playback))
                case fact:
                    self._facts.put_nowait(fact)

    async def _claim(self, channel: str, *, phone: bool = False) -> None:
        if not self.taking_calls:
            return
        if self._tasks is not None and not phone:
            # the dialplan set them before it offered him: two round trips side by side
            self._headers[channel] = self._tasks.create_task(fixed(self._ari, channel))
        try:
            await self._claimed(channel)
            await asyncio.sleep(ENTER_GRACE)
        except (Refused, TelephoneDown) as error:
            # somebody else has him, he left, or the dialplan's fallback serves him
            log.info("claim_failed", channel=channel, why=str(error))
        finally:
            self._headers.pop(channel, None)

    async def _claimed(self, channel: str) -> None:
        """Asked a second time where there was no word of it: Asterisk waits a second for somebody, and a claim that it
        took already is refused (409) and nothing else."""
        began = asyncio.get_running_loop().time()
        try:
            await self._ari.events.claim_channel(channel, self._app)
        except (Refused, TelephoneDown) as error:
            lasted = asyncio.get_running_loop().time() - began
            if lasted > CLAIM_WITHIN / 2 or (isinstance(error, Refused) and error.status < 500):
                raise
            await self._ari.events.claim_channel(channel, self._app)

    async def _enter(self, channel: ari.Channel) -> None:
        reading = self._headers.pop(channel.id, None)
        found = await reading if reading is not None else None
        self._act(self.state.entered(await call_entered(self._ari, channel, found)))

    async def _phone_enters(self, channel: ari.Channel) -> None:
        try:
            self._act(self.state.entered(await phone_dialled(self._ari, channel)))
        except (Refused, TelephoneDown) as error:
            log.warning("dialled_not_read", channel=channel.id, why=str(error))
            with suppress(Refused, TelephoneDown):  # else she hears nothing, for ever: she dials again
                await self._ari.channels.hangup(channel.id)
            self._act(self.state.gone(channel.id))

    async def _confirm_end(self, channel: str) -> None:
        """A leg's ChannelDestroyed follows its StasisEnd at once and has the cause; only a leg that was
        taken away from us (AMI Redirect) goes without. A caller taken out for a fax tone is back at once."""
        await asyncio.sleep(END_GRACE)
        self._act(self.state.left(channel))

    async def _tell_failure(self, playback: str) -> None:
        await asyncio.sleep(END_GRACE)
        self._act(self.state.playback_ended(playback, ok=False))

    async def _watch_playbacks(self) -> None:
        """Some playbacks never report their end (22.10), and those of a gap are not told: ask."""
        while True:
            await asyncio.sleep(WATCH_EVERY)
            for playback, since in list(self._watched.items()):
                if playback not in self.state.playbacks:
                    self._watched.pop(playback, None)
                elif self.up and self._clock.now() - since >= WATCH_EVERY:
                    await self._look_after(playback)

    async def _look_after(self, playback: str) -> None:
        try:
            await self._ari.playbacks.get(playback)
        except Refused:
            self._act(self.state.playback_ended(playback))
        except TelephoneDown as down:
            log.info("playback_unknown", playback=playback, why=str(down))


@contextmanager
def _for_us() -> Iterator[None]:
    """No channel is meant here: a refusal says that this Asterisk is not ready for us."""
    try:
        yield
    except Refused as refusal:
        raise TelephoneDown(str(refusal)) from refusal


def _first(group: BaseExceptionGroup[Exception]) -> Exception:
    found: BaseException = group
    while isinstance(found, BaseExceptionGroup):
        found = found.exceptions[0]
    return found if isinstance(found, Exception) else RuntimeError(str(found))
