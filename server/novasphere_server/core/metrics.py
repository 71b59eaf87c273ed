"""Load samples of nodes: taken in on the link, stored in batches, read and summarised."""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import sqlalchemy as sa
from google.protobuf.timestamp_pb2 import Timestamp
from novasphere.link.v1 import link_service_pb2 as link
from novasphere.node.v1 import metric_pb2 as pb
from novasphere.node.v1 import metric_service_pb2 as api

from novasphere_server import errors
from novasphere_server.clock import Clock
from novasphere_server.core import instants
from novasphere_server.core.fleet_settings import FleetSettings
from novasphere_server.store import tables
from novasphere_server.store.kinds import NODES
from novasphere_server.store.log import Change
from novasphere_server.store.store import Store
from novasphere_server.store.transactions import Transaction

_table = tables.metric_samples
_c = _table.c
_nodes = tables.nodes.c

_SUMMARISED = {
    "cpu_usage": _c.cpu,
    "memory_usage": _c.memory,
    "disk_usage": _c.disk,
    "load_average": _c.load,
}

_FLUSH_STEP = 5000  # samples stored in one transaction
_THINNING_STEP = 100  # nodes thinned in one transaction
_MINUTE_US = 60 * 1_000_000
_QUARTER_US = 15 * _MINUTE_US
_GREATEST = 2**63 - 1  # that the database holds; as microseconds, later than any instant


@dataclass(slots=True)
class _Sample:
    node_uid: str
    at_us: int
    values: link.Sample

    def row(self) -> dict[str, object]:
        v = self.values
        return {
            "node_uid": self.node_uid,
            "at_us": self.at_us,
            "cpu": _within(v.cpu_usage, 100),
            "memory": _within(v.memory_usage, 100),
            "disk": _within(v.disk_usage, 100),
            "load": _within(v.load_average, _GREATEST),
            "memory_total": min(v.memory_total_bytes, _GREATEST),
            "memory_available": min(v.memory_available_bytes, _GREATEST),
            "disk_total": min(v.disk_total_bytes, _GREATEST),
            "disk_available": min(v.disk_available_bytes, _GREATEST),
            "uptime": min(v.uptime_seconds, _GREATEST),
        }


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
        self._thinned_us = 0
        self.dropped = 0  # samples that had to make room for newer ones
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

    async def thin_out(self) -> None:
        """Deletes what is older than it is kept for: of old samples all but one a minute, of older ones
        all but one a quarter of an hour, then all.
        """
        settings = self._settings
        now_us = self._clock.now_us()
        raw_us, minute_us, last_us = (
            now_us - int(age * 1_000_000)
            for age in (
                settings.metrics_raw_retention,
                settings.metrics_minute_retention,
                settings.metrics_retention,
            )
        )
        # What an earlier call has thinned needs no second look, up to the edge of one bucket.
        since_us = self._thinned_us - _QUARTER_US
        age_us = raw_us - minute_us
        uids = [str(row[0]) for row in await self._store.read(sa.select(_nodes.uid))]

        def thin(tx: Transaction, uids: Sequence[str]) -> None:
            for uid in uids:
                _thin(tx, uid, max(minute_us, since_us), raw_us, _MINUTE_US)
                _thin(tx, uid, max(last_us, since_us - age_us), minute_us, _QUARTER_US)
                tx.execute(sa.delete(_table).where(_c.node_uid == uid, _c.at_us < last_us))

        for start in range(0, len(uids), _THINNING_STEP):
            step = uids[start : start + _THINNING_STEP]
            await self._store.write(partial(thin, uids=step))
        self._thinned_us = raw_us

    # -- out

    async def latest(self, node_id: str) -> pb.Metric:
        """Returns a node's newest sample. Raises NodeNotFound and NoMetricsData."""
        uid = await self._uid(node_id)
        rows = await self._store.read(
            sa.select(_table).where(_c.node_uid == uid).order_by(_c.at_us.desc(), _c.id.desc()).limit(1)
        )
        if not rows:
            raise errors.NoMetricsData(node_id)
        return _metric(node_id, rows[0])

    async def latest_of_all(self) -> list[pb.Metric]:
        """Returns the newest sample of every node that has one, in the order of node ids."""
        inner = _table.alias()
        newest = (
            sa.select(inner.c.id)
            .where(inner.c.node_uid == _nodes.uid)
            .order_by(inner.c.at_us.desc(), inner.c.id.desc())
            .limit(1)
            .correlate(tables.nodes)
            .scalar_subquery()
        )
        rows = await self._store.read(
            sa.select(_nodes.key.label("node_id"), _table)
            .select_from(tables.nodes.join(_table, _c.id == newest))
            .order_by(_nodes.id)
        )
        return [_metric(row.node_id, row) for row in rows]

    async def list(
        self, node_id: str, start: Timestamp | None, end: Timestamp | None, *, limit: int
    ) -> tuple[list[pb.Metric], int]:
        """Returns a node's samples within [start, end), newest first, and how many there are in all.

        Raises NodeNotFound and InvalidTimeRange.
        """
        uid = await self._uid(node_id)
        window = _window(start, end)
        where = (_c.node_uid == uid, _c.at_us >= window[0], _c.at_us < window[1])
        total = int(
            (await self._store.read(sa.select(sa.func.count()).select_from(_table).where(*where)))[0][0]
        )
        if not limit:
            return [], total
        rows = await self._store.read(
            sa.select(_table).where(*where).order_by(_c.at_us.desc(), _c.id.desc()).limit(limit)
        )
        return [_metric(node_id, row) for row in rows], total

    async def summarise(
        self, node_id: str, start: Timestamp, end: Timestamp
    ) -> api.GetMetricSummaryResponse:
        """Returns averages and maxima over [start, end), unset where there is no sample.

        Raises NodeNotFound and InvalidTimeRange.
        """
        uid = await self._uid(node_id)
        window = _window(start, end)
        aggregates = [
            aggregate(column).label(f"{prefix}_{field}")
            for field, column in _SUMMARISED.items()
            for prefix, aggregate in (("avg", sa.func.avg), ("max", sa.func.max))
        ]
        rows = await self._store.read(
            sa.select(sa.func.count().label("sample_count"), *aggregates).where(
                _c.node_uid == uid, _c.at_us >= window[0], _c.at_us < window[1]
            )
        )
        # Without samples the aggregates are NULL, and fields stay unset.
        return api.GetMetricSummaryResponse(node_id=node_id, **rows[0]._mapping)  # noqa: SLF001 - so documented

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


