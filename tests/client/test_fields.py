"""What tables say of messages."""

from __future__ import annotations

from typing import Any

import pytest
from novasphere.node.v1 import command_pb2
from novasphere.schedule.v1 import task_pb2
from novasphere_client.cli import fields

SUCCEEDED, LOST = task_pb2.WORK_STATE_SUCCEEDED, task_pb2.WORK_STATE_LOST


def ended(message: Any) -> Any:
    message.started_at.FromSeconds(1_800_000_000)
    message.completed_at.FromSeconds(1_800_000_016)
    return message


@pytest.mark.parametrize(
    ("message", "told"),
    [
        (task_pb2.TaskInstance(state=SUCCEEDED), "16s"),
        # The server was down for a while.
        (task_pb2.TaskInstance(state=SUCCEEDED, execution_time_ms=11_900), "12s"),
        (task_pb2.TaskInstance(state=LOST), ""),
        (task_pb2.TaskInstance(state=task_pb2.WORK_STATE_UNKNOWN), ""),
        (task_pb2.Task(state=SUCCEEDED), "16s"),
        (task_pb2.Task(state=LOST), ""),
        (command_pb2.Command(state=command_pb2.COMMAND_STATE_SUCCEEDED), "16s"),
        (command_pb2.Command(state=command_pb2.COMMAND_STATE_UNKNOWN), ""),
    ],
)
def test_what_ended_took_as_long_as_was_measured_and_nobody_knows_more(message: Any, told: str):
    assert fields.took(ended(message)) == told


def test_what_was_never_started_took_nothing():
    assert fields.took(task_pb2.Task(state=task_pb2.WORK_STATE_CANCELLED)) == ""
