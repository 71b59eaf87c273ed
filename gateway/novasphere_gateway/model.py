"""What generated gateway code is made of: routes, parameters, stream rules and error rules.

Generated modules import only this module, `codec` and the message modules. The runtime reads these
objects; it never looks at descriptors.

How one request becomes a message, in this order, so that what comes later wins:

    message = route.decode_body(value, "") if route.decode_body else route.request()
    for each query key: route.query[key].bind(message, values, key)  # or codec.unknown_parameters
    for parameter in route.headers: parameter.bind(message, [value])  # where that header was sent
    for parameter in route.path_params: parameter.bind(message, segments)
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from google.protobuf.message import Message

ANY = "*"  # a segment of a path that matches any one segment
REST = "**"  # a last segment that matches all that is left, also nothing


class Violation(NamedTuple):
    """One value that cannot be bound: its path as the client wrote it, and what to do about it."""

    field: str
    description: str


class BindError(Exception):
    """A request that cannot be turned into its message.

    `reason` is an error reason of the API: INVALID_ARGUMENT, UNKNOWN_FIELD, INVALID_TIME_FORMAT or
    MALFORMED_BODY. The text is for people and names every violation.
    """

    def __init__(self, reason: str, violations: Sequence[Violation], message: str = "") -> None:
        super().__init__(message or "; ".join(f"{v.field}: {v.description}" for v in violations))
        self.reason = reason
        self.violations = tuple(violations)


@dataclass(frozen=True, slots=True)
class Param:
    """A field of the request that is read from text: a query parameter, a header or a path variable."""

    name: str
    """The query key, the header's name in lower case, or the variable's name in the template."""
    aliases: tuple[str, ...]
    """Other query keys that mean the same: the field's own name, where `name` is its JSON key, first."""
    field: str
    """The field of the request message; dots lead into nested messages."""
    kind: str
    """string, int32, int64, uint32, uint64, float, double, bool, enum, timestamp, duration,
    field_mask or bytes."""
    repeated: bool
    """The field is a list: each value of the key adds one element."""
    parse: Callable[[str, str], Any]
    """`parse(text, name)` returns one value. Raises BindError."""
    parents: tuple[str, ...] = dataclasses.field(init=False)
    """The messages on the way to the field, outermost first."""
    last: str = dataclasses.field(init=False)
    """The field in the innermost of them."""

    def __post_init__(self) -> None:
        *parents, last = self.field.split(".")
        object.__setattr__(self, "parents", tuple(parents))
        object.__setattr__(self, "last", last)

    def bind(self, message: Message, texts: Sequence[str], name: str = "") -> None:
        """Sets the field from the values that came under one key.

        `name` is the key as the client wrote it, where that is an alias. Raises BindError, also when a
        field that is no list got several values.
        """
        name = name or self.name
        last = self.last
        target: Any = message
        for parent in self.parents:
            target = getattr(target, parent)
        if self.repeated:
            elements = getattr(target, last)
            del elements[:]
            elements.extend([self.parse(text, name) for text in texts])
            return
        if len(texts) != 1:
            raise BindError("INVALID_ARGUMENT", [Violation(name, "must be given once")])
        value = self.parse(texts[0], name)
        if isinstance(value, Message):
            getattr(target, last).CopyFrom(value)
        else:
            setattr(target, last, value)


@dataclass(frozen=True, slots=True)
class PathParam:
    """A variable of a path template and the segments that it covers."""

    param: Param
    start: int
    """The first segment that it covers, counted from 0."""
    end: int | None
    """One past the last; None: up to the end of the path."""

    def bind(self, message: Message, segments: Sequence[str]) -> None:
        """Sets the field from the path's segments, which are percent-decoded and free of the verb."""
        self.param.bind(message, ["/".join(segments[self.start : self.end])])


@dataclass(frozen=True, slots=True)
class FieldEncoder:
    """How one message field of a response is rendered on its own."""

    key: str
    """Its key in the response's JSON object."""
    repeated: bool
    dump: Callable[[Any], bytes]
    """Turns one element into JSON bytes. The same function wherever the element's type appears, so that
    what is remembered under it is shared by every route."""


@dataclass(frozen=True, slots=True)
class StreamRules:
    """How the messages of a server stream become rows. Functions take one row, a message."""

    rows: str
    """The repeated field of the response whose elements are the rows; empty: each message is one row."""
    id: str
    """The row's field that becomes the SSE `id:`; empty: none."""
    event: str
    """The row's field that becomes the SSE `event:`; empty: none."""
    raw: str
    """The row's bytes field that is sent alone to those who accept plain bytes; empty: none."""
    resume: str
    """The request's field that Last-Event-ID is bound to; empty: none."""
    id_of: Callable[[Any], str] | None
    """The text of `id:`. Empty text: the row has none."""
    event_of: Callable[[Any], str] | None
    """The text of `event:`, spelled as in JSON. Empty text: the row has none."""
    raw_of: Callable[[Any], bytes] | None
    """The bytes of `raw`."""
    dump: Callable[[Any], bytes]
    """One row as JSON bytes, without a line break. The FieldEncoder's function where `rows` is set."""
    resume_param: Param | None
    """Binds Last-Event-ID to the request: `resume_param.bind(message, [last_event_id])`."""


