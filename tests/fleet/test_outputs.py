from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import Any

import pytest
from novasphere.link.v1 import link_service_pb2 as link
from novasphere.node.v1 import command_pb2 as pb
from novasphere.node.v1 import command_service_pb2 as api
from novasphere.schedule.v1 import task_pb2
from novasphere.schedule.v1.task_service_pb2 import NewTask
from novasphere_server import errors
from novasphere_server.core import task_ids
from novasphere_server.core.credentials import ADMIN
from novasphere_server.core.fleet_settings import FleetSettings

STDOUT, STDERR = api.OUTPUT_STREAM_STDOUT, api.OUTPUT_STREAM_STDERR


@pytest.fixture
async def agent(world):
    agent = world.agent()
    await agent.connect()
    return agent


@pytest.fixture
async def dispatch(world, agent):
    await world.run()
    [dispatch] = await agent.dispatched()
    return dispatch


async def test_output_is_acknowledged_once_it_can_be_read(world, agent, dispatch):
    assert await agent.print(dispatch, b"abc", 0) == 3
    assert await world.output(dispatch.run_id) == b"abc"


async def test_output_said_twice_is_stored_once(world, agent, dispatch):
    await agent.print(dispatch, b"abc", 0)
    assert await agent.print(dispatch, b"abc", 0) == 3
    assert await agent.print(dispatch, b"bcde", 1) == 5
    assert await world.output(dispatch.run_id) == b"abcde"
    assert world.fleet.links.counters.output_bytes == 5


async def test_a_gap_in_the_output_breaks_the_protocol_and_stores_nothing(
    world, agent, dispatch, frames
):
    await agent.print(dispatch, b"abc", 0)
    with pytest.raises(errors.LinkProtocol):
        await agent.print(dispatch, b"e", 4)
    assert await world.output(dispatch.run_id) == b"abc"
    state = frames.state_of(dispatch, link.ATTEMPT_PHASE_RUNNING)
    welcome = await agent.connect(attempts=[state])
    assert welcome.verdicts[0].stdout_offset == 3


async def test_one_frame_is_stored_whole_or_not_at_all(world, agent, dispatch, frames):
    good, gap = frames.chunk(dispatch, b"abc", 0), frames.chunk(dispatch, b"x", 9)
    agent.send(output=[good, gap])
    await agent.until(lambda: agent.has_ended)
    assert await world.output(dispatch.run_id) == b""


async def test_a_chunk_may_not_be_longer_than_64_kib(agent, dispatch):
    with pytest.raises(errors.LinkProtocol):
        await agent.print(dispatch, b"x" * 65537, 0)


async def test_output_of_a_stale_attempt_is_dropped_and_acknowledged(world, agent, dispatch, frames):
    stale = frames.chunk(dispatch, b"zombie", 10)
    stale.fencing_token = 99
    agent.send(output=[stale])
    [ack] = await agent.until(lambda: agent.output_acks)
    assert ack.offset == 16
    assert await world.output(dispatch.run_id) == b""


async def test_each_stream_is_read_by_itself_or_both_as_they_came(world, agent, dispatch, frames):
    agent.send(
        output=[
            frames.chunk(dispatch, b"out1 ", 0),
            frames.chunk(dispatch, b"err1 ", 0, stream=2),
            frames.chunk(dispatch, b"out2 ", 5),
            frames.chunk(dispatch, b"err2 ", 5, stream=2),
        ]
    )
    await agent.until(lambda: agent.output_acks)
    run_id = dispatch.run_id
    assert await world.output(run_id) == b"out1 err1 out2 err2 "
    assert await world.output(run_id, STDOUT) == b"out1 out2 "
    assert await world.output(run_id, STDERR) == b"err1 err2 "
    assert await world.output(run_id, STDERR, 7) == b"r2 "
    assert await world.output(run_id, 0, 12) == b"t2 err2 "
    assert await world.output(run_id, 0, 99) == b""


