"""What becomes of each time of a schedule, as the ledger tells it, with a clock that the test moves."""

from __future__ import annotations

import asyncio
import contextlib
from contextlib import aclosing
from datetime import datetime
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from novasphere.api.v1 import watch_pb2
from novasphere.schedule.v1 import job_pb2, job_service_pb2, task_pb2
from novasphere.schedule.v1 import schedule_pb2 as pb
from novasphere.schedule.v1 import schedule_service_pb2 as api
from novasphere_server import errors
from novasphere_server.core import firings, instants
from novasphere_server.core.credentials import ADMIN
from novasphere_server.core.schedules import ScheduleFilter
from novasphere_server.store import tables
from novasphere_server.store.kinds import SCHEDULES
from scheduling import CRON, DAEMON, EVENT, ONCE, Scheduling

ALLOW = pb.OVERLAP_POLICY_ALLOW
PENDING, CANCELLED = task_pb2.WORK_STATE_PENDING, task_pb2.WORK_STATE_CANCELLED


def fired(*times: float) -> list[tuple[float, str]]:
    return [(float(time), "fired") for time in times]


# -- each kind


async def test_an_interval_fires_at_once_and_then_every_so_often(bench: Scheduling):
    schedule_id = await bench.make(overlap_policy=ALLOW)
    await bench.step()
    await bench.pass_time(25)
    assert await bench.rows(schedule_id) == fired(0, 10, 20)
    scheduled = [task.scheduled_at for task in await bench.tasks(schedule_id)]
    assert scheduled == [instants.timestamp(bench.begin_us + s * 10_000_000) for s in range(3)]
    schedule = await bench.get(schedule_id)
    assert schedule.fired_count == 3
    assert schedule.next_run_at == instants.timestamp(bench.begin_us + 30_000_000)


async def test_cron_fires_at_its_times_and_never_early(bench: Scheduling):
    schedule_id = await bench.make(cron_expression="*/20 * * * * *", overlap_policy=ALLOW)
    await bench.pass_time(19.9, every=0.7)
    assert await bench.rows(schedule_id) == []
    await bench.pass_time(21, every=0.7)
    assert await bench.rows(schedule_id) == fired(20, 40)
    assert all(row.decided_at.ToNanoseconds() >= row.nominal_time.ToNanoseconds() for row in
               await bench.firings(schedule_id))  # fmt: skip


async def test_one_time_fires_once_and_the_schedule_ends(bench: Scheduling):
    schedule_id = await bench.make(kind=ONCE, start_time=5)
    late = await bench.make(kind=ONCE, start_time=-60)  # as who says "now" with a slow clock
    too_late = await bench.make(kind=ONCE, start_time=-4000)
    await bench.pass_time(4)
    assert await bench.rows(schedule_id) == []
    await bench.pass_time(10)
    assert await bench.rows(schedule_id) == fired(5)
    assert await bench.rows(late) == fired(-60)
    assert await bench.rows(too_late) == [(-4000.0, "misfire")]
    for each in (schedule_id, late, too_late):
        assert (await bench.get(each)).state == pb.SCHEDULE_STATE_ENDED


async def test_an_event_fires_when_it_is_triggered_only(bench: Scheduling):
    schedule_id = await bench.make(kind=EVENT, parameters='{"a": 1}')
    await bench.pass_time(30)
    assert await bench.tasks(schedule_id) == []
    task = await bench.world.fleet.schedules.trigger(ADMIN, schedule_id, '{"b": 2}')
    assert (task.parameters, task.schedule_id) == ('{"b": 2}', schedule_id)
    assert await bench.rows(schedule_id) == []


async def test_a_daemon_always_has_one_task_and_waits_longer_each_time_it_fails(bench: Scheduling):
    schedule_id = await bench.make(kind=DAEMON)
    await bench.step()
    pauses = []
    for _ in range(9):
        await bench.pass_time(100, every=50)
        before = bench.now
        await bench.end(schedule_id, task_pb2.WORK_STATE_FAILED)
        last = (await bench.tasks(schedule_id))[-1]
        due_at = last.due_at if last.HasField("due_at") else last.scheduled_at
        pauses.append((instants.microseconds(due_at) - bench.begin_us) / 1e6 - before)
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    await bench.end(schedule_id, task_pb2.WORK_STATE_FAILED, ran=11)  # it ran for a while
    last = (await bench.tasks(schedule_id))[-1]
    assert last.state == PENDING
    assert not last.HasField("due_at")
    unfinished = [task for task in await bench.tasks(schedule_id) if task.state == PENDING]
    assert len(unfinished) == 1
    await bench.world.fleet.schedules.pause(ADMIN, schedule_id)
    await bench.end(schedule_id)
    await bench.pass_time(200, every=50)
    assert len(await bench.tasks(schedule_id)) == 11
    await bench.world.fleet.schedules.resume(ADMIN, schedule_id)
    await bench.step()
    assert (await bench.tasks(schedule_id))[-1].state == PENDING


async def test_a_daemon_begins_at_its_start_and_ends_with_its_end_or_count(bench: Scheduling):
    timed = await bench.make(kind=DAEMON, start_time=20, end_time=60)
    counted = await bench.make(kind=DAEMON, max_count=2)
    await bench.pass_time(19)
    assert await bench.tasks(timed) == []
    assert len(await bench.tasks(counted)) == 1
    await bench.pass_time(2)
    assert len(await bench.tasks(timed)) == 1
    await bench.pass_time(60)
    for each in (timed, counted, counted):
        await bench.end(each, ran=15)
    assert len(await bench.tasks(timed)) == 1
    assert len(await bench.tasks(counted)) == 2
    for each in (timed, counted):
        assert (await bench.get(each)).state == pb.SCHEDULE_STATE_ENDED


# -- from when to when, and how often


