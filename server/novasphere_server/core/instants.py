"""Instants as messages carry them."""

from __future__ import annotations

from functools import lru_cache

from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp


@lru_cache(maxsize=64)
def timestamp(us: int) -> Timestamp:
    """Returns the instant `us` microseconds after the Unix epoch, to be copied: it is not the caller's to change."""
    seconds, rest = divmod(us, 1_000_000)
    return Timestamp(seconds=seconds, nanos=rest * 1000)


def microseconds(instant: Timestamp) -> int:
    return instant.seconds * 1_000_000 + instant.nanos // 1000


def optional_microseconds(message: Message, field: str) -> int | None:
    """Returns the instant that a field holds; None if it is not set."""
    return microseconds(getattr(message, field)) if message.HasField(field) else None
