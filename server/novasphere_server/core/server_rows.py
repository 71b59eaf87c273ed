"""The servers as the schedules face has them: listed, described, and forgotten once they are gone."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from novasphere.schedule.v1 import server_pb2 as pb
from novasphere.schedule.v1 import server_service_pb2 as api

from novasphere_server import errors
from novasphere_server.clock import Clock
from novasphere_server.core import instants, pages
from novasphere_server.core.pages import Field, Filter
from novasphere_server.core.principals import Principal
from novasphere_server.core.servers import Servers
from novasphere_server.store import tables
from novasphere_server.store.idempotency import Idempotency
from novasphere_server.store.queries import conditions, ordering
from novasphere_server.store.store import Store
from novasphere_server.store.transactions import Transaction

_servers = tables.servers
_columns = _servers.c

CHANGEABLE = ("name", "bind_namespaces", "description")


class _Status(pages.Words):
    """Whether a server lives: whether it was heard from since `alive_since_us`."""

    def __init__(self, alive_since_us: int) -> None:
        super().__init__(pb.ServerStatus)
        self._since_us = alive_since_us

    def filter(self, column: str, name: str, values: Sequence[int]) -> Filter:
        alive: Filter = (column, ">=", self._since_us)
        gone: Filter = (column, "<", self._since_us)
        wanted = self.chosen(name, values)
        return (
            "",
            "any",
            tuple(
                filter_
                for status, filter_ in (
                    (pb.SERVER_STATUS_ACTIVE, alive),
                    (pb.SERVER_STATUS_INACTIVE, gone),
                )
                if status in wanted
            ),
        )


@dataclass(frozen=True, slots=True)
class ServerPage:
    """A part of the list. `total` counts what matches."""

    servers: Sequence[pb.Server]
    total: int


class ServerRows:
    """The servers that share the database, this one among them."""

    def __init__(self, store: Store, clock: Clock, servers: Servers) -> None:
        self._store = store
        self._clock = clock
        self._membership = servers

    async def list(self, request: api.ListServersRequest) -> ServerPage:
        """Returns the servers of the page that a request asks for."""
        await self._membership.be_seen()
        since_us = self._membership.alive_since_us(self._clock.now_us())
        asked = pages.ask(_fields(since_us), request)
        where = conditions(_servers, asked.filters)
        page = (
            sa.select(_servers)
            .where(*where)
            .order_by(*ordering(_servers, (*(asked.order_by or ("-started_at_us",)), "server_id")))
            .limit(asked.limit)
            .offset(asked.offset)
        )
        total = await self._store.read(sa.select(sa.func.count()).select_from(_servers).where(*where))
        rows = await self._store.read(page)
        return ServerPage([_server(row, since_us) for row in rows], total[0][0])

    async def get(self, server_id: str) -> pb.Server:
        """Returns a server. Raises ServerNotFound."""
        await self._membership.be_seen()
        rows = await self._store.read(sa.select(_servers).where(_columns.server_id == server_id))
        if not rows:
            raise errors.ServerNotFound(server_id)
        return _server(rows[0], self._membership.alive_since_us(self._clock.now_us()))

    async def update(
        self,
        principal: Principal,
        request: api.UpdateServerRequest,
        fields: Collection[str],
        *,
        idempotency: Idempotency | None = None,
        is_dry_run: bool = False,
    ) -> None:
        """Changes those fields to what the request has. Raises ServerNotFound."""
        _check_reach(principal)
        if "name" in fields and not request.name:
            raise errors.InvalidArgument("name", "must be set")
        values: dict[str, Any] = {}
        if "name" in fields:
            values["name"] = request.name
        if "bind_namespaces" in fields:
            values["bind_namespaces"] = json.dumps(sorted(set(request.bind_namespaces)))
        if "description" in fields:
            values["description"] = request.description if request.HasField("description") else None

        def update(tx: Transaction) -> api.UpdateServerResponse:
            changed = sa.update(_servers).where(_columns.server_id == request.server_id).values(values)
            if not tx.execute(changed).rowcount:
                raise errors.ServerNotFound(request.server_id)
            return api.UpdateServerResponse()

        await self._membership.be_seen()
        await self._store.write(
            update,
            idempotency=idempotency,
            is_dry_run=is_dry_run,
            result_type=api.UpdateServerResponse,
        )

    async def delete(
        self,
        principal: Principal,
        server_id: str,
        *,
        idempotency: Idempotency | None = None,
        is_dry_run: bool = False,
    ) -> None:
        """Forgets a server. Raises ServerNotFound, and ServerAlive for one that lives."""
        _check_reach(principal)

        def delete(tx: Transaction) -> api.DeleteServerResponse:
            found = tx.execute(sa.select(_servers).where(_columns.server_id == server_id)).first()
            if found is None:
                raise errors.ServerNotFound(server_id)
            if found.seen_at_us >= self._membership.alive_since_us(tx.now_us):
                raise errors.ServerAlive(server_id)
            tx.execute(sa.delete(_servers).where(_columns.server_id == server_id))
            return api.DeleteServerResponse()

        await self._membership.be_seen()
        await self._store.write(
            delete,
            idempotency=idempotency,
            is_dry_run=is_dry_run,
            result_type=api.DeleteServerResponse,
        )


def _fields(alive_since_us: int) -> Mapping[str, Field]:
    """Returns what of a row can be asked about."""
    return {
        "id": Field("server_id", pages.Text()),
        "name": Field("name", pages.Text()),
        "address": Field("address", pages.Text()),
        "status": Field("seen_at_us", _Status(alive_since_us)),
        "description": Field("description", pages.Text()),
        "last_heartbeat_at": Field("seen_at_us", pages.Instant()),
        "created_at": Field("started_at_us", pages.Instant()),
    }


def _server(row: sa.Row[Any], alive_since_us: int) -> pb.Server:
    is_alive = row.seen_at_us >= alive_since_us
    return pb.Server(
        id=row.server_id,
        name=row.name,
        address=row.address,
        bind_namespaces=json.loads(row.bind_namespaces),
        status=pb.SERVER_STATUS_ACTIVE if is_alive else pb.SERVER_STATUS_INACTIVE,
        description=row.description,
        last_heartbeat_at=instants.timestamp(row.seen_at_us),
        created_at=instants.timestamp(row.started_at_us),
    )


def _check_reach(principal: Principal) -> None:
    if principal.namespaces:
        raise errors.PermissionDenied(
            "this credential is bound to namespaces; servers belong to all of them"
        )