async def test_it_has_no_times_before_its_start_nor_from_its_end_on(bench: Scheduling):
    schedule_id = await bench.make(start_time=15, end_time=35, overlap_policy=ALLOW)
    cron = await bench.make(
        cron_expression="*/10 * * * * *", start_time=10, end_time=30, overlap_policy=ALLOW
    )
    await bench.pass_time(60)
    assert await bench.rows(schedule_id) == fired(15, 25)
    assert await bench.rows(cron) == fired(10, 20)
    assert (await bench.get(schedule_id)).state == pb.SCHEDULE_STATE_ENDED


@pytest.mark.parametrize("down_for", [0, 200])
async def test_no_more_of_its_times_fire_than_it_counts(bench: Scheduling, down_for: int):
    schedule_id = await bench.make(
        max_count=3, overlap_policy=ALLOW, misfire_policy=pb.MISFIRE_POLICY_FIRE_ALL
    )
    await bench.world.restart(down_for=down_for)
    await bench.pass_time(100)
    assert await bench.rows(schedule_id) == fired(0, 10, 20)
    schedule = await bench.get(schedule_id)
    assert (schedule.state, schedule.enabled) == (pb.SCHEDULE_STATE_ENDED, False)
    assert instants.microseconds(schedule.position) == bench.begin_us + 20_000_000
    # More of them, from then on.
    schedule = await bench.update(schedule_id, max_count=5)
    assert (schedule.state, schedule.generation) == (pb.SCHEDULE_STATE_ACTIVE, 2)
    await bench.pass_time(60)
    assert len(await bench.tasks(schedule_id)) == 5


async def test_what_is_buffered_counts_when_it_fires(bench: Scheduling):
    schedule_id = await bench.make(max_count=2, overlap_policy=pb.OVERLAP_POLICY_BUFFER_ALL)
    await bench.pass_time(35)
    assert await bench.rows(schedule_id) == [
        (0.0, "fired"), (10.0, "buffered"), (20.0, "buffered"), (30.0, "buffered")
    ]  # fmt: skip
    await bench.end(schedule_id)
    await bench.pass_time(60)
    await bench.end(schedule_id)
    assert await bench.rows(schedule_id) == [
        (0.0, "fired"), (10.0, "fired"), (20.0, "overlap"), (30.0, "overlap")
    ]  # fmt: skip
    assert (await bench.get(schedule_id)).state == pb.SCHEDULE_STATE_ENDED


async def test_jitter_delays_a_task_and_always_by_as_much(bench: Scheduling):
    schedule_id = await bench.make(jitter_seconds=60, overlap_policy=ALLOW)
    await bench.pass_time(300)
    delays = {}
    for task in await bench.tasks(schedule_id):
        at = instants.microseconds(task.scheduled_at)
        delays[at] = instants.microseconds(task.due_at) - at
    assert len(delays) == 31
    assert all(0 <= delay <= 60_000_000 for delay in delays.values())
    assert len(set(delays.values())) > 25
    stored = pb.Schedule(id=schedule_id, jitter_seconds=60)
    assert all(firings._jitter_us(stored, at) == delay for at, delay in delays.items())
    held = sa.select(tables.tasks.c.due_at_us, tables.tasks.c.hold)
    for row in await bench.world.store.read(held):
        assert (row.hold != 0) == (row.due_at_us > bench.world.clock.now_us())


# -- overlap


@pytest.mark.parametrize(
    ("policy", "before", "after"),
    [
        ("ALLOW", ["fired"] * 4, ["fired"] * 4),
        ("UNSPECIFIED", ["fired", (10.0, 30.0, 3, "overlap")], None),
        ("SKIP", ["fired", (10.0, 30.0, 3, "overlap")], None),
        ("BUFFER_ONE", ["fired", "buffered", (20.0, 30.0, 2, "overlap")],
         ["fired", "fired", (20.0, 30.0, 2, "overlap")]),
        ("BUFFER_ALL", ["fired"] + ["buffered"] * 3, ["fired"] * 2 + ["buffered"] * 2),
    ],
)  # fmt: skip
@pytest.mark.parametrize("end", [task_pb2.WORK_STATE_SUCCEEDED, CANCELLED])
async def test_what_becomes_of_a_time_while_a_task_runs(
    bench: Scheduling, policy: str, before: list[Any], after: list[Any] | None, end: int
):
    schedule_id = await bench.make(overlap_policy=f"OVERLAP_POLICY_{policy}")
    await bench.pass_time(35)

    def words(rows: list[Any]) -> list[Any]:
        return [row if len(row) == 4 else row[1] for row in rows]

    assert words(await bench.rows(schedule_id)) == before
    await bench.end(schedule_id, end)
    assert words(await bench.rows(schedule_id)) == (after or before)
    tasks = await bench.tasks(schedule_id)
    assert len(tasks) == sum(word == "fired" for word in words(await bench.rows(schedule_id)))


async def test_what_is_buffered_fires_in_turn_with_its_own_time(bench: Scheduling):
    schedule_id = await bench.make(overlap_policy=pb.OVERLAP_POLICY_BUFFER_ALL, end_time=40)
    await bench.pass_time(50)
    for n in range(4):
        tasks = await bench.tasks(schedule_id)
        assert len(tasks) == n + 1
        assert instants.microseconds(tasks[-1].scheduled_at) == bench.begin_us + n * 10_000_000
        await bench.end(schedule_id)
    assert await bench.rows(schedule_id) == fired(0, 10, 20, 30)
    assert (await bench.get(schedule_id)).state == pb.SCHEDULE_STATE_ENDED


