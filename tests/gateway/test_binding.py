"""From path, query, headers and body to the request message, and what is refused on the way."""

from __future__ import annotations

import asyncio
import dataclasses
import json
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import pytest
from gateways import COMMANDS, KEYS, NODES, FakeBackend, Server, failure, moved, route_of
from google.rpc import code_pb2
from novasphere.api.v1 import key_service_pb2, options_pb2
from novasphere.gateway import ROUTES
from novasphere.node.v1 import command_service_pb2, node_pb2, node_service_pb2
from novasphere_gateway.backend import Call

Start = Callable[..., Awaitable[Server]]


@pytest.fixture(autouse=True)
def _answers(backend: FakeBackend) -> None:
    backend.answers(NODES + "ListNodes", node_service_pb2.ListNodesResponse())
    backend.answers(NODES + "GetNode", node_service_pb2.GetNodeResponse())
    backend.answers(NODES + "DeleteNode", node_service_pb2.DeleteNodeResponse())
    backend.answers(COMMANDS + "CreateCommand", command_service_pb2.CreateCommandResponse())
    backend.answers(COMMANDS + "CancelCommand", command_service_pb2.CancelCommandResponse())
    backend.answers(KEYS + "CreateKey", key_service_pb2.CreateKeyResponse(key_id="abcdefgh"))


async def _problem(server: Server, method: str, path: str, **options: Any) -> tuple[int, Any]:
    response, body = await server.ask(method, path, **options)
    assert response.headers["Content-Type"] == "application/problem+json"
    return response.status, body


async def test_query_parameters_reach_the_request(backend: FakeBackend, server: Server) -> None:
    response, _ = await server.get("/api/v1/nodes?status=online&limit=5&offset=2&label_selector=a%3Db+c")
    assert response.status == 200
    request = backend.call.request
    assert isinstance(request, node_service_pb2.ListNodesRequest)
    assert request.status == node_pb2.NODE_STATUS_ONLINE
    assert (request.limit, request.offset, request.label_selector) == (5, 2, "a=b c")


async def test_path_variables_are_decoded(backend: FakeBackend, server: Server) -> None:
    await server.get("/api/v1/nodes/a%2Fb%20%E8%8A%82")
    assert backend.call.request.node_id == "a/b 节"  # type: ignore[attr-defined]
    assert backend.call.method == NODES + "GetNode"
    assert backend.call.route == "GET /api/v1/nodes/{node_id}"


async def test_a_path_that_is_not_utf8_is_refused(server: Server) -> None:
    status, body = await _problem(server, "GET", "/api/v1/nodes/%FF")
    assert (status, body["violations"][0]["field"]) == (400, "path")


async def test_bytes_that_are_no_text_are_refused_wherever_they_stand(
    backend: FakeBackend, server: Server
) -> None:
    for request, status in (
        (b"GET /api/v1/nodes/\xff HTTP/1.1\r\n", b"400"),
        (b"GET /\xff HTTP/1.1\r\n", b"400"),
        (b"GET /api/v1/nodes?label_selector=\xff HTTP/1.1\r\n", b"400"),
        (b"DELETE /api/v1/nodes/n1 HTTP/1.1\r\nIdempotency-Key: \xff\r\n", b"400"),
        (b"GET /api/v1/nodes HTTP/1.1\r\nUser-Agent: \xff\r\n", b"200"),
    ):
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(request + b"Host: x\r\nConnection: close\r\n\r\n")
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 60)
        assert head.split()[1] == status, request
        writer.close()
    assert backend.call.metadata["user-agent"] == "\N{REPLACEMENT CHARACTER}"


async def test_the_unspecified_value_of_an_enum_is_no_word(backend: FakeBackend, server: Server) -> None:
    for word in ("unspecified", "UNSPECIFIED", "NODE_STATUS_UNSPECIFIED", "0"):
        response, body = await server.get(f"/api/v1/nodes?status={word}")
        assert response.status == 400
        assert body["message"].startswith("status: unknown value")
    assert backend.calls == []


