"""The thirteen endpoints of the nodes face, against what the published API prints."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from contracts import Contract
from postgresql import PostgresServer
from processes import ControlPlane, control_plane, eventually

CONTRACT = Contract(Path(__file__).parent / "data" / "nodes_face.json")
assert_shape = CONTRACT.assert_shape


async def run(
    plane: ControlPlane, text: str, node: str = "node-001", timeout: int = 30
) -> dict[str, Any]:
    """Runs a command to its end; returns the published {command, result} pair."""
    answer = await plane.rest(
        "POST", f"/api/v1/nodes/{node}/commands", {"command_text": text, "timeout": timeout}
    )
    command_id = answer["data"]["command_id"]

    async def ended() -> Any:
        pair = (await plane.rest("GET", f"/api/v1/commands/{command_id}"))["data"]
        return pair if pair["result"] else None

    return await eventually(ended)


@pytest_asyncio.fixture(
    scope="module", loop_scope="module", params=["in process", "apart", "postgresql"]
)
async def fleet(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[ControlPlane]:
    """A server with one agent, which has sent a sample and run a command: behind either kind of gateway,
    and on either kind of database.
    """
    url = ""
    if request.param == "postgresql":
        url = request.getfixturevalue("postgres").new_database()
    async with control_plane(tmp_path_factory.mktemp("fleet"), database_url=url) as plane:
        if request.param == "apart":
            await plane.start_gateway()
        await plane.add_agent("node-001")

        async def has_sample() -> Any:
            return await plane.rest("GET", "/api/v1/nodes/node-001/metrics/latest")

        await eventually(has_sample)
        await run(plane, "echo out; echo err >&2")
        yield plane


pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.mark.parametrize(
    ("endpoint", "path"),
    [
        ("GET /api/v1/nodes", "/api/v1/nodes?status=online&limit=50&offset=0"),
        ("GET /api/v1/nodes/{node_id}", "/api/v1/nodes/node-001"),
        ("GET /api/v1/nodes/{node_id}/metrics/latest", "/api/v1/nodes/node-001/metrics/latest"),
        ("GET /api/v1/nodes/{node_id}/metrics", "/api/v1/nodes/node-001/metrics"),
        ("GET /api/v1/metrics/latest", "/api/v1/metrics/latest"),
        (
            "GET /api/v1/nodes/{node_id}/metrics/summary",
            "/api/v1/nodes/node-001/metrics/summary?start_time=2020-01-01T00:00:00Z&end_time=2100-01-01T00:00:00Z",
        ),
        (
            "GET /api/v1/nodes/{node_id}/commands",
            "/api/v1/nodes/node-001/commands?status=success&limit=20",
        ),
        ("GET /api/v1/commands", "/api/v1/commands?status=success&node_id=node-001&limit=50&offset=0"),
        ("GET /api/v1/system/stats", "/api/v1/system/stats"),
        ("GET /api/v1/health", "/api/v1/health"),
    ],
)
async def test_reads_answer_in_the_published_shape(
    fleet: ControlPlane, endpoint: str, path: str
) -> None:
    assert_shape(await fleet.rest("GET", path), endpoint)


async def test_a_command_runs_and_answers_in_the_published_shapes(fleet: ControlPlane) -> None:
    accepted = await fleet.rest(
        "POST", "/api/v1/nodes/node-001/commands", {"command_text": "ls -la /", "timeout": 30}
    )
    assert_shape(accepted, "POST /api/v1/nodes/{node_id}/commands")
    assert accepted["data"]["status"] == "pending"
    assert accepted["data"]["message"] == "命令已提交执行"

    async def ended() -> Any:
        answer = await fleet.rest("GET", f"/api/v1/commands/{accepted['data']['command_id']}")
        return answer if answer["data"]["result"] else None

    answer = await eventually(ended)
    assert_shape(answer, "GET /api/v1/commands/{command_id}")
    assert answer["data"]["command"]["status"] == "success"
    assert answer["data"]["result"]["exit_code"] == 0
    assert "etc" in answer["data"]["result"]["stdout"]


async def test_a_failing_command_keeps_its_code_and_both_streams(fleet: ControlPlane) -> None:
    pair = await run(fleet, "echo out; echo err >&2; exit 3")
    assert pair["command"]["status"] == "failed"
    assert pair["result"]["exit_code"] == 3
    assert pair["result"]["stdout"] == "out\n"
    assert pair["result"]["stderr"] == "err\n"


async def test_a_command_past_its_timeout_is_killed_and_says_timeout(fleet: ControlPlane) -> None:
    pair = await run(fleet, "sleep 60", timeout=1)
    assert pair["command"]["status"] == "timeout"
    assert pair["result"]["exit_code"] is None


async def test_a_pending_command_has_a_null_result_and_null_times(fleet: ControlPlane) -> None:
    await fleet.add_agent("node-away")
    await fleet.agents["node-away"].kill()
    answer = await fleet.rest("POST", "/api/v1/nodes/node-away/commands", {"command_text": "true"})
    pair = (await fleet.rest("GET", f"/api/v1/commands/{answer['data']['command_id']}"))["data"]
    assert pair["result"] is None
    assert pair["command"]["started_at"] is None
    assert pair["command"]["completed_at"] is None


async def test_totals_count_what_matches_before_limit_and_offset(fleet: ControlPlane) -> None:
    everything = (await fleet.rest("GET", "/api/v1/commands"))["data"]
    page = (await fleet.rest("GET", "/api/v1/commands?limit=1&offset=1"))["data"]
    assert page["total"] == everything["total"] > 1
    assert page["commands"] == everything["commands"][1:2]
    assert [c["id"] for c in everything["commands"]] == sorted(
        (c["id"] for c in everything["commands"]), reverse=True
    )
    none = (await fleet.rest("GET", "/api/v1/nodes?status=error"))["data"]
    assert none == {"nodes": [], "total": 0}


async def test_an_empty_window_has_null_figures(fleet: ControlPlane) -> None:
    path = "/api/v1/nodes/node-001/metrics/summary?start_time=2001-01-01T00:00:00Z&end_time=2001-01-02T00:00:00%2B08:00"
    data = (await fleet.rest("GET", path))["data"]
    assert data["sample_count"] == 0
    assert data["avg_cpu_usage"] is None
    assert data["max_load_average"] is None


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("GET", "/api/v1/nodes/nobody", None, 404, "NODE_NOT_FOUND"),
        ("DELETE", "/api/v1/nodes/nobody", None, 404, "NODE_NOT_FOUND"),
        ("GET", "/api/v1/nodes/nobody/metrics/latest", None, 404, "NODE_NOT_FOUND"),
        ("GET", "/api/v1/nodes/nobody/metrics", None, 404, "NODE_NOT_FOUND"),
        ("GET", "/api/v1/nodes/nobody/commands", None, 404, "NODE_NOT_FOUND"),
        ("POST", "/api/v1/nodes/nobody/commands", {"command_text": "true"}, 404, "NODE_NOT_FOUND"),
        ("GET", "/api/v1/commands/cmd-nothing", None, 404, "COMMAND_NOT_FOUND"),
        ("POST", "/api/v1/nodes/node-001/commands", {}, 400, "VALIDATION_ERROR"),
        (
            "POST",
            "/api/v1/nodes/node-001/commands",
            {"command_text": "x", "timeout": 0},
            400,
            "VALIDATION_ERROR",
        ),
        (
            "POST",
            "/api/v1/nodes/node-001/commands",
            {"command_text": "x", "timeout": "x"},
            400,
            "VALIDATION_ERROR",
        ),
        ("POST", "/api/v1/nodes/node-001/commands", {"comand_text": "x"}, 400, "VALIDATION_ERROR"),
        ("GET", "/api/v1/nodes?status=sleeping", None, 400, "VALIDATION_ERROR"),
        ("GET", "/api/v1/nodes?limit=-1", None, 400, "VALIDATION_ERROR"),
        ("GET", "/api/v1/nodes?limit=many", None, 400, "VALIDATION_ERROR"),
        ("GET", "/api/v1/nodes?statu=online", None, 400, "VALIDATION_ERROR"),
        ("GET", "/api/v1/commands?status=done", None, 400, "VALIDATION_ERROR"),
        ("GET", "/api/v1/nodes/node-001/metrics?start_time=yesterday", None, 400, "INVALID_TIME_FORMAT"),
        (
            "GET",
            "/api/v1/nodes/node-001/metrics?start_time=2025-01-02T00:00:00Z&end_time=2025-01-01T00:00:00Z",
            None,
            400,
            "INVALID_TIME_RANGE",
        ),
        ("GET", "/api/v1/nodes/node-001/metrics/summary", None, 400, "VALIDATION_ERROR"),
    ],
)
async def test_bad_requests_answer_the_published_error(
    fleet: ControlPlane, method: str, path: str, body: Any, status: int, code: str
) -> None:
    answer = await fleet.rest(method, path, body, status=status)
    assert answer["success"] is False
    assert answer["error_code"] == code
    assert answer["message"]
    assert answer["timestamp"].endswith("Z")


async def test_an_unknown_parameter_is_named_with_the_nearest_known_one(fleet: ControlPlane) -> None:
    answer = await fleet.rest("GET", "/api/v1/nodes?statu=online", status=400)
    assert "statu" in answer["message"]
    assert "status" in answer["message"]


async def test_a_request_without_a_good_token_gets_the_published_401(fleet: ControlPlane) -> None:
    for endpoint in CONTRACT.endpoints.values():
        if endpoint["path"] == "/api/v1/health":
            continue
        path = endpoint["path"].replace("{node_id}", "node-001").replace("{command_id}", "cmd-1")
        for headers in ({}, {"Authorization": "Bearer wrong"}, {"X-API-Key": "wrong"}):
            async with (
                aiohttp.ClientSession() as http,
                http.request(endpoint["method"], fleet.url + path, headers=headers) as answer,
            ):
                body = await answer.json()
                assert answer.status == 401, path
                assert answer.headers["WWW-Authenticate"].startswith("Bearer")
        assert body["success"] is False
        assert body["error_code"] == "UNAUTHORIZED"
        assert body["message"] == "认证失败"


async def test_health_needs_no_token(fleet: ControlPlane) -> None:
    async with aiohttp.ClientSession() as http, http.get(f"{fleet.url}/api/v1/health") as answer:
        body = await answer.json()
    assert body["data"]["status"] == "healthy"
    assert body["data"]["database"] == "connected"


async def test_what_was_only_checked_does_not_say_that_it_happened(fleet: ControlPlane) -> None:
    node = "/api/v1/nodes/node-001"
    for language, said in (("zh", "校验通过，未执行"), ("en", "valid; nothing was changed")):
        told = {"Accept-Language": language}
        deletion = await fleet.rest("DELETE", f"{node}?validate_only=true", **told)
        assert deletion["message"] == said
        body = {"command_text": "true", "validate_only": True}
        answer = await fleet.rest("POST", f"{node}/commands", body, **told)
        assert answer["data"] == {"command_id": "", "status": "pending", "message": said}
    assert (await fleet.rest("GET", node))["data"]["node_id"] == "node-001"


async def test_a_deleted_node_is_gone_with_its_metrics_and_commands(
    tmp_path: Path, database_url: str
) -> None:
    async with control_plane(tmp_path, database_url=database_url) as plane:
        await plane.add_agent("node-001")
        pair = await run(plane, "true")
        answer = await plane.rest("DELETE", "/api/v1/nodes/node-001")
        assert answer["success"] is True
        assert answer["message"] == "节点删除成功"
        assert "data" not in answer
        await plane.rest("GET", "/api/v1/nodes/node-001", status=404)
        await plane.rest("GET", "/api/v1/nodes/node-001/metrics", status=404)
        await plane.rest("GET", f"/api/v1/commands/{pair['command']['command_id']}", status=404)
        assert (await plane.rest("GET", "/api/v1/commands"))["data"]["total"] == 0
        # Its agent leaves with a word, and may join again when it is started anew.
        agent = plane.agents["node-001"]
        assert await eventually(lambda: _ended(agent)) == 3
        await agent.start()
        again = await plane.node_is("online")
        assert again["id"] > 1


async def _ended(process: Any) -> Any:
    return process.running.returncode


@contextmanager
def locked(database: Path) -> Iterator[None]:
    """Another process's lock on the file."""
    blocker = sqlite3.connect(database, isolation_level=None)
    try:
        blocker.execute("BEGIN EXCLUSIVE")
        yield
    finally:
        blocker.close()


