"""Batches of commands as clients send them, over REST and over gRPC."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from io import BytesIO
from pathlib import Path
from typing import Any

import aiohttp
import grpc
import pytest
from novasphere.api.v1 import key_service_pb2, key_service_pb2_grpc, options_pb2
from novasphere.node.v1 import command_pb2 as pb
from novasphere.node.v1 import command_service_pb2 as api
from novasphere.node.v1 import command_service_pb2_grpc
from novasphere_server.testing import RunningServer, running_server
from processes import TOKEN, ControlPlane, eventually


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[RunningServer]:
    async with running_server(tmp_path, admin_token=TOKEN) as running:
        yield running


class Rest:
    """A client of the REST API."""

    def __init__(self, http: aiohttp.ClientSession, server: RunningServer) -> None:
        self._http = http
        self._server = server

    async def call(
        self, method: str, path: str, body: Any = None, *, status: int = 200, **headers: str
    ) -> tuple[Any, Any]:
        """Returns the answer and its headers."""
        headers = {
            "Authorization": f"Bearer {self._server.admin_token}",
            "Content-Type": "application/json",
        } | headers
        url = self._server.http_url + path
        data = BytesIO(json.dumps(body).encode())
        async with self._http.request(method, url, data=data, headers=headers) as answer:
            text = await answer.text()
            assert answer.status == status, f"{method} {path}: {answer.status} {text}"
            return await answer.json(content_type=None), answer.headers


@pytest.fixture
async def rest(server: RunningServer) -> AsyncIterator[Rest]:
    async with aiohttp.ClientSession() as http:
        yield Rest(http, server)


async def test_a_batch_runs_on_several_nodes(plane: ControlPlane) -> None:
    await plane.add_agent("one")
    await plane.add_agent("two")
    names = ["one", "two"] * 10
    body = {
        "requests": [
            {"node_id": name, "command_text": f"echo {n}", "timeout": 20} for n, name in enumerate(names)
        ]
    }
    accepted = (await plane.rest("POST", "/api/v1/commands:batch", body))["commands"]
    assert [command["target_node_id"] for command in accepted] == names
    assert {(command["status"], command["timeout"]) for command in accepted} == {("pending", 20)}
    query = "&".join(f"command_ids={command['command_id']}" for command in accepted)

    async def all_ended() -> Any:
        found = (await plane.rest("GET", f"/api/v1/commands:batch?{query}"))["commands"]
        return found if all(one["result"] for one in found) else None

    ended = await eventually(all_ended)
    assert [one["result"]["stdout"] for one in ended] == [f"{n}\n" for n in range(20)]


async def test_refusals_name_the_request_in_the_words_of_the_caller(
    rest: Rest, server: RunningServer
) -> None:
    good = {"node_id": "n1", "command_text": "true"}

    async def refused(requests: Any, status: int) -> Any:
        answer, headers = await rest.call(
            "POST", "/api/v1/commands:batch", {"requests": requests}, status=status
        )
        assert headers["Content-Type"].startswith("application/problem+json")
        return answer

    unknown = await refused([good, good], 404)
    assert unknown["code"] == "NODE_NOT_FOUND"
    assert "requests[0].node_id: node 'n1' does not exist" in unknown["detail"]
    wrong = await refused([good, good | {"timeout": 0}, good | {"command_text": ""}], 400)
    assert "requests[1].timeout: must be at least 1" in wrong["detail"]
    assert "requests[2].command_text: must be set" in wrong["detail"]
    assert "requests[0].comand_text" in (await refused([{"comand_text": "true"}], 400))["detail"]
    assert "requests: must be set" in (await refused([], 400))["detail"]
    assert "at most 1000 elements" in (await refused([good] * 1001, 400))["detail"]
    large = good | {"command_text": "#" * 100_000}
    assert (await refused([large] * 11, 413))["code"] == "TOO_LARGE"

    async with server.channel() as channel:
        commands = command_service_pb2_grpc.CommandServiceStub(channel)
        batch = api.BatchCreateCommandsRequest(requests=[api.CreateCommandRequest(**good)])
        with pytest.raises(grpc.aio.AioRpcError) as missing:
            await commands.BatchCreateCommands(batch, metadata=server.authorization())
        assert missing.value.code() is grpc.StatusCode.NOT_FOUND
        assert missing.value.details() == "requests[0].node_id: node 'n1' does not exist"


async def test_a_batch_is_idempotent_checked_and_cancelled_over_both_transports(
    plane: ControlPlane,
) -> None:
    agent = await plane.add_agent("n1")
    await agent.kill()
    body = {"requests": [{"node_id": "n1", "command_text": f"echo {n}"} for n in range(3)]}
    route = "/api/v1/commands:batch"
    checked = await plane.rest("POST", f"{route}?validate_only=true", body)
    assert [command["command_id"] for command in checked["commands"]] == ["", "", ""]
    assert (await plane.rest("GET", "/api/v1/commands"))["data"]["total"] == 0
    first = await plane.rest("POST", route, body, **{"Idempotency-Key": "once"})
    again = await plane.rest("POST", route, body, **{"Idempotency-Key": "once"})
    assert again == first
    reused = await plane.rest(
        "POST", route, {"requests": body["requests"][:1]}, status=422, **{"Idempotency-Key": "once"}
    )
    assert reused["code"] == "IDEMPOTENCY_KEY_REUSED"
    ids = [command["command_id"] for command in first["commands"]]
    assert len(set(ids)) == 3

    cancelled = await plane.rest("POST", "/api/v1/commands:cancel", {"command_ids": ids[:2]})
    assert [command["state"] for command in cancelled["commands"]] == ["CANCELLED"] * 2
    missing = await plane.rest(
        "POST", "/api/v1/commands:cancel", {"command_ids": [ids[2], "cmd-none"]}, status=404
    )
    assert "command_ids[1]" in missing["detail"]
    async with plane.client() as client:
        answer = await client.commands.cancel_all(ids)
        assert [command.state for command in answer] == [pb.COMMAND_STATE_CANCELLED] * 3
        found = await client.commands.get_all(ids)
        assert [one.command.command_id for one in found] == ids


async def test_scopes_and_namespaces_bound_batches(server: RunningServer) -> None:
    async with server.channel() as channel:
        keys = key_service_pb2_grpc.KeyServiceStub(channel)
        commands = command_service_pb2_grpc.CommandServiceStub(channel)

        async def code_of(scope: Any, batch: api.BatchCreateCommandsRequest) -> grpc.StatusCode:
            wanted = key_service_pb2.CreateKeyRequest(name="k", scopes=[scope], namespaces=["mine"])
            key = await keys.CreateKey(wanted, metadata=server.authorization())
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await commands.BatchCreateCommands(batch, metadata=server.authorization(key.secret))
            return refused.value.code()

        batch = api.BatchCreateCommandsRequest(
            requests=[{"node_id": "n1", "command_text": "true", "namespace": "mine"}]
        )
        assert await code_of(options_pb2.SCOPE_READ, batch) is grpc.StatusCode.PERMISSION_DENIED
        assert await code_of(options_pb2.SCOPE_WRITE, batch) is grpc.StatusCode.NOT_FOUND
        batch.requests[0].namespace = "theirs"
        assert await code_of(options_pb2.SCOPE_WRITE, batch) is grpc.StatusCode.PERMISSION_DENIED
