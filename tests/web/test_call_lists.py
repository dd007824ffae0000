"""Call lists and results over HTTP: what is asked of the exchange, and what a program is told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from autocom.core.journal import Json
from autocom.web.call_lists import ListRoutes


class Kept:
    """Lists that remember what was asked."""

    def __init__(self) -> None:
        self.asked: list[object] = []

    def show(self, client: str) -> list[Json]:
        if client != "lilas":
            raise LookupError(f"there is no client {client!r}")
        return [{"id": "r1"}]

    def add(self, client: str, people: Sequence[Mapping[str, Json]], author: str) -> list[Json]:
        if not people[0].get("number"):
            raise ValueError("person 1: '' is no number that can be called")
        self.asked.append((client, list(people), author))
        return [{"id": "r1"}]

    def remove(self, client: str, item: str | None, author: str) -> dict[str, Json]:
        self.asked.append((client, item, author))
        return {"client": client, "removed": 1}

    def say(self, secretary: str, said: str) -> dict[str, Json]:
        return {"secretary": secretary, "call": "c1", "result": said}


async def ask(method: str, path: str, **how: object) -> tuple[int, object, list[object]]:
    kept, application = Kept(), web.Application()
    ListRoutes(kept).add(application)
    async with TestClient(TestServer(application)) as client:
        response = await client.request(method, path, **how)  # type: ignore[arg-type]
        return response.status, await response.json(), kept.asked


async def test_a_list_is_shown_and_an_unknown_client_is_told():
    assert await ask("GET", "/v1/lists/lilas") == (200, [{"id": "r1"}], [])
    assert await ask("GET", "/v1/lists/rose") == (404, {"error": "there is no client 'rose'"}, [])


@pytest.mark.parametrize(
    "how",
    [
        {"json": [{"number": "0639981234", "name": "Mme Roux"}]},
        {"data": "0639981234;Mme Roux", "headers": {"Content-Type": "text/csv; charset=utf-8"}},
    ],
)
async def test_a_list_is_filled_from_json_or_csv(how: dict[str, object]):
    status, _, asked = await ask("POST", "/v1/lists/lilas?author=anna", **how)
    assert (status, asked) == (200, [("lilas", [{"number": "0639981234", "name": "Mme Roux"}], "anna")])


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"data": "{", "headers": {"Content-Type": "application/json"}}, "the list cannot be read"),
        ({"json": {"number": "0639981234"}}, "a JSON list of objects is expected"),
        ({"json": ["0639981234"]}, "a JSON list of objects is expected"),
        ({"json": [{"name": "x"}]}, "person 1: '' is no number"),
        ({"data": b"\xff\xfe;", "headers": {"Content-Type": "text/csv"}}, "the list cannot be read"),
    ],
)
async def test_a_list_that_cannot_be_read_is_refused_in_words(how: dict[str, object], said: str):
    status, answer, asked = await ask("POST", "/v1/lists/lilas", **how)
    assert (status, asked) == (400, [])
    assert said in answer["error"]  # type: ignore[index]


async def test_one_or_all_are_taken_off():
    assert (await ask("DELETE", "/v1/lists/lilas/r1?author=anna"))[2] == [("lilas", "r1", "anna")]
    assert (await ask("DELETE", "/v1/lists/lilas"))[2] == [("lilas", None, "api")]


async def test_a_result_is_said():
    said = {"secretary": "lea", "call": "c1", "result": "message"}
    assert await ask("POST", "/v1/results/lea/message") == (200, said, [])
