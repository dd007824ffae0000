"""Waiting on the real Asterisk: announcements between the music, a key that leads out, and a call back, told
by tones, by the wire and by the journal.
"""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any

import pytest

from tests.support.bureau import CALLER, CLOSED, MUSIC, VOICES, Bureau, client, play, queue
from tests.support.exchange import Exchange
from tests.support.phones import Phones, Softphone
from tests.support.ports import free_port

pytestmark = [pytest.mark.timeout(120)]
ANNOUNCED, KEYS, BACK = "0199001001", "0199001002", "0199001003"
OWN, POSITION, PROMISED, HOLD = 1160, 1270, 1390, 1520
HIM = "+33639980101"


@pytest.fixture
def operator() -> str:
    """Where the operator's side listens."""
    return f"127.0.0.1:{free_port()}"


@pytest.fixture
def bureau(bureau: Bureau, operator: str) -> Bureau:
    """A client with announcements, one with a key that leads out, one who calls back; sentences are tones."""
    bureau.bureau["trunks"][0]["host"] = operator
    for name, hertz, seconds in (
        ("own", OWN, 12.0),
        ("position-1", POSITION, 1.5),
        ("callback-promised", PROMISED, 1.5),
        ("callback-hold", HOLD, 1.0),
    ):
        bureau.sound(name, hertz, seconds)
    told = {"first_after": "3s", "every": "60s", "play": {"sound": "own"}}
    bureau.client("lilas")["rules"][0]["do"] = [queue(ring_for="20s", announce=told)]
    placed = {"position": True, "first_after": "2s", "every": "6s"}
    out = {"1": [play("closed-tone", mode="answered"), {"hangup": "normal"}]}
    bureau.add(
        client(
            "azur",
            f"+33{KEYS[1:]}",
            rules=[{"name": "open", "do": [queue(ring_for="20s", announce=placed, keys=out)]}],
        )
    )
    back = {"1": [{"callback": {"tries": 2, "retry_after": "10s"}}]}
    bureau.add(
        client(
            "vauban",
            f"+33{BACK[1:]}",
            outgoing={"number": "+33261912010", "verified": True},
            rules=[{"name": "open", "do": [queue(ring_for="20s", keys=back)]}],
        )
    )
    bureau.write()
    return bureau


async def secretary(phones: Phones, bureau: Bureau, **habits: Any) -> Softphone:
    """Léa, speaking her tone."""
    lea = bureau.secretaries[0]
    return await phones.secretary(lea.id, lea.password, bureau.sip, say=lea.voice, **habits)


async def test_an_announcement_in_early_media_is_cut_by_the_answer_without_a_gap(exchange: Exchange) -> None:
    async with Phones() as phones:
        await secretary(phones, exchange.bureau, answer_after=6.0)
        await exchange.free("lea")
        caller = await phones.dial(exchange.bureau.uri(ANNOUNCED), say=CALLER)
        await caller.hears(MUSIC)
        await caller.hears(OWN)
        assert caller.at("CALL_ESTABLISHED") is None, "nothing has answered yet"
        await caller.hears(VOICES[0], for_seconds=0.8)
        await caller.hangup()
        assert caller.heard()[:3] == [(MUSIC,), (OWN,), (VOICES[0],)]
        assert max(gap.seconds for gap in caller.gaps()) < 0.5
        call = await exchange.finished_call()
    events = (await exchange.call(call["id"]))["events"]
    answered = next(e["at"] for e in events if e["kind"] == "offer_ended" and e["result"] == "answered")
    bridged = next(e["at"] for e in events if e["kind"] == "bridged")
    assert _seconds(bridged) - _seconds(answered) < 0.3, "a sentence of 12 s held the two up"


@pytest.mark.fault("F37")
async def test_the_position_is_told_between_the_music_and_a_digit_leads_out_of_the_queue(
    exchange: Exchange,
) -> None:
    async with Phones() as phones:
        lea = await secretary(phones, exchange.bureau)
        await exchange.free("lea")
        caller = await phones.dial(exchange.bureau.uri(KEYS), say=CALLER)
        leg = await lea.rings()
        await caller.hears(MUSIC)
        assert caller.at("CALL_ESTABLISHED") is not None, "digits need an answered call"
        await caller.hears(POSITION, for_seconds=1.0)  # so long that no music before it is in what comes now
        await caller.hears(MUSIC, for_seconds=0.8)
        assert caller.heard()[:3] == [(MUSIC,), (POSITION,), (MUSIC,)], list(map(str, caller.timeline()))
        await caller.press("7")
        await caller.press("1")
        await caller.hears(CLOSED)
        await leg.closed()
        await caller.closed()
        assert max(gap.seconds for gap in caller.gaps()) < 0.5
        call = await exchange.finished_call()
    events = (await exchange.call(call["id"]))["events"]
    left = next(e for e in events if e["kind"] == "dequeued")
    assert (left["why"], left["digit"]) == ("key", "1")
    assert next(e["position"] for e in events if e["kind"] == "announced") == 1


async def test_a_caller_is_called_back_when_it_is_his_turn_and_both_hear_each_other(
    exchange: Exchange, operator: str
) -> None:
    bureau = exchange.bureau
    async with Phones(listen=operator) as phones:
        lea = await secretary(phones, bureau)
        him = await phones.outside(HIM, answer_after=2.0, say=CALLER)
        await exchange.free("lea")
        caller = await phones.dial(bureau.uri(BACK), say=CALLER)
        first = await lea.rings()
        await caller.hears(MUSIC)
        await caller.press("1")
        await caller.hears(PROMISED)
        await first.closed()  # he is off the floor while he is told
        await caller.closed()
        leg = await lea.rings(nth=2)
        assert "Rappel Cab. Vauban · 06 39 98 01 01" in leg.invite.header("From")
        assert leg.invite.header("X-Autocom-Callback") == "1"
        waiting = (await exchange.status())["waiting"]
        assert [(w["client"], w["callback"]) for w in waiting] == [("vauban", True)]
        await lea.answer()
        await leg.hears(HOLD)
        called = await him.rings()
        assert "sip:+33261912010@" in called.invite.header("From")
        await called.hears(VOICES[0])
        await leg.hears(CALLER)
        await asyncio.sleep(1)
        await leg.hangup()
        await called.closed()
        call = await exchange.finished_call()
    assert (call["outcome"], call["secretary"], call["offers"]) == ("served", "lea", 2)
    kinds = [event["kind"] for event in (await exchange.call(call["id"]))["events"]]
    for kind in ("callback_promised", "callback_started", "callback_ended", "bridged"):
        assert kinds.count(kind) == 1, kinds


async def test_a_call_back_that_a_crash_cut_off_is_made_once_and_ends_in_conversation(
    exchange: Exchange, operator: str
) -> None:
    bureau = exchange.bureau
    async with Phones(listen=operator) as phones:
        lea = await secretary(phones, bureau)
        him = await phones.outside(HIM, answer_after=7.0, say=CALLER)
        await exchange.free("lea")
        caller = await phones.dial(bureau.uri(BACK), say=CALLER)
        await lea.rings()
        await caller.hears(MUSIC)
        await caller.press("1")
        await caller.closed()
        leg = await lea.rings(nth=2)
        await lea.answer()
        called = await him.rings()
        await exchange.kill9()
        await exchange.start()
        await called.hears(VOICES[0])
        await leg.hears(CALLER)
        assert len(him.calls) == 1, "rung once"
        await leg.hangup()
        await called.closed()
        call = await exchange.finished_call()
    assert (call["outcome"], call["secretary"]) == ("served", "lea")


def _seconds(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()
