"""Watches over tasks and attempts, narrowed as their lists are."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Any

import pytest
from novasphere.api.v1 import watch_pb2
from novasphere.schedule.v1 import job_service_pb2, task_pb2
from novasphere.schedule.v1.task_service_pb2 import NewTask
from novasphere_server import errors
from novasphere_server.core.credentials import ADMIN
from novasphere_server.core.schedule_tasks import InstanceFilter, TaskFilter

ADDED, MODIFIED, DELETED = (
    watch_pb2.EVENT_TYPE_ADDED,
    watch_pb2.EVENT_TYPE_MODIFIED,
    watch_pb2.EVENT_TYPE_DELETED,
)


@asynccontextmanager
async def rows(watch: AsyncGenerator[Any, None]) -> AsyncIterator[Any]:
    """Gives what returns the next rows of a watch, as types and ids; none of a bookmark."""

    async def following() -> list[tuple[int, str]]:
        async with asyncio.timeout(60):
            page = await anext(watch)
        return [(row.type, row.object.message().id) for row in page.events if row.object is not None]

    async with aclosing(watch):
        yield following


async def test_tasks_are_watched_by_job_and_status(world):
    job = job_service_pb2.CreateJobRequest(name="tick", config=task_pb2.TaskConfig(command_text="true"))
    job_id = (await world.fleet.jobs.create(ADMIN, job)).id
    await world.submit(command_text="true")
    [mine] = await world.submit(NewTask(job_id=job_id))
    which = TaskFilter(job_id=job_id, status=task_pb2.TASK_STATUS_PENDING)
    async with rows(world.fleet.schedule_tasks.watch(ADMIN, which, "")) as following:
        assert await following() == [(ADDED, mine)]
        assert await following() == []
        await world.fleet.schedule_tasks.cancel(ADMIN, mine)
        assert await following() == [(DELETED, mine)]


async def test_attempts_are_watched_by_id_by_task_and_by_agent(world):
    agent = world.agent("n1")
    await agent.connect()
    await agent.settle(free_slots=0)
    await world.submit(command_text="true")
    config = task_pb2.TaskConfig(command_text="true", max_retries=1, retry_interval_seconds=0)
    [task_id] = await world.submit(NewTask(config=config, node_id="n1", priority=9))
    first = (await world.task(task_id)).instance.id
    tasks = world.fleet.schedule_tasks
    by_id = InstanceFilter(instance_id=first)
    by_task = InstanceFilter(task_id=task_id, agent_id="n1")
    async with (
        rows(tasks.watch_instances(ADMIN, by_id, "")) as of_first,
        rows(tasks.watch_instances(ADMIN, by_task, "")) as of_task,
    ):
        for following in (of_first, of_task):
            assert await following() == [(ADDED, first)]
            assert await following() == []
        await agent.settle(free_slots=1)
        [dispatch] = await agent.dispatched()
        await agent.finish(dispatch, exit_code=1)
        ended = await of_first()
        while ended[-1][0] == MODIFIED:
            ended = await of_first()
        assert ended == [(DELETED, first)]  # another attempt took its place
        seen = await of_task()
        while seen[-1][1] == first:
            seen = await of_task()
        assert seen == [(MODIFIED, (await world.task(task_id)).instance.id)]
    with pytest.raises(errors.TaskInstanceNotFound):
        async with rows(tasks.watch_instances(ADMIN, InstanceFilter("none"), "")) as following:
            await following()
