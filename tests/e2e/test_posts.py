"""Parking, conference rooms, pickup and forwards on the real Asterisk, by the keys and buttons of softphones; who hears
whom is told by tones, what phones show by the wire.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support import tones
from tests.support.bureau import CALLER, VOICES, Bureau, client, queue
from tests.support.exchange import Exchange
from tests.support.leg import Leg
from tests.support.phones import Phones, Softphone
from tests.support.ports import free_port

pytestmark = [pytest.mark.timeout(120)]
DID, CELL = "0199001001", "+33639981021"
CELLS = 1390
HOLD = 380
LEA, INES, CHLOE = VOICES[:3]


@pytest.fixture
def operator() -> str:
    """Where the operator's side listens."""
    return f"127.0.0.1:{free_port()}"


@pytest.fixture
def bureau(tmp_path: Path, operator: str) -> Iterator[Bureau]:
    """Three secretaries; short parking; forwards to the outside allowed."""
    made = Bureau.at(tmp_path, secretaries=3)
    made.bureau["trunks"][0]["host"] = operator
    made.bureau["bureau"] |= {
        "parking": {"return_after": "15s"},
        "forwarding": {"outside": True},
    }
    made.sound("hold", HOLD, 4)
    made.add(
        client(
            "lilas",
            "+33199001001",
            hold_music="hold",
            rules=[{"name": "open", "do": [queue(ring_for="20s")]}],
        )
    )
    made.write()
    yield made
    made.tidy()


async def phone(phones: Phones, exchange: Exchange, number: int, **habits: Any) -> Softphone:
    account = exchange.bureau.secretaries[number]
    made = await phones.secretary(
        account.id, account.password, exchange.bureau.sip, say=account.voice, **habits
    )
    await exchange.free(account.id)
    return made


async def texts(phones: Phones, words: str, within: float = 3.0) -> list[str]:
    """SIP MESSAGEs that came to phones with these words in them."""
    deadline = time.monotonic() + within
    while True:
        found = [m.body for m in phones.wire if m.method == "MESSAGE" and not m.sent and words in m.body]
        if found or time.monotonic() > deadline:
            return found
        await asyncio.sleep(0.05)


def quiet(leg: Leg, seconds: float = 0.4) -> bool:
    """Whether nothing that is a tone came in the last moment."""
    return not tones.heard(leg.newest(int(8000 * seconds), time.monotonic()), at_least=0.2)


def kinds(story: dict[str, Any]) -> list[str]:
    return [event["kind"] for event in story["events"]]


async def test_parked_by_key_taken_back_by_a_colleague_parked_by_her_button_and_back_in_time(
    exchange: Exchange,
) -> None:
    uri = exchange.bureau.uri
    async with Phones() as phones:
        lea = await phone(phones, exchange, 0, answer_after=0.3)
        caller = await phones.dial(uri(DID), say=CALLER)
        await caller.hears(LEA)
        await lea.call.hears(CALLER)
        ines = await phone(phones, exchange, 1)
        await lea.call.press("*6")
        await caller.hears(HOLD, for_seconds=0.8)
        await lea.call.closed()
        assert int(abs(lea.call.samples[-8000:]).max()) > 500, "a voice tells her the slot"
        hers = await ines.dial(uri("*51"))
        await hers.hears(CALLER)
        await caller.hears(INES)
        ines.answer_after = 0.3
        await hers.call.transfer(uri("*5"))
        await caller.hears(HOLD, for_seconds=0.8)
        began = time.monotonic()
        await hers.closed()
        assert any("*51" in text and "Lilas" in text for text in await texts(phones, "*51"))
        parked = (await exchange.status())["parked"]
        assert [(row["slot"], row["by"], row["client"]) for row in parked] == [("*51", "ines", "lilas")]
        await caller.hears(INES, within=20)
        assert time.monotonic() - began > 12.0, "he was parked for his time"
        assert await texts(phones, "Retour de parking")
        await caller.hangup()
        await ines.call.closed()
        call = await exchange.finished_call()
        story = await exchange.call(call["id"])
    assert (call["outcome"], call["secretary"]) == ("served", "ines")
    assert [e["how"] for e in story["events"] if e["kind"] == "parked"] == ["code", "refer"]
    assert [e["by"] for e in story["events"] if e["kind"] == "unparked"] == ["ines", None]
    assert "returned" in kinds(story)
    assert [s["kind"] for s in story["segments"]].count("hold") == 2


