"""What becomes of work whose node goes away: of every policy, by every way to go."""

from __future__ import annotations

from typing import Any

import pytest
from novasphere.link.v1 import link_service_pb2 as link
from novasphere.schedule.v1 import task_pb2 as pb
from novasphere_server.core import attempts, nodes, task_ids, tasks
from novasphere_server.core.credentials import ADMIN
from novasphere_server.store.kinds import NODES

RUNNING, EXITED = link.ATTEMPT_PHASE_RUNNING, link.ATTEMPT_PHASE_EXITED
CAPABILITIES = ["shell", "exec", "echo"]


async def joined(world, name: str, **profile: Any):
    agent = world.agent(name, capabilities=CAPABILITIES, **profile)
    await agent.connect()
    await agent.settle()
    return agent


@pytest.fixture
async def agent(world):
    return await joined(world, "n1")


async def running(world, agent, **config: Any) -> tuple[str, link.Dispatch]:
    """Has the agent run a new task. Returns the task's id and its dispatch."""
    [task_id] = await world.submit(**{"command_text": "true"} | config)
    dispatch = (await agent.dispatched(len(agent.dispatches) + 1))[-1]
    await agent.start(dispatch)
    return task_id, dispatch


async def ended(world, task_id: str) -> tuple[str, str]:
    task = (await world.task(task_id)).task
    return pb.WorkState.Name(task.state).removeprefix("WORK_STATE_"), task.reason_message


# -- nodes that are deleted


async def test_what_a_deleted_node_ran_is_lost(world, agent):
    task_id, _ = await running(world, agent)
    await world.fleet.nodes.delete(ADMIN, "n1")
    assert await ended(world, task_id) == ("LOST", "its node was deleted; it may have run")


async def test_what_a_deleted_node_ran_is_retried_elsewhere_where_it_may_run_twice(world, agent):
    task_id, _ = await running(world, agent, max_retries=1, retry_lost=True, retry_interval_seconds=0)
    other = await joined(world, "n2")
    await world.fleet.nodes.delete(ADMIN, "n1")
    [again] = await other.dispatched()
    assert task_ids.task_id(again.run_id) == task_id
    stored = await world.task(task_id)
    assert (stored.task.retry_count, stored.instance.agent_id) == (1, "n2")


async def test_a_node_with_much_work_is_deleted_in_steps(world, agent, monkeypatch):
    monkeypatch.setattr(nodes, "_CASCADE", 2)
    monkeypatch.setattr(tasks, "DELETION_STEP", 1)
    lost = [(await running(world, agent))[0] for _ in range(4)]
    await world.run("n1")
    await world.fleet.nodes.delete(ADMIN, "n1")
    for task_id in lost:
        assert (await ended(world, task_id))[0] == "LOST"
    assert await world.store.get(NODES, "n1") is None


async def test_a_node_that_was_deleted_this_moment_claims_nothing(world, agent):
    node = await world.node()
    agent.beat(free_slots=0)
    await agent.settle(free_slots=0)
    [task_id] = await world.submit(command_text="true")
    await world.fleet.nodes.delete(ADMIN, "n1")
    demand = (await world.fleet.tasks.waiting_demands())[0]
    claim = await world.store.write(
        lambda tx: attempts.claim(tx, node, 4, world.settings, demands=(demand,), shared_limit=4)
    )
    assert (claim.dispatches, claim.demands) == ([], frozenset({demand}))
    assert (await ended(world, task_id))[0] == "PENDING"
