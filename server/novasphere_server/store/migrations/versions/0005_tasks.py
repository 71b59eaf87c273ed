"""Tasks, of which commands are one face: the table of commands becomes theirs, and the log says so throughout."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op
from novasphere.node.v1 import command_pb2
from novasphere.schedule.v1 import task_pb2

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_STEP = 200  # rows in memory at once
_TEXT = sa.String().with_variant(sa.String(collation="C"), "postgresql")

_commands = sa.table(
    "commands",
    *(sa.column(name) for name in ("id", "key", "revision", "body", "fencing_token", "cancel_grace_ms")),
)
_changes = sa.table(
    "changes", *(sa.column(name) for name in ("revision", "index", "kind", "before", "after"))
)


def upgrade() -> None:
    tasks = op.create_table(
        "tasks",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("key", _TEXT, nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("namespace", _TEXT, nullable=False),
        sa.Column("job_id", _TEXT, nullable=False),
        sa.Column("schedule_id", _TEXT, nullable=False),
        sa.Column("schedule_kind", sa.Integer(), nullable=False),
        sa.Column("task_type", _TEXT, nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("node_id", _TEXT, nullable=False),
        sa.Column("node_uid", _TEXT, nullable=False),
        sa.Column("is_pinned", sa.Boolean(), nullable=False),
        sa.Column("demand", _TEXT, server_default=sa.text("''"), nullable=False),
        sa.Column("state", sa.Integer(), nullable=False),
        sa.Column("hold", sa.Integer(), server_default="0", nullable=False),
        sa.Column("instance_id", _TEXT, nullable=False),
        sa.Column("instance_state", sa.Integer(), nullable=False),
        sa.Column("instance_node_id", _TEXT, nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("retry_count", sa.Integer(), nullable=False),
        sa.Column("exit_code", sa.Integer(), nullable=True),
        sa.Column("execution_ms", sa.BigInteger(), nullable=False),
        sa.Column("fencing_token", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("cancel_requested", sa.Boolean(), nullable=False),
        sa.Column("cancel_grace_ms", sa.BigInteger(), nullable=True),
        sa.Column("created_by", sa.BigInteger(), nullable=False),
        sa.Column("created_at_us", sa.BigInteger(), nullable=False),
        sa.Column("updated_at_us", sa.BigInteger(), nullable=False),
        sa.Column("scheduled_at_us", sa.BigInteger(), nullable=False),
        sa.Column("due_at_us", sa.BigInteger(), nullable=False),
        sa.Column("queue_deadline_us", sa.BigInteger(), nullable=False),
        sa.Column("started_at_us", sa.BigInteger(), nullable=True),
        sa.Column("completed_at_us", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_tasks"),
        sa.UniqueConstraint("key", name="uq_tasks_key"),
    )
    _move(tasks)
    op.drop_table("commands")
    for columns in (
        ["node_uid", "state"],
        ["node_id"],
        ["state", "queue_deadline_us"],
        ["job_id"],
        ["schedule_id", "state", "schedule_kind"],
        ["instance_id"],
    ):
        op.create_index(f"ix_tasks_{'_'.join(columns)}", "tasks", columns)
    waits_for_any = sa.text("state = 1 AND node_uid = '' AND hold = 0")
    op.create_index(
        "ix_tasks_waiting",
        "tasks",
        ["demand", "rank", "id"],
        sqlite_where=waits_for_any,
        postgresql_where=waits_for_any,
    )
    is_held = sa.text("state = 1 AND hold > 0")
    op.create_index(
        "ix_tasks_held",
        "tasks",
        ["hold", "due_at_us"],
        sqlite_where=is_held,
        postgresql_where=is_held,
    )
    op.create_index(
        "ix_tasks_completed_at_us",
        "tasks",
        ["completed_at_us"],
        sqlite_where=sa.text("completed_at_us IS NOT NULL"),
        postgresql_where=sa.text("completed_at_us IS NOT NULL"),
    )
    op.create_table(
        "past_instances",
        sa.Column("instance_id", _TEXT, nullable=False),
        sa.Column("run_id", _TEXT, nullable=False),
        sa.Column("namespace", _TEXT, nullable=False),
        sa.Column("job_id", _TEXT, nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("node_id", _TEXT, nullable=False),
        sa.Column("state", sa.Integer(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("exit_code", sa.Integer(), nullable=True),
        sa.Column("created_at_us", sa.BigInteger(), nullable=False),
        sa.Column("updated_at_us", sa.BigInteger(), nullable=False),
        sa.Column("started_at_us", sa.BigInteger(), nullable=True),
        sa.Column("completed_at_us", sa.BigInteger(), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("instance_id", name="pk_past_instances"),
    )
    op.create_index("ix_past_instances_run_id", "past_instances", ["run_id"])
    op.execute(_TASK_INSTANCES)
    op.create_table(
        "dependencies",
        sa.Column("run_id", _TEXT, nullable=False),
        sa.Column("on_run_id", _TEXT, nullable=False),
        sa.Column("condition", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("run_id", "on_run_id", name="pk_dependencies"),
    )
    op.create_index("ix_dependencies_on_run_id", "dependencies", ["on_run_id"])
    op.execute("UPDATE sequences SET name = 'tasks' WHERE name = 'commands'")
    # It told of a kind that is no more; the next check begins again.
    op.execute("DELETE FROM meta WHERE name = 'selfcheck:command'")
    op.drop_index("ix_output_chunks_command_id_attempt_stream_offset", "output_chunks")
    op.drop_index("ix_stale_reports_command_id", "stale_reports")
    op.execute("ALTER TABLE output_chunks RENAME COLUMN command_id TO run_id")
    op.execute("ALTER TABLE stale_reports RENAME COLUMN command_id TO run_id")
    op.create_index(
        "ix_output_chunks_run_id_attempt_stream_offset",
        "output_chunks",
        ["run_id", "attempt", "stream", "offset"],
    )
    op.create_index("ix_stale_reports_run_id", "stale_reports", ["run_id"])


def _move(tasks: sa.Table) -> None:
    connection = op.get_bind()
    for rows in _pages(_commands, _commands.c.id):
        moved = [
            _row(task_of(row.body), row.key)
            | {
                "revision": row.revision,
                "fencing_token": row.fencing_token,
                "cancel_grace_ms": row.cancel_grace_ms,
            }
            for row in rows
        ]
        connection.execute(sa.insert(tasks), moved)
    is_commands = _changes.c.kind == "command"
    last = (0, -1)
    while True:
        after_last = sa.tuple_(_changes.c.revision, _changes.c.index) > sa.tuple_(*last)
        rows = connection.execute(
            sa.select(_changes, _changes.c.index.label("place"))
            .where(is_commands, after_last)
            .order_by(_changes.c.revision, _changes.c.index)
            .limit(_STEP)
        ).all()
        if not rows:
            return
        for row in rows:
            connection.execute(
                sa.update(_changes)
                .where(_changes.c.revision == row.revision, _changes.c.index == row.place)
                .values(kind="task", before=_converted(row.before), after=_converted(row.after))
            )
        last = (rows[-1].revision, rows[-1].place)


def _pages(table: sa.TableClause, order: sa.ColumnClause[Any]) -> Iterator[Sequence[sa.Row[Any]]]:
    connection = op.get_bind()
    last = -1
    while True:
        following = sa.select(table).where(order > last).order_by(order).limit(_STEP)
        rows = connection.execute(following).all()
        if not rows:
            return
        yield rows
        last = rows[-1].id


def _converted(body: bytes | None) -> bytes | None:
    return None if body is None else task_of(body).SerializeToString(deterministic=True)


def task_of(body: bytes) -> task_pb2.StoredTask:
    """Returns the task of a stored command."""
    old = command_pb2.CommandWithResult.FromString(body)
    command, result = old.command, old.result
    task_id = str(uuid.UUID(hex=command.command_id.removeprefix("cmd-")))
    state: Any = command.state  # the new enum has the same numbers
    ended = command.state >= command_pb2.COMMAND_STATE_SUCCEEDED
    updated_at = command.created_at
    for field in ("dispatched_at", "started_at", "completed_at"):
        if command.HasField(field):
            updated_at = getattr(command, field)
    stored = task_pb2.StoredTask(
        task=task_pb2.Task(
            id=task_id,
            namespace_id=command.namespace,
            status=_TASK_STATUS[command.state],
            scheduled_at=command.created_at,
            schedule_kind=task_pb2.SCHEDULE_KIND_EVENT,
            config=task_pb2.TaskConfig(
                command_text=command.command_text,
                timeout_seconds=command.timeout_seconds,
                queue_timeout_seconds=command.queue_timeout_seconds,
            ),
            lock_version=command.attempt,
            created_at=command.created_at,
            updated_at=updated_at,
            state=state,
            reason=command.reason,
            reason_message=command.reason_message,
            revision=command.revision,
            number=command.id,
            node_id=command.target_node_id,
            node_uid=command.node_uid,
            cancel_requested=command.cancel_requested,
            cancel_requested_by=command.cancel_requested_by,
        ),
        instance=task_pb2.TaskInstance(
            # Nobody has been told of it before, and it must be the same throughout the log.
            id=str(uuid.uuid5(uuid.UUID(task_id), "instance")),
            agent_id=command.target_node_id,
            status=_INSTANCE_STATUS[command.state],
            created_at=command.created_at,
            updated_at=updated_at,
            state=state,
            reason=command.reason,
            attempt=command.attempt,
            node_uid=command.node_uid,
            execution_time_ms=result.execution_time_ms,
            stdout_bytes=result.stdout_bytes,
            stderr_bytes=result.stderr_bytes,
            output_dropped=result.output_dropped,
            number=result.id,
            stdout=result.stdout,
            stderr=result.stderr,
            stdout_truncated=result.stdout_truncated,
            stderr_truncated=result.stderr_truncated,
        ),
    )
    task, instance = stored.task, stored.instance
    if command.HasField("started_at"):
        task.started_at.CopyFrom(command.started_at)
        instance.started_at.CopyFrom(command.started_at)
    if command.HasField("completed_at"):
        task.completed_at.CopyFrom(command.completed_at)
        instance.completed_at.CopyFrom(command.completed_at)
    if ended and command.reason_message:
        instance.error_message = command.reason_message
    if command.HasField("exit_code"):
        instance.exit_code = command.exit_code
    if result.HasField("signal"):
        instance.signal = result.signal
    if command.HasField("dispatched_at"):
        instance.dispatched_at.CopyFrom(command.dispatched_at)
    if command.HasField("run_deadline"):
        instance.run_deadline.CopyFrom(command.run_deadline)
    if command.HasField("cancel_requested_at"):
        task.cancel_requested_at.CopyFrom(command.cancel_requested_at)
    if old.HasField("late_result"):
        late = instance.late_report
        late.received_at.CopyFrom(old.late_result.received_at)
        late.message = old.late_result.message
        if old.late_result.HasField("exit_code"):
            late.exit_code = old.late_result.exit_code
    return stored


# A task has fewer than a million attempts, so newer ones have greater ids.
_TASK_INSTANCES = """
CREATE VIEW task_instances AS
SELECT id * 1000000 + attempt AS id, instance_id AS key, revision, key AS run_id, namespace, job_id,
    instance_node_id AS node_id, instance_state AS state, attempt, exit_code, created_at_us, updated_at_us,
    started_at_us, completed_at_us, body
