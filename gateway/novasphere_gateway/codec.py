"""The primitives of generated encoders and decoders: one function a kind of value.

Decoding functions take the value, the path of the object that holds it ("" at the root) and its key, so
that an error can name it; the path is only put together when there is an error. JSON numbers stay
numbers: a string is never read as one, and true is not 1.
"""

from __future__ import annotations

import base64
import binascii
import difflib
import heapq
import json
import math
import re
import struct
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any, Final, TypeVar

import orjson
from google.protobuf.duration_pb2 import Duration
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.json_format import MessageToDict, ParseDict, ParseError
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from novasphere_gateway.model import BindError, Violation

M = TypeVar("M", bound=Message)

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_DAY: Final = date(1970, 1, 1).toordinal()
_RFC_3339: Final = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:\.(\d{1,9})\d*)?([Zz]|[+-]\d\d:\d\d)", re.ASCII
)
_DURATION: Final = re.compile(r"(-?)(\d{1,12})(?:\.(\d{1,9}))?s", re.ASCII)
_INTEGER: Final = re.compile(r"-?\d{1,20}", re.ASCII)
_NUMBER: Final = re.compile(r"-?\d+(\.\d+)?([eE][+-]?\d+)?", re.ASCII)
# What an error tells of unknown names: finding the nearest known one grows with the name's length.
_NAMES: Final = 20
_NAME_LENGTH: Final = 64
_RANGES: Final = {
    "int32": (-(2**31), 2**31 - 1),
    "int64": (-(2**63), 2**63 - 1),
    "uint32": (0, 2**32 - 1),
    "uint64": (0, 2**64 - 1),
}


# Errors.


def at(path: str, key: str) -> str:
    """Returns the path of `key` inside the object at `path`; of the object itself for an empty key."""
    return f"{path}.{key}" if path and key else path or key


def element(path: str, key: str, index: int) -> str:
    """Returns the path of one element of the list at `key`."""
    return f"{at(path, key)}[{index}]"


def invalid(path: str, key: str, description: str) -> BindError:
    """Returns the error that the value at `key` is not acceptable."""
    return BindError("INVALID_ARGUMENT", [Violation(at(path, key), description)])


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, str):
        return "a string"
    if isinstance(value, int | float):
        return "a number"
    return "a list" if isinstance(value, list) else "an object"


def expected(what: str, value: Any, path: str, key: str) -> BindError:
    """Returns the error that the value is of another kind."""
    return invalid(path, key, f"must be {what}, not {_kind(value)}")


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Returns the known name that `name` was probably meant to be."""
    if len(name) > _NAME_LENGTH:
        return None
    by_lower = {k.lower(): k for k in sorted(known, reverse=True)}
    close = difflib.get_close_matches(name.lower(), by_lower, n=1, cutoff=0.65)
    return by_lower[close[0]] if close else None


def _unknown(names: Collection[str], known: Collection[str], path: str, what: str) -> BindError:
    def description(name: str) -> str:
        meant = nearest(name, known)
        if meant is not None:
            return f'unknown {what}; did you mean "{meant}"?'
        return f"unknown {what}; known are {', '.join(sorted(known))}" if known else f"unknown {what}"

    violations = [
        Violation(at(path, name[:_NAME_LENGTH]), description(name))
        for name in heapq.nsmallest(_NAMES, names)
    ]
    return BindError("UNKNOWN_FIELD", violations)


def unknown_keys(data: Mapping[str, Any], known: Collection[str], path: str) -> BindError:
    """Returns the error that names the unknown keys of an object, each with the nearest known one."""
    return _unknown([k for k in data if k not in known], known, path, "field")


def unknown_parameters(names: Collection[str], known: Collection[str]) -> BindError:
    """Returns the error that names unknown query parameters, each with the nearest known one."""
    return _unknown(names, known, "", "parameter")


def not_an_object(value: Any, path: str) -> BindError:
    """Returns the error that an object was wanted; at the root, the whole body is wrong."""
    if path:
        return expected("an object", value, path, "")
    return BindError("MALFORMED_BODY", [], f"the body must be a JSON object, not {_kind(value)}")


# The shape of objects.


def exclusive(data: Mapping[str, Any], members: tuple[tuple[str, ...], ...], path: str) -> None:
    """Raises when more than one member of a oneof is set. `members` holds the names of each."""
    given = [n for names in members for n in names if data.get(n) is not None]
    if len(given) > 1:
        together = " and ".join(given)
        raise BindError(
            "INVALID_ARGUMENT",
            [Violation(at(path, n), f"only one of {together} may be set") for n in given],
        )


def pick(data: Mapping[str, Any], names: tuple[str, ...], path: str) -> tuple[str, Any]:
    """Returns the value that came under any of a field's names, and that name; None: there is none."""
    found = [n for n in names if data.get(n) is not None]
    if len(found) > 1:
        raise invalid(path, found[1], f"is another name of {found[0]}: give one of them")
    return (found[0], data[found[0]]) if found else (names[0], None)


