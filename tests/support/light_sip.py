"""SIP without sound for thousands of calls: callers behind one trunk, secretaries' phones, RFC 3261's retransmissions.

Every datagram is stamped by the kernel when it arrives (SO_TIMESTAMPNS), so that a busy machine does not lengthen what
is measured; what is sent is stamped right before the system call. Requests, and final answers to an INVITE, are sent
again until they are answered (timers A, E, G), and what the other side sends again is answered alike: UDP on loopback
loses messages too, where a starved machine reads them too late. All instants are seconds of CLOCK_REALTIME, as the
journal's. What anybody does about a call is decided by whoever sets `on_…`: `storm.py`. Nothing here knows of queues.
"""

from __future__ import annotations

import asyncio
import re
import secrets
import socket
import struct
import time
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from tests.support.sip_phone import digest

HOST = "127.0.0.1"
SO_TIMESTAMPNS = 35
T1, T2, LAST = 0.5, 4.0, 32.0
KEPT = 4096
"""Answers that are kept for what the other side may send again."""

Address = tuple[str, int]
Key = tuple[str, str]


class Datagrams:
    """A UDP socket on a free port of 127.0.0.1: `received(bytes, at)` for each that comes."""

    def __init__(self, received: Callable[[bytes, float], None]) -> None:
        self._received = received
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self._socket.bind((HOST, 0))
        self.port: int = self._socket.getsockname()[1]
        asyncio.get_running_loop().add_reader(self._socket, self._read)

    def send(self, payload: bytes, to: Address) -> None:
        try:
            self._socket.sendto(payload, to)
        except (BlockingIOError, ConnectionRefusedError):
            return  # lost, as UDP may: it is sent again

    def close(self) -> None:
        asyncio.get_running_loop().remove_reader(self._socket)
        self._socket.close()

    def _read(self) -> None:
        while True:
            try:
                payload, ancillary, _, _ = self._socket.recvmsg(65536, 64)
            except BlockingIOError:
                return
            except ConnectionRefusedError:
                continue  # nobody listens there any more, or not yet
            at = time.time()
            for level, kind, value in ancillary:
                if level == socket.SOL_SOCKET and kind == SO_TIMESTAMPNS:
                    seconds, nanoseconds = struct.unpack("qq", value[:16])
                    at = seconds + nanoseconds / 1e9
            self._received(payload, at)


@dataclass(slots=True)
class Message:
    """A SIP message in parts. `headers` has the first of each name, in lower case; `vias` all of them."""

    start: str
    headers: dict[str, str]
    vias: list[str]
    at: float
    sound: int | None = None
    """The port that its SDP wants the sound at."""

    @classmethod
    def parse(cls, payload: bytes, at: float) -> Message:
        """Of what came at that instant."""
        head, _, body = payload.decode("utf-8", "replace").partition("\r\n\r\n")
        start, *lines = head.split("\r\n")
        port = re.search(r"^m=audio (\d+)", body, re.MULTILINE)
        made = cls(start, {}, [], at, int(port[1]) if port else None)
        for line in lines:
            name, _, value = line.partition(":")
            name = name.strip().lower()
            if name == "via":
                made.vias.append(value.strip())
            made.headers.setdefault(name, value.strip())
        return made

    @property
    def status(self) -> int:
        """0 for a request."""
        return int(self.start[8:11]) if self.start.startswith("SIP/2.0 ") else 0

    @property
    def method(self) -> str:
        """Of a request, or of the request that this answers."""
        return self.headers["cseq"].split(" ", 1)[1]

    @property
    def branch(self) -> str:
        """The transaction's."""
        found = re.search(r"branch=([^;\s]+)", self.vias[0])
        return found[1] if found else ""


@dataclass(slots=True, eq=False)
class Dialogue:
    """One call, seen from one side. `number`: the caller's. `at`: when what happened first happened (`invite`,
    `ringing`, `answered`, `confirmed`, `left`: hung up by us, `over`). `end`: how it was over, as `bye` by the other
    side, `cancelled`, `refused 486`; None while it is not."""

    id: str
    number: str
    local: str
    remote: str
    target: str
    invite: Message | None = None
    branch: str = ""
    tag: str = ""
    cseq: int = 1
    sound: int | None = None
    at: dict[str, float] = field(default_factory=dict)
    end: str | None = None

    def mark(self, what: str, at: float | None = None) -> None:
        """The first time counts."""
        self.at.setdefault(what, time.time() if at is None else at)


