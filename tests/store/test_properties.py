"""Random interleavings of everything, against a model that is a list of states."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from novasphere_server import errors
from novasphere_server.store.kinds import NODES
from novasphere_server.store.limits import Limits
from novasphere_server.store.queries import Query
from novasphere_server.store.store import Store
from novasphere_server.store.transactions import Transaction
from novasphere_server.store.watches import Watch, WatchEvent
from store_samples import ADDED, BOOKMARK, DELETED, MODIFIED, StandingClock, put_node

NAMES = ["a", "b", "c", "d"]
ROLES = ["gpu", "worker"]
ALL = "all"

State = dict[str, tuple[str, int]]  # name -> role, revision

names = st.sampled_from(NAMES)
puts = st.tuples(st.just("put"), names, st.sampled_from(ROLES))
deletes = st.tuples(st.just("delete"), names)
steps = st.lists(puts | deletes, min_size=1, max_size=3)
actions = st.one_of(
    st.tuples(st.just("write"), steps),
    st.tuples(st.just("write"), steps),
    st.tuples(st.just("fail"), steps),
    st.tuples(st.just("dry"), steps),
    st.tuples(st.just("get"), names),
    st.tuples(st.just("list"), st.sampled_from([*ROLES, ALL]), st.integers(0, 3)),
    st.tuples(st.just("watch"), st.sampled_from([*ROLES, ALL]), st.floats(0, 1) | st.none()),
    st.tuples(st.just("page"), st.integers(0, 5)),
    st.tuples(st.just("page"), st.integers(0, 5)),
)
groups = st.lists(st.lists(actions, min_size=1, max_size=6), min_size=1, max_size=8)
sizes = st.sampled_from(
    [{}, {"cache_bytes": 0}, {"cache_bytes": 1500, "ring_bytes": 1200}, {"ring_bytes": 0}]
)


class Refused(Exception):
    pass


def inside(role: str) -> Callable[[Any], bool]:
    return lambda node: role in (ALL, node.role)


@dataclass
class Watching:
    """A watch, where it began, and every page it was sent."""

    role: str
    start: int | None  # None: with the present state
    pages: Any
    seen: list[list[WatchEvent]] = field(default_factory=list)

    async def read(self) -> None:
        self.seen.append(list((await anext(self.pages)).events))

    def end(self) -> int:
        cursors = [event.cursor for page in self.seen for event in page if event.cursor]
        return int(cursors[-1].partition(".")[2]) if cursors else -1


class Run:
    """One example: a store, and the states it went through, by revision."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.changes: dict[int, dict[str, str | None]] = {}
        self.watches: list[Watching] = []
        self.checks: list[tuple[Callable[[State], Any], Any, int]] = []

    def mutation(self, todo: list[Any], *, fails: bool = False) -> Callable[[Transaction], Any]:
        def mutate(transaction: Transaction) -> tuple[int, dict[str, str | None]]:
            before = {name: transaction.get(NODES, name) for name in NAMES}
            for step in todo:
                if step[0] == "put":
                    put_node(step[1], role=step[2])(transaction)
                else:
                    transaction.delete(NODES, step[1])
            if fails:
                raise Refused
            after = {name: transaction.get(NODES, name) for name in NAMES}
            changed = {
                name: node.role if (node := after[name]) is not None else None
                for name in NAMES
                if after[name] != before[name]
            }
            return transaction.revision, changed

        return mutate

    async def do(self, action: Any) -> None:
        verb, *rest = action
        started_at = self.store.revision
        if verb == "write":
            revision, changed = await self.store.write(self.mutation(rest[0]))
            if changed:
                assert revision not in self.changes
                self.changes[revision] = changed
                assert self.store.revision >= revision
        elif verb == "fail":
            with pytest.raises(Refused):
                await self.store.write(self.mutation(rest[0], fails=True))
        elif verb == "dry":
            await self.store.write(self.mutation(rest[0]), is_dry_run=True)
        elif verb == "get":
            found = await self.store.get(NODES, rest[0])
            got = None if found is None else (found.message().role, found.message().revision)
            self.checks.append((lambda state: state.get(rest[0]), got, started_at))
        elif verb == "list":
            await self.list(rest[0], rest[1], started_at)
        elif verb == "watch":
            start = None if rest[1] is None else int(rest[1] * started_at)
            cursor = "" if start is None else f"{self.store.epoch}.{start}"
            watch = Watch(NODES, cursor=cursor, identity=rest[0], matches=inside(rest[0]))
            self.watches.append(Watching(rest[0], start, self.store.watch(watch)))
        elif verb == "page" and rest[0] < len(self.watches):
            watching = self.watches[rest[0]]
            if watching.end() < self.store.revision and not watching.pages.ag_running:
                self.tick()
                await watching.read()

    async def list(self, role: str, limit: int, started_at: int) -> None:
        filters = () if role == ALL else (("role", "=", role),)
        page = await self.store.list(Query(NODES, filters=filters, order_by=("key",), limit=limit))
        nodes = [item.message() for item in page.items]
        got = ([(node.node_id, node.role, node.revision) for node in nodes], page.total)

        def expected(state: State) -> Any:
            matching = sorted((n, r, at) for n, (r, at) in state.items() if role in (ALL, r))
            return matching[:limit], len(matching)

        self.checks.append((expected, got, started_at))

    async def finish(self) -> None:
        await self.do(("write", [("put", "b", "gpu"), ("put", "c", "worker"), ("delete", "a")]))
        last = self.store.revision
        for watching in self.watches:
            while watching.end() < last:
                self.tick()
                await watching.read()

    def tick(self) -> None:
        """Has a watch that has nothing more to say say that."""
        self.store._watches.tick()
        self.store._watches.tick()

    def verify(self, log: list[dict[str, str | None]]) -> None:
        """Compares what readers and watchers saw with the states that the log led through."""
        states: list[State] = [{}]
        for revision, changed in enumerate(log, start=1):
            state = dict(states[-1])
            for name, role in changed.items():
                if role is None:
                    state.pop(name)
                else:
                    state[name] = (role, revision)
            states.append(state)
        for project, got, started_at in self.checks:
            assert got in [project(state) for state in states[started_at:]]
        for watching in self.watches:
            verify_watch(watching, states, log)


