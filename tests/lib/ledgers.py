"""Schedules of a running server, and what their ledgers say."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Any

from processes import ControlPlane


async def make_job(plane: ControlPlane, name: str, text: str, retries: int = 0) -> str:
    config = {"command_text": text, "max_retries": retries, "retry_interval": 1}
    made = await plane.rest("POST", "/api/v1/jobs/item", {"name": name, "config": config})
    return str(made["id"])


async def make_schedule(plane: ControlPlane, job_id: str, **timing: Any) -> str:
    wanted = {"overlap_policy": "allow", "misfire_policy": "fire_all", "job_id": job_id} | timing
    return str((await plane.rest("POST", "/api/v1/schedules/item", wanted))["id"])


async def tasks_of(plane: ControlPlane, schedule_id: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    wanted = {"filter": {"schedule_id": {"eq": schedule_id}}, "page": {"page": 1, "page_size": 100}}
    while True:
        answer = await plane.rest("POST", "/api/v1/tasks/page", wanted)
        found += answer["data"]
        if len(found) >= answer["total"]:
            return found
        wanted["page"]["page"] += 1


async def ledger_of(plane: ControlPlane, schedule_id: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    token = ""
    while True:
        path = f"/api/v1/schedules/{schedule_id}/firings?page_token={token}"
        answer = await plane.rest("GET", path)
        found += answer["firings"]
        if not (token := answer.get("next_page_token") or ""):
            return found


def seconds(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


async def standing_of(
    plane: ControlPlane, schedule_id: str
) -> tuple[float, float, list[dict[str, Any]]]:
    """Returns since when and up to when a ledger covers the times of its schedule, and its rows as they were then."""
    path = f"/api/v1/schedules/item/{schedule_id}"
    while True:
        before, rows = await plane.rest("GET", path), await ledger_of(plane, schedule_id)
        if (await plane.rest("GET", path))["position"] == before["position"]:
            return seconds(before["generation_begin"]), seconds(before["position"]), rows


async def assert_every_second_fired_once(
    plane: ControlPlane, schedule_id: str, every: int, *skips: str
) -> list[dict[str, Any]]:
    """Compares the ledger and the tasks with a model that only counts. What did not fire was skipped because of a
    pause, or for one of those reasons. Returns the tasks.
    """
    begin, position, rows = await standing_of(plane, schedule_id)
    model = [second for second in range(int(begin) + 1, int(position) + 1) if second % every == 0]
    fired = [row for row in rows if row["disposition"] == "FIRED"]
    assert {row["disposition"] for row in rows} <= {"FIRED", "SKIPPED_PAUSED", *skips}, rows
    covered = [
        second
        for row in rows
        for second in range(
            int(seconds(row["nominal_time"])), int(seconds(row["last_nominal_time"])) + 1, every
        )
    ]
    assert covered == model
    tasks = await tasks_of(plane, schedule_id)
    assert Counter(task["id"] for task in tasks) == Counter(row["task_id"] for row in fired)
    times = {row["task_id"]: seconds(row["nominal_time"]) for row in fired}
    for task in tasks:
        assert seconds(task["scheduled_at"]) == times[task["id"]]
        assert seconds(task["created_at"]) >= times[task["id"]] - 0.001, "it fired early"
    return tasks
