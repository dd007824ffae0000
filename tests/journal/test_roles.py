"""Least privilege on the real PostgreSQL: the service works as a writer, reports as a reader, and neither can do more."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa
from psycopg import sql

from autocom.core.journal import Entry
from autocom.journal import migrate, queries, retention, roles
from autocom.journal.database import make_engine
from autocom.journal.log import LocalLog
from autocom.journal.postgres import PrivatePostgres
from autocom.journal.tables import metadata
from tests.support.postgres import execute
from tests.support.shipping import shipping

PASSWORD = "fiction"


def as_member(url: str, role: str) -> str:
    """The URL of a login that is nothing but a member of this role."""
    login = f"{role}_login"
    execute(
        url,
        f"""DO $$ BEGIN CREATE ROLE {login} LOGIN PASSWORD '{PASSWORD}' IN ROLE {role};
        EXCEPTION WHEN duplicate_object THEN NULL; END $$""",
    )
    return sa.make_url(url).set(username=login, password=PASSWORD).render_as_string(hide_password=False)


@pytest.fixture
def granted(url: str) -> str:
    roles.apply(url)
    roles.apply(url)  # once more changes nothing
    return url


@pytest.fixture
def writer(granted: str) -> str:
    return as_member(granted, roles.WRITER)


@pytest.fixture
def reader(granted: str) -> str:
    return as_member(granted, roles.READER)


def select(table: str, *columns: str) -> sql.Composable:
    """These columns of a table."""
    named = sql.SQL(", ").join(map(sql.Identifier, columns))
    return sql.SQL("SELECT {} FROM {}").format(named, sql.Identifier(table))


def refused(url: str, statement: str | sql.Composable) -> bool:
    """Whether PostgreSQL says that this is not allowed."""
    try:
        execute(url, statement)
    except psycopg.errors.InsufficientPrivilege:
        return True
    return False


def test_every_column_is_told_to_readers_or_kept_from_them_on_purpose() -> None:
    for table in metadata.sorted_tables:
        told, untold = roles.TOLD.get(table.name, ()), roles.UNTOLD.get(table.name, ())
        assert not set(told) & set(untold)
        if told:
            assert {*told, *untold} == set(table.columns.keys()), table.name
    assert set(metadata.tables) - set(roles.TOLD) == {"events"}


async def test_the_service_works_as_a_writer_where_the_owner_has_migrated(
    writer: str, granted: str, tmp_path: Path
) -> None:
    migrate.upgrade(writer)  # at every start: nothing is left to do, and nothing is refused
    log = LocalLog(tmp_path / "log.sqlite")
    engine = make_engine(writer)
    log.save(
        [
            Entry(1.0, "arrived", "c1", {"trunk": "operator", "channel": "x"}),
            Entry(
                1.1, "identified", "c1", {"client": "lilas", "did": "+33199001001", "caller": "+33639980101"}
            ),
            Entry(2.0, "ended", "c1", {"outcome": "abandoned"}),
            Entry(2.0, "secretary_state", None, {"secretary": "lea", "state": "free"}),
            Entry(2.0, "configuration", None, {"version": "v1", "author": "x"}),
        ]
    )
    async with shipping(log, engine) as shipper:
        assert await shipper.flush(10)
    assert [row["id"] for row in await queries.calls(engine)] == ["c1"]
    assert await retention.forget_calls(engine, {}, 1.0, 1_000_000.0) == {"lilas": 1}
    assert execute(granted, "SELECT count(*) FROM events WHERE call = 'c1'") == [(0,)]
    await engine.dispose()
    log.close()


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE evil (x int)",
        "DROP TABLE calls",
        "ALTER TABLE calls ADD COLUMN x int",
        "TRUNCATE events",
        "DELETE FROM config_versions",
        "DELETE FROM secretary_states",
        "UPDATE alembic_version SET version_num = '0000'",
        "CREATE ROLE evil",
        "ALTER TABLE calls DISABLE TRIGGER ALL",
        "COPY calls TO PROGRAM 'cat'",
        "SELECT pg_read_file('/etc/hostname')",
    ],
)
def test_a_writer_defines_nothing_and_removes_no_table(writer: str, statement: str) -> None:
    assert refused(writer, statement)


def test_a_reader_sees_calls_without_anybodys_number(reader: str) -> None:
    for table, columns in roles.TOLD.items():
        assert not refused(reader, select(table, *columns))
    for table, columns in roles.UNTOLD.items():
        for column in columns:
            assert refused(reader, select(table, column)), (table, column)
    for statement in (
        "SELECT * FROM calls", "SELECT fields FROM events", "SELECT 1 FROM events WHERE fields::text LIKE '%6%'",
        "SELECT id FROM calls ORDER BY caller", "SELECT id FROM calls WHERE caller LIKE '+33%'",
        "INSERT INTO clients (id, first_seen, last_seen) VALUES ('x', now(), now())", "DELETE FROM calls",
        "UPDATE calls SET client = 'x'", "CREATE TABLE evil (x int)", "DROP TABLE calls",
    ):  # fmt: skip
        assert refused(reader, statement), statement


def test_a_migration_needs_the_owner(postgres: PrivatePostgres, writer: str, granted: str) -> None:
    with pytest.raises(sa.exc.ProgrammingError, match=r"must be owner|permission denied"):
        migrate.downgrade(writer, "-1")
    assert migrate.current(granted) == migrate.newest()
