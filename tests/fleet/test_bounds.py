"""A mutation reaches watchers in one message: however much there is to change, it stays small."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import pytest
from novasphere.link.v1 import link_service_pb2 as link
from novasphere.node.v1 import command_pb2 as pb
from novasphere.schedule.v1 import task_pb2
from novasphere.schedule.v1 import task_service_pb2 as schedule_api
from novasphere_server import errors
from novasphere_server.core.commands import CommandFilter
from novasphere_server.core.credentials import ADMIN
from novasphere_server.store.limits import MIB
from novasphere_server.store.log import Change

COUNT = 30
LONG = "#" * 120_000


@pytest.fixture
def sizes(world):
    """How many bytes of objects each revision changed."""
    found: Counter[int] = Counter()

    def weigh(changes: Sequence[Change]) -> None:
        for change in changes:
            found[change.revision] += max(len(change.before or b""), len(change.after or b""))

    world.store.on_commit(weigh)
    return found


@pytest.fixture
async def agent(world):
    agent = world.agent()
    await agent.connect(free_slots=0)
    return agent


@pytest.fixture
async def waiting(world, agent, sizes):
    """More long commands than a message of gRPC's default size holds."""
    ids = [await world.run(text=LONG, queue_timeout_seconds=60) for _ in range(COUNT)]
    sizes.clear()
    return ids


@pytest.fixture
async def running(world, agent, waiting, sizes, frames):
    """The same, of which the agent says in one frame that they run."""
    agent.send(free_slots=COUNT)
    dispatches = await agent.dispatched(COUNT)
    agent.send(
        free_slots=0,
        reports=[frames.report(dispatch, link.ATTEMPT_PHASE_RUNNING) for dispatch in dispatches],
    )
    await agent.settle(free_slots=0)
    assert_small(sizes, COUNT * 2)
    return dispatches


def assert_small(sizes: Counter[int], count: int) -> None:
    """Asserts that `count` long commands were changed by mutations of about one MiB, and forgets them."""
    assert sum(sizes.values()) >= count * len(LONG)
    assert max(sizes.values()) < 1.25 * MIB
    sizes.clear()


async def assert_all(world, ids: Sequence[str], state: pb.CommandState.ValueType) -> None:
    assert {(await world.command(command_id)).state for command_id in ids} == {state}


async def test_many_long_commands_are_sent_and_reported(world, running):
    await assert_all(world, [each.run_id for each in running], pb.COMMAND_STATE_RUNNING)


async def test_many_long_commands_end_by_one_frame(world, agent, running, sizes, frames):
    final = [frames.report(each, link.ATTEMPT_PHASE_EXITED, exit_code=0) for each in running]
    agent.send(reports=final, free_slots=0)
    await agent.until(lambda: len(agent.report_acks) >= COUNT)
    await assert_all(world, [each.run_id for each in running], pb.COMMAND_STATE_SUCCEEDED)
    assert_small(sizes, COUNT)


async def test_many_long_commands_are_found_running_by_a_hello(world, agent, waiting, sizes, frames):
    agent.send(free_slots=COUNT)
    dispatches = await agent.dispatched(COUNT)
    sizes.clear()
    journal = [frames.state_of(each, link.ATTEMPT_PHASE_RUNNING) for each in dispatches]
    welcome = await agent.connect(attempts=journal, free_slots=0)
    assert [verdict.verdict for verdict in welcome.verdicts] == [link.VERDICT_ADOPT] * COUNT
    await assert_all(world, waiting, pb.COMMAND_STATE_RUNNING)
    assert_small(sizes, COUNT)


async def test_many_long_commands_that_left_no_trace_are_given_up(world, agent, running, sizes):
    await agent.connect(free_slots=0)
    await assert_all(world, [each.run_id for each in running], pb.COMMAND_STATE_UNKNOWN)
    assert_small(sizes, COUNT)


async def test_many_long_commands_are_lost_with_their_node(world, agent, running, sizes):
    await agent.cut()
    await world.pass_time(world.settings.lost_after)
    await assert_all(world, [each.run_id for each in running], pb.COMMAND_STATE_LOST)
    assert_small(sizes, COUNT)


async def test_many_long_commands_wait_for_too_long(world, waiting, sizes):
    await world.pass_time(61)
    await assert_all(world, waiting, pb.COMMAND_STATE_TIMED_OUT)
    assert_small(sizes, COUNT)


async def test_many_long_commands_wait_for_too_long_until_their_node_takes_work(
    world, agent, waiting, sizes
):
    world.clock.advance(61)
    agent.send(free_slots=COUNT)
    await agent.settle(free_slots=COUNT)
    await agent.end()
    await world.expiry.step()
    await assert_all(world, waiting, pb.COMMAND_STATE_TIMED_OUT)
    assert_small(sizes, COUNT)


