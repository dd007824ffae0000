from __future__ import annotations

import asyncio
import base64
import hashlib
import time
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from autocom.asterisk.ari.client import CLAIMS, AriClient, Backoff, Refused, events
from autocom.calls.ports import TelephoneDown
from tests.asterisk.ari_support import PASSWORD, Impostor, channel_json
from tests.support import PATIENCE
from tests.support.ports import free_port


@pytest.fixture
async def impostor() -> AsyncIterator[Impostor]:
    async with Impostor().serving() as server:
        yield server


def client(impostor: Impostor, seconds: float = 1.0) -> AriClient:
    return AriClient(impostor.url, "autocom", PASSWORD, timeout=seconds)


def always(status: int, text: str, content_type: str = "application/json"):
    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=status, text=text, content_type=content_type)

    return answer


async def hang(_: web.Request) -> web.Response:
    await asyncio.Event().wait()
    raise AssertionError


async def cut(request: web.Request) -> web.Response:
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


ANSWER = ("POST", "/channels/c1/answer")


@pytest.mark.parametrize("status", [400, 404, 409, 412, 422, 500])
async def test_an_answer_of_asterisks_own_is_a_refusal_with_its_words(impostor, status):
    impostor.answers[ANSWER] = always(status, '{"message": "Channel not found"}')
    async with client(impostor) as ari:
        with pytest.raises(Refused) as refused:
            await ari.ari.channels.answer("c1")
    assert (refused.value.status, refused.value.reason) == (status, "Channel not found")


async def test_the_other_spelling_of_an_error_is_read_too(impostor):
    impostor.answers["POST", "/channels/create"] = always(500, '{"error": "Allocation failed"}')
    async with client(impostor) as ari:
        with pytest.raises(Refused, match="Allocation failed"):
            await ari.ari.channels.create("PJSIP/lea", "autocom")


@pytest.mark.parametrize(
    "answer",
    [
        always(404, "<h1>Not Found</h1>", "text/html"),  # the HTTP server is up, ARI is not loaded yet
        always(503, '{"message": "Asterisk not booted"}'),
        always(502, "bad gateway", "text/plain"),
        always(401, '{"error": "Unauthorized"}'),
        always(404, "[1]"),
        always(404, "{broken"),
        always(200, "<html>", "text/html"),
        always(200, "{broken"),
        cut,
        hang,
    ],
    ids=[
        "html",
        "booting",
        "proxy",
        "password",
        "list",
        "broken",
        "page",
        "cut-json",
        "connection",
        "frozen",
    ],
)
async def test_what_says_nothing_about_a_channel_is_the_telephone_being_down(impostor, answer):
    impostor.answers[ANSWER] = answer
    async with client(impostor, 0.2) as ari:
        with pytest.raises(TelephoneDown):
            await ari.ari.channels.answer("c1")


async def test_nobody_listening_is_the_telephone_being_down():
    async with AriClient(f"http://127.0.0.1:{free_port()}", "autocom", PASSWORD) as ari:
        with pytest.raises(TelephoneDown):
            await ari.ari.channels.list()
        with pytest.raises(TelephoneDown):
            await ari.ari.events.event_websocket(["autocom"])


@pytest.mark.parametrize("fault", [cut, hang], ids=["cut", "frozen"])
async def test_a_command_whose_answer_is_lost_is_never_repeated(impostor, fault):
    impostor.answers[ANSWER] = fault
    async with client(impostor, 0.3) as ari:
        await ari.ari.channels.list()  # an open connection, which a library likes to blame
        with pytest.raises(TelephoneDown):
            await ari.ari.channels.answer("c1")
    assert impostor.requests.count(ANSWER) == 1


async def test_a_full_pool_is_no_silence(impostor):
    impostor.answers[ANSWER] = hang
    async with AriClient(impostor.url, "autocom", PASSWORD, timeout=0.3, pool=2) as ari:
        began = time.monotonic()
        results = await asyncio.gather(
            *(ari.ari.channels.answer("c1") for _ in range(6)), return_exceptions=True
        )
    assert [type(r) for r in results] == [TelephoneDown] * 6
    assert time.monotonic() - began < 3


async def test_a_caller_is_claimed_past_a_full_pool(impostor):
    async def claimed(_: web.Request) -> web.Response:
        return web.Response(status=204)

    impostor.answers[ANSWER] = hang
    impostor.answers["POST", "/events/claim"] = claimed
    async with AriClient(impostor.url, "autocom", PASSWORD, pool=2) as ari, asyncio.TaskGroup() as tasks:
        others = [tasks.create_task(ari.ari.channels.answer("c1")) for _ in range(9)]
        async with asyncio.timeout(PATIENCE):
            while impostor.requests.count(ANSWER) < 2:
                await asyncio.sleep(0.01)
        async with asyncio.timeout(1.0):  # what he is given before the dialplan serves him
            await ari.ari.events.claim_channel("c2", "autocom")
        assert impostor.requests.count(ANSWER) == 2
        for other in others:
            other.cancel()


async def test_as_many_claims_as_promised_pass_a_full_pool_and_the_event_socket(impostor):
    claim = ("POST", "/events/claim")
    impostor.answers[ANSWER] = impostor.answers[claim] = hang
    async with AriClient(impostor.url, "autocom", PASSWORD, pool=2) as ari, asyncio.TaskGroup() as tasks:
        events = await ari.ari.events.event_websocket(["autocom"])
        others = [tasks.create_task(ari.ari.channels.answer("c1")) for _ in range(9)]
        claims = ari.ari.events.claim_channel
        others += [tasks.create_task(claims(f"c{n}", "autocom")) for n in range(CLAIMS)]
        async with asyncio.timeout(1.0):
            while impostor.requests.count(ANSWER) < 2 or impostor.requests.count(claim) < CLAIMS:
                await asyncio.sleep(0.01)
        for other in others:
            other.cancel()
        await events.close()


