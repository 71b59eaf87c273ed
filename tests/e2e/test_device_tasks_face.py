"""The task endpoints of the devices face, asked with the published examples, against what the published API prints."""

from __future__ import annotations

import re
import sqlite3
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from contracts import Contract
from processes import TOKEN, ControlPlane, control_plane, eventually

CONTRACT = Contract(
    Path(__file__).parent / "data" / "device_tasks_face.json", free=("by_device", "payload")
)
ENDPOINTS = CONTRACT.endpoints
SUBMIT, LIST, GET = "POST /api/v1/tasks", "GET /api/v1/tasks", "GET /api/v1/tasks/{task_id}"
CANCEL, RETRY = "DELETE /api/v1/tasks/{task_id}", "POST /api/v1/tasks/{task_id}/retry"
STATS = "GET /api/v1/stats/tasks"
DEVICE, AWAY = "android-001", "laptop-002"  # as the published examples call them
EXAMPLE = ENDPOINTS[SUBMIT]["request"] | {
    # Of the example, all but the platform, which this machine is not of.
    "requirements": {"min_cpu_cores": 1, "min_memory_gb": 0.1, "platform": "linux"}
}
SLEEP = {"task_type": "sleep", "payload": {"duration": 60}, "device_id": DEVICE}

# What the file lists and no request can bring about yet, and why.
UNASKED = {
    "RATE_LIMIT_EXCEEDED": "requests are not counted yet; it is said of refused credentials alone",
}


class Face:
    """A server with one device that is here and one that is not."""

    def __init__(self, plane: ControlPlane) -> None:
        self.plane = plane

    async def ask(self, endpoint: str, body: Any = None, task: str = "", query: str = "") -> Any:
        """Asks an endpoint; checks status, envelope and shape. Returns the data."""
        method, path = endpoint.split()
        path = path.replace("{task_id}", task) + query
        answer = await self.plane.rest(method, path, body, status=ENDPOINTS[endpoint]["status"])
        CONTRACT.assert_shape(answer, endpoint)
        assert answer.keys() == {"status", "data", "timestamp", "request_id"}
        assert answer["status"] == "success"
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", answer["timestamp"])
        return answer["data"]

    async def submit(self, body: Any) -> str:
        answer = await self.plane.rest("POST", "/api/v1/tasks", body)
        return str(answer["data"]["task_id"])

    async def ended(self, task: str) -> dict[str, Any]:
        async def has_ended() -> Any:
            found = await self.plane.rest("GET", f"/api/v1/tasks/{task}")
            row = found["data"]["task"]
            return row if row["status"] not in ("pending", "running") else None

        return dict(await eventually(has_ended))

    async def running(self, body: Any) -> str:
        task = await self.submit(body)

        async def has_started() -> bool:
            found = await self.plane.rest("GET", f"/api/v1/tasks/{task}")
            return found["data"]["task"]["started_at"] is not None

        await eventually(has_started)
        return task


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["in process", "apart"])
async def face(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Face]:
    async with control_plane(tmp_path_factory.mktemp("devices")) as plane:
        if request.param == "apart":
            await plane.start_gateway()
        await plane.add_agent(AWAY, "--role", "mobile")
        await plane.add_agent(DEVICE)
        await plane.agents[AWAY].stop()
        yield Face(plane)


pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_the_published_example_runs_and_is_listed_and_counted(face: Face) -> None:
    before = (await face.plane.rest("GET", "/api/v1/tasks?limit=1"))["data"]
    made = await face.ask(SUBMIT, EXAMPLE)
    assert re.fullmatch("task-[0-9a-f]{32}", made["task_id"])
    assert made["assigned_device"] == DEVICE
    task = await face.ended(made["task_id"])
    published = ENDPOINTS[LIST]["response"]["data"]["tasks"][0]
    listed = await face.ask(LIST, query="?status=completed&device_id=android-001&task_type=echo&limit=1")
    [row] = listed["tasks"]
    assert row.keys() >= published.keys()
    for name in ("task_type", "status", "device_id", "priority", "result"):
        assert row[name] == published[name], name
    assert row["task_id"] == made["task_id"]
    # What the detail adds, it adds to the row.
    assert row.items() <= task.items()
    assert task["payload"] == EXAMPLE["payload"]
    for line in task["detailed_log"]:
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ: .+", line)
    assert len(task["detailed_log"]) >= 3
    # The counters are of all tasks, whatever was asked for and however many rows there are.
    assert (listed["total"], listed["completed"]) == (before["total"] + 1, before["completed"] + 1)
    states = ("pending", "running", "completed", "failed", "cancelled")
    assert listed["total"] == sum(listed[name] for name in states)


