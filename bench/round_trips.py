"""G12: how long one task takes, and one command, from its creation until a watch shows its end.

The task is an `echo`, which the agent answers by itself, as Celery's worker and Salt's minion answer theirs within
their processes: Salt's is test.ping through LocalClient. The command is made with the SDK, and the agent starts a real
process that runs `true`.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import grpc
import uvloop
from novasphere.fleet.v1 import device_task_service_pb2 as devices
from novasphere.fleet.v1 import device_task_service_pb2_grpc as devices_grpc
from novasphere.node.v1 import command_pb2
from novasphere.schedule.v1 import task_pb2
from novasphere.schedule.v1 import task_service_pb2 as tasks
from novasphere.schedule.v1 import task_service_pb2_grpc as tasks_grpc
from novasphere_client import Client

from bench import dispatch, queues, salt, servers
from bench.measure import Figure, Row, Unavailable, Unmeasured, compare

COMMANDS = 100  # a round
TASKS = 200
PINGS = 5
SALT_GOAL = 1 / 40
CELERY_GOAL = 0.6

_ENDED = frozenset(
    {
        command_pb2.COMMAND_STATE_SUCCEEDED, command_pb2.COMMAND_STATE_FAILED,
        command_pb2.COMMAND_STATE_TIMED_OUT, command_pb2.COMMAND_STATE_CANCELLED,
        command_pb2.COMMAND_STATE_LOST, command_pb2.COMMAND_STATE_UNKNOWN,
    }
)  # fmt: skip
# What a round trip is made of, in milliseconds.
_PARTS = (
    "until the answer to its creation",
    "from its creation to its start",
    "from start to end",
    "in all",
)


async def _time(port: int, node_id: str) -> list[tuple[float, ...]]:
    """Returns the parts of each of some commands, one after the other."""
    times: list[tuple[float, ...]] = []
    async with (
        asyncio.timeout(120),
        Client.connect(f"127.0.0.1:{port}", servers.TOKEN) as client,
        client.commands.watch(node_id=node_id) as watch,
    ):
        events = aiter(watch)
        while not watch.cursor:  # the present state, up to its bookmark
            await anext(events)
        for _ in range(COMMANDS):
            start = time.perf_counter()
            created = await client.commands.create(node_id, "true")
            answered = time.perf_counter()
            while True:
                command = (await anext(events)).object
                if command.command_id == created.command_id and command.state in _ENDED:
                    break
            end = time.perf_counter()
            assert command.state == command_pb2.COMMAND_STATE_SUCCEEDED, command
            started = command.started_at.ToMicroseconds()
            times.append(
                (
                    (answered - start) * 1e3,
                    (started - command.created_at.ToMicroseconds()) / 1e3,
                    (command.completed_at.ToMicroseconds() - started) / 1e3,
                    (end - start) * 1e3,
                )
            )
    return times


async def _time_tasks(port: int) -> list[float]:
    """Returns how many milliseconds each of some tasks took, one after the other."""
    times: list[float] = []
    async with asyncio.timeout(120), grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        make = devices_grpc.DeviceTaskServiceStub(channel)
        follow = tasks_grpc.TaskServiceStub(channel).WatchTasks
        watch: Any = follow(tasks.WatchTasksRequest(), metadata=dispatch.METADATA)
        try:
            while not (await watch.read()).events[-1].cursor:  # the present state, up to its bookmark
                pass
            for _ in range(TASKS):
                start = time.perf_counter()
                request = devices.SubmitTaskRequest(task_type="echo", payload=dispatch.PAYLOAD)
                made = await make.SubmitTask(request, metadata=dispatch.METADATA)
                digits = made.task_id.removeprefix("task-")
                state: task_pb2.WorkState.ValueType = task_pb2.WORK_STATE_PENDING
                while state < task_pb2.WORK_STATE_SUCCEEDED:
                    for event in (await watch.read()).events:
                        if event.object.id.replace("-", "") == digits:
                            state = event.object.state
                times.append((time.perf_counter() - start) * 1e3)
                assert state == task_pb2.WORK_STATE_SUCCEEDED, state
        finally:
            watch.cancel()
    return times


def run(rounds: int) -> list[Row]:
    rows: list[Row] = []
    figures: dict[str, list[list[float]]] = {}
    parts: list[list[tuple[float, ...]]] = []
    with servers.novasphere() as ours, servers.agent(ours, "round-trips"), ExitStack() as stack:

        def commands() -> list[float]:
            parts.append(uvloop.run(_time(ours.grpc_port, "round-trips")))
            return [each[-1] for each in parts[-1]]

        contenders: dict[str, Callable[[], list[float]]] = {
            "task": lambda: uvloop.run(_time_tasks(ours.grpc_port)),
            "command": commands,
        }
        try:
            minion = stack.enter_context(salt.running())
        except Unavailable as error:
            rows.append(Unmeasured("G12", f"Salt: {error}"))
        else:
            contenders["salt"] = lambda: [each * 1e3 for each in minion.pings(PINGS)]
        try:
            celery = stack.enter_context(queues.celery(stack.enter_context(queues.redis())))
        except Unavailable as error:
            rows.append(Unmeasured("G12", f"Celery: {error}"))
        else:
            contenders["celery"] = lambda: [each * 1e3 for each in celery.trips(TASKS)]
        for number in range(rounds + 1):
            for name, contender in contenders.items():
                times = contender()
                if number:  # the first is thrown away
                    figures.setdefault(name, []).append(times)
        del parts[0]
    medians = {name: [statistics.median(times) for times in each] for name, each in figures.items()}
    for what, peer, baseline, goal in (
        ("task", "celery", "Celery + Redis, its result read", CELERY_GOAL),
        ("task", "salt", "Salt test.ping, LocalClient", SALT_GOAL),
        ("command", "salt", "Salt test.ping, LocalClient", SALT_GOAL),
    ):
        if peer in medians:
            name = f"one {what}, created to seen ended, p50"
            ratio = compare(
                "G12", name, goal, baseline, "ms", medians[what], medians[peer], is_limit=True
            )
            rows.append(ratio)
    for what in ("task", "command"):
        slowest = tuple(statistics.quantiles(times, n=100)[98] for times in figures[what])
        rows.append(Figure("G12", f"one {what}, p99", "ms", slowest))
    rows += [
        Figure("G12", f"one command, p50, {part}", "ms", tuple(_median(times, i) for times in parts))
        for i, part in enumerate(_PARTS)
    ]
    return rows


def _median(times: list[tuple[float, ...]], part: int) -> float:
    return statistics.median(t[part] for t in times)
