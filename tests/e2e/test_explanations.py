"""Explanations of commands as clients get them: over REST, over gRPC and on the command line."""

from __future__ import annotations

from typing import Any

import grpc
import pytest
from novasphere.node.v1 import command_explanation_pb2 as why
from processes import ControlPlane, eventually


async def create(plane: ControlPlane, text: str, **fields: Any) -> str:
    body = {"command_text": text} | fields
    answer = await plane.rest("POST", "/api/v1/nodes/n1/commands", body)
    return str(answer["data"]["command_id"])


async def explain(plane: ControlPlane, command_id: str, *wanted: str) -> Any:
    """Returns the explanation once its causes are those that are wanted."""

    async def explained() -> Any:
        found = await plane.rest("GET", f"/api/v1/commands/{command_id}:explain")
        return found if tuple(one["cause"] for one in found["explanations"]) == wanted else None

    return await eventually(explained)


async def test_a_queue_a_cancel_an_absence_and_an_end_are_explained(plane: ControlPlane) -> None:
    agent = await plane.add_agent("n1", "--capacity", "1")
    # Dies when the test says so.
    may_end = plane.folder / "may end"
    text = f"trap '' TERM; echo hi; until [ -e '{may_end}' ]; do sleep 0.1; done"
    running = await create(plane, text, timeout=600)
    second = await create(plane, "true")
    third = await create(plane, "true", queue_timeout=500)

    found = await explain(plane, running, "RUNNING")
    assert found["command"]["state"] == "RUNNING"
    assert found["node"]["connection"] == "ONLINE"
    assert found["since"] < found["until"]
    found = await explain(plane, third, "NO_FREE_SLOT")
    assert found["queue"] == {
        "running_count": 1,
        "ahead_count": 1,
        "ahead_command_ids": [second],
    }
    assert (found["node"]["capacity"], found["node"]["free_slots"]) == (1, 0)
    assert found["explanations"][0]["message"].startswith("n1 takes no more work now")
    chinese = await plane.rest(
        "GET", f"/api/v1/commands/{third}:explain", **{"Accept-Language": "zh-CN,zh;q=0.9,en;q=0.5"}
    )
    assert "n1 目前不再接收工作" in chinese["explanations"][0]["message"]

    code, stdout, stderr = await plane.novasphere("command", "explain", third)
    assert (code, stderr) == (0, "")
    first, *rest = stdout.splitlines()
    assert first.startswith(f"command {third} on n1: pending (for ")
    assert first.endswith(("s left)", "m left)"))
    assert rest[0].startswith("- n1 takes no more work now: it has 1 of at most 1 commands")
    assert rest[-1] == f"first come: {second}"
    code, stdout, _ = await plane.novasphere("command", "explain", third, "-o", "json")
    assert code == 0
    assert '"cause": "NO_FREE_SLOT"' in stdout

    await plane.rest("POST", f"/api/v1/commands/{running}:cancel", {"grace_seconds": 300})
    found = await explain(plane, running, "CANCELLING", "RUNNING")
    assert found["explanations"][0]["message"].startswith("admin asked for it to be cancelled")
    assert found["explanations"][0]["since"] == found["command"]["cancel_requested_at"]

    await agent.kill()
    found = await explain(plane, running, "NODE_AWAY", "CANCELLING", "RUNNING")
    assert found["node"]["lost_at"] == found["explanations"][0]["until"]
    assert "free_slots" not in found["node"]
    await explain(plane, third, "NODE_AWAY")

    await agent.start()
    await explain(plane, third, "NO_FREE_SLOT")
    async with plane.client() as client:
        assert (await client.commands.cancel(third)).cancel_requested_by == "admin"
        ended = await client.commands.explain(third)
        assert [one.cause for one in ended.explanations] == [why.COMMAND_CAUSE_CANCELLED]
        assert ended.explanations[0].message.startswith("admin cancelled it")
    await plane.rest("POST", f"/api/v1/commands/{second}:cancel", {})
    may_end.touch()
    await explain(plane, running, "CANCELLED")


async def test_a_command_that_is_not_there_is_not_explained(plane: ControlPlane) -> None:
    missing = await plane.rest("GET", "/api/v1/commands/cmd-none:explain", status=404)
    assert missing["code"] == "COMMAND_NOT_FOUND"
    code, stdout, stderr = await plane.novasphere("command", "explain", "cmd-none")
    assert (code, stdout) == (1, "")
    assert "'cmd-none' does not exist" in stderr
    async with plane.client() as client:
        with pytest.raises(Exception, match="does not exist") as refused:
            await client.commands.explain("cmd-none")
        assert refused.value.code == grpc.StatusCode.NOT_FOUND.name