@pytest.mark.parametrize("policy", ["CANCEL_OTHER", "TERMINATE_OTHER"])
async def test_a_later_time_takes_the_place_of_what_runs(bench: Scheduling, policy: str):
    agent = bench.world.agent("n1", capabilities=["shell", "exec"])
    await agent.connect()
    await agent.settle()
    schedule_id = await bench.make(overlap_policy=f"OVERLAP_POLICY_{policy}")
    await bench.step()
    [dispatch] = await agent.dispatched()
    await agent.start(dispatch)
    await bench.pass_time(25)
    assert await bench.rows(schedule_id) == [
        (0.0, "fired"), (10.0, "overlap"), (20.0, "buffered")
    ]  # fmt: skip
    [cancel] = agent.cancels[:1] or await agent.until(lambda: agent.cancels)
    assert cancel.grace_ms == (0 if policy == "TERMINATE_OTHER" else 5000)
    await agent.finish(dispatch, exit_code=143)
    await bench.step()
    assert await bench.rows(schedule_id) == [
        (0.0, "fired"), (10.0, "overlap"), (20.0, "fired")
    ]  # fmt: skip


async def test_a_later_time_takes_the_place_of_what_waits_at_once(bench: Scheduling):
    schedule_id = await bench.make(overlap_policy=pb.OVERLAP_POLICY_CANCEL_OTHER)
    await bench.pass_time(25)
    assert await bench.rows(schedule_id) == fired(0, 10, 20)
    states = [task.state for task in await bench.tasks(schedule_id)]
    assert states == [CANCELLED, CANCELLED, PENDING]


@pytest.mark.parametrize(
    ("verb", "word"), [("pause", "paused"), ("disable", "paused"), ("job", "disabled"), ("delete", "deleted")]
)  # fmt: skip
async def test_what_is_buffered_is_settled_when_its_turn_cannot_come(
    bench: Scheduling, verb: str, word: str
):
    schedules, jobs = bench.world.fleet.schedules, bench.world.fleet.jobs
    job_id = await bench.job()
    schedule_id = await bench.make(job_id, overlap_policy=pb.OVERLAP_POLICY_BUFFER_ALL)
    await bench.pass_time(25)
    match verb:
        case "pause":
            await schedules.pause(ADMIN, schedule_id, "a note")
        case "disable":
            await schedules.pause(ADMIN, schedule_id, cancels=True)
            assert (await bench.tasks(schedule_id))[0].state == CANCELLED
        case "job":
            await jobs.set_status(ADMIN, job_id, job_pb2.JOB_STATUS_DISABLED)
            assert (await bench.tasks(schedule_id))[0].state == CANCELLED
        case "delete":
            await schedules.delete(ADMIN, schedule_id)
    rows = await bench.world.store.read(
        sa.select(tables.firings.c.disposition).order_by(tables.firings.c.nominal_us)
    )
    skipped = pb.Disposition.Value(f"DISPOSITION_SKIPPED_{word.upper()}")
    assert [row.disposition for row in rows] == [pb.DISPOSITION_FIRED, skipped, skipped]
    await bench.end(schedule_id)
    assert len(await bench.tasks(schedule_id)) == 1
    assert not await schedules.unsettled()


async def test_an_edit_leaves_what_is_buffered(bench: Scheduling):
    schedule_id = await bench.make(overlap_policy=pb.OVERLAP_POLICY_BUFFER_ONE)
    await bench.pass_time(15)
    await bench.update(schedule_id, interval_secs=1000)
    await bench.end(schedule_id)
    assert await bench.rows(schedule_id) == fired(0, 10)


# -- misfires


@pytest.mark.parametrize(
    ("policy", "window", "expected"),
    [
        ("IGNORE", 3600, [(10.0, 90.0, 9, "misfire"), (100.0, "fired")]),
        ("UNSPECIFIED", 3600, [(10.0, 80.0, 8, "misfire"), (90.0, "fired"), (100.0, "fired")]),
        ("FIRE_ONCE", 3600, [(10.0, 80.0, 8, "misfire"), (90.0, "fired"), (100.0, "fired")]),
        ("FIRE_ONCE", 14, [(10.0, 90.0, 9, "misfire"), (100.0, "fired")]),
        ("FIRE_ALL", 3600, fired(*range(10, 101, 10))),
        ("FIRE_ALL", 45, [(10.0, 50.0, 5, "misfire"), *fired(60, 70, 80, 90, 100)]),
    ],
)
async def test_what_becomes_of_times_that_passed(
    bench: Scheduling, policy: str, window: int, expected: list[Any]
):
    schedule_id = await bench.make(
        overlap_policy=ALLOW,
        misfire_policy=f"MISFIRE_POLICY_{policy}",
        misfire_window_seconds=window,
    )
    await bench.step()
    await bench.world.restart(down_for=105)
    await bench.step()
    assert await bench.rows(schedule_id) == [*fired(0), *expected]


async def test_the_last_of_very_many_that_passed_fires(bench: Scheduling):
    """So many that they are covered in several mutations, one of which ends between the last and what is not
    missed."""
    schedule_id = await bench.make(interval_secs=1, overlap_policy=ALLOW)
    await bench.world.restart(down_for=1509)  # 1498 and older are missed
    await bench.step()
    first, *rest = await bench.rows(schedule_id)
    assert first == (0.0, 1497.0, 1498, "misfire")
    assert rest == fired(*range(1498, 1510))


async def test_a_task_that_is_made_late_waits_for_a_node_from_then_on(bench: Scheduling):
    schedule_id = await bench.make(
        await bench.job(queue_timeout_seconds=600), start_time=0, overlap_policy=ALLOW
    )
    await bench.world.restart(down_for=1205)
    await bench.step()
    await bench.world.pass_time(300)
    assert {task.state for task in await bench.tasks(schedule_id)} == {PENDING}


# -- clocks that are changed


