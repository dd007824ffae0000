from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Self

import aiohttp

from autocom.asterisk.conf import phone_endpoint
from tests.asterisk.host_support import AriApp, password, private
from tests.support import PATIENCE
from tests.support.phones import Phones
from tests.support.sip_phone import digest
from tests.support.sip_text import SipMessage

OFFER = "\r\n".join(
    (
        "v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "t=0 0", "a=group:BUNDLE 0", "m=audio 9 UDP/TLS/RTP/SAVPF 8 0",
        "c=IN IP4 0.0.0.0", "a=ice-ufrag:abcd", "a=ice-pwd:abcdefghijklmnopqrstuvwx",
        "a=candidate:1 1 udp 2113937151 127.0.0.1 9 typ host",
        "a=fingerprint:sha-256 " + ":".join(["AB"] * 32), "a=setup:actpass", "a=mid:0", "a=sendrecv", "a=rtcp-mux",
        "a=rtpmap:8 PCMA/8000", "a=rtpmap:0 PCMU/8000", "",
    )
)  # fmt: skip


class WebPhone:
    """The SIP side of a browser's softphone: what JsSIP sends over its WebSocket, without a browser."""

    def __init__(self, url: str, user: str, secret: str, domain: str) -> None:
        self.url, self.user, self.secret, self.domain = url, user, secret, domain
        self.received: list[SipMessage] = []
        self._news = asyncio.Event()

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession()
        self._socket = await self._session.ws_connect(self.url, protocols=("sip",))
        self._tasks = asyncio.TaskGroup()
        await self._tasks.__aenter__()
        self._reader = self._tasks.create_task(self._read())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._socket.close()
        self._reader.cancel()
        try:
            await self._tasks.__aexit__(kind, error, trace)
        finally:
            await self._session.close()

    async def _read(self) -> None:
        async for message in self._socket:
            text = message.data if isinstance(message.data, str) else message.data.decode()
            self.received.append(SipMessage.parse(text))
            if self.received[-1].method in {
                "OPTIONS",
                "NOTIFY",
            }:  # who does not answer is taken for unreachable
                await self._socket.send_str(self._ok(self.received[-1]))
            self._news.set()

    @staticmethod
    def _ok(request: SipMessage) -> str:
        copied = [f"{name}: {each}" for name in ("Via", "From", "To") for each in request.headers(name)]
        copied += [f"{name}: {request.header(name)}" for name in ("Call-ID", "CSeq")]
        return "\r\n".join(("SIP/2.0 200 OK", *copied, "Content-Length: 0", "", ""))

    async def wait_for(self, fits, within: float = PATIENCE) -> SipMessage:
        async with asyncio.timeout(within):
            while not (found := [message for message in self.received if fits(message)]):
                self._news.clear()
                await self._news.wait()
        return found[0]

    async def ask(
        self, method: str, user: str | None, body: str = "", headers: tuple[str, ...] = ()
    ) -> SipMessage:
        """Send a request, prove who we are when asked, and wait for a final answer (or 183)."""
        uri = f"sip:{user}@{self.domain}" if user else f"sip:{self.domain}"
        authorization = ""
        for cseq in (1, 2):
            lines = [
                f"{method} {uri} SIP/2.0",
                f"Via: SIP/2.0/WS client.invalid;branch=z9hG4bK{method}{cseq}",
                f"From: <sip:{self.user}@{self.domain}>;tag=me",
                f"To: <sip:{user or self.user}@{self.domain}>",
                f"Call-ID: {method}-{user}",
                f"CSeq: {cseq} {method}",
                "Contact: <sip:x8f7a@client.invalid;transport=ws>;expires=300",
                "Max-Forwards: 70",
                *headers,
                *((f"Authorization: {authorization}",) if authorization else ()),
                *(("Content-Type: application/sdp",) if body else ()),
                f"Content-Length: {len(body)}",
            ]
            await self._socket.send_str("\r\n".join(lines) + "\r\n\r\n" + body)
            answer = await self.wait_for(
                lambda m, n=cseq: m.header("CSeq") == f"{n} {method}" and (m.status or 0) > 100
            )
            if answer.status != 401:
                return answer
            authorization = digest(answer.header("WWW-Authenticate"), method, uri, self.user, self.secret)
        return answer


async def test_a_browser_registers_as_the_secretary_and_is_offered_webrtc():
    async with (
        private() as (_, asterisk),
        AriApp(asterisk) as app,
        WebPhone(asterisk.doors.websocket, "lea", password("lea"), "bureau.example") as phone,
    ):
        assert (await phone.ask("REGISTER", None)).status == 200
        endpoint = f"PJSIP/{phone_endpoint('lea', websocket=True)}"
        await app.call("POST", "channels", endpoint=endpoint, app="autocom", channelId="ring-a-1-lea")
        invite = await phone.wait_for(lambda m: m.method == "INVITE")
        assert "UDP/TLS/RTP/SAVPF" in invite.body
        assert "a=ice-ufrag:" in invite.body
        assert "a=fingerprint:" in invite.body
        await app.call("DELETE", "channels/ring-a-1-lea")


async def test_a_browser_calls_under_the_domain_web():
    async with (
        private() as (_, asterisk),
        WebPhone(asterisk.doors.websocket, "lea", password("lea"), "web") as phone,
    ):
        assert (await phone.ask("REGISTER", None)).status == 200
        answer = await phone.ask("INVITE", "0639981011", OFFER)
        assert answer.status == 200
        assert "UDP/TLS/RTP/SAVPF" in answer.body


async def test_a_browser_without_the_password_is_refused():
    async with private() as (_, asterisk), WebPhone(asterisk.doors.websocket, "lea", "guess", "web") as phone:
        assert (await phone.ask("REGISTER", None)).status == 401
        assert (await phone.ask("INVITE", "201", OFFER)).status == 401


async def test_the_fallback_rings_the_phone_that_registered_over_the_websocket():
    async with (
        private() as (place, asterisk),
        WebPhone(asterisk.doors.websocket, "lea", password("lea"), "bureau.example") as phone,
        Phones() as phones,
    ):
        assert (await phone.ask("REGISTER", None)).status == 200
        call = await phones.dial(f"sip:0199001001@{place.server}")
        invite = await phone.wait_for(lambda m: m.method == "INVITE")
        assert "UDP/TLS/RTP/SAVPF" in invite.body
        await call.hangup()
