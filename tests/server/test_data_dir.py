"""The data directory: one owner, and secrets that nobody else reads."""

from __future__ import annotations

import asyncio
import os
import stat
from pathlib import Path

import pytest
from novasphere_server.data_dirs import DataDir, DataDirHeld, DataDirUnusable


async def test_a_second_owner_is_told_who_the_first_is(tmp_path: Path):
    first, second = DataDir(tmp_path / "d"), DataDir(tmp_path / "d")
    await first.acquire()
    with pytest.raises(DataDirHeld, match=f"process {os.getpid()}"):
        await second.acquire(patience=0.1)
    first.release()
    await second.acquire(patience=0.1)
    second.release()


async def test_an_owner_that_is_about_to_end_is_waited_for(tmp_path: Path):
    first, second = DataDir(tmp_path / "d"), DataDir(tmp_path / "d")
    await first.acquire()
    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(second.acquire(patience=5))
        await asyncio.sleep(0)
        assert not waiting.done()
        first.release()
    second.release()


async def test_a_place_that_cannot_be_used_says_so(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DataDirUnusable, match="--data-dir"):
        await DataDir(tmp_path / "file" / "d").acquire()


def test_a_secret_is_made_once_and_readable_by_its_owner_alone(tmp_path: Path):
    made = DataDir(tmp_path).secret("s.token", lambda: "first")
    assert made == "first"
    assert DataDir(tmp_path).secret("s.token", lambda: "second") == "first"
    assert stat.S_IMODE((tmp_path / "s.token").stat().st_mode) == 0o600


def test_a_secret_that_was_told_survives_a_power_cut(tmp_path: Path, monkeypatch):
    synced = []
    fsync = os.fsync

    def note(descriptor: int) -> None:
        path = Path(f"/proc/self/fd/{descriptor}").readlink()
        synced.append((path, (tmp_path / "admin.token").exists()))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", note)
    DataDir(tmp_path).secret("admin.token", lambda: "s3cret")
    assert synced == [(tmp_path / "admin.token.new", False), (tmp_path, True)]


def test_a_secret_that_others_could_read_is_closed(tmp_path: Path):
    path = tmp_path / "s.token"
    path.write_text("open\n")
    path.chmod(0o644)
    assert DataDir(tmp_path).secret("s.token", lambda: "other") == "open"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_an_empty_secret_is_not_taken_for_one(tmp_path: Path):
    (tmp_path / "s.token").touch(0o600)
    with pytest.raises(DataDirUnusable, match="delete it"):
        DataDir(tmp_path).secret("s.token", lambda: "other")