async def test_many_long_commands_are_forgotten_after_a_while(world, waiting, sizes):
    await world.pass_time(61)
    sizes.clear()
    world.clock.advance(world.settings.terminal_retention + 1)
    assert await world.retention.forget_tasks() == COUNT
    assert_small(sizes, COUNT)


async def test_many_long_commands_are_deleted_with_their_node(world, waiting, sizes):
    await world.fleet.nodes.delete(ADMIN, "n1")
    assert (await world.fleet.commands.list(ADMIN, CommandFilter(), limit=0)).total == 0
    assert_small(sizes, COUNT)


async def test_many_large_nodes_go_offline(world, sizes):
    for n in range(30):
        agent = world.agent(f"n{n}", capabilities=["x" * 60_000])
        await agent.connect()
        await agent.settle()
    sizes.clear()
    await world.pass_time(world.settings.lost_after)
    nodes = [await world.node(f"n{n}") for n in range(30)]
    assert {len(node.offline_faces) for node in nodes} == {3}
    assert sum(sizes.values()) > 1.25 * MIB
    assert max(sizes.values()) < 1.25 * MIB


async def test_a_node_that_says_too_much_of_itself_is_refused(world):
    with pytest.raises(errors.InvalidArgument, match=r"^hello\.profile: must take at most 65536 bytes"):
        await world.agent(capabilities=["x" * 70_000]).connect()


# -- tasks that are as large as they may be


async def largest(world, **fields):
    """Submits the largest task that is accepted and returns its id."""

    async def submit(length: int, *, is_dry_run: bool) -> str:
        arguments = [LONG, "#" * (length // 2), "#" * (length - length // 2)]
        config = task_pb2.TaskConfig(cmd="true", args=arguments, queue_timeout_seconds=60)
        new = schedule_api.NewTask(config=config, **fields)
        tasks = world.fleet.schedule_tasks
        return (await tasks.create_all(ADMIN, [new], is_dry_run=is_dry_run)).ids[0]

    accepted, refused = 130_000, 160_000
    while refused - accepted > 1:
        length = (accepted + refused) // 2
        try:
            await submit(length, is_dry_run=True)
        except errors.TooLarge:
            refused = length
        else:
            accepted = length
    return await submit(accepted, is_dry_run=False)


async def state(world, task_id):
    return (await world.task(task_id)).task.state


@pytest.fixture
async def programs(world):
    agent = world.agent("n1", capabilities=["exec"])
    await agent.connect()
    await agent.settle()
    return agent


async def test_the_largest_task_is_sent_and_ends_with_the_longest_message(world, programs):
    task_id = await largest(world)
    [dispatch] = await programs.dispatched()
    await programs.start(dispatch)
    await programs.finish(dispatch, exit_code=1, message="\N{GRINNING FACE}" * 2000)
    stored = await world.task(task_id)
    assert stored.task.state == task_pb2.WORK_STATE_FAILED
    assert stored.instance.error_message == "\N{GRINNING FACE}" * 1024


async def test_the_largest_task_is_lost_and_its_report_comes_late(world, programs, frames):
    task_id = await largest(world)
    [dispatch] = await programs.dispatched()
    await programs.start(dispatch)
    await programs.cut()
    await world.pass_time(world.settings.lost_after)
    assert await state(world, task_id) == task_pb2.WORK_STATE_LOST
    await programs.connect(attempts=[frames.state_of(dispatch, link.ATTEMPT_PHASE_EXITED)])
    await programs.finish(dispatch, exit_code=1, message="\N{GRINNING FACE}" * 2000)
    assert (await world.task(task_id)).instance.late_report.exit_code == 1


async def test_the_largest_task_is_cancelled(world):
    task_id = await largest(world)
    await world.fleet.schedule_tasks.cancel(ADMIN, task_id)
    assert await state(world, task_id) == task_pb2.WORK_STATE_CANCELLED


async def test_the_largest_task_waits_too_long(world):
    task_id = await largest(world)
    await world.pass_time(61)
    assert await state(world, task_id) == task_pb2.WORK_STATE_TIMED_OUT


async def test_the_largest_task_is_cancelled_with_what_it_depends_on(world):
    [first] = await world.submit(command_text="first")
    task_id = await largest(world, dependencies=[task_pb2.Dependency(task_id=first)])
    await world.fleet.schedule_tasks.cancel(ADMIN, first)
    await world.dependencies.step()
    assert await state(world, task_id) == task_pb2.WORK_STATE_CANCELLED
