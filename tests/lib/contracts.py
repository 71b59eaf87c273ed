"""What the published APIs print of their endpoints, and whether an answer has its shape."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

TYPES: dict[str, type | tuple[type, ...]] = {
    "string": str, "string(date-time)": str, "string(uuid)": str, "integer": int,
    "number": (int, float), "boolean": bool, "object": dict, "array": list,
    "null": (type(None), str, int, dict, list),
}  # fmt: skip


@dataclass(frozen=True)
class Contract:
    """The endpoints of one file. `free` are the fields whose content is a client's own."""

    file: Path
    free: Sequence[str] = ()
    endpoints: dict[str, dict[str, Any]] = field(init=False)

    def __post_init__(self) -> None:
        listed = json.loads(self.file.read_text())["endpoints"]
        named = {f"{endpoint['method']} {endpoint['path']}": endpoint for endpoint in listed}
        object.__setattr__(self, "endpoints", named)

    def assert_shape(self, answer: Any, endpoint: str) -> None:
        """Asserts that every published field is there, with its published JSON type."""
        for path, type_name in self.endpoints[endpoint]["fields"].items():
            if any(f"{name}." in path for name in self.free):
                continue
            for value in at(answer, path):
                assert isinstance(value, TYPES[type_name]), (
                    f"{endpoint} {path}: {value!r} is no {type_name}"
                )
                assert not (type_name in ("integer", "number") and isinstance(value, bool)), path
                if type_name == "string(date-time)":
                    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", value), (
                        f"{endpoint} {path}: {value!r} is not in whole seconds of UTC"
                    )


def at(value: Any, path: str) -> list[Any]:
    """Returns what stands at a dotted path; `[]` steps into every element of a list."""
    found = [value]
    for step in path.split("."):
        name, is_list = step.removesuffix("[]"), step.endswith("[]")
        found = [item[name] if name else item for item in found]
        if is_list:
            assert all(found), f"{path}: an empty list shows nothing"
            found = [element for item in found for element in item]
    return found
