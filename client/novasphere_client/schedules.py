"""Schedules: when jobs make tasks, and what became of each time."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta

from novasphere.schedule.v1 import (
    schedule_pb2,
    schedule_service_pb2,
    schedule_service_pb2_grpc,
    task_pb2,
)

from novasphere_client import pages
from novasphere_client.connection import Connection, OnInterruption
from novasphere_client.nodes import timestamp
from novasphere_client.watches import Watch

ScheduleWatch = Watch[schedule_service_pb2.ScheduleEvent]

ONE_AFTER_ANOTHER = schedule_pb2.OVERLAP_POLICY_BUFFER_ALL
AT_ONCE = schedule_pb2.OVERLAP_POLICY_ALLOW

_PAGE = 1000
# How far back the newest rows of a ledger are looked for, in turn: a schedule of every second has many.
_WINDOWS = (timedelta(minutes=10), timedelta(days=1), timedelta(days=40), None)


class Schedules:
    """Makes, changes and watches schedules, and reads their ledgers."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._service = schedule_service_pb2_grpc.ScheduleServiceStub(connection.channel)

    async def list(
        self,
        where: pages.Filter | None = None,
        *,
        page: int | None = None,
        page_size: int | None = None,
        order_by: Sequence[str] = (),
    ) -> schedule_service_pb2.ListSchedulesResponse:
        """Returns one page of schedules, newest first unless told otherwise, and how many match in all.

        See `pages` for what a filter is.
        """
        request = schedule_service_pb2.ListSchedulesRequest(
            filter=pages.conditions(where), page=pages.spec(page, page_size, order_by)
        )
        return await self._connection.read(self._service.ListSchedules, request)

    async def all(
        self, where: pages.Filter | None = None, *, order_by: Sequence[str] = ()
    ) -> AsyncIterator[schedule_pb2.Schedule]:
        """Yields every matching schedule, page by page; those that come or go meanwhile may be missed."""
        rows = pages.every(
            lambda page, size: self.list(where, page=page, page_size=size, order_by=order_by)
        )
        async for schedule in rows:
            yield schedule

    async def get(self, schedule_id: str) -> schedule_pb2.Schedule:
        """Returns a schedule."""
        request = schedule_service_pb2.GetScheduleRequest(schedule_id=schedule_id)
        return (await self._connection.read(self._service.GetSchedule, request)).schedule

    async def create(self, request: schedule_service_pb2.CreateScheduleRequest) -> str:
        """Makes a schedule; returns its id, empty when it was only checked."""
        return (await self._connection.mutate(self._service.CreateSchedule, request)).id

    async def update(self, request: schedule_service_pb2.UpdateScheduleRequest) -> int:
        """Changes what the request's mask names, or what it sets; returns the schedule's revision, which is the
        one that it had where that changes nothing.
        """
        return (await self._connection.mutate(self._service.UpdateSchedule, request)).revision

    async def delete(
        self, schedule_id: str, *, etag: str = "", request_id: str = "", validate_only: bool = False
    ) -> None:
        """Deletes a schedule. Its tasks stay."""
        request = schedule_service_pb2.DeleteScheduleRequest(
            schedule_id=schedule_id, etag=etag, request_id=request_id, validate_only=validate_only
        )
        await self._connection.mutate(self._service.DeleteSchedule, request)

    async def enable(
        self, schedule_id: str, *, etag: str = "", request_id: str = "", validate_only: bool = False
    ) -> None:
        """Lets a schedule make tasks again, from now on."""
        request = schedule_service_pb2.EnableScheduleRequest(
            schedule_id=schedule_id, etag=etag, request_id=request_id, validate_only=validate_only
        )
        await self._connection.mutate(self._service.EnableSchedule, request)

    async def disable(
        self, schedule_id: str, *, etag: str = "", request_id: str = "", validate_only: bool = False
    ) -> None:
        """Pauses a schedule, and cancels those of its tasks that wait."""
        request = schedule_service_pb2.DisableScheduleRequest(
            schedule_id=schedule_id, etag=etag, request_id=request_id, validate_only=validate_only
        )
        await self._connection.mutate(self._service.DisableSchedule, request)

    async def pause(
        self,
        schedule_id: str,
        note: str = "",
        *,
        etag: str = "",
        request_id: str = "",
        validate_only: bool = False,
    ) -> schedule_pb2.Schedule:
        """Pauses a schedule with a note that says why. Its tasks go on."""
        request = schedule_service_pb2.PauseScheduleRequest(
            schedule_id=schedule_id,
            note=note,
            etag=etag,
            request_id=request_id,
            validate_only=validate_only,
        )
        return (await self._connection.mutate(self._service.PauseSchedule, request)).schedule

    async def resume(
        self, schedule_id: str, *, etag: str = "", request_id: str = "", validate_only: bool = False
    ) -> schedule_pb2.Schedule:
        """Lets a paused schedule make tasks again, from now on."""
        request = schedule_service_pb2.ResumeScheduleRequest(
            schedule_id=schedule_id, etag=etag, request_id=request_id, validate_only=validate_only
        )
        return (await self._connection.mutate(self._service.ResumeSchedule, request)).schedule

    async def trigger(
        self,
        schedule_id: str,
        *,
        parameters: str | None = None,
        request_id: str = "",
        validate_only: bool = False,
    ) -> task_pb2.Task:
        """Makes a task of a schedule now, whatever its times. `parameters` are JSON."""
        request = schedule_service_pb2.TriggerScheduleRequest(
            schedule_id=schedule_id,
            parameters=parameters,
            request_id=request_id,
            validate_only=validate_only,
        )
        return (await self._connection.mutate(self._service.TriggerSchedule, request)).task

    async def backfill(
        self,
        schedule_id: str,
        start_time: datetime,
        end_time: datetime,
        *,
        overlap_policy: schedule_pb2.OverlapPolicy.ValueType = ONE_AFTER_ANOTHER,
        request_id: str = "",
        validate_only: bool = False,
    ) -> schedule_service_pb2.BackfillScheduleResponse:
        """Makes a task for each time of a past range, which includes its start and not its end."""
        request = schedule_service_pb2.BackfillScheduleRequest(
            schedule_id=schedule_id,
            start_time=timestamp(start_time),
            end_time=timestamp(end_time),
            overlap_policy=overlap_policy,
            request_id=request_id,
            validate_only=validate_only,
        )
        return await self._connection.mutate(self._service.BackfillSchedule, request)

    async def preview(
        self, schedule_id: str, *, count: int | None = None, after: datetime | None = None
    ) -> Sequence[schedule_service_pb2.PreviewedTime]:
        """Returns the next times of a schedule."""
        request = schedule_service_pb2.PreviewScheduleRequest(schedule_id=schedule_id, count=count)
        if after is not None:
            request.after.CopyFrom(timestamp(after))
        return (await self._connection.read(self._service.PreviewSchedule, request)).times

    async def preview_timing(
        self, request: schedule_service_pb2.PreviewTimingRequest
    ) -> Sequence[schedule_service_pb2.PreviewedTime]:
        """Returns the next times that a schedule would have."""
        return (await self._connection.read(self._service.PreviewTiming, request)).times

    async def explain(self, schedule_id: str) -> schedule_service_pb2.ExplainScheduleResponse:
        """Returns when a schedule fires next, or why it does not and what would change that."""
        request = schedule_service_pb2.ExplainScheduleRequest(schedule_id=schedule_id)
        return await self._connection.read(self._service.ExplainSchedule, request)

    async def firings(
        self, schedule_id: str, *, since: datetime | None = None, until: datetime | None = None
    ) -> AsyncIterator[schedule_pb2.Firing]:
        """Yields what the ledger says of the times of a schedule, oldest first."""
        request = schedule_service_pb2.ListFiringsRequest(schedule_id=schedule_id, page_size=_PAGE)
        if since is not None:
            request.since.CopyFrom(timestamp(since))
        if until is not None:
            request.until.CopyFrom(timestamp(until))
        while True:
            page = await self._connection.read(self._service.ListFirings, request)
            for firing in page.firings:
                yield firing
            if not page.next_page_token:
                return
            request.page_token = page.next_page_token

    async def last_firings(self, schedule_id: str, count: int) -> Sequence[schedule_pb2.Firing]:
        """Returns the newest rows of a schedule's ledger, oldest first."""
        now = datetime.now(UTC)
        found: deque[schedule_pb2.Firing] = deque(maxlen=count)
        for window in _WINDOWS:
            found.clear()
            since = None if window is None else now - window
            async for firing in self.firings(schedule_id, since=since):
                found.append(firing)
            if len(found) == count:
                break
        return list(found)

    async def missed(
        self, *, since: datetime | None = None, namespace: str = ""
    ) -> AsyncIterator[schedule_pb2.Firing]:
        """Yields the times since an instant that made no task, oldest first; of the last 24 hours when unset."""
        request = schedule_service_pb2.ListMissedFiringsRequest(namespace_id=namespace, page_size=_PAGE)
        if since is not None:
            request.since.CopyFrom(timestamp(since))
        while True:
            page = await self._connection.read(self._service.ListMissedFirings, request)
            for firing in page.firings:
                yield firing
            if not page.next_page_token:
                return
            request.page_token = page.next_page_token

    def watch(
        self,
        *,
        cursor: str = "",
        schedule_id: str = "",
        namespace: str = "",
        job_id: str = "",
        state: schedule_pb2.ScheduleState.ValueType = schedule_pb2.SCHEDULE_STATE_UNSPECIFIED,
        patience: float | None = 60.0,
        on_interruption: OnInterruption | None = None,
    ) -> ScheduleWatch:
        """Watches schedules; see `Watch`."""
        return Watch(
            self._connection,
            lambda cursor, metadata: self._service.WatchSchedules(
                schedule_service_pb2.WatchSchedulesRequest(
                    cursor=cursor,
                    schedule_id=schedule_id,
                    namespace_id=namespace,
                    job_id=job_id,
                    state=state,
                ),
                metadata=metadata,
            ),
            lambda schedule: str(schedule.id),
            schedule_service_pb2.ScheduleEvent,
            cursor=cursor,
            patience=patience,
            on_interruption=on_interruption,
        )
