"""What is counted of ended tasks, in one index; and lines and programs have the type that is printed of them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from novasphere.schedule.v1 import task_pb2

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_STEP = 200  # rows in memory at once

_tasks = sa.table("tasks", *(sa.column(name) for name in ("id", "body", "task_type")))


def upgrade() -> None:
    connection = op.get_bind()
    last = -1
    while True:
        rows = connection.execute(
            sa.select(_tasks.c.id, _tasks.c.body)
            .where(_tasks.c.id > last, _tasks.c.task_type == "")
            .order_by(_tasks.c.id)
            .limit(_STEP)
        ).all()
        if not rows:
            break
        for row in rows:
            config = task_pb2.StoredTask.FromString(row.body).task.config
            task_type = "exec" if config.cmd else "command"
            connection.execute(
                sa.update(_tasks).where(_tasks.c.id == row.id).values(task_type=task_type)
            )
        last = rows[-1].id
    op.drop_index("ix_tasks_completed_at_us", "tasks")
    has_ended = sa.text("completed_at_us IS NOT NULL")
    op.create_index(
        "ix_tasks_ended",
        "tasks",
        ["completed_at_us", "state", "node_id", "task_type", "execution_ms", "namespace"],
        sqlite_where=has_ended,
        postgresql_where=has_ended,
    )
