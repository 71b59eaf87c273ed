"""Kills the server again and again under writers and watchers: nothing acknowledged may be lost, nothing
may happen twice, and every watcher must see exactly the log."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from processes import control_plane
from storms import Storm

pytestmark = [pytest.mark.fault, pytest.mark.timeout(1500)]
LONG = os.environ.get("NOVASPHERE_FAULTS") == "long"
SECONDS = 600 if LONG else 20
OFTEN = {"NOVASPHERE_LIMITS_BOOKMARK_INTERVAL": "0.5"}


async def test_kills_of_the_server_lose_and_double_nothing(tmp_path: Path, database_url: str) -> None:
    async with control_plane(tmp_path, database_url=database_url, **OFTEN) as plane:
        await plane.add_agent("node-001")
        await plane.agents["node-001"].kill()  # commands wait: their states are the writers' alone
        storm = Storm(plane)
        await storm.run(plane.restart, SECONDS, longest_pause=5 if LONG else 2)
        assert await plane.server.terminate() == 0
        print(f"\n{storm.assert_nothing_was_lost_or_doubled()}")
