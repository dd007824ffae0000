"""What a new version asks of the one that serves: to let go of its calls, or to start the new one itself.

Routes below `/v1`, so the API's guard keeps them. Must not know how calls are handed over.
"""

from __future__ import annotations

from typing import Protocol

from aiohttp import web

from autocom.core.orders import NotPossible
from autocom.web.answers import refused


class Leaving(Protocol):
    """The running exchange, as far as it may be relieved."""

    async def hand_over(self, successor: int) -> None:
        """Let go of everything right after this returns, for the process that asks. NotPossible says why not."""
        ...

    async def upgrade(self) -> int:
        """Start the program as it is on the disk now, and hand over to it; its process. NotPossible says why not."""
        ...


class HandOverRoutes:
    """Over one exchange."""

    def __init__(self, leaving: Leaving) -> None:
        self._leaving = leaving

    def add(self, application: web.Application) -> None:
        """To an application whose guard asks for the token."""
        application.add_routes(
            [web.post("/v1/hand-over", self._hand_over), web.post("/v1/upgrade", self._upgrade)]
        )

    async def _hand_over(self, request: web.Request) -> web.Response:
        """`?successor=PID`."""
        successor = request.query.get("successor", "")
        if not (successor.isdecimal() and len(successor) <= 10):
            return refused("say who takes over: ?successor=PID")
        try:
            await self._leaving.hand_over(int(successor))
        except NotPossible as error:
            return refused(str(error), 409)
        return web.json_response({"successor": int(successor)}, status=202)

    async def _upgrade(self, _: web.Request) -> web.Response:
        try:
            return web.json_response({"successor": await self._leaving.upgrade()}, status=202)
        except NotPossible as error:
            return refused(str(error), 409)
