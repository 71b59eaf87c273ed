"""Stage one: protoc's request becomes the schema.

Options are read through a DescriptorPool that is built from the request itself: the generated options
module may not exist yet. Requests that know nothing of our options, or of google.api.http, are fine.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.compiler import plugin_pb2
from google.protobuf.descriptor import FieldDescriptor

from novasphere_gateway.codegen import schema

_OPTIONS = "novasphere.api.v1"
_HTTP = "google.api.http"
_HTTP_METHODS = ("get", "put", "post", "delete", "patch")
_RATE_READ, _RATE_WRITE, _RATE_STREAM = 1, 2, 3

_KINDS = {
    FieldDescriptor.TYPE_DOUBLE: "double",
    FieldDescriptor.TYPE_FLOAT: "float",
    FieldDescriptor.TYPE_INT64: "int64",
    FieldDescriptor.TYPE_UINT64: "uint64",
    FieldDescriptor.TYPE_INT32: "int32",
    FieldDescriptor.TYPE_FIXED64: "uint64",
    FieldDescriptor.TYPE_FIXED32: "uint32",
    FieldDescriptor.TYPE_BOOL: "bool",
    FieldDescriptor.TYPE_STRING: "string",
    FieldDescriptor.TYPE_MESSAGE: "message",
    FieldDescriptor.TYPE_BYTES: "bytes",
    FieldDescriptor.TYPE_UINT32: "uint32",
    FieldDescriptor.TYPE_ENUM: "enum",
    FieldDescriptor.TYPE_SFIXED32: "int32",
    FieldDescriptor.TYPE_SFIXED64: "int64",
    FieldDescriptor.TYPE_SINT32: "int32",
    FieldDescriptor.TYPE_SINT64: "int64",
}


class _Options:
    """Reads custom options of descriptors."""

    def __init__(self, files: Iterable[descriptor_pb2.FileDescriptorProto]) -> None:
        self._pool = descriptor_pool.DescriptorPool()
        for file in files:
            self._pool.AddSerializedFile(file.SerializeToString())

    def get(self, options: Any, name: str) -> Any:
        """Returns the option's value; None where it is not set or not known to the request."""
        try:
            # Typed loosely: the stubs know only extensions of generated modules.
            extension: Any = self._pool.FindExtensionByName(name)
            described = self._pool.FindMessageTypeByName(options.DESCRIPTOR.full_name)
        except KeyError:
            return None
        # Parsed again: only a class of this pool knows this pool's extensions.
        parsed = message_factory.GetMessageClass(described).FromString(options.SerializeToString())
        if extension.is_repeated:
            return list(parsed.Extensions[extension])
        return parsed.Extensions[extension] if parsed.HasExtension(extension) else None

    def ours(self, options: Any, name: str) -> Any:
        return self.get(options, f"{_OPTIONS}.{name}")


class _Comments:
    """The comments of one file, by the path of the element."""

    def __init__(self, file: descriptor_pb2.FileDescriptorProto) -> None:
        self._by_path = {
            tuple(location.path): location.leading_comments or location.trailing_comments
            for location in file.source_code_info.location
        }

    def at(self, *path: int) -> str:
        """Returns the comment, its lines joined; blank lines stay paragraphs."""
        lines = [line.strip() for line in self._by_path.get(path, "").strip().splitlines()]
        return re.sub(r"(?<!\n)\n(?!\n)", " ", "\n".join(lines))


def read(request: plugin_pb2.CodeGeneratorRequest) -> schema.Schema:
    """Returns the schema of a request. Raises GenerationError."""
    options = _Options(request.proto_file)
    files = {file.name: _file(file, options) for file in request.proto_file}
    return schema.Schema(
        files=tuple(files[name] for name in sorted(request.file_to_generate)),
        messages={m.full_name: m for file in files.values() for m in file.messages},
        enums={e.full_name: e for file in files.values() for e in file.enums},
        modules={file.name: file.module for file in files.values()},
        parameter=_parameter(request.parameter),
    )


def _parameter(text: str) -> dict[str, str]:
    pairs = (part.partition("=") for part in text.split(",") if part.strip())
    return {name.strip(): value.strip() for name, _, value in pairs}


