"""Every endpoint of the schedules face, asked with the published examples, against what the published API prints."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from contracts import Contract
from processes import ControlPlane, control_plane, eventually

CONTRACT = Contract(
    Path(__file__).parent / "data" / "schedules_face.json", free=("labels", "environment", "parameters")
)
ENDPOINTS = CONTRACT.endpoints
# What the published examples call the agent, the job, the schedule, the task.
AGENT = JOB = "550e8400-e29b-41d4-a716-446655440000"
TASK = "550e8400-e29b-41d4-a716-446655440001"


class Face:
    """A server with one agent, and the ids of what the examples talk about."""

    def __init__(self, plane: ControlPlane) -> None:
        self.plane = plane
        self.ids: dict[str, str] = {}

    async def ask(self, endpoint: str, path_id: str = "", body: Any = None, **replaced: str) -> Any:
        """Asks an endpoint with its published example, or with `body`; checks status and shape."""
        published = ENDPOINTS[endpoint]
        method, path = published["method"], published["path"].replace("{id}", path_id)
        text = json.dumps(published["request"] if body is None else body)
        for old, new in replaced.items():
            text = text.replace({"agent": AGENT, "job": JOB, "task": TASK}[old], new)
        sent = None if published["request"] is None and body is None else json.loads(text)
        answer = await self.plane.rest(method, path, sent, status=published["status"])
        CONTRACT.assert_shape(answer, endpoint)
        return answer


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["in process", "apart"])
async def face(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Face]:
    async with control_plane(tmp_path_factory.mktemp("schedules")) as plane:
        if request.param == "apart":
            await plane.start_gateway()
        await plane.add_agent("agent-01")
        yield Face(plane)


pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_agents(face: Face) -> None:
    plane = face.plane
    example = ENDPOINTS["POST /api/v1/agents/create"]["request"] | {"name": "agent-02"}
    made = await face.ask("POST /api/v1/agents/create", body=example)
    agent_id = made["id"]
    page = await face.ask("POST /api/v1/agents/query", agent=agent_id)
    row = await face.ask("GET /api/v1/agents/{id}", agent_id)
    assert page == {"data": [row], "total": 1, "page": 1, "page_size": 20}
    assert row["labels"] == example["labels"]
    assert await face.ask("POST /api/v1/agents/{id}/update", agent_id) is None
    row = await face.ask("GET /api/v1/agents/{id}", agent_id)
    assert (row["name"], row["labels"]["env"]) == ("agent-01-updated", "staging")
    token = await face.ask("POST /api/v1/auth/generate-token", agent=agent_id)
    await plane.rest("GET", "/api/v1/nodes", Authorization=f"Bearer {token['token']}")
    assert await face.ask("DELETE /api/v1/agents/{id}", agent_id) is None
    await plane.rest("GET", "/api/v1/nodes", status=401, Authorization=f"Bearer {token['token']}")
    gone = await plane.rest("GET", f"/api/v1/agents/{agent_id}", status=404)
    assert gone["error"] == {
        "code": "NOT_FOUND",
        "message": gone["error"]["message"],
        "details": f"Agent '{agent_id}' does not exist",
    }
    assert gone["timestamp"].endswith("Z")


async def test_jobs(face: Face) -> None:
    made = await face.ask("POST /api/v1/jobs/item")
    row = await face.ask("GET /api/v1/jobs/item/{id}", made["id"])
    example = ENDPOINTS["POST /api/v1/jobs/item"]["request"]
    assert row["config"].items() >= example["config"].items()
    assert {k: row[k] for k in example if k != "config"} == {
        k: v for k, v in example.items() if k != "config"
    }
    page = await face.ask("POST /api/v1/jobs/page")
    assert row in page["data"]
    for endpoint, status in (
        ("POST /api/v1/jobs/item/{id}/disable", "disabled"),
        ("POST /api/v1/jobs/item/{id}/enable", "enabled"),
    ):
        assert await face.ask(endpoint, made["id"]) is None
        assert (await face.ask("GET /api/v1/jobs/item/{id}", made["id"]))["status"] == status
    change = ENDPOINTS["PUT /api/v1/jobs/item/{id}"]["request"]
    assert await face.ask("PUT /api/v1/jobs/item/{id}", made["id"]) is None
    after = await face.plane.rest("GET", f"/api/v1/jobs/item/{made['id']}")
    assert {name: after[name] for name in change} == change | {
        "config": row["config"] | change["config"]
    }
    assert await face.ask("DELETE /api/v1/jobs/item/{id}", made["id"]) is None
    await face.plane.rest("GET", f"/api/v1/jobs/item/{made['id']}", status=404)


# What a run left behind is kept with its row, and not looked into.
NOT_ASKED_FOR = {"output", "error_message", "metrics", "dependencies"}
# Moves while it is asked for.
LIVE = {"last_heartbeat_at"}


async def test_rows_are_found_and_sorted_by_every_published_scalar_field(face: Face) -> None:
    plane = face.plane
    config = {"cmd": "bash", "args": ["-c", "true"], "labels": {"is": "nowhere"}}
    job = {"name": "found", "description": "d", "config": config}
    job_id = (await plane.rest("POST", "/api/v1/jobs/item", job))["id"]
    wanted = {"job_id": job_id, "name": "s", "kind": "interval", "interval_seconds": 86400}
    await plane.rest("POST", "/api/v1/schedules/item", wanted)
    asked = {}
    for endpoint, published in ENDPOINTS.items():
        if "data[].id" not in published["fields"]:
            continue
        path = endpoint.split()[1]
        [row, *_] = (await plane.rest("POST", path, {}))["data"]
        names = {
            field.removeprefix("data[].")
            for field, kind in published["fields"].items()
            if field.count(".") == 1 and "[]" not in field[6:] and kind not in ("object", "array")
        }
        asked[path] = names - NOT_ASKED_FOR
        for name in asked[path]:
            condition = {"null": True} if row[name] is None else {"eq": row[name]}
            page = {"page_size": 1000, "order_by": [f"-{name}"]}
            found = await plane.rest("POST", path, {"filter": {name: condition}, "page": page})
            assert row["id"] in [each["id"] for each in found["data"]] or name in LIVE, (path, name)
            other = {"null": False} if row[name] is None else {"$not": row[name]}
            found = await plane.rest("POST", path, {"filter": {name: other}, "page": page})
            assert row["id"] not in [each["id"] for each in found["data"]] or name in LIVE, (path, name)
    assert len(asked) == 6
    assert sum(map(len, asked.values())) > 50
    await plane.rest("DELETE", f"/api/v1/jobs/item/{job_id}")


OPERATORS: list[tuple[dict[str, Any], list[str]]] = [
    ({"eq": "nightly-1"}, ["nightly-1"]), ({"not": "nightly-1"}, ["Nightly-2", "other"]),
    ({"in": ["other", "x"]}, ["other"]), ({"notIn": ["other"]}, ["Nightly-2", "nightly-1"]),
    ({"not_in": ["other"]}, ["Nightly-2", "nightly-1"]), ({"lt": "nightly"}, ["Nightly-2"]),
    ({"lte": "nightly-1"}, ["Nightly-2", "nightly-1"]), ({"gt": "nightly-1"}, ["other"]),
    ({"gte": "nightly-1"}, ["nightly-1", "other"]), ({"null": True}, []),
    ({"empty": False}, ["Nightly-2", "nightly-1", "other"]), ({"contains": "ightly"}, ["Nightly-2", "nightly-1"]),
    ({"notContains": "ightly"}, ["other"]), ({"containsAny": ["x", "her"]}, ["other"]),
    ({"notContainsAny": ["-1", "her"]}, ["Nightly-2"]), ({"containsAll": ["n", "-1"]}, ["nightly-1"]),
    ({"notContainsAll": ["n", "-1"]}, ["Nightly-2", "other"]), ({"startsWith": "n"}, ["nightly-1"]),
    ({"notStartsWith": "n"}, ["Nightly-2", "other"]), ({"startsWithAny": ["N", "o"]}, ["Nightly-2", "other"]),
    ({"notStartsWithAny": ["N", "o"]}, ["nightly-1"]), ({"endsWith": "1"}, ["nightly-1"]),
    ({"notEndsWith": "1"}, ["Nightly-2", "other"]), ({"endsWithAny": ["1", "2"]}, ["Nightly-2", "nightly-1"]),
    ({"notEndsWithAny": ["1", "2"]}, ["other"]), ({"containsCi": "NIGHT"}, ["Nightly-2", "nightly-1"]),
    ({"notContainsCi": "NIGHT"}, ["other"]), ({"startsWithCi": "NIGHT"}, ["Nightly-2", "nightly-1"]),
    ({"notStartsWithCi": "NIGHT"}, ["other"]), ({"endsWithCi": "ER"}, ["other"]),
    ({"notEndsWithCi": "ER"}, ["Nightly-2", "nightly-1"]), ({"ilike": "n%-_"}, ["Nightly-2", "nightly-1"]),
    ({"startsWith": "n", "endsWith": "1"}, ["nightly-1"]),
]  # fmt: skip


async def test_every_operator_is_understood_with_and_without_a_dollar(face: Face) -> None:
    for name in ("nightly-1", "Nightly-2", "other"):
        body = {"namespace_id": "operators", "name": name, "config": {"cmd": "true"}}
        await face.plane.rest("POST", "/api/v1/jobs/item", body)
    for condition, found in OPERATORS:
        for sign in ("", "$"):
            spelled = {f"{sign}{name}": value for name, value in condition.items()}
            asked = {"name": spelled, "namespace_id": {"eq": "operators"}}
            page = await face.plane.rest(
                "POST", "/api/v1/jobs/page", {"filter": asked, "page": {"order_by": ["name"]}}
            )
            assert [row["name"] for row in page["data"]] == found, spelled


async def test_servers_health_and_the_gateways_counters(face: Face) -> None:
    page = await face.plane.rest("POST", "/api/v1/servers/query", {})
    server_id = page["data"][0]["id"]
    assert await face.ask("POST /api/v1/servers/{id}/update", server_id) is None
    page = await face.ask("POST /api/v1/servers/query")
    assert page["data"][0]["name"] == "server-01"
    await face.ask("GET /api/v1/servers/{id}", server_id)
    await face.plane.rest("DELETE", f"/api/v1/servers/{server_id}", status=409)
    health = await face.ask("GET /api/v1/system/health")
    assert health["agents"]["online"] >= 1
    before = await face.ask("GET /api/v1/gateway/stats")
    assert before["active_connections"] == before["total_connections"] == 1
    command = {"command_text": "true"}
    await face.plane.rest("POST", "/api/v1/nodes/agent-01/commands", command)

    async def has_grown() -> bool:
        after = await face.ask("GET /api/v1/gateway/stats")
        counted = ("total_messages_sent", "total_messages_received")
        return all(after[name] > before[name] for name in counted)

    assert await eventually(has_grown)


async def test_schedules_tasks_and_their_instances(face: Face) -> None:
    plane = face.plane
    job = {"namespace_id": "default", "environment": {"A": "1"}}
    config = {"cmd": "bash", "args": ["-c", "sleep 60"], "timeout": 3600, "capture_output": True}
    config |= {"max_retries": 3, "retry_interval": 60, "max_output_size": 10485760}
    waiting = job | {"name": "waits", "config": config | {"labels": {"is": "nowhere"}}}
    running = job | {"name": "runs", "config": config}
    parameters = {"parameters": {"input_file": "data.csv"}}
    made = []
    for wanted in (waiting, running):
        job_id = (await plane.rest("POST", "/api/v1/jobs/item", wanted))["id"]
        schedule_id = (await face.ask("POST /api/v1/schedules/item", job=job_id))["id"]
        await plane.rest("POST", f"/api/v1/schedules/{schedule_id}:trigger", parameters)
        made.append((job_id, schedule_id))
    (waits, schedule_id), (runs, _) = made
    await face.ask("GET /api/v1/schedules/item/{id}", schedule_id)
    page = await face.ask("POST /api/v1/schedules/page", job=waits)
    assert [row["id"] for row in page["data"]] == [schedule_id]
    assert (page["data"][0]["kind"], page["data"][0]["enabled"]) == ("cron", True)
    page = await face.ask("POST /api/v1/tasks/page", job=waits)
    assert [(row["job_id"], row["status"]) for row in page["data"]] == [(waits, "pending")]

    async def instances() -> Any:
        page = await plane.rest("POST", "/api/v1/tasks/page", {"filter": {"job_id": {"eq": runs}}})
        return await face.ask("POST /api/v1/task-instances/page", task=page["data"][0]["id"])

    page = await eventually(instances)
    assert [(row["job_id"], row["agent_id"]) for row in page["data"]] == [(runs, "agent-01")]
    assert await face.ask("PUT /api/v1/schedules/item/{id}", schedule_id) is None
    assert await face.ask("DELETE /api/v1/schedules/item/{id}", schedule_id) is None
    for job_id, _ in made:
        await plane.rest("DELETE", f"/api/v1/jobs/item/{job_id}")


async def test_every_published_endpoint_is_asked_here() -> None:
    # Deleted is only a server that has ended: tests/server/test_servers.py.
    elsewhere = "/api/v1/servers/{id}"
    source = Path(__file__).read_text()
    missing = {endpoint for endpoint in ENDPOINTS if f'"{endpoint}"' not in source}
    assert missing == {f"DELETE {elsewhere}"}


async def test_every_endpoint_refuses_a_request_without_a_good_token(face: Face) -> None:
    async with aiohttp.ClientSession(face.plane.url) as http:
        for published in ENDPOINTS.values():
            path = published["path"].replace("{id}", "x")
            for headers in ({}, {"Authorization": "Bearer wrong"}):
                async with http.request(published["method"], path, headers=headers) as answer:
                    body = await answer.json()
                    assert (answer.status, body["error"]["code"]) == (401, "UNAUTHORIZED"), path
