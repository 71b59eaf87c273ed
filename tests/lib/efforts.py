"""How much the database and the writer have to do, in terms that are the same on every machine."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from novasphere_server.store.store import Store
from novasphere_server.store.transactions import Transaction
from sqlalchemy.dialects import sqlite

_EVERY = 10  # steps of SQLite's machine between two looks


@dataclass
class Effort:
    steps: int = 0  # of SQLite's machine
    calls: int = 0  # of functions in Python


@asynccontextmanager
async def effort_of_writer(store: Store) -> AsyncIterator[Effort]:
    """Counts what the writer's thread does meanwhile, on SQLite."""
    effort = Effort()

    def step() -> int:
        effort.steps += _EVERY
        return 0

    def profile(_frame: Any, event: str, _argument: Any) -> None:
        effort.calls += event == "call"

    def begin(tx: Transaction) -> None:
        _connection(tx).set_progress_handler(step, _EVERY)
        sys.setprofile(profile)

    def end(tx: Transaction) -> None:
        _connection(tx).set_progress_handler(None, 0)
        sys.setprofile(None)

    await store.write(begin)
    try:
        yield effort
    finally:
        await store.write(end)


async def plan_of(store: Store, statement: sa.Select[Any]) -> list[str]:
    """Returns how SQLite goes about a statement, step by step."""
    text = statement.compile(dialect=sqlite.dialect(), compile_kwargs={"literal_binds": True})
    return [row.detail for row in await store.read(sa.text(f"EXPLAIN QUERY PLAN {text}"))]


def _connection(tx: Transaction) -> Any:
    return tx.execute(sa.text("SELECT 1")).connection.connection.driver_connection
