"""How many tasks ended in each hour, of those that are forgotten."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_TEXT = sa.String().with_variant(sa.String(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "task_counts",
        sa.Column("hour_us", sa.BigInteger(), nullable=False),
        sa.Column("namespace", _TEXT, nullable=False),
        sa.Column("node_id", _TEXT, nullable=False),
        sa.Column("task_type", _TEXT, nullable=False),
        sa.Column("state", sa.Integer(), nullable=False),
        sa.Column("tasks", sa.BigInteger(), nullable=False),
        sa.Column("ran", sa.BigInteger(), nullable=False),
        sa.Column("ran_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(
            "hour_us", "namespace", "node_id", "task_type", "state", name="pk_task_counts"
        ),
    )
