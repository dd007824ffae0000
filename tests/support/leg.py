"""One call of a test phone: what it says, what it hears, which messages stood on the wire.

`Phones` makes legs and moves their audio; tests ask them. What is heard is laid on the time line as it
arrives: where no packet came there is silence, so a gap in the recording is a gap that was heard. Waiting
is for events, never for a fixed time; a wait that fails tells the whole story of the leg.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TYPE_CHECKING

import numpy as np
from baresip.call import Call
from baresip.errors import AudioNotActive, AudioRestarted, StaleHandleError
from baresip.events import Event, StackEvent

from tests.support import PATIENCE, tones
from tests.support.sip_text import SipMessage

if TYPE_CHECKING:
    from tests.support.phones import Phones

AHEAD = 0.2  # seconds of tone kept queued in the stack
STALE = 0.3  # so long after the last packet nothing is heard any more
LATE = 0.12  # audio that arrives later than this after its predecessor's end was preceded by silence
AUDIBLE = 0.3
"""Seconds: alone on the machine no sound breaks off for longer (`measured(…, at_most=AUDIBLE)`)."""


class Wire(logging.Handler):
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

    async def shows(self, call: Call, fits: Callable[[SipMessage], bool], within: float = PATIENCE) -> None:
        async with asyncio.timeout(within):
            while not any(fits(m) for m in self.messages if m.call_id == call.call_id):
                self._news.clear()
                await self._news.wait()


class Recording:
    """What was heard, at the time it came."""

    def __init__(self) -> None:
        self.rate = 8000
        self._heard: list[tones.Samples] = []
        self._count = 0
        self._origin: float | None = None
        self._last = 0.0

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

    def newest(self, length: int, now: float) -> tones.Samples:
        """The last `length` samples; fewer, or none where nothing came any more."""
        chunks: list[tones.Samples] = []
        have = 0
        if now - self._last > STALE:
            return np.zeros(0, dtype=np.int16)
        for chunk in reversed(self._heard):
            chunks.append(chunk)
            have += len(chunk)
            if have >= length:
                break
        newest = np.concatenate(chunks[::-1]) if chunks else np.zeros(0, dtype=np.int16)
        return newest[-length:]

    def lay(self, chunk: tones.Samples, arrived: float) -> None:
        """Samples that came at `arrived`; silence before them where they came late."""
        if self._origin is None:
            self._origin = arrived - len(chunk) / self.rate
        missing = arrived - self._origin - (self._count + len(chunk)) / self.rate
        if missing > LATE:
            self._append(np.zeros(int(missing * self.rate), dtype=np.int16))
        self._append(chunk)
        self._last = arrived

    def _append(self, chunk: tones.Samples) -> None:
        self._heard.append(chunk)
        self._count += len(chunk)


class Trail:
    """The SIP messages of one call."""

    phones: Phones
    call: Call

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


class Leg(Recording, Trail):
    """One call of one phone: what it says, what it hears, what happened when (seconds since `born`)."""

    def __init__(self, phones: Phones, call: Call, say: int | tones.Chord | None) -> None:
        super().__init__()
        self.phones = phones
        self.call = call
        self.born = time.monotonic()
        self.events: list[tuple[float, str, str]] = []
        self.digits: list[str] = []
        self.close_reason: str | None = None
        self._says = say
        self._tone = b""
        self._tone_at = 0
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

    async def hold(self) -> None:
        """Her phone's own button."""
        await self._offers_anew(self.call.hold)

    async def resume(self) -> None:
        await self._offers_anew(self.call.resume)

    async def _offers_anew(self, button: Callable[[], Awaitable[None]]) -> None:
        """A re-INVITE, until it is answered: the stack forgets what is asked for meanwhile."""

        def confirmed() -> int:
            return sum(m.method == "ACK" and m.sent for m in self.wire)

        before = confirmed()
        await button()
        await self.phones.trace.shows(self.call, lambda _: confirmed() > before)

    # --- what happened

    def at(self, event: str) -> float | None:
        """When the stack reported `event` (a name of baresip's Event) first; None if it never did."""
        return next((t for t, name, _ in self.events if name == event), None)

    async def until(self, event: str, within: float = PATIENCE) -> float:
        """Wait for `event`; seconds since the call began."""
        await self._wait(lambda: self.at(event) is not None, within, f"no {event}")
        at = self.at(event)
        assert at is not None
        return at

    async def answered(self, within: float = PATIENCE) -> float:
        at = await self.until("CALL_ESTABLISHED", within)
        await self.phones.trace.shows(self.call, lambda m: m.status == 200)
        return at

    async def closed(self, within: float = PATIENCE) -> str:
        """Wait for the end; the stack's words for it, which begin with the SIP status of a refusal."""
        await self.until("CALL_CLOSED", within)
        await self.phones.trace.shows(
            self.call, lambda m: m.method in {"BYE", "CANCEL"} or (m.status or 0) >= 300
        )
        return self.close_reason or ""

    # --- what it heard

    async def hears(self, *freqs: int, within: float = PATIENCE, for_seconds: float = 0.3) -> float:
        """Wait until the newest `for_seconds` are this tone or chord; seconds since the call began."""
        want = tuple(sorted(freqs))

        def is_heard() -> bool:
            length = int(for_seconds * self.rate)
            newest = self.newest(length, time.monotonic())
            return len(newest) >= length and tones.heard(newest, self.rate, at_least=for_seconds * 0.7) == [
                want
            ]

        await self._wait(is_heard, within, f"did not hear {want}")
        return time.monotonic() - self.born

    async def is_spoken_to(self, within: float = PATIENCE) -> None:
        """Wait until something loud is heard, whatever it is: a voice is no tone."""

        def is_loud() -> bool:
            newest = self.newest(self.rate, time.monotonic())
            return len(newest) > 0 and int(abs(newest).max()) > 1000

        await self._wait(is_loud, within, "nobody speaks to it")

    async def _wait(self, holds: Callable[[], bool], within: float, failure: str) -> None:
        held = False  # asked once a time: what was just heard may be stale an instant later
        try:
            async with asyncio.timeout(within):
                while not (held := holds()):
                    if self.close_reason is not None:
                        break
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            failure += f" within {within} s"
        if not held and not holds():
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
                    self.lay(np.frombuffer(raw, dtype=np.int16)[:: now.rx_channels], time.monotonic())
                    self._changed.set()
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


def heard_without_a_gap(*legs: Leg) -> float:
    """Once something was heard there was always a tone again within a second: what is away is so for longer, while
    shorter breaks may be a change of tones, or the recorder's own on a busy machine, which reads too late what came
    in time. The longest break in one and the same tone, in seconds: what somebody hears whom nothing happens to."""
    longest = 0.0
    for leg in legs:
        runs = leg.timeline()
        quiet = [run.seconds for run in runs if run.chord in (tones.SILENCE, tones.OTHER)]
        assert max(quiet, default=0.0) < 1.0, ", ".join(map(str, runs))
        breaks = [gap.seconds for gap in leg.gaps(at_least=0.06) if gap.after == gap.before]
        longest = max(longest, *breaks, 0.0)
    return longest
