"""What becomes of work whose node goes away: of every policy, by every way to go."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from novasphere.link.v1 import link_service_pb2 as link
from novasphere.schedule.v1 import task_pb2 as pb
from novasphere.schedule.v1.task_service_pb2 import NewTask
from novasphere_server.core import attempts, nodes, task_ids, tasks
from novasphere_server.core.credentials import ADMIN
from novasphere_server.core.rooms import Room
from novasphere_server.store import tables
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
        lambda tx: attempts.claim(tx, node, Room(4), world.settings, demands=(demand,), shared=Room(4))
    )
    assert (claim.dispatches, claim.demands) == ([], frozenset({demand}))
    assert (await ended(world, task_id))[0] == "PENDING"


# -- each policy, by each way to go

POLICIES = {
    "keep-waiting": pb.DISCONNECT_POLICY_KEEP_WAITING,
    "replace": pb.DISCONNECT_POLICY_REPLACE,
    "stop": pb.DISCONNECT_POLICY_STOP,
}
AFTER = 60  # seconds
STOPPED = AFTER + 30  # when the server gives up what its agent was to stop


async def netsplit(agent, dispatch, frames) -> list[link.AttemptState]:
    """The link is cut; the agent goes on. Returns what it says of the attempt when it is back."""
    return [frames.state_of(dispatch, RUNNING)]


async def crash(agent, dispatch, frames) -> list[link.AttemptState]:
    """The agent is killed and started again: the wrapper has seen the attempt through."""
    return [frames.state_of(dispatch, EXITED)]


async def reboot(agent, dispatch, frames) -> list[link.AttemptState]:
    """The machine starts anew: nobody knows how far the attempt got."""
    agent.boot_id = "boot-2"
    return [frames.state_of(dispatch, link.ATTEMPT_PHASE_UNKNOWN)]


FAULTS = [netsplit, crash, reboot]


@pytest.fixture(params=FAULTS, ids=lambda fault: fault.__name__)
def fault(request):
    return request.param


@pytest.fixture(params=POLICIES)
def policy(request):
    return request.param


async def report_end(agent, dispatch, journal) -> link.ReportAck:
    """Says of an attempt what the agent has to say of it once it is over."""
    if journal[0].phase == link.ATTEMPT_PHASE_UNKNOWN:
        return await agent.finish(dispatch, phase=link.ATTEMPT_PHASE_UNKNOWN, message="restarted")
    return await agent.finish(dispatch, exit_code=0)


async def test_an_agent_that_is_back_in_time_has_kept_its_work(world, agent, frames, fault, policy):
    task_id, dispatch = await running(
        world, agent, on_disconnect=POLICIES[policy], lost_after_seconds=AFTER
    )
    assert dispatch.stop_after_ms == (AFTER * 1000 if policy == "stop" else 0)
    other = await joined(world, "n2")
    await agent.cut()
    await world.pass_time(AFTER - 1)
    assert (await ended(world, task_id))[0] == "RUNNING"
    journal = await fault(agent, dispatch, frames)
    welcome = await agent.connect(attempts=journal)
    assert [verdict.verdict for verdict in welcome.verdicts] == [link.VERDICT_ADOPT]
    await report_end(agent, dispatch, journal)
    expected = "UNKNOWN" if fault is reboot else "SUCCEEDED"
    assert (await ended(world, task_id))[0] == expected
    await other.settle()
    assert other.dispatches == []


async def test_an_agent_that_is_back_too_late_changes_nothing(world, agent, frames, fault, policy):
    task_id, dispatch = await running(
        world, agent, on_disconnect=POLICIES[policy], lost_after_seconds=AFTER
    )
    other = await joined(world, "n2")
    await agent.cut()
    await world.pass_time(0)
    for _ in range(STOPPED // 10):
        other.beat()
        await other.settle()
        await world.pass_time(10)
    if policy == "replace":
        [again] = await other.dispatched()
        await other.start(again)
        task = (await world.task(task_id)).task
        assert (task.retry_count, task.replacement_count) == (0, 1)
    else:
        state, message = await ended(world, task_id)
        assert (state, "stayed away too long" in message) == ("LOST", True)
    journal = await fault(agent, dispatch, frames)
    is_running = journal[0].phase == RUNNING
    welcome = await agent.connect(attempts=journal)
    expected = link.VERDICT_KILL if is_running else link.VERDICT_ADOPT
    assert [verdict.verdict for verdict in welcome.verdicts] == [expected]
    before = await ended(world, task_id)
    ack = await report_end(agent, dispatch, journal)
    assert ack.late_after == "LOST"
    assert await ended(world, task_id) == before
    if policy == "replace":
        await other.finish(again, exit_code=0)
        assert (await ended(world, task_id))[0] == "SUCCEEDED"
    late = [each for each in await instances(world, task_id) if each.HasField("late_report")]
    assert [(each.agent_id, each.state) for each in late] == [("n1", pb.WORK_STATE_LOST)]
    await other.settle()
    assert len(other.dispatches) == (1 if policy == "replace" else 0)


async def instances(world, task_id: str) -> list[pb.TaskInstance]:
    """Returns every attempt of a task."""
    past = tables.past_instances.c
    run_id = task_ids.run_id(task_id)
    rows = await world.store.read(sa.select(past.body).where(past.run_id == run_id))
    stored = [pb.StoredTask.FromString(row.body) for row in rows] + [await world.task(task_id)]
    return [each.instance for each in stored]


# -- zombies


async def test_a_replaced_attempt_that_goes_on_reporting_is_told_to_stop(world, agent, frames):
    task_id, dispatch = await running(
        world, agent, on_disconnect=pb.DISCONNECT_POLICY_REPLACE, lost_after_seconds=AFTER
    )
    await agent.cut()
    await world.pass_time(0)
    await world.pass_time(AFTER)
    # It is back before another node was found, and heard of by its link while it still is the present attempt.
    await agent.connect(attempts=[frames.state_of(dispatch, RUNNING)], free_slots=0)
    other = await joined(world, "n2")
    [again] = await other.dispatched()
    await other.start(again)
    before = await world.task(task_id)
    await agent.print(dispatch, b"still here", 0)
    agent.send(reports=[frames.report(dispatch, RUNNING)], free_slots=0)
    await agent.until(lambda: agent.cancels)
    assert [(each.run_id, each.attempt) for each in agent.cancels] == [(dispatch.run_id, 1)]
    for _ in range(2):
        ack = await agent.finish(dispatch, exit_code=0)
        assert ack.is_stale
    assert await world.task(task_id) == before
    await other.finish(again, exit_code=3)
    assert (await ended(world, task_id))[0] == "FAILED"


async def test_what_a_replaced_attempt_printed_is_kept_under_it(world, agent, frames):
    task_id, dispatch = await running(
        world, agent, on_disconnect=pb.DISCONNECT_POLICY_REPLACE, lost_after_seconds=AFTER
    )
    await agent.print(dispatch, b"before, ", 0)
    other = await joined(world, "n2")
    await agent.cut()
    await world.pass_time(0)
    for _ in range(AFTER // 10):
        other.beat()
        await other.settle()
        await world.pass_time(10)
    [again] = await other.dispatched()
    await other.start(again)
    await other.print(again, b"anew", 0)
    before = await world.task(task_id)
    welcome = await agent.connect(attempts=[frames.state_of(dispatch, RUNNING)])
    [verdict] = welcome.verdicts
    assert (verdict.verdict, verdict.stdout_offset) == (link.VERDICT_KILL, 8)
    await agent.print(dispatch, b"and after", 8)
    ack = await agent.finish(dispatch, phase=link.ATTEMPT_PHASE_CANCELLED, signal=15)
    assert (ack.is_stale, ack.late_after) == (True, "LOST")
    assert await world.task(task_id) == before
    run_id = task_ids.run_id(task_id)
    assert await world.output(run_id, attempt=1) == b"before, and after"
    assert await world.output(run_id, attempt=2) == b"anew"


async def test_each_task_waits_for_its_node_as_long_as_it_says(world, agent):
    soon, _ = await running(world, agent, lost_after_seconds=10)
    later, _ = await running(world, agent, lost_after_seconds=2000)
    usual, _ = await running(world, agent)
    await agent.cut()
    await world.pass_time(0)
    for passed, lost in ((9, []), (2, [soon]), (890, [soon, usual]), (1100, [soon, usual, later])):
        await world.pass_time(passed)
        states = {each: (await ended(world, each))[0] for each in (soon, later, usual)}
        assert [each for each in (soon, usual, later) if states[each] == "LOST"] == lost


async def test_a_restarted_server_waits_anew(world, agent):
    task_id, _ = await running(world, agent, lost_after_seconds=AFTER)
    await world.restart(down_for=10 * AFTER)
    await world.pass_time(AFTER - 1)
    assert (await ended(world, task_id))[0] == "RUNNING"
    await world.pass_time(1)
    assert (await ended(world, task_id))[0] == "LOST"


async def test_an_agent_that_stopped_its_work_itself_has_lost_it(world, agent, frames):
    task_id, dispatch = await running(
        world, agent, on_disconnect=pb.DISCONNECT_POLICY_STOP, lost_after_seconds=AFTER
    )
    await agent.cut()
    await world.pass_time(AFTER + 1)
    await agent.connect(attempts=[frames.state_of(dispatch, link.ATTEMPT_PHASE_STOPPED)])
    await agent.finish(dispatch, phase=link.ATTEMPT_PHASE_STOPPED, signal=15)
    state, message = await ended(world, task_id)
    assert (state, "without a server" in message) == ("LOST", True)


async def test_what_only_one_node_may_run_is_not_replaced(world, agent):
    task = NewTask(
        node_id="n1",
        config=pb.TaskConfig(
            command_text="true",
            on_disconnect=pb.DISCONNECT_POLICY_REPLACE,
            lost_after_seconds=AFTER,
        ),
    )
    [task_id] = await world.submit(task)
    [dispatch] = await agent.dispatched()
    await agent.start(dispatch)
    await agent.cut()
    await world.pass_time(0)
    await world.pass_time(AFTER)
    assert (await ended(world, task_id))[0] == "LOST"
