"""Callers by the hundred who hang up when they like: raw SIP, one socket, no sound.

    async with Hasty(bureau.sip) as callers:
        call = callers.dial("0199001001", "0639980101")
        call.when(183, call.leave)         # in the same instant in which the 183 is read
        await call.has(200)
        call.leave()                       # CANCEL or BYE, whichever it takes
        await call.over()

Each keeps when it saw what. Requests are sent again as RFC 3261 has it until they are answered (timers A and E), a
200 that crosses a CANCEL is confirmed and ended with BYE, what the exchange asks (re-INVITE, UPDATE, BYE) is answered.
`Desk` is a registered phone that keeps when it rang and for whom. Who has to hear something is a phone of `phones.py`.
"""

from __future__ import annotations

import asyncio
import re
import secrets
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from tests.support import PATIENCE
from tests.support.sip_phone import LAST, T1, T2, SipPhone, address_of
from tests.support.sip_text import SipMessage

LEFT, OVER = "left", "over"


def offer(address: str, port: int = 9, *, codecs: str = "8 0 101", extra: tuple[str, ...] = ()) -> str:
    """An SDP of one audio stream at `port`, which may be one where nobody listens."""
    lines = (
        "v=0", f"o=- 1 {secrets.randbelow(10**6)} IN IP4 {address}", "s=-", f"c=IN IP4 {address}", "t=0 0",
        f"m=audio {port} RTP/AVP {codecs}", "a=rtpmap:101 telephone-event/8000", "a=fmtp:101 0-16", *extra,
    )  # fmt: skip
    return "\r\n".join(lines) + "\r\n"


