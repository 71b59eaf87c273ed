"""Why a task stands as it does, of every kind of standing."""

from __future__ import annotations

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from novasphere.link.v1 import link_service_pb2 as link
from novasphere.node.v1 import command_explanation_pb2 as why
from novasphere.schedule.v1 import task_pb2 as pb
from novasphere.schedule.v1.job_service_pb2 import CreateJobRequest
from novasphere.schedule.v1.task_service_pb2 import ExplainTaskResponse, NewTask
from novasphere_server import errors
from novasphere_server.core import task_ids
from novasphere_server.core.credentials import ADMIN
from novasphere_server.rpc import explanations, task_explanations


@pytest.fixture
async def agent(world):
    agent = world.agent("n1", capabilities=["shell", "echo"], labels={"zone": "east"})
    await agent.connect()
    await agent.settle()
    return agent


async def explain(world, task_id: str, *, in_chinese: bool = False) -> ExplainTaskResponse:
    task, facts = await world.fleet.task_explanations.explain(ADMIN, task_id)
    return task_explanations.response(task, facts, in_chinese=in_chinese)


async def reasons(world, task_id: str) -> list[tuple[str, str]]:
    """Returns what the task waits for; in both languages there are words for it."""
    said = await explain(world, task_id)
    translated = await explain(world, task_id, in_chinese=True)
    for each in (said, translated):
        assert each.summary
        assert each.summary == each.obstacles[0].message
    assert said.summary != translated.summary
    return [(obstacle.reason, obstacle.subject) for obstacle in said.obstacles]


async def test_nobody_is_there(world):
    [task_id] = await world.submit(command_text="true")
    assert await reasons(world, task_id) == [("NO_AGENT", "")]


async def test_no_node_has_what_it_asks_for(world, agent):
    other = world.agent("n0", capabilities=["echo"])
    await other.connect()
    [task_id] = await world.submit(command_text="true", labels={"zone": "west"})
    assert await reasons(world, task_id) == [("NO_MATCH", "n1")]
    [obstacle] = (await explain(world, task_id)).obstacles
    assert "LABEL zone=west (has east)" in obstacle.message
    assert obstacle.since.ToMicroseconds() == world.clock.now_us()
    assert obstacle.until.ToMicroseconds() == world.clock.now_us() + 86_400 * 10**6


async def test_a_type_that_nobody_has_is_what_a_job_waits_for(world, agent):
    job = CreateJobRequest(name="odd", config=pb.TaskConfig(task_type="nope"))
    job_id = (await world.fleet.jobs.create(ADMIN, job)).id
    [task_id] = await world.submit(NewTask(job_id=job_id))
    assert await reasons(world, task_id) == [("NO_MATCH", "n1")]
    assert "TASK_TYPE nope (has echo, shell)" in (await explain(world, task_id)).summary


async def test_who_could_run_it_is_away(world, agent):
    await agent.cut()
    await world.pass_time(0)
    [task_id] = await world.submit(command_text="true")
    assert await reasons(world, task_id) == [("AGENT_OFFLINE", "n1")]


async def test_who_could_run_it_is_busy(world, agent):
    await agent.settle(free_slots=0)
    [task_id] = await world.submit(command_text="true")
    await agent.settle(free_slots=0)
    assert await reasons(world, task_id) == [("NO_SLOT", "n1")]


