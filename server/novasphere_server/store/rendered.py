"""A stored object in the forms in which it is sent, each made once and shared by every reader."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from google.protobuf.message import Message

M = TypeVar("M", bound=Message)


class Rendered(Generic[M]):
    """One object at one version: its wire bytes, and its JSON once somebody asks.

    Never changes. `message()` parses a copy of its own for every caller, so that nobody can change
    what others are sent.
    """

    __slots__ = ("_json", "_type", "etag", "wire")

    def __init__(self, message_type: type[M], wire: bytes, etag: str) -> None:
        self._type = message_type
        self.wire = wire
        self.etag = etag  # unquoted: "REVISION", or "REVISION.LIVE" when live fields are overlaid
        self._json: dict[object, bytes] | None = None

    def message(self) -> M:
        """Returns a fresh message that the caller owns."""
        return self._type.FromString(self.wire)

    def json(self, encode: Callable[[M], bytes]) -> bytes:
        """Returns what `encode` makes of the message, remembered per encoder."""
        if self._json is None:
            self._json = {}
        known = self._json.get(encode)
        if known is None:
            known = self._json[encode] = encode(self.message())
        return known
