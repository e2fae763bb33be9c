"""Searching runs: an index that holds all that a search looks at.

Revision 0004.
"""

from __future__ import annotations

from alembic import op  # noqa: TID253 - only Alembic imports this

revision = "0004"
down_revision = "0003"

NAME = "ix_runs_created_at_run_id_pipeline_state_user_name"


def upgrade() -> None:
    """Create it."""
    op.create_index(NAME, "runs", ["created_at", "run_id", "pipeline", "state", "user_name"])


def downgrade() -> None:
    """Drop it."""
    op.drop_index(NAME, "runs")
