"""What the gateway asks of whoever serves the RPCs: in the same process, or behind a channel."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from google.protobuf import empty_pb2
from google.protobuf.message import Message
from google.rpc import status_pb2


@dataclass(slots=True)
class Call:
    """One call of an RPC.

    `method` is the gRPC path, "/package.Service/Method". `metadata` has lower-case keys: what a gRPC
    client would send (authorization, x-request-id, accept-language, traceparent, user-agent,
    x-client-type, novasphere-min-revision). `timeout` is in seconds.
    """

    method: str
    request: Message
    metadata: Mapping[str, str]
    route: str = ""  # "GET /api/v1/nodes/{node_id}", for logs and metrics
    timeout: float | None = None
    peer: str = ""


class Item(Protocol):
    """An object whose JSON is remembered by whoever owns it."""

    def json(self, encode: Callable[[Any], bytes], /) -> bytes:
        """Returns `encode(message)`, made once per encoder."""
        ...


class Parts(Protocol):
    """A response whose field `field` is made of items that are rendered already."""

    @property
    def field(self) -> str: ...

    @property
    def items(self) -> Sequence[Item]: ...

    def memo(self, key: Hashable, make: Callable[[], bytes], /) -> bytes:
        """Returns `make()`, remembered under `key` for every reader of the same response."""
        ...

    def wire(self) -> bytes:
        """Returns the whole response, serialized."""
        ...


@dataclass(slots=True)
class Answer:
    """One response message.

    Without `parts`, `message` is the whole response. With them, `message` holds the other fields, and
    `parts.field` is filled by `parts.items`: one for a singular field, any number for a repeated one.
    `metadata` is what a gRPC client would find in the trailers: etag, novasphere-revision,
    idempotency-replayed, validate-only.
    """

    message: Message
    parts: Parts | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    serialized: bytes | None = None
    """The whole response, where it came as bytes."""

    def wire(self) -> bytes:
        """Returns the whole response, serialized."""
        if self.serialized is not None:
            return self.serialized
        return self.message.SerializeToString() if self.parts is None else self.parts.wire()


ACCEPTED = Answer(empty_pb2.Empty())
"""No answer, but the news that a stream stands, where its first answer may be long in coming."""


class CallError(Exception):
    """The call failed: a google.rpc.Status whose details hold at least an ErrorInfo."""

    def __init__(self, status: status_pb2.Status) -> None:
        super().__init__(status.message)
        self.status = status


class Backend(Protocol):
    """Serves RPCs."""

    async def admit(self, call: Call) -> None:
        """Raises CallError if the caller may not make this call, or if what its path names is not there.

        Asked before a body is read, about an empty request, and about requests that turn out to be
        unreadable, with what the path binds: who calls matters before what is wrong.
        """
        ...

    async def unary(self, call: Call) -> Answer:
        """Returns the response within the call's timeout. Raises CallError."""
        ...

    def stream(self, call: Call) -> AsyncIterator[Answer]:
        """Yields the responses of a server stream, and ACCEPTED, any number of times, once nothing that is
        wrong with the call itself can end it any more. Raises CallError. The caller must aclose() it.
        """
        ...

    def duplex(self, call: Call, requests: AsyncIterator[Message]) -> AsyncIterator[Answer]:
        """Yields the responses of a stream in both directions, and takes its requests meanwhile.

        `call.request` holds what the path says; `requests` end when the client has nothing more to say, and
        remain their maker's to close. Raises CallError. The caller must aclose() what this returns.
        """
        ...
