"""Real callers and real softphones on the baresip stack, for asyncio tests.

    async with Phones() as phones:
        lea = await phones.secretary("lea", "lea-demo", server, answer_after=0.3, say=620)
        call = await phones.dial(f"sip:0199001001@{server}", number="0639980101", say=740)
        await call.hears(440, within=3)            # the message, in early media
        assert call.at("CALL_ESTABLISHED") is None # … which costs the caller nothing
        await call.hears(620, within=10)           # her voice
        await lea.call.hears(740, within=3)        # and she hears him
        assert lea.call.invite.from_display == "Cab. Lilas · 06 39 98 01 01"

One stack per process (it is global): the callers and secretaries of a test share it and are told
apart by the user of From. What is heard is laid on the time line as it arrives: where no packet
came there is silence, so a gap in the recording is a gap that the caller heard. Every SIP message is
kept (`Leg.wire`). The stack refuses with 486 only; other answers: `sip_phone.py`.
"""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

import numpy as np
from baresip import Account, Config, Runtime, UserAgent
from baresip.call import Call, CallState
from baresip.errors import AudioNotActive, AudioRestarted, BaresipError, StaleHandleError
from baresip.events import Event, StackEvent

from tests.support import tones
from tests.support.sip_text import SipMessage

PUMP = 0.04  # the stack skips audio that lies unread for a second
AHEAD = 0.2  # seconds of tone kept queued in the stack
LATE = 0.12  # audio that arrives later than this after its predecessor's end was preceded by silence
RTP_PORTS = "20000-25999"  # below the kernel's ephemeral ports and beside the tests' Asterisks


