"""Live fields: what changes too often for the log, laid over stored objects when they are read.

An overlay is a message of the object's type with the live fields alone. Its bytes are appended to
the stored bytes, which protobuf defines as a merge; so live fields are singular ones.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from google.protobuf.message import Message

from novasphere_server.store.kinds import Kind
from novasphere_server.store.rendered import Rendered

M = TypeVar("M", bound=Message)


class _Overlay:
    __slots__ = ("base", "counter", "merged", "news", "set_at", "wire")

    def __init__(self) -> None:
        self.news: Callable[[], Message] | None = None  # what nobody has read yet
        self.set_at = 0
        self.wire = b""
        self.counter = 0
        self.base: Rendered[Any] | None = None
        self.merged: Rendered[Any] | None = None


class LiveFields:
    """The overlays of all objects that have one. They end with the process and with the object."""

    def __init__(self, first_counter: int) -> None:
        # Goes into ETags, so that it must not start again where an earlier process began.
        self._counter = first_counter
        self._overlays: dict[tuple[str, str], _Overlay] = {}
        self._versions: dict[str, int] = {}

    def set(self, kind: Kind[M], key: str, overlay: Callable[[], M]) -> None:
        """Replaces the object's overlay. It is asked for when somebody reads the object, which happens far
        less often than that a node is heard from.
        """
        identity = (kind.name, key)
        known = self._overlays.get(identity)
        if known is None:
            known = self._overlays[identity] = _Overlay()
        self._counter += 1
        known.news = overlay
        known.set_at = self._versions[kind.name] = self._counter

    def version(self, kind: Kind[Any]) -> int:
        """Returns what changes whenever a live field of the kind does."""
        return self._versions.get(kind.name, 0)

    def drop(self, kind_name: str, key: str) -> None:
        """Forgets the overlay of an object that was deleted."""
        self._overlays.pop((kind_name, key), None)

    def start_over(self) -> None:
        """Forgets all overlays: objects may have been deleted without a word."""
        self._overlays.clear()

    def over(self, kind: Kind[M], key: str, stored: Rendered[M]) -> Rendered[M]:
        """Returns the stored object with its live fields: the same one until either changes."""
        overlay = self._present(kind, key)
        if overlay is None:
            return stored
        if overlay.merged is None or overlay.base is not stored:
            etag = f"{stored.etag}.{overlay.counter}"
            overlay.merged = Rendered(kind.message, stored.wire + overlay.wire, etag)
            overlay.base = stored
        return overlay.merged

    def fields(self, kind: Kind[Any], key: str) -> bytes:
        """Returns the live fields alone, as they are appended to an object's bytes."""
        overlay = self._present(kind, key)
        return b"" if overlay is None else overlay.wire

    def _present(self, kind: Kind[Any], key: str) -> _Overlay | None:
        overlay = self._overlays.get((kind.name, key))
        if overlay is not None and overlay.news is not None:
            wire = overlay.news().SerializeToString(deterministic=True)
            overlay.news = None
            if wire != overlay.wire or not overlay.counter:
                overlay.wire, overlay.counter, overlay.merged = wire, overlay.set_at, None
        return overlay
