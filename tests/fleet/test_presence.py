from __future__ import annotations

import pytest
from novasphere.api.v1 import options_pb2 as api
from novasphere.link.v1 import link_service_pb2 as link
from novasphere.node.v1 import command_pb2
from novasphere.node.v1 import node_pb2 as pb
from novasphere_server import errors
from novasphere_server.core import presence

ONLINE, DISCONNECTED, OFFLINE, LOST = (
    pb.CONNECTION_STATE_ONLINE,
    pb.CONNECTION_STATE_DISCONNECTED,
    pb.CONNECTION_STATE_OFFLINE,
    pb.CONNECTION_STATE_LOST,
)


@pytest.fixture
async def agent(world):
    agent = world.agent()
    await agent.connect()
    await agent.settle()
    return agent


async def test_a_broken_link_is_stored_at_once_and_changes_no_status(world, agent):
    assert not world.fleet.presence.stirred.is_set()
    await agent.cut()
    assert world.fleet.presence.stirred.is_set()
    await world.fleet.presence.update_stirred()
    node = await world.node()
    assert node.connection == DISCONNECTED
    assert node.status == pb.NODE_STATUS_ONLINE
    assert not node.HasField("free_slots")
    assert node.HasField("last_heartbeat")


async def test_each_face_counts_a_silent_node_as_offline_in_its_own_time(world, agent):
    await agent.cut()
    await world.pass_time(179)
    assert (await world.node()).connection == DISCONNECTED
    await world.pass_time(1)
    node = await world.node()
    assert (node.connection, node.status) == (OFFLINE, pb.NODE_STATUS_OFFLINE)
    assert list(node.offline_faces) == [api.FACE_NODES]
    await world.pass_time(120)
    node = await world.node()
    assert list(node.offline_faces) == [api.FACE_DEVICES, api.FACE_NODES, api.FACE_SCHEDULES]
    await world.pass_time(600)
    assert (await world.node()).connection == LOST
    await agent.connect()
    node = await world.node()
    assert (node.connection, node.status) == (ONLINE, pb.NODE_STATUS_ONLINE)
    assert list(node.offline_faces) == []


async def test_a_node_that_returns_while_others_are_written_keeps_its_work(
    world, agent, frames, monkeypatch
):
    back = world.agent("n2")
    await back.connect()
    command_id = await world.run("n2")
    [dispatch] = await back.dispatched()
    await back.start(dispatch)
    await agent.cut()
    await back.cut()
    monkeypatch.setattr(presence, "_STEP", 1)
    write = world.store.write
    steps = 0

    async def write_and_let_a_node_return(mutation, **options):
        nonlocal steps
        result = await write(mutation, **options)
        steps += 1
        if steps == 1:
            await back.connect(attempts=[frames.state_of(dispatch, link.ATTEMPT_PHASE_RUNNING)])
        return result

    monkeypatch.setattr(world.store, "write", write_and_let_a_node_return)
    await world.pass_time(1000)
    assert (await world.node("n1")).connection == LOST
    assert (await world.node("n2")).connection == ONLINE
    assert (await world.command(command_id)).state == command_pb2.COMMAND_STATE_RUNNING


async def test_a_crossing_is_one_change(world, agent):
    await agent.cut()
    await world.pass_time(200)
    revision = world.store.revision
    await world.pass_time(1)
    await world.pass_time(1)
    assert world.store.revision == revision


async def test_a_goodbye_is_offline_for_everybody_at_once_and_work_goes_on(world, agent):
    command_id = await world.run()
    [dispatch] = await agent.dispatched()
    await agent.start(dispatch)
    agent.send(goodbye=link.Goodbye(reason="stopped"))
    await agent.until(lambda: agent.has_ended)
    assert agent.failure is None
    await world.fleet.presence.update_stirred()
    node = await world.node()
    assert (node.connection, node.status) == (OFFLINE, pb.NODE_STATUS_OFFLINE)
    assert len(node.offline_faces) == 3
    assert (await world.command(command_id)).state == command_pb2.COMMAND_STATE_RUNNING
    await world.pass_time(1)
    assert (await world.node()).connection == OFFLINE


async def test_an_agent_that_ends_its_stream_without_a_word_is_disconnected(world, agent):
    await agent.end()
    await world.fleet.presence.update_stirred()
    assert (await world.node()).connection == DISCONNECTED


