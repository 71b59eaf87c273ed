from __future__ import annotations

import asyncio
import random
from typing import Any

import grpc
import pytest
from novasphere.node.v1 import command_pb2, command_service_pb2
from novasphere_client import Client, errors
from scripted_server import ERR, OUT, TOKEN, Refusal, ScriptedServer

SUCCEEDED = command_pb2.COMMAND_STATE_SUCCEEDED


async def read(output: Any) -> tuple[bytes, bytes]:
    """Reads to the end; returns what went to standard output and to standard error."""
    streams = {OUT: b"", ERR: b""}
    async for piece in output:
        streams[piece.stream] += piece.data
    return streams[OUT], streams[ERR]


async def test_output_so_far_ends_by_itself(server: ScriptedServer) -> None:
    script = server.add_command()
    await server.print(script, (OUT, b"one\n"), (ERR, b"two\n"), (OUT, b"three"))
    async with Client.connect(server.address, TOKEN) as client:
        output = client.commands.output(script.command.command_id)
        assert await read(output) == (b"one\nthree", b"two\n")
        assert output.offset == 13
        assert output.command.state == command_pb2.COMMAND_STATE_RUNNING
        only = client.commands.output(
            script.command.command_id, stream=command_service_pb2.OUTPUT_STREAM_STDOUT, offset=2
        )
        assert await read(only) == (b"e\nthree", b"")


@pytest.mark.parametrize("overlap", [False, True])
async def test_every_byte_comes_once_through_breaks_and_restarts(
    server: ScriptedServer, overlap: bool
) -> None:
    """Pieces of odd sizes, streams broken at odd moments, and a server that repeats bytes on resume."""
    chance = random.Random(7)
    script = server.add_command()
    wanted = {OUT: b"", ERR: b""}

    def repeat(rows: list[Any]) -> list[Any]:
        everything = script.rows(0, 0)
        before = [row for row in everything if row.next_offset <= rows[0].offset]
        return [*before[-2:], *rows]

    if overlap:
        server.edit_rows = repeat

    async def play() -> None:
        for number in range(120):
            which = chance.choice([OUT, ERR])
            data = chance.randbytes(chance.randint(1, 3000))
            wanted[which] += data
            await server.print(script, (which, data))
            if number % 17 == 5:
                await server.until(lambda: server.open_streams == 1)
                calls = len(server.requests("ReadCommandOutput"))
                await server.break_streams()
                # The client may be back before anybody sees it gone.
                await server.until(
                    lambda before=calls: len(server.requests("ReadCommandOutput")) > before
                )
            if number in {40, 80}:
                await server.until(lambda: server.open_streams == 1)
                await server.stop()
                await server.start()
            await asyncio.sleep(0)
        await server.finish(script, SUCCEEDED, 0)

    async with Client.connect(server.address, TOKEN) as client, asyncio.TaskGroup() as tasks:
        output = client.commands.output(script.command.command_id, follow=True)
        reading = tasks.create_task(read(output))
        tasks.create_task(play())
    assert reading.result() == (wanted[OUT], wanted[ERR])
    assert output.command is not None
    assert output.command.state == SUCCEEDED
    assert len(server.requests("ReadCommandOutput")) > 8


async def test_bytes_that_are_missing_are_an_error_and_not_a_silence(server: ScriptedServer) -> None:
    script = server.add_command()
    await server.print(script, (OUT, b"one"), (OUT, b"two"), (OUT, b"three"))
    server.edit_rows = lambda rows: [rows[0], rows[2]]
    async with Client.connect(server.address, TOKEN) as client:
        with pytest.raises(errors.OutputGap, match="bytes 3 to 6"):
            await read(client.commands.output(script.command.command_id))


async def test_an_end_that_lies_beyond_the_last_byte_is_an_error(server: ScriptedServer) -> None:
    script = server.add_command()
    await server.print(script, (OUT, b"one"), (OUT, b"two"))
    server.edit_rows = lambda rows: rows[:1]
    async with Client.connect(server.address, TOKEN) as client:
        with pytest.raises(errors.OutputGap, match="bytes 3 to 6"):
            await read(client.commands.output(script.command.command_id))


async def test_following_outlasts_a_server_that_ends_the_stream_early(server: ScriptedServer) -> None:
    script = server.add_command()
    await server.print(script, (OUT, b"one"))
    server.refuse("ReadCommandOutput", Refusal(grpc.StatusCode.UNAVAILABLE, "DRAINING"))
    async with Client.connect(server.address, TOKEN) as client:
        output = client.commands.output(script.command.command_id, follow=True)
        assert (await anext(output)).data == b"one"
        await server.stop()
        await server.print(script, (OUT, b"two"))
        await server.finish(script, command_pb2.COMMAND_STATE_FAILED, 3, "EXIT_CODE")
        await server.start()
        assert await read(output) == (b"two", b"")
        assert output.command.exit_code == 3


async def test_output_of_a_command_that_is_not_there_is_not_found(server: ScriptedServer) -> None:
    async with Client.connect(server.address, TOKEN) as client:
        with pytest.raises(errors.CommandNotFound):
            await read(client.commands.output("cmd-0", follow=True))
    assert len(server.requests("ReadCommandOutput")) == 1


async def test_a_reader_that_leaves_cancels_the_stream(server: ScriptedServer) -> None:
    script = server.add_command()
    await server.print(script, (OUT, b"one"))
    async with Client.connect(server.address, TOKEN) as client:
        async with client.commands.output(script.command.command_id, follow=True) as output:
            await anext(output)
            assert server.open_streams == 1
        await server.until(lambda: server.open_streams == 0)


async def test_a_cancelled_task_cancels_the_stream(server: ScriptedServer) -> None:
    script = server.add_command()
    async with Client.connect(server.address, TOKEN) as client:
        reading = asyncio.ensure_future(
            read(client.commands.output(script.command.command_id, follow=True))
        )
        await server.until(lambda: server.open_streams == 1)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        await server.until(lambda: server.open_streams == 0)
