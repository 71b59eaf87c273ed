"""G14: what 100,000 schedules cost while none is due, how many fire a second, and how long the next time takes.

The scheduler is the server's own, over a SQLite file with synchronous=FULL, on a clock that is moved from one minute
to the next. A fire counts when the ledger holds its row and the tables its task. At the end the store is opened anew,
as a restarted server does, until it knows when it is to fire next.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import cronsim
import sqlalchemy as sa
import uvloop
from novasphere.schedule.v1 import job_service_pb2 as job_api
from novasphere.schedule.v1 import schedule_pb2 as pb
from novasphere.schedule.v1 import schedule_service_pb2 as api
from novasphere.schedule.v1 import task_pb2
from novasphere_server import garbage
from novasphere_server.clock import SystemClock
from novasphere_server.core import principals
from novasphere_server.core.calendars import expressions, nominal_times
from novasphere_server.core.calendars.timings import Kind, Timing
from novasphere_server.core.fleet_settings import FleetSettings
from novasphere_server.core.jobs import Jobs
from novasphere_server.core.schedules import Schedules
from novasphere_server.core.tasks import Tasks
from novasphere_server.loops.scheduler import Scheduler
from novasphere_server.store import tables
from novasphere_server.store.store import Store

from bench import measure, processes
from bench.measure import Figure, Row

SCHEDULES = 100_000
CALLERS = 200
TICKS = 2_000
NEXT_TIMES = 2_000
IDLE_GOAL = 50.0
FIRES_GOAL = 10_000.0
NEXT_GOAL = 3.0

_START = datetime(2027, 1, 15, 8, tzinfo=UTC)
_MINUTE_US = 60_000_000
_ADMIN = principals.Principal(principals.PrincipalKind.ADMIN, "admin", frozenset())
_EXPRESSIONS = (
    "{} * * * *",
    "{} 4 * * *",
    "{} 9-17 * * 1-5",
    "*/{} * * * *",
    "{} 0 1 * *",
    "{} 12 * * 0",
    "{} 3 29 2 *",
    "0 {} 6 * * *",
)


class _Clock(SystemClock):
    """Stands still until it is moved."""

    def __init__(self) -> None:
        super().__init__()
        self.us = round(_START.timestamp()) * 1_000_000 + 30_000_000

    def now_us(self) -> int:
        return self.us

    def follow(self, now_us: int) -> None:
        """Stands still whatever the database says."""


async def _fill(store: Store, settings: FleetSettings, schedules: Schedules, minutes: int) -> None:
    """Makes the schedules: hourly ones, whose minutes are the next ones in turn."""
    job = await Jobs(store, settings).create(
        _ADMIN,
        job_api.CreateJobRequest(name="echo", config=task_pb2.TaskConfig(task_type="echo")),
    )
    numbers = iter(range(SCHEDULES))

    async def work() -> None:
        for number in numbers:
            await schedules.create(
                _ADMIN,
                api.CreateScheduleRequest(
                    job_id=job.id,
                    kind=task_pb2.SCHEDULE_KIND_CRON,
                    cron_expression=f"{1 + number % minutes} * * * *",
                ),
            )

    async with asyncio.TaskGroup() as callers:
        for _ in range(CALLERS):
            callers.create_task(work())


async def _fired(store: Store) -> int:
    """Returns how many times were fired, each of which has its task."""
    firings, tasks = tables.firings, tables.tasks
    with_task = firings.join(tasks, tasks.c.key == firings.c.run_id)
    statement = sa.select(sa.func.count()).select_from(with_task)
    rows = await store.read(statement.where(firings.c.disposition == pb.DISPOSITION_FIRED))
    return int(rows[0][0])


async def _measure(url: str, rounds: int) -> list[Row]:
    clock = _Clock()
    settings = FleetSettings()
    store = await Store.open(url, clock=clock)
    try:
        schedules, tasks = Schedules(store, settings), Tasks(store)
        scheduler = Scheduler(schedules, tasks, clock)
        garbage.look_seldom()  # as a server does that is ready
        start = time.perf_counter()
        await _fill(store, settings, schedules, rounds + 1)
        made = SCHEDULES / (time.perf_counter() - start)
        await scheduler.step()
        [[schedule_id]] = await store.read(sa.select(tables.schedules.c.key).limit(1))
        idle, looks, rates, costs = [], [], [], []
        fired = 0
        for number in range(rounds + 1):
            ticks = [await _tick(scheduler) for _ in range(TICKS)]
            look = await _look(schedules, scheduler, schedule_id)
            clock.us += _MINUTE_US
            start, used = time.perf_counter(), time.process_time()
            await scheduler.step()
            seconds, cpu = time.perf_counter() - start, time.process_time() - used
            before, fired = fired, await _fired(store)
            due = len(range(number, SCHEDULES, rounds + 1))
            assert fired - before == due, f"{fired - before} of {due} schedules fired"
            if number:  # the first is thrown away
                idle.append(statistics.median(ticks))
                looks.append(look)
                rates.append(due / seconds)
                costs.append(cpu / due * 1e6)
        memory = processes.rss_mib(os.getpid())
    finally:
        await store.close()
    start = time.perf_counter()
    store = await Store.open(url, clock=clock)
    try:
        await Scheduler(Schedules(store, settings), Tasks(store), clock).step()
        opened = time.perf_counter() - start
    finally:
        await store.close()
    some = f"{SCHEDULES:,} schedules"
    return [
        Figure("G14", f"{some}: a tick with none due", "us", tuple(idle), IDLE_GOAL, is_limit=True),
        Figure("G14", f"{some}: a look at the database with none due", "us", tuple(looks)),
        Figure("G14", f"{some}: fires with their tasks, durable", "/s", tuple(rates), FIRES_GOAL),
        Figure("G14", "CPU of each fire, all threads", "us", tuple(costs)),
        Figure("G14", "schedules made by their RPC's core", "/s", (made,)),
        Figure("G14", "memory of the process after that", "MiB", (memory,)),
        Figure("G14", "until another knows when they fire next", "s", (opened,)),
    ]


async def _tick(scheduler: Scheduler) -> float:
    start = time.perf_counter()
    await scheduler.step()
    return (time.perf_counter() - start) * 1e6


async def _look(schedules: Schedules, scheduler: Scheduler, schedule_id: str) -> float:
    """Returns how long a tick takes after something was changed that may be due."""
    times = []
    for number in range(20):
        await schedules.update(
            _ADMIN,
            api.UpdateScheduleRequest(schedule_id=schedule_id, description=str(number)),
            ["description"],
        )
        times.append(await _tick(scheduler))
    return statistics.median(times)


def _timings() -> list[str]:
    return [pattern.format(number) for number in range(1, 60, 2) for pattern in _EXPRESSIONS]


def _ours(*, is_known: bool) -> float:
    """Returns how many next times a second."""
    texts = _timings()
    after_us = round(_START.timestamp()) * 1_000_000
    start = time.perf_counter()
    for number in range(NEXT_TIMES):
        if not is_known:
            expressions.parse.cache_clear()
        timing = Timing(Kind.CRON, expression=texts[number % len(texts)], timezone="Europe/Berlin")
        assert nominal_times.next_time(timing, after_us + number * _MINUTE_US)
    return NEXT_TIMES / (time.perf_counter() - start)


def _cronsim() -> float:
    texts = _timings()
    after = _START.astimezone(ZoneInfo("Europe/Berlin"))
    start = time.perf_counter()
    for number in range(NEXT_TIMES):
        assert next(cronsim.CronSim(texts[number % len(texts)], after + timedelta(minutes=number)))
    return NEXT_TIMES / (time.perf_counter() - start)


def run(rounds: int) -> list[Row]:
    with tempfile.TemporaryDirectory() as folder:
        rows = uvloop.run(_measure(f"sqlite:///{Path(folder) / 'novasphere.db'}", rounds))
    _ours(is_known=True)
    rates = measure.rotate(
        {
            "known": lambda: _ours(is_known=True),
            "new": lambda: _ours(is_known=False),
            "cronsim": _cronsim,
        },
        rounds,
    )
    for name, words in (
        ("known", "next time of a schedule"),
        ("new", "the same, its expression read anew, its fields known"),
    ):
        rows.append(
            measure.compare("G14", words, NEXT_GOAL, "cronsim", "/s", rates[name], rates["cronsim"])
        )
    return rows
