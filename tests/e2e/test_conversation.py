"""A conversation on the real Asterisk: hold by the softphone's own button, by a code, somebody consulted, all three.

What each of them hears is told by tones; the codes are real RFC 4733 events through Asterisk's bridge.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from tests.support import tones
from tests.support.bureau import CALLER, VOICES, Bureau, client, queue
from tests.support.exchange import Exchange
from tests.support.leg import Leg
from tests.support.phones import Phones, Softphone
from tests.support.ports import free_port

pytestmark = [pytest.mark.timeout(120)]
DID = "0199001001"
DOCTOR = "+33639981021"
HER, HIM, DOCTORS = VOICES[0], CALLER, 1270
HOLD = 380
"""What the client's callers hear on hold: not the music of its queue."""


@pytest.fixture
def operator() -> str:
    """Where the operator's side listens."""
    return f"127.0.0.1:{free_port()}"


@pytest.fixture
def bureau(bureau: Bureau, operator: str) -> Bureau:
    bureau.bureau["trunks"][0]["host"] = operator
    bureau.sound("hold", HOLD, 4)
    bureau.add(
        client(
            "lilas",
            "+33199001001",
            hold_music="hold",
            contacts=[{"name": "Dr Roux", "number": DOCTOR}],
            rules=[{"name": "open", "do": [queue()]}],
        )
    )
    bureau.write()
    return bureau


class Talk:
    """A caller and lea, who hear each other."""

    def __init__(self, exchange: Exchange, phones: Phones, lea: Softphone, caller: Leg) -> None:
        self.exchange, self.phones, self.lea, self.caller = exchange, phones, lea, caller
        self.hers = lea.call

    async def says(self, verb: str, *arguments: str) -> str:
        return await self.exchange.cli("secretary", "lea", verb, *arguments)

    async def ended(self) -> dict[str, Any]:
        call = await self.exchange.finished_call()
        return await self.exchange.call(call["id"])


@asynccontextmanager
async def talking(exchange: Exchange, operator: str) -> AsyncIterator[Talk]:
    account = exchange.bureau.secretaries[0]
    async with Phones(listen=operator) as phones:
        lea = await phones.secretary(
            account.id, account.password, exchange.bureau.sip, say=HER, answer_after=0.3
        )
        await exchange.free("lea")
        caller = await phones.dial(exchange.bureau.uri(DID), say=HIM)
        await caller.hears(HER)
        await lea.call.hears(HIM)
        yield Talk(exchange, phones, lea, caller)


def parts(story: dict[str, Any]) -> list[str]:
    return [s["kind"] for s in story["segments"] if s["kind"] in {"talk", "hold", "conference", "patch"}]


def in_one_piece(story: dict[str, Any]) -> None:
    """Every millisecond from the join to the end is in one part, and in one only."""
    cut = [s for s in story["segments"] if s["kind"] in {"talk", "hold", "conference", "patch"}]
    for one, other in itertools.pairwise(cut):
        assert one["end"] == other["start"], (one, other)


async def test_hold_by_the_softphones_button_and_by_code_with_the_clients_hold_music(
    exchange: Exchange, operator: str
) -> None:
    async with talking(exchange, operator) as talk:
        await talk.hers.hold()
        await talk.caller.hears(HOLD, for_seconds=1.0)
        state = await exchange.until_status(lambda s: s["secretaries"][0]["held_since"] is not None)
        assert state["secretaries"][0]["held_by"] == "phone"
        await talk.hers.resume()
        await talk.caller.hears(HER, for_seconds=0.5)
        await talk.hers.hears(HIM)
        await talk.hers.press("*5")
        await talk.caller.hears(HOLD, for_seconds=1.0)
        await asyncio.sleep(0.5)
        newest = talk.hers.newest(2000, time.monotonic())
        assert HIM not in {f for chord in tones.heard(newest, at_least=0.1) for f in chord}, "he is on hold"
        await talk.hers.press("*5")
        await talk.caller.hears(HER, for_seconds=0.5)
        await talk.hers.hears(HIM)
        await talk.caller.hangup()
        await talk.hers.closed()
        story = await talk.ended()
    assert [e["by"] for e in story["events"] if e["kind"] == "held"] == ["phone", "order"]
    assert parts(story) == ["talk", "hold", "talk", "hold", "talk"]
    in_one_piece(story)


