"""How often Python looks for garbage in cycles: seldom, for next to nothing that a server drops is in one."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

# Objects that are made, less those that are gone, before the youngest are looked at; how many such looks before the
# next older are, too; and how many of those before all are. A batch of mutations alone makes tens of thousands
# that live until its commit: by default (700, 10, 10) they would be looked at again and again, a tenth of its time.
_THRESHOLDS = (10_000, 20, 50)


@contextmanager
def not_looked_for() -> Iterator[None]:
    """Has the block run without looks: what imports make lives as long as the process."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def look_seldom() -> None:
    """Sets what exists by now apart, for as long as the process lives, and has the rest looked at seldom."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_THRESHOLDS)
