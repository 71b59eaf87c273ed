"""Objects in memory, as they are sent; follows the log.

Holds what was read or written last, never the whole store, and knows of objects that are not there.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from google.protobuf.message import Message

from novasphere_server.store.kinds import Kind
from novasphere_server.store.queries import Query
from novasphere_server.store.rendered import Rendered
from novasphere_server.store.ring import Stretch

M = TypeVar("M", bound=Message)

_OVERHEAD = 500  # bytes that an entry takes besides its object
_FORMS = 6  # all that may be made of an object for readers, in multiples of its wire bytes


class Entry:
    """An object; or, without `stored`, the knowledge that there is none."""

    __slots__ = ("size", "stored")

    def __init__(self, stored: Rendered[Any] | None) -> None:
        self.stored = stored
        self.size = _OVERHEAD if stored is None else _OVERHEAD + _FORMS * len(stored.wire)


@dataclass(slots=True, eq=False)  # told apart by what they are: two reads may look alike
class Reading:
    """A read of the database that is under way, and the keys that commits changed meanwhile.

    What the read finds for those may be older than what the cache was told since.
    """

    kind: Kind[Any]
    changed: set[str] = field(default_factory=set)
    has_missed: bool = False  # commits that nobody told of, whatever they changed

    def is_outdated(self, key: str) -> bool:
        """Returns whether a commit may have changed the object since the read began."""
        return self.has_missed or key in self.changed


@dataclass(frozen=True, slots=True)
class KeyPage:
    """What a query found: a page of keys, and the number of all."""

    keys: Sequence[str]
    total: int


class Cache:
    """Least recently used objects, bounded in bytes, and the key pages of recent queries."""

    def __init__(self, max_bytes: int, max_queries: int) -> None:
        self._max_bytes = max_bytes
        self._max_queries = max_queries
        self._bytes = 0
        self._entries: OrderedDict[tuple[str, str], Entry] = OrderedDict()
        self._readings: list[Reading] = []
        self._queries: OrderedDict[Query[Any], tuple[int, KeyPage]] = OrderedDict()

    def follow(self, stretch: Stretch[Any]) -> None:
        """Takes over what a commit did to one kind."""
        name = stretch.kind.name
        for position, change in enumerate(stretch.changes):
            stored = stretch.after(position)
            self._insert((name, change.key), Entry(stored))
        for reading in self._readings:
            if reading.kind is stretch.kind:
                reading.changed.update(change.key for change in stretch.changes)

    def start_over(self) -> None:
        """Forgets all objects: there were commits that nobody told of. What queries found does not count
        any more, because that was at another revision.
        """
        self._entries.clear()
        self._bytes = 0
        for reading in self._readings:
            reading.has_missed = True

    def peek(self, kind: Kind[Any], key: str) -> Entry | None:
        """Returns what is known of an object; None if nothing is."""
        identity = (kind.name, key)
        entry = self._entries.get(identity)
        if entry is not None:
            self._entries.move_to_end(identity)
        return entry

    def known(self, kind: Kind[M]) -> dict[str, Rendered[M] | None]:
        """Returns all that is known of a kind's objects, by key."""
        return {key: entry.stored for (name, key), entry in self._entries.items() if name == kind.name}

    @contextmanager
    def reading(self, kind: Kind[Any]) -> Iterator[Reading]:
        """Surrounds a read of the database whose findings `learn` is to be told."""
        reading = Reading(kind)
        self._readings.append(reading)
        try:
            yield reading
        finally:
            self._readings.remove(reading)

    def learn(self, reading: Reading, key: str, found: Rendered[M] | None) -> Rendered[M] | None:
        """Takes over what a read found, unless a commit came between, and returns the newest."""
        known = self.peek(reading.kind, key)
        if known is not None:
            if known.stored is None or found is None:
                return known.stored
            if int(known.stored.etag) >= int(found.etag):
                return known.stored  # with what others have rendered already
        if not reading.is_outdated(key):
            self._insert((reading.kind.name, key), Entry(found))
        return found

    def _insert(self, identity: tuple[str, str], entry: Entry) -> None:
        replaced = self._entries.pop(identity, None)
        if replaced is not None:
            self._bytes -= replaced.size
        self._entries[identity] = entry
        self._bytes += entry.size
        while self._bytes > self._max_bytes:
            _, evicted = self._entries.popitem(last=False)
            self._bytes -= evicted.size

    def recall(self, query: Query[Any], revision: int) -> KeyPage | None:
        """Returns what the query found, if the kind was at the same revision then."""
        known = self._queries.get(query)
        if known is None or known[0] != revision:
            return None
        self._queries.move_to_end(query)
        return known[1]

    def remember(self, query: Query[Any], revision: int, page: KeyPage) -> None:
        """Remembers what the query found while the kind was at `revision`."""
        self._queries[query] = (revision, page)
        self._queries.move_to_end(query)
        while len(self._queries) > self._max_queries:
            self._queries.popitem(last=False)