def _file(file: descriptor_pb2.FileDescriptorProto, options: _Options) -> schema.File:
    comments = _Comments(file)
    prefix = f"{file.package}." if file.package else ""
    messages: list[schema.Message] = []
    enums = [
        _enum(e, (e.name,), file.name, prefix, options, comments, (5, i))
        for i, e in enumerate(file.enum_type)
    ]
    for index, message in enumerate(file.message_type):
        for found in _messages(
            message, (message.name,), file.name, prefix, options, comments, (4, index)
        ):
            (messages if isinstance(found, schema.Message) else enums).append(found)  # type: ignore[arg-type]
    return schema.File(
        name=file.name,
        package=file.package,
        dependencies=tuple(file.dependency),
        enums=tuple(enums),
        messages=tuple(messages),
        services=tuple(_service(s, prefix, options, comments, i) for i, s in enumerate(file.service)),
    )


def _messages(
    message: descriptor_pb2.DescriptorProto,
    path: tuple[str, ...],
    file: str,
    prefix: str,
    options: _Options,
    comments: _Comments,
    position: tuple[int, ...],
) -> Iterator[schema.Message | schema.Enum]:
    """Yields the message, then all that is nested in it. Entries of maps become part of their fields."""
    full_name = prefix + ".".join(path)
    entries = {f".{full_name}.{n.name}": n for n in message.nested_type if n.options.map_entry}
    yield schema.Message(
        full_name=full_name,
        path=path,
        file=file,
        fields=tuple(
            _field(f, message, entries, options, comments.at(*position, 2, i))
            for i, f in enumerate(message.field)
        ),
        comment=comments.at(*position),
    )
    for index, enum in enumerate(message.enum_type):
        yield _enum(enum, (*path, enum.name), file, prefix, options, comments, (*position, 4, index))
    for index, nested in enumerate(message.nested_type):
        if not nested.options.map_entry:
            inner = (*path, nested.name)
            yield from _messages(nested, inner, file, prefix, options, comments, (*position, 3, index))


def _field(
    field: descriptor_pb2.FieldDescriptorProto,
    parent: descriptor_pb2.DescriptorProto,
    entries: Mapping[str, descriptor_pb2.DescriptorProto],
    options: _Options,
    comment: str,
) -> schema.Field:
    entry = entries.get(field.type_name)
    value = field if entry is None else entry.field[1]
    if value.type not in _KINDS:
        raise schema.GenerationError(f"{parent.name}.{field.name}: groups are not supported")
    in_oneof = field.HasField("oneof_index") and not field.proto3_optional
    rules = options.ours(field.options, "rules")
    return schema.Field(
        name=field.name,
        number=field.number,
        kind=_KINDS[value.type],
        type_name=value.type_name.removeprefix("."),
        is_repeated=field.label == FieldDescriptor.LABEL_REPEATED,
        is_optional=field.proto3_optional,
        oneof=parent.oneof_decl[field.oneof_index].name if in_oneof else "",
        key=options.ours(field.options, "key") or field.name,
        null_when_unset=bool(options.ours(field.options, "null_when_unset")),
        json_text=bool(options.ours(field.options, "json_text")),
        aliases=tuple(options.ours(field.options, "aliases") or ()),
        hidden=bool(options.ours(field.options, "hidden")),
        header=options.ours(field.options, "header") or "",
        short_for=options.ours(field.options, "short_for") or "",
        rules=schema.Rules() if rules is None else _rules(rules),
        comment=comment,
        map_key="" if entry is None else _KINDS[entry.field[0].type],
    )


def _rules(rules: Any) -> schema.Rules:
    def limit(name: str) -> Any:
        return getattr(rules, name) if rules.HasField(name) else None

    return schema.Rules(
        required=rules.required,
        min_length=limit("min_length"),
        max_length=limit("max_length"),
        minimum=limit("minimum"),
        maximum=limit("maximum"),
        pattern=rules.pattern,
        pattern_meaning=rules.pattern_meaning,
    )


