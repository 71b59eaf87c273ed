"""Migrations: from nothing, from any version, in one transaction, and never backwards."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from novasphere_server.store import database, migrations, tables
from novasphere_server.store.limits import Limits
from novasphere_server.store.migrations import DatabaseTooNew
from store_samples import put_node


@contextmanager
def connected(url: str) -> Iterator[sa.Connection]:
    engine = sa.create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
    with engine.begin() as connection:
        yield connection
    engine.dispose()


async def test_the_migrations_make_exactly_the_tables(open_store, store_url: str):
    await open_store()
    with connected(store_url) as connection:
        options = {"compare_type": True, "compare_server_default": True}
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, tables.metadata) == []


async def test_what_needs_no_migration_is_told_by_the_newest_one(open_store, store_url: str):
    await open_store()
    with connected(store_url) as connection:
        assert MigrationContext.configure(connection).get_current_revision() == migrations.HEAD
    scripts = ScriptDirectory.from_config(migrations._config())
    assert scripts.get_heads() == [migrations.HEAD]


async def test_opening_again_changes_nothing(open_store):
    first = await open_store()
    await first.write(put_node("n1"))
    await first.close()
    second = await open_store()
    assert (second.epoch, second.revision) == (first.epoch, 1)


async def test_a_failed_migration_leaves_the_database_as_it_was(
    store_url: str, monkeypatch: pytest.MonkeyPatch
):
    def fail(_statement: object) -> None:
        raise OSError("cut off")

    # The last statement of the first schema fails: none of the earlier ones may stay.
    monkeypatch.setattr("alembic.op.execute", fail)
    data = database.connect_to(store_url, Limits())
    with pytest.raises(OSError, match="cut off"):
        data.prepare("epoch")
    monkeypatch.undo()
    with connected(store_url) as connection:
        assert sa.inspect(connection).get_table_names() == []
    assert data.prepare("epoch").epoch == "epoch"
    await data.close()


async def test_a_database_of_a_newer_version_is_left_alone(open_store, store_url: str):
    store = await open_store()
    await store.close()
    with connected(store_url) as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(DatabaseTooNew, match="9999"):
        await open_store()


async def test_servers_that_start_together_on_an_empty_database_take_turns(postgres):
    url = postgres.new_database()
    databases = [database.connect_to(url, Limits()) for _ in range(4)]
    states = await asyncio.gather(
        *(asyncio.to_thread(d.prepare, f"epoch{n}") for n, d in enumerate(databases))
    )
    assert len({state.epoch for state in states}) == 1
    for each in databases:
        await each.close()


@pytest.mark.parametrize(
    "url",
    [
        "sqlite://",
        "sqlite:///:memory:",
        "mysql://host/db",
        "sqlite:////tmp/x.db?synchronous=off",
        "postgresql://host",
    ],
)
def test_a_url_that_cannot_be_served_says_why(url: str):
    with pytest.raises(ValueError, match=r"sqlite:|SQLite|synchronous|postgresql:"):
        database.connect_to(url, Limits())


async def test_the_operator_can_relax_durability_and_nobody_else(tmp_path: Path):
    store_url = f"sqlite:///{tmp_path}/novasphere.db"
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
