"""Stands between the exchange and Asterisk's ARI, and loses events: everything passes, but what the test says.

    async with Lossy(port_of_asterisk) as ari:      # `ari.port` is what AUTOCOM_ARI_URL names
        ari.lose = lambda event: event["type"] == "StasisStart"

`lost` holds what did not arrive. Requests pass as they are.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

import aiohttp
from aiohttp import web

from tests.support.ports import free_port

_HOP = {"host", "connection", "content-length", "transfer-encoding", "content-encoding"}


class Lossy:
    """See the module."""

    def __init__(self, behind: int) -> None:
        self.port = free_port()
        self.lose: Callable[[dict[str, Any]], bool] = lambda _: False
        self.lost: list[dict[str, Any]] = []
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

    async def _request(self, request: web.Request) -> web.Response:
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

        async with asyncio.TaskGroup() as tasks:
            listening = tasks.create_task(listen())
            async for frame in theirs:
                event = json.loads(frame.data)
                if self.lose(event):
                    self.lost.append(event)
                else:
                    await ours.send_str(frame.data)
            listening.cancel()
            await ours.close()
        return ours
