"""What became of tasks, counted by status, device, type and hour, on every database."""

from __future__ import annotations

from typing import Any

import pytest
from databases import rows
from efforts import plan_of
from google.protobuf.json_format import MessageToDict
from novasphere.fleet.v1 import device_task_service_pb2 as device_api
from novasphere.fleet.v1 import stats_service_pb2 as api
from novasphere.fleet.v1 import task_pb2 as fleet_pb
from novasphere.fleet.v1 import task_stats_pb2 as pb
from novasphere.link.v1 import link_service_pb2 as link
from novasphere.schedule.v1 import task_pb2
from novasphere.schedule.v1.task_service_pb2 import NewTask
from novasphere_server.core import task_counts, tasks
from novasphere_server.core.credentials import ADMIN
from novasphere_server.core.principals import Principal

HOUR = 3600
HOUR_US = HOUR * 1_000_000
ECHO = {"task_type": "echo", "payload": '{"message":"x"}'}
LINE = {"command_text": "true"}
PROGRAM = {"cmd": "python", "args": ["-V"]}
BY_TYPE, BY_HOUR = pb.TASK_STATS_GROUPING_TASK_TYPE, pb.TASK_STATS_GROUPING_HOUR


@pytest.fixture
async def world(tmp_path, database_url, world_at):
    return await world_at(tmp_path, database_url)


@pytest.fixture
async def pair(world):
    agents = {}
    for name in ("n1", "n2"):
        agents[name] = world.agent(name, capabilities=["shell", "exec", "echo"])
        await agents[name].connect()
        await agents[name].settle()
    return agents


def new(config: dict[str, Any], node: str = "", namespace: str = "") -> NewTask:
    return NewTask(config=task_pb2.TaskConfig(**config), node_id=node, namespace_id=namespace)


async def run(
    world, agent, config: dict[str, Any], ms: int, code: int = 0, namespace: str = "", **said: Any
) -> None:
    """Has a task run on a node to its end."""
    count = len(agent.dispatches)
    await world.submit(new(config, agent.name, namespace))
    dispatch = (await agent.dispatched(count + 1))[count]
    await agent.finish(dispatch, **{"exit_code": code, "duration_ms": ms} | said)


async def stats(world, principal: Principal = ADMIN, **asked: Any) -> dict[str, Any]:
    counted = await world.fleet.task_stats.count(principal, api.GetTaskStatsRequest(**asked))
    return MessageToDict(counted, preserving_proto_field_name=True)


async def test_counts_are_by_status_and_device_and_of_the_period_alone(world, pair):
    await run(world, pair["n1"], ECHO, 0)  # answered at once
    world.clock.advance(23 * HOUR)
    await run(world, pair["n1"], LINE, 2500)
    await run(world, pair["n1"], LINE, 1500, code=3)
    await run(world, pair["n2"], PROGRAM, 4000)
    lost = {"phase": link.ATTEMPT_PHASE_UNKNOWN, "exit_code": None}
    await run(world, pair["n2"], LINE, 0, **lost)
    # One waits, one is cancelled before any node had it, one while it runs.
    waits, cancelled = await world.submit(*[new(LINE | {"labels": {"is": "nowhere"}})] * 2)
    await world.fleet.schedule_tasks.cancel(ADMIN, cancelled)
    [running] = await world.submit(new(LINE, "n2"))
    dispatch = (await pair["n2"].dispatched(3))[-1]
    await pair["n2"].start(dispatch)
    await world.fleet.schedule_tasks.cancel(ADMIN, running)
    await pair["n2"].finish(dispatch, phase=link.ATTEMPT_PHASE_CANCELLED, duration_ms=60_000)

    assert await stats(world) == {
        "period": "STATS_PERIOD_DAY",
        "group_by": "TASK_STATS_GROUPING_DEVICE",
        "total_tasks": 7,
        "by_status": {"completed": 3, "failed": 2, "cancelled": 2},
        "by_device": {
            "n1": {"completed": 2, "failed": 1, "average_execution_time": 1.333, "success_rate": 66.7},
            "n2": {
                "completed": 1, "failed": 1, "cancelled": 1,
                "average_execution_time": 4.0, "success_rate": 33.3,
            },
        },
        "average_execution_time": 2.0,
        "success_rate": 42.9,
    }  # fmt: skip
    hour = await stats(world, period=pb.STATS_PERIOD_HOUR)
    assert (hour["period"], hour["total_tasks"]) == ("STATS_PERIOD_HOUR", 6)
    world.clock.advance(HOUR + 1)
    assert (await stats(world))["total_tasks"] == 6
    world.clock.advance(23 * HOUR)
    nothing = await stats(world)
    assert nothing.keys() == {"period", "group_by", "by_status"}
    assert nothing["by_status"] == {}
    assert (await stats(world, period=pb.STATS_PERIOD_WEEK))["total_tasks"] == 7
    await world.fleet.schedule_tasks.cancel(ADMIN, waits)


async def test_types_are_counted_as_lists_print_them(world, pair):
    await run(world, pair["n1"], ECHO, 500)
    await run(world, pair["n1"], LINE, 1000)
    await run(world, pair["n2"], LINE, 0, code=1)
    await run(world, pair["n2"], PROGRAM, 3000)
    counted = await stats(world, group_by=BY_TYPE)
    assert "by_device" not in counted
    assert counted["by_task_type"] == {
        "echo": {"completed": 1, "average_execution_time": 0.5, "success_rate": 100.0},
        "command": {"completed": 1, "failed": 1, "average_execution_time": 1.0, "success_rate": 50.0},
        "exec": {"completed": 1, "average_execution_time": 3.0, "success_rate": 100.0},
    }