async def test_heartbeats_move_live_fields_and_no_revision(world, agent):
    revision, etag = world.store.revision, (await world.fleet.nodes.get("n1")).etag
    world.clock.advance(10)
    agent.beat(free_slots=3)
    await agent.settle()
    agent.beat(free_slots=3)
    world.fleet.presence.heard(agent.node_uid, 3)
    node = await world.node()
    assert node.last_heartbeat.ToMicroseconds() == world.clock.now_us()
    assert node.free_slots == 3
    assert world.store.revision == revision
    assert (await world.fleet.nodes.get("n1")).etag != etag


async def test_the_last_heartbeat_survives_a_restart(world, agent):
    world.clock.advance(5)
    agent.beat()
    await agent.settle()
    heard_us = world.clock.now_us()
    await world.fleet.presence.flush()
    await world.restart(down_for=60)
    node = await world.node()
    assert node.connection == DISCONNECTED
    assert node.last_heartbeat.ToMicroseconds() == heard_us
    await world.pass_time(120)
    assert (await world.node()).status == pb.NODE_STATUS_OFFLINE


async def test_nodes_silent_for_long_are_offline_right_after_a_restart(world, agent):
    await world.fleet.presence.flush()
    await world.restart(down_for=200)
    assert (await world.node()).status == pb.NODE_STATUS_OFFLINE


async def test_a_fault_that_a_node_reports_is_its_status_until_it_is_gone(world, agent):
    agent.beat(fault="disk is full")
    await agent.settle()
    await world.presence.step()
    node = await world.node()
    assert node.status == pb.NODE_STATUS_ERROR
    [condition] = node.conditions
    assert (condition.type, condition.message) == ("AgentFault", "disk is full")
    assert condition.status == pb.CONDITION_STATUS_TRUE
    revision = world.store.revision
    agent.beat(fault="disk is full")
    agent.beat(fault="disk is 99 % full")
    await agent.settle()
    await world.presence.step()
    assert world.store.revision == revision  # one fault, one change
    agent.beat()
    await agent.settle()
    await world.presence.step()
    node = await world.node()
    assert node.status == pb.NODE_STATUS_ONLINE
    assert node.conditions[0].status == pb.CONDITION_STATUS_FALSE


async def test_a_battery_is_stored_coarsely(world, agent):
    async def beat(level, is_charging=False):
        agent.beat(sample=link.Sample(battery_percent=level, is_charging=is_charging))
        await agent.settle()
        await world.presence.step()
        return (await world.node()).battery.level_percent, world.store.revision

    level, revision = await beat(80)
    assert level == 80
    assert await beat(77) == (80, revision)
    assert await beat(75) == (75, revision + 1)
    assert (await beat(74, is_charging=True))[0] == 74
    assert (await beat(float("nan")))[0] == 74


async def test_a_silent_link_is_cut(world, agent):
    for _ in range(3):
        world.clock.advance(5)
        await world.presence.step()
    assert not agent.has_ended
    agent.beat()
    await agent.settle()
    for _ in range(4):
        world.clock.advance(5)
        await world.presence.step()
    await agent.until(lambda: agent.has_ended)
    assert isinstance(agent.failure, errors.LinkProtocol)
    assert (await world.node()).connection == DISCONNECTED


async def test_a_server_that_stood_still_does_not_take_its_agents_for_silent(world, agent):
    world.clock.advance(3600)
    await world.presence.step()
    await agent.settle()
    assert not agent.has_ended
    await world.presence.step()
    node = await world.node()
    assert (node.connection, node.status) == (ONLINE, pb.NODE_STATUS_ONLINE)


async def test_unfinished_work_of_a_lost_node_is_given_up_and_waiting_work_is_not(world, agent):
    sent, running = await world.run(), await world.run()
    dispatches = await agent.dispatched(2)
    await agent.start(dispatches[1])
    await agent.settle(free_slots=0)
    await agent.cut()
    waiting = await world.run()
    await world.pass_time(899)
    assert (await world.command(running)).state == command_pb2.COMMAND_STATE_RUNNING
    await world.pass_time(1)
    for command_id in (sent, running):
        command = await world.command(command_id)
        assert command.state == command_pb2.COMMAND_STATE_LOST
        assert command.status == command_pb2.COMMAND_STATUS_FAILED
        assert command.reason == "LOST"
    assert (await world.command(waiting)).state == command_pb2.COMMAND_STATE_PENDING


async def test_work_of_a_node_that_was_lost_before_a_restart_is_given_up_after_it(world, agent):
    command_id = await world.run()
    await agent.dispatched()
    await agent.cut()
    world.clock.advance(1000)
    await world.presence.step()  # and the server dies before the work is ended
    assert (await world.node()).connection == LOST
    await world.restart()
    await world.expiry.step()
    assert (await world.command(command_id)).state == command_pb2.COMMAND_STATE_LOST
