"""Forgets tickets that nobody used."""

from __future__ import annotations

import asyncio

from novasphere_server import logs
from novasphere_server.core.tickets import Tickets
from novasphere_server.errors import ApiError

log = logs.get(__name__)

_PERIOD = 60.0


class TicketExpiry:
    """Deletes the expired ones every period."""

    def __init__(self, tickets: Tickets, *, period: float = _PERIOD) -> None:
        self._tickets = tickets
        self._period = period

    async def run(self) -> None:
        while True:
            await asyncio.sleep(self._period)
            try:
                await self._tickets.forget_expired()
            except ApiError as error:  # the database is away; the next period tries again
                log.warning("expired tickets are not deleted", error=error.message)
