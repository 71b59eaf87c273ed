"""An hour of many schedules of every kind, in simulated time: servers die in the middle of anything, clocks are put
back and forward and changed for the summer, machines go away, and users pause, change and delete. Then the ledger
and the tasks are compared with a model that asks neither calendar nor scheduler.
"""

from __future__ import annotations

import asyncio
import os
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from ledger_model import SECOND, Generation, Kept, Made, Model, Row, Rules, Times, is_scheduled
from machines import Machine
from novasphere.link.v1 import link_service_pb2 as link
from novasphere.schedule.v1 import job_pb2, task_pb2
from novasphere.schedule.v1 import schedule_pb2 as pb
from novasphere.schedule.v1 import schedule_service_pb2 as api
from novasphere_server import errors
from novasphere_server.core import instants
from novasphere_server.core.credentials import ADMIN
from novasphere_server.store import tables
from scheduling import CRON, DAEMON, EVENT, INTERVAL, ONCE, Scheduling

pytestmark = pytest.mark.timeout(5400)
LONG = os.environ.get("NOVASPHERE_FAULTS") == "long"
SCHEDULES = 1000 if LONG else 60
SECONDS = 3600 if LONG else 900
KILLS = 120 if LONG else 15
CHANGES = 600 if LONG else 60
MACHINES = 4

# At 4:00 UTC clocks in Campo Grande skip the hour after midnight, and in Miquelon they are put back to one; in
# St. John's half an hour later, in Halifax and Havana an hour.
BEGIN_US = int(datetime(2018, 11, 4, 3, 50, tzinfo=UTC).timestamp()) * SECOND
ZONES = (
    "UTC", "Asia/Kolkata", "America/Campo_Grande", "America/Miquelon", "America/St_Johns", "America/Halifax",
    "America/Havana",
)  # fmt: skip
CRONS = (
    "*/20 * * * * *", "*/2 * * * *", "17 * * * * *", "0 */5 * * * ?",
    "*/30 * 0-1 * * *", "0 */3 1 * * *", "15 30 0,1,2 * * *", "*/15 10-50 0-3 4 11 *",
)  # fmt: skip
INTERVALS = (10, 30, 60, 300, 900)

_t, _f, _past = tables.tasks.c, tables.firings.c, tables.past_instances.c


class Death:
    """Stops a server at one of its next mutations: before the commit, or behind it with nobody told."""

    def __init__(self, store: Any, countdown: int, *, is_committed: bool) -> None:
        self.came = asyncio.Event()
        self._write = store.write
        self._store = store
        self._countdown = countdown
        self._is_committed = is_committed
        store.write = self._dying

    async def _dying(self, mutation: Any, **options: Any) -> Any:
        self._countdown -= 1
        if self._countdown > 0:
            return await self._write(mutation, **options)
        if self._countdown == 0:
            if self._is_committed:
                await self._write(mutation, **options)
            self.came.set()
        return await asyncio.Event().wait()  # nothing is heard of it any more

    def bury(self) -> None:
        """Lets the store be closed."""
        del self._store.write

    async def or_done(self, work: Coroutine[Any, Any, None]) -> bool:
        """Lets work go on until it is done, or the server dies. Returns whether it died."""
        tasks = [asyncio.create_task(each) for each in (work, self.came.wait())]
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            task.cancel()
        for result in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(result, Exception):
                raise result
        return self.came.is_set()