@contextmanager
def stopped(server: PostgresServer) -> Iterator[None]:
    server.stop()
    try:
        yield
    finally:
        server.start()


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
async def test_every_endpoint_answers_503_while_the_database_is_away(
    tmp_path: Path, kind: str, request: pytest.FixtureRequest
) -> None:
    url = f"sqlite:///{tmp_path}/novasphere.db"
    away: AbstractContextManager[None] = locked(tmp_path / "novasphere.db")
    if kind == "postgresql":
        own_postgres = request.getfixturevalue("own_postgres")
        url, away = own_postgres.new_database(), stopped(own_postgres)
    async with control_plane(tmp_path, database_url=url) as plane:
        await plane.add_agent("node-001")
        with away:
            answer = await plane.rest(
                "POST", "/api/v1/nodes/node-001/commands", {"command_text": "true"}, status=503
            )
            assert answer["error_code"] == "DATABASE_ERROR"

            async def reads_say_so() -> bool:
                for path in (
                    "/api/v1/nodes",
                    "/api/v1/nodes/node-001",
                    "/api/v1/health",
                    "/api/v1/system/stats",
                ):
                    answer = await plane.rest("GET", path, status=503)
                    assert answer["error_code"] == "DATABASE_ERROR"
                return True

            await eventually(reads_say_so)

        async def works_again() -> Any:
            return await plane.rest("POST", "/api/v1/nodes/node-001/commands", {"command_text": "true"})

        await eventually(works_again)


@pytest.mark.parametrize("body", [{}, {"comand_text": "x"}, {"command_text": "x", "timeout": 0}])
async def test_a_path_that_leads_nowhere_is_said_before_what_is_wrong_with_the_body(
    fleet: ControlPlane, body: Any
) -> None:
    path = "/api/v1/nodes/nobody/commands"
    assert (await fleet.rest("POST", path, body, status=404))["error_code"] == "NODE_NOT_FOUND"
    async with aiohttp.ClientSession() as http, http.post(fleet.url + path, json=body) as answer:
        assert answer.status == 401


async def test_a_command_that_is_not_there_is_said_before_a_bad_query(fleet: ControlPlane) -> None:
    answer = await fleet.rest("GET", "/api/v1/commands/cmd-1/output?ofset=x", status=404)
    assert answer["code"] == "COMMAND_NOT_FOUND"
