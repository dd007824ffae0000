"""SIP phones that measure: the least that places and takes calls, with the kernel's own time stamps.

Every datagram is stamped by the kernel when it arrives (SO_TIMESTAMPNS), so a busy bench does not
lengthen what it measures; what is sent is stamped right before the system call. `Operator` is a
trunk with many callers on one socket, `Phone` a secretary's softphone that registers. What either
does about a call is decided by whoever sets `on_invite`, `on_bye` and so on; nothing here knows of queues.
All instants are nanoseconds of CLOCK_REALTIME.
"""

from __future__ import annotations

import asyncio
import itertools
import re
import secrets
import socket
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.support.sip_phone import digest

HOST = "127.0.0.1"
SO_TIMESTAMPNS = 35
_numbers = itertools.count(1)

Header = dict[str, str]


def now() -> int:
    return time.clock_gettime_ns(time.CLOCK_REALTIME)


class Datagrams:
    """A UDP socket on a free port of 127.0.0.1: `received(bytes, stamp, source)` for each that comes.
    `deaf`: nobody reads it, what comes is thrown away by the kernel (sound nobody listens to)."""

    def __init__(self, received: Callable[[bytes, int, tuple[str, int]], None] | None = None) -> None:
        self._received = received
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        # deaf: a full buffer is refused in the kernel at once, which costs nobody anything
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20 if received else 4096)
        self._socket.bind((HOST, 0))
        self.port: int = self._socket.getsockname()[1]
        if received is not None:
            asyncio.get_running_loop().add_reader(self._socket, self._read)

    def send(self, payload: bytes, to: tuple[str, int]) -> int:
        """The instant before it went."""
        at = now()
        self._socket.sendto(payload, to)
        return at

    def close(self) -> None:
        if self._received is not None:
            asyncio.get_running_loop().remove_reader(self._socket)
        self._socket.close()

    def _read(self) -> None:
        assert self._received is not None
        while True:
            try:
                payload, ancillary, _, source = self._socket.recvmsg(65536, 64)
            except BlockingIOError:
                return
            at = now()
            for level, kind, value in ancillary:
                if level == socket.SOL_SOCKET and kind == SO_TIMESTAMPNS:
                    seconds, nanoseconds = struct.unpack("qq", value[:16])
                    at = seconds * 1_000_000_000 + nanoseconds
            self._received(payload, at, source)


@dataclass(slots=True)
class Message:
    """A SIP message in parts. `headers` has the first of each name, in lower case; `vias` all of them."""

    start: str
    headers: Header
    vias: list[str]
    body: str
    at: int

    @classmethod
    def parse(cls, payload: bytes, at: int) -> Message:
        head, _, body = payload.decode("utf-8", "replace").partition("\r\n\r\n")
        start, *lines = head.split("\r\n")
        headers: Header = {}
        vias = []
        for line in lines:
            name, _, value = line.partition(":")
            name = name.strip().lower()
            if name in ("via", "v"):
                vias.append(value.strip())
            headers.setdefault(name, value.strip())
        return cls(start, headers, vias, body, at)

    @property
    def status(self) -> int:
        """0 for a request."""
        return int(self.start[8:11]) if self.start.startswith("SIP/2.0 ") else 0

    @property
    def method(self) -> str:
        return self.start.split(" ", 1)[0]

    @property
    def media(self) -> tuple[str, int]:
        """Where its SDP wants the sound."""
        port = re.search(r"^m=audio (\d+)", self.body, re.MULTILINE)
        return HOST, int(port[1]) if port else 9


@dataclass(slots=True, eq=False)
class Call:
    """One dialogue, seen from us. `marks` has the instants of what happened: invite, ringing, progress,
    answered, cancelled, bye."""

    id: str
    number: str  # the caller's
    phone: Phone | None = None
    marks: dict[str, int] = field(default_factory=dict)
    picked_up: asyncio.Event = field(default_factory=asyncio.Event)  # a caller's
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    invite: Message | None = None  # a phone's: as it came
    tag: str = ""
    target: str = ""
    remote: str = ""
    local: str = ""
    media: tuple[str, int] = (HOST, 9)
    answered: bool = False
    branch: str = ""

    def mark(self, what: str, at: int) -> None:
        self.marks.setdefault(what, at)


