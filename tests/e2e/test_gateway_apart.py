"""`novasphere gateway`: the gateway as a process of its own answers as the one in the server does."""

from __future__ import annotations

import asyncio
import io
import json
import signal
import sys
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from foreign_node import ForeignNode
from google.rpc import error_details_pb2
from novasphere.node.v1 import command_service_pb2
from novasphere_gateway.backend import Call, CallError
from novasphere_gateway.channel import Channel
from processes import GATEWAY, TOKEN, ControlPlane, Process, control_plane, eventually

pytestmark = pytest.mark.asyncio(loop_scope="module")

AUTHORIZED = {"Authorization": f"Bearer {TOKEN}"}
JSON = {"Content-Type": "application/json"}
NODE = "/api/v1/nodes/node-001"
Request = tuple[str, str, dict[str, str], bytes]
# (method, path, headers, body): good requests, and refusals that must come in the same order.
REQUESTS: list[Request] = [
    ("GET", "/api/v1/nodes", AUTHORIZED, b""),
    ("GET", NODE, AUTHORIZED, b""),
    ("HEAD", NODE, AUTHORIZED, b""),
    ("GET", NODE, AUTHORIZED | {"Accept-Encoding": "gzip", "Accept-Language": "en"}, b""),
    ("GET", "/api/v1/commands?limit=1", AUTHORIZED, b""),
    ("GET", "/api/v1/health", {}, b""),
    ("GET", "/version", {}, b""),
    ("GET", "/openapi.json", {}, b""),
    ("GET", "/docs", {}, b""),
    ("GET", NODE, AUTHORIZED | {"Accept": "application/proto"}, b""),
    ("GET", "/api/v1/nodes/nobody", AUTHORIZED | {"Accept": "application/proto"}, b""),
    ("GET", "/api/v1/nodes/nobody", AUTHORIZED | {"Accept-Language": "zh"}, b""),
    ("POST", "/api/v1/keys?validate_only=true", AUTHORIZED | JSON, b'{"name": "a"}'),
    ("GET", "/api/v1/nodes", {}, b""),
    ("GET", "/api/v1/nodes", {"Authorization": "Bearer " + "w" * 7000}, b""),
    ("GET", "/api/v1/nodes", {"X-API-Key": "wröng"}, b""),
    ("GET", "/api/v1/nodes?limit=x", {}, b""),
    ("GET", "/api/v1/nodes?limit=x", AUTHORIZED, b""),
    ("GET", "/api/v1/nodes/nobody", AUTHORIZED, b""),
    ("GET", "/api/v1/nodes/nobody?limit=x", AUTHORIZED, b""),
    ("GET", "/api/v1/commands/nothing/output?ofset=x", AUTHORIZED, b""),
    ("POST", f"{NODE}/commands", JSON, b"{"),
    ("POST", f"{NODE}/commands", AUTHORIZED | JSON, b"{"),
    ("POST", f"{NODE}/commands", AUTHORIZED | {"Content-Type": "text/plain"}, b"{}"),
    ("POST", f"{NODE}/commands", AUTHORIZED | JSON, b'{"command_text": "x", "timeout": 0}'),
    ("POST", "/api/v1/nodes/nobody/commands", AUTHORIZED | JSON, b"{"),
    ("POST", "/api/v1/nodes/nobody/commands", JSON, b"{}"),
    ("POST", f"{NODE}/commands", AUTHORIZED | JSON, b" " * (4 * 1024 * 1024 + 1)),
    ("POST", f"{NODE}/commands", JSON, b" " * (4 * 1024 * 1024 + 1)),
    ("DELETE", NODE, AUTHORIZED | {"If-Match": '"0"'}, b""),
    ("GET", "/api/v1/commands:watch?cursor=nonsense", AUTHORIZED, b""),
    ("GET", "/api/v1/nodes", AUTHORIZED | {"X-Novasphere-Min-Revision": "soon"}, b""),
    ("GET", "/nowhere", AUTHORIZED, b""),
    ("PATCH", "/api/v1/nodes", AUTHORIZED, b""),
    ("GET", "/api/v1/nodes?limit=x", {"X-Novasphere-Min-Revision": "99999999"}, b""),
    ("GET", "/api/v1/nodes?limit=x", AUTHORIZED | {"X-Novasphere-Min-Revision": "99999999"}, b""),
    (
        "GET",
        "/api/v1/nodes",
        {"Authorization": "Bearer " + "w" * 8000, "X-API-Key": "k" * 8000, "User-Agent": "u" * 8000},
        b"",
    ),
    ("GET", "/metrics", {}, b""),
    ("GET", "/metrics", {"foo-bin": "x", "foo!bar": "x"}, b""),
    ("GET", "/metrics", {"X-API-Key": TOKEN[:-1], "Cookie": "c" * 8000, "X-Other": "o" * 8000}, b""),
    ("GET", "/metrics", {"novasphere-min-revision": "99999999"}, b""),
    ("POST", "/livez", {}, b""),
]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def plane(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ControlPlane]:
    """A server with a node, and a gateway of its own before it."""
    async with control_plane(tmp_path_factory.mktemp("apart")) as running:
        await running.add_agent("node-001")
        await running.start_gateway()
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    timeout = aiohttp.ClientTimeout(total=30)
    async with aiohttp.ClientSession(timeout=timeout) as session:
        yield session


