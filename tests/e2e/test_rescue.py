"""The rescuer beside a real exchange: frozen, dead for long, back in time, ARI that answers nothing.

Nothing here looks inside: what callers and secretaries hear, what their phones show, what the journal says afterwards.
"""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from autocom import pulse
from autocom.rescue import card
from autocom.rescue.judge import AWAY_FOR, GATE_AFTER
from tests.support import PATIENCE, asked, oracle
from tests.support.bureau import CALLER, MESSAGE, MUSIC, VOICES, Bureau, client, play, queue
from tests.support.eventually import eventually
from tests.support.exchange import Exchange
from tests.support.leg import AUDIBLE, Leg, heard_without_a_gap
from tests.support.phones import Phones, Softphone
from tests.support.staff import all_at_work, at_work

pytestmark = [pytest.mark.timeout(150)]
TALK, WAIT = "0199001001", "0199001002"


@pytest.fixture
def bureau(tmp_path: Path) -> Iterator[Bureau]:
    """Léa and Inès, each the only one of a team with a client of its own."""
    made = Bureau.at(tmp_path, secretaries=2)
    made.bureau["teams"] = {"talk": {}, "wait": {}}
    made.clients = {"accueil": client("accueil", "+33199001009", message="unknown")}
    for row, (team, did) in zip(
        made.bureau["secretaries"], {"talk": TALK, "wait": WAIT}.items(), strict=True
    ):
        row["teams"] = {team: 1}
        steps = [play("message"), queue(team=team, ring_for="60s")]
        made.add(client(team, f"+33{did[1:]}", rules=[{"name": "open", "do": steps}]))
    made.clients["accueil"]["rules"][0]["do"][1]["queue"]["team"] = "talk"
    made.write()
    yield made
    made.tidy()


async def faults(exchange: Exchange) -> list[dict[str, Any]]:
    """What the log says of faults, oldest first."""
    return [event for event in oracle.events(exchange) if event.get("event") == "fault"]


async def rescuer(exchange: Exchange) -> None:
    """Wait until it runs and has said that it does."""
    state = exchange.bureau.state.resolve()
    await eventually(lambda: card.running(state), "the rescuer runs")


async def said(exchange: Exchange, event: str, within: float) -> float:
    """Wait until the rescuer has said so; the instant."""
    path = exchange.bureau.state / "rescue" / "rescuer.log"
    await eventually(lambda: path.exists() and f'"event": "{event}"' in path.read_text(), event, within)
    return time.monotonic()


async def one_talks_one_waits(phones: Phones, bureau: Bureau, lea: Softphone) -> tuple[Leg, Leg]:
    """Two callers: one talks with her, the other hears his music."""
    talking = await phones.dial(bureau.uri(TALK), "0639980101", say=CALLER)
    await lea.rings()
    await lea.answer()
    await talking.hears(VOICES[0])
    waiting = await phones.dial(bureau.uri(WAIT), "0639980102", say=CALLER)
    await waiting.hears(MUSIC)
    return talking, waiting


@pytest.mark.fault("F7")
async def test_a_frozen_exchange_loses_nobody_and_wakes_up_to_what_is_true(
    exchange: Exchange, measured: Any
) -> None:
    bureau = exchange.bureau
    async with Phones() as phones:
        await rescuer(exchange)
        lea, ines = await all_at_work(phones, bureau)
        await exchange.cli("secretary", "ines", "pause", "lunch")
        talking, waiting = await one_talks_one_waits(phones, bureau, lea)

        exchange.send(signal.SIGSTOP)
        frozen = time.monotonic()
        first = await phones.dial(bureau.uri(TALK), "0639980103", say=CALLER)
        claimless = await first.hears(MESSAGE, for_seconds=0.1)
        await said(exchange, "gate_closed", GATE_AFTER + PATIENCE)
        second = await phones.dial(bureau.uri(TALK), "0639980104", say=CALLER)
        gated = await second.hears(MESSAGE, for_seconds=0.1)
        await asyncio.sleep(max(0.0, 10 - (time.monotonic() - frozen)))
        exchange.send(signal.SIGCONT)
        measured("frozen: INVITE to tone", claimless, "s", at_most=2.5)
        measured("frozen, the gate closed: INVITE to tone", gated, "s", at_most=1.5)

        await said(exchange, "gate_opened", PATIENCE)
        await talking.hears(VOICES[0], for_seconds=0.8)
        await waiting.hears(MUSIC)
        broke = heard_without_a_gap(talking, waiting)
        measured("frozen: a break in what they hear who wait and talk", broke, "s", at_most=AUDIBLE)
        status = await asked.status(bureau)
        assert [row["caller"] for row in status["waiting"]] == ["+33639980102"], "he kept his place"
        await exchange.cli("secretary", "ines", "resume")
        await ines.rings()
        await ines.answer()
        await waiting.hears(VOICES[1])
        for leg in (talking, waiting, first, second):
            await leg.hangup()
        await exchange.finished_call(4)
        await oracle.nothing_is_left(exchange)
        outcomes = {call["caller"][-2:]: call["outcome"] for call in await exchange.calls()}
    assert outcomes == {"01": "served", "02": "served", "03": "fallback", "04": "fallback"}
    assert {"loop_blocked", "rescued"} <= {event["fault"] for event in await faults(exchange)}
    oracle.no_troubles(bureau)


