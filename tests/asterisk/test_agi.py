from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest
from structlog.testing import capture_logs

from autocom.asterisk.agi import AgiFailed, AgiRequest, AgiServer, Route, feature_route

QUESTION = (
    "agi_network: yes\nagi_network_script: feature\nagi_request: agi://127.0.0.1:4573/{path}\nagi_channel: PJSIP/lea-1\n"
    "agi_uniqueid: 1795336054.0\nagi_callerid: 201\nagi_arg_1: lea\nagi_arg_2: *45\n\n"
)


@asynccontextmanager
async def serving(routes: dict[str, Route], **limits: float) -> AsyncIterator[AgiServer]:
    server = AgiServer("127.0.0.1", 0, routes, **limits)  # type: ignore[arg-type]
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(server.run())
        await server.listening.wait()
        yield server
        running.cancel()
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection(*server.address)


@asynccontextmanager
async def asking(
    server: AgiServer, path: str = "feature"
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection(*server.address)
    writer.write(QUESTION.format(path=path).encode())
    try:
        yield reader, writer
    finally:
        writer.close()


async def play_confirmation(secretary: str, code: str) -> str:
    return f"/sounds/{secretary} {code}"


async def test_a_feature_is_answered_with_the_sound_to_play():
    async with (
        serving({"feature": feature_route(play_confirmation)}) as server,
        asking(server) as (reader, writer),
    ):
        assert await reader.readline() == b'SET VARIABLE "AUTOCOM_SOUND" "/sounds/lea *45"\n'
        writer.write(b"200 result=1\n")
        assert await reader.read() == b""


async def test_verbs_read_results_variables_and_survive_a_hang_up_notice():
    seen: list[object] = []

    async def route(request: AgiRequest) -> None:
        seen.extend((request.path, request.args, request.channel))
        seen.append(await request.variable("A"))
        seen.append(await request.variable("B"))
        await request.verb("EXEC", "NoOp", 'a "quoted" \\ b\nHANGUP')

    async with serving({"feature": route}) as server, asking(server) as (reader, writer):
        assert await reader.readline() == b'GET VARIABLE "A"\n'
        writer.write(b"HANGUP\n200 result=1 (x) y (z)\n")
        assert await reader.readline() == b'GET VARIABLE "B"\n'
        writer.write(b"200 result=0\n")
        assert await reader.readline() == b'EXEC "NoOp" "a \\"quoted\\" \\\\ b HANGUP"\n'
        writer.write(b"200 result=0\n")
        assert await reader.read() == b""
    assert seen == ["feature", ("lea", "*45"), "1795336054.0", "x) y (z", None]


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"agi_request: agi://x/feature\n",
        b"x" * 20000,
        b"agi_x: y\n" * 5000,
        b"\xff\xfe\n\n",
        b"agi_request: agi://x/nothing\n\n",
        b"agi_request: agi://x/feature\n\n",
        b"agi_request: agi://x/feature\nagi_arg_1: lea\nagi_arg_2: \n\n",
        QUESTION.format(path="feature").encode() + b"510 Invalid or unknown command\n",
        QUESTION.format(path="feature").encode() + b"garbage\n",
    ],
)
async def test_whatever_a_peer_sends_the_next_question_is_answered(sent: bytes):
    async with serving({"feature": feature_route(play_confirmation)}) as server:
        reader, writer = await asyncio.open_connection(*server.address)
        writer.write(sent)
        writer.write_eof()
        async with asyncio.timeout(3):
            with suppress(ConnectionResetError):
                await reader.read()
        writer.close()
        async with asking(server) as (reader, writer):
            assert b"AUTOCOM_SOUND" in await reader.readline()
            writer.write(b"200 result=1\n")
            assert await reader.read() == b""


async def test_a_peer_that_says_nothing_is_let_go_after_the_limit():
    async with serving({}, limit=0.1) as server:
        reader, writer = await asyncio.open_connection(*server.address)
        async with asyncio.timeout(3):
            assert await reader.read() == b""
        writer.close()


async def test_a_route_that_does_not_end_is_ended():
    gone = asyncio.Event()

    async def route(_: AgiRequest) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            gone.set()

    async with serving({"feature": route}, limit=0.1) as server, asking(server) as (reader, _):
        async with asyncio.timeout(3):
            assert await reader.read() == b""
        assert gone.is_set()


async def test_a_route_that_crashes_ends_its_own_question_only():
    async def broken(secretary: str, code: str) -> str:
        raise KeyError(secretary)

    with capture_logs() as logs:
        async with serving(
            {"feature": feature_route(broken), "good": feature_route(play_confirmation)}
        ) as server:
            async with asking(server) as (reader, _):
                assert await reader.read() == b""
            async with asking(server, "good") as (reader, writer):
                assert b"AUTOCOM_SOUND" in await reader.readline()
                writer.write(b"200 result=1\n")
                assert await reader.read() == b""
    assert [each["event"] for each in logs if each["log_level"] == "error"] == ["agi.crashed"]


async def test_more_questions_than_allowed_are_turned_away_and_room_is_made_again():
    async with serving({"feature": feature_route(play_confirmation)}, most=2) as server:
        held = [await asyncio.open_connection(*server.address) for _ in range(2)]
        async with asking(server) as (reader, _):
            with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
                await reader.readexactly(1)
        for reader, writer in held:
            writer.write_eof()
            assert await reader.read() == b""
            writer.close()
        async with asking(server) as (reader, writer):
            assert b"AUTOCOM_SOUND" in await reader.readline()
            writer.write(b"200 result=1\n")
            assert await reader.read() == b""


async def test_a_hundred_connect_and_close_cost_nothing():
    async with serving({"feature": feature_route(play_confirmation)}) as server:
        for _ in range(100):
            with socket.create_connection(server.address):
                pass
        async with asking(server) as (reader, writer):
            assert b"AUTOCOM_SOUND" in await reader.readline()
            writer.write(b"200 result=1\n")
            assert await reader.read() == b""


async def test_stopping_ends_the_questions_under_way():
    started, ended = asyncio.Event(), asyncio.Event()

    async def route(_: AgiRequest) -> None:
        started.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    async with serving({"feature": route}) as server, asking(server):
        await started.wait()
        async with asyncio.TaskGroup():
            pass
    assert ended.is_set()


async def test_a_verb_without_an_answer_fails_in_time():
    failures: list[str] = []

    async def route(request: AgiRequest) -> None:
        quick = AgiRequest(request.env, request._reader, request._writer, verb_timeout=0.05)
        with pytest.raises(AgiFailed) as failed:
            await quick.verb("ANSWER")
        failures.append(str(failed.value))

    async with serving({"feature": route}) as server, asking(server) as (reader, _):
        assert await reader.read() == b"ANSWER\n"
    assert failures == ["ANSWER: no answer"]
