"""Agents over RPC: nodes for the schedules face."""

from __future__ import annotations

from novasphere.schedule.v1 import agent_service_pb2 as pb

from novasphere_server import logs
from novasphere_server.core import agents, pages
from novasphere_server.core.agents import Agents
from novasphere_server.rpc import update_masks
from novasphere_server.rpc.context import CallContext
from novasphere_server.rpc.views import Many, One

log = logs.get(__name__)

_ANSWER = pb.GetAgentResponse()  # around every agent: nothing else is in it


class AgentService:
    """Serves novasphere.schedule.v1.AgentService."""

    def __init__(self, agents: Agents) -> None:
        self._agents = agents

    async def ListAgents(
        self, request: pb.ListAgentsRequest, context: CallContext
    ) -> Many[pb.ListAgentsResponse]:
        page = await self._agents.list(request)
        answer = pb.ListAgentsResponse(
            total=page.total, page=pages.number(request.page), page_size=pages.size(request.page)
        )
        return Many(answer, "data", page.items)

    async def CreateAgent(
        self, request: pb.CreateAgentRequest, context: CallContext
    ) -> pb.CreateAgentResponse:
        node = await self._agents.create(
            context.principal, request, idempotency=context.idempotency, is_dry_run=context.is_dry_run
        )
        if context.is_dry_run:  # which made nothing to name
            return pb.CreateAgentResponse()
        if context.has_effect:
            log.info("node reserved", node_id=node.node_id, uid=node.uid, by=context.principal.name)
        context.headers["etag"] = str(node.revision)
        return pb.CreateAgentResponse(id=agents.agent_of(node).id)

    async def GetAgent(
        self, request: pb.GetAgentRequest, context: CallContext
    ) -> One[pb.GetAgentResponse]:
        return One(_ANSWER, "agent", await self._agents.get(request.agent_id))

    async def UpdateAgent(
        self, request: pb.UpdateAgentRequest, context: CallContext
    ) -> pb.UpdateAgentResponse:
        node = await self._agents.update(
            context.principal,
            request,
            update_masks.fields(request, agents.CHANGEABLE),
            idempotency=context.idempotency,
            is_dry_run=context.is_dry_run,
        )
        if context.has_effect:
            log.info("node updated", node_id=node.node_id, uid=node.uid, by=context.principal.name)
        context.headers["etag"] = str(node.revision)
        return pb.UpdateAgentResponse()

    async def DeleteAgent(
        self, request: pb.DeleteAgentRequest, context: CallContext
    ) -> pb.DeleteAgentResponse:
        node = await self._agents.delete(
            context.principal,
            request.agent_id,
            etag=request.etag,
            idempotency=context.idempotency,
            is_dry_run=context.is_dry_run,
        )
        if context.has_effect:
            log.info("node deleted", node_id=node.node_id, uid=node.uid, by=context.principal.name)
        return pb.DeleteAgentResponse()