@pytest.mark.fault("F2", "F7")
@pytest.mark.parametrize("fault", [signal.SIGKILL, signal.SIGSTOP])
async def test_callers_of_an_exchange_that_stays_away_are_handed_over_in_order_and_conversations_go_on(
    exchange: Exchange, fault: signal.Signals, measured: Any
) -> None:
    bureau = exchange.bureau
    async with Phones() as phones:
        await rescuer(exchange)
        lea, ines = await all_at_work(phones, bureau)
        talking = await phones.dial(bureau.uri(TALK), "0639980101", say=CALLER)
        await lea.rings()
        await lea.answer()
        await talking.hears(VOICES[0])
        first = await phones.dial(bureau.uri(WAIT), "0639980102", say=CALLER)
        await ines.rings()
        await first.hears(MUSIC)
        second = await phones.dial(bureau.uri(WAIT), "0639980103", say=CALLER)
        await second.hears(MUSIC)

        if fault is signal.SIGKILL:
            await exchange.kill9()
        else:
            exchange.send(fault)
        began = time.monotonic()
        handed = await said(exchange, "handed_over", 2 * (AWAY_FOR + 3)) - began
        assert handed > AWAY_FOR - 1
        measured("nobody came back: handed to the fallback", handed, "s", at_most=AWAY_FOR + 3)
        # her phone had rung all the time; it is free now, and rings for the first of them again
        leg = await ines.rings(2)
        await ines.answer()
        await first.hears(VOICES[1])
        await leg.hears(CALLER)
        await talking.hears(VOICES[0], for_seconds=0.8)
        if fault is signal.SIGKILL:
            await exchange.start()
        else:
            exchange.send(signal.SIGCONT)
            await said(exchange, "gate_opened", PATIENCE)
        await first.hears(VOICES[1], for_seconds=0.8)
        await talking.hears(VOICES[0], for_seconds=0.8)
        assert second.close_reason is None
        for each in (second, first, talking):
            await each.hangup()
        await exchange.finished_call(3)
        await oracle.nothing_is_left(exchange)
        await oracle.each_call_ended_once(exchange)
        await asyncio.sleep(2.5)  # the fallback's own records were read, and are no calls more
        outcomes = {call["caller"][-2:]: call["outcome"] for call in await exchange.calls()}
        assert len(await exchange.calls()) == 3
    assert outcomes == {"01": "served", "02": "fallback", "03": "fallback"}
    assert "rescued" in {event["fault"] for event in await faults(exchange)}


