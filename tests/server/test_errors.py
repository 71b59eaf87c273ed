"""What a client is told when a call fails."""

from __future__ import annotations

import asyncio
import inspect
import io
import json

import aiohttp
import grpc
import grpc.aio
import pytest
from google.rpc import error_details_pb2, status_pb2
from grpc_status import rpc_status
from novasphere.api.v1 import error_reason_pb2 as reasons
from novasphere.api.v1 import key_service_pb2 as keys
from novasphere.api.v1 import key_service_pb2_grpc as keys_grpc
from novasphere.api.v1 import options_pb2
from novasphere.gateway import ERRORS, ROUTES
from novasphere.link.v1 import link_service_pb2 as link
from novasphere.link.v1 import link_service_pb2_grpc as link_grpc
from novasphere.node.v1 import command_service_pb2, command_service_pb2_grpc
from novasphere_gateway.runtime import Gateway, GatewaySettings
from novasphere_server import errors, logs
from novasphere_server.rpc import statuses
from novasphere_server.rpc.inprocess import InProcess
from novasphere_server.testing import RunningServer, running_server
from store_samples import put_node

GATEWAY_ONLY = {
    reasons.ERROR_REASON_ROUTE_NOT_FOUND,
    reasons.ERROR_REASON_METHOD_NOT_ALLOWED,
    reasons.ERROR_REASON_NOT_ACCEPTABLE,
    reasons.ERROR_REASON_UNSUPPORTED_MEDIA_TYPE,
    reasons.ERROR_REASON_SERVER_UNREACHABLE,
    reasons.ERROR_REASON_UPGRADE_REQUIRED,
}
KEY_SERVICE = "novasphere.api.v1.KeyService"


def details_of(status: status_pb2.Status) -> dict[str, object]:
    found = {}
    for detail in status.details:
        name = detail.type_url.rpartition(".")[2]
        message = getattr(error_details_pb2, name)()
        detail.Unpack(message)
        assert name not in found, "at most one detail of a type"
        found[name] = message
    return found


def test_every_reason_has_one_exception_and_every_exception_a_reason():
    classes = [
        c
        for _, c in inspect.getmembers(errors, inspect.isclass)
        if issubclass(c, errors.ApiError) and c is not errors.ApiError
    ]
    raised = [c.reason for c in classes]
    assert len(raised) == len(set(raised))
    declared = set(reasons.ErrorReason.values()) - {reasons.ERROR_REASON_UNSPECIFIED}
    assert set(raised) == declared - GATEWAY_ONLY


def test_every_reason_says_what_it_means_everywhere():
    codes = {code.value[0] for code in grpc.StatusCode}
    for value in reasons.ErrorReason.DESCRIPTOR.values:
        if not value.number:
            continue
        rule = value.GetOptions().Extensions[options_pb2.error]
        assert rule.code in codes - {0}, value.name
        assert 400 <= rule.http_status < 600, value.name
        assert rule.meaning.endswith("."), value.name
        faces = [face.face for face in rule.faces]
        assert len(faces) == len(set(faces)), value.name


async def test_an_error_carries_standard_details(channel: grpc.aio.Channel, server: RunningServer):
    stub = keys_grpc.KeyServiceStub(channel)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stub.GetKey(
            keys.GetKeyRequest(key_id="nothing1"),
            metadata=(*server.authorization(), ("x-request-id", "my-request")),
        )
    error = caught.value
    assert error.code() is grpc.StatusCode.NOT_FOUND
    status = rpc_status.from_call(error)
    assert status.message == error.details() == "API key 'nothing1' does not exist"
    details = details_of(status)
    info = details["ErrorInfo"]
    assert info.reason == "KEY_NOT_FOUND"
    assert info.domain == "novasphere.io"
    assert dict(info.metadata) == {"key_id": "nothing1"}
    assert details["RequestInfo"].request_id == "my-request"
    assert dict(error.trailing_metadata())["x-request-id"] == "my-request"
    assert dict(error.trailing_metadata())["novasphere-revision"] == str(server.store.revision)


async def test_an_error_that_names_something_long_arrives_whole(
    channel: grpc.aio.Channel, server: RunningServer
):
    stub = keys_grpc.KeyServiceStub(channel)
    for long in ("x" * 20_000, "節" * 7_000, "\n" * 20_000):
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await stub.GetKey(keys.GetKeyRequest(key_id=long), metadata=server.authorization())
        assert caught.value.code() is grpc.StatusCode.NOT_FOUND
        info = details_of(rpc_status.from_call(caught.value))["ErrorInfo"]
        assert info.reason == "KEY_NOT_FOUND"
        told = info.metadata["key_id"]
        assert len(told.encode()) <= 256
        assert long.startswith(told.removesuffix("…"))
        assert told.endswith("…")


