"""The clients' call lists and the results of calls, for programs: routes below `/v1/lists`, and one for results.

The API's token keeps them. A list is filled all or not at all, as JSON or as CSV. Must not know where lists are
kept, and dials nobody.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from aiohttp import web

from autocom.core.journal import Json
from autocom.core.reminders import read_csv
from autocom.web.answers import answered, author_of, json_of, refused


class Lists(Protocol):
    """Who keeps them. LookupError: no such client, call or result; ValueError: what is wrong with the wish."""

    def show(self, client: str) -> list[Json]:
        """Everybody on this client's list."""
        ...

    def add(self, client: str, people: Sequence[Mapping[str, Json]], author: str) -> list[Json]:
        """Put these on it, all or none."""
        ...

    def remove(self, client: str, item: str | None, author: str) -> Mapping[str, Json]:
        """Take one, or all, off it."""
        ...

    def say(self, secretary: str, said: str) -> Mapping[str, Json]:
        """What came of her last call."""
        ...


class ListRoutes:
    """Over the lists of one exchange."""

    def __init__(self, lists: Lists) -> None:
        self._lists = lists

    def add(self, application: web.Application) -> None:
        """To an application whose guard asks for the token. Before the API's own routes for secretaries: the first
        that fits is taken."""
        application.add_routes(
            [
                web.get("/v1/lists/{client}", self._show),
                web.post("/v1/lists/{client}", self._fill),
                web.delete("/v1/lists/{client}", self._remove),
                web.delete("/v1/lists/{client}/{item}", self._remove),
                web.post("/v1/results/{secretary}/{result}", self._result),
            ]
        )

    async def _show(self, request: web.Request) -> web.Response:
        return answered(lambda: self._lists.show(request.match_info["client"]))

    async def _fill(self, request: web.Request) -> web.Response:
        """Body: a list of people with number, name, note, at; or text/csv with these columns."""
        client, author = request.match_info["client"], author_of(request, request.query.get("author"))
        try:
            if request.content_type == "text/csv":
                people: object = read_csv(await request.text())
            else:
                people = await json_of(request)
        except (ValueError, UnicodeDecodeError) as error:
            return refused(f"the list cannot be read: {error}")
        if not isinstance(people, list) or not all(isinstance(person, dict) for person in people):
            return refused("a JSON list of objects is expected")
        return answered(lambda: self._lists.add(client, people, author))

    async def _remove(self, request: web.Request) -> web.Response:
        asked = request.match_info
        author = author_of(request, request.query.get("author"))
        return answered(lambda: self._lists.remove(asked["client"], asked.get("item"), author))

    async def _result(self, request: web.Request) -> web.Response:
        asked = request.match_info
        return answered(lambda: self._lists.say(asked["secretary"], asked["result"]))
