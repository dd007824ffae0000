"""What a PostgreSQL in trouble costs a call: nothing, side by side.

    .venv/bin/python bench/postgres_away.py [--calls 400] [--rounds 4] [--minutes 0] [--only frozen,locked]

One `autocom up`, one call after the other: in each round some are placed while PostgreSQL is well, and as many
while it is frozen (SIGSTOP), locked (ACCESS EXCLUSIVE), slow (every insert takes 10 s), read-only or stopped. Measured:
INVITE in to INVITE out; "well to itself" is the same ratio of two halves of the good calls: the noise. `--minutes`: how
long each trouble stands in every round before its calls are measured, with calls all the while, so that a backlog
grows. Exit code 1 where p95 grows by more than a tenth (and 1 ms), or a call is missing.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import os
import signal
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import aiohttp
import psutil
import psycopg

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench import scenarios
from bench.engines import PLAIN, Autocom, bureau_to_measure
from bench.latency import p50, p95
from bench.scenarios import Room, milliseconds
from bench.sip import Call
from tests.support.exchange import Exchange

MORE = 1.10
FLOOR_MS = 1.0
TALK_S = 0.3
CATCH_UP_S = 60.0


def postmaster(state: Path) -> psutil.Process:
    return psutil.Process(
        int((state / "postgres" / "cluster" / "postmaster.pid").read_text().splitlines()[0])
    )


@contextmanager
def frozen(state: Path, _url: str) -> Iterator[None]:
    processes = [postmaster(state), *postmaster(state).children(recursive=True)]
    for process in processes:
        process.suspend()
    try:
        yield
    finally:
        for process in processes:
            process.resume()


@contextmanager
def locked(_state: Path, url: str) -> Iterator[None]:
    with psycopg.connect(url) as admin:
        admin.execute("LOCK TABLE events, calls, segments IN ACCESS EXCLUSIVE MODE")
        yield
        admin.rollback()


@contextmanager
def slow(_state: Path, url: str) -> Iterator[None]:
    def say(*statements: str) -> None:
        with psycopg.connect(url, autocommit=True) as admin:
            for statement in statements:
                admin.execute(statement.encode())

    say(
        "CREATE OR REPLACE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN PERFORM pg_sleep(10); RETURN NEW; END $$",
        "CREATE TRIGGER slow BEFORE INSERT ON events FOR EACH ROW EXECUTE FUNCTION slow()",
    )
    try:
        yield
    finally:
        say("DROP TRIGGER slow ON events")


@contextmanager
def read_only(_state: Path, url: str) -> Iterator[None]:
    def turn(word: str) -> None:
        with psycopg.connect(url, autocommit=True, options="-c default_transaction_read_only=off") as admin:
            admin.execute(f"ALTER SYSTEM SET default_transaction_read_only = {word}".encode())
            admin.execute("SELECT pg_reload_conf()")

    turn("on")
    try:
        yield
    finally:
        turn("off")


@contextmanager
def stopped(state: Path, _url: str) -> Iterator[None]:
    """Killed, with its program out of the keeper's reach."""
    settings = state / "postgres" / "cluster" / "PG_VERSION"
    aside = settings.with_name("PG_VERSION.aside")
    settings.rename(aside)
    master = postmaster(state)
    master.send_signal(signal.SIGQUIT)
    master.wait(20)
    try:
        yield
    finally:
        aside.rename(settings)


TROUBLES: dict[str, Callable[[Path, str], contextmanager]] = {  # type: ignore[type-arg]
    "frozen": frozen,
    "locked": locked,
    "slow": slow,
    "read_only": read_only,
    "stopped": stopped,
}


class Measured:
    """One exchange, and how many calls it was given."""

    def __init__(self, exchange: Exchange, room: Room) -> None:
        self.exchange, self.room, self.calls = exchange, room, 0
        self.state = exchange.bureau.state
        card = json.loads((self.state / "service.json").read_text())
        self.url = card["database"].replace("+psycopg", "")

    async def some(self, count: int) -> list[float]:
        """One after the other; a talk is long enough for a machine that is busy with other things."""
        room, loop = self.room, asyncio.get_running_loop()
        legs: asyncio.Queue[Call] = asyncio.Queue()
        for phone in room.phones:
            phone.media = room.sink.port
        room.operator.media = room.sink.port

        def pick_up(leg: Call) -> None:
            assert leg.phone is not None
            leg.phone.answer(leg)

        def ring(leg: Call) -> None:
            legs.put_nowait(leg)
            loop.call_later(scenarios.RINGS, pick_up, leg)

        room.when_invited(ring)
        found: list[float] = []
        for _ in range(count):
            caller = room.operator.dial(PLAIN)
            async with asyncio.timeout(scenarios.PATIENCE):
                leg = await legs.get()
                found.append(milliseconds(caller.marks["invite"], leg.marks["invite"]))
                await caller.picked_up.wait()
            await asyncio.sleep(TALK_S)
            room.operator.bye(caller)
            async with asyncio.timeout(scenarios.PATIENCE):
                await leg.ended.wait()
            await asyncio.sleep(scenarios.SETTLE)
        await room.quiet()
        self.calls += count
        return found

    async def behind(self) -> int:
        told = json.loads(await self.exchange.cli("status", "--json"))
        return int(told["database"]["behind"]) if told["database"]["state"] == "up" else -1

    async def caught_up(self) -> float:
        began = time.monotonic()
        while await self.behind() != 0:
            if time.monotonic() - began > CATCH_UP_S:
                raise AssertionError(f"not caught up after {CATCH_UP_S:.0f} s")
            await asyncio.sleep(0.2)
        return time.monotonic() - began

    def stored(self) -> tuple[int, int, int]:
        """Calls, calls that were served, and facts that are there twice."""
        with psycopg.connect(self.url) as db:
            calls, served = db.execute(
                "SELECT count(*), count(*) FILTER (WHERE outcome = 'served') FROM calls"
            ).fetchone() or (0, 0)
            twice = db.execute(
                'SELECT count(*) FROM (SELECT 1 FROM events WHERE "call" IS NOT NULL '
                'GROUP BY "call", kind, at, fields HAVING count(*) > 1) AS twice'
            ).fetchone() or (0,)
        return calls, served, twice[0]


