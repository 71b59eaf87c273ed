"""Many commands at once: all or none, in one revision and one message."""

from __future__ import annotations

from collections import Counter
from contextlib import aclosing

import pytest
from novasphere.link.v1 import link_service_pb2 as link
from novasphere.node.v1 import command_pb2 as pb
from novasphere.node.v1 import command_service_pb2 as api
from novasphere_server import errors
from novasphere_server.core.commands import CommandFilter
from novasphere_server.core.credentials import ADMIN
from novasphere_server.store.limits import MIB


@pytest.fixture
async def agent(world):
    agent = world.agent()
    await agent.connect(free_slots=0)
    return agent


@pytest.fixture
def revisions(world):
    """How many objects each revision changed."""
    found: Counter[int] = Counter()
    world.store.on_commit(lambda changes: found.update(change.revision for change in changes))
    return found


def requests(count, **fields):
    return [
        api.CreateCommandRequest(**({"node_id": "n1", "command_text": f"echo {n}"} | fields))
        for n in range(count)
    ]


async def create(world, wanted, principal=ADMIN, **how):
    response = await world.fleet.command_batches.create(principal, wanted, **how)
    return [command.command_id for command in response.commands]


async def total(world):
    return (await world.fleet.commands.list(ADMIN, CommandFilter(), limit=0)).total


# -- creating


async def test_a_batch_is_accepted_in_order_and_in_one_revision(world, agent, revisions):
    ids = await create(world, requests(500, timeout_seconds=7))
    assert list(revisions.values()) == [500]
    stored = [await world.command(command_id) for command_id in ids]
    assert [command.command_text for command in stored] == [f"echo {n}" for n in range(500)]
    assert [command.id for command in stored] == list(range(1, 501))
    assert {(command.state, command.timeout_seconds) for command in stored} == {
        (pb.COMMAND_STATE_PENDING, 7)
    }


async def test_a_watcher_hears_of_a_batch_in_one_message(world, agent):
    watch = world.fleet.commands.watch(ADMIN, CommandFilter(), "")
    async with aclosing(watch):
        await anext(watch)
        ids = await create(world, requests(300))
        page = await anext(watch)
        assert [event.object.message().command_id for event in page.events] == ids


async def test_one_unknown_node_refuses_the_whole_batch(world, agent):
    wanted = requests(5)
    wanted[3].node_id = "nobody"
    with pytest.raises(errors.NodeNotFound) as refused:
        await create(world, wanted)
    assert refused.value.violations[0].field == "requests[3].node_id"
    assert refused.value.message.startswith("requests[3].node_id: node 'nobody'")
    assert await total(world) == 0


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"command_text": "x" * 131072}, "requests[1].command_text"),
        ({"request_id": "mine"}, "requests[1].request_id"),
        ({"validate_only": True}, "requests[1].validate_only"),
    ],
)
async def test_what_is_wrong_with_one_request_is_named_with_its_place(world, agent, change, field):
    wanted = [*requests(1), *requests(1, **change)]
    with pytest.raises(errors.InvalidArgument) as refused:
        await create(world, wanted)
    assert [violation.field for violation in refused.value.violations] == [field]
    assert await total(world) == 0


async def test_one_namespace_out_of_reach_refuses_the_whole_batch(world, agent, tenant):
    wanted = [*requests(1, namespace="tenant"), *requests(1, namespace="other")]
    with pytest.raises(errors.PermissionDenied) as refused:
        await create(world, wanted, tenant)
    assert refused.value.violations[0].field == "requests[1].namespace"
    assert await total(world) == 0
    assert len(await create(world, wanted[:1], tenant)) == 1


async def test_a_batch_that_no_watcher_could_be_told_of_at_once_is_refused(world, agent):
    with pytest.raises(errors.TooLarge, match=r"requests: .*several batches") as refused:
        await create(world, requests(11, command_text="#" * 100_000))
    assert refused.value.violations[0].field == "requests"
    assert await total(world) == 0
    assert len(await create(world, requests(10, command_text="#" * 100_000))) == 10


