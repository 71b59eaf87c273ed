"""Tasks as the schedules face has them, and what no published API had of them."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa
from google.protobuf.message import Message
from novasphere.node.v1 import node_pb2
from novasphere.schedule.v1 import job_pb2
from novasphere.schedule.v1 import job_service_pb2 as job_api
from novasphere.schedule.v1 import task_instance_service_pb2 as instance_api
from novasphere.schedule.v1 import task_pb2 as pb
from novasphere.schedule.v1 import task_service_pb2 as api

from novasphere_server import errors
from novasphere_server.core import (
    demands,
    dependencies,
    etags,
    pages,
    task_configs,
    task_ids,
    task_types,
    tasks,
)
from novasphere_server.core import task_states as states
from novasphere_server.core.fleet_settings import FleetSettings
from novasphere_server.core.pages import Field
from novasphere_server.core.principals import Principal, unreachable
from novasphere_server.core.tasks import Tasks, check_namespace
from novasphere_server.store import tables
from novasphere_server.store.idempotency import Idempotency
from novasphere_server.store.kinds import JOBS, NODES, TASKS, Kind
from novasphere_server.store.rendered import Rendered
from novasphere_server.store.store import Store
from novasphere_server.store.transactions import Transaction
from novasphere_server.store.watches import Watch, WatchPage

_NAMESPACE = "default"
_PAGE_OUTPUT = 2 * 1024 * 1024  # bytes that a page of attempts shows of what they printed


def _stored(words: Mapping[Any, Any]) -> dict[int, list[int]]:
    """Returns the states that stand for each status."""
    found: dict[int, list[int]] = {}
    for state, status in words.items():
        found.setdefault(status, []).append(state)
    return found


# What of a row can be asked about.
TASK_FIELDS: Mapping[str, Field] = {
    "id": Field("key", pages.Text(task_ids.run_id)),
    "job_id": Field("job_id", pages.Text(task_ids.uuid), empty_is_null=True),
    "namespace_id": Field("namespace", pages.Text()),
    "priority": Field("priority", pages.Integer()),
    "status": Field("state", pages.Words(pb.TaskStatus, _stored(states.TASK_STATUS))),
    "state": Field("state", pages.Words(pb.WorkState)),
    "schedule_id": Field("schedule_id", pages.Text(task_ids.uuid), empty_is_null=True),
    "scheduled_at": Field("scheduled_at_us", pages.Instant()),
    "schedule_kind": Field("schedule_kind", pages.Words(pb.ScheduleKind)),
    "completed_at": Field("completed_at_us", pages.Instant()),
    "started_at": Field("first_started_at_us", pages.Instant()),
    "retry_count": Field("retry_count", pages.Integer()),
    "locked_at": Field("", pages.Instant()),
    "lock_version": Field("attempt", pages.Integer()),
    "created_by": Field("created_by", pages.Integer()),
    "created_at": Field("created_at_us", pages.Instant()),
    "updated_by": Field("updated_by", pages.Integer()),
    "updated_at": Field("updated_at_us", pages.Instant()),
    "reason": Field("reason", pages.Text()),
    "node_id": Field("pinned_node_id", pages.Text()),
    "task_type": Field("task_type", pages.Text()),
    "cancel_requested": Field("cancel_requested", pages.Boolean()),
    "revision": Field("revision", pages.Integer()),
    "number": Field("id", pages.Integer()),
}
INSTANCE_FIELDS: Mapping[str, Field] = {
    "id": Field("key", pages.Text(task_ids.uuid)),
    "task_id": Field("run_id", pages.Text(task_ids.run_id)),
    "job_id": Field("job_id", pages.Text(task_ids.uuid), empty_is_null=True),
    "agent_id": Field("node_id", pages.Text(), empty_is_null=True),
    "status": Field("state", pages.Words(pb.TaskInstanceStatus, _stored(states.INSTANCE_STATUS))),
    "state": Field("state", pages.Words(pb.WorkState)),
    "namespace_id": Field("namespace", pages.Text()),
    "started_at": Field("started_at_us", pages.Instant()),
    "completed_at": Field("completed_at_us", pages.Instant()),
    "exit_code": Field("exit_code", pages.Integer()),
    "reason": Field("reason", pages.Text()),
    "error_message": Field("error_message", pages.Text()),
    "attempt": Field("attempt", pages.Integer()),
    "created_at": Field("created_at_us", pages.Instant()),
    "updated_at": Field("updated_at_us", pages.Instant()),
}
# Not one of those that the log knows: it says where attempts are read.
_INSTANCES: Kind[pb.StoredTask] = replace(TASKS, name="task_instance", table=tables.task_instances)


@dataclass(frozen=True, slots=True)
class TaskFilter:
    """Which tasks to watch. Empty values choose everything."""

    task_id: str = ""
    namespace: str = ""
    job_id: str = ""
    schedule_id: str = ""
    status: pb.TaskStatus.ValueType = pb.TASK_STATUS_UNSPECIFIED

    def matches(self, stored: pb.StoredTask) -> bool:
        task = stored.task
        return (
            self.namespace in ("", task.namespace_id)
            and self.job_id in ("", task.job_id)
            and self.schedule_id in ("", task.schedule_id)
            and self.status in (pb.TASK_STATUS_UNSPECIFIED, states.TASK_STATUS[task.state])
        )


@dataclass(frozen=True, slots=True)
class InstanceFilter:
    """Which attempts to watch. Empty values choose everything."""

    instance_id: str = ""
    task_id: str = ""
    namespace: str = ""
    job_id: str = ""
    agent_id: str = ""
    status: pb.TaskInstanceStatus.ValueType = pb.TASK_INSTANCE_STATUS_UNSPECIFIED

    def matches(self, stored: pb.StoredTask) -> bool:
        task, instance = stored.task, stored.instance
        status = states.INSTANCE_STATUS[instance.state]
        return (
            self.instance_id in ("", instance.id)
            and self.namespace in ("", task.namespace_id)
            and self.job_id in ("", task.job_id)
            and self.agent_id in ("", instance.agent_id)
            and self.status in (pb.TASK_INSTANCE_STATUS_UNSPECIFIED, status)
        )


class ScheduleTasks:
    """All tasks, in the words of the schedules face."""

    def __init__(self, store: Store, settings: FleetSettings, tasks: Tasks) -> None:
        self._store = store
        self._settings = settings
        self._tasks = tasks

    async def create_all(
        self,
        principal: Principal,
        wanted: Sequence[api.NewTask],
        *,
        idempotency: Idempotency | None = None,
        is_dry_run: bool = False,
    ) -> api.BatchCreateTasksResponse:
        """Returns the ids of new tasks, all of which are made or none. Raises InvalidTaskType, NodeNotFound,
        TaskNotFound of what one depends on, TaskExists, and TooLarge for more than a watcher can be told of at
        once.
        """
        run_ids = [_run_id(new, f"tasks[{index}]") for index, new in enumerate(wanted)]
        if len(set(run_ids)) < len(run_ids):
            raise errors.InvalidArgument("tasks", "must not name an id twice")
        for index, new in enumerate(wanted):
            self._check(principal, new, f"tasks[{index}].")
        dependencies.check_order(
            {
                run_id: dependencies.ids(new.dependencies)
                for run_id, new in zip(run_ids, wanted, strict=True)
            }
        )
        size = sum(new.ByteSize() for new in wanted)

        def create(tx: Transaction) -> api.BatchCreateTasksResponse:
            if size > tx.room:
                raise errors.TooLarge(
                    f"they take {size} bytes together, at most {tx.room} are accepted: "
                    "send them in several batches"
                ).at("tasks")
            task_types.check(
                tx,
                (
                    (f"tasks[{index}].config.task_type", new.config.task_type)
                    for index, new in enumerate(wanted)
                ),
            )
            nodes: dict[str, node_pb2.Node] = {}
            batch: dict[str, pb.StoredTask] = {}
            jobs: dict[str, job_pb2.Job | None] = {"": None}
            for index, (run_id, new) in enumerate(zip(run_ids, wanted, strict=True)):
                if new.id and tx.get(TASKS, run_id) is not None:
                    raise errors.TaskExists(new.id).at(f"tasks[{index}].id")
                if new.node_id and new.node_id not in nodes:
                    node = tx.get(NODES, new.node_id)
                    if node is None:
                        raise errors.NodeNotFound(new.node_id).at(f"tasks[{index}].node_id")
                    nodes[new.node_id] = node
                if new.job_id not in jobs:
                    try:
                        jobs[new.job_id] = _enabled_job(tx, principal, new.job_id)
                    except errors.ApiError as refusal:
                        raise refusal.at(f"tasks[{index}].job_id") from None
                job = jobs[new.job_id]
                node = nodes.get(new.node_id)
                batch[run_id] = self._new(tx, principal, run_id, new, node, job)
            for index, stored in enumerate(batch.values()):
                if stored.task.dependencies:
                    dependencies.add(tx, principal, stored, batch, f"tasks[{index}].")
                else:
                    tasks.add(tx, stored)
            return api.BatchCreateTasksResponse(ids=[stored.task.id for stored in batch.values()])

        if not is_dry_run:
            self._announce(wanted)
        return await self._store.write(
            create,
            idempotency=idempotency,
            is_dry_run=is_dry_run,
            result_type=api.BatchCreateTasksResponse,
            reads=[
                *((TASKS, run_id) for run_id, new in zip(run_ids, wanted, strict=True) if new.id),
                *((NODES, new.node_id) for new in wanted if new.node_id),
            ],
        )

    async def trigger(
        self,
        principal: Principal,
        request: job_api.TriggerJobRequest,
        *,
        idempotency: Idempotency | None = None,
        is_dry_run: bool = False,
    ) -> pb.Task:
        """Returns a new task of a job. Raises JobNotFound, JobDisabled, and TaskNotFound of what it depends on."""
        task_configs.check_parameters(request.parameters, "parameters")
        new = api.NewTask(
            job_id=request.job_id, priority=request.priority, dependencies=request.dependencies
        )
        if request.HasField("parameters"):
            new.parameters = request.parameters
        if request.HasField("scheduled_at"):
            new.scheduled_at.CopyFrom(request.scheduled_at)
        run_id = task_ids.new()

        def trigger(tx: Transaction) -> pb.Task:
            job = _enabled_job(tx, principal, new.job_id)
            stored = self._new(tx, principal, run_id, new, None, job)
            if stored.task.dependencies:
                dependencies.add(tx, principal, stored, {}, "")
            else:
                tasks.add(tx, stored)
            return stored.task

        return await self._store.write(
            trigger, idempotency=idempotency, is_dry_run=is_dry_run, result_type=pb.Task
        )

    def _announce(self, wanted: Sequence[api.NewTask]) -> None:
        coming = Counter(
            (new.node_id, "" if new.node_id else demands.spelled(new.config))
            for new in wanted
            if not new.dependencies and not new.HasField("scheduled_at") and not new.job_id
        )
        for (node_id, demand), count in coming.items():
            self._tasks.expect(node_id, demand, count)

    def _check(self, principal: Principal, new: api.NewTask, where: str) -> None:
        if (
            new.namespace_id or not new.job_id
        ):  # else the job's, as the caller must be allowed to read that
            try:
                check_namespace(principal, new.namespace_id or _NAMESPACE)
            except errors.PermissionDenied as refusal:
                refusal.at(f"{where}namespace_id")
                raise
        if not new.job_id:
            task_configs.check(new.config, f"{where}config")
        elif new.HasField("config"):
            raise errors.InvalidArgument(f"{where}config", "must not be set beside job_id")
        task_configs.check_environment(new.environment, f"{where}environment")
        task_configs.check_parameters(new.parameters, f"{where}parameters")

    def _new(
        self,
        tx: Transaction,
        principal: Principal,
        run_id: str,
        new: api.NewTask,
        node: node_pb2.Node | None,
        job: job_pb2.Job | None,
    ) -> pb.StoredTask:
        config = new.config if job is None else job.config
        namespace = new.namespace_id or (_NAMESPACE if job is None else job.namespace_id)
        stored = tasks.new(
            tx,
            run_id,
            task_configs.resolved(config, self._settings),
            namespace=namespace,
            node=node,
            priority=new.priority,
            created_by=principal.number,
        )
        task = stored.task
        if job is not None:
            task.job_id = job.id
            if job.HasField("environment"):
                task.environment = job.environment
        task.dependencies.extend(new.dependencies)
        if new.HasField("environment"):
            task.environment = new.environment
        if new.HasField("parameters"):
            task.parameters = new.parameters
        if new.HasField("scheduled_at"):
            task.scheduled_at.CopyFrom(new.scheduled_at)
        return stored

    async def get(self, principal: Principal, task_id: str) -> Rendered[pb.Task]:
        """Returns a task. Raises TaskNotFound, and PermissionDenied where the caller may not know whether it
        is there.
        """
        stored = await self._store.get(TASKS, task_ids.run_id(task_id))
        found = None if stored is None else stored.projected(task_of)
        if found is None or (
            principal.namespaces and not principal.may_touch(found.message().namespace_id)
        ):
            raise out_of_reach(principal, task_id)
        return found

    async def get_instance(self, principal: Principal, instance_id: str) -> pb.TaskInstance:
        """Returns an attempt, present or past. Raises TaskInstanceNotFound, and PermissionDenied where the caller
        may not know whether it is there.
        """
        kept = tables.task_instances.c
        rows = await self._store.read(
            sa.select(kept.namespace, kept.body).where(kept.key == task_ids.uuid(instance_id))
        )
        if not rows or not principal.may_touch(rows[0].namespace):
            not_found = errors.TaskInstanceNotFound(instance_id)
            raise unreachable(principal, not_found, f"task instance {instance_id!r}")
        return instance_of(pb.StoredTask.FromString(rows[0].body))

    async def list(
        self, principal: Principal, request: api.ListTasksRequest
    ) -> tuple[Sequence[Rendered[pb.Task]], int]:
        """Returns the tasks of the page that a request asks for, and how many match in all."""
        within = pages.reachable(principal)
        page = await self._store.list(pages.query(TASKS, TASK_FIELDS, request, within))
        return [item.projected(task_of) for item in page.items], page.total

    async def list_instances(
        self, principal: Principal, request: instance_api.ListTaskInstancesRequest
    ) -> tuple[Sequence[pb.TaskInstance], int]:
        """Returns the attempts of the page that a request asks for, and how many match in all."""
        query = pages.query(_INSTANCES, INSTANCE_FIELDS, request, pages.reachable(principal))
        rows = await self._store.read(query.statement())
        found = [pb.StoredTask.FromString(row.body) for row in rows if row.key is not None]
        return _fitting([instance_of(stored) for stored in found]), rows[0].total

    def watch(
        self, principal: Principal, which: TaskFilter, cursor: str
    ) -> AsyncGenerator[WatchPage, None]:
        """Returns the pages of a watch over Task objects. The caller must aclose() it."""
        which = replace(
            which, job_id=task_ids.uuid(which.job_id), schedule_id=task_ids.uuid(which.schedule_id)
        )
        return self._store.watch(_watch(principal, which, cursor, task_of))

    async def watch_instances(
        self, principal: Principal, which: InstanceFilter, cursor: str
    ) -> AsyncGenerator[WatchPage, None]:
        """Returns the pages of a watch over TaskInstance objects. Raises TaskInstanceNotFound for one attempt that
        is not there. The caller must aclose() it.
        """
        which = replace(
            which, instance_id=task_ids.uuid(which.instance_id), job_id=task_ids.uuid(which.job_id)
        )
        if which.instance_id:
            instance = await self.get_instance(principal, which.instance_id)
            if task_ids.run_id(which.task_id) in ("", task_ids.of_task(instance.task_id)):
                # One task is found without a look at the others.
                which = replace(which, task_id=instance.task_id)
        async with aclosing(self._store.watch(_watch(principal, which, cursor, instance_of))) as pages:
            async for page in pages:
                yield page

    async def cancel(
        self,
        principal: Principal,
        task_id: str,
        *,
        grace_seconds: int | None = None,
        etag: str = "",
        idempotency: Idempotency | None = None,
        is_dry_run: bool = False,
    ) -> pb.Task:
        """Returns the task after the request: CANCELLED, or unfinished until its agent confirms.

        Raises what get() raises, and TaskFinished when it ended in another way.
        """

        def cancel(tx: Transaction) -> pb.Task:
            stored = find(tx, principal, task_id)
            etags.check(etag, stored.task.revision)
            if stored.task.state != pb.WORK_STATE_CANCELLED:
                states.refuse_finished(stored.task)
                tasks.request_cancel(tx, stored, principal.name, grace_seconds, principal.number)
            return stored.task

        return await self._store.write(
            cancel,
            idempotency=idempotency,
            is_dry_run=is_dry_run,
            result_type=pb.Task,
            reads=[(TASKS, task_ids.run_id(task_id))],
        )


def _watch(
    principal: Principal,
    which: TaskFilter | InstanceFilter,
    cursor: str,
    project: Callable[[pb.StoredTask], Message],
) -> Watch[pb.StoredTask]:
    if which.namespace:
        check_namespace(principal, which.namespace)
    namespaces = principal.namespaces

    def matches(stored: pb.StoredTask) -> bool:
        return which.matches(stored) and (not namespaces or stored.task.namespace_id in namespaces)

    return Watch(
        kind=TASKS,
        cursor=cursor,
        identity=(project, which, namespaces),
        matches=matches,
        project=project,
        key=task_ids.run_id(which.task_id),
    )


def _enabled_job(tx: Transaction, principal: Principal, job_id: str) -> job_pb2.Job:
    job = tx.get(JOBS, task_ids.uuid(job_id))
    if job is None or not principal.may_touch(job.namespace_id):
        raise errors.JobNotFound(job_id)
    if job.status != job_pb2.JOB_STATUS_ENABLED:
        raise errors.JobDisabled(job_id)
    return job


def _run_id(new: api.NewTask, where: str) -> str:
    if not new.id:
        return task_ids.new()
    try:
        return task_ids.of_task(str(uuid.UUID(new.id)))
    except ValueError:
        raise errors.InvalidArgument(f"{where}.id", "must be a UUID") from None


def find(tx: Transaction, principal: Principal, task_id: str) -> pb.StoredTask:
    """Returns a task that the caller may touch. Raises what out_of_reach() returns."""
    stored = tx.get(TASKS, task_ids.run_id(task_id))
    if stored is None or not principal.may_touch(stored.task.namespace_id):
        raise out_of_reach(principal, task_id)
    return stored


def out_of_reach(principal: Principal, task_id: str) -> errors.ApiError:
    return unreachable(principal, errors.TaskNotFound(task_id), f"task {task_id!r}")


def _fitting(page: Sequence[pb.TaskInstance]) -> Sequence[pb.TaskInstance]:
    """Returns attempts with as much of their output as a message has room for: all of it, or of each the beginning
    of each stream.
    """
    if sum(_output_bytes(each) for each in page) <= _PAGE_OUTPUT:
        return page
    most = _PAGE_OUTPUT // (4 * len(page))  # each stream is shown twice
    for instance in page:
        for name in ("stdout", "stderr"):
            whole = getattr(instance, name).encode()
            if len(whole) > most:
                setattr(instance, name, whole[:most].decode(errors="ignore"))
                setattr(instance, f"{name}_truncated", True)
                instance.output_truncated = True
        if instance.output_truncated:
            instance.output = instance.stdout + instance.stderr
    return page


def _output_bytes(instance: pb.TaskInstance) -> int:
    return sum(len(text.encode()) for text in (instance.output, instance.stdout, instance.stderr))


# -- what is stored, in the words of the schedules face


def task_of(stored: pb.StoredTask) -> pb.Task:
    """Returns the task as it is printed."""
    return stored.task


def instance_of(stored: pb.StoredTask) -> pb.TaskInstance:
    """Returns the present attempt as it is printed."""
    return shown(stored.task, stored.instance)


def shown(task: pb.Task, instance: pb.TaskInstance) -> pb.TaskInstance:
    """Returns an attempt of a task with what is not stored of it."""
    kept, instance = instance, pb.TaskInstance()
    instance.CopyFrom(kept)
    instance.task_id = task.id
    instance.namespace_id = task.namespace_id
    if task.HasField("job_id"):
        instance.job_id = task.job_id
    if instance.number:
        instance.output = instance.stdout + instance.stderr
        instance.output_truncated = instance.stdout_truncated or instance.stderr_truncated
    return instance
