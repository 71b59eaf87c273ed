"""PostgreSQL: a server of its own, which any number of our servers share.

One of them writes at a time: a batch begins by locking the row of the last revision, so that what
mutations read stays true until they are committed, and revisions become visible densely and in order.
A sequence would give neither: transactions commit in another order than they take their numbers.
"""

from __future__ import annotations

import secrets
from collections.abc import AsyncGenerator, Collection, Iterable, Mapping, Sequence
from functools import lru_cache
from operator import itemgetter
from pathlib import Path
from typing import Any, cast

import psycopg
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as dialect
from sqlalchemy.ext.asyncio import create_async_engine

from novasphere_server.store import tables
from novasphere_server.store.arrays import DIALECT, Array, ArrayDumper, arrays, type_names
from novasphere_server.store.database import Database, Outage, State, replacing, rule_of, text_of
from novasphere_server.store.limits import Limits
from novasphere_server.store.marks import Marks

_CHANNEL = "novasphere_log"
_MIGRATING = 0x6E6F7661  # the advisory lock of whoever migrates
_MARK = "mark."  # before each server's mark in the table meta

# A writer that freezes with the lock in its hand is thrown out by the database; others wait that long for
# it, and a little longer.
_FROZEN_AFTER_MS = 5_000
_LOCK_WAIT_MS = 8_000
_STATEMENT_MS = 60_000

_BEGIN = "BEGIN ISOLATION LEVEL READ COMMITTED"  # whatever the operator has made the default
_LOCK = "SELECT FROM revision FOR UPDATE"
_STATE = """
    SELECT coalesce((SELECT value FROM meta WHERE name = 'epoch'), ''), value, floor,
           (extract(epoch FROM clock_timestamp()) * 1000000)::bigint
    FROM revision
"""
_NOTIFY_BYTES = 7_000  # of one notification; PostgreSQL takes a little less than 8,000


