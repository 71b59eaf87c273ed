"""Evaluates one Python expression and prints what comes of it.

The expression sees a few functions that compute, opens no file and starts no process. That keeps honest
people from accidents; it is no wall against attackers, which is why no agent runs it unless told to.
"""

from __future__ import annotations

import ast
import builtins
import json
import resource
import sys

_BUILTINS = (
    "abs", "all", "any", "bin", "bool", "bytes", "chr", "complex", "dict", "divmod", "enumerate", "filter",
    "float", "format", "frozenset", "hash", "hex", "int", "isinstance", "iter", "len", "list", "map", "max",
    "min", "next", "oct", "ord", "pow", "range", "repr", "reversed", "round", "set", "slice", "sorted", "str",
    "sum", "tuple", "zip",
)  # fmt: skip
_FORBIDDEN = ("RLIMIT_NOFILE", "RLIMIT_NPROC", "RLIMIT_FSIZE", "RLIMIT_CORE")


def main() -> int:
    with open("../intent.json", encoding="utf-8") as file:
        expression = json.loads(json.load(file)["payload"])["expression"]
    for name in _FORBIDDEN:
        if hasattr(resource, name):
            resource.setrlimit(getattr(resource, name), (0, 0))
    known = {name: getattr(builtins, name) for name in _BUILTINS}
    try:
        tree = ast.parse(expression.strip(), "<expression>", "eval")
        _check_names(tree)
        value = str(eval(compile(tree, "<expression>", "eval"), {"__builtins__": known}))  # noqa: S307
    except Exception as error:  # noqa: BLE001 - whatever the expression brought about
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 1
    sys.stdout.buffer.write(value.encode("utf-8", "replace"))
    sys.stdout.flush()
    return 0


def _check_names(tree: ast.Expression) -> None:
    for node in ast.walk(tree):
        name = getattr(node, "attr", None) or getattr(node, "id", None) or ""
        if name.startswith("__"):
            raise NameError(f"{name!r} begins with two underscores")


if __name__ == "__main__":
    sys.exit(main())
