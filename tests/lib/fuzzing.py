"""Requests that nobody should make, and what every answer to them must be."""

from __future__ import annotations

import gzip
import json
import re
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import grpc
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from google.rpc import error_details_pb2, status_pb2
from hypothesis import strategies as st
from novasphere.api.v1 import options_pb2
from novasphere.gateway import ROUTES
from novasphere_gateway.model import Route

PROBLEM = {"type", "title", "status", "detail", "instance", "code", "request_id"}
ERRORS_OF_FACES = {
    options_pb2.FACE_CLUSTERS: {"error"},
    options_pb2.FACE_DEVICES: {"status", "error", "timestamp", "request_id"},
    options_pb2.FACE_NODES: {"success", "message", "error_code", "timestamp"},
    options_pb2.FACE_SCHEDULES: {"error", "timestamp"},
    options_pb2.FACE_WUKONGS: {"code", "message"},
}
OUR_FAULT = {grpc.StatusCode.UNKNOWN, grpc.StatusCode.INTERNAL, grpc.StatusCode.DATA_LOSS}
PATIENCE = 20.0


# -- REST


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes


def ask(port: int, request: bytes, *, is_whole: bool = True) -> Answer | None:
    """Sends bytes to the HTTP port. Returns what comes back: of a stream the head, None if nothing does.

    What is not whole is ended there: who takes it for the beginning of a request need not wait for more.
    """
    with socket.create_connection(("127.0.0.1", port), PATIENCE) as connection:
        received = b""
        try:
            connection.sendall(request)
            if not is_whole:
                connection.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # refused before it was whole: the answer is there all the same
        try:
            while b"\r\n\r\n" not in received or not _is_stream(received):
                data = connection.recv(65536)
                if not data:
                    break
                received += data
        except ConnectionResetError:
            pass
    head, _, body = received.partition(b"\r\n\r\n")
    if not head:
        return None
    status, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    if headers.get("content-encoding") == "gzip" and not _is_stream(received):
        body = gzip.decompress(body)
    assert re.match(r"HTTP/1\.[01] \d{3} ", status), status
    return Answer(int(status.split()[1]), headers, body)


def _is_stream(received: bytes) -> bool:
    return (
        re.search(rb"(?i)content-type: (text/event-stream|application/x-ndjson)", received) is not None
    )


def assert_is_no_fault_of_ours(answer: Answer | None, face: int | None = None) -> None:
    """An answer is a success, or an error in the shape of its face (None: of some face) or of RFC 9457."""
    assert answer is not None, "the connection was closed without a word"
    assert answer.status < 500, answer
    if answer.status < 400:
        return
    if answer.headers["content-type"] == "application/problem+json":
        problem = json.loads(answer.body)
        assert problem.keys() >= PROBLEM, answer
        assert problem["status"] == answer.status, answer
        return
    assert answer.headers["content-type"].partition(";")[0] == "application/json", answer
    allowed = ERRORS_OF_FACES.values() if face is None else [ERRORS_OF_FACES.get(face, PROBLEM)]
    keys = json.loads(answer.body).keys()
    assert any(keys == wanted for wanted in allowed), answer


@dataclass(frozen=True)
class Request:
    """A request in the making: printed as what is sent."""

    route: Route
    path: str
    query: list[tuple[str, str]]
    headers: list[tuple[str, str]]
    body: bytes = field(repr=False)

    def raw(self) -> bytes:
        query = "&".join(f"{quote(name)}={quote(value)}" for name, value in self.query)
        target = self.path + (f"?{query}" if query else "")
        head = [f"{self.route.http_method} {target} HTTP/1.1", "Host: x", "Connection: close"]
        head += [f"{name}: {value}" for name, value in self.headers]
        if self.body:
            head.append(f"Content-Length: {len(self.body)}")
        return "\r\n".join([*head, "", ""]).encode("latin-1") + self.body


_texts = st.text(max_size=20) | st.sampled_from(
    ["", "0", "-1", "1e999", "9" * 30, "true", "null", "*", "2020-01-01T00:00:00Z", "\0", "../..", "%00"]
)  # fmt: skip
HEADER_NAMES = (
    "If-Match", "If-None-Match", "Idempotency-Key", "Last-Event-ID", "Accept", "Accept-Encoding",
    "Accept-Language", "Content-Type", "Content-Encoding", "X-Request-Id", "X-API-Key", "Origin",
    "Range", "Expect", "Prefer", "X-Forwarded-For", "Upgrade", "Grpc-Timeout",
)  # fmt: skip
_header_values = st.text(
    st.characters(max_codepoint=255, exclude_characters="\r\n\0"), max_size=20
) | st.sampled_from(["*", "chunked", "gzip", "application/json", "text/event-stream", "W/\"1\", *", "q=;,", "100-continue"])  # fmt: skip


