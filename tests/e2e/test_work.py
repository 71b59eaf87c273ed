"""Work through the command line, with a real agent: a schedule, retries, dependencies, output, a wait."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from processes import ControlPlane, eventually

FILE = """
kind: Job
name: tick
config: {cmd: bash, args: [-c, echo tick]}
---
kind: Schedule
job: tick
name: every-second
interval_secs: 1
"""


async def test_work_is_scheduled_tried_again_and_followed(plane: ControlPlane, tmp_path: Path) -> None:
    await plane.add_agent("n1")

    async def done(*arguments: str) -> str:
        code, out, said = await plane.novasphere(*arguments)
        assert code == 0, said
        return out.strip()

    file = tmp_path / "work.yaml"
    file.write_text(FILE)
    await done("apply", "-f", str(file))

    # The second attempt prints less than the first had: its output begins at its own beginning.
    seen, first = tmp_path / "seen", tmp_path / "first"
    line = (
        f'echo out; test -e {first} && exit 0; touch {first}; echo "a long line" >&2; '
        f"while ! test -e {seen}; do sleep 0.1; done; exit 3"
    )
    retried = await done("task", "submit", "--retries", "1", "--retry-interval", "1s", "--", line)
    last = await done(
        "task", "submit", "--type", "echo", "--payload", '{"message": "hi"}', "--after", retried
    )
    following = await plane.start_cli("task", "logs", "-f", retried)
    assert following.stdout is not None
    assert await asyncio.wait_for(following.stdout.readline(), 120) == b"out\n"
    seen.touch()
    out, err = await asyncio.wait_for(following.communicate(), 120)
    assert (following.returncode, out, err) == (0, b"out\n", b"a long line\n")
    await done("wait", "--for=succeeded", f"tasks/{retried}", f"tasks/{last}", "--timeout", "60s")
    assert await done("task", "logs", last) == "hi"
    attempts = json.loads(
        await done("instance", "list", "--task", retried, "--sort-by", "attempt", "-o", "json")
    )["data"]
    assert [(one["attempt"], one["exit_code"], one["agent_id"]) for one in attempts] == [
        (1, 3, "n1"),
        (2, 0, "n1"),
    ]
    assert "Retries:    1 of 1" in await done("task", "describe", retried)
    assert "a long line" in await done("instance", "describe", attempts[0]["id"])

    async def fired() -> list[str]:
        rows = json.loads(await done("schedule", "firings", "every-second", "-o", "json"))["firings"]
        tasks = [row["task_id"] for row in rows if row["disposition"] == "FIRED"]
        return tasks if len(tasks) >= 2 else []

    tasks = await eventually(fired, within=120)
    await done("schedule", "pause", "every-second", "--note", "enough")
    assert "enough" in await done("schedule", "describe", "every-second")
    await done("wait", "--for=succeeded", f"tasks/{tasks[0]}")
    assert await done("task", "logs", tasks[0]) == "tick"
    running = await done("task", "submit", "--", "sleep 600")
    await done("wait", "--for=state=running", f"tasks/{running}", "--timeout", "60s")
    await done("task", "cancel", running, "--wait")
    await done("wait", "--for=state=cancelled", f"tasks/{running}")
