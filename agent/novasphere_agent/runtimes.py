"""What this agent may run, and what a dispatch comes to here."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from novasphere_agent import builtin_types
from novasphere_agent.builtin_types import NoSuchProgram, Start
from novasphere_agent.messages import Dispatch, Profile
from novasphere_agent.payloads import InvalidPayload, Payload

KINDS = ("shell", "exec", *builtin_types.NAMES)
# What the agent answers by itself.
ANSWERED = ("echo", "system_info")
# Evaluating expressions is less safe than it looks, so it wants to be asked for.
DEFAULT = tuple(kind for kind in KINDS if kind != "python_eval")
_LIMITS = ("memory_bytes", "cpu_seconds", "file_size_bytes", "open_files", "processes")


class Refused(Exception):
    """Nothing is started; the text begins with a word for why."""


def capabilities(allowed: Sequence[str]) -> list[str]:
    """Returns what an agent may run that was started with these in --allow."""
    implied = ["command"] if "shell" in allowed else []
    return list(dict.fromkeys([*allowed, *implied]))


class Runtimes:
    """Decides what becomes of dispatches: what the machine's profile announces is run, and nothing else."""

    def __init__(self, machine: Profile) -> None:
        self._machine = machine
        self._allowed = frozenset(machine.capabilities)

    def plan(self, dispatch: Dispatch) -> str | Start:
        """Returns the output of what is over at once, or what is to be started. Raises Refused."""
        kind = dispatch.kind
        if kind not in KINDS:
            raise Refused(f"NOT_ALLOWED: this version of the agent has no {kind!r} work")
        if kind != "exec" and kind not in self._allowed:
            raise self._not_allowed(f"{kind!r} work", kind)
        for name, value in dispatch.environment.items():
            _check_variable(name, value)
        try:
            if kind == "shell":
                return Start(command_text=dispatch.command_text)
            if kind == "exec":
                return self._program(dispatch)
            payload = Payload(dispatch.payload)
            plan: str | Start
            if kind == "echo":
                plan = builtin_types.echo(payload)
            elif kind == "system_info":
                plan = builtin_types.system_info(self._machine)
            else:
                plan = builtin_types.STARTED[kind](payload)
            payload.finish()
        except InvalidPayload as error:
            raise Refused(f"INVALID_PAYLOAD: {error}") from error
        except NoSuchProgram as error:
            raise Refused(f"SPAWN_FAILED: {error}") from error
        return plan

    def _program(self, dispatch: Dispatch) -> Start:
        program = dispatch.program
        if not program:
            raise InvalidPayload("program: it is empty")
        name = Path(program).name
        is_path = "/" in program
        # Another file of that name, which somebody may have put there, is not what was allowed.
        is_allowed = name in self._allowed and (not is_path or shutil.which(name) == program)
        if not is_allowed and "exec" not in self._allowed:
            raise self._not_allowed(f"program {program!r}", "exec" if is_path else f"{name} (or exec)")
        if is_path and not Path(program).is_absolute():
            raise InvalidPayload("program: it must be a name or an absolute path")
        file = program if is_path else builtin_types.find(program)
        return Start(program=file, arguments=[program, *dispatch.arguments])

    def _not_allowed(self, what: str, name: str) -> Refused:
        given = ",".join(self._machine.capabilities) or "none"
        return Refused(
            f"NOT_ALLOWED: this agent runs no {what}: start it with {name} in --allow (it has: {given})"
        )


def limits_of(dispatch: Dispatch, start: Start) -> dict[str, int]:
    """Returns the limits of an attempt that are set, by name: the lower ones of both."""
    asked = {name: getattr(dispatch.limits, name) for name in _LIMITS} if dispatch.limits else {}
    # Only files may be limited to nothing.
    limits = {
        name: limit
        for name, limit in asked.items()
        if limit or (limit is not None and name == "file_size_bytes")
    }
    for name, limit in start.limits.items():
        limits[name] = min(limit, limits.get(name, limit))
    return limits


def _check_variable(name: str, value: str) -> None:
    if not name or "=" in name or "\0" in name:
        # Behind the '=' may be what somebody meant to be its value: a secret.
        shown = name.partition("=")[0]
        raise Refused(
            f"INVALID_PAYLOAD: environment: {shown!r}: a name cannot be empty, nor hold '=' or a null byte"
        )
    if "\0" in value:
        raise Refused(f"INVALID_PAYLOAD: environment: the value of {name!r} holds a null byte")
    if name.startswith("NOVASPHERE_"):
        raise Refused(f"INVALID_PAYLOAD: environment: {name!r} is not for attempts: nothing of ours is")
