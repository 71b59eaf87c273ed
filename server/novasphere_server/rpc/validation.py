"""Checks requests against the `rules` of their fields, once for every transport.

Rules become closures when the server starts; a request type whose fields have no rules costs nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from google.protobuf import message_factory
from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from novasphere.api.v1 import options_pb2

from novasphere_server.errors import InvalidArgument, Violation

Validate = Callable[[Any], None]
_Check = Callable[[Any, str, list[Violation]], None]
# In the order of the fields, each with the number of a field that can only be wrong where it is set; most are not.
_Checks = list[tuple[int, _Check]]
_Judge = Callable[[Any], str]  # what is wrong with one value, or ""

_MAX_VIOLATIONS = 20
# No name holds one, and not every database keeps one in a text.
_NUL = "\0"
NO_NUL = "must not contain NUL characters"
_TIMESTAMP = Timestamp.DESCRIPTOR.full_name
# The seconds of the years 1 to 9999, which is what a Timestamp may hold; its wire format holds more.
_CALENDAR = range(-62_135_596_800, 253_402_300_800)


class Validators:
    """The validators of all request types, compiled on first use."""

    def __init__(self) -> None:
        self._checks: dict[Descriptor, _Checks] = {}
        self._unfinished: set[Descriptor] = set()

    def of(self, message_type: type[Message]) -> Validate | None:
        """Returns a function that raises InvalidArgument, or None if nothing can be wrong."""
        descriptor: Any = message_type.DESCRIPTOR
        checks = self._compile(descriptor)
        if not checks:
            return None

        def validate(message: Message) -> None:
            violations: list[Violation] = []
            _run(checks, message, "", violations)
            if violations:
                first, *more = violations[:_MAX_VIOLATIONS]
                raise InvalidArgument(first.field, first.description, *more)

        return validate

    def _compile(self, descriptor: Descriptor) -> _Checks:
        known = self._checks.get(descriptor)
        if known is not None:
            return known
        # Filed before it is filled: a message may contain itself.
        checks = self._checks[descriptor] = []
        self._unfinished.add(descriptor)
        empty = message_factory.GetMessageClass(descriptor)()
        for field in descriptor.fields:
            for check in (_field_check(field), _map_check(field), self._nested_check(field)):
                if check is not None:
                    found: list[Violation] = []
                    check(empty, "", found)
                    checks.append((0 if found else field.number, check))
        self._unfinished.remove(descriptor)
        return checks

    def _nested_check(self, field: FieldDescriptor) -> _Check | None:
        if field.message_type is None:
            return None
        name = field.name
        if _is_map(field):
            inner_field = field.message_type.fields_by_name["value"]
            if inner_field.message_type is None:
                return None
            inner = self._compile(inner_field.message_type)

            def check_map(message: Any, path: str, violations: list[Violation]) -> None:
                for name_, value in getattr(message, name).items():
                    _run(inner, value, f"{path}{name}.{name_}.", violations)

            return check_map if inner else None
        inner = self._compile(field.message_type)
        if not inner and field.message_type not in self._unfinished:
            return None
        if field.is_repeated:

            def check_elements(message: Any, path: str, violations: list[Violation]) -> None:
                for index, value in enumerate(getattr(message, name)):
                    _run(inner, value, f"{path}{name}[{index}].", violations)

            return check_elements

        def check_member(message: Any, path: str, violations: list[Violation]) -> None:
            if message.HasField(name):
                _run(inner, getattr(message, name), f"{path}{name}.", violations)

        return check_member


def _run(checks: _Checks, message: Any, path: str, violations: list[Violation]) -> None:
    present = {field.number for field, _ in message.ListFields()}
    for number, check in checks:
        if not number or number in present:
            check(message, path, violations)


def enum_words(enum: EnumDescriptor) -> list[str]:
    """Returns the enum's values as the JSON API spells them, without the unspecified one."""
    prefix = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", enum.name).upper() + "_"
    return [
        value.GetOptions().Extensions[options_pb2.spelling] or value.name.removeprefix(prefix)
        for value in enum.values
        if value.number
    ]


def _is_map(field: FieldDescriptor) -> bool:
    return bool(
        field.message_type is not None
        and field.message_type.GetOptions().map_entry
        and field.is_repeated
    )