def delete(tx: Transaction, node_uid: str) -> None:
    """Deletes all samples of a node."""
    tx.execute(sa.delete(_table).where(_c.node_uid == node_uid))


def _insert(tx: Transaction, samples: Sequence[_Sample]) -> None:
    # A node may have been deleted since; what it sent went with it.
    uids = {sample.node_uid for sample in samples}
    alive = set(tx.execute(sa.select(_nodes.uid).where(_nodes.uid.in_(uids))).scalars())
    rows = [sample.row() for sample in samples if sample.node_uid in alive]
    if rows:
        tx.execute(sa.insert(_table), rows)


def _thin(tx: Transaction, node_uid: str, start_us: int, end_us: int, bucket_us: int) -> None:
    """Deletes all samples within [start, end) but the last of every bucket. Looks at whole buckets."""
    start_us, end_us = (us // bucket_us * bucket_us for us in (start_us, end_us))
    if start_us >= end_us:
        return
    inner = _table.alias()
    kept = (
        sa.select(sa.func.max(inner.c.id))
        .where(inner.c.node_uid == node_uid, inner.c.at_us >= start_us, inner.c.at_us < end_us)
        .group_by(inner.c.at_us // bucket_us)
    )
    tx.execute(
        sa.delete(_table).where(
            _c.node_uid == node_uid, _c.at_us >= start_us, _c.at_us < end_us, _c.id.not_in(kept)
        )
    )


def _window(start: Timestamp | None, end: Timestamp | None) -> tuple[int, int]:
    start_us = 0 if start is None else instants.microseconds(start)
    end_us = _GREATEST if end is None else instants.microseconds(end)
    if start is not None and end is not None and start_us >= end_us:
        raise errors.InvalidTimeRange
    return start_us, end_us


def _metric(node_id: str, row: sa.Row[Any]) -> pb.Metric:
    at = instants.timestamp(row.at_us)
    return pb.Metric(
        id=row.id,
        node_id=node_id,
        metric_time=at,
        cpu_usage=row.cpu,
        memory_usage=row.memory,
        disk_usage=row.disk,
        load_average=row.load,
        created_at=at,
        memory_total=row.memory_total,
        memory_available=row.memory_available,
        disk_total=row.disk_total,
        disk_available=row.disk_available,
        uptime=row.uptime,
    )
