"""Tasks: work that is done once, by as many attempts as it takes."""

from __future__ import annotations

import re
import uuid
from collections.abc import AsyncIterator, Iterable, Sequence

from novasphere.fleet.v1 import device_task_service_pb2, device_task_service_pb2_grpc
from novasphere.fleet.v1 import task_pb2 as device_task_pb2
from novasphere.node.v1 import command_service_pb2, command_service_pb2_grpc
from novasphere.schedule.v1 import task_pb2, task_service_pb2, task_service_pb2_grpc

from novasphere_client import pages
from novasphere_client.commands import BOTH_STREAMS
from novasphere_client.connection import Connection, OnInterruption
from novasphere_client.outputs import Output
from novasphere_client.watches import Watch

TaskWatch = Watch[task_service_pb2.TaskEvent]

AS_BEFORE = device_task_pb2.TASK_PRIORITY_UNSPECIFIED

_SPELLED = re.compile(
    r"(?:cmd-|task-)?([0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})", re.IGNORECASE
)


def is_final(task: task_pb2.Task) -> bool:
    """Tells whether a task has ended; its state never changes then."""
    return task.state >= task_pb2.WORK_STATE_SUCCEEDED


def task_id(spelled: str) -> str:
    """Returns the id that a task is spelled with here, whichever face spelled it: cmd-..., task-..., or a UUID.

    What no task is called stays as it is.
    """
    found = _SPELLED.fullmatch(spelled)
    return str(uuid.UUID(hex=found[1])) if found else spelled


class Tasks:
    """Submits tasks, reads their output, cancels, retries and watches them."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._service = task_service_pb2_grpc.TaskServiceStub(connection.channel)
        self._devices = device_task_service_pb2_grpc.DeviceTaskServiceStub(connection.channel)
        self._outputs = command_service_pb2_grpc.CommandServiceStub(connection.channel)

    async def list(
        self,
        where: pages.Filter | None = None,
        *,
        page: int | None = None,
        page_size: int | None = None,
        order_by: Sequence[str] = (),
    ) -> task_service_pb2.ListTasksResponse:
        """Returns one page of tasks, newest first unless told otherwise, and how many match in all.

        See `pages` for what a filter is.
        """
        request = task_service_pb2.ListTasksRequest(
            filter=pages.conditions(where), page=pages.spec(page, page_size, order_by)
        )
        return await self._connection.read(self._service.ListTasks, request)

    async def all(
        self, where: pages.Filter | None = None, *, order_by: Sequence[str] = ()
    ) -> AsyncIterator[task_pb2.Task]:
        """Yields every matching task, page by page; those that come or go meanwhile may be missed."""
        rows = pages.every(
            lambda page, size: self.list(where, page=page, page_size=size, order_by=order_by)
        )
        async for task in rows:
            yield task

    async def get(self, task_id: str, *, patience: float | None = None) -> task_pb2.Task:
        """Returns a task."""
        request = task_service_pb2.GetTaskRequest(task_id=task_id)
        return (await self._connection.read(self._service.GetTask, request, patience=patience)).task

    async def explain(self, task_id: str) -> task_service_pb2.ExplainTaskResponse:
        """Returns why a task stands as it does: what it waits for, or how it ended."""
        request = task_service_pb2.ExplainTaskRequest(task_id=task_id)
        return await self._connection.read(self._service.ExplainTask, request)

    async def create(
        self, task: task_service_pb2.NewTask, *, request_id: str = "", validate_only: bool = False
    ) -> str:
        """Submits a task; returns its id, empty when it was only checked."""
        ids = await self.create_all([task], request_id=request_id, validate_only=validate_only)
        return ids[0] if ids else ""

    async def create_all(
        self,
        tasks: Iterable[task_service_pb2.NewTask],
        *,
        request_id: str = "",
        validate_only: bool = False,
    ) -> Sequence[str]:
        """Submits up to 1,000 tasks, all or none; returns their ids in the order of the tasks."""
        request = task_service_pb2.BatchCreateTasksRequest(
            tasks=tasks, request_id=request_id, validate_only=validate_only
        )
        return (await self._connection.mutate(self._service.BatchCreateTasks, request)).ids

    async def cancel(
        self,
        task_id: str,
        *,
        grace_seconds: int | None = None,
        etag: str = "",
        request_id: str = "",
        validate_only: bool = False,
    ) -> task_pb2.Task:
        """Asks for a task to be stopped; one that runs is CANCELLED once its agent confirms."""
        request = task_service_pb2.CancelTaskRequest(
            task_id=task_id,
            grace_seconds=grace_seconds,
            etag=etag,
            request_id=request_id,
            validate_only=validate_only,
        )
        return (await self._connection.mutate(self._service.CancelTask, request)).task

    async def retry(
        self,
        task_id: str,
        *,
        priority: device_task_pb2.TaskPriority.ValueType = AS_BEFORE,
        request_id: str = "",
        validate_only: bool = False,
    ) -> str:
        """Makes a new task that does what one did that failed or was cancelled; returns its id."""
        request = device_task_service_pb2.RetryTaskRequest(
            task_id=task_id, priority=priority, request_id=request_id, validate_only=validate_only
        )
        response = await self._connection.mutate(self._devices.RetryTask, request)
        return _uuid(response.new_task_id)

    def watch(
        self,
        *,
        cursor: str = "",
        task_id: str = "",
        namespace: str = "",
        job_id: str = "",
        schedule_id: str = "",
        status: task_pb2.TaskStatus.ValueType = task_pb2.TASK_STATUS_UNSPECIFIED,
        patience: float | None = 60.0,
        on_interruption: OnInterruption | None = None,
    ) -> TaskWatch:
        """Watches tasks; see `Watch`."""
        return Watch(
            self._connection,
            lambda cursor, metadata: self._service.WatchTasks(
                task_service_pb2.WatchTasksRequest(
                    cursor=cursor,
                    id=task_id,
                    namespace_id=namespace,
                    job_id=job_id,
                    schedule_id=schedule_id,
                    status=status,
                ),
                metadata=metadata,
            ),
            lambda task: str(task.id),
            task_service_pb2.TaskEvent,
            cursor=cursor,
            patience=patience,
            on_interruption=on_interruption,
        )

    def output(
        self,
        task_id: str,
        *,
        stream: command_service_pb2.OutputStream.ValueType = BOTH_STREAMS,
        offset: int = 0,
        follow: bool = False,
        only_attempt: int = 0,
        patience: float | None = 60.0,
        on_interruption: OnInterruption | None = None,
    ) -> Output:
        """Reads what an attempt of a task printed, or the present one or its last, and with `follow` those after
        it; see `Output`.
        """
        return Output(
            self._connection,
            self._outputs,
            task_id,
            stream=stream,
            offset=offset,
            follow=follow,
            only_attempt=only_attempt,
            patience=patience,
            on_interruption=on_interruption,
        )


_uuid = task_id  # where a parameter is called so too
