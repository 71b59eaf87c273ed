"""The servers, their health and what passed over their links, in the shape of the schedules face."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from novasphere_server.settings import Address
from novasphere_server.testing import running_server
from ports import reserve_port
from postgresql import PostgresServer
from rest import Rest

SERVERS = "/api/v1/servers"


@pytest.fixture
async def rest(tmp_path: Path) -> AsyncIterator[Rest]:
    async with running_server(tmp_path) as server, aiohttp.ClientSession(server.http_url) as http:
        yield Rest(server, http)


async def test_this_server_is_listed_described_and_not_deleted(rest: Rest):
    status, page = await rest.ask("POST", f"{SERVERS}/query", {})
    (row,) = page["data"]
    assert (status, page["total"], page["page"], page["page_size"]) == (200, 1, 1, 20)
    assert (row["name"], row["address"]) == (socket.gethostname(), rest.server.http_url)
    assert (row["status"], row["description"], row["bind_namespaces"]) == ("active", None, [])
    changed = {"name": "server-01", "bind_namespaces": ["default"], "description": "x"}
    assert await rest.ask("POST", f"{SERVERS}/{row['id']}/update", changed) == (200, None)
    _, after = await rest.ask("GET", f"{SERVERS}/{row['id']}")
    assert after == row | changed | {"last_heartbeat_at": after["last_heartbeat_at"]}
    emptied = {"bind_namespaces": [], "description": "x"}
    assert await rest.ask("POST", f"{SERVERS}/{row['id']}/update", emptied) == (200, None)
    _, after = await rest.ask("GET", f"{SERVERS}/{row['id']}")
    assert after["bind_namespaces"] == []
    for asked, found in (
        ({"name": {"eq": "server-01"}}, 1),
        ({"name": {"eq": "other"}}, 0),
        ({"status": {"eq": "active"}}, 1),
        ({"status": {"not": "active"}}, 0),
        ({"status": {"in": ["active", "inactive"]}}, 1),
        ({"last_heartbeat_at": {"gte": row["created_at"]}, "address": {"startsWith": "http://127"}}, 1),
    ):
        _, page = await rest.ask("POST", f"{SERVERS}/query", {"filter": asked})
        assert page["total"] == len(page["data"]) == found, asked
    status, told = await rest.ask("DELETE", f"{SERVERS}/{row['id']}")
    assert (status, told["error"]["code"]) == (409, "VALIDATION_ERROR")
    status, told = await rest.ask("GET", f"{SERVERS}/nobody")
    assert (status, told["error"]["details"]) == (404, "Server 'nobody' does not exist")
    status, told = await rest.ask("POST", f"{SERVERS}/{row['id']}/update", {"bind_namespaces": ["A b"]})
    assert (status, told["error"]["code"]) == (400, "VALIDATION_ERROR")


async def test_a_change_that_is_repeated_is_made_once(rest: Rest):
    _, page = await rest.ask("POST", f"{SERVERS}/query", {})
    path = f"{SERVERS}/{page['data'][0]['id']}"
    for description, key in (("first", "once"), ("second", "twice"), ("first", "once")):
        body = {"description": description}
        assert await rest.ask("POST", f"{path}/update", body, Idempotency_Key=key) == (200, None)
    assert rest.headers["Idempotency-Replayed"] == "true"
    assert (await rest.ask("GET", path))[1]["description"] == "second"


async def test_the_next_server_at_an_address_keeps_what_was_said_of_it(tmp_path: Path):
    address = Address("127.0.0.1", reserve_port())
    ids = []
    for run in range(2):
        async with (
            running_server(tmp_path, http=address) as server,
            aiohttp.ClientSession(server.http_url) as http,
        ):
            rest = Rest(server, http)
            _, page = await rest.ask("POST", f"{SERVERS}/query", {})
            (row,) = page["data"]
            ids.append(row["id"])
            if run == 0:
                await rest.ask("POST", f"{SERVERS}/{row['id']}/update", {"description": "kept"})
            else:
                assert row["description"] == "kept"
    assert ids[0] != ids[1]


async def test_a_server_that_ended_is_inactive_and_can_be_deleted(
    tmp_path: Path, postgres: PostgresServer
):
    url = postgres.new_database()
    async with running_server(tmp_path / "a", database_url=url) as staying:
        async with running_server(tmp_path / "b", database_url=url) as leaving:
            pass
        async with aiohttp.ClientSession(staying.http_url) as http:
            rest = Rest(staying, http)
            _, page = await rest.ask(
                "POST", f"{SERVERS}/query", {"filter": {"status": {"eq": "inactive"}}}
            )
            (row,) = page["data"]
            assert row["address"] == leaving.http_url
            assert await rest.ask("DELETE", f"{SERVERS}/{row['id']}") == (200, None)
            _, page = await rest.ask("POST", f"{SERVERS}/query", {})
            assert [one["address"] for one in page["data"]] == [staying.http_url]


async def test_health_and_the_counters_of_links_tell_the_truth(rest: Rest):
    await rest.ask("POST", "/api/v1/agents/create", {"name": "away"})
    status, health = await rest.ask("GET", "/api/v1/system/health")
    assert status == 200
    assert health["agents"] == {"total": 1, "online": 0, "offline": 1}
    assert (health["status"], health["database"]["status"]) == ("healthy", "connected")
    assert health["database"]["pool_size"] > 0
    _, stats = await rest.ask("GET", "/api/v1/gateway/stats")
    assert {name: value for name, value in stats.items() if name != "timestamp"} == {
        "total_connections": 0,
        "active_connections": 0,
        "total_messages_sent": 0,
        "total_messages_received": 0,
    }
