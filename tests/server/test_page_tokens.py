"""Page tokens of the ledger: pages follow each other, and a token that no page gave is the client's error."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from novasphere_server.testing import running_server
from rest import Rest

ID = "01890000-0000-7000-8000-000000000000"
PATIENCE = 60.0


@pytest.fixture
async def rest(tmp_path: Path, database_url: str) -> AsyncIterator[Rest]:
    async with (
        running_server(tmp_path, database_url=database_url) as server,
        aiohttp.ClientSession(server.http_url) as http,
    ):
        yield Rest(server, http)


async def paused_schedules(rest: Rest, count: int) -> list[str]:
    """Makes schedules that fire, and then miss some times."""
    _, job = await rest.ask(
        "POST", "/api/v1/jobs/item", {"name": "j", "config": {"command_text": "true"}}
    )
    wanted = {"job_id": job["id"], "kind": "interval", "interval_secs": 1}
    ids = []
    for _ in range(count):
        _, made = await rest.ask("POST", "/api/v1/schedules/item", wanted)
        ids.append(made["id"])
    for verb in ("pause", "resume"):
        for schedule_id in ids:
            await until_fired(rest, schedule_id, "FIRED")
            await rest.ask("POST", f"/api/v1/schedules/{schedule_id}:{verb}", {})
        rest.server.clock.advance(5)
    return ids


async def until_fired(rest: Rest, schedule_id: str, disposition: str) -> None:
    async with asyncio.timeout(PATIENCE):
        while True:
            _, page = await rest.ask("GET", f"/api/v1/schedules/{schedule_id}/firings")
            if any(row["disposition"] == disposition for row in page["firings"]):
                return
            await asyncio.sleep(0.1)


async def pages(rest: Rest, path: str) -> list[Any]:
    rows: list[Any] = []
    token = ""
    while True:
        status, page = await rest.ask("GET", f"{path}?page_size=1&page_token={token}")
        assert status == 200, page
        assert len(page["firings"]) <= 1
        rows += page["firings"]
        token = page.get("next_page_token", "")
        if not token:
            return rows


async def test_pages_of_the_ledger_follow_each_other(rest: Rest):
    ids = await paused_schedules(rest, 2)
    rows = await pages(rest, f"/api/v1/schedules/{ids[0]}/firings")
    assert {"FIRED", "SKIPPED_PAUSED"} <= {row["disposition"] for row in rows}
    times = [row["nominal_time"] for row in rows]
    assert times == sorted(set(times))
    missed = await pages(rest, "/api/v1/schedules:missed")
    assert {row["schedule_id"] for row in missed} == set(ids)


FORGED = [
    f"firing:{ID}:1:{10**30}".encode(),
    f"firing:{ID}:{10**15}:1".encode(),
    b"[%d, 1]" % 10**30,
    b"[" * 5000,
    f"missed:1:{ID[:-1]}\0".encode(),
    b"key:17",
    b"\xff\xfe",
]


async def test_a_token_that_no_page_gave_is_refused(rest: Rest):
    _, job = await rest.ask(
        "POST", "/api/v1/jobs/item", {"name": "j", "config": {"command_text": "true"}}
    )
    wanted = {"job_id": job["id"], "kind": "event"}
    _, made = await rest.ask("POST", "/api/v1/schedules/item", wanted)
    for text in FORGED:
        token = base64.urlsafe_b64encode(text.replace(ID.encode(), made["id"].encode())).decode()
        for path in (f"/{made['id']}/firings", ":missed"):
            status, refused = await rest.ask("GET", f"/api/v1/schedules{path}?page_token={token}")
            assert (status, refused["code"]) == (400, "PAGE_TOKEN_INVALID"), (text[:40], refused)
