"""Transfers by a softphone's own button on the real Asterisk: REFER, with and without Replaces.

Who hears whom is told by tones, what the phones were told by the wire, the rest by the journal.
"""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

import pytest
from baresip.errors import BaresipError

from tests.support import PATIENCE
from tests.support.bureau import CALLER, VOICES, Bureau, client, queue
from tests.support.exchange import Exchange
from tests.support.leg import Leg
from tests.support.phones import Phones, Softphone
from tests.support.ports import free_port

pytestmark = [pytest.mark.timeout(120)]
DID = "0199001001"
DOCTOR = "+33639981021"
HERS, OTHERS, HIS, DOCTORS = VOICES[0], VOICES[1], CALLER, 1270
HOLD = 380


@pytest.fixture
def operator() -> str:
    """Where the operator's side listens."""
    return f"127.0.0.1:{free_port()}"


@pytest.fixture
def bureau(bureau: Bureau, operator: str) -> Bureau:
    bureau.bureau["trunks"][0]["host"] = operator
    bureau.bureau["teams"]["general"] = {"extension": "600"}
    bureau.sound("hold", HOLD, 4)
    bureau.add(client("lilas", "+33199001001", hold_music="hold", rules=[{"name": "open", "do": [queue()]}]))
    bureau.write()
    return bureau


@dataclass
class Scene:
    """A caller talks with Léa; Inès is there, and answers what rings at her phone after a second."""

    exchange: Exchange
    phones: Phones
    lea: Softphone
    ines: Softphone
    caller: Leg

    @property
    def hers(self) -> Leg:
        return self.lea.call

    def uri(self, dialled: str) -> str:
        return self.exchange.bureau.uri(dialled)

    async def story(self, count: int = 1) -> dict[str, Any]:
        """The caller's call, once `count` calls have ended."""
        await self.exchange.finished_call(count)
        [call] = [c for c in await self.exchange.calls() if c["direction"] == "in"]
        return await self.exchange.call(call["id"])


@asynccontextmanager
async def scene(exchange: Exchange, operator: str) -> AsyncIterator[Scene]:
    lea, ines = exchange.bureau.secretaries
    server = exchange.bureau.sip
    async with Phones(listen=operator) as phones:
        hers = await phones.secretary(lea.id, lea.password, server, say=HERS, answer_after=0.2)
        await exchange.free("lea")
        caller = await phones.dial(exchange.bureau.uri(DID), say=HIS)
        await caller.hears(HERS)
        other = await phones.secretary(ines.id, ines.password, server, say=OTHERS, answer_after=1.0)
        await exchange.free("ines")
        yield Scene(exchange, phones, hers, other, caller)


def told(leg: Leg) -> list[str]:
    """What the NOTIFYs of its transfer said."""
    return [m.text.rstrip().rpartition("\n")[2].strip() for m in leg.wire if m.method == "NOTIFY"]


def segments(story: dict[str, Any], *kinds: str) -> list[tuple[str, str | None]]:
    return [(s["kind"], s["secretary"]) for s in story["segments"] if s["kind"] in kinds]


def whole(story: dict[str, Any]) -> None:
    """His time in conversation is the sum of its parts, to the millisecond, and no two overlap."""
    cut = [s for s in story["segments"] if s["kind"] in {"talk", "hold", "conference", "patch"}]
    for one, other in itertools.pairwise(cut):
        assert one["end"] <= other["start"], (one, other)


async def test_blind_to_an_extension_to_a_team_by_command_and_to_a_room(
    exchange: Exchange, operator: str
) -> None:
    async with scene(exchange, operator) as s:
        await s.hers.call.transfer(s.uri("202"))
        leg = await s.ines.rings()
        assert "Cab. Lilas" in leg.invite.header("From")
        assert leg.invite.header("X-Autocom-Client") == "lilas"
        await s.caller.hears(HOLD)
        await s.hers.closed()
        assert [line.split()[1] for line in told(s.hers)][-1] == "200"
        await s.caller.hears(OTHERS)
        await leg.hears(HIS)
        await leg.call.transfer(s.uri("600"))
        hers = await s.lea.rings(2)
        await leg.closed()
        await s.caller.hears(HERS)
        await hers.hears(HIS)
        ordered = await exchange.run("secretary", "lea", "transfer", "202")
        assert ordered.returncode == 0, ordered.stderr
        last = await s.ines.rings(2)
        await hers.closed()
        await s.caller.hears(OTHERS)
        await last.call.transfer(s.uri("801"))
        await last.closed()
        # baresip drops what comes after so many streams one after the other: who is in the room is asked
        async with asyncio.timeout(PATIENCE):
            while not [m for r in await rooms(exchange) for m in r["members"] if m["since"]]:
                continue
        await s.caller.hangup()
        story = await s.story()
    assert segments(story, "talk") == [("talk", "lea"), ("talk", "ines"), ("talk", "lea"), ("talk", "ines")]
    assert [e["to"] for e in story["events"] if e["kind"] == "transferred"] == [
        "202",
        "general",
        "202",
        "801",
    ]
    assert [e["room"] for e in story["events"] if e["kind"] == "room_joined"] == ["801"]
    assert not [c for c in await asterisk_channels(exchange) if c.startswith("Local/")]
    whole(story)


