"""The tour of docs/work.md, run as it is printed there, against a real server and a real agent."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import pytest
from processes import TOKEN, ControlPlane, eventually

PAGE = Path(__file__).parents[2] / "docs" / "work.md"
Run = Callable[[str], Awaitable[str]]
PROGRAM = f'novasphere() {{ "{sys.executable}" -m novasphere_client "$@"; }}\n'


def commands(begin: str) -> str:
    """Returns the commands of the page that come after a pattern."""
    (found,) = re.findall(rf"{begin}(.*?)```\n", PAGE.read_text(), re.DOTALL)
    return str(found)


TOUR = commands("<!-- tests/e2e/test_tour.py [^\n]*-->\n```\n")
CLEARING_UP = commands("To clear up[^`]*```\n")


@pytest.fixture
async def run(plane: ControlPlane, tmp_path: Path) -> AsyncIterator[Run]:
    """Runs commands of the page, and clears up as it says."""
    environment = os.environ | {"NOVASPHERE_SERVER": plane.address, "NOVASPHERE_TOKEN": TOKEN}

    async def run_one(lines: str) -> str:
        process = await asyncio.create_subprocess_exec(
            "bash", "-c", f"set -eux\n{PROGRAM}{lines}", cwd=tmp_path, env=environment,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        try:
            out, err = await asyncio.wait_for(process.communicate(), 240)
        except TimeoutError:
            process.kill()
            raise
        assert process.returncode == 0, err.decode()
        return out.decode()

    yield run_one
    with suppress(AssertionError):  # where the test itself did so
        await run_one(CLEARING_UP)  # for what attempts run outlives the agent


async def test_the_tour_shows_what_it_says(plane: ControlPlane, run: Run) -> None:
    await plane.add_agent("n1")
    printed = await run(f"{TOUR}echo IDS $FLAKY $SLOW $SECOND $THIRD $KEPT\n")
    flaky, slow, second, third, kept = printed.splitlines()[-1].split()[1:]

    # In the client's words.
    assert f"task {flaky}: failed\n- It ended as FAILED: exit code 3." in printed
    assert re.search(rf"task {slow}: timed out\n- It ended as TIMED_OUT: killed because", printed)
    assert f"task {second}: succeeded\n- It succeeded on n1." in printed
    assert f"task {third}: cancelled\n- It ended as CANCELLED: task {flaky}" in printed
    assert "\ntwo\n" in printed
    assert re.search(r"^schedule always .*: active\n- Its task \S+ (runs|waits)", printed, re.MULTILINE)

    # In the page endpoints, as the published API has it.
    async def page(path: str, **filters: object) -> list[dict[str, object]]:
        body = {"filter": {name: {"eq": value} for name, value in filters.items()}}
        answer = await plane.rest(
            "POST", path, body | {"page": {"page_size": 50, "order_by": ["created_at"]}}
        )
        return list(answer["data"])

    attempts = await page("/api/v1/task-instances/page", task_id=flaky)
    assert [(one["status"], one["exit_code"]) for one in attempts] == [("failed", 3)] * 3
    [attempt] = await page("/api/v1/task-instances/page", task_id=slow)
    assert (attempt["status"], attempt["exit_code"]) == ("timeout", None)
    assert [one["status"] for one in await page("/api/v1/tasks/page", id=third)] == ["cancelled"]
    schedules = {one["name"]: one for one in await page("/api/v1/schedules/page")}
    ticks = await page("/api/v1/tasks/page", schedule_id=schedules["every-2s"]["id"])
    times = [str(one["scheduled_at"]) for one in ticks]
    assert len(times) >= 3
    assert len(set(times)) == len(times)
    assert all(int(time[-3:-1]) % 2 == 0 for time in times)
    always = schedules["always"]
    assert always["kind"] == "daemon"

    async def daemons() -> list[tuple[object, object]]:
        rows = await page("/api/v1/tasks/page", schedule_id=always["id"])
        found = [(one["id"] == kept, one["status"]) for one in rows]
        return found if found[-1][1] == "running" else []

    assert await eventually(daemons) == [(True, "cancelled"), (False, "running")]
    await run(CLEARING_UP)
