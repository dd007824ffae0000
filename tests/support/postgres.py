"""A real PostgreSQL for tests: one private server per test run, one fresh database per test."""

from __future__ import annotations

import contextlib
import itertools
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import psutil
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


def processes(folder: Path) -> list[int]:
    """Of the server whose cluster lies below, the postmaster first."""
    (pid_file,) = folder.rglob("postmaster.pid")
    master = psutil.Process(int(pid_file.read_text().splitlines()[0]))
    return [master.pid, *(child.pid for child in master.children(recursive=True))]


def signal_all(pids: list[int], number: signal.Signals) -> None:
    """The same signal to each that is there."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


@contextlib.contextmanager
def frozen(folder: Path) -> Iterator[None]:
    """It stands still meanwhile."""
    pids = processes(folder)
    signal_all(pids, signal.SIGSTOP)
    try:
        yield
    finally:
        signal_all(pids, signal.SIGCONT)
