"""Nodes that speak nothing but the published frames, written from the protocol alone."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import grpc
import grpc.aio
import pytest
from foreign_node import ForeignNode
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from novasphere.link.v1 import link_service_pb2 as link
from novasphere.link.v1 import link_service_pb2_grpc as link_grpc
from novasphere_server import errors
from novasphere_server.core.fleet_settings import FleetSettings
from novasphere_server.testing import RunningServer, running_server
from processes import TOKEN, ControlPlane, control_plane, eventually

METRICS = {"cpu_usage": 45.2, "memory_usage": 68.5, "disk_usage": 34.1, "load_average": 1.23}


class Fleet:
    """A server in this process, its REST API, and nodes of it."""

    def __init__(self, server: RunningServer, session: aiohttp.ClientSession) -> None:
        self.server = server
        self.session = session
        self.nodes: list[ForeignNode] = []

    def node(self, node_id: str = "node-001", *, token: str | None = None) -> ForeignNode:
        token = self.server.admin_token if token is None else token
        node = ForeignNode(self.session, self.server.http_url, token, node_id)
        self.nodes.append(node)
        return node

    async def rest(self, method: str, path: str, body: Any = None, *, status: int = 200) -> Any:
        headers = {"Authorization": f"Bearer {self.server.admin_token}", "Accept-Language": "en"}
        url = self.server.http_url + path
        async with self.session.request(method, url, json=body, headers=headers) as answer:
            text = await answer.text()
            assert answer.status == status, f"{method} {path}: {answer.status} {text}"
            return (await answer.json(content_type=None)).get("data")

    async def run(self, text: str = "true", node_id: str = "node-001", **fields: Any) -> str:
        """Creates a command and returns its id."""
        body = {"command_text": text, "timeout": 30} | fields
        return str((await self.rest("POST", f"/api/v1/nodes/{node_id}/commands", body))["command_id"])

    async def command(self, command_id: str) -> Any:
        return await self.rest("GET", f"/api/v1/commands/{command_id}")

    async def command_is(self, command_id: str, **fields: Any) -> Any:
        """Waits until a command has these values, and returns it with its result."""

        async def check() -> Any:
            found = await self.command(command_id)
            return found if found["command"] | fields == found["command"] else None

        return await eventually(check)

    async def explanation(self, command_id: str) -> str:
        """Returns all that people are told of a command."""
        headers = {"Authorization": f"Bearer {self.server.admin_token}"}
        url = f"{self.server.http_url}/api/v1/commands/{command_id}:explain"
        async with self.session.get(url, headers=headers) as answer:
            causes = (await answer.json())["explanations"]
            return " ".join(f"{cause['message']} {cause['remedy']}" for cause in causes)

    async def output(self, command_id: str, stream: str) -> str:
        headers = {"Authorization": f"Bearer {self.server.admin_token}", "Accept": "text/plain"}
        url = f"{self.server.http_url}/api/v1/commands/{command_id}/output?stream={stream}"
        async with self.session.get(url, headers=headers) as answer:
            return await answer.text()

    async def key(self, *scopes: str) -> str:
        """Creates an API key and returns it."""
        body = {"name": "a key", "scopes": list(scopes)}
        headers = {"Authorization": f"Bearer {self.server.admin_token}"}
        url = f"{self.server.http_url}/api/v1/keys"
        async with self.session.post(url, json=body, headers=headers) as answer:
            return str((await answer.json())["key"])

    async def node_is(self, node_id: str = "node-001", **fields: Any) -> Any:
        async def check() -> Any:
            found = await self.rest("GET", f"/api/v1/nodes/{node_id}")
            return found if found | fields == found else None

        return await eventually(check)


@asynccontextmanager
async def fleet_of(folder: Path, **settings: Any) -> AsyncIterator[Fleet]:
    quick = FleetSettings(presence_period=0.2, expiry_period=0.1)
    async with (
        running_server(folder, fleet=quick, **settings) as server,
        aiohttp.ClientSession() as session,
    ):
        fleet = Fleet(server, session)
        try:
            yield fleet
        finally:
            for node in fleet.nodes:
                await node.cut()


@pytest.fixture
async def fleet(tmp_path: Path) -> AsyncIterator[Fleet]:
    async with fleet_of(tmp_path) as running:
        yield running


async def test_a_node_registers_and_looks_like_any_other(fleet: Fleet) -> None:
    node = fleet.node()
    await node.connect()
    welcome = await node.frame("welcome")
    assert welcome["data"]["node_id"] == "node-001"
    answer = await node.register()
    assert answer | {"success": True, "message": "节点注册成功", "node_id": "node-001"} == answer
    assert answer["action"] == "created"
    found = await fleet.rest("GET", "/api/v1/nodes/node-001")
    assert found["hostname"] == "host-of-node-001"
    assert found["ip_address"] == "192.168.1.100"
    assert found["os_info"] == "Ubuntu 22.04 LTS"
    assert (found["status"], found["is_foreign"], found["capacity"]) == ("online", True, 1)
    listed = await fleet.rest("GET", "/api/v1/nodes")
    assert [row["node_id"] for row in listed["nodes"]] == ["node-001"]

    again = await node.register(os_info="Ubuntu 24.04 LTS")
    assert again["action"] == "updated"
    assert (await fleet.node_is(os_info="Ubuntu 24.04 LTS"))["id"] == found["id"]


async def test_watchers_hear_of_a_node(fleet: Fleet) -> None:
    node = fleet.node()
    headers = {
        "Authorization": f"Bearer {fleet.server.admin_token}",
        "Accept": "application/x-ndjson",
    }
    async with fleet.session.get(
        f"{fleet.server.http_url}/api/v1/nodes:watch", headers=headers
    ) as watch:
        await node.join()
        async with asyncio.timeout(60):
            while (row := json.loads(await watch.content.readline()))["type"] != "ADDED":
                pass
        assert (row["object"]["node_id"], row["object"]["is_foreign"]) == ("node-001", True)


async def test_a_command_runs_end_to_end(fleet: Fleet) -> None:
    node = fleet.node()
    await node.join()
    command_id = await fleet.run("echo out; echo err >&2; exit 7")
    frame = await node.command()
    assert frame["data"] == {
        "command_id": command_id,
        "command_text": "echo out; echo err >&2; exit 7",
        "timeout": 30,
    }
    assert frame["id"] != command_id
    await node.started(frame)
    await fleet.command_is(command_id, status="running", state="RUNNING")
    await node.execute(frame)
    done = await fleet.command_is(command_id, status="failed", reason="EXIT_CODE")
    result = done["result"]
    assert (result["exit_code"], result["stdout"], result["stderr"]) == (7, "out\n", "err\n")
    assert result["execution_time_ms"] == 125


# -- signs of life


async def test_metrics_are_there_when_the_heartbeat_is_acknowledged(fleet: Fleet) -> None:
    node = fleet.node()
    await node.join()
    for cpu in (10.0, 45.2):
        acknowledged = await node.beat(**METRICS | {"cpu_usage": cpu})
        assert acknowledged | {"received": True, "metrics_saved": True} == acknowledged
        # At once: the answer follows the commit.
        latest = await fleet.rest("GET", "/api/v1/nodes/node-001/metrics/latest")
        assert latest | METRICS | {"cpu_usage": cpu, "node_id": "node-001"} == latest
    more = METRICS | {"memory_total": 8 * 2**30, "uptime": 3600, "not_measured_by_us": 1}
    answer = await node.ask("metrics", {"node_id": "node-001", "metrics": more}, "metrics_response")
    assert answer["metrics_saved"] is True
    rows = await fleet.rest("GET", "/api/v1/nodes/node-001/metrics")
    assert rows["total"] == 3
    assert (rows["metrics"][0]["memory_total"], rows["metrics"][0]["uptime"]) == (8 * 2**30, 3600)
    assert (await node.beat())["metrics_saved"] is False
    assert (await fleet.rest("GET", "/api/v1/nodes/node-001/metrics"))["total"] == 3


async def test_a_heartbeat_of_a_node_that_never_registered_is_refused(fleet: Fleet) -> None:
    node = fleet.node()
    await node.connect()
    refused = await node.refused("heartbeat", {"node_id": "node-001", "status": "online"})
    assert refused["error_code"] == "NODE_NOT_FOUND"
    assert refused["message"] == "节点不存在，请先注册"
    await node.register()
    assert (await node.beat(**METRICS))["received"] is True


async def test_a_node_that_registered_before_needs_no_registration_when_it_is_back(fleet: Fleet) -> None:
    node = fleet.node()
    await node.join(capacity=3)
    await node.close()
    await node.connect()
    assert (await node.beat())["received"] is True
    found = await fleet.node_is(connection="ONLINE")
    assert (found["hostname"], found["capacity"]) == ("host-of-node-001", 3)


async def test_a_node_without_a_name_is_given_one(fleet: Fleet) -> None:
    node = fleet.node("")
    await node.connect()
    answer = await node.ask("node_register", {"hostname": "somewhere"}, "register_response")
    assert answer["node_id"]
    assert (await fleet.rest("GET", f"/api/v1/nodes/{answer['node_id']}"))["hostname"] == "somewhere"
    assert (await node.ask("heartbeat", {}, "heartbeat_ack"))["node_id"] == answer["node_id"]


async def test_a_goodbye_takes_a_node_offline_and_a_cut_does_not_yet(fleet: Fleet) -> None:
    node = fleet.node()
    await node.join()
    await node.cut()
    assert (await fleet.node_is(connection="DISCONNECTED"))["status"] == "online"
    fleet.server.clock.advance(181)
    await fleet.node_is(connection="OFFLINE", status="offline")
    await node.join()
    await fleet.node_is(connection="ONLINE", status="online")
    await node.close()
    await fleet.node_is(connection="OFFLINE", status="offline")


async def test_a_node_that_reports_an_error_has_that_status(fleet: Fleet) -> None:
    node = fleet.node()
    await node.join()
    await node.ask("heartbeat", {"status": "error"}, "heartbeat_ack")
    await fleet.node_is(status="error")
    await node.beat()
    await fleet.node_is(status="online")


# -- commands


async def test_one_command_at_a_time_unless_the_node_says_more(fleet: Fleet) -> None:
    modest, able = fleet.node("modest"), fleet.node("able")
    await modest.join()
    await able.join(capacity=2)
    for node in (modest, able):
        ids = [await fleet.run(f"echo {n}", node.node_id) for n in range(3)]
        sent = [await node.command() for _ in range(1 if node is modest else 2)]
        await node.beat()  # whatever was sent before this answer has come
        assert not [frame for frame in node.frames if frame["type"] == "execute_command"]
        for expected in ids:
            frame = sent.pop(0) if sent else await node.command()
            assert frame["data"]["command_id"] == expected
            await node.result(frame)
            await fleet.command_is(expected, status="success")


async def test_what_waits_for_a_node_is_sent_when_it_comes(fleet: Fleet) -> None:
    node = fleet.node()
    for _ in range(5):  # also what comes while its last connection is about to end
        await node.join()
        await node.close()
        command_id = await fleet.run()
        await node.join()
        frame = await node.command()
        assert frame["data"]["command_id"] == command_id
        await node.result(frame)
        await fleet.command_is(command_id, status="success")


async def test_a_node_hears_that_it_is_registered_before_any_command(fleet: Fleet) -> None:
    node = fleet.node()
    await node.join(capacity=4)
    await node.close()
    for _ in range(4):
        await fleet.run()
    await node.connect()
    await node.send("node_register", {"capacity": 4})
    await node.until(lambda: len(node.frames) == 6)
    kinds = [frame["type"] for frame in node.frames]
    assert kinds == ["welcome", "register_response"] + ["execute_command"] * 4


async def test_nobody_is_told_that_a_command_of_a_foreign_node_is_killed(fleet: Fleet) -> None:
    node = fleet.node()
    await node.join()
    command_id = await fleet.run(timeout=20)
    frame = await node.command()
    assert "times out 20 s after it was sent" in await fleet.explanation(command_id)
    await node.started(frame)
    await fleet.command_is(command_id, status="running")
    running = await fleet.explanation(command_id)
    assert "cannot be told to stop it" in running
    assert "killed" not in running
    fleet.server.clock.advance(21)
    await fleet.command_is(command_id, status="timeout")
    ended = await fleet.explanation(command_id)
    assert "may still run there" in ended
    assert "killed" not in ended


async def test_the_server_ends_a_command_whose_time_is_up(fleet: Fleet) -> None:
    node = fleet.node()
    await node.join()
    command_id, next_id = await fleet.run(timeout=20), await fleet.run("next")
    frame = await node.command()
    await node.started(frame)
    await fleet.command_is(command_id, status="running")
    fleet.server.clock.advance(19)
    await node.beat()
    assert (await fleet.command(command_id))["command"]["status"] == "running"
    fleet.server.clock.advance(2)
    done = await fleet.command_is(command_id, status="timeout", state="TIMED_OUT", reason="TIMEOUT")
    assert done["result"] is None
    # Its slot is free again.
    second = await node.command()
    assert second["data"]["command_id"] == next_id

    await node.result(frame, 0, stdout="too late")
    refused = (await node.frame("error", frame["id"]))["data"]
    assert refused["error_code"] == "COMMAND_TIMEOUT"
    late = await fleet.command(command_id)
    assert (late["command"]["state"], late["result"]) == ("TIMED_OUT", None)
    assert late["late_result"]["exit_code"] == 0
    await node.result(second)
    await fleet.command_is(next_id, status="success")


async def test_a_result_counts_on_whatever_connection_it_comes_and_once(fleet: Fleet) -> None:
    node = fleet.node()
    await node.join()
    command_id = await fleet.run()
    frame = await node.command()
    await node.started(frame)
    await fleet.command_is(command_id, status="running")
    await node.cut()
    await fleet.node_is(connection="DISCONNECTED")
    await node.join()
    await node.beat()
    assert not node.frames, "what was sent is not sent again"
    await node.result(frame, 3, stdout="first")
    first = await fleet.command_is(command_id, status="failed", exit_code=3)
    await node.result(frame, 0, stdout="first and more")
    await node.beat()  # answered in order
    assert await fleet.command(command_id) == first
    assert (first["result"]["stdout"], first["result"]["stdout_bytes"]) == ("first", 5)
    assert await fleet.output(command_id, "stdout") == "first"


async def test_a_result_that_is_told_twice_ends_one_attempt_of_a_task(fleet: Fleet) -> None:
    node = fleet.node()
    await node.join()
    config = {"command_text": "true", "max_retries": 2, "retry_interval": 0}
    await fleet.rest(
        "POST", "/api/v1/tasks:batch", {"tasks": [{"node_id": "node-001", "config": config}]}
    )
    first = await node.command()
    await node.result(first, 1)
    second = await node.command()
    assert second["data"] == first["data"]
    await node.cut()
    await node.join()
    await node.result(first, 1)
    await node.beat()  # answered in order
    assert not node.frames, "no other attempt was sent, and nothing was refused"
    await node.result(second)
    await fleet.command_is(second["data"]["command_id"], status="success", attempt=2)


async def test_a_result_may_come_before_the_node_registers_again(fleet: Fleet) -> None:
    node = fleet.node()
    await node.join()
    command_id = await fleet.run()
    frame = await node.command()
    await node.cut()
    await node.connect()
    await node.result(frame, stdout="fast")
    assert (await fleet.command_is(command_id, status="success"))["result"]["stdout"] == "fast"


async def test_long_output_comes_whole(fleet: Fleet) -> None:
    node = fleet.node()
    await node.join()
    command_id = await fleet.run()
    stdout, stderr = "é1234567" * 180_000, "e" * 100_000
    await node.result(await node.command(), stdout=stdout, stderr=stderr)
    done = await fleet.command_is(command_id, status="success")
    assert done["result"]["stdout_bytes"] == len(stdout.encode())
    assert await fleet.output(command_id, "stdout") == stdout
    assert await fleet.output(command_id, "stderr") == stderr


async def test_a_cancel_ends_a_command_though_its_node_cannot_be_told(fleet: Fleet) -> None:
    node = fleet.node()
    await node.join()
    command_id, next_id = await fleet.run(), await fleet.run()
    frame = await node.command()
    await fleet.rest("POST", f"/api/v1/commands/{command_id}:cancel")
    ended = await fleet.command_is(command_id, state="CANCELLED")
    assert "may still run" in ended["command"]["reason_message"]
    assert (await node.command())["data"]["command_id"] == next_id
    await node.result(frame)
    assert (await node.frame("error"))["data"]["error_code"] == "COMMAND_FINISHED"
    assert (await fleet.command(command_id))["command"]["state"] == "CANCELLED"
    await fleet.rest("POST", "/api/v1/commands:cancel", {"command_ids": [next_id]})
    ended = await fleet.command_is(next_id, state="CANCELLED")
    assert "may still run" in ended["command"]["reason_message"]


async def test_an_explanation_knows_when_the_server_ends_a_command(fleet: Fleet) -> None:
    node = fleet.node()
    await node.join()
    command_id = await fleet.run()
    await node.command()
    headers = {"Authorization": f"Bearer {fleet.server.admin_token}"}
    url = f"{fleet.server.http_url}/api/v1/commands/{command_id}:explain"
    async with fleet.session.get(url, headers=headers) as answer:
        found = await answer.json()
    assert [one["cause"] for one in found["explanations"]] == ["NOT_CONFIRMED"]
    assert found["until"] == found["command"]["run_deadline"]


async def test_a_command_of_a_node_that_is_lost_is_given_up(fleet: Fleet) -> None:
    node = fleet.node()
    await node.join()
    command_id = await fleet.run(timeout=3600)
    frame = await node.command()
    await node.cut()
    await fleet.node_is(connection="DISCONNECTED")
    fleet.server.clock.advance(901)
    await fleet.command_is(command_id, state="LOST", status="failed")
    await node.join()
    await node.result(frame, 5)
    assert (await node.frame("error"))["data"]["error_code"] == "COMMAND_FINISHED"
    late = await fleet.command(command_id)
    assert (late["command"]["state"], late["late_result"]["exit_code"]) == ("LOST", 5)


# -- what is refused

BAD_FRAMES = [
    ("no json", "PARSE_ERROR", "not JSON"),
    ("[1]", "PARSE_ERROR", "object"),
    (b"{}", "PARSE_ERROR", "not bytes"),
    ("{}", "PARSE_ERROR", "type"),
    ('{"type": 3}', "PARSE_ERROR", "type"),
    ('{"type": "heartbeat", "id": 3}', "PARSE_ERROR", "id"),
    ('{"type": "heartbeat", "data": []}', "PARSE_ERROR", "data"),
    ('{"type": "dance"}', "UNKNOWN_MESSAGE_TYPE", "dance"),
]
BAD_DATA = [
    ("heartbeat", {"node_id": "another"}, "NODE_ID_MISMATCH", "another"),
    ("command_result", {"node_id": "another"}, "NODE_ID_MISMATCH", "another"),
    ("heartbeat", {"node_id": 1}, "PARSE_ERROR", "node_id"),
    ("heartbeat", {"metrics": 1}, "INVALID_METRIC_DATA", "metrics"),
    ("heartbeat", {"metrics": {"cpu_usage": 101}}, "INVALID_METRIC_DATA", "cpu_usage"),
    ("heartbeat", {"metrics": {"disk_usage": "full"}}, "INVALID_METRIC_DATA", "disk_usage"),
    ("metrics", {"load_average": -1}, "INVALID_METRIC_DATA", "load_average"),
    ("metrics", {"memory_usage": True}, "INVALID_METRIC_DATA", "memory_usage"),
    ("node_register", {"hostname": 1}, "INVALID_REGISTER_DATA", "hostname"),
    ("node_register", {"os_info": "x" * 257}, "INVALID_REGISTER_DATA", "os_info"),
    ("node_register", {"ip_address": "a\nb"}, "INVALID_REGISTER_DATA", "ip_address"),
    ("node_register", {"capacity": 0}, "INVALID_REGISTER_DATA", "capacity"),
    ("command_started", {}, "PARSE_ERROR", "command_id"),
    ("command_result", {"command_id": "cmd-1"}, "PARSE_ERROR", "exit_code"),
    ("command_result", {"command_id": "cmd-1", "exit_code": 2**31}, "PARSE_ERROR", "exit_code"),
    ("command_result", {"command_id": "c", "exit_code": 0, "stdout": 1}, "PARSE_ERROR", "stdout"),
    ("command_result", {"command_id": "cmd-1", "exit_code": 0}, "COMMAND_NOT_FOUND", "cmd-1"),
]


async def test_what_is_wrong_is_said_and_the_connection_stays(fleet: Fleet) -> None:
    node = fleet.node()
    await node.join()
    for text, code, words in BAD_FRAMES:
        await node.send_raw(text)
        said = (await node.frame("error"))["data"]
        assert (said["error_code"], words in said["details"]) == (code, True), (text, said)
    for kind, data, code, words in BAD_DATA:
        said = await node.refused(kind, data)
        assert (said["error_code"], words in said["details"]) == (code, True), (kind, data, said)
    assert (await node.beat(**METRICS))["received"] is True
    assert not node.frames


async def test_a_bad_name_is_refused_with_what_names_look_like(fleet: Fleet) -> None:
    node = fleet.node("no spaces")
    await node.connect()
    said = await node.refused("node_register", {})
    assert said["error_code"] == "INVALID_REGISTER_DATA"
    assert said["details"].startswith("node_id: must be")


async def test_errors_are_told_in_english_where_that_is_asked_for(fleet: Fleet) -> None:
    node = fleet.node()
    await node.connect(headers={"Accept-Language": "en"})
    said = await node.refused("heartbeat", {})
    assert said["message"] == "the node does not exist: register it first"
    assert (await node.register())["message"] == "the node is registered"


async def test_what_the_database_does_not_take_is_refused_and_may_be_said_again(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: Any, **__: Any) -> None:
        raise errors.DatabaseUnavailable

    node = fleet.node()
    await node.join()
    command_id = await fleet.run()
    frame = await node.command()
    with monkeypatch.context() as outage:
        outage.setattr(fleet.server.store, "write", fail)
        beat = {"status": "online", "metrics": METRICS}
        assert (await node.refused("heartbeat", beat))["error_code"] == "DATABASE_ERROR"
        await node.result(frame, stdout="kept")
        assert (await node.frame("error", frame["id"]))["data"]["error_code"] == "DATABASE_ERROR"
    assert (await node.beat(**METRICS))["metrics_saved"] is True
    await node.result(frame, stdout="kept")
    assert (await fleet.command_is(command_id, status="success"))["result"]["stdout"] == "kept"


async def test_a_server_that_starts_over_costs_a_node_no_connection_and_no_result(fleet: Fleet) -> None:
    node = fleet.node()
    await node.join()
    command_id = await fleet.run()
    frame = await node.command()
    await fleet.server.store.recall()  # as it does then
    assert (await node.frame("error"))["data"]["error_code"] == "DATABASE_ERROR"
    await node.result(frame, stdout="kept")
    assert (await fleet.command_is(command_id, status="success"))["result"]["stdout"] == "kept"
    await fleet.run()
    assert await node.command()
    assert node.close_code is None


async def test_nobody_hears_of_a_command_of_another_node(fleet: Fleet) -> None:
    owner, thief = fleet.node("owner"), fleet.node("thief")
    await owner.join()
    await thief.join()
    command_id = await fleet.run(node_id="owner")
    frame = await owner.command()
    await thief.started(frame)
    await thief.result(frame, 66)
    assert (await thief.frame("error"))["data"]["error_code"] == "COMMAND_NOT_FOUND"
    assert (await fleet.command(command_id))["command"]["state"] == "DISPATCHED"


async def test_a_result_for_a_command_that_was_never_sent_is_refused(fleet: Fleet) -> None:
    node = fleet.node()
    await node.join()
    await fleet.run("first")
    waiting = await fleet.run("second")
    await node.send("command_result", {"command_id": waiting, "exit_code": 0})
    assert (await node.frame("error"))["data"]["error_code"] == "COMMAND_NOT_FOUND"
    assert (await fleet.command(waiting))["command"]["state"] == "PENDING"


async def test_a_message_that_is_too_large_is_refused(fleet: Fleet) -> None:
    node = fleet.node()
    await node.join()
    await node.send_raw(json.dumps({"type": "ping", "data": {"x": "x" * 4 * 1024 * 1024}}))
    assert (await node.frame("error"))["data"]["error_code"] == "TOO_LARGE"
    assert (await node.beat())["received"] is True


# -- who may connect


@pytest.mark.parametrize("token", ["", "wrong", "nsk_wrong", "nsj_wrong"])
async def test_a_wrong_token_is_told_so_and_sent_away(fleet: Fleet, token: str) -> None:
    node = fleet.node(token=token)
    await node.connect()
    assert await node.closed() == 4401
    (said,) = node.frames
    assert said["type"] == "error"
    assert said["data"]["error_code"] == "INVALID_TOKEN"
    assert said["data"]["message"] == "认证令牌无效"


async def test_every_token_that_serves(fleet: Fleet) -> None:
    node = fleet.node(token="")
    await node.connect(headers={"Authorization": f"Bearer {fleet.server.admin_token}"})
    await node.register()

    key = fleet.node("by-key", token=await fleet.key("agent"))
    assert (await key.join())["action"] == "created"

    joined = fleet.node("by-join-token", token=fleet.server.join_token)
    answer = await joined.join()
    assert (await joined.join())["action"] == "updated"

    own = fleet.node("by-join-token", token=(await joined.register())["token"])
    assert "token" not in await own.join()
    assert await joined.closed() == 4409
    other = fleet.node("by-key", token=own.token)
    await other.connect()
    assert (await other.refused("node_register", {}))["error_code"] == "FORBIDDEN"
    assert await other.closed() == 4403
    # Only the newest is good.
    stale = fleet.node("by-join-token", token=answer["token"])
    await stale.connect()
    assert await stale.closed() == 4401


async def test_a_key_that_may_not_be_an_agent_is_sent_away(fleet: Fleet) -> None:
    node = fleet.node(token=await fleet.key("read", "write"))
    await node.connect()
    assert await node.closed() == 4403
    assert node.frames[0]["data"]["error_code"] == "FORBIDDEN"


async def test_a_revoked_key_ends_the_connection(fleet: Fleet) -> None:
    node = fleet.node(token=await fleet.key("agent"))
    await node.join()
    rows = await fleet.session.get(
        f"{fleet.server.http_url}/api/v1/keys",
        headers={"Authorization": f"Bearer {fleet.server.admin_token}"},
    )
    (key,) = (await rows.json())["keys"]
    await fleet.rest("DELETE", f"/api/v1/keys/{key['key_id']}")
    assert await node.closed() == 4401
    assert node.frames[-1]["data"]["error_code"] == "INVALID_TOKEN"


async def test_tokens_in_urls_can_be_switched_off(tmp_path: Path) -> None:
    async with fleet_of(tmp_path, query_tokens=False) as fleet:
        node = fleet.node()
        await node.connect()
        assert await node.closed() == 4401
        assert "Authorization" in node.frames[0]["data"]["details"]
        node.token = ""
        authorized = {"Authorization": f"Bearer {fleet.server.admin_token}"}
        await node.connect(headers=authorized)
        await node.register()
        url = f"{fleet.server.http_url}/api/v1/tickets"
        async with fleet.session.post(url, json={}, headers=authorized) as answer:
            ticket = (await answer.json())["ticket"]
        await node.connect(ticket=ticket)
        await node.register()


async def test_a_page_may_connect_as_a_node(fleet: Fleet) -> None:
    text = base64.urlsafe_b64encode(fleet.server.admin_token.encode()).decode().rstrip("=")
    bearer = f"base64url.bearer.authorization.novasphere.io.{text}"
    url = f"{fleet.server.http_url}/ws/node"
    async with fleet.session.ws_connect(url, protocols=[bearer, "json"]) as socket:
        assert socket.protocol == "json"
        assert (await socket.receive_json())["type"] == "welcome"


async def test_pages_of_strangers_may_not_connect(tmp_path: Path) -> None:
    async with fleet_of(tmp_path, cors_origins=("https://console.example.org",)) as fleet:
        node = fleet.node()
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await node.connect(headers={"Origin": "https://evil.example.org"})
        assert refused.value.status == 403
        for origin in ("https://console.example.org", fleet.server.http_url):
            await node.connect(headers={"Origin": origin})
            await node.register()


async def test_plain_http_is_told_to_upgrade(fleet: Fleet) -> None:
    async with fleet.session.get(f"{fleet.server.http_url}/ws/node?token=secret") as answer:
        problem = await answer.json(content_type=None)
        assert (answer.status, problem["code"]) == (426, "UPGRADE_REQUIRED")
        assert "WebSocket" in problem["detail"]
        assert "secret" not in json.dumps(problem)


# -- who a node is


async def test_the_newest_connection_wins(fleet: Fleet) -> None:
    old, new = fleet.node(), fleet.node()
    await old.join()
    await new.join()
    assert await old.closed() == 4409
    said = old.frames[-1]
    assert (said["type"], said["data"]["error_code"]) == ("error", "DUPLICATE_IDENTITY")
    command_id = await fleet.run("echo new")
    await new.execute(await new.command())
    await fleet.command_is(command_id, status="success")
    assert (await fleet.node_is(connection="ONLINE"))["status"] == "online"


async def test_two_first_connections_at_once_are_one_node(fleet: Fleet) -> None:
    twins = [fleet.node() for _ in range(4)]
    for twin in twins:
        await twin.connect()
        await twin.send("node_register", {"node_id": "node-001"})
    (winner,) = await eventually(lambda: _survivors(twins))
    assert (await winner.beat())["received"] is True
    codes = [await twin.closed() for twin in twins if twin is not winner]
    assert codes == [4409] * 3
    assert (await fleet.rest("GET", "/api/v1/nodes"))["total"] == 1


async def _survivors(nodes: list[ForeignNode]) -> list[ForeignNode]:
    alive = [node for node in nodes if node.close_code is None]
    return alive if len(alive) == 1 else []


async def test_a_join_token_takes_over_no_node_but_those_that_it_let_in(fleet: Fleet) -> None:
    owner = fleet.node()
    await owner.join()
    stranger = fleet.node(token=fleet.server.join_token)
    await stranger.connect()
    said = await stranger.refused("node_register", {})
    assert said["error_code"] == "NODE_NAME_TAKEN"
    assert "another token" in said["details"]
    assert (await owner.beat())["received"] is True


async def test_a_node_with_an_agent_is_not_taken_over(fleet: Fleet) -> None:
    async with fleet.server.channel() as channel:
        agent = link_grpc.LinkServiceStub(channel).Connect(metadata=fleet.server.authorization())
        await agent.write(hello("node-001"))
        credential = (await agent.read()).welcome.credential
        for token in (fleet.server.admin_token, fleet.server.join_token, credential):
            node = fleet.node(token=token)
            await node.connect()
            said = await node.refused("node_register", {})
            assert said["error_code"] == "NODE_NAME_TAKEN"
            assert "delete that node first" in said["details"]
        assert (await fleet.node_is(connection="ONLINE"))["is_foreign"] is False
        agent.cancel()


async def test_an_agent_does_not_become_a_foreign_node(fleet: Fleet) -> None:
    node = fleet.node()
    token = (await node.join())["token"]
    uid = (await fleet.rest("GET", "/api/v1/nodes/node-001"))["uid"]
    async with fleet.server.channel() as channel:
        stub = link_grpc.LinkServiceStub(channel)
        for frame, secret in (
            (hello("node-001"), None),
            (hello("node-001", node_uid=uid, session_token="nss_x"), token),
        ):
            agent = stub.Connect(metadata=fleet.server.authorization(secret))
            await agent.write(frame)
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await agent.read()
            assert "another --name" in (refused.value.details() or "")
    assert (await node.beat())["received"] is True


async def test_a_deleted_node_is_sent_away_and_may_come_back(fleet: Fleet) -> None:
    node = fleet.node()
    await node.join()
    await fleet.rest("DELETE", "/api/v1/nodes/node-001")
    assert await node.closed() == 4404
    assert node.frames[-1]["data"]["error_code"] == "NODE_DELETED"
    await node.connect()
    assert (await node.refused("heartbeat", {}))["error_code"] == "NODE_NOT_FOUND"
    assert (await node.register())["action"] == "created"


async def test_a_server_that_stops_says_so(tmp_path: Path) -> None:
    async with fleet_of(tmp_path) as fleet:
        registered, waiting = fleet.node(), fleet.node("node-002")
        await registered.join()
        await waiting.connect()
        await waiting.frame("welcome")
        await fleet.server.app.stop()
        for node in (registered, waiting):
            assert await node.closed() == 1001
            assert node.frames[-1]["data"]["error_code"] == "DRAINING"


def hello(node_id: str, **fields: Any) -> link.ConnectRequest:
    identity = link.Hello(node_id=node_id, protocol=1, capacity=1, boot_id="boot", **fields)
    return link.ConnectRequest(sequence=1, free_slots=1, hello=identity)


# -- real processes


@pytest.mark.fault
async def test_twenty_nodes_survive_a_killed_server_with_commands_under_way(tmp_path: Path) -> None:
    arguments = ("--log-level", "debug")
    async with control_plane(tmp_path, *arguments) as plane, aiohttp.ClientSession() as session:
        names = [f"node-{n:03}" for n in range(20)]
        nodes = [ForeignNode(session, plane.url, TOKEN, name) for name in names]
        starts: dict[str, int] = {}
        finished: dict[str, int] = {}
        is_over = asyncio.Event()

        async def live(node: ForeignNode) -> None:
            """Connects again and again, runs what it is told, and reports what it ran on whatever
            connection there is.
            """
            unreported: dict[str, dict[str, Any]] = {}
            while not is_over.is_set():
                try:
                    await node.join()
                    for frame in tuple(unreported.values()):
                        await node.result(frame, stdout=frame["data"]["command_id"])
                    while not is_over.is_set():
                        # Frames are dealt with in order: this answer means that the results are stored.
                        await node.beat()
                        reported, unreported = unreported, {}
                        finished.update(dict.fromkeys(reported, 0))
                        for frame in [f for f in node.frames if f["type"] == "execute_command"]:
                            node.frames.remove(frame)
                            command_id = frame["data"]["command_id"]
                            starts[command_id] = starts.get(command_id, 0) + 1
                            unreported[command_id] = frame
                            await node.started(frame)
                            await asyncio.sleep(0.3)  # it runs
                            await node.result(frame, stdout=command_id)
                        await asyncio.sleep(0.05)
                except (aiohttp.ClientError, ConnectionError, TimeoutError, AssertionError):
                    await asyncio.sleep(0.1)

        async with asyncio.TaskGroup() as tasks:
            for node in nodes:
                tasks.create_task(live(node))
            for name in names:
                await plane.node_is("online", name)
            ids = {name: [await run(plane, name) for _ in range(4)] for name in names}
            await eventually(lambda: _enough(finished, 20))
            await plane.server.kill()
            await plane.start()

            async def ended() -> bool:
                listed = await plane.rest("GET", "/api/v1/commands?limit=1000")
                statuses = [row["status"] for row in listed["data"]["commands"]]
                return len(statuses) == 80 and not {"pending", "running"} & set(statuses)

            await eventually(ended, within=120)
            is_over.set()
        for name, command_ids in ids.items():
            for command_id in command_ids:
                told = (await plane.rest("GET", f"/api/v1/commands/{command_id}"))["data"]
                state = told["command"]["state"]
                assert starts.get(command_id, 0) <= 1, f"{command_id} ran twice on {name}"
                if command_id in finished:  # acknowledged, so stored
                    assert state == "SUCCEEDED" or told.get("late_result"), (name, told)
                if state == "SUCCEEDED":
                    assert told["result"]["stdout"] == command_id
                else:  # it was on its way when the server died
                    assert (state, told["command"]["reason"]) == ("TIMED_OUT", "TIMEOUT"), told
        code, listed, _ = await plane.novasphere("node", "list")
        assert (code, [name for name in names if name not in listed]) == (0, [])
        for node in nodes:
            await node.close()
        log = plane.server.output()
        assert "Traceback" not in log
        assert TOKEN not in log


async def run(plane: ControlPlane, name: str) -> str:
    body = {"command_text": "true", "timeout": 10}
    return str((await plane.rest("POST", f"/api/v1/nodes/{name}/commands", body))["data"]["command_id"])


async def _enough(things: dict[str, int], count: int) -> bool:
    return len(things) >= count


# -- anything at all

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=10,
)
VALID: dict[str, dict[str, Any]] = {
    "node_register": {"hostname": "h", "ip_address": "10.0.0.1", "os_info": "an os", "capacity": 1},
    "heartbeat": {"status": "online", "metrics": METRICS},
    "metrics": METRICS,
    "command_received": {"command_id": "cmd-1"},
    "command_started": {"command_id": "cmd-1"},
    "command_result": {
        "command_id": "cmd-1", "exit_code": 0, "stdout": "", "stderr": "", "execution_time_ms": 1
    },
    "ping": {}, "pong": {}, "error": {},
}  # fmt: skip
ALL_KEYS = [(kind, key) for kind, data in VALID.items() for key in (*data, "node_id")]
# Right but for one value; right in its shape; anything at all.
ALMOST = st.builds(
    lambda at, value: {"type": at[0], "data": VALID[at[0]] | {at[1]: value}},
    st.sampled_from(ALL_KEYS),
    JSON,
)
SHAPED = st.fixed_dictionaries({"type": st.sampled_from([*VALID]) | JSON, "id": JSON, "data": JSON})
FRAMES = (ALMOST | SHAPED | JSON).map(json.dumps) | st.text(max_size=64) | st.binary(max_size=64)


async def test_no_frame_kills_a_connection(
    fleet: Fleet, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    node = fleet.node()
    await node.join()
    drawn: list[list[str | bytes]] = []

    @settings(max_examples=200, database=None, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(FRAMES, min_size=4, max_size=12))
    def draw(frames: list[str | bytes]) -> None:
        drawn.append([f for f in frames if isinstance(f, bytes) or _is_text(f)])

    draw()
    for frames in drawn:
        for frame in frames:
            await node.send_raw(frame)
        # Answered in order, on the same connection, whatever came before.
        answer = await node.ask("ping", {}, "pong")
        assert answer == {}
        node.frames.clear()
    assert node.is_connected
    assert (await node.register())["success"] is True
    assert (await node.beat(**METRICS))["received"] is True
    assert not [r for r in caplog.records if r.levelname in ("ERROR", "CRITICAL")]
    logged = "".join(capfd.readouterr())
    assert "Traceback" not in logged
    assert "[error" not in logged


def _is_text(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
