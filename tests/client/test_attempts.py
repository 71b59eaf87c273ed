"""What attempts at a task print, read through a line that is cut between them."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from frames import HandMadeAgent
from link_stand_in import until
from novasphere.link.v1 import link_service_pb2 as link
from novasphere.schedule.v1 import task_pb2, task_service_pb2
from novasphere_client import Client
from novasphere_server.testing import RunningServer, running_server


class Line:
    """Passes bytes on between clients and the server, until it is cut."""

    def __init__(self, target: str) -> None:
        self._host, _, port = target.rpartition(":")
        self._port = int(port)
        self._writers: set[asyncio.StreamWriter] = set()
        self.is_down = False
        self.address = ""

    @asynccontextmanager
    async def laid(self) -> AsyncIterator[Line]:
        server = await asyncio.start_server(self._join, "127.0.0.1", 0)
        self.address = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        try:
            yield self
        finally:
            self.cut()
            server.close()
            await server.wait_closed()

    def cut(self) -> None:
        """Breaks what passes now, and lets nobody in as long as it is down."""
        self.is_down = True
        for writer in self._writers:
            writer.transport.abort()

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.is_down:
            writer.transport.abort()
            return
        far_reader, far_writer = await asyncio.open_connection(self._host, self._port)
        self._writers |= {writer, far_writer}
        await asyncio.gather(self._pass(reader, far_writer), self._pass(far_reader, writer))

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.transport.abort()
            self._writers.discard(writer)


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[RunningServer]:
    async with running_server(tmp_path) as running:
        yield running


@pytest.fixture
async def agent(server: RunningServer) -> AsyncIterator[HandMadeAgent]:
    by_hand = HandMadeAgent(server.grpc_address, server.admin_token)
    try:
        await by_hand.connect()
        yield by_hand
    finally:
        await by_hand.hang_up()


async def say(agent: HandMadeAgent, dispatch: link.Dispatch, text: bytes, at: int = 0) -> None:
    chunk = link.OutputChunk(
        run_id=dispatch.run_id,
        attempt=dispatch.attempt,
        fencing_token=dispatch.fencing_token,
        stream=link.STREAM_STDOUT,
        offset=at,
        data=text,
    )
    await agent.say(output=[chunk])
    await agent.hear_of("output_acks")


async def end(agent: HandMadeAgent, dispatch: link.Dispatch, exit_code: int) -> None:
    known: dict[str, Any] = {
        "run_id": dispatch.run_id,
        "attempt": dispatch.attempt,
        "fencing_token": dispatch.fencing_token,
    }
    exited = link.AttemptReport(**known, phase=link.ATTEMPT_PHASE_EXITED, exit_code=exit_code)
    await agent.say(reports=[exited])


async def test_a_reader_goes_on_where_it_was_though_the_attempts_changed(
    server: RunningServer, agent: HandMadeAgent
) -> None:
    wanted = task_service_pb2.NewTask(
        config=task_pb2.TaskConfig(command_text="true", max_retries=2, retry_interval_seconds=0)
    )
    async with (
        asyncio.timeout(120),
        Line(server.grpc_address).laid() as line,
        Client.connect(line.address, server.admin_token) as client,
    ):
        task_id = await client.tasks.create(wanted)
        [first] = await agent.hear_of("dispatches")
        await say(agent, first, b"first")
        async with client.tasks.output(task_id, follow=True, patience=None) as output:
            assert (await anext(output)).data == b"first"
            assert (output.attempt, output.offset) == (1, 5)
            line.cut()
            await say(agent, first, b", and more", 5)
            await end(agent, first, 1)
            [second] = await agent.hear_of("dispatches")  # which prints nothing
            await end(agent, second, 1)
            [third] = await agent.hear_of("dispatches")
            await say(agent, third, b"third")
            await end(agent, third, 0)
            line.is_down = False
            rest = [(piece.attempt, piece.data) async for piece in output]
        assert rest == [(1, b", and more"), (3, b"third")]
        assert output.attempt == 3
        one = client.tasks.output(task_id, only_attempt=1, follow=True)
        assert [piece.data async for piece in one] == [b"first", b", and more"]

    # A page that was cut off at the same place is told the same, by the id of the last event that it saw.
    headers = {"Authorization": f"Bearer {server.admin_token}", "Last-Event-ID": "1.5"}
    async with (
        aiohttp.ClientSession(server.http_url, headers=headers) as http,
        http.get(f"/api/v1/tasks/{task_id}/output?follow=true") as answer,
    ):
        said = await answer.text()
    rows = [json.loads(line.removeprefix("data: ")) for line in said.splitlines() if "data:" in line]
    chunks = [base64.b64decode(row["data"]) for row in rows if row["type"] == "CHUNK"]
    assert chunks == [b", and more", b"third"]
    ids = [line for line in said.splitlines() if line.startswith("id:")]
    assert ids == ["id: 1.15", "id: 2.0", "id: 3.0", "id: 3.5", "id: 3.5"]


async def test_a_reader_who_was_cut_off_before_the_first_byte_misses_no_attempt(
    server: RunningServer, agent: HandMadeAgent
) -> None:
    wanted = task_service_pb2.NewTask(
        config=task_pb2.TaskConfig(command_text="true", max_retries=1, retry_interval_seconds=0)
    )
    async with (
        asyncio.timeout(120),
        Line(server.grpc_address).laid() as line,
        Client.connect(line.address, server.admin_token) as client,
    ):
        task_id = await client.tasks.create(wanted)
        [first] = await agent.hear_of("dispatches")
        async with (
            client.tasks.output(task_id, follow=True, patience=None) as output,
            asyncio.TaskGroup() as group,
        ):

            async def read() -> list[tuple[int, bytes]]:
                return [(piece.attempt, piece.data) async for piece in output]

            reading = group.create_task(read())
            await until(lambda: output.attempt)
            line.cut()
            await say(agent, first, b"first")
            await end(agent, first, 1)
            [second] = await agent.hear_of("dispatches")
            await say(agent, second, b"second")
            await end(agent, second, 0)
            line.is_down = False
        assert reading.result() == [(1, b"first"), (2, b"second")]
