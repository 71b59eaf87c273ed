"""Routes of tasks that no published API has: why one stands as it does, and what its attempts printed."""

from __future__ import annotations

from typing import Any

import aiohttp
from novasphere_server.testing import RunningServer

NEW = {"config": {"command_text": "true", "labels": {"zone": "nowhere"}}}


async def test_a_waiting_task_is_explained_in_the_callers_language_and_has_no_output(
    server: RunningServer,
):
    headers = {"X-API-Key": server.admin_token}
    async with aiohttp.ClientSession(server.http_url, headers=headers) as http:
        async with http.post("/api/v1/tasks:batch", json={"tasks": [NEW]}) as answer:
            [task_id] = (await answer.json())["ids"]
        said = {}
        for language in ("en", "zh"):
            headers = {"Accept-Language": language}
            async with http.get(f"/api/v1/tasks/{task_id}:explain", headers=headers) as answer:
                assert answer.status == 200, await answer.text()
                said[language] = await answer.json()
        for spelled in (task_id, f"cmd-{task_id.replace('-', '')}"):
            async with http.get(f"/api/v1/tasks/{spelled}/output") as answer:
                assert (answer.status, answer.content_type) == (200, "text/event-stream")
                assert "event: END" in await answer.text()
        async with http.get("/api/v1/tasks/nothing:explain") as answer:
            assert (answer.status, (await answer.json())["code"]) == (404, "TASK_NOT_FOUND")
    assert said["en"]["task"]["id"] == task_id
    [english], [chinese] = (said[language]["obstacles"] for language in ("en", "zh"))
    assert english["reason"] == chinese["reason"] == "NO_AGENT"
    assert (english["message"], chinese["message"]) == (
        "There is no node that could run it.",
        "没有可执行它的节点。",
    )
    assert english["until"] > english["since"]


async def test_a_job_is_triggered_with_what_it_is_given_unless_it_is_disabled(server: RunningServer):
    headers = {"X-API-Key": server.admin_token}
    async with aiohttp.ClientSession(server.http_url, headers=headers) as http:

        async def ask(path: str, body: Any, **headers: str) -> tuple[int, Any]:
            async with http.post(path, json=body, headers=headers) as answer:
                return answer.status, await answer.json()

        config = {"command_text": "true", "labels": {"zone": "nowhere"}}
        job = {"name": "nightly", "config": config, "environment": {"A": "1"}}
        _, made = await ask("/api/v1/jobs/item", job)
        path = f"/api/v1/jobs/{made['id']}:trigger"
        key = {"Idempotency-Key": "once"}
        parameters = {"day": 3, "beyond 64 bits": 2**70, "below": -(2**64) - 1, "fraction": 0.1}
        status, task = await ask(path, {"parameters": parameters, "priority": 7}, **key)
        assert status == 200, task
        assert await ask(path, {"parameters": parameters, "priority": 7}, **key) == (200, task)
        assert (task["job_id"], task["schedule_kind"], task["priority"]) == (made["id"], "event", 7)
        assert (task["parameters"], task["environment"]) == (parameters, {"A": "1"})
        assert task["config"]["command_text"] == "true"
        for dependency in ({"task_id": task["id"]}, task["id"]):
            _, after = await ask(path, {"dependencies": [dependency]})
            async with http.get(f"/api/v1/tasks/{after['id']}:explain") as answer:
                [obstacle] = (await answer.json())["obstacles"]
            assert (obstacle["reason"], obstacle["subject"]) == ("DEPENDENCY", task["id"])
        status, refused = await ask(path, {"dependencies": [task["id"], 7]})
        assert (status, refused["violations"][0]["field"]) == (400, "dependencies[1]")
        _, batch = await ask("/api/v1/tasks:batch", {"tasks": [{"job_id": made["id"]}]})
        async with http.get(f"/api/v1/tasks/item/{batch['ids'][0]}") as answer:
            assert (await answer.json())["job_id"] == made["id"]
        both = {"tasks": [{"job_id": made["id"], "config": config}]}
        assert (await ask("/api/v1/tasks:batch", both))[0] == 400

        await ask(f"/api/v1/jobs/item/{made['id']}/disable", {})
        status, refusal = await ask(path, {})
        assert (status, refusal["code"]) == (409, "JOB_DISABLED")
        status, refusal = await ask("/api/v1/tasks:batch", {"tasks": [{"job_id": made["id"]}]})
        assert (status, refusal["code"]) == (409, "JOB_DISABLED")
        status, refusal = await ask("/api/v1/jobs/nothing:trigger", {})
        assert (status, refusal["code"]) == (404, "JOB_NOT_FOUND")


async def test_more_than_any_machine_has_is_refused(server: RunningServer):
    headers = {"X-API-Key": server.admin_token}
    config = {"command_text": "true", "requirements": {"min_memory_gb": 1e300}}
    async with aiohttp.ClientSession(server.http_url, headers=headers) as http:
        for path, body, field in (
            ("/api/v1/jobs/item", {"name": "huge", "config": config}, "config"),
            ("/api/v1/tasks:batch", {"tasks": [{"config": config}]}, "tasks[0].config"),
            ("/api/v1/tasks", {"task_type": "echo", "requirements": config["requirements"]}, ""),
        ):
            async with http.post(path, json=body) as answer:
                assert answer.status == 400, await answer.text()
                where = f"{field}.requirements.min_memory_gb".lstrip(".")
                assert f"{where}: must be at most 1000000000" in await answer.text()
