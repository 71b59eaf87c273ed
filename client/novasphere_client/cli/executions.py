"""`novasphere exec`: runs a command on nodes as if they were here, down to the exit code."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NoReturn

from novasphere.node.v1 import command_pb2, command_service_pb2, node_pb2

from novasphere_client import errors, json_form
from novasphere_client.cli import failures, selecting, sessions, terminal, times
from novasphere_client.cli.sinks import Lines, Sink
from novasphere_client.client import Client
from novasphere_client.connection import new_request_id
from novasphere_client.outputs import is_final

REFUSED = 126
TIMED_OUT = 124
CONTACT_LOST = 125
NOT_REACHED = 255  # as ssh has it
CANCELLED = 130

# Nodes that are spoken to at the same moment; the rest wait their turn.
_AT_ONCE = 100

# Commands that are created by one call; the server takes no more.
_BATCH = 1000

# What the server refuses of a batch for the sake of one of its commands, or of their number: nothing was
# created, and creating each alone tells which ones can be.
_REFUSALS = (
    errors.InvalidArgument,
    errors.NotFound,
    errors.PermissionDenied,
    errors.ResourceExhausted,
    errors.Unimplemented,  # a server that is older than batches
)

# A command that has not started yet waits for a node whose link is like this.
_AWAY = {
    node_pb2.CONNECTION_STATE_DISCONNECTED,
    node_pb2.CONNECTION_STATE_OFFLINE,
    node_pb2.CONNECTION_STATE_LOST,
}

_PREFIX_COLOURS = ("cyan", "green", "magenta", "yellow", "blue")


@dataclass(frozen=True)
class Request:
    """What the command line asked for."""

    nodes: Sequence[str] = ()
    selector: str = ""
    command_text: str = ""
    attach: Sequence[str] = ()
    offset: int = 0
    timeout_seconds: int | None = None
    queue_timeout_seconds: int | None = None
    contact_timeout: float = 60.0
    namespace: str = ""
    is_detached: bool = False
    is_dry_run: bool = False
    is_verbose: bool = False


@dataclass
class Target:
    """One node, and the command that runs there once it is created."""

    node_id: str
    command_id: str = ""
    offset: int = 0
    is_followed: bool = field(default=False)
    failure: errors.NovasphereError | None = None  # of the attempt to create it with others


def exit_code(command: command_pb2.Command, ended_by_signal: int = 0) -> int:
    """Returns the exit code that tells how a command ended; 0 for success alone."""
    match command.state:
        case command_pb2.COMMAND_STATE_SUCCEEDED:
            return 0
        case command_pb2.COMMAND_STATE_TIMED_OUT:
            return TIMED_OUT
        case command_pb2.COMMAND_STATE_CANCELLED:
            return CANCELLED
        case command_pb2.COMMAND_STATE_FAILED:
            if command.reason in {"NOT_ALLOWED", "SPAWN_FAILED"}:
                return REFUSED
            if command.reason == "SIGNAL" and ended_by_signal:
                return 128 + ended_by_signal
            # Exit codes are wider on some systems than here.
            return command.exit_code & 0xFF or 1
        case _:
            return CONTACT_LOST


class Execution:
    """One run of `novasphere exec`, from the request to the exit code."""

    def __init__(self, client: Client, request: Request) -> None:
        self._client = client
        self._request = request
        self._targets: list[Target] = []
        self._cancel = asyncio.Event()
        self._leave = asyncio.Event()
        self._failure: terminal.CannotWrite | None = None
        self._slots = asyncio.Semaphore(_AT_ONCE)
        self._watches = asyncio.Semaphore(_AT_ONCE)
        self._sink = Sink()
        self._is_interactive = terminal.is_terminal(sys.stdout)
        self._interrupted: set[str] = set()

    async def run(self) -> int:
        """Runs it and returns the exit code."""
        try:
            await self._client.wait_until_ready(min(sessions.PATIENCE, self._request.contact_timeout))
            self._targets = await self._find_targets()
        except (errors.Unreachable, errors.DeadlineExceeded) as error:
            terminal.say(f"{failures.explain(error, self._client.settings)}\n{self._nothing_sent()}")
            return NOT_REACHED
        if not self._targets:
            return sessions.FAILED
        loop = asyncio.get_running_loop()
        # Where loops take no signal handlers, Ctrl-C leaves at once.
        with contextlib.suppress(NotImplementedError):
            loop.add_signal_handler(signal.SIGINT, self._on_interrupt)
        try:
            async with asyncio.TaskGroup() as tasks:
                work = tasks.create_task(self._run_all(), name="exec")
                leaving = tasks.create_task(self._leave.wait(), name="leave")
                await asyncio.wait((work, leaving), return_when=asyncio.FIRST_COMPLETED)
                work.cancel()
                leaving.cancel()
        finally:
            with contextlib.suppress(NotImplementedError):
                loop.remove_signal_handler(signal.SIGINT)
        if work.cancelled():
            self._exit_at_once()
        return work.result()

    def _nothing_sent(self) -> str:
        if not self._request.attach:
            return "Nothing was run."
        return "Nothing was changed; attach again to learn how it ends."

    async def _find_targets(self) -> list[Target]:
        if self._request.attach:
            found = [await self._client.commands.get(one) for one in self._request.attach]
            return [
                Target(one.command.target_node_id, one.command.command_id, self._request.offset)
                for one in found
            ]
        names = await selecting.nodes(self._client, self._request.nodes, self._request.selector)
        return [Target(name) for name in names]

    async def _run_all(self) -> int:
        await self._create_together()
        async with asyncio.TaskGroup() as tasks:
            running = [
                tasks.create_task(self._run_one(number, target), name=f"exec {target.node_id}")
                for number, target in enumerate(self._targets)
            ]
        return max(task.result() for task in running)

    async def _run_one(self, number: int, target: Target) -> int:
        if not target.command_id:
            async with self._slots:
                code = await self._create(target)
            if code is not None:
                return code
        if self._request.is_detached:
            # First the words: they hold where nobody reads the id.
            terminal.say(f"command {target.command_id} on {target.node_id}; {self._attach_hint(target)}")
            try:
                terminal.put(target.command_id)
            except terminal.CannotWrite as failure:
                await self._leave_because(failure)
            return 0
        if self._request.is_verbose:
            terminal.say(f"command {target.command_id} on {target.node_id}")
        lines = None
        if len(self._targets) > 1:
            colour = None
            if terminal.has_colours(sys.stdout):
                colour = _PREFIX_COLOURS[number % len(_PREFIX_COLOURS)]
            lines = Lines(self._sink, target.node_id, colour=colour)
        target.is_followed = True
        async with asyncio.TaskGroup() as tasks:
            canceller = tasks.create_task(self._cancel_when_asked(target), name="cancel")
            greeter = tasks.create_task(self._tell_if_away(target), name="presence")
            code = await self._follow(target, lines)
            greeter.cancel()
            canceller.cancel()
        target.is_followed = False
        return code

    async def _create_together(self) -> None:
        """Creates the commands of several nodes by as few calls as that takes.

        What is refused is left to be created alone; so is everything under a request id of the user's,
        which stands for one command on each node, whoever is named beside it.
        """
        missing = [target for target in self._targets if not target.command_id]
        if len(missing) < 2 or self._client.request_id or self._request.is_dry_run:
            return
        for start in range(0, len(missing), _BATCH):
            batch = missing[start : start + _BATCH]
            requests = [
                command_service_pb2.CreateCommandRequest(
                    node_id=target.node_id,
                    command_text=self._request.command_text,
                    timeout_seconds=self._request.timeout_seconds,
                    queue_timeout_seconds=self._request.queue_timeout_seconds,
                    namespace=self._request.namespace,
                )
                for target in batch
            ]
            try:
                created = await self._client.commands.create_all(
                    requests, patience=self._request.contact_timeout
                )
            except errors.NovasphereError as error:
                if isinstance(error, _REFUSALS) and not error.may_have_happened:
                    continue
                for target in batch:
                    target.failure = error
            else:
                for target, command in zip(batch, created, strict=True):
                    target.command_id = command.command_id

    async def _create(self, target: Target) -> int | None:
        """Creates the command; returns an exit code when that is the end of it."""
        if target.failure is not None:
            return self._tell_why_not(target, target.failure)
        try:
            created = await self._client.commands.create(
                target.node_id,
                self._request.command_text,
                timeout_seconds=self._request.timeout_seconds,
                queue_timeout_seconds=self._request.queue_timeout_seconds,
                namespace=self._request.namespace,
                request_id=sessions.request_id_for(target.node_id, self._client.request_id),
                validate_only=self._request.is_dry_run,
                patience=self._request.contact_timeout,
            )
        except errors.NovasphereError as error:
            return self._tell_why_not(target, error)
        if self._request.is_dry_run:
            terminal.say(f"the command would run on {target.node_id}")
            return 0
        target.command_id = created.command_id
        return None

    def _tell_why_not(self, target: Target, error: errors.NovasphereError) -> int:
        why = failures.explain(error, self._client.settings)
        if not error.may_have_happened:
            self._say(target, why)
            return sessions.FAILED
        if isinstance(error, errors.Unreachable | errors.DeadlineExceeded):
            why = "lost contact with the server while submitting"
        self._say(target, f"{why}; whether the command runs is not known.\nSee: novasphere command list")
        return CONTACT_LOST

    async def _follow(self, target: Target, lines: Lines | None) -> int:
        """Prints the output until the command has ended; returns its exit code."""

        def interrupted(_: errors.NovasphereError) -> None:
            if self._is_interactive and target.command_id not in self._interrupted:
                self._say(target, "the connection broke; trying again")
            self._interrupted.add(target.command_id)

        output = self._client.commands.output(
            target.command_id,
            offset=target.offset,
            follow=True,
            patience=self._request.contact_timeout,
            on_interruption=interrupted,
        )
        try:
            async with self._slots, output:
                async for piece in output:
                    self._interrupted.discard(target.command_id)
                    is_error = piece.stream == command_service_pb2.OUTPUT_STREAM_STDERR
                    await (lines or self._sink).write(piece.data, is_error=is_error)
                    target.offset = output.offset
            if lines is not None:
                await lines.finish()
            command = output.command
            if command is None:
                raise errors.OutputGap("the output ended without saying how the command ended")
            return await self._conclude(target, command)
        except errors.CommandNotFound:
            self._say(
                target,
                f"command {target.command_id} was deleted, as commands are with their node; "
                "how it ended is not known",
            )
            return CONTACT_LOST
        except errors.NovasphereError as error:
            if isinstance(error, errors.Unreachable):
                said = f"lost contact with the server at {self._client.settings.server}"
            else:
                said = failures.explain(error, self._client.settings)
            self._say(
                target,
                f"{said}\nHow command {target.command_id} ends is not known; "
                f"{self._attach_hint(target)}",
            )
            return CONTACT_LOST
        except terminal.CannotWrite as failure:
            await self._leave_because(failure)

    async def _leave_because(self, failure: terminal.CannotWrite) -> NoReturn:
        self._failure = failure
        self._leave.set()
        # `run` ends everything; nothing may look finished meanwhile.
        await asyncio.Event().wait()
        raise failure

    async def _conclude(self, target: Target, command: command_pb2.Command) -> int:
        """Says how a command ended where the exit code cannot, and returns that code."""
        ended_by = 0
        if command.reason == "SIGNAL":
            found = await self._client.commands.get(
                target.command_id, patience=self._request.contact_timeout
            )
            ended_by = found.result.signal
        code = exit_code(command, ended_by)
        why = f": {command.reason_message}" if command.reason_message else ""
        what = f"command {command.command_id}"
        match command.state:
            case command_pb2.COMMAND_STATE_TIMED_OUT if command.reason == "QUEUE_TIMEOUT":
                waited = times.span(command.queue_timeout_seconds)
                self._say(
                    target, f"node {target.node_id} did not come back within {waited}; {what} never ran"
                )
            case command_pb2.COMMAND_STATE_TIMED_OUT:
                ran = times.span(command.timeout_seconds)
                # What the server times runs on a foreign node, where nothing kills it.
                then = "may still run there" if command.HasField("run_deadline") else "was killed"
                self._say(target, f"{what} timed out after {ran} and {then}; --timeout allows more")
            case command_pb2.COMMAND_STATE_CANCELLED:
                self._say(target, f"{what} was cancelled")
            case command_pb2.COMMAND_STATE_LOST | command_pb2.COMMAND_STATE_UNKNOWN:
                self._say(
                    target,
                    f"contact with node {target.node_id} was lost; how {what} ended is not known{why}",
                )
            case command_pb2.COMMAND_STATE_FAILED if code == REFUSED and command.reason != "EXIT_CODE":
                self._say(target, f"node {target.node_id} refused {what}{why}")
            case command_pb2.COMMAND_STATE_FAILED if ended_by:
                self._say(target, f"{what} was ended by signal {ended_by}")
            case _:
                pass
        return code

    async def _tell_if_away(self, target: Target) -> None:
        """Says once that the command waits for its node, if that is away or goes away meanwhile."""
        watch = self._client.nodes.watch(node_id=target.node_id, patience=self._request.contact_timeout)
        try:
            async with self._watches, watch:
                async for event in watch:
                    if event.object.connection not in _AWAY:
                        continue
                    found = await self._client.commands.get(target.command_id)
                    if not (found.command.HasField("started_at") or is_final(found.command)):
                        self._say_waiting(target, event.object.connection, found.command)
                    return
        except errors.NovasphereError:
            return  # whoever follows the command hears about it

    def _say_waiting(
        self,
        target: Target,
        connection: node_pb2.ConnectionState.ValueType,
        command: command_pb2.Command,
    ) -> None:
        state = json_form.spell(node_pb2.ConnectionState.DESCRIPTOR, connection) or ""
        self._say(
            target,
            f"node {target.node_id} is {state.lower()}; command {target.command_id} waits for it, for "
            f"{times.span(command.queue_timeout_seconds)} at most (--queue-timeout). Ctrl-C or "
            f"`novasphere command cancel {target.command_id}` cancels it",
        )

    async def _cancel_when_asked(self, target: Target) -> None:
        await self._cancel.wait()
        try:
            await self._client.commands.cancel(
                target.command_id,
                request_id=new_request_id(),  # the user's own, if any, stands for the creation
                patience=self._request.contact_timeout,
            )
        except errors.CommandFinished:
            return  # its output tells how
        except errors.NovasphereError as error:
            self._say(target, f"could not cancel: {failures.explain(error, self._client.settings)}")

    def _on_interrupt(self) -> None:
        if self._cancel.is_set():
            self._leave.set()
            return
        terminal.say("cancelling, and waiting for the confirmation; Ctrl-C again leaves at once")
        self._cancel.set()

    def _exit_at_once(self) -> NoReturn:
        """Leaves without waiting for anything, a blocked write to a pipe included."""
        code = CANCELLED
        if self._failure is not None and self._failure.has_no_reader:
            code = sessions.BROKEN_PIPE
        elif self._failure is not None:
            terminal.say(str(self._failure))
            code = CONTACT_LOST
        for target in self._targets:
            if not target.command_id:
                self._say(target, "left while submitting; see whether it runs: novasphere command list")
            elif target.is_followed:
                self._say(target, f"left command {target.command_id}; {self._attach_hint(target)}")
        # Interpreter shutdown would wait for a thread that still writes.
        os._exit(code)

    def _attach_hint(self, target: Target) -> str:
        offset = f" --offset {target.offset}" if target.offset else ""
        return f"attach to it: novasphere exec --attach {target.command_id}{offset}"

    def _say(self, target: Target, text: str) -> None:
        terminal.say(f"[{target.node_id}] {text}" if len(self._targets) > 1 else text)
