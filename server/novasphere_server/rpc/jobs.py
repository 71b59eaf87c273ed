"""Jobs over RPC."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing

from novasphere.schedule.v1 import job_pb2
from novasphere.schedule.v1 import job_service_pb2 as pb

from novasphere_server import logs
from novasphere_server.core import jobs, pages
from novasphere_server.core.jobs import Jobs
from novasphere_server.core.schedule_tasks import ScheduleTasks
from novasphere_server.rpc import update_masks, watch_rows
from novasphere_server.rpc.context import CallContext
from novasphere_server.rpc.views import Many, One

log = logs.get(__name__)

_ANSWER = pb.GetJobResponse()  # around every job: nothing else is in it


class JobService:
    """Serves novasphere.schedule.v1.JobService."""

    def __init__(self, jobs: Jobs, tasks: ScheduleTasks) -> None:
        self._jobs = jobs
        self._tasks = tasks

    async def ListJobs(
        self, request: pb.ListJobsRequest, context: CallContext
    ) -> Many[pb.ListJobsResponse]:
        page = await self._jobs.list(context.principal, request)

        def make() -> Many[pb.ListJobsResponse]:
            answer = pb.ListJobsResponse(
                total=page.total, page=pages.number(request.page), page_size=pages.size(request.page)
            )
            return Many(answer, "data", page.items)

        return page.memo("ListJobs", make)

    async def CreateJob(
        self, request: pb.CreateJobRequest, context: CallContext
    ) -> pb.CreateJobResponse:
        job = await self._jobs.create(
            context.principal, request, idempotency=context.idempotency, is_dry_run=context.is_dry_run
        )
        if context.is_dry_run:  # which made nothing to name
            return pb.CreateJobResponse()
        if context.has_effect:
            _tell("created", job, context)
        context.headers["etag"] = str(job.revision)
        return pb.CreateJobResponse(id=job.id)

    async def GetJob(self, request: pb.GetJobRequest, context: CallContext) -> One[pb.GetJobResponse]:
        return One(_ANSWER, "job", await self._jobs.get(context.principal, request.job_id))

    async def UpdateJob(
        self, request: pb.UpdateJobRequest, context: CallContext
    ) -> pb.UpdateJobResponse:
        job = await self._jobs.update(
            context.principal,
            request,
            update_masks.fields(request, jobs.CHANGEABLE, inside=("config",)),
            idempotency=context.idempotency,
            is_dry_run=context.is_dry_run,
        )
        if context.has_effect:
            _tell("updated", job, context)
        context.headers["etag"] = str(job.revision)
        return pb.UpdateJobResponse(revision=job.revision)

    async def DeleteJob(
        self, request: pb.DeleteJobRequest, context: CallContext
    ) -> pb.DeleteJobResponse:
        job = await self._jobs.delete(
            context.principal,
            request.job_id,
            etag=request.etag,
            idempotency=context.idempotency,
            is_dry_run=context.is_dry_run,
        )
        if context.has_effect:
            _tell("deleted", job, context)
        return pb.DeleteJobResponse()

    async def EnableJob(
        self, request: pb.EnableJobRequest, context: CallContext
    ) -> pb.EnableJobResponse:
        await self._set_status(request, context, job_pb2.JOB_STATUS_ENABLED)
        return pb.EnableJobResponse()

    async def DisableJob(
        self, request: pb.DisableJobRequest, context: CallContext
    ) -> pb.DisableJobResponse:
        await self._set_status(request, context, job_pb2.JOB_STATUS_DISABLED)
        return pb.DisableJobResponse()

    async def TriggerJob(
        self, request: pb.TriggerJobRequest, context: CallContext
    ) -> pb.TriggerJobResponse:
        task = await self._tasks.trigger(
            context.principal, request, idempotency=context.idempotency, is_dry_run=context.is_dry_run
        )
        if context.is_dry_run:  # which made nothing that the id could name
            for name in ("id", "number", "revision"):
                task.ClearField(name)
        if context.has_effect:
            log.info("job triggered", job_id=request.job_id, task_id=task.id, by=context.principal.name)
        return pb.TriggerJobResponse(task=task)

    async def WatchJobs(
        self, request: pb.WatchJobsRequest, context: CallContext
    ) -> AsyncIterator[Many[pb.WatchJobsResponse]]:
        watch = self._jobs.watch(
            context.principal, request.job_id, request.namespace_id, request.cursor, request.status
        )
        async with aclosing(watch) as found:
            async for page in found:
                yield watch_rows.response(page, pb.WatchJobsResponse, pb.JobEvent)

    async def _set_status(
        self,
        request: pb.EnableJobRequest | pb.DisableJobRequest,
        context: CallContext,
        status: job_pb2.JobStatus.ValueType,
    ) -> None:
        job = await self._jobs.set_status(
            context.principal,
            request.job_id,
            status,
            etag=request.etag,
            idempotency=context.idempotency,
            is_dry_run=context.is_dry_run,
        )
        if context.has_effect:
            _tell("enabled" if status == job_pb2.JOB_STATUS_ENABLED else "disabled", job, context)
        context.headers["etag"] = str(job.revision)


def _tell(what: str, job: job_pb2.Job, context: CallContext) -> None:
    log.info("job changed", what=what, job_id=job.id, revision=job.revision, by=context.principal.name)
