"""G1 to G5: what one read costs over REST and over gRPC, against the bare libraries."""

from __future__ import annotations

from collections.abc import Callable, Set
from contextlib import ExitStack
from functools import partial

from novasphere.node.v1 import node_service_pb2 as pb

from bench import fleet, servers
from bench.measure import Row, Unavailable, Unmeasured, compare, rotate

GOALS = frozenset({"G1", "G2", "G3", "G4", "G5"})
GET = "/novasphere.node.v1.NodeService/GetNode"
_NODE = "/api/v1/nodes/node-001"
_LIST = "/api/v1/nodes?limit=100"
_BARE = "bare aiohttp + uvloop, constant"


def run(rounds: int, goals: Set[str] = GOALS) -> list[Row]:
    """Measures the goals that are wanted, all in the same rounds."""
    body = pb.GetNodeRequest(node_id="node-001").SerializeToString()
    rows: list[Row] = []
    contenders: dict[str, Callable[[], float]] = {}
    pairs: list[
        tuple[str, str, float, str, str, str]
    ] = []  # goal, what, target, baseline, its two sides

    def rest(port: int, path: str, token: str = servers.TOKEN) -> Callable[[], float]:
        return partial(servers.wrk, f"http://127.0.0.1:{port}{path}", token=token)

    with ExitStack() as running:
        ours = running.enter_context(servers.novasphere())
        fleet.register(ours.grpc_port)
        tokens = {"": servers.TOKEN, ", API key": ours.new_key(), ", JWT": servers.new_jwt()}
        if goals & {"G1", "G2"}:
            port = running.enter_context(servers.baseline("constant"))
            contenders["constant"] = rest(port, _NODE)
        if goals & {"G1", "G3", "G4"}:
            contenders["get"] = rest(ours.http_port, _NODE)
        if "G1" in goals:
            for kind, token in tokens.items():
                contenders[f"get{kind}"] = rest(ours.http_port, _NODE, token)
                pairs.append(("G1", f"REST GET of a node{kind}", 0.5, _BARE, f"get{kind}", "constant"))
        if "G2" in goals:
            port = running.enter_context(servers.baseline("json_format"))
            contenders["json_format"] = rest(port, _LIST)
            for kind, token in tokens.items():
                name, what = f"list{kind}", f"REST LIST of 100 nodes{kind}"
                contenders[name] = rest(ours.http_port, _LIST, token)
                pairs.append(("G2", what, 0.25, _BARE, name, "constant"))
                pairs.append(("G2", what, 20, "protobuf json_format", name, "json_format"))
        if "G3" in goals:
            try:
                port = running.enter_context(servers.fastapi_constant())
            except Unavailable as error:
                rows.append(Unmeasured("G3", str(error)))
            else:
                contenders["fastapi"] = rest(port, _NODE)
                name = "FastAPI + uvicorn, constant dict"
                pairs.append(("G3", "REST GET of a node", 1.5, name, "get", "fastapi"))
        if "G4" in goals:
            port = running.enter_context(servers.gateway_apart(ours))
            contenders["apart"] = rest(port, _NODE)
            name = "novasphere gateway, over a channel"
            pairs.append(("G4", "REST GET, gateway in process", 5, name, "get", "apart"))
        if "G5" in goals:
            port = running.enter_context(servers.baseline("echo"))
            contenders["echo"] = partial(servers.h2load, port, GET, body)
            for kind, token in tokens.items():
                name = f"grpc get{kind}"
                contenders[name] = partial(servers.h2load, ours.grpc_port, GET, body, token=token)
                what = f"gRPC GET, whole pipeline{kind}"
                pairs.append(("G5", what, 0.8, "bare grpc.aio + uvloop echo", name, "echo"))
        figures = rotate(contenders, rounds) if pairs else {}
    return rows + [
        compare(goal, what, target, baseline, "req/s", figures[ours_], figures[theirs])
        for goal, what, target, baseline, ours_, theirs in pairs
    ]