@dataclass(slots=True)
class HastyCall:
    """One of them. `seen`: when it first had each status, and when it left and was over (monotonic seconds)."""

    callers: Hasty
    number: str
    call_id: str
    uri: str
    branch: str
    invite: str = ""
    asked_at: float = 0.0
    seen: dict[int | str, float] = field(default_factory=dict)
    final: SipMessage | None = None
    newest: SipMessage | None = None
    sound: tuple[str, int] | None = None
    hung_up_by_us: bool = True
    """Whether the end was the caller's, not the exchange's."""
    confirms: bool = True
    """Whether a 200 has its ACK."""
    acknowledges: str = ""
    """The SDP of that ACK."""
    times: Counter[int] = field(default_factory=Counter)
    """How often each status of the INVITE came, also of another branch than ours."""
    _to_do: dict[int | str, list[Callable[[], object]]] = field(default_factory=lambda: defaultdict(list))
    _cseq: int = 1
    _cancelled: bool = False
    _changed: asyncio.Event = field(default_factory=asyncio.Event)
    _answers: dict[int, SipMessage] = field(default_factory=dict)

    # --- what he does

    def when(self, status: int | str, what: Callable[[], object]) -> None:
        """Do it in the instant in which this status is read (or LEFT, OVER)."""
        self._to_do[status].append(what)

    def leave(self) -> None:
        """Hang up, now. Before anything was heard of the INVITE this is a CANCEL all the same."""
        if LEFT in self.seen or OVER in self.seen:
            return
        self._note(LEFT)
        if self.final is None:
            self.cancel()
        elif (self.final.status or 0) < 300:
            self.send("BYE")

    def cancel(self) -> None:
        """CANCEL."""
        self._cancelled = True
        self.callers.ask(self, self.text("CANCEL", 1, self.branch, to=f"<{self.uri}>"), "1 CANCEL")

    def send(self, method: str, body: str = "", headers: tuple[str, ...] = ()) -> int:
        """A request inside of the dialogue; its CSeq, for `answer`."""
        self._cseq += 1
        branch = f"z9hG4bK{secrets.token_hex(8)}"
        text = self.text(method, self._cseq, branch, body, headers)
        self.callers.ask(self, text, f"{self._cseq} {method}")
        return self._cseq

    def throw(self, method: str, body: str = "", headers: tuple[str, ...] = ()) -> None:
        """A request inside of the dialogue that nobody waits for."""
        self._cseq += 1
        branch = f"z9hG4bK{secrets.token_hex(8)}"
        self.callers.throw(self.text(method, self._cseq, branch, body, headers))

    # --- what he sees

    @property
    def status(self) -> int | None:
        """The final answer's."""
        return None if self.final is None else self.final.status

    @property
    def is_over(self) -> bool:
        return OVER in self.seen

    async def has(self, *statuses: int, within: float = PATIENCE) -> int:
        """Wait until one of these statuses came; which."""
        await self._until(lambda: any(each in self.seen for each in statuses), within, f"no {statuses}")
        return next(each for each in statuses if each in self.seen)

    async def over(self, within: float = PATIENCE) -> float:
        """Wait until nothing is left of the call on this side; when that was."""
        await self._until(lambda: self.is_over, within, "not over")
        return self.seen[OVER]

    async def again(self, status: int, times: int, within: float = PATIENCE) -> None:
        """Wait until this status of the INVITE came so often."""
        await self._until(lambda: self.times[status] >= times, within, f"not {times} times {status}")

    async def answer(self, cseq: int, within: float = PATIENCE) -> SipMessage:
        """The final answer to the request with this CSeq."""
        await self._until(lambda: cseq in self._answers, within, f"no answer to {cseq}")
        return self._answers[cseq]

    async def _until(self, fits: Callable[[], bool], within: float, failure: str) -> None:
        try:
            async with asyncio.timeout(within):
                while not fits():
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            raise AssertionError(f"{self.number}: {failure} within {within} s; seen: {self.seen}") from None

    # --- the protocol

    def on_message(self, message: SipMessage) -> None:
        """A message of this call."""
        match message.status, message.cseq_method:
            case None, "BYE":
                self.callers.reply(message, 200)
                self.hung_up_by_us = LEFT in self.seen
                self._note(OVER)
            case None, "INVITE":
                self.callers.reply(message, 200, self, offer(self.callers.address))
            case None, "ACK":
                pass
            case None, _:
                self.callers.reply(message, 200)
            case status, "INVITE":
                assert status is not None
                self._answered(message, status)
            case status, method:
                assert status is not None
                if status >= 200:
                    self._answers.setdefault(int(message.header("CSeq").split()[0]), message)
                if method == "BYE" and status >= 200:
                    self._note(OVER)
        self._changed.set()

    def _answered(self, message: SipMessage, status: int) -> None:
        cseq = int(message.header("CSeq").split()[0])
        if cseq == 1:
            self.times[status] += 1
        if message.body:
            where = re.search(r"c=IN IP4 (\S+)", message.body), re.search(r"m=audio (\d+)", message.body)
            if where[0] is not None and where[1] is not None:
                self.sound = where[0][1], int(where[1][1])
        if status >= 200:
            self._answers.setdefault(cseq, message)
            self._confirm(message, cseq, status)
        if cseq != 1 or self.branch not in message.header("Via"):
            return
        self.newest = message
        if status >= 200 and self.final is None:
            self.final = message
            if status >= 300:
                self._note(OVER)
            elif LEFT in self.seen:
                self.send("BYE")  # it crossed the CANCEL
        self._note(status)

    def _confirm(self, message: SipMessage, cseq: int, status: int) -> None:
        if status < 300 and not self.confirms:
            return
        via = re.search(r"branch=([^;\s]+)", message.header("Via"))
        assert via is not None
        branch = f"{via[1]}ack" if status < 300 else via[1]
        body = self.acknowledges if status < 300 and cseq == 1 else ""
        self.callers.throw(self.text("ACK", cseq, branch, body, to=message.header("To")))

    def _note(self, what: int | str) -> None:
        if what in self.seen:
            return
        self.seen[what] = time.monotonic()
        for each in self._to_do.pop(what, ()):
            each()
        self._changed.set()

    def text(
        self, method: str, cseq: int, branch: str, body: str = "", headers: tuple[str, ...] = (), to: str = ""
    ) -> str:
        """A request of this call's, to the letter. `to`: the whole To header, else that of the dialogue."""
        callers = self.callers
        target = to or (self.final or self.newest or SipMessage("")).header("To") or f"<{self.uri}>"
        lines = [
            f"{method} {self.uri} SIP/2.0",
            f"Via: SIP/2.0/UDP {callers.address}:{callers.port};rport;branch={branch}",
            f"From: <sip:{self.number}@operator.example>;tag=h{self.call_id[:8]}",
            f"To: {target}",
            f"Call-ID: {self.call_id}",
            f"CSeq: {cseq} {method}",
            f"Contact: <sip:hasty@{callers.address}:{callers.port}>",
            "Allow: INVITE, ACK, BYE, CANCEL, UPDATE, INFO, OPTIONS",
            "Max-Forwards: 70",
            *headers,
        ]
        if body and not any(each.lower().startswith("content-type") for each in headers):
            lines.append("Content-Type: application/sdp")
        return "\r\n".join((*lines, f"Content-Length: {len(body.encode())}", "", body))


