"""Stage two: what each HTTP binding means, with everything that cannot work refused by name."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from novasphere_gateway.codegen import schema
from novasphere_gateway.codegen.schema import GenerationError
from novasphere_gateway.model import ANY, REST, specificity

FACE_NATIVE = 6  # novasphere.api.v1.Face, for methods that name no face
ACTION = "action"  # the body's key that tells apart the RPCs of one path
# Also query parameters where the body is the whole request: every mutation takes `?validate_only=true`, and
# every update `?update_mask=name`.
ALWAYS_IN_QUERY = frozenset({"validate_only", "update_mask"})

_TEXT_MESSAGES = {
    schema.TIMESTAMP: "timestamp",
    schema.DURATION: "duration",
    schema.FIELD_MASK: "field_mask",
}
_VARIABLE = re.compile(r"\{([^{}=]+)(?:=([^{}]+))?\}")
_DEPTH = 4  # how far query parameters reach into nested messages


@dataclass(frozen=True, slots=True)
class Parameter:
    """A field that is read from text."""

    name: str
    aliases: tuple[str, ...]
    path: str
    kind: str
    field: schema.Field


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable of the path and the segments that it covers."""

    parameter: Parameter
    start: int
    end: int | None


@dataclass(frozen=True, slots=True)
class Template:
    segments: tuple[str, ...]
    verb: str
    variables: tuple[tuple[str, int, int | None], ...]
    """Field path, first segment, one past the last."""


@dataclass(frozen=True, slots=True)
class Route:
    """One binding of one method, resolved."""

    http_method: str
    path: str
    template: Template
    service: schema.Service
    method: schema.Method
    request: schema.Message
    response: schema.Message
    has_body: bool
    body_field: schema.Field | None
    bound: tuple[str, ...]
    """Names that the body must not carry, for the path already says them."""
    variables: tuple[Variable, ...]
    query: tuple[Parameter, ...]
    headers: tuple[Parameter, ...]
    response_field: schema.Field | None
    rows: schema.Message
    """For server streams, the message that one row is; otherwise the response."""
    resume: Parameter | None
    is_versioned: bool
    """Answers a resource with a revision: it has an ETag, and may answer 304."""
    is_additional: bool

    @property
    def is_duplex(self) -> bool:
        """Streams both ways: a WebSocket, whose frames are requests and responses."""
        return self.method.client_streaming

    @property
    def face(self) -> int:
        return self.method.face or FACE_NATIVE

    @property
    def grpc_path(self) -> str:
        return f"/{self.service.full_name}/{self.method.name}"

    @property
    def order(self) -> tuple[object, ...]:
        """Sorts like novasphere_gateway.model.ordered."""
        return (
            *specificity(self.template.segments, self.template.verb),
            self.http_method,
            self.method.action,
        )


def text_kind(field: schema.Field) -> str:
    """Returns the kind of a field that can be read from text; empty: it cannot."""
    if field.is_map or field.json_text:
        return ""
    return _TEXT_MESSAGES.get(field.type_name, "") if field.kind == "message" else field.kind


def parse_template(path: str) -> Template:
    """Parses a google.api.http path: literals, {field}, {field=**}, {field=shelves/*} and a verb."""
    colon = path.rfind(":")
    has_verb = colon > max(path.rfind("/"), path.rfind("}"))
    body, verb = (path[:colon], path[colon + 1 :]) if has_verb else (path, "")
    if not body.startswith("/") or (has_verb and not verb):
        raise GenerationError(f'path "{path}" must begin with "/" and must not end with ":"')
    segments: list[str] = []
    variables: list[tuple[str, int, int | None]] = []
    position = 1
    while position < len(body):
        match = _VARIABLE.match(body, position)
        if match is None:
            end = body.find("/", position)
            literal = body[position : end if end >= 0 else len(body)]
            if not literal or set(literal) & set("{}:"):
                raise GenerationError(f'path "{path}" has a segment that cannot be read: "{literal}"')
            segments.append(literal)
        else:
            start = len(segments)
            segments += (match[2] or ANY).split("/")
            variables.append((match[1].strip(), start, None if REST in segments else len(segments)))
            literal = match[0]
        position += len(literal)
        if position < len(body):
            if body[position] != "/":
                raise GenerationError(f'path "{path}": a variable must fill its segment')
            position += 1
    if REST in segments[:-1]:
        raise GenerationError(f'path "{path}": ** may only stand at the end')
    return Template(tuple(segments), verb, tuple(variables))


