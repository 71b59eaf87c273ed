"""Transactions: what is acknowledged happened, whole, and in order."""

from __future__ import annotations

import asyncio
import sqlite3
import threading

import psycopg
import pytest
import sqlalchemy as sa
from novasphere.api.v1 import key_pb2
from novasphere.node.v1 import node_pb2
from novasphere.schedule.v1 import task_pb2
from novasphere_server import errors
from novasphere_server.store import tables
from novasphere_server.store.kinds import JOIN_TOKENS, KEYS, NODES, TASKS
from novasphere_server.store.queries import Query
from novasphere_server.store.store import Store
from novasphere_server.store.transactions import Transaction
from store_samples import StandingClock, delete_node, put_node, put_task, together

CHANGES = sa.select(tables.changes).order_by(tables.changes.c.revision, tables.changes.c.index)


class Refused(Exception):
    pass


def refusing(mutation):
    def refused(transaction: Transaction) -> None:
        mutation(transaction)
        raise Refused

    return refused


async def test_a_write_is_read_back_at_once(store: Store):
    written = await store.write(put_node("n1", hostname="h"))
    found = await store.get(NODES, "n1")
    assert found is not None
    assert found.message() == written
    assert found.etag == "1"
    assert written.revision == store.revision == 1


def add_tasks(*names):
    """Returns a mutation that creates tasks together."""

    def mutation(transaction: Transaction) -> None:
        for name in names:
            number = transaction.next_id("tasks")
            task = task_pb2.Task(number=number, id=name, namespace_id="a")
            transaction.add(TASKS, task_pb2.StoredTask(task=task))

    return mutation


async def test_a_kept_statement_finds_what_the_mutation_has_put(store: Store):
    columns = TASKS.table.c
    in_state = sa.select(columns.key, columns.body).where(
        columns.state == sa.bindparam("state", type_=sa.Integer), columns.id > 0
    )

    def move(transaction: Transaction) -> list[list[str]]:
        add_tasks("one", "two")(transaction)
        [first, _] = transaction.find_by(TASKS, in_state, state=0)
        first.task.state = task_pb2.WORK_STATE_PENDING
        transaction.put(TASKS, first)
        return [
            [found.task.id for found in transaction.find_by(TASKS, in_state, state=state)]
            for state in (task_pb2.WORK_STATE_UNSPECIFIED, task_pb2.WORK_STATE_PENDING)
        ]

    assert await store.write(move) == [["two"], ["one"]]

    def end(transaction: Transaction) -> None:
        transaction.find_by(TASKS, in_state, state=task_pb2.WORK_STATE_PENDING)
        transaction.delete(TASKS, "cmd-one")
        assert not transaction.has(TASKS, "cmd-one")

    await store.write(end)
    changes = await store.read(CHANGES)
    assert [(row.revision, row.key) for row in changes] == [
        (1, "cmd-one"),
        (1, "cmd-two"),
        (2, "cmd-one"),
    ]


async def test_objects_that_are_created_together_are_all_there_or_none(store: Store):
    await store.write(add_tasks("one", "two"))
    [first, second] = await store.read(CHANGES)
    assert [(row.revision, row[1], row.key, row.namespace) for row in (first, second)] == [
        (1, 0, "cmd-one", "a"),
        (1, 1, "cmd-two", "a"),
    ]
    found = await store.get(TASKS, "cmd-two")
    assert found is not None
    assert found.message().task.revision == 1
    results = await asyncio.gather(
        store.write(add_tasks("three", "two")),
        store.write(add_tasks("four")),
        return_exceptions=True,
    )
    assert isinstance(results[0], (sqlite3.IntegrityError, psycopg.IntegrityError))
    page = await store.list(Query(TASKS))
    assert [item.message().task.id for item in page.items] == ["one", "two", "four"]
    assert store.revision == 2


async def test_every_mutation_takes_the_next_revision_and_its_rows_share_it(store: Store):
    await store.write(put_node("n1"))
    await store.write(together(put_node("n2"), put_node("n3"), delete_node("n1")))
    rows = await store.read(CHANGES)
    assert [(row.revision, row[1], row.key) for row in rows] == [
        (1, 0, "n1"),
        (2, 0, "n2"),
        (2, 1, "n3"),
        (2, 2, "n1"),
    ]


