"""The life of API keys and join tokens."""

from __future__ import annotations

import asyncio
from base64 import urlsafe_b64encode as b64encode

import aiohttp
import grpc
import grpc.aio
import pytest
import sqlalchemy as sa
from grpc_health.v1 import health_pb2
from novasphere.api.v1 import join_token_service_pb2 as joins
from novasphere.api.v1 import join_token_service_pb2_grpc as joins_grpc
from novasphere.api.v1 import key_service_pb2 as keys
from novasphere.api.v1 import key_service_pb2_grpc as keys_grpc
from novasphere.api.v1 import options_pb2
from novasphere_server.core import secrets
from novasphere_server.core.principals import Principal, PrincipalKind
from novasphere_server.errors import DatabaseUnavailable, Unauthenticated
from novasphere_server.loops.key_usage import KeyUsage
from novasphere_server.rpc import reflection
from novasphere_server.store import tables
from novasphere_server.testing import MovableClock, RunningServer, running_server

READ, WRITE, ADMIN = options_pb2.SCOPE_READ, options_pb2.SCOPE_WRITE, options_pb2.SCOPE_ADMIN


@pytest.fixture
def key_service(channel: grpc.aio.Channel):
    return keys_grpc.KeyServiceStub(channel)


@pytest.fixture
def join_service(channel: grpc.aio.Channel):
    return joins_grpc.JoinTokenServiceStub(channel)


async def code_of(call) -> grpc.StatusCode:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    return caught.value.code()


def test_a_secret_checks_itself():
    secret = secrets.new(secrets.API_KEY)
    assert secret.startswith("nsk_")
    assert len(secret) == len("nsk_") + 8 + 1 + 32 + 6
    assert secrets.prefix_of(secret) == "nsk"
    for index in range(4, len(secret)):
        if secret[index] != "_":
            wrong = secret[:index] + ("a" if secret[index] != "a" else "b") + secret[index + 1 :]
            assert secrets.prefix_of(wrong) == ""
    assert len({secrets.new(secrets.AGENT) for _ in range(100)}) == 100


async def test_a_key_works_until_it_is_revoked(server: RunningServer, key_service):
    admin = server.authorization()
    made = await key_service.CreateKey(
        keys.CreateKeyRequest(name="ci", scopes=[ADMIN, READ]), metadata=admin
    )
    assert made.key_id == secrets.public_part(made.secret)
    mine = server.authorization(made.secret)
    shown = (await key_service.GetKey(keys.GetKeyRequest(key_id=made.key_id), metadata=mine)).key
    assert (shown.name, list(shown.scopes), shown.created_by) == ("ci", [READ, ADMIN], "admin")
    revoke = keys.RevokeKeyRequest(key_id=made.key_id)
    revoked = (await key_service.RevokeKey(revoke, metadata=admin)).key
    assert revoked.HasField("revoked_at")
    again = (await key_service.RevokeKey(revoke, metadata=admin)).key
    assert again == revoked
    call = key_service.ListKeys(keys.ListKeysRequest(), metadata=mine)
    assert await code_of(call) is grpc.StatusCode.UNAUTHENTICATED


async def test_only_the_hash_of_a_secret_is_kept(server: RunningServer, key_service):
    request = keys.CreateKeyRequest(name="ci", request_id="once")
    made = await key_service.CreateKey(request, metadata=server.authorization())
    rows = await server.store.read(sa.select(tables.keys.c.secret_sha256))
    assert rows[0].secret_sha256 == secrets.sha256(made.secret)
    random_part = made.secret[-38:].encode()
    for file in server.app.settings.data_dir.glob("novasphere.db*"):
        assert random_part not in file.read_bytes()


async def test_a_repeated_create_makes_one_key_and_tells_its_secret_once(
    server: RunningServer, key_service
):
    request = keys.CreateKeyRequest(name="ci", request_id="once")
    first = await key_service.CreateKey(request, metadata=server.authorization())
    call = key_service.CreateKey(request, metadata=server.authorization())
    second = await call
    assert dict(await call.trailing_metadata())["idempotency-replayed"] == "true"
    assert second.key_id == first.key_id
    assert first.secret
    assert not second.HasField("secret")
    request.name = "another"
    with pytest.raises(grpc.aio.AioRpcError, match="different request"):
        await key_service.CreateKey(request, metadata=server.authorization())
    listed = await key_service.ListKeys(keys.ListKeysRequest(), metadata=server.authorization())
    assert len(listed.keys) == 1


