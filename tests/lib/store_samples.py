"""Objects, mutations and a clock for tests of the store."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any

from novasphere.api.v1 import watch_pb2
from novasphere.node.v1 import node_pb2
from novasphere.schedule.v1 import task_pb2
from novasphere_server import errors
from novasphere_server.clock import SystemClock
from novasphere_server.store import log
from novasphere_server.store.kinds import NODES, TASKS
from novasphere_server.store.store import Store
from novasphere_server.store.transactions import Transaction
from novasphere_server.store.watches import WatchEvent

ADDED = watch_pb2.EVENT_TYPE_ADDED
MODIFIED = watch_pb2.EVENT_TYPE_MODIFIED
DELETED = watch_pb2.EVENT_TYPE_DELETED
BOOKMARK = watch_pb2.EVENT_TYPE_BOOKMARK
GAP = watch_pb2.EVENT_TYPE_GAP

Mutation = Callable[[Transaction], Any]


class StandingClock(SystemClock):
    """Wall time that only a test moves."""

    def __init__(self) -> None:
        self.us = 1_800_000_000_000_000

    def now_us(self) -> int:
        return self.us

    def follow(self, now_us: int) -> None:
        """Stands still whatever the database says."""

    def advance(self, seconds: float) -> None:
        self.us += round(seconds * 1e6)


def put_node(name: str, *, labels: Mapping[str, str] | None = None, **fields: Any) -> Mutation:
    """Returns a mutation that creates a node, or changes the given fields of one."""

    def mutation(transaction: Transaction) -> node_pb2.Node:
        node = transaction.get(NODES, name)
        if node is None:
            number = transaction.next_id("node")
            node = node_pb2.Node(id=number, node_id=name, uid=f"uid-{number}")
        for field, value in fields.items():
            setattr(node, field, value)
        if labels is not None:
            node.labels.clear()
            node.labels.update(labels)
        transaction.put(NODES, node)
        return node

    return mutation


def delete_node(name: str) -> Mutation:
    return lambda transaction: transaction.delete(NODES, name)


def put_task(task_id: str, **fields: Any) -> Mutation:
    """Returns a mutation that creates a task, or changes the given fields of one."""

    def mutation(transaction: Transaction) -> task_pb2.StoredTask:
        stored = transaction.get(TASKS, f"cmd-{task_id}")
        if stored is None:
            stored = task_pb2.StoredTask()
            stored.task.number = transaction.next_id("tasks")
            stored.task.id = task_id
        for field, value in fields.items():
            setattr(stored.task, field, value)
        transaction.put(TASKS, stored)
        return stored

    return mutation


def together(*mutations: Mutation) -> Mutation:
    """Returns one mutation that does what several do."""

    def mutation(transaction: Transaction) -> list[Any]:
        return [each(transaction) for each in mutations]

    return mutation


async def eventually(condition: Callable[[], bool]) -> None:
    """Waits until a condition holds, at most a minute."""
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0.01)


@asynccontextmanager
async def missing(late: Store, other: Store) -> AsyncIterator[None]:
    """Keeps a server from hearing what another one commits in the block, which the log has forgotten at its
    end. Then it starts over.
    """
    async with late._following:  # as if it were frozen
        yield
        floor = other.revision
        assert late.revision < floor
        # From here on it may notice by itself.
        await other.write(lambda transaction: log.compact(transaction, floor, 10_000))
    with suppress(errors.DatabaseUnavailable):
        await late.catch_up()
    await eventually(lambda: late.is_available)
    assert late.revision >= floor


def row(event: WatchEvent) -> tuple[Any, ...]:
    """Returns what an event says, in short: type, name and revision of its object."""
    if event.object is None:
        return (event.type,)
    message = event.object.message()
    return event.type, message.node_id, message.revision


class Reader:
    """Follows a watch of nodes, row by row."""

    def __init__(self, store: Store, watch: Any) -> None:
        self._pages = store.watch(watch)
        self.pages: list[list[WatchEvent]] = []
        self.cursor = watch.cursor

    async def page(self) -> list[WatchEvent]:
        """Returns the next page, within a minute."""
        async with asyncio.timeout(60):
            page = await anext(self._pages)
        events = list(page.events)
        self.pages.append(events)
        for event in events:
            self.cursor = event.cursor or self.cursor
        return events

    async def rows(self, until: Callable[[WatchEvent], bool]) -> list[WatchEvent]:
        """Returns all rows up to the page that holds the first one for which `until` holds."""
        rows: list[WatchEvent] = []
        while not any(until(event) for event in rows):
            rows += await self.page()
        return rows

    async def until_revision(self, revision: int) -> list[WatchEvent]:
        """Returns all rows up to the one whose cursor has that revision or a later one."""
        return await self.rows(lambda e: bool(e.cursor) and int(e.cursor.partition(".")[2]) >= revision)

    async def present(self) -> list[WatchEvent]:
        """Returns the present state, without the bookmark that ends it."""
        rows = await self.rows(lambda event: event.type == BOOKMARK)
        assert rows[-1].type == BOOKMARK
        return rows[:-1]

    async def close(self) -> None:
        await self._pages.aclose()
