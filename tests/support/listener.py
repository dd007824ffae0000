"""Takes what is posted to a webhook, in the test's process.

async with Listener(503) as listener:     # its first answer, then 200
    hook = listener.hook
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any, Self

from aiohttp import web

from autocom.core.alerts import Webhook
from tests.support.ports import free_port

SECRET = "secret-of-ours"


class Listener:
    """Takes postings over HTTP. `answers`: what it says, one after the other, then 200."""

    def __init__(self, *answers: int) -> None:
        self.answers = list(answers)
        self.taken: list[tuple[Mapping[str, str], bytes]] = []
        self.came = asyncio.Event()
        self.port = free_port()

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_post("/alerts", self._take)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port).start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    async def _take(self, request: web.Request) -> web.Response:
        self.taken.append((dict(request.headers), await request.read()))
        self.came.set()
        return web.Response(status=self.answers.pop(0) if self.answers else 200)

    @property
    def told(self) -> list[dict[str, Any]]:
        """The bodies, in order."""
        return [json.loads(raw) for _, raw in self.taken]

    @property
    def hook(self) -> Webhook:
        return Webhook(f"http://127.0.0.1:{self.port}/alerts", SECRET, "X-Proof")
