"""Stands between the exchange and Asterisk's ARI, and spoils it: everything passes, but what the test says.

    async with Lossy(port_of_asterisk) as ari:      # `ari.port` is what AUTOCOM_ARI_URL names
        ari.lose = lambda event: event["type"] == "StasisStart"
        ari.relay = lambda text: [(0.0, text), (0.4, text)]       # each event twice, the second one late
        ari.trouble = lambda method, path: "reset" if dice.random() < 0.1 else None
        await ari.say("no JSON")                                   # as if Asterisk had sent it

`lost` holds what did not arrive; `spoiled` counts the requests that were, by what was done to them: `refuse` (500),
`reset` (the connection, before Asterisk heard of it), `lose` (Asterisk did it, its answer is lost), or seconds of delay.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, Literal, Self

import aiohttp
from aiohttp import web

from tests.support.ports import free_port

Trouble = Literal["refuse", "reset", "lose"] | float

_HOP = {"host", "connection", "content-length", "transfer-encoding", "content-encoding"}


class Lossy:
    """See the module."""

    def __init__(self, behind: int) -> None:
        self.port = free_port()
        self.lose: Callable[[dict[str, Any]], bool] = lambda _: False
        self.lost: list[dict[str, Any]] = []
        self.relay: Callable[[str], Sequence[tuple[float, str]]] = lambda text: ((0.0, text),)
        self.trouble: Callable[[str, str], Trouble | None] = lambda _method, _path: None
        self.spoiled: Counter[str] = Counter()
        self._listener: web.WebSocketResponse | None = None
        self._behind = f"http://127.0.0.1:{behind}"
        self._session: aiohttp.ClientSession | None = None
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(auto_decompress=False)
        app = web.Application(client_max_size=1 << 24)
        app.router.add_get("/ari/events", self._events)
        app.router.add_route("*", "/{path:.*}", self._request)
        self._runner = web.AppRunner(app, shutdown_timeout=0.2)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port).start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._runner is not None
        assert self._session is not None
        await self._session.close()
        await self._runner.cleanup()

    async def say(self, *texts: str) -> None:
        """Events of our own, to who listens now."""
        assert self._listener is not None
        for text in texts:
            await self._listener.send_str(text)

    async def _request(self, request: web.Request) -> web.Response:
        trouble = self.trouble(request.method, request.path)
        if trouble is None:
            return await self._passed(request)
        self.spoiled[trouble if isinstance(trouble, str) else "delay"] += 1
        if isinstance(trouble, float):
            await asyncio.sleep(trouble)
            return await self._passed(request)
        if trouble == "refuse":
            return web.json_response({"message": "Internal server error"}, status=500)
        answer = web.Response(status=503) if trouble == "reset" else await self._passed(request)
        if request.transport is not None:
            request.transport.abort()
        return answer

    async def _passed(self, request: web.Request) -> web.Response:
        assert self._session is not None
        headers = {k: v for k, v in request.headers.items() if k.lower() not in _HOP}
        try:
            async with self._session.request(
                request.method, self._behind + request.raw_path, headers=headers, data=await request.read()
            ) as reply:
                kept = {k: v for k, v in reply.headers.items() if k.lower() not in _HOP}
                return web.Response(status=reply.status, body=await reply.read(), headers=kept)
        except aiohttp.ClientError:
            return web.Response(status=503)

    async def _events(self, request: web.Request) -> web.StreamResponse:
        assert self._session is not None
        headers = {"Authorization": request.headers["Authorization"]}
        try:
            theirs = await self._session.ws_connect(
                self._behind + request.raw_path, headers=headers, max_msg_size=0
            )
        except aiohttp.ClientError:
            return web.Response(status=503)
        ours = web.WebSocketResponse()
        await ours.prepare(request)

        async def listen() -> None:  # for its pings and its goodbye
            async for _ in ours:
                pass
            await theirs.close()

        async def tell(text: str, after: float) -> None:
            await asyncio.sleep(after)
            if not ours.closed:
                await ours.send_str(text)

        self._listener = ours
        try:
            async with asyncio.TaskGroup() as tasks:
                listening = tasks.create_task(listen())
                async for frame in theirs:
                    event = json.loads(frame.data)
                    if self.lose(event):
                        self.lost.append(event)
                        continue
                    for after, text in self.relay(frame.data):
                        if after:
                            tasks.create_task(tell(text, after))
                        else:
                            await tell(text, 0.0)
                listening.cancel()
                await ours.close()
        except* ConnectionError:
            await theirs.close()  # who listened was cut off in the middle of a word
        return ours