class Storm:
    """Everybody who does something during the hour, and what each must remember of it."""

    def __init__(self, world: Any, seed: int) -> None:
        self.world = world
        self.chance = random.Random(seed)
        self.bench = Scheduling(world)
        self.model = Model()
        self.machines = [Machine(world.agent(f"n{n}"), self.chance) for n in range(MACHINES)]
        for machine in self.machines:
            machine.agent.profile["capabilities"] = ["shell"]
        self.moments: dict[int, int] = {}  # by what the clock showed
        self.jobs: dict[str, bool] = {}  # and whether each is enabled
        self.death: Death | None = None
        self.kills = 0
        self.notes = 0  # rows of times at which clocks were changed
        self.back: dict[int, float] = {}  # when machines come back
        self.passed = 0.0

    # -- time

    def advance(self, seconds: float) -> None:
        self.world.clock.advance(seconds)
        self.now_us = self.world.clock.now_us()
        assert self.now_us not in self.moments
        self.moments[self.now_us] = self.moment = len(self.moments)

    async def step(self) -> None:
        """Lets everything that is not a user do what is due."""
        if self.death is None:
            await self._step()
        elif await self.death.or_done(self._step()):
            await self.restart()

    async def _step(self) -> None:
        await self.world.presence.step()
        await self.world.expiry.step()
        await self.world.dependencies.step()
        await self.bench.step()
        self.model.covered(self.now_us)
        there = [each for n, each in enumerate(self.machines) if self.back.get(n, 0.0) <= self.passed]
        async with asyncio.TaskGroup() as steps:
            for machine in there:
                steps.create_task(machine.step())

    async def restart(self) -> None:
        """The server is killed, and started again after a while."""
        if self.death is not None:
            self.death.bury()
        self.death = None
        self.kills += 1
        down_for = self.chance.choice((0, 0, 0, 15, 90))
        await self.world.restart()
        self.advance(down_for + 0.001)

    async def kill(self) -> None:
        if self.death is None:
            countdown, is_committed = self.chance.choice((1, 1, 2, 3, 5, 8)), self.chance.random() < 0.5
            self.death = Death(self.world.store, countdown, is_committed=is_committed)

    async def lose_a_machine(self) -> None:
        number = self.chance.randrange(MACHINES)
        if not self.machines[number].is_away:
            await self.machines[number].leave(is_reboot=self.chance.random() < 0.5)
            self.back[number] = self.passed + self.chance.choice((5, 30, 200))

    # -- users

    async def make_jobs(self) -> None:
        for config in (
            {},
            {"max_retries": 2, "retry_interval_seconds": 5},
            {"max_retries": 1, "retry_lost": True, "retry_interval_seconds": 0},
            {"on_disconnect": task_pb2.DISCONNECT_POLICY_REPLACE},
            {"on_disconnect": task_pb2.DISCONNECT_POLICY_STOP, "timeout_seconds": 600},
        ) * 4:
            self.jobs[await self.bench.job(lost_after_seconds=60, **config)] = True

    def _timing(self) -> tuple[dict[str, Any], Callable[[], Times]]:
        """Returns how a timing is asked for, and what it comes to once that has been done."""
        chance = self.chance
        if chance.random() < 0.5:
            seconds = chance.choice(INTERVALS)
            return (
                {"kind": INTERVAL, "interval_secs": seconds},
                lambda: Times(interval=seconds, anchor_us=self.now_us),
            )
        wanted = {
            "cron_expression": chance.choice(CRONS),
            "timezone": chance.choice(ZONES),
            "gap_policy": chance.choice((pb.GAP_POLICY_SHIFT, pb.GAP_POLICY_SKIP)),
            "fold_policy": chance.randint(1, 3),
        }
        times = Times(
            cron=wanted["cron_expression"],
            timezone=wanted["timezone"],
            gap=wanted["gap_policy"],
            fold=wanted["fold_policy"],
        )
        return {"kind": CRON} | wanted, lambda: times

    async def make(self) -> None:
        """Makes a schedule of any kind."""
        chance = self.chance
        rules = self._policies()
        wanted: dict[str, Any] = {}
        times: Times | None = None
        begin_us = self.now_us
        match chance.choices((CRON, ONCE, DAEMON, EVENT), (86, 6, 4, 4))[0]:
            case task_pb2.SCHEDULE_KIND_ONCE:
                at_us = self.now_us + chance.randint(-600, 3600) * SECOND
                wanted = {"kind": ONCE, "start_time": instants.timestamp(at_us)}
                times, begin_us = Times(once_us=at_us), at_us - 1
            case task_pb2.SCHEDULE_KIND_DAEMON:
                wanted = {"kind": DAEMON}
            case task_pb2.SCHEDULE_KIND_EVENT:
                wanted = {"kind": EVENT}
            case _:
                wanted, timing = self._timing()
                times = timing()
                if wanted["kind"] == INTERVAL:
                    begin_us -= 1  # it fires at once
                if chance.random() < 0.1:
                    end_us = self.now_us + chance.randint(300, 3600) * SECOND
                    wanted["end_time"] = instants.timestamp(end_us)
                    times = Times(**(vars(times) | {"end_us": end_us}))
        max_count = chance.choice((1, 5, 50)) if chance.random() < 0.1 else None
        if max_count is not None:
            wanted["max_count"] = max_count
        job_id = chance.choice(list(self.jobs))
        made = await self.bench.make(
            job_id, jitter_seconds=chance.choice((0, 0, 5)), **wanted, **_asked(rules)
        )
        kept = Kept(made, job_id, max_count, [Generation(times, begin_us)])
        self.model.schedules[made] = kept
        self._note(kept, rules)

    def _policies(self) -> Rules:
        chance = self.chance
        window = chance.choice((0, 60, 600))
        return Rules(True, chance.randint(0, 6), chance.randint(0, 3), window * SECOND)

    def _note(self, kept: Kept, rules: Rules) -> None:
        may_fire = not kept.is_paused and self.jobs[kept.job_id]
        kept.rules.append((self.moment, rules._replace(may_fire=may_fire)))

    async def change_something(self) -> None:
        """Does what a user might do to a schedule, or a job."""
        schedules, chance = self.world.fleet.schedules, self.chance
        kept = chance.choice([each for each in self.model.schedules.values() if not each.is_deleted])
        present = await self.bench.get(kept.schedule_id)
        has_ended = present.state == pb.SCHEDULE_STATE_ENDED
        times = kept.generations[-1].times
        match chance.choices(
            ("pause", "resume", "time", "policy", "delete", "job", "more"), (3, 4, 4, 2, 1, 1, 2)
        )[0]:
            case "pause" if not has_ended:
                await schedules.pause(ADMIN, kept.schedule_id, "a storm")
                kept.is_paused = True
                self.model.came_round(kept, self.now_us)
                self._note(kept, kept.present)
            case "resume" if not has_ended:
                try:
                    await schedules.resume(ADMIN, kept.schedule_id)
                except errors.ScheduleEnded:
                    return  # by what came just now, and nothing was changed
                kept.is_paused = False
                self.model.came_round(kept, self.now_us)
                self._note(kept, kept.present)
            case "time" if times is not None and not times.once_us and not has_ended:
                wanted, timing = self._timing()
                await self._retime(kept, wanted, timing())
            case "policy" if not has_ended:
                rules = self._policies()
                await self.bench.update(kept.schedule_id, **_asked(rules))
                self.model.came_round(kept, self.now_us)
                self._note(kept, rules)
            case "delete":
                await schedules.delete(ADMIN, kept.schedule_id)
                kept.is_deleted = True
            case "job":
                disabled = [job_id for job_id, is_enabled in self.jobs.items() if not is_enabled]
                await self._switch(disabled[0] if disabled else kept.job_id)
            case "more":
                await self._add_tasks(kept)

    async def _retime(self, kept: Kept, wanted: dict[str, Any], times: Times) -> None:
        before = await self.bench.get(kept.schedule_id)
        if before.HasField("end_time"):
            times = Times(**(vars(times) | {"end_us": instants.microseconds(before.end_time)}))
        after = await self.bench.update(kept.schedule_id, **wanted)
        self.model.came_round(kept, self.now_us)
        if after.generation != before.generation:
            # What is settled is not settled again, wherever the clock stands.
            begin_us = instants.microseconds(after.generation_begin)
            latest = max(generation.covered_us for generation in kept.generations)
            assert self.now_us <= begin_us <= max(self.now_us, latest), after
            kept.generations.append(Generation(times, begin_us))

    async def _switch(self, job_id: str) -> None:
        """Disables or enables a job with all its schedules."""
        status = job_pb2.JOB_STATUS_DISABLED if self.jobs[job_id] else job_pb2.JOB_STATUS_ENABLED
        await self.world.fleet.jobs.set_status(ADMIN, job_id, status)
        self.jobs[job_id] = not self.jobs[job_id]
        for kept in self.model.schedules.values():
            if kept.job_id == job_id and not kept.is_deleted:
                self.model.came_round(kept, self.now_us)
                self._note(kept, kept.present)

    async def _add_tasks(self, kept: Kept) -> None:
        """Makes tasks beside the ledger."""
        if not self.jobs[kept.job_id]:
            return
        if kept.generations[-1].times is None or self.chance.random() < 0.5:
            await self.world.fleet.schedules.trigger(ADMIN, kept.schedule_id, None)
            return
        span = api.BackfillScheduleRequest(
            schedule_id=kept.schedule_id,
            start_time=instants.timestamp(self.now_us - 120 * SECOND),
            end_time=instants.timestamp(self.now_us),
            overlap_policy=pb.OVERLAP_POLICY_BUFFER_ALL,
        )
        await self.world.fleet.schedules.backfill(ADMIN, span)

    # -- the end

    async def calm_down(self) -> None:
        """Pauses everything, and waits until all work has ended."""
        self.back.clear()
        for kept in self.model.schedules.values():
            if not kept.is_deleted:
                await self.world.fleet.schedules.pause(ADMIN, kept.schedule_id, "the end")
                if (await self.bench.get(kept.schedule_id)).state == pb.SCHEDULE_STATE_PAUSED:
                    kept.is_paused = True
                    self.model.came_round(kept, self.now_us)
                    self._note(kept, kept.present)
        open_ = sa.select(sa.func.count()).where(_t.state < task_pb2.WORK_STATE_SUCCEEDED)
        for _ in range(2000):
            self.advance(5)
            await self.step()
            if not (await self.world.store.read(open_))[0][0]:
                return
        raise AssertionError("work does not end")

    async def check(self) -> str:
        """Compares what is stored with what is known. Returns that in figures."""
        rows: dict[str, list[Row]] = defaultdict(list)
        ordered = sa.select(tables.firings).order_by(_f.schedule_id, _f.generation, _f.nominal_us)
        for row in await self.world.store.read(ordered):
            self.notes += bool(row.note)
            rows[row.schedule_id].append(
                Row(
                    row.generation, row.nominal_us, row.last_nominal_us, row.times, row.disposition,
                    row.run_id, self.moments[row.decided_at_us], row.decided_at_us,
                )
            )  # fmt: skip
        made: dict[str, list[Made]] = defaultdict(list)
        stored = {
            row.key: task_pb2.StoredTask.FromString(row.body)
            for row in await self.world.store.read(sa.select(_t.key, _t.body))
        }
        for run_id, each in stored.items():
            task = each.task
            if is_scheduled(task):
                begun, ended = (
                    self.moments[instants.microseconds(at)]
                    for at in (task.created_at, task.completed_at)
                )
                scheduled_us = instants.microseconds(task.scheduled_at)
                made[task.schedule_id].append(Made(run_id, scheduled_us, begun, ended))
        wrong = []
        for kept in self.model.schedules.values():
            try:
                self.model.check(kept, rows[kept.schedule_id], made[kept.schedule_id])
            except AssertionError as error:
                wrong.append(str(error))
        assert not wrong, f"{len(wrong)} ledgers are wrong: {wrong[:5]}"
        states = await self._check_attempts(stored)
        reported = sum(len(machine.said) for machine in self.machines)
        return (
            f"{len(self.model.schedules)} schedules, {self.model.times} times in {sum(map(len, rows.values()))} rows "
            f"{dict(self.model.dispositions)}, {self.notes} where clocks changed; {len(stored)} tasks {dict(states)}; {reported} attempts; "
            f"{self.kills} kills"
        )

    async def _check_attempts(self, stored: dict[str, task_pb2.StoredTask]) -> Counter[str]:
        """Compares tasks with the journals of the machines."""
        starts: Counter[tuple[str, int]] = Counter()
        said = {}
        for machine in self.machines:
            starts += machine.starts
            said |= machine.said
        assert set(starts.values()) <= {1}, "an attempt ran twice"
        past: dict[str, list[task_pb2.TaskInstance]] = defaultdict(list)
        for row in await self.world.store.read(sa.select(_past.run_id, _past.body)):
            past[row.run_id].append(task_pb2.StoredTask.FromString(row.body).instance)
        states: Counter[str] = Counter()
        seen = set()
        for run_id, each in stored.items():
            task = each.task
            states[task_pb2.WorkState.Name(task.state).removeprefix("WORK_STATE_").lower()] += 1
            attempts = [*past[run_id], each.instance]
            began = [attempt for attempt in attempts if attempt.HasField("dispatched_at")]
            again = task.retry_count + task.replacement_count
            assert len(began) in (again, again + 1), f"{task.id}: {len(began)} attempts, {again} again"
            assert task.retry_count <= task.config.max_retries
            for attempt in began:
                key = (run_id, attempt.attempt)
                seen.add(key)
                told = said.get(key)
                _check_attempt(attempt, told, has_begun=key in starts)
        assert set(starts) <= seen, "an attempt ran that is not known"
        return states


