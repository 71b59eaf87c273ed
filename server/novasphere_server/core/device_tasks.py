"""Tasks as the devices face has them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import sqlalchemy as sa
from google.protobuf.timestamp_pb2 import Timestamp
from novasphere.fleet.v1 import device_task_service_pb2 as api
from novasphere.fleet.v1 import task_pb2 as pb
from novasphere.node.v1 import node_pb2
from novasphere.schedule.v1 import job_pb2, task_pb2

from novasphere_server import errors
from novasphere_server.core import (
    demands,
    dependencies,
    etags,
    instants,
    pages,
    schedule_tasks,
    task_configs,
    task_counts,
    task_ids,
    task_types,
    tasks,
)
from novasphere_server.core import task_states as states
from novasphere_server.core.demands import Demand, Lack
from novasphere_server.core.fleet_settings import FleetSettings
from novasphere_server.core.links import Links
from novasphere_server.core.principals import Principal
from novasphere_server.core.tasks import Tasks, check_namespace
from novasphere_server.store import kinds, tables
from novasphere_server.store.idempotency import Idempotency
from novasphere_server.store.kinds import JOBS, NODES, TASKS
from novasphere_server.store.queries import Page, Query
from novasphere_server.store.rendered import Rendered
from novasphere_server.store.store import Store
from novasphere_server.store.transactions import Transaction

NAMESPACE = "retire"

_TIMEOUT = 300  # seconds
_OF_TYPES = {each: Demand.of(task_pb2.TaskConfig(task_type=each)) for each in task_types.BUILT_IN}
_NAMED = 20  # devices in an error
_LOGGED = 20  # attempts in the log of a task, beside the present one: each is read with what it printed
_PRIORITIES = {
    pb.TASK_PRIORITY_LOW: -10,
    pb.TASK_PRIORITY_NORMAL: 0,
    pb.TASK_PRIORITY_HIGH: 10,
    pb.TASK_PRIORITY_URGENT: 20,
}

# What the devices face calls each state of a task: its only source.
STATUS: dict[states.State, pb.TaskStatus.ValueType] = {
    task_pb2.WORK_STATE_PENDING: pb.TASK_STATUS_PENDING,
    task_pb2.WORK_STATE_DISPATCHED: pb.TASK_STATUS_RUNNING,
    task_pb2.WORK_STATE_RUNNING: pb.TASK_STATUS_RUNNING,
    task_pb2.WORK_STATE_SUCCEEDED: pb.TASK_STATUS_COMPLETED,
    task_pb2.WORK_STATE_FAILED: pb.TASK_STATUS_FAILED,
    task_pb2.WORK_STATE_TIMED_OUT: pb.TASK_STATUS_FAILED,
    task_pb2.WORK_STATE_CANCELLED: pb.TASK_STATUS_CANCELLED,
    task_pb2.WORK_STATE_LOST: pb.TASK_STATUS_FAILED,
    task_pb2.WORK_STATE_UNKNOWN: pb.TASK_STATUS_FAILED,
}
_FILTERS = {
    "": (),
    "all": (),
    "pending": (pb.TASK_STATUS_PENDING,),
    "running": (pb.TASK_STATUS_RUNNING,),
    "completed": (pb.TASK_STATUS_COMPLETED,),
    "failed": (pb.TASK_STATUS_FAILED,),
}

_table = tables.tasks.c
_nodes = tables.nodes.c


@dataclass(frozen=True, slots=True)
class Listed:
    """One page of tasks, and how many there are in all, by status."""

    items: Sequence[Rendered[pb.Task]]
    counts: dict[pb.TaskStatus.ValueType, int]


class DeviceTasks:
    """All tasks, in the words of the devices face."""

    def __init__(self, store: Store, settings: FleetSettings, tasks: Tasks, links: Links) -> None:
        self._store = store
        self._settings = settings
        self._tasks = tasks
        self._links = links

    async def submit(
        self,
        principal: Principal,
        request: api.SubmitTaskRequest,
        *,
        idempotency: Idempotency | None = None,
        is_dry_run: bool = False,
    ) -> api.SubmitTaskResponse:
        """Returns what was accepted. Raises InvalidTaskType, NodeNotFound, DeviceOffline and
        InsufficientResources.
        """
        check_namespace(principal, NAMESPACE)
        config = self._config(request)
        spelled = demands.spelled(config)
        demand = demands.parse(spelled)
        if not request.device_id and not self._links.is_met(spelled):
            await self._check_feasible(request.task_type, demand)
        run_id = task_ids.new()

        def submit(tx: Transaction) -> api.SubmitTaskResponse:
            node = self._pinned(tx, request, demand) if request.device_id else None
            stored = tasks.new(
                tx,
                run_id,
                config,
                namespace=NAMESPACE,
                node=node,
                priority=_PRIORITIES.get(request.priority, 0),
                created_by=principal.number,
            )
            tasks.add(tx, stored)
            response = api.SubmitTaskResponse(
                task_id="" if is_dry_run else task_ids.device_task_id(run_id)
            )
            if node is not None:
                response.assigned_device = node.node_id
                ends_us = tx.now_us + config.timeout_seconds * 1_000_000
                response.estimated_completion.CopyFrom(instants.timestamp(ends_us))
            return response

        if not is_dry_run:
            self._tasks.expect(request.device_id, "" if request.device_id else spelled)
        return await self._store.write(
            submit,
            idempotency=idempotency,
            is_dry_run=is_dry_run,
            result_type=api.SubmitTaskResponse,
            reads=[(NODES, request.device_id)] if request.device_id else [],
        )

    def _config(self, request: api.SubmitTaskRequest) -> task_pb2.TaskConfig:
        if request.task_type not in task_types.BUILT_IN:
            raise errors.InvalidTaskType(request.task_type, task_types.BUILT_IN)
        config = task_pb2.TaskConfig(task_type=request.task_type, payload=request.payload or "{}")
        if request.HasField("requirements"):
            config.requirements.ParseFromString(request.requirements.SerializeToString())
            config.requirements.DiscardUnknownFields()  # those of this face alone
        for name, alias in (("timeout_seconds", "timeout"), ("max_retries", "max_retries")):
            said = [each for each in (request, request.requirements) if each.HasField(name)]  # type: ignore[arg-type]
            if len(said) > 1:
                raise errors.InvalidArgument(
                    f"requirements.{name}", f"is another name of {alias}: give one of them"
                )
            if said:
                setattr(config, name, getattr(said[0], name))
        try:
            task_configs.check(config, "config")
        except errors.InvalidArgument as refusal:
            field, description = refusal.violations[0]
            raise errors.InvalidArgument(field.removeprefix("config."), description) from None
        return task_configs.resolved(config, self._settings, _TIMEOUT)

    def _pinned(self, tx: Transaction, request: api.SubmitTaskRequest, demand: Demand) -> node_pb2.Node:
        node = tx.get(NODES, request.device_id)
        if node is None:
            raise _device_not_found(tx, request.device_id)
        lacks = list(demand.lacks(node))
        if any(lack.what == "TASK_TYPE" for lack in lacks):
            raise errors.InvalidTaskType(request.task_type, _types(node), node.node_id)
        if lacks:
            raise errors.InsufficientResources(f"device {node.node_id!r} has not {_words(lacks)}")
        if node.connection != node_pb2.CONNECTION_STATE_ONLINE:
            raise errors.DeviceOffline(node.node_id)
        return node

    async def _check_feasible(self, task_type: str, demand: Demand) -> None:
        """Refuses what no registered device could ever run, whatever it is doing now."""
        closest: list[Lack] | None = None
        known: set[str] = set()
        rows = await self._store.read(sa.select(tables.nodes.c.body))
        for row in rows:
            node = node_pb2.Node.FromString(row.body)
            known.update(_types(node))
            lacks = list(demand.lacks(node))
            if not lacks:
                return
            if closest is None or len(lacks) < len(closest):
                closest = lacks
        if closest is None:
            raise errors.InsufficientResources("no device is registered")
        if task_type not in known:
            raise errors.InvalidTaskType(task_type, sorted(known))
        raise errors.InsufficientResources(
            f"none of the {len(rows)} registered devices could run it; the closest has not {_words(closest)}"
        )

    async def list(self, principal: Principal, request: api.ListTasksRequest, *, limit: int) -> Listed:
        """Returns tasks, newest first, and how many the caller may see in all."""
        if request.status not in _FILTERS:
            raise errors.InvalidArgument(
                "status", "must be one of all, pending, running, completed, failed"
            )
        filters: list[tuple[str, str, object]] = list(pages.reachable(principal))
        if wanted := _FILTERS[request.status]:
            found = tuple(state for state, status in STATUS.items() if status in wanted)
            filters.append(("state", "in", found))
        if request.device_id:
            filters.append(("node_id", "=", request.device_id))
        if request.task_type:
            filters.append(("task_type", "=", request.task_type))
        if request.since:
            filters.append(("created_at_us", ">=", _since_us(request.since)))
        page: Page[task_pb2.StoredTask] = await self._store.list(
            Query(TASKS, filters=tuple(filters), order_by=("-id",), limit=limit, is_counted=False)
        )
        return Listed([item.projected(task_of) for item in page.items], await self._counts(principal))

    async def _counts(self, principal: Principal) -> dict[pb.TaskStatus.ValueType, int]:
        counts = dict.fromkeys(STATUS.values(), 0)
        for row in await self._store.read(task_counts.by_state(pages.reachable(principal))):
            counts[STATUS[row.state]] += row.tasks
        return counts

    async def get(self, principal: Principal, task_id: str) -> Rendered[pb.TaskDetails]:
        """Returns a task with all that is known of it. Raises TaskNotFound."""
        stored = await self._store.get(TASKS, task_ids.run_id(task_id))
        if stored is None or (
            principal.namespaces and not principal.may_touch(stored.message().task.namespace_id)
        ):
            raise schedule_tasks.out_of_reach(principal, task_id)
        present = stored.message()
        if present.instance.attempt <= 1:
            return stored.projected(details_of)
        details = details_of(present, await self._past(present))
        wire = details.SerializeToString(deterministic=True)
        return Rendered(pb.TaskDetails, wire, stored.etag)

    async def _past(self, stored: task_pb2.StoredTask) -> Sequence[task_pb2.TaskInstance]:
        """Returns the attempts before the present one, oldest first: the last ones of many."""
        kept = tables.past_instances.c
        own = sa.and_(
            kept.run_id == task_ids.of_task(stored.task.id), kept.attempt < stored.instance.attempt
        )
        newest = sa.select(kept.body).where(own).order_by(kept.attempt.desc()).limit(_LOGGED)
        rows = await self._store.read(newest)
        return [task_pb2.StoredTask.FromString(row.body).instance for row in reversed(rows)]

    async def cancel(
        self,
        principal: Principal,
        task_id: str,
        *,
        etag: str = "",
        idempotency: Idempotency | None = None,
        is_dry_run: bool = False,
    ) -> api.CancelTaskResponse:
        """Returns whether the task had been given to a device. Raises TaskNotFound and TaskFinished."""

        def cancel(tx: Transaction) -> api.CancelTaskResponse:
            stored = schedule_tasks.find(tx, principal, task_id)
            etags.check(etag, stored.task.revision)
            was_running = stored.task.state in states.ON_NODE
            if stored.task.state != task_pb2.WORK_STATE_CANCELLED:
                if states.is_terminal(stored.task.state):
                    raise errors.TaskFinished(task_id, _word(stored.task.state))
                tasks.request_cancel(tx, stored, principal.name, None, principal.number)
            return api.CancelTaskResponse(cancelled_task=_spelled(task_id), was_running=was_running)

        return await self._store.write(
            cancel,
            idempotency=idempotency,
            is_dry_run=is_dry_run,
            result_type=api.CancelTaskResponse,
            reads=[(TASKS, task_ids.run_id(task_id))],
        )

    async def retry(
        self,
        principal: Principal,
        task_id: str,
        priority: pb.TaskPriority.ValueType,
        *,
        idempotency: Idempotency | None = None,
        is_dry_run: bool = False,
    ) -> api.RetryTaskResponse:
        """Returns the id of a new task that does what one did, and waits for what that one waited for, or for
        the newest that repeats that. Raises TaskNotFound, TaskNotRetryable, JobDisabled, and NodeNotFound where it
        was for a node that is gone.
        """
        run_id = task_ids.new()

        def retry(tx: Transaction) -> api.RetryTaskResponse:
            retried = schedule_tasks.find(tx, principal, task_id)
            old = retried.task
            if not states.is_terminal(old.state) or old.state == task_pb2.WORK_STATE_SUCCEEDED:
                raise errors.TaskNotRetryable(task_id, _word(old.state))
            job = tx.get(JOBS, old.job_id) if old.job_id else None
            if job is not None and job.status != job_pb2.JOB_STATUS_ENABLED:
                raise errors.JobDisabled(job.id)
            node = None
            if old.node_uid:
                node = tx.get(NODES, old.node_id)
                if node is None:
                    raise _device_not_found(tx, old.node_id)
            stored = tasks.new(
                tx,
                run_id,
                old.config,
                namespace=old.namespace_id,
                node=node,
                priority=_PRIORITIES.get(priority, old.priority),
                created_by=principal.number,
            )
            task = stored.task
            task.retry_of = old.id
            old.retried_as = task.id
            # `updated_at` stays: what ended is kept for a time from then.
            tx.put(TASKS, retried)
            for name in ("job_id", "environment", "parameters"):
                if old.HasField(name):
                    setattr(task, name, getattr(old, name))
            dependencies.add_again(tx, stored, old.dependencies)
            return api.RetryTaskResponse(
                new_task_id="" if is_dry_run else task_ids.device_task_id(run_id),
                original_task_id=_spelled(task_id),
            )

        return await self._store.write(
            retry,
            idempotency=idempotency,
            is_dry_run=is_dry_run,
            result_type=api.RetryTaskResponse,
            reads=[(TASKS, task_ids.run_id(task_id)), (TASKS, run_id)],
        )


def _types(node: node_pb2.Node) -> list[str]:
    """Returns the types of tasks that a device runs."""
    return [
        task_type
        for task_type, demand in _OF_TYPES.items()
        if all(lack.what != "TASK_TYPE" for lack in demand.lacks(node))
    ]


def _spelled(task_id: str) -> str:
    """Returns this face's spelling of a task's id."""
    return task_ids.device_task_id(task_ids.run_id(task_id))


def _word(state: states.State) -> str:
    """Returns what this face calls a state."""
    return pb.TaskStatus.Name(STATUS[state]).removeprefix("TASK_STATUS_").lower()


def _device_not_found(tx: Transaction, device_id: str) -> errors.NodeNotFound:
    """Returns the error in this face's words, with some of the devices that are there."""
    online = sa.select(_nodes.key).where(_nodes.connection == node_pb2.CONNECTION_STATE_ONLINE)
    available = tx.execute(online.order_by(_nodes.key).limit(_NAMED)).scalars()
    error = errors.NodeNotFound(device_id, f"device {device_id!r} does not exist")
    error.metadata = {"device_id": device_id, "available_devices": ",".join(available)}
    return error