async def test_the_detail_has_the_published_shape(face: Face) -> None:
    made = await face.submit({"task_type": "sleep", "payload": {"duration": 0.05}})
    await face.ended(made)
    task = (await face.ask(GET, task=made))["task"]
    assert task["task_id"] == made
    assert task["resource_usage"]["peak_memory_mb"] > 0


async def test_a_running_task_is_killed_by_its_cancellation_and_runs_again_by_a_retry(
    face: Face,
) -> None:
    task = await face.running(SLEEP)
    listed = await face.plane.rest("GET", "/api/v1/tasks?status=running")
    assert task in [row["task_id"] for row in listed["data"]["tasks"]]
    assert await face.ask(CANCEL, task=task) == {"cancelled_task": task, "was_running": True}
    assert (await face.ended(task))["status"] == "cancelled"
    # The state that was wanted is there: nothing is left to do.
    assert await face.ask(CANCEL, task=task) == {"cancelled_task": task, "was_running": False}
    made = await face.ask(RETRY, ENDPOINTS[RETRY]["request"], task=task)
    assert made["original_task_id"] == task
    again = (await face.plane.rest("GET", f"/api/v1/tasks/{made['new_task_id']}"))["data"]["task"]
    assert (again["priority"], again["payload"]) == ("high", SLEEP["payload"])
    await face.ask(CANCEL, task=made["new_task_id"])
    await face.ended(made["new_task_id"])
    # The original stays as it was.
    assert (await face.ended(task))["status"] == "cancelled"


async def test_what_a_failure_cancelled_runs_by_retries_of_what_failed_and_then_of_itself(
    face: Face, tmp_path: Path
) -> None:
    mended, done = tmp_path / "mended", tmp_path / "done"
    line = f"test -e {mended} || exit 3; while ! test -e {done}; do sleep 0.1; done"
    first = str(uuid.uuid4())
    depends = {"config": {"command_text": "true"}, "dependencies": [{"task_id": first}]}
    made = await face.plane.rest(
        "POST",
        "/api/v1/tasks:batch",
        {"tasks": [{"id": first, "config": {"command_text": line}}, depends, depends]},
    )
    [_, second, third] = made["ids"]
    assert (await face.ended(first))["status"] == "failed"
    for cancelled in (second, third):
        assert (await face.ended(cancelled))["status"] == "cancelled"

    async def retry(task: str) -> dict[str, Any]:
        again = (await face.ask(RETRY, {}, task=task))["new_task_id"]
        old = await face.plane.rest("GET", f"/api/v1/tasks/item/{task}")
        row = await face.plane.rest("GET", f"/api/v1/tasks/item/{again}")
        assert (old["retried_as"], row["retry_of"]) == (row["id"], task)
        return dict(row)

    mended.touch()
    first_again = (await retry(first))["id"]
    # It runs until it is told that it is done.
    second_again = await retry(second)
    assert [each["task_id"] for each in second_again["dependencies"]] == [first_again]
    waits = await face.plane.rest("GET", f"/api/v1/tasks/{second_again['id']}:explain")
    assert [(each["reason"], each["subject"]) for each in waits["obstacles"]] == [
        ("DEPENDENCY", first_again)
    ]
    done.touch()
    assert (await face.ended(first_again))["status"] == "completed"
    third_again = await retry(third)
    for again in (second_again, third_again):
        assert (await face.ended(again["id"]))["status"] == "completed"


async def test_a_task_that_waits_is_cancelled_at_once(face: Face) -> None:
    # Another device could run it, and is away.
    wanted = {"requirements": {"required_role": "mobile"}}
    task = await face.submit({"task_type": "echo", "payload": {"message": "x"}} | wanted)
    pending = await face.plane.rest("GET", "/api/v1/tasks?status=pending")
    assert [row["task_id"] for row in pending["data"]["tasks"]] == [task]
    row = pending["data"]["tasks"][0]
    assert (row["device_id"], row["started_at"], row["result"]) == (None, None, None)
    assert await face.ask(CANCEL, task=task) == {"cancelled_task": task, "was_running": False}
    row = (await face.plane.rest("GET", f"/api/v1/tasks/{task}"))["data"]["task"]
    assert row["status"] == "cancelled"
    for wanted in ("pending", "running", "completed", "failed"):
        rows = (await face.plane.rest("GET", f"/api/v1/tasks?status={wanted}"))["data"]["tasks"]
        assert task not in [row["task_id"] for row in rows]
    rows = (await face.plane.rest("GET", "/api/v1/tasks?status=all"))["data"]["tasks"]
    assert task in [row["task_id"] for row in rows]


