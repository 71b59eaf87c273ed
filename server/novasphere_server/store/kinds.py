"""The kinds of resources: which message is stored, where, and under what name."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import sqlalchemy as sa
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from novasphere.api.v1 import key_pb2, options_pb2
from novasphere.node.v1 import node_pb2
from novasphere.schedule.v1 import agent_pb2, job_pb2, schedule_pb2, task_pb2

from novasphere_server.store import tables

M = TypeVar("M", bound=Message)

DEFAULT_NAMESPACE = "default"
_GREATEST_RANK = 2**31 - 1  # priorities reach one number further
# What says why a task ended is kept twice, and what is reported late once more: 1024 characters each.
_TASK_GROWTH = 16 * 1024
# Why it is paused: 1024 characters. And of everything that changes, when and by whom.
_SCHEDULE_GROWTH = 8 * 1024
_JOB_GROWTH = 64


@dataclass(frozen=True, eq=False)
class Kind(Generic[M]):
    """One kind of resource.

    `stamp` writes the revision into a message. `fixed` derives the typed columns from a message that never
    change, when it is created, `columns` the others, at every put. Labels go into the table `labels`, where
    selectors find them. `growth` is how many bytes a change may add to an object that has the greatest size of
    a resource: what a client was let make must not be too large for what happens to it.
    """

    name: str
    message: type[M]
    table: sa.Table
    key: Callable[[M], str]
    revision: Callable[[M], int]
    stamp: Callable[[M, int], None]
    fixed: Callable[[M], dict[str, Any]]
    columns: Callable[[M], dict[str, Any]]
    namespace: Callable[[M], str] = lambda _: ""
    labels: Callable[[M], Mapping[str, str]] | None = None
    growth: int = 0


def _us(instant: Timestamp) -> int:
    return instant.seconds * 1_000_000 + instant.nanos // 1000


def _optional_us(message: Any, field: str) -> int | None:
    return _us(getattr(message, field)) if message.HasField(field) else None


def _node_columns(node: node_pb2.Node) -> dict[str, Any]:
    capabilities = json.dumps(sorted(set(node.capabilities)))
    return {
        "uid": node.uid,
        "status": node.status,
        "connection": node.connection,
        "role": node.role,
        "registered_at_us": _us(node.registered_at),
        "agent_name": node.display_name or node.node_id,
        "agent_namespace": node.namespace_id or DEFAULT_NAMESPACE,
        "agent_endpoint": node.endpoint,
        "agent_status": agent_status(node),
        "updated_at_us": _us(node.updated_at),
        "capabilities": capabilities,
        "capabilities_sha256": hashlib.sha256(capabilities.encode()).hexdigest(),
    }


def agent_status(node: node_pb2.Node) -> agent_pb2.AgentStatus.ValueType:
    """Returns what the schedules face says of a node, as far as that is stored: who is busy is live."""
    if options_pb2.FACE_SCHEDULES in node.offline_faces:
        return agent_pb2.AGENT_STATUS_OFFLINE
    if node.status == node_pb2.NODE_STATUS_ERROR:
        return agent_pb2.AGENT_STATUS_ERROR
    return agent_pb2.AGENT_STATUS_ONLINE


def _stamp_node(node: node_pb2.Node, revision: int) -> None:
    node.revision = revision


def _task_fixed(stored: task_pb2.StoredTask) -> dict[str, Any]:
    task = stored.task
    return {
        "id": task.number,
        "namespace": task.namespace_id,
        "job_id": task.job_id,
        "schedule_id": task.schedule_id,
        "schedule_kind": task.schedule_kind,
        "task_type": task_type(task.config),
        "priority": task.priority,
        "rank": min(-task.priority, _GREATEST_RANK),
        "pinned_node_id": task.node_id,
        "created_by": task.created_by,
        "created_at_us": _us(task.created_at),
        "scheduled_at_us": _us(task.scheduled_at),
    }


def _task_columns(stored: task_pb2.StoredTask) -> dict[str, Any]:
    task, instance = stored.task, stored.instance
    state = task.state
    due_at_us = _us(task.due_at if task.HasField("due_at") else task.scheduled_at)
    # While it waits, its attempt is the last one: the next may be elsewhere.
    is_waiting = state == task_pb2.WORK_STATE_PENDING
    return {
        "node_id": instance.agent_id,
        "node_uid": task.node_uid if is_waiting else instance.node_uid,
        "state": state,
        "instance_id": instance.id,
        "instance_state": instance.state,
        "instance_created_at_us": _us(instance.created_at),
        "instance_updated_at_us": _us(instance.updated_at),
        "instance_completed_at_us": _optional_us(instance, "completed_at"),
        "instance_reason": instance.reason,
        "error_message": instance.error_message if instance.HasField("error_message") else None,
        "attempt": instance.attempt,
        "retry_count": task.retry_count,
        "exit_code": instance.exit_code if instance.HasField("exit_code") else None,
        "execution_ms": instance.execution_time_ms,
        "cancel_requested": task.cancel_requested,
        "updated_at_us": _us(task.updated_at),
        "due_at_us": due_at_us,
        "queue_deadline_us": due_at_us + task.config.queue_timeout_seconds * 1_000_000,
        "first_started_at_us": _optional_us(task, "started_at"),
        "started_at_us": _optional_us(instance, "started_at"),
        "completed_at_us": _optional_us(task, "completed_at"),
        "reason": task.reason,
        "updated_by": task.updated_by if task.HasField("updated_by") else None,
    }


def task_type(config: task_pb2.TaskConfig) -> str:
    """Returns what the devices face says runs: lines and programs have no type of their own."""
    return config.task_type or ("exec" if config.cmd else "command")


def _stamp_task(stored: task_pb2.StoredTask, revision: int) -> None:
    stored.task.revision = revision


def _job_columns(job: job_pb2.Job) -> dict[str, Any]:
    return {
        "namespace": job.namespace_id,
        "name": job.name,
        "description": job.description if job.HasField("description") else None,
        "status": job.status,
        "created_by": job.created_by,
        "created_at_us": _us(job.created_at),
        "updated_at_us": _us(job.updated_at),
    }


def _stamp_job(job: job_pb2.Job, revision: int) -> None:
    job.revision = revision


def _schedule_columns(schedule: schedule_pb2.Schedule) -> dict[str, Any]:
    said: Any = schedule  # fields by name

    def optional(name: str) -> Any:
        return getattr(said, name) if said.HasField(name) else None

    return {
        "namespace": schedule.namespace_id,
        "job_id": schedule.job_id,
        "name": schedule.name,
        "description": optional("description"),
        "kind": schedule.kind,
        "state": schedule.state,
        "enabled": schedule.enabled,
        "cron_expression": optional("cron_expression"),
        "interval_secs": optional("interval_secs"),
        "max_count": optional("max_count"),
        "start_time_us": _optional_us(schedule, "start_time"),
        "end_time_us": _optional_us(schedule, "end_time"),
        "timezone": schedule.timezone,
        "gap_policy": schedule.gap_policy,
        "fold_policy": schedule.fold_policy,
        "jitter_seconds": schedule.jitter_seconds,
        "overlap_policy": schedule.overlap_policy,
        "misfire_policy": schedule.misfire_policy,
        "misfire_window_seconds": schedule.misfire_window_seconds,
        "pause_note": schedule.pause_note,
        "priority": schedule.priority,
        "generation": schedule.generation,
        "updated_by": optional("updated_by"),
        "created_by": schedule.created_by,
        "created_at_us": _us(schedule.created_at),
        "updated_at_us": _us(schedule.updated_at),
    }


def _stamp_schedule(schedule: schedule_pb2.Schedule, revision: int) -> None:
    schedule.revision = revision


def _key_columns(key: key_pb2.Key) -> dict[str, Any]:
    return {
        "name": key.name,
        "created_at_us": _us(key.created_at),
        "expires_at_us": _optional_us(key, "expires_at"),
        "revoked_at_us": _optional_us(key, "revoked_at"),
    }


def _stamp_key(key: key_pb2.Key, revision: int) -> None:
    key.revision = revision


def _join_token_columns(token: key_pb2.JoinToken) -> dict[str, Any]:
    return {
        "is_reusable": token.is_reusable,
        "created_at_us": _us(token.created_at),
        "expires_at_us": _us(token.expires_at),
        "revoked_at_us": _optional_us(token, "revoked_at"),
        "used_at_us": _optional_us(token, "used_at"),
    }


def _stamp_join_token(token: key_pb2.JoinToken, revision: int) -> None:
    token.revision = revision


NODES: Kind[node_pb2.Node] = Kind(
    name="node",
    message=node_pb2.Node,
    table=tables.nodes,
    key=lambda node: node.node_id,
    fixed=lambda node: {"id": node.id},
    revision=lambda node: node.revision,
    stamp=_stamp_node,
    columns=_node_columns,
    labels=lambda node: node.labels,
)

TASKS: Kind[task_pb2.StoredTask] = Kind(
    name="task",
    message=task_pb2.StoredTask,
    table=tables.tasks,
    key=lambda stored: f"cmd-{stored.task.id.replace('-', '')}",  # the run id
    revision=lambda stored: stored.task.revision,
    stamp=_stamp_task,
    fixed=_task_fixed,
    columns=_task_columns,
    namespace=lambda stored: stored.task.namespace_id,
    growth=_TASK_GROWTH,
)

JOBS: Kind[job_pb2.Job] = Kind(
    name="job",
    message=job_pb2.Job,
    table=tables.jobs,
    key=lambda job: job.id,
    revision=lambda job: job.revision,
    stamp=_stamp_job,
    fixed=lambda job: {"id": job.number},
    columns=_job_columns,
    namespace=lambda job: job.namespace_id,
    growth=_JOB_GROWTH,
)

SCHEDULES: Kind[schedule_pb2.Schedule] = Kind(
    name="schedule",
    message=schedule_pb2.Schedule,
    table=tables.schedules,
    key=lambda schedule: schedule.id,
    revision=lambda schedule: schedule.revision,
    stamp=_stamp_schedule,
    fixed=lambda schedule: {"id": schedule.number},
    columns=_schedule_columns,
    namespace=lambda schedule: schedule.namespace_id,
    growth=_SCHEDULE_GROWTH,
)

KEYS: Kind[key_pb2.Key] = Kind(
    name="key",
    message=key_pb2.Key,
    table=tables.keys,
    key=lambda key: key.key_id,
    revision=lambda key: key.revision,
    stamp=_stamp_key,
    fixed=lambda _: {},  # numbered by the database
    columns=_key_columns,
)

JOIN_TOKENS: Kind[key_pb2.JoinToken] = Kind(
    name="join_token",
    message=key_pb2.JoinToken,
    table=tables.join_tokens,
    key=lambda token: token.token_id,
    revision=lambda token: token.revision,
    stamp=_stamp_join_token,
    fixed=lambda _: {},  # the same
    columns=_join_token_columns,
)

KINDS: tuple[Kind[Any], ...] = (NODES, TASKS, JOBS, SCHEDULES, KEYS, JOIN_TOKENS)
