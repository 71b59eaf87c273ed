"""Remembers when each API key was last used, to the minute."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

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
        """Shows what was stored, by an earlier process most of all."""
        columns = tables.keys.c
        rows = await self._store.read(
            sa.select(columns.key, columns.last_used_at_us).where(columns.last_used_at_us.is_not(None))
        )
        stored = {row.key: row.last_used_at_us for row in rows}
        # When the loop starts again, what could not be stored is newer.
        self._show(stored | self._credentials.unstored_uses)

    async def flush(self) -> None:
        """Stores what was used since the last time; what cannot be stored stays for the next."""
        unstored = self._credentials.unstored_uses
        used = unstored.copy()
        if not used:
            return
        self._show(used)

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
            for key_id, at_us in used.items():
                if unstored.get(key_id) == at_us:  # not used again meanwhile
                    del unstored[key_id]

    def _show(self, uses: Mapping[str, int]) -> None:
        for key_id, at_us in uses.items():
            overlay = key_pb2.Key()
            overlay.last_used_at.FromMicroseconds(at_us)
            self._store.set_live(KEYS, key_id, overlay)
