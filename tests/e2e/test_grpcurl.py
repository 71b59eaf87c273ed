"""grpcurl and buf curl as a stranger uses them: nothing but reflection."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

import pytest
from novasphere_server.rpc.services import NAMES
from processes import TOKEN, ControlPlane

BIN = Path(sys.executable).parent


async def _run(*command: str, stdin: str | None = None) -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await asyncio.wait_for(process.communicate((stdin or "").encode()), 120)
    return process.returncode or 0, output.decode()


async def grpcurl(
    plane: ControlPlane, *arguments: str, token: str = TOKEN, body: str | None = None
) -> tuple[int, str]:
    # A watch has no end: it is left after a while.
    seconds = "15" if any("Watch" in argument for argument in arguments) else "60"
    options = ["-plaintext", "-max-time", seconds, "-H", f"authorization: Bearer {token}"]
    if body is not None:
        options += ["-d", body]
    return await _run(str(BIN / "grpcurl"), *options, plane.address, *arguments)


async def services(plane: ControlPlane) -> list[str]:
    code, output = await grpcurl(plane, "list")
    assert code == 0, output
    return output.split()


async def test_grpcurl_lists_describes_and_calls_every_service(plane: ControlPlane) -> None:
    await plane.add_agent("node-001")
    ours = [s for s in await services(plane) if s.startswith("novasphere.")]
    assert set(ours) == set(NAMES)
    bodies = {
        "GetNode": {"node_id": "node-001"}, "DeleteNode": {"node_id": "node-001", "validate_only": True},
        "ListMetrics": {"node_id": "node-001"}, "GetLatestMetric": {"node_id": "node-001"},
        "GetMetricSummary": {"node_id": "node-001", "start_time": "2020-01-01T00:00:00Z",
                             "end_time": "2100-01-01T00:00:00Z"},
        "CreateCommand": {"node_id": "node-001", "command_text": "true"},
        "BatchCreateCommands": {"requests": [{"node_id": "node-001", "command_text": "true"}]},
        "ListNodeCommands": {"node_id": "node-001"}, "CreateKey": {"name": "k", "scopes": ["SCOPE_READ"]},
        "CreateJob": {"name": "j", "config": {"command_text": "true"}},
        "CreateAgent": {"name": "a", "validate_only": True}, "GetAgent": {"agent_id": "node-001"},
        "UpdateAgent": {"agent_id": "node-001", "name": "a"},
        "DeleteAgent": {"agent_id": "node-001", "validate_only": True},
        "GenerateToken": {"agent_id": "node-001"},
    }  # fmt: skip
    # Of these services, whose methods are many, what has no body here is asked for nothing in particular.
    lenient = ("novasphere.schedule.", "novasphere.fleet.")
    refused = {"GetCommand": "NotFound", "CancelCommand": "NotFound", "ExplainCommand": "NotFound",
               "BatchGetCommands": "NotFound", "BatchCancelCommands": "NotFound", "GetKey": "NotFound",
               "UpdateKey": "NotFound", "RevokeKey": "NotFound", "RevokeJoinToken": "NotFound", "ReadCommandOutput": "NotFound",
               "Connect": "InvalidArgument"}  # fmt: skip
    ids = {"GetCommand": {"command_id": "x"}, "CancelCommand": {"command_id": "x"},
           "ExplainCommand": {"command_id": "x"}, "BatchGetCommands": {"command_ids": ["x"]},
           "BatchCancelCommands": {"command_ids": ["x"]}, "GetKey": {"key_id": "x"},
           "UpdateKey": {"key_id": "x", "name": "k"},
           "RevokeKey": {"key_id": "x"}, "RevokeJoinToken": {"token_id": "x"},
           "ReadCommandOutput": {"command_id": "x"}}  # fmt: skip
    watches: list[str] = []
    for service in ours:
        code, text = await grpcurl(plane, "describe", service)
        assert code == 0, text
        _, listing = await grpcurl(plane, "list", service)
        for method in listing.split():
            name = method.rsplit(".", 1)[1]
            if name.startswith("Watch"):
                watches.append(method)
                continue
            body = json.dumps(bodies.get(name) or ids.get(name) or {})
            code, output = await grpcurl(plane, method, body=body)
            if name in refused:
                assert code, f"{method}: {output}"
            elif code and name not in bodies and service.startswith(lenient):
                assert "Code: InvalidArgument" in output, f"{method}: {output}"
            else:
                assert code == 0, f"{method}: {output}"
    # Together: each lasts until it is left.
    for code, output in await asyncio.gather(*(grpcurl(plane, method) for method in watches)):
        assert code, output
        assert "EVENT_TYPE_BOOKMARK" in output


@pytest.mark.parametrize("version", ["grpc-v1", "grpc-v1alpha"])
async def test_both_reflection_versions_answer(plane: ControlPlane, version: str) -> None:
    code, output = await _run(
        str(BIN / "buf"), "curl", "--protocol", "grpc", "--http2-prior-knowledge", "--reflect-protocol", version,
        "--reflect-header", f"authorization: Bearer {TOKEN}", "--list-services", plane.url.replace(
            str(plane.http_port), str(plane.grpc_port)),
    )  # fmt: skip
    assert code == 0, output
    assert "novasphere.node.v1.NodeService" in output


async def test_reflection_needs_a_credential_and_health_does_not(plane: ControlPlane) -> None:
    code, output = await grpcurl(plane, "list", token="wrong")
    assert code, output
    code, output = await _run(
        str(BIN / "grpcurl"), "-plaintext", "-import-path", str(_health_proto()), "-proto", "health.proto",
        plane.address, "grpc.health.v1.Health/Check",
    )  # fmt: skip
    assert code == 0, output
    assert "SERVING" in output


def _health_proto() -> Path:
    return Path(__file__).parent / "protos"