@pytest.mark.fault("F12")
async def test_callers_of_an_ari_that_answers_nothing_are_handed_over_under_a_living_exchange(
    exchange: Exchange, measured: Any
) -> None:
    bureau = exchange.bureau
    state = bureau.state.resolve()
    async with Phones() as phones:
        await rescuer(exchange)
        lea, _ = await all_at_work(phones, bureau)
        await exchange.cli("secretary", "ines", "pause", "lunch")
        talking, waiting = await one_talks_one_waits(phones, bureau, lea)

        door = card.read(state)
        assert door is not None
        deaf = await asyncio.start_server(_say_nothing, "127.0.0.1", 0)
        async with deaf:
            port = deaf.sockets[0].getsockname()[1]
            began = time.monotonic()
            card.write(state, replace(door, ari_url=f"http://127.0.0.1:{port}"))
            closed = await said(exchange, "ari_hung", 30) - began
            new = await phones.dial(bureau.uri(TALK), "0639980103", say=CALLER)
            measured("ARI hung: INVITE to tone", await new.hears(MESSAGE, for_seconds=0.1), "s", at_most=2.5)
            handed = await said(exchange, "handed_over", 60) - began
            measured("ARI hung: gate closed", closed, "s", at_most=6.0)
            measured("ARI hung: callers handed over", handed, "s", at_most=15.0)
            await talking.hears(VOICES[0], for_seconds=0.8)
            status = await asked.until(bureau, lambda s: s["waiting"] == [])
            assert status["calls"] == 1
            card.write(state, door)
            await said(exchange, "gate_opened", PATIENCE)
        assert waiting.close_reason is None
        for each in (new, waiting, talking):
            await each.hangup()
        await exchange.finished_call(3)
        await oracle.nothing_is_left(exchange)
        await oracle.each_call_ended_once(exchange)
        await asyncio.sleep(2.5)  # as above
        outcomes = {call["caller"][-2:]: call["outcome"] for call in await exchange.calls()}
        assert len(await exchange.calls()) == 3
    assert outcomes == {"01": "served", "02": "fallback", "03": "fallback"}
    assert "asterisk_hung" in {event["fault"] for event in await faults(exchange)}


async def _say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()
    writer.close()


BLOCKER = """
import os, signal, time

def block(number, frame):
    time.sleep(float(open(os.environ["BLOCK_FOR"]).read()))

if "up" in __import__("sys").argv[1:]:
    signal.signal(signal.SIGUSR1, block)
"""


@pytest.mark.fault("F8")
async def test_a_loop_that_stands_still_is_logged_and_one_that_stands_for_long_ends_itself(
    bureau: Bureau, tmp_path: Path, start_exchange: Any, measured: Any, rounds: Any
) -> None:
    seconds = tmp_path / "seconds"
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(BLOCKER)
    bureau.settings |= {"PYTHONPATH": str(tmp_path / "site"), "BLOCK_FOR": str(seconds)}
    exchange = await start_exchange(bureau)
    pid = exchange.pid

    def late() -> list[dict[str, Any]]:
        return [event for event in oracle.events(exchange, "warning") if event["event"] == "loop_late"]

    async with Phones() as phones:
        talking, waiting = await one_talks_one_waits(phones, bureau, await at_work(phones, bureau))
        seconds.write_text("0.5")
        exchange.send(signal.SIGUSR1)
        await asyncio.sleep(1.0)
        before = len(late())
        # beside other tests the loop may be late for want of a processor
        assert rounds(0, before) == 0, "half a second is nothing to speak of"
        seconds.write_text("2")
        exchange.send(signal.SIGUSR1)
        began = time.monotonic()
        await eventually(lambda: len(late()) > before, "loop_late")
        measured("the loop stands still for 2 s: found after", time.monotonic() - began, "s", at_most=3.0)
        assert any("sitecustomize.py:" in place for place in late()[-1]["frames"]), late()[-1]
        assert (await asked.status(bureau))["calls"] == 2
        seconds.write_text("60")
        exchange.send(signal.SIGUSR1)
        began = time.monotonic()
        code = await exchange.ended(30)
        took = time.monotonic() - began
        assert code == pulse.EXIT
        measured("the loop stands still: ended itself", took, "s", at_most=7.0)
        assert f"pid {pid}" in (bureau.state / pulse.STORY).read_text()
        await exchange.start()
        assert [row["caller"] for row in (await asked.status(bureau))["waiting"]] == ["+33639980102"]
        await waiting.hears(MUSIC, for_seconds=0.8)
        await talking.hears(VOICES[0], for_seconds=0.8)
        broke = heard_without_a_gap(talking, waiting)
        measured("the loop stands still: a break in what they hear who wait and talk", broke, at_most=AUDIBLE)
        for each in (talking, waiting):
            await each.hangup()
        await exchange.finished_call(2)
    found = [event for event in await faults(exchange) if event["fault"] == "loop_blocked"]
    assert any("ended itself at" in event["detail"] for event in found)
