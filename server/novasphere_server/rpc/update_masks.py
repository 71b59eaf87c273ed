"""Which fields an update changes."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from novasphere_server.errors import InvalidArgument

_ALL = "*"
_SHOWN = 100  # characters of what a client named


def fields(request: Any, changeable: Sequence[str], *, inside: Sequence[str] = ()) -> Collection[str]:
    """Returns those of the changeable fields that `update_mask` names or, where it names none, that are set.
    Of the fields `inside` it may also name parts, as in `config.cmd`. Raises InvalidArgument.
    """
    paths = request.update_mask.paths
    known = ", ".join((*changeable, *(f"{name}.FIELD" for name in inside)))
    descriptors = request.DESCRIPTOR.fields_by_name
    parts = {
        f"{name}.{part}" for name in inside for part in descriptors[name].message_type.fields_by_name
    }
    for path in paths:
        if path != _ALL and path not in changeable and path not in parts:
            raise InvalidArgument("update_mask", f"cannot change {path[:_SHOWN]!r}; it may name {known}")
    whole = {path.partition(".")[0] for path in paths}
    named = [
        name
        for name in changeable
        if (name in whole or _ALL in whole if paths else _is_set(request, name))
    ]
    if not named:
        raise InvalidArgument("update_mask", f"must name what is to change: {known}")
    return named


def _is_set(request: Any, name: str) -> bool:
    has_presence = request.DESCRIPTOR.fields_by_name[name].has_presence
    return bool(request.HasField(name) if has_presence else getattr(request, name))
