"""A door that strangers cannot hold open."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from autocom.web.door import Door, Seen
from tests.support.ports import free_port

Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@pytest.fixture
async def port() -> AsyncIterator[int]:
    """Ten connections at most; 0.3 s for a first request."""
    seen = Seen()
    app = web.Application(middlewares=[seen.note])

    async def slow(_: web.Request) -> web.Response:
        await asyncio.sleep(0.6)
        return web.Response(text="done")

    app.router.add_get("/slow", slow)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    where = free_port()
    door = Door(runner, "127.0.0.1", where, seen, most=10, first_within=0.3)
    await door.start()
    assert door.name == f"http://127.0.0.1:{where}"
    yield where
    await runner.cleanup()


async def ended(connection: Connection) -> bool:
    """Whether the other side closes it soon; it is closed here in any case."""
    reader, writer = connection
    try:
        async with asyncio.timeout(2):
            return await reader.read(1) == b""
    except ConnectionError:
        return True
    except TimeoutError:
        return False
    finally:
        writer.close()


@pytest.mark.parametrize("begun", [b"", b"GET /slow HT", b"GET /slow HTTP/1.1\r\nHost: x\r\nX-A: b\r\n"])
async def test_who_brings_no_whole_request_in_time_is_cut_off(port: int, begun: bytes) -> None:
    connection = await asyncio.open_connection("127.0.0.1", port)
    connection[1].write(begun)
    assert await ended(connection)


async def test_who_asks_in_time_may_wait_for_his_answer(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET /slow HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert (await reader.read()).endswith(b"done")
    writer.close()
    await writer.wait_closed()


async def test_one_connection_too_many_is_closed_and_there_is_room_again_afterwards(port: int) -> None:
    many = [await asyncio.open_connection("127.0.0.1", port) for _ in range(10)]
    await asyncio.sleep(0)
    assert await ended(await asyncio.open_connection("127.0.0.1", port))
    for each in many:
        assert await ended(each)
    await test_who_asks_in_time_may_wait_for_his_answer(port)
