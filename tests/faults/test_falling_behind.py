"""A server that stood still for longer than the log is kept: it starts over by itself, and says what it cannot
tell any more.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import aiohttp
import databases
import pytest
from pairs import Pair, pair_of_servers
from postgresql import PostgresServer
from processes import TOKEN, ControlPlane, eventually
from watching import revision_of

pytestmark = [pytest.mark.fault, pytest.mark.timeout(600)]

KEPT = 20  # rows of the log
SOON = {
    "NOVASPHERE_LIMITS_LOG_LENGTH": str(KEPT),
    "NOVASPHERE_LIMITS_MAINTENANCE_INTERVAL": "0.2",
    "NOVASPHERE_LIMITS_PROBE_INTERVAL": "0.5",
    "NOVASPHERE_LIMITS_BOOKMARK_INTERVAL": "0.5",
}


@pytest.fixture
async def pair(tmp_path: Path, postgres: PostgresServer) -> AsyncIterator[Pair]:
    """Two servers on one database that keep little of the log."""
    async with pair_of_servers(tmp_path, postgres.new_database(), **SOON) as running:
        yield running


class Stream:
    """An open watch of commands, row by row."""

    def __init__(self, answer: aiohttp.ClientResponse) -> None:
        self._answer = answer
        self.rows: list[dict[str, Any]] = []

    async def until(self, kind: str) -> dict[str, Any]:
        """Returns the next row of that type."""
        while True:
            line = await self._answer.content.readline()
            assert line, f"it ended before a {kind}: {self.rows[-3:]}"
            self.rows.append(json.loads(line))
            if self.rows[-1]["type"] == kind:
                return self.rows[-1]

    async def has_ended(self) -> bool:
        return not await self._answer.content.read()

    @property
    def cursor(self) -> str:
        """Where it came to."""
        return next(row["cursor"] for row in reversed(self.rows) if row.get("cursor"))


async def watch(stack: AsyncExitStack, server: ControlPlane, token: str = TOKEN) -> Stream:
    """Opens a watch."""
    headers = {"Authorization": f"Bearer {token}", "Accept": "application/x-ndjson"}
    timeout = aiohttp.ClientTimeout(total=None)
    http = await stack.enter_async_context(aiohttp.ClientSession(headers=headers, timeout=timeout))
    return Stream(await stack.enter_async_context(http.get(f"{server.url}/api/v1/commands:watch")))


async def run(server: ControlPlane, text: str) -> str:
    body = {"command_text": text, "timeout": 60}
    answer = await server.rest("POST", "/api/v1/nodes/node-001/commands", body)
    return str(answer["data"]["command_id"])


async def command_is(server: ControlPlane, command_id: str, status: str) -> dict[str, Any]:
    async def check() -> Any:
        found = (await server.rest("GET", f"/api/v1/commands/{command_id}"))["data"]
        return found if found["command"]["status"] == status else None

    return await eventually(check, within=120)


async def is_forgotten_beyond(url: str, revision: int) -> bool:
    return databases.rows(url, "SELECT floor FROM revision")[0][0] > revision


async def say_the_same(path: str, servers: Iterable[ControlPlane]) -> bool:
    one, another = [(await server.rest("GET", path))["data"] for server in servers]
    return bool(one) and one == another


async def test_a_server_that_missed_what_is_forgotten_starts_over_by_itself(
    pair: Pair, tmp_path: Path
) -> None:
    late, other = pair.servers
    pid = late.server.pid
    await late.add_agent("node-001")
    go = tmp_path / "go"
    running = await run(late, f"echo begun; while ! [ -e {go} ]; do sleep 0.1; done; echo done")
    await command_is(late, running, "running")
    key = await late.rest("POST", "/api/v1/keys", {"name": "k", "scopes": ["read"]}, status=201)
    async with AsyncExitStack() as stack:
        open_before = await watch(stack, late)
        of_the_key = await watch(stack, late, key["key"])
        for stream in (open_before, of_the_key):
            await stream.until("BOOKMARK")
        async with pair.frozen(late):
            cancelled = await run(other, "echo never")
            await other.rest("POST", f"/api/v1/commands/{cancelled}:cancel", {})
            waiting = await run(other, "echo waited")
            await other.rest("DELETE", f"/api/v1/keys/{key['key_id']}")
            for _ in range(KEPT + 10):
                await run(other, "true")
            known = revision_of(open_before.cursor)
            await eventually(lambda: is_forgotten_beyond(pair.database_url, known + 10))

        gap = (await open_before.until("GAP"))["gap"]
        assert await open_before.has_ended()
        assert gap["first_lost_revision"] == revision_of(open_before.cursor) + 1
        await of_the_key.has_ended()
        await late.ready()
        assert late.server.pid == pid

        path = f"/api/v1/commands:watch?cursor={open_before.cursor}"
        assert (await late.rest("GET", path, status=410))["code"] == "CURSOR_EXPIRED"
        fresh = await watch(stack, late)
        await fresh.until("BOOKMARK")
        last = await eventually(lambda: run(other, "echo last"))
        while (await fresh.until("ADDED"))["object"]["command_id"] != last:
            pass

    await late.rest("GET", "/api/v1/nodes", status=401, Authorization=f"Bearer {key['key']}")
    go.touch()
    assert (await command_is(late, running, "success"))["result"]["stdout"] == "begun\ndone\n"
    assert (await command_is(late, waiting, "success"))["result"]["stdout"] == "waited\n"
    await command_is(late, last, "success")
    await late.node_is("online")
    await eventually(lambda: say_the_same("/api/v1/commands", pair.servers))
