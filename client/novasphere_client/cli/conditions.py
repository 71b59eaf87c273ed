"""What `novasphere wait --for` waits for, and whether an object is so, not yet, or never will be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from novasphere.node.v1 import command_pb2, node_pb2
from novasphere.schedule.v1 import schedule_pb2, task_pb2

from novasphere_client import json_form, tasks
from novasphere_client.outputs import is_final

DELETED = "deleted"

_FOR_NODES = "online, offline, error, deleted or condition=TYPE[=false]"


class Verdict(Enum):
    """What an object says about a condition."""

    MET = auto()
    NOT_YET = auto()
    NEVER = auto()


@dataclass(frozen=True)
class Condition:
    """A wish about an object. `words` follow "is"; `describe` says how the object stands instead."""

    words: str
    judge: Callable[[Any], Verdict]
    describe: Callable[[Any], str]

    @property
    def is_deletion(self) -> bool:
        return self.words == DELETED


def for_nodes(text: str) -> Condition:
    """Parses what to wait for of nodes. Raises ValueError."""
    if _is_deletion(text):
        return Condition(DELETED, lambda node: Verdict.NOT_YET, _node_status)
    kind, _, rest = text.partition("=")
    if kind == "condition" and rest:
        return _node_condition(rest)
    status = json_form.number_of(node_pb2.NodeStatus.DESCRIPTOR, text)
    if status is None:
        raise ValueError(f"nodes can be waited for to be {_FOR_NODES}; not {text!r}")
    return Condition(text.lower(), lambda node: _met_if(node.status == status), _node_status)


def for_commands(text: str) -> Condition:
    """Parses what to wait for of commands. Raises ValueError."""
    if _is_deletion(text):
        return Condition(DELETED, lambda command: Verdict.NOT_YET, _command_state)
    kind, _, rest = text.partition("=")
    enum = command_pb2.CommandState.DESCRIPTOR
    wanted = json_form.number_of(enum, rest) if kind == "state" else None
    if wanted is None:
        known = ", ".join(word.lower() for word in json_form.words(enum))
        raise ValueError(
            f"commands can be waited for to be deleted or state=STATE, which is one of {known}; not {text!r}"
        )

    def judge(command: command_pb2.Command) -> Verdict:
        if command.state == wanted:
            return Verdict.MET
        # Final states never change, and a command that went on does not go back: it runs at most once.
        is_past = is_final(command) or command.state > wanted
        return Verdict.NEVER if is_past else Verdict.NOT_YET

    return Condition(rest.lower(), judge, _command_state)


def for_tasks(text: str) -> Condition:
    """Parses what to wait for of tasks. Raises ValueError."""
    if _is_deletion(text):
        return Condition(DELETED, lambda task: Verdict.NOT_YET, _task_state)
    if text == "finished":
        return Condition(text, lambda task: _met_if(tasks.is_final(task)), _task_state)
    kind, _, rest = text.partition("=")
    word = "succeeded" if text == "succeeded" else rest if kind == "state" else ""
    wanted = json_form.number_of(task_pb2.WorkState.DESCRIPTOR, word)
    if wanted is None:
        known = ", ".join(state.lower() for state in json_form.words(task_pb2.WorkState.DESCRIPTOR))
        raise ValueError(
            "tasks can be waited for to be finished, succeeded, deleted or state=STATE, which is one of "
            f"{known}; not {text!r}"
        )

    def judge(task: task_pb2.Task) -> Verdict:
        if task.state == wanted:
            return Verdict.MET
        # One that is tried again is pending again: only final states last.
        return Verdict.NEVER if tasks.is_final(task) else Verdict.NOT_YET

    return Condition(word.lower(), judge, _task_state)


def for_schedules(text: str) -> Condition:
    """Parses what to wait for of schedules. Raises ValueError."""
    if _is_deletion(text):
        return Condition(DELETED, lambda schedule: Verdict.NOT_YET, _schedule_state)
    enum = schedule_pb2.ScheduleState.DESCRIPTOR
    wanted = json_form.number_of(enum, text.removeprefix("state="))
    if wanted is None:
        known = ", ".join(state.lower() for state in json_form.words(enum))
        raise ValueError(f"schedules can be waited for to be deleted or one of {known}; not {text!r}")
    # None of its states lasts: one that has ended can be given more times.
    return Condition(
        text.removeprefix("state=").lower(),
        lambda schedule: _met_if(schedule.state == wanted),
        _schedule_state,
    )


def _node_condition(text: str) -> Condition:
    wanted_type, _, value = text.partition("=")
    if value.lower() not in {"", "true", "false"}:
        raise ValueError(f"a condition is true or false, not {value!r}: condition={wanted_type}=false")
    wanted = (
        node_pb2.CONDITION_STATUS_FALSE if value.lower() == "false" else node_pb2.CONDITION_STATUS_TRUE
    )

    def found(node: node_pb2.Node) -> node_pb2.Condition | None:
        return next((c for c in node.conditions if c.type.lower() == wanted_type.lower()), None)

    def judge(node: node_pb2.Node) -> Verdict:
        condition = found(node)
        return _met_if(condition is not None and condition.status == wanted)

    def describe(node: node_pb2.Node) -> str:
        condition = found(node)
        if condition is None:
            return f"{_node_status(node)} and says nothing about {wanted_type}"
        state = json_form.spell(node_pb2.ConditionStatus.DESCRIPTOR, condition.status) or "not known"
        return f"{_node_status(node)}, {condition.type} {state.lower()}{_why(condition)}"

    having = "without" if wanted == node_pb2.CONDITION_STATUS_FALSE else "with"
    return Condition(f"{having} {wanted_type}", judge, describe)


def _is_deletion(text: str) -> bool:
    return text in {DELETED, "delete"}


def _met_if(holds: bool) -> Verdict:
    return Verdict.MET if holds else Verdict.NOT_YET


def _node_status(node: node_pb2.Node) -> str:
    return json_form.spell(node_pb2.NodeStatus.DESCRIPTOR, node.status) or "of unknown status"


def _command_state(command: command_pb2.Command) -> str:
    state = json_form.spell(command_pb2.CommandState.DESCRIPTOR, command.state) or "of unknown state"
    exit_code = f"exit code {command.exit_code}" if command.HasField("exit_code") else ""
    why = command.reason_message or exit_code or command.reason
    return state.lower().replace("_", " ") + (f" ({why})" if why else "")


def _task_state(task: task_pb2.Task) -> str:
    state = json_form.spell(task_pb2.WorkState.DESCRIPTOR, task.state) or "of unknown state"
    why = task.reason_message or task.reason
    return state.lower().replace("_", " ") + (f" ({why})" if why else "")


def _schedule_state(schedule: schedule_pb2.Schedule) -> str:
    state = json_form.spell(schedule_pb2.ScheduleState.DESCRIPTOR, schedule.state) or "of unknown state"
    return state.lower() + (f" ({schedule.pause_note})" if schedule.pause_note else "")


def _why(condition: node_pb2.Condition) -> str:
    why = condition.message or condition.reason
    return f" ({why})" if why else ""
