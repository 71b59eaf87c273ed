"""Kills the server again and again under writers and watchers: nothing acknowledged may be lost, nothing
may happen twice, and every watcher must see exactly the log."""

from __future__ import annotations

import asyncio
import os
import random
import sqlite3
from pathlib import Path

import pytest
from novasphere.node.v1 import command_pb2
from processes import control_plane, eventually
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

pytestmark = [pytest.mark.fault, pytest.mark.timeout(1500)]
LONG = os.environ.get("NOVASPHERE_FAULTS") == "long"
SECONDS = 600 if LONG else 20


async def test_kills_of_the_server_lose_and_double_nothing(tmp_path: Path) -> None:
    async with control_plane(tmp_path, NOVASPHERE_LIMITS_BOOKMARK_INTERVAL="0.5") as plane:
        await plane.add_agent("node-001")
        await plane.agents["node-001"].kill()  # commands wait: their states are the writers' alone
        writers = [*(Writer(plane) for _ in range(4)), NodeDeleter(plane)]
        watchers = [
            Watcher(plane),
            SseWatcher(plane),
            NdjsonWatcher(plane),
            # Left by change and by deletion; entered by change; and far apart, with bookmarks between.
            Watcher(plane, Filter(status="pending")),
            SseWatcher(plane, Filter(status="failed")),
            NdjsonWatcher(plane, Filter(namespace=DOOMED)),
        ]
        following = [asyncio.create_task(w.run()) for w in watchers]

        async def all_follow() -> bool:
            return all(w.cursor for w in watchers)

        await eventually(all_follow)
        runners = [*(asyncio.create_task(w.run()) for w in writers), *following]
        kills = 0
        try:
            deadline = asyncio.get_running_loop().time() + SECONDS
            while asyncio.get_running_loop().time() < deadline or kills < 3:
                await asyncio.sleep(random.uniform(0.2, 5 if LONG else 2))
                await plane.restart()
                kills += 1
                for runner in runners:
                    if runner.done():
                        runner.result()
            for runner in runners[: len(writers)]:
                runner.cancel()
            await asyncio.gather(*runners[: len(writers)], return_exceptions=True)
            database = next(plane.data_dir.glob("*.db"))
            # What is behind what the server has in memory is sent from the log, page by page.
            first = watchers[0].messages[0][-1].cursor
            late = [each(plane, cursor=first) for each in (Watcher, SseWatcher, NdjsonWatcher)]
            runners += [asyncio.create_task(w.run()) for w in late]
            watchers += late
            log: list[Change] = []

            async def all_have_caught_up() -> bool:
                # Read anew each time: what a writer said last may still be on its way to the log.
                log[:] = log_of(database)
                return all(w.bookmarked >= log[-1].revision for w in watchers)

            await eventually(all_have_caught_up, within=60)
        finally:
            for runner in runners:
                runner.cancel()
            await asyncio.gather(*runners, return_exceptions=True)
        assert await plane.server.terminate() == 0
        assert_dense(revisions_of(database))
        for watcher in watchers:
            assert_keeps_its_promises(watcher, log)
        with sqlite3.connect(database) as connection:
            stored = dict(connection.execute("SELECT key, body FROM commands").fetchall())
        connection.close()
        acknowledged = {c: t for w in writers for c, t in w.acknowledged.items()}
        lost = set(acknowledged) - set(stored)
        assert not lost, f"{len(lost)} acknowledged commands are gone"
        deleted = {c for w in writers for c in w.deleted}
        assert not deleted & set(stored), "an acknowledged deletion was undone"
        assert deleted
        texts = [
            command_pb2.CommandWithResult.FromString(b).command.command_text for b in stored.values()
        ]
        assert len(texts) == len(set(texts)), "a request that was said again ran again"
        assert set(texts) <= {t for w in writers for t in w.sent}
        states = {c.key: state_of(c.after or c.before) for c in log}
        assert all(states[c] == "CANCELLED" for w in writers for c in w.cancelled)
        print(
            f"\n{kills} kills, {len(acknowledged)} acknowledged commands, {len(deleted)} deleted ones, "
            f"{len(log)} log rows, "
            f"{sum(w.breaks for w in watchers)} resumed streams"
        )
        assert len(acknowledged) > 50
