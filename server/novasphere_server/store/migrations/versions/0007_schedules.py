"""Schedules, and the ledger of what became of their times."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TEXT = sa.String().with_variant(sa.String(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "schedules",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("key", _TEXT, nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("namespace", _TEXT, nullable=False),
        sa.Column("job_id", _TEXT, nullable=False),
        sa.Column("name", _TEXT, nullable=False),
        sa.Column("description", _TEXT, nullable=True),
        sa.Column("kind", sa.Integer(), nullable=False),
        sa.Column("state", sa.Integer(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("cron_expression", _TEXT, nullable=True),
        sa.Column("interval_secs", sa.BigInteger(), nullable=True),
        sa.Column("max_count", sa.BigInteger(), nullable=True),
        sa.Column("start_time_us", sa.BigInteger(), nullable=True),
        sa.Column("end_time_us", sa.BigInteger(), nullable=True),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("created_by", sa.BigInteger(), nullable=False),
        sa.Column("created_at_us", sa.BigInteger(), nullable=False),
        sa.Column("updated_at_us", sa.BigInteger(), nullable=False),
        sa.Column("position_us", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("due_us", sa.BigInteger(), nullable=True),
        sa.Column("fired_count", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("restarts", sa.Integer(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_schedules"),
        sa.UniqueConstraint("key", name="uq_schedules_key"),
    )
    op.create_index("ix_schedules_job_id", "schedules", ["job_id"])
    op.create_index("ix_schedules_due_us", "schedules", ["due_us"])
    op.create_table(
        "firings",
        sa.Column("schedule_id", _TEXT, nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("nominal_us", sa.BigInteger(), nullable=False),
        sa.Column("last_nominal_us", sa.BigInteger(), nullable=False),
        sa.Column("times", sa.BigInteger(), nullable=False),
        sa.Column("disposition", sa.Integer(), nullable=False),
        sa.Column("run_id", _TEXT, nullable=False),
        sa.Column("note", _TEXT, nullable=False),
        sa.Column("decided_at_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("schedule_id", "generation", "nominal_us", name="pk_firings"),
    )
    op.create_index(
        "ix_firings_buffered",
        "firings",
        ["schedule_id", "nominal_us"],
        sqlite_where=sa.text("disposition = 2"),
        postgresql_where=sa.text("disposition = 2"),
    )
    op.create_index("ix_firings_nominal_us", "firings", ["nominal_us"])