async def test_a_repeated_create_is_answered_also_when_the_key_has_expired(
    server: RunningServer, key_service
):
    request = keys.CreateKeyRequest(name="ci", request_id="once-and-short")
    request.expires_at.FromMicroseconds(server.clock.now_us() + 60_000_000)
    first = await key_service.CreateKey(request, metadata=server.authorization())
    server.clock.advance(61)
    again = await key_service.CreateKey(request, metadata=server.authorization())
    assert again.key_id == first.key_id
    request.request_id = "another"
    call = key_service.CreateKey(request, metadata=server.authorization())
    assert await code_of(call) is grpc.StatusCode.INVALID_ARGUMENT


async def test_a_dry_run_judges_and_changes_nothing(server: RunningServer, key_service):
    admin = server.authorization()
    revision = server.store.revision
    dry = await key_service.CreateKey(
        keys.CreateKeyRequest(name="ci", validate_only=True, request_id="r"), metadata=admin
    )
    assert not dry.HasField("secret")
    assert (dry.key_id, dry.name) == ("", "ci")
    assert server.store.revision == revision
    listed = await key_service.ListKeys(keys.ListKeysRequest(), metadata=admin)
    assert not listed.keys
    real = await key_service.CreateKey(keys.CreateKeyRequest(name="ci", request_id="r"), metadata=admin)
    assert real.secret


async def test_an_expired_key_is_refused_also_when_it_was_remembered(server: RunningServer, key_service):
    request = keys.CreateKeyRequest(name="brief", scopes=[ADMIN])
    request.expires_at.FromMicroseconds(server.clock.now_us() + 60_000_000)
    made = await key_service.CreateKey(request, metadata=server.authorization())
    mine = server.authorization(made.secret)
    await key_service.ListKeys(keys.ListKeysRequest(), metadata=mine)
    server.clock.advance(61)
    call = key_service.ListKeys(keys.ListKeysRequest(), metadata=mine)
    assert await code_of(call) is grpc.StatusCode.UNAUTHENTICATED
    call = key_service.CreateKey(request, metadata=server.authorization())
    assert await code_of(call) is grpc.StatusCode.INVALID_ARGUMENT


async def test_nobody_grants_what_they_do_not_hold(server: RunningServer, key_service):
    made = await key_service.CreateKey(
        keys.CreateKeyRequest(name="a", scopes=[ADMIN, READ], namespaces=["team"]),
        metadata=server.authorization(),
    )
    mine = server.authorization(made.secret)
    for request in (
        keys.CreateKeyRequest(name="b", scopes=[WRITE], namespaces=["team"]),
        keys.CreateKeyRequest(name="b", scopes=[READ]),
        keys.CreateKeyRequest(name="b", scopes=[READ], namespaces=["team", "other"]),
    ):
        call = key_service.CreateKey(request, metadata=mine)
        assert await code_of(call) is grpc.StatusCode.PERMISSION_DENIED
    allowed = keys.CreateKeyRequest(name="b", scopes=[READ], namespaces=["team"])
    assert (await key_service.CreateKey(allowed, metadata=mine)).secret


async def test_a_key_bound_to_namespaces_reaches_no_key_beyond_them(server: RunningServer, key_service):
    async def make(name: str, *namespaces: str) -> keys.CreateKeyResponse:
        request = keys.CreateKeyRequest(name=name, scopes=[ADMIN], namespaces=namespaces)
        return await key_service.CreateKey(request, metadata=server.authorization())

    everywhere, other, both = (
        await make("all"),
        await make("b", "other"),
        await make("c", "other", "team"),
    )
    own, bound = await make("own", "team"), await make("bound", "team", "spare")
    mine = server.authorization(bound.secret)
    for beyond in (everywhere, other, both):
        get = keys.GetKeyRequest(key_id=beyond.key_id)
        assert await code_of(key_service.GetKey(get, metadata=mine)) is grpc.StatusCode.PERMISSION_DENIED
        for request in (
            keys.RevokeKeyRequest(key_id=beyond.key_id),
            keys.RevokeKeyRequest(key_id=beyond.key_id, validate_only=True),
        ):
            call = key_service.RevokeKey(request, metadata=mine)
            assert await code_of(call) is grpc.StatusCode.PERMISSION_DENIED
        assert await server.app.credentials.authenticate(beyond.secret)
    get = keys.GetKeyRequest(key_id=own.key_id)
    assert (await key_service.GetKey(get, metadata=mine)).key.name == "own"
    revoke = keys.RevokeKeyRequest(key_id=own.key_id)
    assert (await key_service.RevokeKey(revoke, metadata=mine)).key.HasField("revoked_at")


