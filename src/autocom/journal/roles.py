"""Database roles with least privilege: the SQL that makes them, from the tables themselves.

Whoever runs the migrations owns the tables. `autocom_writer` is what the service needs while it runs: rows in its own
tables, no definition, no removal of a table. `autocom_reader` is for reports: columns without a number or a name of
anybody outside, and none of the facts, whose fields may hold any. Both log nobody in: a login of yours is made their
member. Must not know who connects. Invariant: a column that nobody thought of is not told to readers, and a test
compares the list with the tables.
"""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

from autocom.journal.database import CONNECT_TIMEOUT_S, normalise_url
from autocom.journal.tables import metadata

WRITER: Final = "autocom_writer"
READER: Final = "autocom_reader"

DELETED: Final = frozenset({"calls", "events", "segments", "texts"})
"""Tables from which the service removes rows: retention, and segments that are computed anew."""

TOLD: Final[dict[str, tuple[str, ...]]] = {
    "calls": (
        "id", "node", "client", "did", "anonymous", "forward_reason", "rule", "config_version", "trunk", "flags",
        "arrived_at", "answered_at", "queued_at", "bridged_at", "ended_at", "secretary", "outcome", "cause",
        "wait_ms", "talk_ms", "offers", "direction", "result",
    ),
    "segments": ("call", "position", "node", "kind", "start", "end", "secretary"),
    "secretary_states": ("log", "seq", "node", "at", "secretary", "state", "reason", "call"),
    "clients": ("id", "name", "first_seen", "last_seen"),
    "config_versions": ("version", "node", "author", "loaded_at"),
    "texts": ("id", "node", "direction", "client", "provider", "state", "at", "state_at", "secretary", "parts"),
}  # fmt: skip
"""What readers see."""

UNTOLD: Final[dict[str, tuple[str, ...]]] = {
    "calls": ("caller", "forwarded_from"),
    "config_versions": ("content",),
    "texts": (
        "reference", "number", "peer", "sender", "body", "discreet", "author", "answers", "failure", "flags",
        "attachments", "shown",
    ),
}  # fmt: skip
"""What they do not see, of the tables of which they see something."""


def statements(schema: str = "public") -> list[str]:
    """SQL to be run by the owner of the tables, as often as one likes; after each migration once more."""
    where = _quoted(schema)
    made = [
        f"DO $$ BEGIN CREATE ROLE {role} NOLOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$"
        for role in (WRITER, READER)
    ]
    made += [
        f"REVOKE CREATE ON SCHEMA {where} FROM PUBLIC",
        *(f"REVOKE ALL ON ALL TABLES IN SCHEMA {where} FROM {role}" for role in (WRITER, READER)),
        f"GRANT USAGE ON SCHEMA {where} TO {WRITER}, {READER}",
        # which migration the database is at: asked at every start
        f"GRANT SELECT ON {where}.alembic_version TO {WRITER}",
    ]
    for table in metadata.sorted_tables:
        rights = "SELECT, INSERT, UPDATE" + (", DELETE" if table.name in DELETED else "")
        made.append(f"GRANT {rights} ON {where}.{_quoted(table.name)} TO {WRITER}")
        if table.name in TOLD:
            columns = ", ".join(_quoted(column) for column in TOLD[table.name])
            made.append(f"GRANT SELECT ({columns}) ON {where}.{_quoted(table.name)} TO {READER}")
    return made


def apply(url: str) -> None:
    """Run them, all or none. Raises what the database raises; blocks."""
    engine = sa.create_engine(
        normalise_url(url), poolclass=sa.NullPool, connect_args={"connect_timeout": CONNECT_TIMEOUT_S}
    )
    with engine.begin() as connection:
        for statement in statements():
            connection.exec_driver_sql(statement)


def _quoted(name: str) -> str:
    """One of our own names, which are plain words; `end` and `call` are also PostgreSQL's."""
    return f'"{name}"'
