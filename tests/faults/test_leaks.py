"""Clients that vanish, and a server that stays away: neither may leave anything behind."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import vanishing
from frames import HandMadeAgent
from ports import reserve_port
from processes import TOKEN, ControlPlane, Process, control_plane, eventually

pytestmark = [pytest.mark.fault, pytest.mark.timeout(1800)]
LONG = os.environ.get("NOVASPHERE_FAULTS") == "long"
OF_A_KIND = 8
KINDS = 6
ROUNDS, WARM_UP = (60, 10) if LONG else (7, 3)
KIB_A_STREAM = 4 if LONG else 16  # the shorter, the more of it is noise
NOISE_KIB = 2048
LOOKS = 10


@dataclass
class Footprint:
    rss_kib: int
    threads: int
    descriptors: int

    @classmethod
    def of(cls, process: Process) -> Footprint:
        return cls(process.rss_kib, process.threads, process.descriptors)


async def footprint_at_rest(plane: ControlPlane) -> Footprint:
    """What a server holds that has all its connections to the database. A reader gives up its own with a read
    that somebody broke off, and opens another one only when the rest are busy.
    """
    await asyncio.gather(*(plane.rest("GET", "/api/v1/stats/tasks") for _ in range(64)))
    looks: list[int] = []

    async def is_at_rest() -> bool:
        # It may not have seen yet that the last of those connections were closed.
        looks.append(plane.server.descriptors)
        return looks.count(min(looks)) == LOOKS

    await eventually(is_at_rest)
    return replace(Footprint.of(plane.server), descriptors=min(looks))


async def open_streams(plane: ControlPlane) -> int:
    return int(sum((await plane.metrics("novasphere_open_streams")).values()))


async def identities_for(plane: ControlPlane, count: int) -> list[dict[str, Any]]:
    """Lets agents join, and returns what they would keep."""
    kept = []
    for n in range(count):
        agent = HandMadeAgent(plane.address, TOKEN, f"vanishing-{n}")
        agent.slots = 0
        await agent.connect()
        await agent.hang_up()
        kept.append({
            "node_id": agent.node_id, "credential": agent.credential, "node_uid": agent.node_uid,
            "session_token": agent.session_token, "incarnation": agent.incarnation,
        })  # fmt: skip
    return kept


async def test_clients_that_vanish_leave_no_stream_and_no_memory(tmp_path: Path) -> None:
    async with control_plane(tmp_path) as plane:
        agents = await identities_for(plane, OF_A_KIND)
        waiting = await plane.rest(
            "POST",
            "/api/v1/nodes/vanishing-0/commands",
            {"command_text": "true", "queue_timeout": 86400},
        )
        command_id = waiting["data"]["command_id"]

        async def nobody_is_there() -> bool:
            linked = (await plane.metrics("novasphere_linked_agents"))[""]
            return await open_streams(plane) == 0 and linked == 0

        async def all_are_there() -> bool:
            return await open_streams(plane) == OF_A_KIND * KINDS

        warm: Footprint | None = None
        await eventually(nobody_is_there)
        for number in range(ROUNDS):
            client = Process(
                [sys.executable, vanishing.__file__, plane.address, str(plane.http_port), TOKEN, command_id,
                 str(OF_A_KIND), json.dumps(agents)],
                tmp_path / "client.log",
            )  # fmt: skip
            await client.start()
            try:
                await eventually(all_are_there, within=120)
            except AssertionError as error:
                raise AssertionError(f"{error}\n{client.output()[-3000:]}") from None
            finally:
                await client.kill()
            await eventually(nobody_is_there, within=120)
            for agent in agents:
                agent["incarnation"] += 1
            if number + 1 == WARM_UP:
                warm = await footprint_at_rest(plane)
        assert warm is not None

        async def without_their_descriptors() -> Footprint:
            found = await footprint_at_rest(plane)
            # A socket may be noticed to be gone only after its stream.
            assert found.descriptors < warm.descriptors + OF_A_KIND, f"{warm} -> {found}"
            return found

        end = await eventually(without_their_descriptors)
        vanished = (ROUNDS - WARM_UP) * OF_A_KIND * KINDS
        print(f"\n{vanished} vanished after the warm-up: {warm} -> {end}")
        assert end.rss_kib - warm.rss_kib <= NOISE_KIB + KIB_A_STREAM * vanished
        assert end.threads <= warm.threads + 4
        assert "Traceback" not in plane.server.output(), plane.server.output()[-4000:]


# An agent that tries again at once: what an hour of failures leaves behind shows in seconds.
HASTY_AGENT = """
import sys
from novasphere_agent import backoff, cli
backoff.Backoff.__init__.__kwdefaults__.update(first=0.004, cap=0.004)
sys.exit(cli.main(sys.argv[1:]))
"""


async def test_an_agent_without_its_server_does_not_grow(tmp_path: Path) -> None:
    """The server is away, or somebody is there who hangs up: hundreds of tries."""
    tries, port = 0, reserve_port()
    wanted, warm_up = (20_000, 2_000) if LONG else (900, 300)

    async def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal tries
        tries += 1
        writer.transport.abort()

    agent = Process(
        [sys.executable, "-c", HASTY_AGENT, "--server", f"127.0.0.1:{port}", "--name", "node-001",
         "--data-dir", str(tmp_path / "agent")],
        tmp_path / "agent.log",
        {"NOVASPHERE_JOIN_TOKEN": TOKEN},
    )  # fmt: skip
    await agent.start()
    try:

        async def until_tried(count: int) -> None:
            listener = await asyncio.start_server(hang_up, "127.0.0.1", port)
            try:
                await eventually(lambda: _is(tries >= count), within=600)
            finally:
                listener.close()
                await listener.wait_closed()

        async def until_refused(seconds: float) -> None:
            await asyncio.sleep(seconds)  # nobody counts the tries that nobody takes

        await until_tried(warm_up // 2)
        await until_refused(1)
        await until_tried(warm_up)
        warm, said = Footprint.of(agent), len(agent.output())
        await until_refused(1)
        await until_tried(wanted)
        end, grown = Footprint.of(agent), len(agent.output()) - said
        print(f"\n{wanted - warm_up} tries after the warm-up: {warm} -> {end}, {grown} bytes of log")
        assert end.rss_kib - warm.rss_kib <= NOISE_KIB
        assert end.threads <= warm.threads + 1
        assert end.descriptors <= warm.descriptors + 4
        # A word at each turn for the worse or the better, none for each try.
        assert grown <= 1024, agent.output()[-4000:]
        assert "Traceback" not in agent.output(), agent.output()[-4000:]
        assert await agent.terminate() == 0
    finally:
        await agent.stop()


async def _is(claim: bool) -> bool:
    return claim
