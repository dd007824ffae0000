"""What the network does to a secretary's phone: it loses her sound, cuts her off for seconds or for good, moves her.

Her phone reaches the exchange by a relay (`tests/support/relay.py`); her colleague of the second level does not. One
story of one evening on one exchange, since each step begins where the last one left the two.
"""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.support import asked, oracle
from tests.support.bureau import CALLER, VOICES, Bureau, queue
from tests.support.exchange import Exchange
from tests.support.leg import Leg
from tests.support.phones import Phones, Softphone
from tests.support.relay import Relay
from tests.support.tones import SILENCE

pytestmark = [pytest.mark.timeout(240)]

DID = "0199001001"
HERS, COLLEAGUES = VOICES[:2]
REAL_RTP_TIMEOUT, SHORT_RTP_TIMEOUT = 18, 10
FOUND_AGAIN = 45.0
"""Seconds to wait for a phone at its old address: Asterisk asks for it every 20 s, and a registration is no answer."""


def silence_after(leg: Leg, voice: int) -> float:
    """Seconds of silence from the last word of this voice until anything else was heard."""
    runs = leg.timeline()
    last = max(n for n, run in enumerate(runs) if run.chord == (voice,))
    following = next(run for run in runs[last + 1 :] if run.chord != SILENCE)
    return following.start - runs[last].end


def share_of(leg: Leg, voice: int, seconds: float) -> float:
    """How much of the newest seconds is this voice."""
    runs = leg.timeline()
    since = runs[-1].end - seconds
    return (
        sum(run.end - max(run.start, since) for run in runs if run.chord == (voice,) and run.end > since)
        / seconds
    )


async def offered(exchange: Exchange, call: str) -> list[str]:
    """To whom this call was offered, in order."""
    return [e["secretary"] for e in (await exchange.call(call))["events"] if e["kind"] == "offered"]


@pytest.mark.fault("F21", "F24", "F25", "F46", "F47")
async def test_her_network_loses_packets_goes_for_seconds_goes_for_good_and_moves(
    bureau: Bureau, start_exchange: Any, measured: Any, rounds: Any
) -> None:
    bureau.bureau["secretaries"][1]["teams"] = {"general": 2}
    bureau.client("lilas")["rules"][0]["do"] = [queue(ring_for="4s")]
    bureau.write()
    exchange: Exchange = await start_exchange(bureau)
    patience = rounds(SHORT_RTP_TIMEOUT, REAL_RTP_TIMEOUT)
    if patience != REAL_RTP_TIMEOUT:
        await oracle.set_rtp_timeout(bureau, patience)
    lea, ines = bureau.secretaries
    async with Phones() as phones, Relay(bureau.sip) as net:
        hers = await phones.secretary(lea.id, lea.password, net.address, say=HERS, answer_after=0.2)
        other = await phones.secretary(ines.id, ines.password, bureau.sip, say=COLLEAGUES, answer_after=0.2)
        await exchange.free()
        caller = await phones.dial(bureau.uri(DID), say=CALLER)
        await lossy(exchange, caller, hers, net, measured, rounds)
        await away_for_five_seconds(exchange, caller, hers, net)
        await gone_for_good(exchange, caller, other, net, measured, patience)
        await caller.hangup()
        await unplugged(exchange, phones, hers, other, net, measured)
        await moved(exchange, phones, hers, net, measured)
        await oracle.nothing_is_left(exchange)
    await oracle.each_call_ended_once(exchange)


async def lossy(
    exchange: Exchange, caller: Leg, hers: Softphone, net: Relay, measured: Any, rounds: Any
) -> None:
    await caller.hears(HERS)
    await hers.call.hears(CALLER)
    for loss in (0.02, 0.05, 0.3):
        net.lose = loss
        for _ in range(rounds(1, 10)):
            await asyncio.sleep(1.0)  # a second of this network, so often
            assert caller.close_reason is None
        heard = min(share_of(caller, HERS, 1.0), share_of(hers.call, CALLER, 1.0))
        await asked.are(exchange.bureau, lea="talking")
        if loss < 0.1:
            assert heard > 0.5, f"at {loss:.0%} loss they do not understand each other any more"
        measured(f"of a second silent at {loss:.0%} loss", 1 - heard, "s", at_most=0.2 + 2 * loss)
    assert net.lost > 0
    net.lose = 0.0
    await caller.hears(HERS)


