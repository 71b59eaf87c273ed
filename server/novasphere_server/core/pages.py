"""Pages of rows as the schedules face asks for them: which rows, in which order, and which part of them.

What of a row can be asked about is said once per kind: by a table of fields, each with the name that the row
prints, the column that holds it and the type of its values.
"""

from __future__ import annotations

import difflib
import json
import math
import operator
import re
import string
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn, Protocol, TypeAlias, TypeVar

from google.protobuf.descriptor import EnumDescriptor, EnumValueDescriptor
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from novasphere.api.v1 import options_pb2
from novasphere.schedule.v1 import page_pb2

from novasphere_server import errors
from novasphere_server.core import instants
from novasphere_server.core.principals import Principal
from novasphere_server.store.kinds import Kind
from novasphere_server.store.queries import Query

M = TypeVar("M", bound=Message)
Filter: TypeAlias = tuple[str, str, Any]  # column, operator of the store, value

PAGE_SIZE = 20
_MOST_VALUES = 100  # of `in` and `notIn`
_SHOWN = 100  # characters of what a client named
_SECOND = 1_000_000
_INT64 = range(-(2**63), 2**63)

_COMPARISONS: Mapping[str, tuple[str, Callable[[Any, Any], bool]]] = {
    "gt": (">", operator.gt),
    "gte": (">=", operator.ge),
    "lt": ("<", operator.lt),
    "lte": ("<=", operator.le),
}
_NEGATIONS = ("not", "not_in")
_LISTS = ("in", "not_in")
# Of texts: what each asks of the column.
_OF_TEXTS = {
    "contains": "contains",
    "not_contains": "not contains",
    "starts_with": "starts with",
    "not_starts_with": "not starts with",
    "ends_with": "ends with",
    "not_ends_with": "not ends with",
    "contains_ci": "contains ci",
    "not_contains_ci": "not contains ci",
    "starts_with_ci": "starts with ci",
    "not_starts_with_ci": "not starts with ci",
    "ends_with_ci": "ends with ci",
    "not_ends_with_ci": "not ends with ci",
    "ilike": "like",
}
# Of texts, with several values: how many of them must hold what is asked.
_OF_SEVERAL = {
    "contains_any": ("any", "contains"),
    "not_contains_any": ("all", "not contains"),
    "contains_all": ("all", "contains"),
    "not_contains_all": ("any", "not contains"),
    "starts_with_any": ("any", "starts with"),
    "not_starts_with_any": ("all", "not starts with"),
    "ends_with_any": ("any", "ends with"),
    "not_ends_with_any": ("all", "not ends with"),
}
_FOR_TEXTS = frozenset({*_OF_TEXTS, *_OF_SEVERAL, "empty"})
# As the databases do it: A to Z alone.
_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)
_OPERATORS = {
    field.name: field.GetOptions().Extensions[options_pb2.key] or field.name
    for field in page_pb2.Condition.DESCRIPTOR.fields
}


class _Wrong(Exception):
    """A value is not what its field holds; the text says what it must be."""


class Type(Protocol):
    """What the values of a field are."""

    is_ordered: bool

    def read(self, value: Any) -> Any:
        """Returns a JSON value as the next method takes it. Raises _Wrong."""
        ...

    def filter(self, column: str, name: str, values: Sequence[Any]) -> Filter:
        """Returns what an operator means for the column; those of no list have one value."""
        ...


class _Plain:
    """Values that the column holds as they are."""

    is_ordered = True

    def filter(self, column: str, name: str, values: Sequence[Any]) -> Filter:
        match name:
            case "eq":
                return column, "=", values[0]
            case "not":
                return column, "is not", values[0]
            case "in":
                return column, "in", tuple(values)
            case "not_in":
                return column, "not in", tuple(values)
        return column, _COMPARISONS[name][0], values[0]


