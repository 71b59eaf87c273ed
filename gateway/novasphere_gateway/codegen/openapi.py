"""Emits the OpenAPI 3.1 document: every route with its parameters, bodies, answers and errors."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence

from novasphere_gateway.codegen import errors, faces, resolver, schema
from novasphere_gateway.codegen.faces import Json
from novasphere_gateway.model import ANY, REST

_SCOPE = "novasphere.api.v1.Scope"
_DESCRIPTION = (
    "Generated from the protos that also define the gRPC API. Unknown fields and parameters are "
    "refused. Every response carries X-Request-Id. Times are printed in UTC, in whole seconds; any "
    "RFC 3339 offset is read."
)
# The media type of protobuf's form, by the name that the runtime answers with.
_PROTO = "application/proto"
_MIN_REVISION = (
    "Answers from this revision on: waits for it where the server has not reached it yet. "
    "Answers say theirs in X-Novasphere-Revision."
)
_WHOLE_NUMBER: Json = {"type": "string", "pattern": r"^\d{1,18}$"}
# Headers of answers, by component.
_HEADERS: Json = {
    "ETag": {
        "description": "The version of the resource that is answered.",
        "schema": {"type": "string"},
    },
    "IdempotencyReplayed": {
        "description": "The answer is that of an earlier request with the same Idempotency-Key.",
        "schema": {"const": "true"},
    },
    "RequestId": {
        "description": "Names the request in the server's log.",
        "schema": {"type": "string"},
    },
    "Revision": {
        "description": "The last revision that the answer may hold.",
        "schema": _WHOLE_NUMBER,
    },
    "ValidateOnly": {
        "description": "The request was only checked.",
        "schema": {"const": "true"},
    },
}
_SCALARS: dict[str, Json] = {
    "string": {"type": "string"},
    "bool": {"type": "boolean"},
    "bytes": {"type": "string", "contentEncoding": "base64"},
    "int32": {"type": "integer", "format": "int32"},
    "int64": {"type": "integer", "format": "int64"},
    "uint32": {"type": "integer", "format": "int64", "minimum": 0, "maximum": 2**32 - 1},
    "uint64": {"type": "integer", "minimum": 0},
    "float": {"type": "number", "format": "float"},
    "double": {"type": "number", "format": "double"},
    "timestamp": {"type": "string", "format": "date-time"},
    "duration": {"type": "string", "pattern": r"^-?\d+(\.\d+)?s$"},
    "field_mask": {"type": "string"},
}
_MESSAGES: dict[str, Json] = {
    schema.TIMESTAMP: _SCALARS["timestamp"],
    schema.DURATION: _SCALARS["duration"],
    schema.FIELD_MASK: {"oneOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]},
    schema.EMPTY: {"type": "object", "maxProperties": 0},
    "google.protobuf.Struct": {"type": "object"},
    "google.protobuf.ListValue": {"type": "array"},
    "google.protobuf.Value": {},
    "google.protobuf.DoubleValue": {"type": ["number", "null"]},
    "google.protobuf.FloatValue": {"type": ["number", "null"]},
    # protobuf prints 64-bit numbers as strings here.
    "google.protobuf.Int64Value": {"type": ["string", "null"]},
    "google.protobuf.UInt64Value": {"type": ["string", "null"]},
    "google.protobuf.Int32Value": {"type": ["integer", "null"]},
    "google.protobuf.UInt32Value": {"type": ["integer", "null"]},
    "google.protobuf.BoolValue": {"type": ["boolean", "null"]},
    "google.protobuf.StringValue": {"type": ["string", "null"]},
    "google.protobuf.BytesValue": {"type": ["string", "null"]},
}


def emit(protos: schema.Schema, routes: Sequence[resolver.Route], *, title: str, version: str) -> str:
    """Returns the document as text. The same protos give the same text on every machine."""
    document = _Document(protos).build(routes, title, version)
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"


def path_of(route: resolver.Route) -> str:
    """Returns the path with one plain variable for each segment that varies."""
    segments = list(route.template.segments)
    for variable in route.variables:
        end = len(segments) if variable.end is None else variable.end
        varying = [i for i in range(variable.start, end) if segments[i] in {ANY, REST}]
        for position, index in enumerate(varying):
            segments[index] = "{" + _variable_name(variable, position, len(varying)) + "}"
    path = "/" + "/".join(segments)
    return f"{path}:{route.template.verb}" if route.template.verb else path


def _variable_name(variable: resolver.Variable, position: int, count: int) -> str:
    name = variable.parameter.name
    return name if count == 1 else f"{name}_{position + 1}"


class _Document:
    def __init__(self, protos: schema.Schema) -> None:
        self._protos = protos
        self._schemas: dict[str, Json] = {}
        self._responses: dict[str, Json] = {}
        self._operation_ids: set[str] = set()
        scopes = protos.enums.get(_SCOPE)
        self._scopes = {v.number: v.spelling for v in scopes.values} if scopes else {}

    def build(self, routes: Sequence[resolver.Route], title: str, version: str) -> Json:
        paths: dict[str, Json] = {}
        by_operation: dict[tuple[str, str], list[resolver.Route]] = {}
        for route in routes:
            by_operation.setdefault((path_of(route), route.http_method.lower()), []).append(route)
        for (path, http_method), choices in by_operation.items():
            paths.setdefault(path, {})[http_method] = self._operation(choices)
        services = {r.service.full_name: r.service for r in routes}
        return {
            "openapi": "3.1.0",
            "info": {"title": title, "version": version, "description": _DESCRIPTION},
            "security": [{"bearer": []}, {"apiKey": []}],
            "tags": [
                {"name": _tag(services[name]), "description": services[name].comment}
                for name in sorted(services)
            ],
            "paths": paths,
            "components": {
                "schemas": dict(sorted(self._schemas.items())),
                "responses": dict(sorted(self._responses.items())),
                "headers": _HEADERS,
                "parameters": {
                    "MinRevision": {
                        "name": "X-Novasphere-Min-Revision",
                        "in": "header",
                        "description": _MIN_REVISION,
                        "schema": _WHOLE_NUMBER,
                    },
                    "MinRevisionInQuery": {
                        "name": "min_revision",
                        "in": "query",
                        "description": _MIN_REVISION,
                        "schema": _WHOLE_NUMBER,
                    },
                    "IfNoneMatch": {
                        "name": "If-None-Match",
                        "in": "header",
                        "description": "ETags that the client has: 304 says that one of them still holds.",
                        "schema": {"type": "string"},
                    },
                },
                "securitySchemes": {
                    "bearer": {"type": "http", "scheme": "bearer"},
                    "apiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
                },
            },
        }

    # Operations.

    def _operation(self, choices: Sequence[resolver.Route]) -> Json:
        """Returns the operation that one route answers, or several told apart by the body's action."""
        first = choices[0]
        summary, _, rest = first.method.comment.partition(". ")
        operation: Json = {
            "operationId": self._operation_id(first),
            "tags": [_tag(first.service)],
            "summary": summary.rstrip("."),
        }
        if len(choices) > 1:
            operation["summary"] = "One of several actions"
            operation["description"] = "\n\n".join(
                f"**{r.method.action}**: {r.method.comment}" for r in choices
            )
        elif rest:
            operation["description"] = first.method.comment
        parameters = {(p["in"], p["name"]): p for r in choices for p in self._parameters(r)}
        listed = [*parameters.values(), *_shared_parameters(choices, parameters.keys())]
        if listed:
            operation["parameters"] = listed
        bodies = [self._body(r) for r in choices if r.has_body]
        if bodies:
            operation["requestBody"] = bodies[0] if len(bodies) == 1 else _any_of(bodies)
        operation["responses"] = self._all_responses(choices)
        scope = " or ".join(
            self._scopes.get(s, str(s)) for s in (first.method.scope, first.method.or_scope) if s
        )
        if first.method.is_public:
            operation["security"] = []
        elif scope:
            operation["x-required-scope"] = scope
        operation["x-grpc-method"] = first.grpc_path
        return operation

    def _operation_id(self, route: resolver.Route) -> str:
        base = candidate = f"{route.service.name}_{route.method.name}"
        number = 1
        while candidate in self._operation_ids:
            number += 1
            candidate = f"{base}_{number}"
        self._operation_ids.add(candidate)
        return candidate

    def _parameters(self, route: resolver.Route) -> Iterable[Json]:
        for variable in route.variables:
            end = len(route.template.segments) if variable.end is None else variable.end
            varying = [s for s in route.template.segments[variable.start : end] if s in {ANY, REST}]
            for position in range(len(varying)):
                yield self._parameter(
                    variable.parameter, "path", _variable_name(variable, position, len(varying))
                )
        for parameter in route.query:
            yield self._parameter(parameter, "query", parameter.name)
        for parameter in route.headers:
            yield self._parameter(parameter, "header", parameter.field.header)
        if route.resume is not None:
            yield {
                "name": "Last-Event-ID",
                "in": "header",
                "description": f"Resumes the stream: sets `{route.resume.field.key}`.",
                "schema": self._ruled(route.resume.field),
            }

    def _parameter(self, parameter: resolver.Parameter, place: str, name: str) -> Json:
        field = parameter.field
        # Lists of names are for bodies.
        element = _SCALARS["field_mask"] if parameter.kind == "field_mask" else self._ruled(field)
        described: Json = {"name": name, "in": place, "description": field.comment}
        if place == "query" and parameter.aliases:
            others = ", ".join(f"`{a}`" for a in parameter.aliases)
            described["description"] += f" Also called {others}."
        if place == "path" or (place == "query" and field.rules.required):
            described["required"] = True
        described["schema"] = {"type": "array", "items": element} if field.is_repeated else element
        return described

    def _body(self, route: resolver.Route) -> Json:
        if route.body_field is not None:
            body = self._reference(self._protos.messages[route.body_field.type_name])
        else:
            body = self._object(route.request, without=frozenset(route.bound), is_strict=True)
            if route.method.action and resolver.ACTION not in body["properties"]:
                body["properties"] = {
                    resolver.ACTION: {"const": route.method.action},
                    **body["properties"],
                }
                body["required"] = [resolver.ACTION, *body.get("required", [])]
        content: Json = {"schema": body}
        if route.method.example_request:
            content["example"] = _example(route, route.method.example_request)
        is_required = bool(body.get("required")) or route.body_field is not None
        bodies = {"application/json": content}
        if not route.method.action:
            bodies[_PROTO] = _proto(
                route.body_field.type_name if route.body_field else route.request.full_name
            )
        return {"required": is_required, "content": bodies}

    def _all_responses(self, choices: Sequence[resolver.Route]) -> Json:
        responses: dict[str, list[Json]] = {}
        for route in choices:
            responses.setdefault(str(route.method.success_status), []).append(self._success(route))
        first = choices[0]
        if choices[0].is_duplex:
            responses = {"101": [self._socket(choices[0])]}
        result: Json = {
            status: found[0] if len(found) == 1 else found[0] | _any_of(found)
            for status, found in responses.items()
        }
        if first.is_versioned:
            result["304"] = {
                "description": "The client has this version already.",
                "headers": _headers("RequestId", "ETag", "Revision"),
            }
        reference = {"$ref": f"#/components/responses/{self._error_response(first.face)}"}
        statuses = ["400"] if first.method.is_public else ["400", "401", "403"]
        return result | dict.fromkeys([*statuses, "default"], reference)

    def _success(self, route: resolver.Route) -> Json:
        response: Json = {
            "description": self._protos.messages[route.method.response].comment or "Success.",
            "headers": _headers(*_told(route)),
        }
        if route.method.success_status != 204:
            response["content"] = (
                self._stream(route) if route.method.server_streaming else self._answer(route)
            )
        return response

    def _socket(self, route: resolver.Route) -> Json:
        """Returns the answer of a WebSocket, and what its frames are."""
        sent = self._object(route.request, without=frozenset(route.bound), is_strict=True)
        return {
            "description": "A WebSocket. Each text frame is one message as JSON; with the subprotocol "
            "`proto`, each binary frame is one in protobuf's form.",
            "headers": _headers("RequestId"),
            "x-websocket": {"sent": sent, "received": self._reference(route.response)},
        }

    def _answer(self, route: resolver.Route) -> Json:
        data: Json | None = None
        if route.response_field is not None:
            data = self._field(route.response_field)
        elif route.response.visible:
            data = self._reference(route.response)
        content: Json = {"schema": faces.FACES[route.face].wrap(data)}
        if route.method.example_response and not route.is_additional:
            content["example"] = _example(route, route.method.example_response)
        return {"application/json": content, _PROTO: _proto(route.response.full_name)}

    def _stream(self, route: resolver.Route) -> Json:
        row = self._reference(route.rows)
        rules = route.method.stream
        parts = [
            f"`{part}:` is the row's `{name}`"
            for part, name in (("id", rules.id), ("event", rules.event))
            if name
        ]
        told = f" {', '.join(parts)}." if parts else ""
        content: Json = {
            "text/event-stream": {
                "schema": {
                    "type": "string",
                    "description": f"Server-sent events: `data:` is one row as JSON.{told} "
                    "A stream that fails ends with an event ERROR.",
                    "contentMediaType": "application/json",
                    "contentSchema": row,
                }
            },
            "application/x-ndjson": {"schema": row},
        }
        if rules.raw:
            raw = {
                "schema": {"type": "string", "description": f"The rows' `{rules.raw}`, byte for byte."}
            }
            content |= {"text/plain": raw, "application/octet-stream": raw}
        return content

    # Errors.

    def _error_response(self, face: int) -> str:
        described = faces.FACES[face]
        name = f"{described.name}Error"
        if name not in self._responses:
            codes: dict[str, list[str]] = {}
            for value in errors.reasons(self._protos):
                assert value.error is not None  # noqa: S101 - `reasons` returns no other
                said = next(
                    (f.code for f in value.error.faces if f.face == face and f.code), value.short_name
                )
                codes.setdefault(said, []).append(
                    f"{errors.status(value.error, face)}: {value.error.meaning}"
                )
            self._schemas[f"{name}Code"] = {
                "type": "string",
                "description": "\n".join(f"- `{c}` {' / '.join(m)}" for c, m in sorted(codes.items())),
                "examples": sorted(codes)[:1],
            }
            code = {"$ref": f"#/components/schemas/{name}Code"}
            self._schemas[name] = described.error(code)
            self._responses[name] = {
                "description": "The request failed.",
                "headers": _headers("RequestId"),
                "content": {
                    described.error_media_type: {"schema": {"$ref": f"#/components/schemas/{name}"}},
                    _PROTO: _proto("google.rpc.Status"),
                },
            }
        return name

    # Schemas.

    def _reference(self, item: schema.Message | schema.Enum) -> Json:
        """Returns a reference to the item's schema, which is made when it is first needed."""
        name = item.full_name
        if name not in self._schemas:
            self._schemas[name] = {}  # stops messages that hold themselves
            self._schemas[name] = (
                self._enum(item) if isinstance(item, schema.Enum) else self._object(item)
            )
        return {"$ref": f"#/components/schemas/{name}"}

    def _enum(self, enum: schema.Enum) -> Json:
        values = [v for v in enum.values if v.number]
        lines = [enum.comment, *(f"- `{v.spelling}` {v.comment}" for v in values)]
        return {
            "type": "string",
            "description": "\n".join(lines),
            "enum": list(dict.fromkeys(v.spelling for v in values)) or [v.spelling for v in enum.values],
        }

    def _object(
        self, message: schema.Message, *, without: frozenset[str] = frozenset(), is_strict: bool = False
    ) -> Json:
        fields = [f for f in message.visible if f.key not in without]
        described: Json = {"type": "object"}
        if message.comment:
            described["description"] = message.comment
        described["properties"] = {f.key: self._field(f) for f in fields}
        required = [f.key for f in fields if f.rules.required]
        if required:
            described["required"] = required
        if is_strict:
            described["additionalProperties"] = False
        return described

    def _field(self, field: schema.Field) -> Json:
        """Returns the schema of a field as JSON holds it: list, map, or a value that may be null."""
        rules = field.rules
        if field.is_map or field.is_repeated:
            element = self._value(field)
            described: Json = (
                {"type": "object", "additionalProperties": element}
                if field.is_map
                else {"type": "array", "items": element}
            )
            words = ("minProperties", "maxProperties") if field.is_map else ("minItems", "maxItems")
            for word, limit in zip(words, (rules.min_length, rules.max_length), strict=True):
                if limit is not None:
                    described[word] = limit
        else:
            described = self._ruled(field)
        if field.null_when_unset:
            described = _or_null(described)
        return described | ({"description": field.comment} if field.comment else {})

    def _ruled(self, field: schema.Field) -> Json:
        """Returns the schema of one value with its rules; lists' rules are on the list."""
        described = dict(self._value(field))
        rules = field.rules
        if field.is_repeated:
            return described
        if rules.minimum is not None:
            described["minimum"] = _number(rules.minimum)
        if rules.maximum is not None:
            described["maximum"] = _number(rules.maximum)
        if field.kind == "string":
            least = rules.min_length if rules.min_length is not None else 1 if rules.required else None
            if least is not None:
                described["minLength"] = least
            if rules.max_length is not None:
                described["maxLength"] = rules.max_length
            if rules.pattern:
                described["pattern"] = (
                    f"^(?:{rules.pattern})$" if rules.required else f"^(?:{rules.pattern})?$"
                )
        return described

    def _value(self, field: schema.Field) -> Json:
        if field.json_text:
            return {}
        if field.kind == "enum":
            return self._reference(self._protos.enums[field.type_name])
        if field.kind == "message":
            if (known := _MESSAGES.get(field.type_name)) is not None:
                return known
            reference = self._reference(self._protos.messages[field.type_name])
            return {"oneOf": [reference, {"type": "string"}]} if field.short_for else reference
        return _SCALARS[field.kind]


