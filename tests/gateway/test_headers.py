"""What goes over the wire beside the body."""

from __future__ import annotations

import asyncio
import gzip
import io
import json
import logging
import re
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from gateways import NODES, FakeBackend, Server, node, node_not_found, until
from multidict import CIMultiDict
from novasphere.api.v1 import options_pb2
from novasphere.node.v1 import node_service_pb2
from novasphere_gateway.backend import Answer, Call
from novasphere_gateway.runtime import replies

Start = Callable[..., Awaitable[Server]]


@pytest.fixture(autouse=True)
def _answers(backend: FakeBackend) -> None:
    backend.answers(
        NODES + "GetNode",
        node_service_pb2.GetNodeResponse(node=node(1)),
        etag="7.3",
        novasphere_revision="12",
    )
    backend.answers(NODES + "ListNodes", node_service_pb2.ListNodesResponse())


async def test_resources_carry_their_version(server: Server) -> None:
    response, _ = await server.get("/api/v1/nodes/n1")
    assert response.headers["ETag"] == '"7.3"'
    assert response.headers["X-Novasphere-Revision"] == "12"


@pytest.mark.parametrize("known", ['"7.3"', 'W/"7.3"', '"1", "7.3"', "*"])
async def test_a_known_version_is_not_sent_again(known: str, server: Server) -> None:
    response, body = await server.get("/api/v1/nodes/n1", headers={"If-None-Match": known}, raw=True)
    assert (response.status, body) == (304, b"")
    assert response.headers["ETag"] == '"7.3"'
    assert "Content-Length" not in response.headers
    response, _ = await server.get("/api/v1/nodes/n1", headers={"If-None-Match": '"7.4"'})
    assert response.status == 200


async def test_a_connection_serves_on_after_a_304(server: Server) -> None:
    for _ in range(3):
        await server.get("/api/v1/nodes/n1", headers={"If-None-Match": "*"})
    response, _ = await server.get("/api/v1/nodes/n1")
    assert response.status == 200


async def test_a_replayed_answer_says_so(backend: FakeBackend, server: Server) -> None:
    backend.answers(
        NODES + "DeleteNode", node_service_pb2.DeleteNodeResponse(), idempotency_replayed="true"
    )
    response, _ = await server.ask("DELETE", "/api/v1/nodes/n1", headers={"Idempotency-Key": "k"})
    assert response.headers["Idempotency-Replayed"] == "true"
    assert backend.call.request.request_id == "k"  # type: ignore[attr-defined]


async def test_an_answer_to_what_was_only_checked_says_so(backend: FakeBackend, server: Server) -> None:
    backend.answers(NODES + "DeleteNode", node_service_pb2.DeleteNodeResponse(), validate_only="true")
    response, body = await server.ask("DELETE", "/api/v1/nodes/n1?validate_only=true")
    assert response.headers["Validate-Only"] == "true"
    assert body["message"] == "校验通过，未执行"


async def test_a_sane_request_id_is_echoed_and_another_replaced(
    backend: FakeBackend, server: Server
) -> None:
    response, _ = await server.get("/api/v1/nodes/n1", headers={"X-Request-Id": "my-id/1"})
    assert response.headers["X-Request-Id"] == "my-id/1"
    for insane in ("x" * 129, "ünïcode", "two words"):
        response, _ = await server.get("/api/v1/nodes/n1", headers={"X-Request-Id": insane})
        made = response.headers["X-Request-Id"]
        assert re.fullmatch(r"[0-9a-f]{12}4[0-9a-f]{3}a[0-9a-f]{15}", made)
        assert backend.call.metadata["x-request-id"] == made


async def test_errors_carry_the_request_id_too(server: Server) -> None:
    response, body = await server.get("/nowhere", headers={"X-Request-Id": "r1"})
    assert (response.headers["X-Request-Id"], body["request_id"]) == ("r1", "r1")