async def away_for_five_seconds(exchange: Exchange, caller: Leg, hers: Softphone, net: Relay) -> None:
    net.cut = True
    await asyncio.sleep(5.0)  # the network is away so long
    net.cut = False
    await caller.hears(HERS)
    await hers.call.hears(CALLER)
    await asked.are(exchange.bureau, lea="talking", ines="free")
    longest = max(run.seconds for run in caller.timeline() if run.chord == SILENCE)
    assert longest > 4, "it was away"


async def gone_for_good(
    exchange: Exchange, caller: Leg, other: Softphone, net: Relay, measured: Any, patience: int
) -> None:
    """Her phone dies in the conversation: no BYE, no sound."""
    net.cut = True
    await caller.hears(COLLEAGUES, within=3 * patience + 20)
    await (await other.rings()).hears(CALLER)
    measured("he hears nothing before he is told", silence_after(caller, HERS), "s", at_most=patience + 2)
    state = (await exchange.status())["secretaries"]
    assert {row["id"]: row["state"] for row in state} in (
        {"lea": "paused", "ines": "talking"},
        {"lea": "offline", "ines": "talking"},  # Asterisk has found out meanwhile that it does not answer
    )
    await caller.hangup()
    call = await exchange.finished_call()
    assert (call["outcome"], call["secretary"]) == ("served", "ines")
    story = await exchange.call(call["id"])
    (vanished,) = [e for e in story["events"] if e["kind"] == "vanished"]
    assert (vanished["secretary"], vanished["cause"]) == ("lea", 44)
    again = [e for e in story["events"] if e["kind"] == "offered"][-1]
    assert (again["secretary"], again["why"]["head"]) == ("ines", True)


async def unplugged(
    exchange: Exchange, phones: Phones, hers: Softphone, other: Softphone, net: Relay, measured: Any
) -> None:
    """Her phone is back, free, and its cable is pulled: one useless ring, then hers is left out."""
    net.cut = False
    await hers.online()
    await exchange.cli("secretary", "lea", "resume")
    await exchange.free(within=FOUND_AGAIN)
    net.cut = True
    first = await phones.dial(bureau_uri(exchange), "0639980102", say=CALLER)
    await first.hears(COLLEAGUES)
    await first.hangup()
    one = await exchange.finished_call(2)
    await asked.are(exchange.bureau, ines="free")
    second = await phones.dial(bureau_uri(exchange), "0639980103", say=CALLER)
    measured("the next caller is answered", await second.hears(COLLEAGUES), "s", at_most=2.5)
    await second.hangup()
    two = await exchange.finished_call(3)
    assert await offered(exchange, one["id"]) == ["lea", "ines"]
    assert await offered(exchange, two["id"]) == ["ines"]
    (end,) = [
        e
        for e in (await exchange.call(one["id"]))["events"]
        if e["kind"] == "offer_ended" and e["secretary"] == "lea"
    ]
    assert end["result"] in {"no_answer", "unreachable"}


async def moved(exchange: Exchange, phones: Phones, hers: Softphone, net: Relay, measured: Any) -> None:
    """Another address, without a word, and the registration after it."""
    net.cut = False
    await hers.online()
    await exchange.free("lea", within=FOUND_AGAIN)
    await net.move()
    began = asyncio.get_running_loop().time()
    rung = len(hers.calls)
    await hers.online()
    caller: Leg | None = None
    while len(hers.calls) == rung:
        assert asyncio.get_running_loop().time() - began < 90, "nobody finds her"
        caller = await phones.dial(bureau_uri(exchange), "0639980104", say=CALLER)
        await asyncio.wait(
            {
                asyncio.ensure_future(caller.hears(HERS)),
                asyncio.ensure_future(caller.hears(COLLEAGUES)),
            },
            return_when=asyncio.FIRST_COMPLETED,
        )
        if len(hers.calls) == rung:
            await caller.hangup()
            await caller.closed()
            await asyncio.sleep(2.0)
    assert caller is not None
    await caller.hears(HERS)
    measured("she is found after her move", asyncio.get_running_loop().time() - began, "s", at_most=60.0)
    await caller.hangup()
    await asked.are(exchange.bureau, lea="free", ines="free")


def bureau_uri(exchange: Exchange) -> str:
    return exchange.bureau.uri(DID)
