"""G6: durable creates at the store against the SQLAlchemy ORM with a transaction a row.

Both sides run 64 callers, over a SQLite file of their own with WAL and synchronous=FULL, and over a database of
their own on one PostgreSQL server with fsync. A create
checks that the name is free, takes the next number and stores the row. The store also writes the
revision log and feeds cache and watchers, which the baseline has none of. `python -m bench.bench_store`.
"""

from __future__ import annotations

import asyncio
import itertools
import sys
import tempfile
import time
import uuid
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
import uvloop
from novasphere.schedule.v1 import task_pb2
from novasphere_server.clock import SystemClock
from novasphere_server.store.kinds import TASKS
from novasphere_server.store.store import Store
from novasphere_server.store.transactions import Transaction
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from bench import measure

CALLERS = 64
SECONDS = 1.5  # of each measurement
SQLITE_GOAL = 20.0
POSTGRESQL_GOAL = 10.0
CONNECTIONS = 16  # of the ORM to PostgreSQL

# The server of the tests: there is one way to start PostgreSQL.
sys.path.append(str(Path(__file__).parent.parent / "tests" / "lib"))

_clock = SystemClock()
_numbers = itertools.count()


class Base(DeclarativeBase):
    """The baseline's tables."""


class Command(Base):
    """What the baseline stores: the same typed columns, and as many bytes."""

    __tablename__ = "commands"
    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(unique=True)
    revision: Mapped[int]
    body: Mapped[bytes]
    namespace: Mapped[str]
    node_id: Mapped[str] = mapped_column(index=True)
    node_uid: Mapped[str]
    status: Mapped[int]
    state: Mapped[int] = mapped_column(index=True)
    created_at_us: Mapped[int] = mapped_column(sa.BigInteger)


def _example(number: int) -> task_pb2.StoredTask:
    stored = task_pb2.StoredTask()
    task = stored.task
    task.config.command_text = "uptime && df -h && free -m " * 4
    task.config.timeout_seconds = 30
    task.config.queue_timeout_seconds = 86400
    task.node_id = f"node-{number:03}"
    task.node_uid = f"{number:032x}"
    task.namespace_id = "commands"
    task.status = task_pb2.TASK_STATUS_PENDING
    task.state = task_pb2.WORK_STATE_PENDING
    return stored


_EXAMPLES = [_example(number) for number in range(50)]  # one a node


def _task(number: int) -> task_pb2.StoredTask:
    stored = task_pb2.StoredTask()
    stored.CopyFrom(_EXAMPLES[number % len(_EXAMPLES)])
    stored.task.id = str(uuid.UUID(int=number))
    stored.task.created_at.FromMicroseconds(_clock.now_us())
    return stored


async def _rate(create: Callable[[int], Awaitable[Any]], seconds: float) -> float:
    """Returns how many creates a second 64 callers get done."""
    done = 0
    deadline = time.perf_counter() + seconds

    async def call() -> None:
        nonlocal done
        while time.perf_counter() < deadline:
            await create(next(_numbers))
            done += 1

    start = time.perf_counter()
    await asyncio.gather(*(call() for _ in range(CALLERS)))
    return done / (time.perf_counter() - start)


async def _store_rate(url: str, seconds: float) -> float:
    store = await Store.open(url, clock=_clock)
    try:

        async def create(number: int) -> None:
            stored = _task(number)

            def mutation(transaction: Transaction) -> int:
                if transaction.get(TASKS, run_id) is not None:
                    raise ValueError(run_id)
                stored.task.number = transaction.next_id("tasks")
                transaction.put(TASKS, stored)
                return stored.task.number

            run_id = TASKS.key(stored)
            await store.write(mutation, reads=[(TASKS, run_id)])

        await _rate(create, seconds / 5)  # warm
        return await _rate(create, seconds)
    finally:
        await store.close()


def _orm_engine(url: str) -> AsyncEngine:
    if url.startswith("postgresql:"):
        return create_async_engine(
            url.replace("postgresql:", "postgresql+psycopg:"), pool_size=CONNECTIONS, max_overflow=0
        )
    engine = create_async_engine(
        url.replace("sqlite:", "sqlite+aiosqlite:"), connect_args={"timeout": 60}
    )

    @sa.event.listens_for(engine.sync_engine, "connect")
    def set_up(connection: Any, _record: Any) -> None:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")

    return engine


async def _orm_rate(url: str, seconds: float) -> float:
    engine = _orm_engine(url)
    try:
        async with engine.begin() as connection:
            await connection.run_sync(Base.metadata.create_all)
        sessions = async_sessionmaker(engine, expire_on_commit=False)

        async def create(number: int) -> None:
            stored = _task(number)
            task, run_id = stored.task, TASKS.key(stored)
            session: AsyncSession
            async with sessions() as session:
                taken = sa.select(Command.id).where(Command.key == run_id)
                if (await session.execute(taken)).scalar() is not None:
                    raise ValueError(run_id)
                session.add(
                    Command(
                        key=run_id,
                        revision=number,
                        body=stored.SerializeToString(),
                        namespace=task.namespace_id,
                        node_id=task.node_id,
                        node_uid=task.node_uid,
                        status=task.status,
                        state=task.state,
                        created_at_us=task.created_at.ToMicroseconds(),
                    )
                )
                await session.commit()

        await _rate(create, seconds / 5)
        return await _rate(create, seconds)
    finally:
        await engine.dispose()


@contextmanager
def _sqlite() -> Iterator[Callable[[], str]]:
    """Yields what names a new database."""
    numbers = itertools.count()
    with tempfile.TemporaryDirectory() as folder:
        yield lambda: f"sqlite:///{folder}/{next(numbers)}.db"


@contextmanager
def _postgresql() -> Iterator[Callable[[], str]]:
    """The same on a server of our own, with fsync. Raises measure.Unavailable."""
    import postgresql

    programs = postgresql.programs()
    if programs is None:
        raise measure.Unavailable(postgresql.MISSING)
    server = postgresql.PostgresServer(programs, fsync=True)
    try:
        yield server.new_database
    finally:
        server.remove()


def _compare(name: str, goal: float, new_database: Callable[[], str], rounds: int) -> measure.Row:
    """Returns per round the ratio of the two rates, which are taken in turns."""
    rates: dict[str, list[float]] = {"store": [], "orm": []}
    sides = {"store": _store_rate, "orm": _orm_rate}
    for number in range(rounds):
        for side in sides if number % 2 == 0 else reversed(sides):
            # Both on the event loop that the server runs on.
            rates[side].append(uvloop.run(sides[side](new_database(), SECONDS)))
    return measure.compare(
        "G6",
        f"durable creates at the store, {CALLERS} callers, {name}",
        goal,
        "SQLAlchemy async ORM, a transaction a row",
        "creates/s",
        rates["store"],
        rates["orm"],
    )


def run(rounds: int = 5) -> list[measure.Row]:
    """Returns G6, of both databases."""
    rows: list[measure.Row] = []
    with _sqlite() as new_database:
        rows.append(_compare("SQLite", SQLITE_GOAL, new_database, rounds))
    try:
        with _postgresql() as new_database:
            rows.append(_compare("PostgreSQL", POSTGRESQL_GOAL, new_database, rounds))
    except measure.Unavailable as error:
        rows.append(measure.Unmeasured("G6", f"PostgreSQL: {error}"))
    return rows


if __name__ == "__main__":
    measure.show(run())
