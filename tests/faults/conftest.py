from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from networks import Network, network_or_skip
from processes import ControlPlane, control_plane


@pytest.fixture
async def plane(tmp_path: Path) -> AsyncIterator[ControlPlane]:
    """A running server without agents."""
    async with control_plane(tmp_path) as running:
        yield running


@pytest.fixture
def network() -> Iterator[Network]:
    """A way between a server and one agent, good to begin with."""
    yield from network_or_skip()
