"""What callers may do, over RPC."""

from __future__ import annotations

from novasphere.api.v1 import access_service_pb2 as pb

from novasphere_server.errors import NotImplementedHere
from novasphere_server.rpc.context import CallContext
from novasphere_server.rpc.pipeline import Pipeline


class AccessService:
    """Serves novasphere.api.v1.AccessService, for every method of the pipeline."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline

    async def CheckAccess(
        self, request: pb.CheckAccessRequest, context: CallContext
    ) -> pb.CheckAccessResponse:
        pipeline, metadata = self._pipeline, context.metadata
        method = pipeline.methods.get(request.method)
        if method is not None:
            await pipeline.check(method, request.request, metadata, context.peer)
            return pb.CheckAccessResponse()
        if request.scope and not request.method:
            await pipeline.callers.authorize(metadata, context.peer, request.scope)
        else:
            await pipeline.callers.authenticate(metadata, context.peer)
        if request.method:
            raise NotImplementedHere(f"this server does not offer {request.method}")
        return pb.CheckAccessResponse()
