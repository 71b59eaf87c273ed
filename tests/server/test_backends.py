"""The two ways to the server that a gateway has: in its process, and over a channel."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Any

import grpc
import grpc.aio
import pytest
from google.protobuf.message import Message
from google.rpc import error_details_pb2
from novasphere.api.v1 import access_service_pb2 as access
from novasphere.api.v1 import access_service_pb2_grpc as access_grpc
from novasphere.api.v1 import options_pb2, watch_pb2
from novasphere.link.v1 import link_service_pb2 as link
from novasphere.node.v1 import node_service_pb2
from novasphere_gateway.backend import ACCEPTED, Backend, Call, CallError
from novasphere_gateway.channel import Channel
from novasphere_server.rpc.inprocess import InProcess
from novasphere_server.testing import RunningServer
from store_samples import put_node

CONNECT = "/novasphere.link.v1.LinkService/Connect"
LIST_NODES = "/novasphere.node.v1.NodeService/ListNodes"
GET_NODE = "/novasphere.node.v1.NodeService/GetNode"
WATCH_NODES = "/novasphere.node.v1.NodeService/WatchNodes"


@pytest.fixture(params=["in process", "channel"])
async def backend(request: pytest.FixtureRequest, server: RunningServer) -> AsyncIterator[Backend]:
    if request.param == "in process":
        yield InProcess(server.app.pipeline)
        return
    channel = Channel(server.grpc_address, message_bytes=1_000_000)
    yield channel
    await channel.close()


class Frames(AsyncIterator[Message]):
    """What a client says, whenever the test lets it."""

    def __init__(self) -> None:
        self.said: asyncio.Queue[Message] = asyncio.Queue()

    async def __anext__(self) -> Message:
        return await self.said.get()


def call(method: str, request: Message, token: str, **more: Any) -> Call:
    return Call(method, request, {"authorization": f"Bearer {token}", "x-request-id": "r"}, **more)


def reason_of(error: CallError) -> str:
    info = error_details_pb2.ErrorInfo()
    assert any(detail.Unpack(info) for detail in error.status.details)
    return info.reason


async def test_a_stream_that_looks_for_what_is_rare_is_accepted_before_it_finds_anything(
    server: RunningServer, backend: Backend
) -> None:
    cursor = f"{server.store.epoch}.{server.store.revision}"
    await server.store.write(put_node("n1"))
    rare = node_service_pb2.WatchNodesRequest(node_id="n2", cursor=cursor)
    answers: Any = backend.stream(call(WATCH_NODES, rare, server.admin_token))
    async with asyncio.timeout(60), aclosing(answers):
        assert await anext(answers) is ACCEPTED
        bookmark = node_service_pb2.WatchNodesResponse.FromString((await anext(answers)).wire())
        assert [event.type for event in bookmark.events] == [watch_pb2.EVENT_TYPE_BOOKMARK]


async def test_a_stream_is_not_accepted_while_its_credential_is_judged(
    server: RunningServer, backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, verdict = asyncio.Event(), asyncio.Event()
    judge = server.app.credentials.authenticate

    async def judge_slowly(*claim: Any) -> Any:
        asked.set()
        await verdict.wait()
        return await judge(*claim)

    monkeypatch.setattr(server.app.credentials, "authenticate", judge_slowly)
    watch = call(WATCH_NODES, node_service_pb2.WatchNodesRequest(), "nsk_wrong_wrong")
    answers: Any = backend.stream(watch)
    async with asyncio.timeout(60), aclosing(answers):
        first = asyncio.ensure_future(anext(answers))
        await asked.wait()
        assert not (await asyncio.wait([first], timeout=0.1))[0]
        verdict.set()
        with pytest.raises(CallError) as caught:
            await first
    assert reason_of(caught.value) == "UNAUTHENTICATED"


async def test_a_stream_whose_request_is_wrong_is_not_accepted(
    server: RunningServer, backend: Backend
) -> None:
    wrong = node_service_pb2.WatchNodesRequest(cursor="x")
    answers: Any = backend.stream(call(WATCH_NODES, wrong, server.admin_token))
    with pytest.raises(CallError) as caught:
        await anext(answers)
    assert reason_of(caught.value) == "CURSOR_INVALID"


async def test_both_directions_stream(server: RunningServer, backend: Backend) -> None:
    frames = Frames()
    answers: Any = backend.duplex(call(CONNECT, link.ConnectRequest(), server.join_token), frames)
    hello = link.Hello(node_id="n1", protocol=1, capacity=2, profile={"hostname": "h"})
    frames.said.put_nowait(link.ConnectRequest(sequence=1, free_slots=2, hello=hello))
    async with asyncio.timeout(60):
        welcome = (await anext(answers)).message
        assert welcome.welcome.node_uid
        assert server.app.fleet.links.linked_agents == 1
        await answers.aclose()
        while server.app.fleet.links.linked_agents:  # noqa: ASYNC110 - nothing tells when it changes
            await asyncio.sleep(0.01)


async def test_a_duplex_that_is_refused_says_why(server: RunningServer, backend: Backend) -> None:
    answers = backend.duplex(call(CONNECT, link.ConnectRequest(), "wrong"), Frames())
    with pytest.raises(CallError) as caught:
        await anext(answers)
    assert reason_of(caught.value) == "UNAUTHENTICATED"


async def test_a_call_that_ended_takes_no_more_requests(server: RunningServer, backend: Backend) -> None:
    async def requests() -> AsyncGenerator[Message, None]:
        yield link.ConnectRequest()
        await asyncio.Event().wait()

    said = requests()
    with pytest.raises(CallError):
        await anext(backend.duplex(call(CONNECT, link.ConnectRequest(), server.admin_token), said))
    await said.aclose()  # raises while somebody waits for the next one


async def test_a_request_beyond_the_limit_ends_the_call_and_nobody_else(
    server: RunningServer,
) -> None:
    channel = Channel(server.grpc_address, message_bytes=100)
    frames = Frames()
    frames.said.put_nowait(link.ConnectRequest(hello=link.Hello(node_id="n" * 200)))
    answers = channel.duplex(call(CONNECT, link.ConnectRequest(), server.join_token), frames)
    with pytest.raises(CallError) as caught:
        await anext(answers)
    assert reason_of(caught.value) == "TOO_LARGE"
    await channel.close()


async def test_admission_is_refused_in_the_same_order(server: RunningServer, backend: Backend) -> None:
    node = node_service_pb2.GetNodeRequest(node_id="nobody")
    nothing = node_service_pb2.GetNodeRequest()
    for request, token, reason in (
        (node, "wrong", "UNAUTHENTICATED"),
        (node, server.join_token, "PERMISSION_DENIED"),
        (node, server.admin_token, "NODE_NOT_FOUND"),
    ):
        with pytest.raises(CallError) as caught:
            await backend.admit(call(GET_NODE, request, token))
        assert reason_of(caught.value) == reason
    await backend.admit(call(GET_NODE, nothing, server.admin_token))


async def test_a_deadline_that_passes_is_said_as_such(server: RunningServer, backend: Backend) -> None:
    late = call(LIST_NODES, node_service_pb2.ListNodesRequest(), server.admin_token, timeout=0.05)
    late.metadata["novasphere-min-revision"] = "999999"  # type: ignore[index]
    with pytest.raises(CallError) as caught:
        await backend.unary(late)
    assert reason_of(caught.value) in {"DEADLINE_EXCEEDED", "REVISION_NOT_REACHED"}


async def test_what_a_stranger_says_of_addresses_counts_for_nothing(server: RunningServer) -> None:
    """An agent's address is that of its connection, whatever its metadata claims."""
    channel = Channel(server.grpc_address, message_bytes=1_000_000)
    claims = {"x-forwarded-for": "10.9.9.9", "x-real-ip": "10.9.9.9", "forwarded": "for=10.9.9.9"}
    hello = call(CONNECT, link.ConnectRequest(), server.join_token)
    hello.metadata.update(claims)  # type: ignore[attr-defined]
    frames = Frames()
    answers: Any = channel.duplex(hello, frames)
    said = link.Hello(node_id="n1", protocol=1, capacity=2, profile={"hostname": "h"})
    frames.said.put_nowait(link.ConnectRequest(sequence=1, free_slots=2, hello=said))
    await anext(answers)
    asked = call(GET_NODE, node_service_pb2.GetNodeRequest(node_id="n1"), server.admin_token)
    node: Any = (await channel.unary(asked)).message
    assert node.node.ip_address == "127.0.0.1"
    await answers.aclose()
    await channel.close()


