"""The HTTP API that the commands (and other programs on this machine) use, and the health probes.

Every `/v1` route needs the bearer token that the running exchange wrote into its state folder
(mode 0600): whoever may read that file may act. Answers are JSON; a refused request is
`{"error": "…"}` with what to do. Must not know how the exchange does what is asked.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Protocol

from aiohttp import web

from autocom.core.journal import Entry, Json

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Exchange(Protocol):
    """What the running exchange answers and does."""

    def ready(self) -> bool:
        """Whether it takes calls at this moment."""
        ...

    def status(self) -> Mapping[str, Json]:
        """The contract's `autocom status --json`."""
        ...

    def secretary(self, who: str, verb: str, reason: str | None) -> Mapping[str, Json]:
        """Log in, out, pause, resume; LookupError for an unknown id, ValueError for a wrong word."""
        ...

    async def reload(self, author: str) -> Mapping[str, Json]:
        """Apply the configuration; `{"applied": bool, "version": …, "faults": [lines]}`."""
        ...

    async def flush(self) -> bool:
        """Wait until PostgreSQL has everything up to now; False where it could not be in time."""
        ...

    def follow(self) -> AsyncIterator[Entry]:
        """Journal entries as they are saved."""
        ...


class Api:
    """The routes over one exchange."""

    def __init__(self, exchange: Exchange, token: str) -> None:
        self._exchange = exchange
        self._token = token

    def application(self) -> web.Application:
        """The aiohttp application; the caller owns its runner."""
        app = web.Application(middlewares=[self._guard], client_max_size=64 * 1024)
        app.add_routes(
            [
                web.get("/health/live", self._live),
                web.get("/health/ready", self._ready),
                web.get("/v1/status", self._status),
                web.post("/v1/secretaries/{id}/{verb}", self._secretary),
                web.post("/v1/reload", self._reload),
                web.post("/v1/flush", self._flush),
                web.get("/v1/entries", self._entries),
            ]
        )
        return app

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path.startswith("/v1/"):
            given = request.headers.get("Authorization", "")
            if not hmac.compare_digest(given.encode(), f"Bearer {self._token}".encode()):
                return web.json_response({"error": "a valid bearer token is needed"}, status=401)
        return await handler(request)

    async def _live(self, _: web.Request) -> web.Response:
        return web.json_response({"live": True})

    async def _ready(self, _: web.Request) -> web.Response:
        ready = self._exchange.ready()
        return web.json_response({"ready": ready}, status=200 if ready else 503)

    async def _status(self, _: web.Request) -> web.Response:
        return web.json_response(self._exchange.status())

    async def _secretary(self, request: web.Request) -> web.Response:
        try:
            answer = self._exchange.secretary(
                request.match_info["id"], request.match_info["verb"], request.query.get("reason")
            )
        except LookupError as error:
            return web.json_response({"error": str(error.args[0])}, status=404)
        except ValueError as error:
            return web.json_response({"error": str(error)}, status=400)
        return web.json_response(answer)

    async def _reload(self, request: web.Request) -> web.Response:
        return web.json_response(await self._exchange.reload(request.query.get("author", "api")))

    async def _flush(self, _: web.Request) -> web.Response:
        return web.json_response({"flushed": await self._exchange.flush()})

    async def _entries(self, request: web.Request) -> web.StreamResponse:
        """Journal entries as JSON lines, from now on, until the client goes."""
        response = web.StreamResponse(headers={"Content-Type": "application/x-ndjson"})
        await response.prepare(request)
        async for entry in self._exchange.follow():
            line = {"at": entry.at, "kind": entry.kind, "call": entry.call, **entry.fields}
            try:
                await response.write(json.dumps(line, ensure_ascii=False).encode() + b"\n")
            except ConnectionError:
                break  # the reader went: the usual end of following
        return response