async def one(measured: Measured, name: str, calls: int, rounds: int, minutes: float) -> bool:
    well: list[float] = []
    ill: list[float] = []
    backlog, catching = 0, 0.0
    share = max(1, calls // rounds)
    for _ in range(rounds):
        well += await measured.some(share)
        with TROUBLES[name](measured.state, measured.url):
            until = time.monotonic() + minutes * 60
            while time.monotonic() < until:
                await measured.some(10)
            ill += await measured.some(share)
            backlog = max(backlog, log_entries(measured.state))
        catching = max(catching, await measured.caught_up())
    stored, served, twice = measured.stored()
    ratio = p95(ill) / p95(well)
    noise = p95(well[::2]) / p95(well[1::2])
    complete = (stored, served, twice) == (measured.calls, measured.calls, 0)
    holds = (ratio <= MORE or p95(ill) - p95(well) <= FLOOR_MS) and complete
    print(
        f"{name:10} {p50(well):7.1f} {p95(well):7.1f} {p50(ill):7.1f} {p95(ill):7.1f} {ratio:7.3f} {noise:7.3f}   "
        f"{backlog:6} facts waited, caught up in {catching:4.1f} s; {stored} of {measured.calls} calls, {twice} facts twice: "
        f"{'met' if holds else 'MISSED'}",
        flush=True,
    )
    return holds


def log_entries(state: Path) -> int:
    with sqlite3.connect(f"file:{state / 'journal.sqlite'}?mode=ro", uri=True) as log:
        found = log.execute("SELECT count(*) FROM entries, log WHERE seq > shipped").fetchone()[0]
    log.close()
    return int(found)


async def run(calls: int, rounds: int, minutes: float, only: set[str], command: Path) -> bool:
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        bureau = bureau_to_measure(Path(folder))
        async with Exchange(bureau, command=command) as exchange, aiohttp.ClientSession() as session:
            async with Room(Autocom(exchange, session), bureau.secretaries) as room:
                await exchange.free()
                gc.collect()
                gc.freeze()
                gc.disable()
                measured = Measured(exchange, room)
                await measured.some(20)  # pools, caches, the first look at every file
                print(
                    f"{'ms, INVITE':10} {'well':>7} {'':7} {'trouble':>7} {'':7} {'ratio':>7} {'well to':>7}"
                )
                print(
                    f"{'to INVITE':10} {'p50':>7} {'p95':>7} {'p50':>7} {'p95':>7} {'of p95':>7} {'itself':>7}",
                    flush=True,
                )
                held = [
                    await one(measured, name, calls, rounds, minutes)
                    for name in TROUBLES
                    if not only or name in only
                ]
            return all(held)


def some_troubles(text: str) -> set[str]:
    """A misspelt one would measure nothing, and well."""
    names = set(text.split(","))
    if unknown := names - TROUBLES.keys():
        raise argparse.ArgumentTypeError(f"{', '.join(sorted(unknown))}: choose from {', '.join(TROUBLES)}")
    return names


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--calls", type=int, default=400, help="of each kind: well, and in trouble")
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--minutes", type=float, default=0.0)
    parser.add_argument(
        "--only", type=some_troubles, default=set(), help="comma-separated: " + ",".join(TROUBLES)
    )
    parser.add_argument("--command", type=Path, default=Path(sys.executable).with_name("autocom"))
    given = parser.parse_args()
    began = time.monotonic()
    held = asyncio.run(run(given.calls, given.rounds, given.minutes, given.only, given.command))
    print(f"{given.calls} calls of a kind, {time.monotonic() - began:.0f} s, load {os.getloadavg()[0]:.1f}")
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