async def test_a_query_that_is_not_utf8_is_refused(server: Server) -> None:
    response, body = await server.get("/api/v1/nodes?label_selector=%FF")
    assert (response.status, body["error_code"]) == (400, "VALIDATION_ERROR")


async def test_an_unknown_parameter_is_named_with_the_nearest_known_one(server: Server) -> None:
    status, body = await _problem(server, "POST", "/api/v1/commands/c1:cancel?validate_onyl=true")
    assert (status, body["code"]) == (400, "UNKNOWN_FIELD")
    [violation] = body["violations"]
    assert violation["field"] == "validate_onyl"
    assert "validate_only" in violation["description"]


async def test_reserved_parameters_are_suggested_too(server: Server) -> None:
    response, body = await server.get("/api/v1/nodes?min_revison=5")
    assert response.status == 400
    assert "min_revision" in body["message"]


async def test_a_parameter_given_twice_is_refused_unless_it_is_a_list(server: Server) -> None:
    response, body = await server.get("/api/v1/nodes?limit=1&limit=2")
    assert response.status == 400
    assert "limit" in body["message"]


async def test_an_alias_means_the_same_and_is_refused_beside_its_name(
    backend: FakeBackend, server: Server
) -> None:
    await server.ask("POST", "/api/v1/commands/c1:cancel?dry_run=true")
    assert backend.call.request.validate_only is True  # type: ignore[attr-defined]
    status, body = await _problem(
        server, "POST", "/api/v1/commands/c1:cancel?dry_run=true&validate_only=true"
    )
    assert (status, body["code"]) == (400, "INVALID_ARGUMENT")


async def test_min_revision_is_metadata_on_every_route(backend: FakeBackend, server: Server) -> None:
    await server.get("/api/v1/nodes?min_revision=42")
    assert backend.call.metadata["novasphere-min-revision"] == "42"
    await server.get("/api/v1/nodes", headers={"X-Novasphere-Min-Revision": "43"})
    assert backend.call.metadata["novasphere-min-revision"] == "43"


@pytest.mark.parametrize("revision", ["soon", "-1", "9" * 19])
async def test_a_revision_that_is_none_is_refused_under_the_name_it_came_by(
    revision: str, backend: FakeBackend, server: Server
) -> None:
    for query, headers, name in (
        (f"?min_revision={revision}", {}, "min_revision"),
        ("", {"X-Novasphere-Min-Revision": revision}, "X-Novasphere-Min-Revision"),
    ):
        response, body = await server.get(f"/api/v1/nodes{query}", headers=headers)
        assert response.status == 400
        assert body["message"].startswith(f"{name}: ")
    assert backend.calls == []


async def test_a_token_in_the_query_is_refused_where_no_stream_is(
    backend: FakeBackend, server: Server
) -> None:
    response, body = await server.get("/api/v1/nodes?token=secret")
    assert response.status == 400
    assert "secret" not in str(body)
    assert backend.calls == []


async def test_headers_reach_their_fields(backend: FakeBackend, server: Server) -> None:
    await server.ask(
        "POST",
        "/api/v1/commands/c1:cancel",
        headers={"Idempotency-Key": "once", "If-Match": '"7"'},
    )
    request = backend.call.request
    assert isinstance(request, command_service_pb2.CancelCommandRequest)
    assert (request.command_id, request.request_id, request.etag) == ("c1", "once", '"7"')


async def test_a_body_reaches_the_request(backend: FakeBackend, server: Server) -> None:
    await server.ask(
        "POST", "/api/v1/nodes/n1/commands?dry_run=true", json={"command_text": "ls", "timeout": 7}
    )
    request = backend.call.request
    assert isinstance(request, command_service_pb2.CreateCommandRequest)
    assert (request.node_id, request.command_text, request.timeout_seconds) == ("n1", "ls", 7)
    assert request.validate_only is True