class _Wire(logging.Handler):
    """Keeps the stack's trace of SIP messages. The stack logs from a thread of its own, so a message may be
    here a little after the event that it caused: wait with `shows`."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.messages: list[SipMessage] = []
        self._loop = asyncio.get_running_loop()
        self._news = asyncio.Event()

    def emit(self, record: logging.LogRecord) -> None:
        direction, _, text = record.getMessage().partition("\n")
        self.messages.append(SipMessage.parse(text, time.monotonic(), sent=direction.startswith("TX")))
        with suppress(RuntimeError):  # the loop is closed already
            self._loop.call_soon_threadsafe(self._news.set)

    async def shows(self, call: Call, fits: Callable[[SipMessage], bool], within: float = 2.0) -> None:
        async with asyncio.timeout(within):
            while not any(fits(m) for m in self.messages if m.call_id == call.call_id):
                self._news.clear()
                await self._news.wait()


class Leg:
    """One call of one phone: what it says, what it hears, what happened when (seconds since `born`)."""

    def __init__(self, phones: Phones, call: Call, say: int | tones.Chord | None) -> None:
        self.phones = phones
        self.call = call
        self.born = time.monotonic()
        self.events: list[tuple[float, str, str]] = []
        self.digits: list[str] = []
        self.close_reason: str | None = None
        self.rate = 8000
        self._says = say
        self._tone = b""
        self._tone_at = 0
        self._heard: list[tones.Samples] = []
        self._count = 0
        self._origin: float | None = None
        self._changed = asyncio.Event()
        phones.legs.append(self)
        call.on(self._on_event)
        call.on_dtmf(lambda pressed: self.digits.append(pressed.digit))
        phones.replay(call)

    # --- what it does

    def say(self, freqs: int | tones.Chord | None) -> None:
        """From now on this tone (None: nothing)."""
        self._says, self._tone, self._tone_at = freqs, b"", 0

    async def hangup(self) -> None:
        """Leave: CANCEL before the answer, BYE after it; on an unanswered incoming call 486."""
        with suppress(StaleHandleError):
            await self.call.hangup()

    async def press(self, digits: str) -> None:
        """DTMF as RFC 4733 events."""
        await self.call.send_dtmf(digits)

    # --- what happened

    def at(self, event: str) -> float | None:
        """When the stack reported `event` (a name of baresip's Event) first; None if it never did."""
        return next((t for t, name, _ in self.events if name == event), None)

    async def until(self, event: str, within: float = 10.0) -> float:
        """Wait for `event`; seconds since the call began."""
        await self._wait(lambda: self.at(event) is not None, within, f"no {event}")
        at = self.at(event)
        assert at is not None
        return at

    async def answered(self, within: float = 10.0) -> float:
        at = await self.until("CALL_ESTABLISHED", within)
        await self.phones.trace.shows(self.call, lambda m: m.status == 200)
        return at

    async def closed(self, within: float = 10.0) -> str:
        """Wait for the end; the stack's words for it, which begin with the SIP status of a refusal."""
        await self.until("CALL_CLOSED", within)
        await self.phones.trace.shows(
            self.call, lambda m: m.method in {"BYE", "CANCEL"} or (m.status or 0) >= 300
        )
        return self.close_reason or ""

    @property
    def wire(self) -> list[SipMessage]:
        """Every SIP message of this call in order."""
        return [m for m in self.phones.wire if m.call_id and m.call_id == self.call.call_id]

    @property
    def invite(self) -> SipMessage:
        """The first INVITE."""
        return next(m for m in self.wire if m.method == "INVITE")

    @property
    def cancel(self) -> SipMessage | None:
        return next((m for m in self.wire if m.method == "CANCEL"), None)

    @property
    def statuses(self) -> list[int]:
        """The answers to the INVITE in order, as 100, 183, 200."""
        return [m.status for m in self.wire if m.status is not None and m.cseq_method == "INVITE"]

    @property
    def missed(self) -> bool:
        """Whether a phone would show a missed call: cancelled without "answered elsewhere"."""
        return self.cancel is not None and not self.cancel.completed_elsewhere

    # --- what it heard

    @property
    def samples(self) -> tones.Samples:
        """Everything heard, from the first packet on."""
        return np.concatenate(self._heard) if self._heard else np.zeros(0, dtype=np.int16)

    def timeline(self) -> list[tones.Run]:
        return tones.timeline(self.samples, self.rate)

    def heard(self, at_least: float = 0.3) -> list[tones.Chord]:
        return tones.heard(self.samples, self.rate, at_least=at_least)

    def gaps(self, at_least: float = 0.3) -> list[tones.Gap]:
        return tones.gaps(self.samples, self.rate, at_least=at_least)

    async def hears(self, *freqs: int, within: float = 5.0, for_seconds: float = 0.3) -> float:
        """Wait until the newest `for_seconds` are this tone or chord; seconds since the call began."""
        want = tuple(sorted(freqs))

        def is_heard() -> bool:
            length = int(for_seconds * self.rate)
            newest = self._newest(length)
            return len(newest) >= length and tones.heard(newest, self.rate, at_least=for_seconds * 0.7) == [
                want
            ]

        await self._wait(is_heard, within, f"did not hear {want}")
        return time.monotonic() - self.born

    def _newest(self, length: int) -> tones.Samples:
        chunks: list[tones.Samples] = []
        have = 0
        for chunk in reversed(self._heard):
            chunks.append(chunk)
            have += len(chunk)
            if have >= length:
                break
        newest = np.concatenate(chunks[::-1]) if chunks else np.zeros(0, dtype=np.int16)
        return newest[-length:]

    async def _wait(self, holds: Any, within: float, failure: str) -> None:
        try:
            async with asyncio.timeout(within):
                while not holds():
                    if self.close_reason is not None:
                        break
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            failure += f" within {within} s"
        if not holds():
            story = ", ".join(map(str, self.timeline()))
            raise AssertionError(f"{failure}; heard: {story or 'nothing'}; events: {self.events}")

    # --- the stack

    def _on_event(self, event: StackEvent) -> None:
        self.events.append((round(time.monotonic() - self.born, 4), event.event.name, event.text or ""))
        if event.event is Event.CALL_CLOSED:
            self.pump()
            self.close_reason = event.text or "closed"
            with suppress(ValueError):
                self.phones.legs.remove(self)
        self._changed.set()

    def pump(self) -> None:
        """Take what was received, give what is to be said. Called by `Phones` every `PUMP` seconds."""
        audio = self.call.audio
        with suppress(AudioNotActive, AudioRestarted):
            now = audio.info()
            if now.rx_ready:
                self.rate = now.rx_sample_rate
                raw = audio.read(65536)
                if raw:
                    self._lay(np.frombuffer(raw, dtype=np.int16)[:: now.rx_channels])
            if now.tx_ready and self._says is not None:
                frame = now.tx_channels * 2
                want = int(now.tx_sample_rate * AHEAD) * frame - now.tx_buffered
                if want > 0:
                    audio_bytes = self._next_tone(want, now.tx_sample_rate, now.tx_channels)
                    self._tone_at += audio.write(audio_bytes)

    def _next_tone(self, length: int, rate: int, channels: int) -> bytes:
        if not self._tone:
            assert self._says is not None
            # whole seconds of whole hertz: the loop has no seam
            self._tone = np.repeat(tones.sine(self._says, 1, rate), channels).tobytes()
        at = self._tone_at % len(self._tone)
        return (self._tone[at:] + self._tone)[:length]

    def _lay(self, chunk: tones.Samples) -> None:
        arrived = time.monotonic()
        if self._origin is None:
            self._origin = arrived - len(chunk) / self.rate
        missing = arrived - self._origin - (self._count + len(chunk)) / self.rate
        if missing > LATE:
            self._append(np.zeros(int(missing * self.rate), dtype=np.int16))
        self._append(chunk)
        self._changed.set()

    def _append(self, chunk: tones.Samples) -> None:
        self._heard.append(chunk)
        self._count += len(chunk)


class Softphone:
    """A registered phone. `answer_after` seconds it picks up (None: it lets it ring); `busy` refuses with
    486; `say` is its owner's voice. All three may be changed between calls."""

    def __init__(self, phones: Phones, agent: UserAgent, user: str) -> None:
        self.phones = phones
        self.agent = agent
        self.user = user
        self.calls: list[Leg] = []
        self.answer_after: float | None = None
        self.busy = False
        self.say: int | tones.Chord | None = None
        self._rang = asyncio.Event()

    @property
    def call(self) -> Leg:
        """The newest call."""
        return self.calls[-1]

    @property
    def missed(self) -> list[Leg]:
        """The calls her phone's list would show as missed."""
        return [leg for leg in self.calls if leg.missed]

    async def rings(self, nth: int = 1, within: float = 10.0) -> Leg:
        """The `nth` call that ever came, waited for."""
        try:
            async with asyncio.timeout(within):
                while len(self.calls) < nth:
                    self._rang.clear()
                    await self._rang.wait()
        except TimeoutError:
            raise AssertionError(f"{self.user} was not rung {nth} times within {within} s") from None
        await self.phones.trace.shows(self.calls[nth - 1].call, lambda m: m.method == "INVITE")
        return self.calls[nth - 1]

    async def answer(self) -> None:
        """Pick up the newest call."""
        with suppress(StaleHandleError):
            await self.call.call.answer()

    async def offline(self) -> None:
        await self.agent.unregister()

    async def online(self) -> None:
        await self.agent.register()

    async def dial(self, uri: str, headers: Mapping[str, str] | None = None) -> Leg:
        """Her own call, as to a colleague or a feature code."""
        return Leg(self.phones, await self.agent.dial(uri, dict(headers or {})), self.say)

    def on_incoming(self, call: Call) -> None:
        self.calls.append(Leg(self.phones, call, self.say))
        self._rang.set()
        if self.busy:
            self.phones.later(self._refuse(call))
        elif self.answer_after is not None:
            self.phones.later(self._pick_up(call, self.answer_after))

    async def _refuse(self, call: Call) -> None:
        with suppress(StaleHandleError):
            await call.reject()

    async def _pick_up(self, call: Call, after: float) -> None:
        await asyncio.sleep(after)  # she takes her time; nothing waits for it
        with suppress(BaresipError):
            await call.answer()


class Phones:
    """The stack with every phone of a test. Use it inside the test, not across a fixture: its tasks belong
    to a task group, which must end in the task that began it."""

    def __init__(self, address: str = "127.0.0.1", **settings: Any) -> None:
        self.legs: list[Leg] = []
        self._config = Config(
            net_interface=address,  # without it the stack looks for an interface that is not loopback
            max_concurrent_calls=None,
            sip_trace=True,
            extra_config_text=f"rtp_ports {RTP_PORTS}\n",
            **settings,
        )
        self.trace = _Wire()
        self._runtime = Runtime()
        self._tasks = asyncio.TaskGroup()
        self._running: list[asyncio.Task[None]] = []
        self._early: dict[int, list[StackEvent]] = {}
        self._callers: dict[tuple[str, str, str], UserAgent] = {}

    @property
    def wire(self) -> list[SipMessage]:
        """Every SIP message of every phone in order."""
        return self.trace.messages

    async def __aenter__(self) -> Self:
        trace = logging.getLogger("baresip.native.sip")
        trace.setLevel(logging.DEBUG)
        trace.propagate = False  # the messages are evidence, not pytest's captured noise
        trace.addHandler(self.trace)
        await self._runtime.start(self._config)
        self._runtime.subscribe(self._on_any_event)
        await self._tasks.__aenter__()
        self.later(self._pump_all())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            for leg in list(self.legs):
                await leg.hangup()
            for leg in list(self.legs):
                with suppress(AssertionError):
                    await leg.closed(2)
        finally:
            for task in self._running:
                task.cancel()
            try:
                if kind is asyncio.CancelledError:  # perhaps by the group itself, for a task's error
                    await self._tasks.__aexit__(kind, error, trace)
                else:  # the test's own error stays what it is, no group around it
                    await self._tasks.__aexit__(None, None, None)
            finally:
                await self._runtime.close()
                logging.getLogger("baresip.native.sip").removeHandler(self.trace)

    def _on_any_event(self, event: StackEvent) -> None:
        if event.call:
            self._early.setdefault(event.call, []).append(event)

    def replay(self, call: Call) -> None:
        """Give a new outgoing call the events that came before `dial` returned it: over loopback a 180 can be
        quicker than the way from the stack's thread back to the loop (baresip-python 0.5.2a3)."""
        if call.state is CallState.OUTGOING:
            for event in self._early.get(call.handle, []):
                call._on_stack_event(event)

    def later(self, work: Coroutine[Any, Any, None]) -> None:
        """Run beside the test; an error in it fails the test."""
        self._running.append(self._tasks.create_task(work))

    async def _pump_all(self) -> None:
        while True:
            for leg in list(self.legs):
                leg.pump()
            await asyncio.sleep(PUMP)

    async def secretary(
        self,
        user: str,
        password: str,
        server: str,
        *,
        answer_after: float | None = None,
        busy: bool = False,
        say: int | tones.Chord | None = None,
        register: bool = True,
        codecs: tuple[str, ...] = ("pcma", "pcmu"),
    ) -> Softphone:
        """A softphone at `server` (`host:port`), registered unless told otherwise."""
        account = Account(user=user, domain=server, password=password, reg_interval=300, audio_codecs=codecs)
        phone = Softphone(self, await UserAgent.create(self._runtime, account), user)
        phone.answer_after, phone.busy, phone.say = answer_after, busy, say
        phone.agent.on_incoming(phone.on_incoming)
        if register:
            await phone.agent.register()
        return phone

    async def dial(
        self,
        uri: str,
        number: str = "0639980101",
        *,
        name: str = "",
        domain: str = "operator.example",
        headers: Mapping[str, str] | None = None,
        say: int | tones.Chord | None = None,
        codecs: tuple[str, ...] = ("pcma", "pcmu"),
    ) -> Leg:
        """A call from the telephone network: `From: "name" <sip:number@domain>`, unregistered."""
        agent = self._callers.get((number, domain, name))
        if agent is None:
            account = Account(user=number, domain=domain, password="", reg_interval=0, audio_codecs=codecs)
            quoted = '"' + re.sub(r'([\\"])', r"\\\1", name) + '" ' if name else ""
            agent = await UserAgent.create(self._runtime, quoted + account.aor())
            self._callers[number, domain, name] = agent
        return Leg(self, await agent.dial(uri, dict(headers or {})), say)
