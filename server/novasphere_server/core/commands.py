"""Commands: tasks as the nodes face has them. What keeps and ends them is in core.tasks."""

from __future__ import annotations

import shlex
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import TypeAlias

from novasphere.node.v1 import command_pb2 as pb
from novasphere.node.v1 import command_service_pb2 as api
from novasphere.node.v1 import node_pb2
from novasphere.schedule.v1 import task_pb2

from novasphere_server import errors
from novasphere_server.core import etags, task_ids, tasks
from novasphere_server.core import task_states as states
from novasphere_server.core.fleet_settings import FleetSettings
from novasphere_server.core.principals import Principal, unreachable
from novasphere_server.core.task_configs import TEXT_LIMIT
from novasphere_server.core.tasks import Tasks, check_namespace
from novasphere_server.store.idempotency import Idempotency
from novasphere_server.store.kinds import NODES, TASKS
from novasphere_server.store.queries import Page, Query
from novasphere_server.store.rendered import Rendered
from novasphere_server.store.store import Store
from novasphere_server.store.transactions import Transaction
from novasphere_server.store.watches import Watch, WatchPage

Status: TypeAlias = pb.CommandStatus.ValueType

# What the nodes face calls each state of a task: its only source.
_STATUS: dict[states.State, Status] = {
    task_pb2.WORK_STATE_PENDING: pb.COMMAND_STATUS_PENDING,
    task_pb2.WORK_STATE_DISPATCHED: pb.COMMAND_STATUS_PENDING,
    task_pb2.WORK_STATE_RUNNING: pb.COMMAND_STATUS_RUNNING,
    task_pb2.WORK_STATE_SUCCEEDED: pb.COMMAND_STATUS_SUCCESS,
    task_pb2.WORK_STATE_FAILED: pb.COMMAND_STATUS_FAILED,
    task_pb2.WORK_STATE_TIMED_OUT: pb.COMMAND_STATUS_TIMEOUT,
    task_pb2.WORK_STATE_CANCELLED: pb.COMMAND_STATUS_FAILED,
    task_pb2.WORK_STATE_LOST: pb.COMMAND_STATUS_FAILED,
    task_pb2.WORK_STATE_UNKNOWN: pb.COMMAND_STATUS_FAILED,
}
_STATE: dict[states.State, pb.CommandState.ValueType] = {
    state: pb.CommandState.Value(f"COMMAND_STATE_{states.name(state)}") for state in _STATUS
}
_STATES: dict[Status, tuple[states.State, ...]] = {
    status: tuple(state for state, its in _STATUS.items() if its == status)
    for status in _STATUS.values()
}


@dataclass(frozen=True, slots=True)
class CommandFilter:
    """Which commands to list or watch. Empty values choose everything."""

    status: Status = pb.COMMAND_STATUS_UNSPECIFIED
    node_id: str = ""
    command_id: str = ""
    namespace: str = ""


