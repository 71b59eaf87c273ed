"""G12: how long one command takes, from its creation until a watch shows its end.

Ours creates it with the SDK, and the agent starts a real process that runs `true`; Salt's is test.ping through
LocalClient, a function call within the minion's process.
"""

from __future__ import annotations

import asyncio
import statistics
import time

import uvloop
from novasphere.node.v1 import command_pb2
from novasphere_client import Client

from bench import salt, servers
from bench.measure import Figure, Row, Unavailable, Unmeasured, compare

COMMANDS = 100  # a round
PINGS = 5
GOAL = 1 / 40

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


def run(rounds: int) -> list[Row]:
    return uvloop.run(_run(rounds))


async def _run(rounds: int) -> list[Row]:
    rows: list[Row] = []
    parts: list[list[tuple[float, ...]]] = []
    pings: list[float] = []
    with servers.novasphere() as ours, servers.agent(ours, "round-trips"):
        try:
            with salt.running() as peer:
                for number in range(rounds + 1):
                    times = await _time(ours.grpc_port, "round-trips")
                    seconds = await asyncio.to_thread(peer.pings, PINGS)
                    if number:  # the first is thrown away
                        parts.append(times)
                        pings.append(statistics.median(seconds) * 1e3)
        except Unavailable as error:
            rows.append(Unmeasured("G12", f"Salt: {error}"))
            parts = [await _time(ours.grpc_port, "round-trips") for _ in range(rounds)]
    medians = [_median(times, -1) for times in parts]
    if pings:
        name = "one command, created to seen ended, p50"
        rows.append(
            compare(
                "G12", name, GOAL, "Salt test.ping, LocalClient", "ms", medians, pings, is_limit=True
            )
        )
    slowest = tuple(statistics.quantiles([t[-1] for t in times], n=100)[98] for times in parts)
    rows.append(Figure("G12", "one command, p99", "ms", slowest))
    rows += [
        Figure("G12", f"one command, p50, {part}", "ms", tuple(_median(times, i) for times in parts))
        for i, part in enumerate(_PARTS)
    ]
    return rows


def _median(times: list[tuple[float, ...]], part: int) -> float:
    return statistics.median(t[part] for t in times)
