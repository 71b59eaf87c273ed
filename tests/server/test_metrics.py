"""What Prometheus sees."""

from __future__ import annotations

import asyncio
import re

import aiohttp
import grpc.aio
import pytest
from novasphere.api.v1 import key_service_pb2 as keys
from novasphere.api.v1 import key_service_pb2_grpc as keys_grpc
from novasphere_server.telemetry import Telemetry
from novasphere_server.testing import RunningServer


def admin(server: RunningServer) -> dict[str, str]:
    return {"Authorization": f"Bearer {server.admin_token}"}


async def scrape(server: RunningServer, http: aiohttp.ClientSession) -> str:
    async with http.get("/metrics", headers=admin(server)) as response:
        assert response.status == 200
        assert response.headers["Content-Type"].startswith("text/plain")
        return await response.text()


@pytest.fixture
async def http(server: RunningServer):
    async with aiohttp.ClientSession(server.http_url) as session:
        yield session


async def test_metrics_need_the_scope_read(server: RunningServer, channel, http):
    stub = keys_grpc.KeyServiceStub(channel)
    statuses = []
    for scopes in ([2], [1]):
        request = keys.CreateKeyRequest(name="x", scopes=scopes)
        made = await stub.CreateKey(request, metadata=server.authorization())
        async with http.get("/metrics", headers={"X-API-Key": made.secret}) as response:
            statuses.append(response.status)
    async with http.get("/metrics") as response:
        statuses.append(response.status)
    assert statuses == [403, 200, 401]


async def test_strangers_with_a_request_id_that_is_no_utf8_are_refused_as_others(server: RunningServer):
    address = server.app.http_address
    reader, writer = await asyncio.open_connection(address.host, address.port)
    writer.write(b"GET /metrics HTTP/1.1\r\nHost: x\r\nX-Request-Id: \xff\r\nConnection: close\r\n\r\n")
    async with asyncio.timeout(60):
        answer = await reader.read()
    writer.close()
    assert answer.startswith(b"HTTP/1.1 401 ")


async def test_rest_calls_are_counted_by_route_template(server: RunningServer, http):
    for path in ("/api/v1/keys/nothing1", "/api/v1/keys/nothing2", "/api/v1/keys"):
        headers = {**admin(server), "X-Client-Type": "Flutter"}
        async with http.get(path, headers=headers):
            pass
    async with http.get("/no/such/path/at/all", headers=admin(server)):
        pass
    text = await scrape(server, http)
    one = 'client_type="flutter",endpoint="/api/v1/keys/{key_id}",method="GET"'
    assert f'api_requests_total{{{one},status="404"}} 2.0' in text
    assert f"api_request_duration_seconds_count{{{one}}} 2.0" in text
    assert 'endpoint="/api/v1/keys",method="GET",status="200"' in text
    assert "nothing1" not in text
    assert "no/such/path" not in text


async def test_grpc_calls_are_counted_by_method(server: RunningServer, channel, http):
    stub = keys_grpc.KeyServiceStub(channel)
    await stub.ListKeys(keys.ListKeysRequest(), metadata=server.authorization())
    with pytest.raises(grpc.aio.AioRpcError):
        await stub.ListKeys(keys.ListKeysRequest())
    text = await scrape(server, http)
    one = 'client_type="grpc",endpoint="/novasphere.api.v1.KeyService/ListKeys",method="grpc"'
    assert f'api_requests_total{{{one},status="OK"}} 1.0' in text
    assert f'api_requests_total{{{one},status="UNAUTHENTICATED"}} 1.0' in text


async def test_the_server_tells_of_itself(server: RunningServer, http):
    text = await scrape(server, http)
    assert re.search(r'^novasphere_build_info\{.*version="[^"]+"\} 1\.0$', text, re.MULTILINE)
    for name in (
        "novasphere_store_revision",
        "novasphere_store_available",
        "novasphere_loop_up",
        "process_resident_memory_bytes",
    ):
        assert re.search(rf"^{name}", text, re.MULTILINE), name


async def test_names_follow_one_pattern(server: RunningServer, http):
    families = re.findall(r"^# TYPE (\S+) (\S+)$", await scrape(server, http), re.MULTILINE)
    for name, kind in families:
        assert name.startswith(("api_request", "novasphere_", "process_")), name
        if kind == "counter":
            assert name.endswith("_total"), name


def test_client_types_are_a_short_list():
    telemetry = Telemetry("0")
    assert telemetry.client_type("electron", "whatever") == "electron"
    assert telemetry.client_type("made-up", "") == "other"
    assert telemetry.client_type("made-up", "curl/8.5") == "curl"
    assert telemetry.client_type(" Flutter ", "curl/8.5") == "flutter"
    kinds = {telemetry.client_type("", f"agent-{i}") for i in range(5000)}
    assert kinds == {"other"}
    assert len(telemetry._client_types) <= 1100


@pytest.mark.parametrize(
    ("user_agent", "expected"),
    [
        ("Mozilla/5.0 (X11)", "web"),
        ("Mozilla/5.0 (X11) novasphere-console/1.0 Chrome/130 Electron/33", "electron"),
        ("Dart/3.5 (dart:io)", "flutter"),
        ("novasphere-cli/0.1", "cli"),
        ("novasphere-agent/0.1", "agent"),
        ("curl/8.5", "curl"),
        ("grpc-python-asyncio/1.82", "grpc"),
        ("grpcurl/v1.8.6 grpc-go/1.44", "grpcurl"),
        ("", "other"),
    ],
)
def test_clients_are_told_apart_by_their_user_agent(user_agent: str, expected: str):
    assert Telemetry("0").client_type("", user_agent) == expected


def test_calls_are_counted_whether_few_or_many():
    telemetry = Telemetry("0")
    endpoint = telemetry.endpoint("grpc", "/a/B")
    for number in range(1, 251):
        endpoint.record("cli", "OK", 0.002)
        if number in (1, 99, 100, 250):
            text = telemetry.exposition().decode()
            labels = 'client_type="cli",endpoint="/a/B",method="grpc"'
            assert f'api_requests_total{{{labels},status="OK"}} {number}.0' in text
            assert f"api_request_duration_seconds_count{{{labels}}} {number}.0" in text


def test_a_call_counts_within_every_bound_that_it_did_not_exceed():
    telemetry = Telemetry("0")
    endpoint = telemetry.endpoint("grpc", "/a/B")
    for seconds in (40.0, 0.001, 0.3, 0.0002, 30.0, 0.0011):
        endpoint.record("cli", "OK", seconds)
    text = telemetry.exposition().decode()
    labels = 'client_type="cli",endpoint="/a/B"'
    expected = {"0.001": 2, "0.0025": 3, "0.25": 3, "0.5": 4, "10.0": 4, "30.0": 5, "+Inf": 6}
    for bound, count in expected.items():
        line = f'api_request_duration_seconds_bucket{{{labels},le="{bound}",method="grpc"}} {count}.0'
        assert line in text
