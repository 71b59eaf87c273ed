from __future__ import annotations

import pytest
import sqlalchemy as sa
from novasphere.api.v1 import watch_pb2
from novasphere.link.v1 import link_service_pb2 as link
from novasphere.node.v1 import node_pb2 as pb
from novasphere_server import errors
from novasphere_server.core import nodes as nodes_module
from novasphere_server.core import tasks as tasks_module
from novasphere_server.core.commands import CommandFilter
from novasphere_server.core.credentials import ADMIN
from novasphere_server.core.nodes import NodeFilter
from novasphere_server.store import tables
from novasphere_server.store.queries import LabelSelector


async def names(world, limit=50, offset=0, **which):
    page = await world.fleet.nodes.list(NodeFilter(**which), limit=limit, offset=offset)
    return [item.message().node_id for item in page.items], page.total


async def test_nodes_are_listed_in_the_order_of_their_ids(world):
    for name, zone in (("c", "x"), ("a", "y"), ("b", "x")):
        await world.agent(name, labels={"zone": zone}).connect()
    assert await names(world) == (["c", "a", "b"], 3)
    assert await names(world, limit=1, offset=1) == (["a"], 3)
    assert await names(world, limit=0) == ([], 3)
    assert await names(world, labels=LabelSelector.parse("zone=x")) == (["c", "b"], 2)
    assert await names(world, status=pb.NODE_STATUS_OFFLINE) == ([], 0)
    assert await names(world, status=pb.NODE_STATUS_ONLINE, limit=1) == (["c"], 3)


async def test_an_unknown_node_is_not_found(world):
    with pytest.raises(errors.NodeNotFound):
        await world.fleet.nodes.get("nobody")
    with pytest.raises(errors.NodeNotFound):
        await world.fleet.nodes.delete(ADMIN, "nobody")


@pytest.fixture
async def busy(world):
    """A node with everything that a node can have."""
    agent = world.agent()
    await agent.connect()
    await world.run()
    [dispatch] = await agent.dispatched()
    agent.beat(sample=link.Sample(cpu_usage=1))
    await agent.print(dispatch, b"x", 0)
    stale = link.AttemptReport(run_id=dispatch.run_id, attempt=1, phase=link.ATTEMPT_PHASE_EXITED)
    agent.send(reports=[stale])
    await agent.settle()
    await world.flush()
    return agent


async def test_deleting_a_node_deletes_what_belongs_to_it(world, busy):
    await world.fleet.nodes.delete(ADMIN, "n1")
    await busy.until(lambda: busy.has_ended)
    assert busy.closing == "NODE_DELETED"
    assert await names(world) == ([], 0)
    assert (await world.fleet.commands.list(ADMIN, CommandFilter(), limit=9)).total == 0
    await world.flush()
    for table in (
        tables.metric_samples,
        tables.metric_rollups,
        tables.heartbeats,
        tables.output_chunks,
        tables.stale_reports,
        tables.labels,
    ):
        assert await world.store.read(sa.select(table)) == [], table.name


async def test_a_deletion_is_one_mutation_that_watchers_hear_of(world, busy):
    watch = world.fleet.commands.watch(ADMIN, CommandFilter(), "")
    await anext(watch)
    await anext(watch)
    await world.fleet.nodes.delete(ADMIN, "n1")
    page = await anext(watch)
    assert [event.type for event in page.events] == [watch_pb2.EVENT_TYPE_DELETED]
    await watch.aclose()


async def test_a_node_with_many_commands_is_deleted_in_steps(world, busy, monkeypatch):
    monkeypatch.setattr(nodes_module, "_CASCADE", 5)
    await busy.settle(free_slots=0)
    for _ in range(12):
        await world.run()
    await world.fleet.nodes.delete(ADMIN, "n1")
    assert (await world.fleet.commands.list(ADMIN, CommandFilter(), limit=9)).total == 0


@pytest.fixture
def after_first_step(world, monkeypatch):
    """Lets something happen once the next write of any kind is committed."""
    monkeypatch.setattr(nodes_module, "_CASCADE", 5)
    monkeypatch.setattr(tasks_module, "DELETION_STEP", 5)
    write = world.store.write

    def arrange(happening):
        async def and_then(mutation, **options):
            result = await write(mutation, **options)
            monkeypatch.setattr(world.store, "write", write)
            await happening()
            return result

        monkeypatch.setattr(world.store, "write", and_then)

    return arrange


async def test_a_deletion_that_has_begun_ends_although_the_node_changes(world, busy, after_first_step):
    await busy.settle(free_slots=0)
    for _ in range(12):
        await world.run()

    async def goes_away():
        await busy.cut()
        assert await world.fleet.presence.update()

    etag = (await world.fleet.nodes.get("n1")).etag
    after_first_step(goes_away)
    await world.fleet.nodes.delete(ADMIN, "n1", etag=f'"{etag}"')
    assert await names(world) == ([], 0)


async def test_a_deletion_that_has_begun_leaves_a_node_alone_that_took_the_name(
    world, busy, after_first_step
):
    await busy.settle(free_slots=0)
    for _ in range(12):
        await world.run()

    async def is_replaced():
        await world.fleet.nodes.delete(ADMIN, "n1")
        await world.agent("n1").connect(free_slots=0)
        for _ in range(7):
            await world.run()

    after_first_step(is_replaced)
    with pytest.raises(errors.NodeNotFound):
        await world.fleet.nodes.delete(ADMIN, "n1")
    assert await names(world) == (["n1"], 1)
    assert (await world.fleet.commands.list(ADMIN, CommandFilter(), limit=9)).total == 7


