"""Emits the encoder and decoder of each message, as straight-line Python.

An encoder builds the dict in one literal as far as its fields are always printed, then adds what may be
left out. A decoder asks the dict for each of its fields. Neither looks at a descriptor.
"""

from __future__ import annotations

from collections.abc import Iterator

from novasphere_gateway.codegen import names, schema

_DIRECT = frozenset({"string", "bool", "int32", "int64", "uint32", "uint64", "double"})
_DECODERS = {
    "string": "codec.string", "bool": "codec.boolean", "bytes": "codec.data", "float": "codec.single",
    "double": "codec.double", "int32": "codec.int32", "int64": "codec.int64", "uint32": "codec.uint32",
    "uint64": "codec.uint64",
}  # fmt: skip
_MAP_KEYS = {"string": "codec.parse_string", "bool": "codec.parse_bool"}


def emit(protos: schema.Schema, file: schema.File, imports: names.Imports) -> Iterator[str]:
    """Yields the lines of every enum and message of the file."""
    for enum in file.enums:
        yield from _words(enum)
    for message in file.messages:
        if protos.has_json(message.full_name):
            yield from _Emitter(protos, imports, message).lines()


def _words(enum: schema.Enum) -> Iterator[str]:
    printed: dict[int, str] = {}
    read: dict[str, int] = {}
    for value in enum.values:
        printed.setdefault(value.number, value.spelling)
        for word in (value.spelling, value.short_name, value.name, *value.other_spellings):
            if read.setdefault(word, value.number) != value.number:
                raise schema.GenerationError(f'{enum.full_name}: "{word}" stands for two values')
    yield f"words_{enum.symbol} = codec.Words("
    yield f"    {printed!r},"
    yield f"    {read!r},"
    if published := _published(enum):
        yield f"    {published!r},"
    yield ")"
    yield ""
    yield ""


def _published(enum: schema.Enum) -> dict[int, int]:
    """Returns the numbers that the published API has for values whose own are others."""
    own = {value.number for value in enum.values if value.number}
    published: dict[int, int] = {}
    for value in enum.values:
        number = value.published_number
        if number is None:
            continue
        if number in own or published.setdefault(number, value.number) != value.number:
            raise schema.GenerationError(f"{enum.full_name}: {number} stands for two values")
    return published


def printed_value(protos: schema.Schema, imports: names.Imports, field: schema.Field, value: str) -> str:
    """Returns the expression that prints one element of a field; `value` is the element's."""
    if field.json_text:
        return f"codec.print_json({value})"
    if field.kind in _DIRECT:
        return value
    if field.kind == "float":
        return f"codec.print_single({value})"
    if field.kind == "bytes":
        return f"codec.print_data({value})"
    if field.kind == "enum":
        words = imports.function("words", protos.enums[field.type_name])
        # A plain name may be evaluated twice, which spares a call.
        return f"{words}.get({value}, {value})" if value.isidentifier() else f"{words}.print({value})"
    if field.type_name == schema.TIMESTAMP:
        return f"codec.print_seconds({value}.seconds)"
    if field.type_name == schema.DURATION:
        return f"codec.print_duration({value})"
    if field.type_name == schema.FIELD_MASK:
        return f"codec.print_field_mask({value})"
    if field.type_name in schema.PROTOBUF_JSON:
        return f"codec.print_well_known({value})"
    if field.type_name == schema.EMPTY:
        return "{}"
    return f"{imports.function('encode', protos.messages[field.type_name])}({value})"


