"""Agents over REST: the nodes, in the shape of the schedules face."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from novasphere_server.testing import running_server
from rest import Rest

AGENTS = "/api/v1/agents"
SEED = {
    "namespace_id": "default",
    "name": "agent-01",
    "endpoint": "ws://localhost:8081",
    "labels": {"env": "production", "region": "east"},
}


@pytest.fixture
async def rest(tmp_path: Path, database_url: str) -> AsyncIterator[Rest]:
    async with (
        running_server(tmp_path, database_url=database_url) as server,
        aiohttp.ClientSession(server.http_url) as http,
    ):
        yield Rest(server, http)


async def query(rest: Rest, filter_: Any = None, **page: Any) -> list[str]:
    """Returns the names of the agents of a page."""
    status, found = await rest.ask("POST", f"{AGENTS}/query", {"filter": filter_, "page": page})
    assert status == 200, found
    return [row["name"] for row in found["data"]]


async def test_an_agent_is_made_read_changed_and_deleted(rest: Rest):
    status, made = await rest.ask("POST", f"{AGENTS}/create", SEED)
    assert (status, list(made)) == (200, ["id"])
    _, agent = await rest.ask("GET", f"{AGENTS}/{made['id']}")
    assert {name: agent[name] for name in SEED} == SEED
    assert (agent["id"], agent["status"], agent["node_id"]) == (made["id"], "offline", "agent-01")
    assert await rest.ask("GET", f"{AGENTS}/agent-01") == (200, agent)
    assert await rest.ask("GET", f"{AGENTS}/{made['id'].upper()}") == (200, agent)

    for emptied in ({"labels": {}}, {"labels": {}, "name": "agent-01"}):
        assert await rest.ask("POST", f"{AGENTS}/{made['id']}/update", {"labels": {"a": "b"}}) == (
            200,
            None,
        )
        assert await rest.ask("POST", f"{AGENTS}/{made['id']}/update", emptied) == (200, None)
        assert (await rest.ask("GET", f"{AGENTS}/{made['id']}"))[1]["labels"] == {}
    changed = {"name": "agent-01-updated", "labels": {"env": "staging", "region": "west"}}
    assert await rest.ask("POST", f"{AGENTS}/{made['id']}/update", changed) == (200, None)
    _, after = await rest.ask("GET", f"{AGENTS}/{made['id']}")
    assert after == agent | changed | {name: after[name] for name in ("updated_at", "revision")}
    _, node = await rest.ask("GET", "/api/v1/nodes/agent-01")
    assert node["data"]["labels"] == changed["labels"]
    for asked, names in (
        ({"name": {"eq": "agent-01-updated"}}, ["agent-01-updated"]),
        ({"name": {"eq": "agent-01"}}, []),
        ({"node_id": {"eq": "agent-01"}, "endpoint": {"startsWith": "ws:"}}, ["agent-01-updated"]),
        ({"id": {"eq": made["id"]}, "namespace_id": {"eq": "default"}, "status": {"eq": 0}}, ["agent-01-updated"]),
        ({"updated_at": {"gte": after["updated_at"]}, "created_at": {"lt": "2024-01-01T00:00:00Z"}}, []),
    ):  # fmt: skip
        assert await query(rest, asked) == names, asked
    assert await rest.ask("POST", f"{AGENTS}/agent-01/update", {"name": "agent-01"}) == (200, None)
    assert await query(rest, {"name": {"eq": "agent-01"}}) == ["agent-01"]

    assert await rest.ask("DELETE", f"{AGENTS}/{made['id']}") == (200, None)
    for method, path, body in (
        ("GET", made["id"], None),
        ("DELETE", made["id"], None),
        ("POST", f"{made['id']}/update", {"name": "x"}),
    ):
        status, gone = await rest.ask(method, f"{AGENTS}/{path}", body)
        assert (status, gone["error"]["code"]) == (404, "NOT_FOUND")
        assert gone["error"]["details"] == f"Agent '{made['id']}' does not exist"


async def test_names_are_unique_and_requests_repeatable(rest: Rest):
    _, dry = await rest.ask("POST", f"{AGENTS}/create?dry_run=true", SEED)
    assert dry == {"id": ""}
    _, made = await rest.ask("POST", f"{AGENTS}/create", SEED, Idempotency_Key="k")
    assert await rest.ask("POST", f"{AGENTS}/create", SEED, Idempotency_Key="k") == (200, made)
    await rest.ask("POST", f"{AGENTS}/create", {"name": "other"})
    assert await query(rest, order_by=["-name"]) == ["other", "agent-01"]
    for path, body in (("create", SEED), ("other/update", {"name": "agent-01"})):
        status, told = await rest.ask("POST", f"{AGENTS}/{path}", body)
        assert (status, told["error"]["code"]) == (409, "VALIDATION_ERROR")
        assert (
            told["error"]["details"] == "an agent named 'agent-01' exists already: choose another name"
        )
    _, agent = await rest.ask("GET", f"{AGENTS}/agent-01")
    status, _ = await rest.ask("POST", f"{AGENTS}/agent-01/update", {"endpoint": "x"}, If_Match='"999"')
    assert status == 412
    assert await rest.ask("GET", f"{AGENTS}/agent-01") == (200, agent)


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({}, "name: must be set"),
        ({"name": "a b"}, "name: must consist of letters"),
        ({"name": "a", "labels": {"-": "x"}}, "labels: '-' is not the name of a label"),
        ({"name": "a", "namespace_id": "A"}, "namespace_id: must consist of lower-case"),
        ({"nam": "a"}, 'did you mean "name"?'),
    ],
)
async def test_what_an_agent_cannot_be_is_refused_by_name(rest: Rest, body: Any, told: str):
    status, answer = await rest.ask("POST", f"{AGENTS}/create", body)
    assert (status, answer["error"]["code"]) == (400, "VALIDATION_ERROR")
    assert told in answer["error"]["details"]


async def test_who_is_bound_to_namespaces_changes_no_agent(rest: Rest):
    await rest.ask("POST", f"{AGENTS}/create", SEED)
    token = await rest.key("default")
    for method, path, body in (
        ("POST", "create", {"name": "x"}),
        ("POST", "agent-01/update", {"name": "x"}),
        ("DELETE", "agent-01", None),
    ):
        status, answer = await rest.ask(method, f"{AGENTS}/{path}", body, token=token)
        assert (status, answer["error"]["code"]) == (403, "FORBIDDEN")
    status, _ = await rest.ask("GET", f"{AGENTS}/agent-01", token=token)
    assert status == 200
