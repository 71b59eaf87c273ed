"""The servers over RPC, for the schedules face: their rows, this one's health and what passed over its links."""

from __future__ import annotations

from google.protobuf.timestamp_pb2 import Timestamp
from novasphere.schedule.v1 import server_service_pb2 as pb

from novasphere_server import logs
from novasphere_server.clock import Clock
from novasphere_server.core import instants, pages, server_rows
from novasphere_server.core.links import Links
from novasphere_server.core.server_rows import ServerRows
from novasphere_server.core.systems import System
from novasphere_server.rpc import update_masks
from novasphere_server.rpc.context import CallContext
from novasphere_server.rpc.systems import VERSION

log = logs.get(__name__)


class ServerService:
    """Serves novasphere.schedule.v1.ServerService."""

    def __init__(self, servers: ServerRows, system: System, links: Links, clock: Clock) -> None:
        self._servers = servers
        self._system = system
        self._links = links
        self._clock = clock
        self._started = clock.monotonic()

    async def ListServers(
        self, request: pb.ListServersRequest, context: CallContext
    ) -> pb.ListServersResponse:
        page = await self._servers.list(request)
        return pb.ListServersResponse(
            data=page.servers,
            total=page.total,
            page=pages.number(request.page),
            page_size=pages.size(request.page),
        )

    async def GetServer(
        self, request: pb.GetServerRequest, context: CallContext
    ) -> pb.GetServerResponse:
        return pb.GetServerResponse(server=await self._servers.get(request.server_id))

    async def UpdateServer(
        self, request: pb.UpdateServerRequest, context: CallContext
    ) -> pb.UpdateServerResponse:
        fields = update_masks.fields(request, server_rows.CHANGEABLE)
        await self._servers.update(
            context.principal,
            request,
            fields,
            idempotency=context.idempotency,
            is_dry_run=context.is_dry_run,
        )
        if context.has_effect:
            log.info("server updated", server_id=request.server_id, by=context.principal.name)
        return pb.UpdateServerResponse()

    async def DeleteServer(
        self, request: pb.DeleteServerRequest, context: CallContext
    ) -> pb.DeleteServerResponse:
        await self._servers.delete(
            context.principal,
            request.server_id,
            idempotency=context.idempotency,
            is_dry_run=context.is_dry_run,
        )
        if context.has_effect:
            log.info("server deleted", server_id=request.server_id, by=context.principal.name)
        return pb.DeleteServerResponse()

    async def GetServerHealth(
        self, request: pb.GetServerHealthRequest, context: CallContext
    ) -> pb.GetServerHealthResponse:
        self._system.check_database()
        total, offline = await self._system.count_agents()
        return pb.GetServerHealthResponse(
            status="healthy",
            timestamp=self._now(),
            version=VERSION,
            uptime_seconds=int(self._clock.monotonic() - self._started),
            database=pb.GetServerHealthResponse.Database(
                status="connected", pool_size=self._system.pool_size
            ),
            agents=pb.GetServerHealthResponse.Agents(
                total=total, online=total - offline, offline=offline
            ),
        )

    async def GetGatewayStats(
        self, request: pb.GetGatewayStatsRequest, context: CallContext
    ) -> pb.GetGatewayStatsResponse:
        counters = self._links.counters
        return pb.GetGatewayStatsResponse(
            total_connections=counters.hellos,
            active_connections=self._links.linked_agents,
            total_messages_sent=counters.frames_sent,
            total_messages_received=counters.frames_received,
            timestamp=self._now(),
        )

    def _now(self) -> Timestamp:
        return instants.timestamp(self._clock.now_us())
