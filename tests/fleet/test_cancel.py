from __future__ import annotations

import pytest
from novasphere.link.v1 import link_service_pb2 as link
from novasphere.node.v1 import command_pb2 as pb
from novasphere_server import errors
from novasphere_server.core.credentials import ADMIN


async def cancel(world, command_id, **options):
    return await world.fleet.commands.cancel(ADMIN, command_id, **options)


@pytest.fixture
async def agent(world):
    agent = world.agent()
    await agent.connect()
    return agent


async def test_a_waiting_command_is_cancelled_at_once(world, agent):
    await agent.cut()
    command_id = await world.run()
    command = await cancel(world, command_id)
    assert command.state == pb.COMMAND_STATE_CANCELLED
    assert command.status == pb.COMMAND_STATUS_FAILED
    assert (command.reason, command.cancel_requested) == ("CANCELLED", True)
    assert command.HasField("completed_at")
    assert not command.HasField("started_at")
    await agent.connect()
    await agent.settle()
    assert not agent.dispatches


@pytest.mark.parametrize("is_running", [False, True])
async def test_a_command_on_its_node_is_cancelled_when_the_agent_confirms(world, agent, is_running):
    command_id = await world.run()
    [dispatch] = await agent.dispatched()
    if is_running:
        await agent.start(dispatch)
    before = (await world.command(command_id)).state
    command = await cancel(world, command_id)
    assert (command.state, command.cancel_requested) == (before, True)
    [sent] = await agent.until(lambda: agent.cancels)
    assert (sent.run_id, sent.attempt, sent.grace_ms) == (command_id, 1, 5000)
    await agent.finish(dispatch, phase=link.ATTEMPT_PHASE_CANCELLED, duration_ms=10)
    command = await world.command(command_id)
    assert (command.state, command.reason) == (pb.COMMAND_STATE_CANCELLED, "CANCELLED")


async def test_the_grace_that_a_client_asks_for_reaches_the_agent(world, agent):
    command_id = await world.run()
    await agent.dispatched()
    await cancel(world, command_id, grace_seconds=0)
    [sent] = await agent.until(lambda: agent.cancels)
    assert sent.grace_ms == 0


async def test_a_command_that_ends_before_the_cancel_reaches_it_ended_by_itself(world, agent):
    command_id = await world.run()
    [dispatch] = await agent.dispatched()
    await cancel(world, command_id)
    await agent.finish(dispatch, exit_code=0)
    command = await world.command(command_id)
    assert command.state == pb.COMMAND_STATE_SUCCEEDED
    assert command.cancel_requested


async def test_cancelling_again_changes_nothing(world, agent):
    command_id = await world.run()
    [dispatch] = await agent.dispatched()
    first = await cancel(world, command_id)
    assert await cancel(world, command_id) == first
    await agent.finish(dispatch, phase=link.ATTEMPT_PHASE_CANCELLED)
    done = await cancel(world, command_id)
    assert await cancel(world, command_id) == done


async def test_a_command_that_has_ended_otherwise_cannot_be_cancelled(world, agent):
    command_id = await world.run()
    [dispatch] = await agent.dispatched()
    await agent.finish(dispatch, exit_code=0)
    with pytest.raises(errors.CommandFinished) as caught:
        await cancel(world, command_id)
    assert caught.value.metadata["state"] == "SUCCEEDED"


async def test_a_cancel_that_no_agent_confirms_ends_with_its_node(world, agent):
    command_id = await world.run()
    await agent.dispatched()
    await agent.cut()
    await cancel(world, command_id)
    await world.pass_time(1000)
    assert (await world.command(command_id)).state == pb.COMMAND_STATE_LOST


async def test_a_cancel_may_name_the_version_it_means(world, agent):
    await agent.cut()
    command_id = await world.run()
    revision = (await world.command(command_id)).revision
    with pytest.raises(errors.EtagMismatch):
        await cancel(world, command_id, etag=f'"{revision + 1}"')
    assert (await cancel(world, command_id, etag=f'"{revision}"')).cancel_requested


async def test_a_dry_run_cancels_nothing(world, agent):
    command_id = await world.run()
    await agent.dispatched()
    assert (await cancel(world, command_id, is_dry_run=True)).cancel_requested
    assert not (await world.command(command_id)).cancel_requested
    await agent.settle()
    assert not agent.cancels


async def test_an_unknown_command_cannot_be_cancelled(world):
    with pytest.raises(errors.CommandNotFound):
        await cancel(world, "cmd-none")


async def test_a_command_that_is_cancelled_on_its_way_and_never_arrives_is_cancelled(
    world, agent, frames
):
    command_id = await world.run()
    [dispatch] = await agent.dispatched()
    await world.fleet.commands.cancel(ADMIN, command_id)
    undelivered = frames.report(dispatch, link.ATTEMPT_PHASE_UNDELIVERED)
    agent.send(reports=[undelivered], free_slots=0)
    await agent.settle(free_slots=0)
    assert (await world.command(command_id)).state == pb.COMMAND_STATE_CANCELLED
