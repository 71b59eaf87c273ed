"""Fires schedules when their times have come."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from functools import partial

from novasphere.schedule.v1 import task_pb2

from novasphere_server import logs
from novasphere_server.clock import Clock
from novasphere_server.core import firings
from novasphere_server.core import task_states as states
from novasphere_server.core.fleet_settings import FleetSettings
from novasphere_server.core.schedules import Schedules
from novasphere_server.core.tasks import Tasks
from novasphere_server.errors import ApiError, DatabaseUnavailable, Draining, Overloaded
from novasphere_server.store.store import Store

log = logs.get(__name__)

_LONGEST = 60.0  # seconds; the wall clock may be set meanwhile
_RETRY = 1.0
_AT_ONCE = 50  # schedules in one mutation
_NO_FAULT_OF_THEIRS = (DatabaseUnavailable, Draining, Overloaded)


class Scheduler:
    """Sleeps until the next time of any schedule, and asks the database only then. Several servers may do so on
    one database: whoever comes first fires, the others find nothing due.
    """

    def __init__(
        self,
        store: Store,
        settings: FleetSettings,
        schedules: Schedules,
        tasks: Tasks,
        clock: Clock,
    ) -> None:
        self._store = store
        self._settings = settings
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
            except _NO_FAULT_OF_THEIRS as error:
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
            self._note(await self._fire())
        ended, self._ended = self._ended, set()
        for schedule_id in await self._schedules.unsettled() if ended is None else ended:
            await self._try(firings.settle, schedule_id)
        if self._next_us is None:
            return _LONGEST
        return min(_LONGEST, max(0.0, (self._next_us - self._clock.now_us()) / 1_000_000))

    async def _fire(self) -> int | None:
        """Fires what is due of some schedules. Returns when the next look is."""
        try:
            return await self._store.write(
                partial(firings.fire_due, settings=self._settings, limit=_AT_ONCE)
            )
        except _NO_FAULT_OF_THEIRS:
            raise
        except Exception:  # noqa: BLE001 - it is told of the schedule that it is of
            # One of them cannot fire. Each by itself, the others can.
            for schedule_id in await self._store.write(partial(firings.due, limit=_AT_ONCE)):
                await self._try(firings.advance, schedule_id)
            return await self._store.write(firings.next_due_us)

    async def _try(self, step: Callable[..., object], schedule_id: str) -> None:
        """Takes a step with one schedule. Pauses it, with the reason, if it fails."""
        try:
            await self._store.write(partial(step, schedule_id=schedule_id, settings=self._settings))
        except _NO_FAULT_OF_THEIRS:
            raise
        except Exception as error:
            if isinstance(error, ApiError):
                why = error.message
                log.warning("a schedule cannot fire", schedule_id=schedule_id, error=why)
            else:
                why = "the server failed; its log says why"
                log.exception("a schedule cannot fire", schedule_id=schedule_id)
            await self._store.write(partial(firings.stop, schedule_id=schedule_id, why=why))

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
