"""Tasks, counted. Of those that ended: those that are kept, and those that were forgotten, of which it is known how many ended in
each hour.

A task is in one of the two counts: the mutation that deletes it adds it to its hour.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from enum import Enum
from typing import Any

import sqlalchemy as sa
from novasphere.schedule.v1 import task_pb2 as pb

from novasphere_server.core import task_states as states
from novasphere_server.store import queries, tables
from novasphere_server.store.transactions import Transaction

HOUR_US = 3_600_000_000

_KEPT_US = 31 * 24 * HOUR_US  # more than anybody asks for
_tasks = tables.tasks.c
_counts = tables.task_counts.c
_KEY = ("hour_us", "namespace", "node_id", "task_type", "state")
_SUMS = ("tasks", "ran", "ran_ms")
_hour_us = _tasks.completed_at_us - _tasks.completed_at_us % HOUR_US
# What failed before it could run took no time.
_ran = sa.case((sa.or_(_tasks.state == pb.WORK_STATE_SUCCEEDED, _tasks.execution_ms > 0), 1), else_=0)


class Group(Enum):
    """By what tasks are counted apart, as the column that holds it."""

    DEVICE = "node_id"
    TASK_TYPE = "task_type"
    HOUR = "hour_us"


def by_state(within: Iterable[tuple[str, str, Any]]) -> sa.Select[Any] | sa.CompoundSelect[Any]:
    """Returns a statement for rows (state, tasks) of all tasks that are kept, among the rows `within`."""
    conditions = queries.conditions(tables.tasks, within)
    tasks = sa.func.count().label("tasks")
    if not conditions:
        return sa.select(_tasks.state, tasks).group_by(_tasks.state)
    # Spelled so that the index of what has ended serves, which has all that may be asked of it. Else rows are read,
    # with all that they printed.
    state = (_tasks.state + 0).label("state")
    ended = sa.select(state, tasks).where(_tasks.completed_at_us >= 0, *conditions).group_by(state)
    open_ = sa.select(_tasks.state, tasks).where(
        _tasks.state.in_((pb.WORK_STATE_PENDING, *states.ON_NODE)), *conditions
    )
    return sa.union_all(ended, open_.group_by(_tasks.state))


def since(since_us: int, group: Group, within: Iterable[tuple[str, str, Any]]) -> sa.CompoundSelect[Any]:
    """Returns a statement for rows (group, state, tasks, ran, ran_ms) of what ended since, among the rows
    `within`: of those that are forgotten, in hours that began since. A group may have several rows.
    """
    filters = tuple(within)
    kept = _hour_us if group is Group.HOUR else _tasks[group.value]
    arms = [
        sa.select(
            kept.label("group"),
            _tasks.state,
            sa.func.count().label("tasks"),
            sa.func.sum(_ran).label("ran"),
            sa.func.sum(_tasks.execution_ms).label("ran_ms"),
        ).where(_tasks.completed_at_us >= since_us, *queries.conditions(tables.tasks, filters)),
        sa.select(
            _counts[group.value].label("group"),
            _counts.state,
            *(sa.func.sum(_counts[name]).label(name) for name in _SUMS),
        ).where(_counts.hour_us >= since_us, *queries.conditions(tables.task_counts, filters)),
    ]
    return sa.union_all(*(arm.group_by(sa.text("1"), sa.text("2")) for arm in arms))


def counting(tx: Transaction, keys: Sequence[str], going: Iterable[str]) -> Iterator[str]:
    """Yields those of the ended tasks with these keys that are `going`, and counts them in the end. The caller
    must take them all.
    """
    values = (_hour_us.label("hour_us"), *(_tasks[name] for name in _KEY[1:]))
    counted = sa.select(_tasks.key, *values, _ran.label("ran"), _tasks.execution_ms)
    rows = {row.key: row for row in tx.execute(counted.where(_tasks.key.in_(keys)))}
    oldest_us = tx.now_us - _KEPT_US
    found: dict[tuple[Any, ...], Counter[str]] = {}
    for key in going:
        yield key
        row = rows[key]
        if row.hour_us >= oldest_us:
            sums = found.setdefault(tuple(row[1 : 1 + len(_KEY)]), Counter())
            sums.update(tasks=1, ran=row.ran, ran_ms=row.execution_ms)
    tx.execute(sa.delete(tables.task_counts).where(_counts.hour_us < oldest_us))
    _add(tx, found)


def _add(tx: Transaction, found: dict[tuple[Any, ...], Counter[str]]) -> None:
    hours = sorted({key[0] for key in found})
    for row in tx.execute(sa.select(tables.task_counts).where(_counts.hour_us.in_(hours))):
        sums = found.get(tuple(row[: len(_KEY)]))
        if sums is not None:
            sums.update({name: row._mapping[name] for name in _SUMS})  # noqa: SLF001 - so documented
    tx.upsert(
        tables.task_counts,
        [
            dict(zip(_KEY, key, strict=True)) | {name: sums[name] for name in _SUMS}
            for key, sums in found.items()
        ],
    )
