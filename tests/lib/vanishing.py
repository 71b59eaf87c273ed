"""A process with many open streams of every kind, which somebody will kill.

`python vanishing.py GRPC_ADDRESS HTTP_PORT TOKEN COMMAND_ID COUNT IDENTITIES`: COUNT streams of each kind.
IDENTITIES is JSON: what agents keep.
"""

from __future__ import annotations

import asyncio
import json
import sys

import grpc
from frames import HandMadeAgent
from novasphere.node.v1 import command_service_pb2 as pb
from novasphere.node.v1 import command_service_pb2_grpc as rpc


async def over_http(port: int, token: str, path: str, media_type: str) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    head = f"GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nAccept: {media_type}\r\n\r\n"
    writer.write(head.encode())
    while await reader.read(65536):
        pass


async def over_grpc(address: str, token: str, method: str, request: object) -> None:
    # A connection of its own, as a client of its own would have.
    options = [("grpc.use_local_subchannel_pool", 1)]
    async with grpc.aio.insecure_channel(address, options) as channel:
        call = getattr(rpc.CommandServiceStub(channel), method)(
            request, metadata=[("authorization", f"Bearer {token}")]
        )
        async for _ in call:
            pass


async def linked(address: str, identity: dict[str, str | int]) -> None:
    agent = HandMadeAgent(address, str(identity["credential"]), str(identity["node_id"]))
    agent.node_uid = str(identity["node_uid"])
    agent.session_token = str(identity["session_token"])
    agent.incarnation = int(identity["incarnation"])
    agent.slots = 0
    await agent.greet()
    while True:
        await agent.hear(within=600)


async def main(
    address: str, port: str, token: str, command_id: str, count: str, identities: str
) -> None:
    watch, output = "/api/v1/commands:watch", f"/api/v1/commands/{command_id}/output?follow=true"
    async with asyncio.TaskGroup() as streams:
        for _ in range(int(count)):
            for path, media_type in (
                (watch, "text/event-stream"), (watch, "application/x-ndjson"), (output, "text/event-stream"),
            ):  # fmt: skip
                streams.create_task(over_http(int(port), token, path, media_type))
            for method, request in (
                ("WatchCommands", pb.WatchCommandsRequest()),
                ("ReadCommandOutput", pb.ReadCommandOutputRequest(command_id=command_id, follow=True)),
            ):
                streams.create_task(over_grpc(address, token, method, request))
        for identity in json.loads(identities):
            streams.create_task(linked(address, identity))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
