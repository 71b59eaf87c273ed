"""The server itself, over RPC."""

from __future__ import annotations

import platform
from importlib.metadata import version
from typing import Any

from novasphere.node.v1 import command_pb2, node_pb2, system_service_pb2

from novasphere_server.clock import Clock
from novasphere_server.core.principals import Principal
from novasphere_server.errors import DatabaseUnavailable
from novasphere_server.rpc.context import CallContext
from novasphere_server.rpc.health import Health
from novasphere_server.store.kinds import COMMANDS, NODES
from novasphere_server.store.queries import Query
from novasphere_server.store.store import Store

VERSION = version("novasphere")

# Only the totals are used, and the store remembers them until a node or a command changes.
_ALL_NODES = Query(NODES, limit=0)
_ONLINE_NODES = Query(NODES, filters=(("status", "=", node_pb2.NODE_STATUS_ONLINE),), limit=0)
_PENDING = ("status", "=", command_pb2.COMMAND_STATUS_PENDING)


class SystemService:
    """Serves novasphere.node.v1.SystemService."""

    def __init__(self, store: Store, clock: Clock, health: Health, database: str) -> None:
        self._store = store
        self._clock = clock
        self._health = health
        self._database = database
        self._started_us = clock.now_us()
        self._started = clock.monotonic()

    async def GetSystemStats(
        self, request: system_service_pb2.GetSystemStatsRequest, context: CallContext
    ) -> system_service_pb2.GetSystemStatsResponse:
        stats = system_service_pb2.GetSystemStatsResponse(
            total_nodes=(await self._store.list(_ALL_NODES)).total,
            online_nodes=(await self._store.list(_ONLINE_NODES)).total,
            total_commands=(await self._store.list(_commands(context.principal))).total,
            pending_commands=(await self._store.list(_commands(context.principal, _PENDING))).total,
        )
        stats.system_uptime.FromMicroseconds(self._started_us)
        return stats

    async def GetHealth(
        self, request: system_service_pb2.GetHealthRequest, context: CallContext
    ) -> system_service_pb2.GetHealthResponse:
        if not self._store.is_available:
            raise DatabaseUnavailable
        return system_service_pb2.GetHealthResponse(
            status="healthy",
            database="connected",
            websocket="running" if self._health.is_serving else "stopped",
            uptime_seconds=int(self._clock.monotonic() - self._started),
        )

    async def GetVersion(
        self, request: system_service_pb2.GetVersionRequest, context: CallContext
    ) -> system_service_pb2.GetVersionResponse:
        return system_service_pb2.GetVersionResponse(
            version=VERSION, python_version=platform.python_version(), database=self._database
        )


def _commands(principal: Principal, *filters: tuple[str, str, Any]) -> Query[Any]:
    """Returns the query for the commands that the principal may see."""
    if principal.namespaces:
        filters += (("namespace", "in", tuple(sorted(principal.namespaces))),)
    return Query(COMMANDS, filters=filters, limit=0)
