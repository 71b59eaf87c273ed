"""Jobs and schedules of a world whose clock the test moves, and what its ledger says of them."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from novasphere.schedule.v1 import job_service_pb2, task_pb2
from novasphere.schedule.v1 import schedule_pb2 as pb
from novasphere.schedule.v1 import schedule_service_pb2 as api
from novasphere_server.core import instants, task_ids, tasks
from novasphere_server.core.credentials import ADMIN
from novasphere_server.core.ledger_checks import Finding, LedgerCheck
from novasphere_server.store import tables
from novasphere_server.store.kinds import TASKS

_t = tables.tasks.c
CRON = task_pb2.SCHEDULE_KIND_CRON
INTERVAL = task_pb2.SCHEDULE_KIND_INTERVAL
ONCE = task_pb2.SCHEDULE_KIND_ONCE
EVENT = task_pb2.SCHEDULE_KIND_EVENT
DAEMON = task_pb2.SCHEDULE_KIND_DAEMON


class Scheduling:
    """Makes them, lets time pass and looks. Instants are seconds since it was made."""

    def __init__(self, world: Any) -> None:
        self.world = world
        self.begin_us: int = world.clock.now_us()
        self.jobs = 0

    @property
    def now(self) -> float:
        return (self.world.clock.now_us() - self.begin_us) / 1e6

    async def job(self, **config: Any) -> str:
        self.jobs += 1
        request = job_service_pb2.CreateJobRequest(
            name=f"job-{self.jobs}",
            config=task_pb2.TaskConfig(**{"command_text": "true"} | config),
        )
        return str((await self.world.fleet.jobs.create(ADMIN, request)).id)

    async def make(self, job_id: str = "", **wanted: Any) -> str:
        """Makes a schedule: unless told otherwise, one that fires every 10 seconds."""
        if not wanted.keys() & {"kind", "cron_expression"}:
            wanted = {"kind": INTERVAL, "interval_secs": 10} | wanted
        for name in ("start_time", "end_time"):
            if isinstance(wanted.get(name), (int, float)):
                wanted[name] = instants.timestamp(self.begin_us + round(wanted[name] * 1e6))
        wanted.setdefault("kind", CRON)
        request = api.CreateScheduleRequest(job_id=job_id or await self.job(), **wanted)
        return str((await self.world.fleet.schedules.create(ADMIN, request)).id)

    async def update(self, schedule_id: str, **wanted: Any) -> pb.Schedule:
        request = api.UpdateScheduleRequest(schedule_id=schedule_id, **wanted)
        found: pb.Schedule = await self.world.fleet.schedules.update(ADMIN, request, list(wanted))
        return found

    async def get(self, schedule_id: str) -> pb.Schedule:
        found: pb.Schedule = await self.world.fleet.schedules.get(ADMIN, schedule_id)
        return found

    async def step(self) -> None:
        """Lets the loops do what is due now."""
        await self.world.scheduler.step()
        await self.world.due.step()

    async def pass_time(self, seconds: float, every: float = 1.0) -> None:
        """Moves the clock in small steps, with the loops awake."""
        while seconds > 0:
            self.world.clock.advance(min(every, seconds))
            seconds -= every
            await self.step()

    async def firings(self, schedule_id: str) -> list[pb.Firing]:
        return list(
            await self.world.fleet.schedule_times.firings(ADMIN, schedule_id, None, None, 10_000, None)
        )

    async def rows(self, schedule_id: str) -> list[tuple[Any, ...]]:
        """Returns the ledger as (time, disposition), or (first, last, how many, disposition)."""
        found = []
        for row in await self.firings(schedule_id):
            first, last = (
                (instants.microseconds(each) - self.begin_us) / 1e6
                for each in (row.nominal_time, row.last_nominal_time)
            )
            word = pb.Disposition.Name(row.disposition).removeprefix("DISPOSITION_").lower()
            word = word.removeprefix("skipped_")
            found.append((first, word) if row.count == 1 else (first, last, row.count, word))
        return found

    async def tasks(self, schedule_id: str) -> list[task_pb2.Task]:
        """Returns its tasks, in the order in which they were made."""
        statement = sa.select(tables.tasks.c.body).where(_t.schedule_id == schedule_id).order_by(_t.id)
        rows = await self.world.store.read(statement)
        return [task_pb2.StoredTask.FromString(row.body).task for row in rows]

    async def end_all(self) -> None:
        """Ends all tasks that have not ended, in one commit, without a step."""

        def end(tx: Any) -> None:
            for stored in tx.find(TASKS, _t.state < task_pb2.WORK_STATE_SUCCEEDED):
                tasks.end_attempt(tx, stored, task_pb2.WORK_STATE_SUCCEEDED, "TEST", "")

        await self.world.store.write(end)

    async def end(
        self, schedule_id: str, state: int = task_pb2.WORK_STATE_SUCCEEDED, *, ran: float = 0
    ) -> None:
        """Ends what has not ended of a schedule's tasks, as reports of a node would."""
        await self._end(_t.schedule_id == schedule_id, state, ran)

    async def end_task(self, task_id: str, state: int, *, ran: float = 0) -> None:
        """Ends one task."""
        await self._end(_t.key == task_ids.of_task(task_id), state, ran)

    async def _end(self, which: sa.ColumnElement[bool], state: int, ran: float) -> None:
        def end(tx: Any) -> None:
            for stored in tx.find(TASKS, which, _t.state < task_pb2.WORK_STATE_SUCCEEDED):
                started_us = tx.now_us - round(ran * 1e6)
                stored.instance.started_at.CopyFrom(instants.timestamp(started_us))
                tasks.end_attempt(tx, stored, state, "TEST", "")

        await self.world.store.write(end)
        await self.step()

    async def check(self) -> list[Finding]:
        """Returns what is wrong with the ledger."""
        retention_us = int(self.world.settings.terminal_retention * 1e6)
        check = LedgerCheck(self.world.store.read, retention_us=retention_us)
        return await check.run(self.world.clock.now_us())
