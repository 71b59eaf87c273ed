"""What tests start must not outlive them."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path

import postgresql
import pytest
from processes import eventually, is_alive

LIB = Path(postgresql.__file__).parent

STARTS_A_SERVER = """
import json, sys, time, postgresql
server = postgresql.PostgresServer(postgresql.programs())
pid = int((server.folder / "data" / "postmaster.pid").read_text().split()[0])
print(json.dumps([pid, str(server.folder)]), flush=True)
time.sleep(600)
"""


@pytest.mark.skipif(postgresql.programs() is None, reason=postgresql.MISSING)
async def test_a_database_server_ends_with_the_tests_even_if_they_are_killed():
    tests = await asyncio.create_subprocess_exec(
        sys.executable, "-c", STARTS_A_SERVER, stdout=asyncio.subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": f"{LIB}:{os.environ.get('PYTHONPATH', '')}"},
    )  # fmt: skip
    assert tests.stdout is not None
    pid, folder = json.loads(await tests.stdout.readline())
    assert is_alive(pid)
    tests.kill()
    await tests.wait()

    async def nothing_is_left() -> bool:
        return not is_alive(pid) and not Path(folder).exists()

    await eventually(nothing_is_left, within=120)
