"""A door that strangers cannot hold open."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
from aiohttp import web

from autocom.web import door
from autocom.web.door import Door, Seen, strangers
from tests.support import PATIENCE
from tests.support.ports import free_port

CERTIFICATE = Path(__file__).parents[1] / "mail" / "self_signed.pem"
Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@pytest.fixture
async def port() -> AsyncIterator[int]:
    """Ten connections at most; 0.3 s for a first request."""
    async with listening() as where:
        yield where


@pytest.fixture
async def tls_port(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[int]:
    """The same over TLS, six from one address, as this machine's were anybody's."""
    monkeypatch.setattr(door, "is_here", lambda _: False)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(CERTIFICATE)
    async with listening(tls, each=6) as where:
        yield where


@asynccontextmanager
async def listening(
    tls: ssl.SSLContext | None = None, each: int = 10, first_within: float = 0.3
) -> AsyncIterator[int]:
    seen = Seen()
    app = web.Application(middlewares=[seen.note])

    async def slow(_: web.Request) -> web.Response:
        await asyncio.sleep(0.6)
        return web.Response(text="done")

    app.router.add_get("/slow", slow)
    runner = web.AppRunner(app, shutdown_timeout=0.1, access_log=None, logger=strangers())
    await runner.setup()
    where = free_port()
    made = Door(runner, "127.0.0.1", where, seen, tls, most=10, each=each, first_within=first_within)
    await made.start()
    assert made.name == f"http{'s' if tls else ''}://127.0.0.1:{where}"
    try:
        yield where
    finally:
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
    assert (await asked(port)).endswith(b"done")


async def test_one_connection_too_many_is_closed_and_there_is_room_again_afterwards() -> None:
    async with listening(first_within=30) as port:  # nobody is cut off for keeping silent
        many = [await asyncio.open_connection("127.0.0.1", port) for _ in range(10)]
        assert await ended(await asyncio.open_connection("127.0.0.1", port))
        for reader, writer in many:
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(reader.read(1), 0.01)
            writer.close()
        async with asyncio.timeout(PATIENCE):
            while not (await asked(port)).endswith(b"done"):
                await asyncio.sleep(0.05)


async def asked(port: int, tls: ssl.SSLContext | None = None) -> bytes:
    """What is answered; nothing where the connection is closed at once."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=tls)
    writer.write(b"GET /slow HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    try:
        return await reader.read()
    except ConnectionError:
        return b""
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


async def asked_over_tls(port: int) -> bytes:
    trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
    return await asked(port, trusting)


async def test_who_never_begins_tls_counts_from_the_first_packet_on(tls_port: int) -> None:
    silent = [await asyncio.open_connection("127.0.0.1", tls_port) for _ in range(6)]
    assert await ended(await asyncio.open_connection("127.0.0.1", tls_port))  # the seventh of one address
    for each in silent:
        each[1].write_eof()
        assert await ended(each)
    assert (await asked_over_tls(tls_port)).endswith(b"done")


async def test_a_machine_of_ours_may_ask_for_many(tls_port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "is_here", lambda _: True)
    many = [await asyncio.open_connection("127.0.0.1", tls_port) for _ in range(9)]
    assert (await asked_over_tls(tls_port)).endswith(b"done")
    many.append(await asyncio.open_connection("127.0.0.1", tls_port))
    assert await ended(await asyncio.open_connection("127.0.0.1", tls_port))  # the eleventh of all
    for _, writer in many:
        writer.close()


@pytest.mark.parametrize(
    "sent",
    [
        b"\x16\x03\x01 hello\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 9000 + b"\r\n\r\n",
        b"POST /slow HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
    ],
)
async def test_what_is_no_http_is_refused_and_fills_no_log(
    port: int, sent: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(sent)
    assert b" 400 " in await reader.readline()
    writer.close()
    assert caplog.records == []
    strangers().error("an error of ours")
    assert [record.levelno for record in caplog.records] == [logging.ERROR]
