"""kill -9 at any moment: what was acknowledged is there, and nothing is half there."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa
import store_process
from novasphere_server.store import tables
from novasphere_server.store.kinds import NODES
from novasphere_server.store.queries import Query

SCRIPT = Path(store_process.__file__)


def start(url: str, task: str, failpoint: str = "") -> subprocess.Popen[bytes]:
    environment = dict(os.environ)
    if failpoint:
        environment |= {"NOVASPHERE_TESTING": "1", "NOVASPHERE_FAILPOINT": failpoint}
    return subprocess.Popen(
        [sys.executable, str(SCRIPT), url, task], stdout=subprocess.PIPE, env=environment
    )


async def names_in(open_store) -> set[str]:
    store = await open_store()
    page = await store.list(Query(NODES, limit=1_000_000))
    rows = await store.read(
        sa.select(tables.changes.c.revision).distinct().order_by(tables.changes.c.revision)
    )
    assert [row.revision for row in rows] == list(range(1, store.revision + 1))
    await store.close()
    return {item.message().node_id for item in page.items}


@pytest.mark.fault
async def test_every_acknowledged_write_outlives_a_kill_and_none_is_there_by_half(
    open_store, store_url: str
):
    acknowledged: set[str] = set()
    for _ in range(3):
        process = start(store_url, "increments")
        assert process.stdout is not None
        wanted = random.randint(50, 300)
        lines = [process.stdout.readline() for _ in range(wanted)]
        process.send_signal(signal.SIGKILL)
        lines += process.stdout.readlines()
        process.stdout.close()
        process.wait()
        names = {line.decode().strip() for line in lines if line.endswith(b"\n")}
        assert len(names) >= wanted
        acknowledged |= names
        present = await names_in(open_store)
        assert acknowledged <= present
        single = {name for name in present if not name.startswith("twin-of-")}
        assert present == single | {f"twin-of-{name}" for name in single}


@pytest.mark.fault
@pytest.mark.parametrize(
    ("failpoint", "is_there"),
    [("before_commit:kill", False), ("after_commit:kill", True), ("after_answer:kill", True)],
)
async def test_a_claim_that_is_made_again_after_a_kill_has_one_effect(
    open_store, store_url: str, failpoint: str, is_there: bool
):
    first = start(store_url, "claim", failpoint)
    said, _ = first.communicate(timeout=120)
    assert first.returncode == -signal.SIGKILL
    assert bool(said) == (failpoint == "after_answer:kill")
    assert bool(await names_in(open_store)) == is_there
    second = start(store_url, "claim")
    said, _ = second.communicate(timeout=120)
    name, was_replayed = said.decode().split()
    assert was_replayed == str(is_there)
    assert name == f"made-by-{first.pid if is_there else second.pid}"
    assert await names_in(open_store) == {name}


def test_failpoints_are_dead_without_the_test_setting(store_url: str):
    environment = os.environ | {"NOVASPHERE_FAILPOINT": "before_commit:kill"}
    environment.pop("NOVASPHERE_TESTING", None)
    command = [sys.executable, str(SCRIPT), store_url, "claim"]
    ran = subprocess.run(command, env=environment, capture_output=True, timeout=120, check=False)
    assert ran.returncode == 0
