"""Tasks as the devices face has them: what is tried again by hand, and whose a task is that waits."""

from __future__ import annotations

import uuid
from contextlib import aclosing
from typing import Any

import pytest
from novasphere.fleet.v1 import device_task_service_pb2 as api
from novasphere.schedule.v1 import job_pb2, job_service_pb2
from novasphere.schedule.v1 import task_pb2 as pb
from novasphere.schedule.v1.task_service_pb2 import NewTask
from novasphere_server import errors
from novasphere_server.core import task_ids, tasks
from novasphere_server.core.commands import CommandFilter
from novasphere_server.core.credentials import ADMIN
from scheduling import Scheduling

CONFIG = pb.TaskConfig(command_text="x")


@pytest.fixture
async def agent(world: Any) -> Any:
    agent = world.agent("n1")
    agent.profile["capabilities"] = ["shell", "exec", "echo"]
    await agent.connect()
    await agent.settle()
    return agent


async def two(world: Any, agent: Any, *, exit_code: int | None, condition: int = 0) -> str:
    """Returns a task that depends on one that ended, or, without an exit code, runs."""
    first = NewTask(id=str(uuid.uuid4()), config=CONFIG)
    dependency = pb.Dependency(task_id=first.id, condition=condition)  # type: ignore[arg-type]
    [_, second] = await world.submit(first, NewTask(config=CONFIG, dependencies=[dependency]))
    [dispatch] = await agent.dispatched(1)
    if exit_code is not None:
        await agent.finish(dispatch, exit_code=exit_code)
    await world.dependencies.step()
    return str(second)


async def retry(world: Any, task_id: str) -> pb.Task:
    made = await world.fleet.device_tasks.retry(ADMIN, task_id, 0)
    task: pb.Task = (await world.task(made.new_task_id)).task
    return task


async def tried_twice(world: Any, agent: Any) -> tuple[str, pb.Task, pb.Task]:
    """Returns a task that was cancelled as another one failed, and two that repeat that: one that failed too, and one
    that waits.
    """
    second = await two(world, agent, exit_code=1)
    [first] = (await world.task(second)).task.dependencies
    once = await retry(world, first.task_id)
    [_, dispatch] = await agent.dispatched(2)
    await agent.finish(dispatch, exit_code=1)
    twice = await retry(world, once.id)
    return second, once, twice


async def test_what_failed_still_fails_what_depends_on_it_when_that_is_tried_again(world, agent):
    second = await two(world, agent, exit_code=1)
    again = await retry(world, second)
    assert (again.state, again.reason) == (pb.WORK_STATE_CANCELLED, "DEPENDENCY_FAILED")
    assert again.dependencies == (await world.task(second)).task.dependencies


async def test_what_is_tried_again_depends_on_what_was_tried_again_before_it(world, agent):
    second, _, twice = await tried_twice(world, agent)
    waiting = await retry(world, second)
    assert list(waiting.dependencies) == [pb.Dependency(task_id=twice.id)]
    [_, _, dispatch] = await agent.dispatched(3)
    await agent.finish(dispatch, exit_code=0)
    await agent.settle()
    assert len(agent.dispatches) == 3
    await world.dependencies.step()
    await agent.dispatched(4)
    # What has ended well by then is nothing to wait for.
    assert list((await retry(world, second)).dependencies) == [pb.Dependency(task_id=twice.id)]
    await agent.dispatched(5)


async def test_what_was_tried_again_names_the_newest_that_repeats_it_and_ended_when_it_did(world, agent):
    second = await two(world, agent, exit_code=1)
    before = await world.task(second)
    world.clock.advance(60)
    await retry(world, second)
    newest = await retry(world, second)
    after = await world.task(second)
    assert after.task.revision > before.task.revision
    before.task.revision, before.task.retried_as = after.task.revision, newest.id
    assert after == before


async def test_a_retry_that_is_only_checked_or_is_repeated_names_no_other_task(world, agent, claim):
    second = await two(world, agent, exit_code=1)
    checked = await world.fleet.device_tasks.retry(ADMIN, second, 0, is_dry_run=True)
    assert (checked.new_task_id, (await world.task(second)).task.retried_as) == ("", "")
    made = [
        await world.fleet.device_tasks.retry(ADMIN, second, 0, idempotency=claim("once"))
        for _ in range(2)
    ]
    assert made[0] == made[1]
    assert (await world.task(second)).task.retried_as == (await world.task(made[0].new_task_id)).task.id


async def test_of_what_was_tried_again_the_newest_counts_that_is_still_there(world, agent):
    second, once, twice = await tried_twice(world, agent)
    await world.store.write(lambda tx: tasks.delete(tx, [task_ids.of_task(twice.id)]))
    again = await retry(world, second)
    assert list(again.dependencies) == [pb.Dependency(task_id=once.id)]
    assert again.reason == "DEPENDENCY_FAILED"
    assert once.id in again.reason_message


