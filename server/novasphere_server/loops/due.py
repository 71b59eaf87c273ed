"""Lets waiting tasks go when their time has come."""

from __future__ import annotations

import asyncio
import contextlib

from novasphere.schedule.v1 import task_pb2

from novasphere_server import logs
from novasphere_server.clock import Clock
from novasphere_server.core import tasks
from novasphere_server.core.links import Links
from novasphere_server.core.tasks import Tasks
from novasphere_server.errors import ApiError

log = logs.get(__name__)

_LONGEST = 60.0  # seconds; the wall clock may be set meanwhile
_RETRY = 1.0


class DueLoop:
    """Sleeps until the next task is due, and asks the database only then.

    What another server lets go is not in the log: where there are others, this one looks for it now and then.
    """

    def __init__(
        self, tasks: Tasks, links: Links, clock: Clock, *, is_shared: bool, period: float
    ) -> None:
        self._tasks = tasks
        self._links = links
        self._clock = clock
        self._is_shared = is_shared
        self._longest = period if is_shared else _LONGEST
        self._has_begun = False
        self._next_us: int | None = 0  # nothing is due before it; None: nothing waits for its time
        self._news = asyncio.Event()
        tasks.on_change(self._follow)
        tasks.on_missed(self._forget)

    async def run(self) -> None:
        while True:
            pause = _RETRY
            try:
                pause = await self.step()
            except ApiError as error:  # the database is away
                log.warning("due tasks are not let go", error=error.message)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._news.wait()
            self._news.clear()

    async def step(self) -> float:
        """Lets go what is due. Returns for how many seconds nothing will be."""
        while self._next_us is not None and self._next_us <= self._clock.now_us():
            # Before the look: a task that comes meanwhile must not be overlooked.
            self._next_us = None
            try:
                node_uids, next_us = await self._tasks.release_due()
                self._note(next_us)
                self._links.expect_own(node_uids)
            except BaseException:
                self._next_us = 0
                raise
        if self._is_shared or not self._has_begun:
            self._links.expect(await self._tasks.waiting_demands())
            self._has_begun = True
        if self._is_shared:
            self._links.expect_own(await self._tasks.waited_for(self._links.idle_nodes))
        if self._next_us is None:
            return self._longest
        return min(self._longest, max(0.0, (self._next_us - self._clock.now_us()) / 1_000_000))

    def _follow(self, _: str, stored: task_pb2.StoredTask | None) -> None:
        if stored is None or stored.task.state != task_pb2.WORK_STATE_PENDING:
            return
        due_us = tasks.due_us(stored.task)
        if due_us > self._clock.now_us():
            self._note(due_us)

    def _forget(self) -> None:
        """Has the next step ask the database what is due, and what waits."""
        self._next_us = 0
        self._has_begun = False
        self._news.set()

    def _note(self, due_us: int | None) -> None:
        if due_us is not None and (self._next_us is None or due_us < self._next_us):
            self._next_us = due_us
            self._news.set()
