from __future__ import annotations

import gc
import re
from contextlib import aclosing

import pytest
import sqlalchemy as sa
from novasphere.node.v1 import command_pb2 as pb
from novasphere.node.v1 import command_service_pb2 as api
from novasphere.node.v1 import node_pb2
from novasphere_server import errors
from novasphere_server.clock import SystemClock
from novasphere_server.core.commands import CommandFilter, Commands
from novasphere_server.core.credentials import ADMIN
from novasphere_server.core.fleet_settings import FleetSettings
from novasphere_server.core.tasks import Tasks
from novasphere_server.store import tables
from novasphere_server.store.kinds import NODES
from novasphere_server.store.limits import Limits
from novasphere_server.store.rendered import Rendered
from novasphere_server.store.store import Store


@pytest.fixture
async def agent(world):
    agent = world.agent()
    await agent.connect(free_slots=0)
    return agent


async def test_a_command_is_accepted_as_pending(world, agent):
    command_id = await world.run(text="ls -la /home")
    assert re.fullmatch(r"cmd-[0-9a-f]{32}", command_id)
    command = await world.command(command_id)
    assert (command.id, command.command_text) == (1, "ls -la /home")
    assert (command.state, command.status) == (
        pb.COMMAND_STATE_PENDING,
        pb.COMMAND_STATUS_PENDING,
    )
    assert (command.timeout_seconds, command.queue_timeout_seconds) == (30, 86400)
    assert (command.namespace, command.target_node_id) == ("commands", "n1")
    assert command.node_uid == agent.node_uid
    assert command.created_at.ToMicroseconds() == world.clock.now_us()
    assert not command.HasField("started_at")
    assert not (await world.stored(command_id)).HasField("result")


async def test_an_unknown_node_takes_no_commands(world):
    with pytest.raises(errors.NodeNotFound):
        await world.run("nobody")


@pytest.mark.parametrize("text", ["x" * 131072, "ä" * 70000])
async def test_a_text_that_no_shell_could_take_is_refused(world, agent, text):
    with pytest.raises(errors.InvalidArgument):
        await world.run(text=text)


async def test_the_same_request_again_makes_no_second_command(world, agent, claim):
    request = api.CreateCommandRequest(node_id="n1", command_text="true")
    create = world.fleet.commands.create
    first = await create(ADMIN, request, idempotency=claim("k"))
    repeated = claim("k")
    assert await create(ADMIN, request, idempotency=repeated) == first
    assert repeated.was_replayed
    page = await world.fleet.commands.list(ADMIN, CommandFilter(), limit=10)
    assert page.total == 1


async def test_a_dry_run_checks_everything_and_creates_nothing(world, agent):
    create = world.fleet.commands.create
    request = api.CreateCommandRequest(node_id="n1", command_text="true")
    await create(ADMIN, request, is_dry_run=True)
    request.node_id = "nobody"
    with pytest.raises(errors.NodeNotFound):
        await create(ADMIN, request, is_dry_run=True)
    assert (await world.fleet.commands.list(ADMIN, CommandFilter(), limit=10)).total == 0


async def test_lists_count_what_matches_whatever_the_limit(world, agent):
    other = world.agent("n2")
    await other.connect(free_slots=0)
    ids = [await world.run("n1") for _ in range(3)] + [await world.run("n2")]
    await world.fleet.commands.cancel(ADMIN, ids[0])

    async def listed(limit=50, offset=0, **which):
        page = await world.fleet.commands.list_flat(
            ADMIN, CommandFilter(**which), limit=limit, offset=offset
        )
        return [item.message().command_id for item in page.items], page.total

    assert await listed() == (ids[::-1], 4)  # newest first
    assert await listed(limit=2) == ([ids[3], ids[2]], 4)
    assert await listed(limit=2, offset=3) == ([ids[0]], 4)
    assert await listed(limit=0) == ([], 4)
    assert await listed(status=pb.COMMAND_STATUS_FAILED) == ([ids[0]], 1)
    assert await listed(node_id="n1", limit=1) == ([ids[2]], 3)
    assert await listed(node_id="nobody") == ([], 0)
    assert await listed(namespace="other") == ([], 0)


async def test_flat_rows_are_cut_out_once_per_version(world, agent):
    await world.run()

    async def row():
        page = await world.fleet.commands.list_flat(ADMIN, CommandFilter(), limit=1)
        return page.items[0]

    first = await row()
    assert await row() is first
    await world.fleet.commands.cancel(ADMIN, first.message().command_id)
    assert (await row()).message().state == pb.COMMAND_STATE_CANCELLED


async def test_a_nodes_history_has_results_and_needs_the_node(world, agent):
    await world.run()
    agent.send(free_slots=1)
    [dispatch] = await agent.dispatched()
    await agent.finish(dispatch, exit_code=0)
    page = await world.fleet.commands.list_for_node(ADMIN, "n1", 0, limit=20)
    assert page.total == 1
    assert page.items[0].message().HasField("result")
    with pytest.raises(errors.NodeNotFound):
        await world.fleet.commands.list_for_node(ADMIN, "nobody", 0, limit=20)


