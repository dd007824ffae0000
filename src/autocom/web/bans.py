"""What programs ask about addresses that are shut out: which there are, and that one be let in again.

Routes below `/v1/bans`, so the API's guard keeps them. Must not know why somebody is shut out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from aiohttp import web

from autocom.core.journal import Json
from autocom.web.answers import answered, author_of


class Bans(Protocol):
    """Who knows them."""

    def rows(self) -> list[Json]:
        """Every address that is shut out."""
        ...

    def clear(self, address: str, author: str) -> Mapping[str, Json]:
        """Let it in; LookupError where it is not shut out, ValueError for what is no address."""
        ...


class BanRoutes:
    """Over the bans of one exchange."""

    def __init__(self, bans: Bans) -> None:
        self._bans = bans

    def add(self, application: web.Application) -> None:
        """To an application whose guard asks for the token. An address may hold a slash (`2001:db8::/64`)."""
        application.add_routes(
            [web.get("/v1/bans", self._rows), web.delete("/v1/bans/{address:.+}", self._clear)]
        )

    async def _rows(self, _: web.Request) -> web.Response:
        return web.json_response(self._bans.rows())

    async def _clear(self, request: web.Request) -> web.Response:
        """`?author=NAME` is written down with it."""
        author = author_of(request, request.query.get("author"))
        return answered(lambda: self._bans.clear(request.match_info["address"], author))
