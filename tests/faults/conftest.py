from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from networks import Network, network_or_skip
from pairs import Pair, pair_of_servers
from postgresql import PostgresServer
from processes import ControlPlane, control_plane

OFTEN = {"NOVASPHERE_LIMITS_BOOKMARK_INTERVAL": "0.5"}


@pytest.fixture
async def plane(tmp_path: Path) -> AsyncIterator[ControlPlane]:
    """A running server without agents."""
    async with control_plane(tmp_path) as running:
        yield running


@pytest.fixture
async def pair(tmp_path: Path, postgres: PostgresServer) -> AsyncIterator[Pair]:
    """Two servers on one database, without agents."""
    async with pair_of_servers(tmp_path, postgres.new_database(), **OFTEN) as running:
        yield running


@pytest.fixture
def network() -> Iterator[Network]:
    """A way between a server and one agent, good to begin with."""
    yield from network_or_skip()
