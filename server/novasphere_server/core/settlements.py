"""Changes before which there is something to settle, in as many mutations as it takes."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

from novasphere_server import logs
from novasphere_server.core import firings
from novasphere_server.store.store import Store
from novasphere_server.store.transactions import Transaction

R = TypeVar("R")

log = logs.get(__name__)


class Behind(Exception):
    """There is more to settle first than one mutation may."""


async def write(
    store: Store,
    change: Callable[[Transaction], R],
    settle: Callable[[Transaction], bool],
    **options: Any,
) -> R:
    """Returns what a change returns, which raises Behind where there is more to settle before it than fits into its
    mutation; `settle` does as much as one may, and returns whether that was all. A schedule that cannot fire by then
    is stopped, and the change goes on. `options` are those of Store.write().
    """
    is_behind = False
    stopped: set[str] = set()
    while True:
        try:
            if not is_behind:
                return await store.write(change, **options)
            is_behind = not await store.write(settle)
        except Behind:
            is_behind = True
        except firings.CannotFire as stop:
            if stop.schedule_id in stopped:
                raise stop.why from None
            stopped.add(stop.schedule_id)
            why = stop.why.message
            log.warning("a schedule cannot fire", schedule_id=stop.schedule_id, error=why)
            await store.write(partial(firings.stop, schedule_id=stop.schedule_id, why=why))