class Postgresql(Database):
    """A PostgreSQL database.

    Each statement costs a round trip: what many mutations read or put goes as arrays, an array a column.
    """

    is_shared = True

    # Classes and codes of SQLSTATE that speak of the server; the others are about the statement.
    _OUTAGES = ("08", "25006", "25P03", "40", "53", "55P03", "57", "58", "XX")

    def __init__(self, url: sa.URL, limits: Limits, data_dir: Path | None) -> None:
        if not url.database:
            raise ValueError("name the database: postgresql://user@host:5432/database")
        url = url.set(drivername="postgresql+psycopg")
        self._marks = None if data_dir is None else Marks(data_dir / "database-mark")
        # The writer's connection as the driver has it: SQLAlchemy's part in its hot statements costs
        # several times what the driver's does.
        self._hot: psycopg.Connection[tuple[Any, ...]]
        self._writer_pid = 0
        self._arguments: dict[str, Any] = {
            "application_name": "novasphere",
            "connect_timeout": 5,
            "client_encoding": "utf8",  # as the arrays are, whatever the database or the environment says
            # A server that is gone without a word is noticed.
            "keepalives_idle": 10,
            "keepalives_interval": 5,
            "keepalives_count": 3,
            "tcp_user_timeout": 20_000,
        }
        own = url.query.get("options", "")  # of the operator; what is given besides a URL replaces it
        writing = (
            f"{own} -c idle_in_transaction_session_timeout={_FROZEN_AFTER_MS} "
            f"-c lock_timeout={_LOCK_WAIT_MS} -c statement_timeout={_STATEMENT_MS} "
            # A plan that was made while a table was small would be kept, and read all of it, while it grows.
            "-c plan_cache_mode=force_custom_plan"
        )
        reading = f"{own} -c statement_timeout={_STATEMENT_MS}"
        self._engine = sa.create_engine(
            url,
            poolclass=sa.pool.NullPool,
            hide_parameters=True,
            isolation_level="READ COMMITTED",
            connect_args=self._arguments
            | {"prepare_threshold": 1, "options": writing, "cursor_factory": _OneByOne},
        )
        # Many rows by one statement, see _OneByOne.
        self._engine.dialect.use_insertmanyvalues_wo_returning = True
        self.readers = create_async_engine(
            url,
            poolclass=sa.pool.AsyncAdaptedQueuePool,
            pool_size=limits.readers,
            max_overflow=0,
            pool_timeout=limits.lock_timeout,
            isolation_level="AUTOCOMMIT",
            hide_parameters=True,
            connect_args=self._arguments | {"options": reading},
        )

    def prepare(self, epoch: str) -> State:
        # Imported here because only the start of a server needs it, and it is slow to import.
        from novasphere_server.store import migrations

        with self._engine.begin() as connection:
            # Servers that start together take turns, however long a migration takes.
            connection.exec_driver_sql("SET LOCAL lock_timeout = 0")
            connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_MIGRATING})")
            migrations.upgrade(connection)
            connection.exec_driver_sql(_LOCK)
            meta = {row.name: row.value for row in connection.execute(sa.select(tables.meta))}
            if "epoch" not in meta or self._is_older(meta):
                meta["epoch"] = epoch
                connection.execute(sa.delete(tables.meta).where(tables.meta.c.name.startswith(_MARK)))
                connection.execute(
                    self.upsert(tables.meta, ("name", "value")), [{"name": "epoch", "value": epoch}]
                )
            mark = self._announce(meta["epoch"])
            for statement in self.carry_mark(mark):
                connection.execute(statement)
            state = State(*connection.exec_driver_sql(_STATE).one())
        self.settle_mark(mark)
        self._epoch = state.epoch
        return state

    def _is_older(self, meta: Mapping[str, str]) -> bool:
        """Returns whether the database is an older copy of the one that this server used last.

        Each server has a mark in the database, and remembers it with the history it belongs to. If
        another server has noticed before, the history has another name already.
        """
        if self._marks is None:
            return False
        mine = [mark for mark in self._marks.named() if mark.startswith(f"{meta['epoch']}.")]
        return bool(mine) and not any(_MARK + mark in meta for mark in mine)

    def announce_mark(self) -> str:
        return self._announce(self._epoch)

    def _announce(self, epoch: str) -> str:
        mark = f"{epoch}.{secrets.token_hex(8)}"
        if self._marks is not None:
            self._marks.add(mark)
        return mark

    def carry_mark(self, mark: str) -> Sequence[sa.Executable]:
        if self._marks is None:
            return []
        older = [_MARK + known for known in self._marks.named() if known != mark]
        return [
            sa.delete(tables.meta).where(tables.meta.c.name.in_(older)),
            self.upsert(tables.meta, ("name", "value")).values(name=_MARK + mark, value=""),
        ]

    def settle_mark(self, mark: str) -> None:
        if self._marks is not None:
            self._marks.settle(mark)

    def connect(self) -> sa.Connection:
        connection = self._engine.connect()
        self._take(connection)
        return connection

    def _take(self, connection: sa.Connection) -> None:
        self._hot = cast("psycopg.Connection[tuple[Any, ...]]", connection.connection.driver_connection)
        self._hot.autocommit = True  # transactions begin where this module says so
        self._hot.adapters.register_dumper(Array, ArrayDumper)
        self._writer_pid = self._hot.info.backend_pid

    def disconnect(self, connection: sa.Connection) -> None:
        connection.invalidate()  # to roll back would wait for a server that may not answer
        connection.close()
        self._hot.close()

    def begin(self, connection: sa.Connection) -> State:
        try:
            return self._begin(connection)
        except psycopg.OperationalError:
            if not self._hot.broken:
                raise
        # Lost while it idled, and nothing was done yet: the database was restarted, as likely as not.
        connection.invalidate()
        connection.rollback()
        self._take(connection)
        return self._begin(connection)

    def _begin(self, connection: sa.Connection) -> State:
        connection.begin()
        # Three statements in one message: the last must see what those have committed who had the lock before.
        cursor = self._hot.execute(f"{_BEGIN}; {_LOCK}; {_STATE}", prepare=False)
        while cursor.nextset():
            pass
        row = cursor.fetchone()
        if row is None:
            raise Outage("the database holds no revision")
        return State(*row)

    def savepoint(self, connection: sa.Connection) -> None:
        self._hot.execute("SAVEPOINT mutation")

    def release(self, connection: sa.Connection) -> None:
        self._hot.execute("RELEASE mutation")

    def undo(self, connection: sa.Connection) -> None:
        self._hot.execute("ROLLBACK TO mutation")
        self._hot.execute("RELEASE mutation")

    def check(self, connection: sa.Connection) -> None:
        if self._hot.info.transaction_status == psycopg.pq.TransactionStatus.INERROR:
            # A read failed that no savepoint stood before.
            raise psycopg.errors.InFailedSqlTransaction("a statement failed before")

    def announce(self, connection: sa.Connection, news: Sequence[str]) -> None:
        payloads = [""]
        for item in news:
            if len(payloads[-1]) + len(item) > _NOTIFY_BYTES:
                payloads.append("")
            payloads[-1] += f"{item}\n"
        for payload in payloads:
            self._hot.execute("SELECT pg_notify(%s, %s)", (_CHANNEL, payload))

    async def announcements(self) -> AsyncGenerator[Sequence[str], None]:
        _, arguments = self._engine.dialect.create_connect_args(self._engine.url)
        connection = await psycopg.AsyncConnection.connect(
            **{**arguments, **self._arguments}, autocommit=True
        )
        async with connection:
            await connection.execute(f"LISTEN {_CHANNEL}")
            yield ()  # what was written before it listened
            async for told in connection.notifies():
                if told.pid != self._writer_pid:
                    yield told.payload.splitlines()

    def advance(self, connection: sa.Connection, revision: int) -> None:
        self._hot.execute("UPDATE revision SET value = %s", (revision,))

    def select(
        self,
        connection: sa.Connection,
        table: sa.Table,
        columns: tuple[str, ...],
        by: tuple[str, ...],
        keys: Collection[tuple[str, ...]],
    ) -> list[tuple[Any, ...]]:
        return self._hot.execute(_select(table, columns, by), arrays(table, by, keys)).fetchall()

    def rows(
        self, connection: sa.Connection, statement: sa.Select[Any], parameters: Mapping[str, Any]
    ) -> list[tuple[Any, ...]]:
        text, known = text_of(statement, DIALECT)
        return self._hot.execute(text, {**known, **parameters}).fetchall()

    def insert_many(
        self,
        connection: sa.Connection,
        table: sa.Table,
        columns: tuple[str, ...],
        rows: Sequence[tuple[Any, ...]],
    ) -> None:
        self._hot.execute(_insert(table, columns), arrays(table, columns, rows))

    def update_many(
        self,
        connection: sa.Connection,
        table: sa.Table,
        columns: tuple[str, ...],
        rows: Sequence[tuple[Any, ...]],
    ) -> None:
        # One statement updates a row once: of two to the same object the later one counts.
        latest = {row[-1]: row for row in rows}.values()
        self._hot.execute(_update(table, columns), arrays(table, (*columns, "key"), latest))

    def upsert_many(
        self,
        connection: sa.Connection,
        table: sa.Table,
        columns: tuple[str, ...],
        rows: Sequence[tuple[Any, ...]],
    ) -> None:
        primary = itemgetter(*(columns.index(column.name) for column in table.primary_key))
        latest = {primary(row): row for row in rows}.values()  # as above
        self._hot.execute(_upsert_text(table, columns), arrays(table, columns, latest))

    def upsert(self, table: sa.Table, columns: tuple[str, ...], growing: str = "") -> sa.Insert:
        return _upsert(table, columns, growing)

    def is_outage(self, error: BaseException) -> bool:
        if isinstance(error, Outage):
            return True
        if isinstance(error, sa.exc.DBAPIError):
            if error.connection_invalidated:
                return True
            error = cast("BaseException", error.orig)
        if not isinstance(error, psycopg.Error):
            return False
        if error.sqlstate is None:  # said by the driver, not by the server
            return isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)
        return error.sqlstate.startswith(self._OUTAGES)

    def probe(self, *, can_write: bool) -> State:
        with self._engine.connect() as connection:
            if connection.exec_driver_sql("SHOW transaction_read_only").scalar() == "on":
                raise Outage("the database takes no writes: it is a standby")
            return State(*connection.exec_driver_sql(_STATE).one())


