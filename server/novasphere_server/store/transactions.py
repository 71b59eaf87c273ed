"""An open transaction, as mutations see it.

A mutation is a synchronous function of a Transaction. It runs on the writer's thread, in a database
transaction that it shares with others; it sees what they did before it. What it raises undoes it, alone:
a savepoint stands before it, unless all that it does is to put rows. To find that out what it puts is
held back until it ends, or until there is something that must see it; and then further, until one statement
writes what many put.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import sqlalchemy as sa
from google.protobuf.message import Message
from novasphere.api.v1 import watch_pb2

from novasphere_server import errors
from novasphere_server.store import tables
from novasphere_server.store.kinds import Kind
from novasphere_server.store.puts import Put, write_all

if TYPE_CHECKING:
    from novasphere_server.store.database import Database
    from novasphere_server.store.limits import Limits

M = TypeVar("M", bound=Message)
T = TypeVar("T")
Id = tuple[str, str]  # kind and key

_SEQUENCES = sa.select(tables.sequences.c.name, tables.sequences.c.value)


class PutOffFailed(Exception):
    """What was done for many mutations at once failed, and nobody can tell which of them it was of.

    The batch is to be run again, with a savepoint before every mutation and nothing done together.
    """


class Waiting:
    """What mutations of a batch put that are over, written when a statement must see it and at the end."""

    def __init__(self, connection: sa.Connection, database: Database) -> None:
        self._connection = connection
        self._database = database
        self._puts: list[Put] = []
        self.rows = 0  # that were added so far
        self.bytes = 0

    def add(self, puts: Iterable[Put]) -> None:
        for put in puts:
            self._puts.append(put)
            self.rows += 1
            self.bytes += sum(len(value) for value in put.values if type(value) is bytes)

    def write(self) -> None:
        """Raises PutOffFailed."""
        puts, self._puts = self._puts, []
        with together(self._database):
            self._database.check(self._connection)
            write_all(self._connection, puts)


@contextmanager
def together(database: Database) -> Iterator[None]:
    """Surrounds what is done for many mutations: of a failure that is not an outage makes PutOffFailed."""
    try:
        yield
    except Exception as error:
        if database.is_outage(error):
            raise
        raise PutOffFailed from error


def read_bodies(
    connection: sa.Connection, database: Database, kind: Kind[Any], keys: Collection[str]
) -> dict[Id, bytes | None]:
    """Returns the stored bytes of objects; None for those that are not there."""
    rows = database.select(connection, kind.table, ("key", "body"), ("key",), {(key,) for key in keys})
    found: dict[Id, bytes | None] = {(kind.name, key): None for key in keys}
    return found | {(kind.name, key): body for key, body in rows}


class Touched:
    """One object that a mutation changed: as it was before it, and as it is now."""

    __slots__ = ("after", "before", "namespace")

    def __init__(self, before: bytes | None) -> None:
        self.before = before
        self.after = before
        self.namespace = ""

    def type(self) -> watch_pb2.EventType.ValueType:
        if self.before is None:
            return watch_pb2.EVENT_TYPE_ADDED
        return watch_pb2.EVENT_TYPE_MODIFIED if self.after is not None else watch_pb2.EVENT_TYPE_DELETED


class Transaction:
    """What one mutation may do.

    `now_us` is the store's time, read once. `revision` is the one that the mutation will have if it
    changes a resource; `put` writes it into the message.
    """

    def __init__(
        self,
        connection: sa.Connection,
        database: Database,
        limits: Limits,
        *,
        now_us: int,
        revision: int,
        waiting: Waiting,
        bodies: dict[Id, bytes | None],
        sequences: Mapping[str, int],
        first_sequences: dict[str, int],
    ) -> None:
        self._connection = connection
        self._database = database
        self._waiting = waiting
        self._limits = limits
        self._bodies = bodies  # as they were when the mutation began, where somebody looked
        self._batch_sequences = sequences
        self._first_sequences = first_sequences  # as the batch began; read when one is asked for
        self.now_us = now_us
        self.revision = revision
        self.room = limits.mutation_bytes  # how many bytes of objects it should still change
        self.touched: dict[Id, Touched] = {}
        self.sequences: dict[str, int] = {}
        self.news: set[str] = set()  # what other servers are told when this is committed
        self._held: list[Put] = []
        self._is_marked = False

    def fitting(self, items: Iterable[T]) -> Iterator[T]:
        """Yields items while there is room to change what they stand for; the rest is for another
        mutation. In a mutation that has changed nothing yet, one item at least.
        """
        for item in items:
            if self.room <= 0:
                return
            yield item

    def get(self, kind: Kind[M], key: str) -> M | None:
        """Returns the object as it is now: a fresh copy, the caller's to change."""
        body = self._body(kind, key)
        return None if body is None else kind.message.FromString(body)

    def look_up(self, kind: Kind[Any], keys: Iterable[str]) -> None:
        """Reads objects together that will be asked for one by one."""
        identities = {(kind.name, key) for key in keys}
        unknown = {key for _, key in identities - self.touched.keys() - self._bodies.keys()}
        if unknown:
            self._bodies |= read_bodies(self._connection, self._database, kind, unknown)

    def put(self, kind: Kind[M], message: M, **extra_columns: Any) -> None:
        """Creates or replaces an object, and stamps the mutation's revision into `message`.

        `extra_columns` are those that the message does not hold; on an update, those left out stay.
        A put that would change nothing does nothing, and leaves the old revision in `message`.
        """
        key = kind.key(message)
        before = self._body(kind, key)
        if before is None:
            self.add(kind, message, **extra_columns)
            return
        if not extra_columns and _is_same(kind, before, message):
            return
        # Limits may have been greater when it was made.
        most = max(self._limits.resource_bytes, len(before)) + kind.growth
        body = self._stamped(kind, key, message, most)
        row = kind.columns(message) | extra_columns
        row |= {"revision": self.revision, "body": body}
        put = Put(kind.table, self._database.update_many, tuple(row), (*row.values(), key))
        self._held.append(put)
        self._touch(kind, key, before, body, kind.namespace(message))
        if kind.labels is not None:
            self._put_labels(kind, key, dict(kind.labels(kind.message.FromString(before))), message)

    def check_size(self, kind: Kind[M], message: M) -> None:
        """Raises TooLarge for an object that a client has made larger than a resource may be, and than it was, as put()
        does not: what it may grow by is for what happens to it.
        """
        key = kind.key(message)
        most = self._limits.resource_bytes
        before = min(len(self._body(kind, key) or b""), most + kind.growth)
        _check_size(kind, key, message.ByteSize(), max(most, before))

    def add(self, kind: Kind[M], message: M, **extra_columns: Any) -> None:
        """Creates an object without a look at what there is: fails if it exists."""
        key = kind.key(message)
        body = self._stamped(kind, key, message, self._limits.resource_bytes)
        row = kind.fixed(message) | kind.columns(message) | extra_columns
        row |= {"revision": self.revision, "body": body, "key": key}
        put = Put(kind.table, self._database.insert_many, tuple(row), tuple(row.values()))
        self._held.append(put)
        self._touch(kind, key, None, body, kind.namespace(message))
        if kind.labels is not None:
            self._put_labels(kind, key, {}, message)

    def has(self, kind: Kind[Any], key: str) -> bool:
        """Returns whether there is an object of this key."""
        return self._body(kind, key) is not None

    def delete(self, kind: Kind[Any], key: str) -> None:
        """Deletes an object; nothing happens when there is none."""
        before = self._body(kind, key)
        if before is None:
            return
        self.execute(sa.delete(kind.table).where(kind.table.c.key == key))
        if kind.labels is not None:
            labels = tables.labels
            self.execute(sa.delete(labels).where(labels.c.kind == kind.name, labels.c.key == key))
        self._touch(kind, key, before, None, kind.namespace(kind.message.FromString(before)))

    def find(
        self,
        kind: Kind[M],
        *where: sa.ColumnElement[bool],
        order_by: Sequence[Any] = (),
        limit: int | None = None,
    ) -> list[M]:
        """Returns the objects that meet all conditions on `kind.table.c`, by default ordered by id."""
        statement = sa.select(kind.table.c.key, kind.table.c.body).where(*where)
        statement = statement.order_by(*(order_by or (kind.table.c.id,)))
        if limit is not None:
            statement = statement.limit(limit)
        self._let_see()
        return self._found(kind, self._connection.execute(statement))

    def find_by(self, kind: Kind[M], statement: sa.Select[Any], **parameters: Any) -> list[M]:
        """Returns the objects whose keys and bodies a statement selects. It is one that is kept: what
        SQLAlchemy does for any other costs several times what the database does.
        """
        return self._found(kind, self.rows(statement, **parameters))

    def rows(self, statement: sa.Select[Any], **parameters: Any) -> list[tuple[Any, ...]]:
        """Returns the rows of a statement that is kept; see find_by()."""
        self._let_see()
        return self._database.rows(self._connection, statement, parameters)

    def _found(self, kind: Kind[M], rows: Iterable[Sequence[Any]]) -> list[M]:
        objects = []
        for key, body in rows:
            identity = (kind.name, key)
            if identity not in self.touched:
                self._bodies[identity] = body
            objects.append(kind.message.FromString(body))
        return objects

    def next_id(self, sequence: str) -> int:
        """Returns the next number of a sequence. No number is given twice."""
        value = self.sequences.get(sequence)
        if value is None:
            value = self._batch_sequences.get(sequence)
        if value is None:
            if not self._first_sequences:
                self._first_sequences |= dict(self._database.rows(self._connection, _SEQUENCES, {}))
            value = self._first_sequences.get(sequence, 0)
        self.sequences[sequence] = value + 1
        return value + 1

    def execute(
        self,
        statement: sa.Executable,
        parameters: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None,
    ) -> sa.CursorResult[Any]:
        """Runs a statement on tables that the log does not cover. Takes no revision."""
        self.mark()
        return self._connection.execute(statement, parameters)

    def insert(self, table: sa.Table, columns: tuple[str, ...], rows: Sequence[tuple[Any, ...]]) -> None:
        """Inserts rows of these columns into a table that the log does not cover."""
        self._held += [Put(table, self._database.insert_many, columns, row) for row in rows]

    def update(self, kind: Kind[Any], columns: tuple[str, ...], rows: Sequence[tuple[Any, ...]]) -> None:
        """Sets columns of objects' rows that their messages do not hold. A row ends with the object's key. Takes no
        revision.
        """
        self._held += [Put(kind.table, self._database.update_many, columns, row) for row in rows]

    def upsert(self, table: sa.Table, rows: Sequence[Mapping[str, Any]], *, growing: str = "") -> None:
        """Inserts rows into a table that the log does not cover, or replaces them by primary key.

        Every row must name the same columns. A row that has more in the column `growing` stays.
        """
        if growing and rows:
            self.execute(self._database.upsert(table, tuple(rows[0]), growing), rows)
            return
        self._held += [
            Put(table, self._database.upsert_many, tuple(row), tuple(row.values())) for row in rows
        ]

    def mark(self) -> None:
        """Sets the savepoint that `undo` goes back to, and writes what was held back."""
        if not self._is_marked:
            self._waiting.write()
            self._database.savepoint(self._connection)
            self._is_marked = True
        held, self._held = self._held, []
        write_all(self._connection, held)

    def finish(self) -> None:
        """Keeps everything."""
        if self._is_marked:
            self.mark()
            self._database.release(self._connection)
        else:
            self._waiting.add(self._held)

    def undo(self) -> None:
        """Undoes everything."""
        if self._is_marked:
            self._database.undo(self._connection)

    def _let_see(self) -> None:
        """Writes what a statement must see that changes nothing."""
        if self._held:
            self.mark()
        elif not self._is_marked:
            self._waiting.write()

    def _stamped(self, kind: Kind[M], key: str, message: M, most: int) -> bytes:
        """Stamps the mutation's revision into a message and returns what is stored: at most so many bytes."""
        kind.stamp(message, self.revision)
        body = message.SerializeToString(deterministic=True)
        _check_size(kind, key, len(body), most)
        return body

    def _body(self, kind: Kind[Any], key: str) -> bytes | None:
        identity = (kind.name, key)
        if touched := self.touched.get(identity):
            return touched.after
        if identity not in self._bodies:
            rows = self._database.select(self._connection, kind.table, ("body",), ("key",), [(key,)])
            self._bodies[identity] = rows[0][0] if rows else None
        return self._bodies[identity]

    def _touch(
        self, kind: Kind[Any], key: str, before: bytes | None, after: bytes | None, namespace: str
    ) -> None:
        touched = self.touched.setdefault((kind.name, key), Touched(before))
        touched.after = after
        touched.namespace = namespace
        # Of the two, watchers are sent the one that matches their filter.
        self.room -= max(len(before or b""), len(after or b""))

    def _put_labels(self, kind: Kind[M], key: str, before: dict[str, str], message: M) -> None:
        assert kind.labels is not None  # noqa: S101 - the caller looked
        after = dict(kind.labels(message))
        if before == after:
            return
        table = tables.labels
        if before:
            self.execute(sa.delete(table).where(table.c.kind == kind.name, table.c.key == key))
        if after:
            self.execute(
                sa.insert(table),
                [{"kind": kind.name, "key": key, "name": n, "value": v} for n, v in after.items()],
            )


def _check_size(kind: Kind[Any], key: str, size: int, most: int) -> None:
    if size > most:
        raise errors.TooLarge(f"{kind.name} {key!r} takes {size} bytes; at most {most} are stored")


def _is_same(kind: Kind[M], before: bytes, message: M) -> bool:
    """Returns whether a message is what is stored, whatever its revision."""
    if not kind.revision(message):  # it was not read, but made
        kind.stamp(message, kind.revision(kind.message.FromString(before)))
    return message.SerializeToString(deterministic=True) == before
