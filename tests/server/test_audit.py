"""What the log says of mutations: each once, when it happened."""

from __future__ import annotations

import io
import json

import pytest
from novasphere.api.v1 import join_token_service_pb2 as joins
from novasphere.api.v1 import join_token_service_pb2_grpc as joins_grpc
from novasphere.api.v1 import key_service_pb2 as keys
from novasphere.api.v1 import key_service_pb2_grpc as keys_grpc
from novasphere.link.v1 import link_service_pb2 as link
from novasphere.link.v1 import link_service_pb2_grpc as link_grpc
from novasphere.node.v1 import command_service_pb2 as commands
from novasphere.node.v1 import command_service_pb2_grpc as commands_grpc
from novasphere.node.v1 import node_service_pb2 as nodes
from novasphere.node.v1 import node_service_pb2_grpc as nodes_grpc
from novasphere_server import logs


@pytest.fixture
def audit():
    """Returns a function that tells how often an event was logged."""
    lines = io.StringIO()
    logs.configure("json", "info", lines)

    def count(event: str) -> int:
        return [json.loads(line)["event"] for line in lines.getvalue().splitlines()].count(event)

    return count


async def test_a_mutation_of_keys_and_join_tokens_is_logged_once(server, channel, audit):
    admin = server.authorization()
    key_service = keys_grpc.KeyServiceStub(channel)
    join_service = joins_grpc.JoinTokenServiceStub(channel)
    for more in ({"validate_only": True}, {}, {}):
        key = await key_service.CreateKey(
            keys.CreateKeyRequest(name="ci", request_id="k", **more), metadata=admin
        )
        token = await join_service.CreateJoinToken(
            joins.CreateJoinTokenRequest(request_id="j", **more), metadata=admin
        )
    assert audit("API key created") == audit("join token created") == 1
    token_id = token.join_token.token_id
    for more in ({"validate_only": True}, {"request_id": "u"}, {"request_id": "u"}, {}):
        request = keys.UpdateKeyRequest(key_id=key.key_id, name="deploy", **more)
        await key_service.UpdateKey(request, metadata=admin)
    assert audit("API key updated") == 1
    for more in ({"validate_only": True}, {"request_id": "r"}, {"request_id": "r"}, {}):
        await key_service.RevokeKey(keys.RevokeKeyRequest(key_id=key.key_id, **more), metadata=admin)
    for more in ({"validate_only": True}, {"request_id": "s"}, {"request_id": "s"}, {}):
        await join_service.RevokeJoinToken(
            joins.RevokeJoinTokenRequest(token_id=token_id, **more), metadata=admin
        )
    assert audit("API key revoked") == audit("join token revoked") == 1


async def test_a_mutation_of_commands_and_nodes_is_logged_once(server, channel, audit):
    admin = server.authorization()
    agent = link_grpc.LinkServiceStub(channel).Connect(metadata=server.authorization(server.join_token))
    hello = link.Hello(node_id="n1", protocol=1, capacity=2, profile={"hostname": "h"})
    await agent.write(link.ConnectRequest(sequence=1, hello=hello))
    await agent.read()
    command_service = commands_grpc.CommandServiceStub(channel)
    node_service = nodes_grpc.NodeServiceStub(channel)
    for more in ({"validate_only": True}, {}, {}):
        made = await command_service.CreateCommand(
            commands.CreateCommandRequest(node_id="n1", command_text="true", request_id="c", **more),
            metadata=admin,
        )
    assert audit("command accepted") == 1
    for more in ({"validate_only": True}, {}, {}):
        await command_service.CancelCommand(
            commands.CancelCommandRequest(command_id=made.command_id, request_id="x", **more),
            metadata=admin,
        )
    assert audit("command cancelled") == 1
    for more in ({"validate_only": True}, {}, {}):
        await node_service.DeleteNode(
            nodes.DeleteNodeRequest(node_id="n1", request_id="d", **more), metadata=admin
        )
    assert audit("node deleted") == 1


async def test_a_batch_of_commands_is_logged_with_every_id_once(server, channel):
    lines = io.StringIO()
    logs.configure("json", "info", lines)
    admin = server.authorization()
    agent = link_grpc.LinkServiceStub(channel).Connect(metadata=server.authorization(server.join_token))
    hello = link.Hello(node_id="n1", protocol=1, capacity=2, profile={"hostname": "h"})
    await agent.write(link.ConnectRequest(sequence=1, hello=hello))
    await agent.read()
    service = commands_grpc.CommandServiceStub(channel)
    batch = commands.BatchCreateCommandsRequest(
        requests=[{"node_id": "n1", "command_text": "true"}] * 250, request_id="b"
    )
    batch.validate_only = True
    await service.BatchCreateCommands(batch, metadata=admin)
    batch.validate_only = False
    created = await service.BatchCreateCommands(batch, metadata=admin)
    await service.BatchCreateCommands(batch, metadata=admin)
    ids = [command.command_id for command in created.commands]
    cancel = commands.BatchCancelCommandsRequest(command_ids=ids[:3])
    await service.BatchCancelCommands(cancel, metadata=admin)

    def logged(event: str) -> list[str]:
        entries = [json.loads(line) for line in lines.getvalue().splitlines()]
        found = [entry for entry in entries if entry["event"] == event]
        assert all(entry["by"] == "admin" for entry in found)
        assert all(len(entry["command_ids"]) == len(entry["node_ids"]) <= 100 for entry in found)
        return [command_id for entry in found for command_id in entry["command_ids"]]

    assert logged("commands accepted") == ids
    assert logged("commands cancelled") == ids[:3]
    agent.cancel()