def at_wall(bench: Scheduling, zone: str, *wall: int) -> None:
    """Sets the clock to what the clocks of a zone show."""
    now = datetime(*wall, tzinfo=ZoneInfo(zone)).timestamp()  # type: ignore[misc, arg-type]
    bench.world.clock.advance(now - bench.world.clock.now_us() / 1e6)
    bench.begin_us = bench.world.clock.now_us()


@pytest.mark.parametrize(("policy", "rows"), [("SHIFT", [(3600.0, "fired")]), ("SKIP", [])])
async def test_a_time_that_a_day_does_not_have(bench: Scheduling, policy: str, rows: list[Any]):
    at_wall(bench, "Europe/Berlin", 2027, 3, 28, 1)
    schedule_id = await bench.make(
        cron_expression="30 2 * * *", timezone="Europe/Berlin", gap_policy=f"GAP_POLICY_{policy}"
    )
    await bench.pass_time(7200, every=600)
    assert await bench.rows(schedule_id) == rows
    if rows:
        [row] = await bench.firings(schedule_id)
        assert "gap" in row.note


@pytest.mark.parametrize(
    ("policy", "rows"), [("FIRST", [1800]), ("LAST", [5400]), ("BOTH", [1800, 5400])]
)
async def test_a_time_that_a_day_has_twice(bench: Scheduling, policy: str, rows: list[int]):
    at_wall(bench, "Europe/Berlin", 2027, 10, 31, 2)
    schedule_id = await bench.make(
        cron_expression="30 2 * * *",
        timezone="Europe/Berlin",
        fold_policy=f"FOLD_POLICY_{policy}",
        overlap_policy=ALLOW,
    )
    await bench.pass_time(7200, every=600)
    assert await bench.rows(schedule_id) == fired(*rows)
    assert all("twice" in row.note for row in await bench.firings(schedule_id))


# -- pausing and changing


async def test_times_of_a_pause_are_skipped_and_do_not_come_back(bench: Scheduling):
    schedules = bench.world.fleet.schedules
    schedule_id = await bench.make(overlap_policy=ALLOW)
    await bench.pass_time(14)
    paused = await schedules.pause(ADMIN, schedule_id, "the disk is full")
    assert (paused.state, paused.pause_note) == (pb.SCHEDULE_STATE_PAUSED, "the disk is full")
    await bench.pass_time(700, every=10)
    resumed = await schedules.resume(ADMIN, schedule_id)
    assert (resumed.state, resumed.pause_note) == (pb.SCHEDULE_STATE_ACTIVE, "")
    await bench.pass_time(14)
    skipped = (20.0, 710.0, 70, "paused")
    assert await bench.rows(schedule_id) == [*fired(0, 10), skipped, *fired(720)]


async def test_times_of_a_disabled_job_are_skipped_and_the_next_one_fires(bench: Scheduling):
    job_id = await bench.job()
    schedule_id = await bench.make(job_id, overlap_policy=ALLOW)
    await bench.pass_time(10)
    bench.world.clock.advance(10)  # nobody has come round to this one yet
    await bench.world.fleet.jobs.set_status(ADMIN, job_id, job_pb2.JOB_STATUS_DISABLED)
    await bench.pass_time(55)
    await bench.world.fleet.jobs.set_status(ADMIN, job_id, job_pb2.JOB_STATUS_ENABLED)
    await bench.pass_time(20)
    assert await bench.rows(schedule_id) == [
        *fired(0, 10, 20), (30.0, 70.0, 5, "disabled"), *fired(80, 90)
    ]  # fmt: skip


async def test_a_job_that_is_disabled_and_enabled_again_loses_no_time(bench: Scheduling):
    """Whichever of its schedules has a time by then, and when the server looked at it last."""
    job_id = await bench.job()
    soon = await bench.make(job_id, interval_secs=30, overlap_policy=ALLOW)
    rare = await bench.make(job_id, cron_expression="0 15 * * * *", overlap_policy=ALLOW)  # in 900 s
    paused = await bench.make(job_id, interval_secs=60, overlap_policy=ALLOW)
    jobs, schedules = bench.world.fleet.jobs, bench.world.fleet.schedules
    await schedules.pause(ADMIN, paused)
    await bench.pass_time(40, every=10)
    await jobs.set_status(ADMIN, job_id, job_pb2.JOB_STATUS_DISABLED)
    await bench.pass_time(50, every=10)
    await jobs.set_status(ADMIN, job_id, job_pb2.JOB_STATUS_ENABLED)
    await bench.pass_time(40, every=10)
    await schedules.resume(ADMIN, paused)
    await bench.pass_time(60, every=10)
    assert await bench.rows(soon) == [
        *fired(0, 30), (60.0, 90.0, 2, "disabled"), *fired(120, 150, 180)
    ]  # fmt: skip
    assert await bench.rows(paused) == [*fired(0), (60.0, 120.0, 2, "paused"), *fired(180)]
    bench.world.clock.advance(900 - bench.now - 1)
    await jobs.set_status(ADMIN, job_id, job_pb2.JOB_STATUS_DISABLED)
    bench.world.clock.advance(1)
    await jobs.set_status(ADMIN, job_id, job_pb2.JOB_STATUS_ENABLED)
    assert await bench.rows(rare) == [(900.0, "disabled")]
    await bench.pass_time(3600, every=300)
    assert await bench.rows(rare) == [(900.0, "disabled"), *fired(4500)]


async def test_other_times_begin_strictly_after_the_change(bench: Scheduling):
    schedule_id = await bench.make(cron_expression="*/10 * * * * *", overlap_policy=ALLOW)
    await bench.pass_time(10)
    bench.world.clock.advance(10)  # at 20, to which nobody has come round yet
    changed = await bench.update(schedule_id, cron_expression="*/5 * * * * *")
    assert changed.generation == 2
    await bench.pass_time(10)
    found = [
        (row.generation, (instants.microseconds(row.nominal_time) - bench.begin_us) / 1e6)
        for row in await bench.firings(schedule_id)
    ]
    assert found == [(1, 10.0), (1, 20.0), (2, 25.0), (2, 30.0)]
    assert (await bench.update(schedule_id, name="another")).generation == 2