async def test_rows_say_where_to_go_on(world, agent, dispatch, frames):
    agent.send(output=[frames.chunk(dispatch, b"out", 0), frames.chunk(dispatch, b"err", 0, stream=2)])
    await agent.until(lambda: agent.output_acks)
    events = [
        event
        async for page in world.fleet.outputs.stream(ADMIN, dispatch.run_id, 0, 1, False)
        for event in page
    ]
    assert [(e.type, e.stream, e.offset, e.next_offset) for e in events] == [
        (api.OUTPUT_EVENT_TYPE_CHUNK, STDOUT, 1, 3),
        (api.OUTPUT_EVENT_TYPE_CHUNK, STDERR, 3, 6),
        (api.OUTPUT_EVENT_TYPE_END, 0, 6, 6),
    ]
    assert events[-1].command.state == pb.COMMAND_STATE_DISPATCHED


async def test_long_output_comes_in_pages_that_fit_a_message(world, agent, dispatch, frames):
    block = bytes(range(256)) * 256
    for n in range(40):
        agent.send(output=[frames.chunk(dispatch, block, n * len(block))])
    small = [frames.chunk(dispatch, b"%04d" % n, 40 * len(block) + 4 * n) for n in range(600)]
    agent.send(output=small)
    total = 40 * len(block) + 2400
    await agent.until(lambda: agent.output_acks and agent.output_acks[-1].offset == total)
    data, offset = b"", 0
    async for page in world.fleet.outputs.stream(ADMIN, dispatch.run_id, 0, 0, False):
        assert api.ReadCommandOutputResponse(events=page).ByteSize() < 80 * 1024
        for event in page:
            assert event.offset == offset
            offset = event.next_offset
            data += event.data
    assert data == block * 40 + b"".join(b"%04d" % n for n in range(600))


async def test_a_follower_sees_output_as_it_comes_and_the_end(world, agent, dispatch):
    seen: list[api.OutputEvent] = []
    news = asyncio.Event()

    async def follow() -> None:
        stream = world.fleet.outputs.stream(ADMIN, dispatch.run_id, 0, 0, True)
        async with aclosing(stream) as pages:
            async for page in pages:
                seen.extend(page)
                news.set()

    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        group.create_task(follow())
        for n in range(5):
            await agent.print(dispatch, b"%d" % n, n)
            while len(seen) < n + 1:
                news.clear()
                await news.wait()
        await agent.finish(dispatch, exit_code=0)
    assert b"".join(event.data for event in seen) == b"01234"
    assert seen[-1].type == api.OUTPUT_EVENT_TYPE_END
    assert seen[-1].command.state == pb.COMMAND_STATE_SUCCEEDED
    assert not world.fleet.outputs._followers


@pytest.mark.parametrize("cursor", ["", "1.3"])
async def test_a_follower_with_nothing_to_read_yet_is_told_that_it_follows(
    world, agent, dispatch, cursor: str
):
    if cursor:
        await agent.print(dispatch, b"abc", 0)
    stream = world.fleet.outputs.stream(ADMIN, dispatch.run_id, 0, 0, True, cursor=cursor)
    async with asyncio.timeout(60), aclosing(stream) as pages:
        [row] = await anext(pages)
    assert (row.type, row.cursor) == (api.OUTPUT_EVENT_TYPE_WAITING, cursor or "1.0")


async def test_following_a_command_that_waits_starts_with_its_first_output(world, agent):
    await agent.cut()
    command_id = await world.run()

    async def follow() -> bytes:
        data = b""
        async for page in world.fleet.outputs.stream(ADMIN, command_id, 0, 0, True):
            data += b"".join(event.data for event in page)
        return data

    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        following = group.create_task(follow())
        await agent.connect()
        [dispatch] = await agent.dispatched()
        await agent.print(dispatch, b"hi", 0)
        await agent.finish(dispatch, exit_code=0)
    assert following.result() == b"hi"