async def test_hours_are_those_of_the_clock_in_utc(world, pair):
    await run(world, pair["n1"], ECHO, 1)
    world.clock.advance(HOUR - world.clock.now_us() % HOUR_US / 1_000_000 - 0.000_001)
    await run(world, pair["n1"], ECHO, 1)
    world.clock.advance(0.000_001)
    await run(world, pair["n2"], ECHO, 1, code=1)
    counted = await stats(world, group_by=BY_HOUR)
    assert {hour: tuple(sorted(group)) for hour, group in counted["by_hour"].items()} == {
        "2027-01-15T08:00:00Z": ("average_execution_time", "completed", "success_rate"),
        "2027-01-15T09:00:00Z": ("average_execution_time", "failed", "success_rate"),
    }
    assert counted["by_hour"]["2027-01-15T08:00:00Z"]["completed"] == 2


async def test_who_is_bound_to_a_namespace_has_its_tasks_counted_alone(world, pair, tenant):
    await run(world, pair["n1"], ECHO, 1000, namespace="tenant")
    await run(world, pair["n1"], ECHO, 3000, code=1)
    [waiting] = await world.submit(new(LINE | {"labels": {"is": "nowhere"}}, namespace="tenant"))
    for principal, total in ((tenant, 2), (ADMIN, 3)):
        listed = await world.fleet.device_tasks.list(principal, device_api.ListTasksRequest(), limit=9)
        assert (len(listed.items), sum(listed.counts.values())) == (total, total)
        assert listed.counts[fleet_pb.TASK_STATUS_PENDING] == 1
    await world.fleet.schedule_tasks.cancel(tenant, waiting)
    world.clock.advance(2 * HOUR)
    await run(world, pair["n1"], ECHO, 1000, namespace="tenant")
    own = await stats(world, tenant, period=pb.STATS_PERIOD_HOUR)
    assert (own["total_tasks"], own["success_rate"]) == (1, 100.0)
    assert own["by_device"]["n1"]["average_execution_time"] == 1.0


async def test_what_is_forgotten_stays_counted_for_as_long_as_anybody_asks(world, pair, tenant):
    day = 24 * HOUR

    async def counted(principal: Principal = ADMIN) -> list[dict[str, Any]]:
        groupings = pb.TaskStatsGrouping.values()[1:]
        month = pb.STATS_PERIOD_MONTH
        return [await stats(world, principal, period=month, group_by=each) for each in groupings]

    async def some() -> None:
        await run(world, pair["n1"], ECHO, 500)
        await run(world, pair["n1"], LINE, 1500, code=1)
        await run(world, pair["n2"], PROGRAM, 2500, namespace="tenant")
        [task_id] = await world.submit(new(LINE | {"labels": {"is": "nowhere"}}))
        await world.fleet.schedule_tasks.cancel(ADMIN, task_id)

    await some()
    world.clock.advance(1.5 * HOUR)
    await some()
    whole, own = await counted(), await counted(tenant)
    assert [each["total_tasks"] for each in whole] == [8, 8, 8]
    # First those of one hour are old enough, then the others.
    world.clock.advance(7 * day - HOUR)
    assert await world.retention.forget_tasks() == 4
    assert (await counted(), await counted(tenant)) == (whole, own)
    world.clock.advance(2 * HOUR)
    assert await world.retention.forget_tasks() == 4
    assert (await counted(), await counted(tenant)) == (whole, own)
    assert rows(world.url, "SELECT count(*) FROM tasks") == [(0,)]
    week = await stats(world, period=pb.STATS_PERIOD_WEEK)
    assert "total_tasks" not in week

    await run(world, pair["n1"], ECHO, 500)
    world.clock.advance(7 * day + HOUR)
    await world.retention.forget_tasks()
    assert (await counted())[0]["total_tasks"] == 9
    world.clock.advance(15 * day)
    await run(world, pair["n1"], ECHO, 500)
    world.clock.advance(7 * day + HOUR)
    await world.retention.forget_tasks()
    assert (await counted())[0]["total_tasks"] == 2
    assert rows(world.url, "SELECT sum(tasks) FROM task_counts") == [(2,)]


async def test_several_steps_of_forgetting_add_up_in_one_hour(world, pair):
    count = tasks.DELETION_STEP + 5
    made = await world.submit(*[new(LINE | {"labels": {"is": "nowhere"}})] * count)
    for task_id in made:
        await world.fleet.schedule_tasks.cancel(ADMIN, task_id)
    world.clock.advance(8 * 24 * HOUR)
    assert await world.retention.forget_tasks() == count
    assert len(rows(world.url, "SELECT tasks FROM task_counts")) == 1
    assert (await stats(world, period=pb.STATS_PERIOD_MONTH))["by_status"] == {"cancelled": count}


BOUND = (("namespace", "in", ("tenant",)),)
STATEMENTS = [
    task_counts.since(1, group, within) for group in task_counts.Group for within in ((), BOUND)
]


@pytest.mark.parametrize("statement", [*STATEMENTS, task_counts.by_state(BOUND)])
async def test_no_row_of_an_ended_task_is_read_to_count_it(tmp_path, world_at, statement):
    world = await world_at(tmp_path)
    plan = await plan_of(world.store, statement)
    assert "SEARCH tasks USING COVERING INDEX ix_tasks_ended (completed_at_us>?)" in plan
    assert not any(step.startswith("SCAN") for step in plan), plan