class Party:
    """What both sides share: a socket, dialogues by Call-ID, answers to what is not a call's matter."""

    def __init__(self, server: tuple[str, int], user: str, media: int) -> None:
        self.server, self.user, self.media = server, user, media
        self.calls: dict[str, Call] = {}
        self.wire = Datagrams(self._on_datagram)
        self.on_bye: Callable[[Call, int], None] = lambda _call, _at: None

    def close(self) -> None:
        self.wire.close()

    def bye(self, call: Call) -> int:
        """Hang up an answered call; when."""
        del self.calls[call.id]
        at = self.wire.send(self._request("BYE", call.target, call, 9), self.server)
        call.mark("bye", at)
        call.ended.set()
        return at

    def _on_datagram(self, payload: bytes, at: int, _source: tuple[str, int]) -> None:
        if len(payload) < 20:
            return  # a keep-alive
        message = Message.parse(payload, at)
        call = self.calls.get(message.headers.get("call-id", ""))
        if message.status:
            self._on_answer(message, call)
        elif message.method == "INVITE" and call is None:
            self._on_invite(message)
        elif message.method == "CANCEL" and call is not None:
            self._reply(message, 200)
            assert call.invite is not None
            self._reply(call.invite, 487, call.tag)
            self._over(call, "cancelled", at)
        elif message.method == "BYE":
            self._reply(message, 200)
            if call is not None:
                self._over(call, "bye", at)
                self.on_bye(call, at)
        elif message.method in ("OPTIONS", "UPDATE", "NOTIFY"):
            self._reply(message, 200)
        elif message.method == "INVITE" and call is not None and "tag=" in message.headers["to"]:
            self._reply(message, 200, body=sdp(self.media))

    def _over(self, call: Call, how: str, at: int) -> None:
        call.mark(how, at)
        self.calls.pop(call.id, None)
        call.ended.set()

    def _on_answer(self, message: Message, call: Call | None) -> None:
        """A response to us."""

    def _on_invite(self, message: Message) -> None:
        """A new call for us."""

    def _reply(self, request: Message, status: int, tag: str = "", body: str = "") -> int:
        to = request.headers["to"]
        if tag and "tag=" not in to:
            to += f";tag={tag}"
        lines = [
            f"SIP/2.0 {status} X",
            *(f"Via: {via}" for via in request.vias),
            f"From: {request.headers['from']}",
            f"To: {to}",
            f"Call-ID: {request.headers['call-id']}",
            f"CSeq: {request.headers['cseq']}",
            f"Contact: <sip:{self.user}@{HOST}:{self.wire.port}>",
        ]
        return self.wire.send(_join(lines, body), self.server)

    def _request(self, method: str, uri: str, call: Call, cseq: int, body: str = "", *extra: str) -> bytes:
        lines = [
            f"{method} {uri} SIP/2.0",
            f"Via: SIP/2.0/UDP {HOST}:{self.wire.port};rport;branch=z9hG4bK{call.branch or secrets.token_hex(6)}",
            f"From: {call.local}",
            f"To: {call.remote}",
            f"Call-ID: {call.id}",
            f"CSeq: {cseq} {method}",
            f"Contact: <sip:{self.user}@{HOST}:{self.wire.port}>",
            "Max-Forwards: 70",
            *extra,
        ]
        return _join(lines, body)