@pytest.mark.parametrize("is_first_stricter", [False, True])
async def test_two_that_became_one_task_are_waited_for_as_one(world, agent, is_first_stricter):
    finished, succeeded = pb.DEPENDENCY_CONDITION_FINISHED, pb.DEPENDENCY_CONDITION_SUCCEEDED
    [first] = await world.submit(command_text="x")
    [dispatch] = await agent.dispatched(1)
    await agent.finish(dispatch, exit_code=1)
    once = await retry(world, first)
    second = NewTask(config=CONFIG)
    second.dependencies.add(task_id=first, condition=succeeded if is_first_stricter else finished)
    second.dependencies.add(task_id=once.id, condition=finished if is_first_stricter else succeeded)
    [both] = await world.submit(second)
    await world.fleet.schedule_tasks.cancel(ADMIN, both)
    again = await retry(world, both)
    assert list(again.dependencies) == [pb.Dependency(task_id=once.id, condition=succeeded)]
    assert again.state == pb.WORK_STATE_PENDING


async def test_what_is_tried_again_waits_for_what_has_not_ended(world, agent):
    second = await two(world, agent, exit_code=None)
    await world.fleet.schedule_tasks.cancel(ADMIN, second)
    again = await retry(world, second)
    await agent.settle()
    assert len(agent.dispatches) == 1
    await agent.finish(agent.dispatches[0], exit_code=0)
    await world.dependencies.step()
    [_, dispatch] = await agent.dispatched(2)
    assert (await world.task(again.id)).instance.attempt == dispatch.attempt == 1


async def test_what_is_tried_again_waits_for_nothing_that_ended_well(world, agent):
    second = await two(world, agent, exit_code=0)
    [_, dispatch] = await agent.dispatched(2)
    await agent.finish(dispatch, exit_code=1)
    again = await retry(world, second)
    assert len(again.dependencies) == 1
    await agent.dispatched(3)


async def test_nor_for_what_is_forgotten(world, agent):
    second = await two(world, agent, exit_code=0)
    [_, dispatch] = await agent.dispatched(2)
    world.clock.advance(world.settings.terminal_retention + 1)
    assert await world.retention.forget_tasks() == 1
    await agent.finish(dispatch, exit_code=1)
    assert not (await retry(world, second)).dependencies
    await agent.dispatched(3)


async def test_nothing_of_a_disabled_job_is_tried_again(world, agent):
    bench = Scheduling(world)
    job_id = await bench.job()
    trigger = job_service_pb2.TriggerJobRequest(job_id=job_id)
    task = await world.fleet.schedule_tasks.trigger(ADMIN, trigger)
    [dispatch] = await agent.dispatched(1)
    await agent.finish(dispatch, exit_code=1)
    await world.fleet.jobs.set_status(ADMIN, job_id, job_pb2.JOB_STATUS_DISABLED)
    with pytest.raises(errors.JobDisabled):
        await retry(world, task.id)
    await world.fleet.jobs.set_status(ADMIN, job_id, job_pb2.JOB_STATUS_ENABLED)
    assert (await retry(world, task.id)).job_id == job_id


async def test_a_task_that_waits_for_its_retry_is_found_by_the_device_that_it_names(world, agent):
    wanted = api.SubmitTaskRequest(task_type="command", payload='{"command":"x"}', max_retries=2)
    await world.fleet.device_tasks.submit(ADMIN, wanted)
    [dispatch] = await agent.dispatched(1)
    await agent.finish(dispatch, exit_code=1)
    for device_id in ("", "n1"):
        request = api.ListTasksRequest(device_id=device_id)
        [row] = (await world.fleet.device_tasks.list(ADMIN, request, limit=10)).items
        assert row.message().device_id == "n1"


async def test_a_list_and_a_watch_of_a_nodes_commands_agree_on_what_waits_for_its_retry(world, agent):
    [task_id] = await world.submit(command_text="x", max_retries=1, retry_interval_seconds=3600)
    [dispatch] = await agent.dispatched(1)
    await agent.finish(dispatch, exit_code=1)
    which = CommandFilter(node_id="n1")
    listed = (await world.fleet.commands.list_flat(ADMIN, which, limit=10)).items
    async with aclosing(world.fleet.commands.watch(ADMIN, which, "")) as watch:
        page = await anext(watch)
    watched = [row.object.message().command_id for row in page.events if row.object is not None]
    assert [each.message().command_id for each in listed] == watched == [dispatch.run_id]
    assert (await world.task(task_id)).task.state == pb.WORK_STATE_PENDING


async def test_the_log_of_a_task_tells_of_every_attempt(world, agent):
    [task_id] = await world.submit(command_text="x", max_retries=2, retry_interval_seconds=30)
    for attempt, exit_code in enumerate((3, 4, 0), 1):
        dispatches = await agent.dispatched(attempt)
        await agent.start(dispatches[-1])
        await agent.finish(dispatches[-1], exit_code=exit_code)
        world.clock.advance(30)
        await world.due.step()
    found = (await world.fleet.device_tasks.get(ADMIN, task_id)).message()
    assert [line.split("Z: ")[1] for line in found.detailed_log] == [
        "accepted",
        "attempt 1 sent to n1",
        "attempt 1 runs",
        "attempt 1 ended: exit code 3",
        "attempt 2 sent to n1",
        "attempt 2 runs",
        "attempt 2 ended: exit code 4",
        "attempt 3 sent to n1",
        "attempt 3 runs",
        "attempt 3 ended: succeeded",
        "ended as completed",
    ]
    times = [line.split("Z: ")[0] for line in found.detailed_log]
    assert times == sorted(times)
