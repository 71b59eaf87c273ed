"""Kills the server again and again under writers and watchers: nothing acknowledged may be lost, nothing
may happen twice, and every watcher must see exactly the log."""

from __future__ import annotations

import asyncio
import os
import random
import sqlite3
import uuid
from pathlib import Path
from typing import Any

import aiohttp
import grpc
import pytest
from frames import HandMadeAgent
from novasphere.node.v1 import command_pb2
from processes import TOKEN, ControlPlane, control_plane, eventually
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

pytestmark = [pytest.mark.fault, pytest.mark.timeout(1500)]
LONG = os.environ.get("NOVASPHERE_FAULTS") == "long"
SECONDS = 600 if LONG else 20
DOOMED = "doomed"  # the namespace of what is deleted


class Writer:
    """Creates and cancels commands over REST; says each request again until it is answered."""

    def __init__(self, plane: ControlPlane) -> None:
        self.plane = plane
        self.acknowledged: dict[str, str] = {}  # command id -> text
        self.sent: set[str] = set()
        self.cancelled: set[str] = set()
        self.deleted: set[str] = set()

    async def run(self) -> None:
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as http:
            while True:
                await self.write(http)

    async def write(self, http: aiohttp.ClientSession) -> None:
        command_id = await self.create(http, "node-001")
        if random.random() < 0.5:
            await self.cancel(http, command_id)

    async def create(self, http: aiohttp.ClientSession, node_id: str, **more: str) -> str:
        text = f"echo {uuid.uuid4().hex}"
        self.sent.add(text)
        body = {"command_text": text} | more
        answer = await self.say(http, "POST", f"/api/v1/nodes/{node_id}/commands", body)
        command_id: str = answer["data"]["command_id"]
        self.acknowledged[command_id] = text
        return command_id

    async def cancel(self, http: aiohttp.ClientSession, command_id: str) -> None:
        await self.say(http, "POST", f"/api/v1/commands/{command_id}:cancel", {})
        self.cancelled.add(command_id)

    async def say(
        self, http: aiohttp.ClientSession, method: str, path: str, body: dict[str, str] | None = None
    ) -> Any:
        headers = {"Authorization": f"Bearer {TOKEN}", "Idempotency-Key": uuid.uuid4().hex}
        url = self.plane.url + path
        while True:
            try:
                async with http.request(method, url, json=body, headers=headers) as answer:
                    if answer.status < 300:
                        return await answer.json()
                    assert answer.status == 503, await answer.text()
            except (TimeoutError, aiohttp.ClientError, ConnectionError):
                pass  # not answered: said again with the same key
            await asyncio.sleep(0.02)


class NodeDeleter(Writer):
    """Deletes nodes together with the commands that wait for them: mutations of many rows."""

    async def write(self, http: aiohttp.ClientSession) -> None:
        node_id = await self.join()
        waiting = [await self.create(http, node_id, namespace=DOOMED) for _ in range(8)]
        for command_id in waiting[::2]:
            await self.cancel(http, command_id)
        for command_id in waiting:
            # Before it is said: what is never answered may be done all the same.
            del self.acknowledged[command_id]
        await self.say(http, "DELETE", f"/api/v1/nodes/{node_id}")
        self.deleted.update(waiting)

    async def join(self) -> str:
        """Returns a new node, which takes no commands."""
        while True:
            # Another one each time: whose Welcome was lost cannot say who it is.
            agent = HandMadeAgent(self.plane.address, TOKEN, f"node-{uuid.uuid4().hex}")
            agent.slots = 0
            try:
                await agent.connect()
            except (TimeoutError, grpc.aio.AioRpcError, asyncio.InvalidStateError, AssertionError):
                await asyncio.sleep(0.02)  # killed meanwhile: which it is depends on the moment
            else:
                return agent.node_id
            finally:
                await agent.hang_up()


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
