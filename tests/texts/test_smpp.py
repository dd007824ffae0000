"""The SMPP session against a real SMSC (the server of `smpp34`): texts, parts, receipts, refusals, outages."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from autocom.core.texts import Arrival, Outgoing, TextProvider
from autocom.lane import Later, Refused, Unreachable
from autocom.texts import smpp as module
from autocom.texts.parts import joined
from autocom.texts.provider import Receipt
from autocom.texts.segments import Part
from autocom.texts.smpp import Inbox, Smpp
from tests.support.text_providers import Smsc

PATIENT, DID = "+33639980101", "+33199001001"


class RealClock:
    def now(self) -> float:
        return time.time()

    async def until(self, instant: float) -> None:
        await asyncio.sleep(max(0.0, instant - time.time()))


class Box:
    """What was saved. `crash`: the next thing is not."""

    def __init__(self) -> None:
        self.texts: list[Arrival] = []
        self.parts: list[Part] = []
        self.receipts: list[Receipt] = []
        self.known: set[str] = set()
        self.crash = False

    def text(self, arrival: Arrival) -> None:
        if self.crash:
            self.crash = False
            raise ZeroDivisionError("a bug")
        self.texts.append(arrival)

    def receipt(self, receipt: Receipt) -> bool:
        self.receipts.append(receipt)
        return receipt.part in self.known

    def inbox(self) -> Inbox:
        return Inbox(self.text, self.parts.append, self.receipt)


def text(body: str = "Bonjour", name: str = "to1") -> Outgoing:
    return Outgoing(name, "ABCDEF", "smsc", "lilas", "+33261912010", PATIENT, body, 0.0, 0.0)


@asynccontextmanager
async def session(
    smsc: Smsc, box: Box, *, password: str = "smpp-pw", patience: float = 2.0
) -> AsyncIterator[Smpp]:
    provider = TextProvider(
        "smsc", "smpp", host="127.0.0.1", port=smsc.port, user="autocom", password=password
    )
    made = Smpp(provider, box.inbox(), RealClock(), patience)
    task = asyncio.ensure_future(made.run())
    try:
        yield made
    finally:
        assert not task.done(), task
        task.cancel()
        await asyncio.wait([task])


async def test_each_part_goes_by_itself_and_has_a_name() -> None:
    body = "Le cabinet vous attend à 8 h 30, au 12 rue des Tilleuls. [€] " * 5
    async with Smsc() as smsc, session(smsc, Box()) as ours:
        names = [await ours.send(text(body), part) for part in range(3)]
        assert names == ["smsc-1", "smsc-2", "smsc-3"]
        parts = [bytes(each.short_message) for each in await smsc.texts(3)]
    assert {part[:5] for part in parts} == {parts[0][:5]}
    assert [part[5] for part in parts] == [1, 2, 3]
    assert joined([part[6:] for part in parts], gsm=True) == body


async def test_what_is_delivered_is_acknowledged_once_it_is_saved_and_refused_where_it_was_not() -> None:
    box = Box()
    async with Smsc() as smsc, session(smsc, box):
        box.crash = True
        assert not (await smsc.deliver(PATIENT, DID, b"Bonjour")).is_success
        assert (await smsc.deliver(PATIENT, DID, b"Bonjour")).is_success
        assert (await smsc.deliver(PATIENT, DID, "é🙂".encode("utf-16-be"), data_coding=8)).is_success
    assert [(each.sender_text, each.did_text, each.body) for each in box.texts] == [
        (PATIENT, DID, "Bonjour"),
        (PATIENT, DID, "é🙂"),
    ]
    assert box.texts[0].session == box.texts[1].session != ""


async def test_a_part_of_a_text_is_given_to_those_who_put_it_together() -> None:
    box = Box()
    async with Smsc() as smsc, session(smsc, box):
        assert (await smsc.deliver(PATIENT, DID, b"\x05\x00\x03\x07\x02\x01abc", esm_class=0x40)).is_success
    (part,) = box.parts
    assert (part.group, part.number, part.total, part.body) == (7, 1, 2, "abc")
    assert box.texts == []


@pytest.mark.parametrize(
    ("said", "known"), [("abc1", "abc1"), ("ABC1", "abc1"), ("43969", "abc1"), ("007", "7")]
)
async def test_a_receipt_is_understood_however_the_smsc_spells_the_name(said: str, known: str) -> None:
    box = Box()
    box.known = {known}
    async with Smsc() as smsc, session(smsc, box):
        assert (await smsc.receipt(said)).is_success
    assert box.receipts[-1].part == known
    assert box.receipts[-1].delivered is True


@pytest.mark.parametrize(("status", "error"), [(0x0B, Refused), (0x58, Unreachable), (0x45, Later)])
async def test_what_a_refusal_means(status: int, error: type[Exception]) -> None:
    async with Smsc() as smsc, session(smsc, Box()) as ours:
        await ours.bound.wait()
        smsc.refuse = status
        with pytest.raises(error):
            await ours.send(text(), 0)


async def test_without_a_session_nothing_is_taken_and_with_one_it_goes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "FIRST", 0.1)
    smsc = Smsc()
    async with session(smsc, Box(), patience=0.3) as ours:
        with pytest.raises(Unreachable):
            await ours.send(text(), 0)
        await smsc.start()
        async with asyncio.timeout(5):
            await ours.bound.wait()
        assert await ours.send(text(), 0) == "smsc-1"
        await smsc.stop()
        with pytest.raises(Unreachable):
            await ours.send(text(), 0)
        await smsc.start()
        async with asyncio.timeout(5):
            await ours.bound.wait()
        assert await ours.send(text(), 0) == "smsc-2"
        await smsc.stop()


async def test_a_peer_that_speaks_nonsense_or_nothing_ends_the_session_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "FIRST", 0.05)
    said = itertools.cycle(
        [b"GET / HTTP/1.1\r\n\r\n", b"\xff" * 64, b"", b"\0\0\0\x10\x80\0\0\x09\0\0\0\x0e\0\0\0\x01"]
    )
    connections = 0

    async def nonsense(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        writer.write(next(said))
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(nonsense, "127.0.0.1", 0)
    smsc = Smsc(port=server.sockets[0].getsockname()[1])
    async with session(smsc, Box(), patience=0.2) as ours:
        async with asyncio.timeout(10):
            while connections < 5:
                await asyncio.sleep(0.05)
        with pytest.raises(Unreachable):
            await ours.send(text(), 0)
    server.close()
    await server.wait_closed()
