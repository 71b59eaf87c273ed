"""Two servers on one database: an agent is linked to one of them, and both tell the same."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

import pytest
from novasphere.link.v1 import link_service_pb2 as link
from novasphere.node.v1 import command_pb2, node_pb2
from novasphere.node.v1.command_service_pb2 import OUTPUT_EVENT_TYPE_WAITING
from novasphere.schedule.v1 import job_pb2, page_pb2, task_pb2
from novasphere.schedule.v1.schedule_service_pb2 import ListSchedulesRequest
from novasphere.schedule.v1.task_service_pb2 import NewTask
from novasphere_server import errors
from novasphere_server.core import instants, outputs
from novasphere_server.core.credentials import ADMIN
from novasphere_server.loops.due import DueLoop
from novasphere_server.store import postgresql
from scheduling import Scheduling

EXITED = link.ATTEMPT_PHASE_EXITED


async def connection(world) -> int:
    """Returns how the database has it that n1 is connected."""
    await world.store.catch_up()
    return (await world.node()).connection


async def test_work_given_to_one_runs_on_an_agent_of_the_other(pair):
    here, there = pair
    agent = there.agent()
    await agent.connect()
    await here.store.catch_up()
    run_id = await here.run()
    [dispatch] = await agent.dispatched()
    await agent.start(dispatch)
    await here.store.catch_up()

    printed: asyncio.Queue[bytes] = asyncio.Queue()

    async def follow() -> None:
        async with aclosing(here.fleet.outputs.stream(ADMIN, run_id, 0, 0, True)) as pages:
            async for page in pages:
                for event in page:
                    if event.data:
                        printed.put_nowait(event.data)

    async with asyncio.timeout(60), asyncio.TaskGroup() as tasks:
        tasks.create_task(follow())
        for offset, data in ((0, b"one"), (3, b"two")):
            await agent.print(dispatch, data, offset)
            assert await printed.get() == data
        await agent.finish(dispatch, exit_code=3)
    await here.store.catch_up()
    assert (await here.command(run_id)).exit_code == 3


async def test_a_link_that_was_left_for_another_server_changes_nothing_more(pair, frames):
    here, there = pair
    left = here.agent()
    await left.connect()
    run_id = await here.run()
    [dispatch] = await left.dispatched()
    await left.start(dispatch)
    agent = left.move(there)
    welcome = await agent.connect(attempts=[frames.state_of(dispatch, link.ATTEMPT_PHASE_RUNNING)])
    assert [verdict.verdict for verdict in welcome.verdicts] == [link.VERDICT_ADOPT]

    left.send(reports=[frames.report(dispatch, EXITED, exit_code=9)])
    await left.until(lambda: left.has_ended)
    assert left.closing == "DUPLICATE_IDENTITY"
    assert (await there.command(run_id)).state == command_pb2.COMMAND_STATE_RUNNING
    await agent.finish(dispatch, exit_code=0)
    await there.store.catch_up()
    assert (await there.command(run_id)).exit_code == 0


async def test_nobody_speaks_for_a_node_that_is_linked_elsewhere(pair):
    here, there = pair
    agent = here.agent()
    await agent.connect()
    await there.store.catch_up()
    there.clock.advance(5)
    await there.presence.step()
    assert await connection(here) == node_pb2.CONNECTION_STATE_ONLINE
    await there.restart()
    assert await connection(here) == node_pb2.CONNECTION_STATE_ONLINE


async def test_what_a_server_hears_of_its_nodes_the_others_show(pair):
    here, there = pair
    agent = here.agent()
    await agent.connect()
    here.clock.advance(7)
    agent.beat()
    await agent.settle()
    await here.flush()
    await there.store.catch_up()
    await there.presence.step()
    seen = [(await world.node()).last_heartbeat.ToMicroseconds() for world in pair]
    assert seen == [here.clock.now_us()] * 2


async def test_what_a_server_heard_before_a_node_moved_does_not_replace_what_is_newer(pair):
    here, there = pair
    left = here.agent()
    await left.connect()
    left.beat()
    await left.settle()
    here.clock.advance(7)
    agent = left.move(there)
    await agent.connect()
    agent.beat()
    await agent.settle()
    newest = here.clock.now_us()
    await there.flush()
    await here.flush()
    await there.restart()
    assert (await there.node()).last_heartbeat.ToMicroseconds() == newest


async def test_the_nodes_of_a_server_that_is_gone_are_spoken_for_by_the_others(pair):
    here, there = pair
    await here.agent().connect()
    await there.store.catch_up()
    await here.store.close()  # without a word, as kill -9 would
    there.clock.advance(there.settings.server_lease - 1)
    await there.fleet.servers.beat()
    await there.presence.step()
    assert await connection(there) == node_pb2.CONNECTION_STATE_ONLINE
    there.clock.advance(2)
    await there.presence.step()
    assert await connection(there) == node_pb2.CONNECTION_STATE_DISCONNECTED


async def test_a_server_that_lost_a_link_does_not_call_a_node_away_that_has_moved(pair):
    here, there = pair
    left = here.agent()
    await left.connect()
    await left.move(there).connect()
    await left.cut()
    await here.presence.step()
    assert await connection(there) == node_pb2.CONNECTION_STATE_ONLINE


async def test_a_clone_is_refused_wherever_it_calls(pair):
    here, there = pair
    agent = here.agent()
    await agent.connect()
    old = agent.move(there)
    await agent.connect()
    await agent.settle()
    with pytest.raises(errors.DuplicateIdentity):
        await old.connect()


async def test_output_is_followed_when_the_news_of_it_are_lost(pair, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(postgresql.Postgresql, "announce", lambda *_: None)
    monkeypatch.setattr(outputs, "_UNASKED", 0.1)
    here, there = pair
    agent = here.agent()
    await agent.connect()
    run_id = await here.run()
    [dispatch] = await agent.dispatched()
    await agent.start(dispatch)
    await there.store.catch_up()
    stream = there.fleet.outputs.stream(ADMIN, run_id, 0, 0, True)
    async with asyncio.timeout(60), aclosing(stream) as pages:
        [waiting] = await anext(pages)
        assert waiting.type == OUTPUT_EVENT_TYPE_WAITING
        first = asyncio.ensure_future(anext(pages))
        await asyncio.wait([first], timeout=0.2)  # it follows
        await agent.print(dispatch, b"one", 0)
        assert [event.data for event in await first] == [b"one"]


async def test_output_of_nothing_that_was_sent_hurts_nobody_else(pair):
    here, there = pair
    agent = here.agent()
    await agent.connect()
    invented = link.Dispatch(run_id="x" * 10_000, attempt=1, fencing_token=1)
    assert await agent.print(invented, b"abc", 0) == 3  # it may forget it
    assert here.store.is_available
    await there.store.catch_up()
    assert await there.run()


@pytest.mark.parametrize("node_id", ["", "n1"])
async def test_what_one_lets_go_reaches_the_node_that_may_run_it_at_the_other(pair, node_id):
    here, there = pair
    loops = [
        DueLoop(each.fleet.tasks, each.fleet.links, each.clock, is_shared=True, period=1)
        for each in pair
    ]
    agent = there.agent("n1", capabilities=["shell"])
    await agent.connect()
    await agent.settle()
    await here.store.catch_up()
    due_at = instants.timestamp(here.clock.now_us() + 10_000_000)
    config = task_pb2.TaskConfig(command_text="due")
    await here.submit(NewTask(config=config, node_id=node_id, scheduled_at=due_at))
    await there.store.catch_up()
    here.clock.advance(11)
    for loop in loops:
        await loop.step()
    assert (await agent.dispatched())[0].command_text == "due"


@pytest.mark.parametrize("priority", [-(2**31), 2**31 - 1])
async def test_every_priority_has_its_place(pair, priority):
    here, _ = pair
    agent = here.agent("n1", capabilities=["shell"])
    await here.submit(
        NewTask(config=task_pb2.TaskConfig(command_text="extreme"), priority=priority),
        NewTask(config=task_pb2.TaskConfig(command_text="true")),
    )
    await agent.connect()
    sent = [each.command_text for each in await agent.dispatched(2)]
    assert sent == ["extreme", "true"][:: 1 if priority > 0 else -1]


async def test_both_list_what_one_fired_and_stop_it(pair):
    here, there = pair
    bench = Scheduling(here)
    job_id = await bench.job()
    fires = await bench.make(job_id, interval_secs=3600)
    paused = await bench.make(job_id, kind=task_pb2.SCHEDULE_KIND_CRON, cron_expression="0 0 1 1 *")
    await here.fleet.schedules.pause(ADMIN, paused)
    await there.store.catch_up()
    has_fired = ListSchedulesRequest(filter={"fired_count": page_pb2.Condition(gte="1")})
    in_order = ListSchedulesRequest(page=page_pb2.PageSpec(order_by=["-next_run_at"]))

    async def ids(request: ListSchedulesRequest) -> list[list[str]]:
        return [
            [row.id for row in (await world.fleet.schedules.list(ADMIN, request))[0]] for world in pair
        ]

    assert await ids(has_fired) == [[], []]
    await here.scheduler.step()
    assert await ids(has_fired) == [[fires], [fires]]
    assert await ids(in_order) == [[fires, paused], [fires, paused]]
    await there.fleet.jobs.set_status(ADMIN, job_id, job_pb2.JOB_STATUS_DISABLED)
    [task] = await bench.tasks(fires)
    assert task.state == task_pb2.WORK_STATE_CANCELLED
