"""A whole server in a test: real listeners on free ports, real SQLite, a clock that the test moves."""

from __future__ import annotations

import functools
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc.aio
import sqlalchemy as sa

from novasphere_server.app import App
from novasphere_server.clock import SystemClock
from novasphere_server.settings import Address, Settings
from novasphere_server.store import migrations
from novasphere_server.store.store import Store

ANY_PORT = Address("127.0.0.1", 0)


class MovableClock(SystemClock):
    """Runs like the machine's clocks, from where the test has moved it to."""

    def __init__(self) -> None:
        super().__init__()
        self._ahead = 0.0

    def now_us(self) -> int:
        return super().now_us() + round(self._ahead * 1e6)

    def monotonic(self) -> float:
        return super().monotonic() + self._ahead

    def follow(self, now_us: int) -> None:
        """Stays where the test has moved it to, whatever the database says."""

    def advance(self, seconds: float) -> None:
        self._ahead += seconds


@dataclass(frozen=True, slots=True)
class RunningServer:
    """A server that runs, and how to reach it."""

    app: App
    clock: MovableClock

    @property
    def store(self) -> Store:
        return self.app.store

    @property
    def admin_token(self) -> str:
        return self.app.admin_token

    @property
    def join_token(self) -> str:
        return self.app.join_token

    @property
    def http_url(self) -> str:
        return f"http://{self.app.http_address}"

    @property
    def grpc_address(self) -> str:
        return str(self.app.grpc_address)

    def authorization(self, token: str | None = None) -> Sequence[tuple[str, str]]:
        """Returns the metadata that proves a caller: the administrator unless another token is given."""
        return (("authorization", f"Bearer {self.admin_token if token is None else token}"),)

    def channel(self) -> grpc.aio.Channel:
        """Returns a new channel to the server; use it with `async with`."""
        return grpc.aio.insecure_channel(self.grpc_address)


@functools.cache
def _migrated() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "novasphere.db"
        engine = sa.create_engine(f"sqlite:///{path}")
        with engine.begin() as connection:
            migrations.upgrade(connection)
        engine.dispose()
        return path.read_bytes()


def new_database(path: Path) -> None:
    """Makes `path` an SQLite database with every table and nothing in them, unless there is one.

    The first start of a server would make the same. But that takes longer than most tests do, and this copies.
    """
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(_migrated())


@asynccontextmanager
async def running_server(
    data_dir: Path, *, clock: MovableClock | None = None, **overrides: Any
) -> AsyncIterator[RunningServer]:
    """Runs a server on free ports until the block ends. `overrides` are fields of Settings."""
    clock = clock or MovableClock()
    settings = Settings(
        **{
            "data_dir": data_dir / "server",
            "http": ANY_PORT,
            "grpc": ANY_PORT,
            "drain_seconds": 5.0,
            **overrides,
        }
    )
    if "database_url" not in overrides:
        new_database(settings.data_dir / "novasphere.db")
    async with App(settings, clock=clock) as app:
        yield RunningServer(app, clock)
