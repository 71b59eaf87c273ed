"""Processes of this machine: telling them apart, and noticing their end."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from novasphere_agent import failpoints, wrapper

_POLL_SECONDS = 0.1


def boot_id() -> str:
    """Returns what changes when the machine boots; "unknown" where the system does not tell."""
    if given := failpoints.boot_id():
        return given
    with contextlib.suppress(OSError):
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    for name in ("kern.bootsessionuuid", "kern.boot_id"):
        with contextlib.suppress(OSError, subprocess.SubprocessError):
            answer = subprocess.run(
                ["sysctl", "-n", name],  # noqa: S607 - wherever this system keeps it
                capture_output=True, text=True, timeout=5, check=True,
            )  # fmt: skip
            return answer.stdout.strip()
    return "unknown"


def is_alive(pid: int, start: str) -> bool:
    """Tells whether the process that started at `start` still runs; the pid alone may be reused."""
    if sys.platform == "linux":
        stat = wrapper.stat_of(pid)
        return bool(stat) and stat[0] not in "ZX" and stat[19] == start
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


async def wait_for_end(pid: int, start: str) -> None:
    """Returns when that process is gone."""
    try:
        # A handle, so that from here on nobody else can be taken for it.
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    except (AttributeError, OSError):
        while is_alive(pid, start):  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(_POLL_SECONDS)
        return
    try:
        if not is_alive(pid, start):
            return
        loop = asyncio.get_running_loop()
        ended = asyncio.Event()
        loop.add_reader(handle, ended.set)
        try:
            await ended.wait()
        finally:
            loop.remove_reader(handle)
    finally:
        os.close(handle)


def signal_process(pid: int, start: str, *numbers: int) -> None:
    """Sends signals to that process and to no other; nothing happens where it is gone."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    except (AttributeError, OSError):
        if is_alive(pid, start):
            for number in numbers:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, number)
        return
    try:
        if is_alive(pid, start):
            for number in numbers:
                with contextlib.suppress(ProcessLookupError):
                    signal.pidfd_send_signal(handle, number)
    finally:
        os.close(handle)


def kill_session(leader: int, leader_start: str) -> None:
    """Kills what is left of an attempt whose wrapper, the leader of its session, is gone.

    Blocks until nothing is.
    """

    def members() -> list[tuple[int, str]]:
        table = wrapper.processes()
        if leader in table and table[leader][3] != leader_start:
            return []  # a pid is not given out again while it names a session: nothing of ours is left
        return [
            (pid, start)
            for pid, (state, _, session, start) in table.items()
            if session == leader and state not in "ZX"
        ]

    wrapper.kill_all(members, 0.0, lambda: None, time.sleep)