def items(value: Any, path: str, key: str) -> list[Any]:
    """Returns a list as it is."""
    if value.__class__ is not list:
        raise expected("a list", value, path, key)
    return value


def pairs(value: Any, path: str, key: str) -> dict[str, Any]:
    """Returns an object as it is."""
    if value.__class__ is not dict:
        raise expected("an object", value, path, key)
    return value


def in_full(value: Any, key: str) -> Any:
    """Returns the object that a text stands for; anything else as it is."""
    return {key: value} if value.__class__ is str else value


def body(
    decode: Callable[[Any, str, frozenset[str]], M], known: frozenset[str], bound: frozenset[str]
) -> Callable[[Any, str], M]:
    """Returns a decoder of bodies that takes the keys `known` and tells why it refuses `bound`."""

    def decode_body(value: Any, path: str) -> M:
        if bound and value.__class__ is dict and not bound.isdisjoint(value):
            raise BindError(
                "UNKNOWN_FIELD",
                [
                    Violation(at(path, k), "is given by the path; leave it out of the body")
                    for k in sorted(bound.intersection(value))
                ],
            )
        return decode(value, path, known)

    return decode_body


def body_field(
    request: type[M], name: str, decode: Callable[[Any, str], Message]
) -> Callable[[Any, str], M]:
    """Returns a decoder of bodies that fill one field of the request."""

    def decode_body(value: Any, path: str) -> M:
        message = request()
        getattr(message, name).CopyFrom(decode(value, path))
        return message

    return decode_body


# Numbers, words and bytes.


def string(value: Any, path: str, key: str) -> str:
    if value.__class__ is not str:
        raise expected("a string", value, path, key)
    return value


def boolean(value: Any, path: str, key: str) -> bool:
    if value is True or value is False:
        return value
    raise expected("true or false", value, path, key)


def integer(value: Any, kind: str, path: str, key: str) -> int:
    """Returns a whole number within the range of `kind`; 3.0 is one."""
    if value.__class__ is float and value.is_integer():
        value = int(value)
    if value.__class__ is not int:
        what = "not a fraction" if value.__class__ is float else f"not {_kind(value)}"
        raise invalid(path, key, f"must be a whole number, {what}")
    low, high = _RANGES[kind]
    if not low <= value <= high:
        raise invalid(path, key, f"must lie between {low} and {high}")
    return value


def int32(value: Any, path: str, key: str) -> int:
    # Compared first: nearly every value passes here.
    if value.__class__ is int and -0x80000000 <= value <= 0x7FFFFFFF:
        return value
    return integer(value, "int32", path, key)


def int64(value: Any, path: str, key: str) -> int:
    return integer(value, "int64", path, key)


def uint32(value: Any, path: str, key: str) -> int:
    return integer(value, "uint32", path, key)


def uint64(value: Any, path: str, key: str) -> int:
    return integer(value, "uint64", path, key)


def double(value: Any, path: str, key: str) -> float:
    if value.__class__ is float or value.__class__ is int:
        try:
            return float(value)
        except OverflowError:
            raise invalid(path, key, "is too large") from None
    raise expected("a number", value, path, key)


def single(value: Any, path: str, key: str) -> float:
    """Returns a number that a 32-bit float can hold, rounded or not."""
    number = double(value, path, key)
    try:
        struct.pack("<f", number)
    except OverflowError:
        raise invalid(path, key, "is too large") from None
    return number


def print_single(value: float) -> float | None:
    """Returns the shortest decimal that reads back as the same 32-bit float."""
    if not math.isfinite(value):
        return None
    for digits in range(6, 9):
        shorter = float(f"{value:.{digits}g}")
        if struct.pack("<f", shorter) == struct.pack("<f", value):
            return shorter
    return float(f"{value:.9g}")


def data(value: Any, path: str, key: str) -> bytes:
    """Reads base64, in the standard or the URL-safe alphabet, padded or not."""
    text = string(value, path, key).translate(_URL_SAFE).rstrip("=")
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise invalid(path, key, "must be base64") from None


_URL_SAFE: Final = str.maketrans("-_", "+/")


