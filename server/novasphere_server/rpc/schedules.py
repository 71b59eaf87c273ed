"""Schedules and their ledger over RPC."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import aclosing

from google.protobuf.timestamp_pb2 import Timestamp
from novasphere.schedule.v1 import schedule_pb2
from novasphere.schedule.v1 import schedule_service_pb2 as pb

from novasphere_server import logs
from novasphere_server.core import instants, page_tokens, pages, schedule_fields, task_ids
from novasphere_server.core.schedule_explanations import ScheduleExplanations
from novasphere_server.core.schedule_times import ScheduleTimes
from novasphere_server.core.schedules import ScheduleFilter, Schedules
from novasphere_server.rpc import languages, schedule_explanations, update_masks, watch_rows
from novasphere_server.rpc.context import CallContext
from novasphere_server.rpc.views import Many

log = logs.get(__name__)

_PAGE_SIZE = 100
_PREVIEWED = 10
# Of page tokens: what they are of.
_FIRINGS = "firing"
_MISSED = "missed"
_GENERATION = "([0-9]{1,9})"
_ID = "([0-9a-f-]{36})"


class ScheduleService:
    """Serves novasphere.schedule.v1.ScheduleService."""

    def __init__(
        self, schedules: Schedules, times: ScheduleTimes, explanations: ScheduleExplanations
    ) -> None:
        self._schedules = schedules
        self._times = times
        self._explanations = explanations

    async def ListSchedules(
        self, request: pb.ListSchedulesRequest, context: CallContext
    ) -> pb.ListSchedulesResponse:
        found, total = await self._schedules.list(context.principal, request)
        return pb.ListSchedulesResponse(
            data=found, total=total, page=pages.number(request.page), page_size=pages.size(request.page)
        )

    async def CreateSchedule(
        self, request: pb.CreateScheduleRequest, context: CallContext
    ) -> pb.CreateScheduleResponse:
        schedule = await self._schedules.create(
            context.principal, request, idempotency=context.idempotency, is_dry_run=context.is_dry_run
        )
        if context.is_dry_run:  # which made nothing to name
            return pb.CreateScheduleResponse()
        _tell("created", schedule, context)
        return pb.CreateScheduleResponse(id=schedule.id)

    async def GetSchedule(
        self, request: pb.GetScheduleRequest, context: CallContext
    ) -> pb.GetScheduleResponse:
        schedule = await self._schedules.get(context.principal, request.schedule_id)
        # Where it stands moves without a revision, and its next time goes with its job.
        standing = f"{schedule.fired_count}-{_us(schedule.position)}-{_us(schedule.next_run_at)}"
        context.headers["etag"] = f"{schedule.revision}.{standing}"
        return pb.GetScheduleResponse(schedule=schedule)

    async def UpdateSchedule(
        self, request: pb.UpdateScheduleRequest, context: CallContext
    ) -> pb.UpdateScheduleResponse:
        schedule = await self._schedules.update(
            context.principal,
            request,
            update_masks.fields(request, schedule_fields.CHANGEABLE),
            idempotency=context.idempotency,
            is_dry_run=context.is_dry_run,
        )
        _tell("updated", schedule, context)
        return pb.UpdateScheduleResponse(revision=schedule.revision)

    async def DeleteSchedule(
        self, request: pb.DeleteScheduleRequest, context: CallContext
    ) -> pb.DeleteScheduleResponse:
        schedule = await self._schedules.delete(
            context.principal,
            request.schedule_id,
            etag=request.etag,
            idempotency=context.idempotency,
            is_dry_run=context.is_dry_run,
        )
        _tell("deleted", schedule, context)
        return pb.DeleteScheduleResponse()

    async def EnableSchedule(
        self, request: pb.EnableScheduleRequest, context: CallContext
    ) -> pb.EnableScheduleResponse:
        await self._resume(request, context)
        return pb.EnableScheduleResponse()

    async def DisableSchedule(
        self, request: pb.DisableScheduleRequest, context: CallContext
    ) -> pb.DisableScheduleResponse:
        schedule = await self._schedules.pause(
            context.principal,
            request.schedule_id,
            cancels=True,
            etag=request.etag,
            idempotency=context.idempotency,
            is_dry_run=context.is_dry_run,
        )
        _tell("disabled", schedule, context)
        return pb.DisableScheduleResponse()

    async def PauseSchedule(
        self, request: pb.PauseScheduleRequest, context: CallContext
    ) -> pb.PauseScheduleResponse:
        schedule = await self._schedules.pause(
            context.principal,
            request.schedule_id,
            request.note,
            etag=request.etag,
            idempotency=context.idempotency,
            is_dry_run=context.is_dry_run,
        )
        _tell("paused", schedule, context)
        return pb.PauseScheduleResponse(schedule=await self._schedules.with_standing(schedule))

    async def ResumeSchedule(
        self, request: pb.ResumeScheduleRequest, context: CallContext
    ) -> pb.ResumeScheduleResponse:
        schedule = await self._resume(request, context)
        return pb.ResumeScheduleResponse(schedule=await self._schedules.with_standing(schedule))

    async def _resume(
        self, request: pb.ResumeScheduleRequest | pb.EnableScheduleRequest, context: CallContext
    ) -> schedule_pb2.Schedule:
        schedule = await self._schedules.resume(
            context.principal,
            request.schedule_id,
            etag=request.etag,
            idempotency=context.idempotency,
            is_dry_run=context.is_dry_run,
        )
        _tell("resumed", schedule, context)
        return schedule

    async def TriggerSchedule(
        self, request: pb.TriggerScheduleRequest, context: CallContext
    ) -> pb.TriggerScheduleResponse:
        task = await self._schedules.trigger(
            context.principal,
            request.schedule_id,
            request.parameters if request.HasField("parameters") else None,
            idempotency=context.idempotency,
            is_dry_run=context.is_dry_run,
        )
        if context.is_dry_run:  # which made nothing that the id could name
            for name in ("id", "number", "revision"):
                task.ClearField(name)
        if context.has_effect:
            log.info("schedule triggered", schedule_id=request.schedule_id, task_id=task.id)
        return pb.TriggerScheduleResponse(task=task)

    async def BackfillSchedule(
        self, request: pb.BackfillScheduleRequest, context: CallContext
    ) -> pb.BackfillScheduleResponse:
        response = await self._schedules.backfill(
            context.principal, request, idempotency=context.idempotency, is_dry_run=context.is_dry_run
        )
        if context.is_dry_run:
            response.ClearField("task_ids")
        if context.has_effect:
            log.info("schedule backfilled", schedule_id=request.schedule_id, count=response.count)
        return response

    async def PreviewSchedule(
        self, request: pb.PreviewScheduleRequest, context: CallContext
    ) -> pb.PreviewScheduleResponse:
        times = await self._times.preview(
            context.principal, request.schedule_id, _count(request), _after(request)
        )
        return pb.PreviewScheduleResponse(times=times)

    async def PreviewTiming(
        self, request: pb.PreviewTimingRequest, context: CallContext
    ) -> pb.PreviewTimingResponse:
        times = self._times.preview_timing(request, _count(request), _after(request))
        return pb.PreviewTimingResponse(times=times)

    async def ExplainSchedule(
        self, request: pb.ExplainScheduleRequest, context: CallContext
    ) -> pb.ExplainScheduleResponse:
        schedule, last, facts = await self._explanations.explain(context.principal, request.schedule_id)
        in_chinese = languages.prefers_chinese(context.metadata.get("accept-language", ""))
        return schedule_explanations.response(schedule, last, facts, in_chinese=in_chinese)

    async def ListFirings(
        self, request: pb.ListFiringsRequest, context: CallContext
    ) -> pb.ListFiringsResponse:
        size = request.page_size if request.HasField("page_size") else _PAGE_SIZE
        schedule_id = task_ids.uuid(request.schedule_id)
        after = page_tokens.read(
            request.page_token, _FIRINGS, re.escape(schedule_id), _GENERATION, page_tokens.NUMBER
        )
        rows = await self._times.firings(
            context.principal,
            request.schedule_id,
            instants.optional_microseconds(request, "since"),
            instants.optional_microseconds(request, "until"),
            size + 1,
            None if after is None else (int(after[0]), int(after[1])),
        )
        response = pb.ListFiringsResponse(firings=rows[:size])
        if len(rows) > size:
            last = rows[size - 1]
            response.next_page_token = page_tokens.token(
                _FIRINGS, schedule_id, last.generation, _us(last.nominal_time)
            )
        return response

    async def ListMissedFirings(
        self, request: pb.ListMissedFiringsRequest, context: CallContext
    ) -> pb.ListMissedFiringsResponse:
        size = request.page_size if request.HasField("page_size") else _PAGE_SIZE
        after = page_tokens.read(request.page_token, _MISSED, page_tokens.NUMBER, _ID)
        rows = await self._times.missed(
            context.principal,
            request.namespace_id,
            instants.optional_microseconds(request, "since"),
            size + 1,
            None if after is None else (int(after[0]), after[1]),
        )
        response = pb.ListMissedFiringsResponse(firings=rows[:size])
        if len(rows) > size:
            last = rows[size - 1]
            response.next_page_token = page_tokens.token(
                _MISSED, _us(last.nominal_time), last.schedule_id
            )
        return response

    async def WatchSchedules(
        self, request: pb.WatchSchedulesRequest, context: CallContext
    ) -> AsyncIterator[Many[pb.WatchSchedulesResponse]]:
        which = ScheduleFilter(
            schedule_id=request.schedule_id,
            namespace=request.namespace_id,
            job_id=request.job_id,
            state=request.state,
        )
        watch = self._schedules.watch(context.principal, which, request.cursor)
        async with aclosing(watch) as found:
            async for page in found:
                yield watch_rows.response(page, pb.WatchSchedulesResponse, pb.ScheduleEvent)


def _tell(what: str, schedule: schedule_pb2.Schedule, context: CallContext) -> None:
    context.headers["etag"] = str(schedule.revision)
    if context.has_effect:
        log.info("schedule changed", what=what, schedule_id=schedule.id, by=context.principal.name)


def _count(request: pb.PreviewScheduleRequest | pb.PreviewTimingRequest) -> int:
    return request.count if request.HasField("count") else _PREVIEWED


def _after(request: pb.PreviewScheduleRequest | pb.PreviewTimingRequest) -> Timestamp | None:
    return request.after if request.HasField("after") else None


def _us(instant: Timestamp) -> int:
    return instants.microseconds(instant)