class Hasty(asyncio.DatagramProtocol):
    """The socket of all of them. `calls`: every call ever, by its Call-ID."""

    def __init__(self, server: str, address: str = "127.0.0.1") -> None:
        self.server = address_of(server)
        self.address = address
        self.port = 0
        self.calls: dict[str, HastyCall] = {}
        self._transport: asyncio.DatagramTransport | None = None
        self._open: set[tuple[str, str]] = set()
        self._timers: dict[tuple[str, str], asyncio.TimerHandle] = {}

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(lambda: self, local_addr=(self.address, 0))
        self.port = self._transport.get_extra_info("sockname")[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for timer in self._timers.values():
            timer.cancel()
        if self._transport is not None:
            self._transport.close()

    def dial(
        self, did: str, number: str, *, sdp: str | None = None, acknowledges: str = "", uri: str = ""
    ) -> HastyCall:
        """An INVITE, now. `sdp`: empty for none; then `acknowledges` goes with the ACK."""
        call_id = secrets.token_hex(12)
        uri = uri or f"sip:{did}@{self.server[0]}:{self.server[1]}"
        call = HastyCall(self, number, call_id, uri, f"z9hG4bK{secrets.token_hex(8)}")
        call.acknowledges = acknowledges
        call.asked_at = time.monotonic()
        self.calls[call_id] = call
        body = offer(self.address) if sdp is None else sdp
        call.invite = call.text("INVITE", 1, call.branch, body)
        self.ask(call, call.invite, "1 INVITE")
        return call

    # --- for a call

    def ask(self, call: HastyCall, text: str, cseq: str) -> None:
        """A request that is sent again until it is answered."""
        self.throw(text)
        key = call.call_id, cseq
        self._open.add(key)
        self._later(key, text, T1, time.monotonic() + LAST)

    def throw(self, text: str) -> None:
        """Once."""
        assert self._transport is not None
        self._transport.sendto(text.encode(), self.server)

    def reply(self, request: SipMessage, status: int, call: HastyCall | None = None, body: str = "") -> None:
        """An answer to what the exchange asks."""
        names = ("Via", "From", "To", "Call-ID", "CSeq")
        lines = [f"{name}: {value}" for name in names for value in request.headers(name)]
        if call is not None:
            lines += [f"Contact: <sip:hasty@{self.address}:{self.port}>", "Content-Type: application/sdp"]
        lines.append(f"Content-Length: {len(body.encode())}")
        self.throw("\r\n".join((f"SIP/2.0 {status} OK", *lines, "", body)))

    def _later(self, key: tuple[str, str], text: str, after: float, until: float) -> None:
        def again() -> None:
            if key in self._open and time.monotonic() < until:
                self.throw(text)
                longest = LAST if key[1].endswith("INVITE") else T2
                self._later(key, text, min(2 * after, longest), until)

        self._timers[key] = asyncio.get_running_loop().call_later(after, again)

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        message = SipMessage.parse(data.decode("utf-8", "surrogateescape"), time.monotonic())
        if message.status is not None:
            self._open.discard((message.call_id, message.header("CSeq")))
        call = self.calls.get(message.call_id)
        if call is not None:
            call.on_message(message)


@dataclass(slots=True)
class Ringing:
    """One call of a phone. `answered`: when it said 200; `confirmed`: the ACK; `stopped`: when it was told to stop, or
    the call ended."""

    number: str
    call: str
    began: float
    answered: float | None = None
    confirmed: float | None = None
    stopped: float | None = None


class Desk(SipPhone):
    """A registered phone that keeps when it rang, for whom, and until when. `picks_up`: how many seconds after the
    INVITE (None: never), asked at each; `told`: called with each ring and what happened to it."""

    def __init__(self, server: str, user: str, password: str) -> None:
        super().__init__(server, user, password)
        self.rings: list[Ringing] = []
        self.picks_up: Callable[[], float | None] = lambda: None
        self.told: Callable[[Ringing, str], None] = lambda _ring, _what: None
        self._ringing: dict[str, Ringing] = {}

    def on_message(self, message: SipMessage, source: tuple[str, int]) -> None:
        ring = self._ringing.get(message.call_id)
        if message.method == "INVITE" and ring is None:
            who = re.sub(r"^\+33", "0", message.from_user)
            ring = Ringing(who, message.header("X-Autocom-Call"), time.monotonic())
            self._ringing[message.call_id] = ring
            self.rings.append(ring)
            after = self.picks_up()
            self.answer = None if after is None else 200
            self.after = after or 0.0
            super().on_message(message, source)
            self.told(ring, "rings")
            return
        super().on_message(message, source)
        if ring is not None and message.method in {"CANCEL", "BYE"} and ring.stopped is None:
            ring.stopped = time.monotonic()
            self.told(ring, "stops")
        if (
            ring is not None
            and message.method == "ACK"
            and ring.answered is not None
            and ring.confirmed is None
        ):
            ring.confirmed = time.monotonic()
            self.told(ring, "confirmed")

    def _finish(self, call_id: str, status: int) -> None:
        was_open = call_id in self._open
        super()._finish(call_id, status)
        ring = self._ringing.get(call_id)
        if ring is not None and was_open and status == 200:
            ring.answered = time.monotonic()
            self.told(ring, "answers")

    async def joined(self, nth: int, within: float = PATIENCE) -> Ringing:
        """The `nth` of her calls that she answered and the exchange confirmed, waited for."""
        try:
            async with asyncio.timeout(within):
                while len(found := [ring for ring in self.rings if ring.confirmed is not None]) < nth:
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            raise AssertionError(
                f"{self.user}: not joined {nth} times within {within} s: {self.rings}"
            ) from None
        return found[nth - 1]

    @property
    def open_rings(self) -> list[Ringing]:
        """What rings or talks now."""
        return [ring for ring in self.rings if ring.stopped is None]