def print_data(value: bytes) -> str:
    """Returns base64."""
    return binascii.b2a_base64(value, newline=False).decode("ascii")


def json_value(data: bytes | str) -> Any:
    """Returns the value of a JSON document, whole numbers of up to 308 digits exactly. Raises orjson.JSONDecodeError
    and RecursionError.
    """
    value = orjson.loads(data)
    # Beyond 64 bits orjson reads them as fractions, those of more digits not at all.
    text = data if isinstance(data, str) else data.decode()
    return json.loads(text) if _LONG_NUMBER.search(text) else value


_LONG_NUMBER: Final = re.compile(r"\d{19}")


def json_text(value: Any) -> str:
    """Returns a JSON value as text. Raises RecursionError."""
    try:
        return orjson.dumps(value).decode()
    except TypeError:  # a whole number beyond 64 bits, or more than 254 levels
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def print_json(text: str) -> Any:
    """Returns the JSON value that a text holds, digit for digit; None for an empty text.

    A text that is not JSON is printed as a string: the reader sees what is stored, and the document
    stays valid. It stays one line too, as rows of streams must: JSON's strings hold no raw line breaks.
    """
    if not text:
        return None
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError:
        return text
    return orjson.Fragment(text.replace("\n", " ").replace("\r", " "))


class Words:
    """The words of an enum.

    `printed` says how each number is printed; `read` holds more words that are understood: declared
    names, with and without the enum's prefix. Reading does not care for letter case, and refuses zero:
    who means the unspecified value leaves the field out. `published` holds more numbers that are understood.
    """

    __slots__ = ("_known", "_numbers", "_read", "get", "printed")

    def __init__(
        self,
        printed: Mapping[int, str],
        read: Mapping[str, int],
        published: Mapping[int, int] | None = None,
    ) -> None:
        self.printed = dict(printed)
        self.get = self.printed.get  # words.get(n, n): a number that has no word is printed as it is
        self._known = [word for number, word in self.printed.items() if number]
        # By any number: 1.0 finds what 1 finds.
        self._numbers: dict[Any, int] = {number: number for number in read.values() if number}
        self._numbers.update(published or {})
        words = [*read.items(), *((word, number) for number, word in self.printed.items())]
        self._read = {word.lower(): number for word, number in words if number}

    def print(self, number: int) -> str | int:
        """Returns the word of a number; the number where it has none."""
        return self.get(number, number)

    def read(self, value: Any, path: str, key: str) -> int:
        """Returns the number of a word, or of a number: its own, or the published API's."""
        if value.__class__ is str:
            number = self._read.get(value.lower())
            if number is not None:
                return number
            raise self._unknown(f'"{value[:_NAME_LENGTH]}"', nearest(value, self._known), path, key)
        if value.__class__ is int or value.__class__ is float:
            number = self._numbers.get(value)
            if number is not None:
                return number
            raise self._unknown(str(value), None, path, key)
        raise expected("a word", value, path, key)

    def _unknown(self, value: str, meant: str | None, path: str, key: str) -> BindError:
        hint = f'did you mean "{meant}"?' if meant else f"known are {', '.join(self._known)}"
        return invalid(path, key, f"unknown value {value}; {hint}")


# Times.


@lru_cache(maxsize=512)
def _print_day(day: int) -> str:
    try:
        return date.fromordinal(day + _EPOCH_DAY).isoformat()
    except (ValueError, OverflowError):
        # Outside years 1 to 9999, which no client can have sent: still no reason to fail a whole answer.
        return "0001-01-01" if day < 0 else "9999-12-31"


@lru_cache(maxsize=8192)
def print_seconds(seconds: int) -> str:
    """Returns seconds since the Unix epoch as "YYYY-MM-DDTHH:MM:SSZ"."""
    day, rest = divmod(seconds, 86400)
    hours, rest = divmod(rest, 3600)
    minutes, rest = divmod(rest, 60)
    return f"{_print_day(day)}T{hours:02}:{minutes:02}:{rest:02}Z"


