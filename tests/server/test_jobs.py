"""Jobs over REST, in the shape of the schedules face, and over gRPC."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import aiohttp
import grpc
import grpc.aio
import pytest
from novasphere.schedule.v1 import job_pb2
from novasphere.schedule.v1 import job_service_pb2 as pb
from novasphere.schedule.v1 import job_service_pb2_grpc as jobs_grpc
from novasphere_server.testing import RunningServer, running_server
from rest import Rest

CONFIG = {"cmd": "python", "args": ["process.py"], "timeout": 3600}
ITEM = "/api/v1/jobs/item"


class Jobs(Rest):
    """Asks the routes of jobs."""

    async def make(self, name: str = "nightly", **wanted: Any) -> str:
        status, made = await self.ask("POST", ITEM, {"name": name, "config": CONFIG} | wanted)
        assert status == 200, made
        return str(made["id"])

    async def get(self, job_id: str) -> dict[str, Any]:
        status, job = await self.ask("GET", f"{ITEM}/{job_id}")
        assert status == 200, job
        return dict(job)

    async def page(self, filter_: Any = None, token: str = "", **page: Any) -> dict[str, Any]:
        status, found = await self.ask(
            "POST", "/api/v1/jobs/page", {"filter": filter_, "page": page}, token=token
        )
        assert status == 200, found
        return dict(found)


@pytest.fixture
async def rest(server: RunningServer) -> AsyncIterator[Jobs]:
    async with aiohttp.ClientSession(server.http_url) as http:
        yield Jobs(server, http)


async def test_a_job_is_made_read_changed_and_deleted(rest: Jobs):
    job_id = await rest.make(description="数据处理作业", environment={"PYTHONPATH": "/opt/app"})
    job = await rest.get(job_id)
    assert (job["id"], job["namespace_id"], job["name"]) == (job_id, "default", "nightly")
    assert job["environment"] == {"PYTHONPATH": "/opt/app"}
    assert {name: job["config"][name] for name in CONFIG} == CONFIG
    assert job["status"] == "enabled"
    assert job["created_at"] == job["updated_at"]
    assert rest.headers["ETag"] == f'"{job["revision"]}"'

    config = {"command_text": "date"}
    for body, expected in (
        ({"name": "hourly"}, {"name": "hourly"}),
        ({"config": config}, {"config": job["config"] | {"cmd": "", "args": []} | config}),
        ({"environment": {}, "description": "d"}, {"environment": {}, "description": "d"}),
        ({"update_mask": "environment,description"}, {"environment": None, "description": None}),
        ({"status": 0}, {"status": "disabled"}),
        ({"status": "enabled", "name": "x", "update_mask": "status"}, {"status": "enabled"}),
    ):
        before = await rest.get(job_id)
        assert await rest.ask("PUT", f"{ITEM}/{job_id}", body) == (200, None), body
        after = await rest.get(job_id)
        if "config" in expected:
            expected["config"]["timeout"] = None
        moved = {"revision": after["revision"], "updated_at": after["updated_at"]}
        assert after == before | expected | moved
        assert after["revision"] > before["revision"]

    assert await rest.ask("DELETE", f"{ITEM}/{job_id}") == (200, None)
    status, gone = await rest.ask("GET", f"{ITEM}/{job_id}")
    assert (status, gone["error"]["code"]) == (404, "NOT_FOUND")
    assert gone["error"]["details"] == f"Job '{job_id}' does not exist"


async def test_a_config_that_does_not_say_what_runs_leaves_the_rest_as_it_was(rest: Jobs):
    job_id = await rest.make(config=CONFIG | {"labels": {"a": "b"}})
    config = (await rest.get(job_id))["config"]
    for part in (
        {"timeout": 60, "max_retries": 3, "retry_lost": True},
        {"args": ["-V"], "labels": {"c": "d"}},
        {"max_retries": 0, "timeout": 30},
        {"args": [], "labels": {}, "retry_lost": False},
    ):
        assert await rest.ask("PUT", f"{ITEM}/{job_id}", {"config": part}) == (200, None)
        config |= part
        assert (await rest.get(job_id))["config"] == config
    body = {"config": {"timeout": 9, "max_retries": 9}, "update_mask": ["config.max_retries"]}
    assert await rest.ask("PUT", f"{ITEM}/{job_id}", body) == (200, None)
    config["max_retries"] = 9
    assert (await rest.get(job_id))["config"] == config
    for mask in ("config.max_retries,config.lost_after", ["config.lost_after", "config.max_retries"]):
        body = {"config": {"timeout": 9, "lost_after": 60, "max_retries": 4}, "update_mask": mask}
        assert await rest.ask("PUT", f"{ITEM}/{job_id}", body) == (200, None)
        config |= {"max_retries": 4, "lost_after": 60}
        assert (await rest.get(job_id))["config"] == config
    for body in (
        {"config": {"timeout": 9}, "update_mask": "config"},
        {"config": {"timeout": 9}, "update_mask": "config.name"},
        {"config": {"cmd": ""}},
        {"config": {"payload": {}}},
    ):
        assert (await rest.ask("PUT", f"{ITEM}/{job_id}", body))[0] == 400
    assert (await rest.get(job_id))["config"] == config


async def test_a_mask_of_all_is_all_whatever_stands_beside_it(rest: Jobs):
    job_id = await rest.make(config=CONFIG | {"labels": {"a": "b"}})
    config = {"cmd": "date", "timeout": 5}
    body = {"name": "x", "config": config, "status": "enabled", "update_mask": "*,config.timeout"}
    assert await rest.ask("PUT", f"{ITEM}/{job_id}", body) == (200, None)
    after = (await rest.get(job_id))["config"]
    assert (after["cmd"], after["timeout"], after["args"], after["labels"]) == ("date", 5, [], {})


async def test_a_body_that_is_repeated_with_its_keys_in_another_order_is_the_same(rest: Jobs):
    job_id = await rest.make()
    body = {"description": "d", "name": "b", "config": {"timeout": 9, "max_retries": 2}}
    again = {"config": {"max_retries": 2, "timeout": 9}, "name": "b", "description": "d"}
    for one in (body, again):
        assert await rest.ask("PUT", f"{ITEM}/{job_id}", one, **{"Idempotency-Key": "once"}) == (
            200,
            None,
        )


@pytest.mark.parametrize("number", ["7", "1" * 20], ids=["plain", "beyond 64 bits"])
async def test_what_is_nested_too_deep_to_be_read_is_refused(rest: Jobs, number: str):
    path = f"/api/v1/jobs/{await rest.make()}:trigger"
    for levels in (100, 1000):
        text = f'{{"parameters": {"[" * levels}{number}{"]" * levels}}}'
        headers = {"X-API-Key": rest.server.admin_token, "Content-Type": "application/json"}
        async with rest.http.post(path, data=text, headers=headers) as answer:
            assert answer.status == (200 if levels == 100 else 400), await answer.text()
            said = await answer.json()
        assert levels == 100 or said["code"] == "MALFORMED_BODY"


async def test_enabling_and_disabling_twice_changes_nothing(rest: Jobs):
    job_id = await rest.make(status="disabled")
    for verb, word in (("enable", "enabled"), ("disable", "disabled")):
        assert await rest.ask("POST", f"{ITEM}/{job_id}/{verb}") == (200, None)
        job = await rest.get(job_id)
        assert job["status"] == word
        assert await rest.ask("POST", f"{ITEM}/{job_id}/{verb}", {}) == (200, None)
        assert await rest.get(job_id) == job


async def test_a_name_is_free_in_its_namespace_once_its_job_is_gone(rest: Jobs):
    first, other = await rest.make("a"), await rest.make("b")
    await rest.make("a", namespace_id="elsewhere")
    for method, path, body in (
        ("POST", ITEM, {"name": "a", "config": CONFIG}),
        ("PUT", f"{ITEM}/{other}", {"name": "a"}),
    ):
        status, told = await rest.ask(method, path, body)
        assert (status, told["error"]["code"]) == (409, "VALIDATION_ERROR")
        assert "'a'" in told["error"]["details"]
    await rest.ask("DELETE", f"{ITEM}/{first}")
    assert await rest.ask("PUT", f"{ITEM}/{other}", {"name": "a"}) == (200, None)


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"name": ""}, "name: must be set"),
        ({"config": {}}, "config.cmd: must say what runs, in one of cmd, task_type and command_text"),
        ({"config": {"cmd": "a", "task_type": "echo"}}, "config.task_type: must say what runs, in one of cmd, task_type and command_text; cmd is set too"),
        ({"config": {"cmd": "a", "payload": {}}}, "config.payload: is for task_type alone"),
        ({"config": {"task_type": "echo", "payload": []}}, "config.payload: must be a JSON object"),
        ({"config": {"command_text": "a", "args": ["b"]}}, "config.args: are for cmd alone"),
        ({"config": {"cmd": "a\0"}}, "config.cmd: must not contain NUL characters"),
        ({"config": {"cmd": "a", "timeout": 0}}, "config.timeout: must be at least 1, not 0"),
        ({"config": {"cmd": "a", "labels": {"-a": "b"}}}, "config.labels: '-a' is not the name of a label"),
        ({"config": {"cmd": "a", "labels": {"a": "b "}}}, "config.labels.a: must consist of letters"),
        ({"config": {"cmd": "a", "labels": {"x/y/z": "b"}}}, "is not the name of a label"),
        ({"environment": []}, "environment: must be a JSON object"),
        ({"environment": {"A": 1}}, "environment.A: must be a text without NUL"),
        ({"environment": {"A=B": "1"}}, "environment: 'A=B' cannot be the name of a variable"),
        ({"environment": {"A": "\0"}}, "environment.A: must be a text without NUL"),
        ({"status": "deleted"}, "status: must be one of enabled, disabled"),
        ({"status": "enabeld"}, 'did you mean "enabled"?'),
        ({"nam": "x"}, 'did you mean "name"?'),
    ],
)  # fmt: skip
async def test_what_a_job_cannot_be_is_refused_by_name(rest: Jobs, body: Any, told: str):
    job_id = await rest.make()
    before = await rest.get(job_id)
    for method, path, whole in (
        ("POST", ITEM, {"name": "other", "config": CONFIG} | body),
        ("PUT", f"{ITEM}/{job_id}", body),
    ):
        status, answer = await rest.ask(method, path, whole)
        assert (status, answer["error"]["code"]) == (400, "VALIDATION_ERROR")
        details = answer["error"]["details"]
        assert told in details or (method, body) == ("PUT", {"name": ""}), details
    assert await rest.get(job_id) == before
    assert (await rest.page())["total"] == 1


@pytest.mark.parametrize(
    "said", ["ExponentialWithJitter", "exponential_with_jitter", "EXPONENTIAL_WITH_JITTER", 4]
)
async def test_a_back_off_is_said_in_words_of_the_published_protocol_or_by_number(rest: Jobs, said: Any):
    job_id = await rest.make(config=CONFIG | {"backoff": said})
    assert (await rest.get(job_id))["config"]["backoff"] == "exponential_with_jitter"


async def test_labels_are_such_as_kubernetes_takes(rest: Jobs):
    labels = {"a": "", "env": "Prod_1.x", "example.com/disk-type": "ssd", "A.b_c-d": "z" * 63}
    job_id = await rest.make(config={"cmd": "a", "labels": labels})
    assert (await rest.get(job_id))["config"]["labels"] == labels


async def test_a_repeated_create_makes_one_job_and_a_dry_run_makes_none(rest: Jobs):
    body = {"name": "once", "config": CONFIG}
    status, dry = await rest.ask("POST", f"{ITEM}?dry_run=true", body)
    assert (status, dry, rest.headers["Validate-Only"]) == (200, {"id": ""}, "true")
    _, first = await rest.ask("POST", ITEM, body, Idempotency_Key="k")
    assert await rest.ask("POST", ITEM, body, Idempotency_Key="k") == (200, first)
    assert rest.headers["Idempotency-Replayed"] == "true"
    status, other = await rest.ask("POST", ITEM, body | {"name": "two"}, Idempotency_Key="k")
    assert status == 422, other
    assert (await rest.page())["total"] == 1


async def test_a_change_of_another_version_is_refused(rest: Jobs):
    job_id = await rest.make()
    job = await rest.get(job_id)
    old = {"If_Match": '"999"'}
    for method, path, body in (
        ("PUT", "", {"name": "x"}),
        ("POST", "/disable", {}),
        ("DELETE", "", None),
    ):
        status, told = await rest.ask(method, f"{ITEM}/{job_id}{path}", body, **old)
        assert (status, told["error"]["code"]) == (412, "ETAG_MISMATCH")
        query = "?validate_only=true"
        path = f"{ITEM}/{job_id}{path}{query}"
        assert await rest.ask(method, path, body, If_Match=f'"{job["revision"]}"') == (200, None)
    assert await rest.get(job_id) == job


async def test_pages_filter_sort_and_count(rest: Jobs):
    for number in range(5):
        await rest.make(f"job-{number}", status=["disabled", "enabled"][number % 2])
    everything = await rest.page()
    assert (everything["total"], everything["page"], everything["page_size"]) == (5, 1, 20)
    assert [row["name"] for row in everything["data"]] == [f"job-{n}" for n in (4, 3, 2, 1, 0)]
    second = await rest.page(page=2, page_size=2)
    assert second == everything | {"data": everything["data"][2:4], "page": 2, "page_size": 2}
    assert (await rest.page(page=9))["data"] == []
    by_name = await rest.page(order_by=["name"])
    assert [row["name"] for row in by_name["data"]] == [f"job-{n}" for n in range(5)]
    made = everything["data"][0]
    for asked, names in (
        ({"status": {"eq": 1}}, ["job-3", "job-1"]),
        ({"status": {"$eq": "enabled"}}, ["job-3", "job-1"]),
        ({"status": {"eq": 0}}, ["job-4", "job-2", "job-0"]),
        ({"status": {"in": [1, 2, 3]}, "name": {"gt": "job-0"}}, ["job-4", "job-3", "job-2", "job-1"]),
        ({"name": {"startsWith": "job-", "$notIn": ["job-1", "job-2"]}}, ["job-4", "job-3", "job-0"]),
        ({"id": {"eq": made["id"]}}, ["job-4"]),
        ({"namespace_id": {"eq": "other"}}, []),
        ({"created_at": {"gte": made["created_at"], "lte": made["created_at"]}, "name": {"endsWith": "4"}}, ["job-4"]),
        ({"created_at": {"gt": "2124-01-01T00:00:00Z"}}, []),
        ({"description": {"null": True}, "name": {"contains": "-0"}}, ["job-0"]),
    ):  # fmt: skip
        assert [row["name"] for row in (await rest.page(asked))["data"]] == names, asked


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"filter": {"statu": {"eq": 1}}}, 'filter.statu: unknown field; did you mean "status"?'),
        ({"filter": {"status": {"eqq": 1}}}, "filter.status.eqq"),
        ({"filter": {"status": {}}}, "filter.status: must name an operator"),
        ({"filter": {"status": {"eq": None}}}, "filter.status: must name an operator"),
        ({"filter": {"status": 1}}, "filter.status: must be an object, not a number"),
        ({"filter": {"name": {"contains": ""}}}, "filter.name.contains: must have at least 1"),
        ({"filter": {"created_at": {"gte": 1}}}, "filter.created_at.gte: must be a time"),
        ({"page": {"page_size": 1001}}, "page.page_size: must be at most 1000, not 1001"),
        ({"page": {"page": 0}}, "page.page: must be at least 1, not 0"),
        ({"page": {"order_by": ["-nam"]}}, 'page.order_by[0]: unknown field; did you mean "name"?'),
        ({"page": {"limit": 1}}, "page.limit"),
        ({"filters": {}}, 'did you mean "filter"?'),
    ],
)
async def test_pages_that_cannot_be_are_refused_by_name(rest: Jobs, body: Any, told: str):
    status, answer = await rest.ask("POST", "/api/v1/jobs/page", body)
    assert (status, answer["error"]["code"]) == (400, "VALIDATION_ERROR")
    assert told in answer["error"]["details"]


async def test_refusals_are_in_chinese_where_that_is_asked_for(rest: Jobs):
    for method, path, body, told in (
        ("GET", f"{ITEM}/nothing", None, "作业 'nothing' 不存在"),
        (
            "POST",
            "/api/v1/jobs/page",
            {"filter": {"statu": {"eq": 1}}},
            '未知的字段；您是指 "status" 吗？',
        ),
        ("POST", "/api/v1/jobs/page", {"filter": {"name": {}}}, "必须给出运算符"),
        ("POST", ITEM, {"name": "a", "config": {}}, "必须说明运行什么"),
    ):
        _, answer = await rest.ask(method, path, body, Accept_Language="zh")
        assert told in answer["error"]["details"]


async def test_who_is_bound_to_namespaces_sees_and_changes_those_alone(rest: Jobs):
    mine, theirs = (
        await rest.make("a", namespace_id="team-a"),
        await rest.make("b", namespace_id="team-b"),
    )
    token = await rest.key("team-a")
    assert [row["id"] for row in (await rest.page(token=token))["data"]] == [mine]
    asked = {"namespace_id": {"in": ["team-a", "team-b"]}}
    assert [row["id"] for row in (await rest.page(asked, token=token))["data"]] == [mine]
    assert (await rest.page())["total"] == 2
    for method, path, body in (
        ("GET", f"{ITEM}/{theirs}", None),
        ("GET", f"{ITEM}/nothing", None),
        ("PUT", f"{ITEM}/{theirs}", {"name": "x"}),
        ("POST", f"{ITEM}/{theirs}/disable", {}),
        ("DELETE", f"{ITEM}/{theirs}", None),
        ("POST", ITEM, {"name": "c", "config": CONFIG}),
        ("GET", "/api/v1/jobs:watch?namespace_id=team-b", None),
    ):
        status, answer = await rest.ask(method, path, body, token=token)
        assert status == 403, (method, path, answer)
    status, _ = await rest.ask("PUT", f"{ITEM}/{mine}", {"name": "c"}, token=token)
    assert status == 200
    assert (await rest.get(mine))["created_by"] == 0
    _, made = await rest.ask(
        "POST", ITEM, {"name": "d", "namespace": "team-a", "config": CONFIG}, token=token
    )
    assert (await rest.get(made["id"]))["created_by"] > 0


async def test_a_watch_tells_every_change_in_order(rest: Jobs):
    first = await rest.make("a", namespace_id="team-a")
    await rest.make("b", namespace_id="team-b")
    path = "/api/v1/jobs:watch?namespace_id=team-a"
    headers = {"X-API-Key": rest.server.admin_token, "Accept": "application/x-ndjson"}
    async with asyncio.timeout(20), rest.http.get(path, headers=headers) as stream:

        async def row() -> tuple[str, str]:
            read = json.loads(await stream.content.readline())
            return read["type"], (read.get("object") or {}).get("name", "")

        assert await row() == ("ADDED", "a")
        assert (await row())[0] == "BOOKMARK"
        await rest.make("c", namespace_id="team-a")
        await rest.ask("PUT", f"{ITEM}/{first}", {"name": "d"})
        await rest.ask("DELETE", f"{ITEM}/{first}")
        assert [await row() for _ in range(3)] == [("ADDED", "c"), ("MODIFIED", "d"), ("DELETED", "d")]


async def test_grpc_says_the_same(tmp_path: Path):
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(running_server(tmp_path))
        channel = await stack.enter_async_context(server.channel())
        stub, metadata = jobs_grpc.JobServiceStub(channel), server.authorization()
        wanted = pb.CreateJobRequest(name="a", request_id="r")
        wanted.config.command_text = "date"
        made = await stub.CreateJob(wanted, metadata=metadata)
        assert await stub.CreateJob(wanted, metadata=metadata) == made
        job = (await stub.GetJob(pb.GetJobRequest(job_id=made.id), metadata=metadata)).job
        assert job.status == job_pb2.JOB_STATUS_ENABLED
        request = pb.ListJobsRequest()
        request.filter["status"].eq = "1"
        request.filter["name"].eq = '"a"'
        found = await stub.ListJobs(request, metadata=metadata)
        assert list(found.data) == [job]
        assert (found.total, found.page, found.page_size) == (1, 1, 20)
        request.filter["name"].eq = "a"
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await stub.ListJobs(request, metadata=metadata)
        assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
        assert caught.value.details() == "filter.name.eq: must be JSON"
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await stub.GetJob(pb.GetJobRequest(job_id="x"), metadata=metadata)
        assert caught.value.code() is grpc.StatusCode.NOT_FOUND