async def test_a_mutation_that_changes_nothing_takes_no_revision(store: Store):
    await store.write(put_node("n1", hostname="h"))
    same = await store.write(put_node("n1", hostname="h"))
    await store.write(delete_node("absent"))
    await store.write(lambda transaction: transaction.get(NODES, "n1"))
    await store.write(together(put_node("brief"), delete_node("brief")))
    assert same.revision == 1
    assert store.revision == 1
    assert await store.get(NODES, "brief") is None


async def test_a_mutation_that_raises_is_undone_alone(store: Store):
    results = await asyncio.gather(
        store.write(put_node("n1")),
        store.write(refusing(together(put_node("n2"), put_node("n1", hostname="wrong")))),
        store.write(put_node("n3")),
        return_exceptions=True,
    )
    assert isinstance(results[1], Refused)
    assert [r.revision for r in (results[0], results[2])] == [1, 2]
    page = await store.list(Query(NODES))
    assert [(n.message().node_id, n.message().hostname) for n in page.items] == [("n1", ""), ("n3", "")]


async def test_what_a_failed_mutation_numbered_is_numbered_again(store: Store):
    with pytest.raises(Refused):
        await store.write(refusing(put_node("n1")))
    assert (await store.write(put_node("n2"))).id == 1


async def test_numbers_are_not_given_again_after_deletion_and_restart(open_store):
    first = await open_store()
    await first.write(put_node("n1"))
    await first.write(delete_node("n1"))
    await first.close()
    again = await open_store()
    assert (await again.write(put_node("n1"))).id == 2
    assert again.revision == 3
    assert again.epoch == first.epoch


async def test_a_mutation_sees_the_ones_before_it_in_the_same_commit(store: Store):
    def count(transaction: Transaction) -> None:
        node = transaction.get(NODES, "n1") or node_pb2.Node(id=1, node_id="n1", uid="u")
        node.capacity += 1
        transaction.put(NODES, node)

    await asyncio.gather(*(store.write(count) for _ in range(50)))
    found = await store.get(NODES, "n1")
    assert found is not None
    assert found.message().capacity == 50


async def test_two_hundred_concurrent_writers_share_commits_and_get_dense_revisions(store: Store):
    batches: list[int] = []
    store.on_commit(lambda changes: batches.append(len(changes)))
    written = await asyncio.gather(*(store.write(put_node(f"n{n}")) for n in range(200)))
    assert sorted(node.revision for node in written) == list(range(1, 201))
    assert sorted(node.id for node in written) == list(range(1, 201))
    assert len(batches) < 20
    rows = await store.read(CHANGES)
    assert [row.revision for row in rows] == list(range(1, 201))


async def test_a_commit_holds_no_more_mutations_than_the_limit(open_store):
    store = await open_store(batch_length=10)
    batches: list[int] = []
    store.on_commit(lambda changes: batches.append(len(changes)))
    await asyncio.gather(*(store.write(put_node(f"n{n}")) for n in range(35)))
    assert max(batches) == 10
    assert sum(batches) == 35


@pytest.mark.parametrize("limits", [{"batch_rows": 20}, {"batch_bytes": 10_000}])
async def test_a_commit_takes_no_further_mutation_once_it_holds_much(open_store, limits):
    store = await open_store(**limits)
    batches: list[int] = []
    store.on_commit(lambda changes: batches.append(len(changes)))
    wide = [together(*(put_node(f"n{n}-{m}", hostname="h" * 250) for m in range(30))) for n in range(10)]
    written = await asyncio.gather(*map(store.write, wide))
    assert batches == [30] * 10
    assert [nodes[0].revision for nodes in written] == list(range(1, 11))


async def test_followers_and_cache_have_a_commit_before_its_callers_are_answered(store: Store):
    seen: list[tuple[str, int]] = []
    store.on_commit(lambda changes: seen.extend((c.key, store.revision) for c in changes))
    await store.write(put_node("n1"))
    assert seen == [("n1", 1)]