async def test_the_result_shows_both_streams(world, agent, dispatch):
    await agent.print(dispatch, "größer\n".encode(), 0)
    await agent.print(dispatch, b"bad \xff byte", 0, stream=2)
    await agent.finish(dispatch, exit_code=0, stdout_bytes=9, stderr_bytes=10)
    result = (await world.stored(dispatch.run_id)).result
    assert (result.stdout, result.stderr) == ("größer\n", "bad � byte")
    assert (result.stdout_bytes, result.stderr_bytes) == (9, 10)
    assert not any((result.stdout_truncated, result.stderr_truncated, result.output_dropped))


async def test_the_result_shows_the_first_64_kib_and_says_that_there_is_more(world, agent, dispatch):
    await agent.print(dispatch, b"a" * 65536, 0)
    await agent.print(dispatch, b"b", 65536)
    await agent.print(dispatch, b"c" * 65536, 0, stream=2)
    await agent.finish(dispatch, exit_code=0)
    result = (await world.stored(dispatch.run_id)).result
    assert result.stdout == "a" * 65536
    assert (result.stdout_truncated, result.stderr_truncated) == (True, False)
    assert (result.stdout_bytes, result.stderr_bytes) == (65537, 65536)


async def test_bytes_that_are_not_text_never_outgrow_the_result(world, agent, dispatch):
    await agent.print(dispatch, b"\xff" * 65536, 0)
    await agent.finish(dispatch, exit_code=0)
    result = (await world.stored(dispatch.run_id)).result
    assert len(result.stdout.encode()) <= 65536
    assert result.stdout_truncated


async def test_a_long_command_with_long_output_still_ends(world, agent):
    command_id = await world.run(text="#" * 131071)
    [dispatch] = await agent.dispatched()
    # Shown with three bytes for each of these.
    await agent.print(dispatch, b"\xfe" * 65536, 0)
    await agent.print(dispatch, b"\xff" * 65536, 0, stream=2)
    await agent.finish(dispatch, exit_code=0)
    stored = await world.stored(command_id)
    assert stored.command.state == pb.COMMAND_STATE_SUCCEEDED
    assert stored.result.stdout_truncated
    assert stored.result.stdout


async def test_output_that_never_arrived_is_said_to_be_dropped(world, agent, dispatch):
    await agent.print(dispatch, b"abc", 0)
    await agent.finish(dispatch, exit_code=0, stdout_bytes=10)
    result = (await world.stored(dispatch.run_id)).result
    assert result.output_dropped
    assert result.stdout_truncated
    assert result.stdout_bytes == 10


@pytest.mark.parametrize("settings", [FleetSettings(max_output_bytes=10)])
async def test_an_agent_that_goes_on_past_the_limit_fills_no_disk(world, agent, dispatch, frames):
    await agent.print(dispatch, b"all of it", 0)
    assert await agent.print(dispatch, b"more", 9) == 13  # the chunk that reaches the limit is whole
    assert await agent.print(dispatch, b"dropped", 13) == 20
    assert await agent.print(dispatch, b"dropped", 20) == 27
    assert await agent.print(dispatch, b"dropped", 0, stream=2) == 7
    assert await world.output(dispatch.run_id) == b"all of itmore"
    await agent.connect(attempts=[frames.state_of(dispatch, link.ATTEMPT_PHASE_RUNNING)])
    assert await agent.print(dispatch, b"dropped", 13) == 20
    await agent.finish(dispatch, exit_code=0, stdout_bytes=27, stderr_bytes=7)
    result = (await world.stored(dispatch.run_id)).result
    assert await world.output(dispatch.run_id) == b"all of itmore"
    assert (result.stdout, result.stdout_bytes, result.stderr_bytes) == ("all of itmore", 27, 7)
    assert result.output_dropped
    assert result.stdout_truncated
    assert result.stderr_truncated


async def test_output_and_end_in_one_frame_belong_together(world, agent, dispatch, frames):
    agent.send(
        output=[frames.chunk(dispatch, b"all", 0)],
        reports=[frames.report(dispatch, link.ATTEMPT_PHASE_EXITED, exit_code=0)],
    )
    await agent.until(lambda: agent.report_acks)
    assert (await world.stored(dispatch.run_id)).result.stdout == "all"
    [frame] = [f for f in agent.frames if f.report_acks]
    assert frame.output_acks
    assert frame.acked_sequence == agent.sent


