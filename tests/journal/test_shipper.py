from __future__ import annotations

import asyncio
import os
import signal

from structlog.testing import capture_logs

from autocom.core.journal import Entry
from autocom.core.record import project
from autocom.journal import migrate, queries, store
from autocom.journal.database import make_engine
from autocom.journal.log import LocalLog
from autocom.journal.shipper import Shipper
from tests.support.postgres import execute, fresh_database
from tests.support.shipping import shipping


def a_call(call: str, at: float = 1_764_000_000.0) -> list[Entry]:
    return [
        Entry(at, "arrived", call, {"trunk": "operator", "channel": "1.1"}),
        Entry(
            at + 0.1,
            "identified",
            call,
            {"client": "cab-lilas", "name": "Cabinet des Lilas", "did": "+33199001001"},
        ),
        Entry(at + 0.2, "queued", call, {"team": "medical"}),
        Entry(at + 0.3, "ringing", call, {"secretary": "lea"}),
        Entry(at + 4, "bridged", call, {"secretary": "lea"}),
        Entry(at + 64, "talk_ended", call, {"secretary": "lea"}),
        Entry(at + 64, "ended", call, {"outcome": "served"}),
    ]


def count(url: str, table: str = "events") -> int:
    return int(str(execute(url, f"SELECT count(*) FROM {table}")[0][0]))  # noqa: S608


async def test_what_was_saved_is_in_postgresql_after_a_flush(log, engine, url):
    async with shipping(log, engine) as shipper:
        log.save(a_call("c1"))
        assert await shipper.flush(10)

    assert log.backlog() == 0
    assert (count(url), count(url, "calls"), count(url, "segments")) == (7, 1, 3)
    assert shipper.lag() == (0, None)


async def test_facts_saved_before_the_shipper_began_are_shipped_as_well(log, engine, url):
    log.save(a_call("c1"))
    async with shipping(log, engine) as shipper:
        assert await shipper.flush(10)

    assert count(url) == 7


async def test_a_flush_of_nothing_is_done_at_once_even_without_a_shipper(log, engine):
    assert await Shipper(log, engine).flush(0.01)


async def test_a_call_that_goes_on_is_a_row_that_follows_it(log, engine):
    async with shipping(log, engine) as shipper:
        for entry in a_call("c1"):
            log.save([entry])
            assert await shipper.flush(10)
            found = await queries.call(engine, "c1")
            assert found is not None
            assert (found["outcome"] is None) == (entry.kind != "ended")
            assert (found["secretary"] is None) == (entry.at < a_call("c1")[4].at)


async def test_a_batch_delivered_again_changes_nothing(log, engine, url):
    async with shipping(log, engine) as shipper:
        log.save([*a_call("c1"), Entry(5.0, "secretary_state", None, {"secretary": "lea", "state": "free"})])
        assert await shipper.flush(10)
        before = await queries.call(engine, "c1")
        log.shipped(0)  # as if we had been killed before noting the commit
        log.save(a_call("c2"))
        assert await shipper.flush(10)

    assert (count(url), count(url, "secretary_states"), count(url, "calls")) == (15, 1, 2)
    assert await queries.call(engine, "c1") == before


async def test_two_shippers_on_one_log_store_every_fact_once(log, engine, url):
    async with shipping(log, engine, batch=3) as one, shipping(log, engine, batch=5) as other:
        for n in range(40):
            log.save(a_call(f"c{n}"))
        assert await one.flush(20)
        assert await other.flush(20)

    assert (count(url), count(url, "calls")) == (280, 40)


async def test_a_large_backlog_goes_in_many_batches_in_order(log, engine, url):
    for n in range(300):
        log.save(a_call(f"c{n:03}", 1_764_000_000.0 + n))
    async with shipping(log, engine, batch=100) as shipper:
        assert await shipper.flush(30)

    assert (count(url), count(url, "calls")) == (2100, 300)
    assert execute(url, "SELECT count(*) FROM calls WHERE outcome = 'served' AND wait_ms = 4000") == [(300,)]


