"""Deletes what has been kept for long enough. The log and idempotency records are the store's own."""

from __future__ import annotations

import asyncio

from novasphere_server import logs
from novasphere_server.clock import Clock
from novasphere_server.core.schedules import Schedules
from novasphere_server.core.tasks import Tasks
from novasphere_server.errors import ApiError

log = logs.get(__name__)


class RetentionLoop:
    """Deletes ended tasks through the log, with their output, and then what the ledger says of them."""

    def __init__(
        self,
        tasks: Tasks,
        schedules: Schedules,
        clock: Clock,
        *,
        terminal_retention: float,
        period: float,
    ) -> None:
        self._tasks = tasks
        self._schedules = schedules
        self._clock = clock
        self._retention_us = int(terminal_retention * 1_000_000)
        self._period = period

    async def run(self) -> None:
        while True:
            await asyncio.sleep(self._period)
            try:
                await self.forget_tasks()
                await self.forget_firings()
            except ApiError as error:  # the database is away; the next period tries again
                log.warning("nothing is deleted", error=error.message)

    async def forget_firings(self) -> None:
        """Deletes what the ledger says of times that are long past, but for those whose tasks are kept."""
        await self._schedules.forget_firings(self._clock.now_us() - self._retention_us)

    async def forget_tasks(self) -> int:
        """Deletes tasks that ended long enough ago. Returns how many."""
        now_us = self._clock.now_us()
        older_than_us = now_us - self._retention_us
        deleted = 0
        backlog = self._tasks.backlog
        while (ended_us := await self._tasks.oldest_end_us(older_than_us)) is not None:
            step = await self._tasks.forget_ended(older_than_us)
            backlog.note(step, ended_us + self._retention_us)
            deleted += step
        backlog.clear(now_us)
        if deleted:
            log.info("ended tasks deleted", tasks=deleted)
        return deleted
