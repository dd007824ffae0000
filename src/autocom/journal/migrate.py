"""Brings a database to the shape of `tables`, or back, with alembic, without its command line.

Must not know the tables themselves: the steps are in `migrations/versions`. Invariants: two
processes never migrate one database at once (an advisory lock, taken in `migrations/env.py`);
each run is one transaction. Everything here blocks: call it from a thread.
"""

from __future__ import annotations

import os
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

import autocom
from autocom.journal.database import CONNECT_TIMEOUT_S, normalise_url


def folder() -> Path:
    """Where the migrations are: inside the installed package, under AUTOCOM_HOME, or at the root of a
    checkout. Raises FileNotFoundError."""
    package = Path(autocom.__file__).resolve().parent
    roots: list[Path] = [package, package.parents[1]]
    if home := os.environ.get("AUTOCOM_HOME"):
        roots.insert(1, Path(home))
    for root in roots:
        if (root / "migrations" / "env.py").is_file():
            return root / "migrations"
    raise FileNotFoundError(f"no migrations beside {package}: AUTOCOM_HOME names the checkout they are in")


LONGEST_S = 600
"""Seconds that the steps to a revision may take together; a server that is frozen is given up after them."""


def upgrade(url: str, to: str = "head") -> None:
    """Migrate up to a revision. Raises sqlalchemy.exc.SQLAlchemyError where the database refuses, or where somebody
    else holds a lock for longer than `LOCK_TIMEOUT_MS`."""
    command.upgrade(_config(url), to)


def downgrade(url: str, to: str) -> None:
    """Migrate down to a revision, `-1` for one step, `base` for an empty database."""
    command.downgrade(_config(url), to)


def current(url: str) -> str | None:
    """The revision the database is at; None where it was never migrated."""
    engine = sa.create_engine(
        normalise_url(url), poolclass=sa.NullPool, connect_args={"connect_timeout": CONNECT_TIMEOUT_S}
    )
    with engine.connect() as connection:
        revision: str | None = MigrationContext.configure(connection).get_current_revision()
    return revision


def newest() -> str:
    """The revision that this code expects."""
    head = ScriptDirectory.from_config(_config(None)).get_current_head()
    if head is None:
        raise FileNotFoundError(f"no migrations in {folder()}")
    return head


def _config(url: str | None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(folder()).replace("%", "%%"))
    if url is not None:
        config.attributes["url"] = normalise_url(url)
        config.attributes["longest"] = LONGEST_S
    return config
