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
apart by the user of From. What a leg can be asked: `leg.py`. The stack refuses with 486 only; other answers: `sip_phone.py`.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Coroutine, Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

from baresip import Account, Config, Runtime, UserAgent
from baresip.call import Call, CallState
from baresip.errors import BaresipError, StaleHandleError
from baresip.events import StackEvent

from tests.support import PATIENCE, tones
from tests.support.leg import Leg, Wire
from tests.support.sip_text import SipMessage

PUMP = 0.04  # the stack skips audio that lies unread for a second
RTP_PORTS = "20000-25999"  # below the kernel's ephemeral ports and beside the tests' Asterisks


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

    async def rings(self, nth: int = 1, within: float = PATIENCE) -> Leg:
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

    def __init__(
        self,
        address: str = "127.0.0.1",
        *,
        listen: str | None = None,
        trusts: Path | None = None,
        **settings: Any,
    ) -> None:
        # `listen`: the stack's own SIP address (`host:port`), where an operator is expected; `trusts`: the
        # authority that a TLS server's certificate must come from
        at = f"sip_listen {listen}\n" if listen else ""
        tls = f"sip_cafile {trusts}\nsip_verify_server yes\n" if trusts else ""
        self.listen = listen
        self.legs: list[Leg] = []
        self._config = Config(
            net_interface=address,  # without it the stack looks for an interface that is not loopback
            max_concurrent_calls=None,
            sip_trace=True,
            extra_config_text=f"rtp_ports {RTP_PORTS}\n{at}{tls}",
            **settings,
        )
        self.trace = Wire()
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
        transport: Literal["udp", "tls"] = "udp",
        srtp: bool = False,
        expires: int = 300,
    ) -> Softphone:
        """A softphone at `server` (`host:port`), registered unless told otherwise."""
        account = Account(
            user=user,
            domain=server,
            password=password,
            reg_interval=expires,
            audio_codecs=codecs,
            transport=transport,
            extra_params=("mediaenc=srtp-mand",) if srtp else (),
        )
        phone = Softphone(self, await UserAgent.create(self._runtime, account), user)
        phone.answer_after, phone.busy, phone.say = answer_after, busy, say
        phone.agent.on_incoming(phone.on_incoming)
        if register:
            await phone.agent.register()
        return phone

    async def outside(self, number: str, **habits: Any) -> Softphone:
        """A telephone of the network that is called by its number (E.164) at `listen`."""
        assert self.listen is not None
        return await self.secretary(number, "", self.listen, register=False, **habits)

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