class Operator(Party):
    """Callers behind one trunk."""

    def __init__(self, server: tuple[str, int], media: int) -> None:
        super().__init__(server, "operator", media)

    def hang_up(self, call: Call) -> None:
        """Answered or not; nothing where it is over."""
        if call.id not in self.calls:
            return
        if call.answered:
            self.bye(call)
        else:
            # the answer to the INVITE, 487, ends it
            self.wire.send(self._request("CANCEL", call.target, call, 1), self.server)

    def dial(self, did: str) -> Call:
        """A new caller with a number of his own."""
        number = f"063998{next(_numbers) % 10_000:04d}"
        call = Call(f"{secrets.token_hex(8)}@{HOST}", number)
        uri = f"sip:{did}@{HOST}:{self.server[1]}"
        call.local = f"<sip:{number}@{HOST}>;tag=c{secrets.token_hex(4)}"
        call.remote = f"<{uri}>"
        call.target, call.branch = uri, secrets.token_hex(6)
        self.calls[call.id] = call
        call.mark(
            "invite", self.wire.send(self._request("INVITE", uri, call, 1, sdp(self.media)), self.server)
        )
        return call

    def _on_answer(self, message: Message, call: Call | None) -> None:
        if call is None or not message.headers["cseq"].endswith("INVITE"):
            return
        if message.status < 200:
            call.mark("progress" if message.status == 183 else "ringing", message.at)
            return
        call.remote = message.headers["to"]
        if message.status < 300:
            contact = re.search(r"<([^>]+)>", message.headers.get("contact", ""))
            call.target = contact[1] if contact else call.target
            call.answered, call.branch, call.media = True, "", message.media
            call.mark("answered", message.at)
            call.picked_up.set()
        self.wire.send(self._request("ACK", call.target, call, 1), self.server)
        if message.status >= 300:
            self._over(call, f"refused {message.status}", message.at)


class Phone(Party):
    """A secretary. `on_invite(call)` is called for each new INVITE, after its 180 went out."""

    def __init__(self, server: tuple[str, int], user: str, password: str, media: int) -> None:
        super().__init__(server, user, media)
        self._password = password
        self.on_invite: Callable[[Call], None] = lambda _call: None
        self._registered = asyncio.Event()
        self._refused = ""

    async def register(self) -> None:
        """Tries until the server takes it; TimeoutError where it does not (it may still be starting)."""
        async with asyncio.timeout(15):
            while not self._registered.is_set():
                self._register(1, ())
                try:
                    async with asyncio.timeout(0.5):
                        await self._registered.wait()
                except TimeoutError:
                    continue

    def _register(self, cseq: int, extra: tuple[str, ...]) -> None:
        me = f"<sip:{self.user}@{HOST}>"
        call = Call(f"reg-{self.user}@{HOST}", "", local=f"{me};tag=r1", remote=me)
        uri = f"sip:{HOST}:{self.server[1]}"
        self.wire.send(self._request("REGISTER", uri, call, cseq, "", "Expires: 3000", *extra), self.server)

    def _on_answer(self, message: Message, call: Call | None) -> None:  # noqa: ARG002 - an Operator needs it
        if not message.headers["cseq"].endswith("REGISTER"):
            return
        if message.status == 401 and message.headers["cseq"].startswith("1 "):
            uri = f"sip:{HOST}:{self.server[1]}"
            token = digest(message.headers["www-authenticate"], "REGISTER", uri, self.user, self._password)
            self._register(2, (f"Authorization: {token}",))
        elif message.status == 200:
            self._registered.set()

    def _on_invite(self, message: Message) -> None:
        sender = re.search(r"sip:([^@>;]*)@", message.headers["from"])
        call = Call(message.headers["call-id"], sender[1] if sender else "", self)
        call.invite, call.media = message, message.media
        call.tag = f"p{secrets.token_hex(4)}"
        contact = re.search(r"<([^>]+)>", message.headers.get("contact", ""))
        call.target = contact[1] if contact else f"sip:{HOST}"
        call.remote = message.headers["from"]
        call.local = f"{message.headers['to']};tag={call.tag}"
        call.mark("invite", message.at)
        self.calls[call.id] = call
        self._reply(message, 180, call.tag)
        self.on_invite(call)

    def answer(self, call: Call) -> int:
        """200 with our SDP; when. Nothing where it was cancelled meanwhile."""
        if call.id not in self.calls:
            return 0
        assert call.invite is not None
        at = self._reply(call.invite, 200, call.tag, sdp(self.media))
        call.answered = True
        call.mark("answered", at)
        return at


def sdp(port: int) -> str:
    """G.711 A-law at this port."""
    return (
        f"v=0\r\no=- 1 1 IN IP4 {HOST}\r\ns=-\r\nc=IN IP4 {HOST}\r\nt=0 0\r\nm=audio {port} RTP/AVP 8 101\r\n"
        "a=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\na=ptime:20\r\na=sendrecv\r\n"
    )


def _join(lines: list[str], body: str) -> bytes:
    if body:
        lines.append("Content-Type: application/sdp")
    lines.append(f"Content-Length: {len(body)}")
    return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()
