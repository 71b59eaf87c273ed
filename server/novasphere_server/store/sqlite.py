"""SQLite: a file, of which this process is the only user."""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy.dialects import sqlite as sqlite_dialect
from sqlalchemy.ext.asyncio import create_async_engine

from novasphere_server.store import tables
from novasphere_server.store.database import Database, Outage, State, replacing, rule_of, text_of
from novasphere_server.store.limits import Limits
from novasphere_server.store.marks import Marks


class Sqlite(Database):
    """A SQLite file.

    The writer's hot statements go to the driver directly: SQLAlchemy's part in them costs several
    times what SQLite's does.
    """

    # What SQLite's primary result codes say about the database; the others are about the statement.
    _OUTAGES = frozenset(
        {
            sqlite3.SQLITE_PERM,
            sqlite3.SQLITE_BUSY,
            sqlite3.SQLITE_LOCKED,
            sqlite3.SQLITE_NOMEM,
            sqlite3.SQLITE_READONLY,
            sqlite3.SQLITE_INTERRUPT,
            sqlite3.SQLITE_IOERR,
            sqlite3.SQLITE_CORRUPT,
            sqlite3.SQLITE_FULL,
            sqlite3.SQLITE_CANTOPEN,
            sqlite3.SQLITE_PROTOCOL,
            sqlite3.SQLITE_NOTADB,
        }
    )
    _STATE = """
        SELECT coalesce((SELECT value FROM meta WHERE name = 'epoch'), ''), value, floor FROM revision
    """

    def __init__(self, url: sa.URL, limits: Limits) -> None:
        if not url.database or url.database == ":memory:":
            raise ValueError("a SQLite database needs a file: sqlite:////path/to/file")
        self._path = Path(url.database).absolute()
        synchronous = str(url.query.get("synchronous", "full")).upper()
        if synchronous not in ("NORMAL", "FULL", "EXTRA"):
            raise ValueError("synchronous must be normal, full or extra")
        self._lock_timeout = limits.lock_timeout
        self._pragmas = (
            f"PRAGMA busy_timeout = {int(limits.lock_timeout * 1000)}",
            "PRAGMA journal_mode = WAL",
            f"PRAGMA synchronous = {synchronous}",
            "PRAGMA foreign_keys = ON",
            "PRAGMA cache_size = -16384",  # KiB
            "PRAGMA wal_autocheckpoint = 4000",  # pages; a checkpoint costs two more fsyncs
        )
        self._marks = Marks(self._path.with_name(f"{self._path.name}-mark"))
        self._file: tuple[int, int] | None = None
        # The writer's cursor, for the statements that SQLAlchemy's part would dominate.
        self._hot: sqlite3.Cursor
        # One connection at a time: of prepare(), then of the writer's thread.
        self._engine = sa.create_engine(
            self._url("sqlite"), poolclass=sa.pool.NullPool, hide_parameters=True
        )
        sa.event.listen(self._engine, "connect", self._set_up)
        sa.event.listen(self._engine, "begin", self._begin)
        self.readers = create_async_engine(
            self._url("sqlite+aiosqlite"),
            poolclass=sa.pool.AsyncAdaptedQueuePool,
            pool_size=limits.readers,
            max_overflow=0,
            pool_timeout=limits.lock_timeout,
            isolation_level="AUTOCOMMIT",
            hide_parameters=True,
            connect_args={"timeout": limits.lock_timeout},
        )

    def _url(self, driver: str) -> sa.URL:
        # Never creates the file: one that vanished must be noticed, not replaced by an empty one.
        name = f"file:{quote(str(self._path))}"
        return sa.URL.create(driver, database=name, query={"mode": "rw", "uri": "true"})

    def _set_up(self, connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # transactions begin and end where this module says so
        for pragma in self._pragmas:
            connection.execute(pragma).close()

    def _begin(self, connection: sa.Connection) -> None:
        # Takes the write lock at once: a read that is upgraded later can fail half-way.
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    def prepare(self, epoch: str) -> State:
        # Imported here because only the start of a server needs it, and it is slow to import.
        from novasphere_server.store import migrations

        # What the file holds is for its owner; SQLite gives its side files the same mode.
        self._path.touch(mode=0o600)
        with self._engine.begin() as connection:
            migrations.upgrade(connection)
            rows = connection.execute(sa.select(tables.meta))
            meta = {row.name: row.value for row in rows}
            if "epoch" not in meta or not self._marks.names(meta.get("mark", "")):
                meta["epoch"] = epoch
            meta["mark"] = self.announce_mark()
            connection.execute(
                self.upsert(tables.meta, ("name", "value")), [{"name": "epoch", "value": meta["epoch"]}]
            )
            for statement in self.carry_mark(meta["mark"]):
                connection.execute(statement)
            state = State(*connection.exec_driver_sql(self._STATE).one())
        self.settle_mark(meta["mark"])
        return state

    def announce_mark(self) -> str:
        mark = secrets.token_hex(8)
        self._marks.add(mark)
        return mark

    def carry_mark(self, mark: str) -> Sequence[sa.Executable]:
        return [self.upsert(tables.meta, ("name", "value")).values(name="mark", value=mark)]

    def settle_mark(self, mark: str) -> None:
        self._marks.settle(mark)

    def connect(self) -> sa.Connection:
        try:
            self._file = self._identity()
        except OSError as error:
            raise Outage(str(error)) from error
        connection = self._engine.connect()
        self._hot = connection.connection.cursor()  # type: ignore[assignment]
        return connection

    def disconnect(self, connection: sa.Connection) -> None:
        self._hot.close()  # an open statement would keep the file open behind a closed connection
        connection.close()

    def _identity(self) -> tuple[int, int]:
        status = self._path.stat()
        return status.st_dev, status.st_ino

    def begin(self, connection: sa.Connection) -> State:
        # An open file that was deleted still takes writes, and loses them.
        try:
            is_same = self._identity() == self._file
        except OSError as error:
            raise Outage(str(error)) from error
        if not is_same:
            raise Outage(f"{self._path} was replaced")
        connection.begin()
        return State(*self._hot.execute(self._STATE).fetchone())

    def savepoint(self, connection: sa.Connection) -> None:
        self._hot.execute("SAVEPOINT mutation")

    def release(self, connection: sa.Connection) -> None:
        self._hot.execute("RELEASE mutation")

    def undo(self, connection: sa.Connection) -> None:
        self._hot.execute("ROLLBACK TO mutation")
        self._hot.execute("RELEASE mutation")

    def advance(self, connection: sa.Connection, revision: int) -> None:
        self._hot.execute("UPDATE revision SET value = ?", (revision,))

    def select(
        self,
        connection: sa.Connection,
        table: sa.Table,
        columns: tuple[str, ...],
        by: tuple[str, ...],
        keys: Collection[tuple[str, ...]],
    ) -> list[tuple[Any, ...]]:
        statement = _select(table, columns, by)
        found = [self._hot.execute(statement, key).fetchone() for key in keys]
        return [row for row in found if row is not None]

    def rows(
        self, connection: sa.Connection, statement: sa.Select[Any], parameters: Mapping[str, Any]
    ) -> list[tuple[Any, ...]]:
        text, known = text_of(statement, _DIALECT)
        return self._hot.execute(text, {**known, **parameters}).fetchall()

    def insert_many(
        self,
        connection: sa.Connection,
        table: sa.Table,
        columns: tuple[str, ...],
        rows: Sequence[tuple[Any, ...]],
    ) -> None:
        self._hot.executemany(_insert(table, columns), rows)

    def update_many(
        self,
        connection: sa.Connection,
        table: sa.Table,
        columns: tuple[str, ...],
        rows: Sequence[tuple[Any, ...]],
    ) -> None:
        self._hot.executemany(_update(table, columns), rows)

    def upsert_many(
        self,
        connection: sa.Connection,
        table: sa.Table,
        columns: tuple[str, ...],
        rows: Sequence[tuple[Any, ...]],
    ) -> None:
        self._hot.executemany(_upsert_text(table, columns), rows)

    def upsert(self, table: sa.Table, columns: tuple[str, ...], growing: str = "") -> sa.Insert:
        return _upsert(table, columns, growing)

    def is_outage(self, error: BaseException) -> bool:
        if isinstance(error, Outage):
            return True
        cause = error.orig if isinstance(error, sa.exc.DBAPIError) else error
        # The primary code is the low byte of the extended one.
        code = getattr(cause, "sqlite_errorcode", None)
        return isinstance(cause, sqlite3.Error) and code is not None and code & 0xFF in self._OUTAGES

    def probe(self, *, can_write: bool) -> State:
        name = f"file:{quote(str(self._path))}?mode=rw"
        connection = sqlite3.connect(
            name, uri=True, timeout=min(1.0, self._lock_timeout), isolation_level=None
        )
        try:
            if can_write:
                connection.execute("BEGIN IMMEDIATE")
            state = State(*connection.execute(self._STATE).fetchone())
            if can_write:
                connection.execute("ROLLBACK")
            return state
        finally:
            connection.close()


_DIALECT = sqlite_dialect.dialect(paramstyle="named")
_QUOTE = _DIALECT.identifier_preparer.quote


@lru_cache(maxsize=64)
def _select(table: sa.Table, columns: tuple[str, ...], by: tuple[str, ...]) -> str:
    names = ", ".join(_QUOTE(column) for column in columns)
    conditions = " AND ".join(f"{_QUOTE(column)} = ?" for column in by)
    return f"SELECT {names} FROM {_QUOTE(table.name)} WHERE {conditions}"  # noqa: S608 - names of our own


@lru_cache(maxsize=256)
def _insert(table: sa.Table, columns: tuple[str, ...]) -> str:
    names = ", ".join(_QUOTE(column) for column in columns)
    places = ", ".join("?" for _ in columns)
    return f"INSERT INTO {_QUOTE(table.name)} ({names}) VALUES ({places})"  # noqa: S608 - the same


@lru_cache(maxsize=256)
def _upsert(table: sa.Table, columns: tuple[str, ...], growing: str) -> sa.Insert:
    return replacing(sqlite_dialect.insert(table), columns, growing)


@lru_cache(maxsize=256)
def _upsert_text(table: sa.Table, columns: tuple[str, ...]) -> str:
    return _insert(table, columns) + rule_of(_upsert(table, columns, ""), _DIALECT)


@lru_cache(maxsize=256)
def _update(table: sa.Table, columns: tuple[str, ...]) -> str:
    pairs = ", ".join(f"{_QUOTE(column)} = ?" for column in columns)
    return f"UPDATE {_QUOTE(table.name)} SET {pairs} WHERE key = ?"  # noqa: S608 - the same
