"""Ends tasks that nobody else can end: those that waited for too long, those of nodes that stay away, and
those whose time is up on foreign nodes.
"""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass

from novasphere.schedule.v1 import task_pb2

from novasphere_server import logs
from novasphere_server.clock import Clock
from novasphere_server.core import instants, tasks
from novasphere_server.core import task_states as states
from novasphere_server.core.presence import Presence
from novasphere_server.core.tasks import Tasks
from novasphere_server.errors import ApiError

log = logs.get(__name__)


@dataclass(slots=True)
class _Absence:
    """A node that is away, and when its work is to be looked at, by the monotonic clock."""

    node_id: str
    look_at: float = 0.0


class ExpiryLoop:
    """Asks the database only when something may be due."""

    def __init__(self, tasks: Tasks, presence: Presence, clock: Clock, *, period: float) -> None:
        self._tasks = tasks
        self._presence = presence
        self._clock = clock
        self._period = period
        self._deadline_us: int | None = 0  # nothing is due before it; None: nothing waits
        # Attempts on foreign nodes, and when the time of each is up, by the monotonic clock: what the wall
        # clock does meanwhile shortens nobody's time.
        self._runs: dict[str, tuple[int, float]] = {}
        self._knows_runs = False  # those that were under way before it was told of any
        self._absences: dict[str, _Absence] = {}  # by the uid of the node
        tasks.on_change(self._follow)
        tasks.on_missed(self._forget)
        presence.on_away(self._note_absence)

    async def run(self) -> None:
        while True:
            try:
                await self.step()
            except ApiError as error:  # the database is away; the next period tries again
                log.warning("tasks are not ended", error=error.message)
            await asyncio.sleep(self._period)

    async def step(self) -> None:
        """Ends what is due."""
        if self._deadline_us is not None and self._deadline_us <= self._clock.now_us():
            # Before the look: a task that comes meanwhile must not be overlooked.
            self._deadline_us = None
            try:
                while await self._tasks.expire_queued():
                    pass
                self._note(await self._tasks.next_queue_deadline_us())
            except BaseException:
                self._deadline_us = 0
                raise
        await self._expire_runs()
        await self._lose_work()

    async def _lose_work(self) -> None:
        for uid, absence in tuple(self._absences.items()):
            while absence.look_at <= self._clock.monotonic():
                away = self._presence.away_seconds(uid)
                if away is None:  # its next absence is another one
                    if self._absences.get(uid) is absence:
                        del self._absences[uid]
                    break
                now = self._clock.monotonic()
                # Before the look: what its link was still sending meanwhile must not be overlooked.
                absence.look_at = math.inf
                try:
                    again = await self._tasks.lose_work(
                        absence.node_id, uid, away, self._presence.lost_after
                    )
                except BaseException:
                    absence.look_at = 0.0
                    raise
                if again is None:
                    break
                absence.look_at = min(absence.look_at, now + again - away)
                if again > away:
                    break

    def _note_absence(self, uid: str, node_id: str) -> None:
        self._absences[uid] = _Absence(node_id)

    async def _expire_runs(self) -> None:
        if not self._knows_runs:
            for run_id, instance in await self._tasks.timed_runs():
                self._time(run_id, instance)
            self._knows_runs = True
        now = self._clock.monotonic()
        due = [(run_id, attempt) for run_id, (attempt, up_at) in self._runs.items() if up_at <= now]
        while due:
            settled = await self._tasks.expire_runs(due)
            for run_id, attempt in due[:settled]:
                if self._runs.get(run_id, (attempt, now))[0] == attempt:
                    self._runs.pop(run_id, None)
            due = due[settled:]

    def _time(self, run_id: str, instance: task_pb2.TaskInstance) -> None:
        attempt, _ = self._runs.get(run_id, (0, 0.0))
        if attempt < instance.attempt:
            left = (instants.microseconds(instance.run_deadline) - self._clock.now_us()) / 1_000_000
            self._runs[run_id] = instance.attempt, self._clock.monotonic() + left

    def _follow(self, run_id: str, stored: task_pb2.StoredTask | None) -> None:
        if stored is None or stored.task.state not in states.ON_NODE:
            self._runs.pop(run_id, None)
        else:
            if stored.instance.HasField("run_deadline"):
                self._time(run_id, stored.instance)
            absence = self._absences.get(stored.instance.node_uid)
            if absence is not None:
                absence.look_at = 0.0
        if stored is not None and stored.task.state == task_pb2.WORK_STATE_PENDING:
            self._note(tasks.queue_deadline_us(stored.task))

    def _forget(self) -> None:
        """Has the next step ask the database what may be due."""
        self._deadline_us = 0
        self._runs.clear()
        self._knows_runs = False

    def _note(self, deadline_us: int | None) -> None:
        if deadline_us is not None and (self._deadline_us is None or deadline_us < self._deadline_us):
            self._deadline_us = deadline_us
