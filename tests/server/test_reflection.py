"""Clients without our protos find everything through reflection."""

from __future__ import annotations

import asyncio
import shutil
import sys
from pathlib import Path

import pytest
from novasphere_server.rpc import services
from novasphere_server.testing import RunningServer

BIN = Path(sys.executable).parent


def tool(name: str) -> str:
    found = shutil.which(name, path=f"{BIN}:/usr/local/bin:/usr/bin")
    if found is None:
        pytest.skip(f"{name} is not installed: pip install '.[dev]' brings it")
    return found


async def run(*command: str) -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    async with asyncio.timeout(120):
        output, _ = await process.communicate()
    return process.returncode or 0, output.decode()


@pytest.fixture
def grpcurl(server: RunningServer):
    program = tool("grpcurl")

    async def call(*arguments: str, token: str | None = None) -> tuple[int, str]:
        token = server.admin_token if token is None else token
        header = ("-H", f"authorization: Bearer {token}") if token else ()
        return await run(program, "-plaintext", *header, *arguments)

    return call


async def test_grpcurl_lists_describes_and_calls_every_service(server: RunningServer, grpcurl):
    code, listed = await grpcurl(server.grpc_address, "list")
    assert code == 0, listed
    assert set(services.LISTED) <= set(listed.split())
    for service in services.NAMES:
        code, described = await grpcurl(server.grpc_address, "describe", service)
        assert code == 0, described
        assert f"service {service.rpartition('.')[2]}" in described
    code, answer = await grpcurl(
        "-d", '{"name": "by-hand"}', server.grpc_address, "novasphere.api.v1.KeyService/CreateKey"
    )
    assert code == 0, answer
    assert '"secret": "nsk_' in answer


async def test_reflection_needs_a_credential(server: RunningServer, grpcurl):
    code, output = await grpcurl(server.grpc_address, "list", token="")
    assert code != 0
    assert "credential" in output


@pytest.mark.parametrize("version", ["grpc-v1", "grpc-v1alpha"])
async def test_buf_speaks_both_versions(server: RunningServer, version: str):
    code, output = await run(
        tool("buf"),
        "curl",
        *("--protocol", "grpc", "--http2-prior-knowledge", "--reflect-protocol", version),
        *("--header", f"authorization: Bearer {server.admin_token}"),
        *("--reflect-header", f"authorization: Bearer {server.admin_token}"),
        f"{server.http_url.replace(str(server.app.http_address), server.grpc_address)}"
        "/novasphere.node.v1.SystemService/GetVersion",
    )
    assert code == 0, output
    assert '"version"' in output
