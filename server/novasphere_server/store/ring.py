"""The end of the log, in memory: what watchers at the head are sent, made once and shared."""

from __future__ import annotations

from bisect import bisect_right
from collections import OrderedDict, deque
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Any, Generic, TypeVar

from google.protobuf.message import Message

from novasphere_server.store.kinds import Kind
from novasphere_server.store.log import Change
from novasphere_server.store.rendered import Rendered

M = TypeVar("M", bound=Message)
T = TypeVar("T")

_OVERHEAD = 400  # bytes that a change takes in memory besides its messages
_REMEMBERING = 128  # stretches that keep what was made of them for readers


class Stretch(Generic[M]):
    """The changes of one kind in a stretch of the log, with what was made of them for readers.

    It spans the revisions `first` to `last`, of all kinds. A commit is a stretch, and so is a page
    that was read from the log.
    """

    __slots__ = (
        "_afters",
        "_befores",
        "_keys",
        "_messages",
        "changes",
        "first",
        "kind",
        "last",
        "memos",
        "size",
    )

    def __init__(self, kind: Kind[M], first: int, last: int, changes: Sequence[Change]) -> None:
        self.kind = kind
        self.first = first
        self.last = last
        self.changes = changes
        self.size = _OVERHEAD * len(changes)
        for change in changes:
            self.size += len(change.before or b"") + len(change.after or b"")
        self.memos: dict[Hashable, Any] = {}
        self._messages: dict[tuple[int, bool], M] = {}
        self._befores: dict[int, Rendered[M]] = {}
        self._keys: frozenset[str] | None = None
        self._afters = [
            None if change.after is None else Rendered(kind.message, change.after, str(change.revision))
            for change in changes
        ]

    def touches(self, key: str) -> bool:
        """Returns whether one of the changes is to that object."""
        if self._keys is None:
            self._keys = frozenset(change.key for change in self.changes)
        return key in self._keys

    def message(self, position: int, *, is_after: bool) -> M | None:
        """Returns the object before or after change `position`, parsed once: not to be changed."""
        change = self.changes[position]
        body = change.after if is_after else change.before
        if body is None:
            return None
        known = self._messages.get((position, is_after))
        if known is None:
            known = self._messages[position, is_after] = self.kind.message.FromString(body)
        return known

    def after(self, position: int) -> Rendered[M] | None:
        """Returns the object after change `position`, for readers to share."""
        return self._afters[position]

    def before(self, position: int) -> Rendered[M] | None:
        """Returns the object before change `position`, for readers to share."""
        known = self._befores.get(position)
        message = self.message(position, is_after=False)
        body = self.changes[position].before
        if known is None and message is not None and body is not None:
            known = Rendered(self.kind.message, body, str(self.kind.revision(message)))
            self._befores[position] = known
        return known

    def memo(self, key: Hashable, make: Callable[[], T]) -> T:
        """Returns `make()`, remembered under `key` until `forget()`."""
        if key not in self.memos:
            self.memos[key] = make()
        known: T = self.memos[key]
        return known

    def forget(self) -> None:
        """Drops what was made for readers; it is made again for whoever comes later."""
        self.memos.clear()
        self._messages.clear()
        self._befores.clear()


class Ring:
    """Recent stretches by kind, bounded in bytes: the oldest of any kind go first.

    Those that were read last keep what was made of them: it is not part of the bytes, and every
    filter that is watched adds to it.
    """

    def __init__(self, kinds: Iterable[Kind[Any]], revision: int, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._names = tuple(kind.name for kind in kinds)
        self.start_over(revision)

    def start_over(self, revision: int) -> None:
        """Holds nothing, and goes on after `revision`."""
        self._bytes = 0
        self._oldest_first: deque[Stretch[Any]] = deque()
        self._stretches: dict[str, deque[Stretch[Any]]] = {name: deque() for name in self._names}
        # Everything of the kind that came after this revision is in the ring.
        self._floors = dict.fromkeys(self._names, revision)
        self._last_changes = dict(self._floors)
        self._remembering: OrderedDict[Stretch[Any], None] = OrderedDict()

    def append(self, stretch: Stretch[Any]) -> None:
        name = stretch.kind.name
        self._stretches[name].append(stretch)
        self._last_changes[name] = stretch.last
        self._oldest_first.append(stretch)
        self._bytes += stretch.size
        while self._bytes > self._max_bytes:
            oldest = self._oldest_first.popleft()
            self._stretches[oldest.kind.name].popleft()
            self._floors[oldest.kind.name] = oldest.last
            self._remembering.pop(oldest, None)
            self._bytes -= oldest.size

    def last_change(self, kind: Kind[Any]) -> int:
        """Returns the revision of the kind's last commit; of the start, if there was none since."""
        return self._last_changes[kind.name]

    def covers(self, kind: Kind[Any], position: int) -> bool:
        """Returns whether everything of the kind after `position` is here."""
        return position >= self._floors[kind.name]

    def after(self, kind: Kind[M], position: int) -> Stretch[M] | None:
        """Returns the kind's first stretch that reaches beyond `position`, None at the head."""
        stretches = self._stretches[kind.name]
        if not stretches or stretches[-1].last <= position:
            return None
        stretch = stretches[-1]
        if len(stretches) > 1 and stretches[-2].last > position:
            stretch = stretches[bisect_right(stretches, position, key=lambda each: each.last)]
        self._remembering[stretch] = None
        self._remembering.move_to_end(stretch)
        if len(self._remembering) > _REMEMBERING:
            self._remembering.popitem(last=False)[0].forget()
        return stretch
