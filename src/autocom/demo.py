"""One demonstration call by a real SIP caller to a real SIP softphone.

Shows a new installation that it works, from outside, through the same doors as everybody: registers a
softphone as a secretary, calls a client's number over the operator's trunk, lets both sides speak a tone
and tells what each of them heard. Must not know anything of the service (no import of its rooms): it is a
customer. Invariant: whatever happens, the phone is unregistered and the SIP stack closed on return, and
the process's signal handlers are as before. `app` starts it for `autocom up --demo`.
"""

from __future__ import annotations

import array
import asyncio
import math
import re
import signal
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from baresip import Runtime
    from baresip.call import Call
    from baresip.events import StackEvent

CALLER = "0639980101"
CALLERS_VOICE = 740.0
SECRETARYS_VOICE = 620.0
RINGING = 440.0  # the French ringing tone
THINKS, TALKS = 7.0, 4.0
WINDOW = 0.1
QUIET_RMS = 100.0


class DemonstrationFailed(Exception):  # noqa: N818 - the caller's story, not a programming error
    """The call could not be made or did not come through; the message is for the person at the terminal."""


@dataclass(frozen=True, slots=True)
class Heard:
    """From `start` to `end` seconds after the call began: ringing, the other's voice, another sound, silence."""

    start: float
    end: float
    what: str


@dataclass(frozen=True, slots=True)
class Summary:
    """What a demonstration call was like from outside. Seconds count from the caller's INVITE.

    `display` is the name that the ringing softphone showed."""

    rang_after: float
    display: str
    caller_heard: tuple[Heard, ...]
    secretary_heard: tuple[Heard, ...]

    @property
    def two_way(self) -> bool:
        """Whether each heard the other."""
        return any(h.what == "the secretary" for h in self.caller_heard) and any(
            h.what == "the caller" for h in self.secretary_heard
        )


async def demonstrate(
    server: str,
    did: str,
    secretary: str,
    password: str,
    say: Callable[[str], None],
    *,
    forwarded_from: str = "+33261912001",
    patience: float = 60.0,
) -> Summary:
    """Place one call to `did` at `server` (`host:port`) and have `secretary` answer it.

    She must be logged in; her phone is registered here, and replaces one she may have. `say` gets a line as
    things happen. Raises DemonstrationFailed where the SIP stack is missing, the phone may not register, or
    she is not rung within `patience` seconds."""
    try:
        from baresip import Config, Runtime  # noqa: PLC0415 - an extra, and native: only who demonstrates loads it
        from baresip.errors import BaresipError  # noqa: PLC0415
    except ImportError as missing:
        raise DemonstrationFailed(
            f"a demonstration call needs the SIP softphone of the extra `demo` (pip install 'autocom[demo]'): {missing}"
        ) from missing
    config = Config(
        net_interface=server.rpartition(":")[0],  # the stack avoids loopback unless told
        max_concurrent_calls=None,
        expose_headers=("From", "Alert-Info", "Call-Info", "X-Autocom-Client", "X-Autocom-Phrase"),
        extra_config_text="rtp_ports 26000-26999\n",
    )
    runtime = Runtime(native_log_level="error")
    async with AsyncExitStack() as afterwards:
        try:
            # the stack puts a handler of its own on SIGPIPE and leaves it there
            if threading.current_thread() is threading.main_thread():
                afterwards.callback(signal.signal, signal.SIGPIPE, signal.getsignal(signal.SIGPIPE))
            await runtime.start(config)
            afterwards.push_async_callback(runtime.close)
            async with asyncio.timeout(patience + THINKS + TALKS + 20):
                try:
                    return await _call(
                        runtime, server, did, (secretary, password), forwarded_from, patience, say
                    )
                except ExceptionGroup as several:  # of the task group: one error is the story
                    raise several.exceptions[0] from several
        except BaresipError as error:
            raise DemonstrationFailed(f"the demonstration call failed: {error}") from error
        except TimeoutError as late:
            raise DemonstrationFailed(
                f"{secretary}'s phone was not rung within {patience:.0f} s: is she logged in?"
            ) from late


async def _call(
    runtime: Runtime,
    server: str,
    did: str,
    her: tuple[str, str],
    forwarded_from: str,
    patience: float,
    say: Callable[[str], None],
) -> Summary:
    from baresip import Account, UserAgent  # noqa: PLC0415

    phone = await UserAgent.create(runtime, Account(her[0], server, her[1], reg_interval=300))
    incoming: asyncio.Future[Call] = asyncio.get_running_loop().create_future()
    phone.on_incoming(lambda call: None if incoming.done() else incoming.set_result(call))
    await phone.register()
    say(f"{her[0]}'s softphone is registered at {server}")
    try:
        line = await UserAgent.create(runtime, Account(CALLER, "operator.example", "", reg_interval=0))
        refused: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        # asked of the stack, before the call exists: its end may overtake what `dial` returns
        runtime.subscribe(lambda event: _when_closed(event, line.handle, refused))
        began = time.monotonic()
        dialled = await line.dial(
            f"sip:{did}@{server}",
            {"Diversion": f"<sip:{forwarded_from}@operator.example>;reason=unconditional;counter=1"},
        )
        say(f"{CALLER} calls {forwarded_from}, which is forwarded to {did}")
        caller = _Ear(dialled, began, CALLERS_VOICE, SECRETARYS_VOICE, "the secretary")
        async with asyncio.TaskGroup() as tasks:
            listening = [tasks.create_task(caller.listen())]
            try:
                async with asyncio.timeout(patience):
                    ringing = await _first(incoming, refused)
                rang = time.monotonic() - began
                display = _display_name(ringing.headers.get("From", ""))
                say(f"{rang:.1f} s: her phone rings and shows “{display}”")
                her_ear = _Ear(ringing, began, SECRETARYS_VOICE, CALLERS_VOICE, "the caller")
                listening.append(tasks.create_task(her_ear.listen()))
                await asyncio.sleep(THINKS)  # as a person would; nothing waits for it
                await ringing.answer()
                await ringing.wait_established()
                say(f"{time.monotonic() - began:.1f} s: she answers")
                await asyncio.sleep(TALKS)
                ended = time.monotonic() - began
            finally:
                await caller.hang_up()
                for task in listening:
                    task.cancel()
        say(f"{ended:.1f} s: the caller hangs up")
        # a tenth of a second of arithmetic: not on the loop that may be serving other calls
        heard = await asyncio.to_thread(lambda: (caller.timeline(), her_ear.timeline()))
        return Summary(rang, display, *heard)
    finally:
        await phone.unregister()


