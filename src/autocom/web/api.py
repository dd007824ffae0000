"""The HTTP API that the commands (and other programs on this machine) use, and the health probes.

Every `/v1` route needs a bearer token: the one that the running exchange wrote into its state folder
(mode 0600; whoever may read that file may act), or a named one with a role (`roles.py`). Answers are JSON;
a refused request is `{"error": "…"}` with what to do. Must not know how the exchange does what is asked.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Protocol

from aiohttp import web

from autocom.core.journal import Entry, Json
from autocom.core.orders import VERBS
from autocom.web.answers import answered, author_of, missing, refused, signed, wish_of
from autocom.web.roles import Guard, NoTokens, Tokens, put_guards


class Exchange(Protocol):
    """What the running exchange answers and does."""

    def ready(self) -> bool:
        """Whether it takes calls at this moment."""
        ...

    def lacks(self) -> Sequence[str]:
        """Why it does not: telephone, configuration, draining."""
        ...

    def status(self) -> Mapping[str, Json]:
        """The contract's `autocom status --json`."""
        ...

    def secretary(self, who: str, verb: str, reason: str | None) -> Mapping[str, Json]:
        """Log in, out, pause, resume; or an order to her conversation, `reason` being what belongs to it. LookupError
        for an unknown id, ValueError for a wrong word, NotPossible where it cannot be now."""
        ...

    def call_out(self, who: str, to: str, client: str | None) -> Mapping[str, Json]:
        """Ring her phone, then `to`, for a client or the bureau; LookupError, ValueError or NotPossible say why not."""
        ...

    async def reload(self, author: str) -> Mapping[str, Json]:
        """Apply the configuration; `{"applied": bool, "version": …, "faults": [lines]}`."""
        ...

    def override(self, wish: Mapping[str, Json]) -> Mapping[str, Json]:
        """Put an override in force; LookupError for an unknown client or team, ValueError for a wrong word."""
        ...

    def end_overrides(self, client: str, author: str) -> Mapping[str, Json]:
        """End a client's overrides; LookupError for an unknown client."""
        ...

    async def rollback(self, wanted: str | None, author: str) -> Mapping[str, Json]:
        """Put a kept version's files back and apply them; LookupError where there is no such version."""
        ...

    async def flush(self) -> bool:
        """Wait until PostgreSQL has everything up to now; False where it could not be in time."""
        ...

    def follow(self) -> AsyncIterator[Entry]:
        """Journal entries as they are saved."""
        ...


class Api:
    """The routes over one exchange."""

    def __init__(self, exchange: Exchange, token: str, tokens: Tokens | None = None) -> None:
        """`token`: the admin's own; `tokens`: the named ones."""
        self._exchange = exchange
        self._guard = Guard(token, tokens or NoTokens())

    def application(self) -> web.Application:
        """The aiohttp application; the caller owns its runner."""
        app = web.Application(middlewares=[self._guard.keep], client_max_size=64 * 1024)
        app.on_response_prepare.append(put_guards)
        app.add_routes(
            [
                web.get("/health/live", self._live),
                web.get("/health/ready", self._ready),
                web.get("/v1/status", self._status),
                web.post("/v1/secretaries/{id}/{verb}", self._secretary),
                web.post("/v1/reload", self._reload),
                web.post("/v1/rollback", self._rollback),
                web.get("/v1/overrides", self._overrides),
                web.post("/v1/overrides", self._override),
                web.delete("/v1/overrides/{client}", self._end_overrides),
                web.post("/v1/flush", self._flush),
                web.get("/v1/entries", self._entries),
            ]
        )
        return app

    async def _live(self, _: web.Request) -> web.Response:
        return web.json_response({"live": True})

    async def _ready(self, _: web.Request) -> web.Response:
        ready, lacks = self._exchange.ready(), list(self._exchange.lacks())
        return web.json_response({"ready": ready, "lacks": lacks}, status=200 if ready else 503)

    async def _status(self, _: web.Request) -> web.Response:
        return web.json_response(self._exchange.status())

    async def _secretary(self, request: web.Request) -> web.Response:
        """What belongs to the verb stands in the query or in a JSON object: `reason`, `to`, `note` or `do`."""
        asked = request.match_info
        words: dict[str, object] = dict(request.query)
        if await request.read():
            wish = await wish_of(request)
            if wish is None:
                return refused("a JSON object is expected")
            words |= wish
        if asked["verb"] == "call":
            to, client = str(words.get("to") or ""), words.get("client")
            whose = None if client is None else str(client)
            return answered(lambda: self._exchange.call_out(asked["id"], to, whose))
        said = words.get(VERBS.get(asked["verb"]) or "reason")
        argument = None if said is None else str(said)
        return answered(lambda: self._exchange.secretary(asked["id"], asked["verb"], argument))

    async def _overrides(self, _: web.Request) -> web.Response:
        return web.json_response(self._exchange.status().get("overrides", []))

    async def _override(self, request: web.Request) -> web.Response:
        """Body: client, override (team, open, closed), team, until, author, reason."""
        wish = await wish_of(request)
        if wish is None:
            return refused("a JSON object is expected")
        return answered(lambda: self._exchange.override(signed(request, wish)))

    async def _end_overrides(self, request: web.Request) -> web.Response:
        client, author = request.match_info["client"], author_of(request, request.query.get("author"))
        return answered(lambda: self._exchange.end_overrides(client, author))

    async def _rollback(self, request: web.Request) -> web.Response:
        query = request.query
        try:
            answer = await self._exchange.rollback(
                query.get("version"), author_of(request, query.get("author"))
            )
        except LookupError as error:
            return missing(error)
        except OSError as error:
            return refused(f"the files cannot be put back: {error}", 500)
        return web.json_response(answer)

    async def _reload(self, request: web.Request) -> web.Response:
        return web.json_response(await self._exchange.reload(author_of(request, request.query.get("author"))))

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
