"""Tickets: each opens one stream for whoever made it, once, within seconds.

They are in the database, so that any replica takes what another one gave, and spent in a mutation, of which
there is one at a time: of two who show the same ticket one is let in.
"""

from __future__ import annotations

import enum
import json
from dataclasses import replace

import sqlalchemy as sa
from novasphere.api.v1 import ticket_service_pb2 as pb

from novasphere_server.clock import Clock
from novasphere_server.core import instants, secrets
from novasphere_server.core.principals import Principal, PrincipalKind
from novasphere_server.core.refusals import TICKET, Refused
from novasphere_server.store import tables
from novasphere_server.store.idempotency import Idempotency
from novasphere_server.store.kinds import KEYS
from novasphere_server.store.store import Store
from novasphere_server.store.transactions import Transaction

_LIFETIME_US = 30_000_000

_table = tables.tickets
_c = tables.tickets.c


class TicketUse(enum.Enum):
    """What a call that shows a ticket does with it."""

    NONE = "takes no tickets"
    LOOK = "asks whose it is"
    SPEND = "spends it"


class Tickets:
    """The tickets that have not been spent."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def create(
        self,
        creator: Principal,
        path: str,
        *,
        idempotency: Idempotency | None = None,
        is_dry_run: bool = False,
    ) -> tuple[pb.CreateTicketResponse, str]:
        """Returns the answer to the creator and the secret, empty unless a ticket was made just now."""
        secret = secrets.new(secrets.TICKET)

        def make(tx: Transaction) -> pb.CreateTicketResponse:
            _forget(tx)
            expires_at_us = tx.now_us + _LIFETIME_US
            if creator.expires_at_us is not None:
                expires_at_us = min(expires_at_us, creator.expires_at_us)
            row = {
                "secret_sha256": secrets.sha256(secret),
                "holder": _packed(creator),
                "path": path,
                "expires_at_us": expires_at_us,
            }
            tx.execute(sa.insert(_table), row)
            answer = pb.CreateTicketResponse(
                path=path, scopes=sorted(creator.scopes), namespaces=sorted(creator.namespaces)
            )
            answer.expires_at.FromMicroseconds(expires_at_us)
            return answer

        answer = await self._store.write(
            make, idempotency=idempotency, is_dry_run=is_dry_run, result_type=pb.CreateTicketResponse
        )
        is_replayed = idempotency is not None and idempotency.was_replayed
        return answer, "" if is_dry_run or is_replayed else secret

    async def holder(self, ticket: str, use: TicketUse) -> Principal:
        """Returns who made the ticket, bound to the ticket's path. Raises Refused."""
        claimed = secrets.public_part(ticket)
        if use is TicketUse.NONE:
            raise Refused(TICKET, "this call takes no tickets", claimed=claimed)
        this = _c.secret_sha256 == secrets.sha256(ticket)
        found = sa.select(_c.holder, _c.path, _c.expires_at_us).where(this)
        # Before the writer is bothered: most that is wrong never was a ticket.
        rows = await self._store.read(found)
        if not rows:
            raise Refused(TICKET, "no such ticket, or spent", claimed=claimed)
        holder, expires_at_us = _unpacked(rows[0].holder, rows[0].path), rows[0].expires_at_us
        if use is TicketUse.LOOK:
            return holder

        def spend(tx: Transaction) -> Principal | str:
            """Returns who the stream is opened for, or why the ticket opens nothing."""
            if not tx.execute(sa.delete(_table).where(this)).rowcount:
                return "spent"
            if expires_at_us <= tx.now_us:  # by the clock that it was made by, whichever server made it
                return "expired"
            return _present(tx, holder) or "its maker's key has ended"

        opened_for = await self._store.write(spend)
        if isinstance(opened_for, str):
            raise Refused(TICKET, opened_for, claimed=claimed)
        return opened_for

    async def forget_expired(self) -> None:
        """Deletes the tickets that nobody used in time."""
        due = sa.select(_c.secret_sha256).where(_c.expires_at_us <= self._clock.now_us()).limit(1)
        if await self._store.read(due):
            await self._store.write(_forget)


def _forget(tx: Transaction) -> None:
    tx.execute(sa.delete(_table).where(_c.expires_at_us <= tx.now_us))


def _present(tx: Transaction, holder: Principal) -> Principal | None:
    """Returns whose credential made the ticket, with the end that it has by now; None if it works no more."""
    if holder.kind is PrincipalKind.KEY:
        key = tx.get(KEYS, holder.name.removeprefix(f"{PrincipalKind.KEY}:"))
        if key is None or key.HasField("revoked_at"):
            return None
        holder = replace(holder, expires_at_us=instants.optional_microseconds(key, "expires_at"))
    has_ended = holder.expires_at_us is not None and holder.expires_at_us <= tx.now_us
    return None if has_ended else holder


def _packed(holder: Principal) -> str:
    return json.dumps(
        {
            "kind": holder.kind,
            "name": holder.name,
            "scopes": sorted(holder.scopes),
            "namespaces": sorted(holder.namespaces),
            "expires_at_us": holder.expires_at_us,
            "signed_with": holder.signed_with,
        }
    )


def _unpacked(text: str, path: str) -> Principal:
    fields = json.loads(text)
    return Principal(
        PrincipalKind(fields["kind"]),
        fields["name"],
        frozenset(fields["scopes"]),
        frozenset(fields["namespaces"]),
        expires_at_us=fields["expires_at_us"],
        path=path,
        signed_with=fields["signed_with"],
    )