async def test_what_is_required_may_be_said_in_other_words(face: Face) -> None:
    """Of the same task, in the published spelling and in that of the published server."""
    shown = []
    wanted = {"min_cpu_cores": 1, "min_memory_gb": 0.5, "min_storage_gb": 0.5}
    for said in (
        {"timeout": 1, "max_retries": 1, "requirements": wanted | {"platform": "linux", "tags": []}},
        {
            "requirements": wanted
            | {"required_platform": "linux", "timeout_seconds": 1, "max_retries": 1}
        },
    ):
        task = await face.submit(SLEEP | said)
        row = await face.plane.rest("GET", f"/api/v1/tasks/item/{task}")
        shown.append(row["config"])
        await face.ask(CANCEL, task=task)
        await face.ended(task)
    assert shown[0] == shown[1]
    assert (shown[0]["timeout"], shown[0]["max_retries"]) == (1, 1)
    assert shown[0]["requirements"]["platform"] == "linux"


async def test_any_spelling_of_an_id_names_the_task_and_answers_have_this_faces(face: Face) -> None:
    task = await face.submit(SLEEP)
    digits = task.removeprefix("task-")
    for spelled in (task, f"cmd-{digits}", digits, str(uuid.UUID(digits))):
        found = await face.plane.rest("GET", f"/api/v1/tasks/{spelled}")
        assert found["data"]["task"]["task_id"] == task
    assert (await face.ask(CANCEL, task=f"cmd-{digits}"))["cancelled_task"] == task
    ended = await face.ended(task)
    assert ended["detailed_log"][-1].endswith("ended as cancelled")
    made = await face.ask(RETRY, {}, task=digits)
    assert made["original_task_id"] == task
    await face.ask(CANCEL, task=made["new_task_id"])


async def test_lists_ask_for_a_time_and_for_the_type_that_is_printed(face: Face) -> None:
    made = await face.plane.rest(
        "POST", f"/api/v1/nodes/{DEVICE}/commands", {"command_text": "true", "timeout": 30}
    )
    task = made["data"]["command_id"].replace("cmd-", "task-")
    row = await face.ended(task)
    assert row["task_type"] == "command"

    async def found(query: str) -> list[str]:
        rows = (await face.plane.rest("GET", f"/api/v1/tasks?{query}"))["data"]["tasks"]
        return [row["task_id"] for row in rows]

    assert task in await found("task_type=command")
    assert task not in await found("task_type=exec")
    assert task in await found(f"since={row['created_at']}")
    assert task in await found(f"since={row['created_at'].replace('Z', '%2B00:00')}")
    assert await found("since=32503680000") == []
    assert task in await found("since=1")


async def test_statistics_have_the_published_shape_in_every_period_and_grouping(face: Face) -> None:
    failing = {"task_type": "command", "payload": {"command": "exit 3"}}
    assert (await face.ended(await face.submit(failing)))["status"] == "failed"
    published = ENDPOINTS[STATS]
    periods, groupings = (query["enum"] for query in published["query"])
    defaults = (await face.ask(STATS))["task_stats"]
    assert defaults["period"] == published["query"][0]["default"]
    counts = defaults["by_status"]
    assert defaults["total_tasks"] == sum(counts.values())
    assert defaults["success_rate"] == round(counts["completed"] / defaults["total_tasks"] * 100, 1)
    assert defaults["by_device"][DEVICE].keys() >= {"completed", "failed"}
    assert AWAY not in defaults["by_device"]
    for period in periods:
        for grouping in groupings:
            query = f"?period={period}&group_by={grouping}"
            stats = (await face.ask(STATS, query=query))["task_stats"]
            assert (stats["period"], stats["group_by"]) == (period, grouping)
            assert (
                sum(group["completed"] for group in stats[f"by_{grouping}"].values())
                == (stats["by_status"]["completed"])
            )


ANY_TASK = "task-" + "0" * 32