async def test_a_deletion_that_was_cut_off_goes_on_when_it_is_repeated(
    world, busy, after_first_step, claim
):
    await busy.settle(free_slots=0)
    ids = [await world.run() for _ in range(12)]

    async def is_cut_off():
        raise ConnectionResetError

    after_first_step(is_cut_off)
    with pytest.raises(ConnectionResetError):
        await world.fleet.nodes.delete(ADMIN, "n1", idempotency=claim("k"))
    assert await names(world) == (["n1"], 1)
    left = await world.fleet.commands.list(ADMIN, CommandFilter(), limit=20)
    assert [item.message().command.command_id for item in left.items] == ids[:3:-1]  # the newest
    again = claim("k")
    await world.fleet.nodes.delete(ADMIN, "n1", idempotency=again)
    assert not again.was_replayed
    assert await names(world) == ([], 0)


async def test_a_deletion_may_name_the_version_it_means(world, busy):
    revision = (await world.node()).revision
    with pytest.raises(errors.EtagMismatch):
        await world.fleet.nodes.delete(ADMIN, "n1", etag='"1.5"' if revision != 1 else '"2"')
    etag = (await world.fleet.nodes.get("n1")).etag
    await world.fleet.nodes.delete(ADMIN, "n1", etag=f'"{etag}"')


@pytest.mark.parametrize("is_dry_run", [False, True])
async def test_who_is_bound_to_a_namespace_deletes_no_node(world, busy, tenant, is_dry_run):
    with pytest.raises(errors.PermissionDenied):
        await world.fleet.nodes.delete(tenant, "n1", is_dry_run=is_dry_run)
    await busy.settle()
    assert await names(world) == (["n1"], 1)
    assert (await world.fleet.commands.list(ADMIN, CommandFilter(), limit=9)).total == 1


async def test_a_dry_run_deletes_nothing(world, busy):
    await world.fleet.nodes.delete(ADMIN, "n1", is_dry_run=True)
    assert await names(world) == (["n1"], 1)
    await busy.settle()


async def test_a_repeated_deletion_answers_as_the_first(world, busy, claim):
    await world.fleet.nodes.delete(ADMIN, "n1", idempotency=claim("k"))
    again = claim("k")
    await world.fleet.nodes.delete(ADMIN, "n1", idempotency=again)
    assert again.was_replayed


@pytest.mark.parametrize("is_same_request", [True, False])
async def test_a_key_that_was_used_deletes_nothing_of_a_node_that_joined_again(
    world, busy, claim, monkeypatch, is_same_request
):
    monkeypatch.setattr(nodes_module, "_CASCADE", 5)
    await world.fleet.nodes.delete(ADMIN, "n1", idempotency=claim("k"))
    await world.agent("n1").connect(free_slots=0)
    for _ in range(12):
        await world.run()
    again = claim("k")
    if is_same_request:
        await world.fleet.nodes.delete(ADMIN, "n1", idempotency=again)
        assert again.was_replayed
    else:
        again.fingerprint = b"another"
        with pytest.raises(errors.IdempotencyKeyReused):
            await world.fleet.nodes.delete(ADMIN, "n1", idempotency=again)
    assert await names(world) == (["n1"], 1)
    assert (await world.fleet.commands.list(ADMIN, CommandFilter(), limit=9)).total == 12


async def test_a_deletion_that_was_sent_twice_leaves_a_node_alone_that_took_the_name(
    world, busy, claim, monkeypatch
):
    monkeypatch.setattr(nodes_module, "_CASCADE", 5)
    await busy.settle(free_slots=0)
    for _ in range(12):
        await world.run()
    write = world.store.write

    async def is_overtaken(mutation, **options):
        """Finds too much to delete at once, and is slower then than the same call sent again."""
        try:
            return await write(mutation, **options)
        except nodes_module._TooManyTasks:
            monkeypatch.setattr(world.store, "write", write)
            await world.fleet.nodes.delete(ADMIN, "n1", idempotency=claim("k"))
            await world.agent("n1").connect(free_slots=0)
            for _ in range(7):
                await world.run()
            raise

    monkeypatch.setattr(world.store, "write", is_overtaken)
    late = claim("k")
    await world.fleet.nodes.delete(ADMIN, "n1", idempotency=late)
    assert late.was_replayed
    assert (await world.fleet.commands.list(ADMIN, CommandFilter(), limit=9)).total == 7


async def test_a_name_used_again_starts_without_anything_of_the_old_node(world, busy):
    await world.fleet.nodes.delete(ADMIN, "n1")
    heir = world.agent("n1")
    await heir.connect(free_slots=2)
    node = await world.node()
    assert node.id == 2
    assert node.free_slots == 2
    assert not node.conditions


async def test_watchers_of_a_selector_see_nodes_enter_and_leave(world):
    which = NodeFilter(labels=LabelSelector.parse("zone=x"))
    watch = world.fleet.nodes.watch(which, "")
    await anext(watch)
    agent = world.agent("n1", labels={"zone": "x"})
    await world.agent("n2").connect()
    await agent.connect()
    page = await anext(watch)
    assert [(e.type, e.object.message().node_id) for e in page.events] == [
        (watch_pb2.EVENT_TYPE_ADDED, "n1")
    ]
    agent.profile["labels"] = {"zone": "y"}
    await agent.connect()
    page = await anext(watch)
    assert [event.type for event in page.events] == [watch_pb2.EVENT_TYPE_DELETED]
    await watch.aclose()
