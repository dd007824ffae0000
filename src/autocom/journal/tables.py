"""The tables of PostgreSQL: facts, and what is computed from them.

`events` holds every fact once, under (log, seq): the uuid of the local log that took it and its
number there. `calls` and `segments` are computed from a call's events by `core.record` and may be
recomputed at any time; `secretary_states`, `clients` and `config_versions` are read off single
facts. `texts` is stored by whoever sends and shows them (`journal.texts`). Must not know how the other
rows come here (`shipper`). Invariant: this file and `migrations/` describe the same database; a test compares them. Instants are `timestamptz` with milliseconds, UTC.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP, UUID

from autocom.core.record import ABANDON_CAUSES, DIRECTIONS, OUTCOMES, SEGMENT_KINDS

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _instant() -> TIMESTAMP:
    return TIMESTAMP(timezone=True, precision=3)


def _one_of(column: str, words: tuple[str, ...]) -> str:
    return f"{column} IN ({', '.join(repr(w) for w in words)})"


events = sa.Table(
    "events",
    metadata,
    sa.Column("log", UUID(as_uuid=True), primary_key=True),
    sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("node", sa.Text, nullable=False),
    sa.Column("call", sa.Text(collation="C")),
    sa.Column("at", _instant(), nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("fields", JSONB, nullable=False),
    sa.Index(None, "call", "at", "log", "seq"),
    sa.Index(None, "at"),
)

calls = sa.Table(
    "calls",
    metadata,
    # "C": a prefix of an id is a range of the primary key, whatever the database's locale
    sa.Column("id", sa.Text(collation="C"), primary_key=True),
    sa.Column("node", sa.Text, nullable=False),
    sa.Column("client", sa.Text),
    sa.Column("did", sa.Text),
    sa.Column("caller", sa.Text),
    sa.Column("anonymous", sa.Boolean, nullable=False),
    sa.Column("forwarded_from", sa.Text),
    sa.Column("forward_reason", sa.Text),
    sa.Column("rule", sa.Text),
    sa.Column("config_version", sa.Text),
    sa.Column("trunk", sa.Text),
    sa.Column("flags", JSONB, nullable=False),
    sa.Column("arrived_at", _instant(), nullable=False),
    sa.Column("answered_at", _instant()),
    sa.Column("queued_at", _instant()),
    sa.Column("bridged_at", _instant()),
    sa.Column("ended_at", _instant()),
    sa.Column("secretary", sa.Text),
    sa.Column("outcome", sa.Text),
    sa.Column("cause", sa.Text),
    sa.Column("wait_ms", sa.BigInteger),
    sa.Column("talk_ms", sa.BigInteger, nullable=False),
    sa.Column("offers", sa.Integer, nullable=False),
    sa.Column("direction", sa.Text, nullable=False, server_default="in"),
    sa.Column("result", sa.Text),
    sa.CheckConstraint(_one_of("direction", DIRECTIONS), name="direction"),
    sa.CheckConstraint(_one_of("outcome", OUTCOMES), name="outcome"),
    sa.CheckConstraint(
        f"outcome <> 'abandoned' OR (cause IS NOT NULL AND {_one_of('cause', ABANDON_CAUSES)})",
        name="abandon_cause",
    ),
    sa.CheckConstraint("(outcome IS NULL) = (ended_at IS NULL)", name="ended"),
    sa.CheckConstraint("NOT anonymous OR caller IS NULL", name="withheld"),
    sa.Index(None, "arrived_at", "id"),
    sa.Index(None, "client", "arrived_at", "id"),
    sa.Index(None, "secretary", "arrived_at"),
    sa.Index("ix_calls_open", "arrived_at", postgresql_where=sa.text("ended_at IS NULL")),
)

segments = sa.Table(
    "segments",
    metadata,
    sa.Column(
        "call", sa.Text(collation="C"), sa.ForeignKey("calls.id", ondelete="CASCADE"), primary_key=True
    ),
    sa.Column("position", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("node", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("start", _instant(), nullable=False),
    sa.Column("end", _instant()),
    sa.Column("secretary", sa.Text),
    sa.CheckConstraint(_one_of("kind", SEGMENT_KINDS), name="kind"),
    sa.CheckConstraint('"end" >= start', name="forward"),
    sa.Index(None, "secretary", "start"),
)

secretary_states = sa.Table(
    "secretary_states",
    metadata,
    sa.Column("log", UUID(as_uuid=True), primary_key=True),
    sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("node", sa.Text, nullable=False),
    sa.Column("at", _instant(), nullable=False),
    sa.Column("secretary", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("reason", sa.Text),
    sa.Column("call", sa.Text(collation="C")),
    sa.Index(None, "secretary", "at"),
)

clients = sa.Table(
    "clients",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("name", sa.Text),
    sa.Column("first_seen", _instant(), nullable=False),
    sa.Column("last_seen", _instant(), nullable=False),
)

config_versions = sa.Table(
    "config_versions",
    metadata,
    sa.Column("version", sa.Text, primary_key=True),
    sa.Column("node", sa.Text, nullable=False),
    sa.Column("author", sa.Text),
    sa.Column("loaded_at", _instant(), nullable=False),
    sa.Column("content", JSONB, nullable=False),
)

texts = sa.Table(
    "texts",
    metadata,
    sa.Column("id", sa.Text(collation="C"), primary_key=True),
    sa.Column("node", sa.Text, nullable=False),
    sa.Column("reference", sa.Text, nullable=False),
    sa.Column("direction", sa.Text, nullable=False),
    sa.Column("client", sa.Text),
    sa.Column("number", sa.Text),
    sa.Column("peer", sa.Text),
    sa.Column("sender", sa.Text),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("discreet", sa.Boolean, nullable=False),
    sa.Column("provider", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("at", _instant(), nullable=False),
    sa.Column("state_at", _instant(), nullable=False),
    sa.Column("secretary", sa.Text),
    sa.Column("author", sa.Text),
    sa.Column("answers", sa.Text),
    sa.Column("failure", sa.Text),
    sa.Column("parts", sa.Integer, nullable=False),
    sa.Column("flags", JSONB, nullable=False),
    sa.Column("attachments", JSONB, nullable=False),
    sa.Column("shown", JSONB, nullable=False),
    sa.CheckConstraint(_one_of("direction", ("in", "out")), name="direction"),
    sa.Index(None, "client", "at"),
    sa.Index(None, "at"),
    sa.Index(None, "reference"),
)
