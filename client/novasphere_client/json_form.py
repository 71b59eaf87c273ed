"""Messages as the JSON that the API's REST routes print, so that `-o json` and curl agree.

Reads the same field options as the gateway's generated codecs; a test compares the two.
"""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any, NoReturn, TypeVar

from google.protobuf.descriptor import EnumDescriptor, FieldDescriptor
from google.protobuf.message import Message
from novasphere.api.v1 import options_pb2

from novasphere_client.errors import InvalidArgument

M = TypeVar("M", bound=Message)

_UNSPECIFIED = "UNSPECIFIED"
_TIMESTAMP = "google.protobuf.Timestamp"
_RANGES = {
    FieldDescriptor.CPPTYPE_INT32: (-(2**31), 2**31 - 1),
    FieldDescriptor.CPPTYPE_INT64: (-(2**63), 2**63 - 1),
    FieldDescriptor.CPPTYPE_UINT32: (0, 2**32 - 1),
    FieldDescriptor.CPPTYPE_UINT64: (0, 2**64 - 1),
}


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
    for key, value in _object(data, path or "the document").items():
        at = f"{path}.{key}" if path else str(key)
        if key not in known:
            raise InvalidArgument(f"{at}: unknown field; known are {', '.join(sorted(known))}")
        if value is not None:
            _decode_field(message, known[key], value, at)


def _decode_message(message: Any, data: Any, path: str) -> None:
    _decode_into(message, data, path, named(message.DESCRIPTOR))


def _decode_field(message: Any, field: Any, value: Any, path: str) -> None:
    held = getattr(message, field.name)
    if field.GetOptions().Extensions[options_pb2.json_text]:
        setattr(message, field.name, _json_text(value, path))
    elif field.message_type is not None and field.message_type.GetOptions().map_entry:
        of = field.message_type.fields_by_name["value"]
        for key, one in _object(value, path).items():
            held[key] = _scalar(of, one, f"{path}.{key}")
    elif field.is_repeated:
        if not isinstance(value, list):
            raise _expected("a list", value, path)
        for index, one in enumerate(value):
            at = f"{path}[{index}]"
            if field.message_type is not None:
                _decode_message(held.add(), one, at)
            else:
                held.append(_scalar(field, one, at))
    elif field.message_type is not None and field.message_type.full_name == _TIMESTAMP:
        try:
            held.FromJsonString(value)
        except (TypeError, ValueError, AttributeError):
            raise InvalidArgument(
                f'{path}: must be a time like "2025-01-21T10:00:00Z" or "2025-01-21T18:00:00+08:00"'
            ) from None
    elif field.message_type is not None:
        held.SetInParent()
        _decode_message(held, value, path)
    else:
        setattr(message, field.name, _scalar(field, value, path))


def _scalar(field: Any, value: Any, path: str) -> Any:
    """Returns a value as a field takes it that is no message. Raises InvalidArgument in REST's words."""
    if field.enum_type is not None:
        return _number(field.enum_type, value, path)
    if field.cpp_type == field.CPPTYPE_STRING:
        if not isinstance(value, str):
            raise _expected("a string", value, path)
        return value
    if field.cpp_type == field.CPPTYPE_BOOL:
        if not isinstance(value, bool):
            raise _expected("true or false", value, path)
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        is_whole = field.cpp_type in _RANGES
        raise _expected("a whole number" if is_whole else "a number", value, path)
    if isinstance(value, float) and not math.isfinite(value):
        raise InvalidArgument(f"{path}: must be a finite number")
    if field.cpp_type not in _RANGES:
        try:
            return float(value)
        except OverflowError:
            raise InvalidArgument(f"{path}: is too large") from None
    if value != int(value):
        raise InvalidArgument(f"{path}: must be a whole number, not a fraction")
    low, high = _RANGES[field.cpp_type]
    if not low <= value <= high:
        raise InvalidArgument(f"{path}: must lie between {low} and {high}")
    return int(value)


def _object(value: Any, path: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _expected("an object", value, path)
    return value


def _json_text(value: Any, path: str) -> str:
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False)
    except ValueError:
        raise InvalidArgument(f"{path}: JSON has no NaN and no infinity") from None


def _expected(what: str, value: Any, path: str) -> InvalidArgument:
    return InvalidArgument(f"{path}: must be {what}, not {kind_of(value)}")


def kind_of(value: Any) -> str:
    """Returns what a value of JSON is, in words."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, str):
        return "a string"
    if isinstance(value, int | float):
        return "a number"
    return "a list" if isinstance(value, list) else "an object"


def _number(enum: EnumDescriptor, value: Any, path: str) -> int:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise _expected("a word", value, path)
    number = number_of(enum, value) if isinstance(value, str) else _own_number(enum, value)
    if not number:
        raise InvalidArgument(f"{path}: must be one of {', '.join(words(enum))}")
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
        return json.loads(text, parse_constant=refuse_constant)
    except (ValueError, RecursionError):
        return text


def refuse_constant(word: str) -> NoReturn:
    """Raises ValueError: for json.loads, which reads NaN and Infinity."""
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
