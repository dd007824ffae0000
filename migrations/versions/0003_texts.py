"""Texts: what came and went, with their content, for as long as each client wants them kept."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def _instant() -> postgresql.TIMESTAMP:
    return postgresql.TIMESTAMP(timezone=True, precision=3)


def upgrade() -> None:
    op.create_table(
        "texts",
        sa.Column("id", sa.Text(collation="C"), nullable=False),
        sa.Column("node", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("direction", sa.Text(), nullable=False),
        sa.Column("client", sa.Text()),
        sa.Column("number", sa.Text()),
        sa.Column("peer", sa.Text()),
        sa.Column("sender", sa.Text()),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("discreet", sa.Boolean(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("at", _instant(), nullable=False),
        sa.Column("state_at", _instant(), nullable=False),
        sa.Column("secretary", sa.Text()),
        sa.Column("author", sa.Text()),
        sa.Column("answers", sa.Text()),
        sa.Column("failure", sa.Text()),
        sa.Column("parts", sa.Integer(), nullable=False),
        sa.Column("flags", postgresql.JSONB(), nullable=False),
        sa.Column("attachments", postgresql.JSONB(), nullable=False),
        sa.Column("shown", postgresql.JSONB(), nullable=False),
        sa.CheckConstraint("direction IN ('in', 'out')", name=op.f("ck_texts_direction")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_texts")),
    )
    op.create_index("ix_texts_client_at", "texts", ["client", "at"])
    op.create_index("ix_texts_at", "texts", ["at"])
    op.create_index("ix_texts_reference", "texts", ["reference"])


def downgrade() -> None:
    op.drop_table("texts")
