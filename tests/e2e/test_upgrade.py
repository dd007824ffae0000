"""A new process takes over from the one that serves, while callers arrive, ring, wait and talk.

What counts is what callers and secretaries notice: nobody is refused, nobody comes to the fallback, nobody's music or
conversation stops, no phone rings anew. And where the new one cannot start, nothing happens at all.
"""

from __future__ import annotations

import asyncio
import os
import re
import signal
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from autocom.news import heard
from autocom.state import read_card
from tests.support import PATIENCE, asked, oracle
from tests.support.bureau import CALLER, MUSIC, VOICES, Bureau, client, play, queue
from tests.support.eventually import eventually
from tests.support.exchange import Exchange
from tests.support.fault_matrix import Measured
from tests.support.leg import AUDIBLE, Leg, heard_without_a_gap
from tests.support.phones import Phones
from tests.support.sip_phone import SipLine
from tests.support.staff import all_at_work

pytestmark = [pytest.mark.timeout(120)]
DIDS = {"talk": "0199001001", "ring": "0199001002", "wait": "0199001003", "arrive": "0199001004"}
EVERY = 0.1
"""Seconds between two new callers during the hand-over."""


@pytest.fixture
def bureau(tmp_path: Path) -> Iterator[Bureau]:
    """Four clients, each with a team of its own, of one secretary."""
    made = Bureau.at(tmp_path, secretaries=4)
    made.bureau["teams"] = {name: {} for name in DIDS}
    made.clients = {"accueil": client("accueil", "+33199001009", message="unknown")}
    made.clients["accueil"]["rules"][0]["do"][1]["queue"]["team"] = "talk"
    for row, (name, did) in zip(made.bureau["secretaries"], DIDS.items(), strict=True):
        row["teams"] = {name: 1}
        steps = [play("message"), queue(team=name, ring_for="60s")]
        made.add(client(name, f"+33{did[1:]}", rules=[{"name": "open", "do": steps}]))
    made.write()
    yield made
    made.tidy()


class Arrivals:
    """A new caller every so often, for as long as the block lasts; each hangs up a second after the first sound, so
    that the ports for voice suffice however long the machine takes."""

    def __init__(self, line: SipLine) -> None:
        self._line = line
        self._waits: list[float] = []

    @property
    def count(self) -> int:
        """How many have come."""
        return len(self._waits)

    @property
    def waits(self) -> list[float]:
        """Seconds from each INVITE to the sound that followed it, shortest first."""
        return sorted(self._waits)

    @asynccontextmanager
    async def keep_coming(self) -> AsyncIterator[None]:
        """While the block runs; everybody has been heard to the end after it."""
        over = asyncio.Event()
        async with asyncio.TaskGroup() as tasks:
            coming = tasks.create_task(self._come(tasks, over))
            try:
                yield
            finally:
                over.set()
                await coming

    async def _come(self, tasks: asyncio.TaskGroup, over: asyncio.Event) -> None:
        for number in range(100):
            tasks.create_task(self._one(f"06399804{number:02d}"))
            await heard(over, EVERY)
            if over.is_set():
                return

    async def _one(self, number: str) -> None:
        began = time.monotonic()
        first = await self._line.invite(DIDS["arrive"], frm=f"<sip:{number}@operator.example>")
        sound = await self._line.wait_for(
            lambda m: m.call_id == first.call_id and (m.status or 0) > 180 and m.cseq_method == "INVITE"
        )
        assert sound.status == 183, (
            f"{number} got {sound.first_line} {sound.at - began:.1f} s after his INVITE"
        )
        self._waits.append(sound.at - began)
        await asyncio.sleep(1)
        self._line.end(sound)


async def called(phones: Phones, exchange: Exchange, name: str, number: str) -> Leg:
    """A caller of the client of that name."""
    return await phones.dial(exchange.bureau.uri(DIDS[name]), number, say=CALLER)


