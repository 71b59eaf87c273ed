"""Messages and errors in protobuf's form, for clients that have the messages and no gRPC."""

from __future__ import annotations

from typing import Any

import pytest
from gateways import COMMANDS, KEYS, NODES, FakeBackend, Server, failure, node, node_not_found
from google.rpc import code_pb2, error_details_pb2, status_pb2
from novasphere.api.v1 import key_service_pb2
from novasphere.node.v1 import command_service_pb2, node_service_pb2
from novasphere_gateway.runtime import requests

PROTO = "application/proto"
COMMAND = "/api/v1/nodes/n1/commands"


def sending(message: Any) -> dict[str, Any]:
    return {"data": message.SerializeToString(), "headers": {"Content-Type": PROTO, "Accept": PROTO}}


@pytest.mark.parametrize(
    ("accept", "wanted"),
    [
        ("application/proto", "application/proto"),
        ("application/protobuf", "application/protobuf"),
        ("application/json;q=0.5, application/x-protobuf", "application/x-protobuf"),
        ("application/json, application/proto", ""),
        ("*/*", ""),
        ("application/proto;q=0", ""),
        ("", ""),
    ],
)
def test_a_client_gets_the_form_that_it_likes_best(accept: str, wanted: str) -> None:
    assert requests.proto_wanted(accept) == wanted


async def test_an_answer_is_the_bare_message(backend: FakeBackend, server: Server) -> None:
    answer = node_service_pb2.GetNodeResponse(node=node(1))
    backend.answers(NODES + "GetNode", answer, etag="7")
    response, body = await server.get("/api/v1/nodes/n1", headers={"Accept": PROTO})
    assert (response.status, response.content_type) == (200, PROTO)
    assert response.headers["ETag"] == '"7"'
    assert "Accept" in response.headers["Vary"]
    assert node_service_pb2.GetNodeResponse.FromString(body) == answer


async def test_a_body_is_the_request_and_the_path_counts(backend: FakeBackend, server: Server) -> None:
    backend.answers(COMMANDS + "CreateCommand", command_service_pb2.CreateCommandResponse())
    request = command_service_pb2.CreateCommandRequest(command_text="ls", timeout_seconds=7)
    response, _ = await server.ask("POST", COMMAND, **sending(request))
    assert response.status == 200
    got = backend.call.request
    assert (got.node_id, got.command_text, got.timeout_seconds) == ("n1", "ls", 7)


async def test_what_was_made_is_said_with_its_place(backend: FakeBackend, server: Server) -> None:
    backend.answers(KEYS + "CreateKey", key_service_pb2.CreateKeyResponse(key_id="k1"))
    request = key_service_pb2.CreateKeyRequest(name="ci")
    response, body = await server.ask("POST", "/api/v1/keys", **sending(request))
    assert (response.status, response.headers["Location"]) == (201, "/api/v1/keys/k1")
    assert key_service_pb2.CreateKeyResponse.FromString(body).key_id == "k1"


@pytest.mark.parametrize(
    ("body", "status", "reason"),
    [
        (b"\xff\xff", 400, "MALFORMED_BODY"),
        (
            command_service_pb2.CreateCommandRequest(node_id="n2").SerializeToString(),
            400,
            "INVALID_ARGUMENT",
        ),
        (b"x" * (4 * 1024 * 1024 + 1), 413, "TOO_LARGE"),
    ],
)
async def test_what_is_wrong_is_a_status(server: Server, body: bytes, status: int, reason: str) -> None:
    async def sent() -> Any:
        yield body

    response, answer = await server.ask(
        "POST", COMMAND, data=sent(), headers={"Content-Type": PROTO, "Accept": PROTO}
    )
    assert (response.status, response.content_type) == (status, PROTO)
    assert info_of(answer).reason == reason
    assert response.headers["X-Novasphere-Reason"] == reason


async def test_the_servers_errors_keep_their_details(backend: FakeBackend, server: Server) -> None:
    backend.fails(NODES + "GetNode", node_not_found("n1"))
    response, body = await server.get("/api/v1/nodes/n1", headers={"Accept": PROTO})
    assert response.status == 404
    status = status_pb2.Status.FromString(body)
    assert (status.code, status.message) == (code_pb2.NOT_FOUND, "node 'n1' does not exist")
    info = info_of(body)
    assert (info.reason, info.domain) == ("NODE_NOT_FOUND", "novasphere.io")
    assert dict(info.metadata) == {"node_id": "n1"}
    backend.fails(
        NODES + "GetNode",
        failure("OVERLOADED", code_pb2.RESOURCE_EXHAUSTED, violations={"a": "b"}, retry_after=1.5),
    )
    response, body = await server.get("/api/v1/nodes/n1", headers={"Accept": PROTO})
    assert (response.status, response.headers["Retry-After"]) == (429, "2")
    kinds = {d.type_url.rpartition(".")[2] for d in status_pb2.Status.FromString(body).details}
    assert kinds == {"ErrorInfo", "RequestInfo", "BadRequest", "RetryInfo"}


async def test_a_path_that_no_route_has_is_a_status_too(server: Server) -> None:
    response, body = await server.get("/nowhere", headers={"Accept": PROTO})
    assert response.status == 404
    assert info_of(body).reason == "ROUTE_NOT_FOUND"


async def test_streams_have_other_forms(server: Server) -> None:
    response, body = await server.get("/api/v1/commands:watch", headers={"Accept": PROTO})
    assert response.status == 406
    assert info_of(body).reason == "NOT_ACCEPTABLE"


async def test_json_may_be_answered_in_protobufs_form(backend: FakeBackend, server: Server) -> None:
    backend.answers(COMMANDS + "CreateCommand", command_service_pb2.CreateCommandResponse())
    response, _ = await server.ask(
        "POST", COMMAND, json={"command_text": "ls"}, headers={"Accept": PROTO}
    )
    assert (response.status, response.content_type) == (200, PROTO)


def info_of(body: bytes) -> error_details_pb2.ErrorInfo:
    status = status_pb2.Status.FromString(body)
    info = error_details_pb2.ErrorInfo()
    assert any(detail.Unpack(info) for detail in status.details)
    return info


@pytest.mark.parametrize(
    ("query", "headers", "named"),
    [
        ("?validate_only=false", {}, "validate_only"),
        ("?dry_run=false", {}, "dry_run"),
        ("", {"Idempotency-Key": "another"}, "idempotency-key"),
    ],
)
async def test_what_the_body_says_is_said_nowhere_else(
    backend: FakeBackend, server: Server, query: str, headers: dict[str, str], named: str
) -> None:
    backend.answers(KEYS + "CreateKey", key_service_pb2.CreateKeyResponse(key_id="k1"))
    request = key_service_pb2.CreateKeyRequest(name="ci", validate_only=True, request_id="one")
    asked = sending(request)
    asked["headers"] |= headers
    response, body = await server.ask("POST", f"/api/v1/keys{query}", **asked)
    assert response.status == 400
    assert f"{named}: is in the body too" in status_pb2.Status.FromString(body).message
    assert backend.calls == []
