"""Checks now and then that the firing ledger says of every time what became of it."""

from __future__ import annotations

import asyncio

from novasphere_server import logs
from novasphere_server.clock import Clock
from novasphere_server.core.ledger_checks import LedgerCheck
from novasphere_server.errors import ApiError

log = logs.get(__name__)


class LedgerLoop:
    """Runs the check of the ledger. What it finds is logged, and counted in the metrics."""

    def __init__(self, check: LedgerCheck, clock: Clock, *, period: float) -> None:
        self._check = check
        self._clock = clock
        self._period = period

    async def run(self) -> None:
        while True:
            await asyncio.sleep(self._period)
            try:
                await self._check.run(self._clock.now_us())
            except ApiError as error:  # the database is away; the next period tries again
                log.warning("the firing ledger is not checked", error=error.message)
