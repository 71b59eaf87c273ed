"""What is found by a few seeks of an index, however many rows there are."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa


def values(
    column: sa.Column[Any], *where: sa.ColumnElement[bool] | sa.TextClause
) -> sa.Select[tuple[Any]]:
    """Returns what finds every `value` of a column but null, by one seek each, however many rows have it.

    An index must begin with the column, and cover what `where` says.
    """
    smallest = sa.select(sa.func.min(column).label("value")).where(*where)
    found = smallest.cte("found", recursive=True)
    following = sa.select(sa.func.min(column)).where(*where, column > found.c.value)
    # After the greatest one comes null.
    step = sa.select(following.scalar_subquery()).where(found.c.value.is_not(None))
    every = found.union_all(step)
    return sa.select(every.c.value).where(every.c.value.is_not(None))
