"""How commands move: from PENDING over DISPATCHED and RUNNING to an end that never changes."""

from __future__ import annotations

from typing import TypeAlias

from novasphere.node.v1 import command_pb2 as pb

from novasphere_server import errors
from novasphere_server.core import instants

State: TypeAlias = pb.CommandState.ValueType
Status: TypeAlias = pb.CommandStatus.ValueType

ON_NODE: tuple[State, ...] = (pb.COMMAND_STATE_DISPATCHED, pb.COMMAND_STATE_RUNNING)

# What the nodes face calls each state: its only source.
STATUS: dict[State, Status] = {
    pb.COMMAND_STATE_PENDING: pb.COMMAND_STATUS_PENDING,
    pb.COMMAND_STATE_DISPATCHED: pb.COMMAND_STATUS_PENDING,
    pb.COMMAND_STATE_RUNNING: pb.COMMAND_STATUS_RUNNING,
    pb.COMMAND_STATE_SUCCEEDED: pb.COMMAND_STATUS_SUCCESS,
    pb.COMMAND_STATE_FAILED: pb.COMMAND_STATUS_FAILED,
    pb.COMMAND_STATE_TIMED_OUT: pb.COMMAND_STATUS_TIMEOUT,
    pb.COMMAND_STATE_CANCELLED: pb.COMMAND_STATUS_FAILED,
    pb.COMMAND_STATE_LOST: pb.COMMAND_STATUS_FAILED,
    pb.COMMAND_STATE_UNKNOWN: pb.COMMAND_STATUS_FAILED,
}


def is_terminal(state: State) -> bool:
    return state >= pb.COMMAND_STATE_SUCCEEDED


def name(state: State) -> str:
    """Returns the state as people write it: "CANCELLED"."""
    return pb.CommandState.Name(state).removeprefix("COMMAND_STATE_")


def move(command: pb.Command, state: State) -> None:
    """Puts an unfinished command into another unfinished state."""
    refuse_finished(command)
    command.state = state
    command.status = STATUS[state]


def end(command: pb.Command, state: State, now_us: int, reason: str = "", message: str = "") -> None:
    """Puts an unfinished command into its final state. `reason` is one word, `message` for people."""
    move(command, state)
    command.completed_at.CopyFrom(instants.timestamp(now_us))
    command.reason = reason
    command.reason_message = message


def refuse_finished(command: pb.Command) -> None:
    """Raises CommandFinished when the command has ended."""
    if is_terminal(command.state):
        raise errors.CommandFinished(command.command_id, name(command.state))
