"""PostgreSQL in every bad state that is not death: slow, locked, read-only, closed to us, failed over.

Real servers are really put into these states. What counts is the same each time: nothing is lost, nothing is
doubled, and nobody but the shipper waits.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable, Iterator

import psycopg
import pytest
import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError
from structlog.testing import capture_logs

from autocom.core.journal import Entry
from autocom.journal import migrate
from autocom.journal.database import make_engine
from autocom.journal.log import LocalLog
from tests.support.eventually import eventually
from tests.support.failover import a_pair, port_of
from tests.support.postgres import execute
from tests.support.shipping import shipping
from tests.support.wire import Wire


def a_call(call: str, at: float = 1_764_000_000.0) -> list[Entry]:
    return [
        Entry(at, "arrived", call, {"trunk": "operator"}),
        Entry(at + 1, "bridged", call, {"secretary": "lea"}),
        Entry(at + 9, "talk_ended", call, {"secretary": "lea"}),
        Entry(at + 9, "ended", call, {"outcome": "served"}),
    ]


def stored(url: str) -> list[tuple[object, ...]]:
    return execute(url, 'SELECT "call", count(*) FROM events GROUP BY 1 ORDER BY 1')


async def outage(
    log: LocalLog,
    url: str,
    begin: Callable[[], object],
    end: Callable[[], object],
    *,
    ours: str | None = None,
) -> list[str]:
    """A call before, one during and one after; what was said of it."""
    engine = make_engine(ours or url)
    try:
        async with shipping(log, engine, linger=0) as shipper:
            log.save(a_call("c1"))
            assert await shipper.flush(10)
            with capture_logs() as said:
                await asyncio.to_thread(begin)
                began = time.monotonic()
                log.save(a_call("c2"))
                # not held up: the shortest limit of whatever waits for PostgreSQL is 3 s
                assert time.monotonic() - began < 2
                assert not await shipper.flush(0.3)
                await eventually(lambda: not shipper.connected, "the outage is noticed")
                log.save(a_call("c3"))
                await asyncio.to_thread(end)
                assert await shipper.flush(20)
    finally:
        await engine.dispose()
    assert stored(url) == [("c1", 4), ("c2", 4), ("c3", 4)]
    assert execute(url, "SELECT count(*) FROM calls WHERE outcome = 'served'") == [(3,)]
    assert log.refused() == []
    return [str(line["why"]) for line in said if line["event"] == "journal_database_away"]


@pytest.mark.fault("F17")
async def test_statements_that_take_for_ever_are_given_up_and_said_again(log, url):
    def slow() -> None:
        execute(
            url,
            "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(30); RETURN NEW; END $$",
        )
        execute(url, "CREATE TRIGGER slow BEFORE INSERT ON events FOR EACH ROW EXECUTE FUNCTION slow()")

    (why,) = await outage(log, url, slow, lambda: execute(url, "DROP TRIGGER slow ON events"))
    assert "statement timeout" in why


@pytest.mark.fault("F17")
async def test_a_schema_that_somebody_has_locked_is_an_outage_like_any_other(log, url):
    with psycopg.connect(url.replace("+psycopg", "")) as other:
        (why,) = await outage(
            log,
            url,
            lambda: other.execute("LOCK TABLE events, calls IN ACCESS EXCLUSIVE MODE"),
            other.rollback,
        )
    assert "lock timeout" in why


@pytest.mark.fault("F20")
async def test_a_server_that_became_read_only_is_left_for_its_successor(log, url):
    name = sa.make_url(url).database

    def frozen() -> None:
        execute(url, f"ALTER DATABASE {name} SET default_transaction_read_only = on")
        others(url)

    def thawed() -> None:
        elsewhere = sa.make_url(url).set(database="postgres").render_as_string(hide_password=False)
        execute(elsewhere, f"ALTER DATABASE {name} RESET ALL")

    # a session keeps what it was opened with, and answers every SELECT 1
    (why,) = await outage(log, url, frozen, thawed)
    assert "terminat" in why or "read-only" in why


def others(url: str) -> None:
    execute(
        url,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE pid <> pg_backend_pid() AND datname = current_database()",
    )


@pytest.fixture
def tenant(url: str) -> Iterator[str]:
    """The URL of a role of its own on that database."""
    made = sa.make_url(url)
    role = f"t_{made.database}"
    execute(url, f"CREATE ROLE {role} LOGIN PASSWORD 'first'")
    execute(url, f"GRANT ALL ON ALL TABLES IN SCHEMA public TO {role}")
    yield made.set(username=role, password="first").render_as_string(hide_password=False)
    others(url)
    execute(url, f"DROP OWNED BY {role}; DROP ROLE {role}")


async def test_a_password_that_was_changed_and_put_back_costs_no_fact(log, url, tenant):
    role = sa.make_url(tenant).username

    def changed() -> None:
        execute(url, f"ALTER ROLE {role} PASSWORD 'second'")
        others(url)

    (why,) = await outage(
        log, url, changed, lambda: execute(url, f"ALTER ROLE {role} PASSWORD 'first'"), ours=tenant
    )
    assert "second" not in why
    assert "first" not in why


async def test_a_server_with_no_connection_left_for_us_costs_no_fact(log, url, tenant):
    role = sa.make_url(tenant).username

    def full() -> None:
        execute(url, f"ALTER ROLE {role} CONNECTION LIMIT 0")
        others(url)

    (why,) = await outage(
        log, url, full, lambda: execute(url, f"ALTER ROLE {role} CONNECTION LIMIT -1"), ours=tenant
    )
    assert why


# --- migrations -------------------------------------------------------------------------------


def test_a_migration_gives_a_locked_schema_up_instead_of_waiting_behind_it(url):
    migrate.downgrade(url, "-1")
    with psycopg.connect(url.replace("+psycopg", "")) as other:
        other.execute("LOCK TABLE calls IN ACCESS EXCLUSIVE MODE")
        began = time.monotonic()
        with pytest.raises(SQLAlchemyError, match="lock timeout"):
            migrate.upgrade(url)
        assert time.monotonic() - began < 10
    migrate.upgrade(url)
    assert migrate.current(url) == migrate.newest()


def test_a_migration_on_a_server_that_answers_no_more_ends_with_its_connection(url, monkeypatch):
    monkeypatch.setattr(migrate, "LONGEST_S", 1.0)
    migrate.downgrade(url, "-1")
    execute(
        url,
        "CREATE FUNCTION hang() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(20); END $$",
    )
    execute(url, "CREATE EVENT TRIGGER hang ON ddl_command_start EXECUTE FUNCTION hang()")
    try:
        began = time.monotonic()
        with pytest.raises(SQLAlchemyError):
            migrate.upgrade(url)
        assert time.monotonic() - began < 10
    finally:
        execute(url, "SET event_triggers = off; DROP EVENT TRIGGER hang")
    assert not [t for t in threading.enumerate() if isinstance(t, threading.Timer)]


# --- failover ---------------------------------------------------------------------------------


async def until(what: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(20):
        while not await what():
            await asyncio.sleep(0.05)


@pytest.mark.fault("F20")
async def test_a_failover_to_a_standby_that_was_behind_loses_and_doubles_nothing(log, tmp_path):
    with a_pair(tmp_path) as (first, second):
        await asyncio.to_thread(migrate.upgrade, first.url)

        async def there() -> bool:
            return await asyncio.to_thread(migrate.current, second.url) == migrate.newest()

        await until(there)
        async with Wire(port_of(first)).open() as door:
            url = sa.make_url(first.url).set(port=door.port).render_as_string(hide_password=False)
            engine = make_engine(url)
            async with shipping(log, engine, linger=0, batch=10) as shipper:
                for n in range(50):
                    log.save(a_call(f"a{n:02}"))
                assert await shipper.flush(20)

                async def followed() -> bool:
                    return len(await asyncio.to_thread(stored, second.url)) == 50

                await until(followed)
                # the standby loses touch, the first one goes on, and then it fails
                execute(second.url, "ALTER SYSTEM SET primary_conninfo = ''")
                execute(second.url, "SELECT pg_reload_conf()")

                async def alone() -> bool:
                    return execute(second.url, "SELECT count(*) FROM pg_stat_wal_receiver") == [(0,)]

                await until(alone)
                for n in range(30):
                    log.save(a_call(f"b{n:02}"))
                assert await shipper.flush(20)
                execute(first.url, "ALTER SYSTEM SET default_transaction_read_only = on")
                execute(first.url, "SELECT pg_reload_conf()")
                for n in range(30):
                    log.save(a_call(f"c{n:02}"))
                assert not await shipper.flush(1.0)
                execute(second.url, "SELECT pg_promote(false)")

                async def promoted() -> bool:
                    return execute(second.url, "SELECT pg_is_in_recovery()") == [(False,)]

                await until(promoted)
                behind = len(stored(second.url))
                door.target = port_of(second)
                assert await shipper.flush(20)
            await engine.dispose()
            await eventually(lambda: not door.open_links, "everybody went")
            found = stored(second.url)
    assert behind < 80, "it had lost its last moments"
    assert [row[0] for row in found] == [
        f"{letter}{n:02}" for letter, most in (("a", 50), ("b", 30), ("c", 30)) for n in range(most)
    ]
    assert {row[1] for row in found} == {4}