def test_what_is_told_of_many_violations_is_bounded():
    many = [errors.Violation(f"labels.{'k' * 500}{number}", "d" * 500) for number in range(20)]
    status = statuses.of(errors.InvalidArgument("name", "must be set", *many), "r")
    violations = details_of(status)["BadRequest"].field_violations
    assert (violations[0].field, violations[0].description) == ("name", "must be set")
    assert len(violations) > 1
    assert status.ByteSize() < 4096


def test_violations_and_delays_travel_as_details():
    violated = details_of(statuses.of(errors.InvalidTimeRange(), "r"))
    assert [v.field for v in violated["BadRequest"].field_violations] == ["start_time"]
    delayed = details_of(statuses.of(errors.Overloaded(), "r"))
    assert delayed["RetryInfo"].retry_delay.ToTimedelta().total_seconds() == 1.0


class Broken:
    """Serves API keys badly."""

    async def CreateKey(self, request, context):
        raise RuntimeError("the password is hunter2")

    async def ListKeys(self, request, context):
        raise asyncio.CancelledError

    async def GetKey(self, request, context):
        await asyncio.Event().wait()

    async def UpdateKey(self, request, context):
        raise NotImplementedError

    async def RevokeKey(self, request, context):
        return 42

    async def WatchKeys(self, request, context):
        raise NotImplementedError
        yield


async def test_an_unexpected_exception_is_logged_and_not_told(bench, server: RunningServer):
    lines = io.StringIO()
    logs.configure("json", "info", lines)
    async with bench.serving(KEY_SERVICE, Broken()) as channel:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await keys_grpc.KeyServiceStub(channel).CreateKey(
                keys.CreateKeyRequest(name="x"),
                metadata=(*server.authorization(), ("x-request-id", "unlucky")),
            )
    assert caught.value.code() is grpc.StatusCode.INTERNAL
    assert "hunter2" not in str(caught.value)
    assert details_of(rpc_status.from_call(caught.value))["ErrorInfo"].reason == "INTERNAL"
    logged = [json.loads(line) for line in lines.getvalue().splitlines()]
    (line,) = [line for line in logged if line["event"] == "call failed"]
    assert line["request_id"] == "unlucky"
    assert "RuntimeError" in line["exception"]


async def test_what_is_no_message_is_an_internal_error_too(bench, server: RunningServer):
    async with bench.serving(KEY_SERVICE, Broken()) as channel:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await keys_grpc.KeyServiceStub(channel).RevokeKey(
                keys.RevokeKeyRequest(key_id="x"), metadata=server.authorization()
            )
    assert caught.value.code() is grpc.StatusCode.INTERNAL
    assert "int" not in caught.value.details()


async def test_a_deadline_is_kept_in_process_as_over_grpc(bench, server: RunningServer):
    async with bench.serving(KEY_SERVICE, Broken()) as channel:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await keys_grpc.KeyServiceStub(channel).GetKey(
                keys.GetKeyRequest(key_id="x"), metadata=server.authorization(), timeout=0.1
            )
        assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
        method = bench.pipeline.methods[f"/{KEY_SERVICE}/GetKey"]
        with pytest.raises(Exception, match="deadline") as failed:
            await bench.pipeline.unary(
                method,
                keys.GetKeyRequest(key_id="x"),
                dict(server.authorization()),
                remaining=0.05,
            )
    assert details_of(failed.value.status)["ErrorInfo"].reason == "DEADLINE_EXCEEDED"


async def test_a_rest_call_ends_by_its_deadline(bench, server: RunningServer):
    bench.pipeline.register(KEY_SERVICE, Broken())
    gateway = Gateway(
        InProcess(bench.pipeline),
        ROUTES,
        ERRORS,
        openapi=b"{}",
        settings=GatewaySettings(request_timeout=0.05),
    )
    port = await gateway.start("127.0.0.1", 0)
    try:
        async with (
            asyncio.timeout(60),
            aiohttp.ClientSession(headers=dict(server.authorization())) as http,
            http.get(f"http://127.0.0.1:{port}/api/v1/keys/x") as response,
        ):
            assert response.status == 504
            assert (await response.json())["code"] == "DEADLINE_EXCEEDED"
    finally:
        await gateway.stop(0)


async def test_cancellation_passes_through(bench, server: RunningServer):
    async with bench.serving(KEY_SERVICE, Broken()):
        method = bench.pipeline.methods[f"/{KEY_SERVICE}/ListKeys"]
        with pytest.raises(asyncio.CancelledError):
            await bench.pipeline.unary(method, keys.ListKeysRequest(), dict(server.authorization()))


