"""Server streams as events, as lines and as bytes."""

from __future__ import annotations

import asyncio
import itertools
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import aiohttp
import pytest
from gateways import COMMANDS, NODES, FakeBackend, Item, Parts, Server, failure, node, until
from google.rpc import code_pb2
from novasphere.api.v1 import watch_pb2
from novasphere.node.v1 import command_service_pb2, node_service_pb2
from novasphere_gateway.backend import ACCEPTED, Answer, Call, CallError

Start = Callable[..., Awaitable[Server]]

WATCH = NODES + "WatchNodes"
OUTPUT = COMMANDS + "ReadCommandOutput"
EVENTS = {"Accept": "text/event-stream"}
LINES = {"Accept": "application/x-ndjson"}


def event(number: int, kind: watch_pb2.EventType.ValueType = watch_pb2.EVENT_TYPE_ADDED) -> Any:
    cursor = f"e.{number}" if number else ""
    return node_service_pb2.NodeEvent(type=kind, cursor=cursor, object=node(number or 1))


def page(*events: Any) -> Answer:
    return Answer(node_service_pb2.WatchNodesResponse(events=events))


class Feed:
    """A watch that goes on as a test says: answers, an error, or the end (None)."""

    def __init__(self, backend: FakeBackend, method: str = WATCH) -> None:
        self._queue: asyncio.Queue[Answer | Exception | None] = asyncio.Queue(100)
        self.was_closed = asyncio.Event()
        self.has_begun = asyncio.Event()
        backend.streams[method] = self._run

    def say(self, *what: Answer | Exception | None) -> None:
        for one in what:
            self._queue.put_nowait(one)

    async def _run(self, _: Call) -> AsyncIterator[Answer]:
        self.has_begun.set()
        try:
            while (said := await self._queue.get()) is not None:
                if isinstance(said, Exception):
                    raise said
                yield said
        finally:
            self.was_closed.set()


@pytest.fixture
def feed(backend: FakeBackend) -> Feed:
    return Feed(backend)


def draining() -> CallError:
    return failure("DRAINING", code_pb2.UNAVAILABLE, "the server is shutting down", retry_after=1)


async def _read(response: aiohttp.ClientResponse, until: bytes) -> bytes:
    """Reads up to, and with, what was waited for."""
    text = b""
    async with asyncio.timeout(60):
        while until not in text:
            chunk = await response.content.readany()
            assert chunk, f"ended with {text!r}"
            text += chunk
    return text


async def test_events_carry_id_type_and_one_line_of_data(feed: Feed, server: Server) -> None:
    feed.say(page(event(0)), page(event(7, watch_pb2.EVENT_TYPE_MODIFIED), event(7)), None)
    response, body = await server.get("/api/v1/nodes:watch", headers=EVENTS)
    assert response.status == 200
    assert response.headers["Content-Type"] == "text/event-stream; charset=utf-8"
    assert response.headers["Cache-Control"] == "no-cache, no-transform"
    assert response.headers["X-Accel-Buffering"] == "no"
    retry, first, second, third, rest = body.decode().split("\n\n")
    assert retry == "retry: 2000"
    assert rest == ""
    assert first.split("\n")[0] == "event: ADDED"  # no cursor yet, so no id
    identity, kind, data = second.split("\n")
    assert (identity, kind) == ("id: e.7", "event: MODIFIED")
    row = json.loads(data.removeprefix("data: "))
    assert (row["type"], row["cursor"], row["object"]["node_id"]) == ("MODIFIED", "e.7", "node-007")
    assert third.startswith("id: e.7\nevent: ADDED\n")


