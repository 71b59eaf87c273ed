"""A server whose database was put back from a backup has its machines back."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import pytest
from processes import control_plane

pytestmark = [pytest.mark.fault, pytest.mark.timeout(400)]


async def test_agents_are_let_in_after_a_backup_was_put_back(tmp_path: Path) -> None:
    async with control_plane(tmp_path) as plane:
        await plane.add_agent()
        database = plane.data_dir / "novasphere.db"
        with sqlite3.connect(database) as source, sqlite3.connect(tmp_path / "backup") as copy:
            source.backup(copy)
        source.close()
        copy.close()
        await plane.restart()  # the agent gets a session that the backup does not know
        assert (await plane.novasphere("exec", "node-001", "--", "true", within=150))[0] == 0
        await plane.server.terminate()
        shutil.copy(tmp_path / "backup", database)

        await plane.start()
        code, stdout, stderr = await plane.novasphere("exec", "node-001", "--", "echo back", within=150)
        assert (code, stdout) == (0, "back\n"), stderr