class Party:
    """What both sides share: a socket, dialogues by Call-ID, transactions. `on_end(dialogue)` when one is over."""

    def __init__(self, server: Address, user: str) -> None:
        self.server, self.user = server, user
        self.open: dict[str, Dialogue] = {}
        self.on_end: Callable[[Dialogue], None] = lambda _dialogue: None
        self._wire = Datagrams(self._on_datagram)
        self._sound = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)  # nobody reads it
        self._sound.setblocking(False)
        self._sound.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self._sound.bind((HOST, 0))
        self._sdp = sdp(self._sound.getsockname()[1])
        self._packets = 0
        self._again: dict[Key, asyncio.TimerHandle] = {}
        self._replies: OrderedDict[Key, bytes] = OrderedDict()

    def close(self) -> None:
        """Nothing more is sent or read."""
        for timer in self._again.values():
            timer.cancel()
        self._wire.close()
        self._sound.close()

    def breathe(self) -> None:
        """A packet of silence into each call that was answered: who sends none for long is believed to be gone."""
        self._packets += 1
        packet = (
            struct.pack("!BBHII", 0x80, 8, self._packets & 0xFFFF, 160 * self._packets, 7) + 160 * b"\xd5"
        )
        for dialogue in self.open.values():
            if dialogue.sound is not None and "answered" in dialogue.at:
                with suppress(BlockingIOError, ConnectionRefusedError):
                    self._sound.sendto(packet, (HOST, dialogue.sound))

    # --- what is sent

    def bye(self, dialogue: Dialogue) -> None:
        """Hang up an answered call."""
        dialogue.mark("left")
        dialogue.cseq += 1
        branch = f"z9hG4bK{secrets.token_hex(6)}"
        self._ask("BYE", branch, self._request("BYE", dialogue.target, dialogue, dialogue.cseq, branch))
        self._over(dialogue, "left")

    def _over(self, dialogue: Dialogue, how: str, at: float | None = None) -> None:
        if dialogue.end is None:
            dialogue.end = how
            dialogue.mark("over", at)
            self.open.pop(dialogue.id, None)
            self.on_end(dialogue)

    def _ask(self, method: str, branch: str, raw: bytes) -> None:
        """A request, again and again until it is answered."""
        self._surely((branch, method), raw, T1, LAST if method == "INVITE" else T2)

    def _surely(self, key: Key, raw: bytes, after: float, longest: float, spent: float = 0.0) -> None:
        self._wire.send(raw, self.server)
        if spent + after > LAST:
            self._again.pop(key, None)
            self._unanswered(key)
            return
        self._again[key] = asyncio.get_running_loop().call_later(
            after, self._surely, key, raw, min(2 * after, longest), longest, spent + after
        )

    def _settled(self, key: Key) -> None:
        timer = self._again.pop(key, None)
        if timer is not None:
            timer.cancel()

    def _unanswered(self, key: Key) -> None:
        """Nobody answered this for 32 s."""

    def _reply(self, request: Message, status: int, tag: str = "", body: str = "", *extra: str) -> None:
        to = request.headers["to"]
        if tag and "tag=" not in to:
            to += f";tag={tag}"
        lines = [
            f"SIP/2.0 {status} Answer",
            *(f"Via: {via}" for via in request.vias),
            f"From: {request.headers['from']}",
            f"To: {to}",
            f"Call-ID: {request.headers['call-id']}",
            f"CSeq: {request.headers['cseq']}",
            f"Contact: <sip:{self.user}@{HOST}:{self._wire.port}>",
            *extra,
        ]
        raw = joined(lines, body)
        self._replies[request.branch, request.method] = raw
        if len(self._replies) > KEPT:
            self._replies.popitem(last=False)
        if request.method == "INVITE" and status >= 200:
            self._surely((request.headers["call-id"], "ACK"), raw, T1, T2)
        else:
            self._wire.send(raw, self.server)

    def _request(
        self, method: str, uri: str, dialogue: Dialogue, cseq: int, branch: str, body: str = "", *extra: str
    ) -> bytes:
        lines = [
            f"{method} {uri} SIP/2.0",
            f"Via: SIP/2.0/UDP {HOST}:{self._wire.port};rport;branch={branch}",
            f"From: {dialogue.local}",
            f"To: {dialogue.remote}",
            f"Call-ID: {dialogue.id}",
            f"CSeq: {cseq} {method}",
            f"Contact: <sip:{self.user}@{HOST}:{self._wire.port}>",
            "Max-Forwards: 70",
            *extra,
        ]
        return joined(lines, body)

    # --- what comes

    def _on_datagram(self, payload: bytes, at: float) -> None:
        if len(payload) < 20:
            return  # a keep-alive
        message = Message.parse(payload, at)
        dialogue = self.open.get(message.headers["call-id"])
        if message.status:
            if message.status >= 200 or message.method == "INVITE":
                self._settled((message.branch, message.method))
            self._on_answer(message, dialogue)
        elif message.method == "ACK":
            self._settled((message.headers["call-id"], "ACK"))
            if dialogue is not None and "answered" in dialogue.at:
                self._on_confirmed(dialogue, at)
        elif (known := self._replies.get((message.branch, message.method))) is not None:
            self._wire.send(known, self.server)
        else:
            self._on_request(message, dialogue)

    def _on_request(self, message: Message, dialogue: Dialogue | None) -> None:
        match message.method:
            case "INVITE" if "tag=" in message.headers["to"]:
                self._reply(message, 200 if dialogue else 481, body=self._sdp)
            case "INVITE":
                self._on_invite(message)
            case "CANCEL":
                self._reply(message, 200)
                if dialogue is not None and dialogue.invite is not None and "answered" not in dialogue.at:
                    self._reply(dialogue.invite, 487, dialogue.tag)
                    self._over(dialogue, "cancelled", message.at)
            case "BYE":
                self._reply(message, 200)
                self._settled((message.headers["call-id"], "ACK"))
                if dialogue is not None:
                    self._over(dialogue, "bye", message.at)
            case _:  # OPTIONS (Asterisk qualifies its contacts), UPDATE, NOTIFY, INFO
                self._reply(message, 200)

    def _on_answer(self, message: Message, dialogue: Dialogue | None) -> None:
        """A response to us."""

    def _on_confirmed(self, dialogue: Dialogue, at: float) -> None:
        """The other side knows that we answered."""
        dialogue.mark("confirmed", at)

    def _on_invite(self, message: Message) -> None:
        """A new call for us."""
        self._reply(message, 486)