@dataclass(frozen=True, slots=True)
class Route:
    """One HTTP method and path that reaches one RPC."""

    http_method: str
    path: str
    """The template as the proto says it: "/api/v1/commands/{command_id}:cancel"."""
    segments: tuple[str, ...]
    """The template between slashes, variables replaced by ANY or REST, the verb cut off."""
    verb: str
    """What follows the last ":" of the path, "cancel"; empty: none."""
    service: str
    """The full name of the service: "novasphere.node.v1.CommandService"."""
    method: str
    """The gRPC path: "/novasphere.node.v1.CommandService/CancelCommand"."""
    request: type[Message]
    response: type[Message]
    decode_body: Callable[[Any, str], Message] | None
    """`decode_body(value, "")` turns the parsed JSON body, or one frame of a WebSocket, into the whole
    request message, or raises BindError. None: the route takes no body. An empty body counts as {}. Fields bound by the path are
    refused, and the `action` key of a route that is chosen by it is skipped."""
    body_field: str
    """The request's field that the body is; empty: the body is the request itself, or there is none."""
    path_params: tuple[PathParam, ...]
    query_params: tuple[Param, ...]
    headers: tuple[Param, ...]
    """Request headers that are bound to fields. The message gets the header's value word for word."""
    response_body: str
    """The response's field that is the body; empty: the whole response."""
    encode: Callable[[Any], Any]
    """Turns the response message into the body or the envelope's data, ready for orjson.dumps.
    `response_body` is applied: a value of its own, None where that field is unset."""
    encode_field: Mapping[str, FieldEncoder]
    """For every message field of the response, by field name: renders one element of it."""
    is_empty: bool
    """The response has no fields: envelopes leave `data` out."""
    face: int
    """novasphere.api.v1.Face."""
    success_status: int
    scope: int
    """novasphere.api.v1.Scope that a credential must hold; 0: any valid credential."""
    or_scope: int
    """A scope that serves in its place; 0: none."""
    is_public: bool
    """Needs no credential."""
    message: str
    """What the face says beside the data of a success; empty: nothing of its own."""
    message_en: str
    action: str
    """Where several RPCs share a POST path: the value of the body's `action` that selects this one."""
    rate_class: int
    """novasphere.api.v1.RateClass, never unspecified."""
    is_stream: bool
    is_duplex: bool
    """Streams both ways: a WebSocket. Then `is_stream` is set too."""
    stream: StreamRules | None
    """Set for every server stream."""
    mask: Mapping[str, str] = field(default_factory=dict)
    """Of a request with an `update_mask`: the path in it that each key of the body stands for, "a.b" being the key
    b of the object a. A body that comes without a mask changes what it names."""
    query: Mapping[str, Param] = field(init=False)
    """The query parameters by each name that they go by, aliases included."""

    def __post_init__(self) -> None:
        names = {name: p for p in self.query_params for name in (p.name, *p.aliases)}
        object.__setattr__(self, "query", names)

    @property
    def label(self) -> str:
        """The route's name in logs and metrics: "GET /api/v1/nodes/{node_id}"."""
        return f"{self.http_method} {self.path}"


@dataclass(frozen=True, slots=True)
class FaceError:
    """How one face says an error."""

    code: str
    http_status: int


@dataclass(frozen=True, slots=True)
class ErrorRule:
    """What a client needs to know of an error reason."""

    reason: str
    """The reason as google.rpc.ErrorInfo carries it: NODE_NOT_FOUND."""
    grpc_code: int
    """google.rpc.Code."""
    http_status: int
    meaning: str
    """What happened, in one sentence for people."""
    retriable: bool
    faces: Mapping[int, FaceError] = field(default_factory=dict)
    """Faces that say it in their own way, complete: `code` and `http_status` are filled in."""
    meaning_zh: str = ""
    """The same sentence in Chinese."""

    def for_face(self, face: int) -> FaceError:
        """Returns the code and HTTP status that the face prints."""
        return self.faces.get(face) or FaceError(self.reason, self.http_status)


def specificity(segments: Sequence[str], verb: str) -> tuple[object, ...]:
    """Returns a key that sorts literals before variables, segment by segment, and verbs before none."""
    ranks = tuple((2, "") if s == REST else (1, "") if s == ANY else (0, s) for s in segments)
    return (ranks, not verb, verb)


def ordered(*tables: Sequence[Route]) -> tuple[Route, ...]:
    """Returns the routes of all tables in the order in which a router must try them."""
    routes = [route for table in tables for route in table]
    return tuple(
        sorted(routes, key=lambda r: (*specificity(r.segments, r.verb), r.http_method, r.action))
    )
