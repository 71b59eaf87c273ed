"""--sort-by: rows in the order of a field, which is called as -o json calls it."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import typer

if TYPE_CHECKING:
    from google.protobuf.message import Message

M = TypeVar("M", bound="Message")


def by(field: str, items: Sequence[M]) -> list[M]:
    """Returns the items in the order of a field, those without it last; -FIELD turns the order round.

    A field inside another one is called outer.inner.
    """
    from novasphere_client import json_form

    name = field.removeprefix("-")
    if not name or not items:
        return list(items)
    path = name.split(".")
    _check(path, items[0])

    def value(item: M) -> Any:
        found: Any = json_form.encode(item)
        for key in path:
            found = found.get(key) if isinstance(found, dict) else None
        return found

    pairs = [(value(item), item) for item in items]
    known = [(found, item) for found, item in pairs if found is not None]
    known.sort(key=lambda pair: pair[0], reverse=field.startswith("-"))
    return [item for _, item in known] + [item for found, item in pairs if found is None]


def _check(path: Sequence[str], item: Message) -> None:
    """Refuses a field that is not there, or that has no order."""
    from novasphere_client import json_form

    descriptor: Any = item.DESCRIPTOR
    for number, key in enumerate(path):
        fields = json_form.fields(descriptor) if descriptor is not None else {}
        field = fields.get(key)
        if field is None:
            near = difflib.get_close_matches(key, fields, 1)
            meant = f"; did you mean {near[0]!r}?" if near else ""
            raise typer.BadParameter(f"--sort-by: there is no field {'.'.join(path)!r}{meant}")
        descriptor = field.message_type
        if descriptor is not None and descriptor.GetOptions().map_entry and number + 1 < len(path):
            return  # whose keys are their owner's choice
        if descriptor is not None and descriptor.full_name == "google.protobuf.Timestamp":
            descriptor = None
        elif number + 1 == len(path) and (descriptor is not None or field.is_repeated):
            raise typer.BadParameter(
                f"--sort-by: {'.'.join(path)!r} has no order; name a field inside it"
            )
