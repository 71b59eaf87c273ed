"""Remembers when each API key was last used, to the minute."""

from __future__ import annotations

import asyncio

import sqlalchemy as sa
from novasphere.api.v1 import key_pb2

from novasphere_server import logs
from novasphere_server.core.credentials import Credentials
from novasphere_server.errors import ApiError
from novasphere_server.store import tables
from novasphere_server.store.kinds import KEYS
from novasphere_server.store.store import Store
from novasphere_server.store.transactions import Transaction

log = logs.get(__name__)

_PERIOD = 60.0


class KeyUsage:
    """Shows key usage as a live field and keeps it across restarts, without a revision for each use."""

    def __init__(self, store: Store, credentials: Credentials, *, period: float = _PERIOD) -> None:
        self._store = store
        self._credentials = credentials
        self._period = period
        self._unstored: dict[str, int] = {}

    async def run(self) -> None:
        await self.recall()
        try:
            while True:
                await asyncio.sleep(self._period)
                await self.flush()
        finally:
            # The server stops; what a flush was just storing may be stored twice.
            await self.flush()

    async def recall(self) -> None:
        """Shows what an earlier process stored."""
        columns = tables.keys.c
        rows = await self._store.read(
            sa.select(columns.key, columns.last_used_at_us).where(columns.last_used_at_us.is_not(None))
        )
        for row in rows:
            self._show(row.key, row.last_used_at_us)

    async def flush(self) -> None:
        """Stores what was used since the last time, or keeps it while the database is away."""
        for key_id, at_us in self._credentials.used_keys().items():
            self._unstored[key_id] = at_us
            self._show(key_id, at_us)
        used = self._unstored.copy()
        if not used:
            return

        def remember(tx: Transaction) -> None:
            columns = tables.keys.c
            for key_id, at_us in used.items():
                tx.execute(
                    sa.update(tables.keys).where(columns.key == key_id).values(last_used_at_us=at_us)
                )

        try:
            await self._store.write(remember)
        except ApiError as error:
            log.warning("the last use of API keys is not stored", error=error.message)
        else:
            self._unstored.clear()

    def _show(self, key_id: str, at_us: int) -> None:
        overlay = key_pb2.Key()
        overlay.last_used_at.FromMicroseconds(at_us)
        self._store.set_live(KEYS, key_id, overlay)
