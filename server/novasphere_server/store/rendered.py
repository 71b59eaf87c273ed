"""A stored object in the forms in which it is sent, each made once and shared by every reader."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar

from google.protobuf.message import Message

M = TypeVar("M", bound=Message)
P = TypeVar("P", bound=Message)


class Rendered(Generic[M]):
    """One object at one version: its wire bytes, and other forms once somebody asks.

    Never changes. `message()` parses a copy of its own for every caller, so that nobody can change
    what others are sent. What is made of it is kept as long as it is itself, one for each function that
    makes it: callers have few of those, and always the same.
    """

    __slots__ = ("_json", "_projected", "_type", "answer", "etag", "wire")

    def __init__(self, message_type: type[M], wire: bytes, etag: str) -> None:
        self._type = message_type
        self.wire = wire
        self.etag = etag  # unquoted: "REVISION", or "REVISION.LIVE" when live fields are overlaid
        self._json: dict[object, bytes] | None = None
        self._projected: dict[object, Rendered[Any]] | None = None
        # Of views.One: a response that holds nothing else, and its bytes with this object in it.
        self.answer: tuple[Message | None, bytes] = (None, b"")

    def message(self) -> M:
        """Returns a fresh message that the caller owns."""
        return self._type.FromString(self.wire)

    def projected(self, project: Callable[[M], P]) -> Rendered[P]:
        """Returns what `project` makes of the message, to be sent in its place; remembered."""
        if self._projected is None:
            self._projected = {}
        known: Rendered[P] | None = self._projected.get(project)
        if known is None:
            message = project(self.message())
            wire = message.SerializeToString(deterministic=True)
            known = self._projected[project] = Rendered(type(message), wire, self.etag)
        return known

    def json(self, encode: Callable[[M], bytes]) -> bytes:
        """Returns what `encode` makes of the message, remembered per encoder."""
        if self._json is None:
            self._json = {}
        known = self._json.get(encode)
        if known is None:
            known = self._json[encode] = encode(self.message())
        return known
