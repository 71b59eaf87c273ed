"""Load samples of nodes: taken in on the link, stored in batches, read and summarised."""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import sqlalchemy as sa
from google.protobuf.timestamp_pb2 import Timestamp
from novasphere.link.v1 import link_service_pb2 as link
from novasphere.node.v1 import metric_pb2 as pb
from novasphere.node.v1 import metric_service_pb2 as api

from novasphere_server import errors
from novasphere_server.backlogs import Backlog
from novasphere_server.clock import Clock
from novasphere_server.core import instants, metric_queries, rollups
from novasphere_server.core.fleet_settings import FleetSettings
from novasphere_server.store import tables
from novasphere_server.store.kinds import NODES
from novasphere_server.store.log import Change
from novasphere_server.store.store import Store
from novasphere_server.store.transactions import Transaction

_table = tables.metric_samples
_c = _table.c
_nodes = tables.nodes.c
_COLUMNS = (
    "id", "node_uid", "at_us", "cpu", "memory", "disk", "load",
    "memory_total", "memory_available", "disk_total", "disk_available", "uptime",
)  # fmt: skip

_FLUSH_STEP = 5000  # samples stored in one transaction
_GREATEST = 2**63 - 1  # that the database holds; as microseconds, later than any instant


@dataclass(slots=True)
class _Sample:
    node_uid: str
    at_us: int
    values: link.Sample

    def row(self, number: int) -> tuple[object, ...]:
        """Returns the values of _COLUMNS."""
        v = self.values
        return (
            number,
            self.node_uid,
            self.at_us,
            _within(v.cpu_usage, 100),
            _within(v.memory_usage, 100),
            _within(v.disk_usage, 100),
            _within(v.load_average, _GREATEST),
            min(v.memory_total_bytes, _GREATEST),
            min(v.memory_available_bytes, _GREATEST),
            min(v.disk_total_bytes, _GREATEST),
            min(v.disk_available_bytes, _GREATEST),
            min(v.uptime_seconds, _GREATEST),
        )


def _within(value: float, greatest: float) -> float:
    # One agent's nonsense must not keep a whole batch out of the table.
    return min(max(value, 0.0), greatest) if math.isfinite(value) else 0.0