async def test_a_slow_answer_holds_up_no_other_command(impostor):
    impostor.answers[ANSWER] = hang
    async with client(impostor) as ari, asyncio.TaskGroup() as tasks:
        slow = tasks.create_task(ari.ari.channels.answer("c1"))
        async with asyncio.timeout(0.8):
            assert await ari.ari.channels.list() == ()
        assert not slow.done()
        slow.cancel()


async def test_the_base_may_be_written_with_or_without_its_end(impostor):
    for url in (impostor.url, impostor.url + "/", impostor.url + "/ari", impostor.url + "/ari/"):
        async with AriClient(url, "autocom", PASSWORD) as ari:
            assert await ari.ari.channels.list() == ()


async def test_words_of_the_query_are_as_ari_spells_them(impostor):
    seen: list[str] = []

    async def add(request: web.Request) -> web.Response:
        seen.append(request.raw_path)
        seen.append(await request.text())
        return web.Response(status=204)

    impostor.answers["POST", "/bridges/talk-c1-1/addChannel"] = add
    async with client(impostor) as ari:
        await ari.ari.bridges.add_channel(
            "talk-c1-1", ["a,b", "é"], inhibit_connected_line_updates=True, mute=False
        )
    assert seen[0] == "/ari/bridges/talk-c1-1/addChannel?mute=false&inhibitConnectedLineUpdates=true"
    assert seen[1] == '{"channel": ["a,b", "\\u00e9"]}'


async def test_the_warm_pool_stays_open_so_that_a_burst_opens_nothing(impostor):
    peers: set[object] = set()

    async def listed(request: web.Request) -> web.Response:
        assert request.transport is not None
        peers.add(request.transport.get_extra_info("peername"))
        await asyncio.sleep(0.02)  # long enough for all of a burst to need a connection of their own
        return web.json_response(
            [] if request.path.endswith("channels") else {"asterisk_id": "", "ping": "", "timestamp": ""}
        )

    impostor.answers["GET", "/asterisk/ping"] = listed
    impostor.answers["GET", "/channels"] = listed
    async with AriClient(impostor.url, "autocom", PASSWORD, pool=8) as ari, asyncio.TaskGroup() as tasks:
        warm = tasks.create_task(ari.warm())
        async with asyncio.timeout(PATIENCE):
            while len(impostor.requests) < 8 or ari._session is None:
                await asyncio.sleep(0.01)
        warmed = set(peers)
        await asyncio.sleep(0.1)
        await asyncio.gather(*(ari.ari.channels.list() for _ in range(8)))
        assert len(warmed) == 8
        assert peers == warmed
        warm.cancel()


async def test_garbage_on_the_event_socket_costs_one_frame_and_not_the_connection(impostor):
    async with client(impostor) as ari, events(ari, "autocom") as stream, asyncio.TaskGroup() as tasks:
        tasks.create_task(stream.read())
        socket = impostor.sockets[-1]
        await socket.send_str("garbage {")
        await socket.send_bytes(b"\xff\xfe")
        await socket.send_str('{"type": "Dial"}')
        await impostor.say("SomethingNew", channel=channel_json("c1"))
        await impostor.say("StasisEnd", channel=channel_json("c1"))
        async for message in stream:
            assert message.type == "StasisEnd"
            break
        await socket.close()


async def test_the_end_of_the_socket_ends_the_stream(impostor):
    async with client(impostor) as ari, events(ari, "autocom") as stream, asyncio.TaskGroup() as tasks:
        tasks.create_task(stream.read())
        await impostor.say("StasisEnd", channel=channel_json("c1"))
        await impostor.sockets[-1].close(code=1001)
        assert [m.type async for m in stream] == ["StasisEnd"]
        assert "1001" in stream.why_closed


async def test_a_peer_that_says_nothing_more_is_noticed_within_its_heartbeats():
    """A half-open connection: the other side neither closes nor answers pings."""
    stalled = asyncio.Event()

    async def raw(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = (await reader.readuntil(b"\r\n\r\n")).decode()
        key = next(
            line.split(": ")[1]
            for line in request.split("\r\n")
            if line.lower().startswith("sec-websocket-key")
        )
        accept = base64.b64encode(
            hashlib.sha1(
                f"{key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11".encode(), usedforsecurity=False
            ).digest()
        )
        writer.write(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n"
        )
        await stalled.wait()
        writer.close()

    server = await asyncio.start_server(raw, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    began = time.monotonic()
    client = AriClient(f"http://127.0.0.1:{port}", "autocom", PASSWORD)
    async with client as ari, events(ari, "autocom") as stream, asyncio.TaskGroup() as tasks:
        tasks.create_task(stream.read())
        assert [m async for m in stream] == []
    took = time.monotonic() - began
    stalled.set()
    server.close()
    await server.wait_closed()
    assert 4 <= took < 9


def test_the_wait_between_attempts_grows_from_almost_nothing_and_begins_anew_after_success():
    backoff = Backoff()
    waits = [backoff.after_failure() for _ in range(12)]
    assert waits[0] <= 0.05
    assert all(0.5 * min(5.0, 0.05 * 2**i) <= wait <= min(5.0, 0.05 * 2**i) for i, wait in enumerate(waits))
    backoff.reset()
    assert backoff.after_failure() <= 0.05
