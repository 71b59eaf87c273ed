"""G11 and G13: how many tasks a second go from their submit over an agent to an end that is stored.

Ours run `echo` on ten real agents, from the first submit until the database holds the last as SUCCEEDED: on SQLite
with synchronous=FULL, on PostgreSQL with fsync. Nothing else counts as done. Redis writes nothing to disk, which is
in favour of the queues on it.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import grpc
import uvloop
from novasphere.fleet.v1 import device_task_service_pb2 as devices
from novasphere.fleet.v1 import device_task_service_pb2_grpc as devices_grpc
from novasphere.schedule.v1 import task_pb2
from novasphere.schedule.v1 import task_service_pb2 as pb
from novasphere.schedule.v1 import task_service_pb2_grpc as tasks_grpc

from bench import measure, processes, queues, servers
from bench.measure import Figure, Row, Unavailable, Unmeasured, compare

AGENTS = 10
FLIGHT = 64
BATCH = 500
SINGLE_TASKS = 5_000
BATCH_TASKS = 50_000
QUEUE_TASKS = 2_000  # of those that we are measured against; they are slower
SECONDS = 300  # in which a round must be done
POLL = 0.02

METADATA = (("authorization", f"Bearer {servers.TOKEN}"),)
PAYLOAD = '{"message": "Hello World"}'

# The server of the tests: there is one way to start PostgreSQL.
sys.path.append(str(Path(__file__).parent.parent / "tests" / "lib"))


class Fleet:
    """A server of ours with its agents, and the database behind it."""

    def __init__(self, server: servers.Novasphere, agents: list[int]) -> None:
        self.server = server
        self.agents = agents
        self.cpu: dict[str, list[tuple[float, float]]] = {"single": [], "batch": []}

    def seconds(self, how: str, count: int) -> float:
        """Returns how long so many tasks took, every one of which succeeded."""
        last = self._last()
        used = self._used()
        start = time.perf_counter()
        submit = _submit if how == "single" else _submit_batches
        ids = uvloop.run(submit(self.server.grpc_port, count))
        while self._succeeded(last) < count:
            if time.perf_counter() - start > SECONDS:
                sys.exit(f"{self._succeeded(last)} of {count} tasks succeeded within {SECONDS} s")
            time.sleep(POLL)
        taken = time.perf_counter() - start
        server, agents = self._used()
        self.cpu[how].append(((server - used[0]) / count * 1e6, (agents - used[1]) / count * 1e6))
        self._verify(last, ids)
        return taken

    def _used(self) -> tuple[float, float]:
        return (
            processes.cpu_seconds(self.server.pid),
            sum(processes.cpu_seconds(each) for pid in self.agents for each in processes.tree(pid)),
        )

    def _last(self) -> int:
        [[last]] = self.server.execute("SELECT coalesce(max(id), 0) FROM tasks")
        assert isinstance(last, int)
        return last

    def _succeeded(self, last: int) -> int:
        state = task_pb2.WORK_STATE_SUCCEEDED
        statement = f"SELECT count(*) FROM tasks WHERE state = {state} AND id > {last}"  # noqa: S608 - numbers
        [[count]] = self.server.execute(statement)
        assert isinstance(count, int)
        return count

    def _verify(self, last: int, ids: list[str]) -> None:
        statement = f"SELECT key, state, exit_code, attempt FROM tasks WHERE id > {last}"  # noqa: S608 - a number
        rows = self.server.execute(statement)
        made = {key: tuple(rest) for key, *rest in rows}
        expected = {
            f"cmd-{task_id.removeprefix('task-').replace('-', '')}": (
                task_pb2.WORK_STATE_SUCCEEDED,
                0,
                1,
            )
            for task_id in ids
        }
        assert len(expected) == len(ids), "ids came twice"
        assert made == expected, "the database does not hold what was submitted, once each and succeeded"


async def _submit(port: int, count: int) -> list[str]:
    """Submits tasks one by one, as devices' users do, so many at a time."""
    ids: list[str] = []
    numbers = iter(range(count))
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        stub = devices_grpc.DeviceTaskServiceStub(channel)

        async def work() -> None:
            for _ in numbers:
                request = devices.SubmitTaskRequest(task_type="echo", payload=PAYLOAD)
                answer = await stub.SubmitTask(request, metadata=METADATA, timeout=60)
                ids.append(answer.task_id)

        async with asyncio.TaskGroup() as workers:
            for _ in range(FLIGHT):
                workers.create_task(work())
    return ids


async def _submit_batches(port: int, count: int) -> list[str]:
    """Submits tasks in batches, one after the other."""
    ids: list[str] = []
    new = pb.NewTask(config=task_pb2.TaskConfig(task_type="echo", payload=PAYLOAD))
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        stub = tasks_grpc.TaskServiceStub(channel)
        for start in range(0, count, BATCH):
            request = pb.BatchCreateTasksRequest(tasks=[new] * min(BATCH, count - start))
            answer = await stub.BatchCreateTasks(request, metadata=METADATA, timeout=60)
            ids += answer.ids
    return ids


