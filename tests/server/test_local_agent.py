from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from novasphere_server import local_agent
from novasphere_server.local_agent import LocalAgent
from novasphere_server.settings import Address

UNREACHED = Address("127.0.0.1", 1)


async def test_an_agent_that_is_being_started_when_all_is_to_end_gets_no_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, until: Callable[..., Awaitable[None]]
):
    is_deaf = tmp_path / "is_deaf"
    stubborn = tmp_path / "stubborn"
    stubborn.write_text(
        f"#!/bin/sh\ntrap '' TERM\n: > {is_deaf}\nfor i in $(seq 300); do sleep 1; done\n"
    )
    stubborn.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(stubborn))
    monkeypatch.setattr(local_agent, "_PATIENCE", 600.0)
    agent = LocalAgent(UNREACHED, tmp_path, is_log_json=False)
    agent.kill()
    running = asyncio.create_task(agent.run())
    await until(lambda: is_deaf.exists() and agent._process is not None)
    running.cancel()
    ended, _ = await asyncio.wait({running}, timeout=60)
    agent.kill()
    assert ended