def _json(names: st.SearchStrategy[str]) -> st.SearchStrategy[Any]:
    leaves = st.none() | st.booleans() | st.integers() | st.floats() | _texts
    return st.recursive(
        leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=4), max_leaves=8
    )  # fmt: skip


@st.composite
def http_requests(draw: st.DrawFn, token: str, known: Sequence[str]) -> Request:
    """Requests to our routes, with anything in every place. They delete nothing that is known."""
    route = draw(st.sampled_from(ROUTES))
    ids = _texts if route.http_method == "DELETE" else _texts | st.sampled_from(known)
    segments = [quote(draw(ids), safe="") if s == "*" else s for s in route.segments]
    path = "/" + "/".join(segments) + (f":{route.verb}" if route.verb else "")
    fields = [f.json_name for f in route.request.DESCRIPTOR.fields]
    fields += [f.name for f in route.request.DESCRIPTOR.fields] or ["x"]
    names = st.sampled_from(fields) | _texts
    headers = draw(st.lists(st.tuples(st.sampled_from(HEADER_NAMES), _header_values), max_size=3))
    if draw(st.integers(0, 3)) == 0:
        headers.append(("Content-Type", draw(_header_values)))
    if draw(st.integers(0, 9)):
        headers.append(("Authorization", f"Bearer {token}"))
    is_json = draw(st.integers(0, 4))
    body = json.dumps(draw(_json(names))).encode() if is_json else draw(st.binary(max_size=40))
    return Request(
        route, path, draw(st.lists(st.tuples(names, _texts), max_size=3)), headers,
        body if route.http_method not in ("GET", "HEAD") or draw(st.booleans()) else b"",
    )  # fmt: skip


# -- gRPC

_SCALARS: dict[int, st.SearchStrategy[Any]] = {
    FieldDescriptor.CPPTYPE_BOOL: st.booleans(),
    FieldDescriptor.CPPTYPE_DOUBLE: st.floats(),
    FieldDescriptor.CPPTYPE_FLOAT: st.floats(width=32),
    FieldDescriptor.CPPTYPE_ENUM: st.integers(-1, 12),
    FieldDescriptor.CPPTYPE_INT32: st.integers(-(2**31), 2**31 - 1),
    FieldDescriptor.CPPTYPE_INT64: st.integers(-(2**63), 2**63 - 1),
    FieldDescriptor.CPPTYPE_UINT32: st.integers(0, 2**32 - 1),
    FieldDescriptor.CPPTYPE_UINT64: st.integers(0, 2**64 - 1),
}


def _value(one: FieldDescriptor, depth: int) -> st.SearchStrategy[Any]:
    if one.cpp_type == FieldDescriptor.CPPTYPE_MESSAGE:
        return messages(one.message_type, depth - 1)
    if one.cpp_type == FieldDescriptor.CPPTYPE_STRING:
        return st.binary(max_size=20) if one.type == FieldDescriptor.TYPE_BYTES else _texts
    return _SCALARS[one.cpp_type]


@st.composite
def messages(draw: st.DrawFn, descriptor: Descriptor, depth: int = 4) -> Message:
    """Well-formed messages with anything in their fields."""
    message = GetMessageClass(descriptor)()
    for one in descriptor.fields:
        is_message = one.cpp_type == FieldDescriptor.CPPTYPE_MESSAGE
        if draw(st.booleans()) or (is_message and depth == 0):
            continue
        if one.message_type is not None and one.message_type.GetOptions().map_entry:
            continue
        if one.is_repeated:
            values = draw(st.lists(_value(one, depth), max_size=3))
            getattr(message, one.name).extend(values)
        elif is_message:
            getattr(message, one.name).CopyFrom(draw(_value(one, depth)))
        else:
            setattr(message, one.name, draw(_value(one, depth)))
    return message


def assert_error_is_told_well(error: grpc.RpcError) -> None:
    """A status is none that says that we do not know ourselves, and carries its reason."""
    code, text = error.code(), error.details()
    assert code not in OUR_FAULT, (code, text)
    trailers = dict(error.trailing_metadata() or ())
    status = status_pb2.Status.FromString(trailers.get("grpc-status-details-bin", b""))
    info = error_details_pb2.ErrorInfo()
    assert any(detail.Unpack(info) for detail in status.details), (code, text)
    assert info.reason, (code, text)
