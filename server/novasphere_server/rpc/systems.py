"""The server itself, over RPC."""

from __future__ import annotations

import platform
from importlib.metadata import version

from novasphere.node.v1 import system_service_pb2

from novasphere_server.clock import Clock
from novasphere_server.core.systems import System
from novasphere_server.rpc.context import CallContext
from novasphere_server.rpc.health import Health

VERSION = version("novasphere")


class SystemService:
    """Serves novasphere.node.v1.SystemService."""

    def __init__(self, system: System, clock: Clock, health: Health, database: str) -> None:
        self._system = system
        self._clock = clock
        self._health = health
        self._database = database
        self._started_us = clock.now_us()
        self._started = clock.monotonic()

    async def GetSystemStats(
        self, request: system_service_pb2.GetSystemStatsRequest, context: CallContext
    ) -> system_service_pb2.GetSystemStatsResponse:
        totals = await self._system.count(context.principal)
        stats = system_service_pb2.GetSystemStatsResponse(
            total_nodes=totals.nodes,
            online_nodes=totals.online_nodes,
            total_commands=totals.commands,
            pending_commands=totals.pending_commands,
        )
        stats.system_uptime.FromMicroseconds(self._started_us)
        return stats

    async def GetHealth(
        self, request: system_service_pb2.GetHealthRequest, context: CallContext
    ) -> system_service_pb2.GetHealthResponse:
        self._system.check_database()
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