def _tag(service: schema.Service) -> str:
    return service.name.removesuffix("Service") or service.name


def _number(value: float) -> int | float:
    return int(value) if value.is_integer() else value


def _or_null(described: Json) -> Json:
    kind = described.get("type")
    if isinstance(kind, str):
        return described | {"type": [kind, "null"]}
    return {"anyOf": [described, {"type": "null"}]} if described else described


def _proto(message: str) -> Json:
    """Returns what stands for a message in protobuf's form."""
    return {"schema": {"type": "string", "description": f"A {message} in protobuf's form."}}


def _told(route: resolver.Route) -> Iterable[str]:
    """Yields the components of headers that a success may carry."""
    yield "RequestId"
    if route.method.server_streaming:
        return
    yield "Revision"
    if route.is_versioned:
        yield "ETag"
    names = {f.name for f in route.request.fields}
    if "request_id" in names:
        yield "IdempotencyReplayed"
    if "validate_only" in names:
        yield "ValidateOnly"


_HEADER_NAMES = {
    "ETag": "ETag",
    "IdempotencyReplayed": "Idempotency-Replayed",
    "RequestId": "X-Request-Id",
    "Revision": "X-Novasphere-Revision",
    "ValidateOnly": "Validate-Only",
}


def _headers(*components: str) -> Json:
    return {_HEADER_NAMES[c]: {"$ref": f"#/components/headers/{c}"} for c in components}


