"""What programs say about listening in: who listens, that a lead's phone be rung, that she changes her mode.

Routes below `/v1/supervisions`, so the API's token keeps them. Whether she may is decided by the exchange, for a
program exactly as for a phone. Must not know how it is done.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from aiohttp import web

from autocom.core.journal import Json
from autocom.web.answers import answered, refused, wish_of


class Supervisions(Protocol):
    """Who knows them."""

    def rows(self) -> list[Json]:
        """Every one there is."""
        ...

    def begin(self, lead: str, secretary: str, mode: str) -> Mapping[str, Json]:
        """Have the lead's phone rung; LookupError for whoever is unknown, ValueError for what is not allowed."""
        ...

    def switch(self, lead: str, mode: str) -> Mapping[str, Json]:
        """As if she pressed the key; LookupError where she supervises nobody."""
        ...


class SupervisionRoutes:
    """Over the supervisions of one exchange."""

    def __init__(self, supervisions: Supervisions) -> None:
        self._supervisions = supervisions

    def add(self, application: web.Application) -> None:
        """To an application whose guard asks for the token."""
        application.add_routes(
            [
                web.get("/v1/supervisions", self._rows),
                web.post("/v1/supervisions", self._begin),
                web.post("/v1/supervisions/{lead}/{mode}", self._switch),
            ]
        )

    async def _rows(self, _: web.Request) -> web.Response:
        return web.json_response(self._supervisions.rows())

    async def _begin(self, request: web.Request) -> web.Response:
        """Body: lead, secretary, mode (listen where it says none)."""
        wish = await wish_of(request)
        if wish is None or not all(isinstance(value, str) for value in wish.values()):
            return refused("a JSON object of texts is expected")
        lead, secretary = wish.get("lead", ""), wish.get("secretary", "")
        return answered(
            lambda: self._supervisions.begin(lead, secretary, wish.get("mode", "listen")), wrong=409
        )

    async def _switch(self, request: web.Request) -> web.Response:
        asked = request.match_info
        return answered(lambda: self._supervisions.switch(asked["lead"], asked["mode"]), wrong=409)
