"""Writers and watchers on a control plane that is being disturbed, and what must hold in spite of it."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence

import databases
from novasphere.schedule.v1 import task_pb2
from processes import ControlPlane, eventually
from watching import (
    Change,
    Filter,
    NdjsonWatcher,
    SseWatcher,
    Watcher,
    assert_dense,
    assert_keeps_its_promises,
    log_of,
    revisions_of,
    state_of,
)
from writing import DOOMED, NodeDeleter, Writer

LEAST_DISTURBANCES = 3
LEAST_DONE = 50  # commands that were acknowledged


class Storm:
    """Runs everybody for a while; `disturb` does its worst again and again and returns when that is over."""

    def __init__(self, plane: ControlPlane, more_writers: Sequence[Writer] = ()) -> None:
        self.plane = plane
        self.writers = [*(Writer(plane) for _ in range(4)), NodeDeleter(plane), *more_writers]
        self.watchers: list[Watcher] = [
            Watcher(plane),
            SseWatcher(plane),
            NdjsonWatcher(plane),
            # Left by change and by deletion; entered by change; and far apart, with bookmarks between.
            Watcher(plane, Filter(status="pending")),
            SseWatcher(plane, Filter(status="failed")),
            NdjsonWatcher(plane, Filter(namespace=DOOMED)),
        ]
        self.log: list[Change] = []
        self.disturbances = 0

    async def run(
        self, disturb: Callable[[], Awaitable[None]], seconds: float, longest_pause: float
    ) -> None:
        following = [asyncio.create_task(watcher.run()) for watcher in self.watchers]
        writing: list[asyncio.Task[None]] = []
        try:
            await eventually(self._all_follow)
            writing += [asyncio.create_task(writer.run()) for writer in self.writers]
            clock = asyncio.get_running_loop().time
            deadline = clock() + seconds
            while (now := clock()) < deadline or not self._shows_anything:
                assert now < deadline + 240, "too little was done"
                await asyncio.sleep(random.uniform(0.2, longest_pause))
                await disturb()
                self.disturbances += 1
                for task in (*writing, *following):
                    if task.done():
                        task.result()
            await self._stop(writing)
            # What is behind what the server has in memory is sent from the log, page by page.
            first = self.watchers[0].messages[0][-1].cursor
            late = [each(self.plane, cursor=first) for each in (Watcher, SseWatcher, NdjsonWatcher)]
            following += [asyncio.create_task(watcher.run()) for watcher in late]
            self.watchers += late
            await eventually(self._all_have_caught_up, within=120)
        finally:
            await self._stop([*writing, *following])

    @property
    def _shows_anything(self) -> bool:
        """Whether enough was done for something to go wrong: on a slow machine that takes longer."""
        acknowledged = sum(len(writer.acknowledged) for writer in self.writers)
        has_deleted = any(writer.deleted for writer in self.writers)
        return self.disturbances >= LEAST_DISTURBANCES and acknowledged > LEAST_DONE and has_deleted

    async def _stop(self, tasks: Sequence[asyncio.Task[None]]) -> None:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _all_follow(self) -> bool:
        return all(watcher.cursor for watcher in self.watchers)

    async def _all_have_caught_up(self) -> bool:
        # Read anew each time: what a writer said last may still be on its way to the log.
        self.log = await asyncio.to_thread(log_of, self.plane.database_url)
        return all(watcher.bookmarked >= self.log[-1].revision for watcher in self.watchers)

    def assert_nothing_was_lost_or_doubled(self) -> str:
        """Returns what was seen, in figures. To be called when the servers are down: nothing is on its
        way any more.
        """
        url = self.plane.database_url
        assert_dense(revisions_of(url))
        for watcher in self.watchers:
            assert_keeps_its_promises(watcher, self.log)
        stored = dict(databases.rows(url, "SELECT key, body FROM tasks"))
        acknowledged = {c: t for w in self.writers for c, t in w.acknowledged.items()}
        lost = set(acknowledged) - set(stored)
        assert not lost, f"{len(lost)} acknowledged commands are gone"
        deleted = {c for w in self.writers for c in w.deleted}
        assert not deleted & set(stored), "an acknowledged deletion was undone"
        assert deleted
        texts = [task_pb2.StoredTask.FromString(b).task.config.command_text for b in stored.values()]
        assert len(texts) == len(set(texts)), "a request that was said again ran again"
        assert set(texts) <= {t for w in self.writers for t in w.sent}
        states = {c.key: state_of(c.after or c.before) for c in self.log}
        assert all(states[c] == "CANCELLED" for w in self.writers for c in w.cancelled)
        assert len(acknowledged) > LEAST_DONE
        return (
            f"{self.disturbances} disturbances, {len(acknowledged)} acknowledged commands, "
            f"{len(deleted)} deleted ones, {len(self.log)} log rows, "
            f"{sum(w.breaks for w in self.watchers)} resumed streams"
        )
