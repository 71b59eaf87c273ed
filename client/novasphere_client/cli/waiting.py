"""`novasphere wait`: returns once something is so, and says at once when it never will be."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from novasphere.api.v1 import watch_pb2

from novasphere_client import errors
from novasphere_client.cli import sessions, terminal, times
from novasphere_client.cli.conditions import Condition, Verdict
from novasphere_client.client import Client
from novasphere_client.connection import OnInterruption
from novasphere_client.watches import Watch

NEVER = 3

_LOOK_SECONDS = 10.0

Start = Callable[[OnInterruption], Watch[Any]]


@dataclass(frozen=True)
class Kind:
    """A kind of resource that can be waited for. `comes`: one that is not there may come later."""

    plural: str
    name: Callable[[Any], str]
    comes: bool


NODES = Kind("nodes", lambda node: str(node.node_id), comes=True)
COMMANDS = Kind("commands", lambda command: str(command.command_id), comes=False)
TASKS = Kind("tasks", lambda task: str(task.id), comes=False)
SCHEDULES = Kind("schedules", lambda schedule: str(schedule.id), comes=False)


class _WillNeverBe(Exception):
    """One of the targets cannot become what it should."""


@dataclass
class Wait:
    """One run of `novasphere wait`. `timeout` of 0 looks once."""

    client: Client
    kind: Kind
    condition: Condition
    timeout: float
    _left: dict[str, str] = field(default_factory=dict)  # how each one stands that is not met yet
    _seen: set[str] = field(default_factory=set)
    _is_interrupted: bool = False

    async def run(self, names: Sequence[str]) -> int:
        """Waits for all of them and returns the exit code."""
        self._left = dict.fromkeys(names, "not known yet: the server has not answered")
        # A server that never answered is an error; one that went away is waited for.
        await self.client.wait_until_ready(sessions.PATIENCE)
        try:
            async with asyncio.timeout(self.timeout or _LOOK_SECONDS) as clock:
                await self._follow_all(names)
        except TimeoutError:
            if not clock.expired():
                raise
        except _WillNeverBe as failure:
            terminal.say(str(failure))
            return NEVER
        for name, state in self._left.items():
            waited = f"timed out after {times.span(self.timeout)}: " if self.timeout else ""
            terminal.say(f"{waited}{self._called(name)} is {state}; it was to be {self.condition.words}")
        if self._left and self._is_interrupted:
            terminal.say("the connection to the server is broken; it may stand otherwise by now")
        return sessions.FAILED if self._left else 0

    async def _follow_all(self, names: Sequence[str]) -> None:
        watches: list[tuple[Start, Collection[str]]]
        if self.kind is COMMANDS:  # of which the server may hold many more than these
            watches = [(self._command_watch(name), {name}) for name in names]
        elif self.kind is TASKS:
            watches = [(self._task_watch(name), {name}) for name in names]
        elif self.kind is SCHEDULES:
            watches = [(self._schedule_watch(name), {name}) for name in names]
        elif len(names) == 1:
            watches = [(self._node_watch(names[0]), names)]
        else:
            watches = [(self._node_watch(""), set(names))]
        try:
            async with asyncio.TaskGroup() as tasks:
                for start, group in watches:
                    tasks.create_task(self._follow(start, group), name="wait")
        except ExceptionGroup as group:
            raise group.exceptions[0] from None

    def _node_watch(self, name: str) -> Start:
        return lambda told: self.client.nodes.watch(node_id=name, patience=None, on_interruption=told)

    def _command_watch(self, name: str) -> Start:
        return lambda told: self.client.commands.watch(
            command_id=name, patience=None, on_interruption=told
        )

    def _task_watch(self, name: str) -> Start:
        return lambda told: self.client.tasks.watch(task_id=name, patience=None, on_interruption=told)

    def _schedule_watch(self, name: str) -> Start:
        return lambda told: self.client.schedules.watch(
            schedule_id=name, patience=None, on_interruption=told
        )

    async def _follow(self, start: Start, names: Collection[str]) -> None:
        """Returns once none of the names is left, or with a timeout of 0 once all were looked at."""
        while True:
            present: set[str] = set()
            try:
                async with start(self._interrupted) as watch:
                    async for event in watch:
                        self._is_interrupted = False
                        if event.type == watch_pb2.EVENT_TYPE_BOOKMARK:
                            for name in self._left.keys() & set(names) - present:
                                self._miss(name)
                            present.update(names)
                            if not self.timeout:
                                return
                        elif self.kind.name(event.object) in self._left:
                            present.add(self.kind.name(event.object))
                            self._take(event)
                        if not self._left.keys() & set(names):
                            return
            except errors.Gap:
                continue  # what was lost in between shows in the present state, as far as it matters

    def _take(self, event: Any) -> None:
        name = self.kind.name(event.object)
        self._seen.add(name)
        if event.type == watch_pb2.EVENT_TYPE_DELETED:
            self._miss(name)
            return
        self._left[name] = self.condition.describe(event.object)
        match self.condition.judge(event.object):
            case Verdict.MET:
                del self._left[name]
                terminal.say(f"{self._called(name)} is {self.condition.words}")
            case Verdict.NEVER:
                self._give_up(name)
            case Verdict.NOT_YET:
                pass

    def _miss(self, name: str) -> None:
        """Judges a target that is not there, or no longer."""
        was_deleted = name in self._seen
        state = "deleted" if was_deleted else "not there"
        if self.condition.is_deletion:
            del self._left[name]
            terminal.say(f"{self._called(name)} is {state}")
            return
        self._left[name] = state
        if was_deleted or not self.kind.comes:
            self._give_up(name)

    def _give_up(self, name: str) -> None:
        raise _WillNeverBe(
            f"{self._called(name)} is {self._left[name]}; it will never be {self.condition.words}"
        )

    def _called(self, name: str) -> str:
        return f"{self.kind.plural}/{name}"

    def _interrupted(self, _: errors.NovasphereError) -> None:
        self._is_interrupted = True