class _OneByOne(psycopg.Cursor[tuple[Any, ...]]):
    """A cursor that sends nothing ahead.

    Behind what was sent ahead psycopg asks for what is left to be flushed, and PostgreSQL forgets to time a
    transaction that idles from there on: a server that froze then would keep all others from writing.
    """

    def executemany(self, query: Any, params_seq: Iterable[Any], *, returning: bool = False) -> None:
        for row in params_seq:
            self.execute(query, row)


_QUOTE = DIALECT.identifier_preparer.quote


@lru_cache(maxsize=64)
def _select(table: sa.Table, columns: tuple[str, ...], by: tuple[str, ...]) -> str:
    """Returns the statement that looks every key up by itself: cheaper than the join of all of them."""
    names, keys = (", ".join(_QUOTE(column) for column in some) for some in (columns, by))
    conditions = " AND ".join(f"{_QUOTE(table.name)}.{name} = wanted.{name}" for name in map(_QUOTE, by))
    one = f"SELECT {names} FROM {_QUOTE(table.name)} WHERE {conditions} LIMIT 1"  # noqa: S608 - names of our own
    return f"SELECT found.* FROM {_rows(table, by)} AS wanted({keys}), LATERAL ({one}) AS found"  # noqa: S608 - the same


@lru_cache(maxsize=256)
def _insert(table: sa.Table, columns: tuple[str, ...]) -> str:
    """Returns the statement that inserts many rows, which come as an array a column."""
    names = ", ".join(_QUOTE(column) for column in columns)
    return f"INSERT INTO {_QUOTE(table.name)} ({names}) SELECT * FROM {_rows(table, columns)}"  # noqa: S608 - the same


def _rows(table: sa.Table, columns: tuple[str, ...]) -> str:
    return f"unnest({', '.join(f'%s::{name}[]' for name in type_names(table, columns))})"


@lru_cache(maxsize=256)
def _upsert(table: sa.Table, columns: tuple[str, ...], growing: str) -> sa.Insert:
    return replacing(dialect.insert(table), columns, growing)


@lru_cache(maxsize=256)
def _upsert_text(table: sa.Table, columns: tuple[str, ...]) -> str:
    return _insert(table, columns) + rule_of(_upsert(table, columns, ""), DIALECT)


@lru_cache(maxsize=256)
def _update(table: sa.Table, columns: tuple[str, ...]) -> str:
    """Returns the statement that updates many rows, which come as an array a column and one of the keys."""
    name = _QUOTE(table.name)
    pairs = ", ".join(f"{_QUOTE(column)} = new.{_QUOTE(column)}" for column in columns)
    all_columns = (*columns, "key")
    names = ", ".join(_QUOTE(column) for column in all_columns)
    rows = _rows(table, all_columns)
    return f"UPDATE {name} SET {pairs} FROM {rows} AS new({names}) WHERE {name}.key = new.key"  # noqa: S608 - the same
