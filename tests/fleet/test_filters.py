"""Filters of tasks, attempts and schedules ask for what rows print."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import pytest
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.timestamp_pb2 import Timestamp
from novasphere.api.v1 import options_pb2
from novasphere.link.v1 import link_service_pb2 as link
from novasphere.schedule.v1 import job_pb2, page_pb2, schedule_pb2, task_pb2
from novasphere.schedule.v1 import schedule_service_pb2 as schedule_api
from novasphere.schedule.v1 import task_instance_service_pb2 as instance_api
from novasphere.schedule.v1 import task_service_pb2 as task_api
from novasphere_server.core import schedule_tasks, schedules
from novasphere_server.core.credentials import ADMIN
from novasphere_server.core.pages import Field
from novasphere_server.core.principals import Principal, PrincipalKind
from scheduling import EVENT, Scheduling

# Of other types than their words.
UNTRIED = {"status", "schedule_kind", "interval_seconds"}
KEY = Principal(PrincipalKind.KEY, "key:k", ADMIN.scopes, number=7)


def fields_of(row: Any) -> dict[str, FieldDescriptor]:
    """Returns the fields of a row by the names that JSON has for them."""
    return {
        field.GetOptions().Extensions[options_pb2.key] or field.name: field
        for field in row.DESCRIPTOR.fields
    }


def printed(row: Any, name: str) -> Any:
    """Returns a field as JSON has it."""
    field = fields_of(row)[name]
    is_null = field.GetOptions().Extensions[options_pb2.null_when_unset] or field.message_type
    if is_null and field.has_presence and not row.HasField(field.name):
        return None
    value = getattr(row, field.name)
    return Timestamp(seconds=value.seconds).ToJsonString() if isinstance(value, Timestamp) else value


async def check(
    fields: Mapping[str, Field],
    request: Callable[..., Any],
    rows_of: Callable[[Any], Awaitable[Sequence[Any]]],
) -> None:
    rows = await rows_of(request())
    assert len(rows) > 1
    for name in (fields.keys() & fields_of(rows[0]).keys()) - UNTRIED:
        said = {row.id: printed(row, name) for row in rows}
        for value in {json.dumps(value): value for value in said.values()}.values():
            condition = (
                page_pb2.Condition(null=True)
                if value is None
                else page_pb2.Condition(eq=json.dumps(value))
            )
            found = {row.id for row in await rows_of(request(filter={name: condition}))}
            assert found == {each for each, one in said.items() if one == value}, (name, value)


@pytest.fixture
async def worked(world: Any) -> Any:
    """A world in which tasks were retried, pinned and cancelled, with a while between all that happened."""
    agent = world.agent("n1")
    agent.profile["capabilities"] = ["shell", "exec", "echo"]
    await agent.connect()
    await agent.settle()
    retried = task_api.NewTask(
        config=task_pb2.TaskConfig(command_text="x", max_retries=1, retry_interval_seconds=0)
    )
    await world.submit(retried)
    [first] = await agent.dispatched(1)
    world.clock.advance(10)
    await agent.start(first)
    world.clock.advance(10)
    await agent.finish(first, exit_code=3)
    second = (await agent.dispatched(2))[1]
    world.clock.advance(10)
    await agent.start(second)
    world.clock.advance(10)
    await agent.finish(second, phase=link.ATTEMPT_PHASE_UNKNOWN)
    # This one waits for its second attempt, which nobody has.
    retried.config.retry_interval_seconds = 3600
    retried.node_id = "n1"
    await world.submit(retried)
    third = (await agent.dispatched(3))[2]
    await agent.start(third)
    world.clock.advance(10)
    await agent.finish(third, exit_code=4)
    nowhere = task_api.NewTask(config=task_pb2.TaskConfig(command_text="x"))
    nowhere.config.labels["zone"] = "nowhere"
    [waiting] = (await world.fleet.schedule_tasks.create_all(KEY, [nowhere])).ids
    world.clock.advance(10)
    await world.fleet.schedule_tasks.cancel(KEY, waiting)
    await world.submit(nowhere)
    return world


async def test_of_tasks(worked: Any):
    async def rows_of(request: task_api.ListTasksRequest) -> Sequence[task_pb2.Task]:
        found, _ = await worked.fleet.schedule_tasks.list(ADMIN, request)
        return [each.message() for each in found]

    rows = await rows_of(task_api.ListTasksRequest())
    cancelled = next(row for row in rows if row.state == task_pb2.WORK_STATE_CANCELLED)
    assert (cancelled.created_by, cancelled.updated_by) == (7, 7)
    await check(schedule_tasks.TASK_FIELDS, task_api.ListTasksRequest, rows_of)


async def test_of_attempts(worked: Any):
    async def rows_of(request: instance_api.ListTaskInstancesRequest) -> Sequence[task_pb2.TaskInstance]:
        return (await worked.fleet.schedule_tasks.list_instances(ADMIN, request))[0]

    await check(schedule_tasks.INSTANCE_FIELDS, instance_api.ListTaskInstancesRequest, rows_of)


async def test_of_schedules(world: Any):
    bench = Scheduling(world)
    plain = await bench.make(cron_expression="0 * * * * *")
    await bench.make(
        cron_expression="0 * * * * *",
        timezone="Asia/Tokyo",
        jitter_seconds=3,
        gap_policy=schedule_pb2.GAP_POLICY_SKIP,
        fold_policy=schedule_pb2.FOLD_POLICY_BOTH,
        overlap_policy=schedule_pb2.OVERLAP_POLICY_ALLOW,
        misfire_policy=schedule_pb2.MISFIRE_POLICY_IGNORE,
        misfire_window_seconds=60,
    )
    world.clock.advance(10)
    await world.fleet.schedules.pause(KEY, plain, "mending")
    await bench.make(kind=EVENT)
    await bench.step()

    async def rows_of(request: schedule_api.ListSchedulesRequest) -> Sequence[schedule_pb2.Schedule]:
        return (await world.fleet.schedules.list(ADMIN, request))[0]

    assert 7 in {row.updated_by for row in await rows_of(schedule_api.ListSchedulesRequest())}
    await check(schedules.FIELDS, schedule_api.ListSchedulesRequest, rows_of)


@pytest.mark.parametrize(
    ("condition", "is_met"),
    [
        ({"eq": "2147483648"}, False),
        ({"not": "-9223372036854775808"}, True),
        ({"lt": "4294967296"}, True),
        ({"in": "[2147483647, 9223372036854775807]"}, False),
        ({"not_in": "[9223372036854775807]"}, True),
    ],
)
async def test_numbers_may_be_greater_than_any_that_there_is(
    tmp_path: Any, world_at: Any, postgres: Any, condition: dict[str, str], is_met: bool
):
    world = await world_at(tmp_path, postgres.new_database())
    await world.submit(command_text="x")
    tasks = world.fleet.schedule_tasks
    wanted = page_pb2.Condition(**condition)
    for name in ("priority", "retry_count", "lock_version"):
        request = task_api.ListTasksRequest(filter={name: wanted})
        assert (await tasks.list(ADMIN, request))[1] == is_met, name
    of_attempts = instance_api.ListTaskInstancesRequest(filter={"attempt": wanted})
    assert (await tasks.list_instances(ADMIN, of_attempts))[1] == is_met


async def test_of_what_moves_with_time(world: Any):
    """What a filter or an order by it found once does not hold any longer, though no schedule has changed."""
    bench = Scheduling(world)
    often, seldom, paused, held = [
        await bench.make(
            cron_expression=f"*/{n} * * * * *", overlap_policy=schedule_pb2.OVERLAP_POLICY_ALLOW
        )
        for n in (5, 7, 2, 3)
    ]
    await world.fleet.schedules.pause(ADMIN, paused)
    job_id = (await bench.get(held)).job_id
    await world.fleet.jobs.set_status(ADMIN, job_id, job_pb2.JOB_STATUS_DISABLED)
    request = schedule_api.ListSchedulesRequest

    async def ids(wanted: schedule_api.ListSchedulesRequest) -> list[str]:
        rows, total = await world.fleet.schedules.list(ADMIN, wanted)
        assert total == len(rows)
        return [row.id for row in rows]

    in_order = request(page=page_pb2.PageSpec(order_by=["next_run_at"]))
    has_fired = request(filter={"fired_count": page_pb2.Condition(gte="2")})
    has_none = request(filter={"next_run_at": page_pb2.Condition(null=True)})
    await bench.step()
    assert await ids(has_fired) == []
    for _ in range(14):
        await bench.pass_time(1)
        rows, _ = await world.fleet.schedules.list(ADMIN, in_order)
        assert [row.HasField("next_run_at") for row in rows] == [False, False, True, True]
        times = [row.next_run_at.seconds for row in rows]
        assert times == sorted(times)
        assert set(await ids(has_none)) == {paused, held}
        fired = {each: (await bench.get(each)).fired_count for each in (often, seldom)}
        assert set(await ids(has_fired)) == {each for each, times in fired.items() if times >= 2}