@pytest.mark.parametrize("goes_back", [False, True])
async def test_a_change_settles_what_came_while_its_schedule_was_put_off(
    bench: Scheduling, goes_back: bool
):
    schedule_id = await bench.make(cron_expression="* * * * * *", overlap_policy=ALLOW)
    bench.world.clock.advance(4)
    await bench.world.store.write(partial(firings.put_off, schedule_id=schedule_id))
    if goes_back:
        bench.world.clock.advance(-1)
    else:
        await bench.step()
    assert not await bench.rows(schedule_id)
    await bench.update(schedule_id, cron_expression="*/5 * * * * *")
    assert (await bench.rows(schedule_id))[:3] == fired(1, 2, 3)
    assert not await bench.check()


async def test_a_change_while_the_clock_is_behind_fires_no_time_again(bench: Scheduling):
    schedule_id = await bench.make(cron_expression="*/10 * * * * *", overlap_policy=ALLOW)
    await bench.pass_time(60)
    bench.world.clock.advance(-40)
    changed = await bench.update(schedule_id, timezone="Etc/UTC")  # the same times
    assert changed.generation_begin == instants.timestamp(bench.begin_us + 60_000_000)
    await bench.pass_time(60)
    assert await bench.rows(schedule_id) == fired(*range(10, 81, 10))
    assert len(await bench.tasks(schedule_id)) == 8


async def test_times_of_a_job_enabled_while_the_clock_is_behind_are_not_missed(bench: Scheduling):
    job_id = await bench.job()
    jobs = bench.world.fleet.jobs
    schedule_id = await bench.make(job_id, interval_secs=60, overlap_policy=pb.OVERLAP_POLICY_ALLOW)
    await bench.step()
    await jobs.set_status(ADMIN, job_id, job_pb2.JOB_STATUS_DISABLED)
    await bench.pass_time(30, every=10)
    bench.world.clock.advance(-25)
    await jobs.set_status(ADMIN, job_id, job_pb2.JOB_STATUS_ENABLED)
    await bench.step()
    await bench.pass_time(180, every=10)
    assert await bench.rows(schedule_id) == [(float(at), "fired") for at in (0, 60, 120, 180)]


async def test_one_time_can_be_brought_forward_and_changed_into_many(bench: Scheduling):
    schedule_id = await bench.make(kind=ONCE, start_time=1000)
    await bench.update(schedule_id, start_time=instants.timestamp(bench.begin_us + 20_000_000))
    await bench.pass_time(20)
    assert await bench.rows(schedule_id) == fired(20)
    later = await bench.make(kind=ONCE, start_time=10_000)
    await bench.update(later, kind=CRON, cron_expression="*/10 * * * * *", start_time=None)
    await bench.pass_time(10)
    assert await bench.rows(later) == fired(30)


async def test_one_time_that_is_put_into_the_past_is_one_that_was_missed(bench: Scheduling):
    fires = await bench.make(kind=ONCE, start_time=1000)
    skips = await bench.make(kind=ONCE, start_time=1000)
    await bench.update(fires, start_time=instants.timestamp(bench.begin_us - 60_000_000))
    await bench.update(skips, start_time=instants.timestamp(bench.begin_us - 4000_000_000))
    await bench.step()
    assert await bench.rows(fires) == fired(-60)
    assert await bench.rows(skips) == [(-4000.0, "misfire")]
    # It fired: whatever else of it changes, that time does not again.
    await bench.update(fires, timezone="Etc/UTC", description="as it was")
    await bench.pass_time(20)
    assert (await bench.get(fires)).state == pb.SCHEDULE_STATE_ENDED
    assert len(await bench.tasks(fires)) == 1


async def test_one_time_is_not_put_before_times_that_are_settled(bench: Scheduling):
    schedule_id = await bench.make(overlap_policy=ALLOW)
    await bench.pass_time(25)
    at = instants.timestamp(bench.begin_us + 15_000_000)
    with pytest.raises(errors.InvalidArgument, match=r"start_time: .*2027-01-15T08:00:20Z"):
        await bench.update(schedule_id, kind=ONCE, start_time=at)
    assert (await bench.get(schedule_id)).generation == 1


async def test_one_time_is_not_put_where_another_is_settled(bench: Scheduling):
    schedule_id = await bench.make(overlap_policy=ALLOW)
    await bench.pass_time(15)
    at = instants.timestamp(bench.begin_us + 10_000_000)
    with pytest.raises(errors.InvalidArgument, match=r"start_time: must lie after 2027-01-15T08:00:10Z"):
        await bench.update(schedule_id, kind=ONCE, start_time=at)
    await bench.pass_time(10)
    assert await bench.rows(schedule_id) == fired(0, 10, 20)


@pytest.mark.parametrize("at", [10_000_000_000, -2_000_000_000])
async def test_a_time_that_no_calendar_has_is_refused(bench: Scheduling, at: int):
    for wanted in ({"kind": ONCE}, {"interval_secs": 10}, {"cron_expression": "0 2 * * *"}):
        with pytest.raises(errors.InvalidArgument, match=r"start_time: .*1970.*2199"):
            await bench.make(start_time=at, **wanted)
    schedule_id = await bench.make(kind=ONCE, start_time=10)
    with pytest.raises(errors.InvalidArgument, match=r"start_time: .*1970.*2199"):
        await bench.update(schedule_id, start_time=instants.timestamp(bench.begin_us + at * 1_000_000))
    assert (await bench.get(schedule_id)).state == pb.SCHEDULE_STATE_ACTIVE


