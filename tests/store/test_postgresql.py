"""What PostgreSQL adds: several servers on one database, which goes and comes back by itself."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Sequence
from contextlib import aclosing
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa
from novasphere.node.v1 import node_pb2
from novasphere_server import errors
from novasphere_server.store import database, log, tables
from novasphere_server.store import postgresql as dialect
from novasphere_server.store.arrays import arrays
from novasphere_server.store.batches import Commit
from novasphere_server.store.idempotency import Idempotency
from novasphere_server.store.kinds import NODES, TASKS
from novasphere_server.store.limits import Limits
from novasphere_server.store.queries import Query
from novasphere_server.store.store import Store
from novasphere_server.store.transactions import Transaction
from novasphere_server.store.watches import Watch
from postgresql import PostgresServer
from store_samples import (
    GAP,
    Mutation,
    Reader,
    StandingClock,
    delete_node,
    eventually,
    missing,
    put_node,
    put_task,
    row,
    together,
)


@pytest.fixture
def store_url(postgres: PostgresServer) -> str:
    return postgres.new_database()


@pytest.fixture
async def pair(open_store, tmp_path: Path) -> tuple[Store, Store]:
    """Two servers on one database."""
    return await open_store(tmp_path / "a"), await open_store(tmp_path / "b")


# -- revisions


def test_a_plain_sequence_would_lose_changes(store_url: str):
    with (
        psycopg.connect(store_url) as slow,
        psycopg.connect(store_url) as fast,
        psycopg.connect(store_url, autocommit=True) as reader,
    ):
        reader.execute("CREATE SEQUENCE numbers")
        reader.execute("CREATE TABLE log (revision bigint PRIMARY KEY)")
        append = "INSERT INTO log VALUES (nextval('numbers'))"
        slow.execute(append)  # takes 1, and takes its time
        fast.execute(append)  # takes 2
        fast.commit()
        seen = [number for (number,) in reader.execute("SELECT revision FROM log")]
        slow.commit()
        position = max(seen)
        seen += [
            number
            for (number,) in reader.execute("SELECT revision FROM log WHERE revision > %s", [position])
        ]
        assert seen == [2]  # and nobody will ever hear of 1


async def test_revisions_become_visible_in_order_whoever_is_slow(pair):
    slow, fast = pair
    readers = [Reader(store, Watch(NODES)) for store in pair]
    for reader in readers:
        await reader.present()
    has_begun, may_end = threading.Event(), threading.Event()

    def take_time(tx: Transaction) -> None:
        put_node("first")(tx)
        has_begun.set()
        assert may_end.wait(4)

    first = asyncio.create_task(slow.write(take_time))
    await eventually(has_begun.is_set)
    second = asyncio.create_task(fast.write(put_node("second")))
    with pytest.raises(TimeoutError):  # it waits for its turn
        await asyncio.wait_for(asyncio.shield(second), 0.3)
    may_end.set()
    await asyncio.gather(first, second)
    for reader in readers:
        seen = await reader.until_revision(2)
        assert [row(event)[1:] for event in seen] == [("first", 1), ("second", 2)]
        await reader.close()


async def test_every_server_hears_of_every_change_once_and_in_order(pair):
    readers = [Reader(store, Watch(NODES)) for store in pair for _ in range(2)]
    for reader in readers:
        await reader.present()
    writes = [pair[n % 2].write(put_node(f"n{n}")) for n in range(200)]
    await asyncio.gather(*writes)
    log = await pair[0].read(sa.select(tables.changes.c.key).order_by(tables.changes.c.revision))
    for reader in readers:
        seen = [row(event) for event in await reader.until_revision(200)]
        assert [name for _, name, _ in seen] == [change.key for change in log]
        assert [revision for *_, revision in seen] == list(range(1, 201))
        await reader.close()


async def test_an_isolation_level_that_is_the_default_elsewhere_keeps_nobody_from_writing(
    open_store, store_url: str, tmp_path: Path
):
    with psycopg.connect(store_url, autocommit=True) as connection:
        name = connection.info.dbname
        connection.execute(
            f'ALTER DATABASE "{name}" SET default_transaction_isolation = "repeatable read"'
        )
    stores = [await open_store(tmp_path / folder) for folder in "ab"]
    await asyncio.gather(*(stores[n % 2].write(put_node(f"n{n}")) for n in range(100)))
    await stores[0].catch_up()
    assert (await stores[0].list(Query(NODES))).total == 100


async def test_what_two_servers_read_and_change_is_never_lost(pair):
    await pair[0].write(put_node("counter", capacity=0))

    def increment(tx: Transaction) -> None:
        node = tx.get(NODES, "counter")
        assert node is not None
        node.capacity += 1
        tx.put(NODES, node)

    await asyncio.gather(*(pair[n % 2].write(increment) for n in range(100)))
    for store in pair:
        await store.wait_for_revision(101, 60)
        counter = await store.get(NODES, "counter")
        assert counter is not None
        assert counter.message().capacity == 100


async def test_who_missed_much_takes_it_over_in_steps_before_it_writes(
    open_store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    busy = await open_store(tmp_path / "a")
    frozen = await open_store(tmp_path / "b", follow_length=10)
    monkeypatch.setattr(frozen, "catch_up", lambda: asyncio.sleep(0))
    reader = Reader(frozen, Watch(NODES))
    await reader.present()
    await asyncio.gather(*(busy.write(put_node(f"n{n}")) for n in range(95)))
    steps: list[int] = []
    frozen.on_commit(lambda changes: steps.append(len(changes)))
    await frozen.write(put_node("own", capacity=1))
    assert steps == [10] * 9 + [5, 1]
    seen = [row(event) for event in await reader.until_revision(96)]
    assert [revision for *_, revision in seen] == list(range(1, 97))
    await reader.close()


async def test_others_do_not_wait_while_more_than_a_page_is_taken_over(
    open_store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    busy = await open_store(tmp_path / "a")
    frozen = await open_store(tmp_path / "b", follow_length=10)
    monkeypatch.setattr(frozen, "catch_up", lambda: asyncio.sleep(0))
    for mutation in range(8):
        length = 25 if mutation == 4 else 6  # one is longer than a page
        await busy.write(together(*(put_node(f"n{mutation}-{n}") for n in range(length))))
    steps: list[int] = []
    frozen.on_commit(lambda changes: steps.append(len(changes)))
    await frozen.write(put_node("own"))
    assert steps == [6, 6, 6, 6, 25, 6, 6, 6, 1]


async def test_who_cannot_publish_what_it_missed_reads_no_more_of_it(
    open_store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    busy = await open_store(tmp_path / "a")
    stalled = await open_store(tmp_path / "b", follow_length=10, lock_timeout=1.5)
    reader = Reader(stalled, Watch(NODES))
    await reader.present()

    deadline = time.monotonic() + 60

    def hold_up(_changes: object) -> None:
        """Has nothing else run until the writer has given up."""
        while "1 mutations failed" not in caplog.text and time.monotonic() < deadline:
            time.sleep(0.01)

    with monkeypatch.context() as deaf:
        deaf.setattr(stalled, "catch_up", lambda: asyncio.sleep(0))
        await asyncio.gather(*(busy.write(put_node(f"n{n}")) for n in range(95)))
        end = stalled.on_commit(hold_up)
        with pytest.raises(errors.DatabaseUnavailable):
            await stalled.write(put_node("own"))
        end()
        assert stalled.revision < 95
    await eventually(lambda: stalled.is_available)
    await stalled.write(put_node("own"))
    seen = [row(event) for event in await reader.until_revision(96) if event.object]
    assert [revision for *_, revision in seen] == list(range(1, 97))
    await reader.close()


async def test_what_is_looked_up_is_not_searched_for_in_a_table_that_grew(store: Store, store_url: str):
    await asyncio.gather(*(store.write(put_task(f"c{n}")) for n in range(20)))
    with psycopg.connect(store_url, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE tasks")  # it is known to be small

    async def rows_read() -> int:
        counted = "SELECT seq_tup_read FROM pg_stat_xact_user_tables WHERE relname = 'tasks'"
        known = [(TASKS, f"cmd-new-{n}") for n in range(5)]
        return await store.write(lambda tx: tx.execute(sa.text(counted)).scalar(), reads=known)

    for _ in range(10):  # a plan may be kept from the fifth time on
        await rows_read()
    with psycopg.connect(store_url) as connection:
        others = [c.name for c in tables.tasks.columns if c.name not in ("id", "key")]
        names = ", ".join(f'"{name}"' for name in others)
        connection.execute(
            f"INSERT INTO tasks (id, key, {names}) "  # noqa: S608 - names of our own
            f"SELECT 1000 + g, 'x' || g, {names} FROM tasks, generate_series(1, 20000) g WHERE key = 'cmd-c0'"
        )
    assert await rows_read() < 20_000


async def test_many_mutations_together_send_as_many_statements_as_one(
    open_store, monkeypatch: pytest.MonkeyPatch
):
    store = await open_store()
    sent: list[object] = []
    execute = psycopg.Cursor.execute

    def counted(cursor, query, *arguments, **options):
        sent.append(query)
        return execute(cursor, query, *arguments, **options)

    monkeypatch.setattr(psycopg.Cursor, "execute", counted)

    async def statements(*names: str) -> int:
        sent.clear()
        await asyncio.gather(  # in one commit
            *(
                store.write(
                    put_task(name),
                    idempotency=Idempotency("admin", f"of {name}", b"fingerprint"),
                    reads=[(TASKS, f"cmd-{name}"), (NODES, "n1")],
                )
                for name in names
            )
        )
        return len(sent)

    assert await statements("first") == await statements(*(f"c{n}" for n in range(50)))


def test_every_table_can_be_sent_as_arrays():
    for table in tables.metadata.tables.values():
        names = tuple(column.name for column in table.columns)
        assert len(arrays(table, names, [(None,) * len(names)])) == len(names)


@pytest.mark.parametrize("is_of_the_database", [True, False])
async def test_text_is_found_whatever_encoding_is_set(
    postgres: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_of_the_database
):
    if is_of_the_database:
        postgres.execute(
            "CREATE DATABASE latin TEMPLATE template0 ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'"
        )
        url = postgres.url("latin")
    else:
        monkeypatch.setenv("PGCLIENTENCODING", "LATIN1")
        url = postgres.new_database()
    store = await Store.open(url, clock=StandingClock(), data_dir=tmp_path)
    try:
        claims = [Idempotency("admin", "café", b"fingerprint") for _ in range(2)]
        for claim in claims:
            await store.write(put_node("naïve"), idempotency=claim)
        assert claims[1].was_replayed
        found = await store.write(lambda tx: tx.get(NODES, "naïve"), reads=[(NODES, "naïve")])
        assert found is not None
        assert await store.read(sa.select(tables.nodes.c.key)) == [("naïve",)]
    finally:
        await store.close()


async def test_the_same_claim_at_two_servers_has_one_effect(pair):
    def claim() -> Idempotency:
        return Idempotency("admin", "key-1", b"fingerprint")

    claims = [claim(), claim()]
    answers = await asyncio.gather(
        *(store.write(put_node(f"made-by-{n}"), idempotency=claims[n]) for n, store in enumerate(pair))
    )
    assert answers[0] == answers[1]
    assert sorted(claim.was_replayed for claim in claims) == [False, True]
    assert (await pair[0].list(Query(NODES))).total == 1


# -- news of the others


async def test_news_come_without_polling(open_store, tmp_path: Path):
    writer = await open_store(tmp_path / "a")
    follower = await open_store(tmp_path / "b")
    await follower.wait_for_revision(0, 0)
    await writer.write(put_node("n0"))
    await follower.catch_up()
    listening = sa.text("SELECT 1 FROM pg_stat_activity WHERE query = 'LISTEN novasphere_log'")
    await eventually_rows(writer, listening, 2)
    await writer.write(put_node("n1"))
    await follower.wait_for_revision(2, 60)


async def eventually_rows(store: Store, statement: sa.TextClause, count: int) -> None:
    async with asyncio.timeout(60):
        while len(await store.read(statement)) < count:  # noqa: ASYNC110 - the database tells nobody
            await asyncio.sleep(0.01)


async def test_polling_does_without_news(open_store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(dialect.Postgresql, "announce", lambda *_: None)
    writer = await open_store(tmp_path / "a")
    follower = await open_store(tmp_path / "b", follow_interval=0.05)
    await writer.write(put_node("n1"))
    await follower.wait_for_revision(1, 60)


async def test_a_cursor_of_one_server_is_good_at_another_that_is_behind(open_store, tmp_path: Path):
    writer = await open_store(tmp_path / "a")
    behind = await open_store(tmp_path / "b")
    for n in range(3):
        await writer.write(put_node(f"n{n}"))
    reader = Reader(behind, Watch(NODES, cursor=f"{writer.epoch}.3"))
    await writer.write(put_node("n3"))
    seen = await reader.until_revision(4)
    assert [row(event)[1:] for event in seen if event.object] == [("n3", 4)]
    await reader.close()
    with pytest.raises(errors.EpochChanged):  # nobody has come that far
        await Reader(behind, Watch(NODES, cursor=f"{writer.epoch}.5")).page()


async def test_a_reader_is_never_told_of_a_state_older_than_one_it_was_told_of(
    open_store, tmp_path: Path
):
    writer = await open_store(tmp_path / "a")
    behind = await open_store(tmp_path / "b")
    for n in range(1, 40):
        await writer.write(put_node("n1", capacity=n))
        found = await behind.get(NODES, "n1")
        page = await behind.list(Query(NODES))
        assert found is not None
        told = [found.message().capacity, page.items[0].message().capacity]
        assert told == sorted(told)
        assert behind.revision >= told[-1]


# -- trouble


async def test_a_server_that_freezes_in_its_turn_loses_it(
    open_store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    # Not less: between two statements of its turn a server on a busy machine may stand still for a while.
    monkeypatch.setattr(dialect, "_FROZEN_AFTER_MS", 1500)
    frozen = await open_store(tmp_path / "a", probe_interval=0.1)
    other = await open_store(tmp_path / "b")
    has_begun, may_go_on = threading.Event(), threading.Event()

    def freeze(tx: Transaction) -> None:
        put_node("frozen")(tx)
        has_begun.set()
        assert may_go_on.wait(60)

    stuck = asyncio.create_task(frozen.write(freeze))
    await eventually(has_begun.is_set)
    await other.write(put_node("n1"))  # does not wait for ever
    may_go_on.set()
    with pytest.raises(errors.DatabaseUnavailable):
        await stuck
    await eventually(lambda: frozen.is_available)
    await frozen.write(put_node("n2"))
    assert [item.message().node_id for item in (await other.list(Query(NODES))).items] == ["n1", "n2"]


async def test_many_mutations_that_take_long_together_are_not_taken_for_frozen(
    open_store, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(dialect, "_FROZEN_AFTER_MS", 3000)
    store = await open_store(batch_rows=5)

    def take_time(name: str) -> Mutation:
        put = together(*(put_task(f"{name}-{n}") for n in range(5)))
        return lambda tx: (time.sleep(0.2), put(tx))

    known = [(TASKS, f"cmd-c{n}-{m}") for n in range(20) for m in range(5)]
    await store.write(lambda tx: tx.next_id("tasks"))
    await asyncio.gather(*(store.write(take_time(f"c{n}"), reads=known) for n in range(20)))
    assert (await store.list(Query(TASKS))).total == 100


class TestAServerOfItsOwn:
    @pytest.fixture
    def store_url(self, own_postgres: PostgresServer) -> str:
        return own_postgres.new_database()

    async def test_an_outage_is_told_and_leaves_no_hole(
        self, open_store, own_postgres: PostgresServer, tmp_path: Path
    ):
        store = await open_store(tmp_path / "a", probe_interval=0.1)
        other = await open_store(tmp_path / "b", probe_interval=0.1, follow_interval=0.1)
        readers = [Reader(each, Watch(NODES)) for each in (store, other)]
        for reader in readers:
            await reader.present()
        await store.write(put_node("n1"))
        await asyncio.to_thread(own_postgres.stop)
        for attempt in (store.write(put_node("lost")), store.read(sa.select(tables.meta))):
            with pytest.raises(errors.DatabaseUnavailable):
                await attempt
        assert not store.is_available
        await eventually(lambda: not other.is_available)
        await asyncio.to_thread(own_postgres.start)
        await eventually(lambda: store.is_available and other.is_available)
        await other.write(put_node("n2"))
        await store.write(put_node("n3"))
        for reader in readers:
            seen = [row(event)[1:] for event in await reader.until_revision(3) if event.object]
            assert seen == [("n1", 1), ("n2", 2), ("n3", 3)]
            await reader.close()

    async def test_a_restart_while_nobody_asked_is_no_outage(
        self, open_store, own_postgres: PostgresServer
    ):
        store = await open_store()
        await store.write(put_node("n1"))
        await asyncio.gather(*(store.read(sa.select(tables.meta)) for _ in range(4)))
        await asyncio.to_thread(own_postgres.stop, "fast")
        await asyncio.to_thread(own_postgres.start)
        assert await store.read(sa.select(tables.meta))
        await store.write(put_node("n2"))
        assert store.is_available


async def test_a_database_that_takes_no_writes_is_not_taken_for_a_good_one(
    open_store, postgres: PostgresServer, store_url: str
):
    store = await open_store()
    name = store_url.rpartition("/")[2]
    postgres.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    assert not await store.check()
    postgres.execute(f"ALTER DATABASE {name} RESET default_transaction_read_only")
    assert await store.check()


async def test_text_that_the_database_cannot_hold_is_refused_and_hurts_nobody_else(store: Store):
    writes = [store.write(put_node(name)) for name in ("n1", "a\x00b", "n2")]
    results = await asyncio.gather(*writes, return_exceptions=True)
    assert [isinstance(result, Exception) for result in results] == [False, True, False]
    assert store.is_available
    assert (await store.list(Query(NODES))).total == 2


@pytest.mark.parametrize("is_last", [True, False])
async def test_a_read_that_fails_in_the_database_undoes_nothing_that_was_told(
    store: Store, is_last: bool
):
    def note(tx: Transaction) -> str:
        tx.upsert(tables.meta, [{"name": "noted", "value": "yes"}])
        return "noted"

    def fail(tx: Transaction) -> None:
        tx.find(NODES, sa.text("1 / 0 = 1"))

    mutations = [note, fail] if is_last else [note, fail, put_node("n1")]
    told, failed, *_ = await asyncio.gather(*map(store.write, mutations), return_exceptions=True)
    assert told == "noted"
    assert isinstance(failed, sa.exc.DBAPIError)
    assert await store.read(sa.select(tables.meta).where(tables.meta.c.name == "noted"))
    assert (await store.list(Query(NODES))).total == len(mutations) - 2


# -- a server that missed what was compacted


async def test_who_missed_what_was_compacted_answers_nobody_and_starts_over(pair):
    late, writer = pair
    async with late._following:  # as if it were frozen
        for n in range(1, 6):
            await writer.write(put_node("n1", capacity=n))
        await writer.write(lambda tx: log.compact(tx, 4, 1000))
    for attempt in (late.catch_up(), late.get(NODES, "n1"), late.write(put_node("n2"))):
        with pytest.raises(errors.DatabaseUnavailable):
            await attempt
    await eventually(lambda: late.is_available)
    found = await late.get(NODES, "n1")
    assert found is not None
    assert found.message().capacity == 5
    await late.write(put_node("n2"))
    await writer.catch_up()
    assert (await writer.list(Query(NODES))).total == (await late.list(Query(NODES))).total == 2


async def test_a_look_into_the_log_that_began_before_starting_over_is_no_outage(
    pair, monkeypatch: pytest.MonkeyPatch
):
    late, writer = pair
    read_page = log.read_page
    is_held, may_go_on = asyncio.Event(), asyncio.Event()

    async def held(*arguments):
        if asyncio.current_task() is looking:
            is_held.set()
            await may_go_on.wait()
        return await read_page(*arguments)

    monkeypatch.setattr(log, "read_page", held)
    looking = asyncio.create_task(late.catch_up())
    await is_held.wait()
    for n in range(1, 6):
        await writer.write(put_node("n1", capacity=n))
    await writer.write(lambda tx: log.compact(tx, 4, 1000))
    with pytest.raises(errors.DatabaseUnavailable):
        await late.write(put_node("n2"))  # which notices
    await eventually(lambda: late.is_available and late.revision == 5)
    may_go_on.set()
    await looking
    assert late.is_available
    await late.get(NODES, "n1")


async def test_who_starts_over_answers_with_what_is_stored(pair):
    late, writer = pair
    every_node = Query(NODES)
    for name in ("changed", "gone", "again"):
        await late.write(put_node(name))
        late.set_live(NODES, name, lambda: node_pb2.Node(free_slots=3))
        await late.get(NODES, name)
    assert [node.message().free_slots for node in (await late.list(every_node)).items] == [3] * 3
    await writer.catch_up()
    async with missing(late, writer):
        await writer.write(put_node("changed", capacity=7))
        for name in ("gone", "again"):
            await writer.write(delete_node(name))
        await writer.write(put_node("again", capacity=8))
    assert await late.get(NODES, "gone") is None
    nodes = [node.message() for node in (await late.list(every_node)).items]
    assert [(node.node_id, node.capacity) for node in nodes] == [("changed", 7), ("again", 8)]
    assert not any(node.HasField("free_slots") for node in nodes)


async def test_watches_of_who_starts_over_end_with_a_gap_and_new_ones_miss_nothing(pair):
    late, writer = pair
    await late.write(put_node("n1"))
    await writer.catch_up()
    idle, of_one = Reader(late, Watch(NODES)), Reader(late, Watch(NODES, key="n1"))
    for reader in (idle, of_one):
        await reader.present()
    async with missing(late, writer):
        for n in range(2, 6):
            await writer.write(put_node(f"n{n}"))
    for reader in (idle, of_one):
        [gap] = await reader.page()
        assert gap.type == GAP
        assert gap.gap is not None
        assert (gap.gap.first_lost_revision, gap.gap.last_lost_revision) == (2, 5)
        with pytest.raises(StopAsyncIteration):
            await reader.page()
    with pytest.raises(errors.CursorExpired):
        await Reader(late, Watch(NODES, cursor=idle.cursor)).page()
    fresh, resumed = Reader(late, Watch(NODES)), Reader(late, Watch(NODES, cursor=f"{late.epoch}.5"))
    assert [row(event)[1] for event in await fresh.present()] == [f"n{n}" for n in range(1, 6)]
    await writer.write(put_node("n6"))
    await late.write(put_node("n7"))
    for reader in (fresh, resumed):
        seen = [row(event)[1:] for event in await reader.until_revision(7) if event.object]
        assert seen == [("n6", 6), ("n7", 7)]
        await reader.close()


async def test_a_read_that_began_before_is_not_remembered_after_starting_over(
    pair, monkeypatch: pytest.MonkeyPatch
):
    late, writer = pair
    await late.write(put_node("n1", capacity=1))
    await writer.catch_up()
    late._cache.start_over()
    has_read, may_tell = asyncio.Event(), asyncio.Event()
    select = late._select

    async def take_time(statement, parameters):
        rows = await select(statement, parameters)
        has_read.set()
        await may_tell.wait()
        return rows

    with monkeypatch.context() as slow:
        slow.setattr(late, "_select", take_time)
        reads = [asyncio.create_task(read) for read in (late.get(NODES, "n1"), late.list(Query(NODES)))]
        await has_read.wait()
    async with missing(late, writer):
        await writer.write(put_node("n1", capacity=2))
    may_tell.set()
    await asyncio.gather(*reads)
    node = await late.get(NODES, "n1")
    page = await late.list(Query(NODES))
    assert node is not None
    assert [found.message().capacity for found in (node, *page.items)] == [2, 2]


class Follower:
    """Holds the revision of every node."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.held: dict[str, int] = {}
        self.comes_late: list[Commit] = []  # committed here before, and told while it reads
        self.end = store.on_commit(self._follow, self._recall)

    async def _recall(self, read: log.Read) -> None:
        assert not self._store.is_available
        self.held = {row.key: row.revision for row in await read(sa.select(NODES.table), {})}
        while self.comes_late:
            self._store._publish(self.comes_late.pop(0))

    def _follow(self, changes: Sequence[log.Change]) -> None:
        for change in changes:
            if change.after is None:
                del self.held[change.key]
            else:
                self.held[change.key] = change.revision


