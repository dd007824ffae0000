"""Recorded conversations on the real Asterisk: what is in the file is told by tones, what is on the disk by its bytes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support import PATIENCE, tones
from tests.support.bureau import CALLER, VOICES, Bureau, client, queue
from tests.support.eventually import eventually
from tests.support.exchange import Exchange
from tests.support.leg import Leg
from tests.support.oracle import nothing_is_left
from tests.support.phones import Phones, Softphone

pytestmark = [pytest.mark.timeout(120)]
DID = "0199001001"
HER, HIM, INES = VOICES[0], CALLER, VOICES[1]
NOTICE, HOLD, SECRET = 320, 380, 1980


@pytest.fixture
def bureau(bureau: Bureau) -> Bureau:
    bureau.sound("notice-recording-on", NOTICE, 1.0)
    bureau.sound("hold", HOLD, 4)
    rules = [{"name": "open", "do": [queue()]}]
    bureau.add(client("lilas", "+33199001001", hold_music="hold", recording="on_demand", rules=rules))
    bureau.write()
    return bureau


@asynccontextmanager
async def talking(exchange: Exchange) -> AsyncIterator[tuple[Phones, Softphone, Leg]]:
    """A caller and lea, who hear each other."""
    account = exchange.bureau.secretaries[0]
    async with Phones() as phones:
        lea = await phones.secretary(
            account.id, account.password, exchange.bureau.sip, say=HER, answer_after=0.3
        )
        await exchange.free("lea")
        caller = await phones.dial(exchange.bureau.uri(DID), say=HIM)
        await lea.rings()
        yield phones, lea, caller


async def both_are_told(lea: Softphone, caller: Leg, act: Awaitable[None]) -> None:
    """Both hear the notice and say nothing meanwhile: beside a voice its tone is too soft to be told."""
    caller.say(None)
    lea.call.say(None)
    await act
    await asyncio.gather(caller.hears(NOTICE, for_seconds=0.5), lea.call.hears(NOTICE, for_seconds=0.5))
    caller.say(HIM)
    lea.call.say(HER)
    await asyncio.gather(caller.hears(HER), lea.call.hears(HIM))


async def kept(exchange: Exchange, count: int = 1) -> list[dict[str, Any]]:
    """The recordings, the oldest first, once so many are in the vault."""
    async with asyncio.timeout(PATIENCE):
        while True:
            lines = (await exchange.cli("recordings", "--json")).splitlines()
            rows = [json.loads(line) for line in lines]
            if [row["state"] for row in rows] == ["kept"] * count:
                return rows[::-1]
            await asyncio.sleep(0.2)


async def sound(exchange: Exchange, row: dict[str, Any], out: Path) -> tones.Samples:
    await exchange.cli("recording", row["reference"], "--out", str(out), "--by", "awa")
    assert out.stat().st_mode & 0o777 == 0o600
    return tones.read_wav(out)[0]


def in_it(samples: tones.Samples) -> set[int]:
    return {freq for chord in tones.heard(samples, at_least=0.1) for freq in chord}


def on_disk(bureau: Bureau) -> list[Path]:
    """Every file of this bureau's that is a sound in clear and came from a conversation."""
    return [path for path in (bureau.state / "asterisk").rglob("tape-*") if path.is_file()]


