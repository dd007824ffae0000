"""A SIP phone of a few hundred lines, for what a well-behaved stack will not do or show.

`SipPhone` registers with a digest (RFC 3261, MD5, qop=auth), keeps every message to the letter, rings
for ever or answers with any status (480, 486, 603, 200 with a silent SDP). `SipLine` sends any bytes as
a request and collects the answers: malformed headers, 8 kB names, hostile numbers.

    async with SipPhone(server, "lea", "lea-demo") as lea:
        lea.answer = 603
        invite = await lea.invited()
        assert invite.from_display == "Cab. Lilas · 06 39 98 01 01"
        assert (await lea.cancelled()).completed_elsewhere

UDP on loopback loses messages too, where a starved machine reads them too late: requests and final answers to an
INVITE are sent again as RFC 3261 has it (timers A, E and G) until they are answered, and what the other side sends
again is answered alike and kept once. Raw bytes are sent as they are, once. Sound is `phones.py`'s matter.
"""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import re
import secrets
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from tests.support import PATIENCE
from tests.support.sip_text import SipMessage

T1, T2, LAST = 0.5, 4.0, 32.0
"""RFC 3261, seconds: the first wait before something is sent again, the longest one, and when it is given up."""
_names = itertools.count(1)


def address_of(server: str) -> tuple[str, int]:
    """`host:port` in two."""
    host, _, port = server.rpartition(":")
    return host, int(port)


def digest(challenge: str, method: str, uri: str, user: str, password: str) -> str:
    """The Authorization for a WWW-Authenticate or Proxy-Authenticate challenge."""
    given = dict(re.findall(r'(\w+)="?([^",]*)"?', challenge))

    def md5(text: str) -> str:
        return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()

    first = md5(f"{user}:{given['realm']}:{password}")
    second = md5(f"{method}:{uri}")
    fields = {"username": user, "realm": given["realm"], "nonce": given["nonce"], "uri": uri}
    if "qop" in given:
        client = secrets.token_hex(8)
        response = md5(f"{first}:{given['nonce']}:00000001:{client}:auth:{second}")
        tail = f', qop=auth, nc=00000001, cnonce="{client}"'
    else:
        response, tail = md5(f"{first}:{given['nonce']}:{second}"), ""
    fields["response"] = response
    if "opaque" in given:
        fields["opaque"] = given["opaque"]
    return "Digest " + ", ".join(f'{k}="{v}"' for k, v in fields.items()) + ", algorithm=MD5" + tail


class _Socket(asyncio.DatagramProtocol):
    def __init__(self, received: Callable[[bytes, tuple[str, int]], None]) -> None:
        self._received = received

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        self._received(data, addr)


