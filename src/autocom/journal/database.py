"""Where PostgreSQL is and how it is spoken to: the URL in our spelling, engines with our limits.

Must not know what is stored there. Invariant: nothing waits for PostgreSQL longer than its
limits say, so a server that is frozen looks like one that is away.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

STATEMENT_TIMEOUT_MS = 5_000
LOCK_TIMEOUT_MS = 3_000
IDLE_TIMEOUT_MS = 30_000
CONNECT_TIMEOUT_S = 3
DEAD_AFTER_MS = 10_000
"""After which a connection whose other end takes nothing any more counts as lost (TCP_USER_TIMEOUT)."""

_DRIVERS = ("postgres", "postgresql", "postgresql+psycopg", "postgresql+psycopg2", "postgresql+asyncpg")


def normalise_url(url: str) -> str:
    """The same database by our driver: `postgres://`, `postgresql://`, `+psycopg2` and `+asyncpg`
    become `postgresql+psycopg://`. ValueError for anything else; the message never shows the password."""
    try:
        parsed = sa.make_url(url.strip())
    except sa.exc.ArgumentError:
        raise ValueError(
            "the database URL cannot be read; expected postgresql://user:password@host/name"
        ) from None
    if parsed.drivername not in _DRIVERS:
        raise ValueError(f"the database must be PostgreSQL, not {parsed.drivername!r}")
    query = dict(parsed.query)
    if "ssl" in query:  # asyncpg's word for libpq's sslmode
        query.setdefault("sslmode", query.pop("ssl"))
    return parsed.set(drivername="postgresql+psycopg", query=query).render_as_string(hide_password=False)


def make_engine(url: str, *, pool_size: int = 2) -> AsyncEngine:
    """An engine for `url` in any spelling. The caller owns it and disposes of it."""
    return create_async_engine(
        normalise_url(url),
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=2.0,
        pool_pre_ping=True,
        hide_parameters=True,  # callers' numbers do not belong into messages
        connect_args={
            "connect_timeout": CONNECT_TIMEOUT_S,
            "tcp_user_timeout": DEAD_AFTER_MS,
            # the last: of a transaction that we were killed in, a frozen machine would keep the locks for ever
            "options": f"-c statement_timeout={STATEMENT_TIMEOUT_MS} -c lock_timeout={LOCK_TIMEOUT_MS} "
            f"-c idle_in_transaction_session_timeout={IDLE_TIMEOUT_MS} -c timezone=UTC",
            "application_name": "autocom",
        },
    )
