"""Keeps modules out of the agent's memory that others import and the agent has no use for."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def hidden(*names: str) -> Iterator[None]:
    """Has imports of these modules fail for a while, for those who can do without; what is loaded stays."""
    unloaded = [name for name in names if name not in sys.modules]
    for name in unloaded:
        sys.modules[name] = None  # type: ignore[assignment]  # makes the import fail, as documented
    try:
        yield
    finally:
        for name in unloaded:
            del sys.modules[name]
