"""Messages as the JSON that the API's REST routes print, so that `-o json` and curl agree.

Reads the same field options as the gateway's generated codecs; a test compares the two.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any, NoReturn, TypeVar

from google.protobuf.descriptor import EnumDescriptor
from google.protobuf.message import Message
from novasphere.api.v1 import options_pb2

from novasphere_client.errors import InvalidArgument

M = TypeVar("M", bound=Message)

_UNSPECIFIED = "UNSPECIFIED"
_TIMESTAMP = "google.protobuf.Timestamp"


def spell(enum: EnumDescriptor, number: int) -> str | None:
    """Returns the word for an enum value; None for the unspecified one."""
    if number == 0:
        return None
    value = enum.values_by_number.get(number)
    if value is None:  # of a newer server
        return str(number)
    spelling = value.GetOptions().Extensions[options_pb2.spelling]
    return spelling or value.name.removeprefix(_prefix(enum))


def number_of(enum: EnumDescriptor, word: str) -> int | None:
    """Returns the enum value that a word names, in any of its spellings and in any case, or None."""
    for value in enum.values:
        others = value.GetOptions().Extensions[options_pb2.other_spellings]
        spelled = {(spell(enum, value.number) or "").lower(), *(other.lower() for other in others)}
        if value.number and word.lower() in spelled:
            return int(value.number)
    return None


def words(enum: EnumDescriptor) -> list[str]:
    """Returns the words of an enum."""
    return [word for value in enum.values if (word := spell(enum, value.number)) is not None]


def fields(message: Any) -> dict[str, Any]:
    """Returns the field descriptors of a message descriptor, under the keys that they have in JSON."""
    return {
        field.GetOptions().Extensions[options_pb2.key] or field.name: field
        for field in message.fields
        if not field.GetOptions().Extensions[options_pb2.hidden]
    }


def encode(message: Message) -> dict[str, Any]:
    """Returns a message as JSON-ready data."""
    data: dict[str, Any] = {}
    for key, field in fields(message.DESCRIPTOR).items():
        options = field.GetOptions()
        value = getattr(message, field.name)
        if field.is_repeated:
            is_null = not value and options.Extensions[options_pb2.null_when_unset]
            data[key] = None if is_null else _encode_many(field, value)
        elif _is_unset(message, field, value):
            if options.Extensions[options_pb2.null_when_unset]:
                data[key] = None
        elif options.Extensions[options_pb2.json_text]:
            data[key] = _read_json(value)
        else:
            data[key] = _encode_one(field, value)
    return data


def named(message: Any) -> dict[str, Any]:
    """Returns the field descriptors of a message descriptor, under every key that is read as theirs."""
    known = fields(message)
    return known | {
        alias: field
        for field in known.values()
        for alias in (field.name, *field.GetOptions().Extensions[options_pb2.aliases])
    }


def decode(message_type: type[M], data: Any, *, leaving_out: Collection[str] = ()) -> M:
    """Returns the message that JSON-ready data stands for, in which some of its fields are not known.

    Raises InvalidArgument, naming the field.
    """
    message: Any = message_type()
    known = named(message.DESCRIPTOR)
    _decode_into(
        message, data, "", {k: field for k, field in known.items() if field.name not in leaving_out}
    )
    decoded: M = message
    return decoded


def _decode_into(message: Any, data: Any, path: str, known: dict[str, Any]) -> None:
    if not isinstance(data, dict):
        raise InvalidArgument(f"{path or 'the document'}: must be an object")
    for key, value in data.items():
        at = f"{path}.{key}" if path else str(key)
        if key not in known:
            raise InvalidArgument(f"{at}: unknown field; known are {', '.join(sorted(known))}")
        if value is not None:
            _decode_field(message, known[key], value, at)


def _decode_message(message: Any, data: Any, path: str) -> None:
    _decode_into(message, data, path, named(message.DESCRIPTOR))


def _decode_field(message: Any, field: Any, value: Any, path: str) -> None:
    held = getattr(message, field.name)
    try:
        if field.GetOptions().Extensions[options_pb2.json_text]:
            setattr(message, field.name, json.dumps(value, ensure_ascii=False))
        elif field.message_type is not None and field.message_type.GetOptions().map_entry:
            held.update(value)
        elif field.is_repeated and field.message_type is not None:
            for index, one in enumerate(_listed(value)):
                _decode_message(held.add(), one, f"{path}[{index}]")
        elif field.is_repeated:
            held.extend(_listed(value))
        elif field.message_type is not None and field.message_type.full_name == _TIMESTAMP:
            held.FromJsonString(value)
        elif field.message_type is not None:
            held.SetInParent()
            _decode_message(held, value, path)
        elif field.enum_type is not None:
            setattr(message, field.name, _number(field.enum_type, value))
        else:
            setattr(message, field.name, value)
    except (TypeError, ValueError, AttributeError) as error:
        raise InvalidArgument(f"{path}: {error}") from None


def _listed(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise TypeError("must be a list")
    return value


def _number(enum: EnumDescriptor, value: Any) -> int:
    number = number_of(enum, value) if isinstance(value, str) else _own_number(enum, value)
    if not number:
        raise ValueError(f"must be one of {', '.join(words(enum))}")
    return number


def _own_number(enum: EnumDescriptor, number: Any) -> int | None:
    """Returns the value that a number stands for: the published API's, or the value's own."""
    for value in enum.values:
        options = value.GetOptions()
        if options.HasExtension(options_pb2.published_number):
            if options.Extensions[options_pb2.published_number] == number:
                return int(value.number)
        elif value.number and value.number == number:
            return int(value.number)
    return None


def _is_unset(message: Message, field: Any, value: Any) -> bool:
    if field.has_presence:
        return not message.HasField(field.name)
    return field.enum_type is not None and not value


def _read_json(text: str) -> Any:
    """Returns the value that a JSON text holds; a text that is not JSON is shown as it is."""
    if not text:
        return None
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        return text


def _refuse_constant(word: str) -> NoReturn:
    raise ValueError(f"{word} is Python's, not JSON's")


def _encode_many(field: Any, values: Any) -> Any:
    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        of = field.message_type.fields_by_name["value"]
        return {str(key): _encode_one(of, values[key]) for key in values}
    return [_encode_one(field, value) for value in values]


def _encode_one(field: Any, value: Any) -> Any:
    if field.message_type is not None:
        if field.message_type.full_name == _TIMESTAMP:
            moment = datetime.fromtimestamp(value.seconds, UTC)
            return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
        return encode(value)
    if field.enum_type is not None:
        return spell(field.enum_type, value) or _UNSPECIFIED
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    return value


def _prefix(enum: EnumDescriptor) -> str:
    """Returns what all value names of an enum begin with: COMMAND_STATE_ for CommandState."""
    letters = [f"_{letter}" if letter.isupper() else letter for letter in enum.name]
    return "".join(letters).lstrip("_").upper() + "_"