async def test_a_secretarys_states_a_configuration_and_the_clients_seen_have_tables_of_their_own(
    log, engine, url
):
    files = {"bureau.yaml": "bureau: {}"}
    async with shipping(log, engine) as shipper:
        log.save(
            [
                Entry(
                    1.0,
                    "configuration",
                    None,
                    {"version": "v1", "author": "file", "clients": 1, "content": files},
                ),
                Entry(
                    2.0, "secretary_state", None, {"secretary": "lea", "state": "paused", "reason": "lunch"}
                ),
                Entry(3.0, "secretary_state", None, {"odd": True}),
                Entry(4.0, "configuration", None, {"version": "v2"}),
                Entry(9.0, "configuration", None, {"version": "v1", "author": "again", "content": files}),
                Entry(10.0, "identified", "c0", {"client": "cab-lilas"}),
            ]
        )
        log.save([*a_call("c1", 100.0), *a_call("c2", 50.0), *a_call("c3", 70.0)])
        assert await shipper.flush(10)

    assert execute(url, "SELECT secretary, state, reason FROM secretary_states") == [
        ("lea", "paused", "lunch")
    ]
    versions = "SELECT version, author, extract(epoch FROM loaded_at)::int, content FROM config_versions ORDER BY version"
    assert execute(url, versions) == [("v1", "file", 1, files), ("v2", None, 4, {"version": "v2"})]
    seen = "SELECT id, name, extract(epoch FROM first_seen)::float8, extract(epoch FROM last_seen)::float8 FROM clients"
    assert execute(url, seen) == [("cab-lilas", "Cabinet des Lilas", 10.0, 100.1)]


HOSTILE = "'; DROP TABLE events; -- \0 \ud83d ${EXTEN} \U0001f469 \x1b[31m" + "x" * 8192


async def test_hostile_text_is_stored_as_text_and_stops_nothing(log, engine, url):
    async with shipping(log, engine) as shipper:
        log.save(
            [
                Entry(1.0, "arrived", "c1", {"trunk": HOSTILE}),
                Entry(2.0, "identified", "c1", {HOSTILE: HOSTILE, "x": float("nan")}),
            ]
        )
        assert await shipper.flush(10)

    assert log.refused() == []
    found = await queries.call(engine, "c1")
    assert found is not None
    assert found["trunk"] == HOSTILE.replace("\0", "\ufffd").replace("\ud83d", "\ufffd")


async def test_a_fact_that_postgresql_will_never_take_is_set_aside_and_the_others_pass(log, engine, url):
    async with shipping(log, engine) as shipper:
        with capture_logs() as said:
            log.save([*a_call("c1"), Entry(1e17, "quality", "c1", {"caller": "+33639980101"}), *a_call("c2")])
            assert await shipper.flush(10)

    assert count(url) == 14
    assert [seq for seq, _ in log.refused()] == [8]
    assert [line["event"] for line in said] == ["journal_fact_refused"]
    assert "+33639980101" not in str(said)


async def test_a_fact_against_a_rule_of_the_database_is_set_aside_without_naming_the_caller(log, engine, url):
    execute(url, "ALTER TABLE events ADD CONSTRAINT no_steps CHECK (kind <> 'step')")
    async with shipping(log, engine) as shipper:
        with capture_logs() as said:
            log.save([Entry(1.0, "step", "c1", {"caller": "+33639980101"}), *a_call("c2")])
            assert await shipper.flush(10)

    assert count(url) == 7
    assert "no_steps" in log.refused()[0][1]
    assert "+33639980101" not in str(said)


async def test_a_fact_that_our_own_rules_stumble_over_is_set_aside_and_the_others_pass(
    log, engine, url, monkeypatch
):
    def odd(call, entries):
        if call == "c2":
            raise KeyError("secretary")
        return project(call, entries)

    monkeypatch.setattr(store, "project", odd)
    async with shipping(log, engine) as shipper:
        log.save([*a_call("c1"), Entry(1.0, "step", "c2", {}), *a_call("c3")])
        assert await shipper.flush(10)
        log.save(a_call("c4"))
        assert await shipper.flush(10)

    assert count(url) == 21
    assert log.refused() == [(8, "KeyError: 'secretary'")]


async def test_a_damaged_row_of_the_local_log_is_set_aside_and_the_others_pass(log, engine, url):
    log.save([*a_call("c1"), *a_call("c2")])
    log._db.execute('UPDATE entries SET fields = \'{"caller": "+336\' WHERE seq IN (3, 4, 14)')
    async with shipping(log, engine, batch=2) as shipper:
        with capture_logs() as said:
            assert await shipper.flush(10)

    assert count(url) == 11
    assert [seq for seq, _ in log.refused()] == [3, 4, 14]
    assert [line["event"] for line in said] == ["journal_fact_refused"] * 3
    assert "+336" not in str(said)
    assert Shipper(log, engine).lag() == (0, None)


async def test_a_database_without_our_tables_is_an_outage_that_ends_with_the_migration(log, postgres):
    with fresh_database(postgres, migrated=False) as url:
        engine = make_engine(url)
        async with shipping(log, engine) as shipper:
            with capture_logs() as said:
                log.save(a_call("c1"))
                assert not await shipper.flush(0.3)
                assert not shipper.connected
                await asyncio.to_thread(migrate.upgrade, url)
                assert await shipper.flush(10)
        await engine.dispose()
        assert count(url) == 7
    assert [line["event"] for line in said] == ["journal_database_away", "journal_database_back"]


