"""Idempotency: one effect and one answer, however often and however concurrently it is asked for."""

from __future__ import annotations

import asyncio

import pytest
import sqlalchemy as sa
from novasphere.node.v1 import command_pb2, node_pb2
from novasphere_server import errors
from novasphere_server.store import tables
from novasphere_server.store.idempotency import Idempotency
from novasphere_server.store.kinds import NODES
from novasphere_server.store.queries import Query
from novasphere_server.store.store import Store
from store_samples import StandingClock, delete_node, put_node


def claim(key: str = "key", fingerprint: bytes = b"f", principal: str = "admin") -> Idempotency:
    return Idempotency(principal, key, fingerprint)


async def test_the_same_claim_returns_the_first_answer_and_does_nothing(store: Store):
    first, second = claim(), claim()
    answer = await store.write(put_node("n1"), idempotency=first, result_type=node_pb2.Node)
    again = await store.write(put_node("n2"), idempotency=second, result_type=node_pb2.Node)
    assert answer == again
    assert (first.was_replayed, second.was_replayed) == (False, True)
    assert (await store.list(Query(NODES))).total == 1


async def test_the_answer_outlives_its_object_and_the_process(open_store):
    store = await open_store()
    answer = await store.write(put_node("n1"), idempotency=claim())
    await store.write(delete_node("n1"))
    await store.close()
    again = await open_store()
    assert await again.write(put_node("n1"), idempotency=claim()) == answer
    assert await again.get(NODES, "n1") is None


async def test_another_request_under_the_same_key_is_refused(store: Store):
    await store.write(put_node("n1"), idempotency=claim())
    with pytest.raises(errors.IdempotencyKeyReused):
        await store.write(put_node("n2"), idempotency=claim(fingerprint=b"other"))
    await store.write(put_node("n2"), idempotency=claim(fingerprint=b"other", principal="key:2"))
    assert (await store.list(Query(NODES))).total == 2


async def test_concurrent_duplicates_have_one_effect(store: Store):
    claims = [claim() for _ in range(50)]
    answers = await asyncio.gather(
        *(store.write(put_node(f"n{n}"), idempotency=c) for n, c in enumerate(claims))
    )
    assert len({node.node_id for node in answers}) == 1
    assert sum(c.was_replayed for c in claims) == 49
    assert store.revision == 1


async def test_a_refused_reuse_leaves_the_claim_as_it_is_for_those_behind_it(store: Store):
    answers = await asyncio.gather(  # in one commit
        store.write(put_node("n1"), idempotency=claim()),
        store.write(put_node("n2"), idempotency=claim(fingerprint=b"other")),
        store.write(put_node("n3"), idempotency=claim()),
        return_exceptions=True,
    )
    assert isinstance(answers[1], errors.IdempotencyKeyReused)
    assert answers[0] == answers[2]
    assert store.revision == 1


async def test_duplicates_beside_a_mutation_that_is_refused_have_one_effect(store: Store):
    await store.write(put_node("there", uid="taken"))
    claims = [claim() for _ in range(3)]
    answers = await asyncio.gather(
        store.write(put_node("n1"), idempotency=claims[0]),
        store.write(put_node("refused", uid="taken"), idempotency=claim("of its own")),
        store.write(put_node("n2"), idempotency=claims[1]),
        store.write(put_node("n3"), idempotency=claims[2]),
        return_exceptions=True,
    )
    assert isinstance(answers[1], Exception)
    assert answers[0] == answers[2] == answers[3]
    assert [c.was_replayed for c in claims] == [False, True, True]
    assert store.revision == 2
    again = claim("of its own")
    await store.write(put_node("n4"), idempotency=again)
    assert not again.was_replayed


async def test_a_failure_is_not_recorded(store: Store):
    def fail(_transaction):
        raise errors.NodeNotFound("n1")

    for _ in range(2):
        with pytest.raises(errors.NodeNotFound):
            await store.write(fail, idempotency=claim())
    again = claim()
    await store.write(put_node("n1"), idempotency=again)
    assert not again.was_replayed


async def test_an_answer_without_an_effect_is_recorded_too(store: Store):
    await store.write(lambda _: node_pb2.Node(hostname="nothing done"), idempotency=claim())
    again = claim()
    answer = await store.write(put_node("n1"), idempotency=again)
    assert answer.hostname == "nothing done"
    assert again.was_replayed


async def test_a_dry_run_is_neither_recorded_nor_answered_from_the_record(store: Store):
    await store.write(put_node("n1"), idempotency=claim(), is_dry_run=True)
    real = claim()
    await store.write(put_node("n1"), idempotency=real)
    assert not real.was_replayed
    dry = claim(fingerprint=b"dry")
    assert (await store.write(put_node("n2"), idempotency=dry, is_dry_run=True)).node_id == "n2"


async def test_an_answer_must_be_a_message_of_the_type_that_is_promised(store: Store):
    with pytest.raises(TypeError):
        await store.write(lambda _: 5, idempotency=claim())
    with pytest.raises(TypeError):
        await store.write(put_node("n1"), idempotency=claim(), result_type=command_pb2.Command)
    assert store.revision == 0


async def test_a_claim_is_forgotten_after_a_day(store: Store, clock: StandingClock):
    await store.write(put_node("n1"), idempotency=claim())
    clock.advance(24 * 3600 - 1)
    known = claim()
    await store.write(put_node("n2"), idempotency=known)
    assert known.was_replayed
    clock.advance(2)
    fresh = claim(fingerprint=b"other")
    await store.write(put_node("n3"), idempotency=fresh)
    assert not fresh.was_replayed


async def test_maintenance_removes_what_is_forgotten(store: Store, clock: StandingClock):
    await store.write(put_node("n1"), idempotency=claim("old"))
    clock.advance(13 * 3600)
    await store.write(put_node("n2"), idempotency=claim("new"))
    clock.advance(13 * 3600)
    await store.maintain()
    rows = await store.read(sa.select(tables.idempotency.c.key))
    assert [row.key for row in rows] == ["new"]
