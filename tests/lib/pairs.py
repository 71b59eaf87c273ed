"""Two servers on one database, behind a proxy that takes turns."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

from processes import ControlPlane, control_plane, eventually
from round_robin import round_robin

LONG = os.environ.get("NOVASPHERE_FAULTS") == "long"
FROZEN_SECONDS = 30 if LONG else 12  # longer than a server that says nothing counts as living


class Pair(ControlPlane):
    """What clients and agents see: the proxy before two servers."""

    def __init__(
        self, folder: Path, servers: list[ControlPlane], http_port: int, grpc_port: int
    ) -> None:
        super().__init__(folder, database_url=servers[0].database_url)
        self.servers = servers
        self.url = f"http://127.0.0.1:{http_port}"
        self.address = f"127.0.0.1:{grpc_port}"

    async def kill_either(self) -> None:
        await random.choice(self.servers).restart()

    async def freeze_either(self) -> None:
        async with self.frozen(random.choice(self.servers)):
            await asyncio.sleep(FROZEN_SECONDS)

    @contextlib.asynccontextmanager
    async def frozen(self, server: ControlPlane) -> AsyncIterator[None]:
        """Stops a server as it stands for as long as the block lasts, which begins when the other one writes."""
        [other] = [each for each in self.servers if each is not server]

        async def other_writes() -> bool:
            await other.rest(
                "POST", "/api/v1/keys", {"name": uuid.uuid4().hex, "scopes": ["read"]}, status=201
            )
            return True

        os.kill(server.server.pid, signal.SIGSTOP)
        try:
            # It may have frozen in its turn to write.
            await eventually(other_writes, within=45)
            yield
        finally:
            os.kill(server.server.pid, signal.SIGCONT)


@contextlib.asynccontextmanager
async def pair_of_servers(folder: Path, database_url: str, **environment: str) -> AsyncIterator[Pair]:
    """Runs two servers for as long as the block lasts."""
    async with contextlib.AsyncExitStack() as stack:
        servers = []
        for name in ("a", "b"):
            (folder / name).mkdir()
            plane = control_plane(folder / name, database_url=database_url, **environment)
            servers.append(await stack.enter_async_context(plane))
        http_port = await stack.enter_async_context(round_robin([s.http_port for s in servers]))
        grpc_port = await stack.enter_async_context(round_robin([s.grpc_port for s in servers]))
        pair = Pair(folder, servers, http_port, grpc_port)
        try:
            yield pair
        finally:
            for agent in pair.agents.values():
                await agent.stop()
