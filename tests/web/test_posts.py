"""The HTTP routes about phones: parked callers, conference rooms, forwards, over phones made of values."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from autocom.core.journal import Json
from autocom.core.orders import NotPossible
from autocom.web.posts import PostRoutes


class Values:
    """Phones that answer what they were given."""

    def __init__(self) -> None:
        self.asked: list[object] = []

    def parked(self) -> list[Json]:
        return [{"slot": "*51"}]

    def rooms(self) -> list[Json]:
        return [{"room": "801"}]

    def room(self, room: str, verb: str, by: str | None, to: str | None) -> dict[str, Json]:
        self.asked.append((room, verb, by, to))
        if room == "900":
            raise LookupError("there is no room '900'")
        if verb == "sleep":
            raise ValueError("unknown verb 'sleep'")
        if verb == "invite" and to == "0899":
            raise NotPossible("premium numbers are not dialled")
        return {"room": room, "verb": verb}

    def forwards(self, who: str) -> dict[str, Json]:
        if who == "nobody":
            raise LookupError("there is no secretary 'nobody'")
        return {"always": None}

    def forward(self, who: str, when: str, to: str | None) -> dict[str, Json]:
        self.asked.append((who, when, to))
        return {"id": who, when: to}


@pytest.fixture
async def values() -> Values:
    return Values()


@pytest.fixture
async def http(values: Values) -> AsyncIterator[TestClient]:
    application = web.Application()
    PostRoutes(values).add(application)
    async with TestClient(TestServer(application)) as client:
        yield client


async def test_what_is_parked_and_who_confers(http: TestClient) -> None:
    assert await (await http.get("/v1/parked")).json() == [{"slot": "*51"}]
    assert await (await http.get("/v1/rooms")).json() == [{"room": "801"}]


async def test_a_room_is_commanded_in_somebodys_name(http: TestClient, values: Values) -> None:
    assert (await http.post("/v1/rooms/801/mute?by=lea")).status == 200
    assert (await http.post("/v1/rooms/801/invite?to=202")).status == 200
    assert values.asked == [("801", "mute", "lea", None), ("801", "invite", None, "202")]


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("900/mute", 404, "no room"),
        ("801/sleep", 400, "unknown verb"),
        ("801/invite?to=0899", 409, "premium"),
    ],
)
async def test_what_cannot_be_is_said_in_words(http: TestClient, path: str, status: int, words: str) -> None:
    answer = await http.post(f"/v1/rooms/{path}")
    assert answer.status == status
    assert words in (await answer.json())["error"]


async def test_a_forward_is_set_ended_and_read(http: TestClient, values: Values) -> None:
    assert await (await http.put("/v1/forwarding/lea/always?to=202")).json() == {"id": "lea", "always": "202"}
    assert await (await http.delete("/v1/forwarding/lea/always?to=202")).json() == {
        "id": "lea",
        "always": None,
    }
    assert (await http.put("/v1/forwarding/lea/always")).status == 400
    assert await (await http.get("/v1/forwarding/lea")).json() == {"always": None}
    assert (await http.get("/v1/forwarding/nobody")).status == 404
    assert values.asked == [("lea", "always", "202"), ("lea", "always", None)]
