"""The database, a file, goes away: everybody is told, nothing is invented, and the store finds back."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa
from novasphere_server import errors
from novasphere_server.store import tables
from novasphere_server.store.kinds import NODES
from novasphere_server.store.limits import Limits
from novasphere_server.store.queries import Query
from novasphere_server.store.store import Store
from novasphere_server.store.watches import Watch
from store_samples import Reader, eventually, put_node, row


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "novasphere.db"


@pytest.fixture
def store_url(database: Path) -> str:
    return f"sqlite:///{database}"


@contextmanager
def locked(database: Path) -> Iterator[None]:
    """Another process's exclusive lock."""
    connection = sqlite3.connect(database, isolation_level=None)
    try:
        connection.execute("BEGIN EXCLUSIVE")
        yield
    finally:
        connection.close()


def move(database: Path, folder: Path) -> None:
    """Moves a database with its side files."""
    folder.mkdir(exist_ok=True)
    for file in list(database.parent.glob(f"{database.name}*")):
        file.rename(folder / file.name)


async def assert_unavailable(store: Store) -> None:
    assert not store.is_available
    for attempt in (
        store.get(NODES, "n1"),
        store.list(Query(NODES)),
        store.read(sa.select(tables.meta)),
        store.write(put_node("n9")),
        Reader(store, Watch(NODES)).page(),
    ):
        with pytest.raises(errors.DatabaseUnavailable):
            await attempt


async def test_a_foreign_lock_is_an_error_in_time_and_ends_with_the_lock(open_store, database: Path):
    store = await open_store(lock_timeout=0.2, probe_interval=0.1)
    await store.write(put_node("n1"))
    with locked(database):
        start = time.monotonic()
        with pytest.raises(errors.DatabaseUnavailable):
            await store.write(put_node("n2"))
        assert time.monotonic() - start < 5
        await assert_unavailable(store)
    await eventually(lambda: store.is_available)
    await store.write(put_node("n3"))
    assert [n.message().node_id for n in (await store.list(Query(NODES))).items] == ["n1", "n3"]


async def test_all_that_wait_behind_a_lock_are_answered_together(open_store, database: Path):
    store = await open_store(lock_timeout=1.0, batch_length=1)
    with locked(database):
        start = time.monotonic()
        writes = [store.write(put_node(f"n{n}")) for n in range(20)]
        results = await asyncio.gather(*writes, return_exceptions=True)
        assert time.monotonic() - start < 10  # not twenty times the lock timeout
    assert {type(result) for result in results} == {errors.DatabaseUnavailable}


async def test_by_default_a_lock_is_waited_for_less_than_five_seconds(open_store, database: Path):
    store = await open_store()
    told = sa.text("PRAGMA busy_timeout")
    milliseconds = await store.write(lambda tx: tx.execute(told).scalar_one())
    assert milliseconds == Limits().lock_timeout * 1000 < 5000
    with locked(database):
        start = time.monotonic()
        with pytest.raises(errors.DatabaseUnavailable):
            await store.write(put_node("n1"))
        assert time.monotonic() - start < 15  # SQLite may wait for longer than it is told to


async def test_watches_live_through_an_outage_without_a_hole(open_store, database: Path):
    store = await open_store(lock_timeout=0.1, probe_interval=0.1)
    reader = Reader(store, Watch(NODES))
    await reader.present()
    await store.write(put_node("n1"))
    with locked(database), pytest.raises(errors.DatabaseUnavailable):
        await store.write(put_node("n2"))
    await eventually(lambda: store.is_available)
    await store.write(put_node("n3"))
    assert [row(event)[1:] for event in await reader.until_revision(2)] == [("n1", 1), ("n3", 2)]
    await reader.close()


async def test_a_file_that_vanished_takes_no_more_writes_and_is_noticed(
    open_store, database: Path, tmp_path: Path
):
    store = await open_store(probe_interval=0.1)
    await store.write(put_node("n1"))
    move(database, tmp_path / "aside")
    # An open file that was unlinked would take the write and lose it.
    with pytest.raises(errors.DatabaseUnavailable):
        await store.write(put_node("lost"))
    await assert_unavailable(store)
    move(tmp_path / "aside" / database.name, database.parent)
    await eventually(lambda: store.is_available)
    await store.write(put_node("n2"))
    assert [n.message().node_id for n in (await store.list(Query(NODES))).items] == ["n1", "n2"]


async def test_a_vanished_file_is_noticed_without_a_request(open_store, database: Path, tmp_path: Path):
    store = await open_store(probe_interval=0.05)
    move(database, tmp_path / "aside")
    await eventually(lambda: not store.is_available)
    move(tmp_path / "aside" / database.name, tmp_path)
    await eventually(lambda: store.is_available)


async def test_another_database_in_its_place_is_not_taken_for_it(
    open_store, database: Path, tmp_path: Path
):
    store = await open_store()
    await store.write(put_node("n1"))
    move(database, tmp_path / "aside")
    other = await open_store()
    await other.write(put_node("other"))
    assert await store.check() is False
    assert await store.check() is False
    await assert_unavailable(store)


async def test_a_commit_that_came_through_although_it_was_reported_failed_is_caught_up(
    open_store, monkeypatch: pytest.MonkeyPatch
):
    store = await open_store()
    reader = Reader(store, Watch(NODES))
    await reader.present()
    commit = sa.Connection.commit

    def commit_and_fail(connection: sa.Connection) -> None:
        commit(connection)
        raise OSError("the answer was lost")

    monkeypatch.setattr(sa.Connection, "commit", commit_and_fail)
    with pytest.raises(errors.DatabaseUnavailable):
        await store.write(put_node("n1"))
    monkeypatch.undo()
    assert store.revision == 0
    assert await store.check()
    await store.write(put_node("n2"))
    assert [row(event)[1:] for event in await reader.until_revision(2)] == [("n1", 1), ("n2", 2)]
    assert [n.message().id for n in (await store.list(Query(NODES))).items] == [1, 2]
    await reader.close()


async def test_a_full_disk_is_an_outage_and_not_a_fault_of_the_caller(open_store):
    store = await open_store()
    await store.write(put_node("n1"))
    await store.write(lambda transaction: transaction.execute(sa.text("PRAGMA max_page_count = 1")))
    with pytest.raises(errors.DatabaseUnavailable):
        await store.write(
            lambda transaction: [
                put_node(f"n{n}", hostname="h" * 10_000)(transaction) for n in range(99)
            ]
        )
    assert not store.is_available
    assert await store.check()  # the limit was the connection's, which was given up
    await store.write(put_node("n2"))
    assert [n.message().node_id for n in (await store.list(Query(NODES))).items] == ["n1", "n2"]


async def test_a_wrong_statement_is_no_outage(store: Store):
    with pytest.raises(sa.exc.OperationalError):
        await store.read(sa.text("SELECT * FROM no_such_table"))
    with pytest.raises(sa.exc.OperationalError):
        await store.write(lambda transaction: transaction.execute(sa.text("DELETE FROM no_such_table")))
    assert store.is_available
