"""What is past its time goes in steps that others can write between, and the server says how far it is."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import aiohttp
import pytest
import sqlalchemy as sa
from novasphere_server.backlogs import Backlog
from novasphere_server.store import tables
from novasphere_server.store.limits import Limits
from novasphere_server.testing import running_server
from store_samples import put_node

DAY = 24 * 3600
SCALE = 10 if os.environ.get("NOVASPHERE_FAULTS") == "long" else 1


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The rows of every step that a loop takes."""
    seen: list[int] = []
    note = Backlog.note

    def noted(backlog: Backlog, rows: int, overdue_since_us: int | None) -> None:
        if rows:
            seen.append(rows)
        note(backlog, rows, overdue_since_us)

    monkeypatch.setattr(Backlog, "note", noted)
    return seen


def samples(now_us: int, nodes: int, each: int) -> list[dict[str, object]]:
    """Returns rows of samples, one every 10 seconds of each node, that should be rows of a minute."""
    end_us = now_us - 2 * 3600 * 1_000_000
    fixed = dict.fromkeys(("cpu", "memory", "disk", "load"), 1.0) | dict.fromkeys(
        ("memory_total", "memory_available", "disk_total", "disk_available", "uptime"), 1
    )
    return [
        {"id": k * nodes + n + 1, "node_uid": f"u{n}", "at_us": end_us - k * 10_000_000, **fixed}
        for k in range(each)
        for n in range(nodes)
    ]


async def test_a_backlog_is_worked_off_in_short_steps_while_others_write(world, steps: list[int]):
    nodes, each = 500, 40 * SCALE
    rows = samples(world.clock.now_us(), nodes, each)
    await world.store.write(lambda tx: tx.execute(sa.insert(tables.metric_samples), rows))
    written = 0

    async def write() -> None:
        nonlocal written
        while True:
            await world.store.write(put_node("other", capacity=written % 7 + 1))
            written += 1

    writer = asyncio.create_task(write())
    try:
        await world.fleet.metrics.roll_up()
    finally:
        writer.cancel()
        await asyncio.wait([writer])
    assert sum(steps) == world.fleet.metrics.backlog.deleted == nodes * each
    assert max(steps) == world.settings.metrics_rollup_step
    assert written >= len(steps) // 2
    rolled = tables.metric_rollups.c
    [left] = await world.store.read(sa.select(sa.func.sum(rolled.sample_count)))
    assert left[0] == nodes * each
    assert world.fleet.metrics.backlog.age(world.clock.now_us()) == 0


async def test_the_log_and_its_records_go_in_short_steps(tmp_path: Path, steps: list[int]):
    limits = Limits(compaction_step=300, maintenance_interval=3600)
    count = 5000 * SCALE
    async with running_server(tmp_path, limits=limits) as server:
        await server.app.supervisor.stop()  # no other loop writes
        store = server.store
        for start in range(0, count, 500):
            async with asyncio.TaskGroup() as group:
                for n in range(start, start + 500):
                    group.create_task(store.write(put_node(f"n{n % 50}", capacity=n + 1)))
        stale = [
            {
                "principal": "p",
                "key": str(n),
                "fingerprint": b"",
                "message_type": "",
                "message": b"",
                "at_us": n + 1,
            }
            for n in range(1000)
        ]
        await store.write(lambda tx: tx.execute(sa.insert(tables.idempotency), stale))
        server.clock.advance(2 * DAY)
        await store.write(put_node("kept"))
        await store.maintain()
        assert sum(steps) == count + len(stale)
        assert max(steps) == 300
        async with aiohttp.ClientSession(server.http_url) as http:
            token = {"Authorization": f"Bearer {server.admin_token}"}
            async with http.get("/metrics", headers=token) as response:
                text = await response.text()
    for name, rows in (("log", count), ("idempotency", len(stale)), ("samples", 0), ("tasks", 0)):
        assert f'novasphere_retention_deleted_rows_total{{of="{name}"}} {float(rows)}' in text
        assert f'novasphere_retention_backlog_seconds{{of="{name}"}} 0.0' in text
    assert 'novasphere_retention_last_success_timestamp_seconds{of="samples"} 0.0' in text
    assert 'novasphere_retention_last_success_timestamp_seconds{of="log"} 0.0' not in text


async def test_a_backlog_that_is_not_worked_off_gets_older(world, monkeypatch):
    rows = samples(world.clock.now_us(), 1, 600)
    await world.store.write(lambda tx: tx.execute(sa.insert(tables.metric_samples), rows))
    backlog = world.fleet.metrics.backlog
    note = Backlog.note

    class Killed(Exception):
        pass

    def fail(backlog: Backlog, rows: int, overdue_since_us: int | None) -> None:
        note(backlog, rows, overdue_since_us)
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(Backlog, "note", fail)
        with pytest.raises(Killed):
            await world.fleet.metrics.roll_up()
    before = backlog.age(world.clock.now_us())
    assert before == pytest.approx(3600 + 5990)
    world.clock.advance(60)
    assert backlog.age(world.clock.now_us()) == before + 60
    await world.fleet.metrics.roll_up()
    assert backlog.age(world.clock.now_us()) == 0
    assert backlog.last_success_us == world.clock.now_us()


async def test_much_output_of_an_ended_command_goes_in_steps_of_its_own(world):
    agent = world.agent()
    await agent.connect()
    ids = [await world.run(), await world.run()]
    for dispatch in await agent.dispatched(2):
        await agent.finish(dispatch, exit_code=0)
    chunks = [
        {"run_id": ids[0], "attempt": 1, "position": n, "stream": 1, "offset": n, "data": b"x"}
        for n in range(450)
    ]
    await world.store.write(lambda tx: tx.execute(sa.insert(tables.output_chunks), chunks))
    world.clock.advance(8 * DAY)
    older_than_us = world.clock.now_us() - 7 * DAY * 1_000_000
    left = []
    while await world.fleet.tasks.oldest_end_us(older_than_us) is not None:
        await world.fleet.tasks.forget_ended(older_than_us)
        rows = await world.store.read(sa.select(tables.output_chunks.c.position))
        left.append([row.position for row in rows])
    # The end goes first: what is left is what a reader would have been sent first.
    assert left == [list(range(250)), list(range(50)), []]
