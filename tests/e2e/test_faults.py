"""Parts that die, freeze or are cut off while calls are in progress, and ends that are asked for.

Nothing of ours is replaced: PostgreSQL and Asterisk are real processes that are really killed, the
event socket runs through a wire that a test can cut. What callers hear decides, then the journal.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.support import asked, oracle
from tests.support.bureau import CALLER, MUSIC, VOICES, Bureau
from tests.support.exchange import Exchange
from tests.support.phones import Phones, Softphone

pytestmark = [pytest.mark.timeout(120)]
DID = "0199001001"


async def at_work(phones: Phones, bureau: Bureau, index: int = 0, **habits: Any) -> Softphone:
    """A registered softphone whose secretary is free."""
    account = bureau.secretaries[index]
    phone = await phones.secretary(account.id, account.password, bureau.sip, say=account.voice, **habits)
    await asked.are(bureau, **{account.id: "free"})
    return phone


def asterisk_of(bureau: Bureau) -> int:
    """The private Asterisk's process."""
    return int((bureau.state / "asterisk" / "run" / "asterisk.pid").read_text())


def postgres_of(bureau: Bureau) -> list[int]:
    """The private PostgreSQL's processes, the postmaster first."""
    pid_file = bureau.state / "postgres" / "cluster" / "postmaster.pid"
    master = psutil.Process(int(pid_file.read_text().splitlines()[0]))
    return [master.pid, *(child.pid for child in master.children(recursive=True))]


def signal_all(pids: list[int], number: signal.Signals) -> None:
    """The same signal to each that is there."""
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            continue


# --- PostgreSQL -------------------------------------------------------------------------------


async def test_a_frozen_postgresql_costs_no_call_and_the_journal_catches_up(exchange: Exchange) -> None:
    bureau = exchange.bureau
    async with Phones() as phones:
        lea = await at_work(phones, bureau, answer_after=0.2)
        frozen = postgres_of(bureau)
        signal_all(frozen, signal.SIGSTOP)
        try:
            caller = await phones.dial(bureau.uri(DID), say=CALLER)
            await caller.hears(VOICES[0])
            await lea.call.hears(CALLER)
            await caller.hangup()
            await asked.are(bureau, lea="free")
        finally:
            signal_all(frozen, signal.SIGCONT)
        call = await exchange.finished_call(within=20)
        assert (call["outcome"], call["secretary"]) == ("served", "lea")
        await oracle.each_call_ended_once(exchange)


async def test_a_killed_postgresql_is_started_again_and_knows_what_happened_meanwhile(
    exchange: Exchange,
) -> None:
    bureau = exchange.bureau
    async with Phones() as phones:
        lea = await at_work(phones, bureau, answer_after=0.2)
        caller = await phones.dial(bureau.uri(DID), say=CALLER)
        await caller.hears(VOICES[0])
        killed = postgres_of(bureau)
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
        assert postgres_of(bureau)[0] not in killed
        await exchange.finished_call(2)
        assert [c["outcome"] for c in await exchange.calls()] == ["served", "served"]
        await oracle.each_call_ended_once(exchange)


# --- Asterisk ---------------------------------------------------------------------------------


async def test_a_killed_asterisk_is_started_again_its_calls_closed_and_its_secretaries_freed(
    exchange: Exchange,
) -> None:
    bureau = exchange.bureau
    async with Phones() as phones:
        lea = await at_work(phones, bureau, answer_after=0.2)
        await asked.are(bureau, lea="free")
        talking = await phones.dial(bureau.uri(DID), say=CALLER)
        await talking.hears(VOICES[0])
        waiting = await phones.dial(bureau.uri(DID), "0639980102")
        await waiting.hears(MUSIC)
        dead = asterisk_of(bureau)
        os.kill(dead, signal.SIGKILL)
        await asked.until(bureau, lambda s: s["asterisk"]["state"] == "down")
        await asked.until(bureau, lambda s: s["asterisk"]["state"] == "up" and s["calls"] == 0, 20)
        assert asterisk_of(bureau) != dead
        await asked.are(bureau, lea="free")
        calls = {c["caller"]: c for c in await exchange.calls()}
        assert calls["+33639980101"]["outcome"] == "served"
        assert calls["+33639980102"]["outcome"] == "abandoned"
        await oracle.each_call_ended_once(exchange)
        await talking.hangup()
        await waiting.hangup()
        caller = await phones.dial(bureau.uri(DID), "0639980103", say=CALLER)
        await caller.hears(VOICES[0])
        await lea.call.hears(CALLER)
        await caller.hangup()
        assert (await exchange.finished_call(3))["outcome"] == "served"
        await oracle.nothing_is_left(exchange)
    assert [e["event"] for e in oracle.events(exchange, "critical")] == [
        "asterisk died, its calls are lost, starting it again"
    ]


async def test_ami_that_is_cut_off_costs_no_call_and_comes_back(exchange: Exchange) -> None:
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
        conf.write_text(kept)
        await asterisk_says(bureau, "module reload manager")
        await second.hangup()
        await exchange.finished_call(2)
        await until_said(exchange, "ami_connected", times=2)
        # what AMI tells is told again: her phone goes, and the exchange knows
        await lea.offline()
        await asked.are(bureau, within=15, lea="offline")
        assert [c["outcome"] for c in await exchange.calls()] == ["served", "served"]


