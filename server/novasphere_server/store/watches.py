"""Watches: the present state, then every change, in order and without a hole.

A watcher is a position in the log, not a queue: however slow its reader is, it costs the same. At
the head it is woken by a commit and sends the page that all watchers with its filter share; behind
the ring it reads the log in pages. When compaction has passed it, it says so with a GAP and ends.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Hashable, Iterable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from google.protobuf.message import Message
from novasphere.api.v1 import watch_pb2

from novasphere_server import errors
from novasphere_server.store import cursors, log, queries
from novasphere_server.store.cache import Cache
from novasphere_server.store.kinds import Kind
from novasphere_server.store.live import LiveFields
from novasphere_server.store.rendered import Rendered
from novasphere_server.store.ring import Ring, Stretch

M = TypeVar("M", bound=Message)
T = TypeVar("T")

_LOST = -1  # the position of a watch that compaction has passed
_INTERVAL = 2  # ticks between the bookmarks of an idle watch


@dataclass(frozen=True, slots=True)
class Watch(Generic[M]):
    """What to watch.

    Watches of equal `identity` are taken to have the same filter and projection, and share what they
    are sent. `project` turns a stored object into what is sent of it: always the same function, as
    objects remember what it made of them. `key` narrows the watch to one object without looking at the
    others. Neither `matches` nor `project` may change its message.
    """

    kind: Kind[M]
    cursor: str = ""
    identity: Hashable = None
    matches: Callable[[M], bool] = lambda _: True
    project: Callable[[M], Message] | None = None
    key: str = ""


@dataclass(frozen=True, slots=True)
class WatchEvent:
    """One row.

    `cursor` resumes after the row's mutation; it is empty on rows after which resuming would lose
    something: inside the present state, and before the last row of a mutation.
    """

    type: watch_pb2.EventType.ValueType
    cursor: str = ""
    object: Rendered[Any] | None = None
    gap: watch_pb2.Gap | None = None

    @property
    def size(self) -> int:
        """How many bytes the object takes on the wire."""
        return 0 if self.object is None else len(self.object.wire)


class WatchPage:
    """Rows that are sent together: whole mutations. One page serves all watches of an identity."""

    __slots__ = ("_memo", "events")

    def __init__(self, events: Sequence[WatchEvent]) -> None:
        self.events = events
        self._memo: dict[Hashable, Any] = {}

    def memo(self, key: Hashable, make: Callable[[], T]) -> T:
        """Returns `make()`, remembered under `key` for everybody who shares this page."""
        if key not in self._memo:
            self._memo[key] = make()
        known: T = self._memo[key]
        return known


# For whoever has to wait until the objects or changes that do not match are read.
_NOTHING_YET = WatchPage(())


class Watches:
    """All watches of a store."""

    def __init__(
        self,
        *,
        epoch: str,
        revision: int,
        floor: int,
        kinds: Iterable[Kind[Any]],
        ring: Ring,
        cache: Cache,
        live: LiveFields,
        read: log.Read,
        page_length: int,
        page_bytes: int,
    ) -> None:
        self.floor = floor
        self._epoch = epoch
        self._revision = revision
        self._ring = ring
        self._cache = cache
        self._live = live
        self._read = read
        self._page_length = page_length
        self._page_bytes = page_bytes
        self._is_closed = False
        self._ticks = 0
        # A fresh event for every wake-up, so that one is never missed and never cleared too early.
        self._signals = {kind.name: asyncio.Event() for kind in kinds}
        self._arrivals = asyncio.Event()
        self._bookmark = (revision, WatchPage([self._bookmark_event(revision)]))

    def publish(self, revision: int, stretches: Sequence[Stretch[Any]]) -> None:
        """Wakes the watches of the kinds that a commit changed, once ring and cache have it."""
        self._advance(revision, [stretch.kind.name for stretch in stretches])

    def start_over(self, revision: int) -> None:
        """Goes on at `revision`, once the ring does. Every watch wakes, looks into the log, and finds its gap."""
        self._advance(revision, self._signals)

    def _advance(self, revision: int, kind_names: Iterable[str]) -> None:
        self._revision = revision
        for name in kind_names:
            self._wake(name)
        arrivals, self._arrivals = self._arrivals, asyncio.Event()
        arrivals.set()

    def tick(self) -> None:
        """Lets idle watches send a bookmark. To be called twice in every bookmark interval."""
        self._ticks += 1
        for name in self._signals:
            self._wake(name)

    def close(self) -> None:
        """Ends every watch with Draining."""
        self._is_closed = True
        for name in self._signals:
            self._wake(name)
        self._arrivals.set()

    def _wake(self, kind_name: str) -> None:
        signal, self._signals[kind_name] = self._signals[kind_name], asyncio.Event()
        signal.set()

    def is_ahead(self, cursor: str) -> bool:
        """Returns whether the cursor is of this history, and of a revision that is not published yet."""
        return cursors.is_ahead(cursor, epoch=self._epoch, last=self._revision)

    async def wait_for(self, revision: int) -> None:
        """Waits until that revision was published."""
        while self._revision < revision:
            if self._is_closed:
                raise errors.Draining
            await self._arrivals.wait()

    async def follow(self, watch: Watch[M]) -> AsyncGenerator[WatchPage, None]:
        """Yields pages for ever. Raises before the first page what is wrong with the cursor."""
        if self._is_closed:
            raise errors.Draining
        position = _LOST
        sent_at = self._ticks
        if watch.cursor:
            position = self._position_of(watch.cursor)
            sent_at -= _INTERVAL  # a resumed watch says at once how far it has come
        else:
            async with aclosing(self._present(watch)) as present:
                async for present_page, at in present:
                    sent_at = self._ticks
                    yield present_page
                    position = at
            if position == _LOST:
                return
        stands = not watch.cursor
        page: WatchPage | None
        stretch: Stretch[M] | None = None
        while True:
            if self._ring.covers(watch.kind, position):
                stretch = self._ring.after(watch.kind, position)
            elif stretch is None or stretch.last <= position:
                stretch, floor = await self._from_log(watch.kind, position)
                if floor > position:
                    if not stands:
                        raise errors.CursorExpired(cursors.spell(self._epoch, floor))
                    yield self._gap(position, floor)
                    return
            if stretch is not None:
                page, position = self._page_of(watch, stretch, position)
                if page is None and not stands:
                    stands = True
                    yield _NOTHING_YET
            else:
                position = max(position, self._revision)
                if self._is_closed:
                    raise errors.Draining
                if self._ticks - sent_at < _INTERVAL:
                    await self._signals[watch.kind.name].wait()
                    continue
                page = self._bookmark_page(position)
            if page is not None:
                stands = True
                sent_at = self._ticks
                yield page

    def _position_of(self, cursor: str) -> int:
        return cursors.revision_of(cursor, epoch=self._epoch, floor=self.floor, last=self._revision)

    def _bookmark_event(self, position: int) -> WatchEvent:
        return WatchEvent(watch_pb2.EVENT_TYPE_BOOKMARK, cursors.spell(self._epoch, position))

    def _bookmark_page(self, position: int) -> WatchPage:
        if self._bookmark[0] != position:
            self._bookmark = (position, WatchPage([self._bookmark_event(position)]))
        return self._bookmark[1]

    def _gap(self, position: int, floor: int) -> WatchPage:
        gap = watch_pb2.Gap(
            first_lost_revision=position + 1,
            last_lost_revision=floor,
            oldest_cursor=cursors.spell(self._epoch, floor),
        )
        return WatchPage([WatchEvent(watch_pb2.EVENT_TYPE_GAP, gap=gap)])

    async def _from_log(self, kind: Kind[M], position: int) -> tuple[Stretch[M], int]:
        """Returns the stretch of the log that follows `position`, and the log's floor."""
        page = await log.read_page(self._read, kind.name, position, self._page_length)
        if page.state.epoch != self._epoch:
            raise errors.DatabaseUnavailable
        return Stretch(kind, position + 1, page.end, page.changes), page.state.floor

    def _page_of(
        self, watch: Watch[M], stretch: Stretch[M], position: int
    ) -> tuple[WatchPage | None, int]:
        """Returns what a watch that has come to `position` is sent next of a stretch, None for nothing,
        and where it has come to then.
        """
        if watch.key and not stretch.touches(watch.key):
            return None, stretch.last
        start = max(position, stretch.first - 1)
        key = (start, watch.key, watch.identity)
        return stretch.memo(key, lambda: self._make_page(watch, stretch, start))

    def _make_page(
        self, watch: Watch[M], stretch: Stretch[M], start: int
    ) -> tuple[WatchPage | None, int]:
        events: list[WatchEvent] = []
        revisions: list[int] = []
        size = 0
        end = stretch.last
        for position, change in enumerate(stretch.changes):
            if change.revision <= start or (watch.key and change.key != watch.key):
                continue
            if size >= self._page_bytes and change.revision != revisions[-1]:
                end = revisions[-1]
                break
            event = self._event(watch, stretch, position)
            if event is not None:
                events.append(event)
                revisions.append(change.revision)
                size += event.size
        if not events:
            return None, end
        for n, revision in enumerate(revisions):
            if n + 1 == len(revisions) or revisions[n + 1] != revision:
                cursor = cursors.spell(self._epoch, revision)
                events[n] = WatchEvent(events[n].type, cursor, events[n].object)
        return WatchPage(events), end

    def _event(self, watch: Watch[M], stretch: Stretch[M], position: int) -> WatchEvent | None:
        before = stretch.message(position, is_after=False)
        after = stretch.message(position, is_after=True)
        was_inside = before is not None and watch.matches(before)
        is_inside = after is not None and watch.matches(after)
        if not was_inside and not is_inside:
            return None
        stored = stretch.after(position) if is_inside else stretch.before(position)
        assert stored is not None  # noqa: S101 - one of the two matched
        key = stretch.changes[position].key
        if not is_inside:
            # The last matching state, as it was stored: nothing is live about it any more.
            return WatchEvent(watch_pb2.EVENT_TYPE_DELETED, object=_projected(watch, stored))
        kind = watch_pb2.EVENT_TYPE_MODIFIED if was_inside else watch_pb2.EVENT_TYPE_ADDED
        whole = self._live.over(watch.kind, key, stored)
        return WatchEvent(kind, object=_projected(watch, whole))

    async def _present(self, watch: Watch[M]) -> AsyncGenerator[tuple[WatchPage, int], None]:
        """Yields the state at one revision, in pages by key, then a bookmark with that revision.

        Pages are read one after the other while commits go on. What a commit changed meanwhile is set
        back with the log's `before`, so that all pages together show the state of the first.
        """
        at: int | None = None
        last_key = ""
        is_last = False
        while not is_last:
            rows = await self._read(
                queries.objects_by_key(watch.kind, watch.key),
                {"after": last_key, "limit": self._page_length},
            )
            at = rows[0].value if at is None else at
            found = {row.key: (row.revision, row.body) for row in rows if row.key is not None}
            is_last = len(found) < self._page_length
            to_key = None if is_last else rows[-1].key
            floor = rows[0].floor
            if rows[0].value > at:
                floor = await self._set_back(watch, found, at, last_key, to_key)
            if floor > at:
                yield self._gap(at, floor), _LOST
                return
            last_key = to_key or last_key
            events: list[WatchEvent] = []
            size = 0
            for key, (revision, body) in sorted(found.items()):
                event = self._present_event(watch, key, revision, body)
                if event is None:
                    continue
                if size >= self._page_bytes:
                    yield WatchPage(events), at
                    events, size = [], 0
                events.append(event)
                size += event.size
            if events:
                yield WatchPage(events), at
            elif not is_last:
                yield _NOTHING_YET, at
        assert at is not None  # noqa: S101 - the loop ran at least once
        # The database can be a commit ahead of what was published; a cursor must never be.
        await self.wait_for(at)
        yield self._bookmark_page(at), at

    async def _set_back(
        self,
        watch: Watch[M],
        found: dict[str, tuple[int, bytes]],
        at: int,
        last_key: str,
        to_key: str | None,
    ) -> int:
        """Turns the objects within (last_key, to_key] back to revision `at`; returns the log's floor."""
        statement = log.first_changes_after(watch.kind.name, at, last_key, to_key)
        rows = await self._read(statement, {"limit": log.UNLIMITED})
        seen: set[str] = set()
        for row in rows:
            if row.key is None or row.key in seen or (watch.key and row.key != watch.key):
                continue
            seen.add(row.key)
            if row.before is None:
                found.pop(row.key, None)
            else:
                revision = watch.kind.revision(watch.kind.message.FromString(row.before))
                found[row.key] = (revision, row.before)
        floor: int = rows[0].floor
        return floor

    def _present_event(self, watch: Watch[M], key: str, revision: int, body: bytes) -> WatchEvent | None:
        known = self._cache.peek(watch.kind, key)
        if known is not None and known.stored is not None and known.stored.etag == str(revision):
            stored = known.stored
        else:
            stored = Rendered(watch.kind.message, body, str(revision))
        if not watch.matches(stored.message()):
            return None
        sent = _projected(watch, self._live.over(watch.kind, key, stored))
        return WatchEvent(watch_pb2.EVENT_TYPE_ADDED, object=sent)


def _projected(watch: Watch[M], whole: Rendered[M]) -> Rendered[Any]:
    return whole if watch.project is None else whole.projected(watch.project)
