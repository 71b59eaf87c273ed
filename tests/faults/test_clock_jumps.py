"""A real server whose wall clock is set: nothing fires twice or early, nothing that is measured in elapsed time ends
sooner, and where the clocks of people change, schedules fire as somebody who watches them expects.
"""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import set_clock
import wall_clocks
from ledgers import (
    assert_every_second_fired_once,
    ledger_of,
    make_job,
    make_schedule,
    seconds,
    standing_of,
    tasks_of,
)
from processes import ControlPlane, eventually, is_alive

pytestmark = [pytest.mark.fault, pytest.mark.timeout(900)]
HOUR = 3600
LONGEST_SLEEP = 60  # seconds that a server may sleep before it looks at its clock again


class Jumping(ControlPlane):
    """A server whose clock the test sets."""

    def __init__(self, folder: Path, ahead: float = 0.0) -> None:
        super().__init__(folder)
        self.clock = folder / "clock"
        self.put_ahead(ahead)
        self.server.arguments[:1] = [sys.executable, set_clock.__file__, str(self.clock)]

    def put_ahead(self, seconds: float) -> None:
        """Sets its clock, by the machine's."""
        self.ahead = seconds
        set_clock.put_ahead(self.clock, seconds)

    def now(self) -> float:
        return time.time() + self.ahead


@contextlib.asynccontextmanager
async def jumping(folder: Path, ahead: float = 0.0) -> AsyncIterator[Jumping]:
    plane = Jumping(folder, ahead)
    try:
        await plane.start()
        yield plane
    finally:
        await plane.stop()


async def fires_again(plane: Jumping, schedule_id: str, within: float = 30) -> None:
    """Waits until a schedule has fired a time that came after now."""
    now = plane.now()

    async def has_fired() -> bool:
        last = (await ledger_of(plane, schedule_id))[-1]
        return last["disposition"] == "FIRED" and seconds(last["nominal_time"]) > now

    await eventually(has_fired, within=within)


async def test_an_hour_forward_and_back_doubles_and_loses_nothing(tmp_path: Path) -> None:
    async with jumping(tmp_path) as plane:
        await plane.add_agent("node-001", "--capacity", "8")
        job_id = await make_job(plane, "job", "true")
        every = {"kind": "cron", "cron_expression": "* * * * * *"}
        all_of_them = await make_schedule(plane, job_id, **every, misfire_window_seconds=60)
        last_of_them = await make_schedule(plane, job_id, **every, misfire_policy="fire_once")
        hourly = await make_schedule(
            plane, job_id, kind="interval", interval_secs=HOUR, misfire_policy="fire_once"
        )
        text = f"echo $$ > {tmp_path}/pid; until [ -e {tmp_path}/end ]; do sleep 0.05; done"
        command = (
            await plane.rest(
                "POST", "/api/v1/nodes/node-001/commands", {"command_text": text, "timeout": 600}
            )
        )["data"]["command_id"]

        async def runs() -> bool:
            return (tmp_path / "pid").exists() and bool((tmp_path / "pid").read_text().strip())

        await eventually(runs)
        await fires_again(plane, last_of_them)

        # Away while the hour passes, which is longer than a server waits for what it ran.
        agent = plane.agents["node-001"]
        await agent.kill()
        plane.put_ahead(HOUR)
        jumped = plane.now()
        await fires_again(plane, all_of_them)
        await fires_again(plane, last_of_them)

        async def is_made_up_for() -> bool:
            return len(await ledger_of(plane, hourly)) == 2

        await eventually(is_made_up_for, within=LONGEST_SLEEP + 30)
        await agent.start()
        await plane.node_is("online")
        [first, missed] = await ledger_of(plane, hourly)
        assert seconds(missed["nominal_time"]) - seconds(first["nominal_time"]) == HOUR
        skipped = _skipped(await ledger_of(plane, all_of_them))
        assert HOUR - 90 < skipped < HOUR - 50, "all within the window were to fire"
        assert HOUR - 30 < _skipped(await ledger_of(plane, last_of_them)) < HOUR + 1

        plane.put_ahead(0)
        # What is made now fires. What has fired for the hour to come waits for it, in the next process too.
        new = await make_schedule(plane, job_id, kind="interval", interval_secs=1)
        await fires_again(plane, new)
        before = await ledger_of(plane, all_of_them)
        tasks = len(await tasks_of(plane, all_of_them))
        await fires_again(plane, new)
        await plane.restart()
        await fires_again(plane, new)
        assert await ledger_of(plane, all_of_them) == before
        assert len(await tasks_of(plane, all_of_them)) == tasks, "it fired again what it had fired"
        task = (await plane.rest("POST", f"/api/v1/schedules/{hourly}:trigger", {}))["id"]

        async def has_succeeded() -> bool:
            found = await plane.rest("GET", f"/api/v1/tasks/item/{task}")
            return bool(found["status"] == "succeeded")

        await eventually(has_succeeded)

        plane.put_ahead(HOUR)
        assert plane.now() > jumped
        await fires_again(plane, all_of_them)
        for schedule_id in (all_of_them, last_of_them):
            await plane.rest("POST", f"/api/v1/schedules/{schedule_id}:pause", {})
            await assert_every_second_fired_once(plane, schedule_id, 1, "SKIPPED_MISFIRE")

        # What ran all the while was neither given up nor timed out.
        assert is_alive(int((tmp_path / "pid").read_text()))
        assert (await plane.node_is("online"))["status"] == "online"
        (tmp_path / "end").touch()

        async def is_over() -> bool:
            found = (await plane.rest("GET", f"/api/v1/commands/{command}"))["data"]["command"]
            return bool(found["status"] == "success")

        await eventually(is_over)