async def refused(
    face: Face, endpoint: str, body: Any = None, task: str = ANY_TASK, query: str = "", key: str = TOKEN
) -> tuple[int, dict[str, Any]]:
    """Returns status and error of an answer, which must be an error in the face's envelope, and in Chinese."""
    method, path = endpoint.split()
    path = path.replace("{task_id}", task) + query
    if body is None and method == "POST":
        body = ENDPOINTS[endpoint]["request"]
    headers = {"X-API-Key": key, "Accept-Language": "zh"}
    async with (
        aiohttp.ClientSession(face.plane.url, headers=headers) as http,
        http.request(method, path, json=body) as answer,
    ):
        said = await answer.json()
        assert said.keys() == {"status", "error", "timestamp", "request_id"}, said
        assert said["status"] == "error"
        assert said["request_id"] == answer.headers["X-Request-Id"]
        error = said["error"]
        assert error.keys() == {"code", "message", "details"}
        assert isinstance(error["details"], dict)
        assert re.search("[\u4e00-\u9fff]", error["message"]), error["message"]
        assert not re.search("[a-z]+ [a-z]+ [a-z]+", error["message"]), f"half of it is English: {error}"
        return answer.status, error


# How each published error of an endpoint comes about: what is asked, and what the answer has to name.
ECHO = {"task_type": "echo", "payload": {"message": "x"}}
PROVOKED: dict[tuple[str, str], list[tuple[dict[str, Any], str]]] = {
    (SUBMIT, "INVALID_TASK_TYPE"): [
        ({"body": ECHO | {"task_type": "ecko"}}, "ecko"),
        ({"body": ECHO | {"task_type": "ecko", "device_id": DEVICE}}, "ecko"),
        ({"body": ECHO | {"task_type": "shell"}}, "command"),
        ({"body": {"task_type": "python_eval", "payload": {"expression": "1"}}}, "python_eval"),
        ({"body": {"task_type": "python_eval", "payload": {}, "device_id": DEVICE}}, DEVICE),
    ],
    (SUBMIT, "DEVICE_NOT_FOUND"): [({"body": ECHO | {"device_id": "invalid-device"}}, "invalid-device")],
    (SUBMIT, "DEVICE_OFFLINE"): [({"body": ECHO | {"device_id": AWAY}}, AWAY)],
    (SUBMIT, "INSUFFICIENT_RESOURCES"): [
        ({"body": ECHO | {"requirements": {"min_cpu_cores": 100_000}}}, "100000"),
        ({"body": ECHO | {"requirements": {"platform": "android"}}}, "android"),
        ({"body": ECHO | {"device_id": DEVICE, "requirements": {"min_memory_gb": 1e6}}}, "1000000"),
    ],
    (SUBMIT, "INVALID_REQUEST"): [
        ({"body": ECHO | {"timeout": 0}}, "timeout"),
        ({"body": ECHO | {"timeout": 3601}}, "timeout"),
        ({"body": ECHO | {"timeout": "300"}}, "timeout"),
        ({"body": ECHO | {"max_retries": 11}}, "max_retries"),
        ({"body": ECHO | {"priority": "soon"}}, "priority"),
        ({"body": ECHO | {"payload": [1]}}, "payload"),
        ({"body": ECHO | {"requirements": {"min_cpu": 1}}}, "min_cpu_cores"),
        ({"body": ECHO | {"requirements": {"min_cpu_cores": -1}}}, "requirements.min_cpu_cores"),
        ({"body": ECHO | {"requirements": {"timeout_seconds": 3601}}}, "requirements.timeout_seconds"),
        ({"body": ECHO | {"timeout": 9, "requirements": {"timeout_seconds": 9}}}, "timeout"),
        ({"body": ECHO | {"requirements": {"internet_required": True}}}, "internet_required"),
        ({"body": ECHO | {"device": DEVICE}}, "device_id"),
        ({"body": {"payload": {}}}, "task_type"),
        ({"body": []}, ""),
    ],
    (LIST, "INVALID_REQUEST"): [
        ({"query": "?status=cancelled"}, "status"),
        ({"query": "?status=success"}, "status"),
        ({"query": "?limit=0"}, "limit"),
        ({"query": "?limit=1001"}, "limit"),
        ({"query": "?limit=x"}, "limit"),
        ({"query": "?since=yesterday"}, "since"),
        ({"query": "?devce_id=x"}, "device_id"),
    ],
    (GET, "TASK_NOT_FOUND"): [({}, ANY_TASK), ({"task": "task-abc123"}, "task-abc123")],
    (CANCEL, "TASK_NOT_FOUND"): [({}, ANY_TASK)],
    (CANCEL, "TASK_NOT_CANCELLABLE"): [({"task": "a finished one"}, "task-")],
    (RETRY, "TASK_NOT_FOUND"): [({}, ANY_TASK)],
    (RETRY, "TASK_NOT_RETRYABLE"): [({"task": "a finished one"}, "task-")],
    (RETRY, "INVALID_REQUEST"): [
        ({"task": "a finished one", "body": {"priority": "soon"}}, "priority"),
        ({"task": "a finished one", "body": {"prio": "high"}}, "priority"),
    ],
    (STATS, "INVALID_REQUEST"): [
        ({"query": "?period=2h"}, "period"),
        ({"query": "?group_by=status"}, "group_by"),
        ({"query": "?groupby=hour"}, "group_by"),
    ],
}
OF_ALL = ("AUTHENTICATION_REQUIRED", "PERMISSION_DENIED", "INTERNAL_ERROR")


