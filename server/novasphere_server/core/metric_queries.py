"""What is asked of the tiers of samples, each in one statement: what moves meanwhile is seen once."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa
from novasphere.node.v1 import metric_pb2 as pb
from novasphere.node.v1 import metric_service_pb2 as api

from novasphere_server.core import instants
from novasphere_server.core.rollups import TIERS, Row
from novasphere_server.store import tables

Window = tuple[int, int]  # microseconds, without the end

_nodes = tables.nodes.c

# Fields of the API, and how their columns begin.
_MEASURES = {
    "cpu_usage": "cpu",
    "memory_usage": "memory",
    "disk_usage": "disk",
    "load_average": "load",
}
_CAPACITIES = ("memory_total", "memory_available", "disk_total", "disk_available", "uptime")


def newest(node_uid: str | None = None) -> sa.CompoundSelect[Any]:
    """Returns a statement for the newest row of a node, or of every node, with `node_id` and `number` of
    the node: of the finest tier that the node has rows in, as whatever is coarser is older. A node without
    any has a row of nulls.
    """
    arms = []
    finer: list[sa.ColumnElement[bool]] = []
    for tier in TIERS:
        inner = tier.rows.alias()
        newest_at = (
            sa.select(inner.c.at_us)
            .where(inner.c.node_uid == _nodes.uid)
            .order_by(inner.c.at_us.desc())
            .limit(1)
            .correlate(tables.nodes)
            .scalar_subquery()
        )
        rows = tier.rows.c
        # An outer join, so that no planner takes it the other way round: there are many rows a node.
        is_newest = sa.and_(rows.node_uid == _nodes.uid, rows.at_us == newest_at)
        arm = (
            sa.select(_nodes.key.label("node_id"), _nodes.id.label("number"), tier.rows)
            .select_from(tables.nodes.outerjoin(tier.rows, is_newest))
            .where(*finer)
        )
        arms.append(arm if node_uid is None else arm.where(_nodes.uid == node_uid))
        finer.append(
            ~sa.exists(sa.select(1).where(inner.c.node_uid == _nodes.uid).correlate(tables.nodes))
        )
    return sa.union_all(*arms)


def last_samples(rows: Iterable[sa.Row[Any]]) -> list[pb.Metric]:
    """Returns the last sample of each node among the rows of `newest`, in the order of the nodes."""
    found: dict[int, Row] = {}
    for row in rows:
        if row.id is None:
            continue
        values = row._mapping  # noqa: SLF001 - so documented
        known = found.get(row.number)
        if known is None or known["id"] < row.id:  # samples of one instant
            found[row.number] = values
    return [_last_sample(found[number]) for number in sorted(found)]


def listed(node_uid: str, window: Window, limit: int) -> sa.Select[Any]:
    """Returns a statement for the rows that begin within a window, newest first, each with `total`, the
    number of all.
    """
    # Each tier is cut before they are joined: it is read from its newest row on, along its index.
    arms = [_newest_first(arm, limit).subquery() for arm in _within(node_uid, window)]
    rows = sa.union_all(*(sa.select(arm) for arm in arms)).subquery()
    return _newest_first(sa.select(rows, _total(node_uid, window)), limit)


def counted(node_uid: str, window: Window) -> sa.Select[Any]:
    """Returns a statement for one row, with `total`."""
    return sa.select(_total(node_uid, window))


def summarised(node_uid: str, window: Window) -> sa.Select[Any]:
    """Returns a statement for one row that stands for all rows that begin within a window."""
    rows = sa.union_all(*_within(node_uid, window)).subquery().c
    aggregates = [
        aggregate(rows[f"{column}_{part}"]).label(f"{column}_{part}")
        for column in _MEASURES.values()
        for part, aggregate in (("sum", sa.func.sum), ("min", sa.func.min), ("max", sa.func.max))
    ]
    return sa.select(sa.func.sum(rows.sample_count).label("sample_count"), *aggregates)


def _within(node_uid: str, window: Window) -> list[sa.Select[Any]]:
    return [
        sa.select(tier.rows).where(
            tier.rows.c.node_uid == node_uid,
            tier.rows.c.at_us >= window[0],
            tier.rows.c.at_us < window[1],
        )
        for tier in TIERS
    ]


def _total(node_uid: str, window: Window) -> sa.Label[int]:
    rows = sa.union_all(
        *(arm.with_only_columns(arm.selected_columns.id) for arm in _within(node_uid, window))
    )
    return sa.select(sa.func.count()).select_from(rows.subquery()).scalar_subquery().label("total")


def _newest_first(statement: sa.Select[Any], limit: int) -> sa.Select[Any]:
    c = statement.selected_columns
    return statement.order_by(c.at_us.desc(), c.id.desc()).limit(limit)


def metric(node_id: str, row: Row) -> pb.Metric:
    """Returns what a row says of its samples."""
    found = pb.Metric(resolution_seconds=row["seconds"], sample_count=row["sample_count"])
    _fill(found, node_id, row, row["at_us"])
    for field, column in _MEASURES.items():
        setattr(found, field, _mean(row, column))
        if found.resolution_seconds:
            setattr(found, f"min_{field}", row[f"{column}_min"])
            setattr(found, f"max_{field}", row[f"{column}_max"])
    return found


def _last_sample(row: Row) -> pb.Metric:
    found = pb.Metric(sample_count=1)
    _fill(found, row["node_id"], row, row["last_at_us"])
    for field, column in _MEASURES.items():
        setattr(found, field, row[f"{column}_last"])
    return found


def _fill(found: pb.Metric, node_id: str, row: Row, at_us: int) -> None:
    found.id = row["id"]
    found.node_id = node_id
    found.metric_time.CopyFrom(instants.timestamp(at_us))
    found.created_at.CopyFrom(found.metric_time)
    for name in _CAPACITIES:
        setattr(found, name, row[name])


def summary(node_id: str, row: Row) -> api.GetMetricSummaryResponse:
    """Returns what the row of `summarised` says; without samples its numbers are NULL."""
    # PostgreSQL sums integers up to something that is not one.
    found = api.GetMetricSummaryResponse(node_id=node_id, sample_count=int(row["sample_count"] or 0))
    if found.sample_count:
        for field, column in _MEASURES.items():
            setattr(found, f"avg_{field}", _mean(row, column))
            setattr(found, f"max_{field}", row[f"{column}_max"])
    return found


def _mean(row: Row, column: str) -> float:
    mean = row[f"{column}_sum"] / int(row["sample_count"])
    # The sum is rounded: of three times 0.1 it is more than 0.3.
    return float(min(max(mean, row[f"{column}_min"]), row[f"{column}_max"]))
