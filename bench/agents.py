"""G10: what 3,000 agents cost a server that has one core, and what a real agent costs its machine.

The agents are simulated here, in one process: each has a connection and a link of its own, and says what a
real one says. The server runs on one core; where there are more, the agents have the others.
"""

from __future__ import annotations

import asyncio
import os
import resource
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc
import uvloop
from novasphere.link.v1 import link_service_pb2 as link

from bench import fleet, processes, salt, servers
from bench.measure import Figure, Row, Unavailable, Unmeasured, compare

AGENTS = 3000
IDLE_SECONDS = 20.0
INTERVAL = 10.0  # of heartbeats, as the server asks for by default
FLOOD = 20  # heartbeats of each agent, as fast as they go
SETTLE_SECONDS = 3.0  # a minion's process for a job ends some time after its answer
CONNECTING = 64  # at a time
IDLE_GOAL = 2.0  # percent of a core
FLOOD_GOAL = 20_000
RSS_GOAL = 0.35

_CONNECT = "/novasphere.link.v1.LinkService/Connect"
_METADATA = (("authorization", f"Bearer {servers.TOKEN}"),)
# A connection of its own, as each agent has.
_OPTIONS = (("grpc.use_local_subchannel_pool", 1),)


@dataclass
class Agent:
    """One simulated agent: its link, and what it said last."""

    number: int
    channel: grpc.aio.Channel
    welcome: link.Welcome = field(default_factory=link.Welcome)
    sequence: int = 0
    acked: int = 0
    credential: str = ""
    stream: Any = None
    is_linked: bool = False

    async def connect(self) -> None:
        """Opens a link, with the credential that an earlier one brought if there was one."""
        metadata = _METADATA
        hello = fleet.hello(self.number)
        hello.hello.incarnation = 1
        if self.welcome.node_uid:
            metadata = (("authorization", f"Bearer {self.credential}"),)
            hello.hello.node_uid = self.welcome.node_uid
            hello.hello.session_token = self.welcome.session_token
        method = self.channel.stream_stream(
            _CONNECT, request_serializer=_same, response_deserializer=link.ConnectResponse.FromString
        )
        self.stream = method(metadata=metadata)
        await self.stream.write(hello.SerializeToString())
        frame = await self.stream.read()
        assert isinstance(frame, link.ConnectResponse), "the server ended a link"
        self.welcome = frame.welcome
        self.credential = frame.welcome.credential or self.credential
        self.sequence, self.acked = 1, frame.sequence
        await self.beat()
        self.is_linked = True

    async def beat(self, *, sample: link.Sample | None = None) -> None:
        self.sequence += 1
        beat = link.Heartbeat(sent_us=time.time_ns() // 1000, sample=sample)
        frame = link.ConnectRequest(
            sequence=self.sequence, acked_sequence=self.acked, free_slots=8, heartbeat=beat
        )
        await self.stream.write(frame.SerializeToString())

    async def flood(self) -> None:
        """Sends heartbeats without a pause; returns when the server has taken them all."""
        for _ in range(FLOOD):
            await self.beat()
        self.is_linked = False
        await self.stream.done_writing()
        # The server ends the stream behind the last frame that it was sent.
        while isinstance(await self.stream.read(), link.ConnectResponse):
            pass


def _same(frame: bytes) -> bytes:
    return frame


_SAMPLE = link.Sample(
    cpu_usage=12.5, memory_usage=40.25, disk_usage=71.0, load_average=0.5, memory_total_bytes=24 << 30,
    memory_available_bytes=14 << 30, disk_total_bytes=252 << 30, disk_available_bytes=73 << 30,
    uptime_seconds=86_400,
)  # fmt: skip


async def _each(calls: Iterable[Callable[[], Awaitable[None]]], width: int) -> None:
    """Makes all calls, so many at a time."""
    waiting = iter(calls)

    async def work() -> None:
        for call in waiting:
            await call()

    async with asyncio.TaskGroup() as workers:
        for _ in range(width):
            workers.create_task(work())


async def _live(agents: list[Agent], samples: list[link.Sample | None]) -> None:
    """Sends the heartbeats of all that are linked, for ever: evenly, as those of many come by chance.

    What they carry is the last of `samples`.
    """
    while True:
        for agent in agents:
            beginning = time.monotonic()
            if agent.is_linked:
                await agent.beat(sample=samples[-1])
            await asyncio.sleep(beginning + INTERVAL / AGENTS - time.monotonic())


@asynccontextmanager
async def _living(agents: list[Agent], samples: list[link.Sample | None]) -> AsyncIterator[None]:
    """Keeps links alive while the block runs: the server cuts those that are silent."""
    async with asyncio.TaskGroup() as group:
        living = group.create_task(_live(agents, samples), name="heartbeats")
        yield
        living.cancel()


async def _busy(pid: int) -> float:
    """Returns how much of a core a process takes, in percent."""
    used, start = processes.cpu_seconds(pid), time.monotonic()
    await asyncio.sleep(IDLE_SECONDS)
    return 100 * (processes.cpu_seconds(pid) - used) / (time.monotonic() - start)


async def _measure(ours: servers.Novasphere, rounds: int) -> list[Row]:
    none = await _busy(ours.pid)
    memory = processes.rss_mib(ours.pid)
    samples: list[link.Sample | None] = [None]
    async with AsyncExitStack() as stack:
        agents = []
        for number in range(AGENTS):
            channel = grpc.aio.insecure_channel(f"127.0.0.1:{ours.grpc_port}", options=_OPTIONS)
            agents.append(Agent(number, await stack.enter_async_context(channel)))
        start = time.monotonic()
        async with _living(agents, samples):
            await _each((agent.connect for agent in agents), CONNECTING)
            joined = AGENTS / (time.monotonic() - start)
            await asyncio.sleep(INTERVAL)
            each = (processes.rss_mib(ours.pid) - memory) * 1024 / AGENTS
            idle = await _busy(ours.pid) - none
            samples.append(_SAMPLE)
            sampled = await _busy(ours.pid) - none
        rates, costs = [], []
        for number in range(rounds):
            if number:
                async with _living(agents, samples):
                    await _each((agent.connect for agent in agents), CONNECTING)
            used, start = processes.cpu_seconds(ours.pid), time.monotonic()
            await _each((agent.flood for agent in agents), AGENTS)
            rates.append(AGENTS * FLOOD / (time.monotonic() - start))
            costs.append((processes.cpu_seconds(ours.pid) - used) / (AGENTS * FLOOD) * 1e6)
    return [
        Figure(
            "G10",
            f"{AGENTS} idle agents: CPU above none",
            "% of a core",
            (idle,),
            IDLE_GOAL,
            is_limit=True,
        ),
        Figure("G10", "the same with a load sample in each heartbeat", "% of a core", (sampled,)),
        Figure("G10", "one-way heartbeats taken", "/s", tuple(rates), FLOOD_GOAL),
        Figure("G10", "server CPU of each, with the end of its link", "us", tuple(costs)),
        Figure("G10", "agents joining", "/s", (joined,)),
        Figure("G10", "server memory of an idle agent", "KiB", (each,)),
    ]


@contextmanager
def _cores_apart() -> Iterator[tuple[str, ...]]:
    """Leaves the first core to the server; yields what starts a program there."""
    mine = os.sched_getaffinity(0)
    first = min(mine)
    if len(mine) > 1:
        os.sched_setaffinity(0, mine - {first})
    try:
        yield (servers.need("taskset", "util-linux"), "-c", str(first))
    finally:
        os.sched_setaffinity(0, mine)


def run(rounds: int) -> list[Row]:
    limit, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most < 2 * AGENTS:
        sys.exit(f"bench needs {2 * AGENTS} open files at a time: ulimit -Hn says {most}")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(limit, 2 * AGENTS), most))
    with _cores_apart() as taskset, servers.novasphere(*taskset) as ours:
        rows = uvloop.run(_measure(ours, rounds))
    return [*rows, *_real(rounds)]


def _real(rounds: int) -> list[Row]:
    """Compares the memory of a real agent with that of a real Salt minion."""
    with servers.novasphere() as ours, servers.agent(ours, "real") as pid:
        try:
            with salt.running() as peer:
                agent, minion = [], []
                for _ in range(rounds):
                    time.sleep(SETTLE_SECONDS)
                    agent.append(processes.tree_rss_mib(pid))
                    minion.append(processes.tree_rss_mib(peer.minion_pid))
        except Unavailable as error:
            return [Unmeasured("G10", f"Salt: {error}")]
    name = "memory of a real agent, all processes"
    return [compare("G10", name, RSS_GOAL, "salt-minion", "MiB", agent, minion, is_limit=True)]
