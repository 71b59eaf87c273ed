"""`novasphere wait` and `novasphere watch` over a server that dies, with a real agent."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from processes import ControlPlane, control_plane


@pytest.fixture
async def plane(tmp_path: Path) -> AsyncIterator[ControlPlane]:
    async with control_plane(tmp_path) as running:
        yield running


async def ended(process: asyncio.subprocess.Process, within: float = 120.0) -> tuple[int, str]:
    _, said = await asyncio.wait_for(process.communicate(), within)
    assert process.returncode is not None
    return process.returncode, said.decode()


async def run(plane: ControlPlane, line: str) -> str:
    code, command_id, said = await plane.novasphere(
        "exec", "n1", "--no-wait", "--timeout", "600", "--", line
    )
    assert code == 0, said
    return command_id.strip()


async def test_waits_tell_the_truth_over_a_server_that_was_killed(plane: ControlPlane) -> None:
    coming = await plane.start_cli("wait", "--for=online", "nodes/n1", "--timeout", "60s")
    agent = await plane.add_agent("n1")
    code, said = await ended(coming)
    assert (code, said) == (0, "novasphere: nodes/n1 is online\n")

    failing = await run(plane, "sleep 3; exit 3")
    lasting = await run(plane, "sleep 600")
    wishes = [
        ("state=succeeded", f"commands/{failing}", "60s"),
        ("state=failed", f"commands/{failing}", "60s"),
        ("state=succeeded", f"commands/{lasting}", "5s"),
        ("state=cancelled", f"commands/{lasting}", "60s"),
    ]
    waiting = [
        await plane.start_cli("wait", f"--for={wish}", target, "--timeout", timeout)
        for wish, target, timeout in wishes
    ]
    code, said = await ended(waiting[2])
    assert code == 1
    assert f"timed out after 5s: commands/{lasting} is running; it was to be succeeded" in said
    await plane.restart()
    assert (await plane.novasphere("command", "cancel", lasting))[0] == 0
    (never, why), (failed, _), (cancelled, _) = [
        await ended(process) for process in (waiting[0], waiting[1], waiting[3])
    ]
    assert (never, failed, cancelled) == (3, 0, 0)
    assert "is failed (exit code 3)" in why
    assert "it will never be succeeded" in why

    leaving = await plane.start_cli("wait", "--for=deleted", "nodes/n1", f"--timeout={60}s")
    await agent.terminate()
    assert (await plane.novasphere("node", "delete", "n1"))[0] == 0
    assert (await ended(leaving))[0] == 0


async def test_a_watch_goes_on_where_the_killed_server_stopped(plane: ControlPlane) -> None:
    await plane.add_agent("n1")
    watching = await plane.start_cli("watch", "commands", "-o", "json", "--output-watch-events")
    assert watching.stdout is not None

    async def row() -> Any:
        return json.loads(await asyncio.wait_for(watching.stdout.readline(), 120))

    async def ends(command_id: str) -> list[str]:
        states = []
        while not states or states[-1] not in {"SUCCEEDED", "FAILED"}:
            event = await row()
            if event["type"] == "BOOKMARK":
                continue
            assert event["object"]["command_id"] == command_id
            states.append(event["object"]["state"])
        return states

    assert (await row())["type"] == "BOOKMARK"
    before = await ends(await run(plane, "true"))
    await plane.restart()
    await plane.node_is("online", "n1")
    after = await ends(await run(plane, "true"))
    assert before[0] == after[0] == "PENDING"
    watching.terminate()
    _, said = await watching.communicate()
    assert said.decode().count("the connection broke") == 1
