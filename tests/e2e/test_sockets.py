"""The sockets between the exchange and its Asterisk: cut, silent, slow, refusing, lying and flooded, under load.

All of it happens to one exchange, one after the other, while callers come and phones ring (`storm.py`), and while one
caller talks: nothing of it may be heard in his conversation. What happened is compared at the end, caller by caller.
"""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.support import asked
from tests.support.bureau import CALLER, VOICES, Bureau, client, play, queue
from tests.support.eventually import eventually
from tests.support.leg import AUDIBLE, heard_without_a_gap
from tests.support.lossy import Trouble
from tests.support.phones import Phones
from tests.support.storm import Storm, ready
from tests.support.wired import House, wired

TALK, LOAD = "0199001001", "0199001002"


@pytest.fixture
def bureau(tmp_path: Path) -> Iterator[Bureau]:
    """Léa has a team and a client of her own; all others are there for the load."""
    made = Bureau.at(tmp_path, secretaries=8)
    made.bureau["teams"] = {"talk": {}, "load": {}}
    made.clients = {}
    for team, did in (("talk", TALK), ("load", LOAD)):
        steps = [play("message"), queue(team=team)]
        made.add(client(team, f"+33{did[1:]}", rules=[{"name": "open", "do": steps}]))
    made.bureau["bureau"]["unknown_client"] = "load"
    for row in made.bureau["secretaries"]:
        row["teams"] = {"talk" if row["id"] == "lea" else "load": 1}
    ready(made)
    yield made
    made.tidy()


async def back(house: House, healed: float, within: float = 15.0) -> float:
    """Seconds from then until the exchange hears its Asterisk again."""
    await asked.until(house.exchange.bureau, lambda s: s["asterisk"]["state"] == "up", within)
    return time.monotonic() - healed


async def cut(house: House, seconds: float) -> float:
    """F9: reset, and nothing to be had for so long. How long after it everything was found."""
    house.ari.passes = False
    house.ari.cut()
    await asked.until(house.exchange.bureau, lambda s: s["asterisk"]["state"] == "down")
    await asyncio.sleep(seconds)
    house.ari.passes = True
    return await back(house, time.monotonic())


async def silent(house: House, seconds: float) -> tuple[float, float]:
    """F10: a path that is gone without a word, for new connections too, for so long. How long it took to notice, and
    then to have everything."""
    lost = house.said("ari_lost")
    began = time.monotonic()
    house.ari.deaf = True
    house.ari.strand()
    await house.says("ari_lost", lost + 1, 20)
    noticed = time.monotonic() - began
    await asyncio.sleep(max(0.0, seconds - noticed))
    house.ari.deaf = False  # the old connections stay as dead as they are
    return noticed, await back(house, time.monotonic())


def spoilt(seed: int) -> Callable[[str, str], Trouble | None]:
    """One request in ten: slow, refused, reset before or after Asterisk heard of it."""
    dice = random.Random(seed)
    kinds: tuple[Trouble, ...] = (2.0, "refuse", "reset", "lose")
    return lambda _method, _path: dice.choice(kinds) if dice.random() < 0.1 else None


def mangled(seed: int) -> Callable[[str], Sequence[tuple[float, str]]]:
    """Events twice, late, and so in another order; between them what no Asterisk would say."""
    dice = random.Random(seed)
    strange = (
        "no JSON",
        "",
        "[]",
        "null",
        '"text"',
        "1e999",
        '{"type": 7}',
        '{"type": "StasisStart"}',
        '{"type": "StasisStart", "channel": null, "args": 3}',
        json.dumps({"type": "Unheard", "of": "x" * 1_000_000}),
        "[" * 50_000,
        '{"a":' * 50_000,
    )

    def relay(text: str) -> list[tuple[float, str]]:
        told = [(dice.choice((0.0, 0.0, 0.02, 0.3)), text)]
        if dice.random() < 0.5:
            told.append((dice.uniform(0.0, 0.6), text))
        if dice.random() < 0.1:
            told.insert(0, (0.0, dice.choice(strange)))
        return told

    return relay