def resolve(protos: schema.Schema) -> tuple[Route, ...]:
    """Returns every route in the order in which a router must try them. Raises GenerationError."""
    routes = sorted(_routes(protos), key=lambda r: r.order)
    seen: dict[tuple[object, ...], Route] = {}
    for route in routes:
        other = seen.setdefault(route.order, route)
        if other is not route:
            raise GenerationError(
                f"{route.method.full_name} and {other.method.full_name} both answer "
                f"{route.http_method} {route.path}: give them different paths or different actions"
            )
    return tuple(routes)


def _routes(protos: schema.Schema) -> Iterator[Route]:
    for file in protos.files:
        for service in file.services:
            for method in service.methods:
                for index, binding in enumerate(method.bindings):
                    yield _Resolver(protos.messages, method, binding).route(service, index > 0)


class _Resolver:
    """Resolves one binding; its errors name the method."""

    def __init__(
        self,
        messages: Mapping[str, schema.Message],
        method: schema.Method,
        binding: schema.HttpBinding,
    ) -> None:
        self._messages = messages
        self._method = method
        self._binding = binding
        self._request = messages[method.request]
        self._response = messages[method.response]

    def route(self, service: schema.Service, is_additional: bool) -> Route:
        method, binding = self._method, self._binding
        if method.client_streaming:
            self._check_duplex()
        template = parse_template(binding.path)
        variables = tuple(
            Variable(self._parameter(path, path), start, end) for path, start, end in template.variables
        )
        if binding.body and binding.http_method in {"GET", "HEAD"}:
            raise self._error(f"a {binding.http_method} cannot take a body")
        if method.action and binding.body != "*":
            raise self._error('an action is read from the body, which must be "*"')
        bound_fields = {v.parameter.path for v in variables}
        body_field = None
        if binding.body not in {"", "*"}:
            body_field = self._named(self._request, binding.body, "body")
            if body_field.kind != "message" or body_field.is_repeated or text_kind(body_field):
                raise self._error(f'body "{binding.body}" must be a single message field or "*"')
        response_field = None
        if binding.response_body:
            response_field = self._named(self._response, binding.response_body, "response_body")
        taken = bound_fields | ({binding.body} if body_field else set())
        return Route(
            http_method=binding.http_method,
            path=binding.path,
            template=template,
            service=service,
            method=method,
            request=self._request,
            response=self._response,
            has_body=bool(binding.body),
            body_field=body_field,
            bound=tuple(n for f in self._request.visible if f.name in bound_fields for n in f.names)
            if binding.body == "*" or method.client_streaming
            else (),
            variables=variables,
            query=tuple(
                p
                for p in self._query(self._request, "", "", taken, _DEPTH)
                if not method.client_streaming and (binding.body != "*" or p.path in ALWAYS_IN_QUERY)
            ),
            headers=() if method.client_streaming else tuple(self._headers()),
            response_field=response_field,
            rows=self._rows(),
            resume=self._resume(),
            is_versioned=self._is_versioned(response_field),
            is_additional=is_additional,
        )

    def _check_duplex(self) -> None:
        """Refuses what a WebSocket cannot be."""
        method, binding = self._method, self._binding
        if not method.server_streaming:
            raise self._error(
                "takes a stream and answers once, which no HTTP route can carry: remove google.api.http"
            )
        if binding.http_method != "GET" or binding.body or binding.response_body:
            raise self._error(
                "streams both ways: its route is a GET with neither body nor response_body"
            )
        if method.stream != schema.Stream():
            raise self._error(
                "streams both ways: each frame is a whole message, remove the stream rules"
            )

    def _error(self, text: str) -> GenerationError:
        return GenerationError(f"{self._method.full_name}: {text}")

    def _named(self, message: schema.Message, name: str, what: str) -> schema.Field:
        field = message.field(name)
        if field is None:
            raise self._error(f'{what}: {message.full_name} has no field "{name}"')
        return field

    def _parameter(self, path: str, name: str) -> Parameter:
        message, (*parents, last) = self._request, path.split(".")
        for parent in parents:
            field = self._named(message, parent, "path")
            inner = self._messages.get(field.type_name) if field.kind == "message" else None
            if inner is None or field.is_repeated:
                raise self._error(f'path: "{parent}" holds no fields')
            message = inner
        field = self._named(message, last, "path")
        kind = text_kind(field)
        if not kind or field.is_repeated:
            raise self._error(f'path: "{path}" cannot be read from text')
        return Parameter(name, (), path, kind, field)

    def _query(
        self, message: schema.Message, path: str, name: str, taken: set[str], depth: int
    ) -> Iterator[Parameter]:
        for field in message.visible:
            inner_path = f"{path}{field.name}"
            if inner_path in taken:
                continue
            kind = text_kind(field)
            if kind:
                key, *aliases = (f"{name}{n}" for n in field.names)
                yield Parameter(key, tuple(aliases), inner_path, kind, field)
            elif field.kind == "message" and not field.is_repeated and depth and not field.json_text:
                inner = self._messages[field.type_name]
                if inner.full_name not in schema.WELL_KNOWN:
                    yield from self._query(
                        inner, f"{inner_path}.", f"{name}{field.key}.", taken, depth - 1
                    )

    def _headers(self) -> Iterator[Parameter]:
        for field in self._request.fields:
            if field.header:
                kind = text_kind(field)
                if not kind or field.is_repeated:
                    raise self._error(f'header: "{field.name}" cannot be read from a header')
                yield Parameter(field.header.lower(), (), field.name, kind, field)

    def _rows(self) -> schema.Message:
        stream, row = self._method.stream, self._response
        if not self._method.server_streaming:
            if stream != schema.Stream():
                raise self._error("has stream rules but does not stream")
            return row
        if stream.rows:
            field = self._named(row, stream.rows, "stream.rows")
            if not field.is_repeated or field.is_map or field.kind != "message":
                raise self._error(f'stream.rows: "{field.name}" is no list of messages')
            row = self._messages[field.type_name]
        for name, what in ((stream.id, "stream.id"), (stream.event, "stream.event")):
            if name and (
                self._named(row, name, what).kind == "message"
                or self._named(row, name, what).is_repeated
            ):
                raise self._error(f'{what}: "{name}" is no plain value')
        if stream.raw and self._named(row, stream.raw, "stream.raw").kind != "bytes":
            raise self._error(f'stream.raw: "{stream.raw}" holds no bytes')
        return row

    def _is_versioned(self, response_field: schema.Field | None) -> bool:
        if self._binding.http_method != "GET" or self._method.server_streaming:
            return False
        fields = [response_field] if response_field else self._response.visible
        # Beside plain values and lists a resource is not what was asked for: an explanation shows its subject.
        if any(f.kind != "message" or f.is_repeated for f in fields):
            return False
        return any(self._messages[f.type_name].field("revision") is not None for f in fields)

    def _resume(self) -> Parameter | None:
        name = self._method.stream.resume
        return self._parameter(name, "Last-Event-ID") if name else None


def shared_folder(names: Sequence[str]) -> str:
    """Returns the first folder that all files have in common; empty: they have none."""
    tops = {name.partition("/")[0] if "/" in name else "" for name in names}
    return tops.pop() if len(tops) == 1 else ""