def _when_closed(event: StackEvent, line: int, refused: asyncio.Future[str]) -> None:
    if event.ua == line and event.event.name == "CALL_CLOSED" and not refused.done():
        refused.set_result(event.text or "hung up")


async def _first(incoming: asyncio.Future[Call], refused: asyncio.Future[str]) -> Call:
    """Her ringing phone, or the failure that the caller's line was refused first."""
    either: set[asyncio.Future[Call] | asyncio.Future[str]] = {incoming, refused}
    await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
    if not incoming.done():
        raise DemonstrationFailed(f"the call ended before a phone rang: {refused.result()}")
    return incoming.result()


@dataclass
class _Ear:
    """One side of the call: speaks its tone, keeps what it hears at the time it came."""

    call: Call
    began: float
    voice: float
    others_voice: float
    others_name: str
    rate: int = 8000
    chunks: list[tuple[float, array.array[int]]] = field(default_factory=list)
    _spoken: int = 0

    async def listen(self) -> None:
        """Move audio until cancelled."""
        from baresip.errors import AudioNotActive, AudioRestarted  # noqa: PLC0415

        while True:
            with suppress(AudioNotActive, AudioRestarted):
                self._exchange()
            await asyncio.sleep(0.04)

    def _exchange(self) -> None:
        audio = self.call.audio
        now = audio.info()
        if now.rx_ready and (raw := audio.read(65536)):
            self.rate = now.rx_sample_rate
            heard = array.array("h", raw)[:: now.rx_channels]
            self.chunks.append((time.monotonic() - self.began - len(heard) / self.rate, heard))
        if now.tx_ready:
            frame = 2 * now.tx_channels
            want = now.tx_sample_rate // 5 - now.tx_buffered // frame
            if want > 0:
                turn = 2 * math.pi * self.voice / now.tx_sample_rate
                samples = (int(9000 * math.sin(turn * (self._spoken + i))) for i in range(want))
                tone = array.array("h", (s for sample in samples for s in (sample,) * now.tx_channels))
                self._spoken += audio.write(tone.tobytes()) // frame

    async def hang_up(self) -> None:
        """Leave; no error where the other was quicker."""
        from baresip.errors import StaleHandleError  # noqa: PLC0415

        with suppress(StaleHandleError):
            await self.call.hangup()

    def timeline(self) -> tuple[Heard, ...]:
        """What was heard, in order; where nothing came there is nothing."""
        pieces: list[Heard] = []
        for at, samples in _windows(self.chunks, self.rate):
            what = self._recognise(samples)
            if pieces and pieces[-1].what == what and at - pieces[-1].end < 2 * WINDOW:
                pieces[-1] = Heard(pieces[-1].start, at + WINDOW, what)
            else:
                pieces.append(Heard(at, at + WINDOW, what))
        # single windows are transitions between two things
        return tuple(piece for piece in pieces if piece.end - piece.start > 1.5 * WINDOW)

    def _recognise(self, samples: Sequence[int]) -> str:
        energy = sum(s * s for s in samples)
        if energy < QUIET_RMS**2 * len(samples):
            return "silence"
        if _power(samples, self.others_voice, self.rate) > 0.6 * energy:
            return self.others_name
        return "ringing" if _power(samples, RINGING, self.rate) > 0.6 * energy else "a message or music"


def _windows(chunks: list[tuple[float, array.array[int]]], rate: int) -> list[tuple[float, Sequence[int]]]:
    length = int(rate * WINDOW)
    out: list[tuple[float, Sequence[int]]] = []
    pending: array.array[int] = array.array("h")
    start = 0.0
    for at, samples in chunks:
        if not pending or at - (start + len(pending) / rate) > WINDOW:
            pending, start = array.array("h"), at
        pending.extend(samples)
        while len(pending) >= length:
            out.append((round(start, 2), pending[:length]))
            pending, start = pending[length:], start + WINDOW
    return out


def _power(samples: Sequence[int], hertz: float, rate: int) -> float:
    """Energy at one frequency (Goertzel), on the scale of a plain sum of squares."""
    k = 2 * math.cos(2 * math.pi * hertz / rate)
    s1 = s2 = 0.0
    for sample in samples:
        s1, s2 = sample + k * s1 - s2, s1
    return (s1 * s1 + s2 * s2 - k * s1 * s2) * 2 / len(samples)


def _display_name(header: str) -> str:
    quoted = re.match(r'\s*"((?:[^"\\]|\\.)*)"', header)
    return re.sub(r"\\(.)", r"\1", quoted[1]) if quoted else header.partition("<")[0].strip()
