"""Kills servers while they fire, dispatch, acknowledge and retry: each time of a schedule is covered once, each task
has as many attempts as it is due, and nothing begins early."""

from __future__ import annotations

import asyncio
import itertools
import os
import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from ledgers import assert_every_second_fired_once, make_job, make_schedule, tasks_of
from pairs import Pair
from processes import ControlPlane, control_plane, eventually

pytestmark = [pytest.mark.fault, pytest.mark.timeout(5400)]
LONG = os.environ.get("NOVASPHERE_FAULTS") == "long"
ROUNDS = 200 if LONG else 4
SECONDS = 120 if LONG else 12  # of two servers that are killed in turn
FAILPOINTS = (
    "firing", "dispatch", "acknowledgement", "retry",
    "fired", "dispatched", "acknowledged", "released",
    "before_commit", "after_commit", "after_answer",
)  # fmt: skip
RETRIES = 2


async def kill_at(plane: ControlPlane, failpoint: str) -> bool:
    """Runs the server until it dies there, or for a while. Returns whether it did."""
    await plane.server.kill()
    armed = f"{failpoint}:kill:{random.randint(1, 3)}"
    plane.server.environment |= {"NOVASPHERE_TESTING": "1", "NOVASPHERE_FAILPOINT": armed}
    await plane.server.start()
    # One that found its server gone again and again would take its time to come back.
    await plane.agents["node-001"].terminate()
    await plane.agents["node-001"].start()
    running = plane.server.running
    assert running is not None
    try:
        await asyncio.wait_for(running.wait(), 60)
    except TimeoutError:
        return False
    finally:
        del plane.server.environment["NOVASPHERE_FAILPOINT"]
    return running.returncode == -9


def in_turn(mark: Path) -> str:
    """Returns a command that takes a while, and notes when it begins and ends."""
    return f"echo + >> {mark}; sleep 1; echo - >> {mark}"


async def test_kills_at_each_failpoint_lose_and_double_nothing(tmp_path: Path) -> None:
    async with control_plane(tmp_path) as plane:
        await plane.add_agent("node-001", "--capacity", "8")
        marks = {name: tmp_path / name for name in ("good", "bad", "turns", "daemon")}

        async def scheduled(name: str, text: str, retries: int = 0, **timing: Any) -> str:
            return await make_schedule(plane, await make_job(plane, name, text, retries), **timing)

        made = {
            "good": await scheduled(
                "good", f"echo x >> {marks['good']}", kind="cron", cron_expression="*/2 * * * * *"
            ),
            "bad": await scheduled(
                "bad", f"echo x >> {marks['bad']}; exit 3", RETRIES,
                kind="cron", cron_expression="*/5 * * * * *",
            ),
            "turns": await scheduled(
                "turns", in_turn(marks["turns"]),
                kind="cron", cron_expression="*/3 * * * * *", overlap_policy="buffer_all",
            ),
            "daemon": await scheduled("daemon", in_turn(marks["daemon"]), kind="daemon"),
        }  # fmt: skip
        died: Counter[str] = Counter()
        for name in itertools.islice(itertools.cycle(FAILPOINTS), ROUNDS):
            died[name] += await kill_at(plane, name)
        assert all(died[name] for name in FAILPOINTS[:ROUNDS]), f"no death at some: {died}"
        await plane.restart()
        for schedule_id in made.values():
            await plane.rest("POST", f"/api/v1/schedules/{schedule_id}:pause", {"note": "the end"})
        tasks: dict[str, list[dict[str, Any]]] = {}

        async def all_ended() -> bool:
            tasks.update({name: await tasks_of(plane, each) for name, each in made.items()})
            return all(task["completed_at"] for each in tasks.values() for task in each)

        # Servers that die soon leave much undone.
        await eventually(all_ended, within=1800 if LONG else 120, every=0.5)
        await assert_every_second_fired_once(plane, made["good"], 2)
        await assert_every_second_fired_once(plane, made["bad"], 5)
        await assert_every_second_fired_once(plane, made["turns"], 3)
        ends = {
            name: Counter((task["status"], task["reason"], task["retry_count"]) for task in each)
            for name, each in tasks.items()
        }
        counts = {name: len(each) for name, each in tasks.items()}
        assert ends == {
            name: {("failed", "EXIT_CODE", RETRIES) if name == "bad" else ("succeeded", "", 0): count}
            for name, count in counts.items()
        }
        for name, attempts in (("good", 1), ("bad", 1 + RETRIES)):
            ran = marks[name].read_text().count("x")
            assert ran == attempts * counts[name], f"{name}: {ran} runs of {counts[name]} tasks"
        for name in ("turns", "daemon"):
            assert marks[name].read_text().split() == ["+", "-"] * counts[name], f"{name} not in turn"
        print(f"\n{sum(died.values())} deaths, {dict(died)}; tasks: {counts}")


@pytest.mark.parametrize("disturbance", ["kill_either", "freeze_either"])
async def test_two_servers_fire_each_time_once_whatever_becomes_of_either(
    pair: Pair, disturbance: str
) -> None:
    made = [
        await make_schedule(
            pair, await make_job(pair, f"job-{n}", "true"), kind="cron", cron_expression="* * * * * *"
        )
        for n in range(5)
    ]
    loop = asyncio.get_running_loop()
    deadline = loop.time() + SECONDS
    count = 0
    while loop.time() < deadline:
        await asyncio.sleep(random.uniform(1, 3))
        await getattr(pair, disturbance)()
        count += 1
    fired = 0
    for schedule_id in made:
        await eventually(
            lambda each=schedule_id: pair.rest("POST", f"/api/v1/schedules/{each}:pause", {})
        )
    for schedule_id in made:
        fired += len(await assert_every_second_fired_once(pair, schedule_id, 1))
    assert fired >= SECONDS
    print(f"\n{count} times {disturbance}, {fired} fires")