async def test_events_are_the_default_and_lines_an_offer(feed: Feed, server: Server) -> None:
    feed.say(page(event(1)), None)
    response, _ = await server.get("/api/v1/nodes:watch")
    assert response.content_type == "text/event-stream"
    feed.say(page(event(1), event(2)), page(event(3)), None)
    response, body = await server.get("/api/v1/nodes:watch", headers=LINES)
    assert response.content_type == "application/x-ndjson"
    assert [json.loads(line)["cursor"] for line in body.splitlines()] == ["e.1", "e.2", "e.3"]


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        ("text/html, */*;q=0.1", "text/event-stream"),
        ("application/x-ndjson;q=0.5, text/event-stream;q=0.4", "application/x-ndjson"),
        ("application/json, text/plain, */*", "text/event-stream"),  # no bytes to send alone
    ],
)
async def test_the_client_chooses_by_weight(
    accept: str, content_type: str, feed: Feed, server: Server
) -> None:
    feed.say(page(event(1)), None)
    response, _ = await server.get("/api/v1/nodes:watch", headers={"Accept": accept})
    assert response.content_type == content_type


async def test_a_form_that_streams_do_not_have_is_refused(backend: FakeBackend, server: Server) -> None:
    response, body = await server.get("/api/v1/nodes:watch", headers={"Accept": "application/xml"})
    assert (response.status, body["code"]) == (406, "NOT_ACCEPTABLE")
    assert backend.calls == []


def _chunk(offset: int, data: bytes) -> Answer:
    response = command_service_pb2.ReadCommandOutputResponse()
    response.events.add(
        type=command_service_pb2.OUTPUT_EVENT_TYPE_CHUNK,
        offset=offset,
        data=data,
        next_offset=offset + len(data),
    )
    return Answer(response)


def _end(offset: int) -> Answer:
    response = command_service_pb2.ReadCommandOutputResponse()
    response.events.add(type=command_service_pb2.OUTPUT_EVENT_TYPE_END, next_offset=offset)
    return Answer(response)


@pytest.mark.parametrize("accept", ["text/plain", "application/octet-stream"])
async def test_output_can_be_had_as_the_bytes_that_were_printed(
    accept: str, backend: FakeBackend, server: Server
) -> None:
    feed = Feed(backend, OUTPUT)
    feed.say(_chunk(0, b"one\n\xff"), _chunk(5, b"two"), _end(8), None)
    response, body = await server.get(
        "/api/v1/commands/c1/output?follow=true", headers={"Accept": accept}
    )
    assert response.content_type == accept
    assert body == b"one\n\xfftwo"
    assert backend.call.request.follow is True  # type: ignore[attr-defined]


async def test_bytes_that_break_off_are_seen_to_break_off(backend: FakeBackend, server: Server) -> None:
    feed = Feed(backend, OUTPUT)
    feed.say(_chunk(0, b"one"), draining())
    with pytest.raises(aiohttp.ClientPayloadError):
        await server.get("/api/v1/commands/c1/output", headers={"Accept": "text/plain"})


async def test_a_stream_resumes_where_the_client_was(
    backend: FakeBackend, feed: Feed, server: Server
) -> None:
    last = {"Last-Event-ID": "e.5"}
    for query, headers in (
        ("", last),
        ("?last_event_id=e.5", {}),
        ("?cursor=e.1", last),
        ("?cursor=e.5", {}),
    ):
        feed.say(None)
        await server.get(f"/api/v1/nodes:watch{query}", headers=headers)
        assert backend.call.request.cursor == "e.5"  # type: ignore[attr-defined]
    output = Feed(backend, OUTPUT)
    output.say(None)
    await server.get("/api/v1/commands/c1/output", headers={"Last-Event-ID": "2.12"})
    assert backend.call.request.cursor == "2.12"  # type: ignore[attr-defined]


async def test_a_token_in_the_query_is_a_credential_of_streams(
    backend: FakeBackend, feed: Feed, start: Start
) -> None:
    server = await start()
    feed.say(None)
    await server.get("/api/v1/nodes:watch?token=one-secret")
    assert backend.call.metadata["authorization"] == "Bearer one-secret"
    feed.say(None)
    await server.get("/api/v1/nodes:watch?token=one-secret", headers={"Authorization": "Bearer def"})
    assert backend.call.metadata["authorization"] == "Bearer def"
    assert "one-secret" not in str(server.requests)
    closed = await start(query_tokens=False)
    response, body = await closed.get("/api/v1/nodes:watch?token=one-secret")
    assert response.status == 400
    assert "one-secret" not in str(body)