def printed_field(
    protos: schema.Schema, imports: names.Imports, field: schema.Field, holder: str
) -> str:
    """Returns the expression that prints a whole field; None where a field with presence is unset."""
    value = names.attribute(holder, field.name)
    # Of the ways to read protobuf's containers these are the fastest, measured: by key from a map, by a
    # slice from a list, and not at all when it is empty.
    if field.is_map:
        key = {"string": "k", "bool": '"true" if k else "false"'}.get(field.map_key, "str(k)")
        element = printed_value(protos, imports, field, "x[k]")
        # Sorted: the same message must give the same bytes.
        return f"{{{key}: {element} for k in sorted(x)}} if (x := {value}) else {{}}"
    if field.is_repeated:
        empty = "None" if field.null_when_unset else "[]"
        if field.kind in _DIRECT and not field.json_text:
            return f"{value}[:] or None" if field.null_when_unset else f"{value}[:]"
        element = printed_value(protos, imports, field, "v")
        return f"[{element} for v in x[:]] if (x := {value}) else {empty}"
    printed = printed_value(protos, imports, field, value)
    return f'{printed} if {holder}.HasField("{field.name}") else None' if field.has_presence else printed


class _Emitter:
    """The code of one message."""

    def __init__(self, protos: schema.Schema, imports: names.Imports, message: schema.Message) -> None:
        self._protos = protos
        self._imports = imports
        self._message = message
        self._type = imports.message(message)
        self._check_names()

    def _check_names(self) -> None:
        seen: dict[str, schema.Field] = {}
        for field in self._message.visible:
            for name in field.names:
                if name in seen:
                    raise schema.GenerationError(
                        f'{self._message.full_name}: in JSON, "{name}" names both {seen[name].name} '
                        f"and {field.name}"
                    )
                seen[name] = field
            if field.json_text and field.kind != "string":
                raise schema.GenerationError(
                    f"{self._message.full_name}.{field.name}: only strings can hold JSON text"
                )

    def lines(self) -> Iterator[str]:
        yield from self._encoder()
        yield ""
        yield ""
        yield from self._dump()
        yield ""
        yield ""
        yield from self._decoder()
        yield ""
        yield ""

    def _encoder(self) -> Iterator[str]:
        yield f"def encode_{self._message.symbol}(m: {self._type}) -> dict[str, Any]:"
        always: list[str] = []
        fields = list(self._message.visible)
        while fields and self._is_always_printed(fields[0]):
            field = fields.pop(0)
            always.append(f"        {field.key!r}: {self._printed(field)},")
        opening = "return" if not fields else "data: dict[str, Any] ="
        if always:
            yield f"    {opening} {{"
            yield from always
            yield "    }"
        else:
            yield f"    {opening} {{}}"
        for field in fields:
            if self._is_always_printed(field):
                yield f"    data[{field.key!r}] = {self._printed(field)}"
            elif field.has_presence:
                yield f'    if m.HasField("{field.name}"):'
                holder = names.attribute("m", field.name)
                value = printed_value(self._protos, self._imports, field, holder)
                yield f"        data[{field.key!r}] = {value}"
            else:
                yield f"    if v := {names.attribute('m', field.name)}:"
                value = printed_value(self._protos, self._imports, field, "v")
                yield f"        data[{field.key!r}] = {value}"
        if fields:
            yield "    return data"

    def _is_always_printed(self, field: schema.Field) -> bool:
        # An enum without presence counts as unset at zero, its "unspecified" value.
        may_be_unset = field.has_presence or (field.kind == "enum" and not field.is_repeated)
        return field.null_when_unset or not may_be_unset

    def _printed(self, field: schema.Field) -> str:
        if field.kind == "enum" and not field.is_repeated and not field.has_presence:
            value = names.attribute("m", field.name)
            return f"{printed_value(self._protos, self._imports, field, value)} if {value} else None"
        return printed_field(self._protos, self._imports, field, "m")

    def _dump(self) -> Iterator[str]:
        symbol = self._message.symbol
        yield f"def dump_{symbol}(m: {self._type}) -> bytes:"
        yield f"    return orjson.dumps(encode_{symbol}(m))"

    def _decoder(self) -> Iterator[str]:
        symbol = self._message.symbol
        known = sorted(name for field in self._message.visible for name in field.names)
        yield f"keys_{symbol} = frozenset({known!r})"
        yield ""
        yield ""
        parameters = f"data: Any, path: str = '', known: frozenset[str] = keys_{symbol}"
        yield f"def decode_{symbol}({parameters}) -> {self._type}:"
        yield "    if data.__class__ is not dict:"
        yield "        raise codec.not_an_object(data, path)"
        yield "    if not data.keys() <= known:"
        yield "        raise codec.unknown_keys(data, known, path)"
        yield f"    m = {self._type}()"
        yield from self._oneofs()
        for field in self._message.visible:
            yield from self._decoded(field)
        yield "    return m"

    def _oneofs(self) -> Iterator[str]:
        oneofs: dict[str, list[schema.Field]] = {}
        for field in self._message.visible:
            if field.oneof:
                oneofs.setdefault(field.oneof, []).append(field)
        for members in oneofs.values():
            if len(members) > 1:
                yield f"    codec.exclusive(data, {tuple(f.names for f in members)!r}, path)"

    def _decoded(self, field: schema.Field) -> Iterator[str]:
        if len(field.names) == 1:
            key = repr(field.key)
            yield f"    v = data.get({key})"
        else:
            key = "key"
            yield f"    key, v = codec.pick(data, {field.names!r}, path)"
        yield "    if v is not None:"
        target = names.attribute("m", field.name)
        if field.is_map:
            yield f"        at = codec.at(path, {key})"
            yield f"        for k, e in codec.pairs(v, path, {key}).items():"
            parse = _MAP_KEYS.get(field.map_key, f"codec.parse_{field.map_key}")
            entry_key = "k" if field.map_key == "string" else f"{parse}(k, codec.at(at, k))"
            entry = f"{target}[{entry_key}]"
            if field.kind == "message":
                yield f"            {self._decoded_message(field, entry, 'e', 'at', 'k')}"
            else:
                yield f"            {entry} = {self._decoded_value(field, 'e', 'at', 'k')}"
        elif field.is_repeated:
            yield f"        for i, e in enumerate(codec.items(v, path, {key})):"
            yield f"            at = codec.element(path, {key}, i)"
            if field.kind == "message":
                yield f"            {self._decoded_message(field, f'{target}.add()', 'e', 'at', '')}"
            else:
                yield f"            {target}.append({self._decoded_value(field, 'e', 'at', '')})"
        elif field.kind == "message":
            yield f"        {self._decoded_message(field, target, 'v', 'path', key)}"
        else:
            value = self._decoded_value(field, "v", "path", key)
            is_plain = target == f"m.{field.name}"
            yield (
                f"        {target} = {value}"
                if is_plain
                else f"        setattr(m, {field.name!r}, {value})"
            )

    def _decoded_value(self, field: schema.Field, value: str, path: str, key: str) -> str:
        where = f"{path}, {key}" if key else f"{path}, ''"
        if field.json_text:
            return f"codec.json_text({value})"
        if field.kind == "enum":
            words = self._imports.function("words", self._protos.enums[field.type_name])
            return f"{words}.read({value}, {where})"
        return f"{_DECODERS[field.kind]}({value}, {where})"

    def _decoded_message(self, field: schema.Field, target: str, value: str, path: str, key: str) -> str:
        where = f"{path}, {key}" if key else f"{path}, ''"
        if field.type_name == schema.TIMESTAMP:
            return f"{target}.CopyFrom(codec.timestamp({value}, {where}))"
        if field.type_name == schema.DURATION:
            return f"{target}.CopyFrom(codec.duration({value}, {where}))"
        if field.type_name == schema.FIELD_MASK:
            return f"{target}.CopyFrom(codec.field_mask({value}, {where}))"
        if field.type_name in schema.PROTOBUF_JSON:
            return f"codec.well_known({value}, {target}, {where})"
        if field.type_name == schema.EMPTY:
            return f"codec.empty({value}, {target}, {where})"
        decode = self._imports.function("decode", self._protos.messages[field.type_name])
        inner = f"codec.at({path}, {key})" if key else path
        if field.short_for:
            value = f"codec.in_full({value}, {field.short_for!r})"
        return f"{target}.CopyFrom({decode}({value}, {inner}))"