async def test_an_ended_schedule_stays_ended_until_it_has_other_times(bench: Scheduling):
    schedule_id = await bench.make(max_count=1)
    await bench.step()
    schedules = bench.world.fleet.schedules
    with pytest.raises(
        errors.ScheduleEnded, match="has ended: give it other times, or a greater max_count"
    ):
        await schedules.resume(ADMIN, schedule_id)
    await schedules.pause(ADMIN, schedule_id)
    await bench.update(schedule_id, enabled=True)
    await bench.pass_time(30)
    assert (await bench.get(schedule_id)).state == pb.SCHEDULE_STATE_ENDED
    await bench.update(schedule_id, interval_secs=5)  # its count is used up all the same
    await bench.pass_time(30)
    assert await bench.rows(schedule_id) == fired(0)
    assert (await bench.get(schedule_id)).state == pb.SCHEDULE_STATE_ENDED


@pytest.mark.parametrize("how", ["pause", "disable", "update", "earlier"])
async def test_an_ended_schedule_that_was_paused_stays_so_with_other_times(bench: Scheduling, how: str):
    schedule_id = await bench.make(interval_secs=2, end_time=3)
    schedules = bench.world.fleet.schedules
    if how == "earlier":
        await bench.step()
        await schedules.pause(ADMIN, schedule_id)
    await bench.pass_time(700, every=100)
    match how:
        case "pause":
            paused = await schedules.pause(ADMIN, schedule_id, "stop it")
            assert (paused.state, paused.pause_note) == (pb.SCHEDULE_STATE_ENDED, "stop it")
        case "disable":
            await schedules.pause(ADMIN, schedule_id, cancels=True)
        case "update":
            await bench.update(schedule_id, enabled=False)
    assert (await bench.get(schedule_id)).state == pb.SCHEDULE_STATE_ENDED
    later = instants.timestamp(bench.begin_us + 3_600_000_000)
    await bench.update(schedule_id, end_time=later)
    before = len(await bench.tasks(schedule_id))
    await bench.pass_time(10)
    reopened = await bench.get(schedule_id)
    assert (reopened.state, reopened.enabled) == (pb.SCHEDULE_STATE_PAUSED, False)
    assert reopened.pause_note == ("stop it" if how == "pause" else "no reason was given")
    assert not reopened.HasField("next_run_at")
    assert len(await bench.tasks(schedule_id)) == before
    await schedules.resume(ADMIN, schedule_id)
    assert (await bench.get(schedule_id)).HasField("next_run_at")


async def test_an_ended_schedule_that_was_paused_and_enabled_goes_on_with_other_times(bench: Scheduling):
    schedule_id = await bench.make(max_count=1)
    await bench.step()
    schedules = bench.world.fleet.schedules
    await schedules.pause(ADMIN, schedule_id, "stop it")
    with pytest.raises(errors.ScheduleEnded):
        await schedules.resume(ADMIN, schedule_id)
    await bench.update(schedule_id, enabled=True)
    enabled = await bench.get(schedule_id)
    assert (enabled.state, enabled.pause_note) == (pb.SCHEDULE_STATE_ENDED, "")
    await bench.update(schedule_id, max_count=5)
    assert (await bench.get(schedule_id)).state == pb.SCHEDULE_STATE_ACTIVE


async def test_a_preview_shows_local_times_in_whole_seconds(bench: Scheduling):
    bench.world.clock.advance(0.123456)
    schedule_id = await bench.make(interval_secs=10)
    found = await bench.world.fleet.schedule_times.preview(ADMIN, schedule_id, 2, None)
    assert [time.local_time for time in found] == ["2027-01-15T08:00:10", "2027-01-15T08:00:20"]


async def test_a_preview_lists_no_more_times_than_may_still_fire(bench: Scheduling):
    async def preview(schedule_id: str, after: int | None = None) -> int:
        since = None if after is None else instants.timestamp(bench.begin_us + after * 1_000_000)
        return len(list(await bench.world.fleet.schedule_times.preview(ADMIN, schedule_id, 5, since)))

    counted = await bench.make(interval_secs=10, max_count=2, overlap_policy=ALLOW)
    endless = await bench.make(cron_expression="* * * * * *", overlap_policy=ALLOW)
    assert await preview(counted) == 2
    await bench.step()
    assert [await preview(counted), await preview(counted, 600), await preview(endless)] == [1, 1, 5]
    await bench.pass_time(10)
    assert (await bench.get(counted)).state == pb.SCHEDULE_STATE_ENDED
    assert [await preview(counted), await preview(counted, 600), await preview(endless)] == [0, 0, 5]
    await bench.update(counted, max_count=3, enabled=False)
    assert await preview(counted) == 1
    # One runs, two wait for their turn, one is left.
    waiting = await bench.make(
        interval_secs=10, max_count=4, overlap_policy=pb.OVERLAP_POLICY_BUFFER_ALL
    )
    await bench.step()
    await bench.pass_time(20, every=10)
    assert await preview(waiting) == 1


# -- beside the ledger


@pytest.mark.parametrize("policy", ["UNSPECIFIED", "ALLOW"])
async def test_a_range_of_the_past_is_backfilled_in_turn(bench: Scheduling, policy: str):
    schedule_id = await bench.make(
        await bench.job(queue_timeout_seconds=600), cron_expression="0 * * * *"
    )
    day = [instants.timestamp(bench.begin_us - hours * 3_600_000_000) for hours in (30, 25)]
    made = await bench.world.fleet.schedules.backfill(
        ADMIN,
        api.BackfillScheduleRequest(
            schedule_id=schedule_id,
            start_time=day[0],
            end_time=day[1],
            overlap_policy=f"OVERLAP_POLICY_{policy}",
        ),
    )
    assert made.count == 5
    await bench.world.pass_time(300)
    tasks = await bench.tasks(schedule_id)
    assert [task.id for task in tasks] == list(made.task_ids)
    assert {task.state for task in tasks} == {PENDING}
    assert [len(task.dependencies) for task in tasks] == [0, *([policy != "ALLOW"] * 4)]
    assert await bench.rows(schedule_id) == []


