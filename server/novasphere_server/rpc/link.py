"""The agents' link over RPC."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing

from novasphere.link.v1 import link_service_pb2 as pb

from novasphere_server.core.links import Links
from novasphere_server.rpc import peers
from novasphere_server.rpc.context import CallContext


class LinkService:
    """Serves novasphere.link.v1.LinkService."""

    def __init__(self, links: Links) -> None:
        self._links = links

    async def Connect(
        self, requests: AsyncIterator[pb.ConnectRequest], context: CallContext
    ) -> AsyncIterator[pb.ConnectResponse]:
        frames = self._links.connect(requests, context.principal, peers.address(context.peer))
        async with aclosing(frames) as responses:
            async for response in responses:
                yield response
