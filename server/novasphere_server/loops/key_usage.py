"""Remembers when each API key was last used, to the minute."""

from __future__ import annotations

import asyncio

from novasphere_server import logs
from novasphere_server.core.credentials import Credentials
from novasphere_server.errors import ApiError

log = logs.get(__name__)

_PERIOD = 60.0


class KeyUsage:
    """Stores the last uses every period, and what came after that when the server stops."""

    def __init__(self, credentials: Credentials, *, period: float = _PERIOD) -> None:
        self._credentials = credentials
        self._period = period

    async def run(self) -> None:
        try:
            while True:
                await asyncio.sleep(self._period)
                await self.flush()
        finally:
            # The server stops; what a flush was just storing may be stored twice.
            await self.flush()

    async def flush(self) -> None:
        """Stores what was used since the last time."""
        try:
            await self._credentials.store_uses()
        except ApiError as error:
            log.warning("the last use of API keys is not stored", error=error.message)
