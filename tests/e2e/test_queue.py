"""The queue's corners that only a real Asterisk and real phones can show: a phone that vanishes in the
conversation, what a secretary is told on her phone, a name whispered to her before she is joined.
"""

from __future__ import annotations

import asyncio
import json
from datetime import datetime
from typing import Any

import pytest

from tests.support import PATIENCE, asked, oracle
from tests.support.bureau import CALLER, MUSIC, VOICES, Bureau, queue
from tests.support.exchange import Exchange
from tests.support.phones import Phones
from tests.support.sip_phone import SipLine, SipPhone
from tests.support.sip_text import SipMessage

pytestmark = [pytest.mark.timeout(120)]
DID = "0199001001"


@pytest.mark.fault("F24")
async def test_s15_a_phone_that_vanishes_in_the_conversation_puts_its_caller_back_to_the_head(
    bureau: Bureau, start_exchange: Any
) -> None:
    bureau.bureau["secretaries"][1]["teams"] = {"general": 2}
    bureau.client("lilas")["rules"][0]["do"] = [queue()]
    bureau.write()
    exchange = await start_exchange(bureau)
    await oracle.set_rtp_timeout(bureau, 3)
    lea, ines = bureau.secretaries
    async with Phones() as phones:
        gone = SipPhone(bureau.sip, lea.id, lea.password)
        async with gone:
            gone.answer = 200  # … and then not a packet of sound, and no BYE
            hers = await phones.secretary(
                ines.id, ines.password, bureau.sip, say=ines.voice, answer_after=1.0
            )
            await exchange.free()
            caller = await phones.dial(bureau.uri(DID), say=CALLER)
            await asked.are(bureau, lea="talking")
            await caller.hears(VOICES[1], within=15)
            await (await hers.rings()).hears(CALLER)
            await asked.are(bureau, lea="paused", ines="talking")
            await caller.hangup()
            call = await exchange.finished_call()
    assert (call["outcome"], call["secretary"]) == ("served", "ines")
    story = await exchange.call(call["id"])
    kinds = [event["kind"] for event in story["events"]]
    vanished = next(event for event in story["events"] if event["kind"] == "vanished")
    assert (vanished["secretary"], vanished["cause"]) == ("lea", 44)
    assert kinds.count("bridged") == 2
    assert kinds.index("vanished") < len(kinds) - 1 - kinds[::-1].index("offered")
    again = [event for event in story["events"] if event["kind"] == "offered"][-1]
    assert again["why"]["head"] is True


async def test_after_her_misses_she_is_paused_and_her_phone_says_why(
    bureau: Bureau, start_exchange: Any
) -> None:
    bureau.bureau["bureau"]["no_answer"] = {"pause_after": 1}
    bureau.client("lilas")["rules"][0]["do"] = [queue(ring_for="1s")]
    bureau.write()
    exchange = await start_exchange(bureau)
    lea = bureau.secretaries[0]
    async with Phones() as phones, SipPhone(bureau.sip, lea.id, lea.password) as hers:
        await exchange.free("lea")
        caller = await phones.dial(bureau.uri(DID), say=CALLER)
        await caller.hears(MUSIC)

        def is_text(message: SipMessage) -> bool:
            return message.method == "MESSAGE"

        told = await hers.wait_for(is_text)
        assert "autocom : pause, 1 appel sans réponse. *48 pour reprendre." in told.text
        await asked.are(bureau, lea="paused")
        await caller.hangup()
        await exchange.finished_call()


async def test_a_message_from_outside_is_a_text_of_its_client_and_never_runs_through_the_dialplan(
    exchange: Exchange,
) -> None:
    bureau = exchange.bureau
    async with SipLine(bureau.sip) as line:
        line.send(
            line.request(
                "MESSAGE",
                bureau.uri(DID),
                frm="<sip:0639980101@operator.example>",
                headers=("Content-Type: text/plain",),
            )
        )
        answer = await line.wait_for(lambda message: (message.status or 0) >= 200)
    assert answer.status == 202
    async with asyncio.timeout(PATIENCE):
        while not (lines := (await exchange.cli("texts", "--json")).splitlines()):
            await asyncio.sleep(0.1)
    assert [json.loads(line)["client"] for line in lines] == ["lilas"]
    assert await exchange.calls() == []


async def test_her_clients_name_is_whispered_while_he_still_hears_music_and_others_are_joined_at_once(
    bureau: Bureau, start_exchange: Any
) -> None:
    bureau.bureau["secretaries"][0]["whisper"] = True
    bureau.bureau["secretaries"][1]["teams"] = {"general": 2}
    bureau.client("lilas")["rules"][0]["do"] = [queue()]
    bureau.write()
    exchange = await start_exchange(bureau)
    async with Phones() as phones:
        lea, _ = [
            await phones.secretary(one.id, one.password, bureau.sip, say=one.voice, answer_after=1.5)
            for one in bureau.secretaries
        ]
        await exchange.free()
        first = await phones.dial(bureau.uri(DID), say=CALLER)
        await lea.rings()
        second = await phones.dial(bureau.uri(DID), number="0639980102", say=CALLER)
        await first.hears(VOICES[0])
        await second.hears(VOICES[1])
        assert all(gap.seconds < 0.6 for gap in first.gaps()), "music until the two are joined"
        await first.hangup()
        await second.hangup()
        await exchange.finished_call(2)
    joined: dict[str, float] = {}
    for call in await exchange.calls():
        events = (await exchange.call(call["id"]))["events"]
        at = {event["kind"]: datetime.fromisoformat(event["at"]) for event in events}
        joined[call["secretary"]] = (at["bridged"] - at["offer_ended"]).total_seconds()
        assert ("whispered" in at) == (call["secretary"] == "lea")
    assert 0.3 < joined["lea"] < 3.0
    assert joined["ines"] < 0.3
