"""Signed tokens of agents over RPC."""

from __future__ import annotations

from google.protobuf.timestamp_pb2 import Timestamp
from novasphere.schedule.v1 import token_service_pb2 as pb

from novasphere_server import logs
from novasphere_server.core.agent_tokens import AgentTokens
from novasphere_server.core.agents import Agents
from novasphere_server.rpc.context import CallContext

log = logs.get(__name__)


class TokenService:
    """Serves novasphere.schedule.v1.TokenService."""

    def __init__(self, tokens: AgentTokens, agents: Agents) -> None:
        self._tokens = tokens
        self._agents = agents

    async def GenerateToken(
        self, request: pb.GenerateTokenRequest, context: CallContext
    ) -> pb.GenerateTokenResponse:
        made = await self._tokens.issue(
            context.principal,
            self._agents,
            request.agent_id,
            request.permissions,
            request.ttl_seconds if request.HasField("ttl_seconds") else None,
            idempotency=context.idempotency,
            is_dry_run=context.is_dry_run,
        )
        if context.has_effect:
            log.info(
                "agent token made",
                token_id=made.token_id,
                agent_id=made.agent_id,
                expires_at=made.expires_at,
                by=context.principal.name,
            )
        return pb.GenerateTokenResponse(
            token=made.token,
            agent_id=made.agent_id,
            token_type="Bearer",  # noqa: S106 - a word of the protocol, not a secret
            expires_at=made.expires_at,
            issued_at=Timestamp(seconds=made.issued_at),
        )
