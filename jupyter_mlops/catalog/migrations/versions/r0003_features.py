"""Features: definitions, materializations, and the parts of the offline log.

Revision 0003.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op  # noqa: TID253 - only Alembic imports this
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"

# Types are spelled out: what a migration makes must not change when the code does.
WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.BigInteger().with_variant(postgresql.TIMESTAMP(timezone=True), "postgresql")


def upgrade() -> None:
    """Create them."""
    op.create_table(
        "feature_definitions",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("folded", sa.Text(), nullable=False),
        sa.Column("definition", sa.Text(), nullable=False),
        sa.Column("blobs", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("tags", sa.Text(), nullable=False),
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("user_name", sa.Text(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("registered_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("kind", "name", "version"),
    )
    op.create_index("ix_feature_definitions_folded", "feature_definitions", ["folded"])
    op.create_index(
        "ix_feature_definitions_name_registered_at", "feature_definitions", ["name", "registered_at"]
    )
    op.create_table(
        "materializations",
        sa.Column("materialization_id", sa.Text(), nullable=False),
        sa.Column("view", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("start_at", MOMENT, nullable=True),
        sa.Column("end_at", MOMENT, nullable=False),
        sa.Column("rows", WHOLE, nullable=False),
        sa.Column("online_rows", WHOLE, nullable=False),
        sa.Column("profile", sa.Text(), nullable=False),
        sa.Column("problems", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("finished_at", MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("materialization_id"),
    )
    op.create_index(
        "ix_materializations_view_version_created_at",
        "materializations",
        ["view", "version", "created_at"],
    )
    op.create_table(
        "feature_parts",
        sa.Column("seq", WHOLE, nullable=False, autoincrement=True),
        sa.Column("part_id", sa.Text(), nullable=False),
        sa.Column("view", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("materialization_id", sa.Text(), nullable=False),
        sa.Column("rows", WHOLE, nullable=False),
        sa.Column("size_bytes", WHOLE, nullable=False),
        sa.Column("least_at", MOMENT, nullable=False),
        sa.Column("greatest_at", MOMENT, nullable=False),
        sa.Column("online_rows", WHOLE, nullable=False),
        sa.Column("is_online", sa.Boolean(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("seq"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_feature_parts_part_id", "feature_parts", ["part_id"])
    op.create_index("ix_feature_parts_view_version_seq", "feature_parts", ["view", "version", "seq"])


def downgrade() -> None:
    """Drop them."""
    for name in ("feature_parts", "materializations", "feature_definitions"):
        op.drop_table(name)
