"""What commands printed: read by offset, and followed while it grows."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing, contextmanager, suppress

import sqlalchemy as sa
from novasphere.node.v1 import command_pb2 as pb
from novasphere.node.v1 import command_service_pb2 as api

from novasphere_server.core import commands, task_ids
from novasphere_server.core.commands import Commands
from novasphere_server.core.output_chunks import CHUNK_LIMIT
from novasphere_server.core.principals import Principal
from novasphere_server.core.tasks import Tasks
from novasphere_server.errors import InvalidArgument
from novasphere_server.store import tables
from novasphere_server.store.store import Store

# What is sent as one message. A slow reader must be done with it before it counts as one who takes
# nothing, so it is no longer than a chunk has to be.
_PAGE_BYTES = CHUNK_LIMIT
# What is read at once, and held for the reader meanwhile: reading each page by itself takes twice as long.
_READ_BYTES = 4 * CHUNK_LIMIT
_READ_ROWS = _READ_BYTES // CHUNK_LIMIT
_MOST_READ_ROWS = 512

# Seconds after which a follower looks unasked: what other servers tell can be lost, and output is not in the
# log, which is looked at anyway.
_UNASKED = 5.0

# Attempt and offset. Rows had the offset alone once.
_CURSOR = re.compile(r"(?:([0-9]{1,9})\.)?([0-9]{1,18})")

_c = tables.output_chunks.c


class Outputs:
    """Reads output, and follows it while it grows."""

    def __init__(self, store: Store, tasks: Tasks, face: Commands) -> None:
        self._store = store
        self._commands = face
        self._followers: dict[str, set[asyncio.Event]] = {}
        tasks.on_change(lambda run_id, _: self.wake(run_id))
        # Run ids are all that servers tell each other of.
        store.on_news(self.wake)

    def wake(self, run_id: str) -> None:
        """Tells followers that a task printed something, or changed."""
        for event in self._followers.get(run_id, ()):
            event.set()

    async def stream(
        self,
        principal: Principal,
        command_id: str,
        stream: api.OutputStream.ValueType,
        offset: int,
        follow: bool,
        attempt: int = 0,
        cursor: str = "",
    ) -> AsyncGenerator[list[api.OutputEvent], None]:
        """Yields output from `offset` on, or after a row's cursor, and at last the END row: of `attempt` alone, or of
        the cursor's and those after it, or of the last that printed something. With `follow`, stays until the
        command has ended, or that attempt; where none was named and it is tried again, those that follow come
        too. An END row comes between attempts. Raises CommandNotFound. The caller must aclose() it.
        """
        shown, offset = _place(cursor) if cursor else (attempt, offset)
        shown = shown or attempt
        if attempt not in (0, shown):
            raise InvalidArgument("cursor", f"must be of attempt {attempt}, which is asked for")
        with self._following(task_ids.run_id(command_id)) as more:
            is_told = False  # that it stands, and where
            while True:
                more.clear()
                # Before the output is read: whatever came before the end is then seen.
                command = (await self._commands.get(principal, command_id)).message().command
                if shown > max(1, command.attempt):
                    field = "cursor" if cursor else "attempt"
                    raise InvalidArgument(field, f"must be at most {command.attempt}, the last one")
                latest = attempt or await self._last_printed(command)
                shown = shown or latest
                for each in range(shown, max(shown, latest) + 1):
                    if shown < each:
                        # Each attempt's output starts at its own beginning.
                        yield [_end(command, shown, offset, next_attempt=each)]
                        shown, offset = each, 0
                    async with aclosing(self._pages(command.command_id, each, stream, offset)) as pages:
                        async for page in pages:
                            yield page
                            offset = page[-1].next_offset
                            is_told = True
                is_over = commands.has_ended(command) or 0 < attempt < command.attempt
                if is_over or not follow:
                    yield [_end(command, shown, offset)]
                    return
                if not is_told:
                    # Whoever is cut off now must not miss an attempt that prints and ends before they are back.
                    shown = shown or 1
                    yield [_waiting(shown, offset)]
                    is_told = True
                with suppress(TimeoutError):
                    async with asyncio.timeout(_UNASKED if self._store.is_shared else None):
                        await more.wait()

    @contextmanager
    def _following(self, command_id: str) -> Iterator[asyncio.Event]:
        event = asyncio.Event()
        self._followers.setdefault(command_id, set()).add(event)
        try:
            yield event
        finally:
            followers = self._followers[command_id]
            followers.discard(event)
            if not followers:
                del self._followers[command_id]

    async def _last_printed(self, command: pb.Command) -> int:
        """Returns the last attempt that printed something, the present one where none did."""
        if command.attempt > 1:
            last = sa.select(sa.func.max(_c.attempt)).where(_c.run_id == command.command_id)
            rows = await self._store.read(last)
            return rows[0][0] or command.attempt
        return command.attempt

    async def _pages(
        self, run_id: str, attempt: int, stream: api.OutputStream.ValueType, offset: int
    ) -> AsyncGenerator[list[api.OutputEvent], None]:
        """Yields what is stored from `offset` on, in pages that fit a message."""
        rows = _READ_ROWS
        while attempt:
            events = await self._read(run_id, attempt, stream, offset, rows)
            if not events:
                return
            for page in _paged(events):
                yield page
            offset = events[-1].next_offset
            size = sum(len(event.data) for event in events)
            # Of small chunks more are read at once; what could grow too much is cut short again.
            rows = min(rows * 4, _MOST_READ_ROWS) if size * 4 <= _READ_BYTES else _READ_ROWS

    async def _read(
        self, run_id: str, attempt: int, stream: api.OutputStream.ValueType, offset: int, rows: int
    ) -> list[api.OutputEvent]:
        where = [_c.run_id == run_id, _c.attempt == attempt]
        place: sa.ColumnElement[int] = _c.position
        if stream:
            where.append(_c.stream == stream)
            place = _c.offset
        first = sa.select(sa.func.max(place)).where(*where, place <= offset).scalar_subquery()
        found = await self._store.read(
            sa.select(place.label("begin"), _c.stream, _c.data)
            .where(*where, place >= sa.func.coalesce(first, 0))
            .order_by(place)
            .limit(rows)
        )
        events = []
        size = 0
        for row in found:
            begin, data = row.begin, row.data
            skipped = max(0, offset - begin)
            if skipped >= len(data):
                continue
            if size and size + len(data) > _READ_BYTES:
                break
            size += len(data)
            events.append(
                api.OutputEvent(
                    type=api.OUTPUT_EVENT_TYPE_CHUNK,
                    stream=row.stream,
                    offset=begin + skipped,
                    data=data[skipped:],
                    next_offset=begin + len(data),
                    attempt=attempt,
                    cursor=f"{attempt}.{begin + len(data)}",
                )
            )
        return events


def _waiting(attempt: int, offset: int) -> api.OutputEvent:
    return api.OutputEvent(
        type=api.OUTPUT_EVENT_TYPE_WAITING,
        offset=offset,
        next_offset=offset,
        attempt=attempt,
        cursor=f"{attempt}.{offset}",
    )


def _end(command: pb.Command, attempt: int, offset: int, *, next_attempt: int = 0) -> api.OutputEvent:
    return api.OutputEvent(
        type=api.OUTPUT_EVENT_TYPE_END,
        offset=offset,
        next_offset=0 if next_attempt else offset,
        command=command,
        attempt=attempt,
        next_attempt=next_attempt,
        cursor=f"{next_attempt}.0" if next_attempt else f"{attempt}.{offset}",
    )


def _place(cursor: str) -> tuple[int, int]:
    """Returns the attempt and the offset that a cursor stands for; the attempt is 0 where it was not known."""
    found = _CURSOR.fullmatch(cursor)
    if found is None:
        raise InvalidArgument("cursor", "must be one that a row of this output had")
    return int(found[1] or 0), int(found[2])


def _paged(events: list[api.OutputEvent]) -> Iterator[list[api.OutputEvent]]:
    """Yields the events in pages."""
    page: list[api.OutputEvent] = []
    size = 0
    for event in events:
        if page and size + len(event.data) > _PAGE_BYTES:
            yield page
            page, size = [], 0
        page.append(event)
        size += len(event.data)
    if page:
        yield page
