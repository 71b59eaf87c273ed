"""The one writer: takes what waits, and commits it together.

Runs on a thread of its own over a synchronous connection. While one batch is committed the next one
gathers, so that batches are as long as the load asks for, and nobody waits for a timer.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

import sqlalchemy as sa

from novasphere_server import errors
from novasphere_server.clock import Clock
from novasphere_server.store import batches, failpoints
from novasphere_server.store.batches import Commit, Job
from novasphere_server.store.database import Database, OtherHistory, Outage, State
from novasphere_server.store.limits import Limits

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a batch went. With `failure` nobody knows whether it was committed; most likely not."""

    jobs: Sequence[Job]
    commits: Sequence[Commit] = ()
    failure: BaseException | None = None


class Writer:
    """Queues mutations and has them committed in batches.

    `publish` is called on the event loop with every outcome before the callers are answered.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        limits: Limits,
        state: State,
        publish: Callable[[Outcome], None],
    ) -> None:
        self._database = database
        self._clock = clock
        self._limits = limits
        self._known = state
        self._followed = state.revision
        self._publish = publish
        self._loop = asyncio.get_running_loop()
        self._gathered: list[Job] = []  # in this turn of the event loop
        self._waiting = 0
        self._queue: deque[Job] = deque()
        self._changed = threading.Condition()
        self._is_closing = False
        self.is_over = False  # the history that this server knows
        self._connection: sa.Connection | None = None
        self._stopped = self._loop.create_future()
        self._thread = threading.Thread(target=self._run, name="store-writer", daemon=True)
        self._thread.start()

    def submit(self, job: Job) -> None:
        """Queues a mutation; its future is resolved after its batch."""
        if self._is_closing:
            raise errors.Draining
        if self._waiting >= self._limits.queue_length:
            raise errors.Overloaded
        self._waiting += 1
        if not self._gathered:
            # What callers submit in one turn of the loop goes over together, and into one commit.
            self._loop.call_soon(self._hand_over)
        self._gathered.append(job)

    def _hand_over(self) -> None:
        with self._changed:
            self._queue.extend(self._gathered)
            self._changed.notify()
        self._gathered.clear()

    def follow(self, revision: int) -> None:
        """Notes that everything up to `revision` was published."""
        with self._changed:
            self._followed = revision
            self._changed.notify()

    def give_up(self) -> None:
        """Commits and publishes nothing any more: the database holds another history for good."""
        with self._changed:
            self.is_over = True
            self._changed.notify()

    async def close(self) -> None:
        """Commits what waits, then ends the thread. Nothing is accepted any more."""
        if not self._is_closing:
            if self._gathered:
                self._hand_over()
            with self._changed:
                self._is_closing = True
                self._changed.notify()
        await asyncio.shield(self._stopped)
        self._thread.join()

    def _run(self) -> None:
        while jobs := self._next():
            outcome = self._execute(jobs)
            self._loop.call_soon_threadsafe(self._settle, outcome)
        self._disconnect()
        self._loop.call_soon_threadsafe(self._stopped.set_result, None)

    def _next(self) -> list[Job]:
        """Waits for mutations; returns none once the writer is closing and all are done."""
        with self._changed:
            while not self._queue and not self._is_closing:
                self._changed.wait()
            length = min(len(self._queue), self._limits.batch_length)
            return [self._queue.popleft() for _ in range(length)]

    def _execute(self, jobs: list[Job]) -> Outcome:
        wanted = [job for job in jobs if not job.future.cancelled()]
        try:
            if self.is_over:
                raise OtherHistory  # noqa: TRY301 - reported like any other failure
            if self._connection is None:
                self._connection = self._database.connect()
            commits, count = self._commit(self._connection, wanted)
        except BaseException as error:  # noqa: BLE001 - reported to every caller and logged
            _log.error("a batch of %d mutations failed", len(wanted), exc_info=error)
            self._disconnect()
            if isinstance(error, OtherHistory):
                self.give_up()
            with self._changed:
                # Whoever waits behind would wait for the same failure.
                jobs += self._queue
                self._queue.clear()
            return Outcome(jobs, failure=error)
        self._known = replace(self._known, revision=commits[-1].last)
        if left := wanted[count:]:
            with self._changed:
                self._queue.extendleft(reversed(left))
            jobs = [job for job in jobs if job not in left]
        return Outcome(jobs, commits)

    def _commit(self, connection: sa.Connection, jobs: list[Job]) -> tuple[list[Commit], int]:
        while True:
            known = replace(self._known, revision=max(self._known.revision, self._followed))
            try:
                return batches.execute(
                    connection, self._database, self._clock, self._limits, known, jobs
                )
            except batches.TooFarBehind:
                self._take_over(batches.take_over(connection, known, self._limits))

    def _take_over(self, commit: Commit) -> None:
        """Has what others wrote published, and waits for that: it may be more than memory holds."""
        self._loop.call_soon_threadsafe(self._settle, Outcome((), [commit]))
        with self._changed:
            is_known = self._changed.wait_for(
                lambda: self.is_over or self._followed >= commit.last, timeout=self._limits.lock_timeout
            )
        if self.is_over:
            raise OtherHistory
        if not is_known:
            raise Outage("what other servers wrote is not published in time")

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(sa.exc.SQLAlchemyError):  # it is given up because it does not work
                self._database.disconnect(connection)

    def _settle(self, outcome: Outcome) -> None:
        self._waiting -= len(outcome.jobs)
        if self.is_over and outcome.failure is None:
            outcome = Outcome(outcome.jobs, failure=OtherHistory())  # committed to the other one
        self._publish(outcome)
        for job in outcome.jobs:
            if job.future.done():  # its caller went away
                continue
            if outcome.failure is not None:
                job.future.set_exception(errors.DatabaseUnavailable())
            elif job.error is not None:
                job.future.set_exception(job.error)
            else:
                if job.claim is not None:
                    job.claim.was_replayed = job.was_replayed
                job.future.set_result(job.result)
        if outcome.jobs and outcome.commits:
            # Runs after the callers, who are resumed in the order in which they were answered.
            self._loop.call_soon(failpoints.hit, failpoints.AFTER_ANSWER)
