"""What tests start must not outlive them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import postgresql
import pytest

LIB = Path(postgresql.__file__).parent
SECONDS = 30.0

STARTS_A_SERVER = """
import json, sys, time, postgresql
server = postgresql.PostgresServer(postgresql.programs())
pid = int((server.folder / "data" / "postmaster.pid").read_text().split()[0])
print(json.dumps([pid, str(server.folder)]), flush=True)
time.sleep(600)
"""


def is_running(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"  # which stays where nobody waits for orphans


def wait_until(is_true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS
    while not is_true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.skipif(postgresql.programs() is None, reason=postgresql.MISSING)
def test_a_database_server_ends_with_the_tests_even_if_they_are_killed():
    with subprocess.Popen(
        [sys.executable, "-c", STARTS_A_SERVER],
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": f"{LIB}:{os.environ.get('PYTHONPATH', '')}"},
    ) as tests:
        assert tests.stdout is not None
        pid, folder = json.loads(tests.stdout.readline())
        assert is_running(pid)
        tests.send_signal(signal.SIGKILL)
    wait_until(lambda: not is_running(pid))
    wait_until(lambda: not Path(folder).exists())