async def flooded(house: House, events: int) -> None:
    """So many events of channels that nobody knows, as fast as they can be said."""
    text = json.dumps(
        {
            "type": "ChannelStateChange",
            "timestamp": "2026-11-22T08:37:23.024+0000",
            "application": "autocom",
            "asterisk_id": "x",
            "channel": channel("flood-1"),
        }
    )
    for _ in range(events // 500):
        await house.line.say(*[text] * 500)


def channel(name: str) -> dict[str, Any]:
    """As ARI describes one."""
    who = {"name": "", "number": ""}
    return {
        "id": name, "name": f"PJSIP/{name}", "state": "Ring", "protocol_id": name, "caller": who, "connected": who,
        "accountcode": "", "language": "en", "creationtime": "2026-11-22T08:37:23.024+0000",
        "dialplan": {"context": "x", "exten": "s", "priority": 1, "app_name": "", "app_data": ""},
    }  # fmt: skip


async def nobody_was_rung_twice(storm: Storm) -> None:
    """A phone was rung by us for a caller as often as it was offered to her, and not once more."""
    for call in await asked.calls(storm.bureau, stories=True):
        caller = storm.callers.get(f"0{(call['caller'] or '')[-9:]}")
        if caller is not None:
            rung = Counter(ring.secretary for ring in caller.rings if ring.ours)
            offered = Counter(event["secretary"] for event in call["events"] if event["kind"] == "offered")
            assert not rung - offered, f"{rung} of {offered}: {caller}"


@pytest.mark.timeout(1800)
@pytest.mark.fault("F9", "F10", "F11", "F15", "F43")
async def test_whatever_becomes_of_the_ways_to_asterisk_is_a_delay_and_no_more(
    bureau: Bureau, measured: Any, rounds: Any
) -> None:
    async with wired(bureau) as house, Phones() as phones:
        lea = bureau.secretaries[0]
        phone = await phones.secretary(lea.id, lea.password, bureau.sip, say=lea.voice, answer_after=0.2)
        await asked.are(bureau, lea="free")
        talking = await phones.dial(f"sip:{TALK}@{bureau.sip}", say=CALLER)
        await talking.hears(VOICES[0])
        storm = Storm(
            bureau,
            per_second=rounds(1.0, 0.6),
            # longer than the delays may add up to: else she is gone before he can be joined with her
            talk=rounds((4.0, 7.0), (10.0, 13.0)),
            staff=bureau.secretaries[1:],
            dids=[LOAD],
            patience=(15, 20),
        )
        async with storm:
            await _ways_are_spoilt(house, measured, rounds)
            await storm.drained(120)
            await phone.call.hears(CALLER)
            await talking.hears(VOICES[0], for_seconds=0.8)
            measured("a break in what he hears who talks", heard_without_a_gap(talking), at_most=AUDIBLE)
            await talking.hangup()
            await asked.are(bureau, lea="free")
            ledger = await storm.balance(house.exchange)
            await nobody_was_rung_twice(storm)
        measured("calls under load", len(storm.callers), "calls")
        measured("served", ledger.outcomes["served"], "calls")
        measured("requests spoilt", house.line.spoiled.total(), "requests")
        # what AMI alone tells is told again
        await phone.offline()
        await asked.are(bureau, within=15, lea="offline")


async def _ways_are_spoilt(house: House, measured: Any, rounds: Any) -> None:
    measured("cut: found after it was whole", await cut(house, rounds(1.0, 5.0)), at_most=2.5)
    ami = house.said("ami_connected")
    house.ami.strand()
    began = time.monotonic()
    for seconds in rounds((5.0,), (5.0, 60.0)):
        noticed, found = await silent(house, seconds)
        measured(f"silent for {seconds:g} s: noticed", noticed, at_most=5.0)
        measured(f"silent for {seconds:g} s: found after it was whole", found, at_most=2.5)
    await house.says("ami_connected", ami + 1, 40)
    measured("AMI silent: connected anew", time.monotonic() - began, at_most=rounds(10.0, 70.0))
    house.line.trouble, house.ami.bytes_a_second = spoilt(1), 2000
    await asyncio.sleep(rounds(6.0, 840.0))
    await eventually(lambda: house.line.spoiled.total() > 5, "hardly any request was spoilt", 60)
    house.line.trouble, house.ami.bytes_a_second = (lambda _method, _path: None), None
    house.line.relay = mangled(2)
    house.ami.inject(b"Event: Unheard\r\nOf: nothing\r\n\r\n" * 20_000)
    await asyncio.sleep(rounds(3.0, 60.0))
    await house.says("ari_event_unreadable", 1, 60)  # there is one for each event that is none
    house.line.relay = lambda text: ((0.0, text),)
    ami = house.said("ami_connected")
    house.ami.inject(b"a line without an end" * 100_000)
    await house.says("ami_connected", ami + 1, 20)
    began = time.monotonic()
    await flooded(house, 20_000)
    await asked.status(house.exchange.bureau)
    measured("20,000 events at once: done with", time.monotonic() - began, at_most=10.0)
