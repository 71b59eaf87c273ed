"""Migrations: from nothing, from any version, in one transaction, and never backwards."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from novasphere_server.store import database, tables
from novasphere_server.store.limits import Limits
from novasphere_server.store.migrations import DatabaseTooNew
from store_samples import put_node


async def test_the_migrations_make_exactly_the_tables(open_store, store_url: str):
    await open_store()
    engine = sa.create_engine(store_url)
    with engine.connect() as connection:
        options = {"compare_type": True, "compare_server_default": True}
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, tables.metadata) == []
    engine.dispose()


async def test_opening_again_changes_nothing(open_store):
    first = await open_store()
    await first.write(put_node("n1"))
    await first.close()
    second = await open_store()
    assert (second.epoch, second.revision) == (first.epoch, 1)


async def test_a_failed_migration_leaves_the_database_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    # The last statement of the first schema fails: none of the earlier ones may stay.
    monkeypatch.setattr("alembic.op.execute", lambda _: sqlite3.connect(tmp_path))
    data = database.connect_to(f"sqlite:///{tmp_path}/new.db", Limits())
    with pytest.raises(sqlite3.OperationalError):
        data.prepare("epoch")
    monkeypatch.undo()
    connection = sqlite3.connect(tmp_path / "new.db")
    assert connection.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,)
    connection.close()
    assert data.prepare("epoch").epoch == "epoch"
    await data.close()


async def test_a_database_of_a_newer_version_is_left_alone(open_store, tmp_path: Path):
    store = await open_store()
    await store.close()
    connection = sqlite3.connect(tmp_path / "novasphere.db", isolation_level=None)
    connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    with pytest.raises(DatabaseTooNew, match="9999"):
        await open_store()


@pytest.mark.parametrize(
    "url", ["sqlite://", "sqlite:///:memory:", "mysql://host/db", "sqlite:////tmp/x.db?synchronous=off"]
)
def test_a_url_that_cannot_be_served_says_why(url: str):
    with pytest.raises(ValueError, match=r"sqlite|SQLite|synchronous"):
        database.connect_to(url, Limits())


async def test_the_operator_can_relax_durability_and_nobody_else(open_store, store_url: str):
    relaxed = database.connect_to(f"{store_url}?synchronous=normal", Limits())
    relaxed.prepare("epoch")
    for data, level in ((relaxed, 1), (database.connect_to(store_url, Limits()), 2)):
        connection = data.connect()
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == level
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        connection.close()
        await data.close()


async def test_a_path_may_hold_any_character(tmp_path: Path):
    folder = tmp_path / "a b?c#d%20é"
    folder.mkdir()
    url = sa.URL.create("sqlite", database=str(folder / "n.db")).render_as_string()
    data = database.connect_to(url, Limits())
    assert data.prepare("epoch").epoch == "epoch"
    assert data.probe(can_write=True).revision == 0
    assert (folder / "n.db").exists()
    await data.close()
