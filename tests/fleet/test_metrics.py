from __future__ import annotations

import asyncio
import math
import threading

import pytest
import sqlalchemy as sa
from google.protobuf.timestamp_pb2 import Timestamp
from novasphere.link.v1 import link_service_pb2 as link
from novasphere_server import errors
from novasphere_server.core import metrics
from novasphere_server.core.credentials import ADMIN
from novasphere_server.core.fleet_settings import FleetSettings
from novasphere_server.store import tables


@pytest.fixture
def settings():
    return FleetSettings(metrics_buffer=1000)


@pytest.fixture
async def agent(world):
    agent = world.agent()
    await agent.connect()
    return agent


def record(world, agent, **values):
    world.fleet.metrics.record(agent.node_uid, link.Sample(**values))


def after(world, seconds):
    stamp = Timestamp()
    stamp.FromMicroseconds(world.clock.now_us() + int(seconds * 1e6))
    return stamp


async def count(world):
    stored = (tables.metric_samples, tables.metric_rollups)
    return sum([len(await world.store.read(sa.select(table))) for table in stored])


async def test_a_sample_that_a_heartbeat_carries_becomes_the_latest(world, agent):
    agent.beat(
        sample=link.Sample(
            cpu_usage=45.2,
            memory_usage=68.5,
            disk_usage=34.1,
            load_average=1.23,
            memory_total_bytes=16 << 30,
            memory_available_bytes=5 << 30,
            disk_total_bytes=1 << 40,
            disk_available_bytes=1 << 39,
            uptime_seconds=77,
        )
    )
    await agent.settle()
    await world.flush()
    metric = await world.fleet.metrics.latest("n1")
    assert (metric.id, metric.node_id) == (1, "n1")
    assert metric.metric_time.ToMicroseconds() == world.clock.now_us()
    assert metric.created_at == metric.metric_time
    assert (metric.cpu_usage, metric.memory_usage) == (45.2, 68.5)
    assert (metric.disk_usage, metric.load_average) == (34.1, 1.23)
    assert (metric.memory_total, metric.memory_available) == (16 << 30, 5 << 30)
    assert (metric.disk_total, metric.disk_available, metric.uptime) == (1 << 40, 1 << 39, 77)


async def test_without_samples_the_latest_is_not_found(world, agent):
    with pytest.raises(errors.NoMetricsData):
        await world.fleet.metrics.latest("n1")
    with pytest.raises(errors.NodeNotFound):
        await world.fleet.metrics.latest("nobody")


async def test_samples_are_listed_newest_first_with_their_number(world, agent):
    for n in range(5):
        record(world, agent, cpu_usage=n)
        world.clock.advance(10)
    await world.fleet.metrics.flush()

    async def listed(start=None, end=None, limit=100):
        rows, total = await world.fleet.metrics.list("n1", start, end, limit=limit)
        return [row.cpu_usage for row in rows], total

    assert await listed() == ([4, 3, 2, 1, 0], 5)
    assert await listed(limit=2) == ([4, 3], 5)
    assert await listed(limit=0) == ([], 5)
    # The window holds its start and not its end.
    assert await listed(after(world, -40), after(world, -20)) == ([2, 1], 2)
    assert await listed(start=after(world, -10)) == ([4], 1)
    with pytest.raises(errors.InvalidTimeRange):
        await listed(after(world, -20), after(world, -20))
    with pytest.raises(errors.NodeNotFound):
        await world.fleet.metrics.list("nobody", None, None, limit=1)


async def test_the_latest_of_all_has_a_row_for_each_node_that_has_one(world, agent):
    second, idle = world.agent("n0"), world.agent("idle")
    await second.connect()
    await idle.connect()
    for n in (1, 2):
        record(world, second, cpu_usage=n)
        record(world, agent, cpu_usage=10 * n)
        world.clock.advance(1)
    await world.fleet.metrics.flush()
    rows = await world.fleet.metrics.latest_of_all()
    assert [(row.node_id, row.cpu_usage) for row in rows] == [("n1", 20), ("n0", 2)]


async def test_a_summary_has_averages_and_maxima(world, agent):
    for cpu, load in ((10, 1), (20, 2), (60, 3)):
        record(world, agent, cpu_usage=cpu, memory_usage=50, disk_usage=0, load_average=load)
    await world.fleet.metrics.flush()
    summary = await world.fleet.metrics.summarise("n1", after(world, -1), after(world, 1))
    assert (summary.node_id, summary.sample_count) == ("n1", 3)
    assert (summary.avg_cpu_usage, summary.max_cpu_usage) == (30, 60)
    assert (summary.avg_load_average, summary.max_load_average) == (2, 3)
    assert summary.HasField("max_disk_usage")
    assert summary.max_disk_usage == 0


async def test_a_summary_of_nothing_has_nothing_in_it(world, agent):
    summary = await world.fleet.metrics.summarise("n1", after(world, -1), after(world, 1))
    assert summary.sample_count == 0
    assert not any(
        summary.HasField(f"{prefix}_{field}")
        for prefix in ("avg", "max")
        for field in ("cpu_usage", "memory_usage", "disk_usage", "load_average")
    )
    with pytest.raises(errors.InvalidTimeRange):
        await world.fleet.metrics.summarise("n1", after(world, 1), after(world, 0))


