"""Tasks and their attempts over RPC, for the schedules face and for the devices face."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing

from novasphere.fleet.v1 import device_task_service_pb2 as devices
from novasphere.fleet.v1 import task_pb2 as device
from novasphere.schedule.v1 import task_instance_service_pb2 as instances
from novasphere.schedule.v1 import task_service_pb2 as pb

from novasphere_server import logs
from novasphere_server.core import pages
from novasphere_server.core.device_tasks import DeviceTasks
from novasphere_server.core.schedule_tasks import InstanceFilter, ScheduleTasks, TaskFilter
from novasphere_server.core.task_explanations import TaskExplanations
from novasphere_server.rpc import languages, task_explanations, watch_rows
from novasphere_server.rpc.context import CallContext
from novasphere_server.rpc.views import Many, One

log = logs.get(__name__)

_LIMIT = 50
_LOGGED = 100  # tasks named in one line of the log


class TaskService:
    """Serves novasphere.schedule.v1.TaskService."""

    def __init__(self, tasks: ScheduleTasks, explanations: TaskExplanations) -> None:
        self._tasks = tasks
        self._explanations = explanations

    async def ListTasks(
        self, request: pb.ListTasksRequest, context: CallContext
    ) -> Many[pb.ListTasksResponse]:
        found, total = await self._tasks.list(context.principal, request)
        response = pb.ListTasksResponse(
            total=total, page=pages.number(request.page), page_size=pages.size(request.page)
        )
        return Many(response, "data", found)

    async def GetTask(self, request: pb.GetTaskRequest, context: CallContext) -> One[pb.GetTaskResponse]:
        return One(
            pb.GetTaskResponse(), "task", await self._tasks.get(context.principal, request.task_id)
        )

    async def BatchCreateTasks(
        self, request: pb.BatchCreateTasksRequest, context: CallContext
    ) -> pb.BatchCreateTasksResponse:
        response = await self._tasks.create_all(
            context.principal,
            request.tasks,
            idempotency=context.idempotency,
            is_dry_run=context.is_dry_run,
        )
        if context.is_dry_run:  # which made nothing that the ids could name
            response.ClearField("ids")
        if context.has_effect:
            for start in range(0, len(response.ids), _LOGGED):
                some = list(response.ids[start : start + _LOGGED])
                log.info("tasks accepted", task_ids=some, by=context.principal.name)
        return response

    async def CancelTask(
        self, request: pb.CancelTaskRequest, context: CallContext
    ) -> pb.CancelTaskResponse:
        task = await self._tasks.cancel(
            context.principal,
            request.task_id,
            grace_seconds=request.grace_seconds if request.HasField("grace_seconds") else None,
            etag=request.etag,
            idempotency=context.idempotency,
            is_dry_run=context.is_dry_run,
        )
        context.headers["etag"] = str(task.revision)
        if context.has_effect:
            log.info("task cancelled", task_id=task.id, by=context.principal.name)
        return pb.CancelTaskResponse(task=task)

    async def ExplainTask(
        self, request: pb.ExplainTaskRequest, context: CallContext
    ) -> pb.ExplainTaskResponse:
        task, facts = await self._explanations.explain(context.principal, request.task_id)
        in_chinese = languages.prefers_chinese(context.metadata.get("accept-language", ""))
        return task_explanations.response(task, facts, in_chinese=in_chinese)

    async def WatchTasks(
        self, request: pb.WatchTasksRequest, context: CallContext
    ) -> AsyncIterator[Many[pb.WatchTasksResponse]]:
        which = TaskFilter(
            task_id=request.id,
            namespace=request.namespace_id,
            job_id=request.job_id,
            schedule_id=request.schedule_id,
            status=request.status,
        )
        async with aclosing(self._tasks.watch(context.principal, which, request.cursor)) as pages:
            async for page in pages:
                yield watch_rows.response(page, pb.WatchTasksResponse, pb.TaskEvent)


class TaskInstanceService:
    """Serves novasphere.schedule.v1.TaskInstanceService."""

    def __init__(self, tasks: ScheduleTasks) -> None:
        self._tasks = tasks

    async def GetTaskInstance(
        self, request: instances.GetTaskInstanceRequest, context: CallContext
    ) -> instances.GetTaskInstanceResponse:
        instance = await self._tasks.get_instance(context.principal, request.instance_id)
        return instances.GetTaskInstanceResponse(instance=instance)

    async def ListTaskInstances(
        self, request: instances.ListTaskInstancesRequest, context: CallContext
    ) -> instances.ListTaskInstancesResponse:
        found, total = await self._tasks.list_instances(context.principal, request)
        return instances.ListTaskInstancesResponse(
            data=found, total=total, page=pages.number(request.page), page_size=pages.size(request.page)
        )

    async def WatchTaskInstances(
        self, request: instances.WatchTaskInstancesRequest, context: CallContext
    ) -> AsyncIterator[Many[instances.WatchTaskInstancesResponse]]:
        which = InstanceFilter(
            instance_id=request.id,
            task_id=request.task_id,
            namespace=request.namespace_id,
            job_id=request.job_id,
            agent_id=request.agent_id,
            status=request.status,
        )
        watch = self._tasks.watch_instances(context.principal, which, request.cursor)
        async with aclosing(watch) as pages:
            async for page in pages:
                yield watch_rows.response(
                    page, instances.WatchTaskInstancesResponse, instances.TaskInstanceEvent
                )


class DeviceTaskService:
    """Serves novasphere.fleet.v1.DeviceTaskService."""

    def __init__(self, tasks: DeviceTasks) -> None:
        self._tasks = tasks

    async def SubmitTask(
        self, request: devices.SubmitTaskRequest, context: CallContext
    ) -> devices.SubmitTaskResponse:
        response = await self._tasks.submit(
            context.principal,
            request,
            idempotency=context.idempotency,
            is_dry_run=context.is_dry_run,
        )
        if context.has_effect:
            log.info("task accepted", task_id=response.task_id, by=context.principal.name)
        return response

    async def ListTasks(
        self, request: devices.ListTasksRequest, context: CallContext
    ) -> Many[devices.ListTasksResponse]:
        limit = request.limit if request.HasField("limit") else _LIMIT
        listed = await self._tasks.list(context.principal, request, limit=limit)
        counts = listed.counts
        response = devices.ListTasksResponse(
            total=sum(counts.values()),
            pending=counts[device.TASK_STATUS_PENDING],
            running=counts[device.TASK_STATUS_RUNNING],
            completed=counts[device.TASK_STATUS_COMPLETED],
            failed=counts[device.TASK_STATUS_FAILED],
            cancelled=counts[device.TASK_STATUS_CANCELLED],
        )
        return Many(response, "tasks", listed.items)

    async def GetTask(
        self, request: devices.GetTaskRequest, context: CallContext
    ) -> One[devices.GetTaskResponse]:
        found = await self._tasks.get(context.principal, request.task_id)
        return One(devices.GetTaskResponse(), "task", found)

    async def CancelTask(
        self, request: devices.CancelTaskRequest, context: CallContext
    ) -> devices.CancelTaskResponse:
        response = await self._tasks.cancel(
            context.principal,
            request.task_id,
            etag=request.etag,
            idempotency=context.idempotency,
            is_dry_run=context.is_dry_run,
        )
        if context.has_effect:
            log.info("task cancelled", task_id=request.task_id, by=context.principal.name)
        return response

    async def RetryTask(
        self, request: devices.RetryTaskRequest, context: CallContext
    ) -> devices.RetryTaskResponse:
        response = await self._tasks.retry(
            context.principal,
            request.task_id,
            request.priority,
            idempotency=context.idempotency,
            is_dry_run=context.is_dry_run,
        )
        if context.has_effect:
            log.info(
                "task retried",
                task_id=request.task_id,
                new_task_id=response.new_task_id,
                by=context.principal.name,
            )
        return response
