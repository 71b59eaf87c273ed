"""The firing ledger: what becomes of each time of a schedule.

Every time of a schedule up to its position is covered by exactly one row, which is written in the mutation that
makes its task. Whoever stops at any moment goes on from the position, so a time is neither lost nor fired twice;
that holds for several servers too, as mutations come one after the other.

Everything here runs inside a mutation, and takes the time from it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, TypeAlias

import sqlalchemy as sa
from google.protobuf.message import DecodeError
from novasphere.schedule.v1 import job_pb2, task_pb2
from novasphere.schedule.v1 import schedule_pb2 as pb

from novasphere_server.core import instants, task_configs, task_ids, tasks
from novasphere_server.core import task_states as states
from novasphere_server.core.calendars import nominal_times
from novasphere_server.core.calendars.nominal_times import NominalTime, Note
from novasphere_server.core.calendars.timings import FoldPolicy, GapPolicy, Kind, Timing
from novasphere_server.core.fleet_settings import FleetSettings
from novasphere_server.errors import ApiError, InvalidArgument
from novasphere_server.store import failpoints, tables
from novasphere_server.store.kinds import JOBS, SCHEDULES, TASKS
from novasphere_server.store.transactions import Transaction

# A time that was come round to later than this was missed, and its schedule's misfire policy decides.
GRACE_US = 10_000_000
# A daemon that ran for as long is started again at once.
_SETTLED_US = 10_000_000
_LONGEST_PAUSE = 60  # seconds before a daemon that keeps ending is started again
_TIMES = 500  # of a schedule, covered in one mutation
_MOST_BUFFERED = 1000
_CAUGHT_UP = 100  # schedules, read at once
_CANCELLED = 200  # tasks, for the sake of a later time, in one mutation
_FORGOTTEN = 500  # rows that one mutation looks at
_LONGEST_NOTE = 1024  # as long as those of clients
_NO_REASON = "no reason was given"
# How often a schedule that makes no tasks is looked at, for its ledger to keep up.
_IDLE_US = 600_000_000

Disposition: TypeAlias = pb.Disposition.ValueType
Place: TypeAlias = tuple[int, str, int]  # in the ledger, by time: a time, its schedule and generation

_f = tables.firings.c
_s = tables.schedules.c
_t = tables.tasks.c

# Tasks of times that have not ended, and those of daemons: what was triggered or backfilled is beside them. By the
# values that there are, for an index to find one however many there are of the others.
IS_EARLIER = sa.and_(
    _t.state.in_([task_pb2.WORK_STATE_PENDING, *states.ON_NODE]),
    _t.schedule_kind.in_(
        [
            task_pb2.SCHEDULE_KIND_CRON,
            task_pb2.SCHEDULE_KIND_INTERVAL,
            task_pb2.SCHEDULE_KIND_DAEMON,
            task_pb2.SCHEDULE_KIND_ONCE,
        ]
    ),
)
# PostgreSQL would read all tasks for an EXISTS, rather than one by its index.
_IS_BUSY = (
    sa.select(sa.literal_column("1"))
    .where(_t.schedule_id == _s.key, IS_EARLIER)
    .limit(1)
    .scalar_subquery()
)

# Schedules of a job that makes no tasks.
IS_OF_DISABLED = sa.exists().where(
    tables.jobs.c.key == _s.job_id, tables.jobs.c.status != job_pb2.JOB_STATUS_ENABLED
)
# Looked at seldom, and so perhaps later than a time of theirs.
_IS_HELD = sa.or_(_s.state == pb.SCHEDULE_STATE_PAUSED, IS_OF_DISABLED)
_IS_BY_CLOCK = _s.kind.in_(
    [
        task_pb2.SCHEDULE_KIND_CRON,
        task_pb2.SCHEDULE_KIND_INTERVAL,
        task_pb2.SCHEDULE_KIND_ONCE,
    ]
)

_NOTES = {
    Note.DST_SHIFTED: "the clock change moved it to the first instant after the gap",
    Note.DST_FOLD: "the clocks show this time of day twice",
}


def timing_of(schedule: pb.Schedule) -> Timing | None:
    """Returns when a schedule fires by the clock; None for one that does not."""
    timezone = schedule.timezone or "UTC"
    start_us = instants.optional_microseconds(schedule, "start_time")
    end_us = instants.optional_microseconds(schedule, "end_time")
    match schedule.kind:
        case task_pb2.SCHEDULE_KIND_CRON:
            gap, fold = schedule.gap_policy, schedule.fold_policy
            return _cron(schedule.cron_expression, timezone, gap, fold, start_us, end_us)
        case task_pb2.SCHEDULE_KIND_INTERVAL:
            return Timing(
                Kind.INTERVAL,
                interval_seconds=schedule.interval_secs,
                anchor_us=instants.microseconds(schedule.anchor),
                timezone=timezone,
                start_us=start_us,
                end_us=end_us,
            )
        case task_pb2.SCHEDULE_KIND_ONCE:
            at_us = instants.microseconds(schedule.start_time)
            return Timing(
                Kind.INTERVAL, interval_seconds=1, anchor_us=at_us, start_us=at_us, end_us=at_us + 1
            )
        case _:
            return None


@lru_cache(maxsize=16_384)
def _cron(
    expression: str,
    timezone: str,
    gap: pb.GapPolicy.ValueType,
    fold: pb.FoldPolicy.ValueType,
    start_us: int | None,
    end_us: int | None,
) -> Timing:
    return Timing(
        Kind.CRON,
        expression=expression,
        timezone=timezone,
        start_us=start_us,
        end_us=end_us,
        gap_policy=GapPolicy.SKIP if gap == pb.GAP_POLICY_SKIP else GapPolicy.SHIFT,
        fold_policy=_FOLDS.get(fold, FoldPolicy.FIRST),
    )


_FOLDS = {pb.FOLD_POLICY_LAST: FoldPolicy.LAST, pb.FOLD_POLICY_BOTH: FoldPolicy.BOTH}


@dataclass(slots=True)
class _Standing:
    """How a schedule stands while its times are covered."""

    schedule: pb.Schedule
    position_us: int
    fired_count: int
    buffered: int  # times that wait for their turn
    is_busy: bool  # the task of an earlier time has not ended


class _Jobs:
    """The jobs of the schedules that a mutation covers, and what their tasks have in common: each is looked up and
    made once.
    """

    def __init__(self, tx: Transaction, settings: FleetSettings) -> None:
        self._tx = tx
        self._settings = settings
        self._jobs: dict[str, job_pb2.Job | None] = {}
        self._drafts: dict[str, task_pb2.StoredTask] = {}

    def get(self, job_id: str) -> job_pb2.Job | None:
        """Returns a job, not to be changed."""
        if job_id not in self._jobs:
            self._jobs[job_id] = self._tx.get(JOBS, job_id)
        return self._jobs[job_id]

    def draft(self, job: job_pb2.Job) -> task_pb2.StoredTask:
        if job.id not in self._drafts:
            self._drafts[job.id] = draft(self._tx, job, self._settings)
        return self._drafts[job.id]


@dataclass(slots=True)
class Rows:
    """Rows of the ledger on their way into the table; skips in a row for one reason become one."""

    schedule_id: str
    generation: int
    now_us: int
    found: list[dict[str, Any]] = field(default_factory=list)

    def add(self, time: NominalTime, disposition: Disposition, run_id: str = "") -> None:
        note = note_of(time)
        last = self.found[-1] if self.found else None
        is_plain_skip = not run_id and not note and disposition != pb.DISPOSITION_BUFFERED
        is_alike = last is not None and (last["disposition"], last["note"]) == (disposition, "")
        if last is not None and is_plain_skip and is_alike:
            last["last_nominal_us"] = time.at_us
            last["times"] += 1
            return
        self.found.append(
            {
                "schedule_id": self.schedule_id,
                "generation": self.generation,
                "nominal_us": time.at_us,
                "last_nominal_us": time.at_us,
                "times": 1,
                "disposition": disposition,
                "run_id": run_id,
                "note": note,
                "decided_at_us": self.now_us,
            }
        )

    def write(self, tx: Transaction) -> None:
        if self.found and self._extends_the_last(tx):
            self.found.pop(0)
        if self.found:
            columns = tuple(self.found[0])
            tx.insert(tables.firings, columns, [tuple(row.values()) for row in self.found])

    def _extends_the_last(self, tx: Transaction) -> bool:
        """Adds the first row to the last one that is stored, if both are skips for one reason."""
        first = self.found[0]
        if first["run_id"] or first["note"] or first["disposition"] == pb.DISPOSITION_BUFFERED:
            return False
        is_own = sa.and_(_f.schedule_id == self.schedule_id, _f.generation == self.generation)
        last = tx.execute(
            sa.select(tables.firings).where(is_own).order_by(_f.nominal_us.desc()).limit(1)
        ).first()
        if last is None or last.disposition != first["disposition"] or last.note:
            return False
        tx.execute(
            sa.update(tables.firings)
            .where(is_own, _f.nominal_us == last.nominal_us)
            .values(
                last_nominal_us=first["last_nominal_us"],
                times=_f.times + first["times"],
                decided_at_us=self.now_us,
            )
        )
        return True


def fire_due(tx: Transaction, settings: FleetSettings, limit: int) -> int | None:
    """Covers times that have come, of up to `limit` schedules. Returns when the next look is due; None where
    nothing is by the clock.
    """
    jobs = _Jobs(tx, settings)
    is_due = _STATES.where(_s.due_us <= tx.now_us).order_by(_s.due_us).limit(limit)
    standings = _standings(tx, is_due)
    tx.look_up(JOBS, (standing.schedule.job_id for standing in standings))
    for standing in tx.fitting(standings):
        _advance(tx, standing, jobs)
    return next_due_us(tx)


def due(tx: Transaction, limit: int) -> list[str]:
    """Returns schedules to look at now, those first that wait for it longest."""
    statement = sa.select(_s.key).where(_s.due_us <= tx.now_us).order_by(_s.due_us).limit(limit)
    return list(tx.execute(statement).scalars())


def next_due_us(tx: Transaction) -> int | None:
    """Returns when the next look is due; None where nothing is by the clock."""
    following: int | None = tx.execute(sa.select(sa.func.min(_s.due_us))).scalar()
    return following


class CannotFire(Exception):
    """A time of a schedule has come, and its task cannot be made. Nothing that the mutation did may stay."""

    def __init__(self, schedule_id: str, why: ApiError) -> None:
        super().__init__(schedule_id)
        self.schedule_id = schedule_id
        self.why = why


def catch_up(
    tx: Transaction,
    which: sa.ColumnElement[bool],
    settings: FleetSettings,
    *,
    even_put_off: bool = False,
) -> bool:
    """Covers times that have come of the schedules that meet a condition, before something changes. Returns whether
    those were all. Raises CannotFire. One that nobody can read is passed over. So is one that was put off, unless
    `even_put_off`: it looks like one that is due later, so each of those is then looked at too.
    """
    has_come = sa.or_(_s.due_us <= tx.now_us, sa.and_(_IS_HELD, _s.due_us <= tx.now_us + _IDLE_US))
    if even_put_off:
        has_come = sa.or_(has_come, _IS_BY_CLOCK)
    come = tx.execute(sa.select(_s.key).where(which, has_come).order_by(_s.due_us)).scalars().all()
    jobs = _Jobs(tx, settings)
    for start in range(0, len(come), _CAUGHT_UP):
        some = _s.key.in_(come[start : start + _CAUGHT_UP])
        for row in tx.execute(_STATES.where(some)).all():
            if tx.room <= 0:
                return False
            try:
                standing = _standing(row)
            except DecodeError:
                continue
            try:
                if not _advance(tx, standing, jobs):
                    return False
            except InvalidArgument:
                pass  # it was stored by a server that took it for a timing: it has no times
            except ApiError as why:
                raise CannotFire(standing.schedule.id, why) from why
    return True


def look_at(tx: Transaction, which: sa.ColumnElement[bool]) -> None:
    """Has the scheduler look at some schedules: something has changed for them."""
    tx.execute(sa.update(tables.schedules).where(which).values(due_us=tx.now_us, restarts=0))


def settled_us(tx: Transaction, schedule_id: str) -> int:
    """Returns the last time of a schedule that the ledger says anything of; 0 where it does not."""
    last = sa.select(_f.last_nominal_us).where(_f.schedule_id == schedule_id)
    newest = last.order_by(_f.generation.desc(), _f.nominal_us.desc()).limit(1)
    return tx.execute(newest).scalar() or 0


def drop_buffered(tx: Transaction, schedule_ids: Sequence[str], disposition: Disposition) -> None:
    """Skips the times of schedules that wait for their turn: it does not come."""
    for start in range(0, len(schedule_ids), _TIMES):
        tx.execute(
            sa.update(tables.firings)
            .where(
                _f.schedule_id.in_(schedule_ids[start : start + _TIMES]),
                sa.text("disposition = 2"),
            )
            .values(disposition=disposition, decided_at_us=tx.now_us)
        )


def stop(tx: Transaction, schedule_id: str, why: str) -> None:
    """Pauses a schedule that cannot fire, and says why: the others must not wait for it."""
    schedule = tx.get(SCHEDULES, schedule_id)
    if schedule is None:
        return
    if schedule.state != pb.SCHEDULE_STATE_ACTIVE:  # somebody has paused it meanwhile, or it has ended
        put_off(tx, schedule_id)
        return
    schedule.state = pb.SCHEDULE_STATE_PAUSED
    schedule.enabled = False
    schedule.status = 99
    schedule.pause_note = f"it cannot fire: {why}"[:_LONGEST_NOTE]
    schedule.updated_at.CopyFrom(instants.timestamp(tx.now_us))
    drop_buffered(tx, [schedule_id], pb.DISPOSITION_SKIPPED_PAUSED)
    tx.put(SCHEDULES, schedule, due_us=tx.now_us + _IDLE_US if _has_times(schedule) else None)


def put_off(tx: Transaction, schedule_id: str) -> None:
    """Has the scheduler look at a schedule later, whatever is wrong with it."""
    _set_due(tx, schedule_id, tx.now_us + _IDLE_US)


def forget(tx: Transaction, older_than_us: int, after: Place) -> Place | None:
    """Deletes rows of times before an instant whose tasks are gone, a step from a place on. What waits stays, and
    of a schedule that there is, the last row. Returns where the next step begins; None after the last one.
    """
    later = tables.firings.alias()
    place = sa.tuple_(_f.nominal_us, _f.schedule_id, _f.generation)
    old = tx.execute(
        sa.select(_f.nominal_us, _f.schedule_id, _f.generation)
        .where(_f.nominal_us < older_than_us, place > sa.tuple_(*after))
        .order_by(_f.nominal_us, _f.schedule_id, _f.generation)
        .limit(_FORGOTTEN)
    ).all()
    is_followed = sa.exists().where(
        later.c.schedule_id == _f.schedule_id,
        sa.tuple_(later.c.generation, later.c.nominal_us) > sa.tuple_(_f.generation, _f.nominal_us),
    )
    is_orphan = ~sa.exists().where(_s.key == _f.schedule_id)
    if not old:
        return None
    tx.execute(
        sa.delete(tables.firings).where(
            place.in_([tuple(row) for row in old]),
            _f.last_nominal_us < older_than_us,
            _f.disposition != pb.DISPOSITION_BUFFERED,
            ~sa.exists().where(_t.key == _f.run_id),
            sa.or_(is_followed, is_orphan),
        )
    )
    return (old[-1].nominal_us, old[-1].schedule_id, old[-1].generation)


def advance(tx: Transaction, schedule_id: str, settings: FleetSettings) -> bool:
    """Covers times of a schedule that have come: as many as one mutation may. Returns whether that was all."""
    jobs = _Jobs(tx, settings)
    return all(_advance(tx, standing, jobs) for standing in _standings(tx, _its_state(schedule_id)))


_is_waiting = sa.and_(_f.schedule_id == _s.key, sa.text("disposition = 2"))
_STATES = sa.select(
    _s.body,
    _s.position_us,
    _s.fired_count,
    sa.select(sa.func.count()).where(_is_waiting).scalar_subquery(),
    _IS_BUSY,
)


def _its_state(schedule_id: str) -> sa.Select[Any]:
    return _STATES.where(_s.key == schedule_id)


def _standings(tx: Transaction, states: sa.Select[Any]) -> list[_Standing]:
    """Returns how those schedules stand whose states are selected, in that order."""
    return [_standing(row) for row in tx.execute(states)]


def _standing(row: sa.Row[Any]) -> _Standing:
    """Returns how a schedule stands. Raises DecodeError for one that nobody can read."""
    body, position_us, fired_count, buffered, is_busy = tuple(row)
    schedule = pb.Schedule.FromString(body)
    return _Standing(schedule, position_us, fired_count, buffered, bool(is_busy))


def _advance(tx: Transaction, standing: _Standing, jobs: _Jobs) -> bool:
    schedule = standing.schedule
    job = jobs.get(schedule.job_id)
    timing = timing_of(schedule)
    if timing is None or job is None:
        _keep_running(tx, schedule, jobs)
        return True
    turn_us = None
    if standing.buffered and not standing.is_busy:
        # Nobody else would: its turn came while the clock had been put back.
        turn_us = _settle(tx, schedule, jobs)
        [standing] = _standings(tx, _its_state(schedule.id))
        schedule = standing.schedule
    if schedule.state == pb.SCHEDULE_STATE_ENDED:
        _set_due(tx, schedule.id, None)
        return True
    if _is_used_up(schedule, standing.fired_count):
        _end(tx, schedule)
        return True
    timing.check()
    times, following = nominal_times.come(timing, standing.position_us, tx.now_us, _TIMES)
    firing = _Firing(tx, schedule, job, jobs, standing)
    following = firing.cover(times, following)
    has_more = following is not None and following.at_us <= tx.now_us
    if schedule.state == pb.SCHEDULE_STATE_ENDED:  # by its count
        due_us = None
    elif has_more:
        due_us = tx.now_us
    else:
        due_us = None if following is None else following.at_us
        if turn_us is not None:
            due_us = min(due_us or turn_us, turn_us)
        elif following is None and not standing.buffered:
            _end(tx, schedule)
        elif due_us is not None and not firing.may_fire:
            due_us = max(due_us, tx.now_us + _IDLE_US)
    moved = (standing.position_us, due_us, standing.fired_count, schedule.id)
    tx.update(SCHEDULES, ("position_us", "due_us", "fired_count"), [moved])
    return not has_more


def settle(tx: Transaction, schedule_id: str, settings: FleetSettings) -> None:
    """Goes on after a task of a schedule has ended: fires what was buffered, starts a daemon again."""
    settle_some(tx, [schedule_id], settings)


def settle_some(tx: Transaction, schedule_ids: Sequence[str], settings: FleetSettings) -> int:
    """Goes on with schedules, as many as one mutation may. Returns how many those were."""
    jobs = _Jobs(tx, settings)
    settled = 0
    tx.look_up(SCHEDULES, schedule_ids)
    for schedule_id in tx.fitting(schedule_ids):
        schedule = tx.get(SCHEDULES, schedule_id)
        if schedule is not None:
            _settle(tx, schedule, jobs)
        settled += 1
    return settled


def _settle(tx: Transaction, schedule: pb.Schedule, jobs: _Jobs) -> int | None:
    """Returns when the turn of what is buffered comes, where only the clock is in its way."""
    if schedule.kind == task_pb2.SCHEDULE_KIND_DAEMON:
        _keep_running(tx, schedule, jobs)
        return None
    is_buffered = sa.and_(_f.schedule_id == schedule.id, sa.text("disposition = 2"))
    first = sa.select(tables.firings).where(is_buffered).order_by(_f.nominal_us).limit(1)
    row = tx.execute(first).first()
    job = jobs.get(schedule.job_id)
    if job is None or row is None:
        return None
    is_own = _s.key == schedule.id
    state = tx.execute(
        sa.select(_s.due_us, _s.fired_count, _IS_BUSY.label("is_busy")).where(is_own)
    ).one()
    if _is_used_up(schedule, state.fired_count):  # since it has a lower count
        _end(tx, schedule)
        return None
    if state.is_busy:
        return None
    if row.nominal_us > tx.now_us:  # the clock was put back: it must not fire early
        turn_us: int = row.nominal_us
        _set_due(tx, schedule.id, min(state.due_us or turn_us, turn_us))
        return turn_us
    is_it = sa.and_(
        _f.schedule_id == schedule.id,
        _f.generation == row.generation,
        _f.nominal_us == row.nominal_us,
    )
    fired = {
        "disposition": pb.DISPOSITION_FIRED,
        "run_id": make_task(tx, schedule, jobs.draft(job), row.nominal_us),
        "decided_at_us": tx.now_us,
    }
    tx.execute(sa.update(tables.firings).where(is_it).values(**fired))
    failpoints.hit(failpoints.FIRING)
    tx.execute(sa.update(tables.schedules).where(is_own).values(fired_count=state.fired_count + 1))
    is_last = state.due_us is None and not tx.execute(first).first()
    if is_last or _is_used_up(schedule, state.fired_count + 1):
        _end(tx, schedule)
    return None


def draft(
    tx: Transaction, job: job_pb2.Job, settings: FleetSettings, created_by: int = 0
) -> task_pb2.StoredTask:
    """Returns what the tasks of a job that are made in this mutation have in common."""
    config = task_configs.resolved(job.config, settings)
    stored = tasks.draft(tx, config, namespace=job.namespace_id, created_by=created_by)
    stored.task.job_id = job.id
    if job.HasField("environment"):
        stored.task.environment = job.environment
    return stored


def make_task(
    tx: Transaction,
    schedule: pb.Schedule,
    draft: task_pb2.StoredTask,
    nominal_us: int,
    *,
    kind: task_pb2.ScheduleKind.ValueType | None = None,
    parameters: str | None = None,
    due_us: int | None = None,
) -> str:
    """Makes the task of a time of a schedule, of its job's draft. Returns its run id."""
    stored = new_task(tx, schedule, draft, nominal_us, kind=kind, parameters=parameters, due_us=due_us)
    tasks.add(tx, stored)
    return task_ids.of_task(stored.task.id)


