"""Who may call what: every method, on every transport's common path."""

from __future__ import annotations

from pathlib import Path

import aiohttp
import grpc
import grpc.aio
import pytest
from google.rpc import error_details_pb2
from grpc_status import rpc_status
from novasphere.api.v1 import key_service_pb2 as keys
from novasphere.api.v1 import key_service_pb2_grpc as keys_grpc
from novasphere.api.v1 import options_pb2
from novasphere_server.core import secrets
from novasphere_server.rpc.methods import Method
from novasphere_server.settings import load
from novasphere_server.testing import RunningServer, running_server

PUBLIC = {
    "/grpc.health.v1.Health/Check",
    "/grpc.health.v1.Health/Watch",
    "/novasphere.node.v1.SystemService/GetHealth",
    "/novasphere.node.v1.SystemService/GetVersion",
}


async def call(
    channel: grpc.aio.Channel, method: Method, metadata: object = (), timeout: float = 60
) -> grpc.aio.AioRpcError | None:
    """Calls with an empty request; returns the error, or None when the server began to answer."""
    request = b""
    try:
        if method.is_client_stream:
            bidi = channel.stream_stream(method.path)(metadata=metadata, timeout=timeout)
            await bidi.done_writing()
            await bidi.read()
        elif method.is_server_stream:
            stream = channel.unary_stream(method.path)(request, metadata=metadata, timeout=timeout)
            await stream.read()
            stream.cancel()
        else:
            await channel.unary_unary(method.path)(request, metadata=metadata, timeout=timeout)
    except grpc.aio.AioRpcError as error:
        return error
    return None


def reason_of(error: grpc.aio.AioRpcError) -> str:
    info = error_details_pb2.ErrorInfo()
    for detail in rpc_status.from_call(error).details:
        if detail.Unpack(info):
            return info.reason
    raise AssertionError("an error without ErrorInfo")


async def make_key(server: RunningServer, channel: grpc.aio.Channel, *scopes: int) -> str:
    stub = keys_grpc.KeyServiceStub(channel)
    request = keys.CreateKeyRequest(name="test", scopes=scopes)
    return (await stub.CreateKey(request, metadata=server.authorization())).secret


async def test_every_method_but_the_public_ones_refuses_a_caller_without_a_credential(
    server: RunningServer, channel: grpc.aio.Channel
):
    answered = set()
    for path, method in server.app.pipeline.methods.items():
        error = await call(channel, method)
        if error is not None and error.code() is grpc.StatusCode.UNAUTHENTICATED:
            assert reason_of(error) == "UNAUTHENTICATED"
        else:
            answered.add(path)
    assert answered == PUBLIC & set(server.app.pipeline.methods)
    assert len(server.app.pipeline.methods) > len(PUBLIC)


async def test_every_method_refuses_a_credential_without_its_scope(
    server: RunningServer, channel: grpc.aio.Channel
):
    all_scopes = [s for s in options_pb2.Scope.values() if s]
    secret_of = {scope: await make_key(server, channel, scope) for scope in all_scopes}
    for method in server.app.pipeline.methods.values():
        for scope in all_scopes:
            if not method.scopes or scope in method.scopes:
                continue
            error = await call(channel, method, server.authorization(secret_of[scope]))
            assert error is not None, method.path
            assert error.code() is grpc.StatusCode.PERMISSION_DENIED, method.path
            assert reason_of(error) == "PERMISSION_DENIED"


async def test_a_scope_of_the_method_is_enough(server: RunningServer, channel: grpc.aio.Channel):
    secret = await make_key(server, channel, options_pb2.SCOPE_ADMIN)
    stub = keys_grpc.KeyServiceStub(channel)
    listed = await stub.ListKeys(keys.ListKeysRequest(), metadata=server.authorization(secret))
    assert [key.key_id for key in listed.keys] == [secrets.public_part(secret)]


@pytest.mark.parametrize(
    "headers",
    [
        lambda token: (("authorization", f"Bearer {token}"),),
        lambda token: (("authorization", f"bearer {token}"),),
        lambda token: (("authorization", token),),
        lambda token: (("x-api-key", token),),
        lambda token: (("authorization", "Bearer wrong"), ("x-api-key", token)),
    ],
)
async def test_a_credential_may_come_in_several_headers(
    server: RunningServer, channel: grpc.aio.Channel, headers
):
    method = server.app.pipeline.methods["/novasphere.api.v1.KeyService/ListKeys"]
    assert await call(channel, method, headers(server.admin_token)) is None


