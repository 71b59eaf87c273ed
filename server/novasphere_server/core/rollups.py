"""The tiers of samples: as they came, then a row a minute, then one a quarter of an hour, then nothing.

A sample is moved, never copied: the mutation that adds it to a coarser row deletes it where it was. So each
is in one row at any moment, also after a kill, and one that was stored late joins the row of its time; what
reads all tiers in one statement counts every sample once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import sqlalchemy as sa

from novasphere_server.store import tables
from novasphere_server.store.tables import MEASURES
from novasphere_server.store.transactions import Transaction

Row: TypeAlias = Mapping[Any, Any]  # as SQLAlchemy types its own: a key may also be a column

_samples = tables.metric_samples
_rollups = tables.metric_rollups


@dataclass(frozen=True, eq=False)
class Tier:
    """Rows that stand for `seconds` each, all in the columns of metric_rollups; 0 for single samples."""

    seconds: int
    table: sa.Table
    rows: sa.Subquery

    def aligned(self, at_us: int) -> int:
        """Returns when the row begins that an instant belongs to."""
        length_us = self.seconds * 1_000_000
        return at_us // length_us * length_us


def _sample_column(name: str) -> sa.ColumnElement[Any]:
    """Returns what a column of metric_rollups is of a single sample."""
    if name == "seconds":
        return sa.literal_column("0", sa.Integer).label(name)
    if name == "sample_count":
        return sa.literal_column("1", sa.Integer).label(name)
    if name == "last_at_us":
        return _samples.c.at_us.label(name)
    measure = name.partition("_")[0]
    return _samples.c[name] if name in _samples.c else _samples.c[measure].label(name)


def _rolled_up(seconds: int) -> Tier:
    rows = sa.select(_rollups).where(_rollups.c.seconds == seconds)
    return Tier(seconds, _rollups, rows.subquery())


SAMPLES = Tier(
    0, _samples, sa.select(*(_sample_column(column.name) for column in _rollups.c)).subquery()
)
MINUTES = _rolled_up(60)
QUARTERS = _rolled_up(15 * 60)
TIERS = (SAMPLES, MINUTES, QUARTERS)  # the finest first


@dataclass(frozen=True, slots=True)
class Moved:
    """What one step found: how many rows, and when the oldest of them began; None without any."""

    rows: int
    oldest_us: int | None


def move(tx: Transaction, source: Tier, target: Tier, before_us: int, step: int) -> Moved:
    """Moves the oldest rows of a tier, those that begin before a time, into the rows of a coarser one."""
    c = source.rows.c
    page = sa.select(source.rows).where(c.at_us < before_us).order_by(c.at_us, c.id).limit(step)
    found = tx.execute(page).mappings().all()
    if not found:
        return Moved(0, None)
    joined = _present(tx, page, target)
    for row in found:
        key = (row["node_uid"], target.aligned(row["at_us"]))
        joined[key] = _joined(joined.get(key), row, target.seconds, key[1])
    tx.upsert(_rollups, list(joined.values()))
    _delete_up_to(tx, source, found[-1])
    return Moved(len(found), found[0]["at_us"])


def forget(tx: Transaction, tier: Tier, before_us: int, step: int) -> Moved:
    """Deletes the oldest rows of a tier, those that begin before a time."""
    c = tier.rows.c
    page = sa.select(c.at_us, c.id).where(c.at_us < before_us).order_by(c.at_us, c.id).limit(step)
    found = tx.execute(page).mappings().all()
    if not found:
        return Moved(0, None)
    _delete_up_to(tx, tier, found[-1])
    return Moved(len(found), found[0]["at_us"])


def delete(tx: Transaction, node_uid: str) -> None:
    """Deletes everything of a node."""
    for table in (_samples, _rollups):
        tx.execute(sa.delete(table).where(table.c.node_uid == node_uid))


def _present(tx: Transaction, page: sa.Select[Any], target: Tier) -> dict[tuple[str, int], Row]:
    """Returns the rows of a tier that exist already where those of a page belong."""
    length_us = target.seconds * 1_000_000
    wanted = page.subquery()
    rows = target.rows.c
    statement = (
        sa.select(target.rows)
        .join(
            wanted,
            sa.and_(
                rows.node_uid == wanted.c.node_uid,
                rows.at_us == wanted.c.at_us - wanted.c.at_us % length_us,
            ),
        )
        .distinct()
    )
    return {(row["node_uid"], row["at_us"]): row for row in tx.execute(statement).mappings()}


def _joined(known: Row | None, row: Row, seconds: int, at_us: int) -> Row:
    if known is None:
        return {**row, "seconds": seconds, "at_us": at_us}
    last_first = (known["last_at_us"], known["id"]) > (row["last_at_us"], row["id"])
    joined = {**(known if last_first else row), "seconds": seconds, "at_us": at_us}
    joined["sample_count"] = known["sample_count"] + row["sample_count"]
    for measure in MEASURES:
        for part, join in (("sum", float.__add__), ("min", min), ("max", max)):
            name = f"{measure}_{part}"
            joined[name] = join(known[name], row[name])
    return joined


def _delete_up_to(tx: Transaction, tier: Tier, last: Row) -> None:
    """Deletes the rows of a tier up to one, in the order of time and id."""
    c = tier.table.c
    conditions = [
        c.at_us <= last["at_us"],
        sa.or_(c.at_us < last["at_us"], c.id <= last["id"]),
    ]
    if tier.seconds:
        conditions.append(c.seconds == tier.seconds)
    tx.execute(sa.delete(tier.table).where(*conditions))
