"""Parts that die, freeze or are cut off while calls are in progress, and ends that are asked for.

Nothing of ours is replaced: PostgreSQL and Asterisk are real processes that are really killed. What callers hear
decides, then the journal. What becomes of the sockets between us and Asterisk is `test_sockets.py`.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import socket
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.support import asked, oracle
from tests.support.bureau import CALLER, MUSIC, VOICES, Bureau, queue
from tests.support.console import asterisk_says
from tests.support.eventually import eventually
from tests.support.exchange import Exchange
from tests.support.leg import AUDIBLE, Leg, heard_without_a_gap
from tests.support.phones import Phones
from tests.support.postgres import frozen, processes, signal_all
from tests.support.staff import at_work

pytestmark = [pytest.mark.timeout(120)]
DID = "0199001001"


def asterisk_of(bureau: Bureau) -> int | None:
    """The private Asterisk's process; None between its end and the next one's start."""
    try:
        return int((bureau.state / "asterisk" / "run" / "asterisk.pid").read_text())
    except (FileNotFoundError, ValueError):
        return None


async def one_talks_one_waits(phones: Phones, bureau: Bureau) -> tuple[Leg, Leg]:
    """Two callers: one talks with her, the other hears his music."""
    await at_work(phones, bureau, answer_after=0.2)
    talking = await phones.dial(bureau.uri(DID), say=CALLER)
    await talking.hears(VOICES[0])
    waiting = await phones.dial(bureau.uri(DID), "0639980102", say=CALLER)
    await waiting.hears(MUSIC)
    return talking, waiting


# --- PostgreSQL -------------------------------------------------------------------------------


@pytest.mark.fault("F17")
async def test_a_frozen_postgresql_costs_no_call_and_the_journal_catches_up(exchange: Exchange) -> None:
    bureau = exchange.bureau
    async with Phones() as phones:
        lea = await at_work(phones, bureau, answer_after=0.2)
        with frozen(bureau.state / "postgres"):
            caller = await phones.dial(bureau.uri(DID), say=CALLER)
            await caller.hears(VOICES[0])
            await lea.call.hears(CALLER)
            await caller.hangup()
            await asked.are(bureau, lea="free")
        call = await exchange.finished_call(within=20)
        assert (call["outcome"], call["secretary"]) == ("served", "lea")
        await oracle.each_call_ended_once(exchange)


@pytest.mark.fault("F16")
async def test_a_killed_postgresql_is_started_again_and_knows_what_happened_meanwhile(
    exchange: Exchange,
) -> None:
    bureau = exchange.bureau
    async with Phones() as phones:
        lea = await at_work(phones, bureau, answer_after=0.2)
        caller = await phones.dial(bureau.uri(DID), say=CALLER)
        await caller.hears(VOICES[0])
        killed = processes(bureau.state / "postgres")
        signal_all(killed, signal.SIGKILL)
        second = await phones.dial(bureau.uri(DID), "0639980102", say=CALLER)
        await second.hears(MUSIC)
        await caller.hangup()
        await second.hears(VOICES[0])
        await lea.call.hears(CALLER)
        await second.hangup()
        await asked.until(
            bureau, lambda s: s["database"] == {"state": "up", "behind": 0, "behind_since": None}, 20
        )
        assert processes(bureau.state / "postgres")[0] not in killed
        await exchange.finished_call(2)
        assert [c["outcome"] for c in await exchange.calls()] == ["served", "served"]
        await oracle.each_call_ended_once(exchange)


# --- Asterisk ---------------------------------------------------------------------------------


@pytest.mark.fault("F13")
async def test_a_killed_asterisk_is_started_again_and_who_calls_again_has_the_place_he_had(
    bureau: Bureau, start_exchange: Any, measured: Any
) -> None:
    bureau.client("lilas")["rules"][0]["do"] = [queue()]
    bureau.write()
    exchange = await start_exchange(bureau)
    async with Phones() as phones:
        talking, waiting = await one_talks_one_waits(phones, bureau)
        dead, began = asterisk_of(bureau), time.monotonic()
        assert dead is not None
        os.kill(dead, signal.SIGKILL)
        await asked.until(bureau, lambda s: s["asterisk"]["state"] == "down")
        await asked.until(bureau, lambda s: s["asterisk"]["state"] == "up" and s["calls"] == 0, 40)
        measured("serves again, its calls closed", time.monotonic() - began, at_most=10.0)
        assert asterisk_of(bureau) != dead
        await asked.are(bureau, lea="free")
        measured("the secretary is free", time.monotonic() - began, at_most=10.0)
        calls = {c["caller"][-2:]: await exchange.call(c["id"]) for c in await exchange.calls()}
        assert (calls["01"]["outcome"], calls["02"]["outcome"]) == ("served", "failed")
        assert [kinds(calls[who]).count("pbx_lost") for who in ("01", "02")] == [1, 1]
        await oracle.each_call_ended_once(exchange)
        assert "Asterisk died" in await exchange.cli("call", calls["02"]["id"])
        await talking.hangup()
        await waiting.hangup()
        cut_off = {row["caller"][-2:]: row["talked"] for row in (await asked.status(bureau))["cut_off"]}
        assert cut_off == {"01": True, "02": False}
        # they call again, the one who talked last of all: he comes first nevertheless
        await exchange.cli("secretary", "lea", "pause", "lunch")
        legs = {}
        for who in ("02", "03", "01"):
            legs[who] = await phones.dial(bureau.uri(DID), f"06399801{who}", say=CALLER)
            await legs[who].hears(MUSIC)
        await exchange.kill9()
        await exchange.start()  # which is as true after a restart
        await exchange.cli("secretary", "lea", "resume")
        for who in ("01", "02", "03"):
            await legs[who].hears(VOICES[0])
            await legs[who].hangup()
            await legs[who].closed()
        await exchange.finished_call(5)
        await oracle.nothing_is_left(exchange)
        again = {c["caller"][-2:]: c for c in (await exchange.calls())[:3]}
        first = await exchange.call(again["01"]["id"])
        (returning,) = [event for event in first["events"] if event["kind"] == "returning"]
        assert (returning["talked"], returning["secretary"]) == (True, "lea")
        assert "before everybody" in await exchange.cli("call", first["id"])
    assert [e["event"] for e in oracle.events(exchange, "critical")] == [
        "asterisk died, its calls are lost, starting it again"
    ]


@pytest.mark.fault("F14")
async def test_modules_that_are_reloaded_and_an_asterisk_that_is_asked_to_stop_cut_no_call(
    bureau: Bureau, start_exchange: Any, measured: Any
) -> None:
    bureau.client("lilas")["rules"][0]["do"] = [queue()]
    bureau.write()
    exchange = await start_exchange(bureau)
    async with Phones() as phones:
        talking, waiting = await one_talks_one_waits(phones, bureau)
        for module in ("res_pjsip.so", "pbx_config.so", "res_musiconhold.so", "http", "manager", "logger"):
            await asterisk_says(bureau, f"module reload {module}")
        await talking.hears(VOICES[0], for_seconds=0.8)
        await waiting.hears(MUSIC, for_seconds=0.8)
        old = asterisk_of(bureau)
        # new calls are refused, these two come to their own ends; the console says nothing until they have
        stopping = asyncio.create_task(asterisk_says(bureau, "core stop gracefully"))
        await waiting.hears(MUSIC, for_seconds=0.8)
        await waiting.hangup()
        await talking.hears(VOICES[0], for_seconds=0.8)
        await talking.hangup()
        began = time.monotonic()
        await asked.until(
            bureau,
            lambda s: (
                s["asterisk"]["state"] == "up" and asterisk_of(bureau) not in {old, None} and s["calls"] == 0
            ),
            30,
        )
        measured("stopped gracefully: the next one serves", time.monotonic() - began, at_most=6.0)
        await stopping
        await asked.are(bureau, lea="free")
        again = await phones.dial(bureau.uri(DID), "0639980103", say=CALLER)
        await again.hears(VOICES[0])
        await again.hangup()
        await exchange.finished_call(3)
        await oracle.each_call_ended_once(exchange)
        calls = {call["caller"][-2:]: await exchange.call(call["id"]) for call in await exchange.calls()}
        assert {who: call["outcome"] for who, call in calls.items()} == {
            "01": "served", "02": "abandoned", "03": "served",
        }  # fmt: skip
        assert not [who for who, call in calls.items() if "pbx_lost" in kinds(call)]
        broke = heard_without_a_gap(talking, waiting)
        measured("a break in what they hear who talk and wait", broke, at_most=AUDIBLE)


def kinds(call: dict[str, Any]) -> list[str]:
    """Of its events."""
    return [event["kind"] for event in call["events"]]


@pytest.mark.fault("F15")
async def test_ami_that_is_cut_off_costs_no_call_and_comes_back(
    exchange: Exchange, measured: Any, rounds: Any
) -> None:
    bureau = exchange.bureau
    conf = bureau.state / "asterisk" / "etc" / "manager.conf"
    door = int(json.loads((bureau.state / "asterisk" / "ports.json").read_text())["ami"])
    async with Phones() as phones:
        lea = await at_work(phones, bureau, answer_after=0.2)
        caller = await phones.dial(bureau.uri(DID), say=CALLER)
        await caller.hears(VOICES[0])
        kept = conf.read_text()
        conf.write_text(kept.replace("enabled = yes", "enabled = no"))
        assert conf.read_text() != kept
        await asterisk_says(bureau, "module reload manager")
        await until_socket(door, open_=False)
        # who is connected stays connected: shown the door
        sessions = await asterisk_says(bureau, "manager show connected")
        (descriptor,) = re.findall(r"^ +autocom .*? \d{10} +\d+ +(\d+) ", sessions, re.MULTILINE)
        await asterisk_says(bureau, f"manager kick session {descriptor}")
        await until_said(exchange, "ami_away")
        second = await phones.dial(bureau.uri(DID), "0639980102", say=CALLER)
        await second.hears(MUSIC)
        await caller.hangup()
        await second.hears(VOICES[0])
        await asyncio.sleep(rounds(0.0, 60.0))
        await second.hears(VOICES[0], for_seconds=0.6)
        conf.write_text(kept)
        await asterisk_says(bureau, "module reload manager")
        began = time.monotonic()
        await until_said(exchange, "ami_connected", times=2)
        measured("AMI is there again: connected", time.monotonic() - began, at_most=7.0)
        await second.hangup()
        await exchange.finished_call(2)
        # what AMI tells is told again: her phone goes, and the exchange knows
        await lea.offline()
        await asked.are(bureau, within=15, lea="offline")
        assert [c["outcome"] for c in await exchange.calls()] == ["served", "served"]


async def until_socket(port: int, *, open_: bool, within: float = 10.0) -> None:
    """Wait until somebody listens at this port of 127.0.0.1, or nobody does."""
    async with asyncio.timeout(within):
        while True:
            with socket.socket() as probe:
                if (probe.connect_ex(("127.0.0.1", port)) == 0) is open_:
                    return
            await asyncio.sleep(0.05)


# --- ends that are asked for ------------------------------------------------------------------


async def until_said(exchange: Exchange, words: str, within: float = 30.0, times: int = 1) -> None:
    """Wait until the exchange printed these words, so often."""
    await eventually(lambda: exchange.output.count(words) >= times, f"{times} times {words}", within)


async def test_sigterm_lets_a_conversation_end_and_refuses_new_callers_to_the_fallback(
    bureau: Bureau, start_exchange: Any
) -> None:
    bureau.settings["AUTOCOM_DRAIN"] = "20s"
    exchange = await start_exchange(bureau)
    async with Phones() as phones:
        lea = await at_work(phones, bureau, answer_after=0.2)
        caller = await phones.dial(bureau.uri(DID), say=CALLER)
        await caller.hears(VOICES[0])
        ines = await at_work(phones, bureau, 1)
        exchange.send(signal.SIGTERM)
        late = await phones.dial(bureau.uri(DID), "0639980102", say=CALLER)
        await ines.rings()
        assert not ines.call.invite.header("X-Autocom-Call"), "the dialplan rings her, without us"
        second = await exchange.run("up")
        assert second.returncode == 1
        assert (
            f"process {exchange.pid} on {bureau.state} is stopping, and lets its calls end first"
            in second.stderr
        )
        await caller.hears(VOICES[0], for_seconds=0.6)
        await lea.call.hears(CALLER)
        await late.hangup()
        await caller.hangup()
        began = time.monotonic()
        assert await exchange.stop() == 0
        assert time.monotonic() - began < 16, "with nobody left there is nothing to wait for"
    assert not exchange.left_running()
    await exchange.start()
    outcomes = {call["caller"][-2:]: call["outcome"] for call in await exchange.calls()}
    assert outcomes["01"] == "served"


async def test_a_drain_ends_at_its_limit_and_a_second_sigterm_ends_it_now(
    bureau: Bureau, start_exchange: Any
) -> None:
    bureau.settings["AUTOCOM_DRAIN"] = "1s"
    exchange = await start_exchange(bureau)
    for drain, signals, least, most in (("1s", 1, 0.9, 25.0), ("60s", 2, 0.0, 25.0)):
        if drain != "1s":
            bureau.settings["AUTOCOM_DRAIN"] = drain
            await exchange.start()
        async with Phones() as phones:
            await at_work(phones, bureau, answer_after=0.2)
            caller = await phones.dial(bureau.uri(DID), say=CALLER)
            await caller.hears(VOICES[0])
            began = time.monotonic()
            for _ in range(signals - 1):
                exchange.send(signal.SIGTERM)
                await until_said(exchange, "for at most 60 s")
            assert await exchange.stop() == 0
            assert least < time.monotonic() - began < most
            await caller.closed()
        assert not exchange.left_running(), "a stop leaves nothing behind"
    await exchange.start()
    assert [call["outcome"] for call in await exchange.calls()] == ["served", "served"]


async def test_sigterm_in_the_middle_of_a_start_leaves_nothing_behind(bureau: Bureau) -> None:
    exchange = Exchange(bureau)
    try:
        for patience in (0.5, 0.3, 0.6, 1.0):
            with suppress(AssertionError):  # not ready within so little, as a rule
                await exchange.start(within=patience)
            assert await exchange.stop() is not None
            assert not exchange.left_running()
    finally:
        exchange.sweep()


# --- two of them ------------------------------------------------------------------------------


async def test_two_exchanges_side_by_side_each_take_their_own_calls(
    bureau: Bureau, tmp_path: Path, start_exchange: Any
) -> None:
    other = Bureau.at(tmp_path / "other")
    try:
        async with Exchange(bureau) as one, Exchange(other) as two, Phones() as phones:
            for running, number in ((one, "0639980101"), (two, "0639980102")):
                leg = await phones.dial(running.bureau.uri(DID), number)
                await leg.hears(MUSIC)
                await leg.hangup()
                call = await running.finished_call()
                assert call["caller"] == f"+33{number[1:]}"
                assert len(await running.calls()) == 1
            assert await one.stop() == 0
            leg = await phones.dial(other.uri(DID), "0639980103")
            await leg.hears(MUSIC)
            await leg.hangup()
    finally:
        other.tidy()


@pytest.mark.fault("F44")
async def test_a_second_start_on_the_same_state_folder_is_refused_in_one_line(exchange: Exchange) -> None:
    done = await exchange.run("up")
    assert done.returncode == 1
    lines = done.stderr.splitlines()
    assert len(lines) == 1, done.stderr
    assert f"another autocom (process {exchange.pid}) runs on {exchange.bureau.state}" in lines[0]
    assert "AUTOCOM_STATE" in lines[0]
    assert (await exchange.status())["asterisk"]["state"] == "up"


@pytest.mark.parametrize(
    ("setting", "kind"),
    [
        ("AUTOCOM_HTTP_BIND", socket.SOCK_STREAM),
        ("AUTOCOM_AGI_BIND", socket.SOCK_STREAM),
        ("AUTOCOM_SIP_BIND", socket.SOCK_DGRAM),
    ],
)
async def test_a_port_in_use_is_said_in_one_line_that_names_its_setting(
    bureau: Bureau, setting: str, kind: socket.SocketKind
) -> None:
    exchange = Exchange(bureau)
    try:
        with socket.socket(socket.AF_INET, kind) as taken:
            taken.bind(("127.0.0.1", 0))
            if kind is socket.SOCK_STREAM:
                taken.listen()
            address = f"127.0.0.1:{taken.getsockname()[1]}"
            bureau.settings[setting] = address
            done = await exchange.run("up", within=60)
        assert done.returncode == 1
        complaints = [line for line in done.stderr.splitlines() if not line.startswith("{")]
        assert len(complaints) == 1, done.stderr
        assert setting in complaints[0]
        assert address in complaints[0]
        assert not exchange.left_running()
    finally:
        exchange.sweep()


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("AUTOCOM_SIP_BIND", "localhost"),
        ("AUTOCOM_RTP_PORTS", "10999-10000"),
        ("AUTOCOM_HTTP_BIND", "127.0.0.1:99999"),
        ("AUTOCOM_DRAIN", "soon"),
        ("AUTOCOM_LOG", "loud"),
        ("AUTOCOM_DATABASE_URL", "mysql://x/y"),
        ("AUTOCOM_ARI_URL", "asterisk"),
        ("AUTOCOM_CONFIG", "/nowhere/at/all"),
    ],
)
async def test_a_bad_setting_is_said_in_one_line_that_names_it(
    bureau: Bureau, setting: str, value: str
) -> None:
    bureau.settings[setting] = value
    done = await Exchange(bureau).run("up", within=60)
    assert done.returncode == 1
    complaints = [line for line in done.stderr.splitlines() if not line.startswith("{")]
    assert len(complaints) == 1, done.stderr
    assert (setting in complaints[0]) or (value in complaints[0])
    assert "Traceback" not in done.stderr
