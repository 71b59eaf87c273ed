"""Tickets over RPC."""

from __future__ import annotations

from novasphere.api.v1 import ticket_service_pb2 as pb

from novasphere_server.core.tickets import Tickets
from novasphere_server.rpc.context import CallContext


class TicketService:
    """Serves novasphere.api.v1.TicketService."""

    def __init__(self, tickets: Tickets) -> None:
        self._tickets = tickets

    async def CreateTicket(
        self, request: pb.CreateTicketRequest, context: CallContext
    ) -> pb.CreateTicketResponse:
        answer, secret = await self._tickets.create(
            context.principal,
            request.path,
            idempotency=context.idempotency,
            is_dry_run=context.is_dry_run,
        )
        if secret:
            answer.secret = secret
        return answer