class Commands:
    """All tasks, in the words of the nodes face."""

    def __init__(self, store: Store, settings: FleetSettings, tasks: Tasks) -> None:
        self._store = store
        self._settings = settings
        self._tasks = tasks

    async def create(
        self,
        principal: Principal,
        request: api.CreateCommandRequest,
        *,
        idempotency: Idempotency | None = None,
        is_dry_run: bool = False,
    ) -> pb.Command:
        """Returns the new command, PENDING. Raises NodeNotFound."""
        check(principal, request, self._settings)
        run_id = task_ids.new()

        def create(tx: Transaction) -> pb.Command:
            node = tx.get(NODES, request.node_id)
            if node is None:
                raise errors.NodeNotFound(request.node_id)
            stored = new(tx, run_id, node, request, principal, self._settings)
            tasks.add(tx, stored)
            return command_of(stored)

        if not is_dry_run:
            self._tasks.expect(request.node_id)
        return await self._store.write(
            create,
            idempotency=idempotency,
            is_dry_run=is_dry_run,
            result_type=pb.Command,
            reads=[(NODES, request.node_id)],
        )

    async def get(self, principal: Principal, command_id: str) -> Rendered[pb.CommandWithResult]:
        """Returns a command with its result. Raises CommandNotFound, and PermissionDenied where the caller
        may not know whether it is there.
        """
        stored = await self._store.get(TASKS, task_ids.run_id(command_id))
        found = None if stored is None else stored.projected(command_with_result)
        if found is None or (
            principal.namespaces and not principal.may_touch(found.message().command.namespace)
        ):
            raise out_of_reach(principal, command_id)
        return found

    async def list(
        self, principal: Principal, which: CommandFilter, *, limit: int, offset: int = 0
    ) -> Page[pb.CommandWithResult]:
        """Returns commands with their results, newest first, and how many match in all."""
        page = await self._list(principal, which, limit, offset)
        return Page([item.projected(command_with_result) for item in page.items], page.total)

    async def list_flat(
        self, principal: Principal, which: CommandFilter, *, limit: int, offset: int = 0
    ) -> Page[pb.Command]:
        """Returns what list() does, without the results."""
        page = await self._list(principal, which, limit, offset)
        return Page([item.projected(command_of) for item in page.items], page.total)

    async def list_for_node(
        self, principal: Principal, node_id: str, status: Status, *, limit: int
    ) -> Page[pb.CommandWithResult]:
        """Returns a node's commands, newest first. Raises NodeNotFound."""
        if await self._store.get(NODES, node_id) is None:
            raise errors.NodeNotFound(node_id)
        return await self.list(principal, CommandFilter(status=status, node_id=node_id), limit=limit)

    async def _list(
        self, principal: Principal, which: CommandFilter, limit: int, offset: int
    ) -> Page[task_pb2.StoredTask]:
        filters: list[tuple[str, str, object]] = []
        if which.status:
            filters.append(("state", "in", _STATES[which.status]))
        if which.node_id:
            filters.append(("node_id", "=", which.node_id))
        if which.namespace:
            check_namespace(principal, which.namespace)
            filters.append(("namespace", "=", which.namespace))
        elif principal.namespaces:
            filters.append(("namespace", "in", tuple(sorted(principal.namespaces))))
        return await self._store.list(
            Query(TASKS, filters=tuple(filters), order_by=("-id",), limit=limit, offset=offset)
        )

    def watch(
        self, principal: Principal, which: CommandFilter, cursor: str
    ) -> AsyncGenerator[WatchPage, None]:
        """Returns the pages of a watch over Command objects. The caller must aclose() it."""
        if which.namespace:
            check_namespace(principal, which.namespace)
        namespaces = principal.namespaces

        def matches(stored: task_pb2.StoredTask) -> bool:
            namespace = stored.task.namespace_id
            return (
                (not which.status or _STATUS[stored.task.state] == which.status)
                and (not which.node_id or stored.instance.agent_id == which.node_id)
                and (not which.namespace or namespace == which.namespace)
                and (not namespaces or namespace in namespaces)
            )

        return self._store.watch(
            Watch(
                kind=TASKS,
                cursor=cursor,
                identity=(which, namespaces),
                matches=matches,
                project=command_of,
                key=task_ids.run_id(which.command_id),
            )
        )

    async def cancel(
        self,
        principal: Principal,
        command_id: str,
        *,
        grace_seconds: int | None = None,
        etag: str = "",
        idempotency: Idempotency | None = None,
        is_dry_run: bool = False,
    ) -> pb.Command:
        """Returns the command after the request: CANCELLED, or unfinished until its agent confirms.

        Raises what get() raises, and CommandFinished when it ended in another way.
        """

        def cancel(tx: Transaction) -> pb.Command:
            stored = find(tx, principal, command_id)
            etags.check(etag, stored.task.revision)
            if stored.task.state != task_pb2.WORK_STATE_CANCELLED:
                if states.is_terminal(stored.task.state):
                    raise errors.CommandFinished(command_id, states.name(stored.task.state))
                tasks.request_cancel(tx, stored, principal.name, grace_seconds, principal.number)
            return command_of(stored)

        return await self._store.write(
            cancel,
            idempotency=idempotency,
            is_dry_run=is_dry_run,
            result_type=pb.Command,
            reads=[(TASKS, task_ids.run_id(command_id))],
        )


def check(
    principal: Principal, request: api.CreateCommandRequest, settings: FleetSettings, where: str = ""
) -> None:
    """Refuses what no node could run, and namespaces that are not the caller's.

    `where` is the path to the request, with the dot that follows it, where it is one of many.
    """
    try:
        check_namespace(principal, request.namespace or settings.command_namespace)
    except errors.PermissionDenied as refusal:
        if where:
            refusal.at(f"{where}namespace")
        raise
    if len(request.command_text.encode()) > TEXT_LIMIT:
        raise errors.InvalidArgument(f"{where}command_text", f"must take at most {TEXT_LIMIT} bytes")


