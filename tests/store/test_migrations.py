"""Migrations: from nothing, from any version, in one transaction, and never backwards."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command as alembic_command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from google.protobuf import timestamp_pb2
from novasphere.api.v1 import options_pb2
from novasphere.node.v1 import command_pb2, node_pb2
from novasphere.schedule.v1 import agent_pb2, schedule_pb2, task_pb2
from novasphere_server.core.commands import command_with_result
from novasphere_server.store import database, migrations, tables
from novasphere_server.store.kinds import NODES, SCHEDULES, TASKS
from novasphere_server.store.limits import Limits
from novasphere_server.store.migrations import DatabaseTooNew
from store_samples import put_node


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database without any table."""
    if request.param == "postgresql":
        return request.getfixturevalue("postgres").empty_database()
    return f"sqlite:///{tmp_path}/novasphere.db"


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


def command(name: str, **fields: Any) -> command_pb2.Command:
    """Returns a command as it was stored before there were tasks."""
    made_at = timestamp_pb2.Timestamp(seconds=1_800_000_000)
    return command_pb2.Command(
        id=7,
        command_id=f"cmd-{name * 32}",
        command_text="uptime",
        target_node_id="n1",
        node_uid="u1",
        created_at=made_at,
        timeout_seconds=30,
        queue_timeout_seconds=60,
        namespace="commands",
        **fields,
    )


ENDED = command_pb2.CommandWithResult(
    command=command(
        "a",
        state=command_pb2.COMMAND_STATE_FAILED,
        status=command_pb2.COMMAND_STATUS_FAILED,
        reason="EXIT_CODE",
        reason_message="exit code 3",
        attempt=1,
        exit_code=3,
        revision=2,
        dispatched_at=timestamp_pb2.Timestamp(seconds=1_800_000_001),
        started_at=timestamp_pb2.Timestamp(seconds=1_800_000_002),
        completed_at=timestamp_pb2.Timestamp(seconds=1_800_000_003),
        cancel_requested=True,
        cancel_requested_by="key:x",
        cancel_requested_at=timestamp_pb2.Timestamp(seconds=1_800_000_002),
    ),
    result=command_pb2.CommandResult(
        id=5,
        command_id=f"cmd-{'a' * 32}",
        stdout="out",
        stderr="err",
        exit_code=3,
        execution_time_ms=1000,
        created_at=timestamp_pb2.Timestamp(seconds=1_800_000_003),
        stdout_bytes=3,
        stderr_bytes=3,
        stderr_truncated=True,
    ),
)
LOST = command_pb2.CommandWithResult(
    command=command(
        "b",
        state=command_pb2.COMMAND_STATE_LOST,
        status=command_pb2.COMMAND_STATUS_FAILED,
        reason="LOST",
        reason_message="gone",
        attempt=2,
        revision=3,
        completed_at=timestamp_pb2.Timestamp(seconds=1_800_000_009),
        run_deadline=timestamp_pb2.Timestamp(seconds=1_800_000_008),
    ),
    late_result=command_pb2.LateResult(
        exit_code=0, message="late", received_at=timestamp_pb2.Timestamp(seconds=1_800_000_010)
    ),
)
WAITING = command_pb2.CommandWithResult(
    command=command(
        "c",
        state=command_pb2.COMMAND_STATE_PENDING,
        status=command_pb2.COMMAND_STATUS_PENDING,
        revision=1,
    )
)