async def test_the_largest_batch_stays_within_a_message(world, agent):
    sizes = []
    world.store.on_commit(lambda changes: sizes.append(sum(len(c.after or b"") for c in changes)))
    text = "#" * (MIB // 1000 - 12)
    assert len(await create(world, requests(1000, command_text=text))) == 1000
    assert sizes[0] < 1.25 * MIB


async def test_the_same_batch_again_makes_no_second_one(world, agent, claim):
    first = await create(world, requests(3), idempotency=claim("k"))
    repeated = claim("k")
    assert await create(world, requests(3), idempotency=repeated) == first
    assert repeated.was_replayed
    assert await total(world) == 3


async def test_a_checked_batch_creates_nothing(world, agent):
    await create(world, requests(3), is_dry_run=True)
    with pytest.raises(errors.NodeNotFound):
        await create(world, requests(1, node_id="nobody"), is_dry_run=True)
    assert await total(world) == 0


# -- reading


async def test_a_batch_is_read_in_the_order_of_its_ids(world, agent, tenant):
    ids = await create(world, requests(3, namespace="tenant"))
    other = await world.run()

    async def read(wanted, principal=ADMIN):
        found = await world.fleet.command_batches.get(principal, wanted)
        return [item.message().command.command_id for item in found]

    wanted = [ids[2], ids[0], ids[2]]
    assert await read(wanted) == wanted
    with pytest.raises(errors.CommandNotFound, match=r"command_ids\[1\]: command 'cmd-none'"):
        await read([ids[0], "cmd-none"])
    assert await read(ids, tenant) == ids
    with pytest.raises(errors.PermissionDenied, match=r"command_ids\[3\]: "):
        await read([*ids, other], tenant)
    # Whether it is there is not for the tenant to know.
    with pytest.raises(errors.PermissionDenied, match=r"command_ids\[0\]: "):
        await read(["cmd-none"], tenant)


# -- cancelling


async def test_a_batch_is_cancelled_together_and_what_has_ended_stays(world, agent, revisions, frames):
    ids = await create(world, requests(4))
    agent.send(free_slots=2)
    first, second = await agent.dispatched(2)
    told = [frames.report(first, link.ATTEMPT_PHASE_EXITED, exit_code=0)]
    told.append(frames.report(second, link.ATTEMPT_PHASE_RUNNING))
    agent.send(reports=told, free_slots=0)
    await agent.until(lambda: agent.report_acks)
    revisions.clear()
    response = await world.fleet.command_batches.cancel(ADMIN, ids, grace_seconds=9)
    assert list(revisions.values()) == [3]
    assert [command.command_id for command in response.commands] == ids
    assert [(command.state, command.cancel_requested) for command in response.commands] == [
        (pb.COMMAND_STATE_SUCCEEDED, False),
        (pb.COMMAND_STATE_RUNNING, True),
        (pb.COMMAND_STATE_CANCELLED, True),
        (pb.COMMAND_STATE_CANCELLED, True),
    ]
    running = response.commands[1]
    assert running.cancel_requested_by == "admin"
    assert running.cancel_requested_at.ToMicroseconds() == world.clock.now_us()
    [cancel] = await agent.until(lambda: agent.cancels)
    assert (cancel.run_id, cancel.grace_ms) == (ids[1], 9000)


async def test_one_unknown_command_keeps_the_whole_batch_from_being_cancelled(world, agent, tenant):
    ids = await create(world, requests(2))
    cancel = world.fleet.command_batches.cancel
    with pytest.raises(errors.CommandNotFound, match=r"command_ids\[2\]"):
        await cancel(ADMIN, [*ids, "cmd-none"])
    with pytest.raises(errors.PermissionDenied, match=r"command_ids\[0\]"):
        await cancel(tenant, ids)
    await cancel(ADMIN, ids, is_dry_run=True)
    assert {(await world.command(one)).state for one in ids} == {pb.COMMAND_STATE_PENDING}


async def test_more_than_can_be_cancelled_together_is_refused(world, agent):
    ids = [await world.run(text="#" * 120_000) for _ in range(12)]
    cancel = world.fleet.command_batches.cancel
    with pytest.raises(errors.TooLarge, match="only the first 8 of these"):
        await cancel(ADMIN, ids)
    assert {(await world.command(one)).state for one in ids} == {pb.COMMAND_STATE_PENDING}
    await cancel(ADMIN, ids[:8])


# -- on the link


async def test_a_batch_is_dispatched_in_one_frame_within_the_credit(world, agent, revisions):
    ids = await create(world, requests(50))
    revisions.clear()
    agent.send(free_slots=40)
    await agent.dispatched(40)
    assert [len(frame.dispatches) for frame in agent.frames if frame.dispatches] == [40]
    assert [dispatch.run_id for dispatch in agent.dispatches] == ids[:40]
    assert list(revisions.values()) == [40]


async def test_the_reports_of_a_frame_are_one_commit_and_one_answer(world, agent, revisions, frames):
    await create(world, requests(60))
    agent.send(free_slots=60)
    dispatches = await agent.dispatched(60)
    revisions.clear()
    before = len(agent.frames)
    agent.send(
        free_slots=0,
        reports=[frames.report(one, link.ATTEMPT_PHASE_RUNNING) for one in dispatches],
    )
    agent.send(
        free_slots=0,
        reports=[frames.report(one, link.ATTEMPT_PHASE_EXITED, exit_code=0) for one in dispatches],
    )
    await agent.until(lambda: len(agent.report_acks) == 60)
    assert [len(frame.report_acks) for frame in agent.frames[before:] if frame.report_acks] == [60]
    assert list(revisions.values()) == [60, 60]
