"""kill -9 of the exchange in the middle of its calls, and a start that takes them over.

Asterisk, PostgreSQL and the calls stay while autocom is dead; what happened meanwhile is found by
comparing what was saved with what Asterisk still holds. Nothing here looks inside: what the callers
and secretaries hear, what their phones show, what the commands say, what is left in Asterisk.
"""

from __future__ import annotations

import asyncio
import signal
import time
from contextlib import suppress
from typing import Any

import pytest

from tests.support import asked, oracle
from tests.support.bureau import CALLER, MESSAGE, MUSIC, VOICES, Bureau, client, play, queue
from tests.support.eventually import eventually
from tests.support.exchange import Exchange
from tests.support.leg import AUDIBLE, Leg, heard_without_a_gap
from tests.support.phones import Phones, Softphone
from tests.support.staff import all_at_work

pytestmark = [pytest.mark.timeout(120)]
DIDS = {"talk": "0199001001", "wrap": "0199001002", "ring": "0199001003", "wait": "0199001004"}
LONG = 4.5
"""Seconds of a message that is still heard when autocom is killed."""


@pytest.fixture
def bureau(bureau_of_four: Bureau) -> Bureau:
    """Four secretaries, each the only one of a team with a client of its own."""
    made = bureau_of_four
    long = made.sound("long", MESSAGE, LONG)
    made.bureau["teams"] = {}
    made.clients = {"accueil": client("accueil", "+33199001009", message="unknown")}
    for row, (name, did) in zip(made.bureau["secretaries"], DIDS.items(), strict=True):
        row["teams"] = {name: 1}
        made.bureau["teams"][name] = {}
        steps = [play(long if name == "wait" else "message"), queue(team=name, ring_for="60s")]
        made.add(client(name, f"+33{did[1:]}", rules=[{"name": "open", "do": steps}]))
    made.clients["accueil"]["rules"][0]["do"][1]["queue"]["team"] = "talk"
    made.client("wrap")["wrap_up"] = {"min": "0s", "max": "90s"}
    made.write()
    return made


@pytest.fixture
def bureau_of_four(tmp_path: Any) -> Any:
    """Written, and its state folder removed at the end."""
    made = Bureau.at(tmp_path, secretaries=4)
    yield made
    made.tidy()


async def called(phones: Phones, exchange: Exchange, name: str, number: str) -> Leg:
    """A caller of the client of that name."""
    return await phones.dial(exchange.bureau.uri(DIDS[name]), number, say=CALLER)


async def joined(phones: Phones, exchange: Exchange, name: str, number: str, phone: Softphone) -> Leg:
    """A caller and a secretary in conversation."""
    caller = await called(phones, exchange, name, number)
    await phone.rings(len(phone.calls) + 1)
    await phone.answer()
    await phone.call.hears(CALLER)
    await caller.hears(phone.say if isinstance(phone.say, int) else 0)
    return caller


async def states(exchange: Exchange) -> dict[str, str]:
    """The secretaries' states by id."""
    return {s["id"]: s["state"] for s in (await asked.status(exchange.bureau))["secretaries"]}


async def by_caller(exchange: Exchange) -> dict[str, dict[str, Any]]:
    """The journal's calls by the last two digits of the caller's number."""
    return {call["caller"][-2:]: call for call in await exchange.calls()}


