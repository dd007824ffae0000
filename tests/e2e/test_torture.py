"""The torture messages of RFC 4475 and floods from a stranger, at the real Asterisk of a running exchange.

`tests/corpus/rfc4475` holds all 49 messages under the names of the RFC. They come once from an address that nobody
knows, where Asterisk refuses most of them, and once from the operator's, where they are read as calls and go through
dialplan and stories. Whatever they are: OPTIONS and a canary call are answered within a second, and nothing is left.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.support import asked, oracle
from tests.support.bureau import Bureau
from tests.support.exchange import Exchange
from tests.support.fault_matrix import Measured
from tests.support.sip_phone import SipLine

pytestmark = [pytest.mark.timeout(180)]

CORPUS = Path(__file__).resolve().parents[1] / "corpus" / "rfc4475"
MESSAGES = sorted(CORPUS.glob("*.sip"))
OPERATOR, STRANGER, PROBE = "127.0.0.1", "127.0.0.2", "127.0.0.3"
DID = "0199001001"
SLOWEST = 1.0
"""Seconds in which the canary must be answered."""
FLOOD = 5000


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def exchange(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Exchange]:
    """One exchange for all strangers: what one of them breaks, the next one notices."""
    bureau = Bureau.at(tmp_path_factory.mktemp("torture"), secretaries=1)
    # whatever dials a number that is nobody's is told so at once
    bureau.client("accueil")["rules"] = [{"name": "nobody", "do": [{"hangup": "busy"}]}]
    bureau.write()
    async with Exchange(bureau) as running:
        yield running


async def answered(line: SipLine) -> float:
    """Seconds until an OPTIONS has its final answer."""
    call_id = f"{secrets.token_hex(8)}@{line.address}"
    uri = f"sip:canary@{line.server}"
    began = time.monotonic()
    line.send(line.request("OPTIONS", uri, frm="<sip:canary@bureau.example>", call_id=call_id))
    final = await line.wait_for(lambda m: m.call_id == call_id and (m.status or 0) >= 200)
    return final.at - began


async def canary_call(exchange: Exchange) -> float:
    """Seconds until a caller of the operator's hears something."""
    async with SipLine(exchange.bureau.sip, OPERATOR) as line:
        began = time.monotonic()
        early = await line.invite(DID, frm="<sip:0639980101@operator.example>")
        assert (early.status or 0) < 300, early.text
        line.end(early)
        await line.wait_for(lambda m: m.status == 487)
        return early.at - began


async def nothing_is_left(exchange: Exchange) -> None:
    """No call, no channel, no bridge; the same Asterisk; no story crashed."""
    await asked.until(exchange.bureau, lambda s: s["calls"] == 0 and not s["waiting"], 20)
    await oracle.nothing_is_left(exchange)
    for bad in ("asterisk died", '"event": "story crashed', "Traceback"):
        assert bad not in exchange.output, bad


def test_the_corpus_is_whole() -> None:
    names = {path.stem for path in MESSAGES}
    assert len(names) == 49
    assert {"wsinv", "intmeth", "longreq", "mpart01", "scalar02", "badbranch", "multi01", "inv2543"} <= names
    assert all(b"\r\n\r\n" in path.read_bytes() for path in MESSAGES)


@pytest.mark.parametrize("address", [STRANGER, OPERATOR], ids=["from a stranger", "from the operator"])
async def test_no_torture_message_costs_a_call(exchange: Exchange, measured: Measured, address: str) -> None:
    slowest = 0.0
    async with SipLine(exchange.bureau.sip, PROBE) as probe:
        for path in MESSAGES:
            async with SipLine(exchange.bureau.sip, address) as line:
                line.send(path.read_bytes())
                try:
                    slowest = max(slowest, await answered(probe))
                except AssertionError as error:
                    raise AssertionError(f"after {path.stem} nobody is answered") from error
    call = await canary_call(exchange)
    await nothing_is_left(exchange)
    measured("the slowest OPTIONS", slowest, at_most=SLOWEST)
    measured("the canary's call", call, at_most=SLOWEST)


@pytest.mark.parametrize("cut", [1, 60, 200, 350])
async def test_torture_messages_that_are_cut_cost_no_call(
    exchange: Exchange, measured: Measured, cut: int
) -> None:
    async with SipLine(exchange.bureau.sip, PROBE) as probe:
        for path in MESSAGES:
            async with SipLine(exchange.bureau.sip, OPERATOR) as line:
                line.send(path.read_bytes()[:cut])
        options = await answered(probe)
    call = await canary_call(exchange)
    await nothing_is_left(exchange)
    measured("the OPTIONS afterwards", options, at_most=SLOWEST)
    measured("the canary's call", call, at_most=SLOWEST)


@pytest.mark.parametrize("method", ["OPTIONS", "REGISTER", "INVITE"])
async def test_a_flood_from_a_stranger_holds_nobody_up(
    exchange: Exchange, measured: Measured, method: str
) -> None:
    """Five thousand, a thousand a second, each a transaction of its own."""
    options: list[float] = []
    calls: list[float] = []

    async def flood(line: SipLine) -> None:
        began = time.monotonic()
        uri = f"sip:{DID}@{line.server}"
        for sent in range(FLOOD):
            if sent % 10 == 0:
                await asyncio.sleep(max(0.0, began + sent / 1000 - time.monotonic()))
            body = line.silent_sdp() if method == "INVITE" else ""
            text = line.request(method, uri, frm=f"<sip:{sent}@nowhere.example>", body=body)
            line._transport.sendto(text.encode(), asked_at)  # not kept: there are thousands

    async with SipLine(exchange.bureau.sip, STRANGER) as line, SipLine(exchange.bureau.sip, PROBE) as probe:
        host, _, port = exchange.bureau.sip.rpartition(":")
        asked_at = (host, int(port))
        line._on_datagram = lambda _data, _source: None  # type: ignore[method-assign]
        async with asyncio.TaskGroup() as tasks:
            flooding = tasks.create_task(flood(line))
            while not flooding.done():
                options.append(await answered(probe))
                calls.append(await canary_call(exchange))
                await asyncio.sleep(0.2)
    await nothing_is_left(exchange)
    measured("the slowest OPTIONS meanwhile", max(options), at_most=SLOWEST)
    measured("the slowest of the canary's calls", max(calls), at_most=SLOWEST)