async def test_head_is_get_without_the_body(backend: FakeBackend, server: Server) -> None:
    response, body = await server.ask("HEAD", "/api/v1/nodes/n1", raw=True)
    assert (response.status, body) == (200, b"")
    assert int(response.headers["Content-Length"]) > 100
    assert backend.call.method == NODES + "GetNode"


async def test_large_bodies_are_compressed_for_those_who_take_it(
    backend: FakeBackend, start: Start
) -> None:
    backend.answers(
        NODES + "ListNodes", node_service_pb2.ListNodesResponse(nodes=[node(i) for i in range(1, 50)])
    )
    server = await start()
    plain, body = await server.get("/api/v1/nodes", headers={"Accept-Encoding": "identity"}, raw=True)
    assert "Content-Encoding" not in plain.headers
    assert "Accept-Encoding" in plain.headers["Vary"]
    server.session._auto_decompress = False
    packed, data = await server.get("/api/v1/nodes", headers={"Accept-Encoding": "br, gzip"}, raw=True)
    assert packed.headers["Content-Encoding"] == "gzip"
    assert int(packed.headers["Content-Length"]) == len(data) < len(body) / 5
    assert gzip.decompress(data) == body


async def test_small_bodies_are_not_compressed(server: Server) -> None:
    response, _ = await server.get("/api/v1/nodes/n1", headers={"Accept-Encoding": "gzip"})
    assert "Content-Encoding" not in response.headers


@pytest.mark.parametrize(
    ("accepted", "is_gzip"),
    [("gzip", True), ("br;q=1, gzip;q=0.5", True), ("*", True), ("gzip;q=0", False), ("br", False)],
)
def test_accept_encoding_is_read_with_its_weights(accepted: str, is_gzip: bool) -> None:
    assert replies.accepts_gzip(accepted) is is_gzip


async def test_other_origins_get_nothing_by_default(server: Server) -> None:
    origin = {"Origin": "https://evil.test"}
    response, _ = await server.get("/api/v1/nodes/n1", headers=origin)
    assert not [h for h in response.headers if h.startswith("Access-Control")]
    response, _ = await server.ask(
        "OPTIONS", "/api/v1/nodes/n1", headers=origin | {"Access-Control-Request-Method": "DELETE"}
    )
    assert response.status == 204
    assert not [h for h in response.headers if h.startswith("Access-Control")]
    assert response.headers["Allow"] == "DELETE, GET, HEAD, OPTIONS"


async def test_allowed_origins_may_read_answers_and_ask_first(
    backend: FakeBackend, start: Start
) -> None:
    server = await start(cors_origins=frozenset({"https://console.test"}))
    origin = {"Origin": "https://console.test"}
    response, _ = await server.get("/api/v1/nodes/n1", headers=origin)
    assert response.headers["Access-Control-Allow-Origin"] == "https://console.test"
    assert "ETag" in response.headers["Access-Control-Expose-Headers"]
    assert "Origin" in response.headers["Vary"]
    asked = len(backend.calls)
    response, _ = await server.ask(
        "OPTIONS", "/api/v1/nodes/n1", headers=origin | {"Access-Control-Request-Method": "DELETE"}
    )
    assert response.status == 204
    assert response.headers["Access-Control-Allow-Methods"] == "DELETE, GET, HEAD, OPTIONS"
    assert "Idempotency-Key" in response.headers["Access-Control-Allow-Headers"]
    assert len(backend.calls) == asked
    backend.fails(NODES + "GetNode", node_not_found())
    response, _ = await server.get("/api/v1/nodes/n1", headers=origin)
    assert response.headers["Access-Control-Allow-Origin"] == "https://console.test"
    response, _ = await server.get("/api/v1/nodes/n1", headers={"Origin": "https://evil.test"})
    assert "Access-Control-Allow-Origin" not in response.headers


async def test_options_of_an_unknown_path_is_404(server: Server) -> None:
    response, _ = await server.ask("OPTIONS", "/nowhere")
    assert response.status == 404


