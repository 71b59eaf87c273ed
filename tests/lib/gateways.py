"""A backend that answers what a test tells it to, and what else a test of the gateway needs."""

from __future__ import annotations

import asyncio
import dataclasses
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable, Mapping, Sequence
from typing import Any

import aiohttp
import yarl
from google.protobuf import any_pb2
from google.protobuf.message import Message
from google.rpc import code_pb2, error_details_pb2, status_pb2
from novasphere.gateway import ROUTES
from novasphere.node.v1 import node_pb2
from novasphere_gateway.backend import Answer, Call, CallError
from novasphere_gateway.model import Route
from novasphere_gateway.runtime import Gateway

MOMENT = 1737453600.25  # 2025-01-21T10:00:00Z, and a little

NODES = "/novasphere.node.v1.NodeService/"
COMMANDS = "/novasphere.node.v1.CommandService/"
KEYS = "/novasphere.api.v1.KeyService/"
SYSTEM = "/novasphere.node.v1.SystemService/"


class Item:
    """An object that remembers its JSON and counts how often it was made."""

    def __init__(self, message: Message) -> None:
        self.message = message
        self.made = 0
        self._json: dict[Any, bytes] = {}

    def json(self, encode: Callable[[Any], bytes]) -> bytes:
        if encode not in self._json:
            self.made += 1
            self._json[encode] = encode(self.message)
        return self._json[encode]


class Parts:
    """What a view of cached objects looks like from here."""

    def __init__(self, field: str, *items: Item) -> None:
        self.field = field
        self.items: Sequence[Item] = items
        self.memos: dict[Hashable, bytes] = {}

    def wire(self) -> bytes:
        return b""

    def memo(self, key: Hashable, make: Callable[[], bytes]) -> bytes:
        if key not in self.memos:
            self.memos[key] = make()
        return self.memos[key]


Unary = Callable[[Call], Awaitable[Answer]]
Streamed = Callable[[Call], AsyncIterator[Answer]]
Duplex = Callable[[AsyncIterator[Message]], AsyncIterator[Answer]]


class FakeBackend:
    """Answers by method. Keeps every call, and how many streams are open."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.unaries: dict[str, Unary] = {}
        self.streams: dict[str, Streamed] = {}
        self.duplexes: dict[str, Duplex] = {}
        self.open_streams = 0
        self.refusal: CallError | None = None  # for whoever asks to be admitted

    @property
    def call(self) -> Call:
        """The last call."""
        return self.calls[-1]

    def answers(
        self, method: str, message: Message, parts: Parts | None = None, **metadata: str
    ) -> None:
        headers = {name.replace("_", "-"): value for name, value in metadata.items()}

        async def answer(_: Call) -> Answer:
            return Answer(message, parts, headers)

        self.unaries[method] = answer

    def fails(self, method: str, error: Exception) -> None:
        async def fail(_: Call) -> Answer:
            raise error

        async def fail_to_stream(_: Call) -> AsyncIterator[Answer]:
            raise error
            yield

        self.unaries[method] = fail
        self.streams[method] = fail_to_stream

    async def admit(self, call: Call) -> None:
        if self.refusal is not None:
            raise self.refusal

    async def unary(self, call: Call) -> Answer:
        self.calls.append(call)
        return await self.unaries[call.method](call)

    def stream(self, call: Call) -> AsyncIterator[Answer]:
        return self._answers(call, self.streams[call.method](call))

    def duplex(self, call: Call, requests: AsyncIterator[Message]) -> AsyncIterator[Answer]:
        return self._answers(call, self.duplexes[call.method](requests))

    async def _answers(self, call: Call, answers: AsyncIterator[Answer]) -> AsyncIterator[Answer]:
        self.calls.append(call)
        self.open_streams += 1
        try:
            async for answer in answers:
                yield answer
        finally:
            self.open_streams -= 1
            await answers.aclose()  # type: ignore[attr-defined]


def failure(
    reason: str,
    code: int,
    message: str = "it did not work",
    *,
    metadata: Mapping[str, str] | None = None,
    violations: Mapping[str, str] | None = None,
    retry_after: float | None = None,
) -> CallError:
    """What the server's pipeline raises."""
    details: list[Message] = [
        error_details_pb2.ErrorInfo(reason=reason, domain="novasphere.io", metadata=metadata or {})
    ]
    if violations:
        bad = error_details_pb2.BadRequest()
        for field, description in violations.items():
            bad.field_violations.add(field=field, description=description)
        details.append(bad)
    if retry_after is not None:
        retry = error_details_pb2.RetryInfo()
        retry.retry_delay.seconds = int(retry_after)
        retry.retry_delay.nanos = int(retry_after % 1 * 1e9)
        details.append(retry)
    status = status_pb2.Status(code=code, message=message)
    for detail in details:
        packed = any_pb2.Any()
        packed.Pack(detail)
        status.details.append(packed)
    return CallError(status)


def node_not_found(node_id: str = "node-001") -> CallError:
    return failure(
        "NODE_NOT_FOUND",
        code_pb2.NOT_FOUND,
        f"node {node_id!r} does not exist",
        metadata={"node_id": node_id},
    )


def node(number: int = 1, **fields: Any) -> node_pb2.Node:
    return node_pb2.Node(
        id=number, node_id=f"node-{number:03}", hostname=f"server-{number:02}", **fields
    )


def route_of(label: str) -> Route:
    return next(r for r in ROUTES if r.label == label)


def moved(label: str, path: str, **changes: Any) -> Route:
    """A real route at another path, changed: how faces without routes of their own are tried."""
    route = route_of(label)
    name, _, verb = path.rpartition("/")[2].partition(":")
    segments = [*path.split("/")[1:-1], name]
    return dataclasses.replace(
        route,
        path=path,
        segments=tuple("*" if s.startswith("{") else s for s in segments),
        verb=verb,
        **changes,
    )


async def until(condition: Callable[[], object]) -> None:
    """Waits until the condition holds, a minute at most."""
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110 - nothing tells when it changes
            await asyncio.sleep(0.005)


class Server:
    """A running gateway and a client of it."""

    def __init__(self, gateway: Gateway, port: int, session: aiohttp.ClientSession) -> None:
        self.gateway = gateway
        self.port = port
        self.session = session
        self.requests: list[tuple[Any, ...]] = []

    async def ask(
        self, method: str, path: str, *, raw: bool = False, **options: Any
    ) -> tuple[aiohttp.ClientResponse, Any]:
        """Returns the response and what its body says, JSON parsed."""
        async with self.session.request(method, self.url(path), **options) as response:
            body = await response.read()
            if raw or response.content_type not in {"application/json", "application/problem+json"}:
                return response, body
            return response, json.loads(body) if body else None

    async def get(self, path: str, **options: Any) -> tuple[aiohttp.ClientResponse, Any]:
        return await self.ask("GET", path, **options)

    @property
    def connections(self) -> int:
        """How many clients are connected."""
        listener = self.gateway._listener
        return len(listener.connections) if listener is not None else 0

    def url(self, path: str) -> Any:
        return yarl.URL(f"http://127.0.0.1:{self.port}{path}", encoded=True)