async def test_a_database_that_lost_its_last_moments_gets_them_again(log, engine, url):
    async with shipping(log, engine) as shipper:
        log.save(a_call("c1"))
        log.save(a_call("c2"))
        assert await shipper.flush(10)
    execute(url, "DELETE FROM events WHERE seq > 9")  # as after a failover to a standby that was behind
    execute(url, "DELETE FROM calls WHERE id = 'c2'")
    async with shipping(log, engine) as shipper:
        log.save(a_call("c3"))
        assert await shipper.flush(10)

    assert (count(url), count(url, "calls")) == (21, 3)


async def test_an_empty_database_gets_only_what_is_new(log, engine, postgres):
    async with shipping(log, engine) as shipper:
        log.save(a_call("c1"))
        assert await shipper.flush(10)
    with fresh_database(postgres) as other:
        other_engine = make_engine(other)
        async with shipping(log, other_engine) as shipper:
            log.save(a_call("c2"))
            assert await shipper.flush(10)
        await other_engine.dispose()

        assert execute(other, "SELECT id FROM calls") == [("c2",)]


async def test_a_lagging_shipper_tells_how_much_and_since_when(log, engine, url):
    shipper = Shipper(log, engine)
    log.save(a_call("c1", 500.0))

    assert shipper.lag() == (7, 500.0)
    assert not await shipper.flush(0.05)


async def test_postgresql_killed_and_restarted_during_shipping_loses_and_doubles_nothing(log, own_server):
    server, url = own_server
    engine = make_engine(url)
    async with shipping(log, engine, linger=0, batch=20) as shipper:
        with capture_logs() as said:
            for n in range(60):
                log.save(a_call(f"a{n}"))
            await shipper.flush(0.05)  # somewhere in the middle
            status = server._status()
            assert status is not None
            os.kill(status.pid, signal.SIGQUIT)  # immediate shutdown: as a crash
            for n in range(60):
                log.save(a_call(f"b{n}"))
            assert not await shipper.flush(0.5)
            assert not shipper.connected
            assert log.backlog() >= 420
            await asyncio.to_thread(server.start)
            assert await shipper.flush(30)
            assert shipper.connected
    await engine.dispose()

    assert (count(url), count(url, "calls")) == (840, 120)
    assert execute(url, "SELECT count(*) FROM calls WHERE outcome = 'served'") == [(120,)]
    assert [line["event"] for line in said if line["event"].startswith("journal")] == [
        "journal_database_away",
        "journal_database_back",
    ]


async def test_a_frozen_postgresql_is_an_outage_like_any_other(log, own_server):
    server, url = own_server
    engine = make_engine(url)
    async with shipping(log, engine, linger=0, patience=0.5) as shipper:
        log.save(a_call("c1"))
        assert await shipper.flush(10)
        frozen = [
            int(str(row[0]))
            for row in execute(
                url,
                "SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database()",
            )
        ]
        status = server._status()
        assert status is not None
        with capture_logs() as said:
            for pid in (*frozen, status.pid):
                os.kill(pid, signal.SIGSTOP)
            try:
                log.save(a_call("c2"))
                assert not await shipper.flush(1)
            finally:
                for pid in (*frozen, status.pid):
                    os.kill(pid, signal.SIGCONT)
            assert await shipper.flush(20)
    await engine.dispose()

    assert (count(url), count(url, "calls")) == (14, 2)
    assert [line["event"] for line in said] == ["journal_database_away", "journal_database_back"]


async def test_a_service_that_starts_without_postgresql_ships_when_it_comes(log, own_server):
    server, url = own_server
    server.stop()
    engine = make_engine(url)
    async with shipping(log, engine) as shipper:
        log.save(a_call("c1"))
        assert not await shipper.flush(0.3)
        await asyncio.to_thread(server.start)
        assert await shipper.flush(20)
    await engine.dispose()

    assert count(url) == 7


async def test_cancelling_a_shipper_in_the_middle_leaves_a_log_that_can_go_on(log, engine, url, tmp_path):
    for n in range(100):
        log.save(a_call(f"c{n:02}"))
    for _ in range(5):
        async with shipping(log, engine, batch=10) as shipper:
            await shipper.flush(0.02)
    again = LocalLog(log.path)
    async with shipping(again, engine) as shipper:
        assert await shipper.flush(20)
    again.close()

    assert (count(url), count(url, "calls")) == (700, 100)
