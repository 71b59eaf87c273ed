"""Nodes that speak nothing but the published frames, written from the protocol alone."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from foreign_node import ForeignNode
from novasphere_server.testing import RunningServer, running_server
from processes import eventually

METRICS = {"cpu_usage": 45.2, "memory_usage": 68.5, "disk_usage": 34.1, "load_average": 1.23}


class Fleet:
    """A server in this process, its REST API, and nodes of it."""

    def __init__(self, server: RunningServer, session: aiohttp.ClientSession) -> None:
        self.server = server
        self.session = session
        self.nodes: list[ForeignNode] = []

    def node(self, node_id: str = "node-001", *, token: str | None = None) -> ForeignNode:
        token = self.server.admin_token if token is None else token
        node = ForeignNode(self.session, self.server.http_url, token, node_id)
        self.nodes.append(node)
        return node

    async def rest(self, method: str, path: str, body: Any = None, *, status: int = 200) -> Any:
        headers = {"Authorization": f"Bearer {self.server.admin_token}", "Accept-Language": "en"}
        async with self.session.request(
            method, self.server.http_url + path, json=body, headers=headers
        ) as answer:
            text = await answer.text()
            assert answer.status == status, f"{method} {path}: {answer.status} {text}"
            return (await answer.json(content_type=None)).get("data")

    async def run(self, text: str = "true", node_id: str = "node-001", **fields: Any) -> str:
        """Creates a command and returns its id."""
        body = {"command_text": text, "timeout": 30} | fields
        return str((await self.rest("POST", f"/api/v1/nodes/{node_id}/commands", body))["command_id"])

    async def command(self, command_id: str) -> Any:
        return await self.rest("GET", f"/api/v1/commands/{command_id}")

    async def command_is(self, command_id: str, **fields: Any) -> Any:
        """Waits until a command has these values, and returns it with its result."""

        async def check() -> Any:
            found = await self.command(command_id)
            return found if found["command"] | fields == found["command"] else None

        return await eventually(check)

    async def node_is(self, node_id: str = "node-001", **fields: Any) -> Any:
        async def check() -> Any:
            found = await self.rest("GET", f"/api/v1/nodes/{node_id}")
            return found if found | fields == found else None

        return await eventually(check)


@asynccontextmanager
async def fleet_of(folder: Path, **settings: Any) -> AsyncIterator[Fleet]:
    async with running_server(folder, **settings) as server, aiohttp.ClientSession() as session:
        fleet = Fleet(server, session)
        try:
            yield fleet
        finally:
            for node in fleet.nodes:
                await node.cut()


@pytest.fixture
async def fleet(tmp_path: Path) -> AsyncIterator[Fleet]:
    async with fleet_of(tmp_path) as running:
        yield running


async def test_a_node_registers_and_looks_like_any_other(fleet: Fleet) -> None:
    node = fleet.node()
    await node.connect()
    welcome = await node.frame("welcome")
    assert welcome["data"]["node_id"] == "node-001"
    answer = await node.register()
    assert answer | {"success": True, "message": "节点注册成功", "node_id": "node-001"} == answer
    assert answer["action"] == "created"
    found = await fleet.rest("GET", "/api/v1/nodes/node-001")
    assert found["hostname"] == "host-of-node-001"
    assert found["ip_address"] == "192.168.1.100"
    assert found["os_info"] == "Ubuntu 22.04 LTS"
    assert (found["status"], found["is_foreign"], found["capacity"]) == ("online", True, 1)
    listed = await fleet.rest("GET", "/api/v1/nodes")
    assert [row["node_id"] for row in listed["nodes"]] == ["node-001"]

    again = await node.register(os_info="Ubuntu 24.04 LTS")
    assert again["action"] == "updated"
    assert (await fleet.node_is(os_info="Ubuntu 24.04 LTS"))["id"] == found["id"]


async def test_a_command_runs_end_to_end(fleet: Fleet) -> None:
    node = fleet.node()
    await node.join()
    command_id = await fleet.run("echo out; echo err >&2; exit 7")
    frame = await node.command()
    assert frame["data"] == {
        "command_id": command_id,
        "command_text": "echo out; echo err >&2; exit 7",
        "timeout": 30,
    }
    assert frame["id"] != command_id
    await node.started(frame)
    await fleet.command_is(command_id, status="running", state="RUNNING")
    await node.execute(frame)
    done = await fleet.command_is(command_id, status="failed", reason="EXIT_CODE")
    result = done["result"]
    assert (result["exit_code"], result["stdout"], result["stderr"]) == (7, "out\n", "err\n")
    assert result["execution_time_ms"] == 125
