"""Lists, single objects and live fields."""

from __future__ import annotations

import asyncio

import pytest
from novasphere.node.v1 import node_pb2
from novasphere_server import errors
from novasphere_server.store.kinds import NODES, TASKS
from novasphere_server.store.queries import LabelSelector, Query
from novasphere_server.store.store import Store
from store_samples import delete_node, put_node, put_task, together


async def names(store: Store, **query: object) -> tuple[list[str], int]:
    page = await store.list(Query(NODES, **query))
    return [item.message().node_id for item in page.items], page.total


@pytest.fixture
async def fleet(store: Store) -> Store:
    """Five nodes: n1 to n5, in two zones and two roles."""
    zones = {
        "n1": {"zone": "a"},
        "n2": {"zone": "b"},
        "n3": {"zone": "a", "gpu": ""},
        "n4": {},
        "n5": {"zone": "c"},
    }
    roles = {"n1": "worker", "n2": "gpu", "n3": "gpu", "n4": "worker", "n5": "worker"}
    await store.write(together(*(put_node(n, labels=zones[n], role=roles[n]) for n in zones)))
    return store


async def test_a_list_has_the_page_and_the_number_of_all(fleet: Store):
    assert await names(fleet, limit=2) == (["n1", "n2"], 5)
    assert await names(fleet, limit=2, offset=4) == (["n5"], 5)
    assert await names(fleet, limit=2, offset=9) == ([], 5)
    assert await names(fleet, limit=0) == ([], 5)


async def test_a_list_that_is_not_counted_has_the_page_alone(fleet: Store):
    assert await names(fleet, limit=2, is_counted=False) == (["n1", "n2"], 0)
    assert await names(fleet, limit=2, offset=9, is_counted=False) == ([], 0)
    assert await names(fleet, limit=2) == (["n1", "n2"], 5)


async def test_lists_filter_and_order(fleet: Store):
    assert await names(fleet, filters=(("role", "=", "gpu"),)) == (["n2", "n3"], 2)
    assert await names(fleet, filters=(("role", "!=", "gpu"), ("id", ">", 1))) == (["n4", "n5"], 2)
    assert await names(fleet, filters=(("key", "in", ("n5", "n1")),)) == (["n1", "n5"], 2)
    assert await names(fleet, order_by=("-id",), limit=2) == (["n5", "n4"], 5)
    assert await names(fleet, order_by=("role", "-id"), limit=3) == (["n3", "n2", "n5"], 5)
    assert await names(fleet, order_by=("-role",), limit=3) == (["n1", "n4", "n5"], 5)


@pytest.mark.parametrize(
    ("selector", "expected"),
    [
        ("zone=a", ["n1", "n3"]),
        ("zone==a", ["n1", "n3"]),
        ("zone!=a", ["n2", "n4", "n5"]),
        ("zone", ["n1", "n2", "n3", "n5"]),
        ("!zone", ["n4"]),
        ("zone in (a, c)", ["n1", "n3", "n5"]),
        ("zone notin (a,b)", ["n4", "n5"]),
        ("gpu=", ["n3"]),
        ("zone=a,!gpu", ["n1"]),
        ("zone in (a,b),gpu", ["n3"]),
        ("", ["n1", "n2", "n3", "n4", "n5"]),
    ],
)
async def test_selectors_mean_the_same_in_lists_and_watches(
    fleet: Store, selector: str, expected: list[str]
):
    parsed = LabelSelector.parse(selector)
    assert await names(fleet, labels=parsed) == (expected, len(expected))
    everybody = (await fleet.list(Query(NODES))).items
    assert [n.message().node_id for n in everybody if parsed.matches(n.message().labels)] == expected


@pytest.mark.parametrize(
    "selector", ["=a", "a b", "a=b c", "a in b", "a in (b", "a,,b", "a=b=c", "!", "a in (b) c"]
)
def test_a_selector_that_is_none_says_so(selector: str):
    with pytest.raises(errors.InvalidArgument) as raised:
        LabelSelector.parse(selector)
    assert raised.value.violations[0].field == "label_selector"


def test_selectors_that_mean_the_same_are_equal():
    assert LabelSelector.parse("b, a=1") == LabelSelector.parse("a == 1 ,b,b")
    assert hash(LabelSelector.parse("x in (2,1)")) == hash(LabelSelector.parse("x in (1,2)"))


async def test_labels_follow_their_object(fleet: Store):
    a = LabelSelector.parse("zone=a")
    await fleet.write(put_node("n1", labels={"zone": "b"}))
    assert await names(fleet, labels=a) == (["n3"], 1)
    await fleet.write(delete_node("n3"))
    assert await names(fleet, labels=a) == ([], 0)
    await fleet.write(put_node("n3"))
    assert await names(fleet, labels=a) == ([], 0)


async def test_a_list_is_made_once_until_its_kind_changes(fleet: Store, monkeypatch: pytest.MonkeyPatch):
    first = await fleet.list(Query(NODES, limit=3))
    reads = 0
    select = fleet._select

    async def counted(*arguments):
        nonlocal reads
        reads += 1
        return await select(*arguments)

    monkeypatch.setattr(fleet, "_select", counted)
    again = await fleet.list(Query(NODES, limit=3))
    assert [a is b for a, b in zip(first.items, again.items, strict=True)] == [True] * 3
    await fleet.write(put_task("c1"))  # of another kind
    await fleet.list(Query(NODES, limit=3))
    assert reads == 0
    await fleet.write(put_node("n0"))
    assert (await fleet.list(Query(NODES, limit=3))).total == 6
    assert reads == 1