async def test_on_demand_with_notice_pause_and_hold_and_only_the_conversation_is_in_the_file(
    exchange: Exchange, tmp_path: Path
) -> None:
    bureau = exchange.bureau
    async with talking(exchange) as (phones, lea, caller):
        await caller.hears(HER)
        await both_are_told(lea, caller, lea.call.press("*8"))
        await asyncio.sleep(1.5)
        assert (await exchange.status())["secretaries"][0]["recorded"] is True
        await exchange.cli("secretary", "lea", "record", "pause")
        await exchange.until_status(lambda s: s["secretaries"][0]["recorded"] is False)
        await asyncio.sleep(0.5)  # Asterisk is told the moment after it is decided
        caller.say(SECRET)
        await lea.call.hears(SECRET)
        await asyncio.sleep(1.0)
        caller.say(HIM)
        await lea.call.hears(HIM, for_seconds=0.5)
        await exchange.cli("secretary", "lea", "record", "resume")
        await asyncio.sleep(1.5)
        await lea.call.hold()
        await caller.hears(HOLD, for_seconds=0.6)
        caller.say(SECRET)
        await asyncio.sleep(1.5)
        caller.say(HIM)
        await asyncio.sleep(0.5)
        await lea.call.resume()
        await caller.hears(HER)
        await asyncio.sleep(1.0)
        await caller.hangup()
        await lea.call.closed()
        (row,) = await kept(exchange)
        told = [m.body.strip() for m in phones.wire if m.method == "MESSAGE" and not m.sent]
    assert on_disk(bureau) == [], "in clear for no longer than it was written"
    (file,) = (bureau.state / "recordings").iterdir()
    raw = file.read_bytes()
    assert b"RIFF" not in raw
    assert file.stat().st_mode & 0o777 == 0o600
    assert (bureau.state / "recording.key").stat().st_mode & 0o777 == 0o600
    samples = await sound(exchange, row, tmp_path / "out.wav")
    assert {HER, HIM, NOTICE} <= in_it(samples)
    assert not in_it(samples) & {SECRET, HOLD}, "what was said in a pause, or on hold, is nobody's business"
    assert abs(len(samples) / 8000 - row["seconds"]) < 0.2
    story = await exchange.call(row["call"])
    kinds = [e["kind"] for e in story["events"] if e["kind"].startswith("recording")]
    assert kinds == [
        "recording_started", "recording_paused", "recording_resumed", "recording_paused", "recording_resumed",
        "recording_ended",
    ]  # fmt: skip
    assert told[0] == "Enregistrement en cours."
    await nothing_is_left(exchange)
    missing = await exchange.run("recording", "ZZZZ", "--out", str(tmp_path / "no.wav"))
    assert missing.returncode == 1
    assert not (tmp_path / "no.wav").exists()


async def test_every_conversation_of_a_client_is_recorded_through_a_kill_and_a_transfer(
    bureau: Bureau, start_exchange: Any, tmp_path: Path
) -> None:
    bureau.client("lilas")["recording"] = "always"
    bureau.write()
    exchange = await start_exchange(bureau)
    async with talking(exchange) as (phones, lea, caller):
        account = bureau.secretaries[1]
        ines = await phones.secretary(account.id, account.password, bureau.sip, say=INES, answer_after=0.5)
        await asyncio.gather(caller.hears(HER), lea.call.hears(HIM))
        await exchange.kill9()
        await asyncio.sleep(2.0)
        await exchange.start()
        await asyncio.sleep(1.0)
        await lea.call.press("*2202#")
        await ines.rings()
        await caller.hears(INES)
        await asyncio.sleep(2.0)
        await caller.hangup()
        await ines.call.closed()
        hers, second = await kept(exchange, 2)
    assert (hers["secretary"], second["secretary"]) == ("lea", "ines")
    assert hers["call"] == second["call"]
    first = await sound(exchange, hers, tmp_path / "1.wav")
    assert len(first) / 8000 > 3.0, "what was said while we were away is in it"
    assert {HER, HIM} <= in_it(first)
    assert INES not in in_it(first)
    assert {INES, HIM} <= in_it(await sound(exchange, second, tmp_path / "2.wav"))
    assert on_disk(bureau) == []
    # two files, each fetched once, and who did it
    calls = await exchange.cli("call", hers["call"], "--json")
    assert "recording_lost" not in calls
    played = [line for line in exchange.output.splitlines() if "recording_lost" in line]
    assert played == []


async def test_a_practice_of_health_is_not_recorded_and_she_reads_why(
    bureau: Bureau, start_exchange: Any
) -> None:
    lilas = bureau.client("lilas")
    closed = {"play": {"say": "En cas d'urgence, composez le 15.", "mode": "answered"}}
    rules = [
        {"name": "closed", "when": {"hours": "closed"}, "do": [closed, {"hangup": "normal"}]},
        *lilas["rules"],
    ]
    lilas |= {"profile": "medical", "recording": "never", "rules": rules}
    bureau.write()
    exchange = await start_exchange(bureau)
    async with talking(exchange) as (phones, lea, caller):
        await caller.hears(HER)
        await lea.call.press("*8")
        await phones.trace.shows(caller.call, lambda _: True)
        await eventually(
            lambda: any("secret professionnel" in m.body for m in phones.wire if m.method == "MESSAGE"),
            "she is told why",
        )
        assert (await exchange.status())["secretaries"][0]["recorded"] is False
        assert on_disk(bureau) == []
        await caller.hangup()
