"""`novasphere job` and `novasphere agent` as real processes against the server itself."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from command_line import Cli, Finished
from novasphere.schedule.v1 import agent_service_pb2, job_service_pb2, task_pb2
from novasphere_client import Client, SyncClient, errors, json_form
from novasphere_server.testing import RunningServer, running_server

FILE = """
name: nightly
description: 每晚
environment: {A: "1"}
config:
  cmd: python
  args: [process.py]
  timeout: 60
---
namespace: team-a
name: hourly
status: 0
config: {command_text: date}
"""


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[RunningServer]:
    async with running_server(tmp_path) as running:
        yield running


@pytest.fixture
def run(server: RunningServer, tmp_path: Path) -> Callable[..., Awaitable[Finished]]:
    cli = Cli.of(tmp_path, server)

    async def run_one(*arguments: str) -> Finished:
        return await cli(*arguments)

    return run_one


async def test_a_file_is_applied_shown_changed_and_deleted(
    run: Callable[..., Awaitable[Finished]], tmp_path: Path
) -> None:
    file = tmp_path / "jobs.yaml"
    file.write_text(FILE)
    dry = await run("job", "apply", "-f", str(file), "--dry-run")
    assert "job default/nightly would be created" in dry.err
    assert (await run("job", "list")).text == ""
    made = await run("job", "apply", "-f", str(file))
    assert (made.code, made.err.splitlines()) == (
        0,
        ["novasphere: job default/nightly created", "novasphere: job team-a/hourly created"],
    )
    listed, of_team, again = await asyncio.gather(
        run("job", "list"),
        run("job", "list", "-n", "team-a", "-o", "name"),
        run("job", "apply", "-f", str(file)),
    )
    dry = await run("job", "apply", "-f", str(file), "--dry-run")
    assert dry.err == again.err
    assert [line.split()[:3] for line in listed.text.splitlines()] == [
        ["NAMESPACE", "NAME", "STATUS"],
        ["default", "nightly", "enabled"],
        ["team-a", "hourly", "disabled"],
    ]
    assert of_team.text.split() == ["team-a/hourly"]
    assert [line.split()[-1] for line in again.err.splitlines()] == ["unchanged", "unchanged"]

    described = await run("job", "describe", "nightly")
    job = yaml.safe_load(described.text)
    assert (job["environment"], job["config"]["args"]) == ({"A": "1"}, ["process.py"])
    file.write_text(described.text.replace("每晚", "noch"))
    dry = await run("job", "apply", "-f", str(file), "--dry-run")
    assert dry.err == "novasphere: job default/nightly would be changed\n"
    assert (await run("job", "apply", "-f", str(file))).err.endswith("job default/nightly changed\n")
    shown = json.loads((await run("job", "get", job["id"], "-o", "json")).text)
    assert shown == job | {name: shown[name] for name in ("description", "updated_at", "revision")}
    assert shown["description"] == "noch"

    done = await run("job", "enable", "team-a/hourly", "nothing")
    assert done.code == 1
    assert "job team-a/hourly enabled" in done.err
    assert "'nothing'" in done.err
    await run("job", "disable", "nightly")
    assert (await run("job", "delete", "nightly", "team-a/hourly")).code == 0
    watched = await run("job", "watch", "--timeout", "6s", "-o", "json")
    assert [json.loads(line)["type"] for line in watched.text.splitlines()] == ["BOOKMARK"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "holds no job"),
        ("- a", "document 1: a job is an object with a name"),
        ("name: a\n---\nname: a", "document 2: default/a is there twice"),
        ("{", "cannot be read"),
        ("name: a\nconfg: {}", "confg: unknown field"),
        ("name: a\nconfig: {timeout: soon}", "config.timeout: "),
        ("name: a\nconfig: {args: x}", "config.args: must be a list"),
        ("name: a\nstatus: on-hold\nconfig: {cmd: a}", "status: must be one of enabled, deleted, disabled"),
        ("name: a\nconfig: {}", "must say what runs"),
    ],
)  # fmt: skip
async def test_a_file_that_is_no_job_is_refused_by_field(
    run: Callable[..., Awaitable[Finished]], tmp_path: Path, text: str, told: str
) -> None:
    file = tmp_path / "job.yaml"
    file.write_text(text)
    refused = await run("job", "apply", "-f", str(file))
    assert refused.code != 0
    assert told in " ".join(refused.err.split())


async def test_agents_are_listed_beside_the_command_that_runs_one(
    server: RunningServer, run: Callable[..., Awaitable[Finished]]
) -> None:
    async with Client.connect(server.grpc_address, server.admin_token) as client:
        request = agent_service_pb2.CreateAgentRequest(name="a1", labels={"zone": "a"})
        await client._connection.mutate(client.agents._service.CreateAgent, request)
    listed, none, shown, described, wrong, program = await asyncio.gather(
        run("agent", "list"),
        run("agent", "list", "--status", "online", "--status", "busy"),
        run("agent", "get", "a1", "-o", "json"),
        run("agent", "describe", "a1"),
        run("agent", "list", "--status", "asleep"),
        run("agent", "--help"),
    )
    assert listed.text.splitlines()[1].split()[:3] == ["a1", "offline", "zone=a"]
    assert (none.text, none.err) == ("", "novasphere: no such agent\n")
    assert json.loads(shown.text)["labels"] == {"zone": "a"}
    lines = {
        title: value.strip()
        for title, _, value in (line.partition(":") for line in described.text.splitlines())
    }
    assert (lines["Status"], lines["Labels"]) == ("offline", "zone=a")
    assert lines["Agent"].startswith("a1 (")
    assert "'asleep' is not one of" in wrong.err
    assert "--allow" in program.text


async def test_the_sync_client_has_jobs_and_agents_too(server: RunningServer) -> None:
    def use() -> list[Any]:
        with SyncClient.connect(server.grpc_address, server.admin_token) as client:
            wanted = job_service_pb2.CreateJobRequest(name="a")
            wanted.config.command_text = "date"
            job_id = client.jobs.create(wanted)
            with pytest.raises(errors.AlreadyExists):
                client.jobs.create(wanted)
            client.jobs.disable(job_id)
            assert client.jobs.named("a").id == job_id
            return [*client.jobs.all(), *client.agents.all()]

    (job,) = await asyncio.to_thread(use)
    assert json_form.encode(job)["status"] == "disabled"


def test_an_empty_list_is_null_where_rest_prints_null() -> None:
    assert json_form.encode(task_pb2.Task())["dependencies"] is None
