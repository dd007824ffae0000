"""A disk that refuses everything, and a PostgreSQL that takes nothing, while real callers talk.

The exchange's own files are limited while it runs (RLIMIT_FSIZE: what a full disk is to one process); PostgreSQL's
schema is locked for real. What callers hear decides, then the journal.
"""

from __future__ import annotations

import asyncio
import re
import resource
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest

from tests.support import PATIENCE, asked, oracle
from tests.support.bureau import CALLER, MUSIC, VOICES
from tests.support.eventually import eventually
from tests.support.exchange import Exchange
from tests.support.fault_matrix import Measured
from tests.support.phones import Phones
from tests.support.postgres import frozen
from tests.support.staff import at_work

pytestmark = [pytest.mark.timeout(120)]
DID = "0199001001"
NO_LIMIT = resource.RLIM_INFINITY


@contextmanager
def full_disk(pid: int) -> Iterator[None]:
    """No file of this process grows any more; its first block may be written over, as on a disk."""
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (4096, NO_LIMIT))
    try:
        yield
    finally:
        if psutil.pid_exists(pid):
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (NO_LIMIT, NO_LIMIT))


async def entries(
    exchange: Exchange, kind: str, least: int = 1, within: float = PATIENCE, **fields: str
) -> list[dict[str, Any]]:
    """Of the house, with these fields, from PostgreSQL, once there are so many."""
    question = "SELECT fields FROM events WHERE kind = %s ORDER BY seq"
    found: list[dict[str, Any]] = []
    async with asyncio.timeout(within):
        while len(found) < least:
            with psycopg.connect(asked.database(exchange.bureau)) as db:
                rows = [row[0] for row in db.execute(question, (kind,)).fetchall()]
            found = [row for row in rows if fields.items() <= row.items()]
            await asyncio.sleep(0.1)
    return found


@pytest.mark.fault("F19")
async def test_a_full_disk_costs_no_call_and_what_happened_is_written_once_there_is_room(
    exchange: Exchange,
    measured: Measured,
) -> None:
    bureau = exchange.bureau
    async with Phones() as phones:
        lea = await at_work(phones, bureau, answer_after=0.2)
        talking = await phones.dial(bureau.uri(DID), say=CALLER)
        await talking.hears(VOICES[0])
        with full_disk(exchange.pid):
            full = time.monotonic()
            await asked.until(bureau, lambda s: "disk_low" in {alert["alert"] for alert in s["alerts"]})
            measured("the disk refuses: told after", time.monotonic() - full, at_most=5.0)
            waiting = await phones.dial(bureau.uri(DID), "0639980102", say=CALLER)
            await waiting.hears(MUSIC)
            await talking.hears(VOICES[0], for_seconds=0.6)
            await talking.hangup()
            await waiting.hears(VOICES[0])
            await lea.call.hears(CALLER)
            third = await phones.dial(bureau.uri(DID), "0639980103")
            await third.hears(MUSIC)
            await waiting.hangup()
            await third.hears(VOICES[0])
        await third.hangup()
        await asked.are(bureau, lea="free")
        await exchange.finished_call(3, within=20)
    assert [call["outcome"] for call in await exchange.calls()] == ["served"] * 3
    faults = await entries(exchange, "fault", 2, fault="disk_low")
    assert [(f["where"], f["over"]) for f in faults] == [("journal.sqlite", False), ("journal.sqlite", True)]
    await oracle.each_call_ended_once(exchange)
    await oracle.nothing_is_left(exchange)


@pytest.mark.fault("F19")
async def test_killed_while_the_disk_refuses_everything_the_next_start_takes_the_calls_over_and_says_what_is_missing(
    exchange: Exchange,
) -> None:
    bureau = exchange.bureau
    async with Phones() as phones:
        lea = await at_work(phones, bureau, answer_after=0.2)
        talking = await phones.dial(bureau.uri(DID), say=CALLER)
        await talking.hears(VOICES[0])
        waiting = await phones.dial(bureau.uri(DID), "0639980102", say=CALLER)
        await waiting.hears(MUSIC)
        with full_disk(exchange.pid):
            unknown = await phones.dial(bureau.uri(DID), "0639980103", say=CALLER)
            await unknown.hears(MUSIC)
            await exchange.kill9()
        await exchange.start()
        await talking.hears(VOICES[0], for_seconds=0.6)
        await waiting.hears(MUSIC)
        await talking.hangup()
        await waiting.hears(VOICES[0])
        await lea.call.hears(CALLER)
        await waiting.hangup()
        if unknown.close_reason is None:
            await unknown.hangup()
        await asked.are(bureau, lea="free")
    (gap,) = await entries(exchange, "gap")
    assert gap["why"] == "killed"
    assert gap["facts"] > 3
    outcomes = {call["caller"][-2:]: call["outcome"] for call in await exchange.calls()}
    assert (outcomes["01"], outcomes["02"]) == ("served", "served")
    await oracle.nothing_is_left(exchange)


