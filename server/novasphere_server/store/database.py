"""What differs between databases, behind one seam.

Everything else in the store is SQLAlchemy Core. A second database is a second `Database`.
"""

from __future__ import annotations

import secrets
import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy.dialects import sqlite as sqlite_dialect
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from novasphere_server.store import tables
from novasphere_server.store.limits import Limits
from novasphere_server.store.marks import Marks

OTHER_HISTORY = "the database holds another history than before: restart the server"


class Outage(Exception):
    """The database cannot be used at the moment, or holds another history than before."""


@dataclass(frozen=True, slots=True)
class State:
    """Where a database stands. `epoch` names its history; empty before it was given one."""

    epoch: str
    revision: int
    floor: int


class Database(ABC):
    """One database: how to connect, to begin and to undo, and which errors mean that it is away."""

    readers: AsyncEngine

    @abstractmethod
    def prepare(self, epoch: str) -> State:
        """Creates or migrates the database.

        Names its history `epoch` if it has no name yet, or if it is an older copy that was put back.
        """

    @abstractmethod
    def announce_mark(self) -> str:
        """Returns a new mark, which the database may carry from now on beside the old one.

        Blocks. Raises OSError.
        """

    @abstractmethod
    def settle_mark(self, mark: str) -> None:
        """Notes that the database carries this mark: a copy that carries another is an older one.

        Blocks. Raises OSError.
        """

    @abstractmethod
    def connect(self) -> sa.Connection:
        """Returns a connection for the writer, for use by the calling thread alone."""

    @abstractmethod
    def disconnect(self, connection: sa.Connection) -> None:
        """Closes the writer's connection."""

    @abstractmethod
    def begin(self, connection: sa.Connection) -> State:
        """Begins a transaction that excludes other writers, and returns where the database stands."""

    @abstractmethod
    def savepoint(self, connection: sa.Connection) -> None:
        """Marks where `undo` goes back to."""

    @abstractmethod
    def release(self, connection: sa.Connection) -> None:
        """Keeps what was done since `savepoint`."""

    @abstractmethod
    def undo(self, connection: sa.Connection) -> None:
        """Undoes what was done since `savepoint`."""

    def run_alone(self, connection: sa.Connection, statement: Callable[[], object]) -> None:
        """Calls what runs one statement, and undoes that statement if it fails."""
        self.savepoint(connection)
        try:
            statement()
        except BaseException:
            self.undo(connection)
            raise
        self.release(connection)

    @abstractmethod
    def body(self, connection: sa.Connection, table: sa.Table, key: str) -> bytes | None:
        """Returns the stored message of a resource, None if there is none."""

    @abstractmethod
    def insert(self, connection: sa.Connection, table: sa.Table, row: Mapping[str, Any]) -> None:
        """Inserts a row."""

    @abstractmethod
    def insert_many(
        self,
        connection: sa.Connection,
        table: sa.Table,
        columns: tuple[str, ...],
        rows: Sequence[tuple[Any, ...]],
    ) -> None:
        """Inserts rows of these columns."""

    @abstractmethod
    def update(
        self, connection: sa.Connection, table: sa.Table, key: str, row: Mapping[str, Any]
    ) -> None:
        """Sets columns of a resource's row."""

    @abstractmethod
    def upsert(self, table: sa.Table, columns: tuple[str, ...]) -> sa.Executable:
        """Returns the statement that inserts rows, or replaces those whose primary key exists."""

    @abstractmethod
    def is_outage(self, error: BaseException) -> bool:
        """Returns whether `error` says that the database is away, not that a statement is wrong."""

    @abstractmethod
    def probe(self, *, can_write: bool) -> State:
        """Looks at the database from outside, over a fresh connection; raises when it is away.

        `can_write` asks whether it takes writes too, which disturbs other writers.
        """

    async def close(self) -> None:
        """Closes the connections of readers; the next read opens new ones."""
        await self.readers.dispose()


def connect_to(url: str, limits: Limits) -> Database:
    """Returns the database that `url` names."""
    parsed = sa.make_url(url)
    if parsed.get_backend_name() == "sqlite":
        return Sqlite(parsed, limits)
    raise ValueError(
        f"no support for {parsed.get_backend_name()} databases; use sqlite:////path/to/file"
    )


class Sqlite(Database):
    """A SQLite file, of which this process is the only user.

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
                self.upsert(tables.meta, ("name", "value")),
                [{"name": name, "value": value} for name, value in meta.items()],
            )
            state = State(*connection.exec_driver_sql(self._STATE).one())
        self.settle_mark(meta["mark"])
        return state

    def announce_mark(self) -> str:
        mark = secrets.token_hex(8)
        self._marks.add(mark)
        return mark

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

    def run_alone(self, connection: sa.Connection, statement: Callable[[], object]) -> None:
        statement()  # SQLite itself undoes a statement that fails

    def body(self, connection: sa.Connection, table: sa.Table, key: str) -> bytes | None:
        row = self._hot.execute(_select_body(table), (key,)).fetchone()
        return None if row is None else row[0]

    def insert(self, connection: sa.Connection, table: sa.Table, row: Mapping[str, Any]) -> None:
        self._hot.execute(_insert(table, tuple(row)), tuple(row.values()))

    def insert_many(
        self,
        connection: sa.Connection,
        table: sa.Table,
        columns: tuple[str, ...],
        rows: Sequence[tuple[Any, ...]],
    ) -> None:
        self._hot.executemany(_insert(table, columns), rows)

    def update(
        self, connection: sa.Connection, table: sa.Table, key: str, row: Mapping[str, Any]
    ) -> None:
        self._hot.execute(_update(table, tuple(row)), (*row.values(), key))

    def upsert(self, table: sa.Table, columns: tuple[str, ...]) -> sa.Executable:
        return _upsert(table, columns)

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


_QUOTE = sqlite_dialect.dialect().identifier_preparer.quote


@lru_cache(maxsize=64)
def _select_body(table: sa.Table) -> str:
    return f"SELECT body FROM {_QUOTE(table.name)} WHERE key = ?"  # noqa: S608 - names of our own


@lru_cache(maxsize=256)
def _insert(table: sa.Table, columns: tuple[str, ...]) -> str:
    names = ", ".join(_QUOTE(column) for column in columns)
    places = ", ".join("?" for _ in columns)
    return f"INSERT INTO {_QUOTE(table.name)} ({names}) VALUES ({places})"  # noqa: S608 - the same


@lru_cache(maxsize=256)
def _upsert(table: sa.Table, columns: tuple[str, ...]) -> sa.Executable:
    statement = sqlite_dialect.insert(table)
    primary = [column.name for column in table.primary_key]
    changed = {name: statement.excluded[name] for name in columns if name not in primary}
    if not changed:
        return statement.on_conflict_do_nothing(index_elements=primary)
    return statement.on_conflict_do_update(index_elements=primary, set_=changed)


@lru_cache(maxsize=256)
def _update(table: sa.Table, columns: tuple[str, ...]) -> str:
    pairs = ", ".join(f"{_QUOTE(column)} = ?" for column in columns)
    return f"UPDATE {_QUOTE(table.name)} SET {pairs} WHERE key = ?"  # noqa: S608 - the same