def new(
    tx: Transaction,
    run_id: str,
    node: node_pb2.Node,
    request: api.CreateCommandRequest,
    principal: Principal,
    settings: FleetSettings,
) -> task_pb2.StoredTask:
    """Returns the task of a new command for a node, PENDING, to be stored."""
    config = task_pb2.TaskConfig(
        command_text=request.command_text,
        timeout_seconds=(
            request.timeout_seconds if request.HasField("timeout_seconds") else settings.command_timeout
        ),
        queue_timeout_seconds=(
            request.queue_timeout_seconds
            if request.HasField("queue_timeout_seconds")
            else settings.command_queue_timeout
        ),
    )
    namespace = request.namespace or settings.command_namespace
    return tasks.new(tx, run_id, config, namespace=namespace, node=node, created_by=principal.number)


def find(tx: Transaction, principal: Principal, command_id: str) -> task_pb2.StoredTask:
    """Returns a task that the caller may touch. Raises what out_of_reach() returns."""
    stored = tx.get(TASKS, task_ids.run_id(command_id))
    if stored is None or not principal.may_touch(stored.task.namespace_id):
        raise out_of_reach(principal, command_id)
    return stored


def out_of_reach(principal: Principal, command_id: str) -> errors.ApiError:
    return unreachable(principal, errors.CommandNotFound(command_id), f"command {command_id!r}")


# -- tasks in the words of the nodes face


def has_ended(command: pb.Command) -> bool:
    """Returns whether a command is in one of its final states."""
    return command.state >= pb.COMMAND_STATE_SUCCEEDED


def command_of(stored: task_pb2.StoredTask) -> pb.Command:
    """Returns a task as a command."""
    task, instance = stored.task, stored.instance
    command = pb.Command(
        id=task.number,
        command_id=task_ids.of_task(task.id),
        command_text=text_of(task.config),
        target_node_id=instance.agent_id,
        status=_STATUS[task.state],
        created_at=task.created_at,
        timeout_seconds=task.config.timeout_seconds,
        state=_STATE[task.state],
        reason=task.reason,
        reason_message=task.reason_message,
        queue_timeout_seconds=task.config.queue_timeout_seconds,
        cancel_requested=task.cancel_requested,
        revision=task.revision,
        namespace=task.namespace_id,
        node_uid=instance.node_uid,
        attempt=instance.attempt,
        cancel_requested_by=task.cancel_requested_by,
    )
    if instance.HasField("started_at"):
        command.started_at.CopyFrom(instance.started_at)
    if task.HasField("completed_at"):
        command.completed_at.CopyFrom(task.completed_at)
    if instance.HasField("exit_code"):
        command.exit_code = instance.exit_code
    if instance.HasField("dispatched_at"):
        command.dispatched_at.CopyFrom(instance.dispatched_at)
    if task.HasField("cancel_requested_at"):
        command.cancel_requested_at.CopyFrom(task.cancel_requested_at)
    if instance.HasField("run_deadline"):
        command.run_deadline.CopyFrom(instance.run_deadline)
    return command


def command_with_result(stored: task_pb2.StoredTask) -> pb.CommandWithResult:
    """Returns a task as a command, with the result of its present attempt."""
    instance = stored.instance
    shown = pb.CommandWithResult(command=command_of(stored))
    if instance.number:  # a result was stored
        result = shown.result
        result.id = instance.number
        result.command_id = shown.command.command_id
        result.stdout = instance.stdout
        result.stderr = instance.stderr
        if instance.HasField("exit_code"):
            result.exit_code = instance.exit_code
        result.execution_time_ms = instance.execution_time_ms
        result.created_at.CopyFrom(instance.completed_at)
        result.stdout_truncated = instance.stdout_truncated
        result.stderr_truncated = instance.stderr_truncated
        if instance.HasField("signal"):
            result.signal = instance.signal
        result.stdout_bytes = instance.stdout_bytes
        result.stderr_bytes = instance.stderr_bytes
        result.output_dropped = instance.output_dropped
    if instance.HasField("late_report"):
        late = instance.late_report
        shown.late_result.received_at.CopyFrom(late.received_at)
        shown.late_result.message = late.message
        if late.HasField("exit_code"):
            shown.late_result.exit_code = late.exit_code
    return shown


def text_of(config: task_pb2.TaskConfig) -> str:
    """Returns what runs as a line, as a shell would be given it."""
    if config.command_text:
        return config.command_text
    if config.task_type:
        return f"{config.task_type} {config.payload}".rstrip()
    return shlex.join((config.cmd, *config.args))
