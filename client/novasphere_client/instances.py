"""Task instances: attempts at tasks, each on one agent and run at most once."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from novasphere.schedule.v1 import task_instance_service_pb2, task_instance_service_pb2_grpc, task_pb2

from novasphere_client import pages
from novasphere_client.connection import Connection, OnInterruption
from novasphere_client.watches import Watch

InstanceWatch = Watch[task_instance_service_pb2.TaskInstanceEvent]


class Instances:
    """Shows and watches attempts."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._service = task_instance_service_pb2_grpc.TaskInstanceServiceStub(connection.channel)

    async def list(
        self,
        where: pages.Filter | None = None,
        *,
        page: int | None = None,
        page_size: int | None = None,
        order_by: Sequence[str] = (),
    ) -> task_instance_service_pb2.ListTaskInstancesResponse:
        """Returns one page of attempts, newest first unless told otherwise, and how many match in all.

        See `pages` for what a filter is.
        """
        request = task_instance_service_pb2.ListTaskInstancesRequest(
            filter=pages.conditions(where), page=pages.spec(page, page_size, order_by)
        )
        return await self._connection.read(self._service.ListTaskInstances, request)

    async def all(
        self, where: pages.Filter | None = None, *, order_by: Sequence[str] = ()
    ) -> AsyncIterator[task_pb2.TaskInstance]:
        """Yields every matching attempt, page by page; those that come or go meanwhile may be missed."""
        rows = pages.every(
            lambda page, size: self.list(where, page=page, page_size=size, order_by=order_by)
        )
        async for instance in rows:
            yield instance

    async def get(self, instance_id: str) -> task_pb2.TaskInstance:
        """Returns an attempt."""
        request = task_instance_service_pb2.GetTaskInstanceRequest(instance_id=instance_id)
        return (await self._connection.read(self._service.GetTaskInstance, request)).instance

    def watch(
        self,
        *,
        cursor: str = "",
        instance_id: str = "",
        task_id: str = "",
        namespace: str = "",
        job_id: str = "",
        node_id: str = "",
        status: task_pb2.TaskInstanceStatus.ValueType = task_pb2.TASK_INSTANCE_STATUS_UNSPECIFIED,
        patience: float | None = 60.0,
        on_interruption: OnInterruption | None = None,
    ) -> InstanceWatch:
        """Watches attempts; see `Watch`."""
        return Watch(
            self._connection,
            lambda cursor, metadata: self._service.WatchTaskInstances(
                task_instance_service_pb2.WatchTaskInstancesRequest(
                    cursor=cursor,
                    id=instance_id,
                    namespace_id=namespace,
                    task_id=task_id,
                    job_id=job_id,
                    agent_id=node_id,
                    status=status,
                ),
                metadata=metadata,
            ),
            lambda instance: str(instance.id),
            task_instance_service_pb2.TaskInstanceEvent,
            cursor=cursor,
            patience=patience,
            on_interruption=on_interruption,
        )
