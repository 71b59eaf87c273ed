from __future__ import annotations

from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from link_stand_in import AgentProcess, StandIn
from novasphere_agent import processes
from novasphere_agent.attempts import Attempts
from novasphere_agent.journal import Journal
from novasphere_agent.launcher import Launcher
from novasphere_agent.messages import Profile
from novasphere_agent.runtimes import KINDS, Runtimes
from novasphere_agent.tasks import Tasks


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


@pytest.fixture
async def attempts(journal: Journal) -> AsyncIterator[Attempts]:
    """Attempts without a link, on a journal of the test's making."""
    launcher = Launcher()
    tasks = Tasks()
    with ThreadPoolExecutor(2) as workers:
        yield Attempts(
            journal,
            launcher,
            Runtimes(Profile(capabilities=list(KINDS))),
            capacity=8,
            boot_id=processes.boot_id(),
            workers=workers,
            tasks=tasks,
        )
        await tasks.close()
        await launcher.close()
