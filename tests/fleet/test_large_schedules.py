"""Schedules with much to do at once: each mutation stays small enough for a watcher, and a fire costs the same however
much waits.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import pytest
import sqlalchemy as sa
from efforts import Effort, effort_of_writer
from google.protobuf.timestamp_pb2 import Timestamp
from novasphere.schedule.v1 import job_pb2, job_service_pb2, task_pb2
from novasphere.schedule.v1 import schedule_pb2 as pb
from novasphere.schedule.v1 import schedule_service_pb2 as api
from novasphere_server import errors
from novasphere_server.core import instants
from novasphere_server.core.credentials import ADMIN
from novasphere_server.store import tables
from novasphere_server.store.limits import Limits
from scheduling import ONCE, Scheduling

ALLOW = pb.OVERLAP_POLICY_ALLOW
MINUTE_US = 60_000_000
MUCH = "x" * 100_000
CANCELLED = task_pb2.WORK_STATE_CANCELLED


@pytest.fixture(autouse=True)
async def mutations_stay_small(bench: Scheduling) -> Any:
    """Whatever a test did: each mutation reaches a watcher in one message."""
    yield
    log = tables.changes.c
    size = sa.func.max(sa.func.length(log.before), sa.func.length(log.after))
    size = sa.func.coalesce(size, sa.func.length(log.before), sa.func.length(log.after))
    rows = await bench.world.store.read(
        sa.select(sa.func.sum(size).label("size")).group_by(log.revision).order_by(sa.desc("size"))
    )
    limits = Limits()
    assert rows[0].size <= limits.mutation_bytes + 2 * limits.resource_bytes


async def test_times_that_passed_are_caught_up_with_in_steps(bench: Scheduling):
    schedule_id = await bench.make(
        await bench.job(command_text=MUCH),
        cron_expression="* * * * * *",
        overlap_policy=ALLOW,
        misfire_policy=pb.MISFIRE_POLICY_FIRE_ALL,
    )
    await bench.world.restart(down_for=50)
    await bench.step()
    assert await bench.rows(schedule_id) == [(float(at), "fired") for at in range(1, 51)]


async def test_a_change_settles_first_what_has_come_however_much(bench: Scheduling):
    job_id = await bench.job(command_text=MUCH)
    wanted = {
        "cron_expression": "* * * * * *",
        "overlap_policy": ALLOW,
        "misfire_policy": pb.MISFIRE_POLICY_FIRE_ALL,
    }
    changed, disabled = await bench.make(job_id, **wanted), await bench.make(job_id, **wanted)
    bench.world.clock.advance(30)
    await bench.update(changed, interval_secs=1000, kind=task_pb2.SCHEDULE_KIND_INTERVAL)
    await bench.world.fleet.jobs.set_status(ADMIN, job_id, job_pb2.JOB_STATUS_DISABLED)
    for schedule_id in (changed, disabled):
        assert await bench.rows(schedule_id) == [(float(at), "fired") for at in range(1, 31)]
        assert {task.state for task in await bench.tasks(schedule_id)} == {CANCELLED}


async def test_a_later_time_takes_the_place_of_much(bench: Scheduling):
    schedule_id = await bench.make(
        await bench.job(command_text=MUCH), interval_secs=1, overlap_policy=ALLOW
    )
    await bench.pass_time(30)
    await bench.update(schedule_id, overlap_policy=pb.OVERLAP_POLICY_CANCEL_OTHER)
    await bench.pass_time(1)
    assert (await bench.rows(schedule_id))[-1] == (31.0, "fired")
    *others, last = await bench.tasks(schedule_id)
    assert {task.state for task in others} == {CANCELLED}
    assert last.state == task_pb2.WORK_STATE_PENDING


async def test_a_job_is_deleted_with_schedules_that_say_much(bench: Scheduling):
    job_id = await bench.job()
    for _ in range(30):
        await bench.make(job_id, kind=ONCE, start_time=1000, parameters=f'"{MUCH}"')
    await bench.world.fleet.jobs.delete(ADMIN, job_id)
    assert await bench.world.store.read(sa.select(tables.schedules.c.key)) == []


def microseconds(text: str) -> int:
    instant = Timestamp()
    instant.FromJsonString(text)
    return instants.microseconds(instant)


def span(schedule_id: str, begin_us: int, end_us: int) -> api.BackfillScheduleRequest:
    return api.BackfillScheduleRequest(
        schedule_id=schedule_id,
        start_time=instants.timestamp(begin_us),
        end_time=instants.timestamp(end_us),
        overlap_policy=ALLOW,
    )


async def test_a_backfill_of_too_much_says_how_far_it_may_go(bench: Scheduling):
    schedule_id = await bench.make(
        await bench.job(command_text=MUCH), cron_expression="0 * * * * *", overlap_policy=ALLOW
    )
    backfill = bench.world.fleet.schedules.backfill
    begin_us, end_us = bench.begin_us - 50 * MINUTE_US, bench.begin_us
    with pytest.raises(errors.TooLarge) as refused:
        await backfill(ADMIN, span(schedule_id, begin_us, end_us))
    assert await bench.tasks(schedule_id) == []
    [violation] = refused.value.violations
    assert violation.field == "end_time"
    assert refused.value.metadata["end_time"] in violation.description
    made = 0
    while begin_us < end_us:
        with contextlib.suppress(errors.TooLarge):
            made += (await backfill(ADMIN, span(schedule_id, begin_us, end_us))).count
            break
        with pytest.raises(errors.TooLarge) as refused:
            await backfill(ADMIN, span(schedule_id, begin_us, end_us))
        until_us = microseconds(refused.value.metadata["end_time"])
        made += (await backfill(ADMIN, span(schedule_id, begin_us, until_us))).count
        begin_us = until_us
    assert made == 50
    at = [instants.microseconds(task.scheduled_at) for task in await bench.tasks(schedule_id)]
    assert at == [bench.begin_us - (50 - n) * MINUTE_US for n in range(50)]


async def fill(bench: Scheduling, schedule_id: str) -> None:
    """Makes a schedule as large as one may be made."""
    [row] = await bench.world.store.read(
        sa.select(sa.func.length(tables.schedules.c.body).label("size")).where(
            tables.schedules.c.key == schedule_id
        )
    )
    await bench.update(schedule_id, description="z" * (Limits().resource_bytes - row.size - 40))


async def too_large(bench: Scheduling) -> str:
    """Makes a schedule whose tasks are too large to be made, and returns its id."""
    job_id = await bench.job(command_text="", cmd="true", args=[MUCH, MUCH])
    return await bench.make(
        job_id, cron_expression="* * * * * *", overlap_policy=ALLOW, parameters=f'"{MUCH}"'
    )


async def test_what_leaves_no_room_to_say_why_it_cannot_fire_keeps_no_other(bench: Scheduling):
    good = await bench.make(cron_expression="* * * * * *", overlap_policy=ALLOW)
    bad = await too_large(bench)
    await fill(bench, bad)
    await bench.pass_time(3)
    assert await bench.rows(good) == [(1.0, "fired"), (2.0, "fired"), (3.0, "fired")]
    stopped = await bench.get(bad)
    assert stopped.state == pb.SCHEDULE_STATE_PAUSED
    assert "bytes" in stopped.pause_note


async def test_a_large_schedule_is_paused_with_a_long_note(bench: Scheduling):
    schedule_id = await bench.make()
    await fill(bench, schedule_id)
    await bench.world.fleet.schedules.pause(ADMIN, schedule_id, "\u4e3a" * 1024)
    assert (await bench.get(schedule_id)).pause_note == "\u4e3a" * 1024


async def test_a_large_schedule_does_not_grow_by_its_notes(bench: Scheduling):
    schedule_id = await bench.make()
    await fill(bench, schedule_id)
    said = (await bench.get(schedule_id)).description

    async def put_notes_into_the_description() -> None:
        for count in range(1, 11):
            await bench.world.fleet.schedules.pause(ADMIN, schedule_id, "x" * 1000)
            await bench.update(schedule_id, description=said + count * 1000 * "x", enabled=True)

    with pytest.raises(errors.TooLarge):
        await put_notes_into_the_description()
    await bench.world.fleet.schedules.resume(ADMIN, schedule_id)
    await bench.world.fleet.schedules.pause(ADMIN, schedule_id, "x" * 1000)


async def test_a_large_job_is_disabled_and_enabled(bench: Scheduling):
    job_id = await bench.job(args=[""], command_text="", cmd="true")
    [row] = await bench.world.store.read(
        sa.select(sa.func.length(tables.jobs.c.body).label("size")).where(tables.jobs.c.key == job_id)
    )
    left = Limits().resource_bytes - row.size - 60  # as much as it grows by the lengths of what it says
    config = task_pb2.TaskConfig(cmd="true", args=["x" * (left // 2), "x" * (left // 2)])
    jobs = bench.world.fleet.jobs
    for _ in range(2):
        request = job_service_pb2.UpdateJobRequest(job_id=job_id, config=config)
        await jobs.update(ADMIN, request, ["config"])
        body = (await jobs.get(ADMIN, job_id)).wire
        config.args[0] += "x" * (Limits().resource_bytes - len(body))
    assert len(body) == Limits().resource_bytes
    bench.world.clock.advance(0.123456)
    for status in (job_pb2.JOB_STATUS_DISABLED, job_pb2.JOB_STATUS_ENABLED):
        assert (await jobs.set_status(ADMIN, job_id, status)).status == status
    config.args.append("xx")
    with pytest.raises(errors.TooLarge, match="at most"):
        await jobs.update(
            ADMIN, job_service_pb2.UpdateJobRequest(job_id=job_id, config=config), ["config"]
        )


@pytest.mark.parametrize("what", ["job", "schedule"])
async def test_what_cannot_fire_is_stopped_by_hand(bench: Scheduling, what: str):
    """Before the scheduler comes round to it."""
    bad = await too_large(bench)
    bench.world.clock.advance(3)
    if what == "job":
        job_id = (await bench.get(bad)).job_id
        jobs = bench.world.fleet.jobs
        job = await jobs.set_status(ADMIN, job_id, job_pb2.JOB_STATUS_DISABLED)
        assert job.status == job_pb2.JOB_STATUS_DISABLED
    else:
        await bench.world.fleet.schedules.pause(ADMIN, bad)
    stopped = await bench.get(bad)
    assert stopped.state == pb.SCHEDULE_STATE_PAUSED
    assert stopped.pause_note.startswith("it cannot fire: ")
    assert await bench.rows(bad) == [(1.0, 3.0, 3, "paused")]


async def test_what_nobody_can_read_keeps_no_other(bench: Scheduling):
    bad = await bench.make(cron_expression="* * * * * *", overlap_policy=ALLOW)
    good = await bench.make(cron_expression="* * * * * *", overlap_policy=ALLOW)
    own = tables.schedules.c.key == bad
    spoil = sa.update(tables.schedules).where(own).values(body=b"\xff")
    await bench.world.store.write(lambda tx: tx.execute(spoil))
    await bench.pass_time(3)
    assert await bench.rows(good) == [(1.0, "fired"), (2.0, "fired"), (3.0, "fired")]
    await bench.world.store.write(lambda tx: tx.execute(sa.delete(tables.schedules).where(own)))


@pytest.mark.parametrize("is_due", [False, True])
async def test_a_job_with_a_schedule_that_nobody_can_read_is_disabled(bench: Scheduling, is_due: bool):
    job_id = await bench.job()
    good = await bench.make(job_id, cron_expression="* * * * * *", overlap_policy=ALLOW)
    bad = await bench.make(job_id, cron_expression="* * * * * *", overlap_policy=ALLOW)
    own = tables.schedules.c.key == bad
    spoil = sa.update(tables.schedules).where(own).values(body=b"\xff")
    await bench.world.store.write(lambda tx: tx.execute(spoil))
    if is_due:
        bench.world.clock.advance(1)
    else:
        await bench.pass_time(1)
    disabled = job_pb2.JOB_STATUS_DISABLED
    assert (await bench.world.fleet.jobs.set_status(ADMIN, job_id, disabled)).status == disabled
    assert await bench.rows(good) == [(1.0, "fired")]
    await bench.world.store.write(lambda tx: tx.execute(sa.delete(tables.schedules).where(own)))


async def copy_the_first_task(bench: Scheduling, count: int, **changed: str) -> None:
    """Stores so many copies of the oldest task, but for some columns, which are given in SQL."""
    changed = {
        "id": "1000000 + i",
        "key": "key || i",
        "instance_id": "instance_id || i",
    } | changed
    copied = {column.name: column.name for column in tables.tasks.c} | changed
    copy = (
        f"INSERT INTO tasks ({', '.join(copied)}) "  # noqa: S608 - names of columns
        f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count}) "
        f"SELECT {', '.join(copied.values())} FROM n, (SELECT * FROM tasks ORDER BY id LIMIT 1)"
    )
    await bench.world.store.write(lambda tx: tx.execute(sa.text(copy)))


async def effort_of_disabling(bench: Scheduling, job_id: str) -> Effort:
    """Returns what it takes to disable a job and to enable it again."""
    jobs = bench.world.fleet.jobs
    async with effort_of_writer(bench.world.store) as effort:
        await jobs.set_status(ADMIN, job_id, job_pb2.JOB_STATUS_DISABLED)
        await jobs.set_status(ADMIN, job_id, job_pb2.JOB_STATUS_ENABLED)
    await bench.step()
    return effort


async def test_disabling_costs_the_same_however_many_tasks_have_ended(bench: Scheduling):
    job_id = await bench.job()
    trigger = job_service_pb2.TriggerJobRequest(job_id=job_id)
    await bench.world.fleet.schedule_tasks.trigger(ADMIN, trigger)
    await effort_of_disabling(bench, job_id)  # the task that waits is cancelled
    few = await effort_of_disabling(bench, job_id)
    await copy_the_first_task(bench, 3000)
    assert (await effort_of_disabling(bench, job_id)).steps < 2 * few.steps


async def test_disabling_reckons_no_times_of_schedules_that_have_none_yet(bench: Scheduling):
    job_id = await bench.job()
    await asyncio.gather(*(bench.make(job_id, cron_expression="0 0 1 1 *") for _ in range(300)))
    await bench.step()
    jobs = bench.world.fleet.jobs
    async with effort_of_writer(bench.world.store) as effort:
        await jobs.set_status(ADMIN, job_id, job_pb2.JOB_STATUS_DISABLED)
    assert effort.calls < 12_000  # to reckon them takes more than 20,000


async def test_a_fire_costs_the_same_however_many_wait(bench: Scheduling):
    await bench.make(cron_expression="* * * * * *", overlap_policy=ALLOW)
    await bench.pass_time(1)

    async def effort_of_firing() -> Effort:
        bench.world.clock.advance(1)
        async with effort_of_writer(bench.world.store) as effort:
            await bench.world.fleet.schedules.fire_due(50)
        return effort

    few = await effort_of_firing()
    await copy_the_first_task(bench, 3000, scheduled_at_us="0")
    assert (await effort_of_firing()).steps < 2 * few.steps
