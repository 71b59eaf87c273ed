"""What rows print and filters could not ask for: of attempts, their own times; of schedules, their policies."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import sqlalchemy as sa
from alembic import op
from google.protobuf.message import Message
from novasphere.schedule.v1 import schedule_pb2, task_pb2

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_STEP = 200  # rows in memory at once
_TEXT = sa.String().with_variant(sa.String(collation="C"), "postgresql")

_COLUMNS: Mapping[str, Mapping[str, Any]] = {
    "tasks": {
        "pinned_node_id": _TEXT,
        "instance_created_at_us": sa.BigInteger(),
        "instance_updated_at_us": sa.BigInteger(),
        "instance_completed_at_us": sa.BigInteger(),
        "instance_reason": _TEXT,
        "error_message": _TEXT,
        "first_started_at_us": sa.BigInteger(),
        "reason": _TEXT,
        "updated_by": sa.BigInteger(),
    },
    "past_instances": {"reason": _TEXT, "error_message": _TEXT},
    "schedules": {
        "timezone": _TEXT,
        "gap_policy": sa.Integer(),
        "fold_policy": sa.Integer(),
        "jitter_seconds": sa.Integer(),
        "overlap_policy": sa.Integer(),
        "misfire_policy": sa.Integer(),
        "misfire_window_seconds": sa.Integer(),
        "pause_note": _TEXT,
        "updated_by": sa.BigInteger(),
    },
}

# A task has fewer than a million attempts, so newer ones have greater ids.
_TASK_INSTANCES = """
CREATE VIEW task_instances AS
SELECT id * 1000000 + attempt AS id, instance_id AS key, revision, key AS run_id, namespace, job_id,
    instance_node_id AS node_id, instance_state AS state, attempt, exit_code,
    instance_created_at_us AS created_at_us, instance_updated_at_us AS updated_at_us, started_at_us,
    instance_completed_at_us AS completed_at_us, instance_reason AS reason, error_message, body
FROM tasks
UNION ALL
SELECT number * 1000000 + attempt, instance_id, 0, run_id, namespace, job_id, node_id, state, attempt,
    exit_code, created_at_us, updated_at_us, started_at_us, completed_at_us, reason, error_message, body
FROM past_instances
"""


def upgrade() -> None:
    op.execute("DROP VIEW task_instances")
    for table, columns in _COLUMNS.items():
        for name, type_ in columns.items():
            op.add_column(table, sa.Column(name, type_, nullable=True))
    op.drop_column("tasks", "is_pinned")
    _fill("tasks", "id", -1, _of_task)
    _fill("past_instances", "instance_id", "", _of_past_instance)
    _fill("schedules", "id", -1, _of_schedule)
    op.execute(_TASK_INSTANCES)


def _fill(table_name: str, key: str, last: Any, read: Callable[[bytes], dict[str, Any]]) -> None:
    """Gives rows what their messages say."""
    connection = op.get_bind()
    table = sa.table(table_name, *map(sa.column, (key, "body", *_COLUMNS[table_name])))
    while True:
        rows = connection.execute(
            sa.select(table.c[key], table.c.body)
            .where(table.c[key] > last)
            .order_by(table.c[key])
            .limit(_STEP)
        ).all()
        if not rows:
            return
        for row in rows:
            connection.execute(sa.update(table).where(table.c[key] == row[0]).values(read(row.body)))
        last = rows[-1][0]


def _of_task(body: bytes) -> dict[str, Any]:
    stored = task_pb2.StoredTask.FromString(body)
    task, instance = stored.task, stored.instance
    return {
        "pinned_node_id": task.node_id,
        "instance_created_at_us": instance.created_at.ToMicroseconds(),
        "instance_updated_at_us": instance.updated_at.ToMicroseconds(),
        "instance_completed_at_us": _us(instance, "completed_at"),
        "instance_reason": instance.reason,
        "error_message": _optional(instance, "error_message"),
        "first_started_at_us": _us(task, "started_at"),
        "reason": task.reason,
        "updated_by": _optional(task, "updated_by"),
    }


def _of_past_instance(body: bytes) -> dict[str, Any]:
    instance = task_pb2.StoredTask.FromString(body).instance
    return {"reason": instance.reason, "error_message": _optional(instance, "error_message")}


def _of_schedule(body: bytes) -> dict[str, Any]:
    schedule = schedule_pb2.Schedule.FromString(body)
    return {name: _optional(schedule, name) for name in _COLUMNS["schedules"]}


def _optional(message: Message, field: str) -> Any:
    if message.DESCRIPTOR.fields_by_name[field].has_presence and not message.HasField(field):
        return None
    return getattr(message, field)


def _us(message: Any, field: str) -> int | None:
    return getattr(message, field).ToMicroseconds() if message.HasField(field) else None
