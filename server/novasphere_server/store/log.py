"""The revision log: what changed, in order, until it is compacted away.

The log holds everything after its floor. The floor moves in the transaction that deletes the rows
below it, and every read takes the floor along, so that a reader always knows whether it missed
something.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from novasphere_server.store import tables
from novasphere_server.store.database import State
from novasphere_server.store.transactions import Transaction

Read = Callable[[sa.Executable, dict[str, Any]], Awaitable[Sequence[sa.Row[Any]]]]

# How many revisions one page looks at: a rare kind must not cost a scan of the whole log at once.
SPAN = 5000
# How much a step of compaction deletes: whoever writes waits for it.
_COMPACTED_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Change:
    """What one mutation did to one object. The changes of a mutation share its revision."""

    revision: int
    index: int
    kind_name: str
    key: str
    before: bytes | None
    after: bytes | None


@dataclass(frozen=True, slots=True)
class LogPage:
    """The changes of a stretch of the log, of whole mutations only.

    The stretch ends with revision `end`. `state` is where the database stood.
    """

    changes: Sequence[Change]
    end: int
    state: State


def _statement(
    *conditions: sa.ColumnElement[bool], also: Sequence[sa.ColumnElement[Any]] = ()
) -> sa.Select[Any]:
    """Returns one row a change, each with where the database stands; without changes, one row of nulls.

    The columns `also` come last.
    """
    changes, state, meta = tables.changes, tables.revision, tables.meta
    epoch = sa.select(meta.c.value).where(meta.c.name == "epoch").scalar_subquery()
    page = (
        sa.select(
            changes.c.revision,
            changes.c.index,
            changes.c.kind,
            changes.c.key,
            changes.c.before,
            changes.c.after,
            *also,
        )
        .where(*conditions)
        .order_by(changes.c.revision, changes.c.index)
        .limit(sa.bindparam("limit", type_=sa.Integer))
        .cte("page")
    )
    return (
        sa.select(epoch.label("epoch"), state.c.value, state.c.floor, page)
        .select_from(state.outerjoin(page, sa.true()))
        .order_by(page.c.revision, page.c.index)
    )


_IN_SPAN = (
    tables.changes.c.revision > sa.bindparam("position", type_=sa.BigInteger),
    tables.changes.c.revision <= sa.bindparam("end", type_=sa.BigInteger),
)
_OF_ALL = _statement(*_IN_SPAN)
_OF_KIND = _statement(*_IN_SPAN, tables.changes.c.kind == sa.bindparam("kind", type_=sa.String))
UNLIMITED = 2**31 - 1
_BETWEEN = _statement(
    tables.changes.c.kind == sa.bindparam("kind", type_=sa.String),
    tables.changes.c.revision >= sa.bindparam("position", type_=sa.BigInteger),
    tables.changes.c.revision <= sa.bindparam("end", type_=sa.BigInteger),
    sa.or_(
        tables.changes.c.revision > sa.bindparam("position", type_=sa.BigInteger),
        tables.changes.c.index > sa.bindparam("index", type_=sa.Integer),
    ),
    also=[(tables.changes.c.key <= sa.bindparam("passed_key", type_=sa.String)).label("is_passed")],
)


def _change(row: sa.Row[Any]) -> Change:
    return Change(*tuple(row)[3:9])


def _whole(rows: Sequence[sa.Row[Any]], end: int) -> LogPage:
    """Returns the page that `rows` make, which are all up to revision `end`."""
    changes = [_change(row) for row in rows if row.revision is not None]
    return LogPage(changes, end, State(*tuple(rows[0])[:3]))


def _page(rows: Sequence[sa.Row[Any]], position: int, length: int) -> LogPage | None:
    """Returns the page that `rows` make; None when they hold no whole mutation."""
    end = min(rows[0].value, position + SPAN)
    if len(rows) > length:
        cut = rows[-1].revision
        rows = [row for row in rows if row.revision < cut]
        if not rows:
            return None
        end = rows[-1].revision
    return _whole(rows, max(end, position))


def _parameters(position: int, end: int, limit: int) -> dict[str, Any]:
    return {"position": position, "end": end, "limit": limit}


async def read_page(read: Read, kind_name: str | None, position: int, length: int) -> LogPage:
    """Returns about `length` changes after revision `position`: of a kind, or of all."""
    statement = _OF_ALL if kind_name is None else _OF_KIND
    parameters = _parameters(position, position + SPAN, length + 1)
    if kind_name is not None:
        parameters["kind"] = kind_name
    rows = await read(statement, parameters)
    page = _page(rows, position, length)
    if page is None:  # one mutation is longer than a page
        end = rows[0].revision
        rows = await read(statement, parameters | {"end": end, "limit": UNLIMITED})
        page = _whole(rows, end)
    return page


def read_at_most(connection: sa.Connection, position: int, length: int) -> LogPage | None:
    """Returns at most `length` changes after revision `position`, on a connection of the writer's.

    None if one mutation made more.
    """
    rows = connection.execute(_OF_ALL, _parameters(position, position + SPAN, length + 1)).all()
    return _page(rows, position, length)


def read_mutation(connection: sa.Connection, revision: int) -> LogPage:
    """Returns the changes of one mutation, however many, on a connection of the writer's."""
    rows = connection.execute(_OF_ALL, _parameters(revision - 1, revision, UNLIMITED)).all()
    return _whole(rows, revision)


