"""Emits the route table of each service."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from novasphere_gateway.codegen import codecs, names, resolver, schema


def emit(
    protos: schema.Schema, file: schema.File, routes: Sequence[resolver.Route], imports: names.Imports
) -> Iterator[str]:
    """Yields ROUTES of one file; nothing where it has no routes."""
    own = [r for r in routes if any(r.service is s for s in file.services)]
    if not own:
        return
    emitter = _Emitter(protos, imports)
    yield "ROUTES: tuple[model.Route, ...] = ("
    for route in own:
        yield from emitter.route(route)
    yield ")"


# What a request says of itself, not of what it changes.
_UNCHANGING = frozenset({schema.UPDATE_MASK, "validate_only"})


class _Emitter:
    def __init__(self, protos: schema.Schema, imports: names.Imports) -> None:
        self._protos = protos
        self._imports = imports

    def route(self, route: resolver.Route) -> Iterator[str]:
        method = route.method
        yield "    model.Route("
        for name, value in {
            "http_method": repr(route.http_method),
            "path": repr(route.path),
            "segments": repr(route.template.segments),
            "verb": repr(route.template.verb),
            "service": repr(route.service.full_name),
            "method": repr(route.grpc_path),
            "request": self._imports.message(route.request),
            "response": self._imports.message(route.response),
            "decode_body": self._decode_body(route),
            "body_field": repr(route.body_field.name if route.body_field else ""),
        }.items():
            yield f"        {name}={value},"
        yield from self._many("path_params", [self._variable(v) for v in route.variables])
        yield from self._many("query_params", [self._parameter(p) for p in route.query])
        yield from self._many("headers", [self._parameter(p) for p in route.headers])
        yield f"        response_body={(route.response_field.name if route.response_field else '')!r},"
        yield f"        encode={self._encode(route)},"
        yield from self._field_encoders(route.response)
        for name, fact in {
            "is_empty": not route.response.visible,
            "face": route.face,
            "success_status": method.success_status,
            "scope": method.scope,
            "or_scope": method.or_scope,
            "is_public": method.is_public,
            "message": method.message,
            "message_en": method.message_en,
            "action": method.action,
            "rate_class": method.rate_class,
            "is_stream": method.server_streaming,
            "is_duplex": route.is_duplex,
        }.items():
            yield f"        {name}={fact!r},"
        yield from self._stream(route)
        if mask := self._mask(route):
            yield "        mask={"
            for key, path in mask.items():
                yield f"            {key!r}: {path!r},"
            yield "        },"
        yield "    ),"

    def _many(self, name: str, elements: Sequence[str]) -> Iterator[str]:
        if not elements:
            yield f"        {name}=(),"
            return
        yield f"        {name}=("
        for element in elements:
            yield f"            {element},"
        yield "        ),"

    def _variable(self, variable: resolver.Variable) -> str:
        return (
            f"model.PathParam({self._parameter(variable.parameter)}, {variable.start}, {variable.end})"
        )

    def _parameter(self, parameter: resolver.Parameter) -> str:
        if parameter.kind == "enum":
            words = self._imports.function("words", self._protos.enums[parameter.field.type_name])
            parse = f"codec.parse_enum({words})"
        else:
            parse = f"codec.parse_{parameter.kind}"
        return (
            f"model.Param({parameter.name!r}, {parameter.aliases!r}, {parameter.path!r}, "
            f"{parameter.kind!r}, {parameter.field.is_repeated}, {parse})"
        )

    def _decode_body(self, route: resolver.Route) -> str:
        if not (route.has_body or route.is_duplex):
            return "None"
        if route.body_field is not None:
            decode = self._imports.function("decode", self._protos.messages[route.body_field.type_name])
            request = self._imports.message(route.request)
            return f"codec.body_field({request}, {route.body_field.name!r}, {decode})"
        decode = self._imports.function("decode", route.request)
        known = self._imports.function("keys", route.request)
        if route.bound:
            known += f" - {set(route.bound)!r}" if len(route.bound) == 1 else f" - {_set(route.bound)}"
        if route.method.action:
            known = (
                f"({known}) | {{{resolver.ACTION!r}}}"
                if route.bound
                else f"{known} | {{{resolver.ACTION!r}}}"
            )
        bound = f"frozenset({_set(route.bound)})" if route.bound else "frozenset()"
        return f"codec.body({decode}, {known}, {bound})"

    def _mask(self, route: resolver.Route) -> dict[str, str]:
        """Returns which paths of an update mask the keys of a body stand for, one level below too."""
        if not route.has_body or route.request.field(schema.UPDATE_MASK) is None:
            return {}
        paths: dict[str, str] = {}
        for field in route.request.visible:
            if field.name in _UNCHANGING or not set(field.names).isdisjoint(route.bound):
                continue
            paths |= dict.fromkeys(field.names, field.name)
            if (
                field.kind == "message"
                and not field.is_repeated
                and field.type_name not in schema.WELL_KNOWN
            ):
                parts = self._protos.messages[field.type_name].visible
                paths |= {
                    f"{key}.{name}": f"{field.name}.{part.name}"
                    for key in field.names
                    for part in parts
                    for name in part.names
                }
        return paths

    def _encode(self, route: resolver.Route) -> str:
        if route.response_field is None:
            return self._imports.function("encode", route.response)
        return (
            f"lambda m: {codecs.printed_field(self._protos, self._imports, route.response_field, 'm')}"
        )

    def _field_encoders(self, response: schema.Message) -> Iterator[str]:
        encoders = [
            f"{f.name!r}: model.FieldEncoder({f.key!r}, {f.is_repeated}, "
            f"{self._imports.function('dump', self._protos.messages[f.type_name])})"
            for f in response.visible
            if f.kind == "message" and not f.is_map and f.type_name not in schema.WELL_KNOWN
        ]
        if not encoders:
            yield "        encode_field={},"
            return
        yield "        encode_field={"
        for encoder in encoders:
            yield f"            {encoder},"
        yield "        },"

    def _stream(self, route: resolver.Route) -> Iterator[str]:
        if not route.method.server_streaming:
            yield "        stream=None,"
            return
        rules = route.method.stream
        yield "        stream=model.StreamRules("
        for name, value in {
            "rows": repr(rules.rows),
            "id": repr(rules.id),
            "event": repr(rules.event),
            "raw": repr(rules.raw),
            "resume": repr(rules.resume),
            "id_of": self._text_of(route.rows, rules.id),
            "event_of": self._text_of(route.rows, rules.event),
            "raw_of": f"lambda row: {names.attribute('row', rules.raw)}" if rules.raw else "None",
            "dump": self._imports.function("dump", route.rows),
            "resume_param": self._parameter(route.resume) if route.resume else "None",
        }.items():
            yield f"            {name}={value},"
        yield "        ),"

    def _text_of(self, row: schema.Message, name: str) -> str:
        """Returns a function that gives a row's field as text, empty where it is unset."""
        field = row.field(name) if name else None
        if field is None:
            return "None"
        value = names.attribute("row", name)
        if field.kind == "string":
            return f"lambda row: {value}"
        printed = codecs.printed_value(self._protos, self._imports, field, value)
        if field.kind == "enum":
            return f'lambda row: str({printed}) if {value} else ""'
        return f"lambda row: str({printed})"


def _set(values: Sequence[str]) -> str:
    """Returns a set's literal; sorted, for a set's own order changes from run to run."""
    return "{" + ", ".join(repr(v) for v in sorted(values)) + "}"