def _field_check(field: FieldDescriptor) -> _Check | None:
    rules = field.GetOptions().Extensions[options_pb2.rules]
    whole, each = _judges(field, rules)
    if not (rules.required or whole or each):
        return None
    name, required = field.name, rules.required
    has_presence = field.has_presence
    if whole == [_without_nul] and not (each or has_presence or field.is_repeated):
        return _text_check(name, required=required)
    is_list = field.is_repeated and not _is_map(field)
    is_message = field.message_type is not None and not field.is_repeated

    def check(message: Any, path: str, violations: list[Violation]) -> None:
        if has_presence and not message.HasField(name):
            if required:
                violations.append(Violation(path + name, "must be set"))
            return
        value = getattr(message, name)
        if required and not is_message and not value:
            violations.append(Violation(path + name, "must be set"))
            return
        for judge in whole:
            wrong = judge(value)
            if wrong:
                violations.append(Violation(path + name, wrong))
        if each:
            for index, element in enumerate(value) if is_list else ((None, value),):
                where = path + name if index is None else f"{path}{name}[{index}]"
                violations.extend(Violation(where, wrong) for judge in each if (wrong := judge(element)))

    return check


def _text_check(name: str, *, required: bool) -> _Check:
    """Returns what judges a text of any length: most requests consist of such, and nothing else."""

    def check(message: Any, path: str, violations: list[Violation]) -> None:
        text = getattr(message, name)
        if _NUL in text:
            violations.append(Violation(path + name, NO_NUL))
        elif required and not text:
            violations.append(Violation(path + name, "must be set"))

    return check


def _map_check(field: FieldDescriptor) -> _Check | None:
    """Returns what judges the texts of a map."""
    if field.message_type is None or not _is_map(field):
        return None
    name = field.name
    key, value = (field.message_type.fields_by_name[part] for part in ("key", "value"))
    texts = [part.type == FieldDescriptor.TYPE_STRING for part in (key, value)]
    if not any(texts):
        return None

    def check(message: Any, path: str, violations: list[Violation]) -> None:
        for entry in getattr(message, name).items():
            if any(is_text and _NUL in part for part, is_text in zip(entry, texts, strict=True)):
                violations.append(Violation(path + name, NO_NUL))
                return

    return check


def _judges(
    field: FieldDescriptor, rules: options_pb2.FieldRules
) -> tuple[Sequence[_Judge], Sequence[_Judge]]:
    """Returns what judges the field as a whole, and what judges each of its elements."""
    whole: list[_Judge] = []
    each: list[_Judge] = []
    unit = _unit(field)
    if rules.HasField("min_length"):
        whole.append(_at_least_long(rules.min_length, unit))
    if rules.HasField("max_length"):
        whole.append(_at_most_long(rules.max_length, unit))
    if rules.HasField("minimum"):
        each.append(_at_least(rules.minimum))
    if rules.HasField("maximum"):
        each.append(_at_most(rules.maximum))
    if rules.pattern:
        each.append(_matches(rules.pattern, rules.pattern_meaning))
    elif field.type == FieldDescriptor.TYPE_STRING:
        (each if field.is_repeated else whole).append(_without_nul)
    if field.enum_type is not None:
        each.append(_known(field.enum_type))
    if field.message_type is not None and field.message_type.full_name == _TIMESTAMP:
        each.append(_instant)
    return whole, each


def _unit(field: FieldDescriptor) -> str:
    if field.is_repeated:
        return "elements"
    return "bytes" if field.type == FieldDescriptor.TYPE_BYTES else "characters"


def _at_least_long(least: int, unit: str) -> _Judge:
    return lambda value: (
        f"must have at least {least} {unit}, not {len(value)}" if len(value) < least else ""
    )


def _at_most_long(most: int, unit: str) -> _Judge:
    return lambda value: (
        f"must have at most {most} {unit}, not {len(value)}" if len(value) > most else ""
    )


def _without_nul(value: str) -> str:
    return NO_NUL if _NUL in value else ""


# Written so that NaN, which compares false with everything, is refused.
def _at_least(least: float) -> _Judge:
    return lambda value: "" if value >= least else f"must be at least {least:.15g}, not {value}"


def _at_most(most: float) -> _Judge:
    return lambda value: "" if value <= most else f"must be at most {most:.15g}, not {value}"


def _matches(pattern: str, meaning: str) -> _Judge:
    match = re.compile(pattern).fullmatch
    wanted = f"must consist of {meaning}" if meaning else f"must match {pattern}"
    return lambda value: "" if not value or match(value) else wanted


def _known(enum: EnumDescriptor) -> _Judge:
    numbers = frozenset(enum.values_by_number)
    wanted = f"must be one of {', '.join(enum_words(enum))}"
    return lambda value: "" if value in numbers else f"{wanted}, not {value}"


def _instant(value: Timestamp) -> str:
    if value.seconds in _CALENDAR and 0 <= value.nanos < 1_000_000_000:
        return ""
    return "must be an instant between the years 1 and 9999"
