"""Ends the agent with the process that started it, for those who ask for that."""

from __future__ import annotations

import asyncio
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1
_STDIN = 0


def die_with_parent() -> None:
    """Has Linux send SIGTERM when the parent dies, whatever became of its pipes."""
    if sys.platform == "linux":
        import ctypes  # not above: few agents need it

        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)


async def wait_for_closed_stdin() -> None:
    """Returns when standard input ends; what is written there is ignored."""
    loop = asyncio.get_running_loop()
    readable = asyncio.Event()
    try:
        loop.add_reader(_STDIN, readable.set)
    except PermissionError:  # a file, or /dev/null: those end at once
        return
    try:
        while True:
            await readable.wait()
            readable.clear()
            if not os.read(_STDIN, 4096):
                return
    finally:
        loop.remove_reader(_STDIN)
