"""A start after kill -9, with callers waiting: how soon a phone rings, and what a start that fails costs them."""

from __future__ import annotations

import asyncio
import socket
import time

import pytest

from tests.support import oracle
from tests.support.bureau import Bureau
from tests.support.exchange import Exchange
from tests.support.fault_matrix import Measured
from tests.support.sip_phone import SipLine, SipPhone, address_of

pytestmark = [pytest.mark.timeout(90)]
DID = "0199001001"


@pytest.fixture
def bureau(bureau: Bureau) -> Bureau:
    """Whose phones ring for as long as the test takes, however busy the machine is."""
    bureau.client("lilas")["rules"][0]["do"][1]["queue"]["ring_for"] = "60s"
    bureau.write()
    return bureau


async def test_a_phone_rings_within_a_second_of_the_start(exchange: Exchange, measured: Measured) -> None:
    bureau = exchange.bureau
    accounts = bureau.secretaries
    async with (
        SipPhone(bureau.sip, accounts[0].id, accounts[0].password) as lea,
        SipPhone(bureau.sip, accounts[1].id, accounts[1].password) as ines,
        SipLine(bureau.sip) as caller,
    ):
        await exchange.free()
        early = await caller.invite(DID, frm="<sip:0639980101@operator.example>")
        first = asyncio.create_task(lea.invited())
        second = asyncio.create_task(ines.invited())
        await asyncio.wait((first, second), return_when=asyncio.FIRST_COMPLETED)
        rung, other = (lea, ines) if first.done() else (ines, lea)
        for task in (first, second):
            task.cancel()
        await exchange.kill9()
        # nobody hears it: the new process must find out that he rings nobody any more
        rung.finish(486)

        began = time.monotonic()
        starting = asyncio.create_task(exchange.start())
        await other.invited(within=30)
        measured("first ring after a restart", time.monotonic() - began, at_most=1.0)
        await starting
        assert not rung.invites[1:], "the phone that had declined rang first"

        await exchange.kill9()
        await a_start_that_fails_costs_nobody_his_call(exchange)
        await exchange.start()
        assert len(other.invites) == 1, "it was to ring on"
        caller.end(early)
        await other.cancelled()
        await exchange.finished_call()
    await oracle.nothing_is_left(exchange)


async def a_start_that_fails_costs_nobody_his_call(exchange: Exchange) -> None:
    """Another program has our port: the start is refused in one line, and Asterisk, with his call in it, stays."""
    bureau: Bureau = exchange.bureau
    before = await oracle.ari(bureau, "channels")
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(address_of(bureau.agi))
        taken.listen()
        done = await exchange.run("up")
    assert done.returncode == 1
    assert "AUTOCOM_AGI_BIND" in done.stderr
    after = await oracle.ari(bureau, "channels")
    assert {row["id"] for row in before} <= {row["id"] for row in after}
