"""One suite for every database: what holds for the store is tested over each `store_url`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from novasphere_server.loops.supervisor import Supervisor
from novasphere_server.store.limits import Limits
from novasphere_server.store.store import Store
from store_samples import StandingClock

# Long enough that no loop interferes with a test that does not ask for it.
QUIET = dict.fromkeys(
    (
        "bookmark_interval",
        "maintenance_interval",
        "probe_interval",
        "selfcheck_interval",
        "follow_interval",
    ),
    3600.0,
)

OpenStore = Callable[..., Awaitable[Store]]


@pytest.fixture
def store_url(database_url: str) -> str:
    """The URL of the empty database that the test's stores are opened on."""
    return database_url


@pytest.fixture
def clock() -> StandingClock:
    return StandingClock()


@pytest.fixture
async def open_store(store_url: str, clock: StandingClock, tmp_path: Path) -> AsyncIterator[OpenStore]:
    """Opens stores on the database, with limits by name, and runs their loops until the end.

    Two that are open at once are two servers, if they keep what they remember apart.
    """
    opened: list[Store] = []
    supervisor = Supervisor()

    async def open_(data_dir: Path = tmp_path, **limits: Any) -> Store:
        data_dir.mkdir(exist_ok=True)
        store = await Store.open(
            store_url, clock=clock, limits=Limits(**(QUIET | limits)), data_dir=data_dir
        )
        opened.append(store)
        for name, run in store.loops().items():
            supervisor.start(name, run)
        return store

    yield open_
    await supervisor.stop()
    for store in opened:
        await store.close()


@pytest.fixture
async def store(open_store: OpenStore) -> Store:
    return await open_store()
