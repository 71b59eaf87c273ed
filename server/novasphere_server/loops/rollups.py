"""Makes few rows of old samples, and none of the oldest."""

from __future__ import annotations

import asyncio

from novasphere_server import logs
from novasphere_server.core.metrics import Metrics
from novasphere_server.errors import ApiError

log = logs.get(__name__)


class RollupLoop:
    """Moves samples on through the tiers."""

    def __init__(self, metrics: Metrics, *, period: float) -> None:
        self._metrics = metrics
        self._period = period

    async def run(self) -> None:
        while True:
            await asyncio.sleep(self._period)
            try:
                await self._metrics.roll_up()
            except ApiError as error:  # the database is away; the next period tries again
                log.warning("samples are not rolled up", error=error.message)