@pytest.mark.parametrize("old", [ENDED, LOST, WAITING], ids=["ended", "lost", "waiting"])
async def test_commands_become_tasks_and_read_as_before(
    open_store, store_url: str, monkeypatch: pytest.MonkeyPatch, old: command_pb2.CommandWithResult
):
    with connected(store_url) as connection:
        config = migrations._config()
        config.attributes["connection"] = connection
        alembic_command.upgrade(config, "0004")
        key, revision = old.command.command_id, old.command.revision
        connection.execute(
            sa.text(
                "INSERT INTO commands (id, key, revision, body, namespace, node_id, node_uid, status, state, "
                "attempt, fencing_token, cancel_requested, created_at_us, queue_deadline_us) VALUES "
                "(7, :key, :revision, :body, 'commands', 'n1', 'u1', 1, :state, 1, 44, :no, 1, 1)"
            ),
            {
                "key": key,
                "revision": revision,
                "body": old.SerializeToString(),
                "state": old.command.state,
                "no": False,
            },
        )
        connection.execute(
            sa.text(
                'INSERT INTO changes (revision, "index", kind, key, namespace, type, after, at_us) '
                "VALUES (:revision, 0, 'command', :key, 'commands', 1, :body, 1)"
            ),
            {"key": key, "revision": revision, "body": old.SerializeToString()},
        )
        connection.execute(sa.text("UPDATE revision SET value = 3, floor = 0"))
        connection.execute(
            sa.text(
                'INSERT INTO output_chunks (command_id, attempt, position, stream, "offset", data) '
                "VALUES (:key, 1, 0, 1, 0, :data)"
            ),
            {"key": key, "data": b"out"},
        )
    store = await open_store()
    found = await store.get(TASKS, key)
    assert found is not None
    assert command_with_result(found.message()) == old
    [row] = await store.read(sa.select(tables.tasks))
    assert (row.fencing_token, row.state, row.node_uid, row.pinned_node_id) == (
        44,
        old.command.state,
        "u1",
        "n1",
    )
    [change] = await store.read(sa.select(tables.changes).where(tables.changes.c.kind == "task"))
    assert (change.key, change.before, change.after) == (key, None, row.body)
    [chunk] = await store.read(sa.select(tables.output_chunks))
    assert (chunk.run_id, chunk.data) == (key, b"out")
    await store.selfcheck.run()
    assert store.selfcheck.mismatches == 0


async def test_nodes_of_before_are_found_as_agents(open_store, store_url: str):
    node = node_pb2.Node(id=7, node_id="n1", uid="u1", status=node_pb2.NODE_STATUS_OFFLINE, revision=1)
    node.offline_faces.append(options_pb2.FACE_SCHEDULES)
    node.updated_at.FromSeconds(1_800_000_000)
    with connected(store_url) as connection:
        config = migrations._config()
        config.attributes["connection"] = connection
        alembic_command.upgrade(config, "0007")
        connection.execute(
            sa.text(
                "INSERT INTO nodes (id, key, revision, body, uid, status, connection, role, registered_at_us) "
                "VALUES (7, 'n1', 1, :body, 'u1', 2, 3, 'worker', 1)"
            ),
            {"body": node.SerializeToString()},
        )
    store = await open_store()
    [row] = await store.read(sa.select(tables.nodes))
    found = {
        name: value for name, value in row._mapping.items() if name.startswith(("agent", "updated"))
    }
    assert found == {name: value for name, value in NODES.columns(node).items() if name in found}
    assert (found["agent_name"], found["agent_status"]) == ("n1", agent_pb2.AGENT_STATUS_OFFLINE)


async def test_nodes_of_before_are_known_by_what_they_run(open_store, store_url: str):
    nodes = [
        node_pb2.Node(id=number, node_id=f"n{number}", uid=f"u{number}", capabilities=capabilities)
        # More than are read at once.
        for number, capabilities in enumerate([[], ["shell", "echo"], *([["echo\0\n"]] * 300)])
    ]
    with connected(store_url) as connection:
        config = migrations._config()
        config.attributes["connection"] = connection
        alembic_command.upgrade(config, "0015")
        for node in nodes:
            row = {"id": node.id, "key": node.node_id, "uid": node.uid}
            insert(connection, "nodes", row | {"body": node.SerializeToString()})
    store = await open_store()
    columns = ("capabilities", "capabilities_sha256")
    rows = await store.read(sa.select(*(tables.nodes.c[name] for name in columns)).order_by("id"))
    assert [row._asdict() for row in rows] == [
        {name: NODES.columns(node)[name] for name in columns} for node in nodes
    ]


async def test_tasks_of_before_have_the_type_that_is_printed_of_them(open_store, store_url: str):
    configs = {
        "command": task_pb2.TaskConfig(command_text="true"),
        "exec": task_pb2.TaskConfig(cmd="python"),
        "echo": task_pb2.TaskConfig(task_type="echo"),
    }
    with connected(store_url) as connection:
        config = migrations._config()
        config.attributes["connection"] = connection
        alembic_command.upgrade(config, "0009")
        for number, kept in enumerate(configs.values(), 1):
            stored = task_pb2.StoredTask(task=task_pb2.Task(id=str(number), number=number, config=kept))
            row = {"key": str(number), "revision": 1, "body": stored.SerializeToString()}
            insert(connection, "tasks", row | {"id": number, "task_type": kept.task_type})
    store = await open_store()
    rows = await store.read(sa.select(tables.tasks.c.task_type).order_by(tables.tasks.c.id))
    assert [row.task_type for row in rows] == list(configs)


