"""What attempts used of CPUs and GPUs. Of those before nobody knows.

Revision 0008.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op  # noqa: TID253 - only Alembic imports this

revision = "0008"
down_revision = "0007"

_TABLES = ("task_runs", "attempts")
_COLUMNS = ("cpu_seconds", "cpus", "gpu_utilization")


def upgrade() -> None:
    """Add them."""
    for table in _TABLES:
        for name in _COLUMNS:
            op.add_column(table, sa.Column(name, sa.Double(), nullable=True))


def downgrade() -> None:
    """Drop them."""
    for table in _TABLES:
        for name in _COLUMNS:
            op.drop_column(table, name)