async def test_a_key_bound_to_namespaces_lists_full_pages_of_its_own_alone(
    server: RunningServer, key_service
):
    async def make(*namespaces: str, scopes=(READ,)) -> keys.CreateKeyResponse:
        request = keys.CreateKeyRequest(name="k", scopes=scopes, namespaces=namespaces)
        return await key_service.CreateKey(request, metadata=server.authorization())

    bound = await make("team", scopes=(ADMIN,))
    own = [bound.key_id]
    for _ in range(3):
        await make("other")
        own.append((await make("team")).key_id)
        await make()
    mine = server.authorization(bound.secret)
    pages, token = [], ""
    while True:
        page = await key_service.ListKeys(
            keys.ListKeysRequest(page_size=2, page_token=token), metadata=mine
        )
        pages.append([key.key_id for key in page.keys])
        token = page.next_page_token
        if not token:
            break
    assert pages == [own[:1:-1], own[1::-1]]


async def test_keys_are_listed_newest_first_page_by_page(server: RunningServer, key_service):
    admin = server.authorization()
    made = [
        (await key_service.CreateKey(keys.CreateKeyRequest(name=f"k{i}"), metadata=admin)).key_id
        for i in range(5)
    ]
    listed, token = [], ""
    while True:
        page = await key_service.ListKeys(
            keys.ListKeysRequest(page_size=2, page_token=token), metadata=admin
        )
        listed += [key.key_id for key in page.keys]
        token = page.next_page_token
        if not token:
            break
    assert listed == made[::-1]
    numbers = ("9" * 30, "-1", "\u0661", "1_0", " 1", "")
    for wrong in ("nonsense", *(b64encode(f"key:{number}".encode()).decode() for number in numbers)):
        call = key_service.ListKeys(keys.ListKeysRequest(page_token=wrong), metadata=admin)
        assert await code_of(call) is grpc.StatusCode.INVALID_ARGUMENT


async def test_revoking_honours_the_etag(server: RunningServer, key_service):
    admin = server.authorization()
    made = await key_service.CreateKey(keys.CreateKeyRequest(name="ci"), metadata=admin)
    call = key_service.RevokeKey(keys.RevokeKeyRequest(key_id=made.key_id, etag='"999"'), metadata=admin)
    assert await code_of(call) is grpc.StatusCode.ABORTED
    read = key_service.GetKey(keys.GetKeyRequest(key_id=made.key_id), metadata=admin)
    await read
    etag = dict(await read.trailing_metadata())["etag"]
    await key_service.RevokeKey(keys.RevokeKeyRequest(key_id=made.key_id, etag=etag), metadata=admin)


async def test_a_page_has_at_least_one_row(server: RunningServer, key_service, join_service):
    admin = server.authorization()
    for call in (
        key_service.ListKeys(keys.ListKeysRequest(page_size=0), metadata=admin),
        join_service.ListJoinTokens(joins.ListJoinTokensRequest(page_size=0), metadata=admin),
    ):
        assert await code_of(call) is grpc.StatusCode.INVALID_ARGUMENT


async def test_the_last_use_is_shown_and_survives_a_restart(tmp_path):
    async with running_server(tmp_path) as server, server.channel() as channel:
        stub = keys_grpc.KeyServiceStub(channel)
        made = await stub.CreateKey(
            keys.CreateKeyRequest(name="ci", scopes=[ADMIN]), metadata=server.authorization()
        )
        get = keys.GetKeyRequest(key_id=made.key_id)
        mine = server.authorization(made.secret)
        before = (await stub.GetKey(get, metadata=mine)).key
        assert not before.HasField("last_used_at")
        revision = server.store.revision
        assert await server.app.credentials.store_uses() == 1
        shown = (await stub.GetKey(get, metadata=server.authorization())).key
        assert shown.last_used_at.ToMicroseconds() == pytest.approx(server.clock.now_us(), abs=5e6)
        assert shown.revision == before.revision
        assert server.store.revision == revision
        assert await server.app.credentials.store_uses() == 0
    async with running_server(tmp_path) as server, server.channel() as channel:
        stub = keys_grpc.KeyServiceStub(channel)
        again = (await stub.GetKey(get, metadata=server.authorization())).key
        assert again.last_used_at == shown.last_used_at