async def test_blind_unanswered_he_is_back_at_her_phone_which_shows_why(
    exchange: Exchange, operator: str
) -> None:
    async with scene(exchange, operator) as s:
        s.ines.busy = True
        s.lea.answer_after = None
        with suppress(BaresipError):  # told in words of its own; the wire is what counts
            await s.hers.call.transfer(s.uri("202"))
        back = await s.lea.rings(2, within=12)
        assert "Retour Cab. Lilas" in back.invite.header("From")
        assert back.invite.header("X-Autocom-Returned") == "1"
        assert back.invite.header("X-Autocom-Note")
        await s.lea.answer()
        await s.caller.hears(HERS)
        await back.hears(HIS)
        await s.caller.hangup()
        story = await s.story()
    kinds = [e["kind"] for e in story["events"]]
    assert [k for k in kinds if k in {"transferred", "transfer_failed", "returned"}] == [
        "transferred",
        "transfer_failed",
        "returned",
    ]
    assert segments(story, "talk") == [("talk", "lea"), ("talk", "lea")]


async def test_blind_to_a_number(exchange: Exchange, operator: str) -> None:
    async with scene(exchange, operator) as s:
        doctor = await s.phones.outside(DOCTOR, answer_after=1.0, say=DOCTORS)
        await s.hers.call.transfer(s.uri("0639981021"))
        leg = await doctor.rings()
        assert "Cab. Lilas" in leg.invite.header("From")
        await s.hers.closed()
        await s.caller.hears(DOCTORS)
        await leg.hears(HIS)
        await s.caller.hangup()
        await leg.closed()
        story = await s.story()
    assert segments(story, "talk", "patch") == [("talk", "lea"), ("patch", None)]
    whole(story)


async def test_an_unattended_patch_that_a_key_takes(exchange: Exchange, operator: str) -> None:
    async with scene(exchange, operator) as s:
        doctor = await s.phones.outside(DOCTOR, answer_after=0.5, say=DOCTORS)
        await s.hers.press("*90639981021#")
        leg = await doctor.rings()
        await s.hers.closed()
        await leg.answered()
        await s.caller.hears(HOLD, for_seconds=1.0)
        await leg.is_spoken_to()  # a digit before the question is none
        await leg.press("1")
        await s.caller.hears(DOCTORS)
        await leg.hears(HIS)
        await leg.hangup()
        await s.caller.closed()
        story = await s.story()
    assert segments(story, "talk", "patch") == [("talk", "lea"), ("patch", None)]


@pytest.mark.parametrize("number", ["202", "0639981021"])
async def test_attended_with_replaces_to_a_colleague_and_to_a_number(
    exchange: Exchange, operator: str, number: str
) -> None:
    async with scene(exchange, operator) as s:
        doctor = await s.phones.outside(DOCTOR, answer_after=0.5, say=DOCTORS)
        voice = OTHERS if number == "202" else DOCTORS
        first = s.hers
        await first.hold()
        await s.caller.hears(HOLD, for_seconds=0.8)
        second = await s.lea.dial(s.uri(number))
        leg = await (s.ines if number == "202" else doctor).rings()
        await second.hears(voice)
        await leg.hears(HERS)
        await first.call.attended_transfer(second.call)
        await s.caller.hears(voice)
        await leg.hears(HIS)
        await first.closed()
        await second.closed()
        await asyncio.sleep(1.0)
        await s.caller.hangup()
        await leg.closed()
        story = await s.story(2)
        other = next(c for c in await exchange.calls() if c["direction"] != "in")
    [transferred] = [e for e in story["events"] if e["kind"] == "transferred"]
    assert (transferred["way"], transferred["call"]) == ("attended", other["id"])
    assert other["outcome"] == "served"
    after = ("talk", "ines") if number == "202" else ("patch", None)
    assert segments(story, "talk", "hold", "patch") == [("talk", "lea"), ("hold", "lea"), after]
    whole(story)


async def rooms(exchange: Exchange) -> list[dict[str, Any]]:
    """Who is in which conference room."""
    found: list[dict[str, Any]] = json.loads(await exchange.cli("rooms", "--json"))
    return found


async def asterisk_channels(exchange: Exchange) -> list[str]:
    """The names of the channels that Asterisk was ever told of."""
    return [line for line in exchange.output.splitlines() if "Local/" in line]
