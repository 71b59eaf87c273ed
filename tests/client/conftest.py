from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from command_line import Cli
from scripted_server import ScriptedServer


@pytest.fixture
async def server() -> AsyncIterator[ScriptedServer]:
    running = ScriptedServer()
    await running.start()
    yield running
    await running.stop()


@pytest.fixture
def cli(tmp_path: Path, server: ScriptedServer) -> Cli:
    return Cli(tmp_path, server)
