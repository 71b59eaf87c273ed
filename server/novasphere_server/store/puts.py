"""Rows that are to be written, kept back so that one statement writes many of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from operator import attrgetter
from typing import Any, NamedTuple

import sqlalchemy as sa

# Writes rows of these columns into a table; a Database has some.
Write = Callable[[sa.Connection, sa.Table, tuple[str, ...], Sequence[tuple[Any, ...]]], None]


class Put(NamedTuple):
    """A row, and what is to be done with it."""

    table: sa.Table
    write: Write
    columns: tuple[str, ...]
    values: tuple[Any, ...]


_STATEMENT = attrgetter("write", "columns")


def write_all(connection: sa.Connection, puts: Iterable[Put]) -> None:
    """Writes the rows, each after those that were put into its table before it."""
    by_table: dict[sa.Table, list[Put]] = {}
    for put in puts:
        by_table.setdefault(put.table, []).append(put)
    # No table refers to another one, so it does not matter which of them is written first.
    for table, waiting in by_table.items():
        for (write, columns), alike in groupby(waiting, key=_STATEMENT):
            write(connection, table, columns, [put.values for put in alike])