class Callers(Party):
    """Everybody outside, behind one trunk. `on_answered(dialogue)` for a 200, once."""

    def __init__(self, server: Address) -> None:
        super().__init__(server, "operator")
        self.on_answered: Callable[[Dialogue], None] = lambda _dialogue: None
        self._invites: dict[str, Dialogue] = {}

    def dial(self, did: str, number: str) -> Dialogue:
        """A new call."""
        uri = f"sip:{did}@{HOST}:{self.server[1]}"
        local = f"<sip:{number}@{HOST}>;tag=c{secrets.token_hex(4)}"
        made = Dialogue(f"{secrets.token_hex(8)}@{HOST}", number, local, f"<{uri}>", uri)
        made.branch = f"z9hG4bK{secrets.token_hex(6)}"
        self.open[made.id] = self._invites[made.branch] = made
        made.mark("invite")
        self._ask("INVITE", made.branch, self._request("INVITE", uri, made, 1, made.branch, self._sdp))
        return made

    def hang_up(self, dialogue: Dialogue) -> None:
        """Whatever state it is in. Before the first answer a CANCEL may not be sent (RFC 3261, 9.1)."""
        if dialogue.end is not None or "left" in dialogue.at:
            return
        if "answered" in dialogue.at:
            self.bye(dialogue)
            return
        dialogue.mark("left")
        if "heard_of" in dialogue.at:
            self._cancel(dialogue)

    def _cancel(self, dialogue: Dialogue) -> None:
        uri = dialogue.target
        self._ask("CANCEL", dialogue.branch, self._request("CANCEL", uri, dialogue, 1, dialogue.branch))

    def _unanswered(self, key: Key) -> None:
        if key[1] == "INVITE" and (dialogue := self._invites.pop(key[0], None)):
            self._over(dialogue, "unanswered")

    def _on_answer(self, message: Message, dialogue: Dialogue | None) -> None:
        if message.method != "INVITE":
            return
        if message.status < 200:
            if dialogue is not None:
                self._on_progress(message, dialogue)
            return
        made = self._invites.get(message.branch)
        if made is None:
            return
        branch = made.branch
        if message.status < 300:
            contact = re.search(r"<([^>]+)>", message.headers.get("contact", ""))
            made.target = contact[1] if contact else made.target
            branch = f"z9hG4bK{secrets.token_hex(6)}"
            made.sound = message.sound
        made.remote = message.headers["to"]
        self._wire.send(self._request("ACK", made.target, made, 1, branch), self.server)
        if made.end is not None or "answered" in made.at:
            return  # it was sent again
        if message.status >= 300:
            self._over(made, "left" if "left" in made.at else f"refused {message.status}", message.at)
            return
        made.mark("answered", message.at)
        if "left" in made.at:
            self.bye(made)  # his CANCEL crossed the answer
        else:
            self.on_answered(made)

    def _on_progress(self, message: Message, dialogue: Dialogue) -> None:
        dialogue.mark("heard_of", message.at)
        if message.status > 100:
            dialogue.mark("ringing", message.at)
        if "left" in dialogue.at and "cancelled" not in dialogue.at:
            dialogue.mark("cancelled")
            self._cancel(dialogue)


