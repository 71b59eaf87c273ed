"""The store finds out by itself when its tables, its log and its memory say different things."""

from __future__ import annotations

import asyncio
import logging
import random
import sqlite3
from contextlib import closing
from pathlib import Path

import aiohttp
import pytest
import sqlalchemy as sa
from novasphere.node.v1 import node_pb2
from novasphere_server.store import tables
from novasphere_server.store.kinds import NODES
from novasphere_server.store.limits import Limits
from novasphere_server.store.store import Store
from novasphere_server.testing import RunningServer, running_server
from store_samples import StandingClock, delete_node, put_node, put_task


def behind_its_back(path: Path, statement: str, *values: object) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        assert database.execute(statement, values).rowcount == 1


def node(name: str, **fields: object) -> bytes:
    return node_pb2.Node(node_id=name, **fields).SerializeToString(deterministic=True)


async def scraped(server: RunningServer) -> dict[str, float]:
    """Returns what /metrics says of self-checks, by the end of the name."""
    token = {"Authorization": f"Bearer {server.admin_token}"}
    async with (
        aiohttp.ClientSession(server.http_url) as http,
        http.get("/metrics", headers=token) as response,
    ):
        lines = (await response.text()).splitlines()
    prefix = "novasphere_store_selfcheck_"
    found = [line.removeprefix(prefix).split() for line in lines if line.startswith(prefix)]
    return {name: float(value) for name, value in found}


async def readiness(server: RunningServer) -> int:
    async with aiohttp.ClientSession(server.http_url) as http, http.get("/readyz") as response:
        return response.status


@pytest.fixture
async def server(tmp_path: Path):
    async with running_server(tmp_path, limits=Limits(selfcheck_interval=0.05)) as running:
        for n in range(5):
            await running.store.write(put_node(f"n{n}"))
        yield running


async def until(server: RunningServer, name: str, least: float) -> dict[str, float]:
    """Waits until a number of self-checks is at least so much, and returns all of them."""
    async with asyncio.timeout(60):
        while (seen := await scraped(server))[name] < least:  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0.02)
    return seen


async def test_a_server_says_how_far_it_was_checked(server: RunningServer):
    seen = await until(server, "revision", server.store.revision)
    assert seen["mismatches_total"] == 0
    assert seen["age_seconds"] < 60


async def test_a_row_that_was_changed_behind_the_stores_back_is_reported(
    server: RunningServer, tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    revision = server.store.revision
    await until(server, "revision", revision)
    path = tmp_path / "server" / "novasphere.db"
    with caplog.at_level(logging.ERROR):
        behind_its_back(path, "UPDATE nodes SET body = ? WHERE key = 'n3'", node("n3", capacity=9))
        # One of them for the table. The other is for the object in memory, which is still the right one.
        await until(server, "mismatches_total", 2)
    told = caplog.text
    assert f"kind node at revision {revision} are not what the log makes of those at revision" in told
    assert "node 'n3' in memory" in told
    assert await readiness(server) == 200


async def test_a_row_of_the_log_that_is_lost_is_reported(
    server: RunningServer, tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    store = server.store
    path = tmp_path / "server" / "novasphere.db"
    before = store.revision
    await server.app.supervisor.stop()  # so that no check comes between
    await store.selfcheck.run()
    await store.write(put_node("n1", capacity=3))
    behind_its_back(path, "DELETE FROM changes WHERE revision = ?", store.revision)
    with caplog.at_level(logging.ERROR):
        await store.selfcheck.run()
    assert (await scraped(server))["mismatches_total"] == 1
    assert f"kind node at revision {before + 1}" in caplog.text
    assert f"at revision {before}:" in caplog.text
    # What was reported is not reported again.
    await store.selfcheck.run()
    assert (await scraped(server))["mismatches_total"] == 1


nodes, changes = tables.nodes, tables.changes
ghost = {"id": 99, "key": "ghost", "revision": 1, "body": node("ghost"), "uid": "u"} | {
    "status": 0,
    "connection": 0,
    "role": "",
    "registered_at_us": 0,
}


@pytest.mark.parametrize(
    "damage",
    [
        sa.update(nodes).where(nodes.c.key == "n1").values(body=b"\0"),
        sa.update(nodes).where(nodes.c.key == "n1").values(revision=nodes.c.revision + 1),
        sa.delete(nodes).where(nodes.c.key == "n1"),
        sa.insert(nodes).values(ghost),
        sa.update(changes).where(changes.c.revision == 3).values(after=b"\0"),
        sa.update(changes).where(changes.c.revision == 3).values(before=b"\xff"),
    ],
    ids=["body", "revision", "lost", "ghost", "after", "before"],
)
async def test_damage_before_a_restart_is_found_after_it(open_store, damage: sa.Executable):
    first = await open_store()
    await first.write(put_node("n1"))
    await first.write(put_node("n2"))
    await first.selfcheck.run()
    await first.write(put_node("n2", capacity=2))
    await first.write(lambda tx: tx.execute(damage))
    await first.close()
    second = await open_store()
    await second.selfcheck.run()
    assert second.selfcheck.mismatches == 1


async def test_a_stale_object_in_memory_is_found(store: Store, caplog: pytest.LogCaptureFixture):
    await store.write(put_node("n1"))
    stale = await store.get(NODES, "n1")
    await store.write(put_node("n1", capacity=2))
    assert stale is not None
    store._cache._entries["node", "n1"].stored = stale
    await store.selfcheck.run()
    assert store.selfcheck.mismatches == 1
    assert "node 'n1' in memory is not what is stored" in caplog.text


async def test_whatever_is_written_during_a_check_fits(open_store):
    """Pages of two objects, so that commits come between them."""
    store = await open_store(page_length=2, cache_bytes=20_000)
    source = random.Random(7)
    for n in range(30):
        await store.write(put_node(f"n{n:02}"))

    async def write() -> None:
        # So many and no more: a check that follows writers without an end, two rows at a time, never ends where they
        # are the faster.
        for _ in range(20):
            name = f"n{source.randrange(40):02}"
            choices = [put_node(name, capacity=source.randrange(1000)), delete_node(name)]
            await store.write(source.choice([*choices, put_task(name, retry_count=source.randrange(9))]))
            await store.get(NODES, f"n{source.randrange(40):02}")

    for _ in range(12):
        before = store.revision
        async with asyncio.TaskGroup() as group:
            for _ in range(3):
                group.create_task(write())
            await store.selfcheck.run()
        assert store.selfcheck.mismatches == 0
        assert store.selfcheck.revision >= before


async def test_a_log_that_was_compacted_meanwhile_is_no_mismatch(open_store, clock: StandingClock):
    store = await open_store(log_age=100.0)
    await store.write(put_node("n1"))
    await store.selfcheck.run()
    for n in range(5):
        await store.write(put_node(f"n{n}", capacity=1))
    clock.advance(200)
    await store.maintain()
    await store.write(put_node("n1", capacity=2))
    await store.selfcheck.run()
    assert (store.selfcheck.mismatches, store.selfcheck.revision) == (0, store.revision)
    assert store.selfcheck.age() >= 0
