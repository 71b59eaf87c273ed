"""What differs between databases, behind one seam.

Everything else in the store is SQLAlchemy Core. There is a module for each database.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from novasphere_server.store.limits import Limits

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql, sqlite

FELL_BEHIND = "the log was compacted beyond what this server knows: it starts over"


class Outage(Exception):
    """The database cannot be used at the moment."""


class OtherHistory(Outage):
    """The database holds another history than before. That it grows to the same length heals nothing."""

    def __init__(self) -> None:
        super().__init__("the database holds another history than before: restart the server")


@dataclass(frozen=True, slots=True)
class State:
    """Where a database stands. `epoch` names its history; empty before it was given one."""

    epoch: str
    revision: int
    floor: int
    now_us: int | None = None  # wall time, if it is the database that sets the servers' clocks

    def check_continues(self, known: State) -> None:
        """Raises OtherHistory or Outage unless what came after `known` can be read here."""
        if self.epoch != known.epoch or self.revision < known.revision:
            raise OtherHistory
        if self.floor > known.revision:
            raise Outage(FELL_BEHIND)


class Database(ABC):
    """One database: how to connect, to begin and to undo, and which errors mean that it is away."""

    readers: AsyncEngine
    is_shared = False  # whether other servers may write to it, too

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
    def carry_mark(self, mark: str) -> Sequence[sa.Executable]:
        """Returns the statements that have the database carry this mark, and not the last one."""

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

    def check(self, connection: sa.Connection) -> None:  # noqa: B027 - for those that undo by themselves
        """Raises if the database has undone the transaction, and would take its commit without a word."""

    def announce(self, connection: sa.Connection, news: Sequence[str]) -> None:  # noqa: B027 - if shared
        """Has the commit tell other servers the news, and that there may be more in the log."""

    @abstractmethod
    def advance(self, connection: sa.Connection, revision: int) -> None:
        """Makes this the last revision."""

    @abstractmethod
    def select(
        self,
        connection: sa.Connection,
        table: sa.Table,
        columns: tuple[str, ...],
        by: tuple[str, ...],
        keys: Collection[tuple[str, ...]],
    ) -> list[tuple[Any, ...]]:
        """Returns these columns of the rows with these keys: values of the columns `by`, which are unique
        together.
        """

    @abstractmethod
    def rows(
        self, connection: sa.Connection, statement: sa.Select[Any], parameters: Mapping[str, Any]
    ) -> list[tuple[Any, ...]]:
        """Returns the rows of a statement that is kept, and run again and again with other parameters."""

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
    def update_many(
        self,
        connection: sa.Connection,
        table: sa.Table,
        columns: tuple[str, ...],
        rows: Sequence[tuple[Any, ...]],
    ) -> None:
        """Sets columns of resources' rows. A row ends with the key of the resource, which is no column."""

    @abstractmethod
    def upsert_many(
        self,
        connection: sa.Connection,
        table: sa.Table,
        columns: tuple[str, ...],
        rows: Sequence[tuple[Any, ...]],
    ) -> None:
        """Inserts rows of these columns, or replaces those whose primary key exists."""

    @abstractmethod
    def upsert(self, table: sa.Table, columns: tuple[str, ...], growing: str = "") -> sa.Insert:
        """Returns the statement that inserts rows, or replaces those whose primary key exists.

        One that has more in the column `growing` stays.
        """

    @abstractmethod
    def is_outage(self, error: BaseException) -> bool:
        """Returns whether `error` says that the database is away, not that a statement is wrong."""

    @abstractmethod
    def probe(self, *, can_write: bool) -> State:
        """Looks at the database from outside, over a fresh connection; raises when it is away.

        `can_write` asks whether it takes writes too, which disturbs other writers.
        """

    async def announcements(self) -> AsyncGenerator[Sequence[str], None]:
        """Yields the news of other servers' commits, none for the log alone. Ends or raises when the
        connection is lost.
        """
        return
        yield

    async def close(self) -> None:
        """Closes the connections of readers; the next read opens new ones."""
        await self.readers.dispose()


def replacing(
    insert: sqlite.Insert | postgresql.Insert, columns: tuple[str, ...], growing: str
) -> sa.Insert:
    """Returns the statement that inserts these columns, or replaces them in the row whose primary key exists,
    unless that one has more in the column `growing`.
    """
    primary = [column.name for column in insert.table.primary_key]
    changed = {name: insert.excluded[name] for name in columns if name not in primary}
    if not changed:
        return insert.on_conflict_do_nothing(index_elements=primary)
    is_older = insert.table.c[growing] < insert.excluded[growing] if growing else None
    return insert.on_conflict_do_update(index_elements=primary, set_=changed, where=is_older)


def rule_of(upsert: sa.Insert, dialect: sa.Dialect) -> str:
    """Returns what such a statement does about rows that exist, as it is written behind an insert."""
    _, conflict, rule = str(upsert.compile(dialect=dialect)).partition(" ON CONFLICT ")
    return conflict + rule


@lru_cache(maxsize=64)
def text_of(statement: sa.Select[Any], dialect: sa.Dialect) -> tuple[str, dict[str, Any]]:
    """Returns a statement as a driver takes it, and those of its parameters that are known."""
    compiled = statement.compile(dialect=dialect)
    wanted = {name for name, bind in compiled.binds.items() if bind.required}
    known = {name: value for name, value in compiled.params.items() if name not in wanted}
    return str(compiled), known


def connect_to(url: str, limits: Limits, data_dir: Path | None = None) -> Database:
    """Returns the database that `url` names.

    A server keeps in `data_dir` what it must remember of a database that lies elsewhere.
    """
    parsed = sa.make_url(url)
    # Each is slow to import, and a server uses one.
    match parsed.get_backend_name():
        case "sqlite":
            from novasphere_server.store.sqlite import Sqlite

            return Sqlite(parsed, limits)
        case "postgresql" | "postgres":
            from novasphere_server.store.postgresql import Postgresql

            return Postgresql(parsed, limits, data_dir)
        case name:
            raise ValueError(
                f"no support for {name} databases; use sqlite:////path/to/file "
                "or postgresql://user@host:5432/database"
            )