class SipLine:
    """A socket that speaks SIP to one server. `received` and `sent` hold everything in order."""

    def __init__(self, server: str, address: str = "127.0.0.1") -> None:
        self.server = server
        self.address = address
        self.port = 0
        self.received: list[SipMessage] = []
        self.sent: list[SipMessage] = []
        self._transport: asyncio.DatagramTransport | None = None
        self._news = asyncio.Event()
        self._timers: list[asyncio.TimerHandle] = []
        self._replies: dict[str, tuple[bytes, tuple[str, int]]] = {}

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(
            lambda: _Socket(self._on_datagram), local_addr=(self.address, 0)
        )
        self.port = self._transport.get_extra_info("sockname")[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for timer in self._timers:
            timer.cancel()
        if self._transport is not None:
            self._transport.close()

    def _on_datagram(self, data: bytes, source: tuple[str, int]) -> None:
        message = SipMessage.parse(data.decode("utf-8", "surrogateescape"), time.monotonic())
        if not message.text:  # a lone CRLF is a keep-alive
            return
        is_again = any(message.text == earlier.text for earlier in self.received)
        if is_again and message.status is None:
            if message.transaction in self._replies and self._transport is not None:
                self._transport.sendto(*self._replies[message.transaction])
            return
        if not is_again:
            self.received.append(message)
        self.on_message(message, source)
        self._news.set()

    def on_message(self, message: SipMessage, source: tuple[str, int]) -> None:
        """What a phone does with it; a line only listens."""

    def send(self, message: str | bytes, to: tuple[str, int] | None = None) -> None:
        """Bytes as they are; a text as a phone sends it, again and again until it is answered."""
        assert self._transport is not None
        raw = message if isinstance(message, bytes) else message.encode("utf-8", "surrogateescape")
        to = to or address_of(self.server)
        sent = SipMessage.parse(raw.decode("utf-8", "surrogateescape"), time.monotonic(), sent=True)
        self.sent.append(sent)
        self._transport.sendto(raw, to)
        if isinstance(message, bytes):
            return
        if sent.status is not None:
            self._replies[sent.transaction] = (raw, to)
        if sent.method not in {None, "ACK"} or ((sent.status or 0) >= 200 and sent.cseq_method == "INVITE"):
            self._send_again(raw, to, sent, T1)

    def _send_again(self, raw: bytes, to: tuple[str, int], sent: SipMessage, after: float) -> None:
        """In so many seconds, and then in twice as many, unless it is answered."""

        def is_answer(message: SipMessage) -> bool:
            if sent.status is None:
                return message.status is not None and message.transaction == sent.transaction
            number = sent.header("CSeq").split(" ")[0]
            return message.header("CSeq") == f"{number} ACK" and message.call_id == sent.call_id

        def once_more() -> None:
            if any(map(is_answer, self.received)):
                return
            assert self._transport is not None
            self._transport.sendto(raw, to)
            longest = LAST if sent.method == "INVITE" else T2
            self._send_again(raw, to, sent, min(2 * after, longest))

        if time.monotonic() + after < sent.at + LAST:
            self._timers.append(asyncio.get_running_loop().call_later(after, once_more))

    async def wait_for(
        self, fits: Callable[[SipMessage], bool], within: float = PATIENCE, nth: int = 1
    ) -> SipMessage:
        """The `nth` received message that fits."""
        try:
            async with asyncio.timeout(within):
                while True:
                    found = [m for m in self.received if fits(m)]
                    if len(found) >= nth:
                        return found[nth - 1]
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            lines = [m.first_line for m in self.received]
            raise AssertionError(f"nothing that fits within {within} s; received: {lines}") from None

    def request(
        self,
        method: str,
        uri: str,
        *,
        frm: str,
        to: str | None = None,
        call_id: str | None = None,
        cseq: int = 1,
        headers: tuple[str, ...] = (),
        body: str = "",
        branch: str | None = None,
    ) -> str:
        """A request; `frm` is the whole From value without its tag, `headers` are raw lines."""
        branch = branch or f"z9hG4bK{secrets.token_hex(8)}"
        lines = [
            f"{method} {uri} SIP/2.0",
            f"Via: SIP/2.0/UDP {self.address}:{self.port};rport;branch={branch}",
            f"From: {frm};tag=t{next(_names)}",
            f"To: {to or f'<{uri}>'}",
            f"Call-ID: {call_id or f'{secrets.token_hex(8)}@{self.address}'}",
            f"CSeq: {cseq} {method}",
            f"Contact: <sip:line@{self.address}:{self.port}>",
            "Max-Forwards: 70",
            *headers,
        ]
        if body:
            lines.append("Content-Type: application/sdp")
        lines.append(f"Content-Length: {len(body.encode())}")
        return "\r\n".join(lines) + "\r\n\r\n" + body

    def silent_sdp(self) -> str:
        """An audio offer or answer whose port nobody listens to."""
        lines = (
            "v=0", f"o=- 1 1 IN IP4 {self.address}", "s=-", f"c=IN IP4 {self.address}", "t=0 0",
            "m=audio 9 RTP/AVP 8 0 101", "a=rtpmap:8 PCMA/8000", "a=rtpmap:0 PCMU/8000",
            "a=rtpmap:101 telephone-event/8000", "a=sendrecv",
        )  # fmt: skip
        return "\r\n".join(lines) + "\r\n"

    async def invite(
        self, number: str, *, frm: str, headers: tuple[str, ...] = (), within: float = PATIENCE
    ) -> SipMessage:
        """Call `number` and wait for the first final or early answer (not 100)."""
        call_id = f"{secrets.token_hex(8)}@{self.address}"
        uri = f"sip:{number}@{self.server}"
        self.send(
            self.request("INVITE", uri, frm=frm, call_id=call_id, headers=headers, body=self.silent_sdp())
        )
        return await self.wait_for(lambda m: m.call_id == call_id and (m.status or 0) > 100, within)

    def end(self, answer: SipMessage) -> None:
        """End the call whose INVITE was answered by `answer`: CANCEL, or ACK and BYE."""
        invite = next(m for m in self.sent if m.method == "INVITE" and m.call_id == answer.call_id)
        uri = invite.first_line.split(" ")[1]
        branch = re.search(r"branch=([^;\s]+)", invite.header("Via"))
        assert branch is not None
        if (answer.status or 0) < 200:
            self.send(self._in_dialog("CANCEL", uri, invite, invite.header("To"), 1, branch[1]))
        elif (answer.status or 0) < 300:
            self.send(self._in_dialog("ACK", uri, invite, answer.header("To"), 1))
            self.send(self._in_dialog("BYE", uri, invite, answer.header("To"), 2))
        else:
            self.send(self._in_dialog("ACK", uri, invite, answer.header("To"), 1, branch[1]))

    def _in_dialog(
        self, method: str, uri: str, invite: SipMessage, to: str, cseq: int, branch: str | None = None
    ) -> str:
        branch = branch or f"z9hG4bK{secrets.token_hex(8)}"
        return "\r\n".join(
            (
                f"{method} {uri} SIP/2.0",
                f"Via: SIP/2.0/UDP {self.address}:{self.port};rport;branch={branch}",
                f"From: {invite.header('From')}",
                f"To: {to}",
                f"Call-ID: {invite.call_id}",
                f"CSeq: {cseq} {method}",
                "Max-Forwards: 70",
                "Content-Length: 0",
                "\r\n",
            )
        )


class SipPhone(SipLine):
    """A registered phone. `answer`: the status that an INVITE gets after its 180 (None: it rings on), `after`
    seconds later; `ringing=False` leaves the 180 out. Change them between calls."""

    def __init__(
        self, server: str, user: str, password: str, address: str = "127.0.0.1", *, registers: bool = True
    ) -> None:
        super().__init__(server, address)
        self.registers = registers
        self.user = user
        self.password = password
        self.answer: int | None = None
        self.after = 0.0
        self.ringing = True
        self._open: dict[str, tuple[SipMessage, str, tuple[str, int]]] = {}

    async def __aenter__(self) -> Self:
        await super().__aenter__()
        if self.registers:
            await self.register()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for timer in self._timers:
            timer.cancel()  # whatever it meant to answer
        if kind is None and self.registers:
            await self.register(expires=0)
        await super().__aexit__(kind, error, trace)

    async def register(self, expires: int = 300) -> None:
        """Register at the server, `expires=0` to leave. AssertionError where it refuses."""
        uri = f"sip:{self.server}"
        me = f"<sip:{self.user}@{address_of(self.server)[0]}>"
        contact = (f"Expires: {expires}",)
        call_id = f"{secrets.token_hex(8)}@{self.address}"

        def text(cseq: int, extra: tuple[str, ...] = ()) -> str:
            made = self.request(
                "REGISTER", uri, frm=me, to=me, call_id=call_id, cseq=cseq, headers=contact + extra
            )
            return made.replace("<sip:line@", f"<sip:{self.user}@")

        self.send(text(1))
        first = await self.wait_for(lambda m: m.call_id == call_id and (m.status or 0) >= 200)
        if first.status == 401:
            token = digest(first.header("WWW-Authenticate"), "REGISTER", uri, self.user, self.password)
            self.send(text(2, (f"Authorization: {token}",)))
            first = await self.wait_for(lambda m: m.call_id == call_id and (m.status or 0) >= 200, nth=2)
        assert first.status == 200, f"{self.user} may not register: {first.first_line}"

    @property
    def invites(self) -> list[SipMessage]:
        """The first INVITE of every call (no re-INVITE, no retransmission)."""
        seen: dict[str, SipMessage] = {}
        for message in self.received:
            if message.method == "INVITE":
                seen.setdefault(message.call_id, message)
        return list(seen.values())

    async def invited(self, nth: int = 1, within: float = PATIENCE) -> SipMessage:
        """The `nth` call ever, waited for."""
        await self.wait_for(lambda m: m.method == "INVITE" and len(self.invites) >= nth, within)
        return self.invites[nth - 1]

    async def cancelled(self, nth: int = 1, within: float = PATIENCE) -> SipMessage:
        """The `nth` CANCEL ever."""
        return await self.wait_for(lambda m: m.method == "CANCEL", within, nth)

    async def hung_up(self, nth: int = 1, within: float = PATIENCE) -> SipMessage:
        """The `nth` BYE ever."""
        return await self.wait_for(lambda m: m.method == "BYE", within, nth)

    def on_message(self, message: SipMessage, source: tuple[str, int]) -> None:
        match message.method:
            case "INVITE":
                self._on_invite(message, source)
            case "CANCEL":
                self._reply(message, 200, source)
                if message.call_id in self._open:
                    invite, tag, _ = self._open.pop(message.call_id)
                    self._reply(invite, 487, source, tag)
            case "ACK" | None:
                pass
            case _:  # BYE, OPTIONS (Asterisk qualifies its contacts), NOTIFY
                self._reply(message, 200, source)

    def _on_invite(self, message: SipMessage, source: tuple[str, int]) -> None:
        if message.call_id in self._open:
            return
        tag = f"p{next(_names)}"
        self._open[message.call_id] = (message, tag, source)
        self._reply(message, 100, source)
        if self.ringing:
            self._reply(message, 180, source, tag)
        if self.answer is not None:
            status = self.answer
            loop = asyncio.get_running_loop()
            self._timers.append(loop.call_later(self.after, self._finish, message.call_id, status))

    def pick_up(self) -> None:
        """Answer whatever rings now, silent."""
        self.finish(200)

    def finish(self, status: int) -> None:
        """End the ringing of whatever rings now with this status."""
        for call_id in list(self._open):
            self._finish(call_id, status)

    def _finish(self, call_id: str, status: int) -> None:
        if call_id in self._open:
            invite, tag, source = self._open.pop(call_id)
            self._reply(invite, status, source, tag, self.silent_sdp() if status < 300 else "")

    def _reply(
        self, request: SipMessage, status: int, to: tuple[str, int], tag: str = "", body: str = ""
    ) -> None:
        target = request.header("To")
        if tag and ";tag=" not in target:
            target += f";tag={tag}"
        lines = [
            f"SIP/2.0 {status} {_REASONS.get(status, 'Answer')}",
            *(f"Via: {via}" for via in request.headers("Via")),
            *(f"Record-Route: {route}" for route in request.headers("Record-Route")),
            f"From: {request.header('From')}",
            f"To: {target}",
            f"Call-ID: {request.call_id}",
            f"CSeq: {request.header('CSeq')}",
            f"Contact: <sip:{self.user}@{self.address}:{self.port}>",
        ]
        if body:
            lines.append("Content-Type: application/sdp")
        lines.append(f"Content-Length: {len(body.encode())}")
        self.send("\r\n".join(lines) + "\r\n\r\n" + body, to)


_REASONS = {
    100: "Trying", 180: "Ringing", 200: "OK", 404: "Not Found", 408: "Request Timeout", 480: "Temporarily Unavailable",
    486: "Busy Here", 487: "Request Terminated", 503: "Service Unavailable", 600: "Busy Everywhere", 603: "Decline",
}  # fmt: skip
