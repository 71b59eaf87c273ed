"""What the published APIs print for people to run, as they print it, against `novasphere up` and its agent.

Nothing of a sample is changed but the host and the token.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from processes import TOKEN, ControlPlane, control_plane, eventually

DATA = Path(__file__).parent / "data"


def samples(file: str, language: str, **replaced: str) -> str:
    """Returns the samples of a language in a file, with the texts replaced that `replaced` names."""
    text = (DATA / file).read_text()
    found = "\n".join(
        block.removeprefix(language) for block in text.split("```")[1::2] if block.startswith(language)
    )
    assert found, f"{file} has no {language}"
    for old, new in replaced.items():
        assert old in text, old
        found = found.replace(old, new)
    return found


async def run(*command: str) -> str:
    """Returns what a program printed, which must succeed."""
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, said = await asyncio.wait_for(process.communicate(), 120)
    assert process.returncode == 0, said.decode()
    return out.decode()


def values(printed: str) -> list[Any]:
    """Returns the JSON values that were printed one after the other."""
    decoder, found, printed = json.JSONDecoder(), [], printed.strip()
    while printed:
        value, end = decoder.raw_decode(printed)
        found.append(value)
        printed = printed[end:].lstrip()
    return found


async def has_an_agent(plane: ControlPlane) -> None:
    async def is_online() -> bool:
        return bool((await plane.rest("GET", "/api/v1/nodes?status=online"))["data"]["total"])

    await eventually(is_online)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def plane(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ControlPlane]:
    async with control_plane(tmp_path_factory.mktemp("up"), command="up") as plane:
        await has_an_agent(plane)
        yield plane


pytestmark = pytest.mark.asyncio(loop_scope="module")


async def outcome(plane: ControlPlane, job_id: str) -> dict[str, Any]:
    """Returns how the first attempt of a job ended that is started once."""
    await plane.rest("POST", f"/api/v1/jobs/{job_id}:trigger", {})
    asked = {"filter": {"job_id": {"eq": job_id}}, "page": {"order_by": ["attempt"]}}

    async def ended() -> Any:
        rows = (await plane.rest("POST", "/api/v1/task-instances/page", asked))["data"]
        return rows[0] if rows and rows[0]["completed_at"] else None

    return dict(await eventually(ended))


async def test_the_jobs_of_curl_run(plane: ControlPlane) -> None:
    shell = samples(
        "schedules_face_samples.md", "bash", **{"http://localhost:8080": plane.url, "<token>": TOKEN}
    )
    made, page = values(await run("bash", "-ec", shell))
    assert list(made) == ["id"]
    assert {row["id"]: row["name"] for row in page["data"]}[made["id"]] == "test-job"
    assert (page["page"], page["page_size"], page["total"]) == (1, 10, len(page["data"]))
    attempt = await outcome(plane, made["id"])
    assert (attempt["status"], attempt["exit_code"], attempt["output"]) == (
        "succeeded",
        0,
        "Hello World\n",
    )


async def test_the_jobs_of_python_run(plane: ControlPlane) -> None:
    replaced = {"http://localhost:8080": plane.url, "your-jwt-token": TOKEN}
    program = samples("schedules_face_samples.md", "python", **replaced)
    program += "\nprint(json.dumps([create_job(), query_jobs()]))\n"
    made, page = json.loads(await run(sys.executable, "-c", program))
    assert {row["id"]: row["name"] for row in page["data"]}[made["id"]] == "python-job"
    assert page["page_size"] == 10
    # Nobody has the script that it names, and Python says so.
    attempt = await outcome(plane, made["id"])
    assert (attempt["status"], attempt["exit_code"]) == ("failed", 2)
    assert "script.py" in attempt["output"]


async def test_the_task_of_curl_runs_on_a_server_that_asks_for_no_credential(tmp_path: Path) -> None:
    async with control_plane(tmp_path, "--no-auth", command="up") as plane:
        await has_an_agent(plane)
        shell = samples("device_tasks_face_samples.md", "bash", **{"http://localhost:8081": plane.url})
        [made] = values(await run("bash", "-ec", shell))
        assert made["status"] == "success"

        async def ended() -> Any:
            path = f"{plane.url}/api/v1/tasks/{made['data']['task_id']}"
            async with aiohttp.ClientSession() as http, http.get(path) as answer:
                task = (await answer.json())["data"]["task"]
                return task if task["completed_at"] else None

        task = await eventually(ended)
        assert task["result"] == {"output": "Hello World", "exit_code": 0}
        assert task["device_id"]