class Metrics:
    """All samples of all nodes."""

    def __init__(self, store: Store, clock: Clock, settings: FleetSettings) -> None:
        self._store = store
        self._clock = clock
        self._settings = settings
        self._waiting: deque[_Sample] = deque(maxlen=settings.metrics_buffer)
        self.dropped = 0  # samples that had to make room for newer ones
        self.backlog = Backlog()
        store.on_commit(self._follow)

    # -- in

    def record(self, node_uid: str, sample: link.Sample) -> None:
        """Keeps a sample until the next flush. Never waits."""
        if len(self._waiting) == self._waiting.maxlen:
            self.dropped += 1  # the oldest goes
        self._waiting.append(_Sample(node_uid, self._clock.now_us(), sample))

    def storing(self, node_uid: str, sample: link.Sample) -> Callable[[Transaction], None]:
        """Returns the mutation that stores a sample which is not to wait for the next flush."""
        return partial(_insert, samples=[_Sample(node_uid, self._clock.now_us(), sample)])

    async def flush(self) -> int:
        """Stores what was recorded. Returns how many samples that were. Raises DatabaseUnavailable,
        and then keeps them.
        """
        stored = 0
        while self._waiting:
            batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), _FLUSH_STEP))]
            write = asyncio.create_task(
                self._store.write(partial(_insert, samples=batch)), name="store samples"
            )
            try:
                await asyncio.shield(write)
            except BaseException:
                # Who is cancelled meanwhile must know how it ended, or samples would be stored twice.
                await asyncio.wait([write])
                if write.cancelled() or write.exception() is not None:
                    self._keep(batch)
                raise
            stored += len(batch)
        return stored

    def _keep(self, batch: Sequence[_Sample]) -> None:
        """Puts samples back that could not be stored, the newest of them if there is not room for all."""
        room = min((self._waiting.maxlen or 0) - len(self._waiting), len(batch))
        self.dropped += len(batch) - room
        self._waiting.extendleft(reversed(batch[len(batch) - room :]))

    async def roll_up(self) -> None:
        """Moves what is old enough to the next coarser tier, and deletes what is older than any is kept."""
        settings = self._settings
        now_us = self._clock.now_us()
        ages = (
            settings.metrics_raw_retention,
            settings.metrics_minute_retention,
            settings.metrics_retention,
        )
        for tier, coarser, age in zip(
            rollups.TIERS, (rollups.MINUTES, rollups.QUARTERS, None), ages, strict=True
        ):
            age_us = int(age * 1_000_000)
            before_us = now_us - age_us
            if coarser is not None:
                # Whole rows only: half a row beside the samples of its other half would be hard to read.
                before_us = coarser.aligned(before_us)
            await self._work_off(tier, coarser, before_us, age_us)
        self.backlog.clear(now_us)

    async def _work_off(
        self, tier: rollups.Tier, coarser: rollups.Tier | None, before_us: int, age_us: int
    ) -> None:
        length = self._settings.metrics_rollup_step

        def step(tx: Transaction) -> rollups.Moved:
            if coarser is None:
                return rollups.forget(tx, tier, before_us, length)
            return rollups.move(tx, tier, coarser, before_us, length)

        rows = length
        while rows == length:  # each step in a transaction of its own: others write in between
            moved = await self._store.write(step)
            rows = moved.rows
            self.backlog.note(rows, None if moved.oldest_us is None else moved.oldest_us + age_us)

    # -- out

    async def latest(self, node_id: str) -> pb.Metric:
        """Returns a node's newest sample. Raises NodeNotFound and NoMetricsData."""
        uid = await self._uid(node_id)
        found = metric_queries.last_samples(await self._store.read(metric_queries.newest(uid)))
        if not found:
            raise errors.NoMetricsData(node_id)
        return found[0]

    async def latest_of_all(self) -> list[pb.Metric]:
        """Returns the newest sample of every node that has one, in the order of node ids."""
        return metric_queries.last_samples(await self._store.read(metric_queries.newest()))

    async def list(
        self, node_id: str, start: Timestamp | None, end: Timestamp | None, *, limit: int
    ) -> tuple[list[pb.Metric], int]:
        """Returns the rows of a node that begin within [start, end), newest first, and how many there are
        in all. Raises NodeNotFound and InvalidTimeRange.
        """
        uid = await self._uid(node_id)
        window = _window(start, end)
        if not limit:
            counted = await self._store.read(metric_queries.counted(uid, window))
            return [], int(counted[0].total)
        rows = await self._store.read(metric_queries.listed(uid, window, limit))
        total = int(rows[0].total) if rows else 0
        return [metric_queries.metric(node_id, row._mapping) for row in rows], total  # noqa: SLF001 - so documented

    async def summarise(
        self, node_id: str, start: Timestamp, end: Timestamp
    ) -> api.GetMetricSummaryResponse:
        """Returns averages and maxima over the samples of the rows that begin within [start, end), unset
        where there is none. Raises NodeNotFound and InvalidTimeRange.
        """
        uid = await self._uid(node_id)
        rows = await self._store.read(metric_queries.summarised(uid, _window(start, end)))
        return metric_queries.summary(node_id, rows[0]._mapping)  # noqa: SLF001 - so documented

    async def _uid(self, node_id: str) -> str:
        node = await self._store.get(NODES, node_id)
        if node is None:
            raise errors.NodeNotFound(node_id)
        return node.message().uid

    def _follow(self, changes: Sequence[Change]) -> None:
        gone = {
            NODES.message.FromString(change.before).uid
            for change in changes
            if change.kind_name == NODES.name and change.after is None and change.before is not None
        }
        if gone:
            kept = [sample for sample in self._waiting if sample.node_uid not in gone]
            self._waiting.clear()
            self._waiting.extend(kept)


def _insert(tx: Transaction, samples: Sequence[_Sample]) -> None:
    # A node may have been deleted since; what it sent went with it.
    uids = {sample.node_uid for sample in samples}
    alive = set(tx.execute(sa.select(_nodes.uid).where(_nodes.uid.in_(uids))).scalars())
    rows = [sample.row(tx.next_id("metric_sample")) for sample in samples if sample.node_uid in alive]
    tx.insert(_table, _COLUMNS, rows)


def _window(start: Timestamp | None, end: Timestamp | None) -> tuple[int, int]:
    start_us = 0 if start is None else instants.microseconds(start)
    end_us = _GREATEST if end is None else instants.microseconds(end)
    if start is not None and end is not None and start_us >= end_us:
        raise errors.InvalidTimeRange
    return start_us, end_us
