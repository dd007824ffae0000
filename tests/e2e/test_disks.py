"""A disk that refuses everything, and a PostgreSQL that takes nothing, while real callers talk.

The exchange's own files are limited while it runs (RLIMIT_FSIZE: what a full disk is to one process); PostgreSQL's
schema is locked for real. What callers hear decides, then the journal.
"""

from __future__ import annotations

import asyncio
import json
import re
import resource
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psutil
import psycopg
import pytest

from tests.support import PATIENCE, asked, oracle
from tests.support.bureau import CALLER, MUSIC, VOICES
from tests.support.exchange import Exchange
from tests.support.phones import Phones

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
    exchange: Exchange, kind: str, least: int = 1, within: float = 15.0
) -> list[dict[str, Any]]:
    """Of the house, from PostgreSQL, once there are so many."""
    url = json.loads((exchange.bureau.state / "service.json").read_text())["database"]
    question = "SELECT fields FROM events WHERE kind = %s ORDER BY seq"
    found: list[dict[str, Any]] = []
    async with asyncio.timeout(within):
        while len(found) < least:
            with psycopg.connect(url.replace("+psycopg", "")) as db:
                found = [row[0] for row in db.execute(question, (kind,)).fetchall()]
            await asyncio.sleep(0.1)
    return found


async def at_work(phones: Phones, exchange: Exchange) -> Any:
    account = exchange.bureau.secretaries[0]
    phone = await phones.secretary(
        account.id, account.password, exchange.bureau.sip, say=account.voice, answer_after=0.2
    )
    await asked.are(exchange.bureau, **{account.id: "free"})
    return phone


async def test_a_full_disk_costs_no_call_and_what_happened_is_written_once_there_is_room(
    exchange: Exchange,
) -> None:
    bureau = exchange.bureau
    async with Phones() as phones:
        lea = await at_work(phones, exchange)
        talking = await phones.dial(bureau.uri(DID), say=CALLER)
        await talking.hears(VOICES[0])
        with full_disk(exchange.pid):
            waiting = await phones.dial(bureau.uri(DID), "0639980102", say=CALLER)
            await waiting.hears(MUSIC)
            await talking.hears(VOICES[0], for_seconds=0.6)
            await talking.hangup()
            await waiting.hears(VOICES[0])
            await lea.call.hears(CALLER)
            await asyncio.sleep(2)  # long enough for the look at the log that is due every second
            third = await phones.dial(bureau.uri(DID), "0639980103")
            await third.hears(MUSIC)
            await waiting.hangup()
            await third.hears(VOICES[0])
        await third.hangup()
        await asked.are(bureau, lea="free")
        await exchange.finished_call(3, within=20)
    assert [call["outcome"] for call in await exchange.calls()] == ["served"] * 3
    faults = [f for f in await entries(exchange, "fault", 2) if f["fault"] == "disk_low"]
    assert [(f["where"], f["over"]) for f in faults] == [("journal.sqlite", False), ("journal.sqlite", True)]
    await oracle.each_call_ended_once(exchange)
    await oracle.nothing_is_left(exchange)


async def test_killed_while_the_disk_refuses_everything_the_next_start_takes_the_calls_over_and_says_what_is_missing(
    exchange: Exchange,
) -> None:
    bureau = exchange.bureau
    async with Phones() as phones:
        lea = await at_work(phones, exchange)
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


async def test_a_locked_schema_and_a_start_without_postgresql_cost_no_call(exchange: Exchange) -> None:
    bureau = exchange.bureau
    url = json.loads((bureau.state / "service.json").read_text())["database"].replace("+psycopg", "")
    async with Phones() as phones:
        lea = await at_work(phones, exchange)
        await asked.until(bureau, lambda s: s["database"]["state"] == "up", 20)
        with psycopg.connect(url) as admin:
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
            await asked.until(bureau, lambda s: s["database"]["state"] == "down", 10)
            async with asyncio.timeout(PATIENCE):
                while not re.search("database away|journal_database_away", exchange.output):
                    await asyncio.sleep(0.1)
            admin.rollback()
        await second.hangup()
        await asked.until(bureau, lambda s: s["database"]["state"] == "up", 20)
        await exchange.finished_call(2, within=20)
    assert [call["outcome"] for call in await exchange.calls()] == ["served", "served"]
    with sqlite3.connect(bureau.state / "journal.sqlite") as log:
        assert log.execute("SELECT count(*) FROM refused").fetchone() == (0,)
    log.close()
    await oracle.each_call_ended_once(exchange)


async def test_an_exchange_that_is_started_while_postgresql_is_frozen_takes_its_calls_over(
    exchange: Exchange,
) -> None:
    bureau = exchange.bureau
    async with Phones() as phones:
        await at_work(phones, exchange)
        caller = await phones.dial(bureau.uri(DID), say=CALLER)
        await caller.hears(VOICES[0])
        master = psutil.Process(
            int((bureau.state / "postgres" / "cluster" / "postmaster.pid").read_text().splitlines()[0])
        )
        frozen = [master, *master.children(recursive=True)]
        for process in frozen:
            process.suspend()
        try:
            await exchange.kill9()
            await exchange.start()
            assert "calls go on without it" in exchange.output
            await caller.hears(VOICES[0], for_seconds=0.6)
            await caller.hangup()
            await asked.are(bureau, lea="free")
        finally:
            for process in frozen:
                if process.is_running():
                    process.resume()
        await exchange.finished_call(within=30)
    assert [call["outcome"] for call in await exchange.calls()] == ["served"]
    await oracle.each_call_ended_once(exchange)
