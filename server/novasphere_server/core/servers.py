"""The servers that share a database: which of them live, and whose link an agent's is.

Each notes in the database that it lives, by the database's clock. One that has not done so for a while
counts as gone: the others then speak for the nodes that were linked to it. It cannot harm them should it
come back, because whatever is written for a link is refused once the agent has called elsewhere.
"""

from __future__ import annotations

import socket
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

_SESSION = sa.select(_agents.session_sha256).where(
    _agents.node_uid == sa.bindparam("uid", type_=sa.String)
)
_SAID = ("name", "bind_namespaces", "description")  # by clients
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
            self._note(tx)
            long_ago_us = tx.now_us - int(_FORGOTTEN_AFTER * 1_000_000)
            tx.execute(sa.delete(tables.servers).where(_servers.seen_at_us < long_ago_us))

        await self._store.write(note)

    async def leave(self) -> None:
        """Notes that this server has ended."""
        if self.is_alone:
            return

        def leave(tx: Transaction) -> None:
            mine = sa.update(tables.servers).where(_servers.server_id == self.id)
            tx.execute(mine.values(seen_at_us=self.alive_since_us(tx.now_us) - 1))

        await self._store.write(leave)

    async def announce(self, address: str) -> None:
        """Says where this server listens. What clients said of the last one that listened there, which is gone, they
        said of this one.
        """

        def announce(tx: Transaction) -> None:
            self._note(tx)
            values = {"address": address}
            gone = sa.select(tables.servers).where(
                _servers.address == address,
                _servers.server_id != self.id,
                sa.true() if self.is_alone else _servers.seen_at_us < self.alive_since_us(tx.now_us),
            )
            last = tx.execute(gone.order_by(_servers.seen_at_us.desc()).limit(1)).first()
            if last is not None:
                values |= {name: getattr(last, name) for name in _SAID}
                tx.execute(sa.delete(tables.servers).where(_servers.server_id == last.server_id))
            tx.execute(sa.update(tables.servers).where(_servers.server_id == self.id).values(values))

        await self._store.write(announce)

    async def be_seen(self) -> None:
        """Notes that this server lives, where that is not done all the time: on a database of its own."""
        if self.is_alone:
            await self.beat()

    def alive_since_us(self, now_us: int) -> int:
        """Returns since when a server must have been heard from to count as alive."""
        return now_us - self._lease_us

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
        known = tx.rows(_SESSION, uid=uid)
        if known != [(secrets.sha256(session_token),)]:
            raise errors.DuplicateIdentity(uid)

    def _elsewhere(self, now_us: int) -> sa.Select[tuple[str]]:
        return (
            sa.select(_agents.node_uid)
            .join(tables.servers, _servers.server_id == _agents.server_id)
            .where(_servers.server_id != self.id, _servers.seen_at_us >= self.alive_since_us(now_us))
        )

    def _note(self, tx: Transaction) -> None:
        mine = sa.update(tables.servers).where(_servers.server_id == self.id)
        if tx.execute(mine.values(seen_at_us=tx.now_us)).rowcount:
            return
        row = {
            "server_id": self.id,
            "seen_at_us": tx.now_us,
            "started_at_us": tx.now_us,
            "name": socket.gethostname(),
            "address": "",
            "bind_namespaces": "[]",
        }
        tx.execute(sa.insert(tables.servers), row)