def first_changes_after(
    kind_name: str, position: int, after_key: str, to_key: str | None
) -> sa.Select[Any]:
    """Returns the rows (floor, key, before) of the changes after revision `position`, oldest first,
    to objects of a kind whose keys lie within (after_key, to_key]. Without any, one row of nulls.
    """
    changes = tables.changes
    conditions = [
        changes.c.revision > position,
        changes.c.kind == kind_name,
        changes.c.key > after_key,
    ]
    if to_key is not None:
        conditions.append(changes.c.key <= to_key)
    return _statement(*conditions)


class Between:
    """The changes to a kind after one revision and up to another, read in pages.

    Each comes with whether its key is `passed_key` or before it, as the database sorts keys.
    """

    def __init__(self, kind_name: str, position: int, end: int, *, passed_key: str) -> None:
        self._parameters = {"kind": kind_name, "passed_key": passed_key}
        self._position = (position, UNLIMITED)  # the revision and index that were read last
        self._end = end
        self.floor = 0  # of the log, as of the last page

    @property
    def is_read(self) -> bool:
        """Whether there is nothing left to read."""
        return self._position[0] >= self._end and self._position[1] == UNLIMITED

    async def read(self, read: Read, length: int) -> list[tuple[Change, bool]]:
        """Returns the next changes, at most `length`."""
        revision, index = self._position
        end = min(self._end, revision + SPAN)
        parameters = {"position": revision, "index": index, "end": end, "limit": length}
        rows = await read(_BETWEEN, self._parameters | parameters)
        self.floor = rows[0].floor
        found = [(_change(row), bool(row.is_passed)) for row in rows if row.revision is not None]
        last = found[-1][0] if len(found) == length else None
        self._position = (end, UNLIMITED) if last is None else (last.revision, last.index)
        return found


async def find_floor(read: Read, *, kept_since_us: int, kept_rows: int) -> int:
    """Returns the revision up to which the log is too old or too long to keep; 0 when none is."""
    # Read first: what is committed between the reads must not count as looked at.
    last: int = (await read(sa.select(tables.revision.c.value), {}))[0].value
    changes = tables.changes
    newest_first = (changes.c.revision.desc(), changes.c.index.desc())
    too_many = sa.select(changes.c.revision).order_by(*newest_first).limit(1).offset(kept_rows)
    found = await read(too_many, {})
    floor: int = found[0].revision if found else 0
    # From the oldest on: the scan ends at the first row that stays.
    first_kept = (
        sa.select(changes.c.revision)
        .where(changes.c.at_us >= kept_since_us)
        .order_by(changes.c.revision, changes.c.index)
        .limit(1)
    )
    kept = await read(first_kept, {})
    if kept:
        return max(floor, int(kept[0].revision) - 1)
    return max(floor, last)


@dataclass(frozen=True, slots=True)
class Compacted:
    """What a step of compaction did. `oldest_us` is when the oldest of its rows was written."""

    floor: int
    rows: int
    oldest_us: int | None


def compact(transaction: Transaction, floor: int, step: int) -> Compacted:
    """Forgets the log up to `floor`: about `step` rows of it, and one whole mutation at least.

    Never more than the log holds, and never back.
    """
    changes = tables.changes.c
    state = transaction.execute(sa.select(tables.revision.c.value, tables.revision.c.floor)).one()
    goal = min(floor, state.value)
    before, after = (
        sa.func.coalesce(sa.func.length(body), 0) for body in (changes.before, changes.after)
    )
    oldest = transaction.execute(
        sa.select(changes.revision, changes.at_us, (before + after).label("length"))
        .where(changes.revision > state.floor)
        .order_by(changes.revision, changes.index)
        .limit(step + 1)
    ).all()
    size = 0
    for n, row in enumerate(oldest):
        if n == step or size >= _COMPACTED_BYTES:
            goal = min(goal, max(oldest[0].revision, row.revision - 1))
            break
        size += row.length
    if goal <= state.floor:
        return Compacted(state.floor, 0, None)
    transaction.execute(sa.update(tables.revision).values(floor=goal))
    deleted = transaction.execute(sa.delete(tables.changes).where(changes.revision <= goal))
    return Compacted(goal, deleted.rowcount, oldest[0].at_us if oldest else None)