async def test_a_follower_that_fails_keeps_nobody_from_the_commit(store: Store):
    seen: list[str] = []

    def fail(_changes: object) -> None:
        raise Refused

    store.on_commit(fail)
    end = store.on_commit(lambda changes: seen.extend(c.key for c in changes))
    await store.write(put_node("n1"))
    end()
    await store.write(put_node("n2"))
    assert seen == ["n1"]


async def test_changes_carry_the_object_before_and_after(store: Store):
    await store.write(put_task("c1", namespace_id="commands"))
    await store.write(put_task("c1", namespace_id="commands", retry_count=1))
    changes = await store.read(CHANGES)
    assert [(row.type, row.namespace) for row in changes] == [(1, "commands"), (2, "commands")]
    assert changes[0].before is None
    assert changes[1].before == changes[0].after


async def test_several_puts_of_one_object_are_one_change(store: Store):
    await store.write(together(put_node("n1"), put_node("n1", hostname="h")))
    changes = await store.read(CHANGES)
    assert [(row.type, row.before) for row in changes] == [(1, None)]
    assert node_pb2.Node.FromString(changes[0].after).hostname == "h"


async def test_a_dry_run_says_what_would_happen_and_leaves_no_trace(store: Store):
    node = await store.write(put_node("n1"), is_dry_run=True)
    assert (node.id, node.revision) == (1, 1)
    assert await store.get(NODES, "n1") is None
    assert store.revision == 0
    with pytest.raises(Refused):
        await store.write(refusing(put_node("n1")), is_dry_run=True)
    assert (await store.write(put_node("n1"))).id == 1


async def test_columns_beside_the_message_are_kept_until_they_are_given_again(store: Store):
    def create(transaction: Transaction) -> None:
        transaction.put(KEYS, key_pb2.Key(key_id="k1", name="a"), secret_sha256=b"s")

    def rename(transaction: Transaction) -> None:
        key = transaction.get(KEYS, "k1")
        assert key is not None
        key.name = "b"
        transaction.put(KEYS, key)

    await store.write(create)
    await store.write(rename)
    rows = await store.read(sa.select(tables.keys.c.secret_sha256, tables.keys.c.name))
    assert [tuple(row) for row in rows] == [(b"s", "b")]


async def test_a_unique_column_refuses_a_second_row_and_undoes_that_mutation_alone(store: Store):
    def create(name: str):
        token = key_pb2.JoinToken(token_id=name)
        return lambda transaction: transaction.put(JOIN_TOKENS, token, secret_sha256=b"same")

    results = await asyncio.gather(
        *(store.write(create(name)) for name in ("t1", "t2")), return_exceptions=True
    )
    assert results[0] is None
    assert isinstance(results[1], Exception)
    assert store.is_available
    assert (await store.list(Query(JOIN_TOKENS))).total == 1


async def test_a_refused_row_undoes_what_its_mutation_did_before(store: Store):
    def create(name: str):
        token = key_pb2.JoinToken(token_id=name)
        return together(
            put_node(name),
            lambda transaction: transaction.put(JOIN_TOKENS, token, secret_sha256=b"same"),
        )

    results = await asyncio.gather(
        *(store.write(create(name)) for name in ("t1", "t2")), return_exceptions=True
    )
    assert isinstance(results[1], Exception)
    assert [node.message().node_id for node in (await store.list(Query(NODES))).items] == ["t1"]


async def test_a_dry_run_of_one_row_that_would_be_refused_says_so(store: Store):
    def create(name: str):
        token = key_pb2.JoinToken(token_id=name)
        return lambda transaction: transaction.put(JOIN_TOKENS, token, secret_sha256=b"same")

    await store.write(create("t1"))
    with pytest.raises(Exception, match=r"(?i)unique"):
        await store.write(create("t2"), is_dry_run=True)