def verify_watch(watching: Watching, states: list[State], log: list[dict[str, str | None]]) -> None:
    events = [event for page in watching.seen for event in page]
    start = watching.start
    if start is None:
        ends = next(n for n, event in enumerate(events) if event.type == BOOKMARK)
        start = int(events[ends].cursor.partition(".")[2])
        present = {e.object.message().node_id: e.object.message().revision for e in events[:ends]}
        assert present == {
            n: at for n, (role, at) in states[start].items() if watching.role in (ALL, role)
        }
        assert len(present) == ends
        events = events[ends:]
    expected = []
    for revision in range(start + 1, len(log) + 1):
        before, after = states[revision - 1], states[revision]
        for name in log[revision - 1]:
            was = name in before and watching.role in (ALL, before[name][0])
            now = name in after and watching.role in (ALL, after[name][0])
            kind = {(False, True): ADDED, (True, True): MODIFIED, (True, False): DELETED}.get((was, now))
            if kind is not None:
                object_revision = after[name][1] if now else before[name][1]
                expected.append((revision, kind, name, object_revision))
    seen, waiting = [], []
    for event in events:
        if event.type == BOOKMARK:
            assert not waiting
            continue
        node = event.object.message()
        waiting.append((event.type, node.node_id, node.revision))
        if event.cursor:  # ends its mutation
            revision = int(event.cursor.partition(".")[2])
            seen += [(revision, *each) for each in sorted(waiting, key=lambda e: e[1])]
            waiting = []
    assert not waiting
    assert seen == sorted(expected, key=lambda e: (e[0], e[2]))
    for page in filter(None, watching.seen):  # no mutation is torn between pages
        assert page[-1].cursor or page[-1].type == ADDED


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty, migrated database, to be copied: migrating one an example would take the most time."""
    folder = tmp_path_factory.mktemp("template")

    async def make() -> None:
        await (await Store.open(f"sqlite:///{folder}/n.db", clock=StandingClock())).close()

    asyncio.run(make())
    return folder / "n.db"


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(groups=groups, limits=sizes)
def test_whatever_happens_at_once_readers_and_watchers_see_one_history(
    template: Path,
    tmp_path_factory: pytest.TempPathFactory,
    groups: list[list[Any]],
    limits: dict[str, int],
):
    folder = tmp_path_factory.mktemp("run")
    shutil.copy(template, folder / "n.db")

    async def example() -> None:
        quiet = {"bookmark_interval": 3600.0, "maintenance_interval": 3600.0, "probe_interval": 3600.0}
        store = await Store.open(
            f"sqlite:///{folder}/n.db",
            clock=StandingClock(),
            limits=Limits(page_length=2, **quiet, **limits),
        )
        run = Run(store)
        try:
            async with asyncio.timeout(120):
                for group in groups:
                    await asyncio.gather(*(run.do(action) for action in group))
                await run.finish()
        finally:
            for watching in run.watches:
                await watching.pages.aclose()
            await store.close()
        assert sorted(run.changes) == list(range(1, store.revision + 1))
        run.verify([run.changes[revision] for revision in sorted(run.changes)])

    asyncio.run(example())
    shutil.rmtree(folder)


async def test_a_watch_that_meets_a_closed_store_raises(store: Store):
    async with aclosing(store.watch(Watch(NODES))) as pages:
        await anext(pages)
        await store.close()
        with pytest.raises(errors.Draining):
            await anext(pages)
