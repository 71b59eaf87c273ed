"""Lets tasks go, or cancels them, once what they depend on has ended."""

from __future__ import annotations

import asyncio

from novasphere.schedule.v1 import task_pb2

from novasphere_server import logs
from novasphere_server.core import task_states as states
from novasphere_server.core.dependencies import Dependencies
from novasphere_server.core.tasks import Tasks
from novasphere_server.errors import ApiError

log = logs.get(__name__)

_RETRY = 1.0  # seconds
_AT_ONCE = 500  # ended tasks that are asked about together


class DependencyLoop:
    """Follows tasks that end. Asks the database only while some task depends on others."""

    def __init__(self, dependencies: Dependencies, tasks: Tasks) -> None:
        self._dependencies = dependencies
        self._ended: set[str] | None = None  # not looked at yet; None: everything is to be looked at
        self._has_any = True  # some task may depend on others
        self._has_new = False  # one came since this was last found out
        self._news = asyncio.Event()
        self._news.set()
        tasks.on_change(self._follow)
        tasks.on_missed(self._forget)

    async def run(self) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            try:
                await self.step()
            except ApiError as error:  # the database is away
                log.warning("dependencies are not settled", error=error.message)
                self._ended = None
                self._news.set()
                await asyncio.sleep(_RETRY)

    async def step(self) -> None:
        """Settles what can be settled now."""
        ended, self._ended = self._ended, set()
        if not self._has_any:
            return
        self._has_new = False
        if ended is None:
            await self._dependencies.settle(None)
        else:
            waiting = sorted(ended)
            for start in range(0, len(waiting), _AT_ONCE):
                await self._dependencies.settle(waiting[start : start + _AT_ONCE])
        self._has_any = await self._dependencies.has_any() or self._has_new

    def _forget(self) -> None:
        """Has the next step look at everything."""
        self._ended = None
        self._has_any = True
        self._news.set()

    def _follow(self, run_id: str, stored: task_pb2.StoredTask | None) -> None:
        if stored is not None and stored.task.dependencies:
            self._has_any = self._has_new = True
        if stored is not None and not states.is_terminal(stored.task.state):
            return
        if self._ended is not None:
            # Whatever depends on it may have come in the same commit, and be heard of only after it.
            self._ended.add(run_id)
            self._news.set()
