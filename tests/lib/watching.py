"""Watchers over every transport, and the properties that a watch must keep.

The names of the properties are etcd's: Ordered, Unique, Reliable, Atomic, Resumable, Bookmarkable,
Filter. The oracle is the `changes` table, read straight from the database.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from typing import NamedTuple

import aiohttp
import databases
import grpc
from novasphere.api.v1 import watch_pb2
from novasphere.node.v1 import command_pb2, command_service_pb2, command_service_pb2_grpc
from novasphere.schedule.v1 import task_pb2
from novasphere_server.core.commands import command_of
from processes import TOKEN, ControlPlane

NAMES = {v: k.removeprefix("EVENT_TYPE_") for k, v in watch_pb2.EventType.items()}


@dataclass(frozen=True)
class Row:
    """One row as a watcher saw it. All but the last row of a mutation have no cursor."""

    type: str
    cursor: str
    key: str
    state: str


class Seen(NamedTuple):
    """A row and the revision of its mutation."""

    type: str
    revision: int
    key: str
    state: str


@dataclass(frozen=True)
class Filter:
    """Which commands a watcher asks for, in the spelling of REST. Empty values choose everything."""

    namespace: str = ""
    status: str = ""

    def matches(self, command: command_pb2.Command) -> bool:
        return self.namespace in ("", command.namespace) and self._status in (0, command.status)

    def request(self, cursor: str) -> command_service_pb2.WatchCommandsRequest:
        return command_service_pb2.WatchCommandsRequest(
            cursor=cursor, namespace=self.namespace, status=self._status
        )

    @property
    def query(self) -> dict[str, str]:
        return {name: value for name, value in asdict(self).items() if value}

    @property
    def _status(self) -> command_pb2.CommandStatus.ValueType:
        return command_pb2.CommandStatus.Value(f"COMMAND_STATUS_{self.status.upper() or 'UNSPECIFIED'}")


@dataclass
class Watcher:
    """Follows commands and goes on from its last cursor after each break."""

    plane: ControlPlane
    which: Filter = Filter()
    cursor: str = ""
    messages: list[list[Row]] = field(default_factory=list)  # what arrived together
    breaks: int = 0
    bookmarked: int = 0

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
            request = self.which.request(self.cursor)
            call = stub.WatchCommands(request, metadata=[("authorization", f"Bearer {TOKEN}")])
            try:
                async for message in call:
                    self.take(
                        Row(NAMES[e.type], e.cursor, e.object.command_id, state_of(e.object))
                        for e in message.events
                    )
            finally:
                call.cancel()

    def take(self, rows: Iterable[Row]) -> None:
        """Takes what arrived together."""
        taken = list(rows)
        for row in taken:
            assert row.type in ("ADDED", "MODIFIED", "DELETED", "BOOKMARK"), row
            self.cursor = row.cursor or self.cursor
            if row.type == "BOOKMARK":
                self.bookmarked = revision_of(row.cursor)
        if taken:
            self.messages.append(taken)


class SseWatcher(Watcher):
    """The same over server-sent events, resumed as a browser does: with Last-Event-ID."""

    name = "sse"
    accept = "text/event-stream"

    async def read(self) -> None:
        headers = {"Authorization": f"Bearer {TOKEN}", "Accept": self.accept}
        timeout = aiohttp.ClientTimeout(total=None, sock_read=40)
        query = self.which.query
        if self.cursor and self.name == "sse":
            headers["Last-Event-ID"] = self.cursor
        elif self.cursor:
            query["cursor"] = self.cursor
        async with (
            aiohttp.ClientSession(timeout=timeout) as http,
            http.get(f"{self.plane.url}/api/v1/commands:watch", params=query, headers=headers) as answer,
        ):
            if answer.status != 200:
                raise aiohttp.ClientError(await answer.text())
            # What the server writes at once is one chunk; half of one, before a break, is nothing.
            arrived = b""
            async for data, is_end_of_chunk in answer.content.iter_chunks():
                arrived += data
                if is_end_of_chunk:
                    self.take(self.rows_in(arrived.decode()))
                    arrived = b""

    def rows_in(self, text: str) -> Iterator[Row]:
        for event in text.split("\n\n"):
            fields = dict(line.split(": ", 1) for line in event.split("\n") if line)
            if "data" in fields:
                row = self.row_in(fields["data"])
                assert row.cursor == fields.get("id", ""), "a browser would resume from somewhere else"
                yield row

    def row_in(self, text: str) -> Row:
        data = json.loads(text)
        if data["type"] == "ERROR":
            raise aiohttp.ClientError(text)
        found = data.get("object") or {}
        return Row(data["type"], data["cursor"], found.get("command_id", ""), found.get("state", ""))


class NdjsonWatcher(SseWatcher):
    """The same as one JSON object a line."""

    name = "ndjson"
    accept = "application/x-ndjson"

    def rows_in(self, text: str) -> Iterator[Row]:
        return (self.row_in(line) for line in text.split("\n") if line)


@dataclass(frozen=True)
class Change:
    """What one mutation did to one command."""

    revision: int
    key: str
    before: command_pb2.Command | None
    after: command_pb2.Command | None

    def seen_through(self, which: Filter) -> Seen | None:
        """Returns what a watcher with that filter must be sent of it."""
        was_inside = self.before is not None and which.matches(self.before)
        is_inside = self.after is not None and which.matches(self.after)
        if not was_inside and not is_inside:
            return None
        kind = "DELETED" if not is_inside else "MODIFIED" if was_inside else "ADDED"
        shown = self.after if is_inside else self.before
        assert shown is not None
        return Seen(kind, self.revision, self.key, state_of(shown))


def state_of(command: command_pb2.Command) -> str:
    return command_pb2.CommandState.Name(command.state).removeprefix("COMMAND_STATE_")


def revision_of(cursor: str) -> int:
    return int(cursor.rpartition(".")[2])


def log_of(database_url: str) -> list[Change]:
    """Returns the log of commands, in order."""
    rows = databases.rows(
        database_url,
        "SELECT revision, key, before, after FROM changes WHERE kind = 'task' "
        'ORDER BY revision, "index"',
    )

    def command(stored: bytes | None) -> command_pb2.Command | None:
        return None if stored is None else command_of(task_pb2.StoredTask.FromString(stored))

    return [
        Change(revision, key, command(before), command(after)) for revision, key, before, after in rows
    ]


def revisions_of(database_url: str) -> list[int]:
    found = databases.rows(database_url, "SELECT DISTINCT revision FROM changes ORDER BY revision")
    return [r for (r,) in found]


def assert_dense(revisions: list[int]) -> None:
    """No revision was skipped or given twice."""
    assert revisions == list(range(revisions[0], revisions[0] + len(revisions)))


def assert_keeps_its_promises(watcher: Watcher, log: list[Change]) -> None:
    """Asserts all properties, for a watcher that began on an empty history and has caught up."""
    name = f"{watcher.name} {watcher.which.query}"
    _assert_atomic(name, watcher.messages)
    rows = [row for message in watcher.messages for row in _seen(message)]
    _assert_bookmarkable(name, rows)
    end = log[-1].revision
    assert watcher.bookmarked >= end, f"{name}: no bookmark at the end"
    changes = [row for row in rows if row.type != "BOOKMARK" and row.revision <= end]
    revisions = [row.revision for row in changes]
    assert revisions == sorted(revisions), f"{name}: not ordered"
    assert len(set(changes)) == len(changes), f"{name}: not unique"
    # Reliable and Resumable: nothing is missing, whatever broke. Filter: nothing else is there.
    expected = [seen for change in log if (seen := change.seen_through(watcher.which))]
    missing, extra = set(expected) - set(changes), set(changes) - set(expected)
    assert not missing, f"{name}: not reliable, lost {_first(missing)}"
    assert not extra, f"{name}: saw what did not happen, or not to it: {_first(extra)}"
    assert changes == expected, f"{name}: not in the order of the log"


def _seen(message: list[Row]) -> list[Seen]:
    """Returns the rows of a message with their revisions: each has that of the next cursor."""
    found: list[Seen] = []
    revision = 0
    for row in reversed(message):
        revision = revision_of(row.cursor) if row.cursor else revision
        found.append(Seen(row.type, revision, row.key, row.state))
    return found[::-1]


def _assert_atomic(name: str, messages: list[list[Row]]) -> None:
    """A mutation arrives in one message, and only its last row is one to resume after."""
    for message in messages:
        assert message[-1].cursor, f"{name}: not atomic, a message ends inside a mutation: {message}"
        cursors = [row.cursor for row in message if row.cursor]
        assert len(set(cursors)) == len(cursors), f"{name}: could resume inside a mutation: {message}"
    changes = [[row for row in _seen(message) if row.type != "BOOKMARK"] for message in messages]
    for message, following in pairwise(message for message in changes if message):
        assert message[-1].revision != following[0].revision, f"{name}: not atomic: {following[0]}"


def _assert_bookmarkable(name: str, rows: list[Seen]) -> None:
    """After a bookmark comes nothing that it said was sent, and before it nothing that it did not."""
    for row, following in pairwise(rows):
        if row.type == "BOOKMARK":
            least = row.revision if following.type == "BOOKMARK" else row.revision + 1
            assert following.revision >= least, f"{name}: {following} after {row}"
        elif following.type == "BOOKMARK":
            assert following.revision >= row.revision, f"{name}: {following} after {row}"


def _first(rows: set[Seen]) -> list[Seen]:
    return sorted(rows, key=lambda row: row.revision)[:3]