async def test_the_last_use_is_stored_when_the_server_stops(tmp_path):
    async with running_server(tmp_path) as server, server.channel() as channel:
        stub = keys_grpc.KeyServiceStub(channel)
        made = await stub.CreateKey(
            keys.CreateKeyRequest(name="ci", scopes=[ADMIN]), metadata=server.authorization()
        )
        get = keys.GetKeyRequest(key_id=made.key_id)
        await stub.GetKey(get, metadata=server.authorization(made.secret))
        used_at_us = server.clock.now_us()
    async with running_server(tmp_path) as server:
        rows = await server.store.read(sa.select(tables.keys.c.last_used_at_us))
        assert rows[0].last_used_at_us == pytest.approx(used_at_us, abs=5e6)


async def test_a_last_use_that_could_not_be_stored_is_stored_later(
    server: RunningServer, key_service, monkeypatch
):
    made = await key_service.CreateKey(
        keys.CreateKeyRequest(name="ci", scopes=[ADMIN]), metadata=server.authorization()
    )
    get = keys.GetKeyRequest(key_id=made.key_id)
    await key_service.GetKey(get, metadata=server.authorization(made.secret))
    usage = KeyUsage(server.app.credentials)

    async def fail(mutation) -> None:
        raise DatabaseUnavailable

    with monkeypatch.context() as away:
        away.setattr(server.store, "write", fail)
        await usage.flush()
    await usage.flush()
    rows = await server.store.read(sa.select(tables.keys.c.last_used_at_us))
    assert rows[0].last_used_at_us == pytest.approx(server.clock.now_us(), abs=5e6)


async def test_a_newer_use_that_could_not_be_stored_stays_shown(
    server: RunningServer, key_service, monkeypatch
):
    admin = server.authorization()
    made = await key_service.CreateKey(keys.CreateKeyRequest(name="ci", scopes=[ADMIN]), metadata=admin)
    get = keys.GetKeyRequest(key_id=made.key_id)
    usage = KeyUsage(server.app.credentials)

    async def fail(mutation) -> None:
        raise DatabaseUnavailable

    await key_service.GetKey(get, metadata=server.authorization(made.secret))
    await usage.flush()
    server.clock.advance(90)
    await key_service.GetKey(get, metadata=server.authorization(made.secret))
    with monkeypatch.context() as away:
        away.setattr(server.store, "write", fail)
        await usage.flush()
    newer = (await key_service.GetKey(get, metadata=admin)).key.last_used_at
    await server.store.recall()  # as when it starts over
    assert (await key_service.GetKey(get, metadata=admin)).key.last_used_at == newer
    assert newer.ToMicroseconds() == pytest.approx(server.clock.now_us(), abs=5e6)


@pytest.mark.parametrize("how", ["revoked", "expired"])
async def test_the_last_use_of_a_key_that_ended_is_stored_too(
    server: RunningServer, key_service, how: str
):
    admin = server.authorization()
    request = keys.CreateKeyRequest(name="ci", scopes=[ADMIN])
    request.expires_at.FromMicroseconds(server.clock.now_us() + 60_000_000)
    made = await key_service.CreateKey(request, metadata=admin)
    get = keys.GetKeyRequest(key_id=made.key_id)
    await key_service.GetKey(get, metadata=server.authorization(made.secret))
    used_at_us = server.clock.now_us()
    if how == "revoked":
        await key_service.RevokeKey(keys.RevokeKeyRequest(key_id=made.key_id), metadata=admin)
    else:
        server.clock.advance(61)
        call = key_service.GetKey(get, metadata=server.authorization(made.secret))
        assert await code_of(call) is grpc.StatusCode.UNAUTHENTICATED
    await KeyUsage(server.app.credentials).flush()
    shown = (await key_service.GetKey(get, metadata=admin)).key
    assert shown.last_used_at.ToMicroseconds() == pytest.approx(used_at_us, abs=5e6)


