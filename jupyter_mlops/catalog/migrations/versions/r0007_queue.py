"""The queue of runs: quotas, who waits or was admitted, and what was used.

Revision 0007.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op  # noqa: TID253 - only Alembic imports this
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"

# Types are spelled out: what a migration makes must not change when the code does.
WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.BigInteger().with_variant(postgresql.TIMESTAMP(timezone=True), "postgresql")


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=False)


def _real(name: str) -> sa.Column[float]:
    return sa.Column(name, sa.Double(), nullable=False)


def upgrade() -> None:
    """Create them."""
    op.create_table(
        "quotas",
        _text("scope"),
        _text("name"),
        _text("body"),
        _text("user_name"),
        sa.Column("updated_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("scope", "name"),
    )
    op.create_table(
        "queue_entries",
        _text("run_id"),
        _text("pipeline"),
        _text("user_name"),
        _text("group_name"),
        _text("queue"),
        _text("state"),
        sa.Column("priority", WHOLE, nullable=False),
        sa.Column("is_preemptible", sa.Boolean(), nullable=False),
        _text("least"),
        _text("most"),
        _text("granted"),
        sa.Column("seconds", sa.Double(), nullable=True),
        sa.Column("since_at", MOMENT, nullable=False),
        sa.Column("admitted_at", MOMENT, nullable=True),
        sa.Column("is_leaving", sa.Boolean(), nullable=False),
        sa.Column("preemptions", WHOLE, nullable=False),
        sa.Column("position", WHOLE, nullable=False),
        _text("reason"),
        sa.Column("starts_at", MOMENT, nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("run_id"),
    )
    op.create_index("ix_queue_entries_state_since_at", "queue_entries", ["state", "since_at"])
    op.create_table(
        "queue_usage",
        _text("day"),
        _text("user_name"),
        _text("group_name"),
        _text("queue"),
        sa.Column("spans", WHOLE, nullable=False),
        _real("run_seconds"),
        _real("task_seconds"),
        _real("cpu_seconds"),
        _real("memory_seconds"),
        _real("gpu_seconds"),
        _real("cost"),
        sa.PrimaryKeyConstraint("day", "user_name", "group_name", "queue"),
    )


def downgrade() -> None:
    """Drop them."""
    for name in ("queue_usage", "queue_entries", "quotas"):
        op.drop_table(name)
