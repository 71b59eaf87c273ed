"""Whether the firing ledger says of every time of every schedule what became of it, once.

Nothing that the scheduler knows is used: the times are asked of the calendar again, and the tasks of their table.
What is found is read while schedules fire: rows beyond the position that was read first are not looked at.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import sqlalchemy as sa
from novasphere.schedule.v1 import schedule_pb2 as pb

from novasphere_server import errors, logs
from novasphere_server.core import firings, instants, task_ids
from novasphere_server.core.calendars import nominal_times
from novasphere_server.store import tables

log = logs.get(__name__)

_TIMES = 2_000  # of a schedule, compared in one go
_SCHEDULES = 500  # read in one go
_SLACK_US = 3_600_000_000  # what retention may be about to delete is not missed

_s = tables.schedules.c
_f = tables.firings.c
_t = tables.tasks.c

Read = Callable[[Any], Awaitable[Sequence[Any]]]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that the ledger says wrongly, or does not say."""

    schedule_id: str
    generation: int
    at_us: int
    what: str

    def __str__(self) -> str:
        at = instants.timestamp(self.at_us).ToJsonString()
        return f"schedule {self.schedule_id}, generation {self.generation}, {at}: {self.what}"


class LedgerCheck:
    """Checks the ledger again and again: each time what came since the last one, of every schedule."""

    def __init__(self, read: Read, *, retention_us: int) -> None:
        self._read = read
        self._retention_us = retention_us
        self._checked: dict[str, tuple[int, int]] = {}  # up to where, by schedule: generation and time
        self.times = 0  # that were found covered, or not, so far
        self.findings = 0

    async def run(self, now_us: int) -> list[Finding]:
        """Checks every schedule. Returns what is wrong, which it also logs and counts."""
        found: list[Finding] = []
        last_key = ""
        checked: dict[str, tuple[int, int]] = {}
        page = sa.select(_s.key, _s.body, _s.position_us).order_by(_s.key).limit(_SCHEDULES)
        while rows := await self._read(page.where(_s.key > last_key)):
            last_key = rows[-1].key
            for row in rows:
                schedule = pb.Schedule.FromString(row.body)
                found += await self._check(schedule, row.position_us, now_us)
                checked[row.key] = (schedule.generation, row.position_us)
        self._checked = checked
        self.findings += len(found)
        for finding in found:
            log.error("the firing ledger is wrong", finding=str(finding))
        return found

    async def _check(self, schedule: pb.Schedule, position_us: int, now_us: int) -> list[Finding]:
        timing = firings.timing_of(schedule)
        generation, after_us = self._checked.get(schedule.id, (0, 0))
        if generation != schedule.generation:
            after_us = instants.microseconds(schedule.generation_begin)
        after_us = max(after_us, now_us - self._retention_us + _SLACK_US)
        if timing is None:
            return []
        try:
            timing.check()
        except errors.InvalidArgument:
            return []  # it has no times, and is paused with that as the reason
        found: list[Finding] = []
        times = (time.at_us for time in nominal_times.times(timing, after_us, position_us))
        while expected := list(islice(times, _TIMES)):
            until_us = expected[-1] if len(expected) == _TIMES else position_us
            found += await self._compare(schedule, expected, after_us, until_us)
            self.times += len(expected)
            after_us = until_us
        if after_us < position_us:
            found += await self._compare(schedule, [], after_us, position_us)
        return found

    async def _compare(
        self, schedule: pb.Schedule, expected: Sequence[int], after_us: int, until_us: int
    ) -> list[Finding]:
        """Compares what there should be after one instant and up to another with the rows and tasks."""
        rows = await self._read(
            sa.select(tables.firings, _t.key.label("task"))
            .select_from(tables.firings.outerjoin(tables.tasks, _t.key == _f.run_id))
            .where(
                _f.schedule_id == schedule.id,
                _f.generation == schedule.generation,
                _f.last_nominal_us > after_us,
                _f.nominal_us <= until_us,
            )
            .order_by(_f.nominal_us)
        )
        made = await self._read(
            sa.select(_t.key, _t.scheduled_at_us)
            .where(
                _t.schedule_id == schedule.id,
                _t.schedule_kind == schedule.kind,
                _t.scheduled_at_us > after_us,
                _t.scheduled_at_us <= until_us,
            )
            .order_by(_t.scheduled_at_us)
        )
        mentioned, times = {row.run_id for row in rows}, set(expected)
        return [
            Finding(schedule.id, schedule.generation, at_us, what)
            for at_us, what in [
                *_differences(expected, rows, after_us, until_us),
                *(
                    (
                        task.scheduled_at_us,
                        f"task {task_ids.task_id(task.key)} was made, and no row says so",
                    )
                    for task in made
                    if task.key not in mentioned and task.scheduled_at_us in times
                ),
            ]
        ]


def _differences(
    expected: Sequence[int], rows: Sequence[Any], after_us: int, until_us: int
) -> Iterator[tuple[int, str]]:
    """Yields what rows, by time, say otherwise than the calendar: when, and what."""
    place = 0
    for row in rows:
        first, last = max(row.nominal_us, after_us + 1), min(row.last_nominal_us, until_us)
        while place < len(expected) and expected[place] < first:
            yield expected[place], "no row says what became of it"
            place += 1
        begin = place
        while place < len(expected) and expected[place] <= last:
            place += 1
        count = place - begin
        if not count:
            yield (
                row.nominal_us,
                "a row is of no time of the schedule, or of one that another row covers",
            )
        elif first == row.nominal_us and last == row.last_nominal_us and count != row.times:
            yield row.nominal_us, f"a row says that it covers {row.times} times, of {count}"
        elif row.times > 1 and row.disposition < pb.DISPOSITION_SKIPPED_OVERLAP:
            yield row.nominal_us, "one row says of several times that they fired"
        if row.disposition == pb.DISPOSITION_FIRED and row.task is None:
            yield row.nominal_us, f"it fired, and there is no task {task_ids.task_id(row.run_id)}"
        if row.disposition != pb.DISPOSITION_FIRED and row.run_id:
            yield row.nominal_us, "it made a task, and the row says that it did not fire"
    for at_us in expected[place:]:
        yield at_us, "no row says what became of it"