@pytest.mark.parametrize("how", ["revoked", "expired"])
async def test_a_stream_ends_when_its_key_does(tmp_path, until, how: str):
    clock = MovableClock()
    async with running_server(tmp_path, clock=clock) as server, server.channel() as channel:
        stub = keys_grpc.KeyServiceStub(channel)
        request = keys.CreateKeyRequest(name="ci")
        request.expires_at.FromMicroseconds(clock.now_us() + 3600_000_000)
        made = await stub.CreateKey(request, metadata=server.authorization())
        path = f"/{reflection.V1}/ServerReflectionInfo"
        stream = channel.stream_stream(path)(metadata=server.authorization(made.secret))
        await until(lambda: server.app.pipeline.streams)
        if how == "revoked":
            await stub.RevokeKey(
                keys.RevokeKeyRequest(key_id=made.key_id), metadata=server.authorization()
            )
        else:
            clock.advance(3601)
        async with asyncio.timeout(60):
            assert await stream.code() is grpc.StatusCode.UNAUTHENTICATED
        assert not server.app.pipeline.streams


async def test_public_streams_outlive_nothing_but_the_server(server: RunningServer, channel):
    watch = channel.unary_stream(
        "/grpc.health.v1.Health/Watch",
        request_serializer=health_pb2.HealthCheckRequest.SerializeToString,
        response_deserializer=health_pb2.HealthCheckResponse.FromString,
    )(health_pb2.HealthCheckRequest())
    await watch.read()
    server.app.pipeline.end_stale_streams()
    assert len(server.app.pipeline.streams) == 1
    watch.cancel()


# -- join tokens


def joiner(secret: str) -> Principal:
    name = f"join_token:{secrets.public_part(secret)}"
    return Principal(PrincipalKind.JOIN_TOKEN, name, frozenset({options_pb2.SCOPE_ENROL}))


async def enrol(server: RunningServer, secret: str, node_id: str, *, is_repeated: bool = False) -> None:
    """Does what the link does with a join token."""
    credentials = server.app.credentials
    principal = await credentials.authenticate(secret)
    await server.store.write(
        lambda tx: credentials.consume_join_token(tx, principal, node_id, is_repeated=is_repeated)
    )


async def test_a_join_token_serves_one_node_and_that_enrolment_again(
    server: RunningServer, join_service
):
    made = await join_service.CreateJoinToken(
        joins.CreateJoinTokenRequest(), metadata=server.authorization()
    )
    assert await server.app.credentials.authenticate(made.secret) == joiner(made.secret)
    await enrol(server, made.secret, "n1")
    await enrol(server, made.secret, "n1", is_repeated=True)
    for node_id in ("n1", "n2"):
        with pytest.raises(Unauthenticated):
            await enrol(server, made.secret, node_id)
    listed = await join_service.ListJoinTokens(
        joins.ListJoinTokensRequest(), metadata=server.authorization()
    )
    assert [t.used_by_node_id for t in listed.join_tokens] == ["n1"]


async def test_a_reusable_join_token_serves_any_number_until_it_expires(
    server: RunningServer, join_service
):
    made = await join_service.CreateJoinToken(
        joins.CreateJoinTokenRequest(is_reusable=True, ttl_seconds=60), metadata=server.authorization()
    )
    for node_id in ("n1", "n2", "n3"):
        await enrol(server, made.secret, node_id)
    server.clock.advance(61)
    with pytest.raises(Unauthenticated):
        await server.app.credentials.authenticate(made.secret)


async def test_a_revoked_join_token_is_refused(server: RunningServer, join_service):
    admin = server.authorization()
    made = await join_service.CreateJoinToken(joins.CreateJoinTokenRequest(), metadata=admin)
    revoke = joins.RevokeJoinTokenRequest(token_id=made.join_token.token_id)
    first = await join_service.RevokeJoinToken(revoke, metadata=admin)
    assert await join_service.RevokeJoinToken(revoke, metadata=admin) == first
    with pytest.raises(Unauthenticated):
        await server.app.credentials.authenticate(made.secret)


async def test_revoking_a_join_token_honours_the_etag(server: RunningServer, join_service):
    admin = server.authorization()
    made = await join_service.CreateJoinToken(joins.CreateJoinTokenRequest(), metadata=admin)
    token_id = made.join_token.token_id
    headers = dict(admin)
    async with aiohttp.ClientSession(server.http_url, headers=headers) as http:
        path = f"/api/v1/join-tokens/{token_id}"
        async with http.delete(path, headers={"If-Match": '"999"'}) as response:
            assert response.status == 412
            assert (await response.json())["code"] == "ETAG_MISMATCH"
        assert await server.app.credentials.authenticate(made.secret)
        etag = f'"{made.join_token.revision}"'
        async with http.delete(path, headers={"If-Match": etag}) as response:
            assert response.status == 200
            assert response.headers["ETag"] == f'"{(await response.json())["revision"]}"'