FROM tasks
UNION ALL
SELECT number * 1000000 + attempt, instance_id, 0, run_id, namespace, job_id, node_id, state, attempt,
    exit_code, created_at_us, updated_at_us, started_at_us, completed_at_us, body
FROM past_instances
"""
_TASK_STATUS: Any = {1: 1, 2: 3, 3: 10, 4: 100, 5: 90, 6: 90, 7: 99, 8: 90, 9: 90}
_INSTANCE_STATUS: Any = {1: 1, 2: 5, 3: 10, 4: 100, 5: 90, 6: 20, 7: 99, 8: 90, 9: 90}


def _us(message: Any, field: str) -> int | None:
    return getattr(message, field).ToMicroseconds() if message.HasField(field) else None


def _row(stored: task_pb2.StoredTask, key: str) -> dict[str, Any]:
    task, instance = stored.task, stored.instance
    created_us = task.created_at.ToMicroseconds()
    return {
        "id": task.number,
        "key": key,
        "body": stored.SerializeToString(deterministic=True),
        "namespace": task.namespace_id,
        "job_id": "",
        "schedule_id": "",
        "schedule_kind": task.schedule_kind,
        "task_type": "",
        "priority": 0,
        "rank": 0,
        "node_id": instance.agent_id,
        "node_uid": instance.node_uid,
        "is_pinned": True,
        "state": task.state,
        "instance_id": instance.id,
        "instance_state": instance.state,
        "instance_node_id": instance.agent_id,
        "attempt": instance.attempt,
        "retry_count": 0,
        "exit_code": instance.exit_code if instance.HasField("exit_code") else None,
        "execution_ms": instance.execution_time_ms,
        "cancel_requested": task.cancel_requested,
        "created_by": 0,
        "created_at_us": created_us,
        "updated_at_us": task.updated_at.ToMicroseconds(),
        "scheduled_at_us": created_us,
        "due_at_us": created_us,
        "queue_deadline_us": created_us + task.config.queue_timeout_seconds * 1_000_000,
        "started_at_us": _us(instance, "started_at"),
        "completed_at_us": _us(task, "completed_at"),
    }