class Desk(Party):
    """A secretary's phone. `on_invite(dialogue)` for each new call, after its 180; `on_talk` once it is answered and
    the other side knows."""

    def __init__(self, server: Address, user: str, password: str) -> None:
        super().__init__(server, user)
        self._password = password
        self._registered = asyncio.Event()
        self.on_invite: Callable[[Dialogue], None] = lambda _dialogue: None
        self.on_talk: Callable[[Dialogue], None] = lambda _dialogue: None

    async def register(self, within: float = 20.0) -> None:
        """TimeoutError where the server does not take it."""
        self._registered.clear()
        async with asyncio.timeout(within):
            self._register(1)
            await self._registered.wait()

    def _register(self, cseq: int, *extra: str) -> None:
        me = f"<sip:{self.user}@{HOST}>"
        uri = f"sip:{HOST}:{self.server[1]}"
        dialogue = Dialogue(f"reg-{self.user}@{HOST}", "", f"{me};tag=r1", me, uri)
        branch = f"z9hG4bK{secrets.token_hex(6)}"
        raw = self._request("REGISTER", uri, dialogue, cseq, branch, "", "Expires: 3000", *extra)
        self._ask("REGISTER", branch, raw)

    def _on_answer(self, message: Message, dialogue: Dialogue | None) -> None:
        if message.method != "REGISTER":
            return
        if message.status == 401 and message.headers["cseq"].startswith("1 "):
            uri = f"sip:{HOST}:{self.server[1]}"
            token = digest(message.headers["www-authenticate"], "REGISTER", uri, self.user, self._password)
            self._register(2, f"Authorization: {token}")
        elif message.status == 200:
            self._registered.set()

    def _on_invite(self, message: Message) -> None:
        sender = re.search(r"sip:([^@>;]*)@", message.headers["from"])
        contact = re.search(r"<([^>]+)>", message.headers.get("contact", ""))
        tag = f"p{secrets.token_hex(4)}"
        made = Dialogue(
            message.headers["call-id"],
            sender[1] if sender else "",
            f"{message.headers['to']};tag={tag}",
            message.headers["from"],
            contact[1] if contact else f"sip:{HOST}",
            invite=message,
            tag=tag,
            sound=message.sound,
        )
        made.mark("invite", message.at)
        self.open[made.id] = made
        self._reply(message, 180, tag)
        self.on_invite(made)

    def answer(self, dialogue: Dialogue) -> None:
        """200 with silence; nothing where he is gone meanwhile."""
        if dialogue.end is None and dialogue.invite is not None:
            dialogue.mark("answered")
            self._reply(dialogue.invite, 200, dialogue.tag, self._sdp)

    def refuse(self, dialogue: Dialogue, status: int) -> None:
        """As `answer`."""
        if dialogue.end is None and dialogue.invite is not None:
            self._reply(dialogue.invite, status, dialogue.tag)
            self._over(dialogue, f"refused {status}")

    def _on_confirmed(self, dialogue: Dialogue, at: float) -> None:
        if "confirmed" not in dialogue.at:
            dialogue.mark("confirmed", at)
            self.on_talk(dialogue)


def sdp(port: int) -> str:
    """G.711 A-law at this port."""
    return (
        f"v=0\r\no=- 1 1 IN IP4 {HOST}\r\ns=-\r\nc=IN IP4 {HOST}\r\nt=0 0\r\nm=audio {port} RTP/AVP 8 101\r\n"
        "a=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\na=ptime:20\r\na=sendrecv\r\n"
    )


def joined(lines: list[str], body: str) -> bytes:
    """The message of these lines."""
    if body:
        lines.append("Content-Type: application/sdp")
    lines.append(f"Content-Length: {len(body)}")
    return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()
