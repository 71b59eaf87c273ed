"""Routes of tasks that no published API has: why one stands as it does, and what its attempts printed."""

from __future__ import annotations

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
