"""What server and agent agree on when they meet again."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from novasphere.link.v1 import link_service_pb2 as link
from novasphere.node.v1 import command_pb2 as pb
from novasphere_server.core.credentials import ADMIN
from novasphere_server.store import tables

RUNNING = link.ATTEMPT_PHASE_RUNNING
EXITED = link.ATTEMPT_PHASE_EXITED
ADOPT, KILL, FORGET = link.VERDICT_ADOPT, link.VERDICT_KILL, link.VERDICT_FORGET


@pytest.fixture
async def agent(world):
    agent = world.agent()
    await agent.connect()
    return agent


@pytest.fixture
async def dispatch(world, agent):
    """A command that was sent to the agent, which has not said anything of it."""
    await world.run()
    [dispatch] = await agent.dispatched()
    return dispatch


async def verdict_on(agent, *attempts):
    welcome = await agent.connect(attempts=attempts)
    return [verdict.verdict for verdict in welcome.verdicts]


async def test_a_running_attempt_is_adopted_where_its_output_stopped(world, agent, dispatch, frames):
    await agent.start(dispatch)
    await agent.print(dispatch, b"hello", 0)
    await agent.print(dispatch, b"oh", 0, stream=2)
    welcome = await agent.connect(attempts=[frames.state_of(dispatch, RUNNING)])
    [verdict] = welcome.verdicts
    assert verdict.verdict == ADOPT
    assert (verdict.stdout_offset, verdict.stderr_offset) == (5, 2)
    assert (await world.command(dispatch.run_id)).state == pb.COMMAND_STATE_RUNNING
    await agent.finish(dispatch, exit_code=0)
    assert (await world.command(dispatch.run_id)).state == pb.COMMAND_STATE_SUCCEEDED


async def test_a_hello_tells_of_a_start_whose_report_was_lost(world, agent, dispatch, frames):
    assert await verdict_on(agent, frames.state_of(dispatch, RUNNING)) == [ADOPT]
    assert (await world.command(dispatch.run_id)).state == pb.COMMAND_STATE_RUNNING
    await agent.settle()
    assert not agent.dispatches


async def test_an_ended_attempt_whose_report_was_lost_is_adopted(world, agent, dispatch, frames):
    assert await verdict_on(agent, frames.state_of(dispatch, EXITED)) == [ADOPT]
    await agent.finish(dispatch, exit_code=4)
    assert (await world.command(dispatch.run_id)).exit_code == 4


async def test_a_dispatch_that_never_arrived_is_sent_again_as_the_same_attempt(world, agent, dispatch):
    assert await verdict_on(agent) == []
    [again] = await agent.dispatched()
    assert again == dispatch
    assert (await world.command(dispatch.run_id)).attempt == 1


async def test_a_running_attempt_without_a_trace_ends_unknown(world, agent, dispatch):
    await agent.start(dispatch)
    await agent.connect()
    stored = await world.stored(dispatch.run_id)
    assert stored.command.state == pb.COMMAND_STATE_UNKNOWN
    assert stored.command.reason == "UNKNOWN"
    assert not stored.HasField("result")
    await agent.settle()
    assert not agent.dispatches  # never run again


async def test_a_report_that_the_server_has_is_forgotten(world, agent, dispatch, frames):
    await agent.finish(dispatch, exit_code=0)
    assert await verdict_on(agent, frames.state_of(dispatch, EXITED)) == [FORGET]


async def test_an_unknown_command_is_forgotten(agent, frames):
    ghost = link.Dispatch(run_id="cmd-ghost", attempt=1, fencing_token=1)
    assert await verdict_on(agent, frames.state_of(ghost, RUNNING)) == [FORGET]


async def test_another_nodes_command_is_forgotten(world, dispatch, frames):
    other = world.agent("n2")
    await other.connect()
    assert await verdict_on(other, frames.state_of(dispatch, RUNNING)) == [FORGET]
    assert (await world.command(dispatch.run_id)).state == pb.COMMAND_STATE_DISPATCHED


@pytest.mark.parametrize("change", [{"fencing_token": 99}, {"attempt": 2}])
async def test_an_attempt_that_is_not_the_current_one_is_killed_if_it_runs(
    world, agent, dispatch, frames, change
):
    assert await verdict_on(agent, frames.state_of(dispatch, RUNNING, **change)) == [KILL]
    [again] = await agent.dispatched()
    assert again == dispatch
    assert (await agent.finish(dispatch, exit_code=1, **change)).is_stale


async def test_an_ended_attempt_that_is_not_the_current_one_is_forgotten(agent, dispatch, frames):
    state = frames.state_of(dispatch, EXITED, fencing_token=99)
    assert await verdict_on(agent, state) == [FORGET]


@pytest.fixture
async def lost(world, agent, dispatch):
    """A command that was given up because its node stayed away."""
    await agent.start(dispatch)
    await agent.cut()
    await world.pass_time(1000)
    assert (await world.command(dispatch.run_id)).state == pb.COMMAND_STATE_LOST
    return dispatch


async def test_work_of_a_lost_node_is_killed_when_it_turns_out_to_run(world, agent, lost, frames):
    assert await verdict_on(agent, frames.state_of(lost, RUNNING)) == [KILL]
    await agent.finish(lost, phase=link.ATTEMPT_PHASE_CANCELLED)
    stored = await world.stored(lost.run_id)
    assert stored.command.state == pb.COMMAND_STATE_LOST
    assert stored.late_result.message
    assert not stored.HasField("result")


async def test_output_of_a_command_that_was_deleted_meanwhile_is_stored_nowhere(
    world, agent, lost, frames
):
    assert await verdict_on(agent, frames.state_of(lost, RUNNING)) == [KILL]
    await agent.print(lost, b"kept", 0)
    world.clock.advance(world.settings.terminal_retention + 1)
    assert await world.retention.forget_tasks() == 1
    assert await agent.print(lost, b"for nobody", 4) == 14  # so that the agent drops it
    assert (await agent.finish(lost, phase=link.ATTEMPT_PHASE_CANCELLED)).is_stale
    assert await world.store.read(sa.select(tables.output_chunks)) == []


async def test_a_late_result_is_kept_once_and_changes_no_state(world, agent, lost, frames):
    assert await verdict_on(agent, frames.state_of(lost, EXITED)) == [ADOPT]
    world.clock.advance(5)
    await agent.print(lost, b"late output", 0)
    await agent.finish(lost, exit_code=7, message="exited while away")
    stored = await world.stored(lost.run_id)
    assert stored.command.state == pb.COMMAND_STATE_LOST
    assert (stored.late_result.exit_code, stored.late_result.message) == (7, "exited while away")
    assert stored.late_result.received_at.ToMicroseconds() == world.clock.now_us()
    assert await world.output(lost.run_id) == b"late output"
    ack = await agent.finish(lost, exit_code=8)
    assert not ack.is_stale
    assert await world.stored(lost.run_id) == stored
    assert await verdict_on(agent, frames.state_of(lost, EXITED)) == [FORGET]


async def test_a_command_cancelled_while_its_node_was_away_is_adopted_and_cancelled(
    world, agent, dispatch, frames
):
    await agent.start(dispatch)
    await agent.cut()
    await world.fleet.commands.cancel(ADMIN, dispatch.run_id, grace_seconds=9)
    for _ in range(2):  # until the agent confirms, every time
        assert await verdict_on(agent, frames.state_of(dispatch, RUNNING)) == [ADOPT]
        [cancel] = await agent.until(lambda: agent.cancels)
        assert (cancel.run_id, cancel.attempt, cancel.grace_ms) == (dispatch.run_id, 1, 9000)
    await agent.finish(dispatch, phase=link.ATTEMPT_PHASE_CANCELLED)
    assert (await world.command(dispatch.run_id)).state == pb.COMMAND_STATE_CANCELLED
    await agent.connect()
    await agent.settle()
    assert not agent.cancels


async def test_a_cancelled_dispatch_that_never_arrived_is_not_sent_again(world, agent, dispatch):
    await agent.cut()
    await world.fleet.commands.cancel(ADMIN, dispatch.run_id)
    await agent.connect()
    await agent.settle()
    assert not agent.dispatches
    assert (await world.command(dispatch.run_id)).state == pb.COMMAND_STATE_CANCELLED


async def test_a_running_attempt_survives_a_restart_of_the_server(world, agent, dispatch, frames):
    await agent.start(dispatch)
    await agent.print(dispatch, b"before ", 0)
    await world.restart(down_for=30)
    command = await world.command(dispatch.run_id)
    assert command.state == pb.COMMAND_STATE_RUNNING
    welcome = await agent.connect(attempts=[frames.state_of(dispatch, RUNNING)])
    assert welcome.verdicts[0].stdout_offset == 7
    await agent.print(dispatch, b"before after", 0)  # from its spool, all of it
    await agent.finish(dispatch, exit_code=0, stdout_bytes=12)
    stored = await world.stored(dispatch.run_id)
    assert stored.command.state == pb.COMMAND_STATE_SUCCEEDED
    assert stored.result.stdout == "before after"


async def test_a_dispatch_that_a_killed_server_never_sent_is_sent_by_the_next(world, agent):
    await agent.cut()
    command_id = await world.run()
    await world.restart()
    await agent.connect()
    [dispatch] = await agent.dispatched()
    await world.restart()
    await agent.connect()
    assert (await agent.dispatched()) == [dispatch]
    assert dispatch.run_id == command_id


async def test_a_server_down_for_long_does_not_give_up_work_before_agents_can_return(
    world, agent, dispatch, frames
):
    await agent.start(dispatch)
    await world.restart(down_for=3600)
    await world.pass_time(60)
    assert (await world.command(dispatch.run_id)).state == pb.COMMAND_STATE_RUNNING
    assert await verdict_on(agent, frames.state_of(dispatch, RUNNING)) == [ADOPT]
