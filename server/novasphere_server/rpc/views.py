"""Handles that servicers return in place of messages whose bytes exist already.

gRPC joins their wire bytes; the gateway joins their JSON fragments. A view describes one response
message: `rest` holds its other fields, `field` is the one that the cached objects fill.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from functools import lru_cache
from typing import Any, Generic, TypeVar

from google.protobuf import empty_pb2
from google.protobuf.message import Message

from novasphere_server.store.rendered import Rendered

R = TypeVar("R", bound=Message)


@lru_cache(maxsize=4096)
def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


@lru_cache(maxsize=1024)
def _tag(message_type: type[Message], field: str) -> bytes:
    """Returns what precedes each object of a length-delimited field on the wire."""
    return _varint(message_type.DESCRIPTOR.fields_by_name[field].number << 3 | 2)


class _View(Generic[R]):
    """What One and Many share."""

    __slots__ = ("_memo", "_wire", "field", "items", "rest")

    def __init__(self, rest: R, field: str, items: Sequence[Rendered[Any]]) -> None:
        self.rest = rest
        self.field = field
        self.items = items
        self._wire: bytes | None = None
        self._memo: dict[Hashable, bytes] | None = None

    def wire(self) -> bytes:
        """Returns the whole response message, serialized."""
        if self._wire is None:
            tag = _tag(type(self.rest), self.field)  # type: ignore[arg-type]  # a class is hashable
            parts = [self.rest.SerializeToString()]
            for item in self.items:
                parts += (tag, _varint(len(item.wire)), item.wire)
            self._wire = b"".join(parts)
        return self._wire

    def message(self) -> R:
        """Returns the whole response message, parsed."""
        return type(self.rest).FromString(self.wire())

    def memo(self, key: Hashable, make: Callable[[], bytes]) -> bytes:
        """Returns `make()`, remembered under `key` for everybody who shares this view."""
        if self._memo is None:
            self._memo = {}
        known = self._memo.get(key)
        if known is None:
            known = self._memo[key] = make()
        return known


class One(_View[R]):
    """A response whose singular field `field` is one cached object.

    Whoever has nothing else to say in it should pass the same empty `rest` every time: then the bytes of
    the whole are made once per object.
    """

    __slots__ = ("etag", "item")

    def __init__(self, rest: R, field: str, item: Rendered[Any]) -> None:
        # Without the other __init__: every read of one object comes here.
        self.rest = rest
        self.field = field
        self.items = (item,)
        self._wire = self._memo = None
        self.item = item
        self.etag = item.etag

    def wire(self) -> bytes:
        rest, wire = self.item.answer
        if rest is not self.rest:
            wire = super().wire()
            if not self.rest.ByteSize():
                self.item.answer = (self.rest, wire)
        return wire


class Many(_View[R]):
    """A response whose repeated field `field` is made of cached objects."""

    __slots__ = ()


STANDS: Many[Any] = Many(empty_pb2.Empty(), "", ())
"""No response. A stream yields it where its first response may be long in coming and nothing is wrong with
the call: clients are sent the head of the answer, or gRPC's initial metadata.
"""