async def test_nonsense_is_made_storable_and_spoils_no_batch(world, agent):
    record(world, agent, cpu_usage=math.nan, memory_usage=400, disk_usage=-3)
    record(world, agent, load_average=math.inf, memory_total_bytes=2**64 - 1)
    record(world, agent, cpu_usage=5)
    assert await world.fleet.metrics.flush() == 3
    rows, _ = await world.fleet.metrics.list("n1", None, None, limit=9)
    first = rows[-1]
    assert (first.cpu_usage, first.memory_usage, first.disk_usage) == (0, 100, 0)


async def test_the_buffer_is_bounded_and_drops_the_oldest(world, agent):
    for n in range(1500):
        record(world, agent, uptime_seconds=n)
    assert world.fleet.metrics.dropped == 500
    assert await world.fleet.metrics.flush() == 1000
    rows, total = await world.fleet.metrics.list("n1", None, None, limit=1)
    assert (rows[0].uptime, total) == (1499, 1000)


async def test_a_flush_that_is_cancelled_while_it_writes_stores_every_sample_once(
    world, agent, monkeypatch
):
    """As when the server stops: its loops are cancelled, then what waits is stored."""
    loop = asyncio.get_running_loop()
    is_writing, may_write = asyncio.Event(), threading.Event()
    insert = metrics._insert

    def insert_slowly(tx, samples):
        loop.call_soon_threadsafe(is_writing.set)
        assert may_write.wait(60)
        insert(tx, samples)

    monkeypatch.setattr(metrics, "_insert", insert_slowly)
    record(world, agent, cpu_usage=1)
    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        flush = group.create_task(world.fleet.metrics.flush())
        await is_writing.wait()
        flush.cancel()
        may_write.set()
    await world.fleet.metrics.flush()
    assert await count(world) == 1


async def test_a_flush_that_is_cancelled_before_its_write_fails_keeps_the_samples(
    world, agent, monkeypatch
):
    loop = asyncio.get_running_loop()
    is_writing, may_fail = asyncio.Event(), threading.Event()

    def fail(tx, samples):
        loop.call_soon_threadsafe(is_writing.set)
        assert may_fail.wait(60)
        raise errors.DatabaseUnavailable

    record(world, agent, cpu_usage=1)
    with monkeypatch.context() as patch:
        patch.setattr(metrics, "_insert", fail)
        async with asyncio.timeout(60), asyncio.TaskGroup() as group:
            flush = group.create_task(world.fleet.metrics.flush())
            await is_writing.wait()
            flush.cancel()
            may_fail.set()
    assert flush.cancelled()
    assert await world.fleet.metrics.flush() == 1


async def test_samples_of_a_deleted_node_are_dropped(world, agent):
    record(world, agent, cpu_usage=1)
    await world.fleet.metrics.flush()
    world.clock.advance(7200)
    await world.fleet.metrics.roll_up()
    record(world, agent, cpu_usage=1)
    await world.fleet.metrics.flush()
    record(world, agent, cpu_usage=2)
    assert await count(world) == 2
    await world.fleet.nodes.delete(ADMIN, "n1")
    record(world, agent, cpu_usage=3)
    await world.fleet.metrics.flush()
    assert await count(world) == 0


async def test_old_samples_become_fewer_rows_and_every_one_still_counts(world, agent):
    day = 24 * 3600
    for n in range(2 * 3600 // 10):  # two hours, one every ten seconds
        record(world, agent, cpu_usage=n % 6 * 10, uptime_seconds=n)
        world.clock.advance(10)
        if n % 500 == 499:
            await world.fleet.metrics.flush()
    await world.fleet.metrics.flush()
    metrics = world.fleet.metrics

    async def rows(resolution):
        listed, total = await metrics.list("n1", None, None, limit=10_000)
        assert len(listed) == total
        summary = await metrics.summarise("n1", after(world, -29 * day), after(world, 0))
        assert summary.sample_count == sum(row.sample_count for row in listed) == 720
        assert (summary.avg_cpu_usage, summary.max_cpu_usage) == (pytest.approx(25), 50)
        return [row for row in listed if row.resolution_seconds == resolution]

    await metrics.roll_up()
    assert (len(await rows(0)), len(await rows(60)), len(await rows(900))) == (360, 60, 0)
    newest = (await rows(60))[0]
    assert (newest.sample_count, newest.cpu_usage, newest.uptime) == (6, 25, 359)
    assert (newest.min_cpu_usage, newest.max_cpu_usage) == (0, 50)
    world.clock.advance(3600)
    await metrics.roll_up()
    assert (len(await rows(0)), len(await rows(60))) == (0, 120)
    world.clock.advance(day)
    await metrics.roll_up()
    assert (len(await rows(60)), len(await rows(900))) == (0, 8)
    # What the node said last is still known as it said it.
    latest = await metrics.latest("n1")
    assert (latest.cpu_usage, latest.uptime, latest.resolution_seconds) == (50, 719, 0)
    assert [row.uptime for row in await metrics.latest_of_all()] == [719]
    world.clock.advance(30 * day)
    await metrics.roll_up()
    assert await metrics.list("n1", None, None, limit=10) == ([], 0)