async def test_a_body_may_repeat_the_path_but_not_contradict_it(
    backend: FakeBackend, server: Server
) -> None:
    response, _ = await server.ask(
        "POST", "/api/v1/nodes/n1/commands", json={"node_id": "n1", "command_text": "ls"}
    )
    assert response.status == 200
    response, body = await server.ask(
        "POST", "/api/v1/nodes/n1/commands", json={"node_id": "n2", "command_text": "ls"}
    )
    assert response.status == 400
    assert "node_id" in body["message"]
    assert len(backend.calls) == 1


async def test_a_field_in_query_and_body_is_refused(server: Server) -> None:
    status, body = await _problem(
        server, "POST", "/api/v1/commands/c1:cancel?validate_only=false", json={"validate_only": True}
    )
    assert (status, body["violations"][0]["field"]) == (400, "validate_only")


async def test_an_empty_body_is_an_empty_object(backend: FakeBackend, server: Server) -> None:
    for body in (None, b"", b"{}"):
        headers = {"Content-Type": "application/json"} if body else {}
        response, _ = await server.ask("POST", "/api/v1/commands/c1:cancel", data=body, headers=headers)
        assert response.status == 200


async def test_an_unknown_key_is_named_with_the_nearest_known_one(server: Server) -> None:
    status, body = await _problem(server, "POST", "/api/v1/commands/c1:cancel", json={"grace_second": 1})
    assert (status, body["code"]) == (400, "UNKNOWN_FIELD")
    assert "grace_seconds" in body["violations"][0]["description"]


async def test_of_many_unknown_keys_some_are_named(server: Server) -> None:
    keys = {f"{number:06}{'x' * 100}": 1 for number in range(100)} | {"grace_second": 1}
    status, body = await _problem(server, "POST", "/api/v1/commands/c1:cancel", json=keys)
    assert (status, body["code"]) == (400, "UNKNOWN_FIELD")
    named = [violation["field"] for violation in body["violations"]]
    assert named == [f"{number:06}{'x' * 58}" for number in range(20)]


async def test_the_body_of_a_stranger_is_not_read(backend: FakeBackend, server: Server) -> None:
    backend.refusal = failure("UNAUTHENTICATED", code_pb2.UNAUTHENTICATED, "who are you?")
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(
        b"POST /api/v1/keys HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        b"Content-Length: 1000\r\n\r\n"
    )  # and never the body
    head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 60)
    assert head.startswith(b"HTTP/1.1 401 ")
    writer.close()


async def test_a_body_for_a_route_that_takes_none_is_not_ignored(server: Server) -> None:
    response, body = await server.ask("DELETE", "/api/v1/nodes/n1", json={"force": True})
    assert response.status == 400
    assert "force" in body["message"]
    response, _ = await server.ask("DELETE", "/api/v1/nodes/n1", json={})
    assert response.status == 200


@pytest.mark.parametrize(
    "text",
    [
        '{"command_text": ', "nonsense", '["ls"]', '"ls"', "\xff",
        pytest.param(f'{{"command_text": {"1" * 5000}}}', id="a number of 5000 digits"),
        pytest.param(f'{{"a": {"[" * 1000}{"1" * 19}{"]" * 1000}}}', id="1000 levels and a long number"),
    ],
)  # fmt: skip
async def test_a_body_that_is_no_json_object_is_malformed(text: str, server: Server) -> None:
    response, body = await server.ask(
        "POST",
        "/api/v1/commands/c1:cancel",
        data=text.encode("latin-1"),
        headers={"Content-Type": "application/json"},
    )
    assert (response.status, body["code"]) == (400, "MALFORMED_BODY")


@pytest.mark.parametrize("media_type", ["application/x-www-form-urlencoded", "text/plain", ""])
async def test_only_json_bodies_are_read(media_type: str, server: Server) -> None:
    response, body = await server.ask(
        "POST",
        "/api/v1/commands/c1:cancel",
        data=b'{"grace_seconds":1}',
        headers={"Content-Type": media_type},
    )
    assert (response.status, body["code"]) == (415, "UNSUPPORTED_MEDIA_TYPE")
    assert "application/json" in body["detail"]


async def test_a_charset_beside_json_is_fine(backend: FakeBackend, server: Server) -> None:
    response, _ = await server.ask(
        "POST",
        "/api/v1/commands/c1:cancel",
        data=b'{"grace_seconds":1}',
        headers={"Content-Type": "Application/JSON; charset=utf-8"},
    )
    assert response.status == 200