async def test_that_a_path_leads_nowhere_comes_before_what_is_wrong_with_the_body(
    server: RunningServer, key_service, join_service
):
    admin = server.authorization()
    reader, bound = [
        await key_service.CreateKey(request, metadata=admin)
        for request in (
            keys.CreateKeyRequest(name="reader", scopes=[READ]),
            keys.CreateKeyRequest(name="bound", scopes=[ADMIN], namespaces=["a"]),
        )
    ]
    join = await join_service.CreateJoinToken(joins.CreateJoinTokenRequest(), metadata=admin)
    async with aiohttp.ClientSession(server.http_url) as http:

        async def revoke(path: str, token: str) -> str:
            headers = {"X-API-Key": token}
            async with http.post(f"{path}:revoke", headers=headers, json={"bogus": 1}) as response:
                return (await response.json())["code"]

        for plural, name, missing in (
            ("keys", reader.key_id, "KEY_NOT_FOUND"),
            ("join-tokens", join.join_token.token_id, "JOIN_TOKEN_NOT_FOUND"),
        ):
            nowhere, there = f"/api/v1/{plural}/nope", f"/api/v1/{plural}/{name}"
            assert await revoke(nowhere, server.admin_token) == missing
            assert await revoke(there, server.admin_token) == "UNKNOWN_FIELD"
            # Whoever may not see it is not told whether it is there.
            for path in (nowhere, there):
                assert await revoke(path, reader.secret) == "PERMISSION_DENIED"
            assert await revoke(there, bound.secret) == "PERMISSION_DENIED"
        assert await revoke("/api/v1/join-tokens/nope", bound.secret) == "PERMISSION_DENIED"


async def test_a_dry_run_names_no_join_token(server: RunningServer, join_service):
    request = joins.CreateJoinTokenRequest(validate_only=True, is_reusable=True)
    token = (await join_service.CreateJoinToken(request, metadata=server.authorization())).join_token
    assert (token.token_id, token.revision, token.is_reusable) == ("", 0, True)


async def test_join_tokens_are_beyond_a_key_bound_to_namespaces(
    server: RunningServer, key_service, join_service
):
    admin = server.authorization()
    bound = await key_service.CreateKey(
        keys.CreateKeyRequest(name="bound", scopes=[ADMIN], namespaces=["team"]), metadata=admin
    )
    made = await join_service.CreateJoinToken(joins.CreateJoinTokenRequest(), metadata=admin)
    mine = server.authorization(bound.secret)
    for call in (
        join_service.CreateJoinToken(joins.CreateJoinTokenRequest(), metadata=mine),
        join_service.CreateJoinToken(joins.CreateJoinTokenRequest(validate_only=True), metadata=mine),
        join_service.ListJoinTokens(joins.ListJoinTokensRequest(), metadata=mine),
        join_service.RevokeJoinToken(
            joins.RevokeJoinTokenRequest(token_id=made.join_token.token_id), metadata=mine
        ),
    ):
        assert await code_of(call) is grpc.StatusCode.PERMISSION_DENIED
    await enrol(server, made.secret, "n1")


async def test_the_file_of_this_machine_holds_a_join_token_that_stays_good(server: RunningServer):
    kept = (server.app.settings.data_dir / "join.token").read_text().strip()
    assert kept == server.join_token
    for node_id in ("n1", "n2"):
        await enrol(server, kept, node_id)


async def test_an_agent_is_known_by_its_credential(server: RunningServer):
    secret = secrets.new(secrets.AGENT)

    def register(tx):
        row = {"node_uid": "u1", "session_sha256": b"", "boot_id": "b", "incarnation": 1}
        digest = secrets.sha256(secret)
        tx.execute(sa.insert(tables.agents).values(credential_sha256=digest, **row))

    await server.store.write(register)
    principal = await server.app.credentials.authenticate(secret)
    assert (principal.kind, principal.name, principal.node_uid) == (
        PrincipalKind.AGENT,
        "agent:u1",
        "u1",
    )
    assert principal.scopes == {options_pb2.SCOPE_AGENT}
