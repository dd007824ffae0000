"""What programs ask of the secretaries' phones: who is parked, the conference rooms, forwards.

Routes below `/v1`, so the API's token keeps them; who has it may command any room. Must not know how it is
done. Refusals are `{"error": …}`: 404 nobody by that name, 400 wrong words, 409 not now, with the reason.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from aiohttp import web

from autocom.core.journal import Json
from autocom.web.answers import answered, refused


class Phones(Protocol):
    """Who knows them. LookupError: nobody by that name; ValueError: wrong words; NotPossible: why not now."""

    def parked(self) -> list[Json]:
        """Who is parked."""
        ...

    def rooms(self) -> list[Json]:
        """The conference rooms with somebody in them."""
        ...

    def room(self, room: str, verb: str, by: str | None, to: str | None) -> Mapping[str, Json]:
        """Say something to a room, or invite somebody to it."""
        ...

    def forwards(self, who: str) -> Mapping[str, Json]:
        """Where her phone sends her calls."""
        ...

    def forward(self, who: str, when: str, to: str | None) -> Mapping[str, Json]:
        """Set one of her forwards, or end it."""
        ...


class PostRoutes:
    """Over the phones of one exchange."""

    def __init__(self, phones: Phones) -> None:
        self._phones = phones

    def add(self, application: web.Application) -> None:
        """To an application whose guard asks for the token."""
        application.add_routes(
            [
                web.get("/v1/parked", self._parked),
                web.get("/v1/rooms", self._rooms),
                web.post("/v1/rooms/{room}/{verb}", self._room),
                web.get("/v1/forwarding/{id}", self._forwards),
                web.put("/v1/forwarding/{id}/{when}", self._forward),
                web.delete("/v1/forwarding/{id}/{when}", self._forward),
            ]
        )

    async def _parked(self, _: web.Request) -> web.Response:
        return web.json_response(self._phones.parked())

    async def _rooms(self, _: web.Request) -> web.Response:
        return web.json_response(self._phones.rooms())

    async def _room(self, request: web.Request) -> web.Response:
        """In the query: `by`, the secretary in whose name it is; `to`, whom to invite."""
        asked, query = request.match_info, request.query
        return answered(
            lambda: self._phones.room(asked["room"], asked["verb"], query.get("by"), query.get("to"))
        )

    async def _forwards(self, request: web.Request) -> web.Response:
        return answered(lambda: self._phones.forwards(request.match_info["id"]))

    async def _forward(self, request: web.Request) -> web.Response:
        """PUT with `to` in the query, or DELETE."""
        asked = request.match_info
        to = request.query.get("to") if request.method == "PUT" else None
        if request.method == "PUT" and not to:
            return refused("say where to: ?to=EXTENSION or ?to=NUMBER")
        return answered(lambda: self._phones.forward(asked["id"], asked["when"], to))
