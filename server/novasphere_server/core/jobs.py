"""Jobs: what is to be run again and again. Made, read, watched, changed and deleted."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Collection, Mapping, Sequence

import sqlalchemy as sa
from novasphere.schedule.v1 import job_pb2 as pb
from novasphere.schedule.v1 import job_service_pb2 as api
from novasphere.schedule.v1 import schedule_pb2

from novasphere_server import errors
from novasphere_server.core import (
    etags,
    firings,
    instants,
    pages,
    settlements,
    task_configs,
    task_ids,
    waiting_tasks,
)
from novasphere_server.core.fleet_settings import FleetSettings
from novasphere_server.core.pages import Field
from novasphere_server.core.principals import Principal, unreachable
from novasphere_server.core.tasks import check_namespace
from novasphere_server.store import tables
from novasphere_server.store.idempotency import Idempotency
from novasphere_server.store.kinds import DEFAULT_NAMESPACE, JOBS, SCHEDULES
from novasphere_server.store.queries import Page
from novasphere_server.store.rendered import Rendered
from novasphere_server.store.store import Store
from novasphere_server.store.transactions import Transaction
from novasphere_server.store.watches import Watch, WatchPage

_jobs = tables.jobs.c
_s = tables.schedules.c

_AT_ONCE = 200  # schedules deleted in one mutation

CHANGEABLE = ("name", "description", "environment", "config", "status")
_STATUSES = (pb.JOB_STATUS_ENABLED, pb.JOB_STATUS_DISABLED)

# What of a row can be asked about.
FIELDS: Mapping[str, Field] = {
    "id": Field("key", pages.Text(task_ids.uuid)),
    "namespace_id": Field("namespace", pages.Text()),
    "name": Field("name", pages.Text()),
    "description": Field("description", pages.Text()),
    "status": Field("status", pages.Words(pb.JobStatus)),
    "created_at": Field("created_at_us", pages.Instant()),
    "updated_at": Field("updated_at_us", pages.Instant()),
    "created_by": Field("created_by", pages.Integer()),
    "revision": Field("revision", pages.Integer()),
    "number": Field("id", pages.Integer()),
}


class Jobs:
    """All jobs."""

    def __init__(self, store: Store, settings: FleetSettings) -> None:
        self._store = store
        self._settings = settings

    async def create(
        self,
        principal: Principal,
        request: api.CreateJobRequest,
        *,
        idempotency: Idempotency | None = None,
        is_dry_run: bool = False,
    ) -> pb.Job:
        """Returns the new job. Raises JobExists."""
        namespace = request.namespace_id or DEFAULT_NAMESPACE
        check_namespace(principal, namespace)
        _check(request, CHANGEABLE)
        job_id = task_ids.new_uuid()

        def create(tx: Transaction) -> pb.Job:
            job = pb.Job(
                id=job_id,
                namespace_id=namespace,
                name=request.name,
                config=request.config,
                status=request.status or pb.JOB_STATUS_ENABLED,
                created_at=instants.timestamp(tx.now_us),
                updated_at=instants.timestamp(tx.now_us),
                created_by=principal.number,
            )
            for name in ("description", "environment"):
                if request.HasField(name):
                    setattr(job, name, getattr(request, name))
            _check_name_is_free(tx, job)
            job.number = tx.next_id(JOBS.name)
            tx.put(JOBS, job)
            return job

        return await self._store.write(
            create, idempotency=idempotency, is_dry_run=is_dry_run, result_type=pb.Job
        )

    async def get(self, principal: Principal, job_id: str) -> Rendered[pb.Job]:
        """Returns a job. Raises JobNotFound, and PermissionDenied where the caller may not know whether it is
        there.
        """
        job_id = task_ids.uuid(job_id)
        found = self._store.known(JOBS, job_id) or await self._store.get(JOBS, job_id)
        if found is None or (
            principal.namespaces and not principal.may_touch(found.message().namespace_id)
        ):
            raise _out_of_reach(principal, job_id)
        return found

    async def list(self, principal: Principal, request: api.ListJobsRequest) -> Page[pb.Job]:
        """Returns the jobs of the page that a request asks for."""
        return await self._store.list(pages.query(JOBS, FIELDS, request, pages.reachable(principal)))

    def watch(
        self,
        principal: Principal,
        job_id: str,
        namespace: str,
        cursor: str,
        status: pb.JobStatus.ValueType = pb.JOB_STATUS_UNSPECIFIED,
    ) -> AsyncGenerator[WatchPage, None]:
        """Returns the pages of a watch. The caller must aclose() it."""
        job_id = task_ids.uuid(job_id)
        if namespace:
            check_namespace(principal, namespace)

        def matches(job: pb.Job) -> bool:
            return (
                principal.may_touch(job.namespace_id)
                and namespace in ("", job.namespace_id)
                and status in (pb.JOB_STATUS_UNSPECIFIED, job.status)
            )

        return self._store.watch(
            Watch(
                kind=JOBS,
                cursor=cursor,
                identity=(job_id, namespace, status, principal.namespaces),
                matches=matches,
                key=job_id,
            )
        )

    async def update(
        self,
        principal: Principal,
        request: api.UpdateJobRequest,
        fields: Collection[str],
        *,
        idempotency: Idempotency | None = None,
        is_dry_run: bool = False,
    ) -> pb.Job:
        """Returns the job with those fields as the request has them. Raises JobExists."""
        parts = _parts_of_config(request)
        _check(request, [name for name in fields if name != "config"] if parts else fields)

        def change(tx: Transaction, job: pb.Job) -> None:
            for name in fields:
                if name == "config" and parts:
                    job.config.CopyFrom(task_configs.changed(job.config, request.config, parts))
                    task_configs.check(job.config, name)
                    continue
                job.ClearField(name)  # type: ignore[arg-type]  # the names are those of CHANGEABLE
                if not request.HasField(name):  # type: ignore[arg-type]
                    continue
                if name == "config":
                    job.config.CopyFrom(request.config)
                else:
                    setattr(job, name, getattr(request, name))
            tx.check_size(JOBS, job)

        return await self._change(
            principal, request.job_id, change, request.etag, idempotency, is_dry_run
        )

    async def set_status(
        self,
        principal: Principal,
        job_id: str,
        status: pb.JobStatus.ValueType,
        *,
        etag: str = "",
        idempotency: Idempotency | None = None,
        is_dry_run: bool = False,
    ) -> pb.Job:
        """Returns the job, enabled or disabled."""

        def change(_tx: Transaction, job: pb.Job) -> None:
            job.status = status

        return await self._change(principal, job_id, change, etag, idempotency, is_dry_run)

    async def delete(
        self,
        principal: Principal,
        job_id: str,
        *,
        etag: str = "",
        idempotency: Idempotency | None = None,
        is_dry_run: bool = False,
    ) -> pb.Job:
        """Forgets a job with its schedules, and returns what it was. What waits of it is cancelled."""
        job_id = task_ids.uuid(job_id)

        def clear(tx: Transaction) -> bool:
            """Deletes its schedules and cancels what waits, as many as one mutation may. Returns whether that was
            all.
            """
            found = tx.find(SCHEDULES, _s.job_id == job_id, limit=_AT_ONCE)
            deleted = 0
            for schedule in tx.fitting(found):
                firings.drop_buffered(tx, [schedule.id], schedule_pb2.DISPOSITION_SKIPPED_DELETED)
                tx.delete(SCHEDULES, schedule.id)
                deleted += 1
            if deleted < len(found) or deleted == _AT_ONCE:
                return False
            return _cancel_some(tx, principal, job_id)

        def halt(tx: Transaction) -> bool:
            etags.check(etag, _find(tx, principal, job_id).revision)
            return clear(tx)

        def delete(tx: Transaction) -> pb.Job:
            job = _find(tx, principal, job_id)
            etags.check(etag, job.revision)
            if not is_dry_run and not clear(tx):
                raise settlements.Behind
            tx.delete(JOBS, job_id)
            return job

        # While it is there: whoever is stopped in between can delete it again.
        return await settlements.write(
            self._store,
            delete,
            halt,
            idempotency=idempotency,
            is_dry_run=is_dry_run,
            result_type=pb.Job,
        )

    async def _change(
        self,
        principal: Principal,
        job_id: str,
        change: Callable[[Transaction, pb.Job], None],
        etag: str,
        idempotency: Idempotency | None,
        is_dry_run: bool,
    ) -> pb.Job:
        """Returns the changed job. One that is as it shall be stays at its revision. What waits of one that is
        disabled is cancelled.
        """
        job_id = task_ids.uuid(job_id)
        unended = sa.and_(_s.job_id == job_id, _s.state != schedule_pb2.SCHEDULE_STATE_ENDED)

        def settle(tx: Transaction) -> bool:
            """Does of what comes before the change as much as one mutation may. Returns whether that was all."""
            job = _find(tx, principal, job_id)
            etags.check(etag, job.revision)
            change(tx, job)
            if not firings.catch_up(tx, unended, self._settings):
                return False
            is_disabled = job.status == pb.JOB_STATUS_DISABLED and not is_dry_run
            return not is_disabled or _cancel_some(tx, principal, job_id)

        def update(tx: Transaction) -> pb.Job:
            job = _find(tx, principal, job_id)
            etags.check(etag, job.revision)
            before = pb.Job.FromString(job.SerializeToString())
            change(tx, job)
            if job.name != before.name:
                _check_name_is_free(tx, job)
            if job.status != before.status:
                # First what has come by now is settled as the job was.
                if not firings.catch_up(tx, unended, self._settings):
                    raise settlements.Behind
                firings.look_at(tx, unended)
                if job.status == pb.JOB_STATUS_DISABLED:
                    skipped = schedule_pb2.DISPOSITION_SKIPPED_DISABLED
                    firings.drop_buffered(tx, _keys(tx, unended), skipped)
            if job != before:
                job.updated_at.CopyFrom(instants.timestamp(tx.now_us))
                tx.put(JOBS, job)
            # With it, so that nothing of a disabled job waits whoever is stopped when.
            is_disabled = job.status == pb.JOB_STATUS_DISABLED and not is_dry_run
            if is_disabled and not _cancel_some(tx, principal, job_id):
                raise settlements.Behind
            return job

        return await settlements.write(
            self._store,
            update,
            settle,
            idempotency=idempotency,
            is_dry_run=is_dry_run,
            result_type=pb.Job,
        )


def _check(request: api.CreateJobRequest | api.UpdateJobRequest, fields: Collection[str]) -> None:
    """Raises InvalidArgument unless a job can have what the request says of those fields."""
    if "name" in fields and not request.name:
        raise errors.InvalidArgument("name", "must be set")
    if "config" in fields:
        task_configs.check(request.config, "config")
    if "environment" in fields and request.HasField("environment"):
        task_configs.check_environment(request.environment, "environment")
    is_new = isinstance(request, api.CreateJobRequest)
    if "status" in fields and not (is_new and not request.status) and request.status not in _STATUSES:
        raise errors.InvalidArgument(
            "status", "must be one of enabled, disabled; to delete it use DELETE"
        )


def _parts_of_config(request: api.UpdateJobRequest) -> Collection[str]:
    """Returns which fields of the config are to change; none where it is replaced as a whole.

    Published clients send what they change of a config, and no word of the rest. One that says what runs is
    whole: what belonged to another program would make no sense.
    """
    paths = request.update_mask.paths
    if "*" in paths:
        return ()
    if (not paths or "config" in paths) and task_configs.says_what_runs(request.config):
        return ()
    if not paths:
        return [field.name for field, _ in request.config.ListFields()]
    return [path.removeprefix("config.") for path in paths if path.startswith("config.")]


def _find(tx: Transaction, principal: Principal, job_id: str) -> pb.Job:
    job = tx.get(JOBS, job_id)
    if job is None or not principal.may_touch(job.namespace_id):
        raise _out_of_reach(principal, job_id)
    return job


def _keys(tx: Transaction, which: sa.ColumnElement[bool]) -> Sequence[str]:
    """Returns the ids of schedules."""
    return tx.execute(sa.select(_s.key).where(which)).scalars().all()


def _cancel_some(tx: Transaction, principal: Principal, job_id: str) -> bool:
    # In words that the index of what waits of jobs has.
    own = sa.and_(tables.tasks.c.job_id == job_id, sa.text("job_id <> ''"))
    return waiting_tasks.cancel_some(tx, own, principal.name)


def _check_name_is_free(tx: Transaction, job: pb.Job) -> None:
    taken = sa.and_(_jobs.namespace == job.namespace_id, _jobs.name == job.name)
    if tx.find(JOBS, taken, limit=1):
        raise errors.JobExists(job.namespace_id, job.name)


def _out_of_reach(principal: Principal, job_id: str) -> errors.ApiError:
    return unreachable(principal, errors.JobNotFound(job_id), f"job {job_id!r}")
