"""Signed tokens that the server gives out in the name of agents."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import jwt
import pytest
from novasphere_server.testing import running_server
from rest import Rest
from signers import SECRET

GENERATE = "/api/v1/auth/generate-token"


@pytest.fixture(params=["", SECRET], ids=["no provider", "a provider"])
async def rest(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Rest]:
    async with (
        running_server(tmp_path, jwt_secret=request.param) as server,
        aiohttp.ClientSession(server.http_url) as http,
    ):
        yield Rest(server, http)


async def reserve(rest: Rest, name: str = "agent-01") -> str:
    _, made = await rest.ask("POST", "/api/v1/agents/create", {"name": name})
    return str(made["id"])


async def generate(rest: Rest, agent_id: str, *permissions: str, **more: Any) -> dict[str, Any]:
    body = {"agent_id": agent_id, "permissions": permissions} | more
    status, made = await rest.ask("POST", GENERATE, body)
    assert status == 200, made
    return dict(made)


async def can(rest: Rest, token: str) -> list[int]:
    """Returns the statuses of a read, a write and a call for administrators alone, by a Bearer token."""
    found = []
    for method, path, body in (
        ("GET", "/api/v1/nodes", None),
        ("POST", "/api/v1/agents/create?dry_run=true", {"name": "another"}),
        ("GET", "/api/v1/keys", None),
    ):
        headers = {"Authorization": f"Bearer {token}"}
        async with rest.http.request(method, path, json=body, headers=headers) as answer:
            found.append(answer.status)
    return found


async def test_a_token_does_what_it_was_given_until_its_time(rest: Rest):
    agent_id = await reserve(rest)
    made = await generate(rest, agent_id)
    assert (made["agent_id"], made["token_type"]) == (agent_id, "Bearer")
    now = rest.server.clock.now_us() // 1_000_000
    assert now + 86_390 < made["expires_at"] <= now + 86_400
    claims = jwt.decode(made["token"], options={"verify_signature": False})
    assert (claims["sub"], claims["exp"], claims["permissions"]) == (
        agent_id,
        made["expires_at"],
        ["read"],
    )
    assert jwt.get_unverified_header(made["token"])["alg"] == "HS256"
    assert await can(rest, made["token"]) == [200, 403, 403]
    everything = await generate(rest, "agent-01", "read", "write", "admin", "agent", ttl_seconds=60)
    assert await can(rest, everything["token"]) == [200, 200, 200]
    rest.server.clock.advance(61)
    assert await can(rest, everything["token"]) == [401, 401, 401]
    assert await can(rest, made["token"]) == [200, 403, 403]


async def test_a_request_that_is_repeated_gets_the_same_token(rest: Rest):
    body = {"agent_id": await reserve(rest), "permissions": ["read"]}
    _, first = await rest.ask("POST", GENERATE, body, Idempotency_Key="once")
    rest.server.clock.advance(60)
    assert await rest.ask("POST", GENERATE, body, Idempotency_Key="once") == (200, first)
    assert (await generate(rest, body["agent_id"]))["token"] != first["token"]
    status, _ = await rest.ask("POST", GENERATE, body | {"ttl_seconds": 5}, Idempotency_Key="once")
    assert status == 422
    status, checked = await rest.ask("POST", f"{GENERATE}?dry_run=true", body)
    assert (status, checked["token"]) == (200, "")
    assert await can(rest, first["token"]) == [200, 403, 403]


async def test_the_tokens_of_a_deleted_agent_are_over(rest: Rest):
    agent_id, other = await reserve(rest), await reserve(rest, "agent-02")
    proved, unseen = [(await generate(rest, agent_id))["token"] for _ in range(2)]
    kept = (await generate(rest, other))["token"]
    assert await can(rest, proved) == [200, 403, 403]
    headers = {"Authorization": f"Bearer {proved}", "Accept": "application/x-ndjson"}
    async with rest.http.get("/api/v1/nodes:watch", headers=headers) as stream:
        await stream.content.readline()
        await rest.ask("DELETE", f"/api/v1/agents/{agent_id}")
        assert await can(rest, proved) == [401, 401, 401]
        assert await can(rest, unseen) == [401, 401, 401]
        rows = [line async for line in stream.content]
    assert b"UNAUTHENTICATED" in rows[-1], rows[-1]
    await reserve(rest)  # the same name, another agent
    assert await can(rest, proved) == [401, 401, 401]
    assert await can(rest, kept) == [200, 403, 403]


async def test_nobody_but_this_server_makes_such_tokens(rest: Rest):
    agent_id = await reserve(rest)
    real = (await generate(rest, agent_id))["token"]
    claims = jwt.decode(real, options={"verify_signature": False}) | {"permissions": ["admin"]}
    header, payload, signature = real.split(".")
    for forged in (
        jwt.encode(claims, SECRET, "HS256", headers={"kid": "novasphere"}),
        jwt.encode(claims, "", "none", headers={"kid": "novasphere"}),
        f"{header}.{jwt.encode(claims, SECRET, 'HS256').split('.')[1]}.{signature}",
        f"{header}.{payload}.",
    ):
        assert await can(rest, forged) == [401, 401, 401]


@pytest.mark.parametrize(
    ("body", "status", "code", "told"),
    [
        ({"agent_id": "nobody"}, 404, "NOT_FOUND", "Agent 'nobody' does not exist"),
        ({}, 400, "VALIDATION_ERROR", "agent_id: must be set"),
        ({"agent_id": "a", "permissions": ["rule"]}, 400, "VALIDATION_ERROR", "permissions[0]"),
        ({"agent_id": "a", "permissions": ["enrol"]}, 400, "VALIDATION_ERROR", "read, write, admin, agent"),
        ({"agent_id": "a", "ttl_seconds": 0}, 400, "VALIDATION_ERROR", "ttl_seconds: must be at least 1"),
        ({"agent_id": "a", "ttl_seconds": 31536001}, 400, "VALIDATION_ERROR", "at most 31536000"),
    ],
)  # fmt: skip
async def test_what_cannot_be_granted_is_refused(
    rest: Rest, body: Any, status: int, code: str, told: str
):
    got, answer = await rest.ask("POST", GENERATE, body)
    assert (got, answer["error"]["code"]) == (status, code)
    assert told in answer["error"]["details"]


async def test_who_grants_must_be_an_administrator_and_hold_it(rest: Rest):
    agent_id = await reserve(rest)
    for scopes, permissions, expected in (
        (["read", "write"], ["read"], 403),
        (["admin"], ["read"], 403),
        (["admin", "read"], ["read"], 200),
        (["admin", "read"], ["read", "write"], 403),
    ):
        _, key = await rest.ask("POST", "/api/v1/keys", {"name": "k", "scopes": scopes})
        body = {"agent_id": agent_id, "permissions": permissions}
        status, answer = await rest.ask("POST", GENERATE, body, token=key["key"])
        assert status == expected, (scopes, permissions, answer)
