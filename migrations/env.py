"""Run by alembic, from `autocom db …` and at start (`autocom.journal.migrate`), or by its own command
line with AUTOCOM_DATABASE_URL set. One transaction, one process at a time."""

from __future__ import annotations

import os

import sqlalchemy as sa
from alembic import context

from autocom.journal.database import normalise_url
from autocom.journal.tables import metadata

_LOCK = 0x6175746F  # "auto": this database's migrations

given = context.config.attributes.get("url")
engine = sa.create_engine(
    normalise_url(given or os.environ["AUTOCOM_DATABASE_URL"]),
    poolclass=sa.NullPool,
    connect_args={"connect_timeout": 3, "application_name": "autocom migrations"},
)

with engine.connect() as connection:
    context.configure(connection=connection, target_metadata=metadata, compare_type=True)
    with context.begin_transaction():
        # held until the end of the transaction: the second of two processes finds nothing left to do
        connection.execute(sa.text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        context.run_migrations()
    connection.commit()
