"""Clients that write for as long as they run, and know what was acknowledged."""

from __future__ import annotations

import asyncio
import random
import uuid
from typing import Any

import aiohttp
import grpc
from frames import HandMadeAgent
from processes import TOKEN, ControlPlane

DOOMED = "doomed"  # the namespace of what is deleted


class Writer:
    """Creates and cancels commands over REST; says each request again until it is answered."""

    def __init__(self, plane: ControlPlane) -> None:
        self.plane = plane
        self.acknowledged: dict[str, str] = {}  # command id -> text
        self.sent: set[str] = set()
        self.cancelled: set[str] = set()
        self.deleted: set[str] = set()

    async def run(self) -> None:
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as http:
            while True:
                await self.write(http)

    async def write(self, http: aiohttp.ClientSession) -> None:
        command_id = await self.create(http, "node-001")
        if random.random() < 0.5:
            await self.cancel(http, command_id)

    async def create(self, http: aiohttp.ClientSession, node_id: str, **more: str) -> str:
        body = {"command_text": f"echo {uuid.uuid4().hex}"} | more
        text = body["command_text"]
        self.sent.add(text)
        answer = await self.say(http, "POST", f"/api/v1/nodes/{node_id}/commands", body)
        command_id: str = answer["data"]["command_id"]
        self.acknowledged[command_id] = text
        return command_id

    async def cancel(self, http: aiohttp.ClientSession, command_id: str) -> None:
        await self.say(http, "POST", f"/api/v1/commands/{command_id}:cancel", {})
        self.cancelled.add(command_id)

    async def say(
        self, http: aiohttp.ClientSession, method: str, path: str, body: dict[str, str] | None = None
    ) -> Any:
        headers = {"Authorization": f"Bearer {TOKEN}", "Idempotency-Key": uuid.uuid4().hex}
        url = self.plane.url + path
        while True:
            try:
                async with http.request(method, url, json=body, headers=headers) as answer:
                    if answer.status < 300:
                        return await answer.json()
                    assert answer.status == 503, await answer.text()
            except (TimeoutError, aiohttp.ClientError, ConnectionError):
                pass  # not answered: said again with the same key
            await asyncio.sleep(0.02)


class NodeDeleter(Writer):
    """Deletes nodes together with the commands that wait for them: mutations of many rows."""

    async def write(self, http: aiohttp.ClientSession) -> None:
        node_id = await self.join()
        waiting = [await self.create(http, node_id, namespace=DOOMED) for _ in range(8)]
        for command_id in waiting[::2]:
            await self.cancel(http, command_id)
        for command_id in waiting:
            # Before it is said: what is never answered may be done all the same.
            del self.acknowledged[command_id]
        await self.say(http, "DELETE", f"/api/v1/nodes/{node_id}")
        self.deleted.update(waiting)

    async def join(self) -> str:
        """Returns a new node, which takes no commands."""
        while True:
            # Another one each time: whose Welcome was lost cannot say who it is.
            agent = HandMadeAgent(self.plane.address, TOKEN, f"node-{uuid.uuid4().hex}")
            agent.slots = 0
            try:
                await agent.connect()
            except (TimeoutError, grpc.aio.AioRpcError, asyncio.InvalidStateError, AssertionError):
                await asyncio.sleep(0.02)  # killed meanwhile: which it is depends on the moment
            else:
                return agent.node_id
            finally:
                await agent.hang_up()
