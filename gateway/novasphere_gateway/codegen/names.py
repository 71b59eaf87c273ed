"""How generated modules name each other and what they hold."""

from __future__ import annotations

import keyword

from novasphere_gateway.codegen import schema

MESSAGE_SUFFIX = "_pb2"
GATEWAY_SUFFIX = "_gateway"


def generated_by(file: str) -> str:
    """Returns the first line of a generated module."""
    return f'"""Generated from {file} by protoc-gen-novasphere. Do not edit: change the proto."""'


def attribute(holder: str, name: str) -> str:
    """Returns the expression that reads a field, whose name may be a word of Python."""
    return f"getattr({holder}, {name!r})" if keyword.iskeyword(name) else f"{holder}.{name}"


class Imports:
    """The modules that one generated module imports, under names that cannot clash."""

    def __init__(self, protos: schema.Schema, file: str) -> None:
        self._protos = protos
        self._file = file
        self._used: set[str] = set()

    def _module(self, file: str, suffix: str) -> str:
        module = f"{self._protos.modules[file]}{suffix}"
        self._used.add(module)
        return module.replace(".", "_")

    def message(self, message: schema.Message) -> str:
        """Returns the expression that names a message class."""
        target = self._module(message.file, MESSAGE_SUFFIX)
        for part in message.path:
            target = attribute(target, part)
        return target

    def function(self, prefix: str, item: schema.Message | schema.Enum) -> str:
        """Returns the expression that names a generated function or table of a message or enum."""
        if not self._protos.has_json(item.full_name):
            raise schema.GenerationError(
                f"{self._file} needs the JSON of {item.full_name}, which is or holds a type of Google's "
                "that has none here: hide the field"
            )
        name = f"{prefix}_{item.symbol}"
        return name if item.file == self._file else f"{self._module(item.file, GATEWAY_SUFFIX)}.{name}"

    def lines(self) -> list[str]:
        """Returns the import statements, sorted."""
        return [
            f"from {package} import {name} as {module.replace('.', '_')}"
            if package
            else f"import {name}"
            for module in sorted(self._used)
            for package, _, name in [module.rpartition(".")]
        ]
