"""Run by alembic, from `autocom db …` and at start (`autocom.journal.migrate`), or by its own command
line with AUTOCOM_DATABASE_URL set. One transaction, one process at a time; nobody waits for a lock, or for a
server that is frozen, without end."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import sqlalchemy as sa
from alembic import context

from autocom.journal.database import LOCK_TIMEOUT_MS, normalise_url
from autocom.journal.tables import metadata

_LOCK = 0x6175746F  # "auto": this database's migrations

given = context.config.attributes.get("url")
engine = sa.create_engine(
    normalise_url(given or os.environ["AUTOCOM_DATABASE_URL"]),
    poolclass=sa.NullPool,
    connect_args={
        "connect_timeout": 3,
        "options": f"-c lock_timeout={LOCK_TIMEOUT_MS}",
        "application_name": "autocom migrations",
    },
)


@contextmanager
def cut_after(seconds: float | None, connection: sa.Connection) -> Iterator[None]:
    """A frozen server keeps no limit of its own: its connection is cut under whoever waits for it."""
    if seconds is None:
        yield
        return
    wire = socket.socket(fileno=os.dup(connection.connection.driver_connection.fileno()))

    def cut() -> None:
        with suppress(OSError):
            wire.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(seconds, cut)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        wire.close()


with engine.connect() as connection, cut_after(context.config.attributes.get("longest"), connection):
    context.configure(connection=connection, target_metadata=metadata, compare_type=True)
    with context.begin_transaction():
        # held until the end of the transaction: the second of two processes finds nothing left to do
        connection.execute(sa.text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        context.run_migrations()
    connection.commit()
