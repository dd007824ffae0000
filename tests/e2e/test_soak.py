"""A day compressed by load: faults of every kind at random, again and again, while callers come without a pause.

Every caller has his end and one record, nothing is left in Asterisk, and after the second half the process holds no
more memory, descriptors and tasks than after the first: both are looked at when the last caller is gone.
"""

from __future__ import annotations

import asyncio
import random
import re
import signal
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import psutil
import pytest

from tests.support import asked
from tests.support.bureau import Bureau
from tests.support.console import asterisk_says
from tests.support.exchange import Exchange
from tests.support.postgres import frozen
from tests.support.storm import Storm, ready

pytestmark = [pytest.mark.timeout(1800)]
AWAY = 3.0
"""Seconds for which something is frozen; longer where the whole is done."""


@pytest.fixture
def bureau(tmp_path: Path) -> Any:
    made = Bureau.at(tmp_path, secretaries=14)
    yield ready(made)
    made.tidy()


class Faults:
    """Each is done to the exchange and is over when it returns."""

    def __init__(self, exchange: Exchange, away: float) -> None:
        self.exchange, self.bureau, self.away = exchange, exchange.bureau, away
        self.lasting: list[Callable[[], Awaitable[None]]] = [
            self.frozen,
            self.database_frozen,
            self.ari_cut,
            self.ami_cut,
            self.reloaded,
        ]
        self.done: list[str] = []

    async def killed(self) -> None:
        """kill -9, and a supervisor."""
        await self.exchange.kill9()
        await self.exchange.start()

    async def frozen(self) -> None:
        """SIGSTOP of autocom."""
        self.exchange.send(signal.SIGSTOP)
        await asyncio.sleep(self.away)  # for so long it is frozen
        self.exchange.send(signal.SIGCONT)

    async def database_frozen(self) -> None:
        """SIGSTOP of every process of PostgreSQL."""
        with frozen(self.bureau.state / "postgres"):
            await asyncio.sleep(self.away)  # as above

    async def ari_cut(self) -> None:
        """Asterisk closes the socket of events."""
        said = await asterisk_says(self.bureau, "ari shutdown websocket sessions")
        assert "No such command" not in said, said

    async def ami_cut(self) -> None:
        """Asterisk ends every AMI session."""
        for session in re.findall(r"^\S+ +\S+ +\d+ +\d+ +(\d+) ", await self._sessions(), re.MULTILINE):
            await asterisk_says(self.bureau, f"manager kick session {session}")

    async def _sessions(self) -> str:
        return await asterisk_says(self.bureau, "manager show connected")

    async def reloaded(self) -> None:
        """Another priority for everybody's calls."""
        made = self.bureau.client("lilas")
        made["priority"] = 40 + (made.get("priority", 50) - 39) % 20
        self.bureau.write()
        await asked.reload(self.bureau)

    async def one_after_the_other(self, which: list[Callable[[], Awaitable[None]]], pause: float) -> None:
        for fault in which:
            await asyncio.sleep(pause)  # callers come
            await fault()
            self.done.append(getattr(fault, "__name__", ""))


@dataclass(frozen=True, slots=True)
class Held:
    """What the process holds. `rss`: megabytes."""

    rss: float
    descriptors: int
    tasks: int

    @classmethod
    async def by(cls, exchange: Exchange) -> Held:
        """With nobody on the line; the least of a few looks, since somebody may be asking something just now."""
        process, found = psutil.Process(exchange.pid), []
        for _ in range(5):
            async with (
                aiohttp.ClientSession() as http,
                http.get(f"http://{exchange.bureau.http}/metrics") as answer,
            ):
                tasks = re.search(r"^autocom_tasks ([0-9.]+)$", await answer.text(), re.MULTILINE)
            assert tasks is not None
            found.append((process.memory_info().rss / 1e6, process.num_fds(), int(float(tasks[1]))))
            await asyncio.sleep(0.5)  # the next look
        return cls(*(min(row[n] for row in found) for n in range(3)))


async def fullest_queue(bureau: Bureau) -> float:
    """Of Asterisk's taskprocessors since its start: the part of its limit that one came to. At 1 new calls are refused."""
    rows = (await asterisk_says(bureau, "core show taskprocessors")).splitlines()
    depths = [re.match(r"^\S+ +\d+ +\d+ +(\d+) +\d+ +(\d+)", row) for row in rows]
    found = [int(depth[1]) / int(depth[2]) for depth in depths if depth]
    assert len(found) > 10, rows[:5]
    return max(found)


@pytest.mark.fault("F45")
async def test_nothing_grows_and_no_call_is_lost_where_everything_fails_at_random(
    exchange: Exchange, measured: Any, rounds: Any
) -> None:
    dice = random.Random(7)
    faults = Faults(exchange, rounds(AWAY, 8.0))
    until = time.monotonic() + rounds(0, 1200)
    looks: list[Held] = []
    async with Storm(exchange.bureau, per_second=rounds(2.0, 3.0), talk=(1.0, 4.0), seed=7) as storm:
        await faults.one_after_the_other([faults.killed, *dice.sample(faults.lasting, 3)], 1.5)
        while True:
            await storm.drained()
            looks.append(await Held.by(exchange))
            if len(looks) > 1 and time.monotonic() > until:
                break
            storm.start()
            # the process that was looked at goes on: whoever is killed holds nothing
            for _ in range(rounds(1, 4)):
                lasting = dice.sample(faults.lasting, len(faults.lasting))
                await faults.one_after_the_other(lasting, rounds(1.0, 5.0))
        ledger = await storm.balance(exchange)
    first, last = looks[len(looks) // 2 - 1], looks[-1]
    measured("faults", len(faults.done), "")
    measured("calls", len(storm.callers), "")
    measured("served by the fallback", ledger.outcomes["fallback"], "")
    measured("memory, second half", last.rss - first.rss, "MB", at_most=rounds(25.0, 10.0))
    measured("memory, last", last.rss, "MB")
    assert last.descriptors <= first.descriptors + 4, looks
    assert last.tasks <= first.tasks + 4, looks
    measured("descriptors more", last.descriptors - first.descriptors, "")
    measured("tasks more", last.tasks - first.tasks, "")
    measured("fullest queue in Asterisk", await fullest_queue(exchange.bureau), "of its limit", at_most=0.9)
