"""Schedules: when jobs make tasks. Made, read, watched, changed, paused and deleted. What they may say is in
core.schedule_fields, what becomes of their times in core.firings, and what is read of those in core.schedule_times.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from typing import Any

import sqlalchemy as sa
from novasphere.api.v1 import watch_pb2
from novasphere.schedule.v1 import job_pb2, task_pb2
from novasphere.schedule.v1 import schedule_pb2 as pb
from novasphere.schedule.v1 import schedule_service_pb2 as api

from novasphere_server import errors, logs
from novasphere_server.core import (
    dependencies,
    etags,
    firings,
    instants,
    pages,
    schedule_fields,
    settlements,
    task_configs,
    task_ids,
    tasks,
    waiting_tasks,
)
from novasphere_server.core.calendars import nominal_times
from novasphere_server.core.calendars.nominal_times import NominalTime
from novasphere_server.core.calendars.timings import Timing
from novasphere_server.core.fleet_settings import FleetSettings
from novasphere_server.core.pages import Field
from novasphere_server.core.principals import Principal, unreachable
from novasphere_server.core.tasks import check_namespace
from novasphere_server.store import failpoints, tables
from novasphere_server.store.idempotency import Idempotency
from novasphere_server.store.kinds import JOBS, SCHEDULES, TASKS
from novasphere_server.store.log import Change, Read
from novasphere_server.store.queries import Page, Query
from novasphere_server.store.rendered import Rendered
from novasphere_server.store.store import Store
from novasphere_server.store.transactions import Transaction
from novasphere_server.store.watches import Watch, WatchEvent, WatchPage

log = logs.get(__name__)

# What any schedule would fail with.
_NO_FAULT_OF_THEIRS = (errors.DatabaseUnavailable, errors.Draining, errors.Overloaded)

_MOST_BACKFILLED = 1000
_SETTLED = 100  # in one mutation
_LOOKED_AT = 500  # in one read

_s = tables.schedules.c
_f = tables.firings.c

# What of a row can be asked about.
FIELDS: Mapping[str, Field] = {
    "id": Field("key", pages.Text(task_ids.uuid)),
    "job_id": Field("job_id", pages.Text(task_ids.uuid)),
    "namespace_id": Field("namespace", pages.Text()),
    "name": Field("name", pages.Text()),
    "description": Field("description", pages.Text()),
    "kind": Field("kind", pages.Words(task_pb2.ScheduleKind)),
    "schedule_kind": Field("kind", pages.Words(task_pb2.ScheduleKind)),
    "enabled": Field("enabled", pages.Boolean()),
    "status": Field(
        "enabled",
        pages.Codes(
            dict.fromkeys(schedule_fields.ENABLED, True) | dict.fromkeys(schedule_fields.DISABLED, False)
        ),
    ),
    "state": Field("state", pages.Words(pb.ScheduleState)),
    "cron_expression": Field("cron_expression", pages.Text()),
    "interval_secs": Field("interval_secs", pages.Integer()),
    "interval_seconds": Field("interval_secs", pages.Integer()),
    "max_count": Field("max_count", pages.Integer()),
    "start_time": Field("start_time_us", pages.Instant()),
    "end_time": Field("end_time_us", pages.Instant()),
    "timezone": Field("timezone", pages.Text()),
    "gap_policy": Field("gap_policy", pages.Words(pb.GapPolicy)),
    "fold_policy": Field("fold_policy", pages.Words(pb.FoldPolicy)),
    "jitter": Field("jitter_seconds", pages.Integer()),
    "overlap_policy": Field("overlap_policy", pages.Words(pb.OverlapPolicy)),
    "misfire_policy": Field("misfire_policy", pages.Words(pb.MisfirePolicy)),
    "misfire_window": Field("misfire_window_seconds", pages.Integer()),
    "pause_note": Field("pause_note", pages.Text()),
    "next_run_at": Field("next_run_at_us", pages.Instant()),
    "fired_count": Field("fired_count", pages.Integer()),
    "priority": Field("priority", pages.Integer()),
    "generation": Field("generation", pages.Integer()),
    "created_by": Field("created_by", pages.Integer()),
    "created_at": Field("created_at_us", pages.Instant()),
    "updated_by": Field("updated_by", pages.Integer()),
    "updated_at": Field("updated_at_us", pages.Instant()),
    "revision": Field("revision", pages.Integer()),
    "number": Field("id", pages.Integer()),
}

# Of these the ones that move without the log: what a query by them found is not remembered.
_MOVING = frozenset({"next_run_at_us", "fired_count"})
# Where a schedule stands.
_STANDING = (_s.position_us, _s.fired_count, firings.IS_OF_DISABLED.label("is_of_disabled"))
_LISTED = replace(SCHEDULES, name="listed_schedule", table=tables.listed_schedules)


@dataclass(frozen=True, slots=True)
class ScheduleFilter:
    """Which schedules to watch. Empty values choose everything."""

    schedule_id: str = ""
    namespace: str = ""
    job_id: str = ""
    state: pb.ScheduleState.ValueType = pb.SCHEDULE_STATE_UNSPECIFIED

    def matches(self, schedule: pb.Schedule) -> bool:
        return (
            self.namespace in ("", schedule.namespace_id)
            and self.job_id in ("", schedule.job_id)
            and self.state in (pb.SCHEDULE_STATE_UNSPECIFIED, schedule.state)
        )


class Schedules:
    """All schedules."""

    def __init__(self, store: Store, settings: FleetSettings) -> None:
        self._store = store
        self._settings = settings
        self._listeners: list[Callable[[], None]] = []
        store.on_commit(self._follow, self._recall)

    def on_change(self, listener: Callable[[], None]) -> None:
        """Calls `listener` on the event loop when a schedule or a job has changed."""
        self._listeners.append(listener)

    # -- making and changing

    async def create(
        self,
        principal: Principal,
        request: api.CreateScheduleRequest,
        *,
        idempotency: Idempotency | None = None,
        is_dry_run: bool = False,
    ) -> pb.Schedule:
        """Returns the new schedule. Raises JobNotFound."""
        schedule_id = task_ids.new_uuid()

        def create(tx: Transaction) -> pb.Schedule:
            job = _job(tx, principal, request.job_id)
            now = instants.timestamp(tx.now_us)
            schedule = pb.Schedule(
                id=schedule_id,
                job_id=job.id,
                namespace_id=job.namespace_id,
                name=request.name or job.name,
                state=pb.SCHEDULE_STATE_ACTIVE,
                generation=1,
                created_at=now,
                updated_at=now,
                created_by=principal.number,
                **schedule_fields.DEFAULTS,
            )
            said = schedule_fields.said(request, schedule_fields.CHANGEABLE)
            schedule_fields.apply(schedule, request, said)
            schedule_fields.check(schedule)
            position_us = _position(tx, schedule)
            _begin_generation(tx, schedule, position_us)
            schedule.number = tx.next_id(SCHEDULES.name)
            tx.put(SCHEDULES, schedule, position_us=position_us, due_us=tx.now_us)
            return schedule

        return await self._store.write(
            create, idempotency=idempotency, is_dry_run=is_dry_run, result_type=pb.Schedule
        )

    async def update(
        self,
        principal: Principal,
        request: api.UpdateScheduleRequest,
        fields: Collection[str],
        *,
        idempotency: Idempotency | None = None,
        is_dry_run: bool = False,
    ) -> pb.Schedule:
        """Returns the schedule with those fields as the request has them. Where it fires at other times from
        now on, a new generation begins.
        """

        def change(tx: Transaction, schedule: pb.Schedule) -> None:
            schedule_fields.apply(schedule, request, fields)
            schedule_fields.check(schedule)
            tx.check_size(SCHEDULES, schedule)

        return await self._change(
            principal, request.schedule_id, change, request.etag, idempotency, is_dry_run
        )

    async def pause(
        self,
        principal: Principal,
        schedule_id: str,
        note: str = "",
        *,
        cancels: bool = False,
        etag: str = "",
        idempotency: Idempotency | None = None,
        is_dry_run: bool = False,
    ) -> pb.Schedule:
        """Returns the schedule, which makes no tasks from now on. With `cancels`, those of its tasks that wait
        are cancelled. One that has ended stays so, and is paused should it get other times.
        """

        def change(_tx: Transaction, schedule: pb.Schedule) -> None:
            schedule_fields.set_enabled(schedule, is_enabled=False)
            schedule.pause_note = note or schedule.pause_note

        return await self._change(
            principal, schedule_id, change, etag, idempotency, is_dry_run, cancels=cancels
        )

    async def resume(
        self,
        principal: Principal,
        schedule_id: str,
        *,
        etag: str = "",
        idempotency: Idempotency | None = None,
        is_dry_run: bool = False,
    ) -> pb.Schedule:
        """Returns the schedule, which makes tasks again from now on. Raises ScheduleEnded."""

        def change(_tx: Transaction, schedule: pb.Schedule) -> None:
            if schedule.state == pb.SCHEDULE_STATE_ENDED:
                raise errors.ScheduleEnded(schedule_id)
            schedule_fields.set_enabled(schedule, is_enabled=True)

        return await self._change(principal, schedule_id, change, etag, idempotency, is_dry_run)

    async def _change(
        self,
        principal: Principal,
        schedule_id: str,
        change: Callable[[Transaction, pb.Schedule], None],
        etag: str,
        idempotency: Idempotency | None,
        is_dry_run: bool,
        *,
        cancels: bool = False,
    ) -> pb.Schedule:
        """Returns the changed schedule. One that is as it shall be stays at its revision."""
        schedule_id = task_ids.uuid(schedule_id)

        def settle(tx: Transaction) -> bool:
            """Does of what comes before the change as much as one mutation may. Returns whether that was all."""
            _find(tx, principal, schedule_id)
            is_it = _s.key == schedule_id
            if not firings.catch_up(tx, is_it, self._settings, even_put_off=True):
                return False
            etags.check(etag, _find(tx, principal, schedule_id).revision)
            if not cancels or is_dry_run:
                return True
            own = tables.tasks.c.schedule_id == schedule_id
            return waiting_tasks.cancel_some(tx, own, principal.name)

        def update(tx: Transaction) -> pb.Schedule:
            # First what has come by now is settled as the schedule was.
            if not settle(tx):
                raise settlements.Behind
            schedule = _find(tx, principal, schedule_id)
            before = pb.Schedule.FromString(schedule.SerializeToString())
            change(tx, schedule)
            begins_anew = schedule_fields.are_other_times(before, schedule)
            if before.state == pb.SCHEDULE_STATE_ENDED:
                begins_anew = begins_anew or schedule.max_count != before.max_count
                if not begins_anew:
                    firings.set_ended(schedule)
                elif schedule.state == pb.SCHEDULE_STATE_ENDED:
                    schedule_fields.set_enabled(schedule, is_enabled=not schedule.pause_note)
            if schedule == before:
                return schedule
            schedule.updated_at.CopyFrom(instants.timestamp(tx.now_us))
            schedule.updated_by = principal.number
            extra = {"due_us": tx.now_us, "restarts": 0}
            if schedule.state == pb.SCHEDULE_STATE_PAUSED:
                firings.drop_buffered(tx, [schedule_id], pb.DISPOSITION_SKIPPED_PAUSED)
            elif firings.timing_of(schedule) is None:
                firings.drop_buffered(tx, [schedule_id], pb.DISPOSITION_SKIPPED_OVERLAP)
            if begins_anew:
                schedule.generation += 1
                extra["position_us"] = _next_position(tx, before, schedule)
                _begin_generation(tx, schedule, extra["position_us"])
            tx.put(SCHEDULES, schedule, **extra)
            return schedule

        return await settlements.write(
            self._store,
            update,
            settle,
            idempotency=idempotency,
            is_dry_run=is_dry_run,
            result_type=pb.Schedule,
        )

    async def delete(
        self,
        principal: Principal,
        schedule_id: str,
        *,
        etag: str = "",
        idempotency: Idempotency | None = None,
        is_dry_run: bool = False,
    ) -> pb.Schedule:
        """Forgets a schedule, and returns what it was. Its tasks and its ledger stay."""
        schedule_id = task_ids.uuid(schedule_id)

        def delete(tx: Transaction) -> pb.Schedule:
            schedule = _find(tx, principal, schedule_id)
            etags.check(etag, schedule.revision)
            firings.drop_buffered(tx, [schedule_id], pb.DISPOSITION_SKIPPED_DELETED)
            tx.delete(SCHEDULES, schedule_id)
            return schedule

        return await self._store.write(
            delete, idempotency=idempotency, is_dry_run=is_dry_run, result_type=pb.Schedule
        )

    # -- tasks beside the ledger

    async def trigger(
        self,
        principal: Principal,
        schedule_id: str,
        parameters: str | None,
        *,
        idempotency: Idempotency | None = None,
        is_dry_run: bool = False,
    ) -> task_pb2.Task:
        """Returns a task that is made now. Raises JobDisabled."""
        task_configs.check_parameters(parameters or "", "parameters")

        def trigger(tx: Transaction) -> task_pb2.Task:
            schedule = _find(tx, principal, schedule_id)
            job = _enabled_job(tx, schedule)
            run_id = firings.make_task(
                tx,
                schedule,
                firings.draft(tx, job, self._settings, principal.number),
                tx.now_us,
                kind=task_pb2.SCHEDULE_KIND_EVENT,
                parameters=parameters,
            )
            return _made(tx, run_id)

        return await self._store.write(
            trigger, idempotency=idempotency, is_dry_run=is_dry_run, result_type=task_pb2.Task
        )

    async def backfill(
        self,
        principal: Principal,
        request: api.BackfillScheduleRequest,
        *,
        idempotency: Idempotency | None = None,
        is_dry_run: bool = False,
    ) -> api.BackfillScheduleResponse:
        """Returns the tasks that are made for the times of a past range. Raises JobDisabled."""
        start_us = instants.microseconds(request.start_time)
        end_us = instants.microseconds(request.end_time)
        if start_us >= end_us:
            raise errors.InvalidTimeRange
        if request.overlap_policy not in (
            pb.OVERLAP_POLICY_UNSPECIFIED,
            pb.OVERLAP_POLICY_ALLOW,
            pb.OVERLAP_POLICY_BUFFER_ALL,
        ):
            raise errors.InvalidArgument("overlap_policy", "must be one of allow, buffer_all")

        def backfill(tx: Transaction) -> api.BackfillScheduleResponse:
            schedule = _find(tx, principal, request.schedule_id)
            job = _enabled_job(tx, schedule)
            if end_us > tx.now_us:
                raise errors.InvalidArgument("end_time", "must not lie in the future")
            timing = firings.timing_of(schedule)
            if timing is None:
                raise errors.InvalidArgument("id", "must be a schedule that has times")
            found = nominal_times.times(timing, start_us - 1, end_us - 1)
            times = list(islice(found, _MOST_BACKFILLED + 1))
            if len(times) > _MOST_BACKFILLED:
                raise errors.InvalidArgument(
                    "end_time",
                    f"must leave at most {_MOST_BACKFILLED} times in the range: backfill it in parts",
                )
            response = api.BackfillScheduleResponse(count=len(times))
            draft = firings.draft(tx, job, self._settings, principal.number)
            last = ""
            for time in tx.fitting(times):
                run_id = _backfilled(tx, principal, schedule, draft, time, last)
                if request.overlap_policy != pb.OVERLAP_POLICY_ALLOW:
                    last = run_id
                response.task_ids.append(task_ids.task_id(run_id))
            made = len(response.task_ids)
            if made < len(times):
                raise _too_much(made, times[made].at_us)
            return response

        return await self._store.write(
            backfill,
            idempotency=idempotency,
            is_dry_run=is_dry_run,
            result_type=api.BackfillScheduleResponse,
        )

    # -- reading

    async def get(self, principal: Principal, schedule_id: str) -> pb.Schedule:
        """Returns a schedule with where it stands. Raises ScheduleNotFound, and PermissionDenied where the
        caller may not know whether it is there.
        """
        is_it = _s.key == task_ids.uuid(schedule_id)
        rows = await self._store.read(sa.select(_s.body, *_STANDING).where(is_it))
        schedule = _shown(rows[0]) if rows else None
        if schedule is None or not principal.may_touch(schedule.namespace_id):
            raise _out_of_reach(principal, schedule_id)
        return schedule

    async def list(
        self, principal: Principal, request: api.ListSchedulesRequest
    ) -> tuple[Sequence[pb.Schedule], int]:
        """Returns the schedules of the page that a request asks for, and how many match in all."""
        query = pages.query(SCHEDULES, FIELDS, request, pages.reachable(principal))
        if not _MOVING.isdisjoint(_columns(query)):
            return await self._list_by_what_moves(query)
        page: Page[pb.Schedule] = await self._store.list(query)
        found = [item.message() for item in page.items]
        standing = await self._standings([schedule.id for schedule in found])
        return [
            _shown(standing[schedule.id]) if schedule.id in standing else schedule for schedule in found
        ], page.total

    async def _list_by_what_moves(self, query: Query[Any]) -> tuple[Sequence[pb.Schedule], int]:
        """Returns the same as the database has it: what they are found by and what they print are of one moment."""
        statement = replace(query, kind=_LISTED).statement()
        is_it = _s.key == statement.selected_columns.key
        standing = [
            sa.select(column)
            .select_from(tables.schedules)
            .where(is_it)
            .scalar_subquery()
            .label(column.name)
            for column in _STANDING
        ]
        rows = await self._store.read(statement.add_columns(*standing))
        return [_shown(row) for row in rows if row.key is not None], rows[0].total

    async def watch(
        self, principal: Principal, which: ScheduleFilter, cursor: str
    ) -> AsyncGenerator[WatchPage, None]:
        """Returns the pages of a watch. The caller must aclose() it."""
        which = replace(
            which, schedule_id=task_ids.uuid(which.schedule_id), job_id=task_ids.uuid(which.job_id)
        )
        if which.namespace:
            check_namespace(principal, which.namespace)
        watch = Watch(
            kind=SCHEDULES,
            cursor=cursor,
            identity=(which, principal.namespaces),
            matches=lambda schedule: (
                which.matches(schedule) and principal.may_touch(schedule.namespace_id)
            ),
            key=which.schedule_id,
        )
        async with aclosing(self._store.watch(watch)) as pages:
            async for page in pages:
                yield await self._told(page)

    async def with_standing(self, schedule: pb.Schedule) -> pb.Schedule:
        """Returns a schedule as a mutation left it, with where it stands."""
        standing = await self._standings([schedule.id])
        return _standing_now(schedule, standing[schedule.id]) if standing else schedule

    async def _told(self, page: WatchPage) -> WatchPage:
        """Returns a page of a watch with where its schedules stand."""
        logged = [event.object for event in page.events if event.object is not None]
        standing = await self._standings([each.message().id for each in logged])

        def told(event: WatchEvent) -> WatchEvent:
            if event.object is None or event.type == watch_pb2.EVENT_TYPE_DELETED:
                return event
            row = standing.get(event.object.message().id)
            if row is None:
                return event
            wire = _standing_now(event.object.message(), row).SerializeToString()
            return replace(event, object=Rendered(pb.Schedule, wire, event.object.etag))

        return WatchPage([told(event) for event in page.events])

    async def _standings(self, ids: Sequence[str]) -> Mapping[str, Any]:
        """Returns the rows of schedules by their ids."""
        if not ids:
            return {}
        rows = await self._store.read(sa.select(_s.key, _s.body, *_STANDING).where(_s.key.in_(ids)))
        return {row.key: row for row in rows}

    # -- what time brings

    async def fire_due(self, limit: int) -> int | None:
        """Fires what is due of some schedules. Returns when the next look is due; None where nothing is by the
        clock.
        """
        try:
            next_us = await self._store.write(
                partial(firings.fire_due, settings=self._settings, limit=limit)
            )
        except _NO_FAULT_OF_THEIRS:
            raise
        except Exception:  # noqa: BLE001 - it is told of the schedule that it is of
            # One of them cannot fire. Each by itself, the others can.
            for schedule_id in await self._store.write(partial(firings.due, limit=limit)):
                await self._try(firings.advance, schedule_id)
            return await self._store.write(firings.next_due_us)
        failpoints.hit(failpoints.FIRED)
        return next_us

    async def settle(self, schedule_ids: Sequence[str]) -> int | None:
        """Goes on after tasks of schedules have ended. Returns when the next look is due; None where nothing is by the
        clock, or nothing was done.
        """
        if not schedule_ids:
            return None
        for start in range(0, len(schedule_ids), _SETTLED):
            some = schedule_ids[start : start + _SETTLED]
            try:
                while some:
                    settle = partial(firings.settle_some, schedule_ids=some, settings=self._settings)
                    some = some[await self._store.write(settle) :]
            except _NO_FAULT_OF_THEIRS:
                raise
            except Exception:  # noqa: BLE001 - it is told of the schedule that it is of
                for schedule_id in some:
                    await self._try(firings.settle, schedule_id)
        [row] = await self._store.read(sa.select(sa.func.min(_s.due_us)))
        return None if row[0] is None else int(row[0])

    async def _try(self, step: Callable[..., object], schedule_id: str) -> None:
        """Takes a step with one schedule. Pauses it, with the reason, if it fails."""
        try:
            await self._store.write(partial(step, schedule_id=schedule_id, settings=self._settings))
        except _NO_FAULT_OF_THEIRS:
            raise
        except Exception as error:
            if isinstance(error, errors.ApiError):
                why = error.message
                log.warning("a schedule cannot fire", schedule_id=schedule_id, error=why)
            else:
                why = "the server failed; its log says why"
                log.exception("a schedule cannot fire", schedule_id=schedule_id)
            await self._stop(schedule_id, why)

    async def _stop(self, schedule_id: str, why: str) -> None:
        """Pauses a schedule that cannot fire, or puts it off where even that fails: the others go on."""
        try:
            await self._store.write(partial(firings.stop, schedule_id=schedule_id, why=why))
        except _NO_FAULT_OF_THEIRS:
            raise
        except Exception:
            log.exception("a schedule that cannot fire cannot be paused", schedule_id=schedule_id)
            await self._store.write(partial(firings.put_off, schedule_id=schedule_id))

    async def forget_firings(self, older_than_us: int) -> None:
        """Deletes what the ledger says of times before an instant whose tasks are gone."""
        place: firings.Place | None = (-1, "", 0)
        while place is not None:
            step = partial(firings.forget, older_than_us=older_than_us, after=place)
            place = await self._store.write(step)

    async def unsettled(self, among: Sequence[str] | None = None) -> Sequence[str]:
        """Returns schedules that wait for one of their tasks to end, or are daemons: of all, or of some."""
        if among is None:
            return await self._unsettled(sa.true(), sa.true())
        steps = [among[start : start + _LOOKED_AT] for start in range(0, len(among), _LOOKED_AT)]
        found = [await self._unsettled(_f.schedule_id.in_(step), _s.key.in_(step)) for step in steps]
        return [schedule_id for some in found for schedule_id in some]

    async def _unsettled(
        self, has_row: sa.ColumnElement[bool], is_one: sa.ColumnElement[bool]
    ) -> Sequence[str]:
        buffered = sa.select(_f.schedule_id).where(sa.text("disposition = 2"), has_row)
        daemons = sa.select(_s.key).where(_s.kind == task_pb2.SCHEDULE_KIND_DAEMON, is_one)
        rows = await self._store.read(buffered.union(daemons))
        return [row[0] for row in rows]

    # -- following the log

    async def _recall(self, _read: Read) -> None:
        for listener in self._listeners:
            listener()

    def _follow(self, changes: Sequence[Change]) -> None:
        if any(change.kind_name in (SCHEDULES.name, JOBS.name) for change in changes):
            for listener in self._listeners:
                listener()


def _columns(query: Query[Any]) -> set[str]:
    """Returns the columns that a query filters or sorts by."""
    return {name.removeprefix("-") for name in query.order_by} | set(_filtered(query.filters))


def _filtered(filters: Iterable[pages.Filter]) -> Iterator[str]:
    for column, _, value in filters:
        if column:
            yield column
        else:
            yield from _filtered(value)


def _begin_generation(tx: Transaction, schedule: pb.Schedule, position_us: int) -> None:
    at = schedule.start_time if schedule.HasField("start_time") else instants.timestamp(tx.now_us)
    schedule.anchor.CopyFrom(at)
    schedule.generation_begin.CopyFrom(instants.timestamp(position_us))


def _position(tx: Transaction, schedule: pb.Schedule) -> int:
    """Returns the instant after which the times of a new schedule count. An interval fires first at once, and one
    time that has passed is one that was missed.
    """
    if schedule.kind == task_pb2.SCHEDULE_KIND_ONCE:
        return instants.microseconds(schedule.start_time) - 1
    if schedule.kind == task_pb2.SCHEDULE_KIND_INTERVAL and not schedule.HasField("start_time"):
        return tx.now_us - 1
    return tx.now_us


def _next_position(tx: Transaction, before: pb.Schedule, schedule: pb.Schedule) -> int:
    """Returns the instant after which the times of a new generation count: none that the ledger has settled is
    settled again, wherever the clock stands.
    """
    settled_us = firings.settled_us(tx, schedule.id)
    if schedule.kind != task_pb2.SCHEDULE_KIND_ONCE:
        return max(settled_us, tx.now_us)
    at_us = instants.microseconds(schedule.start_time)
    is_same = before.kind == schedule.kind and before.start_time == schedule.start_time
    if at_us < settled_us or (at_us == settled_us and not is_same):
        until = instants.timestamp(settled_us).ToJsonString()
        raise errors.InvalidArgument(
            "start_time",
            f"must lie after {until}: up to then its times are settled; make another schedule",
        )
    return max(settled_us, at_us - 1)


def _shown(row: Any) -> pb.Schedule:
    """Returns a schedule with where it stands."""
    schedule = pb.Schedule.FromString(row.body)
    schedule.fired_count = row.fired_count
    timing = firings.timing_of(schedule)
    if timing is not None:
        schedule.position.CopyFrom(instants.timestamp(row.position_us))
        if schedule.state == pb.SCHEDULE_STATE_ACTIVE and not row.is_of_disabled:
            following = _following(timing, row.position_us)
            if following is not None:
                schedule.next_run_at.CopyFrom(instants.timestamp(following.at_us))
    return schedule


def _standing_now(schedule: pb.Schedule, row: Any) -> pb.Schedule:
    """Returns a schedule as it was written, with where it stands now, which the log does not know. Of one that has
    changed again since, what comes next is left out: it is not what came next of this one.
    """
    present = _shown(row)
    if present.revision == schedule.revision:
        return present
    found = pb.Schedule.FromString(schedule.SerializeToString())
    found.fired_count = row.fired_count
    return found


def _following(timing: Timing, after_us: int) -> NominalTime | None:
    try:
        return nominal_times.next_time(timing, after_us)
    except errors.InvalidArgument:  # the scheduler says so of it
        return None


def _job(tx: Transaction, principal: Principal, job_id: str) -> job_pb2.Job:
    job = tx.get(JOBS, task_ids.uuid(job_id))
    if job is None or not principal.may_touch(job.namespace_id):
        raise errors.JobNotFound(job_id)
    return job


def _enabled_job(tx: Transaction, schedule: pb.Schedule) -> job_pb2.Job:
    job = tx.get(JOBS, schedule.job_id)
    if job is None:
        raise errors.JobNotFound(schedule.job_id)
    if job.status != job_pb2.JOB_STATUS_ENABLED:
        raise errors.JobDisabled(job.id)
    return job


def _made(tx: Transaction, run_id: str) -> task_pb2.Task:
    stored = tx.get(TASKS, run_id)
    if stored is None:
        raise errors.TaskNotFound(run_id)
    return stored.task


def _backfilled(
    tx: Transaction,
    principal: Principal,
    schedule: pb.Schedule,
    draft: task_pb2.StoredTask,
    time: NominalTime,
    after: str,
) -> str:
    """Makes the task of a time that has passed, which waits for another one to end. Returns its run id."""
    stored = firings.new_task(tx, schedule, draft, time.at_us, kind=task_pb2.SCHEDULE_KIND_EVENT)
    if after:
        stored.task.dependencies.add(
            task_id=task_ids.task_id(after), condition=task_pb2.DEPENDENCY_CONDITION_FINISHED
        )
        dependencies.add(tx, principal, stored, {}, "")
    else:
        tasks.add(tx, stored)
    return task_ids.of_task(stored.task.id)


def _too_much(fitting: int, end_us: int) -> errors.TooLarge:
    end = instants.timestamp(end_us).ToJsonString()
    why = (
        f"must be at most {end}: its tasks are so large that only {fitting} are made at once; "
        "backfill it in parts"
    )
    return errors.TooLarge(why, metadata={"end_time": end}).at("end_time")


def _find(tx: Transaction, principal: Principal, schedule_id: str) -> pb.Schedule:
    schedule = tx.get(SCHEDULES, task_ids.uuid(schedule_id))
    if schedule is None or not principal.may_touch(schedule.namespace_id):
        raise _out_of_reach(principal, schedule_id)
    return schedule


def _out_of_reach(principal: Principal, schedule_id: str) -> errors.ApiError:
    return unreachable(principal, errors.ScheduleNotFound(schedule_id), f"schedule {schedule_id!r}")
