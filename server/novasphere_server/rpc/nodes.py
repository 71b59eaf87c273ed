"""Nodes over RPC."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing

from novasphere.node.v1 import node_service_pb2 as pb

from novasphere_server import logs
from novasphere_server.core.nodes import NodeFilter, Nodes
from novasphere_server.rpc import watch_rows
from novasphere_server.rpc.context import CallContext
from novasphere_server.rpc.views import Many, One

log = logs.get(__name__)

_LIMIT = 50
_ANSWER = pb.GetNodeResponse()  # around every node: nothing else is in it


class NodeService:
    """Serves novasphere.node.v1.NodeService."""

    def __init__(self, nodes: Nodes) -> None:
        self._nodes = nodes

    async def ListNodes(
        self, request: pb.ListNodesRequest, context: CallContext
    ) -> Many[pb.ListNodesResponse]:
        page = await self._nodes.list(
            NodeFilter.parse(request.label_selector, status=request.status),
            limit=request.limit if request.HasField("limit") else _LIMIT,
            offset=request.offset,
        )
        return page.memo(
            "ListNodes", lambda: Many(pb.ListNodesResponse(total=page.total), "nodes", page.items)
        )

    async def GetNode(self, request: pb.GetNodeRequest, context: CallContext) -> One[pb.GetNodeResponse]:
        return One(_ANSWER, "node", await self._nodes.get(request.node_id))

    async def DeleteNode(
        self, request: pb.DeleteNodeRequest, context: CallContext
    ) -> pb.DeleteNodeResponse:
        node = await self._nodes.delete(
            context.principal,
            request.node_id,
            etag=request.etag,
            idempotency=context.idempotency,
            is_dry_run=context.is_dry_run,
        )
        if context.has_effect:
            log.info("node deleted", node_id=node.node_id, uid=node.uid, by=context.principal.name)
        return pb.DeleteNodeResponse()

    async def WatchNodes(
        self, request: pb.WatchNodesRequest, context: CallContext
    ) -> AsyncIterator[Many[pb.WatchNodesResponse]]:
        which = NodeFilter.parse(request.label_selector, status=request.status, node_id=request.node_id)
        async with aclosing(self._nodes.watch(which, request.cursor)) as pages:
            async for page in pages:
                yield watch_rows.response(page, pb.WatchNodesResponse, pb.NodeEvent)
