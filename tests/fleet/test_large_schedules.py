"""Schedules with much to do at once: each mutation stays small enough for a watcher, and a fire costs the same however
much waits.
"""

from __future__ import annotations

import contextlib
import time
from typing import Any

import pytest
import sqlalchemy as sa
from google.protobuf.timestamp_pb2 import Timestamp
from novasphere.schedule.v1 import job_pb2, task_pb2
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


async def test_a_fire_costs_the_same_however_many_wait(bench: Scheduling):
    await bench.make(cron_expression="* * * * * *", overlap_policy=ALLOW)
    await bench.pass_time(1)

    async def cost() -> float:
        best = 60.0
        for _ in range(8):
            bench.world.clock.advance(1)
            begin = time.perf_counter()
            await bench.world.fleet.schedules.fire_due(50)
            best = min(best, time.perf_counter() - begin)
        return best

    few = await cost()
    own = ("id", "key", "instance_id", "scheduled_at_us")
    copied = ", ".join(column.name for column in tables.tasks.c if column.name not in own)
    await bench.world.store.write(
        lambda tx: tx.execute(
            sa.text(
                f"INSERT INTO tasks ({', '.join(own)}, {copied}) "  # noqa: S608 - names of columns
                "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 30000) "
                f"SELECT 1000000 + i, key || i, instance_id || i, 0, {copied} "
                "FROM n, (SELECT * FROM tasks ORDER BY id LIMIT 1)"
            )
        )
    )
    assert await cost() < 5 * few
