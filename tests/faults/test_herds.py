"""Hundreds of agents whose server is killed: all are back soon, and clients notice nothing but the outage."""

from __future__ import annotations

import asyncio
import contextlib
import os
import statistics
import sys
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import herd_process
import pytest
from pairs import Pair
from processes import TOKEN, ControlPlane, Process, control_plane, eventually

pytestmark = [pytest.mark.fault, pytest.mark.timeout(600)]
LONG = os.environ.get("NOVASPHERE_FAULTS") == "long"
HERD = 500 if LONG else 200
REAL = 5 if LONG else 2
BACK_SECONDS = 30.0
# Waits double with every try that fails: after an outage longer than a restart takes, an agent may be in the
# midst of a longer one, and never of one above a minute.
RESTART_SECONDS = 5.0
LONGEST_BACK_SECONDS = 70.0
ANSWER_SECONDS = 2.0 if LONG else 9.0  # other tests run beside the short form
USUAL_ANSWER_SECONDS = 1.0
JOIN_SECONDS = 90.0


@contextlib.asynccontextmanager
async def herd(plane: ControlPlane, folder: Path) -> AsyncIterator[None]:
    """Runs a herd, and some agents in processes of their own, for as long as the block lasts."""
    process = Process(
        [sys.executable, herd_process.__file__, plane.address, str(HERD), str(folder / "herd")],
        folder / "herd.log",
        {"NOVASPHERE_JOIN_TOKEN": TOKEN},
    )
    await process.start()
    try:
        await asyncio.gather(*(plane.add_agent(f"real-{n}") for n in range(REAL)))
        yield
    finally:
        if process.running is not None and process.running.returncode is None:
            await process.kill()


async def linked(servers: Sequence[ControlPlane]) -> int:
    """Returns how many agents have a link, by the word of those servers."""
    counts = [sum((await server.metrics("novasphere_linked_agents")).values()) for server in servers]
    return int(sum(counts))


async def all_are_linked(servers: Sequence[ControlPlane], within: float) -> float:
    """Returns after how many seconds they were."""
    began = time.monotonic()

    async def check() -> bool:
        return await linked(servers) == HERD + REAL

    await eventually(check, within=within, every=0.2)
    return time.monotonic() - began


@dataclass
class Visitor:
    """Asks again and again for what people look at, and notes what it got."""

    plane: ControlPlane
    statuses: list[tuple[str, int]] = field(default_factory=list)
    took: list[float] = field(default_factory=list)

    @property
    def slowest(self) -> float:
        return max(self.took)

    @property
    def usual(self) -> float:
        return statistics.median(self.took)

    async def run(self) -> None:
        headers = {"Authorization": f"Bearer {TOKEN}"}
        timeout = aiohttp.ClientTimeout(total=10)
        async with aiohttp.ClientSession(headers=headers, timeout=timeout) as http:
            while True:
                for path in ("/api/v1/health", "/api/v1/nodes?limit=100", "/api/v1/commands"):
                    began = time.monotonic()
                    async with http.get(self.plane.url + path) as answer:
                        await answer.read()
                    self.took.append(time.monotonic() - began)
                    self.statuses.append((path, answer.status))
                await asyncio.sleep(0.05)

    def assert_was_served(self) -> None:
        assert self.statuses
        assert [found for found in self.statuses if found[1] != 200] == []
        assert self.slowest <= ANSWER_SECONDS
        assert self.usual <= USUAL_ANSWER_SECONDS


@contextlib.asynccontextmanager
async def visitor(plane: ControlPlane) -> AsyncIterator[Visitor]:
    """Has a visitor at the server while the block lasts, and sees that it was served."""
    visiting = Visitor(plane)
    task = asyncio.create_task(visiting.run())
    try:
        yield visiting
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
    visiting.assert_was_served()


async def test_a_herd_is_back_soon_after_its_server_was_killed(tmp_path: Path) -> None:
    async with control_plane(tmp_path) as plane, herd(plane, tmp_path):
        joined = await all_are_linked([plane], within=JOIN_SECONDS)
        killed_at = time.monotonic()
        await plane.restart()
        outage = time.monotonic() - killed_at
        within = BACK_SECONDS if outage < RESTART_SECONDS else LONGEST_BACK_SECONDS
        async with visitor(plane) as visiting:
            back = await all_are_linked([plane], within=within)
        print(
            f"\n{HERD + REAL} agents joined in {joined:.1f} s, outage of {outage:.1f} s, back {back:.1f} s after the server was ready, "
            f"{len(visiting.statuses)} answers meanwhile, the slowest after {visiting.slowest:.2f} s, the usual {visiting.usual:.2f} s"
        )


async def test_the_agents_of_a_server_that_dies_move_to_the_other(pair: Pair, tmp_path: Path) -> None:
    async with herd(pair, tmp_path):
        await all_are_linked(pair.servers, within=JOIN_SECONDS)
        dies, lives = pair.servers
        had = await linked([dies])
        assert had > 0
        async with visitor(lives) as visiting:
            await dies.server.kill()
            moved = await all_are_linked([lives], within=BACK_SECONDS)
        print(
            f"\n{had} agents of {HERD + REAL} moved in {moved:.1f} s, {len(visiting.statuses)} answers meanwhile, "
            f"the slowest after {visiting.slowest:.2f} s, the usual {visiting.usual:.2f} s"
        )
