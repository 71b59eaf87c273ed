"""A stream in both directions is a WebSocket: the scratch protos' own, through a real socket."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import aiohttp
import pytest
from aiohttp import WSMsgType
from gateways import FakeBackend, failure, until
from google.protobuf.message import Message
from google.rpc import code_pb2
from novasphere.gateway import ERRORS
from novasphere_gateway.backend import Answer
from novasphere_gateway.runtime import Gateway, GatewaySettings

METHOD = "/things.v1.ThingService/DiscussThing"
PATH = "/v1/things/cup:discuss"
Open = Callable[..., Awaitable[aiohttp.ClientWebSocketResponse]]


class Socket:
    """A gateway before a backend that answers each thing said with what it heard."""

    def __init__(self, backend: FakeBackend, gateway: Gateway, port: int, messages: Any) -> None:
        self.backend = backend
        self.gateway = gateway
        self.url = f"http://127.0.0.1:{port}"
        self.messages = messages
        self.heard: list[Any] = []

    async def discuss(self, requests: AsyncIterator[Message]) -> AsyncIterator[Answer]:
        turn = 0
        async for said in requests:
            self.heard.append(said)
            if said.words == "node":
                raise failure("NODE_NOT_FOUND", code_pb2.NOT_FOUND, "no such node")
            if said.words == "bug":
                raise ZeroDivisionError
            if said.words == "bye":
                return
            turn += 1
            words = f"{said.thing_id}: {said.words}" * (100_000 if said.words == "flood" else 1)
            repeats = 1_000 if said.words == "flood" else 1
            for _ in range(repeats):
                yield Answer(self.messages.DiscussThingResponse(words=words, turn=turn))


@pytest.fixture
def ping(request: pytest.FixtureRequest) -> float:
    return getattr(request, "param", 20.0)


@pytest.fixture
async def socket(generated: Any, ping: float) -> AsyncIterator[Socket]:
    backend = FakeBackend()
    settings = GatewaySettings(
        max_body_size=1000,
        write_timeout=0.5,
        ping_interval=ping,
        cors_origins=frozenset({"https://console.example.org"}),
    )
    gateway = Gateway(backend, generated.gateway.ROUTES, ERRORS, openapi=b"{}", settings=settings)
    served = Socket(backend, gateway, await gateway.start("127.0.0.1", 0), generated.service_messages)
    backend.duplexes[METHOD] = served.discuss
    yield served
    await gateway.stop(5)
    assert backend.open_streams == 0


@pytest.fixture
async def http(socket: Socket) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(socket.url) as session:
        yield session


async def closing(ws: aiohttp.ClientWebSocketResponse) -> tuple[int, str]:
    """Returns the code and the reason of the close frame that comes next."""
    async with asyncio.timeout(60):
        frame = await ws.receive()
    assert frame.type is WSMsgType.CLOSE, frame
    return frame.data, frame.extra


async def test_text_frames_are_messages_in_json(socket: Socket, http: aiohttp.ClientSession) -> None:
    headers = {"Authorization": "Bearer secret", "X-Request-Id": "mine"}
    async with http.ws_connect(PATH, headers=headers) as ws:
        assert ws._response.headers["X-Request-Id"] == "mine"
        await ws.send_json({"words": "hello"})
        assert await ws.receive_json() == {"words": "cup: hello", "turn": 1}
        await ws.send_json({"words": "again"})
        assert (await ws.receive_json())["turn"] == 2
        await ws.send_json({"words": "bye"})
        assert await closing(ws) == (1000, "")
    assert socket.backend.call.metadata["authorization"] == "Bearer secret"
    assert socket.backend.call.metadata["x-request-id"] == "mine"
    assert socket.backend.call.request.thing_id == "cup"


async def test_binary_frames_are_messages_in_protobufs_form(
    socket: Socket, http: aiohttp.ClientSession
) -> None:
    messages = socket.messages
    async with http.ws_connect(PATH, protocols=["proto"]) as ws:
        assert ws.protocol == "proto"
        await ws.send_bytes(messages.DiscussThingRequest(words="hello").SerializeToString())
        answer = messages.DiscussThingResponse.FromString(await ws.receive_bytes())
        assert (answer.words, answer.turn) == ("cup: hello", 1)
        await ws.send_bytes(b"\xff\xff")
        code, reason = await closing(ws)
        assert code == 1008
        assert "MALFORMED_BODY" in reason


@pytest.mark.parametrize(
    ("said", "code", "told"),
    [
        ('{"words": "node"}', 4404, "NODE_NOT_FOUND: no such node"),
        ('{"words": "bug"}', 1011, "INTERNAL: "),
        ('{"wrods": "x"}', 1008, "UNKNOWN_FIELD: wrods"),
        ('{"thing_id": "plate"}', 1008, "UNKNOWN_FIELD: thing_id"),
        ('{"words": 1}', 1008, "INVALID_ARGUMENT: words"),
        ("{", 1008, "MALFORMED_BODY: the frame is not JSON"),
        ("[]", 1008, "MALFORMED_BODY: "),
        (b"x", 1008, "UNSUPPORTED_MEDIA_TYPE: "),
    ],
)
async def test_what_is_wrong_closes_with_its_code_and_reason(
    socket: Socket, http: aiohttp.ClientSession, said: str | bytes, code: int, told: str
) -> None:
    async with http.ws_connect(PATH) as ws:
        await (ws.send_str(said) if isinstance(said, str) else ws.send_bytes(said))
        closed, reason = await closing(ws)
        assert closed == code
        assert reason.startswith(told)


async def test_a_frame_that_is_too_large_closes_the_socket(
    socket: Socket, http: aiohttp.ClientSession
) -> None:
    async with http.ws_connect(PATH) as ws:
        await ws.send_str('{"words": "' + "x" * 2000 + '"}')
        assert (await closing(ws))[0] == 1009


@pytest.mark.parametrize(
    ("reason", "grpc_code", "code"),
    [
        ("UNAUTHENTICATED", code_pb2.UNAUTHENTICATED, 4401),
        ("PERMISSION_DENIED", code_pb2.PERMISSION_DENIED, 4403),
        ("OVERLOADED", code_pb2.RESOURCE_EXHAUSTED, 1013),
        ("CURSOR_EXPIRED", code_pb2.OUT_OF_RANGE, 4410),
        ("DRAINING", code_pb2.UNAVAILABLE, 1001),
    ],
)
async def test_who_may_not_call_is_told_before_anything_is_read(
    socket: Socket, http: aiohttp.ClientSession, reason: str, grpc_code: int, code: int
) -> None:
    socket.backend.refusal = failure(reason, grpc_code)
    async with http.ws_connect(PATH) as ws:
        await ws.send_json({"words": "hello"})
        assert (await closing(ws))[0] == code
    assert socket.heard == []


async def test_the_call_ends_when_its_client_goes(socket: Socket, http: aiohttp.ClientSession) -> None:
    async with http.ws_connect(PATH) as ws:
        await ws.send_json({"words": "hello"})
        await ws.receive_json()
        assert socket.backend.open_streams == 1
    await until(lambda: socket.backend.open_streams == 0)
    ws = await http.ws_connect(PATH)
    await ws.send_json({"words": "hello"})
    await ws.receive_json()
    ws._response.connection.transport.abort()
    await until(lambda: socket.backend.open_streams == 0)


@pytest.mark.parametrize("ping", [0.2], indirect=True)
async def test_a_client_that_answers_no_ping_is_cut(socket: Socket, http: aiohttp.ClientSession) -> None:
    ws = await http.ws_connect(PATH, autoping=False)
    frame = await ws.receive(timeout=60)
    assert frame.type is WSMsgType.PING
    assert socket.backend.open_streams == 1
    await until(lambda: socket.backend.open_streams == 0)
    await ws.close()


async def test_a_reader_that_takes_nothing_is_cut(socket: Socket, http: aiohttp.ClientSession) -> None:
    ws = await http.ws_connect(PATH, max_msg_size=0)
    ws._response.connection.transport.pause_reading()
    await ws.send_json({"words": "flood"})
    await until(lambda: socket.heard)
    await until(lambda: socket.backend.open_streams == 0)
    await ws.close()


async def test_a_drain_closes_sockets_and_says_why(socket: Socket, http: aiohttp.ClientSession) -> None:
    async with http.ws_connect(PATH) as ws:
        await ws.send_json({"words": "hello"})
        await ws.receive_json()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(socket.gateway.stop(5))
            assert await closing(ws) == (1001, "DRAINING: the server is shutting down")


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("https://console.example.org", 101),
        ("https://evil.example.org", 403),
        ("null", 403),
        ("http://[", 403),
        ("{self}", 101),
    ],
)
async def test_pages_of_other_origins_open_nothing(
    socket: Socket, http: aiohttp.ClientSession, origin: str, status: int
) -> None:
    handshake = {
        "Origin": origin.format(self=socket.url),
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    }
    async with http.get(PATH, headers=handshake) as answer:
        assert answer.status == status


async def test_an_ordinary_request_is_told_to_upgrade(
    socket: Socket, http: aiohttp.ClientSession
) -> None:
    async with http.get(PATH) as answer:
        assert answer.status == 426
        assert answer.headers["Upgrade"] == "websocket"
        assert (await answer.json())["code"] == "UPGRADE_REQUIRED"
    async with http.get(PATH, headers={"Upgrade": "websocket", "Connection": "Upgrade"}) as answer:
        assert answer.status == 400
        assert "Sec-WebSocket-Key" in (await answer.json())["detail"]
    async with http.get(f"{PATH}?colour=red") as answer:
        assert answer.status == 400


async def test_what_subprotocols_a_client_offers_is_not_logged(
    socket: Socket, http: aiohttp.ClientSession, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        ws = await http.ws_connect(PATH, protocols=["a-secret", "json"])
        assert ws.protocol == "json"
        await ws.close()
        ws = await http.ws_connect(PATH, protocols=["a-secret"])
        await ws.close()
    assert "a-secret" not in caplog.text


async def test_a_credential_among_the_subprotocols(socket: Socket, http: aiohttp.ClientSession) -> None:
    bearer = "base64url.bearer.authorization.novasphere.io.c2VjcmV0"
    for offered in (["proto", bearer], [bearer, "json"]):
        async with http.ws_connect(PATH, protocols=offered) as ws:
            assert ws.protocol in ("proto", "json")
        assert socket.backend.call.metadata["authorization"] == "Bearer secret"
    async with http.ws_connect(PATH, protocols=[bearer]) as ws:
        assert ws.protocol is None
    async with http.ws_connect(f"{PATH}?ticket=nst_x", protocols=["json"]) as ws:
        assert ws.protocol == "json"
    assert socket.backend.call.metadata["authorization"] == "Bearer nst_x"
