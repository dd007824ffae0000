"""The routes of texts: who may ask what, how much is read, and how refusals are said."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from autocom.web import texts as module
from autocom.web.texts import TextRoutes


class Values:
    """An office that answers what it was given."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.asked: list[object] = []
        self.hold: asyncio.Event | None = None

    async def posted(
        self, name: str, what: str, headers: Mapping[str, str], raw: bytes
    ) -> tuple[int, dict[str, Any]]:
        if self.hold is not None:
            await self.hold.wait()
        self.asked.append((name, what, headers.get("X-Signature"), raw))
        return (404, {"error": "no"}) if name == "nobody" else (200, {"taken": 1})

    def send(self, wish: Mapping[str, Any]) -> dict[str, Any]:
        if wish.get("client") == "nobody":
            raise LookupError("there is no client 'nobody'")
        if "to" not in wish:
            raise ValueError("`to` is missing")
        return {"id": "to1", **wish}

    async def listed(self, client: str | None, limit: int) -> list[dict[str, Any]]:
        return [{"client": client, "limit": limit}]

    async def read(self, wanted: str, reader: str) -> dict[str, Any]:
        if wanted == "none":
            raise LookupError("there is no text 'none'")
        return {"id": wanted, "reader": reader}

    async def attachment(self, wanted: str, number: int, reader: str) -> tuple[Path, str]:
        if number != 1:
            raise LookupError(f"text {wanted} has no attachment {number}")
        return self.file, "text/vcard"


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[tuple[Values, TestClient[web.Request, web.Application]]]:
    file = tmp_path / "card"
    file.write_bytes(b"BEGIN:VCARD")
    values = Values(file)
    app = web.Application(client_max_size=1024)
    TextRoutes(values).add(app)
    async with TestClient(TestServer(app)) as client:
        yield values, client


async def test_what_a_provider_posts_is_handed_on_as_it_came(office) -> None:
    values, client = office
    raw = b'{"a": "\xff"}' + b"x" * 100_000
    async with client.post("/texts/op", data=raw, headers={"X-Signature": "s"}) as answer:
        assert (answer.status, await answer.json()) == (200, {"taken": 1})
    async with client.post("/texts/nobody/receipts", data=b"") as answer:
        assert answer.status == 404
    assert values.asked == [("op", "texts", "s", raw), ("nobody", "receipts", None, b"")]


async def test_no_more_is_read_than_an_mms_is_long_and_only_so_many_at_once(office, monkeypatch) -> None:
    values, client = office
    monkeypatch.setattr(module, "LARGEST", 2000)
    async with client.post("/texts/op", data=bytes(2001)) as answer:
        assert answer.status == 413
    values.hold = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        posts = [tasks.create_task(client.post("/texts/op", data=b"x")) for _ in range(module.AT_ONCE + 3)]
        done, waiting = await asyncio.wait(posts, timeout=1.0)
        assert [post.result().status for post in done] == [503, 503, 503]
        values.hold.set()
        assert {(await post).status for post in waiting} == {200}
    assert len(values.asked) == module.AT_ONCE


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{", 400),
        (b"[]", 400),
        (b"{}", 400),
        (b'{"client": "nobody"}', 404),
        (b'{"to": "1", "text": "x"}', 200),
    ],
)
async def test_sending_and_its_refusals(office, body: bytes, status: int) -> None:
    _, client = office
    async with client.post("/v1/texts", data=body) as answer:
        assert answer.status == status
        assert ("error" in await answer.json()) is (status != 200)


async def test_listing_and_reading(office) -> None:
    _, client = office
    async with client.get("/v1/texts?client=lilas&limit=7") as answer:
        assert await answer.json() == [{"client": "lilas", "limit": 7}]
    for limit in ("0", "501", "x", "-1", "٣"):
        async with client.get("/v1/texts", params={"limit": limit}) as answer:
            assert answer.status == 400
    async with client.get("/v1/texts/4F7K2M?reader=lea") as answer:
        assert await answer.json() == {"id": "4F7K2M", "reader": "lea"}
    async with client.get("/v1/texts/none") as answer:
        assert (answer.status, await answer.json()) == (404, {"error": "there is no text 'none'"})


async def test_an_attachment_is_a_download_of_its_own_kind_and_nothing_a_page_would_run(office) -> None:
    _, client = office
    async with client.get("/v1/texts/4F7K2M/attachments/1") as answer:
        assert await answer.read() == b"BEGIN:VCARD"
        assert answer.headers["Content-Type"] == "text/vcard"
        assert answer.headers["Content-Disposition"] == "attachment"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
    for number in ("2", "0", "x", "-1", "٣"):
        async with client.get(f"/v1/texts/4F7K2M/attachments/{number}") as answer:
            assert answer.status == 404


async def test_the_outside_gets_the_providers_door_alone(tmp_path: Path) -> None:
    app = web.Application()
    TextRoutes(Values(tmp_path)).add_door(app)
    async with TestClient(TestServer(app)) as client:
        async with client.get("/v1/texts") as answer:
            assert answer.status == 404
        async with client.post("/texts/op", data=b"") as answer:
            assert answer.status == 200
