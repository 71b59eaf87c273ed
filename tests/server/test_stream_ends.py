"""A stream ends with the credential that opened it, within seconds and with a reason."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
import grpc
import grpc.aio
import pytest
import signers
from novasphere.link.v1 import link_service_pb2 as link
from novasphere.link.v1 import link_service_pb2_grpc as link_grpc
from novasphere.node.v1 import command_service_pb2 as commands
from novasphere.node.v1 import command_service_pb2_grpc as commands_grpc
from novasphere_server.testing import RunningServer, running_server

SIGNER = signers.signer("ES256", "old")
Ending = Callable[[], Awaitable[None]]


async def key(server: RunningServer, http: aiohttp.ClientSession) -> tuple[str, Ending]:
    admin = {"Authorization": f"Bearer {server.admin_token}"}
    wanted = {"name": "k", "scopes": ["read", "agent"]}
    async with http.post("/api/v1/keys", json=wanted, headers=admin) as answer:
        made = await answer.json()

    async def revoke() -> None:
        path = f"/api/v1/keys/{made['key_id']}:revoke"
        async with http.post(path, json={}, headers=admin) as answer:
            assert answer.status == 200

    return made["key"], revoke


async def token(server: RunningServer, http: aiohttp.ClientSession) -> tuple[str, Ending]:
    async def expire() -> None:
        server.clock.advance(61)

    return SIGNER.sign(scope="read agent", exp=time.time() + 60), expire


async def token_of_old(server: RunningServer, http: aiohttp.ClientSession) -> tuple[str, Ending]:
    async def replace_the_keys() -> None:
        jwks = server.app.settings.jwt_jwks
        assert jwks is not None
        signers.publish(jwks, signers.signer("ES256", "new"))

    return SIGNER.sign(scope="read agent"), replace_the_keys


@pytest.mark.parametrize("credential", [key, token, token_of_old])
async def test_every_stream_ends_with_its_credential(tmp_path: Path, credential: Any):
    jwks = signers.publish(tmp_path / "jwks.json", SIGNER)
    async with (
        running_server(tmp_path, jwt_jwks=jwks) as server,
        server.channel() as channel,
        aiohttp.ClientSession(server.http_url) as http,
    ):
        secret, end = await credential(server, http)
        metadata = server.authorization(secret)
        watch = commands_grpc.CommandServiceStub(channel).WatchCommands(
            commands.WatchCommandsRequest(), metadata=metadata
        )
        await watch.read()
        agent = link_grpc.LinkServiceStub(channel).Connect(metadata=metadata)
        hello = link.Hello(node_id="n1", protocol=1, capacity=1)
        await agent.write(link.ConnectRequest(sequence=1, hello=hello))
        assert (await agent.read()).welcome.node_uid
        events = await http.get("/api/v1/commands:watch", headers=dict(metadata))
        rows = await http.get(
            f"/api/v1/commands:watch?token={secret}", headers={"Accept": "application/x-ndjson"}
        )
        others = await http.get(f"/api/v1/commands:watch?token={server.admin_token}")
        for answer in (events, rows, others):
            assert answer.status == 200
        await end()
        async with asyncio.timeout(60):
            for call in (watch, agent):
                assert await call.code() is grpc.StatusCode.UNAUTHENTICATED
                assert await call.details() == "the credential of this stream no longer works"
            for answer in (events, rows):
                text = (await answer.read()).decode()
                assert '"UNAUTHENTICATED"' in text.splitlines()[-1] or '"UNAUTHENTICATED"' in text[-600:]
        assert len(server.app.pipeline.streams) == 1  # somebody else's
        others.close()
