"""Ended tasks are forgotten by when their end was heard of."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index("ix_tasks_ended", "tasks")
    has_ended = sa.text("completed_at_us IS NOT NULL")
    op.create_index(
        "ix_tasks_ended",
        "tasks",
        [
            "completed_at_us",
            "state",
            "node_id",
            "task_type",
            "execution_ms",
            "namespace",
            "updated_at_us",
        ],
        sqlite_where=has_ended,
        postgresql_where=has_ended,
    )
