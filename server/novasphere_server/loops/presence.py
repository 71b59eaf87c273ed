"""Keeps what is stored of nodes' presence true."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from novasphere_server import logs
from novasphere_server.core.links import Links
from novasphere_server.core.presence import Presence
from novasphere_server.errors import ApiError

log = logs.get(__name__)


class PresenceLoop:
    """Writes a link that went at once, and every period whatever time alone has changed."""

    def __init__(self, presence: Presence, links: Links, *, period: float) -> None:
        self._presence = presence
        self._links = links
        self._period = period

    async def run(self) -> None:
        clock = asyncio.get_running_loop().time
        due = clock() + self._period
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout_at(due):
                    await self._presence.stirred.wait()
            self._presence.stirred.clear()
            try:
                if clock() >= due:
                    due = clock() + self._period
                    await self.step()
                else:
                    await self._presence.update_stirred()
            except ApiError as error:  # the database is away; the next period tries again
                log.warning("presence is not stored", error=error.message)

    async def step(self) -> None:
        """Cuts silent links and writes every crossing that is due."""
        cut = self._links.cut_silent()
        if cut:
            log.warning("silent links were cut", links=cut)
        await self._presence.hear_of_others()
        await self._presence.update()