async def test_every_published_error_is_asked_for() -> None:
    published = {
        (endpoint, error["code"]): error["http"]
        for endpoint, rules in ENDPOINTS.items()
        for error in rules["errors"]
        if error["code"] not in (*OF_ALL, *UNASKED)
    }
    assert published.keys() == PROVOKED.keys()


@pytest.mark.parametrize(("endpoint", "code"), PROVOKED)
async def test_a_published_error_comes_with_its_status_and_names_what_was_wrong(
    face: Face, endpoint: str, code: str
) -> None:
    finished = await face.submit(ECHO)
    assert (await face.ended(finished))["status"] == "completed"
    statuses = {error["code"]: error["http"] for error in ENDPOINTS[endpoint]["errors"]}
    for asked, named in PROVOKED[endpoint, code]:
        if asked.get("task") == "a finished one":
            asked = asked | {"task": finished}
        status, error = await refused(face, endpoint, **asked)
        assert (status, error["code"]) == (statuses[code], code), (asked, error)
        assert named in error["message"], asked
    if code == "DEVICE_NOT_FOUND":
        assert error["details"] == {"device_id": "invalid-device", "available_devices": [DEVICE]}
        assert error["message"] == "设备 'invalid-device' 不存在"


async def test_every_endpoint_needs_a_good_key_with_the_right_scope(face: Face) -> None:
    keys = {}
    for scope in ("read", "write"):
        made = await face.plane.rest(
            "POST", "/api/v1/keys", {"name": scope, "scopes": [scope]}, status=None
        )
        keys[scope] = made["key"]
    for endpoint in ENDPOINTS:
        status, error = await refused(face, endpoint, key="wrong")
        assert (status, error["code"]) == (401, "AUTHENTICATION_REQUIRED"), endpoint
        other = keys["write" if endpoint.startswith("GET") else "read"]
        status, error = await refused(face, endpoint, key=other)
        assert (status, error["code"]) == (403, "PERMISSION_DENIED"), endpoint
        enough = keys["read" if endpoint.startswith("GET") else "write"]
        method, path = endpoint.split()
        headers = {"Authorization": f"Bearer {enough}"}
        await face.plane.rest(
            method, path.replace("{task_id}", ANY_TASK), {} if method == "POST" else None,
            status=200 if "{" not in path and method == "GET" else 400 if endpoint == SUBMIT else 404,
            **headers,
        )  # fmt: skip


async def test_every_endpoint_says_so_while_the_database_is_away(tmp_path: Path) -> None:
    async with control_plane(tmp_path) as plane:
        await plane.add_agent(DEVICE)
        face = Face(plane)
        blocker = sqlite3.connect(tmp_path / "data" / "novasphere.db", isolation_level=None)
        try:
            blocker.execute("BEGIN EXCLUSIVE")
            assert (await refused(face, SUBMIT, ECHO))[1]["code"] == "INTERNAL_ERROR"
            for endpoint in ENDPOINTS:

                async def says_so(endpoint: str = endpoint) -> bool:
                    status, error = await refused(face, endpoint, ECHO if endpoint == SUBMIT else None)
                    return (status, error["code"]) == (500, "INTERNAL_ERROR")

                await eventually(says_so)
        finally:
            blocker.close()
