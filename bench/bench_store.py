"""G6: durable creates at the store against the SQLAlchemy ORM with a transaction a row.

Both sides run 64 callers over a SQLite file of their own with WAL and synchronous=FULL. A create
checks that the name is free, takes the next number and stores the row. The store also writes the
revision log and feeds cache and watchers, which the baseline has none of. `python -m bench.bench_store`.
"""

from __future__ import annotations

import asyncio
import itertools
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import sqlalchemy as sa
import uvloop
from novasphere.node.v1 import command_pb2
from novasphere_server.clock import SystemClock
from novasphere_server.store.kinds import COMMANDS
from novasphere_server.store.store import Store
from novasphere_server.store.transactions import Transaction
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from bench import measure

CALLERS = 64
SECONDS = 1.5  # of each measurement
GOAL = 20.0

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
    created_at_us: Mapped[int]


def _example(number: int) -> command_pb2.CommandWithResult:
    stored = command_pb2.CommandWithResult()
    command = stored.command
    command.command_text = "uptime && df -h && free -m " * 4
    command.target_node_id = f"node-{number:03}"
    command.node_uid = f"{number:032x}"
    command.namespace = "commands"
    command.status = command_pb2.COMMAND_STATUS_PENDING
    command.state = command_pb2.COMMAND_STATE_PENDING
    command.timeout_seconds = 30
    command.queue_timeout_seconds = 86400
    return stored


_EXAMPLES = [_example(number) for number in range(50)]  # one a node


def _command(number: int) -> command_pb2.CommandWithResult:
    stored = command_pb2.CommandWithResult()
    stored.CopyFrom(_EXAMPLES[number % len(_EXAMPLES)])
    stored.command.command_id = f"cmd-{number:032x}"
    stored.command.created_at.FromMicroseconds(_clock.now_us())
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


async def _store_rate(folder: Path, seconds: float) -> float:
    store = await Store.open(f"sqlite:///{folder}/store.db", clock=_clock)
    try:

        async def create(number: int) -> None:
            stored = _command(number)

            def mutation(transaction: Transaction) -> int:
                if transaction.get(COMMANDS, stored.command.command_id) is not None:
                    raise ValueError(stored.command.command_id)
                stored.command.id = transaction.next_id("command")
                transaction.put(COMMANDS, stored)
                return stored.command.id

            await store.write(mutation)

        await _rate(create, seconds / 5)  # warm
        return await _rate(create, seconds)
    finally:
        await store.close()


async def _orm_rate(folder: Path, seconds: float) -> float:
    engine = create_async_engine(f"sqlite+aiosqlite:///{folder}/orm.db", connect_args={"timeout": 60})

    @sa.event.listens_for(engine.sync_engine, "connect")
    def set_up(connection: Any, _record: Any) -> None:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")

    try:
        async with engine.begin() as connection:
            await connection.run_sync(Base.metadata.create_all)
        sessions = async_sessionmaker(engine, expire_on_commit=False)

        async def create(number: int) -> None:
            stored = _command(number)
            command = stored.command
            session: AsyncSession
            async with sessions() as session:
                taken = sa.select(Command.id).where(Command.key == command.command_id)
                if (await session.execute(taken)).scalar() is not None:
                    raise ValueError(command.command_id)
                session.add(
                    Command(
                        key=command.command_id,
                        revision=number,
                        body=stored.SerializeToString(),
                        namespace=command.namespace,
                        node_id=command.target_node_id,
                        node_uid=command.node_uid,
                        status=command.status,
                        state=command.state,
                        created_at_us=command.created_at.ToMicroseconds(),
                    )
                )
                await session.commit()

        await _rate(create, seconds / 5)
        return await _rate(create, seconds)
    finally:
        await engine.dispose()


async def run(rounds: int = 5) -> list[measure.Result]:
    """Returns G6: per round the ratio of the two rates, which are taken in turns."""
    rates: dict[str, list[float]] = {"store": [], "orm": []}
    sides = {"store": _store_rate, "orm": _orm_rate}
    for number in range(rounds):
        for name in sides if number % 2 == 0 else reversed(sides):
            with tempfile.TemporaryDirectory() as folder:
                # Both on the event loop that the server runs on.
                rate = await asyncio.to_thread(uvloop.run, sides[name](Path(folder), SECONDS))
            rates[name].append(rate)
    return [
        measure.compare(
            "G6",
            f"durable creates at the store, {CALLERS} callers",
            GOAL,
            "SQLAlchemy async ORM, a transaction a row",
            "creates/s",
            rates["store"],
            rates["orm"],
        )
    ]


if __name__ == "__main__":
    measure.show(asyncio.run(run()))
