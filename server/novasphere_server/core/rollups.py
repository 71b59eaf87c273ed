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

_COLUMNS = tuple(column.name for column in _rollups.c)
_JOINED = tuple(tuple(f"{measure}_{part}" for part in ("sum", "min", "max")) for measure in MEASURES)
_KEY = ("node_uid", "seconds", "at_us", "sample_count")
_OF_THE_LAST = tuple(
    name for name in _COLUMNS if name not in _KEY and not any(name in names for names in _JOINED)
)


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


SAMPLES = Tier(0, _samples, sa.select(*(_sample_column(name) for name in _COLUMNS)).subquery())
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
    found = [_row(values) for values in tx.execute(page)]
    if not found:
        return Moved(0, None)
    joined = _present(tx, page, target)
    for row in found:
        key = (row["node_uid"], target.aligned(row["at_us"]))
        known = joined.get(key)
        if known is None:
            joined[key] = row | {"seconds": target.seconds, "at_us": key[1]}
        else:
            _join(known, row)
    tx.upsert(_rollups, list(joined.values()))
    _delete_up_to(tx, source, found[-1])
    return Moved(len(found), found[0]["at_us"])


def forget(tx: Transaction, tier: Tier, before_us: int, step: int) -> Moved:
    """Deletes the oldest rows of a tier, those that begin before a time."""
    c = tier.rows.c
    page = sa.select(c.at_us, c.id).where(c.at_us < before_us).order_by(c.at_us, c.id).limit(step)
    found = tx.execute(page).all()
    if not found:
        return Moved(0, None)
    _delete_up_to(tx, tier, found[-1]._mapping)  # noqa: SLF001 - so documented
    return Moved(len(found), found[0].at_us)


def delete(tx: Transaction, node_uid: str) -> None:
    """Deletes everything of a node."""
    for table in (_samples, _rollups):
        tx.execute(sa.delete(table).where(table.c.node_uid == node_uid))


def _row(values: sa.Row[Any]) -> dict[str, Any]:
    return dict(zip(_COLUMNS, values, strict=True))  # half of what a mapping of SQLAlchemy's takes


def _present(
    tx: Transaction, page: sa.Select[Any], target: Tier
) -> dict[tuple[str, int], dict[str, Any]]:
    """Returns the rows of a tier that exist already where those of a page belong."""
    length_us = target.seconds * 1_000_000
    begin = page.subquery().c
    wanted = (
        sa.select(begin.node_uid, (begin.at_us - begin.at_us % length_us).label("at_us"))
        .distinct()
        .subquery()
        .c
    )
    rows = target.rows.c
    statement = sa.select(target.rows).where(
        rows.node_uid == wanted.node_uid, rows.at_us == wanted.at_us
    )
    present = [_row(values) for values in tx.execute(statement)]
    return {(row["node_uid"], row["at_us"]): row for row in present}


def _join(known: dict[str, Any], row: dict[str, Any]) -> None:
    """Adds what a row stands for to another."""
    if (row["last_at_us"], row["id"]) > (known["last_at_us"], known["id"]):
        for name in _OF_THE_LAST:
            known[name] = row[name]
    known["sample_count"] += row["sample_count"]
    for total, least, greatest in _JOINED:
        known[total] += row[total]
        if row[least] < known[least]:
            known[least] = row[least]
        if row[greatest] > known[greatest]:
            known[greatest] = row[greatest]


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
