"""The times of schedules: which there will be, and what became of those that came."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import sqlalchemy as sa
from google.protobuf.timestamp_pb2 import Timestamp
from novasphere.schedule.v1 import schedule_pb2 as pb
from novasphere.schedule.v1 import schedule_service_pb2 as api

from novasphere_server.clock import Clock
from novasphere_server.core import firings, instants, schedule_fields, task_ids
from novasphere_server.core.calendars import nominal_times, zones
from novasphere_server.core.calendars.nominal_times import Note
from novasphere_server.core.calendars.timings import Timing
from novasphere_server.core.principals import Principal
from novasphere_server.core.schedules import Schedules
from novasphere_server.core.tasks import check_namespace
from novasphere_server.store import tables
from novasphere_server.store.store import Store

_DAY_US = 86_400_000_000

_s = tables.schedules.c
_f = tables.firings.c


class ScheduleTimes:
    """Reads the calendars and the ledger of all schedules."""

    def __init__(self, store: Store, clock: Clock, schedules: Schedules) -> None:
        self._store = store
        self._clock = clock
        self._schedules = schedules

    async def preview(
        self, principal: Principal, schedule_id: str, count: int, after: Timestamp | None
    ) -> Iterator[api.PreviewedTime]:
        """Returns the next times of a schedule, at most as many as may still fire."""
        schedule = await self._schedules.get(principal, schedule_id)
        left = await self._left(schedule, count)
        return self._previewed(firings.timing_of(schedule), left, after)

    async def _left(self, schedule: pb.Schedule, most: int) -> int:
        """Returns how many of the times of a schedule may still fire beside those whose turn will come, at most so
        many.
        """
        if schedule.state == pb.SCHEDULE_STATE_ENDED:
            return 0
        if not schedule.HasField("max_count"):
            return most
        waiting = sa.select(sa.func.count()).where(
            _f.schedule_id == schedule.id, _f.disposition == pb.DISPOSITION_BUFFERED
        )
        [(buffered,)] = await self._store.read(waiting)
        left: int = schedule.max_count - schedule.fired_count - buffered
        return max(0, min(most, left))

    def preview_timing(
        self, request: api.PreviewTimingRequest, count: int, after: Timestamp | None
    ) -> Iterator[api.PreviewedTime]:
        """Returns the next times that a schedule would have."""
        now = instants.timestamp(self._clock.now_us())
        schedule = pb.Schedule(timezone="UTC", anchor=now)
        said = schedule_fields.said(request, schedule_fields.TIMING)
        schedule_fields.apply(schedule, request, said)
        if schedule.HasField("start_time"):
            schedule.anchor.CopyFrom(schedule.start_time)
        schedule_fields.check(schedule)
        return self._previewed(firings.timing_of(schedule), count, after)

    def _previewed(
        self, timing: Timing | None, count: int, after: Timestamp | None
    ) -> Iterator[api.PreviewedTime]:
        after_us = self._clock.now_us() if after is None else instants.microseconds(after)
        if timing is None:
            return
        for time in nominal_times.preview(timing, after_us, count):
            wall = zones.wall_time(timing.timezone, time.at_us)
            note = "" if time.note is Note.NONE and not time.merged else firings.note_of(time)
            yield api.PreviewedTime(
                time=instants.timestamp(time.at_us),
                local_time=wall.isoformat(timespec="seconds"),
                note=note,
            )

    async def firings(
        self,
        principal: Principal,
        schedule_id: str,
        since_us: int | None,
        until_us: int | None,
        limit: int,
        after: tuple[int, int] | None,
    ) -> Sequence[pb.Firing]:
        """Returns rows of the ledger of a schedule, oldest first, after a generation and time."""
        schedule = await self._schedules.get(principal, schedule_id)
        statement = sa.select(tables.firings).where(_f.schedule_id == schedule.id)
        if since_us is not None:
            statement = statement.where(_f.last_nominal_us >= since_us)
        if until_us is not None:
            statement = statement.where(_f.nominal_us < until_us)
        if after is not None:
            statement = statement.where(sa.tuple_(_f.generation, _f.nominal_us) > sa.tuple_(*after))
        ordered = statement.order_by(_f.generation, _f.nominal_us).limit(limit)
        return [_firing(row) for row in await self._store.read(ordered)]

    async def last_firing(self, schedule_id: str) -> pb.Firing | None:
        """Returns the last row of the ledger of a schedule."""
        newest = (_f.generation.desc(), _f.nominal_us.desc())
        own = sa.select(tables.firings).where(_f.schedule_id == schedule_id)
        rows = await self._store.read(own.order_by(*newest).limit(1))
        return _firing(rows[0]) if rows else None

    async def missed(
        self,
        principal: Principal,
        namespace: str,
        since_us: int | None,
        limit: int,
        after: tuple[int, str] | None,
    ) -> Sequence[pb.Firing]:
        """Returns rows of times that made no task, oldest first, after a time and a schedule."""
        if namespace:
            check_namespace(principal, namespace)
        if since_us is None:
            since_us = self._clock.now_us() - _DAY_US
        statement = (
            sa.select(tables.firings)
            .join(tables.schedules, _s.key == _f.schedule_id)
            .where(_f.disposition >= pb.DISPOSITION_SKIPPED_OVERLAP, _f.last_nominal_us >= since_us)
        )
        if namespace:
            statement = statement.where(_s.namespace == namespace)
        elif principal.namespaces:
            statement = statement.where(_s.namespace.in_(sorted(principal.namespaces)))
        if after is not None:
            statement = statement.where(sa.tuple_(_f.nominal_us, _f.schedule_id) > sa.tuple_(*after))
        ordered = statement.order_by(_f.nominal_us, _f.schedule_id).limit(limit)
        return [_firing(row) for row in await self._store.read(ordered)]


def _firing(row: Any) -> pb.Firing:
    return pb.Firing(
        schedule_id=row.schedule_id,
        generation=row.generation,
        nominal_time=instants.timestamp(row.nominal_us),
        last_nominal_time=instants.timestamp(row.last_nominal_us),
        count=row.times,
        disposition=row.disposition,
        task_id=task_ids.task_id(row.run_id) if row.run_id else "",
        note=row.note,
        decided_at=instants.timestamp(row.decided_at_us),
        lateness_ms=max(0, row.decided_at_us - row.nominal_us) // 1000,
    )
