"""Operators that refuse, are silent, or have a name that nobody knows (F36): the next way, then the message.

One exchange, whose first trunk leads to each of these in turn; what the caller hears and how often we tried decides.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

import pytest
import pytest_asyncio

from tests.support import asked, oracle
from tests.support.bureau import CALLER, CLOSED, Bureau, client, play
from tests.support.exchange import Exchange
from tests.support.phones import Phones
from tests.support.ports import free_port

pytestmark = [pytest.mark.timeout(180), pytest.mark.fault("F36")]
FORWARDED, CELL, VOICE = "0199001001", "+33639981021", 1060


class Operator(asyncio.DatagramProtocol):
    """A SIP server that answers every INVITE with 503, or nothing at all."""

    def __init__(self, *, answers: bool) -> None:
        self.answers, self.asked = answers, set[bytes]()
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        if not data.startswith(b"INVITE "):
            return
        kept = [
            line
            for line in data.split(b"\r\n")
            if line.split(b":")[0].lower() in (b"via", b"from", b"to", b"call-id", b"cseq")
        ]
        self.asked.add(next(line for line in kept if line.lower().startswith(b"call-id")))
        kept = [line + b";tag=503" if line.lower().startswith(b"to:") else line for line in kept]
        if self.answers:
            assert self._transport is not None
            lines = [b"SIP/2.0 503 Service Unavailable", *kept, b"Content-Length: 0", b"", b""]
            self._transport.sendto(b"\r\n".join(lines), addr)


@asynccontextmanager
async def operator(*, answers: bool) -> AsyncIterator[tuple[Operator, str]]:
    loop = asyncio.get_running_loop()
    transport, found = await loop.create_datagram_endpoint(
        lambda: Operator(answers=answers), ("127.0.0.1", 0)
    )
    try:
        yield found, "127.0.0.1:{}".format(transport.get_extra_info("sockname")[1])
    finally:
        transport.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def exchange(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Exchange]:
    bureau = Bureau.at(tmp_path_factory.mktemp("operators"), secretaries=0)
    steps = [
        {"forward": {"to": CELL, "ring_for": "4s"}},
        play("closed-tone", mode="answered"),
        {"hangup": "normal"},
    ]
    bureau.add(client("lilas", f"+33{FORWARDED[1:]}", rules=[{"name": "open", "do": steps}]))
    bureau.write()
    async with Exchange(bureau) as running:
        yield running


async def leads_to(exchange: Exchange, first: str, second: str | None) -> None:
    """The trunks from now on."""
    bureau = exchange.bureau
    before = (await asked.status(bureau))["config_version"]
    trunks = [bureau.bureau["trunks"][0] | {"host": first}]
    if second is not None:
        trunks.append({"id": "other", "match": ["127.0.0.9"], "host": second})
    bureau.bureau["trunks"] = trunks
    bureau.write()
    await asked.until(bureau, lambda s: s["config_version"] != before, 20)


async def ends(exchange: Exchange) -> list[str]:
    call = (await exchange.calls())[0]
    events = (await exchange.call(call["id"]))["events"]
    return [event["result"] for event in events if event["kind"] == "forward_ended"]


async def goes_by_the_other(exchange: Exchange, first: str) -> list[str]:
    """The first way leads nowhere, the second to somebody who answers; how the tries ended."""
    bureau, second = exchange.bureau, f"127.0.0.1:{free_port()}"
    await leads_to(exchange, first, second)
    before = len(await exchange.calls())
    async with Phones(listen=second) as phones:
        await phones.outside(CELL, answer_after=0.2, say=VOICE)
        caller = await phones.dial(bureau.uri(FORWARDED), say=CALLER)
        await caller.hears(VOICE)
        await caller.hangup()
        assert (await exchange.finished_call(before + 1))["outcome"] == "forwarded"
    return await ends(exchange)


async def hears_the_message(exchange: Exchange, first: str, second: str | None) -> tuple[list[str], float]:
    """No way leads anywhere; how the tries ended, and after how many seconds he heard the message."""
    bureau = exchange.bureau
    await leads_to(exchange, first, second)
    before = len(await exchange.calls())
    async with Phones() as phones:
        caller = await phones.dial(bureau.uri(FORWARDED))
        heard = await caller.hears(CLOSED, within=30)
        await caller.closed()
        await exchange.finished_call(before + 1)
    return await ends(exchange), heard - 0.3


async def test_an_operator_that_refuses_gives_way_to_the_other_and_both_to_the_message(
    exchange: Exchange, measured: Any
) -> None:
    async with operator(answers=True) as (full, where):
        assert await goes_by_the_other(exchange, where) == ["unreachable"]
        assert len(full.asked) == 1
        async with operator(answers=True) as (other, elsewhere):
            tries, heard = await hears_the_message(exchange, where, elsewhere)
        assert tries == ["unreachable", "unreachable"]
        assert (len(full.asked), len(other.asked)) == (2, 1)
    measured("message, both operators refuse", heard, "s", at_most=3)
    await oracle.nothing_is_left(exchange)


async def test_an_operator_that_is_silent_costs_one_turn(exchange: Exchange, measured: Any) -> None:
    async with operator(answers=False) as (silent, where):
        tries, heard = await hears_the_message(exchange, where, None)
        assert (tries, len(silent.asked)) == (["no_answer"], 1)
    measured("message, the operator is silent", heard, "s", at_most=20)
    await oracle.nothing_is_left(exchange)


async def test_an_operator_whose_name_nobody_knows_gives_way_to_the_other(
    exchange: Exchange, measured: Any
) -> None:
    assert await goes_by_the_other(exchange, "nowhere.invalid") == ["unreachable"]
    tries, heard = await hears_the_message(exchange, "nowhere.invalid", None)
    assert tries == ["unreachable"]
    measured("message, the operator's name is unknown", heard, "s", at_most=20)
    await oracle.nothing_is_left(exchange)