# -- attempts


async def read(world, task_id: str, *, offset: int = 0, follow: bool = False, **more: Any):
    """Returns what is read of a task's output, and the END row."""
    data = b""
    run_id = task_ids.run_id(task_id)
    stream = world.fleet.outputs.stream(ADMIN, run_id, 0, offset, follow, **more)
    async with aclosing(stream) as pages:
        async for events in pages:
            data += b"".join(event.data for event in events)
    return data, events[-1]


def retried(times: int) -> NewTask:
    config = task_pb2.TaskConfig(command_text="true", max_retries=times, retry_interval_seconds=0)
    return NewTask(node_id="n1", config=config)


async def test_every_attempt_has_output_of_its_own(world, agent):
    [task_id] = await world.submit(retried(2))
    for count, printed in ((1, b"first"), (2, b"second")):
        dispatch = (await agent.dispatched(count))[-1]
        await agent.print(dispatch, printed, 0)
        await agent.finish(dispatch, exit_code=1)
    await agent.start((await agent.dispatched(3))[-1])
    assert (await read(world, task_id, attempt=1))[0] == b"first"
    assert (await read(world, task_id, attempt=2))[0] == b"second"
    assert (await read(world, task_id, attempt=3))[0] == b""
    assert (await read(world, task_id))[0] == b"second"  # the last that printed
    assert (await read(world, task_id, follow=True, attempt=1))[0] == b"first"
    data, end = await read(world, task_id, cursor="1.2")
    assert data == b"rstsecond"
    assert (end.attempt, end.next_attempt, end.next_offset, end.cursor) == (2, 0, 6, "2.6")
    assert (await read(world, task_id, cursor="4"))[0] == b"nd"  # of whom knew of one attempt alone
    assert (await read(world, task_id, cursor="1.2", attempt=1))[0] == b"rst"
    for wrong in ("2.1", "x", "9.0"):
        with pytest.raises(errors.InvalidArgument, match="cursor"):
            await read(world, task_id, cursor=wrong, attempt=1 if wrong == "2.1" else 0)
    with pytest.raises(errors.InvalidArgument, match="at most 3"):
        await read(world, task_id, attempt=4)


async def test_who_follows_an_attempt_is_told_when_another_one_takes_its_place(world, agent):
    [task_id] = await world.submit(retried(1))
    [dispatch] = await agent.dispatched()
    await agent.print(dispatch, b"first", 0)
    following = asyncio.create_task(read(world, task_id, follow=True, attempt=1))
    await agent.finish(dispatch, exit_code=1)
    again = (await agent.dispatched(2))[-1]
    await agent.print(again, b"the second", 0)
    async with asyncio.timeout(60):
        data, end = await following
    assert data == b"first"
    assert end.command.attempt == 2


async def test_a_follower_from_before_the_first_attempt_misses_none(world, agent):
    """Two attempts have printed and ended before it looks again."""
    await agent.settle(free_slots=0)
    [task_id] = await world.submit(retried(1))
    async with aclosing(world.fleet.outputs.stream(ADMIN, task_id, 0, 0, True)) as following:
        [waiting] = await anext(following)
        assert (waiting.type, waiting.cursor) == (api.OUTPUT_EVENT_TYPE_WAITING, "1.0")
        agent.beat()
        for number, text in ((1, b"first"), (2, b"second")):
            dispatch = (await agent.dispatched(number))[-1]
            await agent.print(dispatch, text, 0)
            await agent.finish(dispatch, exit_code=2 - number)
        async with asyncio.timeout(60):
            events = [event async for page in following for event in page]
    assert [(event.attempt, event.data, event.next_attempt) for event in events] == [
        (1, b"first", 0),
        (1, b"", 2),
        (2, b"second", 0),
        (2, b"", 0),
    ]