def _own_url(plane: ControlPlane) -> str:
    return f"http://127.0.0.1:{plane.http_port}"


async def _ask(
    http: aiohttp.ClientSession, url: str, request: Request
) -> tuple[int, list[tuple[str, str]], bytes]:
    method, path, headers, body = request
    headers = {"X-Request-Id": "the-same-for-both"} | headers
    data = io.BytesIO(body) if body else None
    async with http.request(method, url + path, headers=headers, data=data) as answer:
        told = [(name, value) for name, value in answer.headers.items() if name != "Date"]
        return answer.status, sorted(told), await answer.read()


@pytest.mark.parametrize("request_", REQUESTS, ids=lambda r: f"{r[0]} {r[1]}")
async def test_both_gateways_answer_alike(
    plane: ControlPlane, http: aiohttp.ClientSession, request_: Request
) -> None:
    async def is_alike() -> bool:
        # Heartbeats and the seconds that answers print come in between now and then.
        here = await _ask(http, _own_url(plane), request_)
        there = await _ask(http, plane.url, request_)
        assert there == here
        return True

    await eventually(is_alike)


async def test_headers_of_calls_come_through(plane: ControlPlane, http: aiohttp.ClientSession) -> None:
    async with http.get(plane.url + "/api/v1/nodes/node-001", headers=AUTHORIZED) as answer:
        assert int(answer.headers["X-Novasphere-Revision"]) > 0
    body, again = {"name": "k"}, AUTHORIZED | {"Idempotency-Key": "key-1"}
    async with http.post(plane.url + "/api/v1/keys", json=body, headers=again) as answer:
        assert answer.status == 201
        key = json.loads(await answer.read())
        where = answer.headers["Location"]
    async with http.post(plane.url + "/api/v1/keys", json=body, headers=again) as answer:
        assert answer.headers["Idempotency-Replayed"] == "true"
        assert json.loads(await answer.read())["key_id"] == key["key_id"]
    async with http.get(plane.url + where, headers=AUTHORIZED) as answer:
        etag = answer.headers["ETag"]
    known = AUTHORIZED | {"If-None-Match": etag}
    async with http.get(plane.url + where, headers=known) as answer:
        assert answer.status == 304


async def _open_streams(plane: ControlPlane, http: aiohttp.ClientSession) -> float:
    async with http.get(_own_url(plane) + "/metrics", headers=AUTHORIZED) as answer:
        lines = (await answer.text()).splitlines()
    watched = 'novasphere_open_streams{endpoint="/novasphere.node.v1.CommandService/WatchCommands"} '
    return next((float(li.removeprefix(watched)) for li in lines if li.startswith(watched)), 0.0)


async def test_a_stream_ends_on_the_server_when_its_reader_goes(
    plane: ControlPlane, http: aiohttp.ClientSession
) -> None:
    async def is_closed() -> bool:
        return await _open_streams(plane, http) == 0

    await eventually(is_closed)  # and nobody else's is left
    async with http.get(plane.url + "/api/v1/commands:watch", headers=AUTHORIZED) as answer:
        assert answer.content_type == "text/event-stream"
        assert await answer.content.readuntil(b"\n\n")
        assert await _open_streams(plane, http) == 1
        answer.close()
    await eventually(is_closed)


async def test_its_metrics_are_its_own_and_need_a_credential(
    plane: ControlPlane, http: aiohttp.ClientSession
) -> None:
    await plane.rest("GET", NODE)
    async with http.get(plane.url + "/metrics", headers=AUTHORIZED) as answer:
        text = await answer.text()
    assert "api_requests_total{" in text
    assert 'endpoint="/api/v1/nodes/{node_id}"' in text
    assert "novasphere_store_revision" not in text


async def test_foreign_nodes_join_through_it(plane: ControlPlane, http: aiohttp.ClientSession) -> None:
    node = ForeignNode(http, plane.url, TOKEN, "node-002")
    assert (await node.join())["action"] == "created"
    assert (await node.beat(cpu_usage=1.0, memory_usage=2.0, disk_usage=3.0, load_average=0.1))[
        "metrics_saved"
    ]
    assert (await node.register())["action"] == "updated"  # on a link of its own
    body = {"command_text": "echo out", "timeout": 30}
    created = await plane.rest("POST", "/api/v1/nodes/node-002/commands", body, status=None)
    await node.execute(await node.command())

    async def has_succeeded() -> bool:
        answer = await plane.rest("GET", f"/api/v1/commands/{created['data']['command_id']}")
        return bool(answer["data"]["command"]["status"] == "success")

    await eventually(has_succeeded)
    newer = ForeignNode(http, plane.url, TOKEN, "node-002")
    await newer.join()
    assert await node.closed() == 4409
    await newer.close()
    await plane.node_is("offline", "node-002")


