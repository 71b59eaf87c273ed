"""Two servers on one database behind a proxy that takes turns: either is killed or frozen again and again.

Nothing may be lost or doubled, work on agents included, and every watcher sees the log, whichever server
it is resumed at.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import uuid
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import aiohttp
import pytest
from postgresql import PostgresServer
from processes import ControlPlane, control_plane, eventually
from round_robin import round_robin
from storms import Storm
from writing import Writer

pytestmark = [pytest.mark.fault, pytest.mark.timeout(900)]
LONG = os.environ.get("NOVASPHERE_FAULTS") == "long"
SECONDS = 300 if LONG else 20
FROZEN_SECONDS = 30 if LONG else 12  # longer than a server that says nothing counts as living
OFTEN = {"NOVASPHERE_LIMITS_BOOKMARK_INTERVAL": "0.5"}
ENDED = ("success", "failed", "timeout")


class Pair(ControlPlane):
    """What clients and agents see: the proxy before two servers."""

    def __init__(
        self, folder: Path, servers: list[ControlPlane], http_port: int, grpc_port: int
    ) -> None:
        super().__init__(folder, database_url=servers[0].database_url)
        self.servers = servers
        self.url = f"http://127.0.0.1:{http_port}"
        self.address = f"127.0.0.1:{grpc_port}"

    async def kill_either(self) -> None:
        await random.choice(self.servers).restart()

    async def freeze_either(self) -> None:
        frozen, other = random.sample(self.servers, 2)

        async def other_writes() -> bool:
            await other.rest(
                "POST", "/api/v1/keys", {"name": uuid.uuid4().hex, "scopes": ["read"]}, status=201
            )
            return True

        os.kill(frozen.server.pid, signal.SIGSTOP)
        try:
            # It may have frozen in its turn to write.
            await eventually(other_writes, within=15)
            await asyncio.sleep(FROZEN_SECONDS)
        finally:
            os.kill(frozen.server.pid, signal.SIGCONT)


@pytest.fixture
async def pair(tmp_path: Path, postgres: PostgresServer) -> AsyncIterator[Pair]:
    url = postgres.new_database()
    async with AsyncExitStack() as stack:
        servers = []
        for name in ("a", "b"):
            (tmp_path / name).mkdir()
            plane = control_plane(tmp_path / name, database_url=url, **OFTEN)
            servers.append(await stack.enter_async_context(plane))
        http_port = await stack.enter_async_context(round_robin([s.http_port for s in servers]))
        grpc_port = await stack.enter_async_context(round_robin([s.grpc_port for s in servers]))
        pair = Pair(tmp_path, servers, http_port, grpc_port)
        try:
            yield pair
        finally:
            for agent in pair.agents.values():
                await agent.stop()


class Runner(Writer):
    """Has an agent append lines to a file, one after the other."""

    def __init__(self, plane: ControlPlane, node_id: str) -> None:
        super().__init__(plane)
        self.node_id = node_id
        self.file = plane.folder / f"{node_id}.lines"

    async def write(self, http: aiohttp.ClientSession) -> None:
        text = f"echo {uuid.uuid4().hex} >> {self.file}"
        command_id = await self.create(http, self.node_id, command_text=text)
        await self.has_ended(http, command_id)

    async def has_ended(self, http: aiohttp.ClientSession, command_id: str) -> str:
        while True:
            answer = await self.say(http, "GET", f"/api/v1/commands/{command_id}")
            status: str = answer["data"]["command"]["status"]
            if status in ENDED:
                return status
            await asyncio.sleep(0.1)

    async def assert_each_ran_once(self) -> None:
        async with aiohttp.ClientSession() as http:
            for command_id in self.acknowledged:
                status = await asyncio.wait_for(self.has_ended(http, command_id), 60)
                assert status == "success", command_id
        times = Counter(self.file.read_text().split())
        wanted = {text.split()[1] for text in self.acknowledged.values()}
        assert wanted <= set(times), "a command that succeeded did not run"
        assert set(times.values()) == {1}, "a command ran twice"


async def weather(pair: Pair, disturbance: str, seconds: float) -> None:
    await pair.add_agent("node-001")
    await pair.agents["node-001"].kill()  # commands wait: their states are the writers' alone
    runners = [Runner(pair, f"worker-{number}") for number in range(2)]
    for runner in runners:
        await pair.add_agent(runner.node_id)
    storm = Storm(pair, runners)
    await storm.run(getattr(pair, disturbance), seconds, longest_pause=5 if LONG else 2)
    for runner in runners:
        await runner.assert_each_ran_once()
        await pair.node_is("online", runner.node_id)
    for agent in pair.agents.values():
        await agent.stop()
    for server in pair.servers:
        assert await server.server.terminate() == 0
    print(f"\n{storm.assert_nothing_was_lost_or_doubled()}")


async def test_kills_of_either_lose_and_double_nothing(pair: Pair) -> None:
    await weather(pair, "kill_either", SECONDS)


async def test_one_that_freezes_holds_up_nobody_for_long_and_harms_nothing(pair: Pair) -> None:
    await weather(pair, "freeze_either", SECONDS)
