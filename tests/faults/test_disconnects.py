"""What becomes of real work whose machine is cut off, whose agent is killed, whose machine starts anew. All policies
by all faults, on scripted agents: tests/fleet/test_disconnects.py.
"""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from networks import Network
from processes import TOKEN, ControlPlane, control_plane, eventually, is_alive

pytestmark = [pytest.mark.fault, pytest.mark.timeout(600)]

SOON = {
    "NOVASPHERE_FLEET_HEARTBEAT_INTERVAL": "1.0",
    "NOVASPHERE_FLEET_SILENCE_LIMIT": "2.0",
    "NOVASPHERE_FLEET_PRESENCE_PERIOD": "0.5",
}


async def submit(plane: ControlPlane, text: str, **config: Any) -> str:
    """Submits a task that runs on node-001 or, where that is gone, elsewhere. Returns its id."""
    new = {"config": {"command_text": text, "labels": {"kind": "worker"}, **config}}
    [task_id] = (await plane.rest("POST", "/api/v1/tasks:batch", {"tasks": [new]}))["ids"]
    return str(task_id)


async def task_is(plane: ControlPlane, task_id: str, wanted: str, within: float = 120) -> dict[str, Any]:
    async def check() -> Any:
        task = await plane.rest("GET", f"/api/v1/tasks/item/{task_id}")
        return task if task["status"] == wanted else None

    return await eventually(check, within=within)


async def instances(plane: ControlPlane, task_id: str) -> list[dict[str, Any]]:
    body = {"filter": {"task_id": {"eq": task_id}}, "page": {"page": 1, "page_size": 10}}
    found = (await plane.rest("POST", "/api/v1/task-instances/page", body))["data"]
    return sorted(found, key=lambda each: each["attempt"])


async def output_of(plane: ControlPlane, task_id: str, attempt: int) -> str:
    headers = {"Authorization": f"Bearer {TOKEN}", "Accept": "text/plain"}
    url = f"{plane.url}/api/v1/tasks/{task_id}/output?attempt={attempt}"
    async with aiohttp.ClientSession(headers=headers) as http, http.get(url) as answer:
        assert answer.status == 200, await answer.text()
        return await answer.text()


async def pids(folder: Path, count: int) -> list[int]:
    """Waits until so many attempts have said who they are."""

    async def check() -> Any:
        found = [path.read_text().split() for path in sorted(folder.glob("pid.*"))]
        return [int(each[0]) for each in found] if len(found) >= count and all(found) else None

    return await eventually(check, within=120)


def says_who(folder: Path) -> str:
    """A command that notes its pid, and goes on until the test makes a file."""
    return f"echo $$ > {folder}/pid.$$; until [ -e {folder}/end ]; do sleep 0.05; done; exit 0"


async def worker(plane: ControlPlane, name: str, **more: Any) -> None:
    await plane.add_agent(name, "--label", "kind=worker", **more)


async def test_what_was_cut_off_is_replaced_and_killed_when_it_is_back(
    tmp_path: Path, network: Network
) -> None:
    async with control_plane(tmp_path, grpc_host=network.server_address, **SOON) as plane:
        await worker(plane, "node-001", inside=network.agent_side)
        prints = "i=0; while :; do echo line $i; i=$((i+1)); sleep 0.2; done & "
        task_id = await submit(plane, prints + says_who(tmp_path), on_disconnect="replace", lost_after=3)
        [first] = await pids(tmp_path, 1)
        await task_is(plane, task_id, "running")
        await worker(plane, "node-002")
        network.cut()
        try:
            await pids(tmp_path, 2)
            task = await task_is(plane, task_id, "running")
            assert (task["retry_count"], task["replacement_count"]) == (0, 1)
            assert is_alive(first)
        finally:
            network.heal()

        async def is_killed() -> bool:
            return not is_alive(first)

        await eventually(is_killed, within=120)

        async def is_told() -> bool:
            return bool((await instances(plane, task_id))[0].get("late_report"))

        await eventually(is_told, within=60)
        lines = (await output_of(plane, task_id, attempt=1)).split("\n")
        assert lines[-1] == ""
        assert lines[:-1] == [f"line {number}" for number in range(len(lines) - 1)]
        assert len(lines) > 15, "what it printed while it was cut off is not there"
        (tmp_path / "end").touch()
        await task_is(plane, task_id, "succeeded")
        ends = [(each["agent_id"], each["reason"]) for each in await instances(plane, task_id)]
        assert ends == [("node-001", "LOST"), ("node-002", "")]


async def test_what_must_stop_is_dead_before_it_counts_as_lost(tmp_path: Path) -> None:
    async with control_plane(tmp_path, **SOON) as plane:
        await worker(plane, "node-001")
        task_id = await submit(plane, says_who(tmp_path), on_disconnect="stop", lost_after=15)
        [pid] = await pids(tmp_path, 1)
        await task_is(plane, task_id, "running")
        await plane.agents["node-001"].kill()

        async def is_killed() -> bool:
            return not is_alive(pid)

        await eventually(is_killed, within=60)
        assert (await plane.rest("GET", f"/api/v1/tasks/item/{task_id}"))["status"] == "running"
        task = await task_is(plane, task_id, "failed")
        assert task["reason"] == "LOST"


async def test_what_may_wait_goes_on_under_an_agent_that_was_killed(tmp_path: Path) -> None:
    async with control_plane(tmp_path, **SOON) as plane:
        await worker(plane, "node-001")
        task_id = await submit(plane, says_who(tmp_path), on_disconnect="keep_waiting", lost_after=300)
        [pid] = await pids(tmp_path, 1)
        await task_is(plane, task_id, "running")
        await plane.agents["node-001"].kill()
        (tmp_path / "end").touch()

        async def is_over() -> bool:
            return not is_alive(pid)

        await eventually(is_over, within=60)
        await plane.agents["node-001"].start()
        task = await task_is(plane, task_id, "succeeded")
        assert (task["retry_count"], len(await instances(plane, task_id))) == (0, 1)


async def test_what_a_restarted_machine_ran_is_unknown_and_retried_where_it_may(tmp_path: Path) -> None:
    async with control_plane(tmp_path, **SOON) as plane:
        await worker(plane, "node-001")
        task_id = await submit(
            plane,
            says_who(tmp_path),
            on_disconnect="replace",
            lost_after=300,
            max_retries=1,
            retry_lost=True,
            retry_interval=0,
        )
        [pid] = await pids(tmp_path, 1)
        await task_is(plane, task_id, "running")
        await plane.agents["node-001"].kill()
        # As a power cut leaves it: nothing runs, and the boot that the agent began it in is over.
        [directory] = (tmp_path / "node-001" / "attempts").iterdir()
        os.kill(json.loads((directory / "process.json").read_text())["pid"], signal.SIGKILL)
        os.kill(pid, signal.SIGKILL)
        intent = json.loads((directory / "intent.json").read_text())
        (directory / "intent.json").write_text(json.dumps(intent | {"boot_id": "before"}))
        (directory / "exit.json").unlink(missing_ok=True)
        await plane.agents["node-001"].start()
        await pids(tmp_path, 2)
        (tmp_path / "end").touch()
        task = await task_is(plane, task_id, "succeeded")
        assert (task["retry_count"], task["replacement_count"]) == (1, 0)
        assert [each["reason"] for each in await instances(plane, task_id)] == ["UNKNOWN", ""]
