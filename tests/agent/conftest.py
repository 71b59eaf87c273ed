from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from link_stand_in import AgentProcess, StandIn


@pytest.fixture
async def server() -> AsyncIterator[StandIn]:
    stand_in = StandIn()
    await stand_in.start()
    yield stand_in
    await stand_in.stop()


@pytest.fixture
async def agent(server: StandIn, tmp_path: Path) -> AsyncIterator[AgentProcess]:
    process = AgentProcess(server, tmp_path / "agent")
    yield process
    await process.close()
