"""The HTTP API over an exchange made of values."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp.test_utils import TestClient, TestServer

from autocom.core.journal import Entry
from autocom.core.orders import NotPossible
from autocom.web.api import Api

TOKEN = {"Authorization": "Bearer right"}


class Values:
    """An exchange that answers what it was given."""

    def __init__(self) -> None:
        self.is_ready = True
        self.asked: list[object] = []
        self.entries: asyncio.Queue[Entry] = asyncio.Queue()

    def ready(self) -> bool:
        return self.is_ready

    def lacks(self) -> list[str]:
        return [] if self.is_ready else ["draining"]

    def status(self) -> dict[str, object]:
        return {"config_version": "v1", "overrides": [{"client": "lilas"}]}

    def secretary(self, who: str, verb: str, reason: str | None) -> dict[str, object]:
        self.asked.append((who, verb, reason))
        if who == "nobody":
            raise LookupError("there is no secretary 'nobody'")
        if verb == "sleep":
            raise ValueError("unknown verb 'sleep'")
        if verb == "join":
            raise NotPossible("nobody is being consulted")
        return {"id": who, "state": "paused"}

    def call_out(self, who: str, to: str, client: str | None) -> dict[str, object]:
        self.asked.append((who, "call", to, client))
        if to == "15":
            raise NotPossible("an emergency number is never dialled from here")
        return {"id": who, "verb": "call", "call": "c1"}

    async def reload(self, author: str) -> dict[str, object]:
        self.asked.append(author)
        return {"applied": True, "version": "v2", "faults": []}

    def override(self, wish: dict[str, object]) -> dict[str, object]:
        self.asked.append(wish)
        if wish["client"] == "nobody":
            raise LookupError("there is no client 'nobody'")
        if wish["override"] == "sleep":
            raise ValueError("'sleep' is not one of: team, open, closed")
        return wish

    def end_overrides(self, client: str, author: str) -> dict[str, object]:
        self.asked.append((client, author))
        return {"client": client, "cleared": 1}

    async def rollback(self, wanted: str | None, author: str) -> dict[str, object]:
        self.asked.append((wanted, author))
        if wanted == "v9":
            raise LookupError("no kept version is called 'v9'")
        if wanted == "full":
            raise OSError("no space left on device")
        return {"applied": True, "version": "v1", "faults": []}

    async def flush(self) -> bool:
        return True

    async def follow(self) -> AsyncIterator[Entry]:
        while True:
            yield await self.entries.get()


@pytest.fixture
async def values() -> Values:
    return Values()


@pytest.fixture
async def http(values: Values) -> AsyncIterator[TestClient]:
    async with TestClient(TestServer(Api(values, "right").application())) as client:  # type: ignore[arg-type]
        yield client


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": "right"}])
@pytest.mark.parametrize("route", ["/v1/status", "/v1/entries", "/v1/nothing"])
async def test_nothing_is_told_without_the_token(
    http: TestClient, headers: dict[str, str], route: str
) -> None:
    answer = await http.get(route, headers=headers)
    assert answer.status == 401
    assert "token" in (await answer.json())["error"]


async def test_a_token_that_is_no_text_at_all_is_a_wrong_one(http: TestClient) -> None:
    reader, writer = await asyncio.open_connection(http.host, http.port)
    writer.write(b"GET /v1/status HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \xff\xfe\r\n\r\n")
    assert (await reader.readline()).startswith(b"HTTP/1.1 401")
    writer.close()
    await writer.wait_closed()


async def test_health_is_told_to_anybody(http: TestClient, values: Values) -> None:
    assert (await http.get("/health/live")).status == 200
    ready = await http.get("/health/ready")
    assert (ready.status, await ready.json()) == (200, {"ready": True, "lacks": []})
    values.is_ready = False
    ready = await http.get("/health/ready")
    assert (ready.status, await ready.json()) == (503, {"ready": False, "lacks": ["draining"]})


async def test_what_belongs_to_an_order_comes_by_query_or_as_json(http: TestClient, values: Values) -> None:
    await http.post("/v1/secretaries/lea/consult?to=0639981021", headers=TOKEN)
    await http.post("/v1/secretaries/lea/park", json={"note": "le tarif"}, headers=TOKEN)
    await http.post("/v1/secretaries/lea/record?do=start", headers=TOKEN)
    await http.post("/v1/secretaries/lea/hold", headers=TOKEN)
    assert values.asked == [
        ("lea", "consult", "0639981021"),
        ("lea", "park", "le tarif"),
        ("lea", "record", "start"),
        ("lea", "hold", None),
    ]


async def test_a_call_is_asked_for_with_whom_to_call_and_for_which_client(
    http: TestClient, values: Values
) -> None:
    answer = await http.post("/v1/secretaries/lea/call?to=0639981021&client=lilas", headers=TOKEN)
    assert (await answer.json())["call"] == "c1"
    await http.post("/v1/secretaries/lea/call", json={"to": "202"}, headers=TOKEN)
    refused = await http.post("/v1/secretaries/lea/call?to=15", headers=TOKEN)
    assert refused.status == 409
    assert "emergency" in (await refused.json())["error"]
    assert values.asked[:2] == [("lea", "call", "0639981021", "lilas"), ("lea", "call", "202", None)]


async def test_an_order_that_cannot_be_now_is_a_conflict_in_words(http: TestClient) -> None:
    answer = await http.post("/v1/secretaries/lea/join", headers=TOKEN)
    assert (answer.status, await answer.json()) == (409, {"error": "nobody is being consulted"})
    for body in ("[1]", "{"):
        refused = await http.post(
            "/v1/secretaries/lea/consult",
            data=body,
            headers={**TOKEN, "Content-Type": "application/json"},
        )
        assert refused.status == 400


async def test_what_a_secretary_says_is_passed_on_with_its_reason(http: TestClient, values: Values) -> None:
    answer = await http.post("/v1/secretaries/lea/pause?reason=lunch", headers=TOKEN)
    assert await answer.json() == {"id": "lea", "state": "paused"}
    assert values.asked == [("lea", "pause", "lunch")]


@pytest.mark.parametrize(("path", "status"), [("nobody/login", 404), ("lea/sleep", 400)])
async def test_a_wrong_word_is_an_error_with_what_is_wrong(http: TestClient, path: str, status: int) -> None:
    answer = await http.post(f"/v1/secretaries/{path}", headers=TOKEN)
    assert answer.status == status
    assert (await answer.json())["error"]


async def test_reload_names_its_author(http: TestClient, values: Values) -> None:
    answer = await http.post("/v1/reload?author=ines", headers=TOKEN)
    assert (await answer.json())["version"] == "v2"
    assert values.asked == ["ines"]


async def test_an_override_is_set_listed_and_ended(http: TestClient, values: Values) -> None:
    wish = {"client": "lilas", "override": "closed", "until": "2h"}
    assert await (await http.post("/v1/overrides", headers=TOKEN, json=wish)).json() == wish
    assert await (await http.get("/v1/overrides", headers=TOKEN)).json() == [{"client": "lilas"}]
    answer = await http.delete("/v1/overrides/lilas?author=chef", headers=TOKEN)
    assert (await answer.json())["cleared"] == 1
    assert values.asked == [wish, ("lilas", "chef")]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ('{"client": "nobody", "override": "closed"}', 404),
        ('{"client": "lilas", "override": "sleep"}', 400),
        ("[]", 400),
        ("{", 400),
        ("", 400),
    ],
)
async def test_a_wrong_override_is_an_error_with_what_is_wrong(
    http: TestClient, body: str, status: int
) -> None:
    answer = await http.post("/v1/overrides", headers=TOKEN, data=body)
    assert answer.status == status
    assert (await answer.json())["error"]


async def test_rollback_names_the_version_and_its_author(http: TestClient, values: Values) -> None:
    answer = await http.post("/v1/rollback?version=v1&author=chef", headers=TOKEN)
    assert (await answer.json())["version"] == "v1"
    assert (await http.post("/v1/rollback", headers=TOKEN)).status == 200
    assert values.asked == [("v1", "chef"), (None, "api")]
    assert (await http.post("/v1/rollback?version=v9", headers=TOKEN)).status == 404
    assert (await http.post("/v1/rollback?version=full", headers=TOKEN)).status == 500


async def test_entries_come_as_lines_as_they_are_saved(http: TestClient, values: Values) -> None:
    async with http.get("/v1/entries", headers=TOKEN, timeout=aiohttp.ClientTimeout(5)) as answer:
        values.entries.put_nowait(Entry(1.5, "ended", "c1", {"outcome": "served"}))
        line = json.loads(await answer.content.readline())
    assert line == {"at": 1.5, "kind": "ended", "call": "c1", "outcome": "served"}
