"""PostgreSQL stopped, on a full disk of its own, failed over to another server: callers notice nothing (F16, F18, F20).

Real servers in real trouble. Afterwards every call stands in the journal once, with every fact of it once.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from autocom.journal.postgres import PrivatePostgres
from tests.support import asked, oracle, storm
from tests.support.bureau import MUSIC, Bureau
from tests.support.exchange import Exchange
from tests.support.failover import a_pair, port_of
from tests.support.phones import Phones
from tests.support.postgres import execute, private_postgres
from tests.support.wire import Wire

pytestmark = [pytest.mark.timeout(150)]
DID = "0199001001"


async def call(phones: Phones, bureau: Bureau, last: int) -> float:
    """A caller who hears his music and goes; seconds until then."""
    caller = await phones.dial(bureau.uri(DID), f"06399801{last:02}")
    heard = await caller.hears(MUSIC)
    await caller.hangup()
    return heard


@contextmanager
def full_tables(bureau: Bureau) -> Iterator[None]:
    """The server refuses every event as it does where its disk is full (53100). A disk that really is cannot be had
    without root, and limits on its files (RLIMIT_FSIZE) hold until the next page is pruned."""
    with psycopg.connect(asked.database(bureau), autocommit=True) as db:
        db.execute(
            "CREATE FUNCTION disk_full() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            "RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = '53100'; END $$"
        )
        db.execute(
            "CREATE TRIGGER disk_full BEFORE INSERT ON events FOR EACH ROW EXECUTE FUNCTION disk_full()"
        )
        try:
            yield
        finally:
            db.execute("DROP TRIGGER disk_full ON events")


def alerts(url: str) -> set[tuple[str, str]]:
    with psycopg.connect(url) as db:
        rows = db.execute("SELECT fields FROM events WHERE kind = 'alert'").fetchall()
    return {(row[0]["alert"], row[0]["state"]) for row in rows if "state" in row[0]}


async def complete(exchange: Exchange, url: str, calls: int) -> None:
    """Each call once, each fact once, and nothing set aside."""
    await exchange.finished_call(calls, within=60)  # only then has the last one's end been written at all
    await asked.until(
        exchange.bureau, lambda s: s["database"] == {"state": "up", "behind": 0, "behind_since": None}, 60
    )
    with psycopg.connect(url) as db:
        (stored,) = db.execute("SELECT count(*) FROM calls").fetchone() or (0,)
        twice = db.execute(
            'SELECT "call", kind, at FROM events WHERE "call" IS NOT NULL GROUP BY "call", kind, at, fields HAVING count(*) > 1'
        ).fetchall()
        ended = db.execute("SELECT count(*) FROM events WHERE kind = 'ended' GROUP BY \"call\"").fetchall()
    assert (stored, twice, ended) == (calls, [], [(1,)] * calls)


@pytest.mark.fault("F18")
async def test_postgresqls_own_disk_is_full(exchange: Exchange, measured: Any) -> None:
    bureau = exchange.bureau
    async with Phones() as phones:
        before = await call(phones, bureau, 1)
        await exchange.finished_call(1)
        with full_tables(bureau):
            during = [await call(phones, bureau, 2)]
            await asked.until(bureau, lambda s: s["database"]["state"] == "down", 20)
            during.append(await call(phones, bureau, 3))
            await asked.until(bureau, lambda s: "database_down" in {a["alert"] for a in s["alerts"]}, 20)
            during.append(await call(phones, bureau, 4))
        room = time.monotonic()
        await complete(exchange, asked.database(bureau), 4)
        measured("caught up", time.monotonic() - room, "s", at_most=60)
    measured("a call's music is later by", max(during) - before, "s", at_most=0.5)
    assert ("database_down", "raised") in alerts(asked.database(bureau))
    await oracle.each_call_ended_once(exchange)
    await oracle.nothing_is_left(exchange)


@pytest.mark.fault("F20")
async def test_postgresql_fails_over_to_another_server(bureau: Bureau, tmp_path: Path, measured: Any) -> None:
    with a_pair(tmp_path) as (first, second):
        await _failed_over(bureau, first, second, measured)


async def _failed_over(
    bureau: Bureau, first: PrivatePostgres, second: PrivatePostgres, measured: Any
) -> None:
    async with Wire(port_of(first)).open() as door:
        bureau.settings["AUTOCOM_DATABASE_URL"] = (
            sa.make_url(first.url).set(port=door.port).render_as_string(hide_password=False)
        )
        async with Exchange(bureau) as exchange, Phones() as phones:
            await call(phones, bureau, 1)
            await exchange.finished_call(1)
            execute(first.url, "ALTER SYSTEM SET default_transaction_read_only = on")
            execute(first.url, "SELECT pg_reload_conf()")
            await call(phones, bureau, 2)
            await asked.until(bureau, lambda s: s["database"]["state"] == "down", 20)
            await asyncio.to_thread(first.stop)
            await call(phones, bureau, 3)
            execute(second.url, "SELECT pg_promote(true)")
            door.target = port_of(second)
            turned = time.monotonic()
            await call(phones, bureau, 4)
            await complete(exchange, second.url.replace("+psycopg", ""), 4)
            measured("caught up", time.monotonic() - turned, "s", at_most=60)
            await oracle.each_call_ended_once(exchange)
            await oracle.nothing_is_left(exchange)


def late(delays: list[float]) -> float:
    """So late are 19 of 20 at most; seconds."""
    return delays[int(0.95 * (len(delays) - 1))]


@pytest.mark.fault("F16")
@pytest.mark.timeout(1200)
async def test_postgresql_is_stopped_under_load(tmp_path: Path, measured: Any, rounds: Any) -> None:
    bureau = storm.ready(Bureau.at(tmp_path / "bureau", secretaries=8))
    with private_postgres(tmp_path / "server") as server:
        async with Wire(port_of(server)).open() as door:
            bureau.settings["AUTOCOM_DATABASE_URL"] = (
                sa.make_url(server.url).set(port=door.port).render_as_string(hide_password=False)
            )
            async with Exchange(bureau) as exchange:
                load = storm.Storm(bureau, per_second=3.0, talk=(1.0, 3.0), seed=16, patience=(8.0, 12.0))
                async with load:
                    await asyncio.sleep(rounds(6.0, 200.0))
                    stopped = time.time()
                    await asyncio.to_thread(server.stop)
                    await asyncio.sleep(rounds(8.0, 600.0))
                    status = await asked.until(
                        bureau,
                        lambda s: (
                            s["database"]["state"] == "down"
                            and "database_down" in {alert["alert"] for alert in s["alerts"]}
                        ),
                    )
                    measured("facts in the local log alone", status["database"]["behind"], "")
                    log = sum(file.stat().st_size for file in bureau.state.glob("journal.sqlite*"))
                    measured("the local log", log / 2**20, "MB", at_most=200)
                    back = time.time()
                    await asyncio.to_thread(server.start)
                    door.target = port_of(server)
                    await asked.until(bureau, lambda s: s["database"]["behind"] == 0, 90)
                    measured("caught up", time.time() - back, at_most=60)
                    await load.drained()
                    await load.balance(exchange)
    before, during = load.delays(until=stopped), load.delays(stopped, back)
    measured("calls meanwhile", sum(c.dialogue.at["invite"] > stopped for c in load.callers.values()), "")
    measured("INVITE in to INVITE out, 95 of 100, before", late(before))
    measured("the same without PostgreSQL, later by", late(during) - late(before), at_most=rounds(1.0, 0.01))
