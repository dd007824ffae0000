"""What nobody tells, found by asking the real Asterisk: a conversation with one silent side, and what differs from
what we know: a stray bridge, somebody who fell out of the conversation, music that died.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

import pytest

from autocom.calls.quality import CALLER, SECRETARY, TEXTS
from tests.support.bureau import CALLER as HIM
from tests.support.bureau import MUSIC, VOICES, Bureau, queue
from tests.support.callers import Callers
from tests.support.eventually import eventually
from tests.support.exchange import Exchange
from tests.support.oracle import ari, command_ari, nothing_is_left
from tests.support.phones import Phones
from tests.support.sip_phone import SipPhone

pytestmark = [pytest.mark.timeout(120)]
DID = "0199001001"
HER = VOICES[0]
WITHIN = 25.0
"""Seconds until what nobody told must be found and mended."""


def repaired(exchange: Exchange) -> list[str]:
    return [
        line.split('"where":')[1].split('"')[1]
        for line in exchange.output.splitlines()
        if "difference_repaired" in line and '"where"' in line
    ]


def prepare(bureau: Bureau) -> None:
    bureau.client("lilas")["rules"][0]["do"] = [queue(ring_for="30s")]
    bureau.write()


async def side(exchange: Exchange) -> str | None:
    """What the status says of lea's conversation."""
    rows: list[dict[str, Any]] = (await exchange.status())["secretaries"]
    return next(row["no_sound_from"] for row in rows if row["id"] == "lea")


async def until_side(exchange: Exchange, wanted: str) -> None:
    async with asyncio.timeout(15):
        while await side(exchange) != wanted:
            await asyncio.sleep(0.2)


async def test_a_secretary_whose_phone_sends_nothing_reads_that_she_is_not_heard(
    bureau: Bureau, start_exchange: Any
) -> None:
    prepare(bureau)
    exchange: Exchange = await start_exchange(bureau)
    lea = bureau.secretaries[0]
    async with Phones() as phones, SipPhone(bureau.sip, lea.id, lea.password) as hers:
        await exchange.free("lea")
        caller = await phones.dial(bureau.uri(DID), say=HIM)
        await hers.invited()
        hers.answer = 200
        hers.pick_up()  # her SDP names a port at which nobody listens, and from which nothing comes
        message = await hers.wait_for(lambda m: m.method == "MESSAGE" and TEXTS[SECRETARY][0] in m.text, 15)
        assert message.text.count("correspondant") == 1
        await until_side(exchange, SECRETARY)
        assert "NO SOUND FROM HER PHONE" in await exchange.cli("status")
        await caller.hangup()
        call = (await exchange.finished_call())["id"]
        told = [e for e in (await exchange.call(call))["events"] if e["kind"] == "fault"]
        assert [(e["fault"], e["detail"]) for e in told] == [
            ("one_way_audio", f"no sound from the {SECRETARY}")
        ]
        assert "no sound comes from the phone of lea" in await exchange.cli("call", call)


async def test_a_caller_from_whom_nothing_comes_is_told_to_the_secretary(
    bureau: Bureau, start_exchange: Any
) -> None:
    prepare(bureau)
    exchange: Exchange = await start_exchange(bureau)
    lea = bureau.secretaries[0]
    async with Phones() as phones, Callers(bureau.sip) as callers:
        hers = await phones.secretary(lea.id, lea.password, bureau.sip, say=HER, answer_after=0.3)
        await exchange.free("lea")
        answer = await callers.invite(DID, frm="<sip:0639980101@operator.example>")
        await callers.answered(answer)
        await until_side(exchange, CALLER)
        await eventually(
            lambda: any(TEXTS[CALLER][0] in m.text for m in phones.wire if m.method == "MESSAGE"),
            "she is told",
        )
        await hers.call.hangup()
        await callers.dismissed(answer)
        await exchange.finished_call()


async def test_what_differs_from_what_we_know_is_mended_on_the_real_asterisk(
    bureau: Bureau, start_exchange: Any
) -> None:
    prepare(bureau)
    exchange: Exchange = await start_exchange(bureau)
    lea = bureau.secretaries[0]
    async with Phones() as phones:
        hers = await phones.secretary(lea.id, lea.password, bureau.sip, say=HER, answer_after=0.3)
        await exchange.free("lea")
        talking = await phones.dial(bureau.uri(DID), say=HIM)
        await talking.hears(HER)
        waiting = await phones.dial(bureau.uri(DID), "0639980102")
        await waiting.hears(
            MUSIC, for_seconds=1.5
        )  # one that ended sooner would be taken for silent, and replaced
        bridge = next(b for b in await ari(bureau, "bridges") if b["id"].startswith("talk-"))
        caller, waits = [c["id"] for c in await ari(bureau, "channels") if not c["id"].startswith("ring-")]
        if waits in bridge["channels"]:
            caller, waits = waits, caller
        await command_ari(bureau, "POST", f"bridges/{bridge['id']}/removeChannel?channel={caller}")
        await command_ari(bureau, "POST", "bridges/talk-c9-1?type=mixing")
        await command_ari(bureau, "DELETE", f"channels/{waits}/moh")  # heard at once: no look is needed
        await eventually(
            lambda: sorted(repaired(exchange)) == ["apart", "stray_bridge"], "both are repaired", WITHIN
        )
        await talking.hears(HER)
        await hers.call.hears(HIM)
        await waiting.hears(MUSIC)
        assert not [b for b in await ari(bureau, "bridges") if b["id"] == "talk-c9-1"]
        with suppress(TimeoutError):  # and that is all: two more looks find nothing
            async with asyncio.timeout(22):
                while len(repaired(exchange)) == 2:
                    await asyncio.sleep(0.5)
        assert len(repaired(exchange)) == 2
        await waiting.hangup()
        await talking.hangup()
        await exchange.finished_call(2)
        await nothing_is_left(exchange)