class TestAccessOverGrpc:
    """CheckAccess, which anybody may call."""

    async def test_it_answers_what_may_be_done(
        self, server: RunningServer, channel: grpc.aio.Channel
    ) -> None:
        ask = access_grpc.AccessServiceStub(channel).CheckAccess
        await ask(
            access.CheckAccessRequest(scope=options_pb2.SCOPE_READ), metadata=server.authorization()
        )
        await ask(access.CheckAccessRequest(method=GET_NODE), metadata=server.authorization())

    @pytest.mark.parametrize(
        ("request_", "kind", "code"),
        [
            (access.CheckAccessRequest(), "", grpc.StatusCode.UNAUTHENTICATED),
            (access.CheckAccessRequest(method=GET_NODE), "", grpc.StatusCode.UNAUTHENTICATED),
            (access.CheckAccessRequest(method="/a/B"), "", grpc.StatusCode.UNAUTHENTICATED),
            (access.CheckAccessRequest(method="/a/B"), "admin", grpc.StatusCode.UNIMPLEMENTED),
            (
                access.CheckAccessRequest(scope=options_pb2.SCOPE_READ),
                "join",
                grpc.StatusCode.PERMISSION_DENIED,
            ),
            (
                access.CheckAccessRequest(method=GET_NODE, request=b"\xff"),
                "admin",
                grpc.StatusCode.INVALID_ARGUMENT,
            ),
        ],
    )
    async def test_it_fails_as_the_call_would(
        self,
        server: RunningServer,
        channel: grpc.aio.Channel,
        request_: access.CheckAccessRequest,
        kind: str,
        code: grpc.StatusCode,
    ) -> None:
        tokens = {"": "", "admin": server.admin_token, "join": server.join_token}
        ask = access_grpc.AccessServiceStub(channel).CheckAccess
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await ask(request_, metadata=server.authorization(tokens[kind]))
        assert caught.value.code() is code
