"""Commands through kills of the agent and of the server: run once, every byte once, an honest end."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import os
import random
import time
from pathlib import Path

import pytest
from commanding import create, ended, is_running, output_of
from processes import control_plane, eventually

pytestmark = [pytest.mark.fault, pytest.mark.timeout(600)]
LONG = os.environ.get("NOVASPHERE_FAULTS") == "long"
SECONDS = 60 if LONG else 15
CAPACITY = 2


def counting(seconds: float, marker: Path, every: float = 0.02) -> tuple[str, bytes]:
    """Returns a command that prints numbered lines for that long and leaves a mark each time it starts,
    and what it must print."""
    lines = int(seconds / every)
    code = (
        "import sys,time\n"
        f"open({str(marker)!r},'a').write('started\\n')\n"
        f"for i in range({lines}):\n"
        f"    print(f'line {{i:06}} ' + 'x'*80, flush=True); time.sleep({every})\n"
        "print('done', file=sys.stderr, flush=True); sys.exit(7)\n"
    )
    encoded = base64.b64encode(code.encode()).decode()
    expected = b"".join(b"line %06d " % i + b"x" * 80 + b"\n" for i in range(lines))
    return f"python3 -c \"import base64;exec(base64.b64decode('{encoded}'))\"", expected


@pytest.mark.parametrize(
    ("victims", "database_url"),
    [("server", "sqlite"), ("agent", "sqlite"), ("both", "sqlite"), ("both", "postgresql")],
    indirect=["database_url"],
)
async def test_output_is_byte_exact_through_kills(
    tmp_path: Path, victims: str, database_url: str
) -> None:
    async with control_plane(tmp_path, database_url=database_url) as plane:
        agent = await plane.add_agent()
        marker = tmp_path / "marker"
        text, expected = counting(SECONDS, marker)
        command_id = await create(plane, text)
        await is_running(plane, command_id)
        loop = asyncio.get_running_loop()
        deadline = loop.time() + SECONDS * 0.7
        kills = 0
        while loop.time() < deadline or kills < 1:
            await asyncio.sleep(random.uniform(0.3, 2.0))
            if victims in ("server", "both"):
                await plane.restart()
            if victims in ("agent", "both"):
                await agent.kill()
                await agent.start()
            kills += 1
        pair = await ended(plane, command_id, within=SECONDS + 90)
        assert pair["command"]["status"] == "failed", pair
        assert pair["result"]["exit_code"] == 7
        stdout = await output_of(plane, command_id, "stdout")
        assert hashlib.sha256(stdout).hexdigest() == hashlib.sha256(expected).hexdigest(), (
            len(stdout),
            len(expected),
        )
        assert await output_of(plane, command_id, "stderr") == b"done\n"
        assert pair["result"]["stdout_bytes"] == len(expected)
        assert marker.read_text() == "started\n", "it must start exactly once"
        print(f"\n{kills} kills of {victims}, {len(expected)} bytes")


async def test_a_command_sent_while_the_agent_is_dead_runs_once_it_is_back(tmp_path: Path) -> None:
    async with control_plane(tmp_path) as plane:
        agent = await plane.add_agent()
        await agent.kill()
        marker = tmp_path / "marker"
        command_id = await create(plane, f"echo once >> {marker}")
        await plane.restart()
        await agent.start()
        assert (await ended(plane, command_id))["command"]["status"] == "success"
        assert marker.read_text() == "once\n"


async def test_many_commands_under_kills_of_the_agent_run_at_most_once(tmp_path: Path) -> None:
    """Whatever moment the agent dies at, no command starts twice, and each gets an end."""
    async with control_plane(tmp_path) as plane:
        agent = await plane.add_agent("node-001", "--capacity", str(CAPACITY))
        folder = tmp_path / "ran"
        folder.mkdir()
        ids, kills = [], 0
        for n in range(200 if LONG else 60):
            ids.append(await create(plane, f"echo x >> {folder}/{n}"))
            if n % 10 == 5:
                await agent.kill()
                await agent.start()
                kills += 1
        pairs = [await ended(plane, i, within=180) for i in ids]
        counts = {
            n: (folder / str(n)).read_text().count("x") if (folder / str(n)).exists() else 0
            for n in range(len(ids))
        }
        assert all(count <= 1 for count in counts.values()), counts
        for n, pair in enumerate(pairs):
            if pair["command"]["status"] == "success":
                assert counts[n] == 1
            else:
                assert pair["command"]["state"] == "UNKNOWN", pair
        unknown = sum(p["command"]["state"] == "UNKNOWN" for p in pairs)
        print(f"\n{len(ids)} commands, {unknown} with an end that nobody can know")
        assert unknown <= kills * CAPACITY  # what it was about to start, and nothing that still waited


async def test_after_a_reboot_a_running_command_ends_unknown_and_never_runs_again(
    tmp_path: Path,
) -> None:
    async with control_plane(tmp_path) as plane:
        agent = await plane.add_agent(NOVASPHERE_TESTING="1", NOVASPHERE_BOOT_ID="boot-one")
        marker = tmp_path / "marker"
        sleeper = f"sleep 301.{time.time_ns()}"
        command_id = await create(plane, f"echo started >> {marker}; exec {sleeper}")
        await is_running(plane, command_id)
        await agent.kill()
        await _kill_tree(sleeper)  # what the power cut takes with it
        agent.environment["NOVASPHERE_BOOT_ID"] = "boot-two"
        await agent.start()
        pair = await ended(plane, command_id)
        assert pair["command"]["state"] == "UNKNOWN"
        assert pair["command"]["status"] == "failed"
        assert pair["command"]["reason"] == "UNKNOWN"
        assert pair["result"]["exit_code"] is None
        assert marker.read_text() == "started\n"


async def _kill_tree(command_line: str) -> None:
    """Kills the process of that command line and its wrapper, which is its parent."""

    async def found() -> list[int]:
        return _with_its_parent(command_line)

    for pid in await eventually(found):  # the shell may not have become it yet
        os.kill(pid, 9)


def _with_its_parent(command_line: str) -> list[int]:
    """Returns the parent of the process of that command line, and the process; nothing if there is none."""
    wanted = command_line.replace(" ", "\0").encode()
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            if (entry / "cmdline").read_bytes().strip(b"\0") != wanted:
                continue
            parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
        return [parent, int(entry.name)]
    return []


async def test_cancel_kills_everything_that_the_command_started(tmp_path: Path) -> None:
    async with control_plane(tmp_path) as plane:
        await plane.add_agent()
        # One child in the group, one in a session of its own, one that ignores SIGTERM.
        mark = f"302.{time.time_ns()}"
        text = (
            f"sleep {mark}1 & setsid sleep {mark}2 & "
            f"sh -c 'trap \"\" TERM; sleep {mark}3; sleep {mark}4' & wait"
        )
        command_id = await create(plane, text)

        async def all_run() -> bool:
            return len(_sleepers(mark)) >= 3

        await eventually(all_run)
        await plane.rest("POST", f"/api/v1/commands/{command_id}:cancel", {"grace_seconds": 1})
        pair = await ended(plane, command_id)
        assert pair["command"]["state"] == "CANCELLED"
        assert _sleepers(mark) == []


def _sleepers(prefix: str) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if words[0] == b"sleep" and words[1].startswith(prefix.encode()):
                found.append(int(entry.name))
    return found
