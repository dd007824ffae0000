"""The routes of texts: what providers post to us, and what people and programs ask.

`/texts/<provider>` lies outside `/v1`: each provider proves itself by its own secret, over the bytes as they
came. Everything below `/v1` has the API's guard. Must not know how a text is read or sent. Invariant: no body
is read beyond its limit, and only so many at a time.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

from aiohttp import web

from autocom.core.journal import Json
from autocom.web.answers import answered, author_of, missing, refused, signed, wish_of

LARGEST = 16 * 1024 * 1024
"""Bytes of what a provider posts: an MMS in base64."""

AT_ONCE = 8
WITHIN = 30.0
"""Seconds for all of it to come."""
_LIST = 500


class Texts(Protocol):
    """What the exchange answers about texts."""

    async def posted(
        self, name: str, what: str, headers: Mapping[str, str], raw: bytes
    ) -> tuple[int, dict[str, Json]]:
        """A provider's texts or receipts; the status and the answer."""
        ...

    def send(self, wish: Mapping[str, Any]) -> dict[str, Json]:
        """Send a text; LookupError and ValueError say what is wrong."""
        ...

    async def listed(self, client: str | None, limit: int) -> list[dict[str, Json]]:
        """The newest texts without their content."""
        ...

    async def read(self, wanted: str, reader: str) -> dict[str, Json]:
        """A text with its content; LookupError."""
        ...

    async def attachment(self, wanted: str, number: int, reader: str) -> tuple[Path, str]:
        """The file and the type of an attachment; LookupError."""
        ...


class TextRoutes:
    """The routes over one exchange's texts."""

    def __init__(self, texts: Texts) -> None:
        self._texts = texts
        self._reading = asyncio.Semaphore(AT_ONCE)

    def add(self, app: web.Application) -> None:
        """What people and programs ask, which the API's guard keeps, and the providers' door."""
        self.add_door(app)
        app.add_routes(
            [
                web.get("/v1/texts", self._list),
                web.post("/v1/texts", self._send),
                web.get("/v1/texts/{wanted}", self._read),
                web.get("/v1/texts/{wanted}/attachments/{number}", self._attachment),
            ]
        )

    def add_door(self, app: web.Application) -> None:
        """The providers' door alone, as it may be offered to the outside."""
        app.add_routes(
            [
                web.post("/texts/{provider}", self._posted_texts),
                web.post("/texts/{provider}/receipts", self._posted_receipts),
            ]
        )

    async def _posted_texts(self, request: web.Request) -> web.Response:
        return await self._posted(request, "texts")

    async def _posted_receipts(self, request: web.Request) -> web.Response:
        return await self._posted(request, "receipts")

    async def _posted(self, request: web.Request, what: str) -> web.Response:
        if self._reading.locked():
            return web.json_response({"error": "busy: try again"}, status=503, headers={"Retry-After": "5"})
        if (request.content_length or 0) > LARGEST:
            return refused(f"more than {LARGEST} bytes", 413)
        async with self._reading:
            try:
                async with asyncio.timeout(WITHIN):
                    raw = await request.clone(client_max_size=LARGEST).read()
            except TimeoutError:  # else eight slow ones would keep everybody's texts out
                return refused("the body did not come in time", 408)
            except web.HTTPRequestEntityTooLarge:
                return refused(f"more than {LARGEST} bytes", 413)
            name = request.match_info["provider"]
            status, answer = await self._texts.posted(name, what, request.headers, raw)
        return web.json_response(answer, status=status)

    async def _list(self, request: web.Request) -> web.Response:
        """`?client=ID&limit=N`."""
        asked = request.query.get("limit", "50")
        if not (asked.isascii() and asked.isdigit() and 1 <= int(asked) <= _LIST):
            return refused(f"`limit` is a number from 1 to {_LIST}")
        return web.json_response(await self._texts.listed(request.query.get("client"), int(asked)))

    async def _send(self, request: web.Request) -> web.Response:
        """Body: client, to or answer, text, secretary, author, id."""
        wish = await wish_of(request)
        if wish is None:
            return refused("a JSON object is expected")
        return answered(lambda: self._texts.send(signed(request, wish)))

    async def _read(self, request: web.Request) -> web.Response:
        """`?reader=NAME` is written down with it."""
        reader = author_of(request, request.query.get("reader"))
        return await _or_missing(lambda: self._texts.read(request.match_info["wanted"], reader))

    async def _attachment(self, request: web.Request) -> web.StreamResponse:
        """`?reader=NAME` as for the text."""
        asked, reader = request.match_info, author_of(request, request.query.get("reader"))
        number = int(asked["number"]) if re.fullmatch("[0-9]{1,4}", asked["number"]) else 0
        try:
            path, kind = await self._texts.attachment(asked["wanted"], number, reader)
        except LookupError as error:
            return missing(error)
        headers = {
            "Content-Type": kind,
            # never shown in the page that asked: it is a stranger's
            "Content-Disposition": "attachment",
            "X-Content-Type-Options": "nosniff",
        }
        return web.FileResponse(path, headers=headers)


async def _or_missing(ask: Callable[[], Awaitable[Mapping[str, Json]]]) -> web.Response:
    try:
        return web.json_response(await ask())
    except LookupError as error:
        return missing(error)