# -- what must not stand in the way of others


async def test_a_schedule_that_cannot_fire_says_why_and_keeps_no_other(bench: Scheduling):
    text = '"' + "x" * 131_000 + '"'
    fat = await bench.make(await bench.job(command_text="x" * 131_000), parameters=text)
    broken = await bench.make(cron_expression="* * * * * *")

    def spoil(tx: Any) -> None:
        schedule = tx.get(SCHEDULES, broken)
        schedule.cron_expression = "every now and then"
        tx.put(SCHEDULES, schedule)

    await bench.world.store.write(spoil)
    others = [await bench.make(overlap_policy=ALLOW) for _ in range(3)]
    await bench.pass_time(15)
    for each in others:
        assert await bench.rows(each) == fired(0, 10)
    for each, word in ((fat, "bytes"), (broken, "expression")):
        schedule = await bench.get(each)
        assert schedule.state == pb.SCHEDULE_STATE_PAUSED
        assert schedule.pause_note.startswith("it cannot fire: ")
        assert word in schedule.pause_note
    mended = await bench.update(broken, cron_expression="*/5 * * * * *", enabled=True)
    assert (mended.state, mended.pause_note) == (pb.SCHEDULE_STATE_ACTIVE, "")
    await bench.pass_time(5)
    assert await bench.rows(broken) == fired(20)


async def test_what_cannot_go_on_keeps_no_other(bench: Scheduling):
    """Tasks of many schedules end at once, for each of which a time waits: one of those cannot fire."""
    buffers = {"overlap_policy": pb.OVERLAP_POLICY_BUFFER_ALL}
    grows = await bench.job()
    text = '"' + "x" * 131_000 + '"'
    made = [await bench.make(**buffers) for _ in range(2)]
    fat = await bench.make(grows, parameters=text, **buffers)
    made += [await bench.make(**buffers) for _ in range(2)]
    await bench.pass_time(15)
    config = task_pb2.TaskConfig(command_text="x" * 131_000)
    request = job_service_pb2.UpdateJobRequest(job_id=grows, config=config)
    await bench.world.fleet.jobs.update(ADMIN, request, ["config"])
    await bench.end_all()
    await bench.step()
    for each in made:
        assert await bench.rows(each) == fired(0, 10)
    schedule = await bench.get(fat)
    assert schedule.state == pb.SCHEDULE_STATE_PAUSED
    assert "bytes" in schedule.pause_note


async def test_tasks_that_end_together_are_settled_together(bench: Scheduling):
    """One after the other, each in a commit of its own, thousands of them would hold up what is due."""
    made = [await bench.make(overlap_policy=pb.OVERLAP_POLICY_BUFFER_ALL) for _ in range(30)]
    idle = [await bench.make() for _ in range(30)]
    await bench.pass_time(15)
    assert [len(await bench.tasks(each)) for each in (made[0], idle[0])] == [1, 1]
    await bench.end_all()
    before = bench.world.store.revision
    await bench.step()
    assert bench.world.store.revision == before + 1
    for each in made:
        assert await bench.rows(each) == fired(0, 10)


async def test_a_job_can_be_disabled_though_one_of_its_schedules_cannot_fire(bench: Scheduling):
    job_id = await bench.job()
    broken = await bench.make(job_id, cron_expression="* * * * * *")
    good = await bench.make(job_id, overlap_policy=ALLOW)

    def spoil(tx: Any) -> None:
        schedule = tx.get(SCHEDULES, broken)
        schedule.timezone = "Gone/Away"
        tx.put(SCHEDULES, schedule)

    await bench.world.store.write(spoil)
    jobs = bench.world.fleet.jobs
    await jobs.set_status(ADMIN, job_id, job_pb2.JOB_STATUS_DISABLED)
    await bench.pass_time(15)
    assert (await bench.get(broken)).state == pb.SCHEDULE_STATE_PAUSED
    await jobs.set_status(ADMIN, job_id, job_pb2.JOB_STATUS_ENABLED)
    await bench.pass_time(10)
    assert await bench.rows(good) == [(0.0, "fired"), (10.0, "disabled"), (20.0, "fired")]


@pytest.mark.parametrize("what", ["job", "schedule"])
@pytest.mark.parametrize("writes", range(1, 9))
async def test_nothing_waits_of_what_is_disabled_whenever_the_server_dies(
    bench: Scheduling, what: str, writes: int
):
    """It dies behind one of its commits, or the client goes away there."""
    world = bench.world
    job_id = await bench.job(labels={"zone": "nowhere"})
    schedule_id = await bench.make(
        job_id, interval_secs=1, overlap_policy=ALLOW, misfire_policy=pb.MISFIRE_POLICY_FIRE_ALL
    )
    world.clock.advance(600)
    await bench.step()
    write, left = world.store.write, writes

    async def dying(*args: Any, **options: Any) -> Any:
        nonlocal left
        if not left:
            raise ConnectionError
        left -= 1
        return await write(*args, **options)

    world.store.write = dying
    with contextlib.suppress(ConnectionError):
        if what == "job":
            await world.fleet.jobs.set_status(ADMIN, job_id, job_pb2.JOB_STATUS_DISABLED)
        else:
            await world.fleet.schedules.pause(ADMIN, schedule_id, cancels=True)
    del world.store.write
    await world.restart(down_for=1)
    await bench.step()
    job = (await world.fleet.jobs.get(ADMIN, job_id)).message()
    is_disabled = job.status == job_pb2.JOB_STATUS_DISABLED or not (await bench.get(schedule_id)).enabled
    states = {task.state for task in await bench.tasks(schedule_id)}
    assert is_disabled == (PENDING not in states), f"disabled: {is_disabled}, {states}"
    assert is_disabled or left == 0