@pytest.mark.fault("F17")
async def test_a_locked_schema_and_a_start_without_postgresql_cost_no_call(exchange: Exchange) -> None:
    bureau = exchange.bureau
    async with Phones() as phones:
        lea = await at_work(phones, bureau, answer_after=0.2)
        await asked.until(bureau, lambda s: s["database"]["state"] == "up", 20)
        with psycopg.connect(asked.database(bureau)) as admin:
            admin.execute("LOCK TABLE events, calls, alembic_version IN ACCESS EXCLUSIVE MODE")
            caller = await phones.dial(bureau.uri(DID), say=CALLER)
            await caller.hears(VOICES[0])
            # killed meanwhile, it starts without what it may not read
            await exchange.kill9()
            await exchange.start()
            assert exchange.ready_after < 10
            await caller.hears(VOICES[0], for_seconds=0.6)
            second = await phones.dial(bureau.uri(DID), "0639980102", say=CALLER)
            await second.hears(MUSIC)
            await caller.hangup()
            await second.hears(VOICES[0])
            await lea.call.hears(CALLER)
            await asked.until(bureau, lambda s: s["database"]["state"] == "down")
            await eventually(
                lambda: re.search("database away|journal_database_away", exchange.output), "it is in the log"
            )
            admin.rollback()
        await second.hangup()
        await asked.until(bureau, lambda s: s["database"]["state"] == "up", 20)
        await exchange.finished_call(2, within=20)
    assert [call["outcome"] for call in await exchange.calls()] == ["served", "served"]
    with sqlite3.connect(bureau.state / "journal.sqlite") as log:
        assert log.execute("SELECT count(*) FROM refused").fetchone() == (0,)
    log.close()
    await oracle.each_call_ended_once(exchange)


@pytest.mark.fault("F17")
async def test_an_exchange_that_is_started_while_postgresql_is_frozen_takes_its_calls_over(
    exchange: Exchange,
) -> None:
    bureau = exchange.bureau
    async with Phones() as phones:
        await at_work(phones, bureau, answer_after=0.2)
        caller = await phones.dial(bureau.uri(DID), say=CALLER)
        await caller.hears(VOICES[0])
        with frozen(bureau.state / "postgres"):
            await exchange.kill9()
            await exchange.start()
            assert "calls go on without it" in exchange.output
            await caller.hears(VOICES[0], for_seconds=0.6)
            await caller.hangup()
            await asked.are(bureau, lea="free")
        await exchange.finished_call(within=30)
    assert [call["outcome"] for call in await exchange.calls()] == ["served"]
    await oracle.each_call_ended_once(exchange)


@pytest.mark.fault("F40")
async def test_without_a_descriptor_left_calls_go_on_new_ones_too_and_the_alarm_comes_first(
    exchange: Exchange, measured: Any, rounds: Any
) -> None:
    bureau = exchange.bureau
    burst = rounds(6, 12)
    itself = psutil.Process(exchange.pid)
    async with Phones() as phones:
        await at_work(phones, bureau, answer_after=0.2)
        talking = await phones.dial(bureau.uri(DID), say=CALLER)
        await talking.hears(VOICES[0])
        log = len(exchange.output)
        with few_descriptors(exchange, 24):
            await asked.until(bureau, lambda s: "descriptors_low" in {a["alert"] for a in s["alerts"]}, 20)
        with few_descriptors(exchange, 0):
            busy, began = sum(itself.cpu_times()[:2]), time.monotonic()
            callers = [await phones.dial(bureau.uri(DID), f"06399802{n:02}") for n in range(burst)]
            await asyncio.gather(*(caller.hears(MUSIC) for caller in callers))
            await talking.hears(VOICES[0], for_seconds=0.6)
            await asyncio.sleep(rounds(3, 20))  # how busy it is meanwhile is what is asked
            lasted = time.monotonic() - began
            measured("processor taken", 100 * (sum(itself.cpu_times()[:2]) - busy) / lasted, "%", at_most=30)
            written = len(exchange.output) - log
            measured("log a second", written / lasted, "bytes", at_most=5000)
        assert itself.is_running()
        for leg in (talking, *callers):
            await leg.hangup()
        await asked.are(bureau, lea="free")
        await exchange.finished_call(burst + 1, within=30)
    await asked.until(bureau, lambda s: s["database"]["state"] == "up", 20)
    await oracle.each_call_ended_once(exchange)
    await oracle.nothing_is_left(exchange)


@contextmanager
def few_descriptors(exchange: Exchange, more: int) -> Iterator[None]:
    """It may open so many more, and has as many as it has."""
    taken = len(list(Path(f"/proc/{exchange.pid}/fd").iterdir()))
    _, most = resource.prlimit(exchange.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(exchange.pid, resource.RLIMIT_NOFILE, (taken + more, most))
    try:
        yield
    finally:
        if psutil.pid_exists(exchange.pid):
            resource.prlimit(exchange.pid, resource.RLIMIT_NOFILE, (most, most))