async def test_its_time_has_not_come_and_what_it_depends_on_has_not_ended(world, agent):
    await agent.settle(free_slots=0)
    [first] = await world.submit(command_text="true")
    later_us = world.clock.now_us() + 60_000_000
    scheduled_at = Timestamp(seconds=later_us // 10**6)
    config = pb.TaskConfig(command_text="true")
    new = NewTask(config=config, scheduled_at=scheduled_at)
    new.dependencies.add(task_id=first)
    [task_id] = await world.submit(new)
    assert await reasons(world, task_id) == [("DEPENDENCY", first), ("SCHEDULED", "")]
    dependency, scheduled = (await explain(world, task_id)).obstacles
    assert "PENDING" in dependency.message
    assert "SUCCEEDED" in dependency.message
    assert scheduled.until.ToMicroseconds() == later_us


async def test_it_pauses_before_a_retry(world, agent):
    [task_id] = await world.submit(command_text="false", max_retries=1, retry_interval_seconds=30)
    [dispatch] = await agent.dispatched()
    await agent.finish(dispatch, exit_code=7)
    assert await reasons(world, task_id) == [("RETRY", "")]
    [obstacle] = (await explain(world, task_id)).obstacles
    assert "exit code 7" in obstacle.message
    assert obstacle.until.ToMicroseconds() == world.clock.now_us() + 30 * 10**6


async def test_it_is_sent_runs_is_to_end_and_has_ended(world, agent):
    [task_id] = await world.submit(command_text="true", timeout_seconds=50, lost_after_seconds=99)
    [dispatch] = await agent.dispatched()
    assert await reasons(world, task_id) == [("DISPATCHED", "n1")]
    await agent.start(dispatch)
    assert await reasons(world, task_id) == [("RUNNING", "n1")]
    [obstacle] = (await explain(world, task_id)).obstacles
    assert obstacle.until.ToMicroseconds() == world.clock.now_us() + 50 * 10**6
    await world.fleet.schedule_tasks.cancel(ADMIN, task_id)
    assert await reasons(world, task_id) == [("CANCELLING", "n1"), ("RUNNING", "n1")]
    await agent.cut()
    await world.pass_time(0)
    assert (await reasons(world, task_id))[0] == ("AGENT_OFFLINE", "n1")
    away = (await explain(world, task_id)).obstacles[0]
    assert away.until.ToMicroseconds() == world.clock.now_us() + 99 * 10**6
    assert "keep_waiting" in away.remedy
    await world.pass_time(99)
    ended = await explain(world, task_id)
    assert ("LOST" in ended.summary, list(ended.obstacles)) == (True, [])
    assert "n1" in ended.remedy


@pytest.mark.parametrize(
    "outcome",
    [
        {"exit_code": 0},
        {"exit_code": 3},
        {"phase": link.ATTEMPT_PHASE_REJECTED, "message": "INVALID_PAYLOAD: payload.x is missing"},
        {"phase": link.ATTEMPT_PHASE_UNKNOWN},
    ],
    ids=["succeeded", "failed", "refused", "unknown"],
)
async def test_how_it_ended_is_said_of_the_task_and_of_the_command_that_it_is(world, agent, outcome):
    [task_id] = await world.submit(command_text="true")
    [dispatch] = await agent.dispatched()
    await agent.finish(dispatch, **outcome)
    said = await explain(world, task_id)
    assert said.summary
    assert (said.summary.startswith("It succeeded"), list(said.obstacles)) == (
        outcome.get("exit_code") == 0,
        [],
    )
    response = await world.fleet.explanations.explain(ADMIN, task_ids.run_id(task_id))
    explanations.put_into_words(response, in_chinese=False)
    assert response.explanations[0].message


async def test_a_task_that_no_node_was_given_is_explained_as_a_command_too(world, agent):
    [waits] = await world.submit(command_text="true", labels={"zone": "west"})
    blocked = NewTask(config=pb.TaskConfig(command_text="true"))
    blocked.dependencies.add(task_id=waits)
    [doomed] = await world.submit(blocked)
    for in_chinese in (False, True):
        response = await world.fleet.explanations.explain(ADMIN, task_ids.run_id(waits))
        explanations.put_into_words(response, in_chinese=in_chinese)
        [said] = response.explanations
        assert said.cause == why.COMMAND_CAUSE_NOT_PLACED
        assert task_ids.run_id(waits) in said.remedy
    await world.fleet.schedule_tasks.cancel(ADMIN, waits)
    while await world.dependencies.step():
        pass
    response = await world.fleet.explanations.explain(ADMIN, task_ids.run_id(doomed))
    explanations.put_into_words(response, in_chinese=False)
    assert "DEPENDENCY_FAILED" in response.explanations[0].message
    assert "on which it depends" in (await explain(world, doomed)).summary


async def test_others_tasks_are_explained_to_nobody(world, agent, tenant):
    [task_id] = await world.submit(command_text="true")
    with pytest.raises(errors.PermissionDenied):
        await world.fleet.task_explanations.explain(tenant, task_id)
    with pytest.raises(errors.TaskNotFound):
        await world.fleet.task_explanations.explain(ADMIN, "nothing")
