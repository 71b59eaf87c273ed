"""The steps of the call pipeline that no single service shows."""

from __future__ import annotations

import asyncio

import aiohttp
import grpc
import grpc.aio
import pytest
from novasphere.api.v1 import access_service_pb2 as access
from novasphere.api.v1 import access_service_pb2_grpc as access_grpc
from novasphere.api.v1 import key_service_pb2 as keys
from novasphere.api.v1 import key_service_pb2_grpc as keys_grpc
from novasphere.node.v1 import system_service_pb2 as systems
from novasphere.node.v1 import system_service_pb2_grpc as systems_grpc
from novasphere_server.rpc.pipeline import CallFailed
from novasphere_server.store.kinds import KEYS
from novasphere_server.testing import RunningServer

KEY_SERVICE = "novasphere.api.v1.KeyService"


class Recorder:
    """Remembers the contexts of the calls it serves."""

    def __init__(self) -> None:
        self.contexts = []

    async def CreateKey(self, request, context):
        self.contexts.append(context)
        return keys.CreateKeyResponse()

    async def ListKeys(self, request, context):
        self.contexts.append(context)
        return keys.ListKeysResponse()

    async def GetKey(self, request, context): ...
    async def WatchKeys(self, request, context): ...
    async def UpdateKey(self, request, context): ...
    async def RevokeKey(self, request, context): ...


@pytest.fixture
async def recorded(bench):
    recorder = Recorder()
    async with bench.serving(KEY_SERVICE, recorder) as channel:
        yield recorder, keys_grpc.KeyServiceStub(channel)


async def test_a_servicer_knows_its_call(server: RunningServer, recorded):
    recorder, stub = recorded
    metadata = (*server.authorization(), ("x-request-id", "r1"), ("x-mine", "yes"), ("b-bin", b"\xff"))
    await stub.ListKeys(keys.ListKeysRequest(), metadata=metadata, timeout=30)
    (context,) = recorder.contexts
    assert context.method == f"/{KEY_SERVICE}/ListKeys"
    assert context.principal.name == "admin"
    assert context.request_id == "r1"
    assert context.metadata["x-mine"] == "yes"
    assert "b-bin" not in context.metadata
    assert 0 < context.deadline - server.clock.monotonic() <= 30
    assert context.idempotency is None
    assert not context.is_dry_run


@pytest.mark.parametrize("given", ["", "x" * 200, "two words"])
async def test_a_request_id_that_is_none_is_replaced(server: RunningServer, recorded, given: str):
    recorder, stub = recorded
    call = stub.ListKeys(
        keys.ListKeysRequest(), metadata=(*server.authorization(), ("x-request-id", given))
    )
    await call
    made = recorder.contexts[-1].request_id
    assert made != given
    assert len(made) == 16
    assert dict(await call.trailing_metadata())["x-request-id"] == made


async def test_a_fingerprint_covers_what_is_asked_and_not_how(server: RunningServer, recorded):
    recorder, stub = recorded
    for request in (
        keys.CreateKeyRequest(name="a", request_id="1"),
        keys.CreateKeyRequest(name="a", request_id="2"),
        keys.CreateKeyRequest(name="a", request_id="1", validate_only=True),
        keys.CreateKeyRequest(name="b", request_id="1"),
        keys.CreateKeyRequest(name="a"),
    ):
        await stub.CreateKey(request, metadata=server.authorization())
    first, second, dry, other, none = [c.idempotency for c in recorder.contexts]
    assert none is None
    assert first.fingerprint == second.fingerprint == dry.fingerprint != other.fingerprint
    assert (first.principal, first.key) == ("admin", "1")
    assert [c.is_dry_run for c in recorder.contexts] == [False, False, True, False, False]


async def test_a_client_reads_what_it_wrote(server: RunningServer, channel):
    stub = keys_grpc.KeyServiceStub(channel)
    wanted = server.store.revision + 1

    def list_at_least(revision: object, **more):
        return stub.ListKeys(
            keys.ListKeysRequest(),
            metadata=(*server.authorization(), ("novasphere-min-revision", str(revision))),
            **more,
        )

    waiting = list_at_least(wanted)
    async with asyncio.TaskGroup() as group:
        listed = group.create_task(_result(waiting))
        create = keys.CreateKeyRequest(name="x")
        await stub.CreateKey(create, metadata=server.authorization())
    assert [key.name for key in listed.result().keys] == ["x"]
    assert int(dict(await waiting.trailing_metadata())["novasphere-revision"]) >= wanted
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await list_at_least("soon")
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await list_at_least(10**9, timeout=0.3)
    assert caught.value.code() in {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED}