async def test_find_sees_what_the_transaction_did(store: Store):
    await store.write(put_node("n1", capacity=1))

    def mutation(transaction: Transaction) -> list[list[str]]:
        seen = []
        for name in ("n2", "n3"):
            put_node(name, role="gpu")(transaction)
            gpus = NODES.table.c.role == "gpu"
            found = transaction.find(NODES, gpus, order_by=[NODES.table.c.id.desc()])
            seen.append([node.node_id for node in found])
        return seen

    assert await store.write(mutation) == [["n2"], ["n3", "n2"]]


async def test_side_tables_take_no_revision(store: Store):
    rows = [{"node_uid": "u1", "at_us": 5}, {"node_uid": "u2", "at_us": 5}]
    await store.write(lambda transaction: transaction.upsert(tables.heartbeats, rows))
    await store.write(
        lambda transaction: transaction.upsert(tables.heartbeats, [rows[0] | {"at_us": 9}])
    )
    found = await store.read(sa.select(tables.heartbeats).order_by(tables.heartbeats.c.node_uid))
    assert [tuple(row) for row in found] == [("u1", 9), ("u2", 5)]
    assert store.revision == 0


async def test_a_row_of_a_side_table_that_grows_is_not_replaced_by_an_older_one(store: Store):
    for at_us in (7, 5, 9, 8):
        rows = [{"node_uid": "u1", "at_us": at_us}]
        await store.write(lambda tx, rows=rows: tx.upsert(tables.heartbeats, rows, growing="at_us"))
    found = await store.read(sa.select(tables.heartbeats))
    assert [tuple(row) for row in found] == [("u1", 9)]


async def test_every_value_comes_back_as_it_was_put(store: Store):
    texts = ["", "NULL", "null", '"', "\\", "{a,b}", "a b", "'", "é\u4e2d\U0001f600", "%s"]
    rows = [
        {
            "principal": text,
            "key": "k",
            "fingerprint": bytes(range(256)) * n,
            "message_type": text,
            "message": b"\\x00"[:n],
            "at_us": (-1) ** n * 2**62 + n,
        }
        for n, text in enumerate(texts)
    ]
    # Whole numbers in columns that have a point, and nulls among what is none.
    measured = [
        {
            "node_uid": f"uid-{n}",
            "at_us": n,
            **dict.fromkeys(("cpu", "memory", "disk"), n),
            "load": n + 0.25,
            **dict.fromkeys(("memory_total", "memory_available"), 2**40 + n),
            **dict.fromkeys(("disk_total", "disk_available", "uptime"), n),
        }
        for n in range(3)
    ]
    agents = [
        {
            "node_uid": f"uid-{n}",
            "credential_sha256": bytes([n]),
            "session_sha256": b"",
            "previous_session_sha256": None if n == 1 else b"before",
            "boot_id": "",
            "incarnation": n,
            "enrolled_by": "somebody" if n == 1 else None,
            "server_id": None,
        }
        for n in range(3)
    ]
    for table, put in (
        (tables.idempotency, rows),
        (tables.metric_samples, [{"id": n, **row} for n, row in enumerate(measured)]),
        (tables.agents, agents),
    ):
        await store.write(lambda tx, table=table, put=put: tx.upsert(table, put))
        names = [table.c[name] for name in put[0]]
        found = await store.read(sa.select(*names))
        assert sorted((dict(row._mapping) for row in found), key=repr) == sorted(put, key=repr)


async def test_of_several_upserts_of_a_row_the_last_one_counts(store: Store):
    def beat(*at_us: int):
        rows = [{"node_uid": "uid-1", "at_us": us} for us in at_us]
        return lambda tx: tx.upsert(tables.heartbeats, rows)

    await asyncio.gather(*(store.write(beat(n, n + 1)) for n in range(5)))  # in one commit
    assert [tuple(row) for row in await store.read(sa.select(tables.heartbeats))] == [("uid-1", 5)]


