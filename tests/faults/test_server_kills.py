"""Kills the server again and again under writers and watchers: nothing acknowledged may be lost, nothing
may happen twice, and every watcher must see exactly the log."""

from __future__ import annotations

import asyncio
import os
import random
import sqlite3
import uuid
from pathlib import Path

import aiohttp
import pytest
from novasphere.node.v1 import command_pb2
from processes import TOKEN, ControlPlane, control_plane, eventually
from watching import (
    NdjsonWatcher,
    Row,
    SseWatcher,
    Watcher,
    assert_dense,
    assert_equals_log,
    log_of,
    revisions_of,
)

pytestmark = [pytest.mark.fault, pytest.mark.timeout(1500)]
LONG = os.environ.get("NOVASPHERE_FAULTS") == "long"
SECONDS = 600 if LONG else 20


class Writer:
    """Creates and cancels commands over REST; says each request again until it is answered."""

    def __init__(self, plane: ControlPlane, number: int) -> None:
        self.plane = plane
        self.number = number
        self.acknowledged: dict[str, str] = {}  # command id -> text
        self.sent: set[str] = set()
        self.cancelled: set[str] = set()

    async def run(self) -> None:
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as http:
            while True:
                text = f"echo {uuid.uuid4().hex}"
                self.sent.add(text)
                answer = await self.say(http, "/api/v1/nodes/node-001/commands", {"command_text": text})
                command_id = answer["data"]["command_id"]
                self.acknowledged[command_id] = text
                if random.random() < 0.5:
                    await self.say(http, f"/api/v1/commands/{command_id}:cancel", {})
                    self.cancelled.add(command_id)

    async def say(
        self, http: aiohttp.ClientSession, path: str, body: dict[str, str]
    ) -> dict[str, dict[str, str]]:
        headers = {"Authorization": f"Bearer {TOKEN}", "Idempotency-Key": uuid.uuid4().hex}
        while True:
            try:
                async with http.post(self.plane.url + path, json=body, headers=headers) as answer:
                    if answer.status < 300:
                        return await answer.json()
                    assert answer.status == 503, await answer.text()
            except (TimeoutError, aiohttp.ClientError, ConnectionError):
                pass  # not answered: said again with the same key
            await asyncio.sleep(0.02)


async def test_kills_of_the_server_lose_and_double_nothing(tmp_path: Path) -> None:
    async with control_plane(tmp_path) as plane:
        await plane.add_agent("node-001")
        await plane.agents["node-001"].kill()  # commands wait: their states are the writers' alone
        writers = [Writer(plane, n) for n in range(5)]
        watchers = [
            Watcher(plane),
            Watcher(plane),
            SseWatcher(plane),
            SseWatcher(plane),
            NdjsonWatcher(plane),
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
            log: list[Row] = []

            async def all_have_caught_up() -> bool:
                # Read anew each time: what a writer said last may still be on its way to the log.
                log[:] = log_of(database)
                return all(w.rows and w.rows[-1].revision >= log[-1].revision for w in watchers)

            await eventually(all_have_caught_up, within=60)
        finally:
            for runner in runners:
                runner.cancel()
            await asyncio.gather(*runners, return_exceptions=True)
        assert await plane.server.terminate() == 0
        assert_dense(revisions_of(database))
        for watcher in watchers:
            assert_equals_log(watcher, log)
        with sqlite3.connect(database) as connection:
            stored = dict(connection.execute("SELECT key, body FROM commands").fetchall())
        connection.close()
        acknowledged = {c: t for w in writers for c, t in w.acknowledged.items()}
        lost = set(acknowledged) - set(stored)
        assert not lost, f"{len(lost)} acknowledged commands are gone"
        texts = [
            command_pb2.CommandWithResult.FromString(b).command.command_text for b in stored.values()
        ]
        assert len(texts) == len(set(texts)), "a request that was said again ran again"
        assert set(texts) <= {t for w in writers for t in w.sent}
        states = {r.key: r.state for r in log}
        assert all(states[c] == "CANCELLED" for w in writers for c in w.cancelled)
        print(
            f"\n{kills} kills, {len(acknowledged)} acknowledged commands, {len(log)} log rows, "
            f"{sum(w.breaks for w in watchers)} resumed streams"
        )
        assert len(acknowledged) > 50
