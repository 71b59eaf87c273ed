"""Every RPC and every route, called with every kind of credential, against what the protos say."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import grpc
import grpc.aio
import pytest
import signers
from google.protobuf import descriptor_pool
from google.protobuf.descriptor import MethodDescriptor
from novasphere.api.v1 import options_pb2
from novasphere.gateway import ROUTES
from novasphere.link.v1 import link_service_pb2 as link
from novasphere.link.v1 import link_service_pb2_grpc as link_grpc
from novasphere_gateway.model import Route
from novasphere_server.core import secrets
from novasphere_server.rpc import health, reflection, services
from novasphere_server.testing import RunningServer, running_server

READ, WRITE, ADMIN, AGENT, ENROL = (
    options_pb2.SCOPE_READ,
    options_pb2.SCOPE_WRITE,
    options_pb2.SCOPE_ADMIN,
    options_pb2.SCOPE_AGENT,
    options_pb2.SCOPE_ENROL,
)
WORDS = {READ: "read", WRITE: "write", ADMIN: "admin", AGENT: "agent"}
EVERYTHING = frozenset(s for s in options_pb2.Scope.values() if s)

# What a caller learns: who they are is not known, it is not allowed, or anything that comes after that.
UNKNOWN, DENIED, ALLOWED = "unknown", "denied", "allowed"
BROKEN = "broken"
NEVER = {grpc.StatusCode.UNKNOWN, grpc.StatusCode.INTERNAL, grpc.StatusCode.UNIMPLEMENTED}

Secret = Callable[[], Awaitable[str]]


@dataclass(frozen=True)
class Credential:
    """A kind of credential, what it is good for, and how to get one."""

    name: str
    scopes: frozenset[int] | None  # None: it is no credential
    secret: Secret
    is_ticket: bool = False
    is_bound: bool = False  # to a namespace, beyond which it is denied what its scopes allow

    def __str__(self) -> str:
        return self.name


def rules(method: MethodDescriptor) -> tuple[bool, frozenset[int]]:
    """Returns whether anybody may call it, and of which scopes one is needed."""
    options = method.GetOptions().Extensions[options_pb2.method]
    is_public = options.public or method.containing_service.full_name == health.NAME
    if method.name == "CheckAccess":
        is_public = False
    return is_public, frozenset(s for s in (options.scope, options.or_scope) if s)


def expected(method: MethodDescriptor, credential: Credential) -> str:
    is_public, scopes = rules(method)
    if is_public:
        return ALLOWED
    if credential.scopes is None:
        return UNKNOWN
    if credential.is_ticket and not method.server_streaming:
        return UNKNOWN
    return ALLOWED if not scopes or scopes & credential.scopes else DENIED


METHODS = [
    method
    for service in (*services.NAMES, health.NAME, reflection.V1ALPHA)
    for method in descriptor_pool.Default().FindServiceByName(service).methods
]
PATHS = {f"/{method.containing_service.full_name}/{method.name}": method for method in METHODS}
VERDICTS = {
    grpc.StatusCode.UNAUTHENTICATED: UNKNOWN,
    grpc.StatusCode.PERMISSION_DENIED: DENIED,
    401: UNKNOWN,
    403: DENIED,
}


async def over_grpc(channel: grpc.aio.Channel, path: str, metadata: tuple[tuple[str, str], ...]) -> str:
    """Calls with nothing in the request; returns the verdict."""
    method = PATHS[path]
    try:
        if method.client_streaming:
            bidi = channel.stream_stream(path)(metadata=metadata, timeout=60)
            await bidi.done_writing()
            await bidi.read()
        elif method.server_streaming:
            stream = channel.unary_stream(path)(b"", metadata=metadata, timeout=60)
            await stream.read()
            stream.cancel()
        else:
            await channel.unary_unary(path)(b"", metadata=metadata, timeout=60)
    except grpc.aio.AioRpcError as error:
        return VERDICTS.get(error.code(), BROKEN if error.code() in NEVER else ALLOWED)
    return ALLOWED


async def over_rest(
    http: aiohttp.ClientSession, route: Route, headers: dict[str, str], token: str = ""
) -> str:
    path = re.sub(r"{[^}]*}", "nothing", route.path)
    body = None if route.decode_body is None else ({"action": route.action} if route.action else {})
    query = {"token": token} if token else {}
    async with http.request(route.http_method, path, json=body, params=query, headers=headers) as answer:
        return VERDICTS.get(answer.status, BROKEN if answer.status >= 500 else ALLOWED)


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[RunningServer]:
    jwks = signers.publish(tmp_path / "jwks.json", *SIGNERS[1:])
    settings = {"jwt_secret": signers.SECRET, "jwt_jwks": jwks, "refusal_burst": 10**9}
    async with running_server(tmp_path, **settings) as running:
        yield running


SIGNERS = [signers.signer(algorithm) for algorithm in ("HS256", "RS256", "ES256", "EdDSA")]


@pytest.fixture
async def http(server: RunningServer) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(server.http_url) as session:
        yield session


def fixed(secret: str) -> Secret:
    async def same() -> str:
        return secret

    return same


async def credentials(server: RunningServer, http: aiohttp.ClientSession) -> list[Credential]:
    """Returns one of every kind."""
    admin = {"Authorization": f"Bearer {server.admin_token}"}

    async def post(path: str, token: str = "", **body: object) -> dict[str, str]:
        headers = {"Authorization": f"Bearer {token}"} if token else admin
        async with http.post(path, json=body, headers=headers) as answer:
            assert answer.status == 201, await answer.text()
            return await answer.json()

    async def key(*scopes: int, **more: object) -> str:
        words = [WORDS[scope] for scope in scopes]
        return (await post("/api/v1/keys", name="k", scopes=words, **more))["key"]

    async def enrolled() -> str:
        async with server.channel() as channel:
            metadata = server.authorization(server.join_token)
            call = link_grpc.LinkServiceStub(channel).Connect(metadata=metadata)
            profile = link.Profile(hostname="h")
            hello = link.Hello(node_id="n1", protocol=1, capacity=1, profile=profile)
            await call.write(link.ConnectRequest(sequence=1, hello=hello))
            welcome = (await call.read()).welcome
            call.cancel()
            return str(welcome.credential)

    reader = await key(READ)

    async def ticket() -> str:
        return (await post("/api/v1/tickets", reader))["ticket"]

    found = [
        Credential("nothing", None, fixed("")),
        Credential("garbage", None, fixed("no-credential-of-anybody")),
        Credential("a key that never was", None, fixed(secrets.new(secrets.API_KEY))),
        Credential("an expired token", None, fixed(SIGNERS[1].sign(exp=1))),
        Credential("an unsigned token", None, fixed("eyJhbGciOiJub25lIn0.e30.")),
        Credential("the admin token", EVERYTHING, fixed(server.admin_token)),
        Credential("the join token", frozenset({ENROL}), fixed(server.join_token)),
        Credential("an agent's", frozenset({AGENT}), fixed(await enrolled())),
        Credential("a ticket", frozenset({READ}), ticket, is_ticket=True),
        Credential(
            "a bound key",
            frozenset({READ, WRITE, ADMIN}),
            fixed(await key(READ, WRITE, ADMIN, namespaces=["a"])),
            is_bound=True,
        ),
        Credential("a token without scopes", frozenset(), fixed(SIGNERS[0].sign(scope=""))),
    ]
    for scope, word in WORDS.items():
        found.append(Credential(f"a key with {word}", frozenset({scope}), fixed(await key(scope))))
        found.extend(
            Credential(
                f"a {signer.algorithm} token with {word}",
                frozenset({scope}),
                fixed(signer.sign(scope=word)),
            )
            for signer in SIGNERS
        )
    return found


async def test_every_rpc_and_route_judges_every_credential_as_the_protos_say(
    server: RunningServer, http: aiohttp.ClientSession
):
    assert set(PATHS) <= set(server.app.pipeline.methods)
    routes: dict[str, list[Route]] = {}
    for route in ROUTES:
        routes.setdefault(route.method, []).append(route)
    kinds = await credentials(server, http)
    wrong = []
    # A stream that nothing was heard of for a second begins with 200, and with its refusal in a row.
    few = asyncio.Semaphore(8)
    async with server.channel() as channel:

        async def judge(path: str, credential: Credential) -> None:
            async with few:
                await judge_now(path, credential)

        async def judge_now(path: str, credential: Credential) -> None:
            wanted = expected(PATHS[path], credential)
            verdicts = {}
            for header in ("authorization", "x-api-key"):

                async def headers(name: str = header) -> dict[str, str]:
                    secret = await credential.secret()
                    shown = f"Bearer {secret}" if name == "authorization" else secret
                    return {name: shown} if secret else {}

                verdicts[f"gRPC {header}"] = await over_grpc(
                    channel, path, tuple((await headers()).items())
                )
                for route in routes.get(path, ()):
                    verdicts[f"{route.label} {header}"] = await over_rest(http, route, await headers())
            for route in routes.get(path, ()):
                if route.is_stream and credential.name != "nothing":
                    verdicts[f"{route.label} ?token="] = await over_rest(
                        http, route, {}, await credential.secret()
                    )
            wrong.extend(
                f"{path} with {credential}: {verdict}, not {wanted} ({how})"
                for how, verdict in verdicts.items()
                if verdict != wanted and not (credential.is_bound and verdict == DENIED)
            )

        for credential in kinds:
            async with asyncio.TaskGroup() as calls:
                for path in PATHS:
                    calls.create_task(judge(path, credential))
    assert not wrong, "\n".join(wrong)


async def test_what_is_beside_the_api_asks_for_a_credential_too(
    server: RunningServer, http: aiohttp.ClientSession
):
    for credential in await credentials(server, http):
        secret = await credential.secret()
        headers = {"Authorization": f"Bearer {secret}"} if secret else {}
        may_read = not credential.is_ticket and READ in (credential.scopes or ())
        no = UNKNOWN if credential.scopes is None or credential.is_ticket else DENIED
        async with http.get("/metrics", headers=headers) as answer:
            verdict = VERDICTS.get(answer.status, ALLOWED)
            assert verdict == (ALLOWED if may_read else no), credential.name
        for path in ("/livez", "/readyz", "/version", "/openapi.json", "/api/v1/health"):
            async with http.get(path, headers=headers) as answer:
                assert answer.status == 200, path


# -- namespaces


def commands_of(rows: list[dict[str, str]]) -> set[str]:
    return {row["command_id"] for row in rows}


async def test_whoever_is_bound_to_a_namespace_neither_sees_nor_changes_another(
    server: RunningServer, http: aiohttp.ClientSession
):
    assert await credentials(server, http)  # which makes a node
    admin = {"Authorization": f"Bearer {server.admin_token}"}

    async def send(method: str, path: str, who: dict[str, str], **body: object) -> tuple[int, dict]:
        async with http.request(method, path, json=body or None, headers=who) as answer:
            return answer.status, await answer.json()

    async def run(namespace: str, who: dict[str, str]) -> tuple[int, str]:
        status, answer = await send(
            "POST", "/api/v1/nodes/n1/commands", who, command_text="true", namespace=namespace
        )
        return status, (answer.get("data") or {}).get("command_id", "")

    _, theirs = await run("b", admin)
    bound = {"scopes": ["read", "write"], "namespaces": ["a"]}
    _, key = await send("POST", "/api/v1/keys", admin, name="a", **bound)
    for secret in (key["key"], SIGNERS[2].sign(scope="read write", namespaces=["a"])):
        who = {"Authorization": f"Bearer {secret}"}
        status, mine = await run("a", who)
        assert status == 200
        assert (await run("b", who))[0] == 403
        assert (await run("", who))[0] == 403
        # Whether it is there is not for them to know.
        for command in (theirs, "cmd-that-never-was"):
            for method, path in (
                ("GET", f"/api/v1/commands/{command}"),
                ("POST", f"/api/v1/commands/{command}:cancel"),
                ("GET", f"/api/v1/commands/{command}/output"),
            ):
                status, problem = await send(method, path, who)
                assert status == 403, path
                assert command in str(problem)
                assert "'b'" not in str(problem)
        for path in ("/api/v1/commands", "/api/v1/nodes/n1/commands"):
            _, listed = await send("GET", path, who)
            rows = [row.get("command", row) for row in listed["data"]["commands"]]
            assert mine in commands_of(rows)
            assert theirs not in commands_of(rows)
        assert (await send("GET", "/api/v1/commands?namespace=b", who))[0] == 403
        assert (await send("DELETE", "/api/v1/nodes/n1", who))[0] == 403
        assert (await send("POST", "/api/v1/join-tokens", who))[0] == 403
        _, ticket = await send("POST", "/api/v1/tickets", who)
        for address, headers in (
            ("/api/v1/commands:watch", who),
            (f"/api/v1/commands:watch?ticket={ticket['ticket']}", {}),
        ):
            accept = {"Accept": "application/x-ndjson"}
            async with http.get(address, headers=headers | accept) as rows:
                seen = b""
                while b"BOOKMARK" not in seen:
                    seen += await rows.content.readany()
                rows.close()
            assert mine.encode() in seen
            assert theirs.encode() not in seen
    assert (await send("GET", f"/api/v1/commands/{theirs}", admin))[0] == 200
    assert (await send("GET", "/api/v1/commands/cmd-that-never-was", admin))[0] == 404
