"""A database that is put back from a backup: cursors of the lost history are refused, and no others."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from novasphere_server import errors
from novasphere_server.store.kinds import NODES
from novasphere_server.store.sqlite import Sqlite
from novasphere_server.store.store import Store
from novasphere_server.store.watches import Watch, WatchEvent
from store_samples import Reader, put_node

FILES = ("novasphere.db", "novasphere.db-mark")


@pytest.fixture
def store_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / FILES[0]}"


def back_up(folder: Path, to: Path) -> None:
    """What `sqlite3 novasphere.db ".backup FILE"` does, while the server runs."""
    source, copy = sqlite3.connect(folder / FILES[0]), sqlite3.connect(to)
    with source, copy:
        source.backup(copy)
    source.close()
    copy.close()


async def grow(store: Store, *names: str) -> None:
    for name in names:
        await store.write(put_node(name))


@contextmanager
def failing(monkeypatch: pytest.MonkeyPatch, name: str) -> Iterator[None]:
    """Makes a method of the database fail once it has done its work."""
    wrapped = getattr(Sqlite, name)

    def fail_after(*arguments: object) -> None:
        wrapped(*arguments)
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(Sqlite, name, fail_after)
        yield


async def following(store: Store, cursor: str) -> list[WatchEvent]:
    """Returns the first page after the cursor."""
    reader = Reader(store, Watch(NODES, cursor=cursor))
    try:
        return await reader.page()
    finally:
        await reader.close()


async def test_a_clean_stop_leaves_everything_in_the_one_file(open_store, tmp_path: Path):
    store = await open_store()
    await grow(store, "n1")
    await store.close()
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(FILES)


async def test_a_restart_keeps_the_history(open_store):
    store = await open_store()
    for name in ("n1", "n2", "n3"):
        cursor = f"{store.epoch}.{store.revision}"
        await grow(store, name)
        await store.close()
        store = await open_store()
        assert [event.object.message().node_id for event in await following(store, cursor)] == [name]


async def test_a_backup_that_is_put_back_begins_another_history(open_store, tmp_path: Path):
    store = await open_store()
    await grow(store, "n1")
    back_up(tmp_path, tmp_path / "backup")
    await grow(store, "lost1", "lost2")
    lost = f"{store.epoch}.{store.revision}"
    await store.maintain()
    await store.close()
    shutil.copy(tmp_path / "backup", tmp_path / FILES[0])

    store = await open_store()
    await grow(store, "new1", "new2", "new3")  # the new history outgrows the lost one
    with pytest.raises(errors.EpochChanged):
        await following(store, lost)


async def test_a_backup_made_just_before_a_clean_stop_is_known_for_one(open_store, tmp_path: Path):
    store = await open_store()
    await grow(store, "n1")
    back_up(tmp_path, tmp_path / "backup")
    await grow(store, "lost")
    lost = f"{store.epoch}.{store.revision}"
    await store.close()
    shutil.copy(tmp_path / "backup", tmp_path / FILES[0])

    store = await open_store()
    await grow(store, "new1", "new2")
    with pytest.raises(errors.EpochChanged):
        await following(store, lost)


async def test_a_backup_that_is_put_back_elsewhere_begins_another_history(open_store, tmp_path: Path):
    store = await open_store()
    await grow(store, "n1")
    cursor = f"{store.epoch}.0"
    await store.close()
    (tmp_path / FILES[1]).unlink()

    store = await open_store()
    with pytest.raises(errors.EpochChanged):
        await following(store, cursor)


@pytest.mark.parametrize("fails", ["announce_mark", "settle_mark"])
async def test_a_mark_that_could_not_be_changed_keeps_the_history(
    open_store, monkeypatch: pytest.MonkeyPatch, fails: str
):
    store = await open_store()
    await grow(store, "n1")
    cursor = f"{store.epoch}.0"
    await store.close()
    with failing(monkeypatch, fails), pytest.raises(OSError, match="No space"):
        await open_store()

    store = await open_store()
    assert [event.object.message().node_id for event in await following(store, cursor)] == ["n1"]
    await grow(store, "n2")
    with failing(monkeypatch, fails), pytest.raises(OSError, match="No space"):
        await store.maintain()
    await store.close()

    store = await open_store()
    assert len(await following(store, cursor)) == 2


@pytest.mark.parametrize("fails", ["announce_mark", "settle_mark"])
async def test_a_backup_is_known_for_one_after_a_failed_start(
    open_store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails: str
):
    store = await open_store()
    await grow(store, "n1")
    back_up(tmp_path, tmp_path / "backup")
    await grow(store, "lost")
    lost = f"{store.epoch}.{store.revision}"
    await store.maintain()
    await store.close()
    shutil.copy(tmp_path / "backup", tmp_path / FILES[0])
    with failing(monkeypatch, fails), pytest.raises(OSError, match="No space"):
        await open_store()

    store = await open_store()
    await grow(store, "new1", "new2")
    with pytest.raises(errors.EpochChanged):
        await following(store, lost)


async def test_a_backup_that_is_put_back_while_the_server_runs_is_not_taken_for_its_own(
    open_store, tmp_path: Path
):
    store = await open_store()
    await grow(store, "n1")
    back_up(tmp_path, tmp_path / "backup")
    await store.maintain()
    await grow(store, "lost")
    lost = f"{store.epoch}.{store.revision}"
    for side_file in ("novasphere.db-wal", "novasphere.db-shm"):
        (tmp_path / side_file).unlink()
    (tmp_path / "backup").replace(tmp_path / FILES[0])
    with pytest.raises(errors.DatabaseUnavailable):
        await store.maintain()
    await store.close()

    store = await open_store()
    await grow(store, "new1", "new2")
    with pytest.raises(errors.EpochChanged):
        await following(store, lost)


async def test_the_file_is_its_owners_alone(store: Store, tmp_path: Path):
    await store.write(put_node("n1"))
    modes = {file.name: file.stat().st_mode & 0o777 for file in os.scandir(tmp_path)}
    assert set(modes.values()) == {0o600}, modes