def at(seconds: int) -> timestamp_pb2.Timestamp:
    return timestamp_pb2.Timestamp(seconds=seconds)


async def test_tasks_of_before_are_found_by_what_they_print(open_store, store_url: str):
    """The second attempt of a task that one node alone may run, and the first beside it."""
    task = task_pb2.Task(
        id="1",
        number=1,
        node_id="n1",
        node_uid="u1",
        reason="EXIT_CODE",
        state=task_pb2.WORK_STATE_FAILED,
    )
    task.started_at.CopyFrom(at(2))
    task.completed_at.CopyFrom(at(9))
    instance = task_pb2.TaskInstance(id="i2", attempt=2, reason="EXIT_CODE", error_message="exit code 3")
    for name, seconds in {"created_at": 5, "started_at": 6, "updated_at": 9, "completed_at": 9}.items():
        getattr(instance, name).CopyFrom(at(seconds))
    stored = task_pb2.StoredTask(task=task, instance=instance)
    past = task_pb2.StoredTask(instance=task_pb2.TaskInstance(id="i1", reason="SIGNAL"))
    schedule = schedule_pb2.Schedule(id="s", timezone="Asia/Tokyo", pause_note="mend")
    with connected(store_url) as connection:
        config = migrations._config()
        config.attributes["connection"] = connection
        alembic_command.upgrade(config, "0011")
        times = {"started_at_us": 6_000_000, "completed_at_us": 9_000_000}
        kept = {"instance_id": "i1", "body": past.SerializeToString()}
        insert(connection, "past_instances", kept)
        for table, message in (("tasks", stored), ("schedules", schedule)):
            row = {"id": 1, "key": "k", "body": message.SerializeToString()}
            insert(connection, table, row | (times if table == "tasks" else {}))
    store = await open_store()
    for table, kind, message in (
        (tables.tasks, TASKS, stored),
        (tables.schedules, SCHEDULES, schedule),
    ):
        [row] = await store.read(sa.select(table))
        wanted = kind.fixed(message) | kind.columns(message)
        new = {name for name in wanted if table.c[name].nullable} - {"description"}
        assert {name: row._mapping[name] for name in new} == {name: wanted[name] for name in new}
    found = await store.read(sa.select(tables.task_instances).order_by("reason"))
    assert [(row.reason, row.error_message, row.created_at_us) for row in found] == [
        ("EXIT_CODE", "exit code 3", 5_000_000),
        ("SIGNAL", None, 0),
    ]


async def test_a_task_of_before_that_waits_again_is_its_last_nodes(open_store, store_url: str):
    with connected(store_url) as connection:
        config = migrations._config()
        config.attributes["connection"] = connection
        alembic_command.upgrade(config, "0012")
        states = (task_pb2.WORK_STATE_PENDING, task_pb2.WORK_STATE_SUCCEEDED)
        for number, (state, node_id) in enumerate(zip(states, ("", "n1"), strict=True), 1):
            row = {"id": number, "key": str(number), "state": state, "body": b""}
            insert(connection, "tasks", row | {"node_id": node_id, "instance_node_id": "n1"})
    store = await open_store()
    for table in (tables.tasks, tables.task_instances):
        rows = await store.read(sa.select(table.c.node_id))
        assert [row.node_id for row in rows] == ["n1", "n1"]


NOTHING: dict[type, Any] = {bool: False, bytes: b"", int: 0, str: ""}


def insert(connection: sa.Connection, name: str, values: dict[str, Any]) -> None:
    """Inserts a row into a table as it was, with nothing in the other columns that must be set."""
    table = sa.Table(name, sa.MetaData(), autoload_with=connection)
    row: dict[str, Any] = {}
    for column in table.columns:
        if not column.nullable and column.server_default is None:
            row[column.name] = NOTHING[column.type.python_type]
    connection.execute(sa.insert(table).values(row | values))


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
    url = postgres.empty_database()
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
