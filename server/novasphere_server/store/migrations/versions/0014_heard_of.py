"""Ended tasks are forgotten by when their end was heard of; a task that waits again is still its last node's."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

# A task has fewer than a million attempts, so newer ones have greater ids.
_TASK_INSTANCES = """
CREATE VIEW task_instances AS
SELECT id * 1000000 + attempt AS id, instance_id AS key, revision, key AS run_id, namespace, job_id, node_id,
    instance_state AS state, attempt, exit_code, instance_created_at_us AS created_at_us,
    instance_updated_at_us AS updated_at_us, started_at_us, instance_completed_at_us AS completed_at_us,
    instance_reason AS reason, error_message, body
FROM tasks
UNION ALL
SELECT number * 1000000 + attempt, instance_id, 0, run_id, namespace, job_id, node_id, state, attempt,
    exit_code, created_at_us, updated_at_us, started_at_us, completed_at_us, reason, error_message, body
FROM past_instances
"""


def upgrade() -> None:
    op.execute("DROP VIEW task_instances")
    op.drop_index("ix_tasks_ended", "tasks")
    op.execute("UPDATE tasks SET node_id = instance_node_id WHERE state = 1")
    op.drop_column("tasks", "instance_node_id")
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
    op.execute(_TASK_INSTANCES)