@pytest.mark.parametrize("is_chunked", [False, True])
async def test_a_body_over_the_limit_is_413_in_the_shape_of_its_route(
    is_chunked: bool, backend: FakeBackend, start: Start
) -> None:
    server = await start(max_body_size=1000)
    body = json.dumps({"command_text": "x" * 2000}).encode()

    async def pieces() -> Any:
        yield body

    response, answer = await server.ask(
        "POST",
        "/api/v1/nodes/n1/commands",
        data=pieces() if is_chunked else body,
        headers={"Content-Type": "application/json"},
    )
    assert response.status == 413
    assert (answer["success"], answer["error_code"]) == (False, "TOO_LARGE")
    assert backend.calls == []


async def test_a_compressed_body_is_measured_unpacked(start: Start) -> None:
    server = await start(max_body_size=1000)
    response, _ = await server.ask(
        "POST",
        "/api/v1/nodes/n1/commands",
        data=json.dumps({"command_text": "x" * 100_000}),
        compress="gzip",
        headers={"Content-Type": "application/json"},
    )
    assert response.status == 413


@pytest.mark.parametrize("encoding", ["br", "zstd", "rot13"])
async def test_a_body_in_an_encoding_that_nobody_reads_is_refused(
    backend: FakeBackend, server: Server, encoding: str
) -> None:
    headers = {"Content-Type": "application/json", "Content-Encoding": encoding}
    response, _ = await server.ask("POST", "/api/v1/nodes/n1/commands", data=b"{}", headers=headers)
    assert response.status == 415
    assert response.headers["X-Novasphere-Reason"] == "UNSUPPORTED_MEDIA_TYPE"
    assert backend.calls == []


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
async def test_a_body_that_cannot_be_unpacked_is_refused_and_fills_no_log(
    server: Server, encoding: str, caplog: pytest.LogCaptureFixture
) -> None:
    # aiohttp closes a connection on which it lost its place.
    headers = {"Content-Type": "application/json", "Content-Encoding": encoding, "Connection": "close"}
    for path, status in (("/api/v1/nodes/n1/commands", 400), ("/nowhere", 404)):
        response, _ = await server.ask("POST", path, data=b"not packed", headers=headers)
        assert response.status == status
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


async def test_a_client_that_waits_for_leave_gets_it(backend: FakeBackend, server: Server) -> None:
    response, _ = await server.ask(
        "POST", "/api/v1/nodes/n1/commands", json={"command_text": "ls"}, expect100=True
    )
    assert response.status == 200
    assert backend.call.request.command_text == "ls"  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "options",
    [
        {"path": "/api/v1/nodes/n1/commands", "method": "POST", "json": {"comand": "ls"}},
        {"path": "/api/v1/nodes/n1/commands", "method": "POST", "data": b"x"},
        {"path": "/api/v1/nodes?limit=many", "method": "GET"},
        {"path": "/api/v1/nodes:watch", "method": "GET", "headers": {"Accept": "application/xml"}},
    ],
)
async def test_who_may_not_call_learns_nothing_of_what_else_is_wrong(
    options: dict[str, Any], backend: FakeBackend, server: Server
) -> None:
    backend.refusal = failure("UNAUTHENTICATED", code_pb2.UNAUTHENTICATED, "who are you?")
    response, _ = await server.ask(**options)
    assert response.status == 401
    assert response.headers["X-Novasphere-Reason"] == "UNAUTHENTICATED"
    assert backend.calls == []


