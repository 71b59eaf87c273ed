"""Files that `novasphere apply` refuses, or takes in one form more, as real processes against the server itself."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from command_line import Cli, Finished
from novasphere.schedule.v1 import schedule_service_pb2, task_pb2
from novasphere_client import Client
from novasphere_server.testing import RunningServer, running_server

Apply = Callable[..., Awaitable[Finished]]

JOB = "{kind: Job, name: tick, config: {command_text: date}}"


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[RunningServer]:
    async with running_server(tmp_path) as running:
        yield running


@pytest.fixture
def cli(server: RunningServer, tmp_path: Path) -> Cli:
    return Cli.of(tmp_path, server)


@pytest.fixture
def apply(cli: Cli, tmp_path: Path) -> Apply:
    count = 0

    async def run(text: str, *arguments: str) -> Finished:
        nonlocal count
        count += 1
        file = tmp_path / f"work{count}.yaml"
        file.write_text(text)
        return await cli("apply", "-f", str(file), *arguments)

    return run


@pytest.fixture
async def client(server: RunningServer) -> AsyncIterator[Client]:
    async with Client.connect(server.grpc_address, server.admin_token) as connected:
        yield connected


async def make_schedule(client: Client, job_id: str, name: str) -> str:
    request = schedule_service_pb2.CreateScheduleRequest(
        job_id=job_id, name=name, kind=task_pb2.SCHEDULE_KIND_EVENT
    )
    return await client.schedules.create(request)


def words(done: Finished) -> str:
    return " ".join(done.err.split())


async def test_what_only_requests_say_is_refused_and_nothing_is_done(apply: Apply, cli: Cli) -> None:
    assert (await apply(JOB)).code == 0
    refused = {
        JOB[:-1] + ", job_id: a}": "document 1: job_id: unknown field; known are config, description, "
        "environment, name, namespace, namespace_id, status",
        JOB[:-1] + ", update_mask: [name]}": "document 1: update_mask: is no field of a job",
        JOB[:-1] + ", dry_run: true}": "document 1: dry_run: is no field of a job; say --dry-run",
        f"{JOB.replace('tick', 'tock')}\n---\n"
        "{kind: Schedule, job: tick, name: a, interval_secs: 9, validate_only: true}": (
            "document 2: validate_only: is no field of a schedule; say --dry-run"
        ),
    }
    for told, done in zip(
        refused.values(), await asyncio.gather(*(apply(text) for text in refused)), strict=True
    ):
        assert done.code == 2
        assert told in words(done)
    assert (await cli("job", "list", "-o", "name")).text.split() == ["default/tick"]


async def test_errors_say_which_document_and_which_field(apply: Apply) -> None:
    good = "{name: m1, kind: Job, config: {command_text: date}}"
    timing = "kind: Schedule, job: m1, name: a"
    refused = {
        "{kind: Job, name: 123}": "work1.yaml, document 2: name: must be a string, not a number",
        "{kind: Job, name: m2, config: {cmd: true}}": (
            "work2.yaml, document 2: config.cmd: must be a string, not a boolean"
        ),
        "{kind: Job, name: m2, namespace: [a]}": "document 2: namespace: must be a string, not a list",
        "{kind: Schedule, job: 5, name: a}": "document 2: job: must be a string, not a number",
        "{kind: Job, name: m2, config: {task_type: echo, payload: {a: .nan}}}": (
            "document 2: config.payload: JSON has no NaN"
        ),
        f"{{{timing}, cron_expression: 5}}": "document 2: cron_expression: must be a string, not a number",
        f"{{{timing}, schedule_kind: yes}}": "document 2: schedule_kind: must be a word, not a boolean",
        f"{{{timing}, start_time: 2024-13-01}}": "cannot be read: month must be in 1..12",
        "{kind: Job, name: m2, config: !!binary aGk=}": "cannot be read: JSON has no bytes",
        "&a [*a]": "cannot be read",
        '{kind: Job, name: m2, description: "\\ud800"}': "surrogates not allowed",
        # Of the server.
        "{kind: Job, name: m2, config: {}}": "novasphere: job default/m2: config",
    }
    done = [await apply(f"{good}\n---\n{text}") for text in refused]
    for told, one in zip(refused.values(), done, strict=True):
        assert one.code != 0
        assert told in words(one)


async def test_days_and_instants_are_texts(apply: Apply, cli: Cli) -> None:
    done = await apply(
        "{kind: Job, name: m1, description: 2024-01-01, "
        "config: {task_type: echo, payload: {message: 2024-01-01, at: 2024-01-01T02:03:04Z}}}"
    )
    assert (done.code, words(done)) == (0, "novasphere: job default/m1 created")
    job = json.loads((await cli("job", "get", "m1", "-o", "json")).text)
    assert job["description"] == "2024-01-01"
    assert job["config"]["payload"] == {"message": "2024-01-01", "at": "2024-01-01T02:03:04+00:00"}


async def test_of_schedules_of_one_name_none_is_changed(apply: Apply, cli: Cli, client: Client) -> None:
    assert (await apply(JOB)).code == 0
    job = await client.jobs.named("tick")
    ids = [await make_schedule(client, job.id, "nightly") for _ in range(2)]
    done, shown, by_name = await asyncio.gather(
        apply("{kind: Schedule, job: tick, name: nightly, schedule_kind: event, description: new}"),
        cli("schedule", "get", "tick/nightly"),
        cli("schedule", "get", "nightly"),
    )
    assert (done.code, shown.code, by_name.code) == (1, 1, 1)
    assert "schedule default/tick/nightly: the job has several schedules of this name" in words(done)
    assert all(one in words(done) and one in words(shown) for one in ids)
    assert "name one by its id: " in words(shown)
    assert "name one as JOB/NAME or by its id: " in words(by_name)
    assert {(await client.schedules.get(one)).description for one in ids} == {""}


async def test_names_with_slashes_are_found(apply: Apply, cli: Cli, client: Client) -> None:
    made = await apply(
        "{kind: Job, name: a/b, config: {command_text: date}}\n---\n"
        "{kind: Job, name: c/d, namespace: a, config: {command_text: date}}\n---\n"
        "{kind: Schedule, job: a/b, name: nightly, schedule_kind: event}"
    )
    assert made.code == 0, made.err
    first, second, third, timing, none = await asyncio.gather(
        cli("job", "get", "a/b", "-o", "name"),
        cli("job", "get", "default/a/b", "-o", "name"),
        cli("job", "get", "a/c/d", "-o", "name"),
        cli("schedule", "get", "a/b/nightly", "-o", "name"),
        cli("job", "get", "a/none"),
    )
    assert [one.text.strip() for one in (first, second, third)] == ["default/a/b"] * 2 + ["a/c/d"]
    assert timing.code == 0
    assert "no job in the namespace 'a' is called 'none'" in words(none)


async def test_what_is_printed_as_yaml_is_applied_again(apply: Apply, cli: Cli) -> None:
    made = await apply(
        f"{JOB}\n---\n{{kind: Job, name: tock, enabled: false, config: {{command_text: date}}}}\n---\n"
        "{kind: Schedule, job: tick, name: nightly, cron_expression: '30 2 * * *'}"
    )
    assert made.code == 0, made.err
    lines = [
        ("job", "get", "tick"),
        ("job", "list"),
        ("job", "get", "tick", "tock"),
        ("schedule", "get", "nightly"),
        ("schedule", "list"),
    ]
    printed = await asyncio.gather(*(cli(*line, "-o", "yaml") for line in lines))
    again = await asyncio.gather(*(apply(one.text) for one in printed))
    for one in again:
        assert one.code == 0, one.err
    told = [[line.split()[-1] for line in one.err.splitlines()] for one in again]
    assert told == [["unchanged"] * count for count in (1, 2, 2, 1, 1)]


async def test_jobs_are_enabled_and_disabled_in_the_words_of_schedules(apply: Apply, cli: Cli) -> None:
    for enabled in ("false", "true"):
        done = await apply(f"{{name: tick, enabled: {enabled}, config: {{command_text: date}}}}")
        assert done.code == 0, done.err
        shown = json.loads((await cli("job", "get", "tick", "-o", "json")).text)
        assert shown["status"] == ("enabled" if enabled == "true" else "disabled")
    odd, nothing, unclear = await asyncio.gather(
        apply("{name: tick, enabled: 1, config: {command_text: date}}"),
        apply("{data: [], total: 0}"),
        apply("{data: [{name: a}]}"),
    )
    assert "document 1: enabled: must be true or false, not a number" in words(odd)
    assert "holds no job and no schedule" in words(nothing)
    assert "document 1: data[0]: kind must be Job or Schedule" in words(unclear)
