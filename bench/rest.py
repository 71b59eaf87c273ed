"""G1, G2 and G5: what one read costs over REST and over gRPC, against the bare libraries."""

from __future__ import annotations

from novasphere.node.v1 import node_service_pb2 as pb

from bench import fleet, servers
from bench.measure import Result, compare, rotate

GET = "/novasphere.node.v1.NodeService/GetNode"


def run(rounds: int) -> list[Result]:
    body = pb.GetNodeRequest(node_id="node-001").SerializeToString()
    with (
        servers.novasphere() as ours,
        servers.baseline("constant") as constant,
        servers.baseline("json_format") as json_format,
        servers.baseline("echo") as echo,
    ):
        fleet.register(ours.grpc_port)
        base = f"http://127.0.0.1:{ours.http_port}/api/v1/nodes"
        figures = rotate(
            {
                "constant": lambda: servers.wrk(f"http://127.0.0.1:{constant}/api/v1/nodes/node-001"),
                "get": lambda: servers.wrk(f"{base}/node-001"),
                "list": lambda: servers.wrk(f"{base}?limit=100"),
                "json_format": lambda: servers.wrk(f"http://127.0.0.1:{json_format}/api/v1/nodes"),
                "echo": lambda: servers.h2load(echo, GET, body),
                "grpc get": lambda: servers.h2load(ours.grpc_port, GET, body),
            },
            rounds,
        )
    bare = "bare aiohttp + uvloop, constant"
    return [
        compare("G1", "REST GET of a node", 0.5, bare, "req/s", figures["get"], figures["constant"]),
        compare("G2", "REST LIST of 100 nodes", 0.25, bare, "req/s", figures["list"], figures["constant"]),
        compare("G2", "REST LIST of 100 nodes", 20, "protobuf json_format", "req/s", figures["list"],
                figures["json_format"]),
        compare("G5", "gRPC GET, whole pipeline", 0.8, "bare grpc.aio + uvloop echo", "req/s",
                figures["grpc get"], figures["echo"]),
    ]  # fmt: skip