async def test_three_of_them_and_then_two_without_her(exchange: Exchange, operator: str) -> None:
    async with talking(exchange, operator) as talk:
        doctor = await talk.phones.outside(DOCTOR, say=DOCTORS)
        await talk.hers.press("*11#")
        leg = await doctor.rings()
        assert "Cab. Lilas" in leg.invite.header("From")
        await talk.caller.hears(HOLD, for_seconds=0.8)
        row = (await exchange.status())["secretaries"][0]
        assert (row["third"]["name"], row["third"]["state"]) == ("Dr Roux", "ringing")
        await doctor.answer()
        await leg.hears(HER)
        await talk.hers.hears(DOCTORS, for_seconds=0.5)
        assert talk.caller.heard()[-1] == (HOLD,), "he hears nothing of what they say"
        await talk.hers.press("*3")
        await talk.caller.hears(HER, DOCTORS, for_seconds=0.6)
        await talk.hers.hears(HIM, DOCTORS, for_seconds=0.6)
        await leg.hears(HER, HIM, for_seconds=0.6)
        await talk.hers.hold()  # her phone's own hold: the two others go on
        await talk.caller.hears(DOCTORS, for_seconds=0.6)
        await leg.hears(HIM, for_seconds=0.6)
        await talk.hers.resume()
        await talk.caller.hears(HER, DOCTORS, for_seconds=0.6)
        await talk.hers.press("*4")
        await talk.caller.hears(DOCTORS, for_seconds=0.6)
        await leg.hears(HIM, for_seconds=0.6)
        await talk.hers.closed()
        await exchange.free("lea")
        await leg.hangup()
        await talk.caller.closed()
        story = await talk.ended()
    assert parts(story) == ["talk", "hold", "conference", "patch"]
    in_one_piece(story)
    assert story["outcome"] == "served"


async def test_back_and_forth_by_command_and_the_two_together_when_she_hangs_up(
    exchange: Exchange, operator: str
) -> None:
    async with talking(exchange, operator) as talk:
        doctor = await talk.phones.outside(DOCTOR, answer_after=0.5, say=DOCTORS)
        refused = await exchange.run("secretary", "lea", "join")
        assert refused.returncode == 1
        assert "nobody" in refused.stderr
        await talk.says("consult", "0639981021")
        leg = await doctor.rings()
        await leg.hears(HER)
        await talk.says("resume")
        await talk.caller.hears(HER, for_seconds=0.5)
        await leg.hears(HOLD, for_seconds=0.5)
        await talk.says("hold")
        await leg.hears(HER, for_seconds=0.5)
        await talk.caller.hears(HOLD, for_seconds=0.5)
        await talk.hers.hangup()
        await talk.caller.hears(DOCTORS, for_seconds=0.5)
        await leg.hears(HIM, for_seconds=0.5)
        await talk.caller.hangup()
        await leg.closed()
        story = await talk.ended()
    assert parts(story) == ["talk", "hold", "talk", "hold", "patch"]
    in_one_piece(story)


async def test_who_cannot_be_consulted_costs_two_seconds_and_a_caller_who_hangs_up_leaves_two(
    exchange: Exchange, operator: str
) -> None:
    async with talking(exchange, operator) as talk:
        doctor = await talk.phones.outside(DOCTOR, busy=True, say=DOCTORS)
        await talk.says("consult", "1")
        await doctor.rings()
        await talk.caller.hears(HOLD, for_seconds=0.8)
        await talk.caller.hears(HER, for_seconds=0.5)
        assert (440,) in talk.hers.heard(), "the busy tone of indications.conf"
        await talk.hers.hears(HIM, for_seconds=0.5)
        doctor.busy, doctor.answer_after = False, 0.3
        await talk.says("consult", "1")
        leg = await doctor.rings(nth=2)
        await leg.hears(HER)
        await talk.caller.hangup()
        await asyncio.sleep(1.0)
        await leg.hears(HER, for_seconds=0.5)
        await talk.hers.hears(DOCTORS, for_seconds=0.5)
        await leg.hangup()
        await talk.hers.closed()
        story = await talk.ended()
    assert "caller_left" in [e["kind"] for e in story["events"]]
    in_one_piece(story)


async def test_killed_with_a_caller_on_hold_and_a_third_there_all_are_where_they_were(
    exchange: Exchange, operator: str
) -> None:
    async with talking(exchange, operator) as talk:
        doctor = await talk.phones.outside(DOCTOR, answer_after=0.3, say=DOCTORS)
        await talk.hers.press("*11#")
        leg = await doctor.rings()
        await leg.hears(HER)
        await exchange.kill9()
        await asyncio.sleep(1.0)
        assert talk.caller.heard()[-1] == (HOLD,)
        await exchange.start()
        await talk.says("join")
        await talk.caller.hears(HER, DOCTORS, for_seconds=0.6)
        await leg.hears(HER, HIM, for_seconds=0.6)
        await talk.says("drop")
        await talk.caller.hears(HER, for_seconds=0.5)
        await leg.closed()
        await talk.hers.hangup()
        await talk.caller.closed()
        story = await talk.ended()
    assert parts(story) == ["talk", "hold", "conference", "talk"]
    in_one_piece(story)