def timestamp(value: Any, path: str, key: str) -> Timestamp:
    """Reads an RFC 3339 time with any offset; digits past the nanosecond are dropped."""
    match = _RFC_3339.fullmatch(value) if value.__class__ is str else None
    if match is not None:
        day, time, fraction, offset = match.groups()
        try:
            moment = datetime.fromisoformat(f"{day}T{time}{'+00:00' if offset in 'Zz' else offset}")
            seconds = (moment - _EPOCH) // timedelta(seconds=1)
        except (ValueError, OverflowError):
            match = None
        else:
            if -62135596800 <= seconds <= 253402300799:
                return Timestamp(seconds=seconds, nanos=int((fraction or "").ljust(9, "0")))
    description = 'must be a time like "2025-01-21T10:00:00Z" or "2025-01-21T18:00:00+08:00"'
    if value.__class__ is str and _RFC_3339.fullmatch("+".join(value.rsplit(" ", 1))):
        description += '; in a URL, write the "+" as %2B'
    raise BindError("INVALID_TIME_FORMAT", [Violation(at(path, key), description)])


def duration(value: Any, path: str, key: str) -> Duration:
    """Reads seconds with an "s" behind them: "1.5s"."""
    match = _DURATION.fullmatch(value) if value.__class__ is str else None
    if match is None:
        raise invalid(path, key, 'must be a duration like "1.5s"')
    sign = -1 if match[1] else 1
    seconds = sign * int(match[2])
    if abs(seconds) > 315576000000:
        raise invalid(path, key, "is too long")
    return Duration(seconds=seconds, nanos=sign * int((match[3] or "").ljust(9, "0")))


def print_duration(value: Duration) -> str:
    """Returns seconds with an "s" behind them."""
    return value.ToJsonString()


def field_mask(value: Any, path: str, key: str) -> FieldMask:
    """Reads names of fields, in a list or between commas, as the API spells them: protobuf would have them in
    camel case.
    """
    if value.__class__ is list:
        names = [string(name, element(path, key, i), "") for i, name in enumerate(value)]
    elif value.__class__ is str:
        names = value.split(",")
    else:
        raise expected("a list of strings, or a string", value, path, key)
    return FieldMask(paths=[stripped for name in names if (stripped := name.strip())])


def print_field_mask(value: FieldMask) -> str:
    """Returns names of fields between commas."""
    return ",".join(value.paths)


def well_known(value: Any, message: Message, path: str, key: str) -> None:
    """Reads a Struct, a wrapper or their like, in protobuf's own JSON form, into `message`."""
    message.SetInParent()
    try:
        ParseDict(value, message)
    except (ParseError, ValueError, TypeError):
        raise invalid(path, key, f"cannot be read as {message.DESCRIPTOR.full_name}") from None


def empty(value: Any, message: Message, path: str, key: str) -> None:
    """Reads {} into a google.protobuf.Empty."""
    if value != {}:
        raise invalid(path, key, "must be {}")
    message.SetInParent()


def print_well_known(message: Message) -> Any:
    """Returns such a message in protobuf's own JSON form."""
    return MessageToDict(message)


# Text: query parameters, headers, path variables and the keys of maps.


def parse_string(text: str, name: str) -> str:
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:  # bytes that were no UTF-8 in a header
            raise invalid("", name, "must be UTF-8") from None
    return text


def _parse_integer(text: str, kind: str, name: str) -> int:
    if not _INTEGER.fullmatch(text):
        raise invalid("", name, "must be a whole number")
    return integer(int(text), kind, "", name)


def parse_int32(text: str, name: str) -> int:
    return _parse_integer(text, "int32", name)


def parse_int64(text: str, name: str) -> int:
    return _parse_integer(text, "int64", name)


def parse_uint32(text: str, name: str) -> int:
    return _parse_integer(text, "uint32", name)


def parse_uint64(text: str, name: str) -> int:
    return _parse_integer(text, "uint64", name)


def parse_double(text: str, name: str) -> float:
    if not _NUMBER.fullmatch(text):
        raise invalid("", name, "must be a number")
    number = float(text)
    if not math.isfinite(number):
        raise invalid("", name, "is too large")
    return number


def parse_float(text: str, name: str) -> float:
    return single(parse_double(text, name), "", name)


def parse_bool(text: str, name: str) -> bool:
    if text in {"true", "1"}:
        return True
    if text in {"false", "0"}:
        return False
    raise invalid("", name, "must be true or false")


def parse_timestamp(text: str, name: str) -> Timestamp:
    return timestamp(text, "", name)


def parse_duration(text: str, name: str) -> Duration:
    return duration(text, "", name)


def parse_field_mask(text: str, name: str) -> FieldMask:
    return field_mask(text, "", name)


def parse_bytes(text: str, name: str) -> bytes:
    return data(text, "", name)


def parse_enum(words: Words) -> Any:
    """Returns a function that parses words and numbers of an enum."""

    def parse(text: str, name: str) -> int:
        return words.read(int(text) if _INTEGER.fullmatch(text) else text, "", name)

    return parse