async def test_an_error_before_the_first_row_is_an_ordinary_one(feed: Feed, server: Server) -> None:
    feed.say(
        failure("CURSOR_EXPIRED", code_pb2.OUT_OF_RANGE, "too old", metadata={"oldest_cursor": "e.100"})
    )
    response, body = await server.get("/api/v1/nodes:watch?cursor=e.1", headers=EVENTS)
    assert response.status == 410
    assert response.headers["Content-Type"] == "application/problem+json"
    assert (body["code"], body["metadata"]) == ("CURSOR_EXPIRED", {"oldest_cursor": "e.100"})


async def test_a_later_error_is_the_last_row(feed: Feed, server: Server) -> None:
    feed.say(page(event(1)), draining())
    _, body = await server.get("/api/v1/nodes:watch", headers=LINES)
    row = json.loads(body.splitlines()[-1])
    assert row["type"] == "ERROR"
    assert (row["error"]["code"], row["error"]["retry_after"]) == ("DRAINING", 1.0)
    feed.say(page(event(1)), draining())
    _, body = await server.get("/api/v1/nodes:watch", headers=EVENTS)
    *_, last, rest = body.decode().split("\n\n")
    assert rest == ""
    assert last.startswith('event: ERROR\ndata: {"type":"ERROR"')


