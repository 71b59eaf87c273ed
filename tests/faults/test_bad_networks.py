"""Lines that are cut, that fall silent, that are thin and lossy: commands run once, output stays exact, both
ends notice in time, and bulk does not hold up heartbeats."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import itertools
import os
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from commanding import create, ended, is_running, output_of, pair_of
from networks import Network
from novasphere.node.v1 import node_pb2
from processes import ControlPlane, control_plane, eventually

pytestmark = [pytest.mark.fault, pytest.mark.timeout(1700)]
LONG = os.environ.get("NOVASPHERE_FAULTS") == "long"

HEARTBEAT, SILENCE, PRESENCE = 1.0, 2.0, 0.5
SOON = {
    "NOVASPHERE_FLEET_HEARTBEAT_INTERVAL": str(HEARTBEAT),
    "NOVASPHERE_FLEET_SILENCE_LIMIT": str(SILENCE),
    "NOVASPHERE_FLEET_PRESENCE_PERIOD": str(PRESENCE),
}
# The agent does not follow the server's settings here: two of the usual heartbeats, whatever the interval.
AGENT_SILENCE = 20.0
CONNECT = 10.0  # how long it waits for the answer to a try
# What a busy machine may add.
MARGIN = 8.0
DIRECTIONS = {
    "both-ways": {},
    "from-the-agent": {"to_agent": False},
    "to-the-agent": {"from_agent": False},
}


@contextlib.asynccontextmanager
async def agent_behind(network: Network, folder: Path, **settings: str) -> AsyncIterator[ControlPlane]:
    """Runs a server, and an agent behind the network, for as long as the block lasts."""
    async with control_plane(folder, grpc_host=network.server_address, **settings) as plane:
        await plane.add_agent(inside=network.agent_side)
        try:
            yield plane
        finally:
            network.heal()  # for the goodbyes


@pytest.fixture
async def far(tmp_path: Path, network: Network) -> AsyncIterator[ControlPlane]:
    """A server that soon notices silence, and an agent behind the network."""
    async with agent_behind(network, tmp_path, **SOON) as plane:
        yield plane


async def connection_is(
    plane: ControlPlane, wanted: node_pb2.ConnectionState.ValueType, within: float
) -> float:
    """Returns after how many seconds the server said so."""
    began = time.monotonic()
    async with plane.client() as client:

        async def check() -> bool:
            return (await client.nodes.get("node-001")).connection == wanted

        await eventually(check, within=within)
    return time.monotonic() - began


def printing(megabytes: float, seconds: float, marker: Path) -> tuple[str, str]:
    """Returns a command that prints so much in about that time and leaves a mark each time it starts, and
    the sha256 of what it must print."""
    pieces = int(megabytes * 16)
    code = (
        "import hashlib,sys,time\n"
        f"open({str(marker)!r},'a').write('started\\n')\n"
        f"for i in range({pieces}):\n"
        # 64 KiB, each of them another: what is lost, doubled or exchanged shows.
        "    sys.stdout.buffer.write(hashlib.sha256(b'%d' % i).digest() * 2048)\n"
        f"    sys.stdout.flush(); time.sleep({seconds / pieces})\n"
    )
    printed = hashlib.sha256()
    for i in range(pieces):
        printed.update(hashlib.sha256(b"%d" % i).digest() * 2048)
    encoded = base64.b64encode(code.encode()).decode()
    return f"python3 -c \"import base64;exec(base64.b64decode('{encoded}'))\"", printed.hexdigest()


@pytest.mark.parametrize("seconds", [5, 60] if LONG else [5])
@pytest.mark.parametrize("direction", DIRECTIONS)
async def test_a_cut_while_a_command_prints_costs_no_byte(
    far: ControlPlane, network: Network, tmp_path: Path, direction: str, seconds: float
) -> None:
    marker = tmp_path / "marker"
    text, wanted = printing(50 if LONG else 8, seconds + 2, marker)
    was_cut = tmp_path / "was-cut"  # it goes on until then, however soon all is printed
    command_id = await create(far, f"{text}; until [ -e {was_cut} ]; do sleep 0.05; done")
    await is_running(far, command_id)

    async def prints() -> bool:
        return len(await output_of(far, command_id, "stdout")) > 1 << 18

    await eventually(prints)
    network.cut(**DIRECTIONS[direction])
    cut_at = time.monotonic()
    noticed = await connection_is(
        far, node_pb2.CONNECTION_STATE_DISCONNECTED, within=SILENCE + PRESENCE + MARGIN
    )
    while (left := cut_at + seconds - time.monotonic()) > 0:
        assert (await pair_of(far, command_id))["command"]["status"] == "running"
        await asyncio.sleep(min(left, 0.25))
    was_cut.touch()
    network.heal()
    back = await connection_is(far, node_pb2.CONNECTION_STATE_ONLINE, within=AGENT_SILENCE + CONNECT)
    pair = await ended(far, command_id)
    assert pair["command"]["status"] == "success", pair
    stdout = await output_of(far, command_id, "stdout")
    assert hashlib.sha256(stdout).hexdigest() == wanted, len(stdout)
    assert pair["result"]["stdout_bytes"] == len(stdout)
    assert marker.read_text() == "started\n", "it must start exactly once"
    print(f"\n{direction}, {seconds} s: noticed after {noticed:.1f} s, back after {back:.1f} s")


async def test_both_ends_of_a_half_open_link_notice_and_find_each_other_again(
    far: ControlPlane, network: Network
) -> None:
    agent = far.agents["node-001"]
    network.cut()
    cut_at = time.monotonic()
    server_noticed = await connection_is(
        far, node_pb2.CONNECTION_STATE_DISCONNECTED, within=SILENCE + PRESENCE + MARGIN
    )

    async def agent_has_noticed() -> bool:
        return "nothing was heard for" in agent.output()

    await eventually(agent_has_noticed, within=AGENT_SILENCE + MARGIN)
    agent_noticed = time.monotonic() - cut_at
    network.heal()
    # Its first try may have gone into the cut line, whose kernel asks again after 1, 2 and 4 seconds.
    back = await connection_is(far, node_pb2.CONNECTION_STATE_ONLINE, within=AGENT_SILENCE + CONNECT)
    print(f"\nserver {server_noticed:.1f} s, agent {agent_noticed:.1f} s, back {back:.1f} s after")


async def beats(plane: ControlPlane) -> list[float]:
    """Returns when heartbeats arrived at the server, oldest first: each carries a sample."""
    async with plane.client() as client:
        metrics = (await client.nodes.metrics.list("node-001", limit=2000)).metrics
    return sorted(metric.metric_time.ToNanoseconds() / 1e9 for metric in metrics)


def latest(arrivals: list[float], share: float = 1.0) -> float:
    """Returns by how many seconds the latest of that share of these heartbeats was late."""
    gaps = sorted(after - before for before, after in itertools.pairwise(arrivals))
    return gaps[int(share * len(gaps)) - 1] - HEARTBEAT


async def test_bulk_on_a_thin_lossy_line_holds_up_no_heartbeat(network: Network, tmp_path: Path) -> None:
    megabytes, kbit, loss = (1, 64, 10) if LONG else (0.5, 512, 2)
    # With the usual patience: on such a line some silence is no end.
    frequent = {"NOVASPHERE_FLEET_HEARTBEAT_INTERVAL": str(HEARTBEAT)}
    async with agent_behind(network, tmp_path, **frequent) as plane:
        network.slow(kbit)
        network.loss(loss)
        wanted_beats = (60 if LONG else 5) / HEARTBEAT

        async def some_beats() -> list[float]:
            found = await beats(plane)
            return found if len(found) >= wanted_beats else []

        # What the line does to heartbeats by itself.
        quiet = await eventually(some_beats, within=300 if LONG else 120)
        text, wanted = printing(megabytes, 0.1, tmp_path / "marker")
        command_id = await create(plane, text)
        pair = await ended(plane, command_id, within=1500 if LONG else 180)
        busy = (await beats(plane))[len(quiet) :]
        assert pair["command"]["status"] == "success", pair
        stdout = await output_of(plane, command_id, "stdout")
        assert hashlib.sha256(stdout).hexdigest() == wanted, len(stdout)
    assert len(busy) > 2, "bulk let no heartbeats through"
    seconds = busy[-1] - busy[0]
    print(
        f"\n{len(stdout) * 8 / seconds / 1000:.0f} kbit/s, late: {latest(quiet):.2f} s without, "
        f"{latest(busy):.2f} s with bulk ({latest(busy, 0.95):.2f} s but for one in 20), {len(busy)} heartbeats in {seconds:.0f} s"
    )
    # Where one packet in ten is lost, some are lost again and again, and hold up whatever comes after them.
    assert latest(busy, share=0.95 if LONG else 1.0) <= max(latest(quiet), 0) + 1
