"""Schedules, their fires, and leases.

Revision 0005.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op  # noqa: TID253 - only Alembic imports this
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"

# Types are spelled out: what a migration makes must not change when the code does.
WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.BigInteger().with_variant(postgresql.TIMESTAMP(timezone=True), "postgresql")


def upgrade() -> None:
    """Create them."""
    op.create_table(
        "schedules",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("pipeline", sa.Text(), nullable=False),
        sa.Column("pipeline_path", sa.Text(), nullable=False),
        sa.Column("cron", sa.Text(), nullable=False),
        sa.Column("timezone", sa.Text(), nullable=False),
        sa.Column("spec", sa.Text(), nullable=False),
        sa.Column("is_paused", sa.Boolean(), nullable=False),
        sa.Column("paused_at", MOMENT, nullable=True),
        sa.Column("next_at", MOMENT, nullable=True),
        sa.Column("due_at", MOMENT, nullable=True),
        sa.Column("user_name", sa.Text(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("updated_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_index("ix_schedules_due_at", "schedules", ["due_at"])
    op.create_table(
        "fires",
        sa.Column("schedule", sa.Text(), nullable=False),
        sa.Column("fire_at", MOMENT, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("count", WHOLE, nullable=False),
        sa.Column("first_at", MOMENT, nullable=True),
        sa.Column("drives", WHOLE, nullable=False),
        sa.Column("driven_at", MOMENT, nullable=True),
        sa.Column("is_backfill", sa.Boolean(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("schedule", "fire_at"),
    )
    op.create_index("ix_fires_state_created_at", "fires", ["state", "created_at"])
    op.create_index("ix_fires_run_id", "fires", ["run_id"])
    op.create_table(
        "leases",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("token", WHOLE, nullable=False),
        sa.Column("until_at", MOMENT, nullable=False),
        sa.Column("renewed_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )


def downgrade() -> None:
    """Drop them."""
    for name in ("leases", "fires", "schedules"):
        op.drop_table(name)