class Text(_Plain):
    """Texts; `stored` makes of what a row prints what the column holds."""

    def __init__(self, stored: Callable[[str], str] = str) -> None:
        self._stored = stored

    def read(self, value: Any) -> str:
        if not isinstance(value, str):
            _expected("a string", value)
        if "\0" in value:
            raise _Wrong("must not contain NUL characters")
        try:
            value.encode()
        except UnicodeEncodeError:  # half of a pair, which JSON can escape
            raise _Wrong("must be UTF-8") from None
        return self._stored(value)


_PLAIN_TEXT = Text()


class Integer(_Plain):
    """Whole numbers."""

    def read(self, value: Any) -> int:
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int):
            _expected("a whole number", value)
        if value not in _INT64:
            raise _Wrong("is too large")
        return value


_INTEGER = Integer()


class Codes(_Plain):
    """Whole numbers, each of which stands for what the column holds."""

    is_ordered = False

    def __init__(self, stored: Mapping[int, Any]) -> None:
        self._stored = stored

    def read(self, value: Any) -> Any:
        code = _INTEGER.read(value)
        if code not in self._stored:
            raise _Wrong(f"unknown value {code}; known are {', '.join(map(str, self._stored))}")
        return self._stored[code]


class Number(_Plain):
    """Numbers."""

    def read(self, value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            _expected("a number", value)
        try:
            number = float(value)
        except OverflowError:
            number = math.inf
        if not math.isfinite(number):
            raise _Wrong("is too large")
        return number


class Boolean(_Plain):
    """True and false."""

    is_ordered = False

    def read(self, value: Any) -> bool:
        if not isinstance(value, bool):
            _expected("true or false", value)
        return value


class Instant:
    """Instants, which columns hold in microseconds and rows print, and here compare, in whole seconds."""

    is_ordered = True

    def read(self, value: Any) -> int:
        instant = Timestamp()
        try:
            instant.FromJsonString(value)
        except (ValueError, AttributeError):
            raise _Wrong(
                'must be a time like "2025-01-21T10:00:00Z" or "2025-01-21T18:00:00+08:00"'
            ) from None
        return instants.microseconds(instant)

    def filter(self, column: str, name: str, values: Sequence[int]) -> Filter:
        if name not in _COMPARISONS:
            # No row prints a fraction of a second.
            seconds = tuple((us, us + _SECOND) for us in values if us % _SECOND == 0)
            return column, "not within" if name in _NEGATIONS else "within", seconds
        us = values[0]
        floor = us - us % _SECOND
        match name:
            case "gt":
                return column, ">=", floor + _SECOND
            case "gte":
                return column, ">=", us if us == floor else floor + _SECOND
            case "lt":
                return column, "<", us if us == floor else floor + _SECOND
        return column, "<", floor + _SECOND


class Words:
    """An enum's values, by word or by number: the published one, or the value's own.

    `stored` tells which values of the column stand for each of the enum's; by default the same number.
    """

    is_ordered = True

    def __init__(self, enum: Any, stored: Mapping[int, Collection[int]] | None = None) -> None:
        described: EnumDescriptor = enum.DESCRIPTOR
        values = [value for value in described.values if value.number]
        self._words = {value.number: _spelling(value) for value in values}
        self._published = {value.number: _published(value) for value in values}
        self._by_word = {word.lower(): number for number, word in self._words.items()}
        self._by_word |= {
            other.lower(): value.number
            for value in values
            for other in (value.name, *_option(value, options_pb2.other_spellings))
        }
        self._by_number = {n: n for n in self._words} | {p: n for n, p in self._published.items()}
        self._stored = {n: (n,) if stored is None else tuple(stored.get(n, ())) for n in self._words}

    def read(self, value: Any) -> int:
        known: Mapping[Any, int] = {}
        if isinstance(value, str):
            known, value = self._by_word, value.lower()
        elif isinstance(value, int | float) and not isinstance(value, bool):
            known = self._by_number
        else:
            _expected("a word", value)
        if value not in known:
            words = list(self._words.values())
            hint = _nearest(value, words) if isinstance(value, str) else None
            raise _Wrong(
                f"unknown value {json.dumps(value)[:_SHOWN]}; "
                + (f'did you mean "{hint}"?' if hint else f"known are {', '.join(words)}")
            )
        return known[value]

    def filter(self, column: str, name: str, values: Sequence[int]) -> Filter:
        is_negation = name in _NEGATIONS
        chosen = values if is_negation else self.chosen(name, values)
        stored = tuple(sorted({one for number in chosen for one in self._stored[number]}))
        return column, "not in" if is_negation else "in", stored

    def chosen(self, name: str, values: Sequence[int]) -> set[int]:
        """Returns which of the enum's values an operator asks for."""
        if name in _NEGATIONS:
            return set(self._words) - set(values)
        if name not in _COMPARISONS:
            return set(values)
        compare, bound = _COMPARISONS[name][1], self._published[values[0]]
        return {n for n, published in self._published.items() if compare(published, bound)}


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a row, and the column that holds it; without a column, every row prints null. Where
    `empty_is_null` the column has an empty text for what the row prints as null.
    """

    column: str
    type: Type
    empty_is_null: bool = False


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request asks for, in terms of columns. No order: the newest first."""

    filters: tuple[Filter, ...]
    order_by: tuple[str, ...]
    limit: int
    offset: int


def query(
    kind: Kind[M], fields: Mapping[str, Field], request: Any, within: tuple[Filter, ...] = ()
) -> Query[M]:
    """Returns the query for the page that ask() finds, among the rows `within`."""
    asked = ask(fields, request)
    return Query(
        kind,
        filters=(*within, *asked.filters),
        order_by=asked.order_by or ("-id",),
        limit=asked.limit,
        offset=asked.offset,
    )


def ask(fields: Mapping[str, Field], request: Any) -> Asked:
    """Returns what a request asks for by its fields `filter` and `page`. Raises InvalidArgument and UnknownField."""
    spec = request.page
    filters: list[Filter] = []
    for name in sorted(request.filter):
        field = fields.get(name)
        if field is None:
            raise _unknown_field(f"filter.{name[:_SHOWN]}", name, fields)
        filters += _conditions(f"filter.{name}", field, request.filter[name])
    return Asked(
        filters=tuple(filters),
        # What orders nothing leaves all equal.
        order_by=tuple(_ordering(fields, spec.order_by)) or (("id",) if spec.order_by else ()),
        limit=size(spec),
        offset=(number(spec) - 1) * size(spec),
    )


def number(spec: page_pb2.PageSpec) -> int:
    """Returns which page is meant, counted from 1."""
    return spec.page if spec.HasField("page") else 1


def size(spec: page_pb2.PageSpec) -> int:
    """Returns how many rows a page has."""
    return spec.page_size if spec.HasField("page_size") else PAGE_SIZE


def reachable(principal: Principal, column: str = "namespace") -> tuple[Filter, ...]:
    """Returns what keeps a query within the principal's namespaces."""
    if not principal.namespaces:
        return ()
    return ((column, "in", tuple(sorted(principal.namespaces))),)


def _conditions(path: str, field: Field, condition: page_pb2.Condition) -> Iterator[Filter]:
    given = [described.name for described, _ in condition.ListFields()]
    if not given:
        raise errors.InvalidArgument(path, "must name an operator, such as eq, in, gte or contains")
    for name in given:
        value = getattr(condition, name)
        found = tuple(_condition(f"{path}.{_OPERATORS[name]}", field, name, value))
        if field.column:
            yield from found
        else:
            is_met = name in _NEGATIONS or (name in ("null", "empty") and value)
            yield "", "all" if is_met else "any", ()


def _condition(path: str, field: Field, name: str, value: Any) -> Iterator[Filter]:
    """Yields what one operator asks for."""
    column, type_ = field.column, field.type
    if name == "null":
        yield (
            (column, "=" if value else "is not", "") if field.empty_is_null else (column, "null", value)
        )
        return
    if name in _FOR_TEXTS and not isinstance(type_, Text):
        raise errors.InvalidArgument(path, "is an operator for texts alone")
    if name == "empty":
        nothing = ((column, "null", True), (column, "=", ""))
        something = ((column, "null", False), (column, "is not", ""))
        yield ("", "any", nothing) if value else ("", "all", something)
        return
    if name in _OF_TEXTS:
        yield column, _OF_TEXTS[name], _part(name, value)
    else:
        if name in _COMPARISONS and not type_.is_ordered:
            raise errors.InvalidArgument(path, "is an operator for what has an order")
        try:
            yield _asked(field, name, value)
        except _Wrong as wrong:
            raise errors.InvalidArgument(path, str(wrong)) from None
    if field.empty_is_null and name not in _NEGATIONS:
        yield column, "is not", ""


def _asked(field: Field, name: str, value: str) -> Filter:
    """Returns what an operator asks whose value is JSON. Raises _Wrong."""
    if name in _OF_SEVERAL:
        joint, sign = _OF_SEVERAL[name]
        return "", joint, tuple((field.column, sign, part) for part in _parts(name, value))
    return field.type.filter(field.column, name, [field.type.read(one) for one in _values(name, value)])


def _part(name: str, text: str) -> str:
    """Returns what a column's text is compared to."""
    if name == "ilike":
        text = text.replace("\\", "\\\\")  # which would have the next sign stand for itself
    return text.translate(_LOWER) if name == "ilike" or name.endswith("_ci") else text


def _parts(name: str, value: str) -> list[str]:
    """Returns the texts of a list, none of them empty. Raises _Wrong."""
    parts = [_PLAIN_TEXT.read(one) for one in _values(name, value)]
    if "" in parts:
        raise _Wrong("must have no empty elements")
    return parts


def _values(name: str, text: str) -> list[Any]:
    """Returns the JSON values that an operator is given. Raises _Wrong."""
    try:
        value = json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise _Wrong("must be JSON") from None
    if name not in _LISTS and name not in _OF_SEVERAL:
        return [value]
    if not isinstance(value, list):
        _expected("a list", value)
    if not 1 <= len(value) <= _MOST_VALUES:
        raise _Wrong(f"must have 1 to {_MOST_VALUES} elements, not {len(value)}")
    return value


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)


