"""First tables: facts (events), calls and segments computed from them, and what single facts tell."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def _instant() -> postgresql.TIMESTAMP:
    return postgresql.TIMESTAMP(timezone=True, precision=3)


def upgrade() -> None:
    _facts()
    _calls()
    _segments()
    _lists()


def downgrade() -> None:
    for table in ("segments", "calls", "config_versions", "clients", "secretary_states", "events"):
        op.drop_table(table)


def _facts() -> None:
    op.create_table(
        "events",
        sa.Column("log", postgresql.UUID(), nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("node", sa.Text(), nullable=False),
        sa.Column("call", sa.Text(collation="C")),
        sa.Column("at", _instant(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("fields", postgresql.JSONB(), nullable=False),
        sa.PrimaryKeyConstraint("log", "seq", name=op.f("pk_events")),
    )
    op.create_index("ix_events_at", "events", ["at"])
    op.create_index("ix_events_call_at_log_seq", "events", ["call", "at", "log", "seq"])
    op.create_table(
        "secretary_states",
        sa.Column("log", postgresql.UUID(), nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("node", sa.Text(), nullable=False),
        sa.Column("at", _instant(), nullable=False),
        sa.Column("secretary", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text()),
        sa.Column("call", sa.Text(collation="C")),
        sa.PrimaryKeyConstraint("log", "seq", name=op.f("pk_secretary_states")),
    )
    op.create_index("ix_secretary_states_secretary_at", "secretary_states", ["secretary", "at"])


def _calls() -> None:
    op.create_table(
        "calls",
        sa.Column("id", sa.Text(collation="C"), nullable=False),
        sa.Column("node", sa.Text(), nullable=False),
        sa.Column("client", sa.Text()),
        sa.Column("did", sa.Text()),
        sa.Column("caller", sa.Text()),
        sa.Column("anonymous", sa.Boolean(), nullable=False),
        sa.Column("forwarded_from", sa.Text()),
        sa.Column("forward_reason", sa.Text()),
        sa.Column("rule", sa.Text()),
        sa.Column("config_version", sa.Text()),
        sa.Column("trunk", sa.Text()),
        sa.Column("flags", postgresql.JSONB(), nullable=False),
        sa.Column("arrived_at", _instant(), nullable=False),
        sa.Column("answered_at", _instant()),
        sa.Column("queued_at", _instant()),
        sa.Column("bridged_at", _instant()),
        sa.Column("ended_at", _instant()),
        sa.Column("secretary", sa.Text()),
        sa.Column("outcome", sa.Text()),
        sa.Column("cause", sa.Text()),
        sa.Column("wait_ms", sa.BigInteger()),
        sa.Column("talk_ms", sa.BigInteger(), nullable=False),
        sa.Column("offers", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "outcome IN ('served', 'abandoned', 'closed', 'forwarded', 'voicemail', 'rejected', 'full', "
            "'timeout', 'nobody', 'fallback', 'failed')",
            name=op.f("ck_calls_outcome"),
        ),
        sa.CheckConstraint(
            "outcome <> 'abandoned' OR (cause IS NOT NULL AND "
            "cause IN ('during_message', 'during_music', 'while_ringing', 'short'))",
            name=op.f("ck_calls_abandon_cause"),
        ),
        sa.CheckConstraint("(outcome IS NULL) = (ended_at IS NULL)", name=op.f("ck_calls_ended")),
        sa.CheckConstraint("NOT anonymous OR caller IS NULL", name=op.f("ck_calls_withheld")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calls")),
    )
    op.create_index("ix_calls_arrived_at_id", "calls", ["arrived_at", "id"])
    op.create_index("ix_calls_client_arrived_at_id", "calls", ["client", "arrived_at", "id"])
    op.create_index("ix_calls_secretary_arrived_at", "calls", ["secretary", "arrived_at"])
    op.create_index("ix_calls_open", "calls", ["arrived_at"], postgresql_where=sa.text("ended_at IS NULL"))


def _segments() -> None:
    op.create_table(
        "segments",
        sa.Column("call", sa.Text(collation="C"), nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("node", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("start", _instant(), nullable=False),
        sa.Column("end", _instant()),
        sa.Column("secretary", sa.Text()),
        sa.CheckConstraint(
            "kind IN ('message', 'waiting', 'ringing', 'talk', 'hold', 'patch', 'conference', 'wrap_up')",
            name=op.f("ck_segments_kind"),
        ),
        sa.CheckConstraint('"end" >= start', name=op.f("ck_segments_forward")),
        sa.ForeignKeyConstraint(["call"], ["calls.id"], name=op.f("fk_segments_call"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("call", "position", name=op.f("pk_segments")),
    )
    op.create_index("ix_segments_secretary_start", "segments", ["secretary", "start"])


def _lists() -> None:
    op.create_table(
        "clients",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text()),
        sa.Column("first_seen", _instant(), nullable=False),
        sa.Column("last_seen", _instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_clients")),
    )
    op.create_table(
        "config_versions",
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("node", sa.Text(), nullable=False),
        sa.Column("author", sa.Text()),
        sa.Column("loaded_at", _instant(), nullable=False),
        sa.Column("content", postgresql.JSONB(), nullable=False),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_config_versions")),
    )