def new_task(
    tx: Transaction,
    schedule: pb.Schedule,
    draft: task_pb2.StoredTask,
    nominal_us: int,
    *,
    kind: task_pb2.ScheduleKind.ValueType | None = None,
    parameters: str | None = None,
    due_us: int | None = None,
) -> task_pb2.StoredTask:
    """Returns the task of a time of a schedule, of its job's draft, to be stored."""
    stored = tasks.like(tx, draft, task_ids.new_uuid())
    task = stored.task
    task.schedule_id = schedule.id
    task.schedule_kind = kind or schedule.kind
    task.priority = schedule.priority
    task.scheduled_at.CopyFrom(instants.timestamp(nominal_us))
    if parameters is not None:
        task.parameters = parameters
    elif schedule.HasField("parameters"):
        task.parameters = schedule.parameters
    if due_us is None:
        due_us = nominal_us
        if schedule.jitter_seconds and kind is None:
            due_us += _jitter_us(schedule, nominal_us)
        # It waits for a node from now on, not since a time that has long passed.
        if due_us < tx.now_us - GRACE_US:
            due_us = tx.now_us
    if due_us > nominal_us:
        task.due_at.CopyFrom(instants.timestamp(due_us))
    return stored


class _Firing:
    """What becomes of times of one schedule that have come."""

    def __init__(
        self,
        tx: Transaction,
        schedule: pb.Schedule,
        job: job_pb2.Job,
        jobs: _Jobs,
        standing: _Standing,
    ) -> None:
        self._tx = tx
        self._schedule = schedule
        self._job = job
        self._jobs = jobs
        self._rows = Rows(schedule.id, schedule.generation, tx.now_us)
        self._standing = standing
        self.may_fire = (
            schedule.state == pb.SCHEDULE_STATE_ACTIVE and job.status == job_pb2.JOB_STATUS_ENABLED
        )

    def cover(self, times: Sequence[NominalTime], following: NominalTime | None) -> NominalTime | None:
        """Writes a row for each of the times that have come: as many as the schedule has left, and as fit into the
        mutation. Returns the first time that has none.
        """
        standing, covered = self._standing, 0
        for time, disposition in self._tx.fitting(self._judged(times, following)):
            if not self._decide(time, disposition):
                break
            standing.position_us = time.at_us
            covered += 1
            if _is_used_up(self._schedule, standing.fired_count):
                break
        self._rows.write(self._tx)
        if covered:
            failpoints.hit(failpoints.FIRING)
        if _is_used_up(self._schedule, standing.fired_count):
            _end(self._tx, self._schedule)
        return times[covered] if covered < len(times) else following

    def _judged(
        self, times: Sequence[NominalTime], following: NominalTime | None
    ) -> Iterator[tuple[NominalTime, Disposition]]:
        """Yields each time with what is to become of it, but for other tasks of the schedule."""
        schedule, now_us = self._schedule, self._tx.now_us
        if schedule.state == pb.SCHEDULE_STATE_PAUSED:
            yield from ((time, pb.DISPOSITION_SKIPPED_PAUSED) for time in times)
            return
        if self._job.status != job_pb2.JOB_STATUS_ENABLED:
            yield from ((time, pb.DISPOSITION_SKIPPED_DISABLED) for time in times)
            return
        oldest_us = now_us - schedule.misfire_window_seconds * 1_000_000
        policy = schedule.misfire_policy or pb.MISFIRE_POLICY_FIRE_ONCE
        for index, time in enumerate(times):
            is_missed = time.at_us < now_us - GRACE_US
            # It stands for those before it.
            after = times[index + 1] if index + 1 < len(times) else following
            is_last = after is None or after.at_us >= now_us - GRACE_US
            fires = not is_missed or (
                time.at_us >= oldest_us
                and (
                    policy == pb.MISFIRE_POLICY_FIRE_ALL
                    or (policy == pb.MISFIRE_POLICY_FIRE_ONCE and is_last)
                )
            )
            yield time, pb.DISPOSITION_FIRED if fires else pb.DISPOSITION_SKIPPED_MISFIRE

    def _decide(self, time: NominalTime, disposition: Disposition) -> bool:
        """Settles what becomes of a time. Returns whether it could: if not, the next mutation does."""
        schedule, standing = self._schedule, self._standing
        if disposition == pb.DISPOSITION_FIRED:
            allowed = self._overlap()
            if allowed is None:
                return False
            disposition = allowed
        if disposition != pb.DISPOSITION_FIRED:
            self._rows.add(time, disposition)
            standing.buffered += disposition == pb.DISPOSITION_BUFFERED
            return True
        run_id = make_task(self._tx, schedule, self._jobs.draft(self._job), time.at_us)
        self._rows.add(time, pb.DISPOSITION_FIRED, run_id)
        standing.is_busy = True
        standing.fired_count += 1
        return True

    def _overlap(self) -> Disposition | None:
        """Returns what becomes of a time that is to fire, given the tasks of earlier ones; None while there are more
        of those to cancel than one mutation may.
        """
        schedule, standing = self._schedule, self._standing
        policy = schedule.overlap_policy or pb.OVERLAP_POLICY_SKIP
        if policy == pb.OVERLAP_POLICY_ALLOW:
            return pb.DISPOSITION_FIRED
        if not standing.is_busy and not standing.buffered:
            return pb.DISPOSITION_FIRED
        match policy:
            case pb.OVERLAP_POLICY_BUFFER_ONE if not standing.buffered:
                return pb.DISPOSITION_BUFFERED
            case pb.OVERLAP_POLICY_BUFFER_ALL if standing.buffered < _MOST_BUFFERED:
                return pb.DISPOSITION_BUFFERED
            case pb.OVERLAP_POLICY_CANCEL_OTHER | pb.OVERLAP_POLICY_TERMINATE_OTHER:
                self._supersede()
                if not self._cancel_earlier(0 if policy == pb.OVERLAP_POLICY_TERMINATE_OTHER else None):
                    return None
                # What waited is over at once; what runs has to be confirmed.
                standing.is_busy = _is_busy(self._tx, schedule.id)
                return pb.DISPOSITION_BUFFERED if standing.is_busy else pb.DISPOSITION_FIRED
        return pb.DISPOSITION_SKIPPED_OVERLAP

    def _cancel_earlier(self, grace_seconds: int | None) -> bool:
        """Cancels tasks of earlier times, as many as one mutation may. Returns whether those were all."""
        own = (_t.schedule_id == self._schedule.id, IS_EARLIER, _t.cancel_requested.is_(False))
        found = self._tx.find(TASKS, *own, limit=_CANCELLED)
        cancelled = 0
        for stored in self._tx.fitting(found):
            tasks.request_cancel(self._tx, stored, "scheduler", grace_seconds)
            cancelled += 1
        return cancelled == len(found) < _CANCELLED

    def _supersede(self) -> None:
        """Skips what was buffered: a later time takes its place."""
        if not self._standing.buffered:
            return
        self._standing.buffered = 0
        for row in self._rows.found:
            if row["disposition"] == pb.DISPOSITION_BUFFERED:
                row["disposition"] = pb.DISPOSITION_SKIPPED_OVERLAP
        drop_buffered(self._tx, [self._schedule.id], pb.DISPOSITION_SKIPPED_OVERLAP)


