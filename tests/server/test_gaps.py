"""A reader that compaction passes is told what it lost, in a row of its own, on every transport."""

from __future__ import annotations

import json
import socket
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import grpc.aio
import pytest
from novasphere.api.v1 import watch_pb2
from novasphere.node.v1 import node_service_pb2, node_service_pb2_grpc
from novasphere_server.store.limits import Limits
from novasphere_server.testing import RunningServer, running_server
from store_samples import put_node
from watching import revision_of

WRITTEN = 80
KEPT = 3  # rows of the log that compaction leaves
BUFFERS = 64 * 1024  # what the client's side takes ahead of its reader: far less than is written
SIZE = 50_000  # of a node


@dataclass(frozen=True)
class Told:
    """What a row says."""

    type: str
    cursor: str
    node_id: str
    gap: dict[str, object] | None


Rows = Callable[..., AsyncGenerator[Told, None]]


async def rows_over_grpc(server: RunningServer, cursor: str = "") -> AsyncGenerator[Told, None]:
    # With the probe the client's core would take a megabyte and more ahead of its reader.
    options = [("grpc.http2.bdp_probe", 0)]
    async with grpc.aio.insecure_channel(server.grpc_address, options) as channel:
        request = node_service_pb2.WatchNodesRequest(cursor=cursor)
        stub = node_service_pb2_grpc.NodeServiceStub(channel)
        call = stub.WatchNodes(request, metadata=server.authorization())
        try:
            async for message in call:
                for event in message.events:
                    kind = watch_pb2.EventType.Name(event.type).removeprefix("EVENT_TYPE_")
                    gap = {field.name: value for field, value in event.gap.ListFields()} or None
                    yield Told(kind, event.cursor, event.object.node_id, gap)
        finally:
            call.cancel()


def _socket(address: Any) -> socket.socket:
    made = socket.socket(*address[:3])
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFERS)
    return made


async def _lines(server: RunningServer, cursor: str, accept: str) -> AsyncGenerator[str, None]:
    headers = {"Authorization": f"Bearer {server.admin_token}", "Accept": accept}
    url = f"{server.http_url}/api/v1/nodes:watch"
    async with (
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(socket_factory=_socket)) as http,
        http.get(url, params={"cursor": cursor}, headers=headers) as answer,
    ):
        assert answer.status == 200, await answer.text()
        async for line in answer.content:
            yield line.decode().removesuffix("\n")


def _told(data: str) -> Told:
    row = json.loads(data)
    node_id = row["object"]["node_id"] if "object" in row else ""
    return Told(row["type"], row["cursor"], node_id, row.get("gap"))


async def rows_over_sse(server: RunningServer, cursor: str = "") -> AsyncGenerator[Told, None]:
    event: dict[str, str] = {}
    async with aclosing(_lines(server, cursor, "text/event-stream")) as lines:
        async for line in lines:
            if line:
                event |= [line.split(": ", 1)]
            else:
                if "data" in event:
                    told = _told(event["data"])
                    assert (event["event"], event.get("id", "")) == (told.type, told.cursor)
                    yield told
                event = {}


async def rows_over_ndjson(server: RunningServer, cursor: str = "") -> AsyncGenerator[Told, None]:
    async with aclosing(_lines(server, cursor, "application/x-ndjson")) as lines:
        async for line in lines:
            yield _told(line)


@pytest.mark.parametrize("rows_of", [rows_over_grpc, rows_over_sse, rows_over_ndjson])
async def test_a_reader_that_compaction_passes_is_told_what_it_lost_and_where_to_go_on(
    tmp_path: Path, rows_of: Rows
) -> None:
    limits = Limits(ring_bytes=0, log_length=KEPT, page_bytes=SIZE)
    async with running_server(tmp_path, limits=limits) as server:
        async with aclosing(rows_of(server)) as rows:
            begin = await anext(rows)
            # Nothing is read meanwhile: what the buffers do not hold stays in the log, until it goes.
            for n in range(WRITTEN):
                await server.store.write(put_node(f"n{n:02}", hostname="h" * SIZE))
            await server.store.maintain()
            *read, end = [row async for row in rows]
        names = [f"n{n:02}" for n in range(WRITTEN)]
        assert begin.type == "BOOKMARK"
        assert [row.node_id for row in read] == names[: len(read)]
        floor = server.store.revision - KEPT
        oldest = f"{server.store.epoch}.{floor}"
        gap = {
            "first_lost_revision": revision_of([begin, *read][-1].cursor) + 1,
            "last_lost_revision": floor,
            "oldest_cursor": oldest,
        }
        assert end == Told("GAP", cursor="", node_id="", gap=gap)
        async with aclosing(rows_of(server, oldest)) as rows:
            assert [(await anext(rows)).node_id for _ in range(KEPT)] == names[-KEPT:]
