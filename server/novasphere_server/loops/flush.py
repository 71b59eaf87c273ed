"""Stores what links heard and the log does not carry: samples at once, heartbeats now and then."""

from __future__ import annotations

import asyncio

from novasphere_server import logs
from novasphere_server.core.metrics import Metrics
from novasphere_server.core.presence import Presence
from novasphere_server.errors import ApiError

log = logs.get(__name__)


class FlushLoop:
    """Batches what agents send all the time, so that heartbeats never wait for the database."""

    def __init__(
        self, metrics: Metrics, presence: Presence, *, period: float, heartbeat_period: float
    ) -> None:
        self._metrics = metrics
        self._presence = presence
        self._period = period
        self._heartbeat_period = heartbeat_period

    async def run(self) -> None:
        clock = asyncio.get_running_loop().time
        heartbeats_due = clock() + self._heartbeat_period
        while True:
            await asyncio.sleep(self._period)
            try:
                await self._metrics.flush()
                if clock() >= heartbeats_due:
                    heartbeats_due = clock() + self._heartbeat_period
                    await self._presence.flush()
            except ApiError as error:  # the database is away; both keep what they have
                log.warning("samples and heartbeats are not stored", error=error.message)
