"""What the goals are measured against: the least that the same libraries can do.

Run as `python -m bench.baselines NAME PORT`.
"""

from __future__ import annotations

import asyncio
import json
import sys

import grpc
import uvloop
from aiohttp import web
from google.protobuf import json_format
from novasphere.node.v1 import node_service_pb2 as pb

from bench import example, fleet


async def _serve_aiohttp(handler: web.RequestHandler, port: int, path: str) -> None:  # type: ignore[type-arg]
    app = web.Application()
    app.router.add_get(path, handler)  # type: ignore[arg-type]
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    await asyncio.Event().wait()


async def constant(port: int) -> None:
    """Bare aiohttp + uvloop: answers one node as a constant."""
    body = json.dumps({"success": True, "data": example.node()}).encode()

    async def answer(_: web.Request) -> web.Response:
        return web.Response(body=body, content_type="application/json")

    await _serve_aiohttp(answer, port, "/api/v1/nodes/{node_id}")  # type: ignore[arg-type]


async def json_format_list(port: int) -> None:
    """Aiohttp + uvloop that prints 100 nodes with protobuf's own JSON printer for every request."""
    message = pb.ListNodesResponse(nodes=[fleet.node(i) for i in range(100)], total=100)

    async def answer(_: web.Request) -> web.Response:
        text = json_format.MessageToJson(
            message,
            preserving_proto_field_name=True,
            always_print_fields_with_no_presence=True,
            indent=None,
        )
        return web.Response(text=text, content_type="application/json")

    await _serve_aiohttp(answer, port, "/api/v1/nodes")  # type: ignore[arg-type]


async def echo(port: int) -> None:
    """Bare grpc.aio + uvloop: answers every GetNode with the same node."""
    reply = pb.GetNodeResponse(node=fleet.node(1))

    async def answer(request: pb.GetNodeRequest, _: grpc.aio.ServicerContext) -> pb.GetNodeResponse:  # type: ignore[type-arg]
        return reply

    server = grpc.aio.server()
    handler = grpc.unary_unary_rpc_method_handler(
        answer,
        request_deserializer=pb.GetNodeRequest.FromString,
        response_serializer=pb.GetNodeResponse.SerializeToString,
    )
    service = "novasphere.node.v1.NodeService"
    server.add_generic_rpc_handlers(
        [grpc.method_handlers_generic_handler(service, {"GetNode": handler})]
    )
    server.add_insecure_port(f"127.0.0.1:{port}")
    await server.start()
    await server.wait_for_termination()


if __name__ == "__main__":
    uvloop.run(
        {"constant": constant, "json_format": json_format_list, "echo": echo}[sys.argv[1]](
            int(sys.argv[2])
        )
    )