def _check_attempt(attempt: task_pb2.TaskInstance, told: Any, *, has_begun: bool) -> None:
    """Compares how an attempt ended with what its machine said."""
    if attempt.state == task_pb2.WORK_STATE_SUCCEEDED:
        assert told == {"phase": link.ATTEMPT_PHASE_EXITED, "exit_code": 0}, attempt
    elif attempt.state == task_pb2.WORK_STATE_FAILED:
        assert told == {"phase": link.ATTEMPT_PHASE_EXITED, "exit_code": 3}, attempt
    elif attempt.state in (task_pb2.WORK_STATE_LOST, task_pb2.WORK_STATE_UNKNOWN):
        assert attempt.reason in ("LOST", "UNKNOWN"), attempt
    else:
        assert attempt.state == task_pb2.WORK_STATE_CANCELLED, attempt
    if has_begun and told is not None and attempt.state == task_pb2.WORK_STATE_LOST:
        is_stopped = told["phase"] == link.ATTEMPT_PHASE_STOPPED
        assert attempt.HasField("late_report") or is_stopped, f"{attempt}, {told}"


def _asked(rules: Rules) -> dict[str, Any]:
    return {
        "overlap_policy": rules.overlap,
        "misfire_policy": rules.misfire,
        "misfire_window_seconds": rules.window_us // SECOND,
    }