def _since_us(text: str) -> int:
    if re.fullmatch(r"[0-9]{1,12}(\.[0-9]{1,6})?", text):
        return round(float(text) * 1_000_000)
    moment = Timestamp()
    try:
        moment.FromJsonString(text)
    except ValueError:
        raise errors.InvalidArgument(
            "since", "must be an instant such as 2026-01-31T12:00:00Z, or seconds since 1970"
        ) from None
    return instants.microseconds(moment)


def _words(lacks: Sequence[Lack]) -> str:
    return "; ".join(f"{lack.wanted} (it has {lack.present or 'none'})" for lack in lacks)


# -- what is stored, in the words of the devices face


def task_of(stored: task_pb2.StoredTask) -> pb.Task:
    """Returns a task as a row of a list."""
    shown = pb.Task()
    _fill(shown, stored)
    return shown


def details_of(
    stored: task_pb2.StoredTask, past: Sequence[task_pb2.TaskInstance] = ()
) -> pb.TaskDetails:
    """Returns a task with all that is known of it, and of past attempts."""
    shown = pb.TaskDetails()
    _fill(shown, stored)
    task, instance = stored.task, stored.instance
    shown.revision = task.revision
    shown.payload = task.config.payload or "{}"
    shown.detailed_log.extend(_log(task, [*past, instance]))
    usage = shown.resource_usage
    usage.SetInParent()  # a client may look into it whatever is known
    if instance.HasField("metrics"):
        used = instance.metrics
        if used.HasField("memory_peak_bytes"):
            usage.peak_memory_mb = -(-used.memory_peak_bytes // 1024**2)
        if used.HasField("cpu_time_seconds"):
            usage.total_cpu_time_seconds = used.cpu_time_seconds
            if instance.execution_time_ms:
                percent = used.cpu_time_seconds * 100_000 / instance.execution_time_ms
                usage.peak_cpu_percent = round(percent, 1)
    return shown


def _fill(shown: pb.Task | pb.TaskDetails, stored: task_pb2.StoredTask) -> None:
    task, instance = stored.task, stored.instance
    shown.task_id = task_ids.device_task_id(task_ids.of_task(task.id))
    shown.task_type = kinds.task_type(task.config)
    shown.status = STATUS[task.state]
    shown.priority = _priority(task.priority)
    shown.created_at.CopyFrom(task.created_at)
    shown.retry_count = task.retry_count
    if device := instance.agent_id or task.node_id:
        shown.device_id = device
    if instance.HasField("started_at"):
        shown.started_at.CopyFrom(instance.started_at)
    if task.HasField("completed_at"):
        shown.completed_at.CopyFrom(task.completed_at)
        if task.reason:
            shown.error = task.reason_message or task.reason
    if instance.number:
        shown.execution_time_seconds = instance.execution_time_ms / 1000
        shown.result.output = instance.stdout + instance.stderr
        if instance.HasField("exit_code"):
            shown.result.exit_code = instance.exit_code


def _priority(number: int) -> pb.TaskPriority.ValueType:
    fitting = [word for word, least in _PRIORITIES.items() if number >= least]
    return fitting[-1] if fitting else pb.TASK_PRIORITY_LOW


def _log(task: task_pb2.Task, attempts: Sequence[task_pb2.TaskInstance]) -> list[str]:
    """Returns what became of a task, one line a step."""
    steps = [(task.created_at, "accepted")]
    for instance in attempts:
        attempt = f"attempt {instance.attempt}"
        if instance.HasField("dispatched_at"):
            steps.append((instance.dispatched_at, f"{attempt} sent to {instance.agent_id}"))
        if instance.HasField("started_at"):
            steps.append((instance.started_at, f"{attempt} runs"))
        if instance.HasField("completed_at"):
            words = instance.error_message or states.name(instance.state).lower()
            steps.append((instance.completed_at, f"{attempt} ended: {words}"))
    if task.HasField("due_at"):
        steps.append((task.due_at, "the next attempt is due"))
    if task.HasField("completed_at"):
        steps.append((task.completed_at, f"ended as {_word(task.state)}"))
    return [f"{_spell(at)}: {words}" for at, words in steps]


def _spell(at: Timestamp) -> str:
    return datetime.fromtimestamp(at.seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