async def test_a_list_is_whole_when_the_cache_holds_next_to_nothing(open_store):
    store = await open_store(cache_bytes=2000)
    await store.write(together(*(put_node(f"n{n}") for n in range(50))))
    for _ in range(3):
        page = await store.list(Query(NODES, limit=50))
        assert [item.message().node_id for item in page.items] == [f"n{n}" for n in range(50)]


async def test_readers_share_an_object_and_none_can_change_it_for_the_others(fleet: Store):
    one = await fleet.get(NODES, "n1")
    two = await fleet.get(NODES, "n1")
    assert one is two
    assert one is not None
    one.message().hostname = "changed"
    assert one.message().hostname == ""


async def test_objects_are_read_after_a_restart(open_store):
    first = await open_store()
    await first.write(put_node("n1", hostname="h"))
    await first.close()
    store = await open_store()
    found = await store.get(NODES, "n1")
    assert found is not None
    assert (found.message().hostname, found.etag) == ("h", "1")
    assert await store.get(NODES, "n2") is None
    assert await store.get(NODES, "n2") is None  # by now known to be absent
    await store.write(put_node("n2"))
    assert await store.get(NODES, "n2") is not None


async def test_live_fields_lie_over_the_stored_ones_without_a_revision(fleet: Store):
    before = await fleet.get(NODES, "n1")
    fleet.set_live(NODES, "n1", lambda: node_pb2.Node(free_slots=3))
    seen = await fleet.get(NODES, "n1")
    assert before is not None
    assert seen is not None
    assert (seen.message().free_slots, seen.message().role) == (3, "worker")
    assert seen.etag.startswith("1.")
    assert fleet.revision == 1
    assert seen is await fleet.get(NODES, "n1")
    assert (await fleet.list(Query(NODES, limit=1))).items[0] is seen


async def test_every_overlay_has_an_etag_of_its_own_and_replaces_the_last(fleet: Store):
    fleet.set_live(NODES, "n1", lambda: node_pb2.Node(free_slots=3))
    first = await fleet.get(NODES, "n1")
    fleet.set_live(NODES, "n1", lambda: node_pb2.Node(capacity=1))
    second = await fleet.get(NODES, "n1")
    assert first is not None
    assert second is not None
    assert first.etag != second.etag
    assert not second.message().HasField("free_slots")


async def test_live_fields_are_made_when_somebody_reads_them_and_once(fleet: Store):
    made = []

    def live() -> node_pb2.Node:
        made.append(True)
        return node_pb2.Node(free_slots=3)

    for _ in range(3):
        fleet.set_live(NODES, "n1", live)
    assert not made
    first = await fleet.get(NODES, "n1")
    assert await fleet.get(NODES, "n1") is first
    assert len(made) == 1
    fleet.set_live(NODES, "n1", live)
    assert await fleet.get(NODES, "n1") is first  # they are the same as before


async def test_live_fields_stay_over_a_change_and_end_with_the_object(fleet: Store):
    fleet.set_live(NODES, "n1", lambda: node_pb2.Node(free_slots=3))
    await fleet.write(put_node("n1", hostname="h"))
    changed = await fleet.get(NODES, "n1")
    assert changed is not None
    assert (changed.message().free_slots, changed.message().hostname) == (3, "h")
    await fleet.write(delete_node("n1"))
    assert await fleet.get(NODES, "n1") is None
    await fleet.write(put_node("n1"))
    fresh = await fleet.get(NODES, "n1")
    assert fresh is not None
    assert not fresh.message().HasField("free_slots")


async def test_a_read_that_a_commit_overtook_does_not_bring_the_old_state_back(
    open_store, monkeypatch: pytest.MonkeyPatch
):
    store = await open_store(cache_bytes=0)  # every read goes to the database
    await store.write(put_node("n1", hostname="old"))
    select = store._select
    has_read, may_return = asyncio.Event(), asyncio.Event()

    async def slow(*arguments):
        rows = await select(*arguments)
        has_read.set()
        await may_return.wait()
        return rows

    monkeypatch.setattr(store, "_select", slow)
    reading = asyncio.ensure_future(store.get(NODES, "n1"))
    await has_read.wait()
    await store.write(put_node("n1", hostname="new"))
    store._cache._max_bytes = 1_000_000  # the new state was not kept, but what the read found would be
    may_return.set()
    await reading
    found = await store.get(NODES, "n1")
    assert found is not None
    assert found.message().hostname == "new"


async def test_kinds_do_not_mix(store: Store):
    await store.write(together(put_node("same"), put_task("same")))
    assert await store.get(TASKS, "cmd-same") is not None
    await store.write(delete_node("same"))
    assert await store.get(NODES, "same") is None
    assert await store.get(TASKS, "cmd-same") is not None


async def test_a_list_that_is_asked_for_again_is_shared_until_anything_in_it_changes(fleet: Store):
    query = Query(NODES, limit=100)
    await fleet.list(query)  # from the database; what follows comes from the cache
    first = await fleet.list(query)
    assert await fleet.list(query) is first
    fleet.set_live(NODES, "n1", lambda: node_pb2.Node(free_slots=9))
    second = await fleet.list(query)
    assert second is not first
    assert {n.message().node_id: n.message().free_slots for n in second.items}["n1"] == 9
    await fleet.write(put_node("n2", hostname="renamed"))
    third = await fleet.list(query)
    assert {n.message().node_id: n.message().hostname for n in third.items}["n2"] == "renamed"
    await fleet.write(delete_node("n2"))
    assert (await fleet.list(query)).total == third.total - 1
