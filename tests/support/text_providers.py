"""The other sides of texts: an HTTP operator, an SMSC (the server of `smpp34`), and SIP MESSAGE from phones.

async with HttpOperator() as operator:
    bureau.bureau["texts"] = {"providers": [operator.yaml("op")]}
    …
    await operator.post(bureau.http, "op", {"id": "1", "from": …, "to": …, "text": …})
    (text,) = await operator.texts(1)
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import itertools
import json
import secrets
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

import aiohttp
from aiohttp import web
from smpp34 import DeliverSmResp, Esme, Server, SubmitSmEvent, Tlv

from tests.support import PATIENCE
from tests.support.ports import free_port
from tests.support.sip_phone import SipLine, digest
from tests.support.sip_text import SipMessage

SECRET, TOKEN = "whisper-whisper", "token-token"


class HttpOperator:
    """Takes our texts and posts to us. `status`: what it answers; `names`: whether it says what it calls a text."""

    def __init__(self) -> None:
        self.port = free_port()
        self.status = 200
        self.names = True
        self.taken: list[dict[str, Any]] = []
        self.keys: list[str] = []
        self.files: dict[str, bytes] = {}
        self._runner: web.AppRunner | None = None

    def yaml(self, name: str) -> dict[str, Any]:
        """For bureau.yaml."""
        return {
            "id": name,
            "kind": "webhook",
            "url": f"http://127.0.0.1:{self.port}/send",
            "token": TOKEN,
            "secret": SECRET,
            "media_hosts": [f"127.0.0.1:{self.port}"],
        }

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def start(self) -> None:
        server = web.Application()
        server.router.add_post("/send", self._take)
        server.router.add_get("/media/{name}", self._file)
        self._runner = web.AppRunner(server, access_log=None, shutdown_timeout=0.2)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port).start()

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _take(self, request: web.Request) -> web.Response:
        assert request.headers["Authorization"] == f"Bearer {TOKEN}"
        if self.status >= 300:
            return web.Response(status=self.status)
        key = request.headers["Idempotency-Key"]
        if key not in self.keys:
            self.taken.append(await request.json())
        self.keys.append(key)
        return web.json_response({"id": f"op-{key}"} if self.names else {})

    async def _file(self, request: web.Request) -> web.Response:
        content = self.files.get(request.match_info["name"])
        return web.Response(status=404) if content is None else web.Response(body=content)

    async def texts(self, count: int, within: float = PATIENCE) -> list[dict[str, Any]]:
        """The first `count` distinct ones, waited for."""
        try:
            async with asyncio.timeout(within):
                while len(self.taken) < count:
                    await asyncio.sleep(0.05)
        except TimeoutError:
            raise AssertionError(f"{len(self.taken)} of {count} texts within {within} s") from None
        return self.taken

    async def post(
        self, http: str, name: str, body: Any, what: str = "", *, secret: str = SECRET
    ) -> tuple[int, Any]:
        """Post to autocom at `http` (host:port), signed."""
        raw = json.dumps(body).encode()
        signature = hmac.new(secret.encode(), raw, hashlib.sha256).hexdigest()
        headers = {"X-Signature": f"sha256={signature}", "Content-Type": "application/json"}
        async with (
            aiohttp.ClientSession() as session,
            session.post(f"http://{http}/texts/{name}{what}", data=raw, headers=headers) as answer,
        ):
            return answer.status, await answer.json()


@dataclass
class Smsc:
    """An SMSC. `submitted`: what was handed over, in order; `refuse`: the status that the next ones get."""

    user: str = "autocom"
    password: str = "smpp-pw"
    submitted: list[SubmitSmEvent] = field(default_factory=list)
    bound: list[Esme] = field(default_factory=list)
    refuse: int = 0
    port: int = 0

    def __post_init__(self) -> None:
        self.port = self.port or free_port()
        self._server: Server | None = None
        self._task: asyncio.Task[None] | None = None
        self._names = itertools.count(1)
        self._news = asyncio.Event()

    def yaml(self, name: str) -> dict[str, Any]:
        """For bureau.yaml."""
        host = f"127.0.0.1:{self.port}"
        return {"id": name, "kind": "smpp", "host": host, "user": self.user, "password": self.password}

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def start(self) -> None:
        self._server = Server("127.0.0.1", self.port)
        await self._server.start()
        self._task = asyncio.ensure_future(self._serve(self._server))

    async def stop(self) -> None:
        if self._server is not None and self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
            for session in self.bound:
                await session.unbind()
            await self._server.stop()
            self._server = None
            self.bound.clear()

    async def _serve(self, server: Server) -> None:
        while True:
            event = await server.next()
            if isinstance(event, Esme):
                self.bound.append(event)
            elif isinstance(event, SubmitSmEvent):
                if self.refuse:
                    event.reject(self.refuse)
                else:
                    self.submitted.append(event)
                    event.accept(f"smsc-{next(self._names)}")
            self._news.set()

    async def session(self, within: float = PATIENCE) -> Esme:
        """The newest session, waited for."""
        await self._until(lambda: bool(self.bound), within)
        return self.bound[-1]

    async def texts(self, count: int, within: float = PATIENCE) -> list[SubmitSmEvent]:
        """The first `count` parts, waited for."""
        await self._until(lambda: len(self.submitted) >= count, within)
        return self.submitted

    async def _until(self, fits: Any, within: float) -> None:
        try:
            async with asyncio.timeout(within):
                while not fits():
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            raise AssertionError(f"not within {within} s: {len(self.submitted)} texts") from None

    async def deliver(self, sender: str, to: str, body: bytes, **fields: Any) -> DeliverSmResp:
        """A text for autocom."""
        session = await self.session()
        return await session.deliver_sm(
            to.removeprefix("+"),
            body,
            source_addr=sender.removeprefix("+"),
            source_addr_ton=1,
            source_addr_npi=1,
            dest_addr_ton=1,
            dest_addr_npi=1,
            **fields,
        )

    async def receipt(self, name: str, state: int = 2, word: str = "DELIVRD") -> DeliverSmResp:
        """A delivery receipt for the part of that name."""
        said = f"id:{name} sub:001 dlvrd:001 submit date:2611221200 done date:2611221201 stat:{word} err:000 text:"
        tlvs = [Tlv(0x001E, name.encode() + b"\0"), Tlv(0x0427, bytes((state,)))]
        return await self.deliver("+33639980101", "+33199001000", said.encode(), esm_class=0x04, tlvs=tlvs)


async def write(
    line: SipLine,
    to: str,
    body: str,
    *,
    frm: str,
    auth: tuple[str, str] | None = None,
    headers: tuple[str, ...] = (),
) -> int:
    """A SIP MESSAGE from this line; the final status. `auth`: user and password, where it is asked for."""
    call_id, uri = secrets.token_hex(8), f"sip:{to}@{line.server}"

    def text(cseq: int, extra: tuple[str, ...] = ()) -> str:
        made = line.request(
            "MESSAGE", uri, frm=frm, call_id=call_id, cseq=cseq, headers=headers + extra, body=body
        )
        return made.replace("Content-Type: application/sdp", "Content-Type: text/plain;charset=utf-8")

    def final(message: SipMessage) -> bool:
        return message.call_id == call_id and (message.status or 0) >= 200

    line.send(text(1))
    answer = await line.wait_for(final)
    if answer.status == 401 and auth is not None:
        token = digest(answer.header("WWW-Authenticate"), "MESSAGE", uri, *auth)
        line.send(text(2, (f"Authorization: {token}",)))
        answer = await line.wait_for(final, nth=2)
    assert answer.status is not None
    return answer.status


def messages(line: SipLine) -> list[SipMessage]:
    """Texts that this phone was sent, without retransmissions."""
    seen: dict[tuple[str, str], SipMessage] = {}
    for message in line.received:
        if message.method == "MESSAGE":
            seen.setdefault((message.call_id, message.header("CSeq")), message)
    return list(seen.values())


async def told(line: SipLine, count: int = 1, within: float = PATIENCE) -> list[SipMessage]:
    """The first `count` texts that this phone was sent, waited for."""
    await line.wait_for(lambda m: m.method == "MESSAGE" and len(messages(line)) >= count, within)
    return messages(line)
