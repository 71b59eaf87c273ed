"""Fires schedules when their times have come."""

from __future__ import annotations

import asyncio
import contextlib

from novasphere.schedule.v1 import task_pb2

from novasphere_server import logs
from novasphere_server.clock import Clock
from novasphere_server.core import task_states as states
from novasphere_server.core.schedules import Schedules
from novasphere_server.core.tasks import Tasks
from novasphere_server.errors import ApiError

log = logs.get(__name__)

_LONGEST = 60.0  # seconds; the wall clock may be set meanwhile
_RETRY = 1.0
_AT_ONCE = 250  # schedules in one mutation


class Scheduler:
    """Sleeps until the next time of any schedule, and asks the database only then. Several servers may do so on
    one database: whoever comes first fires, the others find nothing due.
    """

    def __init__(
        self,
        schedules: Schedules,
        tasks: Tasks,
        clock: Clock,
    ) -> None:
        self._schedules = schedules
        self._clock = clock
        self._next_us: int | None = 0  # nothing is due before it; None: nothing by the clock
        self._ended: set[str] | None = None  # schedules whose tasks ended; None: of all, some may have
        self._news = asyncio.Event()
        tasks.on_change(self._follow_task)
        tasks.on_missed(self._forget)
        schedules.on_change(self._look)

    async def run(self) -> None:
        while True:
            pause = _RETRY
            try:
                pause = await self.step()
            except ApiError as error:  # the database is away
                log.warning("schedules do not fire", error=error.message)
                self._next_us, self._ended = 0, None
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._news.wait()
            self._news.clear()

    async def step(self) -> float:
        """Fires what is due. Returns for how many seconds nothing will be."""
        while self._next_us is not None and self._next_us <= self._clock.now_us():
            # Before the look: a schedule that comes meanwhile must not be overlooked.
            self._next_us = None
            self._note(await self._schedules.fire_due(_AT_ONCE))
        ended, self._ended = self._ended, set()
        among = None if ended is None else list(ended)
        self._note(await self._schedules.settle(await self._schedules.unsettled(among)))
        if self._next_us is None:
            return _LONGEST
        return min(_LONGEST, max(0.0, (self._next_us - self._clock.now_us()) / 1_000_000))

    def _follow_task(self, _: str, stored: task_pb2.StoredTask | None) -> None:
        if stored is None or not stored.task.schedule_id or self._ended is None:
            return
        if states.is_terminal(stored.task.state):
            self._ended.add(stored.task.schedule_id)
            self._news.set()

    def _look(self) -> None:
        self._next_us = 0
        self._news.set()

    def _forget(self) -> None:
        """Has the next step ask the database about everything."""
        self._ended = None
        self._look()

    def _note(self, due_us: int | None) -> None:
        if due_us is not None and (self._next_us is None or due_us < self._next_us):
            self._next_us = due_us