async def test_a_new_version_takes_over_and_no_call_notices(exchange: Exchange, measured: Measured) -> None:
    async with Phones() as phones, SipLine(exchange.bureau.sip) as line:
        lea, ines, chloe, _ = await all_at_work(phones, exchange.bureau)
        for name in ("chloe", "manon"):
            await exchange.cli("secretary", name, "pause", "lunch")
        talking = await called(phones, exchange, "talk", "0639980101")
        await lea.rings()
        await lea.answer()
        await talking.hears(VOICES[0])
        waiting = await called(phones, exchange, "wait", "0639980102")
        await waiting.hears(MUSIC)
        ringing = await called(phones, exchange, "ring", "0639980103")
        await ines.rings()
        before = await asked.status(exchange.bureau)

        arrivals, old = Arrivals(line), exchange.pid
        async with arrivals.keep_coming():
            code = await exchange.upgrade()

        assert code == 0
        assert exchange.pid != old
        after = await asked.status(exchange.bureau)
        assert {s["id"]: s["state"] for s in after["secretaries"]} == {
            s["id"]: s["state"] for s in before["secretaries"]
        }
        was = before["waiting"]
        assert [row for row in after["waiting"] if row["call"] in {w["call"] for w in was}] == was
        measured("upgrade: INVITE to message, the longest", arrivals.waits[-1], at_most=2.0)
        measured("upgrade: INVITE to message, half of them", arrivals.waits[arrivals.count // 2])
        # the phone that rang all the time is picked up, and who waits is served
        assert len(ines.calls) == 1
        await ines.answer()
        await ringing.hears(VOICES[1])
        await exchange.cli("secretary", "chloe", "resume")
        await chloe.rings()
        await chloe.answer()
        await waiting.hears(VOICES[2])
        await talking.hears(VOICES[0], for_seconds=0.8)
        broke = heard_without_a_gap(talking, waiting)
        measured("upgrade: a break in what they hear who talk and wait", broke, at_most=AUDIBLE)
        for leg in (talking, waiting, ringing):
            await leg.hangup()
        await exchange.finished_call(arrivals.count + 3)
    await oracle.nothing_is_left(exchange)
    await oracle.each_call_ended_once(exchange)
    outcomes = [call["outcome"] for call in await exchange.calls()]
    assert sorted(set(outcomes)) == ["abandoned", "served"], outcomes
    assert outcomes.count("served") == 3


async def test_the_old_one_serves_on_where_the_new_one_cannot_start(
    bureau: Bureau, start_exchange: Callable[..., Awaitable[Exchange]]
) -> None:
    # with nobody to take over from it is a start as any other
    exchange = await start_exchange(bureau, "--take-over")
    old = exchange.pid
    attempts = [
        ("AUTOCOM_DRAIN", "soon", "AUTOCOM_DRAIN"),
        ("AUTOCOM_RTP_PORTS", "20000-20099", "new Asterisk"),
    ]
    for setting, value, says in attempts:
        kept = bureau.settings.get(setting)
        bureau.settings[setting] = value
        done = await exchange.run("up", "--take-over")
        assert done.returncode == 1
        assert says in done.stderr
        del bureau.settings[setting]
        if kept is not None:
            bureau.settings[setting] = kept
    (bureau.config / "bureau.yaml").write_text("bureau: [")
    done = await exchange.run("up", "--take-over")
    assert done.returncode == 1
    assert re.search(r"bureau\.yaml:\d+:\d+: ", done.stderr)
    bureau.write()
    assert read_card(bureau.state).pid == old
    async with Phones() as phones:
        caller = await phones.dial(bureau.uri(DIDS["talk"]), "0639980101", say=CALLER)
        await caller.hears(440)


async def test_the_running_exchange_starts_its_successor_itself_and_names_it_to_its_supervisor(
    bureau: Bureau,
) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as supervisor:
        supervisor.bind(str(bureau.state / "notify"))
        supervisor.setblocking(False)
        bureau.settings["NOTIFY_SOCKET"] = str(bureau.state / "notify")
        async with Exchange(bureau) as exchange:
            old = exchange.pid
            said = await exchange.cli("upgrade")
            successor = read_card(bureau.state).pid
            try:
                assert successor != old
                assert str(successor) in said
                assert await exchange.ended(10) == 0
                assert (await exchange.status())["asterisk"]["state"] == "up"
                # no STOPPING=1: the unit goes on with another main process
                loop = asyncio.get_running_loop()
                async with asyncio.timeout(PATIENCE):  # the last one comes after the card that names it
                    told = [(await loop.sock_recv(supervisor, 100)).decode() for _ in range(3)]
                assert told == ["READY=1", f"MAINPID={successor}", "READY=1"]
            finally:
                os.kill(successor, signal.SIGTERM)
                await eventually(lambda: not exchange.left_running(), "nothing is left running")