async def test_every_request_is_told_to_the_host_by_its_template(
    backend: FakeBackend, server: Server
) -> None:
    backend.fails(NODES + "DeleteNode", node_not_found("n1"))
    mine = {"User-Agent": "Mozilla/5.0"}
    await server.get("/api/v1/nodes/n1", headers=mine | {"X-Request-Id": "a"})
    await server.ask(
        "DELETE", "/api/v1/nodes/n1", headers=mine | {"X-Request-Id": "b", "X-Client-Type": "Electron"}
    )
    await server.get("/nowhere", headers=mine | {"X-Request-Id": "c", "X-Client-Type": "made up"})
    told = [
        (m, template, status, declared, agent, face, rid)
        for m, template, status, _, declared, agent, face, rid in server.requests
    ]
    nodes, native = options_pb2.FACE_NODES, options_pb2.FACE_NATIVE
    assert told == [
        ("GET", "/api/v1/nodes/{node_id}", 200, "", "Mozilla/5.0", nodes, "a"),
        ("DELETE", "/api/v1/nodes/{node_id}", 404, "Electron", "Mozilla/5.0", nodes, "b"),
        ("GET", "(unmatched)", 404, "made up", "Mozilla/5.0", native, "c"),
    ]
    assert all(0 < seconds < 5 for _, _, _, seconds, *_ in server.requests)


async def test_the_openapi_document_is_served_with_a_version(server: Server) -> None:
    response, body = await server.get("/openapi.json")
    assert (response.status, body) == (200, {"openapi": "3.1.0"})
    etag = response.headers["ETag"]
    response, _ = await server.get("/openapi.json", headers={"If-None-Match": etag})
    assert response.status == 304
    response, _ = await server.ask("POST", "/openapi.json")
    assert (response.status, response.headers["Allow"]) == (405, "GET, HEAD, OPTIONS")