async def test_what_is_wrong_is_told_without_waiting_for_a_revision(server: RunningServer, channel):
    far = server.store.revision + 10**6
    headers = dict(server.authorization())
    async with asyncio.timeout(20):
        async with (
            aiohttp.ClientSession(server.http_url, headers=headers) as http,
            http.get(f"/api/v1/nodes?bogus=1&min_revision={far}") as response,
        ):
            assert response.status == 400
            assert "bogus" in (await response.json())["message"]
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await keys_grpc.KeyServiceStub(channel).GetKey(
                keys.GetKeyRequest(),
                metadata=(*server.authorization(), ("novasphere-min-revision", str(far))),
            )
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT


async def test_strangers_keep_no_call_waiting_for_a_revision(server: RunningServer, channel):
    far = (("novasphere-min-revision", str(server.store.revision + 10**6)),)
    asked = access.CheckAccessRequest(method=f"/{KEY_SERVICE}/ListKeys")
    async with asyncio.timeout(20):
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await access_grpc.AccessServiceStub(channel).CheckAccess(asked, metadata=far)
        await systems_grpc.SystemServiceStub(channel).GetHealth(systems.GetHealthRequest(), metadata=far)
    assert caught.value.code() is grpc.StatusCode.UNAUTHENTICATED


async def test_a_call_that_is_asked_about_is_read_for_those_alone_who_may_make_it(server, channel):
    stub = access_grpc.AccessServiceStub(channel)
    asked = access.CheckAccessRequest(method=f"/{KEY_SERVICE}/GetKey", request=b"\xff")
    codes = []
    for metadata in ((), server.authorization()):
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await stub.CheckAccess(asked, metadata=metadata)
        codes.append(caught.value.code())
    assert codes == [grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.INVALID_ARGUMENT]


async def test_two_credentials_as_long_as_http_carries_are_read(server: RunningServer, channel):
    metadata = (("authorization", "Bearer " + "w" * 8000), ("x-api-key", "k" * 8000))
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await keys_grpc.KeyServiceStub(channel).ListKeys(keys.ListKeysRequest(), metadata=metadata)
    assert caught.value.code() is grpc.StatusCode.UNAUTHENTICATED


async def test_waiting_for_a_revision_takes_from_the_time_of_the_call(
    server: RunningServer, bench, monkeypatch
):
    class Stuck(Recorder):
        async def GetKey(self, request, context):
            await asyncio.Event().wait()

    async def take_nearly_all(revision: int, timeout: float) -> None:
        server.clock.advance(timeout - 0.01)

    monkeypatch.setattr(server.store, "wait_for_revision", take_nearly_all)
    async with bench.serving(KEY_SERVICE, Stuck()):
        method = bench.pipeline.methods[f"/{KEY_SERVICE}/GetKey"]
        metadata = {**dict(server.authorization()), "novasphere-min-revision": str(10**9)}
        async with asyncio.timeout(20):
            with pytest.raises(CallFailed, match="the deadline passed"):
                await bench.pipeline.unary(
                    method, keys.GetKeyRequest(key_id="x"), metadata, remaining=60
                )


async def _result(call):
    return await call


async def test_rest_and_grpc_give_the_same_headers(server: RunningServer, channel):
    stub = keys_grpc.KeyServiceStub(channel)
    made = await stub.CreateKey(keys.CreateKeyRequest(name="x"), metadata=server.authorization())
    call = stub.GetKey(keys.GetKeyRequest(key_id=made.key_id), metadata=server.authorization())
    await call
    trailers = dict(await call.trailing_metadata())
    headers = dict(server.authorization())
    async with (
        aiohttp.ClientSession(server.http_url, headers=headers) as http,
        http.get(f"/api/v1/keys/{made.key_id}") as response,
    ):
        assert (await response.json())["key_id"] == made.key_id
        assert response.headers["ETag"] == f'"{trailers["etag"]}"'
        assert response.headers["X-Novasphere-Revision"] == trailers["novasphere-revision"]
        assert response.headers["X-Request-Id"]


async def test_answers_in_process_share_the_bytes_of_the_cache(server: RunningServer, channel):
    stub = keys_grpc.KeyServiceStub(channel)
    made = await stub.CreateKey(keys.CreateKeyRequest(name="x"), metadata=server.authorization())
    method = server.app.pipeline.methods[f"/{KEY_SERVICE}/GetKey"]
    request = keys.GetKeyRequest(key_id=made.key_id)
    metadata = dict(server.authorization())
    first, _ = await server.app.pipeline.unary(method, request, metadata)
    assert first.items[0] is await server.store.get(KEYS, made.key_id)
    assert first.message().key.name == "x"


async def test_no_call_is_left_when_all_have_ended(server: RunningServer, channel):
    stub = keys_grpc.KeyServiceStub(channel)
    calls = [stub.ListKeys(keys.ListKeysRequest(), metadata=server.authorization()) for _ in range(20)]
    await asyncio.gather(*map(_result, calls))
    async with asyncio.timeout(60):
        await server.app.pipeline.drained()