async def test_what_a_mutation_is_known_to_read_is_as_the_ones_before_left_it(store: Store):
    await asyncio.gather(*(store.write(put_node(name, capacity=1)) for name in ("n1", "n2")))
    capacities: list[int | None] = []

    def look(name: str):
        def mutation(tx: Transaction) -> None:
            node = tx.get(NODES, name)
            capacities.append(None if node is None else node.capacity)

        return store.write(mutation, reads=[(NODES, name), (NODES, "never was")])

    await asyncio.gather(  # in one commit
        look("n1"),
        store.write(put_node("n1", capacity=2), reads=[(NODES, "n1")]),
        look("n1"),
        store.write(delete_node("n2")),
        look("n2"),
        store.write(refusing(put_node("n1", capacity=3)), reads=[(NODES, "n1")]),
        look("n1"),
        look("n3"),
        store.write(put_node("n3", capacity=4)),
        look("n3"),
        return_exceptions=True,
    )
    assert capacities == [1, 2, None, 2, None, 4]


async def test_a_key_that_cannot_be_read_fails_nobody_else(store: Store):
    strange = "\ud800"  # no text: nothing can store it
    outcomes = await asyncio.gather(
        store.write(put_node("n1"), reads=[(NODES, "n1")]),
        store.write(put_node(strange), reads=[(NODES, strange)]),
        store.write(put_node("n2"), reads=[(NODES, "n2")]),
        return_exceptions=True,
    )
    assert [isinstance(outcome, Exception) for outcome in outcomes] == [False, True, False]
    assert store.revision == 2


async def test_an_object_over_the_limit_is_refused(open_store):
    store = await open_store(resource_bytes=1000)
    await store.write(put_node("n1", hostname="h" * 900))
    with pytest.raises(errors.TooLarge):
        await store.write(put_node("n1", hostname="h" * 1001))
    assert store.revision == 1


async def test_a_full_queue_refuses_at_once(open_store):
    store = await open_store(queue_length=5)
    release = threading.Event()
    first = asyncio.ensure_future(store.write(lambda _: release.wait(60)))
    await asyncio.sleep(0)  # lets it be submitted
    waiting = [asyncio.ensure_future(store.write(put_node(f"n{n}"))) for n in range(4)]
    await asyncio.sleep(0)
    with pytest.raises(errors.Overloaded):
        await store.write(put_node("one too many"))
    release.set()
    await asyncio.gather(first, *waiting)
    assert store.revision == 4


async def test_a_caller_that_went_away_before_its_turn_is_not_served(store: Store):
    release = threading.Event()
    entered = threading.Event()

    def block(_: Transaction) -> None:
        entered.set()
        release.wait(60)

    first = asyncio.ensure_future(store.write(block))
    await asyncio.to_thread(entered.wait, 60)
    cancelled = asyncio.ensure_future(store.write(put_node("n1")))
    await asyncio.sleep(0)
    cancelled.cancel()
    with pytest.raises(asyncio.CancelledError):
        await cancelled
    release.set()
    await first
    await store.write(put_node("n2"))
    assert await store.get(NODES, "n1") is None


async def test_closing_commits_what_waits_and_refuses_the_rest(open_store):
    store = await open_store()
    waiting = [asyncio.ensure_future(store.write(put_node(f"n{n}"))) for n in range(20)]
    await asyncio.sleep(0)
    closing = asyncio.ensure_future(store.close())
    await asyncio.sleep(0)
    with pytest.raises(errors.Draining):
        await store.write(put_node("late"))
    await closing
    assert len(await asyncio.gather(*waiting)) == 20
    again = await open_store()
    assert again.revision == 20


async def test_a_coroutine_is_no_mutation(store: Store):
    async def mutation(_: Transaction) -> None:
        pass

    with pytest.raises(TypeError, match="synchronous"):
        await store.write(mutation)


async def test_waiting_for_a_revision_ends_with_it_or_says_how_far_it_came(store: Store):
    waiting = asyncio.ensure_future(store.wait_for_revision(2, timeout=60))
    await store.write(put_node("n1"))
    await store.write(put_node("n2"))
    await waiting
    with pytest.raises(errors.RevisionNotReached) as raised:
        await store.wait_for_revision(3, timeout=0.01)
    assert raised.value.metadata == {"revision": "2"}


async def test_time_is_the_stores_clock(store: Store, clock: StandingClock):
    assert await store.write(lambda transaction: transaction.now_us) == clock.us
    clock.advance(5)
    assert await store.write(lambda transaction: transaction.now_us) == clock.us
