"""Watches that survive broken streams and say so when they lost something."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from typing import Any, Generic, Protocol, TypeVar

import grpc
from google.protobuf.message import Message
from novasphere.api.v1 import watch_pb2

from novasphere_client import errors
from novasphere_client.connection import Connection, OnInterruption
from novasphere_client.subscriptions import Subscription


class Event(Protocol):
    """A row of a watch: NodeEvent, CommandEvent, KeyEvent."""

    type: Any
    cursor: str

    @property
    def object(self) -> Any: ...

    @property
    def gap(self) -> watch_pb2.Gap: ...


class Rows(Protocol):
    """A message of a watch: all events of one mutation, or a page."""

    @property
    def events(self) -> Sequence[Any]: ...


E = TypeVar("E", bound=Event)
Start = Callable[[str, list[tuple[str, str]]], grpc.aio.UnaryStreamCall[Any, Any]]


class Watch(Subscription[E], Generic[E]):
    """Yields the present objects as ADDED, a BOOKMARK, then changes; with a cursor, changes alone.

    A stream that breaks is continued where it stopped, for up to `patience` seconds without an answer
    (None: for ever). Raises `Gap` when changes can no longer be read. `cursor` is how far the watch
    has got: everything up to it was yielded.
    """

    def __init__(
        self,
        connection: Connection,
        start: Start,
        key: Callable[[Any], str],
        event: Callable[..., E],
        *,
        cursor: str,
        patience: float | None,
        on_interruption: OnInterruption | None,
    ) -> None:
        super().__init__()
        self.cursor = cursor
        self._connection = connection
        self._start = start
        self._key = key
        self._event = event
        self._patience = patience
        self._on_interruption = on_interruption
        # Before the first bookmark there is no cursor to continue from: the present state is asked for
        # again, and these tell what of it is news.
        self._shown: dict[str, Any] = {}
        self._confirmed: set[str] = set()

    async def _read(self) -> AsyncGenerator[E, None]:
        def start(metadata: list[tuple[str, str]]) -> grpc.aio.UnaryStreamCall[Any, Any]:
            self._confirmed.clear()
            return self._start(self.cursor, metadata)

        stream = self._connection.follow(
            start, patience=self._patience, on_interruption=self._on_interruption
        )
        async with aclosing(stream):
            async for message in stream:
                rows = list(message.events) if self.cursor else self._present(message.events)
                position = next((row.cursor for row in reversed(message.events) if row.cursor), "")
                for number, row in enumerate(rows):
                    if row.type == watch_pb2.EVENT_TYPE_GAP:
                        raise _gap(row.gap)
                    if number == len(rows) - 1 and position:
                        self.cursor = position
                    yield row
                if position:
                    self.cursor = position
                    self._shown.clear()

    def _present(self, events: Sequence[Any]) -> list[E]:
        """Returns what of the present state an earlier stream of this watch did not show."""
        news: list[E] = []
        for row in events:
            if row.type == watch_pb2.EVENT_TYPE_ADDED and not row.cursor:
                key = self._key(row.object)
                self._confirmed.add(key)
                before = self._shown.get(key)
                self._shown[key] = row.object
                if before is None:
                    news.append(row)
                elif before.revision != row.object.revision:
                    changed = self._event(type=watch_pb2.EVENT_TYPE_MODIFIED, object=row.object)
                    news.append(changed)
                continue
            for key in self._shown.keys() - self._confirmed:
                gone: Message = self._shown.pop(key)
                news.append(self._event(type=watch_pb2.EVENT_TYPE_DELETED, object=gone))
            news.append(row)
        return news


def _gap(told: watch_pb2.Gap) -> errors.Gap:
    gap = errors.Gap(
        f"revisions {told.first_lost_revision} to {told.last_lost_revision} were compacted away "
        "before this watch read them; start again without a cursor",
        reason="CURSOR_EXPIRED",
        code="OUT_OF_RANGE",
    )
    gap.first_lost_revision = told.first_lost_revision
    gap.last_lost_revision = told.last_lost_revision
    gap.oldest_cursor = told.oldest_cursor
    return gap