def _times_of(chance: random.Random, count: int) -> list[float]:
    return sorted(chance.uniform(0, SECONDS) for _ in range(count))


async def test_every_time_is_covered_once_after_a_storm(tmp_path: Path, world_at: Any) -> None:
    # Nobody pulls the plug: a commit need not wait for the disk.
    world = await world_at(tmp_path, f"sqlite:///{tmp_path}/novasphere.db?synchronous=normal")
    storm = Storm(world, seed=int(os.environ.get("NOVASPHERE_STORM", "7")))
    chance = storm.chance
    world.clock.advance((BEGIN_US - world.clock.now_us()) / SECOND)
    storm.advance(0.25)
    await storm.make_jobs()
    for _ in range(SCHEDULES):
        await storm.make()
    plans: list[tuple[list[float], Callable[[], Coroutine[Any, Any, None]]]] = [
        (_times_of(chance, KILLS), storm.kill),
        (_times_of(chance, KILLS // 2), storm.lose_a_machine),
        (_times_of(chance, CHANGES), storm.change_something),
        (_times_of(chance, CHANGES // 10), storm.make),
    ]
    # Firing waits while the clock is behind, and goes on where it was.
    jumps = [(SECONDS * 0.4, -3600.0), (SECONDS * 0.45, 3600.0), (SECONDS * 0.75, 3600.0)]
    while storm.passed < SECONDS:
        step = chance.uniform(1, 8)
        storm.passed += step
        storm.advance(step)
        while jumps and jumps[0][0] < storm.passed:
            storm.advance(jumps.pop(0)[1])
        for times, act in plans:
            while times and times[0] < storm.passed and (storm.death is None or act == storm.kill):
                times.pop(0)
                await act()
        await storm.step()
    if storm.death is not None:
        await storm.restart()
    await storm.calm_down()
    print(f"\n{await storm.check()}")  # noqa: T201 - the figures of a long run
    assert await storm.bench.check() == []
    assert storm.kills >= KILLS // 2
    assert len(storm.model.dispositions) >= 4, storm.model.dispositions
    assert storm.notes
