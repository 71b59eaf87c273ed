"""NUL characters, which SQLite keeps in a text and PostgreSQL does not: refused alike, before either is asked."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import grpc
import grpc.aio
import pytest
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from novasphere.link.v1 import link_service_pb2 as link
from novasphere_server.testing import RunningServer, running_server

TEXT = "a\0b"
KEY = "key"  # of what is set in maps


@pytest.fixture
async def server(tmp_path: Path, database_url: str) -> AsyncIterator[RunningServer]:
    async with running_server(tmp_path, database_url=database_url) as running:
        yield running


def texts(descriptor: Descriptor) -> Iterator[tuple[FieldDescriptor, ...]]:
    """Yields the way to each text of a message."""
    for field in descriptor.fields:
        if field.type == FieldDescriptor.TYPE_STRING:
            yield (field,)
        elif field.message_type is not None:
            yield from ((field, *way) for way in texts(field.message_type))


def holding(message: Any, way: tuple[FieldDescriptor, ...]) -> Any:
    """Returns the message with TEXT at the end of the way."""
    field, *rest = way
    value: Any = getattr(message, field.name)
    if is_map(field):
        part, *inner = rest
        if inner:
            holding(value[KEY], tuple(inner))
        elif part.name == "value":
            value[KEY] = TEXT
        elif part.containing_type.fields_by_name["value"].message_type is not None:
            value[TEXT].SetInParent()
        else:
            value[TEXT] = ""
    elif rest:
        holding(value.add() if field.is_repeated else value, tuple(rest))
    elif field.is_repeated:
        value.append(TEXT)
    else:
        setattr(message, field.name, TEXT)
    return message


def is_map(field: FieldDescriptor) -> bool:
    return field.message_type is not None and bool(field.message_type.GetOptions().map_entry)


def spelled(way: tuple[FieldDescriptor, ...]) -> str:
    field, *rest = way
    if is_map(field):
        _, *inner = rest
        return f"{field.name}.{KEY}.{spelled(tuple(inner))}" if inner else field.name
    name = f"{field.name}[0]" if field.is_repeated else field.name
    return f"{name}.{spelled(tuple(rest))}" if rest else name


async def test_every_text_of_every_call_is_refused_by_name(server: RunningServer) -> None:
    methods = server.app.pipeline.methods
    ours = [m for m in methods.values() if "/novasphere." in m.path and not m.is_client_stream]
    asked = 0
    async with server.channel() as channel:
        for method in ours:
            for way in texts(method.request_type.DESCRIPTOR):
                asked += 1
                request = holding(method.request_type(), way)
                error = await refusal(channel, server, method.path, method.is_server_stream, request)
                assert error.code() is grpc.StatusCode.INVALID_ARGUMENT, (
                    method.path,
                    spelled(way),
                    error,
                )
                assert f"{spelled(way)}: must" in str(error.details()), method.path
    assert asked > 40


async def refusal(
    channel: grpc.aio.Channel, server: RunningServer, path: str, is_stream: bool, request: Message
) -> grpc.aio.AioRpcError:
    open_ = channel.unary_stream if is_stream else channel.unary_unary
    call: Any = open_(path, request_serializer=type(request).SerializeToString)(
        request, metadata=server.authorization(), timeout=60
    )
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await (call.read() if is_stream else call)
    return caught.value


async def test_paths_and_queries_are_refused_by_name(server: RunningServer) -> None:
    async with aiohttp.ClientSession(headers=dict(server.authorization())) as session:
        for method, path, field in (
            ("GET", "/api/v1/nodes/a%00b", "node_id"),
            ("DELETE", "/api/v1/nodes/a%00b", "node_id"),
            ("GET", "/api/v1/commands?node_id=a%00b", "node_id"),
            ("GET", "/api/v1/commands/a%00b", "command_id"),
            ("GET", "/api/v1/commands:watch?command_id=a%00b", "command_id"),
            ("GET", "/api/v1/keys/a%00b", "key_id"),
        ):
            async with session.request(method, server.http_url + path) as response:
                body = await response.text()
            assert response.status == 400, body
            assert f"{field}: must not contain NUL characters" in body


@pytest.mark.parametrize(
    ("content", "field"),
    [
        ({"hello": {"boot_id": TEXT}}, "hello.boot_id"),
        ({"hello": {"profile": {"role": TEXT}}}, "hello.profile.role"),
        ({"hello": {"profile": {"labels": {TEXT: "x"}}}}, "hello.profile.labels"),
        ({"hello": {"attempts": [{"run_id": TEXT}]}}, "run_id"),
        ({"output": [{"run_id": TEXT}]}, "run_id"),
        ({"reports": [{"run_id": TEXT, "phase": link.ATTEMPT_PHASE_EXITED}]}, "run_id"),
    ],
)
async def test_an_agent_is_refused_by_name(
    server: RunningServer, content: dict[str, dict[str, Any]], field: str
) -> None:
    frames = [{"hello": {"node_id": "n1", "protocol": 1} | content.get("hello", {})}]
    if "hello" not in content:
        frames.append(content)
    async with server.channel() as channel:
        call: Any = channel.stream_stream(
            "/novasphere.link.v1.LinkService/Connect",
            request_serializer=link.ConnectRequest.SerializeToString,
        )(metadata=server.authorization(server.join_token), timeout=60)
        for number, frame in enumerate(frames, 1):
            await call.write(link.ConnectRequest(sequence=number, **frame))
        with pytest.raises(grpc.aio.AioRpcError, match=field) as caught:
            await whole(call)
    assert caught.value.code() in {grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.FAILED_PRECONDITION}


async def whole(call: Any) -> None:
    while await call.read() is not grpc.aio.EOF:
        pass
