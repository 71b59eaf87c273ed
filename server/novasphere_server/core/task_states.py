"""How tasks and their attempts move: from PENDING over DISPATCHED and RUNNING to an end that never changes."""

from __future__ import annotations

from typing import TypeAlias

from novasphere.schedule.v1 import task_pb2 as pb

from novasphere_server import errors
from novasphere_server.core import instants, task_ids

State: TypeAlias = pb.WorkState.ValueType

ON_NODE: tuple[State, ...] = (pb.WORK_STATE_DISPATCHED, pb.WORK_STATE_RUNNING)

# What the schedules face calls each state of a task: its only source.
TASK_STATUS: dict[State, pb.TaskStatus.ValueType] = {
    pb.WORK_STATE_PENDING: pb.TASK_STATUS_PENDING,
    pb.WORK_STATE_DISPATCHED: pb.TASK_STATUS_DISPATCHED,
    pb.WORK_STATE_RUNNING: pb.TASK_STATUS_RUNNING,
    pb.WORK_STATE_SUCCEEDED: pb.TASK_STATUS_SUCCEEDED,
    pb.WORK_STATE_FAILED: pb.TASK_STATUS_FAILED,
    pb.WORK_STATE_TIMED_OUT: pb.TASK_STATUS_FAILED,
    pb.WORK_STATE_CANCELLED: pb.TASK_STATUS_CANCELLED,
    pb.WORK_STATE_LOST: pb.TASK_STATUS_FAILED,
    pb.WORK_STATE_UNKNOWN: pb.TASK_STATUS_FAILED,
}

# And each state of an attempt.
INSTANCE_STATUS: dict[State, pb.TaskInstanceStatus.ValueType] = {
    pb.WORK_STATE_PENDING: pb.TASK_INSTANCE_STATUS_PENDING,
    pb.WORK_STATE_DISPATCHED: pb.TASK_INSTANCE_STATUS_DISPATCHED,
    pb.WORK_STATE_RUNNING: pb.TASK_INSTANCE_STATUS_RUNNING,
    pb.WORK_STATE_SUCCEEDED: pb.TASK_INSTANCE_STATUS_SUCCEEDED,
    pb.WORK_STATE_FAILED: pb.TASK_INSTANCE_STATUS_FAILED,
    pb.WORK_STATE_TIMED_OUT: pb.TASK_INSTANCE_STATUS_TIMEOUT,
    pb.WORK_STATE_CANCELLED: pb.TASK_INSTANCE_STATUS_CANCELLED,
    pb.WORK_STATE_LOST: pb.TASK_INSTANCE_STATUS_FAILED,
    pb.WORK_STATE_UNKNOWN: pb.TASK_INSTANCE_STATUS_FAILED,
}


def is_terminal(state: State) -> bool:
    return state >= pb.WORK_STATE_SUCCEEDED


def name(state: State) -> str:
    """Returns the state as people write it: "CANCELLED"."""
    return pb.WorkState.Name(state).removeprefix("WORK_STATE_")


def move(stored: pb.StoredTask, state: State, now_us: int) -> None:
    """Puts an unfinished task, with its attempt, into another state. Raises TaskFinished."""
    task, instance = stored.task, stored.instance
    refuse_finished(task)
    task.state = instance.state = state
    task.status = TASK_STATUS[state]
    instance.status = INSTANCE_STATUS[state]
    now = instants.timestamp(now_us)
    task.updated_at.CopyFrom(now)
    instance.updated_at.CopyFrom(now)


def end(stored: pb.StoredTask, state: State, now_us: int, reason: str = "", message: str = "") -> None:
    """Puts an unfinished task into its final state. `reason` is one word, `message` for people."""
    move(stored, state, now_us)
    task, instance = stored.task, stored.instance
    task.completed_at.CopyFrom(task.updated_at)
    instance.completed_at.CopyFrom(task.updated_at)
    task.reason = instance.reason = reason
    task.reason_message = message
    if message:
        instance.error_message = message


def refuse_finished(task: pb.Task) -> None:
    """Raises TaskFinished when the task has ended."""
    if is_terminal(task.state):
        raise errors.CommandFinished(task_ids.of_task(task.id), name(task.state))
