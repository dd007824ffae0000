"""A real PostgreSQL for tests: one private server per test run, one fresh database per test."""

from __future__ import annotations

import contextlib
import itertools
import os
from collections.abc import Iterator
from pathlib import Path

import psycopg
import sqlalchemy as sa
from psycopg import sql

from autocom.journal import migrate
from autocom.journal.postgres import PrivatePostgres

_numbers = itertools.count(1)


@contextlib.contextmanager
def private_postgres(folder: Path) -> Iterator[PrivatePostgres]:
    """A server of its own under `folder`, stopped at the end."""
    server = PrivatePostgres(folder)
    server.start()
    try:
        yield server
    finally:
        server.stop()


@contextlib.contextmanager
def fresh_database(server: PrivatePostgres, *, migrated: bool = True) -> Iterator[str]:
    """The URL of a database that nobody else uses; it is dropped at the end if the server still runs."""
    name = f"test_{os.getpid()}_{next(_numbers)}"
    execute(server.url, sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    url = sa.make_url(server.url).set(database=name).render_as_string(hide_password=False)
    try:
        if migrated:
            migrate.upgrade(url)
        yield url
    finally:
        if server.running():
            execute(server.url, sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def execute(url: str, statement: sql.Composable | str) -> list[tuple[object, ...]]:
    """Run one statement outside of any transaction; its rows, if it has any."""
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        done = connection.execute(statement if isinstance(statement, sql.Composable) else sql.SQL(statement))
        return done.fetchall() if done.description else []
