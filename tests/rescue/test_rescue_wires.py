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


def channels(request: bytes, *rows: dict[str, str]) -> bytes:
    """The answer to CoreShowChannels."""
    mine = number(request) + b"\r\n"
    listed = [
        b"Event: CoreShowChannel\r\n"
        + mine
        + "".join(f"{name}: {value}\r\n" for name, value in row.items()).encode()
        for row in rows
    ]
    first = b"Response: Success\r\n" + mine + b"EventList: start\r\n"
    last = b"Event: End\r\n" + mine + b"EventList: Complete\r\n"
    return b"".join(block + b"\r\n" for block in (first, *listed, last))


def caller(which: int) -> dict[str, str]:
    """One who waits."""
    return {
        "Channel": f"PJSIP/trunk-{which}",
        "Uniqueid": f"1795374403.{which}",
        "Context": "autocom-inbound",
        "Application": "Stasis",
    }


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
        (b"x" * 200_000, canary.ABSENT),
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
            bridge = {"BridgeId": "talk"} if back.is_set() else {}  # he was joined to somebody meanwhile
            partner = {"Channel": "PJSIP/lea-2", "Uniqueid": "ring-c1-1-lea", "Context": "autocom-phone"}
            return channels(request, caller(12) | bridge, *([partner | bridge] if bridge else []))
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


async def test_that_new_callers_are_the_exchanges_again_is_told_also_where_asterisk_forgot_the_gate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(judge, "GATE_AFTER", 0.3)
    monkeypatch.setattr(rescuer, "GATE_EVERY", 0.2)
    gate, died, file, diary = b"", False, beat.BeatFile(tmp_path), Diary(tmp_path)

    def answer(request: bytes) -> bytes | None:
        nonlocal gate, died
        if b"Action: Setvar" in request:
            gate = request.partition(b"Value: ")[2].split(b"\r\n")[0]
        elif gate == b"closed" and not died:
            gate, died = b"", True  # it is killed, and the next one knows no gate
            file.say(beat.SERVING)
            return None
        if b"Action: CoreShowChannels" in request:
            return channels(request)
        about = b"Value: " + gate if b"Action: Getvar" in request else b"Message: ok"
        return b"Response: Success\r\n" + number(request) + b"\r\n" + about + b"\r\n\r\n"

    file.say(beat.SERVING)
    async with at_work(tmp_path, answer):
        deeds: list[str] = []
        async with asyncio.timeout(20):
            while "gate_opened" not in deeds:
                if died:
                    file.say(beat.SERVING)
                deeds += [deed.what for deed in diary.read()]
                diary.forget()
                await asyncio.sleep(0.05)
    file.close()
    assert deeds == ["gate_closed", "gate_opened"]


async def test_who_was_taken_out_before_the_connection_broke_is_told_and_its_end_as_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(judge, "AWAY_FOR", 0.6)
    monkeypatch.setattr(rescuer, "APART", 0.01)
    file, diary = beat.BeatFile(tmp_path), Diary(tmp_path)
    moved: list[bytes] = []

    def answer(request: bytes) -> bytes | None:
        if b"Action: Redirect" in request:
            moved.append(request)
            if len(moved) == 3:
                return None
        if b"Action: CoreShowChannels" in request:
            return channels(request, *([] if moved else map(caller, range(1, 6))))
        return b"Response: Success\r\n" + number(request) + b"\r\nMessage: ok\r\n\r\n"

    file.say(beat.DRAINING)  # its gate is closed without a word
    async with at_work(tmp_path, answer):
        deeds: list[tuple[str, int]] = []
        async with asyncio.timeout(20):
            while ("gate_opened", 1) not in deeds:
                if len(moved) == 3:
                    file.say(beat.SERVING)
                deeds += [(deed.what, deed.count) for deed in diary.read()]
                diary.forget()
                await asyncio.sleep(0.05)
    file.close()
    assert deeds == [("handed_over", 2), ("gate_opened", 1)]


async def test_a_card_that_cannot_be_read_any_more_holds_the_rescuer_up_by_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rescuer, "CANARY_EVERY", 0.05)
    cards = iter([Card("http://127.0.0.1:1", "a", "b", "127.0.0.1", 1, "rescue", "x")])
    asked = 0

    def read(_: Path) -> Card | None:
        nonlocal asked
        asked += 1
        assert asked < 1000, "an endless loop"
        return next(cards, None)

    async def hung(*_: str) -> str:
        return canary.HUNG

    monkeypatch.setattr(card, "read", read)
    monkeypatch.setattr(canary, "look", hung)
    work = asyncio.create_task(rescuer.Rescuer(tmp_path, beside=False)._ask_ari())
    await asyncio.sleep(0.3)
    assert not work.done()
    work.cancel()


@asynccontextmanager
async def at_work(state: Path, answer: Callable[[bytes], bytes | None]) -> AsyncIterator[None]:
    """A rescuer beside an Asterisk that answers so."""
    async with serving(answer, GREETING) as port, asyncio.TaskGroup() as tasks:
        card.write(state, Card("http://127.0.0.1:1", "a", "b", "127.0.0.1", port, "rescue", "x"))
        work = tasks.create_task(rescuer.Rescuer(state, beside=False).run())
        yield
        work.cancel()