def _enum(
    enum: descriptor_pb2.EnumDescriptorProto,
    path: tuple[str, ...],
    file: str,
    prefix: str,
    options: _Options,
    comments: _Comments,
    position: tuple[int, ...],
) -> schema.Enum:
    # "HTTPCode" and "NodeStatus" become "HTTP_CODE_" and "NODE_STATUS_", as buf names the values.
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", enum.name)
    value_prefix = f"{words.upper()}_"

    def value(index: int, described: descriptor_pb2.EnumValueDescriptorProto) -> schema.EnumValue:
        short_name = described.name.removeprefix(value_prefix)
        error = options.ours(described.options, "error")
        return schema.EnumValue(
            name=described.name,
            short_name=short_name,
            number=described.number,
            spelling=options.ours(described.options, "spelling") or short_name,
            other_spellings=tuple(options.ours(described.options, "other_spellings") or ()),
            published_number=options.ours(described.options, "published_number"),
            error=None if error is None else _error(error),
            comment=comments.at(*position, 2, index),
        )

    return schema.Enum(
        full_name=prefix + ".".join(path),
        path=path,
        file=file,
        values=tuple(value(i, v) for i, v in enumerate(enum.value)),
        comment=comments.at(*position),
    )


def _error(rule: Any) -> schema.ErrorReason:
    return schema.ErrorReason(
        grpc_code=rule.code,
        http_status=rule.http_status,
        meaning=rule.meaning,
        meaning_zh=rule.meaning_zh,
        retriable=rule.retriable,
        faces=tuple(schema.FaceErrorRule(f.face, f.code, f.http_status) for f in rule.faces),
    )


def _service(
    service: descriptor_pb2.ServiceDescriptorProto,
    prefix: str,
    options: _Options,
    comments: _Comments,
    index: int,
) -> schema.Service:
    full_name = prefix + service.name
    face = options.ours(service.options, "face") or 0
    return schema.Service(
        full_name=full_name,
        name=service.name,
        methods=tuple(
            _method(m, full_name, face, options, comments.at(6, index, 2, i))
            for i, m in enumerate(service.method)
        ),
        comment=comments.at(6, index),
    )


def _method(
    method: descriptor_pb2.MethodDescriptorProto,
    service: str,
    face: int,
    options: _Options,
    comment: str,
) -> schema.Method:
    rules = options.ours(method.options, "method")
    bindings = tuple(_bindings(options.get(method.options, _HTTP)))

    def rule(name: str, default: Any) -> Any:
        return getattr(rules, name) or default if rules is not None else default

    if method.server_streaming:
        usual_rate = _RATE_STREAM
    else:
        usual_rate = _RATE_READ if bindings and bindings[0].http_method == "GET" else _RATE_WRITE
    stream, example = rule("stream", None), rule("example", None)
    return schema.Method(
        name=method.name,
        full_name=f"{service}.{method.name}",
        request=method.input_type.removeprefix("."),
        response=method.output_type.removeprefix("."),
        client_streaming=method.client_streaming,
        server_streaming=method.server_streaming,
        bindings=bindings,
        face=rule("face", face),
        success_status=rule("success_status", 200),
        scope=rule("scope", 0),
        or_scope=rule("or_scope", 0),
        is_public=rule("public", False),
        message=rule("message", ""),
        message_en=rule("message_en", ""),
        action=rule("action", ""),
        rate_class=rule("rate_class", usual_rate),
        stream=schema.Stream()
        if stream is None
        else schema.Stream(stream.rows, stream.id, stream.event, stream.raw, stream.resume),
        example_request=example.request if example is not None else "",
        example_response=example.response if example is not None else "",
        comment=comment,
    )


def _bindings(rule: Any) -> Iterator[schema.HttpBinding]:
    """Yields the rule's own binding, then its additional ones."""
    if rule is None:
        return
    pattern = rule.WhichOneof("pattern")
    if pattern == "custom":
        http_method, path = rule.custom.kind, rule.custom.path
    elif pattern in _HTTP_METHODS:
        http_method, path = pattern.upper(), getattr(rule, pattern)
    else:
        raise schema.GenerationError("a google.api.http rule names no method and path")
    yield schema.HttpBinding(http_method, path, rule.body, rule.response_body)
    for additional in rule.additional_bindings:
        yield from _bindings(additional)
