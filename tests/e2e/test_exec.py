"""`novasphere exec` as a person uses it, with the server or the agent killed in its middle."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest
from processes import NOVASPHERE, ControlPlane, Process, control_plane, is_alive

pytestmark = [pytest.mark.fault, pytest.mark.timeout(400)]
LONG = os.environ.get("NOVASPHERE_FAULTS") == "long"
LINES = 200 if LONG else 80  # one each 100 ms
SCRIPT = f'for i in $(seq {LINES}); do echo "line $i"; sleep 0.1; done; echo end >&2; exit 42'


@pytest.mark.parametrize("victim", ["server", "agent", "nobody"])
async def test_exec_streams_every_line_once_and_keeps_the_exit_code(tmp_path: Path, victim: str) -> None:
    async with control_plane(tmp_path) as plane:
        agent = await plane.add_agent()
        cli = await plane.start_cli("exec", "node-001", "--timeout", "120", "--", SCRIPT)
        assert cli.stdout is not None
        seen: list[str] = []
        while len(seen) < LINES // 3:
            line = await asyncio.wait_for(cli.stdout.readline(), 120)
            assert line, (await cli.stderr.read()).decode() if cli.stderr else ""
            seen.append(line.decode().strip())
        if victim == "server":
            await plane.restart()
        elif victim == "agent":
            await agent.kill()
            await agent.start()
        stdout, stderr = await asyncio.wait_for(cli.communicate(), 120)
        seen += stdout.decode().splitlines()
        assert seen == [f"line {n}" for n in range(1, LINES + 1)]
        assert stderr.decode().endswith("end\n")
        assert cli.returncode == 42


async def test_exec_loses_nothing_of_a_command_that_opens_its_output_anew(tmp_path: Path) -> None:
    async with control_plane(tmp_path) as plane:
        await plane.add_agent()
        script = "echo one > /dev/stderr; echo two > /dev/stderr; echo x; echo y | tee /dev/stderr"
        code, stdout, stderr = await plane.novasphere("exec", "node-001", "--", script)
        assert (code, stdout) == (0, "x\ny\n")
        assert stderr.endswith("one\ntwo\ny\n")


async def test_exec_says_124_for_a_timeout(tmp_path: Path) -> None:
    async with control_plane(tmp_path) as plane:
        await plane.add_agent()
        code, _, stderr = await plane.novasphere("exec", "node-001", "--timeout", "1", "--", "sleep 30")
        assert code == 124
        assert "timeout" in stderr or "timed out" in stderr


async def test_exec_says_125_when_contact_is_lost_and_never_0(tmp_path: Path) -> None:
    async with control_plane(tmp_path) as plane:
        await plane.add_agent()
        cli = await plane.start_cli(
            "exec", "--contact-timeout", "10", "node-001", "--", "echo hi; sleep 20"
        )
        assert cli.stdout is not None
        assert await asyncio.wait_for(cli.stdout.readline(), 120) == b"hi\n"
        await plane.server.kill()
        # It would give up by itself after a minute; this one was told not to wait so long.
        _, stderr = await asyncio.wait_for(cli.communicate(), 45)
        assert cli.returncode == 125
        assert b"--attach cmd-" in stderr


async def test_exec_says_that_the_node_went_away_while_the_command_waits(tmp_path: Path) -> None:
    async with control_plane(tmp_path) as plane:
        agent = await plane.add_agent("node-001", "--capacity", "1")
        busy = await plane.start_cli("exec", "node-001", "--timeout", "120", "--", "echo hi; sleep 60")
        assert busy.stdout is not None
        assert await asyncio.wait_for(busy.stdout.readline(), 120) == b"hi\n"
        waiting = await plane.start_cli("exec", "--verbose", "node-001", "--", "true")
        assert waiting.stderr is not None
        await asyncio.wait_for(waiting.stderr.readline(), 120)
        await agent.kill()
        said = (await asyncio.wait_for(waiting.stderr.readline(), 120)).decode()
        assert "node node-001 is disconnected; command cmd-" in said
        waiting.send_signal(signal.SIGINT)
        await asyncio.wait_for(waiting.communicate(), 120)
        assert waiting.returncode == 130
        await agent.start()
        busy.send_signal(signal.SIGINT)
        await asyncio.wait_for(busy.communicate(), 120)
        assert busy.returncode == 130


async def test_exec_cancelled_by_ctrl_c_says_130_and_kills_the_command(tmp_path: Path) -> None:
    async with control_plane(tmp_path) as plane:
        await plane.add_agent()
        shell = tmp_path / "shell"
        cli = await plane.start_cli(
            "exec", "node-001", "--", f"echo $$ > {shell}; echo hi; sleep 600; :"
        )
        assert cli.stdout is not None
        assert await asyncio.wait_for(cli.stdout.readline(), 120) == b"hi\n"
        cli.send_signal(signal.SIGINT)
        await asyncio.wait_for(cli.communicate(), 120)
        assert cli.returncode == 130
        newest = (await plane.rest("GET", "/api/v1/commands?limit=1"))["data"]["commands"][0]
        assert newest["state"] == "CANCELLED"
        assert not is_alive(int(shell.read_text()))


async def test_attach_resumes_a_command_that_was_left(tmp_path: Path) -> None:
    async with control_plane(tmp_path) as plane:
        await plane.add_agent()
        cli = await plane.start_cli("exec", "node-001", "--", "echo one; sleep 3; echo two; exit 5")
        assert cli.stdout is not None
        await asyncio.wait_for(cli.stdout.readline(), 120)
        cli.kill()
        await cli.wait()
        newest = (await plane.rest("GET", "/api/v1/commands?limit=1"))["data"]["commands"][0]
        code, stdout, _ = await plane.novasphere("exec", "--attach", newest["command_id"])
        assert (code, stdout) == (5, "one\ntwo\n")


async def seconds_of_a_start() -> float:
    """Returns how long an agent takes here to come to its first line: the measure of a busy or slow machine."""
    loop = asyncio.get_running_loop()
    begun = loop.time()
    agent = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "novasphere_agent", "--help", stdout=asyncio.subprocess.DEVNULL
    )
    assert await asyncio.wait_for(agent.wait(), 120) == 0
    return loop.time() - begun


async def test_up_serves_and_lists_this_machine_with_metrics(tmp_path: Path) -> None:
    """What `make up` promises, on free ports."""

    plane = ControlPlane(tmp_path)
    up = Process(
        [NOVASPHERE, "up", "--data-dir", str(tmp_path / "data"),
         "--http", f"127.0.0.1:{plane.http_port}", "--grpc", plane.address],
        tmp_path / "up.log",
    )  # fmt: skip
    plane.server = up
    try:
        within = max(5.0, 15 * await seconds_of_a_start())
        await up.start()
        await plane.ready()
        loop = asyncio.get_running_loop()
        begun = loop.time()
        while True:
            nodes = (await plane.rest("GET", "/api/v1/nodes"))["data"]["nodes"]
            metrics = (await plane.rest("GET", "/api/v1/metrics/latest"))["data"]["metrics"]
            if nodes and metrics:
                break
            assert loop.time() - begun < within, "online with a first sample within 5 s of /readyz"
            await asyncio.sleep(0.05)
        assert nodes[0]["status"] == "online"
        assert 0 < metrics[0]["memory_usage"] < 100
        assert 0 < metrics[0]["disk_usage"] < 100
        code, stdout, _ = await plane.novasphere("node", "list", "--no-headers")
        assert code == 0
        assert nodes[0]["node_id"] in stdout
        ready = [line for line in up.output().splitlines() if line.startswith("Novasphere is ready")]
        assert len(ready) == 1, up.output()
        assert str(plane.http_port) in ready[0]
        assert plane.address in ready[0]
        second = Process([*up.arguments], tmp_path / "second.log")
        await second.start()
        assert second.running is not None
        assert await asyncio.wait_for(second.running.wait(), 120) == 2
        assert str(up.pid) in second.output(), second.output()
        assert await up.terminate() == 0
    finally:
        await plane.stop()
