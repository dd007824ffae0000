"""Calls have a direction: in, out or internal. Those that are there came in."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # a constant default: PostgreSQL (11 and later) writes no row for it
    op.add_column("calls", sa.Column("direction", sa.Text(), nullable=False, server_default="in"))
    op.create_check_constraint(op.f("ck_calls_direction"), "calls", "direction IN ('in', 'out', 'internal')")


def downgrade() -> None:
    op.drop_constraint(op.f("ck_calls_direction"), "calls", type_="check")
    op.drop_column("calls", "direction")