def _skipped(rows: list[dict[str, Any]]) -> int:
    return sum(row["count"] for row in rows if row["disposition"] == "SKIPPED_MISFIRE")


# They all change their clocks at one moment, by an hour or two; at night, at midnight, in the evening.
EUROPE = (
    "Europe/Berlin", "Europe/London", "Atlantic/Azores", "America/Nuuk", "America/Scoresbysund", "Antarctica/Troll",
    "UTC",
)  # fmt: skip
POLICIES = (("shift", "first"), ("skip", "last"), ("shift", "both"))
CHANGES = {
    "forward": datetime(2027, 3, 28, 1, tzinfo=UTC),
    "back": datetime(2027, 10, 31, 1, tzinfo=UTC),
}


@pytest.mark.parametrize("way", CHANGES)
async def test_clocks_that_change_are_followed(tmp_path: Path, way: str) -> None:
    change = CHANGES[way].timestamp()
    # Hours of the night before midnight, about it and after it.
    text = "*/5 * 22-23,0-3 * * *"
    async with jumping(tmp_path, change - 3 * HOUR - time.time()) as plane:
        job_id = await make_job(plane, "job", "true")
        made = {}
        for zone in EUROPE:
            for gap, fold in POLICIES:
                made[zone, gap, fold] = await make_schedule(
                    plane, job_id, kind="cron", cron_expression=text, timezone=zone,
                    gap_policy=gap, fold_policy=fold, misfire_policy="ignore",
                )  # fmt: skip
        plane.put_ahead(change - 7 - time.time())

        async def is_over() -> bool:
            return plane.now() > change + 14  # the last of them may be late, but within the grace

        await eventually(is_over)
        plane.put_ahead(change + 2 * HOUR - time.time())
        fired = 0
        for (zone, gap, fold), schedule_id in made.items():
            await plane.rest("POST", f"/api/v1/schedules/{schedule_id}:pause", {})
            begin, end, rows = await standing_of(plane, schedule_id)
            expected = expected_of(text, zone, gap, fold, begin, end)
            around = [at for at in expected if abs(at - change) <= 5]
            assert around == [
                seconds(row["nominal_time"])
                for row in rows
                if row["disposition"] == "FIRED" and abs(seconds(row["nominal_time"]) - change) <= 5
            ], (zone, gap, fold)
            told = [(seconds(row["nominal_time"]), seconds(row["last_nominal_time"])) for row in rows]
            within = [[at for at in expected if first <= at <= last] for first, last in told]
            assert [at for each in within for at in each] == expected, (zone, gap, fold)
            assert [len(each) for each in within] == [row["count"] for row in rows], (zone, gap, fold)
            fired += len(around)
        assert fired > len(made)
        print(f"\n{fired} fires of {len(made)} schedules while clocks went {way}")


def expected_of(text: str, zone: str, gap: str, fold: str, begin: float, end: float) -> list[float]:
    """Returns when somebody who watches the clocks of a zone expects it to fire."""
    start, until = int(begin) // 60 - 1, int(end) // 60 + 1
    shown = wall_clocks.watch(zone, start - 26 * 60, until + 26 * 60)
    cron = wall_clocks.Cron(text)
    taken = wall_clocks.narrow(shown, cron, start, until)
    return [
        float(seen.at) for seen in wall_clocks.fires(cron, taken, gap, fold) if begin < seen.at <= end
    ]
