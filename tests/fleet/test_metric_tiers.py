"""Old samples become few rows, and what is asked of them stays what the samples themselves would say."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
import rollup_process
import sqlalchemy as sa
from alembic import command
from efforts import plan_of
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from novasphere.link.v1 import link_service_pb2 as link
from novasphere_server.core import metric_queries
from novasphere_server.core.fleet_settings import FleetSettings
from novasphere_server.core.metrics import Metrics
from novasphere_server.store import migrations, tables
from novasphere_server.store.store import Store
from store_samples import StandingClock, put_node

HOUR = 3600.0
DAY = 24 * HOUR
EPOCH_US = 1_800_000_000_000_000

actions = st.one_of(
    st.tuples(st.just("sample"), st.integers(0, 100)),
    st.tuples(st.just("sample"), st.integers(0, 100)),
    st.tuples(st.just("sample"), st.integers(0, 100)),
    st.tuples(st.just("flush")),
    st.tuples(st.just("roll_up")),
    st.tuples(st.just("advance"), st.sampled_from([1.0, 7.5, 40.0, 600.0, HOUR, DAY, 9 * DAY])),
)


def stamp(us: int) -> Timestamp:
    found = Timestamp()
    found.FromMicroseconds(us)
    return found


@dataclass
class Known:
    """A sample, and the row that it should be in."""

    at_us: int
    value: int
    number: int
    begin_us: int
    seconds: int = 0
    is_stored: bool = False

    def move(self, seconds: int) -> None:
        self.seconds = seconds
        self.begin_us = aligned(self.at_us, seconds)


def aligned(us: int, seconds: int) -> int:
    return us // (seconds * 1_000_000) * seconds * 1_000_000


class Run:
    """One example: a node's samples, in the server and as a list."""

    def __init__(self, store: Store, clock: StandingClock, step: int) -> None:
        self.clock = clock
        self.metrics = Metrics(store, clock, FleetSettings(metrics_rollup_step=step))
        self.known: list[Known] = []
        self.recorded = 0

    async def do(self, verb: str, value: float = 0) -> None:
        if verb == "sample":
            self.recorded += 1
            sample = link.Sample(cpu_usage=value, load_average=value, uptime_seconds=self.recorded)
            self.metrics.record("uid-1", sample)
            us = self.clock.us
            self.known.append(Known(us, int(value), self.recorded, us))
        elif verb == "advance":
            self.clock.advance(value)
        elif verb == "flush":
            await self.metrics.flush()
            for each in self.known:
                each.is_stored = True
        else:
            await self.metrics.roll_up()
            self.roll_up()

    def roll_up(self) -> None:
        now = self.clock.us
        for each in self.known:
            if not each.is_stored:
                continue
            if each.seconds == 0 and each.at_us < aligned(now - int(HOUR * 1e6), 60):
                each.move(60)
            if each.seconds == 60 and each.begin_us < aligned(now - int(DAY * 1e6), 900):
                each.move(900)
        forgotten = now - int(30 * DAY * 1e6)
        self.known = [each for each in self.known if each.seconds != 900 or each.begin_us >= forgotten]

    async def check(self, start: int, end: int, limit: int) -> None:
        inside = [each for each in self.known if each.is_stored and start <= each.begin_us < end]
        rows: dict[tuple[int, int, int], list[Known]] = {}
        for each in inside:
            single = 0 if each.seconds else each.number
            rows.setdefault((each.begin_us, each.seconds, single), []).append(each)
        # Newest first; of rows that begin together the one with the later last sample.
        expected = sorted(
            ((key[0], max(k.number for k in group), key[1], group) for key, group in rows.items()),
            reverse=True,
            key=lambda row: row[:2],
        )
        listed, total = await self.metrics.list("n1", stamp(start), stamp(end), limit=limit)
        assert total == len(rows)
        assert len(listed) == min(limit, total)
        for metric, (begin, last, seconds, group) in zip(listed, expected, strict=False):
            values = [each.value for each in group]
            assert metric.metric_time.ToMicroseconds() == begin
            assert metric.resolution_seconds == seconds
            assert metric.sample_count == len(group)
            assert metric.cpu_usage == pytest.approx(sum(values) / len(values))
            assert metric.uptime == last
            assert metric.HasField("max_cpu_usage") == bool(seconds)
            if seconds:
                assert (metric.min_cpu_usage, metric.max_cpu_usage) == (min(values), max(values))
        summary = await self.metrics.summarise("n1", stamp(start), stamp(end))
        assert summary.sample_count == len(inside)
        if inside:
            values = [each.value for each in inside]
            assert summary.avg_cpu_usage == pytest.approx(sum(values) / len(values))
            assert summary.max_load_average == max(values)

    async def check_newest(self) -> None:
        stored = [each for each in self.known if each.is_stored]
        latest = [row.uptime for row in await self.metrics.latest_of_all()]
        assert latest == [each.number for each in stored][-1:]
        if stored:
            last = max(stored, key=lambda each: each.number)
            metric = await self.metrics.latest("n1")
            assert (metric.cpu_usage, metric.sample_count) == (last.value, 1)
            assert metric.metric_time.ToMicroseconds() == last.at_us


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with one node: migrations take longer than the rest of an example."""
    path = tmp_path_factory.mktemp("template") / "n.db"

    async def create() -> None:
        store = await Store.open(f"sqlite:///{path}", clock=StandingClock())
        await store.write(put_node("n1"))
        await store.close()

    asyncio.run(create())
    return path


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    todo=st.lists(actions, min_size=1, max_size=40),
    windows=st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1), st.integers(0, 9)), max_size=4),
    step=st.sampled_from([1, 2, 1000]),
)
def test_lists_and_summaries_say_what_the_samples_say(
    template: Path, tmp_path_factory: pytest.TempPathFactory, todo, windows, step
):
    folder = tmp_path_factory.mktemp("run")
    shutil.copy(template, folder / "n.db")

    async def example() -> None:
        clock = StandingClock()
        # Somewhere within a minute and a quarter, so that rows do not begin where samples do.
        clock.us = EPOCH_US + 500_123_456
        begin = clock.us - 2_000_000_000
        store = await Store.open(f"sqlite:///{folder}/n.db", clock=clock)
        try:
            run = Run(store, clock, step)
            for action in [*todo, ("flush",)]:
                await run.do(*action)
            length = clock.us + 1 - begin
            await run.check(begin, clock.us + 1, 100)
            for one, other, limit in windows:
                start, end = sorted((begin + int(one * length), begin + int(other * length)))
                await run.check(start, end + 1, limit)
            await run.check_newest()
        finally:
            await store.close()

    asyncio.run(example())
    shutil.rmtree(folder)


async def test_a_sample_that_is_stored_late_joins_the_row_of_its_time(world):
    agent = world.agent()
    await agent.connect()
    metrics = world.fleet.metrics

    def record(cpu: float) -> None:
        metrics.record(agent.node_uid, link.Sample(cpu_usage=cpu))

    record(10)
    await metrics.flush()
    record(70)  # while the database is away
    world.clock.advance(2 * HOUR)
    await metrics.roll_up()
    await metrics.flush()
    await metrics.roll_up()
    [row], total = await metrics.list("n1", None, None, limit=10)
    assert (total, row.sample_count, row.cpu_usage, row.max_cpu_usage) == (1, 2, 40, 70)


async def test_the_newest_samples_are_looked_up_node_by_node(world):
    """SQLite would rather read all samples of all nodes, if it could."""
    plan = await plan_of(world.store, metric_queries.newest())
    scanned = [step for step in plan if step.startswith("SCAN")]
    assert scanned == ["SCAN nodes"] * 3


async def test_a_database_that_was_thinned_out_before_loses_nothing(tmp_path: Path, world_at):
    """As an upgrade finds it: single samples where there are rows now."""
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'novasphere.db'}")
    with engine.begin() as connection:
        config = migrations._config()
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
    engine.dispose()
    old = sqlite3.connect(tmp_path / "novasphere.db")
    for n, age in enumerate((20 * DAY, 20 * DAY - 900, 5 * HOUR, 5 * HOUR - 60, 60.0), start=1):
        old.execute(
            "INSERT INTO metric_samples VALUES (?, 'old', ?, ?, 0, 0, 0, 1, 1, 1, 1, ?)",
            (n, EPOCH_US - int(age * 1e6), 10 * n, n),
        )
    old.commit()
    old.close()
    world = await world_at(tmp_path)
    agent = world.agent()
    await agent.connect()
    samples = tables.metric_samples
    await world.store.write(lambda tx: tx.execute(sa.update(samples).values(node_uid=agent.node_uid)))
    metrics = world.fleet.metrics
    for _ in range(2):
        rows, _ = await metrics.list("n1", None, None, limit=10)
        assert [(row.cpu_usage, row.uptime) for row in rows] == [(10 * n, n) for n in (5, 4, 3, 2, 1)]
        await metrics.roll_up()
    assert [row.resolution_seconds for row in rows] == [0, 60, 60, 900, 900]
    # Numbers go on where the old ones ended.
    metrics.record(agent.node_uid, link.Sample())
    await metrics.flush()
    assert (await metrics.latest("n1")).id == 6


@pytest.mark.fault
@pytest.mark.parametrize("failpoint", ["before_commit:kill", "after_commit:kill"])
async def test_a_kill_in_the_middle_of_a_step_counts_every_sample_once(
    tmp_path: Path, failpoint: str, world_at
):
    world = await world_at(tmp_path)
    agent = world.agent()
    await agent.connect()
    for n in range(60):
        world.fleet.metrics.record(agent.node_uid, link.Sample(cpu_usage=n))
        world.clock.advance(10)
    await world.fleet.metrics.flush()
    await world.stop()
    world.clock.advance(2 * HOUR)
    environment = os.environ | {"NOVASPHERE_TESTING": "1", "NOVASPHERE_FAILPOINT": failpoint}
    script = Path(rollup_process.__file__)
    for _ in range(2):
        killed = subprocess.run(  # noqa: ASYNC221 - nothing else runs meanwhile
            [sys.executable, str(script), str(tmp_path / "novasphere.db"), str(world.clock.now_us())],
            env=environment,
            timeout=120,
            check=False,
        )
        assert killed.returncode == -signal.SIGKILL
    await world.start()
    metrics = world.fleet.metrics
    for _ in range(2):
        summary = await metrics.summarise("n1", stamp(EPOCH_US), stamp(world.clock.now_us()))
        assert (summary.sample_count, summary.avg_cpu_usage) == (60, pytest.approx(29.5))
        await metrics.roll_up()
    rows, total = await metrics.list("n1", None, None, limit=100)
    assert (total, {row.sample_count for row in rows}) == (10, {6})
