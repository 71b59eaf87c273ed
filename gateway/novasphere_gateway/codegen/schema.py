"""What the protos say, as frozen values that refer to each other by full name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

TIMESTAMP = "google.protobuf.Timestamp"
DURATION = "google.protobuf.Duration"
FIELD_MASK = "google.protobuf.FieldMask"
UPDATE_MASK = "update_mask"  # the name of the field that says what an update changes: AIP-134
EMPTY = "google.protobuf.Empty"
# Messages that are printed in the JSON form that protobuf defines for them.
PROTOBUF_JSON = frozenset(
    f"google.protobuf.{name}"
    for name in (
        "Struct", "Value", "ListValue", "DoubleValue", "FloatValue", "Int64Value",
        "UInt64Value", "Int32Value", "UInt32Value", "BoolValue", "StringValue", "BytesValue",
    )
)  # fmt: skip
WELL_KNOWN = PROTOBUF_JSON | {TIMESTAMP, DURATION, FIELD_MASK, EMPTY}


class GenerationError(Exception):
    """A proto asks for what the gateway cannot do. The text names the element and the way out."""


@dataclass(frozen=True, slots=True)
class Rules:
    """novasphere.api.v1.FieldRules."""

    required: bool = False
    min_length: int | None = None
    max_length: int | None = None
    minimum: float | None = None
    maximum: float | None = None
    pattern: str = ""
    pattern_meaning: str = ""


@dataclass(frozen=True, slots=True)
class Field:
    """A field. `kind` is a scalar's name, or "enum" or "message", whose full name is `type_name`."""

    name: str
    number: int
    kind: str
    type_name: str
    is_repeated: bool
    is_optional: bool
    oneof: str
    key: str
    null_when_unset: bool
    json_text: bool
    aliases: tuple[str, ...]
    hidden: bool
    header: str
    short_for: str
    """The key of the only one that is set where JSON has a text in place of an object; empty: it may not."""
    rules: Rules
    comment: str
    map_key: str = ""
    """For maps, the kind of the keys; `kind` and `type_name` tell the values, `is_repeated` is set."""

    @property
    def is_map(self) -> bool:
        return bool(self.map_key)

    @property
    def names(self) -> tuple[str, ...]:
        """Every name that JSON and queries may use, the printed one first."""
        return tuple(dict.fromkeys((self.key, self.name, *self.aliases)))

    @property
    def has_presence(self) -> bool:
        """Set and unset are told apart."""
        if self.is_repeated:
            return False
        return self.is_optional or bool(self.oneof) or self.kind == "message"


@dataclass(frozen=True, slots=True)
class Message:
    full_name: str
    """With the package: "novasphere.node.v1.Node"."""
    path: tuple[str, ...]
    """Names from the file's top down: ("Outer", "Inner")."""
    file: str
    fields: tuple[Field, ...]
    comment: str

    @property
    def symbol(self) -> str:
        return "_".join(self.path)

    @property
    def visible(self) -> tuple[Field, ...]:
        """The fields that JSON shows."""
        return tuple(f for f in self.fields if not f.hidden)

    def field(self, name: str) -> Field | None:
        return next((f for f in self.fields if f.name == name), None)


@dataclass(frozen=True, slots=True)
class FaceErrorRule:
    face: int
    code: str
    http_status: int


@dataclass(frozen=True, slots=True)
class ErrorReason:
    """novasphere.api.v1.ErrorRule."""

    grpc_code: int
    http_status: int
    meaning: str
    meaning_zh: str
    retriable: bool
    faces: tuple[FaceErrorRule, ...]


@dataclass(frozen=True, slots=True)
class EnumValue:
    name: str
    short_name: str
    """The name without the enum's prefix."""
    number: int
    spelling: str
    """The word in JSON: the option's, or the short name."""
    other_spellings: tuple[str, ...]
    """More words that are read."""
    published_number: int | None
    """The number that the published API has in place of this one."""
    error: ErrorReason | None
    comment: str


@dataclass(frozen=True, slots=True)
class Enum:
    full_name: str
    path: tuple[str, ...]
    file: str
    values: tuple[EnumValue, ...]
    comment: str

    @property
    def symbol(self) -> str:
        return "_".join(self.path)


@dataclass(frozen=True, slots=True)
class HttpBinding:
    """google.api.HttpRule without its additional bindings."""

    http_method: str
    path: str
    body: str
    response_body: str


@dataclass(frozen=True, slots=True)
class Stream:
    """novasphere.api.v1.StreamRules."""

    rows: str = ""
    id: str = ""
    event: str = ""
    raw: str = ""
    resume: str = ""


@dataclass(frozen=True, slots=True)
class Method:
    name: str
    full_name: str
    request: str
    response: str
    client_streaming: bool
    server_streaming: bool
    bindings: tuple[HttpBinding, ...]
    face: int
    success_status: int
    scope: int
    or_scope: int
    is_public: bool
    message: str
    message_en: str
    action: str
    rate_class: int
    stream: Stream
    example_request: str
    example_response: str
    comment: str


@dataclass(frozen=True, slots=True)
class Service:
    full_name: str
    name: str
    methods: tuple[Method, ...]
    comment: str


@dataclass(frozen=True, slots=True)
class File:
    """One .proto file. Enums and messages are listed flat, nested ones after those that hold them."""

    name: str
    package: str
    dependencies: tuple[str, ...]
    enums: tuple[Enum, ...]
    messages: tuple[Message, ...]
    services: tuple[Service, ...]

    @property
    def module(self) -> str:
        """The dotted name of generated modules, without their suffix: "novasphere.node.v1.node"."""
        return self.name.removesuffix(".proto").replace("-", "_").replace("/", ".")


@dataclass(frozen=True)
class Schema:
    """Everything that one run of protoc hands over."""

    files: tuple[File, ...]
    """The files to generate for."""
    messages: Mapping[str, Message]
    """Of imported files too."""
    enums: Mapping[str, Enum]
    modules: Mapping[str, str]
    """File name to dotted module name, of imported files too."""
    parameter: Mapping[str, str]
    """What stands in --novasphere_opt."""

    def has_json(self, full_name: str) -> bool:
        """Tells whether codecs are made for a message or enum.

        They are for all but Google's own types without a JSON form here (google.rpc.Status), and the
        messages that hold one.
        """
        return full_name not in self._without_json

    @cached_property
    def _without_json(self) -> frozenset[str]:
        without = {
            n for n in (*self.messages, *self.enums) if n.startswith("google.") and n not in WELL_KNOWN
        }
        while True:
            more = {
                m.full_name
                for m in self.messages.values()
                if m.full_name not in without | WELL_KNOWN
                and any(f.type_name in without for f in m.visible)
            }
            if not more:
                return frozenset(without)
            without |= more
