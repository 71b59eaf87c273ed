"""What the routes of work have in common: a path that leads nowhere says so first, and a version can be kept."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from novasphere_server.testing import RunningServer
from rest import Rest

NOWHERE = "01890000-0000-7000-8000-000000000000"
WRONG = {"nonsense": 1}


@pytest.fixture
async def rest(server: RunningServer) -> AsyncIterator[Rest]:
    async with aiohttp.ClientSession(server.http_url) as http:
        yield Rest(server, http)


MISPLACED: list[tuple[str, str, Any]] = [
    ("PUT", "schedules/item/{}", WRONG),
    ("POST", "schedules/{}:pause", WRONG),
    ("POST", "schedules/{}:backfill", WRONG),
    ("GET", "schedules/{}:preview?count=-1", None),
    ("GET", "schedules/{}/firings?page_token=none", None),
    ("POST", "tasks/{}:cancel", WRONG),
    ("POST", "tasks/task-01890000000070008000000000000000/retry", WRONG),
    ("DELETE", "tasks/task-01890000000070008000000000000000?nonsense=1", None),
    ("GET", "tasks/item/{}?nonsense=1", None),
    ("GET", "task-instances/item/{}?nonsense=1", None),
    ("PUT", "jobs/item/{}", WRONG),
]


async def test_that_a_path_leads_nowhere_comes_before_what_is_wrong_with_the_rest(rest: Rest):
    for method, path, body in MISPLACED:
        status, refused = await rest.ask(method, "/api/v1/" + path.format(NOWHERE), body)
        assert status == 404, (method, path, refused)


async def test_every_resource_that_is_promised_to_have_a_version_has_one(rest: Rest):
    _, document = await rest.ask("GET", "/openapi.json")
    promised = {
        path
        for path, each in document["paths"].items()
        if "304" in each.get("get", {}).get("responses", ())
    }
    _, agent = await rest.ask("POST", "/api/v1/agents/create", {"name": "n1"})
    _, made = await rest.ask(
        "POST", "/api/v1/tasks:batch", {"tasks": [{"config": {"command_text": "true"}}]}
    )
    [task_id] = made["ids"]
    run = task_id.replace("-", "")
    _, key = await rest.ask("POST", "/api/v1/keys", {"name": "k", "scopes": ["read"]})
    path = await schedule(rest, kind="event")
    _, own = await rest.ask("GET", path)
    paths = {
        "/api/v1/agents/{agent_id}": f"/api/v1/agents/{agent['id']}",
        "/api/v1/commands/{command_id}": f"/api/v1/commands/cmd-{run}",
        "/api/v1/jobs/item/{job_id}": f"/api/v1/jobs/item/{own['job_id']}",
        "/api/v1/keys/{key_id}": f"/api/v1/keys/{key['key_id']}",
        "/api/v1/nodes/{node_id}": "/api/v1/nodes/n1",
        "/api/v1/schedules/item/{schedule_id}": path,
        "/api/v1/tasks/item/{task_id}": f"/api/v1/tasks/item/{task_id}",
        "/api/v1/tasks/{task_id}": f"/api/v1/tasks/task-{run}",
    }
    assert promised == paths.keys()
    for path in paths.values():
        status, body = await rest.ask("GET", path)
        assert status == 200, body
        known = {"X-API-Key": rest.server.admin_token, "If-None-Match": rest.headers["ETag"]}
        async with rest.http.get(path, headers=known) as answer:
            assert answer.status == 304, path


async def schedule(rest: Rest, **timing: Any) -> str:
    """Makes a schedule and returns its path."""
    wanted = {"name": str(timing), "config": {"command_text": "true"}}
    _, job = await rest.ask("POST", "/api/v1/jobs/item", wanted)
    _, made = await rest.ask("POST", "/api/v1/schedules/item", {"job_id": job["id"]} | timing)
    return f"/api/v1/schedules/item/{made['id']}"


async def test_a_schedule_that_stands_where_it_stood_is_not_sent_again(rest: Rest):
    path = await schedule(rest, kind="event")
    await rest.ask("GET", path)
    known = {"X-API-Key": rest.server.admin_token, "If-None-Match": rest.headers["ETag"]}
    async with rest.http.get(path, headers=known) as answer:
        assert answer.status == 304


async def test_a_schedule_whose_job_is_disabled_is_sent_again_as_it_has_no_next_time(rest: Rest):
    path = await schedule(rest, kind="cron", cron_expression="0 0 0 1 1 *")
    _, before = await rest.ask("GET", path)
    known = {"X-API-Key": rest.server.admin_token, "If-None-Match": rest.headers["ETag"]}
    assert (await rest.ask("POST", f"/api/v1/jobs/item/{before['job_id']}/disable"))[0] == 200
    async with rest.http.get(path, headers=known) as answer:
        assert (answer.status, (await answer.json())["next_run_at"]) == (200, None)


async def test_a_schedule_that_moved_on_is_sent_again_and_may_be_changed_by_who_read_it(rest: Rest):
    path = await schedule(rest, kind="interval", interval_secs=1, overlap_policy="allow")
    _, before = await rest.ask("GET", path)
    etag = rest.headers["ETag"]
    async with asyncio.timeout(60):
        after = before
        while after["fired_count"] == before["fired_count"]:
            await asyncio.sleep(0.1)
            _, after = await rest.ask("GET", path)
    assert rest.headers["ETag"] != etag
    assert after["revision"] == before["revision"]
    assert (await rest.ask("PUT", path, {"priority": 3}, If_Match=etag))[0] == 200
    assert (await rest.ask("PUT", path, {"priority": 4}, If_Match=etag))[0] == 412
