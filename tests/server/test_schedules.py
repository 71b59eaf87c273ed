"""Schedules over REST: other names of the policies, errors that name their field, and what namespaces hide."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from novasphere_server.testing import RunningServer

ITEM = "/api/v1/schedules/item"


class Rest:
    """Asks the REST routes as the admin, or as who holds `token`."""

    def __init__(self, server: RunningServer, http: aiohttp.ClientSession) -> None:
        self.server = server
        self.http = http

    async def ask(self, method: str, path: str, body: Any = None, token: str = "") -> tuple[int, Any]:
        headers = {"X-API-Key": token or self.server.admin_token}
        async with self.http.request(method, path, json=body, headers=headers) as answer:
            return answer.status, await answer.json()

    async def job(self, **wanted: Any) -> str:
        wanted = {"name": "nightly", "config": {"command_text": "true"}} | wanted
        status, made = await self.ask("POST", "/api/v1/jobs/item", wanted)
        assert status == 200, made
        return str(made["id"])


@pytest.fixture
async def rest(server: RunningServer) -> AsyncIterator[Rest]:
    async with aiohttp.ClientSession(server.http_url) as http:
        yield Rest(server, http)


@pytest.mark.parametrize(
    ("field", "other", "word"),
    [
        ("overlap_policy", "SERIAL_EXECUTION", "buffer_all"),
        ("overlap_policy", "DISCARD_LATER", "skip"),
        ("overlap_policy", "COVER_EARLY", "cancel_other"),
        ("misfire_policy", "DO_NOTHING", "ignore"),
        ("misfire_policy", "FIRE_ONCE_NOW", "fire_once"),
    ],
)
async def test_policies_go_by_the_names_of_xxl_job_too(rest: Rest, field: str, other: str, word: str):
    wanted = {"job_id": await rest.job(), "kind": "cron", "cron_expression": "0 0 2 * * ?", field: other}
    status, made = await rest.ask("POST", ITEM, wanted)
    assert status == 200, made
    status, schedule = await rest.ask("GET", f"{ITEM}/{made['id']}")
    assert schedule[field] == word


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"kind": "cron", "cron_expression": "0 0 25 * * *"}, "cron_expression"),
        ({"kind": "cron", "cron_expression": "0 0 0 15W * ?"}, "cron_expression"),
        ({"kind": "cron"}, "cron_expression"),
        ({"kind": "cron", "cron_expression": "0 2 * * *", "timezone": "Mars/Olympus"}, "timezone"),
        ({"kind": "interval"}, "interval_secs"),
        ({"kind": "interval", "interval_secs": 0}, "interval_secs"),
        ({"kind": "once"}, "start_time"),
        ({"kind": "interval", "interval_secs": 5, "start_time": "2030-01-02T00:00:00Z",
          "end_time": "2030-01-01T00:00:00Z"}, "start_time"),
        ({"kind": "daemon", "start_time": "2030-01-02T00:00:00Z",
          "end_time": "2030-01-01T00:00:00Z"}, "start_time"),
        ({"kind": "event", "description": "z" * 4097}, "description"),
        ({}, "kind"),
    ],
)  # fmt: skip
async def test_what_cannot_be_names_its_field(rest: Rest, wrong: dict[str, Any], field: str):
    status, refused = await rest.ask("POST", ITEM, {"job_id": await rest.job()} | wrong)
    assert status == 400, refused
    assert field in str(refused), refused
    assert "expression:" not in str(refused).replace("cron_expression:", "")


async def test_a_status_that_contradicts_enabled_is_refused(rest: Rest):
    wanted = {"job_id": await rest.job(), "kind": "event"}
    _, made = await rest.ask("POST", ITEM, wanted)
    path = f"{ITEM}/{made['id']}"
    for status, enabled in ((0, True), (99, True), (1, False), (100, False)):
        said = {"status": status, "enabled": enabled}
        for method, where, body in (("POST", ITEM, wanted | said), ("PUT", path, said)):
            code, refused = await rest.ask(method, where, body)
            assert code == 400, (method, said)
            assert "status: is another name of enabled: give one of them" in str(refused)
    for status, enabled in ((0, False), (99, False), (1, True), (100, True)):
        said = {"status": status, "enabled": enabled}
        assert (await rest.ask("POST", ITEM, wanted | said))[0] == 200
        assert (await rest.ask("PUT", path, said))[0] == 200
        assert (await rest.ask("GET", path))[1]["enabled"] is enabled


async def test_an_empty_time_zone_is_utc(rest: Rest):
    wanted = {"job_id": await rest.job(), "kind": "cron", "cron_expression": "0 2 * * *", "timezone": ""}
    _, made = await rest.ask("POST", ITEM, wanted)
    path = f"{ITEM}/{made['id']}"
    assert (await rest.ask("GET", path))[1]["timezone"] == "UTC"
    for timezone in ("Asia/Tokyo", ""):
        assert (await rest.ask("PUT", path, {"timezone": timezone}))[0] == 200
        assert (await rest.ask("GET", path))[1]["timezone"] == (timezone or "UTC")


async def test_what_a_mask_names_and_a_request_does_not_say_is_as_at_first(rest: Rest):
    wanted = {"job_id": await rest.job(), "kind": "interval", "interval_secs": 60}
    _, first = await rest.ask("POST", ITEM, wanted)
    changed = {"overlap_policy": "allow", "misfire_policy": "ignore", "timezone": "Asia/Tokyo"}
    changed |= {"misfire_window": 5, "priority": 7, "gap_policy": "skip", "fold_policy": "both"}
    path = f"{ITEM}/{first['id']}"
    _, before = await rest.ask("GET", path)
    assert (await rest.ask("PUT", path, changed))[0] == 200
    _, between = await rest.ask("GET", path)
    assert {name: between[name] for name in changed} == changed
    named = [*changed, "misfire_window_seconds"]
    named.remove("misfire_window")
    assert (await rest.ask("PUT", path, {"update_mask": ",".join(named)}))[0] == 200
    _, after = await rest.ask("GET", path)
    assert {name: after[name] for name in changed} == {name: before[name] for name in changed}


async def test_a_schedule_is_explained_in_the_callers_language(rest: Rest):
    _, made = await rest.ask("POST", ITEM, {"job_id": await rest.job(), "kind": "event"})
    path = f"/api/v1/schedules/{made['id']}:explain"
    _, said = await rest.ask("GET", path)
    headers = {"X-API-Key": rest.server.admin_token, "Accept-Language": "zh"}
    async with rest.http.get(path, headers=headers) as answer:
        translated = await answer.json()
    assert said["schedule"]["id"] == made["id"]
    assert said["obstacles"][0]["reason"] == translated["obstacles"][0]["reason"] == "TRIGGER"
    assert (said["summary"], translated["summary"]) == (
        "It has no times of its own: it makes a task whenever it is triggered.",
        "它没有自己的触发时间：每次被触发时创建任务。",
    )


async def test_schedules_of_another_namespace_cannot_be_told_from_none(rest: Rest):
    job_id = await rest.job(namespace_id="theirs")
    _, made = await rest.ask("POST", ITEM, {"job_id": job_id, "kind": "event"})
    _, key = await rest.ask(
        "POST", "/api/v1/keys", {"name": "bound", "scopes": ["read", "write"], "namespaces": ["ours"]}
    )
    there, nowhere = made["id"], "01a20446-82b0-743e-8c68-000000000000"
    for method, path, body in (
        ("GET", "/api/v1/schedules/item/{}", None),
        ("PUT", "/api/v1/schedules/item/{}", {"name": "x"}),
        ("DELETE", "/api/v1/schedules/item/{}", None),
        ("GET", "/api/v1/schedules/{}/firings", None),
        ("GET", "/api/v1/schedules/{}:preview", None),
        ("GET", "/api/v1/schedules/{}:explain", None),
        ("POST", "/api/v1/schedules/{}:trigger", {}),
        ("POST", "/api/v1/schedules/{}:pause", {}),
    ):
        found = [
            (await rest.ask(method, path.format(each), body, key["key"]))[0] for each in (there, nowhere)
        ]
        assert found == [403, 403], (method, path)
    status, page = await rest.ask("POST", "/api/v1/schedules/page", {}, key["key"])
    assert (status, page["total"]) == (200, 0)


async def test_tasks_and_attempts_of_another_namespace_cannot_be_told_from_none(rest: Rest):
    job_id = await rest.job(
        namespace_id="theirs", config={"command_text": "true", "labels": {"no": "where"}}
    )
    _, task = await rest.ask("POST", f"/api/v1/jobs/{job_id}:trigger", {})
    _, page = await rest.ask("POST", "/api/v1/task-instances/page", {})
    _, key = await rest.ask(
        "POST", "/api/v1/keys", {"name": "bound", "scopes": ["read", "write"], "namespaces": ["ours"]}
    )
    nowhere = "01a20446-82b0-743e-8c68-000000000000"
    for path, there in (("tasks", task["id"]), ("task-instances", page["data"][0]["id"])):
        said = [
            (await rest.ask("GET", f"/api/v1/{path}/item/{each}", None, key["key"]))[0]
            for each in (there, nowhere)
        ]
        assert said == [403, 403], path
    assert (await rest.ask("GET", f"/api/v1/task-instances/item/{nowhere}"))[0] == 404