async def asterisk_says(bureau: Bureau, command: str) -> str:
    """A command on Asterisk's console."""
    home = os.environ.get("AUTOCOM_ASTERISK_HOME", str(Path.home() / ".cache" / "autocom" / "asterisk"))
    console = await asyncio.create_subprocess_exec(
        str(Path(home) / "bin" / "asterisk"),
        "-C",
        str(bureau.state / "asterisk" / "etc" / "asterisk.conf"),
        "-rx",
        command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await console.communicate()
    return said.decode(errors="replace")


async def until_socket(port: int, *, open_: bool, within: float = 10.0) -> None:
    """Wait until somebody listens at this port of 127.0.0.1, or nobody does."""
    async with asyncio.timeout(within):
        while True:
            with socket.socket() as probe:
                if (probe.connect_ex(("127.0.0.1", port)) == 0) is open_:
                    return
            await asyncio.sleep(0.05)


# --- the wire to Asterisk ---------------------------------------------------------------------


class Wire:
    """A TCP proxy on loopback that a test can cut (every connection at once) and refuse to mend."""

    def __init__(self, target: int) -> None:
        self.target = target
        self.port = 0
        self.passes = True
        self.connections = 0
        self._writers: set[asyncio.StreamWriter] = set()

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Wire]:
        """Listen until the end of the block."""
        server = await asyncio.start_server(self._connect, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            self.cut()

    def cut(self) -> None:
        """Reset every connection, as a router that forgot them."""
        for writer in list(self._writers):
            writer.transport.abort()

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self.passes:
            writer.transport.abort()
            return
        self.connections += 1
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            writer.transport.abort()
            return
        both = {writer, far_writer}
        self._writers |= both
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._pass_on(reader, far_writer))
                tasks.create_task(self._pass_on(far_reader, writer))
        finally:
            self._writers -= both
            for end in both:
                end.transport.abort()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while piece := await reader.read(65536):
                writer.write(piece)
                await writer.drain()
            writer.write_eof()
        except OSError:
            return


async def test_a_cut_event_socket_is_mended_and_what_happened_meanwhile_is_found(bureau: Bureau) -> None:
    exchange = Exchange(bureau)
    async with exchange:
        # the same Asterisk and PostgreSQL go on under a service that only uses them
        await exchange.kill9()
        folder = bureau.state / "asterisk"
        ports = json.loads((folder / "ports.json").read_text())
        keys = json.loads((folder / "secrets.json").read_text())
        async with Wire(ports["http"]).open() as wire, Phones() as phones:
            bureau.settings |= {
                "AUTOCOM_DATABASE_URL": json.loads((bureau.state / "service.json").read_text())["database"],
                "AUTOCOM_ARI_URL": f"http://127.0.0.1:{wire.port}",
                "AUTOCOM_ARI_USER": keys["ari_user"],
                "AUTOCOM_ARI_PASSWORD": keys["ari_password"],
                "AUTOCOM_AMI_PORT": str(ports["ami"]),
                "AUTOCOM_AMI_USER": keys["ami_user"],
                "AUTOCOM_AMI_PASSWORD": keys["ami_password"],
            }
            await exchange.start()
            assert wire.connections > 0
            await _calls_over_a_cut_wire(exchange, wire, phones)
            wire.passes = False
            wire.cut()
            assert await exchange.stop() == 0
        assert psutil.pid_exists(asterisk_of(bureau)), "what runs elsewhere is not ours to stop"
        bureau.settings.clear()
        await exchange.start()
        await oracle.each_call_ended_once(exchange)


async def _calls_over_a_cut_wire(exchange: Exchange, wire: Wire, phones: Phones) -> None:
    bureau = exchange.bureau
    lea = await at_work(phones, bureau, 0)
    ines = await at_work(phones, bureau, 1)
    talking = await phones.dial(bureau.uri(DID), say=CALLER)
    await lea.rings()
    await lea.answer()
    await talking.hears(VOICES[0])
    ringing = await phones.dial(bureau.uri(DID), "0639980102", say=CALLER)
    await ines.rings()
    await ringing.hears(MUSIC)
    wire.passes = False
    wire.cut()
    await asked.until(bureau, lambda s: s["asterisk"]["state"] == "down")
    # nobody hears us and we hear nobody: she picks up, he hangs up
    await ines.answer()
    await ines.call.answered()
    await talking.hangup()
    await talking.closed()
    await ringing.hears(MUSIC, for_seconds=0.6)
    wire.passes = True
    await ringing.hears(VOICES[1])
    await ines.call.hears(CALLER)
    await lea.call.closed()
    await asked.are(bureau, lea="free", ines="talking")
    await ringing.hangup()
    await exchange.finished_call(2)
    assert [call["outcome"] for call in await exchange.calls()] == ["served", "served"]
    await oracle.nothing_is_left(exchange)


# --- ends that are asked for ------------------------------------------------------------------


async def until_said(exchange: Exchange, words: str, within: float = 10.0, times: int = 1) -> None:
    """Wait until the exchange printed these words, so often."""
    async with asyncio.timeout(within):
        while exchange.output.count(words) < times:
            await asyncio.sleep(0.05)


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