@contextmanager
def fleet(database_url: str = "") -> Iterator[Fleet]:
    with servers.novasphere(database_url=database_url) as server, ExitStack() as stack:
        agents = [
            stack.enter_context(servers.agent(server, f"agent-{number}")) for number in range(AGENTS)
        ]
        yield Fleet(server, agents)


def run_sqlite(rounds: int) -> list[Row]:
    """Returns G11."""
    rows: list[Row] = []
    with fleet() as ours, ExitStack() as stack:
        contenders = _ours(ours)
        peers: dict[str, queues.Queue] = {}
        try:
            url = stack.enter_context(queues.redis())
        except Unavailable as error:
            rows.append(Unmeasured("G11", str(error)))
        else:
            for start in (queues.celery, queues.dramatiq):
                try:
                    peer = stack.enter_context(start(url))
                except Unavailable as error:
                    rows.append(Unmeasured("G11", str(error)))
                else:
                    peers[peer.name] = peer
                    contenders[peer.name] = _rate(peer, "single", QUEUE_TASKS)
        rates = measure.rotate(contenders, rounds)
        for name, how, goal, peer_name in (
            ("tasks submitted singly", "single", 5, "celery"),
            ("tasks submitted singly", "single", 1.3, "dramatiq"),
            (f"tasks in batches of {BATCH}", "batch", 50, "celery"),
        ):
            if peer_name in peers:
                baseline = f"{peer_name} + Redis, with results"
                rows.append(
                    compare("G11", name, goal, baseline, "tasks/s", rates[how], rates[peer_name])
                )
        memory = {peer.name: processes.tree_rss_mib(peer.worker_pid) for peer in peers.values()}
        rows += [*_figures("G11", ours, rates, rounds), *_memory("G11", ours)]
        rows += [
            Figure("G11", f"memory of {name}'s workers", "MiB", (mib,)) for name, mib in memory.items()
        ]
    return rows


def run_postgresql(rounds: int) -> list[Row]:
    """Returns G13."""
    import postgresql

    programs = postgresql.programs()
    if programs is None:
        return [Unmeasured("G13", postgresql.MISSING)]
    database = postgresql.PostgresServer(programs, fsync=True)
    try:
        with (
            fleet(database.new_database()) as ours,
            queues.procrastinate(database.new_database()) as peer,
        ):
            contenders = _ours(ours)
            contenders["peer single"] = _rate(peer, "single", QUEUE_TASKS)
            contenders["peer batch"] = _rate(peer, "batch", QUEUE_TASKS)
            rates = measure.rotate(contenders, rounds)
            return [
                compare(
                    "G13", "tasks submitted singly", 5, "procrastinate, deferred singly", "tasks/s",
                    rates["single"], rates["peer single"],
                ),
                compare(
                    "G13", f"tasks in batches of {BATCH}", 50, "procrastinate, deferred in batches",
                    "tasks/s", rates["batch"], rates["peer batch"],
                ),
                *_figures("G13", ours, rates, rounds),
                *_memory("G13", ours),
            ]  # fmt: skip
    except Unavailable as error:
        return [Unmeasured("G13", str(error))]
    finally:
        database.remove()


def _ours(ours: Fleet) -> dict[str, Callable[[], float]]:
    return {"single": _rate(ours, "single", SINGLE_TASKS), "batch": _rate(ours, "batch", BATCH_TASKS)}


def _rate(contender: Fleet | queues.Queue, how: str, count: int) -> Callable[[], float]:
    return lambda: count / contender.seconds(how, count)


def _figures(goal: str, ours: Fleet, rates: dict[str, list[float]], rounds: int) -> list[Row]:
    rows: list[Row] = []
    for how, words in (("single", "submitted singly"), ("batch", f"in batches of {BATCH}")):
        used = ours.cpu[how][-rounds:]
        rows.append(Figure(goal, f"tasks {words}", "/s", tuple(rates[how])))
        rows.append(Figure(goal, f"server CPU of each, {words}", "us", tuple(s for s, _ in used)))
        rows.append(Figure(goal, f"agents' CPU of each, {words}", "us", tuple(a for _, a in used)))
    return rows


def _memory(goal: str, ours: Fleet) -> list[Row]:
    agents = tuple(processes.tree_rss_mib(pid) for pid in ours.agents)
    return [
        Figure(goal, "memory of the server after that", "MiB", (processes.rss_mib(ours.server.pid),)),
        Figure(goal, "memory of an agent after that", "MiB", agents),
    ]
