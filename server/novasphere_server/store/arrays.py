"""Rows as PostgreSQL takes them fastest: an array a column, in the binary form of its type.

The driver could make the arrays itself, at several times the cost: it looks at every element to find out
what it is, and writes bytes as text.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from functools import lru_cache
from struct import Struct
from typing import Any

import sqlalchemy as sa
from psycopg import pq
from psycopg.adapt import Dumper
from sqlalchemy.dialects import postgresql

DIALECT = postgresql.dialect()  # type: ignore[no-untyped-call]


class Array(bytes):
    """An array, as it is sent."""


class ArrayDumper(Dumper):
    """Sends an Array as it is. The statement says what it is of."""

    format = pq.Format.BINARY

    def dump(self, obj: Array) -> Array:
        return obj


_HEADER = Struct(">iiIii").pack  # dimensions, whether it holds nulls, type, length, first index
_LENGTH = Struct(">i").pack
_NULL = _LENGTH(-1)


def _numbers(spelled: str, length: int) -> Callable[[Any], bytes]:
    pack = Struct(f">i{spelled}").pack
    return lambda value: pack(length, value)


def _bytes(value: bytes) -> bytes:
    return _LENGTH(len(value)) + value


# The number that PostgreSQL knows a type by, and what an element becomes.
_TYPES: dict[str, tuple[int, Callable[[Any], bytes]]] = {
    "BIGINT": (20, _numbers("q", 8)),
    "BOOLEAN": (16, _numbers("?", 1)),
    "BYTEA": (17, _bytes),
    "FLOAT": (701, _numbers("d", 8)),
    "INTEGER": (23, _numbers("i", 4)),
    "VARCHAR": (1043, lambda value: _bytes(value.encode())),
}


@lru_cache(maxsize=256)
def type_names(table: sa.Table, columns: tuple[str, ...]) -> tuple[str, ...]:
    """Returns the types of columns, as PostgreSQL spells them."""
    return tuple(table.c[column].type.compile(DIALECT).partition(" COLLATE")[0] for column in columns)


def arrays(
    table: sa.Table, columns: tuple[str, ...], rows: Collection[tuple[Any, ...]]
) -> Sequence[Array]:
    """Returns rows of these columns, column by column."""
    return [
        _array(name, values)
        for name, values in zip(type_names(table, columns), zip(*rows, strict=True), strict=True)
    ]


def _array(type_name: str, values: Sequence[Any]) -> Array:
    number, encode = _TYPES[type_name]
    elements = [_NULL if value is None else encode(value) for value in values]
    return Array(_HEADER(1, None in values, number, len(values), 1) + b"".join(elements))