async def test_the_action_in_the_body_chooses_the_route(backend: FakeBackend, start: Start) -> None:
    cancel = moved("POST /api/v1/commands/{command_id}:cancel", "/things/{id}/actions", action="cancel")
    create = moved("POST /api/v1/keys", "/things/{id}/actions", action="create", path_params=())
    create = dataclasses.replace(
        create, decode_body=lambda data, path: key_service_pb2.CreateKeyRequest()
    )
    decode = cancel.decode_body
    assert decode is not None
    cancel = dataclasses.replace(
        cancel,
        decode_body=lambda data, path: decode({k: v for k, v in data.items() if k != "action"}, path),
    )
    server = await start(cancel, create)
    await server.ask("POST", "/things/c1/actions", json={"action": "cancel", "grace_seconds": 3})
    assert backend.call.method == COMMANDS + "CancelCommand"
    await server.ask("POST", "/things/c1/actions", json={"action": "create"})
    assert backend.call.method == KEYS + "CreateKey"
    response, body = await server.ask("POST", "/things/c1/actions", json={"action": "explode"})
    assert response.status == 400
    assert body["violations"] == [{"field": "action", "description": "must be one of cancel, create"}]


async def test_a_body_is_read_for_who_may_take_any_of_the_actions(
    backend: FakeBackend, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    cancel = moved("POST /api/v1/commands/{command_id}:cancel", "/things/{id}/actions", action="cancel")
    revoke = moved("POST /api/v1/keys/{key_id}:revoke", "/things/{id}/actions", action="revoke")
    denied = failure("PERMISSION_DENIED", code_pb2.PERMISSION_DENIED)

    async def admit(call: Call) -> None:
        if call.method != KEYS + "RevokeKey":
            raise denied

    monkeypatch.setattr(backend, "admit", admit)
    server = await start(cancel, revoke)
    response, _ = await server.ask("POST", "/things/c1/actions", json={"action": "revoke"})
    assert response.status == 400  # read, and then refused for its unknown key
    server = await start(cancel)
    response, _ = await server.ask("POST", "/things/c1/actions", json={"action": "cancel"})
    assert response.status == 403


async def test_credentials_and_context_are_passed_on(backend: FakeBackend, server: Server) -> None:
    await server.get(
        "/api/v1/nodes",
        headers={
            "Authorization": "Bearer abc",
            "X-API-Key": "def",
            "X-Request-Id": "r-1",
            "Accept-Language": "en",
            "traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "User-Agent": "curl/8",
            "X-Client-Type": "Flutter",
            "Cookie": "a=b",
        },
    )
    assert backend.call.metadata == {
        "authorization": "Bearer abc",
        "x-api-key": "def",
        "x-request-id": "r-1",
        "accept-language": "en",
        "traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "user-agent": "curl/8",
        "x-client-type": "Flutter",
    }
    assert backend.call.peer.startswith("127.0.0.1:")
    assert backend.call.timeout == 30


async def test_a_created_resource_is_located(backend: FakeBackend, server: Server) -> None:
    response, body = await server.ask("POST", "/api/v1/keys", json={"name": "ci"})
    assert response.status == 201
    assert body["key_id"] == "abcdefgh"
    assert response.headers["Location"] == "/api/v1/keys/abcdefgh"


async def test_every_route_can_be_bound(backend: FakeBackend, server: Server) -> None:
    """No generated route fails in the gateway itself: what answers is always the backend's reply."""
    for route in ROUTES:
        if route.is_stream:
            continue
        backend.answers(route.method, route.response())
        path = "/" + "/".join("x" if s == "*" else s for s in route.segments)
        response, _ = await server.ask(
            route.http_method, path + (f":{route.verb}" if route.verb else "")
        )
        assert response.status == route.success_status, route.label
        assert backend.call.method == route.method


def test_faces_of_generated_routes_are_known() -> None:
    assert {r.face for r in ROUTES} <= set(options_pb2.Face.values()) - {options_pb2.FACE_UNSPECIFIED}
    assert route_of("GET /api/v1/nodes").face == options_pb2.FACE_NODES


async def test_an_absolute_request_target_is_understood(backend: FakeBackend, server: Server) -> None:
    proxy = f"http://127.0.0.1:{server.port}"
    async with (
        aiohttp.ClientSession() as session,
        session.get("http://novasphere.test/api/v1/nodes?limit=3", proxy=proxy) as response,
    ):
        assert response.status == 200
    assert backend.call.request.limit == 3  # type: ignore[attr-defined]
