"""Ends what a test started and what would outlive it, even if the test's process is killed.

A guard is a process that waits for the end of a pipe which the test's process holds: the kernel closes it
whatever becomes of its holder.
"""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import sys
from collections.abc import Sequence

_SECONDS = 180


class Guard:
    """Runs a command once, when it is told to or when this process has ended, and removes a folder then."""

    def __init__(self, command: Sequence[object], *, user: str = "", folder: object = "") -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", __file__, user, str(folder), *map(str, command)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            # What ends a whole group of processes, as Ctrl-C does, must leave this one its work.
            start_new_session=True,
        )

    def act(self) -> int:
        """Has it done now. Returns the exit code of the command."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        return self._process.wait(_SECONDS)


def _wait_and_act(user: str, folder: str, *command: str) -> int:
    sys.stdin.read()
    code = 1
    with contextlib.suppress(OSError, subprocess.TimeoutExpired):
        ended = subprocess.run(
            command, user=user or None, check=False, timeout=_SECONDS, stdin=subprocess.DEVNULL
        )
        code = ended.returncode
    if folder:
        shutil.rmtree(folder, ignore_errors=True)
    return code


if __name__ == "__main__":
    sys.exit(_wait_and_act(*sys.argv[1:]))
