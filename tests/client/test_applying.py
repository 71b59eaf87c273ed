"""Files that `novasphere apply` refuses, or takes in one form more, as real processes against the server itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from command_line import Cli, Finished
from novasphere_server.testing import RunningServer, running_server

Apply = Callable[..., Awaitable[Finished]]

JOB = "{kind: Job, name: tick, config: {command_text: date}}"


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[RunningServer]:
    async with running_server(tmp_path) as running:
        yield running


@pytest.fixture
def cli(server: RunningServer, tmp_path: Path) -> Cli:
    found = Cli(tmp_path, None)
    found.environment |= {
        "NOVASPHERE_SERVER": server.grpc_address,
        "NOVASPHERE_TOKEN": server.admin_token,
    }
    return found


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