@pytest.mark.fault("F1", "F2", "F3", "F5")
async def test_every_call_goes_on_after_a_kill_in_the_middle_of_it(exchange: Exchange, measured: Any) -> None:
    async with Phones() as phones:
        lea, ines, chloe, manon = await all_at_work(phones, exchange.bureau)
        await exchange.cli("secretary", "manon", "pause", "lunch")
        talking = await joined(phones, exchange, "talk", "0639980101", lea)
        wrapping = await joined(phones, exchange, "wrap", "0639980102", ines)
        await wrapping.hangup()
        first = await called(phones, exchange, "wait", "0639980105")
        ringing = await called(phones, exchange, "ring", "0639980103")
        await chloe.rings()
        await first.hears(MUSIC)
        second = await called(phones, exchange, "wait", "0639980106")
        await second.hears(MESSAGE)
        expected = {"lea": "talking", "ines": "wrap_up", "chloe": "ringing", "manon": "paused"}
        before = await asked.are(exchange.bureau, **expected)

        await exchange.kill9()
        killed = time.monotonic()
        await second.hears(MESSAGE)
        # the worst moment for a start: his message has just ended
        await eventually(lambda: not len(second.newest(1, time.monotonic())), "the message goes on for ever")
        await exchange.start()
        away = time.monotonic() - killed

        after = await asked.status(exchange.bureau)
        assert {s["id"]: s["state"] for s in after["secretaries"]} == expected
        places = {row["call"] for row in before["waiting"]}
        kept = [row for row in after["waiting"] if row["call"] in places]
        assert kept == before["waiting"], "a place in the queue was lost"
        assert next(s["reason"] for s in after["secretaries"] if s["id"] == "manon") == "lunch"
        await talking.hears(VOICES[0], for_seconds=0.8)
        await lea.call.hears(CALLER, for_seconds=0.8)
        # the phone that rang all the time is picked up, and joined
        assert len(chloe.calls) == 1
        await chloe.answer()
        await ringing.hears(VOICES[2])
        await chloe.call.hears(CALLER)
        # the message is heard to its end, and then the music; … and the first one is served first
        await second.hears(MUSIC)
        await exchange.cli("secretary", "manon", "resume")
        await manon.rings()
        await manon.answer()
        await first.hears(VOICES[3])
        await first.hangup()
        await manon.rings(2)
        await manon.answer()
        await second.hears(VOICES[3])
        for leg in (talking, second, ringing):
            await leg.hangup()
        await exchange.finished_call(5)
        await oracle.nothing_is_left(exchange)
        await oracle.each_call_ended_once(exchange)
        found = await by_caller(exchange)
    assert talking.heard()[-1] == (VOICES[0],)
    assert first.heard()[:2] == [(MESSAGE,), (MUSIC,)], "he who waited never noticed"
    broke = heard_without_a_gap(talking, first)
    measured("a break in what they hear who wait or talk", broke, "s", at_most=AUDIBLE)
    assert second.heard()[:2] == [(MESSAGE,), (MUSIC,)]
    quiet = max(gap.seconds for gap in second.gaps() if gap.after == (MESSAGE,))
    measured("silence behind the message that was interrupted", quiet, "s", at_most=3.0)
    assert {call["outcome"] for call in found.values()} == {"served"}
    assert found["05"]["wait_ms"] > 1000 * away, "the time without us is waiting time too"
    assert found["01"]["talk_ms"] > 1000 * away
    # away for longer than 5 s on a busy machine, and the rescuer has closed the gate to new callers
    assert [event for event in oracle.events(exchange) if event.get("fault") != "rescued"] == []
    oracle.no_troubles(exchange.bureau)


@pytest.mark.fault("F3", "F6")
async def test_what_happened_while_nobody_watched_is_found_and_closed(
    exchange: Exchange, measured: Any
) -> None:
    async with Phones() as phones:
        lea, ines, chloe, manon = await all_at_work(phones, exchange.bureau)
        left_by_caller = await joined(phones, exchange, "talk", "0639980101", lea)
        left_by_her = await joined(phones, exchange, "wrap", "0639980102", ines)
        picked_up = await called(phones, exchange, "ring", "0639980103")
        gave_up = await called(phones, exchange, "wait", "0639980104")
        await chloe.rings()
        await manon.rings()
        await picked_up.hears(MUSIC)

        await exchange.kill9()
        await left_by_caller.hangup()
        await ines.call.hangup()
        await chloe.answer()
        await gave_up.hangup()
        await asyncio.gather(
            left_by_caller.closed(), gave_up.closed(), ines.call.closed(), chloe.call.answered()
        )
        await exchange.start()
        began = time.monotonic()

        await asyncio.gather(lea.call.closed(), left_by_her.closed(), manon.call.closed())
        measured("whose other side has left is let go, after ready", time.monotonic() - began, at_most=2.0)
        await picked_up.hears(VOICES[2])
        await chloe.call.hears(CALLER)
        assert manon.missed, "he gave up: her phone shows it"
        await asked.are(exchange.bureau, lea="free", ines="wrap_up", chloe="talking", manon="free")
        await picked_up.hangup()
        await exchange.finished_call(4)
        await oracle.nothing_is_left(exchange)
        await oracle.each_call_ended_once(exchange)
        outcomes = {number: call["outcome"] for number, call in (await by_caller(exchange)).items()}
        assert outcomes == {"01": "served", "02": "served", "03": "served", "04": "abandoned"}
        oracle.no_troubles(exchange.bureau)