async def test_a_ticket_opens_one_link_of_a_foreign_node(
    plane: ControlPlane, http: aiohttp.ClientSession
) -> None:
    ticket = (await plane.rest("POST", "/api/v1/tickets", {}, status=None))["ticket"]
    node = ForeignNode(http, plane.url, "", "node-003")
    await node.connect(ticket=ticket)
    assert (await node.register())["success"]
    assert (await node.beat())["received"]
    assert (await node.refused("node_register", {"node_id": "node-003"}))[
        "error_code"
    ] == "INVALID_TOKEN"
    assert await node.closed() == 4401
    await node.connect(ticket=ticket)
    assert await node.closed() == 4401


async def test_a_server_that_hangs_is_found_out(plane: ControlPlane) -> None:
    channel = Channel(plane.address, message_bytes=1_000_000, silence=1.0)
    method = "/novasphere.node.v1.CommandService/WatchCommands"
    metadata = {"authorization": f"Bearer {TOKEN}"}
    watch = command_service_pb2.WatchCommandsRequest()
    answers: Any = channel.stream(Call(method, watch, metadata))
    await anext(answers)
    assert plane.server.running is not None
    plane.server.running.send_signal(signal.SIGSTOP)
    try:
        async with asyncio.timeout(60):
            with pytest.raises(CallError) as caught:
                async for _ in answers:  # what was on its way
                    pass
    finally:
        plane.server.running.send_signal(signal.SIGCONT)
    info = error_details_pb2.ErrorInfo()
    assert any(detail.Unpack(info) for detail in caught.value.status.details)
    assert info.reason == "SERVER_UNREACHABLE"
    await channel.close()
    await plane.ready()


async def test_while_the_server_is_away_it_says_so_and_then_goes_on(
    plane: ControlPlane, http: aiohttp.ClientSession
) -> None:
    node = ForeignNode(http, plane.url, TOKEN, "node-002")
    await node.join()
    watch = plane.url + "/api/v1/commands:watch"
    async with http.get(watch, headers=AUTHORIZED | {"Accept": "application/x-ndjson"}) as stream:
        await stream.content.readline()
        await plane.server.kill()
        rows = (await stream.content.read()).splitlines()
        last = json.loads(rows[-1])
        assert last["type"] == "ERROR"
        assert last["error"]["code"] == "SERVER_UNREACHABLE"
    async with http.get(plane.url + NODE, headers=AUTHORIZED) as answer:
        assert answer.status == 503
        assert int(answer.headers["Retry-After"]) >= 1
        assert answer.headers["X-Novasphere-Reason"] == "SERVER_UNREACHABLE"
        assert str(plane.grpc_port) not in await answer.text()
    async with http.get(plane.url + "/readyz") as answer:
        assert answer.status == 503
    async with http.get(plane.url + "/livez") as answer:
        assert answer.status == 200
    away = await node.refused("heartbeat", {"node_id": "node-002"})
    assert (away["error_code"], away["message"]) == ("SERVER_UNREACHABLE", "网关无法连接服务器")
    assert plane.gateway is not None
    assert plane.gateway.output().count("the server cannot be reached") == 1  # not once a call
    await plane.server.start()
    await plane.ready()
    assert "the server is reached again" in plane.gateway.output()
    assert (await node.beat())["received"]
    await node.cut()
    assert (await plane.rest("GET", NODE))["data"]["node_id"] == "node-001"


async def test_sigterm_ends_streams_with_a_reason(
    plane: ControlPlane, http: aiohttp.ClientSession
) -> None:
    assert plane.gateway is not None
    watch = plane.url + "/api/v1/commands:watch"
    async with http.get(watch, headers=AUTHORIZED | {"Accept": "application/x-ndjson"}) as stream:
        await stream.content.readline()
        ending = asyncio.ensure_future(plane.gateway.terminate())
        rows = (await stream.content.read()).splitlines()
        assert json.loads(rows[-1])["error"]["code"] == "DRAINING"
        assert await ending == 0
    assert "Traceback" not in plane.gateway.output()
    assert TOKEN not in plane.gateway.output()
    await plane.gateway.start()
    await plane.ready()


async def test_a_gateway_without_a_server_says_what_is_missing(plane: ControlPlane) -> None:
    process = Process([sys.executable, "-c", GATEWAY], plane.folder / "missing.log")
    await process.start()
    assert process.running is not None
    assert await asyncio.wait_for(process.running.wait(), 120) == 2
    assert "--server is missing" in process.output()
