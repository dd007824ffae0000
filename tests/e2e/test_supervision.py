"""A team lead at a conversation on the real Asterisk: who hears whom is told by tones, who knows of it by her phone."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from tests.support import tones
from tests.support.bureau import CALLER, VOICES, Bureau
from tests.support.leg import Leg
from tests.support.oracle import nothing_is_left
from tests.support.phones import Phones, Softphone

pytestmark = [pytest.mark.timeout(120)]
DID = "0199001001"
HER, HIM, LEADS = VOICES[0], CALLER, VOICES[2]
WINDOW = {"hours": {"every-day": ["00:00-24:00"]}}


@pytest.fixture
def bureau(tmp_path: Any) -> Any:
    """Lea and Ines in a team that Chloe leads."""
    made = Bureau.at(tmp_path, secretaries=3)
    made.bureau["teams"]["general"] = {"leads": ["chloe"], "supervision": WINDOW}
    made.bureau["teams"]["leading"] = {}
    made.bureau["secretaries"][2]["teams"] = {"leading": 1}
    made.write()
    yield made
    made.tidy()


async def phone(phones: Phones, bureau: Bureau, index: int, **habits: Any) -> Softphone:
    account = bureau.secretaries[index]
    return await phones.secretary(account.id, account.password, bureau.sip, say=account.voice, **habits)


def texts(phones: Phones) -> list[str]:
    """What the phones were told, in order."""
    return [m.body.strip() for m in phones.wire if m.method == "MESSAGE" and not m.sent]


async def only(leg: Leg, *freqs: int, seconds: float = 1.5) -> None:
    """For so long nothing else is heard: whatever comes now, from a clean beginning on."""
    await leg.hears(*freqs, for_seconds=0.5)
    await asyncio.sleep(seconds)
    newest = leg.newest(int(seconds * leg.rate), time.monotonic())
    found = {freq for chord in tones.heard(newest, leg.rate, at_least=0.1) for freq in chord}
    assert found == set(freqs), (found, freqs)


async def test_listen_whisper_and_barge_are_heard_by_whom_they_are_for_and_nobody_else(
    bureau: Bureau, start_exchange: Any
) -> None:
    exchange = await start_exchange(bureau)
    async with Phones() as phones:
        lea = await phone(phones, bureau, 0, answer_after=0.3)
        chloe = await phone(phones, bureau, 2)
        await exchange.free("lea")
        caller = await phones.dial(bureau.uri(DID), say=HIM)
        await caller.hears(HER)
        lead = await chloe.dial(bureau.uri("*3201"))
        await lead.hears(HER, HIM)
        await asyncio.gather(only(caller, HER), only(lea.call, HIM))
        assert texts(phones) == ["Votre responsable Chloe écoute."]
        state = await exchange.status()
        assert state["secretaries"][0]["supervised"] == [{"lead": "chloe", "mode": "listen"}]
        await lead.press("2")
        await lea.call.hears(HIM, LEADS)
        await asyncio.gather(only(caller, HER), only(lea.call, HIM, LEADS), only(lead, HER, HIM))
        await lead.press("3")
        await caller.hears(HER, LEADS)
        await exchange.kill9()
        await asyncio.gather(only(caller, HER, LEADS), only(lea.call, HIM, LEADS))
        await exchange.start()
        await asyncio.gather(only(caller, HER, LEADS), only(lea.call, HIM, LEADS), only(lead, HER, HIM))
        await lead.press("1")
        await caller.hears(HER)
        await asyncio.gather(only(caller, HER), only(lea.call, HIM), only(lead, HER, HIM))
        await caller.hangup()
        await lea.call.closed()
        await exchange.until_status(lambda s: s["secretaries"][0]["supervised"] == [])
        # her next conversation is heard by itself
        await exchange.cli("secretary", "lea", "done")
        second = await phones.dial(bureau.uri(DID), say=HIM)
        await second.hears(HER)
        await lead.hears(HER, HIM)
        await lead.hangup()
        await only(second, HER)
        await second.hangup()
        calls = await exchange.calls()
        await exchange.until_status(lambda s: s["calls"] == 0)
        await nothing_is_left(exchange)
        first = next(c for c in reversed(calls) if c["client"] == "lilas")
        events = (await exchange.call(first["id"]))["events"]
    told = [(e["kind"], e.get("mode") or e.get("by")) for e in events if e["kind"].startswith("supervision")]
    assert told == [
        ("supervision_started", "listen"),
        ("supervision_mode", "whisper"),
        ("supervision_mode", "barge"),
        ("supervision_mode", "listen"),
        ("supervision_ended", "conversation"),
    ]


async def test_a_command_rings_the_leads_phone_and_who_may_not_is_told_why(
    bureau: Bureau, start_exchange: Any
) -> None:
    exchange = await start_exchange(bureau)
    async with Phones() as phones:
        lea = await phone(phones, bureau, 0, answer_after=0.3)
        ines = await phone(phones, bureau, 1)
        await phone(phones, bureau, 2, answer_after=0.3)
        await exchange.free("lea")
        await exchange.cli("secretary", "ines", "logout")
        caller = await phones.dial(bureau.uri(DID), say=HIM)
        await caller.hears(HER)
        refused = await exchange.run("secretary", "lea", "supervise", "--as", "ines")
        assert refused.returncode == 1
        assert "aucune équipe" in refused.stderr
        await exchange.cli("secretary", "lea", "supervise", "--as", "chloe", "--mode", "whisper")
        await lea.call.hears(HIM, LEADS)
        await only(caller, HER)
        nosy = await ines.dial(bureau.uri("*3201"))
        assert "403" in await nosy.closed() or nosy.close_reason
        assert HER not in {f for chord in nosy.heard(0.1) for f in chord}
        await caller.hangup()
