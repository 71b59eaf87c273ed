"""Lets the other servers on the database know that this one lives."""

from __future__ import annotations

import asyncio

from novasphere_server import logs
from novasphere_server.core.servers import Servers
from novasphere_server.errors import ApiError

log = logs.get(__name__)


class ServersLoop:
    """Says so often enough that one try may fail."""

    def __init__(self, servers: Servers, *, lease: float) -> None:
        self._servers = servers
        self._period = lease / 4

    async def run(self) -> None:
        while True:
            try:
                await self._servers.beat()
            except ApiError as error:  # the database is away; the next period tries again
                log.warning("other servers cannot know that this one lives", error=error.message)
            await asyncio.sleep(self._period)
