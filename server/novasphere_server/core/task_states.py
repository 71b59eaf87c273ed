"""How tasks and their attempts move: from PENDING over DISPATCHED and RUNNING to an end that never changes."""

from __future__ import annotations

from typing import TypeAlias

from novasphere.schedule.v1 import task_pb2 as pb

from novasphere_server import errors
from novasphere_server.core import instants

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
    """Puts an unfinished task, with an attempt that has not ended, into another state. Raises TaskFinished."""
    task, instance = stored.task, stored.instance
    refuse_finished(task)
    task.state = state
    task.status = TASK_STATUS[state]
    task.updated_at.CopyFrom(instants.timestamp(now_us))
    if not is_terminal(instance.state):
        instance.state = state
        instance.status = INSTANCE_STATUS[state]
        instance.updated_at.CopyFrom(task.updated_at)


def end(
    stored: pb.StoredTask,
    state: State,
    now_us: int,
    reason: str = "",
    message: str = "",
    ended_us: int | None = None,
) -> None:
    """Puts an unfinished task into its final state, and its attempt if that has not ended. `reason` is one
    word, `message` for people. What is heard of late ended at `ended_us`.
    """
    task, instance = stored.task, stored.instance
    has_open_attempt = not is_terminal(instance.state)
    move(stored, state, now_us)
    task.completed_at.CopyFrom(instants.timestamp(now_us if ended_us is None else ended_us))
    task.reason = reason
    task.reason_message = message
    task.ClearField("due_at")
    if has_open_attempt:
        instance.completed_at.CopyFrom(task.completed_at)
        _explain(instance, reason, message)


def end_attempt(
    stored: pb.StoredTask,
    state: State,
    now_us: int,
    due_at_us: int,
    reason: str,
    message: str,
    ended_us: int | None = None,
) -> None:
    """Puts the attempt of an unfinished task into its final state, and has the task wait for the next one,
    which the caller counts. What is heard of late ended at `ended_us`.
    """
    task, instance = stored.task, stored.instance
    refuse_finished(task)
    move(stored, pb.WORK_STATE_PENDING, now_us)
    instance.state = state
    instance.status = INSTANCE_STATUS[state]
    instance.completed_at.CopyFrom(instants.timestamp(now_us if ended_us is None else ended_us))
    _explain(instance, reason, message)
    task.due_at.CopyFrom(instants.timestamp(due_at_us))


def _explain(instance: pb.TaskInstance, reason: str, message: str) -> None:
    instance.reason = reason
    if message:
        instance.error_message = message


def refuse_finished(task: pb.Task) -> None:
    """Raises TaskFinished when the task has ended."""
    if is_terminal(task.state):
        raise errors.TaskFinished(task.id, name(task.state))