def _shared_parameters(
    choices: Sequence[resolver.Route], own: Collection[tuple[str, str]]
) -> Iterable[Json]:
    """Yields what routes take beside their own: a message's field of the same name goes first."""
    first = choices[0]
    shared = [] if first.is_duplex else [("header", "X-Novasphere-Min-Revision", "MinRevision")]
    if not first.is_duplex and not any(r.has_body for r in choices):
        shared.append(("query", "min_revision", "MinRevisionInQuery"))
    if first.is_versioned:
        shared.append(("header", "If-None-Match", "IfNoneMatch"))
    for place, name, component in shared:
        if (place, name) not in own:
            yield {"$ref": f"#/components/parameters/{component}"}


def _any_of(parts: Sequence[Json]) -> Json:
    """Joins bodies or responses of JSON into one that may be any of them."""
    contents = [p["content"]["application/json"] for p in parts]
    content: Json = {"schema": {"anyOf": [c["schema"] for c in contents]}}
    examples = {
        f"example{i}": {"value": c["example"]} for i, c in enumerate(contents, 1) if "example" in c
    }
    if examples:
        content["examples"] = examples
    joined: Json = {"content": {"application/json": content}}
    return joined | ({"required": True} if "required" in parts[0] else {})


def _example(route: resolver.Route, text: str) -> object:
    try:
        return json.loads(text)
    except ValueError as e:
        raise schema.GenerationError(f"{route.method.full_name}: its example is not JSON: {e}") from None
