"""What becomes of times that wait for their turn when it does not come, or comes in another way."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from novasphere.schedule.v1 import schedule_pb2 as pb
from novasphere.schedule.v1 import task_pb2
from novasphere_server.core.credentials import ADMIN
from scheduling import CRON, DAEMON, EVENT, Scheduling

ACTIVE, ENDED = pb.SCHEDULE_STATE_ACTIVE, pb.SCHEDULE_STATE_ENDED


async def with_two_buffered(bench: Scheduling, **wanted: Any) -> str:
    schedule_id = await bench.make(overlap_policy=pb.OVERLAP_POLICY_BUFFER_ALL, **wanted)
    await bench.pass_time(25)
    assert await bench.rows(schedule_id) == [(0.0, "fired"), (10.0, "buffered"), (20.0, "buffered")]
    return schedule_id


@pytest.mark.parametrize("kind", [DAEMON, EVENT])
async def test_they_are_skipped_when_the_schedule_has_times_no_more(bench: Scheduling, kind: int):
    schedule_id = await with_two_buffered(bench)
    await bench.update(schedule_id, kind=kind)
    for _ in range(3):
        await bench.end(schedule_id)
        await bench.pass_time(100, every=50)
    assert await bench.rows(schedule_id) == [(0.0, "fired"), (10.0, "overlap"), (20.0, "overlap")]
    assert (await bench.get(schedule_id)).state == ACTIVE
    made = [task.schedule_kind for task in await bench.tasks(schedule_id)]
    assert made[1:] == ([DAEMON] * 3 if kind == DAEMON else [])
    await bench.update(schedule_id, kind=CRON, cron_expression="* * * * * *")
    await bench.end(schedule_id)
    await bench.pass_time(1)
    assert (await bench.rows(schedule_id))[-1] == (bench.now, "fired")


async def test_they_fire_when_another_kind_has_times_too(bench: Scheduling):
    schedule_id = await with_two_buffered(bench)
    await bench.update(schedule_id, kind=CRON, cron_expression="0 0 1 1 *")
    await bench.end(schedule_id)
    assert [word for *_, word in await bench.rows(schedule_id)] == ["fired", "fired", "buffered"]


@pytest.mark.parametrize("is_come_round_to", [True, False])
async def test_no_more_of_them_fire_than_a_lower_count_lets(
    bench: Scheduling, *, is_come_round_to: bool
):
    schedule_id = await with_two_buffered(bench)
    await bench.update(schedule_id, max_count=1)
    if is_come_round_to:
        await bench.step()
    for _ in range(3):
        await bench.end(schedule_id)
        await bench.pass_time(10)
    assert await bench.rows(schedule_id) == [(0.0, "fired"), (10.0, "overlap"), (20.0, "overlap")]
    schedule = await bench.get(schedule_id)
    assert (schedule.fired_count, schedule.state) == (1, ENDED)


async def one_whose_turn_comes_early(bench: Scheduling) -> str:
    """Returns a schedule whose second time waited for the task of the first, which ended once the clock was behind."""
    schedule_id = await bench.make(
        cron_expression="0 * * * * *", overlap_policy=pb.OVERLAP_POLICY_BUFFER_ONE
    )
    await bench.pass_time(125)
    bench.world.clock.advance(-60)
    await bench.end(schedule_id)
    return schedule_id


async def test_one_whose_turn_comes_while_the_clock_is_behind_fires_at_its_time(bench: Scheduling):
    schedule_id = await one_whose_turn_comes_early(bench)
    assert await bench.rows(schedule_id) == [(60.0, "fired"), (120.0, "buffered")]
    await bench.pass_time(54)
    assert (await bench.rows(schedule_id))[-1] == (120.0, "buffered")  # it is 119
    await bench.pass_time(2)
    assert await bench.rows(schedule_id) == [(60.0, "fired"), (120.0, "fired")]


async def test_a_look_at_one_that_waits_for_the_clock_is_over_soon(bench: Scheduling):
    schedule_id = await one_whose_turn_comes_early(bench)
    await bench.update(schedule_id, priority=3)  # which is looked at
    async with asyncio.timeout(60):
        await bench.step()
    await bench.pass_time(56)
    assert await bench.rows(schedule_id) == [(60.0, "fired"), (120.0, "fired")]


# -- what is no task of an earlier time


@pytest.mark.parametrize("policy", ["SKIP", "BUFFER_ONE", "CANCEL_OTHER", "TERMINATE_OTHER"])
async def test_times_do_not_wait_for_what_was_triggered_nor_end_it(bench: Scheduling, policy: str):
    schedule_id = await bench.make(
        cron_expression="*/30 * * * * *", overlap_policy=f"OVERLAP_POLICY_{policy}"
    )
    triggered = await bench.world.fleet.schedules.trigger(ADMIN, schedule_id, None)
    await bench.pass_time(31)
    assert await bench.rows(schedule_id) == [(30.0, "fired")]
    assert (await bench.world.task(triggered.id)).task.state == task_pb2.WORK_STATE_PENDING


async def test_a_daemon_goes_on_beside_what_was_triggered(bench: Scheduling):
    schedule_id = await bench.make(kind=DAEMON)
    await bench.step()
    [first] = await bench.tasks(schedule_id)
    await bench.world.fleet.schedules.trigger(ADMIN, schedule_id, None)
    await bench.end_task(first.id, task_pb2.WORK_STATE_FAILED)
    unfinished = [
        task for task in await bench.tasks(schedule_id) if task.state == task_pb2.WORK_STATE_PENDING
    ]
    assert [task.schedule_kind for task in unfinished] == [EVENT, DAEMON]
    # Nor is it the one that says how long the daemon ran.
    await bench.world.fleet.schedules.trigger(ADMIN, schedule_id, None)
    await bench.end_task(unfinished[-1].id, task_pb2.WORK_STATE_FAILED, ran=11)
    last = (await bench.tasks(schedule_id))[-1]
    assert (last.schedule_kind, last.HasField("due_at")) == (DAEMON, False)
