"""Why schedules stand as they do: the facts. How that is said to people is in rpc.schedule_explanations."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence

import sqlalchemy as sa
from novasphere.schedule.v1 import job_pb2, task_pb2
from novasphere.schedule.v1 import schedule_pb2 as pb

from novasphere_server.clock import Clock
from novasphere_server.core import firings, instants, task_ids
from novasphere_server.core import task_states as states
from novasphere_server.core.calendars import zones
from novasphere_server.core.principals import Principal
from novasphere_server.core.schedule_times import ScheduleTimes
from novasphere_server.core.schedules import Schedules
from novasphere_server.core.task_explanations import Fact
from novasphere_server.store import tables
from novasphere_server.store.kinds import JOBS
from novasphere_server.store.store import Store

_f = tables.firings.c
_t = tables.tasks.c

_SKIPS = {
    pb.DISPOSITION_SKIPPED_OVERLAP: "overlap",
    pb.DISPOSITION_SKIPPED_MISFIRE: "misfire",
    pb.DISPOSITION_SKIPPED_PAUSED: "paused",
    pb.DISPOSITION_SKIPPED_DISABLED: "disabled",
}


class ScheduleExplanations:
    """Finds out when a schedule fires next, or what keeps it from that."""

    def __init__(self, store: Store, clock: Clock, schedules: Schedules, times: ScheduleTimes) -> None:
        self._store = store
        self._clock = clock
        self._schedules = schedules
        self._times = times

    async def explain(
        self, principal: Principal, schedule_id: str
    ) -> tuple[pb.Schedule, pb.Firing | None, list[Fact]]:
        """Returns a schedule, the last row of its ledger, and what keeps it from firing, the most important
        first. Raises what Schedules.get() raises.
        """
        schedule = await self._schedules.get(principal, schedule_id)
        last = await self._times.last_firing(schedule.id)
        if schedule.state == pb.SCHEDULE_STATE_ENDED:
            return schedule, last, [_end(schedule), *_pause(schedule)]
        job = await self._store.get(JOBS, schedule.job_id)
        held = list(_held(schedule, None if job is None else job.message()))
        waits = held or [fact async for fact in self._waits(schedule)]
        facts = [*waits, *await self._next(principal, schedule, is_held=bool(held))]
        if last is not None and last.disposition in _SKIPS and not held:
            facts.append(_skipped(last))
        return schedule, last, facts

    async def _waits(self, schedule: pb.Schedule) -> AsyncIterator[Fact]:
        """Yields what its own tasks mean for it."""
        if schedule.kind == task_pb2.SCHEDULE_KIND_EVENT:
            yield Fact("TRIGGER")
            return
        unfinished = await self._store.read(
            sa.select(_t.key, _t.state, _t.created_at_us)
            .where(_t.schedule_id == schedule.id, firings.IS_EARLIER)
            .order_by(_t.id)
            .limit(1)
        )
        if schedule.kind == task_pb2.SCHEDULE_KIND_DAEMON:
            for task in unfinished:
                yield Fact(
                    "DAEMON",
                    task_ids.task_id(task.key),
                    task.created_at_us,
                    facts={"how": "waits" if task.state == task_pb2.WORK_STATE_PENDING else "runs"},
                )
            return
        buffered = await self._store.read(
            sa.select(sa.func.count().label("times")).where(
                _f.schedule_id == schedule.id, sa.text("disposition = 2")
            )
        )
        for task in unfinished:
            of_task = (task_ids.task_id(task.key), task.created_at_us)
            state = {"state": states.name(task.state), "times": buffered[0].times}
            if buffered[0].times:
                yield Fact("BUFFERED", *of_task, facts=state)
            elif schedule.overlap_policy == pb.OVERLAP_POLICY_SKIP:
                yield Fact("BLOCKED", *of_task, facts=state)

    async def _next(
        self, principal: Principal, schedule: pb.Schedule, *, is_held: bool
    ) -> Sequence[Fact]:
        """Returns when it fires next, or would if it were not held."""
        if is_held:
            coming = await self._times.preview(principal, schedule.id, 1, None)
            times = [_at(schedule, instants.microseconds(time.time)) for time in coming]
            return [Fact("NEXT", facts={"how": "would", "at": at}) for at in times]
        now_us = self._clock.now_us()
        at_us = instants.optional_microseconds(schedule, "next_run_at")
        if at_us is None and schedule.kind == task_pb2.SCHEDULE_KIND_DAEMON:
            start_us = instants.optional_microseconds(schedule, "start_time") or 0
            at_us = start_us if start_us > now_us else None
        if at_us is None:
            return []
        at = {"how": "", "at": _at(schedule, at_us)}
        if at_us <= now_us:
            return [Fact("LATE", since_us=at_us, facts=at)]
        return [Fact("NEXT", until_us=at_us, facts=at)]


def _held(schedule: pb.Schedule, job: job_pb2.Job | None) -> Iterator[Fact]:
    """Yields why it makes no tasks at all."""
    yield from _pause(schedule)
    if job is not None and job.status != job_pb2.JOB_STATUS_ENABLED:
        yield Fact("JOB_DISABLED", job.id, facts={"name": f"{job.namespace_id}/{job.name}"})


def _pause(schedule: pb.Schedule) -> Iterator[Fact]:
    if schedule.state == pb.SCHEDULE_STATE_PAUSED or schedule.pause_note:
        how = "noted" if schedule.pause_note else ""
        yield Fact("PAUSED", facts={"how": how, "note": schedule.pause_note})


def _end(schedule: pb.Schedule) -> Fact:
    used_up = schedule.HasField("max_count") and schedule.fired_count >= schedule.max_count
    how = "count" if used_up else "once" if schedule.kind == task_pb2.SCHEDULE_KIND_ONCE else "time"
    since_us = instants.optional_microseconds(schedule, "updated_at")
    return Fact("ENDED", since_us=since_us, facts={"how": how, "times": schedule.fired_count})


def _skipped(last: pb.Firing) -> Fact:
    return Fact(
        "SKIPPED",
        facts={"how": _SKIPS[last.disposition], "at": last.last_nominal_time.ToJsonString()},
    )


def _at(schedule: pb.Schedule, at_us: int) -> str:
    """Returns an instant, and what the clocks of the schedule's zone show then."""
    instant = instants.timestamp(at_us).ToJsonString()
    if schedule.kind != task_pb2.SCHEDULE_KIND_CRON or schedule.timezone in ("", "UTC"):
        return instant
    wall = zones.wall_time(schedule.timezone, at_us).isoformat(timespec="seconds")
    return f"{instant} ({wall} {schedule.timezone})"