async def test_a_room_of_three_muted_kept_over_a_crash_and_ended(exchange: Exchange, operator: str) -> None:
    uri = exchange.bureau.uri
    async with Phones(listen=operator) as phones:
        lea, ines = await phone(phones, exchange, 0), await phone(phones, exchange, 1)
        cell = await phones.outside(CELL, answer_after=0.5, say=CELLS)
        first = await lea.dial(uri("801"))
        await first.answered()
        second = await ines.dial(uri("801"))
        await first.hears(INES)
        await second.hears(LEA)
        await exchange.cli("room", "801", "invite", CELL, "--as", "lea")
        third = await cell.rings()
        assert "sip:+33199001000@" in third.invite.header("From")
        await third.answered()
        await asyncio.sleep(1.0)
        assert len(json.loads(await exchange.cli("rooms", "--json"))[0]["members"]) == 2, (
            "answering is not enough"
        )
        await third.press("1")
        await first.hears(INES, CELLS)
        await second.hears(LEA, CELLS)
        await third.hears(LEA, INES)

        await first.press("*1")
        await second.hears(LEA, for_seconds=0.6)
        await asyncio.sleep(0.6)
        assert quiet(first), "all but her are muted"
        await exchange.kill9()
        await exchange.start()
        (room,) = json.loads(await exchange.cli("rooms", "--json"))
        assert (room["room"], room["opened_by"]) == ("801", "lea")
        assert [member["muted"] for member in room["members"]] == [False, True, True]
        assert quiet(first)
        await exchange.cli("room", "801", "unmute")
        await first.hears(INES, CELLS)

        await first.press("*0")
        for leg in (first, second, third):
            await leg.closed()
        assert json.loads(await exchange.cli("rooms", "--json")) == []
        await exchange.finished_call()
        calls = await exchange.calls()
    assert {call["outcome"] for call in calls} == {"served"}
    stories = [await exchange.call(call["id"]) for call in calls]
    assert all("conference" in {s["kind"] for s in story["segments"]} for story in stories)


async def test_a_call_of_the_queue_that_rings_at_a_colleague_is_picked_up(exchange: Exchange) -> None:
    async with Phones() as phones:
        lea = await phone(phones, exchange, 0)
        caller = await phones.dial(exchange.bureau.uri(DID), say=CALLER)
        await lea.rings()
        ines = await phone(phones, exchange, 1)
        hers = await ines.dial(exchange.bureau.uri("*8"))
        await hers.hears(CALLER)
        await caller.hears(INES)
        await lea.call.closed()
        assert not lea.missed, "no missed call on the phone that rang"
        assert any("Lea" in text for text in await texts(phones, "Cab. Lilas"))
        await hers.hangup()
        await caller.closed()
        call = await exchange.finished_call()
        story = await exchange.call(call["id"])
    assert (call["outcome"], call["secretary"]) == ("served", "ines")
    assert [(e["secretary"], e["of"]) for e in story["events"] if e["kind"] == "picked_up"] == [
        ("ines", "lea")
    ]


async def test_forwards_lead_from_a_phone_that_is_gone_over_a_busy_one_to_the_outside(
    exchange: Exchange, operator: str
) -> None:
    uri = exchange.bureau.uri
    async with Phones(listen=operator) as phones:
        lea, ines = await phone(phones, exchange, 0), await phone(phones, exchange, 1)
        chloe = await phone(phones, exchange, 2, busy=True)
        cell = await phones.outside(CELL, answer_after=0.5, say=CELLS)
        said = await ines.dial(uri("*61*203"))
        await said.closed()
        assert int(abs(said.samples).max()) > 500, "a voice confirms"
        refused = await exchange.run("secretary", "ines", "forward", "always", "202")
        assert refused.returncode == 1
        assert "itself" in refused.stderr
        await exchange.cli("secretary", "chloe", "forward", "busy", "06 39 98 10 21")
        rows = {row["id"]: row["forwards"] for row in (await exchange.status())["secretaries"]}
        assert rows["ines"]["no_answer"] == "203"
        assert rows["chloe"]["busy"] == CELL
        await ines.offline()
        await exchange.until_status(lambda s: not s["secretaries"][1]["registered"])
        call = await lea.dial(uri("202"))
        leg = await cell.rings()
        assert len(chloe.calls) == 1
        await call.hears(CELLS)
        await leg.hears(LEA)
        await call.hangup()
        await leg.closed()
        found = await exchange.finished_call()
        story = await exchange.call(found["id"])
    links = [
        (e["secretary"], e["forward"], e["to"]) for e in story["events"] if e["kind"] == "forwarded_post"
    ]
    assert links == [("ines", "no_answer", "203"), ("chloe", "busy", CELL)]
    assert found["outcome"] == "served"
