"""The servers that share a database: which of them live, and whose link an agent's is.

Each notes in the database that it lives, by the database's clock. One that has not done so for a while
counts as gone: the others then speak for the nodes that were linked to it. It cannot harm them should it
come back, because whatever is written for a link is refused once the agent has called elsewhere.
"""

from __future__ import annotations

import uuid

import sqlalchemy as sa

from novasphere_server import errors
from novasphere_server.clock import Clock
from novasphere_server.core import secrets
from novasphere_server.core.fleet_settings import FleetSettings
from novasphere_server.store import tables
from novasphere_server.store.store import Store
from novasphere_server.store.transactions import Transaction

_servers = tables.servers.c
_agents = tables.agents.c

_FORGOTTEN_AFTER = 24 * 3600.0  # seconds


class Servers:
    """This server among those that share its database. On a database of its own it is the only one."""

    def __init__(self, store: Store, clock: Clock, settings: FleetSettings) -> None:
        self.id = uuid.uuid4().hex  # of this process: its links end with it
        self._store = store
        self._clock = clock
        self._lease_us = int(settings.server_lease * 1_000_000)

    @property
    def is_alone(self) -> bool:
        return not self._store.is_shared

    async def beat(self) -> None:
        """Notes that this server lives."""

        def note(tx: Transaction) -> None:
            tx.upsert(tables.servers, [{"server_id": self.id, "seen_at_us": tx.now_us}])
            long_ago_us = tx.now_us - int(_FORGOTTEN_AFTER * 1_000_000)
            tx.execute(sa.delete(tables.servers).where(_servers.seen_at_us < long_ago_us))

        await self._store.write(note)

    async def leave(self) -> None:
        """Notes that this server has ended."""
        if self.is_alone:
            return
        mine = sa.delete(tables.servers).where(_servers.server_id == self.id)
        await self._store.write(lambda tx: tx.execute(mine) and None)

    async def linked_elsewhere(self) -> set[str]:
        """Returns the uids of the nodes that another living server is linked to."""
        if self.is_alone:
            return set()
        rows = await self._store.read(self._elsewhere(self._clock.now_us()))
        return {row.node_uid for row in rows}

    def elsewhere(self, tx: Transaction) -> set[str]:
        """Returns what `linked_elsewhere` does, as it is within a mutation."""
        if self.is_alone:
            return set()
        return set(tx.execute(self._elsewhere(tx.now_us)).scalars())

    def check_link(self, tx: Transaction, uid: str, session_token: str) -> None:
        """Raises DuplicateIdentity if the agent has called another server since it was given the token."""
        if self.is_alone or not session_token:
            return
        known = tx.execute(sa.select(_agents.session_sha256).where(_agents.node_uid == uid)).scalar()
        if known != secrets.sha256(session_token):
            raise errors.DuplicateIdentity(uid)

    def _elsewhere(self, now_us: int) -> sa.Select[tuple[str]]:
        return (
            sa.select(_agents.node_uid)
            .join(tables.servers, _servers.server_id == _agents.server_id)
            .where(_servers.server_id != self.id, _servers.seen_at_us >= now_us - self._lease_us)
        )
