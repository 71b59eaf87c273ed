"""Nothing that a client sends makes the server fail: no 5xx, no INTERNAL, no traceback, and it serves on."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import grpc
import pytest
import requests as http
import schemathesis
from fuzzing import (
    HEADER_NAMES,
    PATIENCE,
    Request,
    ask,
    assert_error_is_told_well,
    assert_is_no_fault_of_ours,
    http_requests,
    messages,
)
from google.protobuf import descriptor_pool
from google.protobuf.descriptor import MethodDescriptor
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from novasphere.gateway import ROUTES
from novasphere.link.v1 import link_service_pb2 as link
from novasphere_server.rpc.services import NAMES
from processes import TOKEN, ControlPlane, control_plane
from schemathesis import GenerationMode

pytestmark = [pytest.mark.fault, pytest.mark.timeout(1800)]
LONG = os.environ.get("NOVASPHERE_FAULTS") == "long"
METHODS = [
    method for name in NAMES for method in descriptor_pool.Default().FindServiceByName(name).methods
]
METADATA = [("authorization", f"Bearer {TOKEN}")]
CONNECT = "/novasphere.link.v1.LinkService/Connect"


def examples(count: int) -> settings:
    return settings(
        max_examples=count * (20 if LONG else 1),
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )


@pytest.fixture
async def fuzzed(tmp_path: Path) -> AsyncIterator[ControlPlane]:
    """A server with an agent that runs nothing. Both must be well at the end."""
    async with control_plane(tmp_path) as plane:
        agent = await plane.add_agent("node-001", "--allow", "none")
        yield plane
        await plane.node_is("online")
        async with plane.client() as client:
            assert (await client.nodes.get("node-001")).node_id == "node-001"
        for process in (plane.server, agent):
            assert process.running is not None
            assert process.running.returncode is None
            assert "Traceback" not in process.output(), process.output()[-8000:]


async def run(check: Callable[[], None]) -> None:
    """Runs a test of Hypothesis beside this loop, which owns the processes."""
    await asyncio.to_thread(check)


async def test_what_the_openapi_document_allows_and_what_it_forbids(fuzzed: ControlPlane) -> None:
    def check() -> None:
        document = schemathesis.openapi.from_url(f"{fuzzed.url}/openapi.json")
        faces = {(route.http_method, route.path): route.face for route in ROUTES}
        for found in document.get_all_operations():
            operation = found.ok()
            face = faces.get((operation.method.upper(), operation.path), 0)
            for mode in GenerationMode:
                with contextlib.suppress(Unsatisfiable):  # of what takes nothing, nothing is forbidden
                    _operation_check(fuzzed, operation.as_strategy(generation_mode=mode), face)()

    await run(check)


def _operation_check(
    plane: ControlPlane, cases: st.SearchStrategy[schemathesis.Case], face: int
) -> Callable[[], None]:
    @examples(3)
    @given(case=cases)
    def check(case: schemathesis.Case) -> None:
        if case.method.upper() == "DELETE":
            case.query = {**(case.query or {}), "validate_only": "true"}
        for place, name in ((case.headers, "X-Novasphere-Min-Revision"), (case.query, "min_revision")):
            if place and str(place.get(name, "")).isdecimal():
                # One that nobody has come to is waited for, for longer than this test is patient.
                place[name] = "1"
        assert_is_no_fault_of_ours(ask(plane.http_port, _prepared(case, plane)), face)

    return check


def _prepared(case: schemathesis.Case, plane: ControlPlane) -> bytes:
    """Returns a case as it is on the wire, with our credential."""
    said = case.as_transport_kwargs(base_url=plane.url, headers={"Authorization": f"Bearer {TOKEN}"})
    request = http.Request(**said).prepare()
    body = request.body or b""
    head = [f"{request.method} {request.path_url} HTTP/1.1", "Host: x"]
    head += [f"{name}: {_text(value)}" for name, value in request.headers.items()]
    data = body.encode() if isinstance(body, str) else body
    return "\r\n".join([*head, "Connection: close", "", ""]).encode("latin-1", "replace") + data


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value


async def test_anything_in_every_place_of_a_request(fuzzed: ControlPlane) -> None:
    command = await fuzzed.rest(
        "POST", "/api/v1/nodes/node-001/commands", {"command_text": "not allowed there"}
    )
    key = await fuzzed.rest("POST", "/api/v1/keys", {"name": "k", "scopes": ["read"]}, status=None)
    ids = ["node-001", command["data"]["command_id"], key["key_id"]]

    @examples(400)
    @given(request=http_requests(TOKEN, ids))
    def check(request: Request) -> None:
        assert_is_no_fault_of_ours(ask(fuzzed.http_port, request.raw()))

    await run(check)


async def test_headers_that_are_no_utf8(fuzzed: ControlPlane) -> None:
    def check() -> None:
        for name in HEADER_NAMES:
            lines = [
                "POST /api/v1/keys HTTP/1.1",
                "Host: x",
                "Connection: close",
                f"Authorization: Bearer {TOKEN}",
            ]
            lines += ["Content-Length: 12", f"{name}: caf\xe9", "", '{"name":"k"}']
            assert_is_no_fault_of_ours(ask(fuzzed.http_port, "\r\n".join(lines).encode("latin-1")))

    await run(check)


async def test_bytes_that_are_hardly_http(fuzzed: ControlPlane) -> None:
    pieces = st.sampled_from(
        [b"GET ", b"POST ", b"/api/v1/nodes", b"?", b" HTTP/1.1", b"\r\n", b"\r\n\r\n", b"Host: x", b"\0", b":", b" ",
         b"Content-Length: ", b"Transfer-Encoding: chunked", b"7", b"-1", b"99999999999999999999", b"{}", b"%zz",
         b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"\xff\xfe", b"x" * 9000, b"Upgrade: websocket", b"Expect: 100-continue"]
    )  # fmt: skip

    @examples(150)
    @given(parts=st.lists(pieces | st.binary(max_size=8), min_size=1, max_size=12))
    def check(parts: list[bytes]) -> None:
        answer = ask(fuzzed.http_port, b"".join(parts), is_whole=False)
        if answer is not None:  # what is not even the beginning of a request has no answer
            assert_is_no_fault_of_ours(answer)

    await run(check)


def call(channel: grpc.Channel, method: MethodDescriptor, data: bytes) -> None:
    """Calls a method with bytes. Of a stream it waits for the first message, not long."""
    path = f"/{method.containing_service.full_name}/{method.name}"
    try:
        if not method.server_streaming:
            channel.unary_unary(path)(data, timeout=PATIENCE, metadata=METADATA)
            return
        stream = channel.unary_stream(path)(data, timeout=0.2, metadata=METADATA)
        next(stream, None)
        stream.cancel()
    except grpc.RpcError as error:
        if method.server_streaming and error.code() is grpc.StatusCode.DEADLINE_EXCEEDED:
            return
        assert_error_is_told_well(error)


@st.composite
def calls(draw: st.DrawFn) -> tuple[MethodDescriptor, bytes]:
    method = draw(st.sampled_from(METHODS))
    if draw(st.integers(0, 3)) == 0:
        return method, draw(st.binary(max_size=60))
    return method, draw(messages(method.input_type)).SerializeToString()


async def test_any_bytes_to_every_method(fuzzed: ControlPlane) -> None:
    with grpc.insecure_channel(fuzzed.address) as channel:

        @examples(400)
        @given(said=calls())
        def check(said: tuple[MethodDescriptor, bytes]) -> None:
            method, data = said
            if method.name == "DeleteNode" and b"node-001" in data:
                return  # the others need it
            call(channel, method, data)

        await run(check)


@st.composite
def conversations(draw: st.DrawFn) -> list[bytes]:
    """What an agent says: often a Hello first, then anything."""
    said: list[bytes] = []
    if draw(st.booleans()):
        hello = link.ConnectRequest(sequence=1, free_slots=draw(st.integers(0, 3)))
        hello.hello.CopyFrom(draw(messages(link.Hello.DESCRIPTOR)))
        hello.hello.node_id = draw(st.sampled_from(["fuzzed-1", "fuzzed-2", "node-001", ""]))
        hello.hello.protocol = draw(st.sampled_from([1, 1, 1, 2]))
        said.append(hello.SerializeToString())
    for _ in range(draw(st.integers(0, 5))):
        if draw(st.integers(0, 5)) == 0:
            said.append(draw(st.binary(max_size=30)))
            continue
        frame = draw(messages(link.ConnectRequest.DESCRIPTOR))
        if draw(st.booleans()):
            frame.sequence = len(said) + 1
            frame.acked_sequence = draw(st.integers(0, 2))
        said.append(frame.SerializeToString())
    return said


async def test_anything_on_an_agents_link(fuzzed: ControlPlane) -> None:
    with grpc.insecure_channel(fuzzed.address) as channel:

        @examples(200)
        @given(said=conversations())
        def check(said: list[bytes]) -> None:
            try:
                for _ in channel.stream_stream(CONNECT)(iter(said), timeout=PATIENCE, metadata=METADATA):
                    pass
            except grpc.RpcError as error:
                assert_error_is_told_well(error)

        await run(check)
