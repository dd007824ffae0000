"""The story of one call trips over a bug, at whatever it was doing: that caller is served by the dialplan, nobody else notices.

The bug is planted in the running process: from the moment that a caller's number stands in a file, his story raises at
the next thing that happens to him. Inès works in a browser, so she is a member of Asterisk's queue by web socket.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import oracle
from tests.support.bureau import CALLER, MESSAGE, MUSIC, OTHER_MUSIC, VOICES, Bureau, client, play, queue
from tests.support.console import asterisk_says
from tests.support.eventually import eventually
from tests.support.exchange import Exchange
from tests.support.phones import Phones
from tests.support.webphone.browser import Browser, WebPhone

pytestmark = [pytest.mark.timeout(150), pytest.mark.fault("F42")]
TALK, WAIT = "0199001001", "0199001002"
BUG = """
import os, sys

def plant():
    from autocom.calls.line import Line

    sound = Line.next

    async def trip(line, until=None):
        note = await sound(line, until)
        if (line.story.call.identity.caller or "-") in open(os.environ["BUGGED"]).read().split():
            raise RuntimeError("a bug")
        return note

    Line.next = trip

if "up" in sys.argv[1:]:
    plant()
"""


@pytest.fixture
def bugged(tmp_path: Path) -> Path:
    """The numbers of callers whose stories are to crash."""
    made = tmp_path / "bugged"
    made.write_text("")
    return made


@pytest.fixture
def bureau(tmp_path: Path, bugged: Path) -> Iterator[Bureau]:
    """Léa and Inès, each the only one of a team with a client of its own."""
    made = Bureau.at(tmp_path, secretaries=2)
    made.bureau["teams"] = {"talk": {}, "wait": {}}
    made.clients = {
        "accueil": client("accueil", "+33199001009", rules=[{"name": "all", "do": [queue(team="talk")]}])
    }
    for row, (team, did) in zip(
        made.bureau["secretaries"], {"talk": TALK, "wait": WAIT}.items(), strict=True
    ):
        row["teams"] = {team: 1}
        music = {"talk": "music", "wait": "other-music"}[team]
        steps = [play("message"), queue(team=team, music=music, ring_for="60s")]
        made.add(client(team, f"+33{did[1:]}", rules=[{"name": "open", "do": steps}]))
    made.write()
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(BUG)
    made.settings |= {"PYTHONPATH": str(tmp_path / "site"), "BUGGED": str(bugged)}
    yield made
    made.tidy()


async def crashed(exchange: Exchange, count: int) -> None:
    """Wait until so many stories have."""
    await eventually(
        lambda: len([e for e in oracle.events(exchange) if e["event"] == "call crashed"]) >= count,
        f"{count} stories have crashed",
    )


async def rung_by_asterisk(bureau: Bureau, phone: WebPhone) -> None:
    """Wait until her phone rings for a call of Asterisk's own queue."""
    async with asyncio.timeout(20):
        while "autocom-standby-member" not in await asterisk_says(bureau, "core show channels concise"):
            await asyncio.sleep(0.05)
    await phone.shows("incoming call")


async def test_whoever_waits_rings_listens_or_talks_goes_on_with_his_client_and_no_other_call_notices(
    exchange: Exchange, bugged: Path
) -> None:
    bureau = exchange.bureau
    account = bureau.secretaries[0]
    async with Browser(say=VOICES[1]) as browser, Phones() as phones:
        ines = await browser.phone(f"http://{bureau.http}", "ines", "ines-fiction")
        lea = await phones.secretary(account.id, account.password, bureau.sip, say=account.voice)
        await exchange.free("lea", "ines")
        talking = await phones.dial(bureau.uri(TALK), "0639980101", say=CALLER)
        await lea.rings()
        await lea.answer()
        await talking.hears(VOICES[0])

        # a phone rings for him
        first = await phones.dial(bureau.uri(WAIT), "0639980102", say=CALLER)
        await ines.shows("incoming call")
        bugged.write_text("+33639980102")
        await first.press("5")
        await crashed(exchange, 1)
        await rung_by_asterisk(bureau, ines)
        await first.hears(OTHER_MUSIC)
        await ines.press("Answer")
        await first.hears(VOICES[1])
        await ines.hears(CALLER)

        # he hears his message
        bugged.write_text("+33639980103")
        second = await phones.dial(bureau.uri(WAIT), "0639980103", say=CALLER)
        await second.hears(MESSAGE)
        await crashed(exchange, 2)
        await second.hears(OTHER_MUSIC)
        await first.hangup()
        await rung_by_asterisk(bureau, ines)
        await ines.press("Answer")
        await second.hears(VOICES[1])

        # he talks: her phone is let go, and rings for him again
        bugged.write_text("+33639980101")
        before = talking.timeline()
        await talking.press("5")
        await crashed(exchange, 3)
        await talking.hears(MUSIC)
        await lea.rings(2)
        await lea.answer()
        await talking.hears(VOICES[0])
        heard = [run.chord for run in before if run.seconds >= 0.3]
        assert heard[-1] == (VOICES[0],), "from when she answered on: no other crash had touched him"
        await second.hears(VOICES[1], for_seconds=0.8)
        for leg in (second, talking):
            await leg.hangup()
        await exchange.finished_call(3)
        bugged.write_text("")
        await oracle.nothing_is_left(exchange)
        served = await phones.dial(bureau.uri(TALK), "0639980104", say=CALLER)
        await lea.rings(3)
        await lea.answer()
        await served.hears(VOICES[0])
        await served.hangup()
        await exchange.finished_call(4)
        calls = await exchange.calls()
        assert {call["caller"][-2:]: call["outcome"] for call in calls} == {
            "01": "fallback", "02": "fallback", "03": "fallback", "04": "served",
        }  # fmt: skip
        assert [call["client"] for call in calls if call["caller"][-2:] == "03"] == ["wait"]
        for call in calls:
            kinds = [event["kind"] for event in (await exchange.call(call["id"]))["events"]]
            assert (kinds.count("arrived"), kinds.count("ended")) == (1, 1), kinds

        # her web socket goes through autocom: with it dead she is not there, and nobody waits for her in vain
        await exchange.kill9()
        async with asyncio.timeout(10):
            while "Unavailable" not in await asterisk_says(bureau, "queue show wait"):
                await asyncio.sleep(0.1)
        nobody = await phones.dial(bureau.uri(WAIT), "0639980105")
        await nobody.hears(MESSAGE)
        await nobody.closed()
        await exchange.start()
        last = await exchange.finished_call(5)
        assert (last["client"], last["outcome"]) == ("wait", "fallback")
