"""Images, deployments with their revisions, and what compute units were measured to do.

Revision 0006.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op  # noqa: TID253 - only Alembic imports this
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"

# Types are spelled out: what a migration makes must not change when the code does.
WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.BigInteger().with_variant(postgresql.TIMESTAMP(timezone=True), "postgresql")


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=False)


def upgrade() -> None:
    """Create them."""
    op.create_table(
        "images",
        _text("digest"),
        _text("name"),
        _text("kind"),
        _text("source"),
        _text("source_digest"),
        sa.Column("is_pushed", sa.Boolean(), nullable=False),
        sa.Column("is_signed", sa.Boolean(), nullable=False),
        _text("platforms"),
        sa.Column("size_bytes", WHOLE, nullable=False),
        _text("builder"),
        _text("run_id"),
        _text("user_name"),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("digest", "name"),
    )
    op.create_index("ix_images_source", "images", ["source"])
    op.create_table(
        "deployments",
        _text("name"),
        _text("target"),
        _text("model"),
        _text("state"),
        _text("message"),
        _text("url"),
        sa.Column("revision", WHOLE, nullable=False),
        _text("options"),
        _text("alias"),
        _text("user_name"),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("updated_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_index("ix_deployments_model", "deployments", ["model"])
    op.create_table(
        "deployment_revisions",
        _text("name"),
        sa.Column("revision", WHOLE, nullable=False),
        _text("traffic"),
        _text("shadow"),
        _text("image"),
        _text("reason"),
        _text("user_name"),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("name", "revision"),
    )
    op.create_table(
        "compute_measurements",
        _text("unit"),
        _text("kind"),
        _text("name"),
        _text("body"),
        sa.Column("measured_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("unit", "measured_at"),
    )


def downgrade() -> None:
    """Drop them."""
    for name in ("compute_measurements", "deployment_revisions", "deployments", "images"):
        op.drop_table(name)
