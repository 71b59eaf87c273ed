"""An hour of many schedules under kills, clock jumps, pauses and edits, in simulated time: then the ledger is compared
with the calendar and with a model that only counts."""

from __future__ import annotations

import contextlib
import os
import random
from typing import Any

import pytest
import sqlalchemy as sa
from novasphere.schedule.v1 import schedule_pb2 as pb
from novasphere.schedule.v1 import task_pb2
from novasphere_server.core.credentials import ADMIN
from novasphere_server.store import tables
from scheduling import INTERVAL, Scheduling

pytestmark = pytest.mark.timeout(3000)
LONG = os.environ.get("NOVASPHERE_FAULTS") == "long"
SCHEDULES = 1000 if LONG else 60
SECONDS = 3600 if LONG else 1200
KILLS = 60 if LONG else 12

_f, _t = tables.firings.c, tables.tasks.c


class DiedHere(BaseException):
    """The server was killed."""


async def die_in_the_next_step(bench: Scheduling, monkeypatch: pytest.MonkeyPatch, when: str) -> None:
    """Has the scheduler's next mutation vanish before its commit, or be committed with nobody told."""
    store = bench.world.store
    write = store.write

    async def dying(mutation: Any, **options: Any) -> Any:
        if when == "after":
            await write(mutation, **options)
        raise DiedHere

    with monkeypatch.context() as patched:
        patched.setattr(store, "write", dying)
        with contextlib.suppress(DiedHere):
            await bench.world.scheduler.step()


async def end_some(bench: Scheduling, chance: random.Random) -> None:
    """Ends tasks, as nodes would: most of what waits."""

    def end(tx: Any) -> None:
        keys = tx.execute(sa.select(_t.key).where(_t.state < task_pb2.WORK_STATE_SUCCEEDED)).scalars()
        ended = [key for key in keys if chance.random() < 0.7]
        for start in range(0, len(ended), 500):
            some = ended[start : start + 500]
            body = {"state": task_pb2.WORK_STATE_SUCCEEDED, "completed_at_us": tx.now_us}
            tx.execute(sa.update(tables.tasks).where(_t.key.in_(some)).values(**body))

    await bench.world.store.write(end)
    bench.world.scheduler._ended = None


async def test_every_time_is_covered_once_after_a_storm(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance = random.Random(7)
    bench = Scheduling(world)
    job_id = await bench.job()
    made = []
    for n in range(SCHEDULES):
        timing: dict[str, Any] = {"interval_secs": chance.choice((7, 20, 60, 300))}
        if n % 2:
            every = chance.choice(("*/10 * * * * *", "*/2 * * * *", "17 * * * * *", "0 */5 * * * ?"))
            timing = {"cron_expression": every, "timezone": chance.choice(("UTC", "Asia/Kolkata"))}
        made.append(
            await bench.make(
                job_id,
                overlap_policy=chance.randint(0, 6),
                misfire_policy=chance.randint(0, 3),
                misfire_window_seconds=chance.choice((0, 60, 3600)),
                jitter_seconds=chance.choice((0, 5)),
                **timing,
            )
        )
    events = sorted(
        (chance.uniform(0, SECONDS), chance.choice(("before", "after", "cold"))) for _ in range(KILLS)
    )
    changes = sorted(chance.uniform(0, SECONDS) for _ in range(KILLS * 2))
    jumps = [(SECONDS * 0.4, 3600.0), (SECONDS * 0.6, -3600.0)]
    passed = 0.0
    schedules = world.fleet.schedules
    while passed < SECONDS:
        step = chance.uniform(1, 8)
        passed += step
        world.clock.advance(step)
        if jumps and jumps[0][0] < passed:
            world.clock.advance(jumps.pop(0)[1])
        if events and events[0][0] < passed:
            when = events.pop(0)[1]
            if when != "cold":
                await die_in_the_next_step(bench, monkeypatch, when)
            await world.restart(down_for=chance.choice((0, 0, 15, 90)))
            schedules = world.fleet.schedules
        while changes and changes[0] < passed:
            changes.pop(0)
            which = chance.choice(made)
            match chance.randrange(4):
                case 0:
                    await schedules.pause(ADMIN, which, "a storm")
                case 1 | 2:
                    await schedules.resume(ADMIN, which)
                case _:
                    await bench.update(which, interval_secs=chance.choice((9, 30)), kind=INTERVAL)
        await bench.step()
        if chance.random() < 0.3:
            await end_some(bench, chance)
    assert not events
    assert await bench.check() == []

    rows = await world.store.read(sa.select(tables.firings))
    fires = [row for row in rows if row.disposition == pb.DISPOSITION_FIRED]
    assert all(row.decided_at_us >= row.nominal_us for row in fires), "something fired early"
    counted: dict[str, int] = {}
    for row in rows:
        if row.disposition == pb.DISPOSITION_FIRED:
            counted[row.schedule_id] = counted.get(row.schedule_id, 0) + 1
    tasks = await world.store.read(
        sa.select(_t.schedule_id, sa.func.count()).where(_t.schedule_id != "").group_by(_t.schedule_id)
    )
    assert counted == {row[0]: row[1] for row in tasks}
    counts = await world.store.read(sa.select(tables.schedules.c.key, tables.schedules.c.fired_count))
    assert counted == {row.key: row.fired_count for row in counts if row.fired_count}
    # A model that knows no calendar: between the first and the last time of a generation, intervals are as
    # many as fit.
    for schedule_id in made:
        schedule = await bench.get(schedule_id)
        own = [
            row
            for row in rows
            if (row.schedule_id, row.generation) == (schedule_id, schedule.generation)
        ]
        if schedule.HasField("interval_secs") and own:
            span = max(row.last_nominal_us for row in own) - min(row.nominal_us for row in own)
            assert sum(row.times for row in own) == span // (schedule.interval_secs * 1_000_000) + 1
    words = {pb.Disposition.Name(row.disposition) for row in rows}
    assert len(words) >= 4, words
