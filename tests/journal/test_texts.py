"""Texts on a real PostgreSQL: stored again and again, listed, found, forgotten in time."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from autocom import text_room
from autocom.core.texts import Arrival, Attachment, Incoming, Outgoing
from autocom.forgetting import TEXTS_OF_NOBODY, forget_texts
from autocom.journal import retention, texts
from autocom.journal.database import make_engine
from tests.support.exchange_in_memory import Bench, MemoryJournal, client, configuration
from tests.support.postgres import execute
from tests.texts.office import Phones
from tests.texts.test_spool import RECORD

NOW = 1_790_000_000.0
DAY = 86400.0
PICTURE = Attachment("ab" * 32, "image/png", 216)


def came(name: str = "ti1", *, at: float = NOW, who: str = "lilas", **fields: object) -> Incoming:
    made = Incoming(
        name, "4F7K2M", "op", who, "Bonjour 🙂\0\ud800", at, at + DAY, did="+33199001001", peer="+33639980101"
    )
    return replace(made, **fields)  # type: ignore[arg-type]


def went(name: str = "to1", *, at: float = NOW, who: str | None = "lilas", **fields: object) -> Outgoing:
    made = Outgoing(name, "9ABCDE", "op", who, "+33261912010", "+33639980101", "Oui", at, at + DAY, since=at)
    return replace(made, **fields)  # type: ignore[arg-type]


async def test_a_text_is_one_row_however_often_it_is_stored(engine):
    await asyncio.gather(*(texts.store(engine, came()) for _ in range(5)))
    await texts.store(engine, came(shown=("lea",), attachments=(PICTURE,)))
    await texts.store(engine, came(shown=("lea",), attachments=(PICTURE,), answered="lea"))
    (row,) = await texts.listed(engine)
    assert row["body"] == "Bonjour 🙂��"
    assert (row["state"], row["secretary"], row["shown"]) == ("answered", "lea", ["lea"])
    assert row == texts.as_told(came(shown=("lea",), attachments=(PICTURE,), answered="lea"))
    assert await texts.attachments(engine) == {PICTURE.digest}


async def test_the_newest_come_first_and_each_is_found_by_id_and_reference(engine):
    for number in range(3):
        await texts.store(engine, came(f"ti{number}", at=NOW + number))
    await texts.store(engine, went(who="keller", state="failed", error="no such number"))
    await texts.store(engine, went("to2", who=None))
    assert [row["id"] for row in await texts.listed(engine, client="lilas", limit=2)] == ["ti2", "ti1"]
    assert [row["id"] for row in await texts.found(engine, "4F7K2M")] == ["ti2", "ti1", "ti0"]
    (row,) = await texts.found(engine, "to1")
    assert (row["state"], row["failure"], row["direction"]) == ("failed", "no such number", "out")
    assert await texts.found(engine, "4F7K2M' OR 1=1 --") == []


async def test_what_is_over_is_forgotten_by_each_clients_own_time(engine, monkeypatch):
    monkeypatch.setattr(retention, "AT_ONCE", 2)
    lilas = client("lilas", "+33199001001", retention_texts=DAY)
    keller = client("keller", "+33199001002", retention_texts=10 * DAY)
    bureau = configuration(lilas, keller)
    for number in range(5):
        await texts.store(engine, came(f"old{number}", at=NOW - 2 * DAY))
        await texts.store(engine, came(f"kept{number}", at=NOW - 2 * DAY, who="keller"))
    await texts.store(engine, came("young"))
    await texts.store(engine, went("bureau", who=None, at=NOW - TEXTS_OF_NOBODY - 1))
    await texts.store(engine, went("gone", who="closed-down", at=NOW - TEXTS_OF_NOBODY + 60))
    told = MemoryJournal()
    await forget_texts(engine, told, NOW, bureau)
    left = {row["id"] for row in await texts.listed(engine)}
    assert left == {"young", "gone", *(f"kept{number}" for number in range(5))}
    assert sorted((e.fields["client"], e.fields["texts"]) for e in told.entries) == [("", 1), ("lilas", 5)]


async def test_a_database_that_is_away_loses_nothing_and_says_nothing(engine, postgres):
    from autocom.journal.database import make_engine
    from autocom.text_room import PostgresLibrary

    away = make_engine("postgresql+psycopg://nobody:x@127.0.0.1:1/none")
    library = PostgresLibrary(away)
    assert await library.store(came()) is False
    assert await library.listed(None, 5) == []
    assert await library.found("x") == []
    assert await library.attachments() is None
    told = MemoryJournal()
    await forget_texts(away, told, NOW, configuration())
    assert told.entries == []
    await away.dispose()
    library = PostgresLibrary(engine)
    assert await library.store(came()) is True
    assert [row["id"] for row in await library.listed("lilas", 5)] == ["ti1"]


@pytest.mark.parametrize("state", ["queued", "sent", "delivered", "failed"])
def test_states_are_those_of_the_text(state):
    assert texts.as_told(went(state=state))["state"] == state


async def test_a_frozen_postgresql_is_away_like_any_other(own_server):
    server, url = own_server
    engine = make_engine(url)
    library = text_room.PostgresLibrary(engine, patience=0.5)
    assert await library.store(came())
    found = execute(
        url,
        "SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database()",
    )
    status = server._status()
    assert status is not None
    pids = [*(int(str(row[0])) for row in found), status.pid]
    with capture_logs() as said:
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        try:
            async with asyncio.timeout(20):
                assert not await library.store(came("ti2"))
                assert await library.listed(None, 10) == []
                assert await library.found("ti1") == []
                assert await library.attachments() is None
        finally:
            for pid in pids:
                os.kill(pid, signal.SIGCONT)
    assert [line["event"] for line in said] == ["texts cannot be stored or read now"]
    assert await library.store(came("ti2"))
    assert len(await library.listed(None, 10)) == 2
    await engine.dispose()


async def test_a_part_of_the_room_that_crashes_is_begun_anew_and_ends_nothing_else(
    engine, tmp_path, monkeypatch
):
    monkeypatch.setattr(text_room, "ANEW", 0.05)
    folder = text_room.spool_folder(tmp_path)
    folder.parent.mkdir()
    folder.write_text("a file where the spool would be")
    bureau = configuration(client("lilas", "+33199001001"))
    bench = Bench(bureau)
    bench.start()
    assert bench.switchboard is not None
    phones, board = Phones(), bench.switchboard
    made = text_room.Texts(tmp_path, bench.journal, bench.clock, phones, board, engine, lambda: bureau)
    task = asyncio.ensure_future(made.run())
    made.room.reception.received(Arrival("op", "+33199001001", "+33639980101", "Bonjour", message="1"))
    async with asyncio.timeout(10):
        while not await texts.listed(engine):
            await asyncio.sleep(0.05)
    assert not task.done()
    folder.unlink()
    async with asyncio.timeout(10):
        while not folder.is_dir():
            await asyncio.sleep(0.05)
    (folder / "1.json").write_text(json.dumps({**RECORD, "kind": "trunk", "extension": "+33199001001"}))
    async with asyncio.timeout(10):
        while len(made.room.ledger.all()) < 2:
            await asyncio.sleep(0.05)
    task.cancel()
    await asyncio.wait([task])
    await bench.kill()
