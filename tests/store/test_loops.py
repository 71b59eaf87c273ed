"""What the store does by itself is seen by whoever looks after the server, and outlives its failures."""

from __future__ import annotations

from pathlib import Path

import aiohttp
import pytest
from novasphere_server.store.limits import Limits
from novasphere_server.store.store import Store
from novasphere_server.testing import RunningServer, running_server
from store_samples import eventually

LOOPS = {"store-bookmarks", "store-probe", "store-maintenance", "store-selfcheck"}


async def readiness(server: RunningServer) -> dict[str, str]:
    """Returns the states of the loops, by name, as the server tells them."""
    async with aiohttp.ClientSession() as http, http.get(f"{server.http_url}/readyz") as response:
        loops: dict[str, str] = (await response.json())["loops"]
        return loops


async def test_a_server_says_how_the_stores_loops_stand(tmp_path: Path):
    async with running_server(tmp_path) as server:
        loops = await readiness(server)
        exposition = server.app.telemetry.exposition().decode()
    assert {name: loops.get(name) for name in LOOPS} == dict.fromkeys(LOOPS, "running")
    for name in LOOPS:
        assert f'loop="{name}"' in exposition


async def test_maintenance_that_failed_is_seen_and_starts_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    runs: list[Store] = []

    async def maintain(store: Store) -> None:
        runs.append(store)
        if len(runs) == 1:
            raise RuntimeError("fell over")

    monkeypatch.setattr(Store, "maintain", maintain)
    async with running_server(tmp_path, limits=Limits(maintenance_interval=0.01)) as server:
        await eventually(lambda: len(runs) > 2)
        [loop] = [each for each in server.app.supervisor.loops if each.name == "store-maintenance"]
        assert loop.restarts == 1
