"""The server itself."""

from __future__ import annotations

from novasphere.node.v1 import system_service_pb2, system_service_pb2_grpc

from novasphere_client.connection import Connection


class System:
    """Counts, health and version of the server."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._service = system_service_pb2_grpc.SystemServiceStub(connection.channel)

    async def stats(self) -> system_service_pb2.GetSystemStatsResponse:
        """Returns counts over the whole fleet."""
        request = system_service_pb2.GetSystemStatsRequest()
        return await self._connection.read(self._service.GetSystemStats, request)

    async def health(self) -> system_service_pb2.GetHealthResponse:
        """Returns whether the server works."""
        request = system_service_pb2.GetHealthRequest()
        return await self._connection.read(self._service.GetHealth, request)

    async def version(self) -> system_service_pb2.GetVersionResponse:
        """Returns what is running."""
        request = system_service_pb2.GetVersionRequest()
        return await self._connection.read(self._service.GetVersion, request)
