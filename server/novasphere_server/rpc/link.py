"""The agents' link over RPC."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from urllib.parse import unquote

from novasphere.link.v1 import link_service_pb2 as pb

from novasphere_server.core.links import Links
from novasphere_server.rpc.context import CallContext


class LinkService:
    """Serves novasphere.link.v1.LinkService."""

    def __init__(self, links: Links) -> None:
        self._links = links

    async def Connect(
        self, requests: AsyncIterator[pb.ConnectRequest], context: CallContext
    ) -> AsyncIterator[pb.ConnectResponse]:
        frames = self._links.connect(requests, context.principal, _address(context.peer))
        async with aclosing(frames) as responses:
            async for response in responses:
                yield response


def _address(peer: str) -> str:
    """Returns the address in what gRPC calls a peer: "ipv4:10.0.0.1:5000", "ipv6:%5B::1%5D:5000"."""
    family, _, rest = unquote(peer).partition(":")
    if family not in ("ipv4", "ipv6"):
        return ""
    return rest.rpartition(":")[0].strip("[]")
