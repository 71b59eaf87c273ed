"""When a schedule fires next, or why it does not, of every kind of standing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from novasphere.schedule.v1 import job_pb2
from novasphere.schedule.v1 import schedule_pb2 as pb
from novasphere.schedule.v1.schedule_service_pb2 import ExplainScheduleResponse
from novasphere_server.core.credentials import ADMIN
from novasphere_server.rpc import schedule_explanations
from scheduling import DAEMON, EVENT, ONCE, Scheduling


@pytest.fixture
def bench(world: Any) -> Scheduling:
    return Scheduling(world)


async def explain(bench: Scheduling, schedule_id: str) -> ExplainScheduleResponse:
    """Returns the explanation; in both languages there are words for it."""
    known = await bench.world.fleet.schedule_explanations.explain(ADMIN, schedule_id)
    said, translated = (
        schedule_explanations.response(*known, in_chinese=in_chinese) for in_chinese in (False, True)
    )
    assert said.summary
    assert said.summary != translated.summary
    return said


def reasons(said: ExplainScheduleResponse) -> Sequence[str]:
    return [obstacle.reason for obstacle in said.obstacles]


async def test_one_that_fires_says_when(bench: Scheduling):
    schedule_id = await bench.make(cron_expression="30 2 * * *", timezone="Europe/Berlin")
    said = await explain(bench, schedule_id)
    assert reasons(said) == ["NEXT"]
    assert said.obstacles[0].until == said.schedule.next_run_at
    assert "T02:30:00 Europe/Berlin)" in said.summary
    assert not said.HasField("last_firing")


async def test_a_task_that_has_not_ended_keeps_later_times_from_firing(bench: Scheduling):
    schedule_id = await bench.make()
    await bench.step()
    await bench.pass_time(11)
    said = await explain(bench, schedule_id)
    assert reasons(said) == ["BLOCKED", "NEXT", "SKIPPED"]
    [task] = await bench.tasks(schedule_id)
    assert said.obstacles[0].subject == task.id
    assert "PENDING" in said.summary
    assert said.last_firing.disposition == pb.DISPOSITION_SKIPPED_OVERLAP
    await bench.end(schedule_id)
    assert reasons(await explain(bench, schedule_id)) == ["NEXT", "SKIPPED"]


async def test_a_task_that_was_triggered_keeps_no_time_from_firing(bench: Scheduling):
    schedule_id = await bench.make(cron_expression="*/10 * * * * *")
    await bench.world.fleet.schedules.trigger(ADMIN, schedule_id, None)
    assert reasons(await explain(bench, schedule_id)) == ["NEXT"]


async def test_times_that_are_buffered_are_counted(bench: Scheduling):
    schedule_id = await bench.make(overlap_policy=pb.OVERLAP_POLICY_BUFFER_ALL)
    await bench.step()
    await bench.pass_time(21)
    said = await explain(bench, schedule_id)
    assert reasons(said) == ["BUFFERED", "NEXT"]
    assert "what 2 of its times wait for" in said.summary


async def test_one_that_is_held_says_by_what_and_when_it_would_fire(bench: Scheduling):
    job_id = await bench.job()
    schedule_id = await bench.make(job_id, start_time=60)
    schedules = bench.world.fleet.schedules
    await schedules.pause(ADMIN, schedule_id, "too many reports")
    said = await explain(bench, schedule_id)
    assert reasons(said) == ["PAUSED", "NEXT"]
    assert "too many reports" in said.summary
    assert said.obstacles[1].message.startswith("Its next time would be")
    await schedules.resume(ADMIN, schedule_id)
    await bench.world.fleet.jobs.set_status(ADMIN, job_id, job_pb2.JOB_STATUS_DISABLED)
    said = await explain(bench, schedule_id)
    assert reasons(said) == ["JOB_DISABLED", "NEXT"]
    assert said.obstacles[0].subject == job_id
    bench.world.clock.advance(61)
    said = await explain(bench, schedule_id)  # whose ledger need not keep up with its times
    assert reasons(said) == ["JOB_DISABLED", "NEXT"]
    assert said.obstacles[1].message.startswith("Its next time would be")


async def test_times_that_came_while_no_server_ran_are_told_of(bench: Scheduling):
    schedule_id = await bench.make(start_time=5, misfire_policy=pb.MISFIRE_POLICY_IGNORE)
    bench.world.clock.advance(30)
    assert reasons(await explain(bench, schedule_id)) == ["LATE"]
    bench.world.clock.advance(3600)
    await bench.step()
    await bench.end(schedule_id)
    await bench.world.fleet.schedules.pause(ADMIN, schedule_id)
    bench.world.clock.advance(30)
    await bench.world.fleet.schedules.resume(ADMIN, schedule_id)
    assert reasons(await explain(bench, schedule_id)) == ["NEXT", "SKIPPED"]


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ({"kind": ONCE, "start_time": 5}, "its one time has passed"),
        ({"max_count": 1}, "as often as its max_count allows (1)"),
        ({"end_time": 5}, "it has no more times"),
    ],
)
async def test_one_that_has_ended_says_why(bench: Scheduling, wanted: dict[str, Any], words: str):
    schedule_id = await bench.make(**wanted)
    await bench.step()
    await bench.pass_time(20)
    said = await explain(bench, schedule_id)
    assert reasons(said) == ["ENDED"]
    assert words in said.summary
    assert said.obstacles[0].remedy
    await bench.world.fleet.schedules.pause(ADMIN, schedule_id, "not again")
    said = await explain(bench, schedule_id)
    assert reasons(said) == ["ENDED", "PAUSED"]
    assert words in said.summary


async def test_those_without_times_of_their_own_say_what_makes_their_tasks(bench: Scheduling):
    event = await bench.make(kind=EVENT)
    assert reasons(await explain(bench, event)) == ["TRIGGER"]
    daemon = await bench.make(kind=DAEMON)
    assert reasons(await explain(bench, daemon)) == []
    await bench.step()
    said = await explain(bench, daemon)
    assert reasons(said) == ["DAEMON"]
    assert "waits to run" in said.summary
    later = await bench.make(kind=DAEMON, start_time=60)
    assert reasons(await explain(bench, later)) == ["NEXT"]
