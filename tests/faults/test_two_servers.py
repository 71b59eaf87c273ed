"""Two servers on one database behind a proxy that takes turns: either is killed or frozen again and again.

Nothing may be lost or doubled, work on agents included, and every watcher sees the log, whichever server
it is resumed at.
"""

from __future__ import annotations

import asyncio
import os
import uuid
from collections import Counter

import aiohttp
import pytest
from pairs import Pair
from processes import ControlPlane
from storms import Storm
from writing import Writer

pytestmark = [pytest.mark.fault, pytest.mark.timeout(900)]
LONG = os.environ.get("NOVASPHERE_FAULTS") == "long"
SECONDS = 300 if LONG else 20
ENDED = ("success", "failed", "timeout")


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
                status = await asyncio.wait_for(self.has_ended(http, command_id), 180)
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
