"""How each face prints a success and an error."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from gateways import (
    COMMANDS,
    NODES,
    SYSTEM,
    FakeBackend,
    Item,
    Parts,
    Server,
    failure,
    moved,
    node,
    node_not_found,
)
from google.rpc import code_pb2
from novasphere.api.v1 import options_pb2
from novasphere.node.v1 import command_service_pb2, node_service_pb2, system_service_pb2

Start = Callable[..., Awaitable[Server]]

NOW = "2025-01-21T10:00:00Z"
ENGLISH = {"Accept-Language": "en-GB,zh;q=0.5"}


def face(number: int, path: str, label: str = "GET /api/v1/nodes/{node_id}", **changes: Any) -> Any:
    return moved(label, path, face=number, message="", message_en="", **changes)


DEVICE = face(options_pb2.FACE_DEVICES, "/devices/{node_id}")
CLUSTER = face(options_pb2.FACE_CLUSTERS, "/clusters/{node_id}")
SCHEDULE = face(options_pb2.FACE_SCHEDULES, "/agents/{node_id}")
WUKONG = face(options_pb2.FACE_WUKONGS, "/wukongs/{node_id}")
VOIDS = [
    face(number, f"/void/{number}/{{node_id}}", "DELETE /api/v1/nodes/{node_id}")
    for number in options_pb2.Face.values()
    if number
]


async def test_the_nodes_face_wraps_data(backend: FakeBackend, server: Server) -> None:
    backend.answers(
        SYSTEM + "GetSystemStats",
        system_service_pb2.GetSystemStatsResponse(total_nodes=5, online_nodes=3),
    )
    response, body = await server.get("/api/v1/system/stats")
    assert response.status == 200
    assert response.headers["Content-Type"] == "application/json"
    assert list(body) == ["success", "message", "data", "timestamp"]
    assert (body["success"], body["message"], body["timestamp"]) == (True, "操作成功", NOW)
    assert body["data"]["total_nodes"] == 5


async def test_the_nodes_face_speaks_english_to_those_who_prefer_it(
    backend: FakeBackend, server: Server
) -> None:
    backend.answers(SYSTEM + "GetSystemStats", system_service_pb2.GetSystemStatsResponse())
    _, body = await server.get("/api/v1/system/stats", headers=ENGLISH)
    assert body["message"] == "ok"
    _, body = await server.get("/api/v1/system/stats", headers={"Accept-Language": "zh-CN,en;q=0.9"})
    assert body["message"] == "操作成功"


async def test_a_response_without_fields_has_no_data(backend: FakeBackend, server: Server) -> None:
    backend.answers(NODES + "DeleteNode", node_service_pb2.DeleteNodeResponse())
    _, body = await server.ask("DELETE", "/api/v1/nodes/n1")
    assert body == {"success": True, "message": "节点删除成功", "timestamp": NOW}
    _, body = await server.ask("DELETE", "/api/v1/nodes/n1", headers=ENGLISH)
    assert body == {"success": True, "message": "node deleted", "timestamp": NOW}


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (options_pb2.FACE_CLUSTERS, {}),
        (options_pb2.FACE_DEVICES, {"status": "success", "timestamp": NOW, "request_id": "r1"}),
        (options_pb2.FACE_NODES, {"success": True, "message": "操作成功", "timestamp": NOW}),
        (options_pb2.FACE_SCHEDULES, None),
        (options_pb2.FACE_WUKONGS, {"code": 0, "message": "success"}),
        (options_pb2.FACE_NATIVE, {}),
    ],
)
async def test_every_face_has_its_own_nothing(
    number: int, expected: Any, backend: FakeBackend, start: Start
) -> None:
    server = await start(*VOIDS)
    backend.answers(NODES + "DeleteNode", node_service_pb2.DeleteNodeResponse())
    response, body = await server.ask("DELETE", f"/void/{number}/n1", headers={"X-Request-Id": "r1"})
    assert response.status == 200
    assert body == expected


async def test_every_face_has_its_own_success(backend: FakeBackend, start: Start) -> None:
    server = await start(DEVICE, CLUSTER, SCHEDULE, WUKONG)
    backend.answers(NODES + "GetNode", node_service_pb2.GetNodeResponse(node=node(1)))
    headers = {"X-Request-Id": "r1"}
    _, bare = await server.get("/clusters/n1", headers=headers)
    assert bare["node_id"] == "node-001"
    _, body = await server.get("/agents/n1", headers=headers)
    assert body == bare
    _, body = await server.get("/devices/n1", headers=headers)
    assert body == {"status": "success", "data": bare, "timestamp": NOW, "request_id": "r1"}
    _, body = await server.get("/wukongs/n1", headers=headers)
    assert body == {"code": 0, "message": "success", "data": bare}


async def test_the_nodes_face_prints_its_own_codes(backend: FakeBackend, server: Server) -> None:
    backend.fails(
        NODES + "GetNode",
        failure("INVALID_ARGUMENT", code_pb2.INVALID_ARGUMENT, "node_id: is too long"),
    )
    response, body = await server.get("/api/v1/nodes/n1")
    assert response.status == 400
    assert body == {
        "success": False,
        "message": "node_id: is too long",
        "error_code": "VALIDATION_ERROR",
        "timestamp": NOW,
    }
    assert response.headers["X-Novasphere-Reason"] == "INVALID_ARGUMENT"


async def test_the_nodes_face_prints_401_as_published(backend: FakeBackend, server: Server) -> None:
    backend.fails(
        NODES + "GetNode",
        failure("UNAUTHENTICATED", code_pb2.UNAUTHENTICATED, "no credential was sent"),
    )
    response, body = await server.get("/api/v1/nodes/n1")
    assert response.status == 401
    assert response.headers["WWW-Authenticate"].startswith("Bearer")
    assert body == {
        "success": False,
        "message": "认证失败",
        "error_code": "UNAUTHORIZED",
        "timestamp": NOW,
    }
    _, body = await server.get("/api/v1/nodes/n1", headers=ENGLISH)
    assert body["message"] == "no credential was sent"


async def test_a_lost_database_is_503_with_retry_after(backend: FakeBackend, server: Server) -> None:
    backend.fails(
        NODES + "GetNode",
        failure("DATABASE_UNAVAILABLE", code_pb2.UNAVAILABLE, "the database is away", retry_after=0.2),
    )
    response, body = await server.get("/api/v1/nodes/n1")
    assert (response.status, body["error_code"]) == (503, "DATABASE_ERROR")
    assert response.headers["Retry-After"] == "1"


async def test_every_other_face_has_its_own_error(backend: FakeBackend, start: Start) -> None:
    server = await start(DEVICE, CLUSTER, SCHEDULE, WUKONG)
    backend.fails(NODES + "GetNode", node_not_found("n1"))
    said = "node 'n1' does not exist"
    headers = {"X-Request-Id": "r1"}
    expected = {
        "/clusters/n1": {
            "error": {"code": "NODE_NOT_FOUND", "message": said, "details": {"node_id": "n1"}}
        },
        "/devices/n1": {
            "status": "error",
            "error": {"code": "DEVICE_NOT_FOUND", "message": said, "details": {"node_id": "n1"}},
            "timestamp": NOW,
            "request_id": "r1",
        },
        "/agents/n1": {
            "error": {"code": "NOT_FOUND", "message": "There is no node of that name.", "details": said},
            "timestamp": NOW,
        },
        "/wukongs/n1": {"code": 404, "message": said},
    }
    for path, shape in expected.items():
        response, body = await server.get(path, headers=headers)
        assert response.status == 404
        assert body == shape
        assert response.headers["X-Novasphere-Reason"] == "NODE_NOT_FOUND"
        assert response.headers["Content-Type"] == "application/json"


async def test_new_routes_fail_with_problem_json(backend: FakeBackend, server: Server) -> None:
    backend.fails(
        COMMANDS + "CancelCommand",
        failure(
            "OVERLOADED",
            code_pb2.RESOURCE_EXHAUSTED,
            "too much waits",
            metadata={"queue": "writer"},
            violations={"command_id": "is one too many"},
            retry_after=1.5,
        ),
    )
    response, body = await server.ask(
        "POST", "/api/v1/commands/c1:cancel?validate_only=true", headers={"X-Request-Id": "r1"}
    )
    assert response.status == 429
    assert response.headers["Content-Type"] == "application/problem+json"
    assert response.headers["Retry-After"] == "2"
    assert body == {
        "type": "urn:novasphere:error:OVERLOADED",
        "title": "The server has more work waiting than it accepts.",
        "status": 429,
        "detail": "too much waits",
        "instance": "/api/v1/commands/c1:cancel",
        "code": "OVERLOADED",
        "grpc_code": "RESOURCE_EXHAUSTED",
        "request_id": "r1",
        "metadata": {"queue": "writer"},
        "violations": [{"field": "command_id", "description": "is one too many"}],
        "retriable": True,
        "retry_after": 1.5,
    }


async def test_a_reason_that_the_api_does_not_know_keeps_its_grpc_code(
    backend: FakeBackend, server: Server
) -> None:
    error = failure("", code_pb2.UNAVAILABLE, "connection refused")
    del error.status.details[:]
    backend.fails(COMMANDS + "CancelCommand", error)
    response, body = await server.ask("POST", "/api/v1/commands/c1:cancel")
    assert response.status == 503
    assert (body["code"], body["grpc_code"], body["retriable"]) == ("UNAVAILABLE", "UNAVAILABLE", True)


async def test_an_unexpected_exception_tells_nothing(
    backend: FakeBackend, server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    backend.fails(NODES + "GetNode", RuntimeError("the password is swordfish"))
    response, body = await server.get("/api/v1/nodes/n1", headers={"X-Request-Id": "r1"})
    assert response.status == 500
    assert body["error_code"] == "INTERNAL_ERROR"
    assert "swordfish" not in str(body)
    [record] = [r for r in caplog.records if r.name.startswith("novasphere_gateway")]
    assert record.__dict__["request_id"] == "r1"
    assert record.exc_info is not None


async def test_a_path_without_route_fails_with_problem_json(server: Server) -> None:
    response, body = await server.get("/api/v2/nothing?token=secret")
    assert response.status == 404
    assert response.headers["Content-Type"] == "application/problem+json"
    assert (body["code"], body["instance"]) == ("ROUTE_NOT_FOUND", "/api/v2/nothing")
    assert "secret" not in str(body)


async def test_a_wrong_method_learns_the_right_ones_in_the_shape_of_the_face(server: Server) -> None:
    response, body = await server.ask("PATCH", "/api/v1/nodes/n1")
    assert response.status == 405
    assert response.headers["Allow"] == "DELETE, GET, HEAD, OPTIONS"
    assert (body["success"], body["error_code"]) == (False, "METHOD_NOT_ALLOWED")


async def test_cached_objects_are_spliced_not_encoded_again(
    backend: FakeBackend, server: Server
) -> None:
    items = [Item(node(1)), Item(node(2))]
    rest = node_service_pb2.ListNodesResponse(total=7)
    backend.answers(NODES + "ListNodes", rest, Parts("nodes", *items))
    for _ in range(2):
        _, body = await server.get("/api/v1/nodes")
        assert [n["node_id"] for n in body["data"]["nodes"]] == ["node-001", "node-002"]
        assert body["data"]["total"] == 7
    backend.answers(NODES + "GetNode", node_service_pb2.GetNodeResponse(), Parts("node", items[0]))
    _, body = await server.get("/api/v1/nodes/node-001")
    assert body["data"]["node_id"] == "node-001"
    assert [item.made for item in items] == [1, 1]


async def test_spliced_and_encoded_answers_are_equal(backend: FakeBackend, server: Server) -> None:
    backend.answers(
        NODES + "ListNodes", node_service_pb2.ListNodesResponse(nodes=[node(1), node(2)], total=2)
    )
    _, encoded = await server.get("/api/v1/nodes", raw=True)
    parts = Parts("nodes", Item(node(1)), Item(node(2)))
    backend.answers(NODES + "ListNodes", node_service_pb2.ListNodesResponse(total=2), parts)
    _, spliced = await server.get("/api/v1/nodes", raw=True)
    assert spliced == encoded


async def test_a_singular_field_beside_others_is_spliced_under_its_key(
    backend: FakeBackend, server: Server
) -> None:
    from novasphere.node.v1 import command_pb2

    parts = Parts("command", Item(command_pb2.Command(command_id="c1")))
    backend.answers(COMMANDS + "GetCommand", command_service_pb2.GetCommandResponse(), parts)
    _, body = await server.get("/api/v1/commands/c1")
    assert body["data"]["command"]["command_id"] == "c1"
    assert body["data"]["result"] is None