def altered(secret: str) -> str:
    return secret[:-1] + ("0" if secret[-1] != "0" else "1")


async def test_no_refusal_says_what_was_wrong_with_the_credential(
    server: RunningServer, channel: grpc.aio.Channel
):
    method = server.app.pipeline.methods["/novasphere.api.v1.KeyService/ListKeys"]
    wrong = [
        "x",
        altered(server.admin_token),
        altered(server.join_token),
        *(secrets.new(prefix) for prefix in ("nsk", "nsj", "nsa")),
        altered(await make_key(server, channel, options_pb2.SCOPE_ADMIN)),
    ]
    told = set()
    for token in wrong:
        error = await call(channel, method, server.authorization(token))
        assert error is not None
        told.add((error.code(), error.details()))
    assert told == {(grpc.StatusCode.UNAUTHENTICATED, "the credential is not valid")}


async def test_a_join_token_can_do_nothing_but_enrol(server: RunningServer, channel: grpc.aio.Channel):
    for path, method in server.app.pipeline.methods.items():
        if not method.scopes or options_pb2.SCOPE_ENROL in method.scopes:
            continue
        error = await call(channel, method, server.authorization(server.join_token))
        assert error is not None, path
        assert error.code() is grpc.StatusCode.PERMISSION_DENIED, path


async def test_without_auth_everybody_is_let_in_but_a_wrong_credential_is_not(tmp_path):
    async with running_server(tmp_path, no_auth=True) as server, server.channel() as channel:
        method = server.app.pipeline.methods["/novasphere.api.v1.KeyService/ListKeys"]
        assert await call(channel, method) is None
        error = await call(channel, method, server.authorization("wrong"))
        assert error is not None
        assert error.code() is grpc.StatusCode.UNAUTHENTICATED


async def test_rest_shares_the_credentials_and_the_scopes(
    server: RunningServer, channel: grpc.aio.Channel
):
    reader = await make_key(server, channel, options_pb2.SCOPE_READ)
    async with aiohttp.ClientSession(server.http_url) as http:
        statuses = [
            (await http.get("/api/v1/keys", headers=headers)).status
            for headers in (
                {},
                {"X-API-Key": "wrong"},
                {"X-API-Key": reader},
                {"X-API-Key": server.admin_token},
                {"Authorization": f"Bearer {server.admin_token}"},
            )
        ]
    assert statuses == [401, 401, 403, 200, 200]


@pytest.mark.parametrize("token", ["correct-horse-battery", "correct horse  battery staple"])
async def test_the_admin_token_may_be_given(tmp_path, token):
    given = load({"data_dir": tmp_path}, {"NOVASPHERE_ADMIN_TOKEN": token}).admin_token
    async with (
        running_server(tmp_path, admin_token=given) as server,
        server.channel() as channel,
        aiohttp.ClientSession() as http,
    ):
        method = server.app.pipeline.methods["/novasphere.api.v1.KeyService/ListKeys"]
        assert await call(channel, method, server.authorization(token)) is None
        for headers in ({"Authorization": f"Bearer {token}"}, {"X-API-Key": token}):
            async with http.get(f"{server.http_url}/api/v1/keys", headers=headers) as answer:
                assert answer.status == 200
        assert not (server.app.settings.data_dir / "admin.token").exists()


async def test_without_credentials_only_loopback_names_are_answered(tmp_path: Path) -> None:
    async with running_server(tmp_path, no_auth=True) as server, aiohttp.ClientSession() as http:
        for path in ("/api/v1/nodes", "/metrics"):
            async with http.get(server.http_url + path) as answer:
                assert answer.status == 200
            async with http.get(
                server.http_url + path, headers={"Host": "page.example.org:8080"}
            ) as answer:
                assert answer.status == 403
                assert "localhost" in (await answer.json())["detail"]


async def test_without_credentials_pages_from_elsewhere_change_nothing(tmp_path: Path) -> None:
    allowed = "http://console.example.org"
    async with (
        running_server(tmp_path, no_auth=True, cors_origins=(allowed,)) as server,
        aiohttp.ClientSession(server.http_url) as http,
    ):
        # A POST without a body is what browsers send without asking first.
        for origin, expected in (
            ("http://page.example.org", 403),
            ("null", 403),
            (server.http_url, 201),
            (allowed, 201),
        ):
            async with http.post("/api/v1/join-tokens", headers={"Origin": origin}) as answer:
                assert (answer.status, origin) == (expected, origin)
        async with http.get("/api/v1/join-tokens") as answer:
            assert len((await answer.json())["join_tokens"]) == 2