async def test_an_unexpected_exception_is_a_row_that_tells_nothing(
    feed: Feed, server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    feed.say(page(event(1)), RuntimeError("swordfish"))
    _, body = await server.get("/api/v1/nodes:watch", headers=LINES)
    assert json.loads(body.splitlines()[-1])["error"]["code"] == "INTERNAL"
    assert b"swordfish" not in body
    assert "swordfish" in caplog.text


async def test_a_connection_error_behind_the_gateway_is_not_taken_for_the_clients(
    feed: Feed, server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    feed.say(page(event(1)), ConnectionResetError("the database went away"))
    _, body = await server.get("/api/v1/nodes:watch", headers=LINES)
    assert json.loads(body.splitlines()[-1])["error"]["code"] == "INTERNAL"


@pytest.mark.parametrize("headers", [EVENTS, LINES])
async def test_a_refusal_has_its_status_however_long_it_takes(
    headers: dict[str, str], feed: Feed, server: Server
) -> None:
    asked = asyncio.ensure_future(server.get("/api/v1/nodes:watch", headers=headers))
    await feed.has_begun.wait()
    assert not (await asyncio.wait([asked], timeout=0.1))[0]
    feed.say(failure("UNAUTHENTICATED", code_pb2.UNAUTHENTICATED, "the credential is not known"))
    response, body = await asked
    assert (response.status, body["code"]) == (401, "UNAUTHENTICATED")
    assert response.headers["Content-Type"] == "application/problem+json"


async def test_a_stream_that_nobody_accepts_in_time_is_an_ordinary_error(
    feed: Feed, start: Start
) -> None:
    server = await start(request_timeout=0.05)
    response, body = await server.get("/api/v1/nodes:watch", headers=EVENTS)
    assert (response.status, body["code"]) == (504, "DEADLINE_EXCEEDED")
    await asyncio.wait_for(feed.was_closed.wait(), 60)


async def test_a_quiet_stream_is_answered_once_it_is_accepted(feed: Feed, start: Start) -> None:
    server = await start(request_timeout=0.1)
    feed.say(ACCEPTED)
    async with server.session.get(server.url("/api/v1/nodes:watch"), headers=EVENTS) as response:
        assert response.status == 200
        assert await _read(response, b"\n\n") == b"retry: 2000\n\n"
        await asyncio.sleep(0.2)  # the time for the head says nothing of rows
        feed.say(ACCEPTED, page(event(1)), None)
        assert b"id: e.1" in await response.read()


async def test_a_silent_event_stream_carries_comments(feed: Feed, start: Start) -> None:
    server = await start(heartbeat_interval=0.02)
    feed.say(page(event(1)))
    async with server.session.get(server.url("/api/v1/nodes:watch"), headers=EVENTS) as response:
        await _read(response, b": still here\n\n: still here\n\n")
        feed.say(None)


async def test_lines_carry_no_comments(feed: Feed, start: Start) -> None:
    server = await start(heartbeat_interval=0.01)
    feed.say(ACCEPTED)
    async with server.session.get(server.url("/api/v1/nodes:watch"), headers=LINES) as response:
        await asyncio.sleep(0.1)  # many intervals: what must not happen cannot be waited for
        feed.say(page(event(1)), None)
        assert [json.loads(line)["cursor"] for line in (await response.read()).splitlines()] == ["e.1"]


async def test_watchers_of_the_same_rows_share_their_bytes(backend: FakeBackend, start: Start) -> None:
    items = [Item(event(1)), Item(event(2))]
    parts = Parts("events", *items)

    async def shared(_: Call) -> AsyncIterator[Answer]:
        yield Answer(node_service_pb2.WatchNodesResponse(), parts)

    backend.streams[WATCH] = shared
    server = await start()
    bodies = [
        (await server.get("/api/v1/nodes:watch", headers=headers))[1]
        for headers in (EVENTS, EVENTS, LINES, LINES)
    ]
    assert bodies[0] == bodies[1]
    assert bodies[2] == bodies[3]
    assert [json.loads(line)["cursor"] for line in bodies[2].splitlines()] == ["e.1", "e.2"]
    assert len(parts.memos) == 2  # one for each form
    assert [item.made for item in items] == [2, 2]


async def test_a_message_without_rows_does_not_end_the_stream(feed: Feed, server: Server) -> None:
    feed.say(page(), page(event(1)), page(), page(event(2)), None)
    _, body = await server.get("/api/v1/nodes:watch", headers=LINES)
    assert len(body.splitlines()) == 2


async def test_the_connection_serves_on_after_a_whole_stream(feed: Feed, server: Server) -> None:
    for _ in range(3):
        feed.say(page(event(1)), None)
        response, _ = await server.get("/api/v1/nodes:watch", headers=LINES)
        assert "Connection" not in response.headers
    assert server.connections == 1


async def test_http_1_0_gets_the_stream_unframed(feed: Feed, server: Server) -> None:
    feed.say(page(event(1)), None)
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(b"GET /api/v1/nodes:watch HTTP/1.0\r\nAccept: application/x-ndjson\r\n\r\n")
    head, _, body = (await asyncio.wait_for(reader.read(), 60)).partition(b"\r\n\r\n")
    assert b"chunked" not in head
    assert json.loads(body)["cursor"] == "e.1"
    writer.close()


@pytest.mark.parametrize("first", [page(event(1)), ACCEPTED])
async def test_head_of_a_stream_opens_and_closes_it(first: Answer, feed: Feed, server: Server) -> None:
    feed.say(first)
    response, body = await server.ask("HEAD", "/api/v1/nodes:watch", raw=True)
    assert (response.status, body) == (200, b"")
    await asyncio.wait_for(feed.was_closed.wait(), 60)


async def test_a_client_that_goes_away_ends_the_call_at_once(feed: Feed, server: Server) -> None:
    feed.say(page(event(1)))
    response = await server.session.get(server.url("/api/v1/nodes:watch"), headers=LINES)
    await _read(response, b"\n")
    response.close()
    await asyncio.wait_for(feed.was_closed.wait(), 60)
    await until(lambda: server.requests)
    assert server.requests[0][2] == 200


async def test_a_client_that_goes_away_before_the_first_row_ends_the_call_too(
    feed: Feed, server: Server
) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(b"GET /api/v1/nodes:watch HTTP/1.1\r\nHost: x\r\n\r\n")
    await asyncio.wait_for(feed.has_begun.wait(), 60)
    writer.close()
    await asyncio.wait_for(feed.was_closed.wait(), 60)


async def test_a_reader_that_takes_nothing_is_cut(backend: FakeBackend, start: Start) -> None:
    was_closed = asyncio.Event()
    sent = 0

    async def flood(_: Call) -> AsyncIterator[Answer]:
        nonlocal sent
        try:
            while True:
                yield _chunk(sent, b"x" * 60_000)
                sent += 60_000
        finally:
            was_closed.set()

    backend.streams[OUTPUT] = flood
    server = await start(write_timeout=0.1)
    client = socket.create_connection(("127.0.0.1", server.port))
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.sendall(b"GET /api/v1/commands/c1/output HTTP/1.1\r\nHost: x\r\nAccept: text/plain\r\n\r\n")
    await asyncio.wait_for(was_closed.wait(), 60)
    await until(lambda: not server.connections)
    client.close()
    assert sent < 32 * 1024 * 1024  # kernel buffers, not ours


async def test_a_slow_reader_that_goes_on_reading_is_not_cut(backend: FakeBackend, start: Start) -> None:
    pieces = [bytes([i]) * 300_000 for i in range(30)]

    async def much(_: Call) -> AsyncIterator[Answer]:
        for i, piece in enumerate(pieces):
            yield _chunk(i * 300_000, piece)

    backend.streams[OUTPUT] = much
    server = await start(write_timeout=1.0)
    received = b""
    async with server.session.get(
        server.url("/api/v1/commands/c1/output"), headers={"Accept": "application/octet-stream"}
    ) as response:
        while chunk := await response.content.read(100_000):
            received += chunk
            await asyncio.sleep(0.03)  # in all, much longer than the timeout
    assert received == b"".join(pieces)


async def test_a_slow_reader_of_a_whole_answer_is_cut_too(backend: FakeBackend, start: Start) -> None:
    big = node_service_pb2.ListNodesResponse(nodes=[node(1, os_info="x" * 1_000_000) for _ in range(16)])
    backend.answers(NODES + "ListNodes", big)
    server = await start(write_timeout=0.1)
    client = socket.create_connection(("127.0.0.1", server.port))
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.sendall(b"GET /api/v1/nodes HTTP/1.1\r\nHost: x\r\n\r\n")
    await until(lambda: server.requests and not server.connections)
    client.close()


@pytest.mark.parametrize("headers", [EVENTS, LINES])
async def test_stopping_ends_streams_with_a_reason(
    headers: dict[str, str], feed: Feed, start: Start
) -> None:
    server = await start()
    feed.say(page(event(1)))
    async with server.session.get(server.url("/api/v1/nodes:watch"), headers=headers) as response:
        await _read(response, b"e.1")
        async with asyncio.timeout(60):
            await server.gateway.stop(300)
        last = (await response.read()).decode()
    assert '"type":"ERROR"' in last
    assert '"code":"DRAINING"' in last
    assert feed.was_closed.is_set()


async def test_stopping_refuses_a_stream_that_has_sent_nothing(feed: Feed, start: Start) -> None:
    server = await start()
    async with asyncio.TaskGroup() as group:
        asking = group.create_task(server.get("/api/v1/nodes:watch"))
        await feed.has_begun.wait()
        await server.gateway.stop(30)
    response, body = asking.result()
    assert (response.status, body["code"]) == (503, "DRAINING")
    assert response.headers["Retry-After"] == "1"


@pytest.mark.parametrize("path", ["/api/v1/commands/c1/output", "/api/v1/nodes"])
async def test_stopping_does_not_wait_for_a_reader_that_takes_nothing(
    path: str, backend: FakeBackend, start: Start
) -> None:
    big = node_service_pb2.ListNodesResponse(nodes=[node(1, os_info="x" * 1_000_000) for _ in range(16)])
    backend.answers(NODES + "ListNodes", big)

    async def flood(_: Call) -> AsyncIterator[Answer]:
        for i in itertools.count():
            yield _chunk(i * 60_000, b"x" * 60_000)

    backend.streams[OUTPUT] = flood
    server = await start(write_timeout=300.0)
    with socket.create_connection(("127.0.0.1", server.port)) as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        listener = server.gateway._listener
        assert listener is not None
        await until(lambda: any(c.writing_paused for c in listener.connections))
        async with asyncio.timeout(60):
            await server.gateway.stop(0.2)
    assert server.requests[0][2] == 200


async def test_streams_are_told_to_the_host_when_they_end(feed: Feed, server: Server) -> None:
    feed.say(page(event(1)), None)
    await server.get("/api/v1/nodes:watch")
    await until(lambda: server.requests)
    assert server.requests[0][:3] == ("GET", "/api/v1/nodes:watch", 200)
