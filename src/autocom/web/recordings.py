"""What programs ask about recorded conversations: which are kept, and the sound of one.

Routes below `/v1/recordings`, so the API's token keeps them. No list holds a caller's number; a sound is handed out
only with a name beside it, which is written down. Must not know where recordings are kept.
"""

from __future__ import annotations

from typing import Protocol

from aiohttp import web

from autocom.core.journal import Json
from autocom.web.answers import author_of, missing, refused


class Recordings(Protocol):
    """Who knows them."""

    def kept(self, client: str | None) -> list[Json]:
        """Every recording there is, newest first."""
        ...

    async def sound(self, wanted: str, by: str) -> tuple[str, bytes]:
        """Name and WAV of one, journalled as asked for `by` whom; LookupError where there is none."""
        ...


class RecordingRoutes:
    """Over the recordings of one exchange."""

    def __init__(self, recordings: Recordings) -> None:
        self._recordings = recordings

    def add(self, application: web.Application) -> None:
        """To an application whose guard asks for the token."""
        application.add_routes(
            [web.get("/v1/recordings", self._kept), web.get("/v1/recordings/{id}/sound", self._sound)]
        )

    async def _kept(self, request: web.Request) -> web.Response:
        return web.json_response(self._recordings.kept(request.query.get("client")))

    async def _sound(self, request: web.Request) -> web.Response:
        by = author_of(request, request.query.get("by", "").strip(), "")
        if not by:
            return refused("say who listens: ?by=NAME")
        try:
            name, wav = await self._recordings.sound(request.match_info["id"], by)
        except LookupError as error:
            return missing(error)
        headers = {"Content-Disposition": f'attachment; filename="{name}.wav"', "Cache-Control": "no-store"}
        return web.Response(body=wav, content_type="audio/wav", headers=headers)
