"""grpc.health.v1 for the server and each of its services.

grpcio's own servicer holds a lock while it writes to a watcher, so that one watcher who does not read
would stop everybody, and it needs no credential to do so. This one goes through the pipeline.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable

from grpc_health.v1 import health_pb2
from novasphere.api.v1 import error_reason_pb2 as reasons

from novasphere_server.errors import ApiError
from novasphere_server.rpc.context import CallContext

NAME = "grpc.health.v1.Health"

_SERVING = health_pb2.HealthCheckResponse.SERVING
_NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
_UNKNOWN = health_pb2.HealthCheckResponse.SERVICE_UNKNOWN


class UnknownService(ApiError):
    """The health protocol wants NOT_FOUND for a service that the server does not have."""

    reason = reasons.ERROR_REASON_ROUTE_NOT_FOUND

    def __init__(self, name: str) -> None:
        super().__init__(f"there is no service {name!r}", metadata={"service": name})


class Health:
    """Tells whether the server serves. All services do, or none: they share one store."""

    def __init__(self, services: Iterable[str]) -> None:
        self._services = frozenset(services) | {""}
        self._is_serving = False
        self._changed = asyncio.Event()

    @property
    def is_serving(self) -> bool:
        return self._is_serving

    def set(self, is_serving: bool) -> None:
        if is_serving != self._is_serving:
            self._is_serving = is_serving
            # Whoever waits holds the old event; newcomers wait for the next change.
            changed, self._changed = self._changed, asyncio.Event()
            changed.set()

    async def Check(
        self, request: health_pb2.HealthCheckRequest, context: CallContext
    ) -> health_pb2.HealthCheckResponse:
        if request.service not in self._services:
            raise UnknownService(request.service)
        return health_pb2.HealthCheckResponse(status=self._status(request.service))

    async def Watch(
        self, request: health_pb2.HealthCheckRequest, context: CallContext
    ) -> AsyncIterator[health_pb2.HealthCheckResponse]:
        while True:
            changed = self._changed
            yield health_pb2.HealthCheckResponse(status=self._status(request.service))
            await changed.wait()

    def _status(self, service: str) -> health_pb2.HealthCheckResponse.ServingStatus:
        if service not in self._services:
            return _UNKNOWN
        return _SERVING if self._is_serving else _NOT_SERVING