async def test_a_caller_bound_to_a_namespace_sees_and_touches_that_alone(world, agent, tenant):
    commands = world.fleet.commands
    foreign = await world.run()
    request = api.CreateCommandRequest(node_id="n1", command_text="true", namespace="tenant")
    own = (await commands.create(tenant, request)).command_id
    page = await commands.list(tenant, CommandFilter(), limit=10)
    assert [item.message().command.command_id for item in page.items] == [own]
    assert (await commands.list(ADMIN, CommandFilter(), limit=10)).total == 2
    assert (await commands.get(tenant, own)).message().command.namespace == "tenant"
    request.namespace = ""
    for attempt in (
        commands.get(tenant, foreign),
        commands.cancel(tenant, foreign),
        commands.create(tenant, request),
        commands.list(tenant, CommandFilter(namespace="commands"), limit=1),
    ):
        with pytest.raises(errors.PermissionDenied):
            await attempt


async def test_a_command_that_waits_too_long_times_out(world, agent):
    await agent.cut()
    short = await world.run(queue_timeout_seconds=10)
    long = await world.run(queue_timeout_seconds=1000)
    await world.pass_time(9)
    assert (await world.command(short)).state == pb.COMMAND_STATE_PENDING
    await world.pass_time(1)
    command = await world.command(short)
    assert (command.state, command.status) == (
        pb.COMMAND_STATE_TIMED_OUT,
        pb.COMMAND_STATUS_TIMEOUT,
    )
    assert command.reason == "QUEUE_TIMEOUT"
    assert (await world.command(long)).state == pb.COMMAND_STATE_PENDING
    await world.pass_time(990)
    assert (await world.command(long)).state == pb.COMMAND_STATE_TIMED_OUT


async def test_a_command_created_after_the_look_is_not_overlooked(world, agent):
    await world.expiry.step()  # nothing waits
    command_id = await world.run(queue_timeout_seconds=5)
    await world.pass_time(5)
    assert (await world.command(command_id)).state == pb.COMMAND_STATE_TIMED_OUT


async def test_an_overdue_command_is_not_sent(world, agent):
    command_id = await world.run(queue_timeout_seconds=5)
    world.clock.advance(5)
    agent.send(free_slots=4)
    await agent.settle()
    assert not agent.dispatches
    assert (await world.command(command_id)).reason == "QUEUE_TIMEOUT"


async def test_queue_timeouts_survive_a_restart(world, agent):
    command_id = await world.run(queue_timeout_seconds=10)
    await world.restart(down_for=20)
    await world.expiry.step()
    assert (await world.command(command_id)).state == pb.COMMAND_STATE_TIMED_OUT


async def test_ended_commands_are_kept_for_a_week_with_their_output(world, agent):
    old = await world.run()
    agent.send(free_slots=1)
    [dispatch] = await agent.dispatched()
    await agent.print(dispatch, b"x", 0)
    await agent.finish(dispatch, exit_code=0)
    await agent.cut()
    world.clock.advance(6 * 86400)
    assert await world.retention.forget_tasks() == 0
    waiting = await world.run(queue_timeout_seconds=30 * 86400)
    world.clock.advance(86400 + 1)
    assert await world.retention.forget_tasks() == 1
    with pytest.raises(errors.CommandNotFound):
        await world.fleet.commands.get(ADMIN, old)
    assert await world.store.read(sa.select(tables.output_chunks)) == []
    assert (await world.command(waiting)).state == pb.COMMAND_STATE_PENDING


async def test_watchers_see_commands_without_results(world, agent, tenant):
    watch = world.fleet.commands.watch(ADMIN, CommandFilter(), "")
    narrow = world.fleet.commands.watch(tenant, CommandFilter(), "")
    await anext(watch)
    await anext(narrow)
    command_id = await world.run()
    page = await anext(watch)
    assert [event.object.message().command_id for event in page.events] == [command_id]
    assert isinstance(page.events[0].object.message(), pb.Command)
    request = api.CreateCommandRequest(node_id="n1", command_text="true", namespace="tenant")
    own = await world.fleet.commands.create(tenant, request)
    page = await anext(narrow)
    assert [event.object.message().command_id for event in page.events] == [own.command_id]
    await watch.aclose()
    await narrow.aclose()


async def test_listed_commands_are_cut_out_once_and_go_with_what_they_were_cut_from(world, agent):
    for _ in range(20):
        await world.run()
    commands = world.fleet.commands
    which = CommandFilter()
    first = (await commands.list_flat(ADMIN, which, limit=100)).items
    again = (await commands.list_flat(ADMIN, which, limit=100)).items
    assert [each.message().command_id for each in first] == [each.message().command_id for each in again]
    assert all(mine is others for mine, others in zip(first, again, strict=True))
    async with aclosing(commands.watch(ADMIN, which, "")) as pages:
        present = (await anext(pages)).events
        assert {id(event.object) for event in present} == {id(each) for each in first}


async def test_what_lists_cut_out_of_commands_takes_no_memory_beside_the_cache(tmp_path):
    store = await Store.open(
        f"sqlite:///{tmp_path}/n.db", clock=SystemClock(), limits=Limits(cache_bytes=0, ring_bytes=0)
    )
    commands = Commands(store, FleetSettings(), Tasks(store))
    await store.write(lambda tx: tx.put(NODES, node_pb2.Node(node_id="n1", uid="u1")))
    for _ in range(20):
        request = api.CreateCommandRequest(node_id="n1", command_text="true")
        await commands.create(ADMIN, request)
    page = await commands.list_flat(ADMIN, CommandFilter(), limit=100)
    wires = {item.wire for item in page.items}
    assert len(wires) == 20
    del page
    gc.collect()
    await store.close()
    assert not [each for each in gc.get_objects() if isinstance(each, Rendered) and each.wire in wires]
