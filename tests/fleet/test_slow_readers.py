"""Slow readers: whoever goes on reading is served to the end, however long it takes."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing

import pytest
from frames import HandMadeAgent
from google.protobuf.message import Message
from novasphere.link.v1 import link_service_pb2 as link
from novasphere.node.v1 import command_service_pb2 as command_api
from novasphere.node.v1 import command_service_pb2_grpc as command_grpc
from novasphere_server.testing import RunningServer, running_server
from slow_readers import read_slowly

# All that follows takes several times as long to arrive as the server waits for a write.
WRITE_SECONDS = 2.0
BYTES_PER_SECOND = 512 * 1024
CHUNK = 64 * 1024


@pytest.fixture
async def server(tmp_path) -> AsyncIterator[RunningServer]:
    async with running_server(tmp_path, stream_write_seconds=WRITE_SECONDS) as running:
        yield running


@pytest.fixture
async def agent(server) -> AsyncIterator[HandMadeAgent]:
    agent = HandMadeAgent(server.grpc_address, server.join_token)
    await agent.connect()
    yield agent
    await agent.hang_up()


def slow_reader(server: RunningServer, method: str, request: Message) -> AsyncGenerator[bytes, None]:
    path = f"/novasphere.node.v1.CommandService/{method}"
    return read_slowly(server.grpc_address, path, request, server.admin_token, BYTES_PER_SECOND)


async def test_a_slow_reader_gets_all_output(server, agent):
    async with server.channel() as channel:
        created = await command_grpc.CommandServiceStub(channel).CreateCommand(
            command_api.CreateCommandRequest(node_id=agent.node_id, command_text="true"),
            metadata=server.authorization(),
        )
    [dispatch] = await agent.hear_of("dispatches")
    printed = [bytes([n]) * CHUNK for n in range(40)]
    attempt = {name: getattr(dispatch, name) for name in ("run_id", "attempt", "fencing_token")}
    for n, data in enumerate(printed):
        chunk = link.OutputChunk(stream=link.STREAM_STDOUT, offset=n * CHUNK, data=data, **attempt)
        await agent.say(output=[chunk])
    while (await agent.hear_of("output_acks"))[-1].offset < len(printed) * CHUNK:
        pass

    request = command_api.ReadCommandOutputRequest(command_id=created.command_id)
    got = b""
    async with aclosing(slow_reader(server, "ReadCommandOutput", request)) as messages:
        async for message in messages:
            events = command_api.ReadCommandOutputResponse.FromString(message).events
            got += b"".join(event.data for event in events)
    assert got == b"".join(printed)


async def test_a_slow_reader_gets_the_whole_present_state_of_a_watch(server, agent):
    agent.slots = 0
    await agent.beat()
    texts = [f"{n:02}".ljust(CHUNK // 2, "x") for n in range(80)]
    async with server.channel() as channel:
        commands = command_grpc.CommandServiceStub(channel)
        for text in texts:
            request = command_api.CreateCommandRequest(node_id=agent.node_id, command_text=text)
            await commands.CreateCommand(request, metadata=server.authorization())

    present: list[str] = []
    request = command_api.WatchCommandsRequest()
    async with aclosing(slow_reader(server, "WatchCommands", request)) as messages:
        async for message in messages:
            events = command_api.WatchCommandsResponse.FromString(message).events
            if events[-1].cursor:
                break
            present += [event.object.command_text for event in events]
    assert sorted(present) == texts
