"""Listening in and recordings over HTTP: what is asked of the exchange, and what a program is told."""

from __future__ import annotations

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from autocom.core.journal import Json
from autocom.web.recordings import RecordingRoutes
from autocom.web.supervision import SupervisionRoutes

WISH = {"lead": "awa", "secretary": "lea"}


class House:
    """Supervisions and recordings that remember what was asked."""

    def __init__(self) -> None:
        self.asked: list[object] = []

    def rows(self) -> list[Json]:
        return [{"id": "c2", "lead": "awa"}]

    def begin(self, lead: str, secretary: str, mode: str) -> dict[str, Json]:
        self.asked.append((lead, secretary, mode))
        if secretary == "leo":
            raise LookupError("there is no secretary 'leo'")
        if mode == "barge":
            raise ValueError("this mode is not allowed in her team")
        return {"call": "c2", "lead": lead, "secretary": secretary, "mode": mode}

    def switch(self, lead: str, mode: str) -> dict[str, Json]:
        if lead != "awa":
            raise LookupError(f"{lead} supervises nobody")
        return {"call": "c2", "lead": lead, "mode": mode}

    def kept(self, client: str | None) -> list[Json]:
        self.asked.append(client)
        return [{"id": "tape-c1-1"}]

    async def sound(self, wanted: str, by: str) -> tuple[str, bytes]:
        self.asked.append((wanted, by))
        if wanted == "ZZZZ":
            raise LookupError("there is no recording 'ZZZZ'")
        return "tape-c1-1", b"RIFF"


async def ask(method: str, path: str, **how: object) -> tuple[int, object, list[object]]:
    house, application = House(), web.Application()
    SupervisionRoutes(house).add(application)
    RecordingRoutes(house).add(application)
    async with TestClient(TestServer(application)) as client:
        response = await client.request(method, path, **how)  # type: ignore[arg-type]
        is_json = response.content_type == "application/json"
        return response.status, await (response.json() if is_json else response.read()), house.asked


async def test_who_listens_is_told_and_a_lead_begins_by_listening() -> None:
    assert (await ask("GET", "/v1/supervisions"))[:2] == (200, [{"id": "c2", "lead": "awa"}])
    status, answer, asked = await ask("POST", "/v1/supervisions", json=WISH)
    assert (status, asked) == (200, [("awa", "lea", "listen")])
    assert answer == {"call": "c2", "lead": "awa", "secretary": "lea", "mode": "listen"}
    assert (await ask("POST", "/v1/supervisions/awa/whisper"))[0] == 200


@pytest.mark.parametrize(
    ("method", "path", "how", "status", "words"),
    [
        ("POST", "/v1/supervisions", {"json": {**WISH, "mode": "barge"}}, 409, "not allowed"),
        ("POST", "/v1/supervisions", {"json": {**WISH, "secretary": "leo"}}, 404, "no secretary 'leo'"),
        ("POST", "/v1/supervisions", {"json": {**WISH, "mode": 3}}, 400, "a JSON object of texts"),
        ("POST", "/v1/supervisions", {"json": ["awa"]}, 400, "a JSON object of texts"),
        ("POST", "/v1/supervisions", {"data": b"{"}, 400, "a JSON object of texts"),
        ("POST", "/v1/supervisions/lea/listen", {}, 404, "lea supervises nobody"),
        ("GET", "/v1/recordings/ZZZZ/sound?by=awa", {}, 404, "no recording 'ZZZZ'"),
        ("GET", "/v1/recordings/K7QX/sound", {}, 400, "say who listens"),
        ("GET", "/v1/recordings/K7QX/sound?by=%20", {}, 400, "say who listens"),
    ],
)
async def test_what_cannot_be_is_told_in_words(
    method: str, path: str, how: dict[str, object], status: int, words: str
) -> None:
    found, answer, asked = await ask(method, path, **how)
    assert found == status
    assert isinstance(answer, dict)
    assert words in answer["error"]
    assert not asked or status in (404, 409)


async def test_a_sound_is_handed_out_with_a_name_beside_it_and_kept_by_nobody_on_the_way() -> None:
    assert await ask("GET", "/v1/recordings?client=lilas") == (200, [{"id": "tape-c1-1"}], ["lilas"])
    status, sound, asked = await ask("GET", "/v1/recordings/k7qx/sound?by=awa")
    assert (status, sound, asked) == (200, b"RIFF", [("k7qx", "awa")])