async def test_all_that_waits_is_cancelled_however_many(bench: Scheduling):
    made = []
    for _ in range(3):
        job_id = await bench.job()
        made.append((job_id, await bench.make(
            job_id, interval_secs=1, overlap_policy=ALLOW, misfire_policy=pb.MISFIRE_POLICY_FIRE_ALL
        )))  # fmt: skip
    await bench.world.restart(down_for=1300)
    await bench.step()
    jobs, schedules = bench.world.fleet.jobs, bench.world.fleet.schedules
    await schedules.pause(ADMIN, made[0][1], cancels=True)
    await jobs.set_status(ADMIN, made[1][0], job_pb2.JOB_STATUS_DISABLED)
    await jobs.delete(ADMIN, made[2][0])
    for _, schedule_id in made:
        tasks = await bench.tasks(schedule_id)
        assert len(tasks) == 1301
        assert {task.state for task in tasks} == {CANCELLED}


# -- how long it is kept


async def test_the_ledger_is_kept_as_long_as_its_tasks(bench: Scheduling):
    days = bench.world.settings.terminal_retention
    quiet = await bench.make(kind=ONCE, start_time=5)
    running = await bench.make(kind=ONCE, start_time=5)
    gone = await bench.make(interval_secs=3600)
    busy = await bench.make(interval_secs=3600)
    await bench.pass_time(7200, every=600)
    for each in (quiet, gone, busy):
        await bench.end(each)
    await bench.world.fleet.schedules.delete(ADMIN, gone)
    await bench.pass_time(days - 7200, every=days / 4)
    await bench.world.retention.forget_tasks()
    await bench.world.retention.forget_firings()
    assert await bench.rows(busy) != []
    assert await bench.rows(quiet) == fired(5)

    await bench.pass_time(7500, every=3750)
    await bench.world.retention.forget_tasks()
    await bench.world.retention.forget_firings()
    left = await bench.world.store.read(sa.select(tables.firings.c.schedule_id))
    assert {row.schedule_id for row in left} == {quiet, running, busy}
    assert await bench.rows(quiet) == fired(5)  # the last one
    assert await bench.tasks(quiet) == []
    assert len(await bench.tasks(running)) == 1


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        ("DELETE FROM firings WHERE nominal_us = {at}", "no row says what became of it"),
        ("DELETE FROM tasks WHERE scheduled_at_us = {at}", "it fired, and there is no task"),
        ("UPDATE firings SET times = 2 WHERE nominal_us = {at}", "covers 2 times, of 1"),
        ("UPDATE firings SET nominal_us = nominal_us + 1 WHERE nominal_us = {at}", "of no time"),
        (
            "UPDATE firings SET disposition = 3, run_id = '' WHERE nominal_us = {at}",
            "was made, and no row",
        ),
    ],
)
async def test_the_check_finds_what_is_wrong(world: Any, damage: str, words: str):
    bench = Scheduling(world)
    await bench.make(overlap_policy=ALLOW)
    await bench.pass_time(25)
    assert await bench.check() == []
    at = bench.begin_us + 10_000_000
    await world.store.write(lambda tx: tx.execute(sa.text(damage.format(at=at))))
    found = [str(finding) for finding in await bench.check()]
    assert any(words in finding for finding in found), found


# -- watches


async def next_rows(watch: Any) -> list[Any]:
    async with asyncio.timeout(60):
        page = await anext(watch)
    return [event for event in page.events if event.object is not None]


async def test_a_watch_says_where_a_schedule_stands_as_a_read_does(bench: Scheduling):
    schedules = bench.world.fleet.schedules
    schedule_id, other = await bench.make(overlap_policy=ALLOW), await bench.make(kind=EVENT)
    await bench.step()
    await bench.pass_time(21)
    async with aclosing(schedules.watch(ADMIN, ScheduleFilter(), "")) as watch:
        rows = await next_rows(watch)
        assert [row.object.message() for row in rows] == [
            await bench.get(each) for each in sorted((schedule_id, other))
        ]
        cursor = (await anext(watch)).events[-1].cursor
        await bench.update(schedule_id, description="twice")
        [row] = await next_rows(watch)
        assert row.object.message() == await bench.get(schedule_id)
        assert row.object.message().fired_count == 3
    paused = await schedules.with_standing(await schedules.pause(ADMIN, schedule_id, "enough"))
    assert paused == await bench.get(schedule_id)
    # Who comes later hears of both changes; what comes next is told of the last.
    later = []
    async with aclosing(schedules.watch(ADMIN, ScheduleFilter(), cursor)) as watch:
        while len(later) < 2:
            later += [row.object.message() for row in await next_rows(watch)]
    assert (later[0].state, later[0].fired_count) == (pb.SCHEDULE_STATE_ACTIVE, 3)
    assert not later[0].HasField("next_run_at")
    assert later[1] == paused


async def test_a_watch_takes_the_filters_of_a_list(bench: Scheduling):
    schedules = bench.world.fleet.schedules
    job_id = await bench.job()
    mine, _ = await bench.make(job_id), await bench.make()
    which = ScheduleFilter(job_id=job_id, state=pb.SCHEDULE_STATE_ACTIVE)
    async with aclosing(schedules.watch(ADMIN, which, "")) as watch:
        assert [row.object.message().id for row in await next_rows(watch)] == [mine]
        await next_rows(watch)
        await schedules.pause(ADMIN, mine)
        [row] = await next_rows(watch)
        assert row.type == watch_pb2.EVENT_TYPE_DELETED  # it left what is watched
        assert row.object.message().state == pb.SCHEDULE_STATE_ACTIVE
