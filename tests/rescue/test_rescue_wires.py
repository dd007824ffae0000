"""The rescuer's small AMI client and its canary, against servers that behave, dawdle and lie."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from autocom.rescue import ami, beat, canary, card, judge, rescuer
from autocom.rescue.ami import AmiAway, AmiRefused
from autocom.rescue.card import Card
from autocom.rescue.diary import Diary

GREETING = b"Asterisk Call Manager/11.0.0\r\n"


@asynccontextmanager
async def serving(answer: Callable[[bytes], bytes | None], greeting: bytes = b"") -> AsyncIterator[int]:
    """A server that answers each block of a request by the function; None: it closes."""

    talks: set[asyncio.Task[None] | None] = set()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talks.add(asyncio.current_task())
        writer.write(greeting)
        try:
            while True:
                said = answer(await reader.readuntil(b"\r\n\r\n"))
                if said is None:
                    break
                writer.write(said)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        writer.transport.abort()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]
    for task in talks:
        if task is not None:
            await task
    await asyncio.sleep(0)  # an aborted transport closes in the loop's next turn


def number(request: bytes) -> bytes:
    return next(line for line in request.split(b"\r\n") if line.startswith(b"ActionID: "))


def asterisk(request: bytes) -> bytes:
    """Answers a login, a list with an event in its middle, and refuses what else is asked."""
    mine = number(request)
    if b"Action: Login" in request:
        return b"Response: Success\r\n" + mine + b"\r\nMessage: Authentication accepted\r\n\r\n"
    if b"Action: CoreShowChannels" in request:
        return (
            b"Response: Success\r\n" + mine + b"\r\nEventList: start\r\n\r\n"
            b"Event: CoreShowChannel\r\n"
            + mine
            + b"\r\nChannel: PJSIP/a-1\r\nCallerIDName: a: \xff b\r\n\r\n"
            b"Event: Newchannel\r\nChannel: PJSIP/other-1\r\n\r\n"
            b"Event: CoreShowChannel\r\n" + mine + b"\r\nChannel: PJSIP/b-2\r\n\r\n"
            b"Event: CoreShowChannelsComplete\r\n" + mine + b"\r\nEventList: Complete\r\n\r\n"
        )
    return b"Response: Error\r\n" + mine + b"\r\nMessage: No such channel\r\n\r\n"


async def test_it_logs_in_lists_channels_and_hears_a_no() -> None:
    async with serving(asterisk, GREETING) as port, ami.connected("127.0.0.1", port, "rescue", "x") as wire:
        rows = await wire.rows("CoreShowChannels", "CoreShowChannel")
        assert [row["Channel"] for row in rows] == ["PJSIP/a-1", "PJSIP/b-2"]
        with pytest.raises(AmiRefused, match="No such channel"):
            await wire.do("Redirect", Channel="PJSIP/a-1")


async def test_no_value_ends_a_line() -> None:
    async with serving(asterisk, GREETING) as port, ami.connected("127.0.0.1", port, "rescue", "x") as wire:
        with pytest.raises(AmiAway, match="more than one line"):
            await wire.do("Redirect", Channel="PJSIP/a-1\r\nAction: Originate")


async def test_an_asterisk_that_says_nothing_closes_or_is_not_there_is_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ami, "ANSWER_WITHIN", 0.2)
    for answer in (lambda _: b"", lambda _: None, lambda _: b"Response: Success\r\nActionID: 77\r\n\r\n"):
        async with serving(answer, GREETING) as port:
            with pytest.raises(AmiAway):
                async with ami.connected("127.0.0.1", port, "rescue", "x"):
                    pass
    with pytest.raises(AmiAway):  # the server of a moment ago
        async with ami.connected("127.0.0.1", port, "rescue", "x"):
            pass


@pytest.mark.parametrize(
    ("said", "found"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\n{}", canary.ALIVE),
        (b"HTTP/1.1 404 Not Found\r\n\r\n", canary.ALIVE),
        (None, canary.ABSENT),
        (b"", canary.HUNG),
        (b"HTTP/1.", canary.HUNG),
    ],
)
async def test_the_canary_tells_life_from_silence(
    said: bytes | None, found: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(canary, "WITHIN", 0.3)
    asked: list[bytes] = []

    def answer(request: bytes) -> bytes | None:
        asked.append(request)
        return said

    async with serving(answer) as port:
        for url in (f"http://127.0.0.1:{port}", f"http://127.0.0.1:{port}/ari/"):
            assert await canary.look(url, "rescue", "secret", "autocom") == found
    assert all(request.startswith(b"GET /ari/applications/autocom HTTP/1.1\r\n") for request in asked)
    assert all(b"Authorization: Basic cmVzY3VlOnNlY3JldA==\r\n" in request for request in asked)


async def test_where_nobody_listens_there_is_nothing_to_rescue() -> None:
    async with serving(lambda _: b"") as port:
        pass
    assert await canary.look(f"http://127.0.0.1:{port}", "a", "b", "autocom") == canary.ABSENT


async def test_a_gate_that_was_opened_behind_its_back_is_closed_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(judge, "GATE_AFTER", 0.3)
    monkeypatch.setattr(rescuer, "GATE_EVERY", 0.2)
    gate, closed = b"open", asyncio.Semaphore(0)

    def answer(request: bytes) -> bytes:
        nonlocal gate
        if b"Action: Setvar" in request:
            gate = request.partition(b"Value: ")[2].split(b"\r\n")[0]
            closed.release()
        about = b"Value: " + gate if b"Action: Getvar" in request else b"Message: ok"
        return b"Response: Success\r\n" + number(request) + b"\r\n" + about + b"\r\n\r\n"

    file = beat.BeatFile(tmp_path)
    file.say(beat.SERVING)
    async with serving(answer, GREETING) as port:
        card.write(tmp_path, Card("http://127.0.0.1:1", "a", "b", "127.0.0.1", port, "rescue", "x"))
        async with asyncio.TaskGroup() as tasks:
            work = tasks.create_task(rescuer.Rescuer(tmp_path, beside=False).run())
            async with asyncio.timeout(20):
                await closed.acquire()
                assert gate == b"closed", "nobody serves"
                gate = b"open"  # an exchange was back for a moment
                await closed.acquire()
            work.cancel()
    file.close()
    assert gate == b"closed"


async def test_who_was_marked_but_never_taken_out_is_no_rescued_caller(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(judge, "AWAY_FOR", 0.3)
    asked: list[bytes] = []
    file, diary = beat.BeatFile(tmp_path), Diary(tmp_path)
    back = asyncio.Event()

    def answer(request: bytes) -> bytes | None:
        asked.append(request.partition(b"\r\n")[0])
        mine = b"Response: Success\r\n" + number(request) + b"\r\n"
        if b"Action: Redirect" in request:
            assert diary.is_marked("1795374403.12")
            file.say(beat.SERVING)
            back.set()
            return None  # the connection breaks, and nobody knows what became of him
        if b"Action: CoreShowChannels" in request:
            row = b"Channel: PJSIP/trunk-1\r\nUniqueid: 1795374403.12\r\nContext: autocom-inbound\r\n"
            listed = b"Event: CoreShowChannel\r\n" + number(request) + b"\r\nApplication: Stasis\r\n" + row
            end = b"Event: End\r\n" + number(request) + b"\r\nEventList: Complete\r\n\r\n"
            return mine + b"EventList: start\r\n\r\n" + listed + b"\r\n" + end
        return mine + b"Message: ok\r\n\r\n"

    file.say(beat.SERVING)
    async with serving(answer, GREETING) as port:
        card.write(tmp_path, Card("http://127.0.0.1:1", "a", "b", "127.0.0.1", port, "rescue", "x"))
        async with asyncio.TaskGroup() as tasks:
            work = tasks.create_task(rescuer.Rescuer(tmp_path, beside=False).run())
            async with asyncio.timeout(20):
                await back.wait()
                while diary.is_marked("1795374403.12"):
                    file.say(beat.SERVING)
                    await asyncio.sleep(0.05)
            work.cancel()
    file.close()
    assert asked.count(b"Action: Redirect") == 1
