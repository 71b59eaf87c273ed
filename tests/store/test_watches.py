"""Watches: ordered, unique, reliable, atomic, resumable, bookmarked; and honest about what is lost."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable, Iterable
from contextlib import aclosing

import pytest
from novasphere.node.v1 import node_pb2
from novasphere.schedule.v1 import task_pb2
from novasphere_server import errors
from novasphere_server.store import log
from novasphere_server.store.kinds import NODES, TASKS
from novasphere_server.store.store import Store
from novasphere_server.store.watches import Watch, WatchEvent, WatchPage
from store_samples import (
    ADDED,
    BOOKMARK,
    DELETED,
    GAP,
    MODIFIED,
    Reader,
    StandingClock,
    delete_node,
    put_node,
    put_task,
    row,
    together,
)

Watching = Callable[..., Reader]


@pytest.fixture
async def watching(store: Store) -> Iterable[Watching]:
    """Starts watches of nodes on the store, or on `on`."""
    readers: list[Reader] = []

    def watch(cursor: str = "", on: Store = store, **fields: object) -> Reader:
        readers.append(Reader(on, Watch(NODES, cursor=cursor, **fields)))
        return readers[-1]

    yield watch
    for reader in readers:
        await reader.close()


async def test_a_watch_without_a_cursor_begins_with_the_present_state_and_a_bookmark(store, watching):
    await store.write(together(put_node("n1"), put_node("n2")))
    await store.write(put_node("n1", hostname="h"))
    reader = watching()
    rows = await reader.rows(lambda event: event.type == BOOKMARK)
    assert [row(event) for event in rows] == [(ADDED, "n1", 2), (ADDED, "n2", 1), (BOOKMARK,)]
    assert [event.cursor for event in rows] == ["", "", f"{store.epoch}.2"]


async def test_a_watch_of_nothing_begins_with_a_bookmark(store, watching):
    assert [row(event) for event in await watching().page()] == [(BOOKMARK,)]


async def test_then_come_changes(store, watching):
    reader = watching()
    await reader.present()
    await store.write(put_node("n1"))
    await store.write(put_node("n1", hostname="h"))
    await store.write(delete_node("n1"))
    rows = await reader.until_revision(3)
    assert [row(event) for event in rows] == [(ADDED, "n1", 1), (MODIFIED, "n1", 2), (DELETED, "n1", 2)]
    assert [event.cursor for event in rows] == [f"{store.epoch}.{n}" for n in (1, 2, 3)]


async def test_a_mutation_arrives_whole_and_can_be_resumed_after_only_as_a_whole(store, watching):
    reader = watching()
    await reader.present()
    await store.write(together(put_node("n1"), put_node("n2"), put_node("n3")))
    page = await reader.page()
    assert [row(event) for event in page] == [(ADDED, f"n{n}", 1) for n in (1, 2, 3)]
    assert [event.cursor for event in page] == ["", "", f"{store.epoch}.1"]


async def test_entering_and_leaving_a_filter_are_added_and_deleted(store, watching):
    reader = watching(matches=lambda node: node.role == "gpu", identity="gpu")
    await reader.present()
    await store.write(put_node("n1", role="worker"))
    await store.write(put_node("n1", role="gpu"))
    await store.write(put_node("n1", hostname="h"))
    await store.write(put_node("n1", role="worker", hostname="left"))
    await store.write(delete_node("n1"))
    await store.write(put_node("n2", role="gpu"))
    rows = await reader.until_revision(6)
    assert [row(event) for event in rows] == [
        (ADDED, "n1", 2),
        (MODIFIED, "n1", 3),
        (DELETED, "n1", 3),
        (ADDED, "n2", 6),
    ]
    assert rows[2].object.message().hostname == "h"  # the last that matched


async def test_a_cursor_resumes_behind_its_mutation_without_a_hole_or_a_repetition(store, watching):
    for n in range(10):
        await store.write(put_node(f"n{n}"))
    for seen in range(10):
        reader = watching(f"{store.epoch}.{seen}")
        rows = await reader.until_revision(10)
        assert [row(e)[2] for e in rows] == list(range(seen + 1, 11))


async def test_a_watch_resumed_at_the_head_says_at_once_that_it_stands(store, watching):
    await store.write(put_node("n1"))
    reader = watching(f"{store.epoch}.1")
    assert [row(event) for event in await reader.page()] == [(BOOKMARK,)]


async def test_a_watch_that_finds_nothing_for_long_says_that_it_stands(open_store, watching):
    store = await open_store(page_length=2)
    for n in range(5):
        await store.write(put_node(f"n{n}"))
    for cursor in ("", f"{store.epoch}.1"):
        reader = watching(cursor, on=store, matches=lambda node: node.node_id == "n4", identity="n4")
        assert await reader.page() == []
        assert row((await reader.until_revision(5))[0])[:2] == (ADDED, "n4")


async def test_a_watch_narrowed_to_a_key_sees_that_object_alone(store, watching):
    await store.write(together(put_node("n1"), put_node("n2")))
    reader = watching(key="n2")
    assert [row(e) for e in await reader.present()] == [(ADDED, "n2", 1)]
    await store.write(put_node("n1", hostname="h"))
    await store.write(put_node("n2", hostname="h"))
    assert [row(e) for e in await reader.until_revision(3)] == [(MODIFIED, "n2", 3)]


async def test_changes_of_other_kinds_move_the_cursor_and_nothing_else(store, watching):
    reader = watching()
    await reader.present()
    await store.write(put_task("c1"))
    store._watches.tick()
    store._watches.tick()
    page = await reader.page()
    assert [(e.type, e.cursor) for e in page] == [(BOOKMARK, f"{store.epoch}.1")]


async def test_watches_of_equal_identity_share_pages_and_others_do_not(store, watching):
    readers = [watching(identity=identity) for identity in ("a", "a", "b")]
    for reader in readers:
        await reader.present()
    pages = []
    async with asyncio.TaskGroup() as group:
        reads = [group.create_task(anext(reader._pages)) for reader in readers]
        await asyncio.sleep(0)
        await store.write(put_node("n1"))
        pages = [await read for read in reads]
    assert pages[0] is pages[1]
    assert pages[0] is not pages[2]
    assert pages[0].events[0].object is pages[2].events[0].object
    assert pages[0].memo("k", lambda: b"once") == pages[1].memo("k", lambda: b"twice") == b"once"


async def test_a_projection_is_what_is_sent(store):
    watch = Watch(TASKS, project=lambda stored: stored.task, identity="tasks")
    await store.write(put_task("c1"))
    async with aclosing(store.watch(watch)) as pages:
        present = (await anext(pages)).events[0].object.message()
        await anext(pages)
        await store.write(put_task("c1", retry_count=1))
        changed = (await anext(pages)).events[0].object.message()
    assert isinstance(present, task_pb2.Task)
    assert (present.id, changed.retry_count, changed.revision) == ("c1", 1, 2)


async def test_rows_carry_live_fields_but_live_fields_make_no_rows(store, watching):
    await store.write(put_node("n1"))
    store.set_live(NODES, "n1", lambda: node_pb2.Node(free_slots=2))
    reader = watching()
    assert (await reader.present())[0].object.message().free_slots == 2
    store.set_live(NODES, "n1", lambda: node_pb2.Node(free_slots=1))
    await store.write(put_node("n1", hostname="h"))
    page = await reader.page()
    assert [row(event) for event in page] == [(MODIFIED, "n1", 2)]
    assert page[0].object.message().free_slots == 1


async def test_an_idle_watch_is_sent_bookmarks(open_store, watching):
    store = await open_store(bookmark_interval=0.05)
    reader = watching(on=store)
    await reader.present()
    for _ in range(3):
        assert [row(event) for event in await reader.page()] == [(BOOKMARK,)]


async def test_the_present_state_is_that_of_one_revision_however_much_is_written_meanwhile(
    open_store, watching
):
    store = await open_store(page_length=10)
    await store.write(together(*(put_node(f"n{n:02}") for n in range(40))))
    reader = watching(on=store)
    rows = await reader.page()
    # Between the pages: one changed, one deleted, one deleted and made again, one new.
    await store.write(put_node("n15", hostname="later"))
    await store.write(delete_node("n16"))
    await store.write(delete_node("n35"))
    await store.write(put_node("n35"))
    await store.write(put_node("n15a"))
    await store.write(put_node("n99"))
    rows += await reader.rows(lambda event: event.type == BOOKMARK)
    assert [row(event) for event in rows[:-1]] == [(ADDED, f"n{n:02}", 1) for n in range(40)]
    assert all(event.object.message().hostname == "" for event in rows[:-1])
    assert rows[-1].cursor == f"{store.epoch}.1"
    changes = [row(event) for event in await reader.until_revision(7)]
    assert changes == [
        (MODIFIED, "n15", 2),
        (DELETED, "n16", 1),
        (DELETED, "n35", 1),
        (ADDED, "n35", 5),
        (ADDED, "n15a", 6),
        (ADDED, "n99", 7),
    ]


@pytest.mark.parametrize("limits", [{}, {"ring_bytes": 0}, {"ring_bytes": 3000, "page_length": 3}])
async def test_a_slow_reader_gets_everything_from_the_ring_or_from_the_log(open_store, watching, limits):
    store = await open_store(**limits)
    reader = watching(on=store)
    await reader.present()
    for n in range(30):
        await store.write(together(put_node(f"n{n}"), put_node("n0", capacity=n), put_task(f"c{n}")))
    rows = await reader.until_revision(30)
    revisions = [int(e.cursor.partition(".")[2]) for e in rows if e.cursor]
    assert revisions == list(range(1, 31))
    assert len(rows) == 30 + 29  # the first mutation touched one node, the others two


async def test_a_mutation_longer_than_a_page_still_arrives_whole(open_store, watching):
    store = await open_store(ring_bytes=0, page_length=3)
    reader = watching(on=store)
    await reader.present()
    await store.write(put_node("a"))
    await store.write(together(*(put_node(f"n{n}") for n in range(10))))
    await store.write(put_node("z"))
    assert [len(await reader.page()) for _ in range(3)] == [1, 10, 1]


def size_of(page: list[WatchEvent]) -> int:
    return sum(len(event.object.wire) for event in page if event.object is not None)


async def test_the_present_state_comes_in_pages_of_bounded_bytes(open_store, watching):
    store = await open_store(page_bytes=1000)
    await store.write(together(*(put_node(f"n{n}", hostname="h" * 300) for n in range(10))))
    reader = watching(on=store)
    rows = await reader.present()
    assert [row(event) for event in rows] == [(ADDED, f"n{n}", 1) for n in range(10)]
    assert max(size_of(page) for page in reader.pages) < 1000 + 400


@pytest.mark.parametrize("limits", [{}, {"ring_bytes": 0}])
async def test_changes_come_in_pages_of_bounded_bytes_and_whole_mutations(open_store, watching, limits):
    store = await open_store(page_bytes=1000, **limits)
    reader = watching(on=store)
    await reader.present()
    # One commit: twelve mutations that a page cannot hold together, the third of them not even alone.
    names = [[f"n{m}-{n}" for n in range(10 if m == 2 else 1)] for m in range(12)]
    mutations = (together(*(put_node(name, hostname="h" * 300) for name in each)) for each in names)
    await asyncio.gather(*(store.write(mutation) for mutation in mutations))
    del reader.pages[:]
    rows = await reader.until_revision(12)
    assert [row(event)[1:] for event in rows] == [
        (name, m + 1) for m, each in enumerate(names) for name in each
    ]
    assert all(page[-1].cursor for page in reader.pages)
    assert max(size_of(page) for page in reader.pages if len(page) < 10) < 1000 + 400
    for page in reader.pages:
        rows = await watching(page[-1].cursor, on=store).until_revision(12)
        later = [r for r in reader.pages[reader.pages.index(page) + 1 :] for r in r]
        assert [row(e) for e in rows if e.object] == [row(e) for e in later]


async def test_what_watches_were_sent_is_not_kept_for_long(store, watching):
    readers = [watching(identity=n, matches=lambda node: node.role == "gpu") for n in range(3)]
    readers += [watching(identity=n) for n in range(3, 6)]
    for n in range(400):
        await store.write(put_node(f"n{n}"))
    slow = [watching(f"{store.epoch}.0", identity=n) for n in range(6, 9)]
    for reader in (*readers, *slow):
        await reader.until_revision(400)
        reader.pages.clear()
    gc.collect()
    assert sum(isinstance(each, WatchPage) for each in gc.get_objects()) < 6 * 128 + 100


async def test_a_watch_of_one_object_leaves_nothing_at_changes_of_others(store, watching):
    readers = [watching(key=f"other-{n}", identity=n) for n in range(5)]
    for reader in readers:
        await reader.present()
    await store.write(put_node("n1"))
    for reader in readers:
        store._watches.tick()
        store._watches.tick()
        await reader.until_revision(1)
    stretch = store._ring.after(NODES, 0)
    assert stretch is not None
    assert not stretch.memos


async def test_after_a_restart_a_cursor_goes_on_from_the_log(open_store, watching):
    first = await open_store()
    for n in range(5):
        await first.write(put_node(f"n{n}"))
    await first.close()
    store = await open_store()
    reader = watching(f"{store.epoch}.2", on=store)
    await store.write(put_node("n5"))
    assert [row(e)[1] for e in await reader.until_revision(6)] == ["n2", "n3", "n4", "n5"]


@pytest.mark.parametrize(
    "cursor", ["x", "12", "e.1.2", "E.1", "e.-1", "e.01", ".1", "e.", "e.1\n", "é.1", "e.١"]
)
async def test_what_is_no_cursor_is_refused(watching, cursor):
    with pytest.raises(errors.CursorInvalid):
        await watching(cursor).page()


async def test_a_cursor_of_another_history_is_refused(store, watching):
    for cursor in ("0123abcd.0", f"{store.epoch}.1"):  # the second one is from the future
        with pytest.raises(errors.EpochChanged):
            await watching(cursor).page()


async def test_a_cursor_before_the_kept_log_is_refused_with_the_oldest_that_works(open_store, watching):
    store = await open_store(log_length=3)
    for n in range(10):
        await store.write(put_node(f"n{n}"))
    await store.maintain()
    with pytest.raises(errors.CursorExpired) as raised:
        await watching(f"{store.epoch}.6", on=store).page()
    oldest = raised.value.metadata["oldest_cursor"]
    assert oldest == f"{store.epoch}.7"
    rows = await watching(oldest, on=store).until_revision(10)
    assert [row(e)[1] for e in rows] == ["n7", "n8", "n9"]


async def test_the_floor_outlives_a_restart(open_store, watching):
    first = await open_store(log_length=0)
    await first.write(put_node("n1"))
    await first.maintain()
    await first.close()
    store = await open_store()
    with pytest.raises(errors.CursorExpired):
        await watching(f"{store.epoch}.0", on=store).page()
    assert [row(event) for event in await watching(on=store).present()] == [(ADDED, "n1", 1)]


async def test_the_log_is_forgotten_by_age_and_in_steps(open_store, watching, clock: StandingClock):
    store = await open_store(log_age=100.0, compaction_step=2)
    for n in range(5):
        await store.write(put_node(f"n{n}"))
    clock.advance(60)
    await store.write(put_node("n5"))
    await store.maintain()
    assert store._watches.floor == 0
    clock.advance(60)
    await store.maintain()
    assert store._watches.floor == 5
    clock.advance(60)
    await store.maintain()
    assert store._watches.floor == 6


@pytest.mark.parametrize("reads", [1, 2, 3])
async def test_what_is_committed_while_the_log_is_judged_is_not_forgotten(
    store, clock: StandingClock, reads: int
):
    await store.write(put_node("n1"))
    clock.advance(100)
    left = reads

    async def read(statement: object, parameters: dict[str, object]) -> object:
        nonlocal left
        rows = await store.read(statement, parameters)
        left -= 1
        if left == 0:
            await store.write(put_node("n2"))
        return rows

    assert await log.find_floor(read, kept_since_us=clock.us - 50_000_000, kept_rows=1000) == 1


async def test_a_running_watch_that_compaction_passes_says_what_it_lost_and_ends(open_store, watching):
    store = await open_store(log_length=2, ring_bytes=0)
    reader = watching(on=store)
    await reader.present()
    for n in range(5):
        await store.write(put_node(f"n{n}"))
    await store.maintain()
    page = await reader.page()
    assert [(event.type, event.cursor) for event in page] == [(GAP, "")]
    gap = page[0].gap
    assert (gap.first_lost_revision, gap.last_lost_revision) == (1, 3)
    assert gap.oldest_cursor == f"{store.epoch}.3"
    with pytest.raises(StopAsyncIteration):
        await reader.page()


async def test_compaction_during_the_present_state_is_a_gap(open_store, watching):
    store = await open_store(log_length=0, page_length=2)
    await store.write(together(*(put_node(f"n{n}") for n in range(5))))
    reader = watching(on=store)
    await reader.page()
    await store.write(put_node("n4", hostname="h"))
    await store.maintain()
    rows = await reader.rows(lambda event: event.type == GAP)
    assert rows[-1].gap.first_lost_revision == 2
    with pytest.raises(StopAsyncIteration):
        await reader.page()


async def test_closing_ends_watches_with_a_reason(open_store, watching):
    store = await open_store()
    reader = watching(on=store)
    await reader.present()
    reading = asyncio.ensure_future(reader.page())
    await asyncio.sleep(0)
    await store.close()
    with pytest.raises(errors.Draining):
        await reading


async def test_a_watcher_that_leaves_takes_nobody_with_it(store, watching):
    leaving, staying = watching(), watching()
    await leaving.present()
    await staying.present()
    reading = asyncio.ensure_future(leaving.page())
    other = asyncio.ensure_future(staying.page())
    await asyncio.sleep(0)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    await store.write(put_node("n1"))
    assert [row(event) for event in await other] == [(ADDED, "n1", 1)]