def _keep_running(tx: Transaction, schedule: pb.Schedule, jobs: _Jobs) -> None:
    """Starts a daemon that does not run. One that keeps ending soon waits longer each time."""
    job = jobs.get(schedule.job_id)
    may_run = (
        schedule.kind == task_pb2.SCHEDULE_KIND_DAEMON
        and schedule.state == pb.SCHEDULE_STATE_ACTIVE
        and job is not None
        and job.status == job_pb2.JOB_STATUS_ENABLED
    )
    if job is None or not may_run or _is_busy(tx, schedule.id):
        _set_due(tx, schedule.id, None)
        return
    state = tx.execute(sa.select(_s.restarts, _s.fired_count).where(_s.key == schedule.id)).one()
    start_us = instants.optional_microseconds(schedule, "start_time")
    end_us = instants.optional_microseconds(schedule, "end_time")
    if _is_used_up(schedule, state.fired_count) or (end_us is not None and end_us <= tx.now_us):
        _end(tx, schedule)
        return
    if start_us is not None and start_us > tx.now_us:
        _set_due(tx, schedule.id, start_us)
        return
    restarts = state.restarts
    last = tx.execute(
        sa.select(_t.started_at_us, _t.completed_at_us)
        .where(_t.schedule_id == schedule.id, _t.schedule_kind == schedule.kind)
        .order_by(_t.id.desc())
        .limit(1)
    ).first()
    pause = 0
    if last is not None:
        ran_us = (last.completed_at_us or 0) - (last.started_at_us or last.completed_at_us or 0)
        restarts = 0 if ran_us >= _SETTLED_US else restarts + 1
        pause = min(2 ** min(restarts, 10) // 2, _LONGEST_PAUSE)
    due_us = tx.now_us + pause * 1_000_000
    make_task(tx, schedule, jobs.draft(job), tx.now_us, due_us=due_us)
    values = {"restarts": restarts, "due_us": None, "fired_count": _s.fired_count + 1}
    tx.execute(sa.update(tables.schedules).where(_s.key == schedule.id).values(**values))


def _is_busy(tx: Transaction, schedule_id: str) -> bool:
    """Returns whether the task of an earlier time has not ended."""
    earlier = sa.select(_t.key).where(_t.schedule_id == schedule_id, IS_EARLIER)
    return tx.execute(earlier.limit(1)).first() is not None


def _has_times(schedule: pb.Schedule) -> bool:
    timing = timing_of(schedule)
    try:
        if timing is not None:
            timing.check()
    except InvalidArgument:
        return False
    return timing is not None


def _is_used_up(schedule: pb.Schedule, fired_count: int) -> bool:
    return schedule.HasField("max_count") and fired_count >= schedule.max_count


def _set_due(tx: Transaction, schedule_id: str, due_us: int | None) -> None:
    tx.execute(sa.update(tables.schedules).where(_s.key == schedule_id).values(due_us=due_us))


def _end(tx: Transaction, schedule: pb.Schedule) -> None:
    """Notes that a schedule has no more times. The turn of those that wait does not come."""
    drop_buffered(tx, [schedule.id], pb.DISPOSITION_SKIPPED_OVERLAP)
    set_ended(schedule)
    schedule.updated_at.CopyFrom(instants.timestamp(tx.now_us))
    tx.put(SCHEDULES, schedule, due_us=None)


def set_ended(schedule: pb.Schedule) -> None:
    """Says of a schedule that it has ended. Its note tells whether it was paused, and is to be so with other times."""
    if schedule.state == pb.SCHEDULE_STATE_PAUSED:
        schedule.pause_note = schedule.pause_note or _NO_REASON
    schedule.state = pb.SCHEDULE_STATE_ENDED
    schedule.enabled = False
    schedule.status = 99


def _jitter_us(schedule: pb.Schedule, nominal_us: int) -> int:
    """Returns how long after its time a task starts: the same whenever it is asked."""
    digest = hashlib.blake2b(f"{schedule.id} {nominal_us}".encode(), digest_size=8).digest()
    return int.from_bytes(digest) % (schedule.jitter_seconds * 1_000_000 + 1)


def note_of(time: NominalTime) -> str:
    """Returns what is worth knowing of a time, in words."""
    words = [_NOTES[time.note]] if time.note is not Note.NONE else []
    if time.merged:
        words.append(f"{time.merged} other times of day fell on it")
    return "; ".join(words)