async def test_a_message_that_cannot_be_read_is_refused_after_its_sender_is_known(
    channel: grpc.aio.Channel, server: RunningServer
):
    create = channel.unary_unary(f"/{KEY_SERVICE}/CreateKey")
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await create(b"\xff\xff\xff")
    assert caught.value.code() is grpc.StatusCode.UNAUTHENTICATED
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await create(b"\xff\xff\xff", metadata=server.authorization())
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert details_of(rpc_status.from_call(caught.value))["ErrorInfo"].reason == "MALFORMED_BODY"


async def test_a_message_that_cannot_be_read_is_told_before_what_its_headers_ask(
    channel: grpc.aio.Channel, server: RunningServer
):
    get = channel.unary_unary("/novasphere.node.v1.NodeService/GetNode")
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await get(
            b"\xff\xff\xff", metadata=(*server.authorization(), ("novasphere-min-revision", "abc"))
        )
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert details_of(rpc_status.from_call(caught.value))["ErrorInfo"].reason == "MALFORMED_BODY"


async def test_a_method_that_nobody_serves_is_refused_like_any_call(server: RunningServer, channel):
    path = "/grpc.health.v2.Health/Check"
    calls = {
        "one answer": lambda metadata: channel.unary_unary(path)(b"", metadata=metadata),
        "a stream": lambda metadata: channel.unary_stream(path)(b"", metadata=metadata).read(),
    }
    for call in calls.values():
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await call(server.authorization())
        assert refused.value.code() is grpc.StatusCode.UNIMPLEMENTED
        assert path in refused.value.details()
        details = details_of(rpc_status.from_call(refused.value))
        assert details["ErrorInfo"].reason == "NOT_IMPLEMENTED"
        assert details["RequestInfo"].request_id
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await call(())
        assert refused.value.code() is grpc.StatusCode.UNAUTHENTICATED


async def test_a_request_beyond_the_limit_is_refused_with_its_reason(tmp_path):
    async with (
        running_server(tmp_path, message_bytes=10_000) as server,
        server.channel() as channel,
        aiohttp.ClientSession() as http,
    ):
        large = keys.CreateKeyRequest(name="k" * 10_000)
        hello = link.ConnectRequest(hello=link.Hello(node_id="n" * 10_000))

        async def create(metadata) -> None:
            await keys_grpc.KeyServiceStub(channel).CreateKey(large, metadata=metadata)

        async def connect(metadata) -> None:
            call = link_grpc.LinkServiceStub(channel).Connect(metadata=metadata)
            await call.write(hello)
            await call.read()

        for call in (create, connect):
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await call(server.authorization())
            info = details_of(rpc_status.from_call(refused.value))["ErrorInfo"]
            assert info.reason == "TOO_LARGE", call
            assert "at most 10000" in refused.value.details()
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await call(())
            assert refused.value.code() is grpc.StatusCode.UNAUTHENTICATED
        async with http.post(
            f"{server.http_url}/api/v1/keys",
            json={"name": "k" * 10_000},
            headers=dict(server.authorization()),
        ) as answer:
            assert answer.status == 413


async def test_what_is_wrong_with_a_header_is_said_of_the_header(server: RunningServer):
    headers = {**dict(server.authorization()), "Idempotency-Key": "x" * 300}
    key = {"name": "k", "scopes": ["read"]}
    async with (
        aiohttp.ClientSession(headers=headers) as http,
        http.post(f"{server.http_url}/api/v1/keys", json=key) as answer,
    ):
        told = await answer.json()
    assert told["detail"] == "idempotency-key: must have at most 255 characters, not 300"
    assert [violation["field"] for violation in told["violations"]] == ["idempotency-key"]


async def test_what_is_wrong_with_a_field_is_said_by_the_name_that_it_has_there(
    server: RunningServer, channel: grpc.aio.Channel
):
    await server.store.write(put_node("n"))
    request = command_service_pb2.CreateCommandRequest(
        node_id="n", command_text="ls", timeout_seconds=0, namespace="Bad"
    )
    create = command_service_pb2_grpc.CommandServiceStub(channel).CreateCommand
    with pytest.raises(grpc.aio.AioRpcError) as failed:
        await create(request, metadata=server.authorization())
    assert failed.value.details().startswith("timeout_seconds: must be at least 1")
    async with (
        aiohttp.ClientSession(headers=dict(server.authorization())) as http,
        http.post(
            f"{server.http_url}/api/v1/nodes/n/commands",
            json={"command_text": "ls", "timeout": 0, "namespace": "Bad"},
        ) as answer,
    ):
        told = (await answer.json())["message"]
    assert told.startswith("timeout: must be at least 1")
    assert "; namespace: " in told
