"""Watchers that stop reading: they cost no memory, delay nobody, and are told what they missed."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
from pathlib import Path

import pytest
from processes import TOKEN, ControlPlane, control_plane, eventually

pytestmark = [pytest.mark.fault, pytest.mark.timeout(600)]
LONG = os.environ.get("NOVASPHERE_FAULTS") == "long"
WATCHERS = 200 if LONG else 40
WRITES = 4000 if LONG else 800

# Opens watches and takes one message of each; then takes nothing until it is told to go on.
READER = """
import asyncio, json, sys, grpc
from google.rpc import error_details_pb2, status_pb2
from novasphere.node.v1 import command_service_pb2 as pb, command_service_pb2_grpc as rpc
address, token, count, how = sys.argv[1:]
def reason(error):
    found = dict(error.trailing_metadata() or ()).get("grpc-status-details-bin", b"")
    for detail in status_pb2.Status.FromString(found).details:
        info = error_details_pb2.ErrorInfo()
        if detail.Unpack(info):
            return info.reason
    return ""
async def one(stub, go_on):
    call = stub.WatchCommands(pb.WatchCommandsRequest(), metadata=[("authorization", "Bearer " + token)])
    try:
        async for message in call:
            await go_on.wait()
        print(json.dumps({"code": "OK"}), flush=True)
    except grpc.aio.AioRpcError as error:
        print(json.dumps({"code": error.code().name, "reason": reason(error)}), flush=True)
    finally:
        call.cancel()
async def main():
    go_on = asyncio.Event()
    # With the probe the client's core would take a megabyte and more ahead of a lazy reader.
    options = [("grpc.http2.bdp_probe", 0)] if how == "lazy" else []
    async with grpc.aio.insecure_channel(address, options) as channel:
        stub = rpc.CommandServiceStub(channel)
        print("ready", flush=True)
        watches = asyncio.gather(*(one(stub, go_on) for _ in range(int(count))))
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
        go_on.set()
        await watches
asyncio.run(main())
"""


async def write_many(plane: ControlPlane, count: int) -> list[float]:
    """Creates commands four at a time; returns how long each took, in seconds."""
    loop = asyncio.get_running_loop()
    took: list[float] = []

    async def some(number: int) -> None:
        async with plane.client() as client:
            for _ in range(number):
                begun = loop.time()
                await client.commands.create("node-001", "x" * 1000)
                took.append(loop.time() - begun)

    await asyncio.gather(*(some(count // 4) for _ in range(4)))
    return sorted(took)


@pytest.mark.parametrize("how", ["frozen", "lazy"])
async def test_readers_that_stop_cost_no_memory_and_delay_nobody(tmp_path: Path, how: str) -> None:
    """A frozen process does not even answer pings: its connection is cut. A lazy one is told why."""
    async with control_plane(tmp_path) as plane:
        await plane.add_agent()
        await plane.agents["node-001"].kill()
        before = await write_many(plane, WRITES // 4)
        readers = await asyncio.create_subprocess_exec(
            sys.executable, "-c", READER, plane.address, TOKEN, str(WATCHERS), how,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        try:
            assert readers.stdout is not None
            assert readers.stdin is not None
            await readers.stdout.readline()

            async def all_watch() -> bool:
                return await _open_watches(plane) >= WATCHERS

            await eventually(all_watch)
            if how == "frozen":
                readers.send_signal(signal.SIGSTOP)
            base = plane.server.rss_kib
            during = await write_many(plane, WRITES)
            grown = plane.server.rss_kib - base
            print(f"\n{WATCHERS} {how} readers, {WRITES} writes: +{grown} KiB; median write "
                  f"{before[len(before) // 2] * 1e3:.1f} -> {during[len(during) // 2] * 1e3:.1f} ms")  # fmt: skip
            assert grown <= 256 * WATCHERS + 64 * 1024

            async def all_are_cut() -> bool:
                return await _open_watches(plane) == 0

            await eventually(all_are_cut, within=120)
            if how == "frozen":
                return  # nobody is there to be told
            readers.stdin.write(b"go on\n")
            output = (await asyncio.wait_for(readers.stdout.read(), 120)).decode().splitlines()
            ends = [json.loads(line) for line in output]
            assert len(ends) == WATCHERS, "every stream must end with a word"
            assert {(e["code"], e["reason"]) for e in ends} == {("ABORTED", "SLOW_CONSUMER")}
        finally:
            with contextlib.suppress(ProcessLookupError):  # it may have ended by itself
                readers.kill()
            await readers.wait()


async def _open_watches(plane: ControlPlane) -> int:
    streams = await plane.metrics("novasphere_open_streams")
    return sum(int(count) for labels, count in streams.items() if "WatchCommands" in labels)
