"""Commands on a control plane of real processes, through REST."""

from __future__ import annotations

from typing import Any

import aiohttp
from processes import TOKEN, ControlPlane, eventually


async def create(plane: ControlPlane, text: str, timeout: int = 300) -> str:
    answer = await plane.rest(
        "POST", "/api/v1/nodes/node-001/commands", {"command_text": text, "timeout": timeout}
    )
    return answer["data"]["command_id"]


async def pair_of(plane: ControlPlane, command_id: str) -> dict[str, Any]:
    return (await plane.rest("GET", f"/api/v1/commands/{command_id}"))["data"]


async def ended(plane: ControlPlane, command_id: str, within: float = 120) -> dict[str, Any]:
    async def check() -> Any:
        pair = await pair_of(plane, command_id)
        return pair if pair["command"]["completed_at"] else None

    return await eventually(check, within=within)


async def is_running(plane: ControlPlane, command_id: str) -> None:
    async def check() -> bool:
        return (await pair_of(plane, command_id))["command"]["status"] == "running"

    await eventually(check)


async def output_of(plane: ControlPlane, command_id: str, stream: str) -> bytes:
    """Returns all of one stream through the output route."""
    headers = {"Authorization": f"Bearer {TOKEN}", "Accept": "application/octet-stream"}
    url = f"{plane.url}/api/v1/commands/{command_id}/output?stream={stream}"
    async with aiohttp.ClientSession() as http, http.get(url, headers=headers) as answer:
        assert answer.status == 200, await answer.text()
        return await answer.read()