async def test_a_new_caller_is_served_by_the_fallback_while_away_and_its_call_is_in_the_journal(
    exchange: Exchange,
) -> None:
    async with Phones() as phones:
        lea, *_ = await all_at_work(phones, exchange.bureau)
        await exchange.kill9()
        caller = await called(phones, exchange, "talk", "0639980107")
        leg = await lea.rings(within=15)
        await lea.answer()
        await caller.hears(VOICES[0])
        await leg.hears(CALLER)
        await caller.hangup()
        await caller.closed()
        await exchange.start()
        call = await exchange.finished_call()
        assert (call["outcome"], call["caller"]) == ("fallback", "+33639980107")
        await oracle.nothing_is_left(exchange)


async def test_a_caller_of_a_frozen_exchange_is_in_the_journal_when_it_wakes_up(exchange: Exchange) -> None:
    async with Phones() as phones:
        lea, *_ = await all_at_work(phones, exchange.bureau)
        exchange.send(signal.SIGSTOP)
        try:
            caller = await called(phones, exchange, "talk", "0639980108")
            await lea.rings(within=15)
            await lea.answer()
            await caller.hears(VOICES[0])
            await caller.hangup()
            await caller.closed()
        finally:
            exchange.send(signal.SIGCONT)
        call = await exchange.finished_call()
        assert (call["outcome"], call["caller"]) == ("fallback", "+33639980108")
        # … and serves the next one as ever
        await asked.are(exchange.bureau, lea="free")
        await joined(phones, exchange, "talk", "0639980109", lea)


async def test_logins_and_pauses_survive_and_a_log_out_too(bureau: Bureau, start_exchange: Any) -> None:
    for row in bureau.bureau["secretaries"]:
        row["auto_login"] = False
    bureau.write()
    exchange = await start_exchange(bureau)
    async with Phones() as phones:
        for a in bureau.secretaries:
            await phones.secretary(a.id, a.password, bureau.sip)
        await asked.until(bureau, lambda s: all(x["registered"] for x in s["secretaries"]))
        await exchange.cli("secretary", "lea", "login")
        await exchange.cli("secretary", "ines", "login")
        await exchange.cli("secretary", "ines", "pause", "training")
        await exchange.cli("secretary", "chloe", "login")
        await exchange.cli("secretary", "chloe", "logout")
        expected = {"lea": "free", "ines": "paused", "chloe": "logged_out", "manon": "logged_out"}
        assert await states(exchange) == expected
        since = {s["id"]: s["since"] for s in (await asked.status(exchange.bureau))["secretaries"]}
        await exchange.kill9()
        await exchange.start()
        await asked.until(bureau, lambda s: all(x["registered"] for x in s["secretaries"]))
        assert await states(exchange) == expected
        status = await asked.status(exchange.bureau)
        assert {s["id"]: s["since"] for s in status["secretaries"]} == since
        assert {s["id"]: s["reason"] for s in status["secretaries"]}["ines"] == "training"
        # an ordinary stop ends Asterisk too; logins are the secretaries' own
        await exchange.stop()
        await exchange.start()
        assert {s["id"]: s["logged_in"] for s in (await asked.status(exchange.bureau))["secretaries"]} == {
            "lea": True, "ines": True, "chloe": False, "manon": False,
        }  # fmt: skip


@pytest.mark.fault("F2", "F5")
async def test_three_crashes_in_a_row_while_starting_hurt_no_conversation(
    exchange: Exchange, measured: Any
) -> None:
    async with Phones() as phones:
        lea, *_ = await all_at_work(phones, exchange.bureau)
        talking = await joined(phones, exchange, "talk", "0639980101", lea)
        waiting = await called(phones, exchange, "talk", "0639980102")
        await waiting.hears(MUSIC)
        await exchange.kill9()
        for patience in (0.6, 0.9, 1.2):
            with suppress(AssertionError):  # not ready within so little, as a rule
                await exchange.start(within=patience)
            await exchange.kill9()
        await exchange.start()
        await talking.hears(VOICES[0], for_seconds=0.8)
        await lea.call.hears(CALLER, for_seconds=0.8)
        broke = heard_without_a_gap(talking)
        measured("killed while it starts: a break in what he hears who talks", broke, "s", at_most=AUDIBLE)
        await talking.hangup()
        await lea.rings(2)
        await lea.answer()
        await waiting.hears(VOICES[0])
        await waiting.hangup()
        await exchange.finished_call(2)
        await oracle.nothing_is_left(exchange)
        await oracle.each_call_ended_once(exchange)
        assert [call["outcome"] for call in await exchange.calls()] == ["served", "served"]