def _ordering(fields: Mapping[str, Field], order_by: Sequence[str]) -> Iterator[str]:
    for index, wanted in enumerate(order_by):
        name = wanted.removeprefix("-")
        if name not in fields:
            raise _unknown_field(f"page.order_by[{index}]", name, fields)
        if column := fields[name].column:
            yield ("-" if wanted != name else "") + column


def _unknown_field(path: str, name: str, fields: Collection[str]) -> errors.UnknownField:
    hint = _nearest(name, fields)
    known = f'did you mean "{hint}"?' if hint else f"known are {', '.join(fields)}"
    description = f"unknown field; {known}"
    violation = errors.Violation(path, description)
    return errors.UnknownField(f"{path}: {description}", violations=(violation,))


def _nearest(name: str, known: Collection[str]) -> str | None:
    return next(iter(difflib.get_close_matches(name[:_SHOWN].lower(), known, n=1)), None)


def _expected(what: str, value: Any) -> NoReturn:
    kinds = {bool: "a boolean", str: "a string", list: "a list", dict: "an object", type(None): "null"}
    raise _Wrong(f"must be {what}, not {kinds.get(type(value), 'a number')}")


def _option(value: EnumValueDescriptor, option: Any) -> Any:
    return value.GetOptions().Extensions[option]


def _spelling(value: EnumValueDescriptor) -> str:
    """Returns the word for a value: as the generator has it, its name without the enum's where none is said."""
    prefix = re.sub("(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", value.type.name).upper()
    return _option(value, options_pb2.spelling) or value.name.removeprefix(f"{prefix}_")


def _published(value: EnumValueDescriptor) -> int:
    options = value.GetOptions()
    is_other = options.HasExtension(options_pb2.published_number)
    return int(options.Extensions[options_pb2.published_number] if is_other else value.number)
