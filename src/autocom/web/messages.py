"""What programs say about messages that callers left: which there are, and that somebody listened to one.

Routes below `/v1/voicemail`, so the API's token keeps them. Must not know where messages are kept; no answer
holds a caller's number or a sound.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from aiohttp import web

from autocom.core.journal import Json
from autocom.web.answers import answered, author_of, refused

VERBS = {"heard": True, "new": False}


class Messages(Protocol):
    """Who knows them."""

    def left(self) -> list[Json]:
        """Every message that is kept, newest first."""
        ...

    def mark(self, wanted: str, by: str, *, heard: bool) -> Mapping[str, Json]:
        """Somebody listened to it, or it counts as new again; LookupError where there is none."""
        ...


class MessageRoutes:
    """Over the messages of one exchange."""

    def __init__(self, messages: Messages) -> None:
        self._messages = messages

    def add(self, application: web.Application) -> None:
        """To an application whose guard asks for the token."""
        application.add_routes(
            [web.get("/v1/voicemail", self._left), web.post("/v1/voicemail/{id}/{verb}", self._mark)]
        )

    async def _left(self, _: web.Request) -> web.Response:
        return web.json_response(self._messages.left())

    async def _mark(self, request: web.Request) -> web.Response:
        asked = request.match_info
        heard = VERBS.get(asked["verb"])
        if heard is None:
            return refused(f"a message is {' or '.join(VERBS)}")
        by = author_of(request, request.query.get("by"))
        return answered(lambda: self._messages.mark(asked["id"], by, heard=heard))
