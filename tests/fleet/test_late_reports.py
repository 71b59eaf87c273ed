"""Attempts end when they ended, however late the server hears of it."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from novasphere.link.v1 import link_service_pb2 as link
from novasphere.schedule.v1 import task_pb2
from novasphere.schedule.v1.task_service_pb2 import NewTask


@pytest.fixture
async def agent(world: Any) -> Any:
    agent = world.agent("n1")
    agent.profile["capabilities"] = ["shell"]
    await agent.connect()
    await agent.settle()
    return agent


def seconds(message: Any, name: str) -> float:
    return float(getattr(message, name).ToMicroseconds() / 1_000_000)


async def test_what_ended_while_the_server_was_down_ended_then(world: Any, agent: Any, frames: Any):
    [task_id] = await world.submit(command_text="x")
    [dispatch] = await agent.dispatched(1)
    await agent.start(dispatch)
    began = world.clock.monotonic()
    await world.restart(down_for=60)
    ended = frames.state_of(dispatch, phase=link.ATTEMPT_PHASE_EXITED)
    await agent.connect(attempts=[ended])
    await agent.finish(dispatch, exit_code=0, duration_ms=12_000, age_ms=48_000)
    stored = await world.task(task_id)
    for each in (stored.task, stored.instance):
        assert seconds(each, "started_at") == began
        assert seconds(each, "completed_at") == began + 12
    assert seconds(stored.task, "updated_at") == began + 60


async def test_what_nobody_heard_the_start_of_started_then_too(world: Any, agent: Any):
    [task_id] = await world.submit(command_text="x")
    [dispatch] = await agent.dispatched(1)
    sent = world.clock.monotonic()
    world.clock.advance(60)
    await agent.finish(dispatch, exit_code=0, duration_ms=12_000, age_ms=8_000)
    instance = (await world.task(task_id)).instance
    assert (seconds(instance, "started_at"), seconds(instance, "completed_at")) == (sent + 40, sent + 52)


@pytest.mark.parametrize("age_ms", [0, 3_600_000, 2**64 - 1])
async def test_no_attempt_ends_before_it_started_nor_later_than_it_was_told(
    world: Any, agent: Any, age_ms: int
):
    """0: an agent of before, which tells nothing."""
    [task_id] = await world.submit(command_text="x", max_retries=1, retry_interval_seconds=100)
    [dispatch] = await agent.dispatched(1)
    world.clock.advance(10)
    await agent.start(dispatch)
    began = world.clock.monotonic()
    world.clock.advance(10)
    await agent.finish(dispatch, exit_code=1, age_ms=age_ms)
    stored = await world.task(task_id)
    assert seconds(stored.instance, "completed_at") == began + (0 if age_ms else 10)
    # The pause before the next one begins now, in any case.
    assert stored.task.state == task_pb2.WORK_STATE_PENDING
    assert seconds(stored.task, "due_at") == began + 110


async def test_what_ended_long_ago_is_kept_from_when_its_end_was_heard_of(
    world: Any, agent: Any, frames: Any
):
    """The server was away for longer than ended work is kept, and the attempt ended soon after it went."""
    retention = world.settings.terminal_retention
    [task_id] = await world.submit(command_text="x")
    [dispatch] = await agent.dispatched(1)
    await agent.start(dispatch)
    await world.restart(down_for=2 * retention)
    await agent.connect(attempts=[frames.state_of(dispatch, phase=link.ATTEMPT_PHASE_EXITED)])
    await agent.finish(dispatch, exit_code=0, duration_ms=1000, age_ms=int(2 * retention - 10) * 1000)
    world.clock.advance(retention)
    assert await world.retention.forget_tasks() == 0
    assert (await world.task(task_id)).task.state == task_pb2.WORK_STATE_SUCCEEDED
    world.clock.advance(1)
    assert await world.retention.forget_tasks() == 1


async def test_nothing_is_forgotten_that_what_depends_on_it_has_not_heard_of(world: Any, agent: Any):
    first = NewTask(id=str(uuid.uuid4()), config=task_pb2.TaskConfig(command_text="x"))
    second = NewTask(config=first.config, dependencies=[task_pb2.Dependency(task_id=first.id)])
    second.config.queue_timeout_seconds = 30 * 86400
    _, waiting = await world.submit(first, second)
    [dispatch] = await agent.dispatched(1)
    await agent.finish(dispatch, exit_code=0)
    world.clock.advance(world.settings.terminal_retention + 1)
    assert await world.retention.forget_tasks() == 0
    await world.dependencies.step()
    assert (await world.task(waiting)).task.state != task_pb2.WORK_STATE_CANCELLED
    assert await world.retention.forget_tasks() == 1
