"""UUIDs in upper case mean what they mean in lower case."""

from __future__ import annotations

import json
from typing import Any

import aiohttp
import pytest
from novasphere_server.testing import RunningServer

API = "/api/v1"


@pytest.fixture
async def made(server: RunningServer) -> dict[str, str]:
    """Returns the ids of a job, a schedule of it, a task of that and the task's attempt."""
    headers = {"X-API-Key": server.admin_token}
    async with aiohttp.ClientSession(server.http_url, headers=headers) as http:

        async def post(path: str, body: Any) -> Any:
            async with http.post(f"{API}/{path}", json=body) as answer:
                assert answer.status == 200, await answer.text()
                return await answer.json()

        config = {"command_text": "true", "labels": {"zone": "nowhere"}}
        job = (await post("jobs/item", {"name": "nightly", "config": config}))["id"]
        schedule = (await post("schedules/item", {"job_id": job.upper(), "kind": "event"}))["id"]
        task = (await post(f"schedules/{schedule.upper()}:trigger", {}))["id"]
        [instance] = (await post("task-instances/page", {}))["data"]
    return {"job": job, "schedule": schedule, "task": task, "instance": instance["id"]}


async def test_one_of_them_is_found_by_its_id_in_upper_case(server: RunningServer, made: dict[str, str]):
    headers = {"X-API-Key": server.admin_token}
    digits = made["task"].replace("-", "").upper()
    asked = [
        ("GET", "jobs/item/{job}"),
        ("GET", "schedules/item/{schedule}"),
        ("GET", "schedules/{schedule}/firings"),
        ("GET", "schedules/{schedule}:explain"),
        ("GET", "schedules/{schedule}:preview"),
        ("GET", "tasks/item/{task}"),
        ("GET", "task-instances/item/{instance}"),
        ("GET", f"tasks/task-{digits}"),
        ("GET", f"commands/cmd-{digits}"),
        ("POST", "jobs/item/{job}/disable"),
        ("POST", "jobs/item/{job}/enable"),
        ("POST", "schedules/item/{schedule}/disable"),
        ("POST", "schedules/item/{schedule}/enable"),
        ("DELETE", "schedules/item/{schedule}"),
        ("DELETE", "jobs/item/{job}"),
    ]
    upper = {kind: each.upper() for kind, each in made.items()}
    async with aiohttp.ClientSession(server.http_url, headers=headers) as http:
        for method, path in asked:
            body = {} if method == "POST" else None
            async with http.request(method, f"{API}/{path.format_map(upper)}", json=body) as answer:
                assert answer.status == 200, (method, path, await answer.text())


@pytest.mark.parametrize(
    ("page", "field", "kind"),
    [
        ("jobs", "id", "job"),
        ("schedules", "id", "schedule"),
        ("schedules", "job_id", "job"),
        ("tasks", "id", "task"),
        ("tasks", "job_id", "job"),
        ("tasks", "schedule_id", "schedule"),
        ("task-instances", "id", "instance"),
        ("task-instances", "task_id", "task"),
        ("task-instances", "job_id", "job"),
    ],
)
async def test_filters_match_ids_in_upper_case(
    server: RunningServer, made: dict[str, str], page: str, field: str, kind: str
):
    asked = {"filter": {field: {"eq": made[kind].upper()}}}
    headers = {"X-API-Key": server.admin_token}
    async with (
        aiohttp.ClientSession(server.http_url, headers=headers) as http,
        http.post(f"{API}/{page}/page", json=asked) as answer,
    ):
        assert (await answer.json())["total"] == 1, json.dumps(asked)
