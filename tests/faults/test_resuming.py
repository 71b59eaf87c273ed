"""SSE and NDJSON through kill -9 of the server and readers that hang up: resumed with nothing but
`Last-Event-ID` or `?cursor=`, what was read together is the log, each change once."""

from __future__ import annotations

import asyncio
import json
import os
import random
from contextlib import aclosing
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from event_sources import EventSource, lines_of
from processes import TOKEN, ControlPlane, control_plane, eventually
from watching import Change, Filter, Row, Watcher, assert_keeps_its_promises, log_of
from writing import NodeDeleter, Writer

pytestmark = [pytest.mark.fault, pytest.mark.timeout(900)]
LONG = os.environ.get("NOVASPHERE_FAULTS") == "long"
SECONDS = 120 if LONG else 10
HEADERS = {"Authorization": f"Bearer {TOKEN}"}


def row_of(text: str) -> Row:
    data = json.loads(text)
    if data["type"] == "ERROR":
        raise ConnectionResetError(text)
    found = data.get("object") or {}
    return Row(data["type"], data["cursor"], found.get("command_id", ""), found.get("state", ""))


class Reader(Watcher):
    """Keeps what has arrived up to the last cursor: what came after it comes again."""

    def __init__(self, plane: ControlPlane, which: Filter, patience: float) -> None:
        super().__init__(plane, which)
        self._patience = patience  # how many rows it takes before it hangs up; 0: for ever
        self._unfinished: list[Row] = []
        self._rows_left = 0.0

    def url(self, **more: str) -> str:
        return f"{self.plane.url}/api/v1/commands:watch?{urlencode(self.which.query | more)}"

    def stay(self) -> None:
        """Has it hang up no more: one that comes back every 3 s never catches up with a long log."""
        self._patience, self._rows_left = 0, float("inf")

    async def run(self) -> None:
        while True:
            self._unfinished = []
            self._rows_left = random.expovariate(1 / self._patience) if self._patience else float("inf")
            try:
                await self.read()
            except (OSError, asyncio.IncompleteReadError):
                self.breaks += 1
            await self.wait()

    async def wait(self) -> None:
        await asyncio.sleep(0.1)

    def add(self, row: Row) -> None:
        self._unfinished.append(row)
        if row.cursor:
            self.take(self._unfinished)
            self._unfinished = []
        self._rows_left -= 1
        if self._rows_left < 0:
            raise ConnectionResetError("its reader hung up")


class Browser(Reader):
    name = "event source"

    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self._source = EventSource(self.url(), HEADERS)

    async def read(self) -> None:
        async with aclosing(self._source.events()) as events:
            async for event in events:
                row = row_of(event.data)
                assert row.type == event.type
                # Within a mutation it goes back to where that began.
                assert event.last_event_id == (row.cursor or self.cursor)
                self.add(row)

    async def wait(self) -> None:
        await asyncio.sleep(self._source.retry_seconds)


class Lines(Reader):
    name = "lines"

    async def read(self) -> None:
        url = self.url(cursor=self.cursor) if self.cursor else self.url()
        async with aclosing(lines_of(url, HEADERS)) as lines:
            async for line in lines:
                self.add(row_of(line))


async def test_what_was_read_between_the_breaks_is_the_log_each_change_once(tmp_path: Path) -> None:
    async with control_plane(tmp_path, NOVASPHERE_LIMITS_BOOKMARK_INTERVAL="0.5") as plane:
        await plane.add_agent("node-001")
        await plane.agents["node-001"].kill()
        readers: list[Reader] = [
            kind(plane, which, patience)
            for kind in (Browser, Lines)
            for which, patience in ((Filter(), 0), (Filter(), 100), (Filter(status="failed"), 30))
        ]
        running = [asyncio.create_task(reader.run()) for reader in readers]

        async def all_follow() -> bool:
            return all(reader.cursor for reader in readers)

        writing: list[asyncio.Task[None]] = []
        log: list[Change] = []
        kills = 0
        try:
            await eventually(all_follow)
            writers = [Writer(plane), Writer(plane), NodeDeleter(plane), NodeDeleter(plane)]
            writing += [asyncio.create_task(writer.run()) for writer in writers]
            loop = asyncio.get_running_loop()
            deadline = loop.time() + SECONDS
            while loop.time() < deadline or kills < 2:
                await asyncio.sleep(random.uniform(0.5, 4))
                await plane.restart()
                kills += 1
                for task in (*running, *writing):
                    if task.done():
                        task.result()
            for task in writing:
                task.cancel()
            await asyncio.gather(*writing, return_exceptions=True)
            for reader in readers:
                reader.stay()

            async def all_have_caught_up() -> bool:
                for task in running:
                    if task.done():
                        pytest.fail(f"a reader ended: {task.exception()!r}")
                log[:] = log_of(plane.database_url)
                return all(reader.bookmarked >= log[-1].revision for reader in readers)

            await eventually(all_have_caught_up, within=180, every=0.5)
        finally:
            for task in (*running, *writing):
                task.cancel()
            await asyncio.gather(*running, *writing, return_exceptions=True)
    for reader in readers:
        assert_keeps_its_promises(reader, log)
    print(f"\n{kills} kills, {len(log)} log rows, {[reader.breaks for reader in readers]} breaks")
    assert all(reader.breaks for reader in readers)
