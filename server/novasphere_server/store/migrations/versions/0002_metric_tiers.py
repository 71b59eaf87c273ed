"""Rows that stand for many samples. What was thinned out before is rolled up like any other old sample."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_TEXT = sa.String().with_variant(sa.String(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "metric_rollups",
        sa.Column("node_uid", _TEXT, nullable=False),
        sa.Column("seconds", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at_us", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("sample_count", sa.Integer(), nullable=False),
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("last_at_us", sa.BigInteger(), nullable=False),
        sa.Column("cpu_sum", sa.Float(), nullable=False),
        sa.Column("cpu_min", sa.Float(), nullable=False),
        sa.Column("cpu_max", sa.Float(), nullable=False),
        sa.Column("cpu_last", sa.Float(), nullable=False),
        sa.Column("memory_sum", sa.Float(), nullable=False),
        sa.Column("memory_min", sa.Float(), nullable=False),
        sa.Column("memory_max", sa.Float(), nullable=False),
        sa.Column("memory_last", sa.Float(), nullable=False),
        sa.Column("disk_sum", sa.Float(), nullable=False),
        sa.Column("disk_min", sa.Float(), nullable=False),
        sa.Column("disk_max", sa.Float(), nullable=False),
        sa.Column("disk_last", sa.Float(), nullable=False),
        sa.Column("load_sum", sa.Float(), nullable=False),
        sa.Column("load_min", sa.Float(), nullable=False),
        sa.Column("load_max", sa.Float(), nullable=False),
        sa.Column("load_last", sa.Float(), nullable=False),
        sa.Column("memory_total", sa.BigInteger(), nullable=False),
        sa.Column("memory_available", sa.BigInteger(), nullable=False),
        sa.Column("disk_total", sa.BigInteger(), nullable=False),
        sa.Column("disk_available", sa.BigInteger(), nullable=False),
        sa.Column("uptime", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("node_uid", "seconds", "at_us", name="pk_metric_rollups"),
    )
    op.create_index("ix_metric_rollups_seconds_at_us", "metric_rollups", ["seconds", "at_us"])
    # The table numbered its rows by itself so far, and would begin again once all of them have moved.
    op.execute(
        sa.text(
            "INSERT INTO sequences (name, value) "
            "SELECT 'metric_sample', coalesce(max(id), 0) FROM metric_samples"
        )
    )
