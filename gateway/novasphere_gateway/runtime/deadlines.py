"""Ends calls that take too long.

A timer of its own costs a call several microseconds, `asyncio.timeout` nearly as much as finding the
route and binding the request. As all calls get the same time, the oldest is always the next to be late,
and one timer looks after all of them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class Deadlines:
    """Gives every call the same time."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._running: dict[asyncio.Task[Any], float] = {}  # when each is late, the oldest first
        self._late: set[asyncio.Task[Any]] = set()
        self._timer: asyncio.TimerHandle | None = None

    async def run(self, call: Coroutine[Any, Any, T]) -> T:
        """Returns what the call returns. Raises TimeoutError."""
        loop = asyncio.get_running_loop()
        task = asyncio.current_task()
        if task is None:  # pragma: no cover - coroutines run in tasks
            raise RuntimeError("no task runs")
        self._running[task] = due = loop.time() + self._seconds
        if self._timer is None:
            self._timer = loop.call_at(due, self._sweep, loop)
        try:
            return await call
        except asyncio.CancelledError:
            if task in self._late:
                self._late.discard(task)
                if task.uncancel() == 0:  # nobody else cancels it too
                    raise TimeoutError from None
            raise
        finally:
            self._running.pop(task, None)
            if task in self._late:  # it ended in spite of the cancellation
                self._late.discard(task)
                task.uncancel()

    def _sweep(self, loop: asyncio.AbstractEventLoop) -> None:
        now = loop.time()
        self._timer = None
        for task, due in list(self._running.items()):
            if due > now:
                self._timer = loop.call_at(due, self._sweep, loop)
                return
            del self._running[task]
            self._late.add(task)
            task.cancel()