async def test_followers_take_up_what_is_stored_before_they_are_told_of_what_comes(pair):
    late, writer = pair
    follower = Follower(late)
    await late.write(together(put_node("stays"), put_node("goes")))
    await writer.catch_up()
    async with missing(late, writer):
        await writer.write(put_node("comes"))
        await writer.write(delete_node("goes"))
    assert follower.held == {"stays": 1, "comes": 2}
    await writer.write(put_node("later"))
    await late.wait_for_revision(4, 10)
    assert follower.held == {"stays": 1, "comes": 2, "later": 4}
    follower.end()
    await late.write(delete_node("later"))
    assert "later" in follower.held


async def test_followers_read_again_if_something_old_was_published_meanwhile(
    open_store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    writer = await open_store(tmp_path / "a")
    late = await open_store(tmp_path / "b", probe_interval=0.1)
    follower = Follower(late)
    async with missing(late, writer):
        with monkeypatch.context() as frozen:
            frozen.setattr(late, "_publish", follower.comes_late.append)
            await late.write(put_node("n1"))
        for n in range(2, 6):
            await writer.write(put_node("n1", capacity=n))
    assert not follower.comes_late
    assert follower.held == {"n1": 5}


async def test_a_history_that_was_lost_is_not_found_again_when_another_grows_as_long(
    open_store, store_url: str
):
    store = await open_store()
    for n in range(3):
        await store.write(put_node(f"n{n}"))
    told = follow(store)
    with psycopg.connect(store_url, autocommit=True) as connection:
        # A standby that had missed two commits took over, and then took two of another server.
        connection.execute("DELETE FROM changes WHERE revision > 1")
        connection.execute("UPDATE revision SET value = 1")
        assert not await store.check()
        grow(connection, 2, 5)
    assert not await store.check()
    with pytest.raises(errors.DatabaseUnavailable):
        await store.catch_up()
    with pytest.raises(errors.DatabaseUnavailable):
        await store.get(NODES, "n2")
    assert not told
    assert store.revision == 3


def follow(store: Store) -> list[str]:
    """Returns the keys of what is published from now on."""
    told: list[str] = []
    store.on_commit(lambda changes: told.extend(change.key for change in changes))
    return told


def grow(connection: psycopg.Connection, first: int, last: int) -> None:
    """Appends revisions that nobody else knows."""
    others = '"index", kind, key, namespace, type, before, after, at_us'
    connection.execute(
        f"INSERT INTO changes (revision, {others}) "  # noqa: S608 - names of our own
        f"SELECT g, {others} FROM changes, generate_series({first}, {last}) g WHERE revision = 1"
    )
    connection.execute("UPDATE revision SET value = %s", (last,))


async def test_another_history_is_not_followed_before_anybody_looked(open_store, store_url: str):
    store = await open_store(ring_bytes=0)
    for n in range(3):
        await store.write(put_node(f"n{n}"))
    reader = Reader(store, Watch(NODES))
    await reader.present()
    with psycopg.connect(store_url, autocommit=True) as connection:
        connection.execute("UPDATE meta SET value = 'another' WHERE name = 'epoch'")
        grow(connection, 4, 5)
    told = follow(store)
    with pytest.raises(errors.DatabaseUnavailable):  # it is behind, and reads the log
        await Reader(store, Watch(NODES, cursor=f"{store.epoch}.1")).page()
    with pytest.raises(errors.DatabaseUnavailable):
        await store.catch_up()
    assert not await store.check()
    assert not told
    assert store.revision == 3
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(reader.page(), 0.2)
    await reader.close()


async def test_what_is_committed_to_another_history_is_not_told(open_store, store_url: str):
    store = await open_store()
    await store.write(put_node("n1"))
    told = follow(store)
    has_begun, may_end = threading.Event(), threading.Event()

    def take_time(tx: Transaction) -> None:
        put_node("lost")(tx)
        has_begun.set()
        assert may_end.wait(60)

    writes = [asyncio.create_task(store.write(take_time))]
    await eventually(has_begun.is_set)
    writes.append(asyncio.create_task(store.write(put_node("queued"))))
    with psycopg.connect(store_url, autocommit=True) as connection:
        connection.execute("UPDATE meta SET value = 'another' WHERE name = 'epoch'")
    assert not await store.check()
    may_end.set()
    answers = await asyncio.gather(*writes, return_exceptions=True)
    assert [type(answer) for answer in answers] == [errors.DatabaseUnavailable] * 2
    assert not told


async def test_a_url_may_say_more_of_the_connection(postgres: PostgresServer, store_url: str):
    postgres.execute("CREATE SCHEMA ours", store_url.rpartition("/")[2])
    more = "application_name=ours&connect_timeout=9&options=-csearch_path%3Dours"
    data = database.connect_to(f"{store_url}?{more}", Limits())
    data.prepare("epoch")
    with psycopg.connect(store_url) as connection:
        assert connection.execute("SELECT value FROM ours.revision").fetchall() == [(0,)]
    async with aclosing(data.announcements()) as announcements:
        assert await anext(announcements) == ()
    await data.close()


# -- backups


def back_up(postgres: PostgresServer, url: str) -> str:
    """Throws everybody out, copies the database and returns the copy's name."""
    name = url.rpartition("/")[2]
    postgres.throw_out(name)
    postgres.execute(f"CREATE DATABASE {name}_copy TEMPLATE {name}")
    return f"{name}_copy"


def put_back(postgres: PostgresServer, copy: str, url: str) -> None:
    name = url.rpartition("/")[2]
    postgres.execute(f"DROP DATABASE {name} WITH (FORCE)")
    postgres.execute(f"CREATE DATABASE {name} TEMPLATE {copy}")


async def test_a_backup_that_is_put_back_begins_another_history_once(
    open_store, postgres: PostgresServer, store_url: str, tmp_path: Path
):
    folders = [tmp_path / "a", tmp_path / "b"]
    for number, folder in enumerate(folders):
        store = await open_store(folder)
        await store.write(put_node(f"n{number}"))
        await store.maintain()
        await store.close()
    copy = back_up(postgres, store_url)
    for folder in folders:
        store = await open_store(folder)
        await store.write(put_node("lost"))
        await store.maintain()
        await store.close()
    put_back(postgres, copy, store_url)

    restored = [await open_store(folder) for folder in folders]
    assert restored[0].epoch == restored[1].epoch != store.epoch
    with pytest.raises(errors.EpochChanged):
        await Reader(restored[1], Watch(NODES, cursor=f"{store.epoch}.1")).page()


async def test_restarts_and_new_servers_keep_the_history(open_store, tmp_path: Path):
    first = await open_store(tmp_path / "a")
    await first.write(put_node("n1"))
    await first.maintain()
    await first.close()
    again, new = await open_store(tmp_path / "a"), await open_store(tmp_path / "b")
    assert again.epoch == new.epoch == first.epoch