async def test_the_host_application_can_add_plain_handlers(
    start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    async def livez(_: web.BaseRequest) -> web.Response:
        return web.Response(text="ok")

    async def broken(_: web.BaseRequest) -> web.Response:
        raise RuntimeError("swordfish")

    server = await start(extra={("GET", "/livez"): livez, ("GET", "/broken"): broken})
    response, body = await server.get("/livez", headers={"X-Request-Id": "r1"})
    assert (response.status, body) == (200, b"ok")
    assert response.headers["X-Request-Id"] == "r1"
    response, body = await server.ask("HEAD", "/livez")
    assert (response.status, body) == (200, b"")
    response, _ = await server.ask("POST", "/livez")
    assert (response.status, response.headers["Allow"]) == (405, "GET, HEAD")
    response, body = await server.get("/broken")
    assert (response.status, body["code"]) == (500, "INTERNAL")
    assert "swordfish" not in str(body)
    assert server.requests[0][:3] == ("GET", "/livez", 200)
    assert any(r.levelno == logging.ERROR for r in caplog.records)


async def test_plain_handlers_answer_with_the_headers_of_all_other_answers(start: Start) -> None:
    async def livez(_: web.BaseRequest) -> web.Response:
        return web.json_response({"status": "alive"}, status=503, headers={"Retry-After": "1"})

    async def large(_: web.BaseRequest) -> web.Response:
        return web.Response(body=b"a sample\n" * 1000, headers={"Content-Type": "text/plain"})

    async def of_no_bytes(_: web.BaseRequest) -> web.Response:
        return web.Response(body=io.BytesIO(b"a file"))

    server = await start(
        cors_origins=frozenset({"https://console.test"}),
        extra={("GET", "/livez"): livez, ("GET", "/large"): large, ("GET", "/file"): of_no_bytes},
    )
    options = {"headers": {"Origin": "https://console.test", "X-Request-Id": "r1"}}
    usual, _ = await server.get("/api/v1/nodes", **options)
    response, body = await server.get("/livez", **options)
    assert (response.status, body) == (503, {"status": "alive"})
    assert response.headers["Retry-After"] == "1"
    assert response.headers["Content-Type"] == "application/json; charset=utf-8"
    for name in usual.headers:
        if name not in {"Content-Type", "Content-Length", "Date"}:
            assert response.headers[name] == usual.headers[name], name
    assert set(response.headers) == {*usual.headers, "Retry-After"}
    response, _ = await server.get("/large", headers={"Accept-Encoding": "gzip"})
    assert response.headers["Content-Encoding"] == "gzip"
    response, body = await server.get("/file")
    assert (response.status, body["code"]) == (500, "INTERNAL")


async def _send(port: int, data: bytes) -> bytes:
    """Returns what comes back for some bytes until the server closes the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(data)
        return await asyncio.wait_for(reader.read(), 60)
    finally:
        writer.close()
        await writer.wait_closed()


async def test_bytes_that_are_no_http_get_a_problem(server: Server) -> None:
    usual, _ = await server.get("/nowhere")
    for unreadable in (b"\x16\x03\x01 hello", b"GET / HTTP/1.1\r\nX-Long: " + b"x" * 10_000):
        answer = await _send(server.port, unreadable + b"\r\n\r\n")
        head, _, body = answer.partition(b"\r\n\r\n")
        status, *lines = head.decode().split("\r\n")
        headers = CIMultiDict(line.split(": ", 1) for line in lines)
        assert status == "HTTP/1.1 400 Bad Request"
        assert headers["Connection"] == "close"
        assert {name.lower() for name in headers} == {
            "connection",
            *(name.lower() for name in usual.headers),
        }
        assert headers["Content-Type"] == "application/problem+json"
        assert headers["Vary"] == usual.headers["Vary"]
        problem = json.loads(body)
        assert (problem["code"], problem["status"]) == ("INVALID_ARGUMENT", 400)
        assert problem["request_id"] == headers["X-Request-Id"]
        assert "not HTTP" in problem["detail"]


@pytest.mark.parametrize("target", ["http://[x", "http://[x]y/", "*", "//[x", "http://a:b/", "nowhere"])
async def test_any_target_gets_an_answer_that_is_no_failure(target: str, server: Server) -> None:
    request = f"GET {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    answer = await _send(server.port, request.encode())
    assert answer[:12] in {b"HTTP/1.1 400", b"HTTP/1.1 404"}


async def test_a_header_that_is_no_utf_8_is_refused_in_words(server: Server) -> None:
    head = b"POST /api/v1/keys HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: T\xe9xt\r\n"
    answer = await _send(server.port, head + b"Content-Length: 2\r\n\r\n{}")
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 4")
    assert "must be application/json or application/proto, not T?xt" in json.loads(body)["detail"]


async def test_http_1_0_is_answered_and_closed(server: Server) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(b"GET /api/v1/nodes/n1 HTTP/1.0\r\n\r\n")
    answer = await asyncio.wait_for(reader.read(), 60)
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"Transfer-Encoding" not in answer
    writer.close()


async def test_pipelined_requests_are_answered_in_order(backend: FakeBackend, server: Server) -> None:
    async def echo(call: Call) -> Answer:
        return Answer(node_service_pb2.GetNodeResponse(node=node(node_id_of(call))))

    def node_id_of(call: Call) -> int:
        return int(call.request.node_id)  # type: ignore[attr-defined]

    backend.unaries[NODES + "GetNode"] = echo
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(b"".join(b"GET /api/v1/nodes/%d HTTP/1.1\r\nHost: x\r\n\r\n" % i for i in range(1, 6)))
    text = ""
    while text.count("HTTP/1.1 200 OK") < 5 or not text.rstrip().endswith("}"):
        text += (await asyncio.wait_for(reader.read(65536), 60)).decode()
    assert re.findall(r'"node_id":"node-00(\d)"', text) == ["1", "2", "3", "4", "5"]
    writer.close()


async def test_values_from_behind_cannot_break_out_of_a_header(
    backend: FakeBackend, server: Server
) -> None:
    backend.answers(NODES + "GetNode", node_service_pb2.GetNodeResponse(), etag="1\r\nSet-Cookie: a=b")
    response, _ = await server.get("/api/v1/nodes/n1")
    assert "Set-Cookie" not in response.headers


async def test_a_body_that_does_not_come_is_a_504(start: Start) -> None:
    server = await start(request_timeout=0.05)
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(
        b"POST /api/v1/nodes/n1/commands HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        b"Content-Length: 100\r\n\r\n{"
    )
    answer = await asyncio.wait_for(reader.readuntil(b"}"), 60)
    assert b"504" in answer.split(b"\r\n")[0]
    writer.close()


async def test_stopping_lets_requests_finish(backend: FakeBackend, start: Start) -> None:
    has_begun, may_end = asyncio.Event(), asyncio.Event()

    async def slow(_: Call) -> Answer:
        has_begun.set()
        await may_end.wait()
        return Answer(node_service_pb2.GetNodeResponse(node=node(1)))

    backend.unaries[NODES + "GetNode"] = slow
    server = await start()
    async with asyncio.TaskGroup() as group:
        asking = group.create_task(server.get("/api/v1/nodes/n1"))
        await has_begun.wait()
        stopping = group.create_task(server.gateway.stop(10))
        await until(lambda: server.gateway._is_draining)
        may_end.set()
        await stopping
    response, _ = asking.result()
    assert response.status == 200
    assert response.headers["Connection"] == "close"
    with pytest.raises(OSError, match="onnect"):
        await asyncio.open_connection("127.0.0.1", server.port)


async def test_stopping_does_not_wait_for_idle_connections(start: Start) -> None:
    server = await start()
    await server.get("/api/v1/nodes")
    async with asyncio.timeout(60):
        await server.gateway.stop(300)


async def test_stopping_cancels_what_takes_too_long(backend: FakeBackend, start: Start) -> None:
    has_begun = asyncio.Event()

    async def hang(_: Call) -> Answer:
        has_begun.set()
        await asyncio.Event().wait()
        raise AssertionError

    backend.unaries[NODES + "GetNode"] = hang
    server = await start()
    async with asyncio.TaskGroup() as group:
        asking: asyncio.Task[Any] = group.create_task(_ask_in_vain(server))
        await has_begun.wait()
        await server.gateway.stop(0.1)
        await asking
    assert server.requests[-1][2] == 499


async def _ask_in_vain(server: Server) -> None:
    with pytest.raises(aiohttp.ClientError):
        await server.get("/api/v1/nodes/n1")


@pytest.mark.parametrize(
    ("sent", "status"), [(["k", "j"], 400), (["k", "k"], 200)], ids=["differing", "repeated"]
)
async def test_an_idempotency_key_that_comes_twice_must_be_one(
    backend: FakeBackend, server: Server, sent: list[str], status: int
) -> None:
    backend.answers(NODES + "DeleteNode", node_service_pb2.DeleteNodeResponse())
    headers = CIMultiDict([("Idempotency-Key", key) for key in sent])
    response, body = await server.ask("DELETE", "/api/v1/nodes/n1", headers=headers)
    assert response.status == status
    if status == 400:
        assert "idempotency-key" in body["message"].lower()
        assert backend.calls == []


@pytest.mark.parametrize(
    ("sent", "passed"),
    [
        ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", True),
        ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x", False),
        ("nonsense", False),
    ],
)
async def test_a_traceparent_is_passed_on_if_it_is_one(
    backend: FakeBackend, server: Server, sent: str, passed: bool
) -> None:
    response, _ = await server.get("/api/v1/nodes/n1", headers={"traceparent": sent})
    assert response.status == 200
    assert backend.call.metadata.get("traceparent") == (sent if passed else None)
