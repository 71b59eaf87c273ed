from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from processes import ControlPlane, control_plane


@pytest.fixture
async def plane(tmp_path: Path) -> AsyncIterator[ControlPlane]:
    """A running server without agents."""
    async with control_plane(tmp_path) as running:
        yield running
