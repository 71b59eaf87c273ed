"""`novasphere schedule`, `task` and `instance` as real processes against the server itself, without an agent."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml
from command_line import Cli, Finished
from google.protobuf import timestamp_pb2
from novasphere.schedule.v1 import (
    job_service_pb2,
    schedule_pb2,
    schedule_service_pb2,
    task_pb2,
    task_service_pb2,
)
from novasphere_client import Client, SyncClient, errors, pages
from novasphere_server.testing import RunningServer, running_server

Run = Callable[..., Awaitable[Finished]]

FILE = """
kind: Schedule
job: tick
name: nightly
cron_expression: "30 2 * * *"
timezone: Europe/Berlin
overlap_policy: buffer_all
misfire_policy: FIRE_ONCE_NOW
---
kind: Job
name: tick
config: {command_text: date}
"""


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[RunningServer]:
    async with running_server(tmp_path) as running:
        yield running


@pytest.fixture
def cli(server: RunningServer, tmp_path: Path) -> Cli:
    return Cli.of(tmp_path, server)


@pytest.fixture
def run(cli: Cli) -> Run:
    async def run_one(*arguments: str) -> Finished:
        return await cli(*arguments)

    return run_one


async def test_a_file_of_jobs_and_schedules_is_applied_and_changed(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "work.yaml"
    file.write_text(FILE)
    dry = await run("apply", "-f", str(file), "--dry-run")
    assert dry.code == 0
    assert "job default/tick would be created" in dry.err
    made = await run("apply", "-f", str(file))
    assert (made.code, made.err.splitlines()) == (
        0,
        ["novasphere: job default/tick created", "novasphere: schedule default/tick/nightly created"],
    )
    again, shown, listed, preview = await asyncio.gather(
        run("schedule", "apply", "-f", str(file)),
        run("schedule", "get", "tick/nightly", "-o", "yaml"),
        run("schedule", "list", "--job", "tick", "--status", "active"),
        run("schedule", "preview", "nightly", "-c", "2", "--after", "2027-03-27T12:00:00Z"),
    )
    assert [line.split()[-1] for line in again.err.splitlines()] == ["unchanged", "unchanged"]
    dry = await run("apply", "-f", str(file), "--dry-run")
    assert dry.err.splitlines() == [
        "novasphere: job default/tick unchanged",
        "novasphere: schedule default/tick/nightly unchanged",
    ]
    assert yaml.safe_load(shown.text)["misfire_policy"] == "fire_once"
    assert listed.text.splitlines()[1].split()[:3] == ["nightly", "active", "cron"]
    assert [line.split()[:2] for line in preview.text.splitlines()[1:]] == [
        ["2027-03-28T01:00:00Z", "2027-03-28T03:00:00"],  # clocks are put forward
        ["2027-03-29T00:30:00Z", "2027-03-29T02:30:00"],
    ]

    # What was printed can be applied; what makes its tasks can change; what a file leaves out is as at first, but
    # not whether it is paused.
    file.write_text(shown.text)
    assert "unchanged" in (await run("schedule", "apply", "-f", str(file))).err
    assert (await run("schedule", "pause", "nightly")).code == 0
    file.write_text("{job: tick, name: nightly, interval_secs: 3600}")
    dry = await run("schedule", "apply", "-f", str(file), "--dry-run")
    assert dry.err == "novasphere: schedule default/tick/nightly would be changed\n"
    assert "changed" in (await run("schedule", "apply", "-f", str(file))).err
    data = json.loads((await run("schedule", "get", "nightly", "-o", "json")).text)
    assert (data["kind"], data["cron_expression"], data["interval_secs"]) == ("interval", None, 3600)
    assert (data["timezone"], data["overlap_policy"], data["enabled"]) == ("UTC", "skip", False)
    assert data["generation"] == 2

    paused = await run("schedule", "pause", "nightly", "missing", "--note", "too \x1b[2J loud")
    assert paused.code == 1
    assert "schedule nightly paused" in paused.err
    assert "no schedule is called 'missing'" in paused.err
    described, triggered, is_paused, has_ended = await asyncio.gather(
        run("schedule", "describe", "nightly"),
        run("schedule", "trigger", "nightly"),
        run("wait", "--for=paused", "schedules/tick/nightly"),
        run("wait", "--for=ended", "schedules/nightly", "--timeout", "0"),
    )
    assert "too  [2J loud" in described.text
    assert (is_paused.code, has_ended.code) == (0, 1)
    assert "is paused (too" in has_ended.err
    tasks = await run("task", "list", "--schedule", "tick/nightly", "-o", "name")
    assert tasks.text == triggered.text
    assert (await run("schedule", "resume", "nightly")).code == 0
    assert (await run("schedule", "delete", "default/tick/nightly")).code == 0
    gone = await run("wait", "--for=deleted", "schedules/nightly")
    assert (gone.code, gone.err) == (0, "novasphere: schedules/nightly is not there\n")
    assert "no schedule matches." in (await run("schedule", "list", "--job", "tick")).err


async def test_what_an_outage_cost_is_shown_however_much(run: Run, server: RunningServer) -> None:
    """Of more schedules than a filter takes values."""
    async with Client.connect(server.grpc_address, server.admin_token) as client:
        config = task_pb2.TaskConfig(command_text="true")
        job_id = await client.jobs.create(job_service_pb2.CreateJobRequest(name="tick", config=config))
        past = timestamp_pb2.Timestamp()
        past.FromDatetime(datetime.now(UTC) - timedelta(hours=2))
        for n in range(101):
            request = schedule_service_pb2.CreateScheduleRequest(
                job_id=job_id, name=f"s{n}", kind=task_pb2.SCHEDULE_KIND_ONCE, start_time=past
            )
            await client.schedules.create(request)
        async with asyncio.timeout(60):
            while len([one async for one in client.schedules.missed()]) < 101:  # noqa: ASYNC110 - there is no watch of the ledger
                await asyncio.sleep(0.05)
    missed = await run("schedule", "missed", "--no-headers")
    assert missed.code == 0, missed.err
    assert {line.split()[0] for line in missed.text.splitlines()} == {f"tick/s{n}" for n in range(101)}


async def test_a_ledger_is_cut_to_the_newest_rows(run: Run, server: RunningServer) -> None:
    async with Client.connect(server.grpc_address, server.admin_token) as client:
        config = task_pb2.TaskConfig(command_text="true")
        job_id = await client.jobs.create(job_service_pb2.CreateJobRequest(name="tick", config=config))
        schedule_id = await client.schedules.create(
            schedule_service_pb2.CreateScheduleRequest(
                job_id=job_id,
                name="often",
                kind=task_pb2.SCHEDULE_KIND_INTERVAL,
                interval_secs=1,
                max_count=3,
                overlap_policy=schedule_pb2.OVERLAP_POLICY_ALLOW,
            )
        )
        async with asyncio.timeout(60):
            while len(rows := await client.schedules.last_firings(schedule_id, 9)) < 3:  # noqa: ASYNC110 - there is no watch of the ledger
                await asyncio.sleep(0.05)
    every, cut, newest = await asyncio.gather(
        run("schedule", "firings", "often", "--since", "1h", "-o", "json"),
        run("schedule", "firings", "often", "--since", "1h", "--limit", "2", "-o", "json"),
        run("schedule", "firings", "often", "--limit", "2", "-o", "json"),
    )
    tasks = [row.task_id for row in rows]
    shown = [[row["task_id"] for row in json.loads(one.text)["firings"]] for one in (every, cut, newest)]
    assert shown == [tasks, tasks[-2:], tasks[-2:]]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{kind: Schedule, name: a, cron_expression: '* * * * *'}", "a schedule says its job"),
        ("{kind: Schedule, job: tick, name: a, cron: '* * * * *'}", "cron: unknown field"),
        ("{kind: Schedule, job: tick, name: a, interval_secs: soon}", "interval_secs: "),
        ("{kind: Schedule, job: none, name: a, interval_secs: 9}", "is called 'none'"),
        ("{kind: Flow, name: a}", "kind must be Job or Schedule"),
    ],
)
async def test_a_file_of_schedules_is_refused_by_field(
    run: Run, tmp_path: Path, text: str, told: str
) -> None:
    file = tmp_path / "schedule.yaml"
    file.write_text(text)
    refused = await run("apply", "-f", str(file))
    assert refused.code != 0
    assert told in " ".join(refused.err.split())


async def test_tasks_are_submitted_shown_waited_for_and_cancelled(run: Run) -> None:
    first = (
        await run(
            "task", "submit", "--cmd", "bash", "--label", "zone=a", "--env", "A=1", "--", "-c", "x y"
        )
    ).text.strip()
    second = (await run("task", "submit", "--after", first, "--", "uname", "-a")).text.strip()
    as_device = f"task-{first.replace('-', '')}"
    described, found, never, dry = await asyncio.gather(
        run("task", "describe", second),
        run("task", "get", as_device, "-o", "json"),
        run("wait", "--for=succeeded", f"tasks/{as_device}", "--timeout", "0"),
        run("task", "cancel", first, "--dry-run"),
    )
    assert f"{first} (succeeded)" in described.text
    config = json.loads(found.text)["config"]
    assert (config["args"], config["labels"]) == (["-c", "x y"], {"zone": "a"})
    assert never.code == 1
    assert f"tasks/{first} is pending; it was to be succeeded" in never.err
    assert "would be cancelled" in dry.err
    cancelled = await run("task", "cancel", as_device, "--wait")
    assert (cancelled.code, cancelled.err) == (0, f"novasphere: task {as_device} cancelled\n")
    waited, failed, listed, retried = await asyncio.gather(
        run("wait", "--for=finished", f"tasks/{first}", f"tasks/{second}"),
        run("wait", "--for=succeeded", f"tasks/{second}"),
        run("task", "list", "--status", "cancelled", "-n", "default", "-o", "name"),
        run("task", "retry", first, "none"),
    )
    assert (waited.code, failed.code) == (0, 3)
    assert "it will never be succeeded" in failed.err
    assert set(listed.text.split()) == {first, second}
    assert retried.code == 1
    [again] = retried.text.split()
    for described, repeated in ((first, f"Repeated by: {again}"), (again, f"Repeats: {first}")):
        shown = await run("task", "describe", described)
        assert repeated in " ".join(shown.text.split())


async def test_ids_are_read_in_any_case(server: RunningServer, run: Run) -> None:
    async with Client.connect(server.grpc_address, server.admin_token) as client:
        job = job_service_pb2.CreateJobRequest(name="tick")
        job.config.command_text = "date"
        job_id = await client.jobs.create(job)
        schedule_id = await client.schedules.create(
            schedule_service_pb2.CreateScheduleRequest(job_id=job_id, kind=task_pb2.SCHEDULE_KIND_EVENT)
        )
        task_id = (await client.schedules.trigger(schedule_id)).id
        [instance] = [one async for one in client.instances.all({"task_id": task_id})]
    lines = {
        ("job", "get", job_id.upper()): "default/tick",
        ("schedule", "get", schedule_id.upper()): schedule_id,
        ("task", "get", task_id.upper()): task_id,
        ("task", "get", f"task-{task_id.replace('-', '').upper()}"): task_id,
        ("instance", "get", instance.id.upper()): instance.id,
        ("instance", "list", "--task", task_id.upper()): instance.id,
    }
    done = await asyncio.gather(*(run(*line, "-o", "name") for line in lines))
    assert [one.text.strip() for one in done] == list(lines.values())
    after = await run("task", "submit", "--after", task_id.upper(), "--", "date")
    assert after.code == 0, after.err
    waited = await run("wait", "--for=succeeded", f"tasks/{task_id.upper()}", "--timeout", "0")
    assert f"tasks/{task_id} is pending" in waited.err


async def test_a_list_that_stays_is_narrowed_as_one_that_does_not(
    server: RunningServer, cli: Cli
) -> None:
    async with Client.connect(server.grpc_address, server.admin_token) as client:
        job = job_service_pb2.CreateJobRequest(name="tick")
        job.config.command_text = "date"
        job_id = await client.jobs.create(job)
        timing = schedule_service_pb2.CreateScheduleRequest(job_id=job_id)
        timing.kind = task_pb2.SCHEDULE_KIND_EVENT
        schedule_id = await client.schedules.create(timing)
        mine = (await client.schedules.trigger(schedule_id)).id
        await client.tasks.create(task_service_pb2.NewTask(job_id=job_id))
        [instance] = [one async for one in client.instances.all({"task_id": mine})]
        lines = {
            ("task", "list", "--schedule", "tick/tick", "--status", "pending"): mine,
            ("instance", "list", "--task", mine, "--job", "tick", "--status", "pending"): instance.id,
            ("schedule", "list", "--job", "tick", "--status", "active"): schedule_id,
            ("job", "list", "--status", "enabled"): "default/tick",
        }
        following = await asyncio.gather(*(cli.start(*line, "-w", "-o", "name") for line in lines))
        try:
            for process, shown in zip(following, lines.values(), strict=True):
                assert process.stdout is not None
                line = await asyncio.wait_for(process.stdout.readline(), 120)
                assert line.decode().strip() == shown
            await client.tasks.cancel(mine)
            told = following[0].stdout
            assert told is not None
            assert (await asyncio.wait_for(told.readline(), 120)).decode().strip() == mine
        finally:
            for process in following:
                process.kill()
                await process.wait()


async def test_what_waits_is_explained(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "work.yaml"
    file.write_text(FILE)
    assert (await run("apply", "-f", str(file))).code == 0
    dry, triggered, schedule = await asyncio.gather(
        run("job", "trigger", "tick", "--dry-run"),
        run("job", "trigger", "tick", "--parameters", '{"a": 1}'),
        run("schedule", "explain", "tick/nightly"),
    )
    assert (dry.text, dry.err) == ("", "novasphere: job tick would be triggered\n")
    task_id = triggered.text.strip()
    heading, next_time = schedule.text.splitlines()
    assert heading.startswith("schedule nightly (")
    assert heading.endswith(": active")
    assert next_time.startswith("- It fires next at ")
    assert "T02:30:00 Europe/Berlin)" in next_time
    told, as_data, none = await asyncio.gather(
        run("task", "explain", task_id),
        run("task", "explain", f"task-{task_id.replace('-', '')}", "-o", "json"),
        run("instance", "explain", task_id),
    )
    lines = told.text.splitlines()
    assert lines[0] == f"task {task_id}: pending"
    assert lines[1].startswith("- There is no node that could run it. (for ")
    assert "Start an agent" in lines[2]
    found = json.loads(as_data.text)
    assert (found["obstacles"][0]["reason"], found["task"]["parameters"]) == ("NO_AGENT", {"a": 1})
    assert none.code == 1
    assert "does not exist" in none.err


async def test_wrong_task_lines_say_what_to_do(run: Run) -> None:
    lines = {
        ("task", "submit"): "nothing to run",
        ("task", "submit", "--cmd", "a", "--type", "echo"): "give one of --cmd, --type and --job",
        ("task", "submit", "--type", "echo", "--payload", "{"): "is not JSON",
        ("task", "submit", "--type", "echo", "--payload", '{"a": NaN}'): "is not JSON: NaN is",
        ("job", "trigger", "a", "--parameters", "[-Infinity]"): "is not JSON: -Infinity is",
        ("schedule", "trigger", "a", "--parameters", "[" * 100_000): "is not JSON: ",
        ("task", "submit", "--label", "a", "--", "b"): "--label is KEY=VALUE",
        ("task", "list", "--status", "odd"): "'odd' is not one of pending",
        ("wait", "--for=done", "tasks/a"): "finished, succeeded, deleted or state=STATE",
        ("schedule", "preview"): "name a schedule, or give --cron",
        ("schedule", "backfill", "a", "yesterday", "1h"): "is neither a duration",
    }
    for line, done in zip(lines, await asyncio.gather(*(run(*line) for line in lines)), strict=True):
        assert done.code == 2
        assert lines[line] in " ".join(done.err.split())


async def test_python_reaches_work_in_both_ways(server: RunningServer) -> None:
    wanted = task_service_pb2.NewTask(config=task_pb2.TaskConfig(command_text="date"))
    async with Client.connect(server.grpc_address, server.admin_token) as client:
        with pytest.raises(errors.ScheduleNotFound):
            await client.schedules.get("00000000-0000-0000-0000-000000000000")
        with pytest.raises(errors.TaskNotFound):
            await client.tasks.cancel("none")
        one = await client.tasks.create(wanted, request_id="once")
        assert await client.tasks.create(wanted, request_id="once") == one

        def use() -> list[str]:
            with SyncClient.connect(server.grpc_address, server.admin_token) as client:
                client.tasks.create_all([wanted, wanted])
                with client.tasks.watch(task_id=one) as watch:
                    assert next(watch).object.id == one
                return [task.id for task in client.tasks.all({"status": ["pending", "running"]})]

        ids = await asyncio.to_thread(use)
        assert (len(ids), ids[-1]) == (3, one)
        page = await client.tasks.list({"number": {"gt": 1}}, page_size=1, order_by=["-number"])
        assert (page.total, page.data[0].id) == (2, ids[0])
        with pytest.raises(ValueError, match="there is no operator 'like'"):
            pages.conditions({"id": {"like": "a"}})
