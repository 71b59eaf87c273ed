"""Watchers over every transport, and the properties that a watch must keep.

The names of the properties are etcd's: Ordered, Unique, Reliable, Atomic, Resumable, Bookmarkable. The
oracle is the `changes` table, read straight from the database file.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import grpc
from novasphere.api.v1 import watch_pb2
from novasphere.node.v1 import command_pb2, command_service_pb2, command_service_pb2_grpc
from processes import TOKEN, ControlPlane

NAMES = {v: k.removeprefix("EVENT_TYPE_") for k, v in watch_pb2.EventType.items()}


@dataclass(frozen=True)
class Row:
    """One row as a watcher saw it."""

    type: str
    cursor: str
    key: str
    state: str

    @property
    def revision(self) -> int:
        return int(self.cursor.rpartition(".")[2])


@dataclass
class Watcher:
    """Follows every command and goes on from its last cursor after each break."""

    plane: ControlPlane
    rows: list[Row] = field(default_factory=list)
    messages: list[list[Row]] = field(default_factory=list)  # what arrived together
    cursor: str = ""
    breaks: int = 0

    name = "grpc"

    async def run(self) -> None:
        while True:
            # Whatever broke it, it is resumed.
            with contextlib.suppress(TimeoutError, grpc.aio.AioRpcError, aiohttp.ClientError, OSError):
                await self.read()
            self.breaks += 1
            await asyncio.sleep(0.05)

    async def read(self) -> None:
        async with grpc.aio.insecure_channel(self.plane.address) as channel:
            stub = command_service_pb2_grpc.CommandServiceStub(channel)
            request = command_service_pb2.WatchCommandsRequest(cursor=self.cursor)
            call = stub.WatchCommands(request, metadata=[("authorization", f"Bearer {TOKEN}")])
            try:
                async for message in call:
                    self.take(
                        Row(
                            NAMES[e.type],
                            e.cursor,
                            e.object.command_id,
                            command_pb2.CommandState.Name(e.object.state).removeprefix("COMMAND_STATE_"),
                        )
                        for e in message.events
                    )
            finally:
                call.cancel()

    def take(self, rows: Iterable[Row]) -> None:
        taken = list(rows)
        for row in taken:
            assert row.type in ("ADDED", "MODIFIED", "DELETED", "BOOKMARK"), row
            if row.cursor:
                self.cursor = row.cursor
            if row.type != "BOOKMARK":
                self.rows.append(row)
        self.messages.append([r for r in taken if r.type != "BOOKMARK"])


class SseWatcher(Watcher):
    """The same over server-sent events, resumed as a browser does: with Last-Event-ID."""

    name = "sse"
    accept = "text/event-stream"

    async def read(self) -> None:
        headers = {"Authorization": f"Bearer {TOKEN}", "Accept": self.accept}
        timeout = aiohttp.ClientTimeout(total=None, sock_read=40)
        if self.cursor and self.name == "sse":
            headers["Last-Event-ID"] = self.cursor
        query = {"cursor": self.cursor} if self.cursor and self.name != "sse" else {}
        async with (
            aiohttp.ClientSession(timeout=timeout, read_bufsize=1 << 20) as http,
            http.get(f"{self.plane.url}/api/v1/commands:watch", params=query, headers=headers) as answer,
        ):
            if answer.status != 200:
                raise aiohttp.ClientError(await answer.text())
            async for line in answer.content:
                self.take_line(line.decode())

    def take_line(self, line: str) -> None:
        if line.startswith("data:"):
            self.take_json(json.loads(line[5:]))

    def take_json(self, data: dict[str, object]) -> None:
        if data["type"] == "ERROR":
            raise aiohttp.ClientError(str(data))
        found = data.get("object") or {}
        assert isinstance(found, dict)
        self.take(
            [
                Row(
                    str(data["type"]),
                    str(data["cursor"]),
                    found.get("command_id", ""),
                    found.get("state", ""),
                )
            ]
        )


class NdjsonWatcher(SseWatcher):
    """The same as one JSON object a line."""

    name = "ndjson"
    accept = "application/x-ndjson"

    def take_line(self, line: str) -> None:
        if line.strip():
            self.take_json(json.loads(line))


def log_of(database: Path) -> list[Row]:
    """Returns what every watcher must have seen: the log of commands, in order."""
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as connection:
        epoch = "?"
        rows = connection.execute(
            'SELECT revision, "index", kind, key, before, after FROM changes ORDER BY revision, "index"'
        ).fetchall()
    connection.close()
    log = []
    for revision, _, kind, key, before, after in rows:
        if kind != "command":
            continue
        kind_of_change = "ADDED" if before is None else "DELETED" if after is None else "MODIFIED"
        stored = command_pb2.CommandWithResult.FromString(after if after is not None else before)
        state = command_pb2.CommandState.Name(stored.command.state).removeprefix("COMMAND_STATE_")
        log.append(Row(kind_of_change, f"{epoch}.{revision}", key, state))
    return log


def revisions_of(database: Path) -> list[int]:
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as connection:
        found = connection.execute("SELECT DISTINCT revision FROM changes ORDER BY revision").fetchall()
    connection.close()
    return [r for (r,) in found]


def assert_dense(revisions: list[int]) -> None:
    """No revision was skipped or given twice."""
    assert revisions == list(range(revisions[0], revisions[0] + len(revisions)))


def assert_equals_log(watcher: Watcher, log: list[Row]) -> None:
    """Ordered, Unique, Reliable, Atomic and Resumable, for a watcher that began on an empty history."""
    end = log[-1].revision
    seen = [(r.type, r.revision, r.key, r.state) for r in watcher.rows if r.revision <= end]
    revisions = [r for _, r, _, _ in seen]
    assert revisions == sorted(revisions), f"{watcher.name}: not ordered"
    assert len(set(seen)) == len(seen), f"{watcher.name}: not unique"
    expected = [(r.type, r.revision, r.key, r.state) for r in log]
    missing, extra = set(expected) - set(seen), set(seen) - set(expected)
    assert not missing, f"{watcher.name}: not reliable, lost {sorted(missing, key=lambda r: r[1])[:3]}"
    assert not extra, f"{watcher.name}: saw what did not happen: {sorted(extra, key=lambda r: r[1])[:3]}"
    assert seen == expected, f"{watcher.name}: not in the order of the log"
    if watcher.name == "grpc":
        split = [
            a[-1].revision
            for a, b in zip(watcher.messages, watcher.messages[1:], strict=False)
            if a and b and a[-1].revision == b[0].revision
        ]
        assert not split, f"{watcher.name}: not atomic at {split[:3]}"
